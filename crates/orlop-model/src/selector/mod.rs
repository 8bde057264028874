//! Selectors, compiled once and matched often: labels ([`Selector`]), fields ([`FieldSelector`]) and
//! nodes ([`NodeSelectorMatcher`], [`NodePreferences`], [`RequiredNodeAffinity`]).
//!
//! ```
//! use orlop_model::{Map, Str};
//! use orlop_model::selector::Selector;
//!
//! let selector: Selector = "app in (web, api), !canary".parse()?;
//! let labels: Map<Str> = [("app", Str::from("web"))].into();
//! assert!(selector.matches(&labels));
//! assert_eq!(selector.to_string(), "app in (api,web),!canary");
//! # Ok::<(), orlop_model::selector::SelectorError>(())
//! ```

mod field;
mod label;
#[cfg(feature = "core")]
mod node;
mod parse;
mod requirement;

use std::collections::BTreeMap;

use crate::map::sorted_by_text;
use crate::{FieldError, Map, Str, aggregate};

pub use self::field::{FieldRequirement, FieldSelector};
pub use self::label::Selector;
#[cfg(feature = "rules")]
pub use self::label::validate;
#[cfg(feature = "core")]
pub use self::node::{NodePreferences, NodeSelectorMatcher, RequiredNodeAffinity};
pub use self::requirement::{Operator, Requirement};

/// Texts by key: the labels of an object, or its fields.
pub trait Labels {
    /// The value at `key`.
    fn value(&self, key: &str) -> Option<&str>;
}

impl Labels for Map<Str> {
    fn value(&self, key: &str) -> Option<&str> {
        self.get(key).map(Str::as_str)
    }
}

impl Labels for BTreeMap<String, String> {
    fn value(&self, key: &str) -> Option<&str> {
        self.get(key).map(String::as_str)
    }
}

impl Labels for [(&str, &str)] {
    fn value(&self, key: &str) -> Option<&str> {
        self.iter().find(|(other, _)| *other == key).map(|(_, value)| *value)
    }
}

impl<L: Labels + ?Sized> Labels for &L {
    fn value(&self, key: &str) -> Option<&str> {
        (**self).value(key)
    }
}

/// Why a selector cannot be made. The texts are Kubernetes' own.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SelectorError {
    /// Something else stands where a token is expected.
    #[error("found '{found}'{separator} expected: {expected}", separator = if *comma { "," } else { "" })]
    Unexpected {
        /// What was found; empty at the end.
        found: String,
        /// What would be right.
        expected: &'static str,
        /// Whether Kubernetes puts a comma into this message.
        comma: bool,
    },
    /// Like [`Unexpected`](Self::Unexpected), after a comma.
    #[error("found '{found}', expected: identifier after ','")]
    AfterComma {
        /// What was found; empty at the end.
        found: String,
    },
    /// A part between commas is wrong.
    #[error("unable to parse requirement: {0}")]
    Requirement(Box<Self>),
    /// Keys, operators or values break their rules.
    #[error("{}", aggregate(.0))]
    Invalid(Vec<FieldError>),
    /// A label selector has an operator that does not exist.
    #[error("{} is not a valid label selector operator", crate::quote::quoted(.0))]
    Operator(String),
    /// A part of a field selector has no operator.
    #[error("invalid selector: '{selector}'; can't understand '{part}'")]
    FieldTerm {
        /// The whole selector.
        selector: String,
        /// The part.
        part: String,
    },
    /// A value of a field selector has a backslash before something that needs none.
    #[error("invalid field selector: invalid escape sequence: {0}")]
    Escape(String),
    /// A value of a field selector has a comma or equals sign without a backslash.
    #[error("invalid field selector: unescaped character in value: {}", u32::from(*.0))]
    Unescaped(char),
    /// The text is longer than any selector has a reason to be.
    #[error("a selector must be no more than {limit} bytes", limit = parse::MAX_LENGTH)]
    TooLong,
}

#[cfg(test)]
mod tests;

/// Texts in their order.
fn sorted(texts: Vec<Str>) -> Vec<Str> {
    sorted_by_text(texts, Str::as_str)
}

/// Texts in their order, each once.
fn distinct(texts: Vec<Str>) -> Vec<Str> {
    let mut texts = sorted(texts);
    texts.dedup();
    texts
}
