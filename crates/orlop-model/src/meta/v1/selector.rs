//! Label selectors.

use super::LabelSelectorOperator;
use crate::{Extra, List, Map, Message, Str};

/// `LabelSelector` of `meta/v1`.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct LabelSelector {
    #[wire(pb = 1)]
    pub match_labels: Map<Str>,
    #[wire(pb = 2)]
    pub match_expressions: List<LabelSelectorRequirement>,
    #[wire(extra)]
    pub extra: Extra,
}

/// `LabelSelectorRequirement` of `meta/v1`.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct LabelSelectorRequirement {
    #[wire(pb = 1, required)]
    pub key: Str,
    #[wire(pb = 2, required)]
    pub operator: LabelSelectorOperator,
    #[wire(pb = 3)]
    pub values: List<Str>,
    #[wire(extra)]
    pub extra: Extra,
}
