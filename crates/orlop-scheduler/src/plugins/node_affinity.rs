//! [`NodeAffinity`]: pods choose nodes by labels and names.

use std::collections::BTreeSet;

use orlop_model::core::v1::{Node, NodeAffinity as Affinity, NodeSelectorOperator, Pod};
use orlop_model::selector::{NodePreferences, NodeSelectorMatcher, RequiredNodeAffinity, SelectorError};
use orlop_model::{Map, Str};

use crate::cluster::NodeView;
use crate::framework::{
    ClusterEvent, Filter, Hint, Normalize, Plugin, PodTemplate, PreFilter, PreScore, Reads, Score, Status,
    Verdict,
};

/// Turns down nodes that the pod's `nodeSelector` or required node affinity does not match; rates
/// nodes by the weights of the preferred terms that match.
#[derive(Clone, Debug, Default)]
pub struct NodeAffinity {
    added_required: Option<NodeSelectorMatcher>,
    added_preferred: Option<NodePreferences>,
}

impl NodeAffinity {
    /// With an affinity that every pod of the profile has in addition to its own.
    ///
    /// # Errors
    /// What is wrong with one of its terms.
    pub fn with_added(added: &Affinity) -> Result<Self, SelectorError> {
        let required = added.required_during_scheduling_ignored_during_execution.as_deref();
        let preferred = &added.preferred_during_scheduling_ignored_during_execution;
        Ok(Self {
            added_required: required.map(NodeSelectorMatcher::new).transpose()?,
            added_preferred: if preferred.is_empty() { None } else { Some(NodePreferences::new(preferred)?) },
        })
    }
}

/// What a pod requires of a node.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct RequiredAffinity {
    affinity: RequiredNodeAffinity,
    is_empty: bool,
    only: Only,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
enum Only {
    #[default]
    AnyNode,
    Nodes(BTreeSet<Str>),
}

impl RequiredAffinity {
    pub(super) fn of(pod: &Pod) -> Self {
        let required = pod
            .spec
            .affinity
            .as_ref()
            .and_then(|affinity| affinity.node_affinity.as_ref())
            .and_then(|affinity| affinity.required_during_scheduling_ignored_during_execution.as_ref());
        let only = required.map_or(Only::AnyNode, |required| {
            let mut nodes = BTreeSet::new();
            for term in &required.node_selector_terms {
                let mut of_term: Option<BTreeSet<Str>> = None;
                for field in &term.match_fields {
                    if field.key == "metadata.name" && field.operator == NodeSelectorOperator::In {
                        let names: BTreeSet<Str> = field.values.iter().cloned().collect();
                        of_term = Some(match of_term {
                            None => names,
                            Some(before) => before.intersection(&names).cloned().collect(),
                        });
                    }
                }
                match of_term {
                    // Terms are alternatives: one without names leaves all nodes open.
                    None => return Only::AnyNode,
                    Some(names) => nodes.extend(names),
                }
            }
            if required.node_selector_terms.is_empty() { Only::AnyNode } else { Only::Nodes(nodes) }
        });
        Self {
            affinity: RequiredNodeAffinity::new(&pod.spec),
            is_empty: required.is_none() && pod.spec.node_selector.is_empty(),
            only,
        }
    }

    /// A malformed term matches nothing, and does not keep others from matching.
    pub(super) fn matches(&self, name: &Str, labels: &Map<Str>) -> bool {
        self.is_empty || self.affinity.matches_labels(name, labels).unwrap_or(false)
    }
}

impl Plugin for NodeAffinity {
    fn name(&self) -> &str {
        "NodeAffinity"
    }
}

impl Filter for NodeAffinity {
    type Signature = RequiredAffinity;
    const READS: Reads = Reads::Static;

    fn sign(&self, pod: PodTemplate<'_>) -> RequiredAffinity {
        RequiredAffinity::of(pod.pod())
    }

    fn pre_filter(&self, required: &RequiredAffinity) -> PreFilter {
        match &required.only {
            _ if required.is_empty && self.added_required.is_none() => PreFilter::Skip,
            Only::AnyNode => PreFilter::Run(()),
            Only::Nodes(nodes) if nodes.is_empty() => {
                PreFilter::Reject(Status::unresolvable("pod affinity terms conflict"))
            }
            Only::Nodes(nodes) => PreFilter::Only(nodes.clone(), ()),
        }
    }

    fn filter(&self, required: &RequiredAffinity, node: NodeView<'_>) -> Verdict {
        if self.added_required.as_ref().is_some_and(|added| !meets(added, node.name(), node.labels())) {
            return Verdict::unresolvable("node(s) didn't match scheduler-enforced node affinity");
        }
        Verdict::pass_if(
            required.matches(node.name(), node.labels()),
            "node(s) didn't match Pod's node affinity/selector",
        )
    }

    fn concerns(&self, event: &ClusterEvent) -> bool {
        matches!(
            event,
            ClusterEvent::NodeAdded(_)
                | ClusterEvent::NodeUpdated { .. }
                | ClusterEvent::PendingUpdated { .. }
        )
    }

    fn hint(&self, pod: &Pod, event: &ClusterEvent) -> Hint {
        let required = RequiredAffinity::of(pod);
        let matches = |node: &Node| {
            let (name, labels) = (&node.metadata.name, &node.metadata.labels);
            self.added_required.as_ref().is_none_or(|added| meets(added, name, labels))
                && required.matches(name, labels)
        };
        Hint::queue_if(match event {
            ClusterEvent::NodeAdded(node) => matches(node),
            ClusterEvent::NodeUpdated { old, new } => !matches(old) && matches(new),
            ClusterEvent::PendingUpdated { old, new } => {
                new.metadata.uid == pod.metadata.uid && RequiredAffinity::of(old) != RequiredAffinity::of(new)
            }
            _ => false,
        })
    }
}

fn meets(added: &NodeSelectorMatcher, name: &Str, labels: &Map<Str>) -> bool {
    added.matches_labels(name, labels).unwrap_or(false)
}

/// What a pod prefers of nodes.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct PreferredAffinity(Result<Option<NodePreferences>, String>);

impl Score for NodeAffinity {
    type Signature = PreferredAffinity;
    const READS: Reads = Reads::Static;
    const NORMALIZE: Normalize = Normalize::ToMax { reverse: false };

    fn sign(&self, pod: PodTemplate<'_>) -> PreferredAffinity {
        let terms = pod
            .spec()
            .affinity
            .as_ref()
            .and_then(|affinity| affinity.node_affinity.as_ref())
            .map(|affinity| &affinity.preferred_during_scheduling_ignored_during_execution)
            .filter(|terms| !terms.is_empty());
        PreferredAffinity(
            terms.map(|terms| NodePreferences::new(terms)).transpose().map_err(|error| error.to_string()),
        )
    }

    fn pre_score(&self, preferred: &PreferredAffinity) -> PreScore {
        match &preferred.0 {
            Err(error) => PreScore::Fail(Status::error(error.clone())),
            Ok(None) if self.added_preferred.is_none() => PreScore::Skip,
            Ok(_) => PreScore::Run(()),
        }
    }

    fn score(&self, preferred: &PreferredAffinity, node: NodeView<'_>) -> i64 {
        let own = preferred.0.as_ref().ok().and_then(Option::as_ref);
        own.into_iter()
            .chain(&self.added_preferred)
            .map(|terms| terms.score_labels(node.name(), node.labels()))
            .sum()
    }
}
