//! A spread constraint, compiled.

use orlop_model::core::v1::{NodeInclusionPolicy, TopologySpreadConstraint};
use orlop_model::{Map, Str};

use super::HOSTNAME;
use crate::cluster::NodeView;
use crate::selector::{Labels, Requirement};

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Constraint {
    pub(super) max_skew: i64,
    pub(super) key: Str,
    pub(super) is_hostname: bool,
    pub(super) min_domains: i64,
    pub(super) honor_affinity: bool,
    pub(super) honor_taints: bool,
    /// `None` selects no pod.
    pub(super) selector: Option<Labels>,
}

impl Constraint {
    pub(super) fn compile(constraint: &TopologySpreadConstraint, labels: &Map<Str>) -> Result<Self, String> {
        let mut selector = constraint.label_selector.as_deref().map(Labels::compile).transpose()?;
        for key in &constraint.match_label_keys {
            if let Some(value) = labels.get(key) {
                // Without a selector, too, these requirements alone select.
                selector.get_or_insert_default().push(Requirement::equal(key, value));
            }
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
