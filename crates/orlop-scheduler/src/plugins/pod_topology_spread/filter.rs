//! `DoNotSchedule`.

use orlop_model::core::v1::{Node, Pod, UnsatisfiableConstraintAction};

use super::{PodTopologySpread, Spread, SpreadPlan};
use crate::cluster::ClusterView;
use crate::framework::{
    ClusterEvent, Counts, DomainFilter, Hint, PodTemplate, PreFilter, Status, Totals, Verdict,
};
use crate::plugins::taint_toleration::Tolerations;

impl DomainFilter for PodTopologySpread {
    type Signature = Spread;
    type Plan = SpreadPlan;

    fn sign(&self, pod: PodTemplate<'_>) -> Spread {
        self.signature(pod.pod(), &UnsatisfiableConstraintAction::DoNotSchedule)
    }

    fn plan(&self, spread: &Spread, cluster: ClusterView<'_>) -> Result<SpreadPlan, Status> {
        SpreadPlan::new(spread, cluster, true, false)
    }

    fn pre_filter(&self, plan: &SpreadPlan, _: Totals<'_>) -> PreFilter {
        if plan.constraints.is_empty() { PreFilter::Skip } else { PreFilter::Run(()) }
    }

    fn filter(&self, plan: &SpreadPlan, totals: Totals<'_>, counts: Counts<'_>) -> Verdict {
        for (index, constraint) in plan.constraints.iter().enumerate() {
            let Some(pods) = counts.get(index) else {
                return Verdict::unresolvable(
                    "node(s) didn't match pod topology spread constraints (missing required label)",
                );
            };
            let own = i64::from(constraint.selector.matches(&plan.spread.labels));
            let enough = i64::try_from(totals.domains(index)).unwrap_or(i64::MAX) >= constraint.min_domains;
            let lowest = if enough { totals.lowest(index) } else { 0 };
            if pods + own - lowest > constraint.max_skew {
                return Verdict::unschedulable("node(s) didn't match pod topology spread constraints");
            }
        }
        Verdict::Pass
    }

    fn hint(&self, pod: &Pod, event: &ClusterEvent) -> Hint {
        let action = UnsatisfiableConstraintAction::DoNotSchedule;
        let spread = self.signature(pod, &action);
        // Which pods belong together by default follows from objects that are not at hand here.
        let counts = |other: &Pod| {
            other.metadata.namespace == spread.namespace
                && (spread.by_default
                    || spread
                        .constraints
                        .iter()
                        .any(|constraint| constraint.selector.matches(&other.metadata.labels)))
        };
        let has_labels = |node: &Node| {
            spread.constraints.iter().all(|constraint| node.metadata.labels.contains_key(&constraint.key))
        };
        Hint::queue_if(match event {
            ClusterEvent::NodeAdded(node) | ClusterEvent::NodeRemoved(node) => has_labels(node),
            ClusterEvent::NodeUpdated { old, new } => {
                (has_labels(old) || has_labels(new))
                    && (old.spec.taints != new.spec.taints || old.metadata.labels != new.metadata.labels)
            }
            ClusterEvent::PodPlaced(other) | ClusterEvent::PodGone(other) => counts(other),
            ClusterEvent::PodUpdated { old, new } => {
                counts(old) != counts(new)
                    || (counts(new)
                        && old.metadata.deletion_timestamp.is_some()
                            != new.metadata.deletion_timestamp.is_some())
            }
            ClusterEvent::PendingUpdated { old, new } => {
                new.metadata.uid == pod.metadata.uid
                    && (old.metadata.labels != new.metadata.labels
                        || Tolerations::of(old, |_| true) != Tolerations::of(new, |_| true))
            }
            ClusterEvent::Other { .. } => spread.by_default,
            ClusterEvent::Storage(_) => false,
        })
    }
}
