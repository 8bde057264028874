//! [`TaintToleration`]: nodes repel pods that do not tolerate their taints.

use orlop_model::core::v1::{Node, Pod, Taint, TaintEffect, Toleration, TolerationOperator};
use orlop_model::{List, Str};

use crate::cluster::NodeView;
use crate::framework::{ClusterEvent, Filter, Hint, Normalize, Plugin, PodTemplate, Reads, Score, Verdict};

/// Turns down nodes with a `NoSchedule` or `NoExecute` taint that the pod does not tolerate; rates
/// nodes lower, the more `PreferNoSchedule` taints they have that it does not tolerate.
#[derive(Clone, Copy, Debug, Default)]
pub struct TaintToleration;

/// Tolerations of a pod, as far as a signature needs them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Tolerations(List<Tolerated>);

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Tolerated {
    key: Str,
    /// `None`: any value.
    value: Option<Str>,
    effect: TaintEffect,
}

impl Tolerations {
    /// The tolerations that `keep` says yes to. Those with an operator other than `Equal` and
    /// `Exists` tolerate nothing (comparisons are behind a gate that is off by default).
    pub(super) fn of(pod: &Pod, keep: impl Fn(&Toleration) -> bool) -> Self {
        Self(
            pod.spec
                .tolerations
                .iter()
                .filter(|toleration| keep(toleration))
                .filter_map(|toleration| {
                    let value = match &toleration.operator {
                        TolerationOperator::Exists => None,
                        TolerationOperator::Equal => Some(toleration.value.clone()),
                        other if other.is_empty() => Some(toleration.value.clone()),
                        _ => return None,
                    };
                    Some(Tolerated { key: toleration.key.clone(), value, effect: toleration.effect.clone() })
                })
                .collect(),
        )
    }

    /// Whether one of them tolerates `taint`. An empty effect stands for all, an empty key for all.
    pub(super) fn tolerate(&self, taint: &Taint) -> bool {
        self.0.iter().any(|toleration| {
            (toleration.effect.is_empty() || toleration.effect == taint.effect)
                && (toleration.key.is_empty() || toleration.key == taint.key)
                && toleration.value.as_ref().is_none_or(|value| *value == taint.value)
        })
    }

    /// Whether a node without a view has a hard taint that they do not tolerate.
    fn tolerate_node(&self, node: &Node) -> bool {
        node.spec
            .taints
            .iter()
            .filter(|taint| matches!(taint.effect, TaintEffect::NoSchedule | TaintEffect::NoExecute))
            .all(|taint| self.tolerate(taint))
    }
}

impl Plugin for TaintToleration {
    fn name(&self) -> &str {
        "TaintToleration"
    }
}

impl Filter for TaintToleration {
    type Signature = Tolerations;
    const READS: Reads = Reads::Static;

    fn sign(&self, pod: PodTemplate<'_>) -> Tolerations {
        Tolerations::of(pod.pod(), |_| true)
    }

    fn filter(&self, tolerations: &Tolerations, node: NodeView<'_>) -> Verdict {
        Verdict::pass_if(
            node.hard_taints().all(|taint| tolerations.tolerate(taint)),
            "node(s) had untolerated taint(s)",
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
        let tolerations = Tolerations::of(pod, |_| true);
        Hint::queue_if(match event {
            ClusterEvent::NodeAdded(node) => tolerations.tolerate_node(node),
            ClusterEvent::NodeUpdated { old, new } => {
                !tolerations.tolerate_node(old) && tolerations.tolerate_node(new)
            }
            ClusterEvent::PendingUpdated { old, new } => {
                new.metadata.uid == pod.metadata.uid && old.spec.tolerations != new.spec.tolerations
            }
            _ => false,
        })
    }
}

impl Score for TaintToleration {
    type Signature = Tolerations;
    const READS: Reads = Reads::Static;
    const NORMALIZE: Normalize = Normalize::ToMax { reverse: true };

    fn sign(&self, pod: PodTemplate<'_>) -> Tolerations {
        Tolerations::of(pod.pod(), |toleration| {
            toleration.effect.is_empty() || toleration.effect == TaintEffect::PreferNoSchedule
        })
    }

    fn score(&self, tolerations: &Tolerations, node: NodeView<'_>) -> i64 {
        let untolerated = node.soft_taints().filter(|taint| !tolerations.tolerate(taint)).count();
        i64::try_from(untolerated).unwrap_or(i64::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tolerates(toleration: Toleration, key: &str, value: &str, effect: TaintEffect) -> bool {
        let mut pod = Pod::default();
        pod.spec.tolerations.push(toleration);
        let taint = Taint { key: key.into(), value: value.into(), effect, ..Taint::default() };
        Tolerations::of(&pod, |_| true).tolerate(&taint)
    }

    #[test]
    fn empty_parts_of_a_toleration_match_all() {
        let exists = Toleration { operator: TolerationOperator::Exists, ..Toleration::default() };
        assert!(tolerates(exists.clone(), "a", "b", TaintEffect::NoExecute));
        let keyed = Toleration { key: "a".into(), ..exists };
        assert!(tolerates(keyed.clone(), "a", "b", TaintEffect::NoSchedule));
        assert!(!tolerates(keyed, "c", "b", TaintEffect::NoSchedule));
        let equal = Toleration { value: "b".into(), ..Toleration::default() };
        assert!(tolerates(equal.clone(), "any", "b", TaintEffect::NoSchedule));
        assert!(!tolerates(equal, "any", "c", TaintEffect::NoSchedule));
        let compared =
            Toleration { key: "a".into(), operator: "Gt".into(), value: "1".into(), ..Toleration::default() };
        assert!(!tolerates(compared, "a", "2", TaintEffect::NoSchedule));
    }
}
