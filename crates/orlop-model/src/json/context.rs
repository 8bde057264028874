//! What goes along while JSON is read.

use std::fmt;

use serde_json::{Map, Value};

use crate::strings::Recent;
use crate::{Path, Step, Str, Strings};

/// Most problems that strict reading tells of, as in Kubernetes.
pub const MAX_PROBLEMS: usize = 100;

/// What strict reading complains of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Problem {
    /// The type has no such field; its path.
    UnknownField(String),
    /// The field is there twice; its path.
    DuplicateField(String),
}

impl fmt::Display for Problem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownField(path) => write!(formatter, "unknown field {path:?}"),
            Self::DuplicateField(path) => write!(formatter, "duplicate field {path:?}"),
        }
    }
}

/// The state of reading one text.
pub(crate) struct Context<'c> {
    strict: Option<Strict>,
    strings: Option<&'c mut Strings>,
    /// Where there are no `strings`.
    recent: Recent,
    /// Steps to the place of the error, innermost first.
    trail: Vec<Step>,
}

#[derive(Default)]
struct Strict {
    path: Path,
    problems: Vec<Problem>,
}

/// Names of the fields of one object that have been read; kept by strict reading alone, in a map that programs have anyway.
pub(crate) struct Seen(Option<Map<String, Value>>);

impl Default for Context<'_> {
    fn default() -> Self {
        Self { strict: None, strings: None, recent: Recent::new(), trail: Vec::new() }
    }
}

impl<'c> Context<'c> {
    pub(crate) fn strict() -> Self {
        Self { strict: Some(Strict::default()), ..Self::default() }
    }

    pub(crate) fn sharing(strings: &'c mut Strings) -> Self {
        Self { strings: Some(strings), ..Self::default() }
    }

    pub(crate) fn share(&mut self, text: &str) -> Str {
        match &mut self.strings {
            Some(strings) => strings.share(text),
            None => self.recent.share(text),
        }
    }

    pub(crate) fn begin_object(&self) -> Seen {
        Seen(self.strict.as_ref().map(|_| Map::new()))
    }

    pub(crate) fn note(&mut self, seen: &mut Seen, name: &str) {
        let (Some(strict), Some(seen)) = (&mut self.strict, &mut seen.0) else { return };
        if seen.insert(name.to_owned(), Value::Null).is_some() {
            let path = strict.path.child(name);
            strict.complain(Problem::DuplicateField(path));
        }
    }

    pub(crate) fn unknown(&mut self, seen: &mut Seen, name: &str) {
        let (Some(strict), Some(seen)) = (&mut self.strict, &mut seen.0) else { return };
        if seen.insert(name.to_owned(), Value::Null).is_none() {
            let path = strict.path.child(name);
            strict.complain(Problem::UnknownField(path));
        }
    }

    pub(crate) fn enter_field(&mut self, name: &str) {
        if let Some(strict) = &mut self.strict {
            strict.path.push_field(name);
        }
    }

    pub(crate) fn enter_index(&mut self, index: usize) {
        if let Some(strict) = &mut self.strict {
            strict.path.push_index(index);
        }
    }

    pub(crate) fn leave(&mut self) {
        if let Some(strict) = &mut self.strict {
            strict.path.pop();
        }
    }

    #[cold]
    pub(crate) fn failed_at_field(&mut self, name: &str) {
        self.trail.push(Step::Key(name.to_owned()));
    }

    #[cold]
    pub(crate) fn failed_at_index(&mut self, index: usize) {
        self.trail.push(Step::Index(index));
    }

    pub(crate) fn problems(self) -> Vec<Problem> {
        self.strict.map(|strict| strict.problems).unwrap_or_default()
    }

    /// The steps to the field that could not be read.
    pub(crate) fn place(mut self) -> Vec<Step> {
        self.trail.reverse();
        self.trail
    }
}

impl Strict {
    fn complain(&mut self, problem: Problem) {
        if self.problems.len() < MAX_PROBLEMS {
            self.problems.push(problem);
        }
    }
}
