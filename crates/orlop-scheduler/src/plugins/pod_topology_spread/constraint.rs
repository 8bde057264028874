//! A spread constraint, compiled.

use orlop_model::core::v1::{NodeInclusionPolicy, TopologySpreadConstraint};
use orlop_model::selector::{Selector, SelectorError};
use orlop_model::{Map, Str};

use super::HOSTNAME;
use crate::cluster::NodeView;

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Constraint {
    pub(super) max_skew: i64,
    pub(super) key: Str,
    pub(super) is_hostname: bool,
    pub(super) min_domains: i64,
    pub(super) honor_affinity: bool,
    pub(super) honor_taints: bool,
    pub(super) selector: Selector,
}

impl Constraint {
    pub(super) fn compile(
        constraint: &TopologySpreadConstraint,
        labels: &Map<Str>,
    ) -> Result<Self, SelectorError> {
        let mut selector = Selector::from_object(constraint.label_selector.as_deref())?;
        let keys = constraint.match_label_keys.iter();
        let equal: Map<Str> = keys.filter_map(|key| Some((key.clone(), labels.get(key)?.clone()))).collect();
        if !equal.is_empty() {
            // Where there is no selector, these requirements alone select.
            selector = Selector::from_labels(&equal).and(selector.requirements().iter().cloned());
        }
        Ok(Self {
            max_skew: i64::from(constraint.max_skew),
            is_hostname: constraint.topology_key == HOSTNAME,
            key: constraint.topology_key.clone(),
            min_domains: i64::from(constraint.min_domains.unwrap_or(1)),
            honor_affinity: constraint.node_affinity_policy != Some(NodeInclusionPolicy::Ignore),
            honor_taints: constraint.node_taints_policy == Some(NodeInclusionPolicy::Honor),
            selector,
        })
    }

    /// Whether the node has the labels of all constraints.
    pub(super) fn all_on(constraints: &[Self], node: NodeView<'_>) -> bool {
        constraints.iter().all(|constraint| node.labels().contains_key(&constraint.key))
    }
}
