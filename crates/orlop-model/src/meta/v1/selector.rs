//! Label selectors.

use super::{FieldSelectorOperator, LabelSelectorOperator};
use crate::{Extra, List, Map, Message, Str};

/// One parsed term of a field selector, as handed to authorizers.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct FieldSelectorRequirement {
    /// Path of the field that is compared, such as `spec.nodeName`.
    #[wire(pb = 1, required)]
    pub key: Str,
    /// Relation of the field to `values`; `Exists` and `DoesNotExist` test only for presence.
    #[wire(pb = 2, required)]
    pub operator: FieldSelectorOperator,
    /// Strings to compare with; needed for `In` and `NotIn`, empty for `Exists` and `DoesNotExist`.
    #[wire(pb = 3)]
    pub values: List<Str>,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// Query over labels; all terms must match, an empty selector matches everything and an absent one nothing.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug, atomic)]
pub struct LabelSelector {
    /// Labels that must be present with exactly these values; each pair acts like an `In` term with one
    /// value.
    #[wire(pb = 1)]
    pub match_labels: Map<Str>,
    /// Set-based terms, all of which must hold in addition to `matchLabels`.
    #[wire(pb = 2)]
    pub match_expressions: List<LabelSelectorRequirement>,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// One set-based term of a label selector: a label key, an operator and values.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct LabelSelectorRequirement {
    /// Label key that the term examines.
    #[wire(pb = 1, required)]
    pub key: Str,
    /// How the label relates to `values`: `In`, `NotIn`, `Exists` or `DoesNotExist`.
    #[wire(pb = 2, required)]
    pub operator: LabelSelectorOperator,
    /// Candidate label values; non-empty for `In` and `NotIn`, empty for `Exists` and `DoesNotExist`.
    #[wire(pb = 3)]
    pub values: List<Str>,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}
