//! [`DefaultPreemption`]: less important pods make way.

use std::collections::BTreeSet;

use orlop_model::core::v1::{ConditionStatus, Pod, PodConditionType, PreemptionPolicy};

use super::dry_run::promising;
use super::victims::Search;
use super::{DryRun, Nomination};
use crate::engine::Unplaced;
use crate::framework::{Code, Plugin, PostFilter, Remedy, Status};

/// Finds the node on which evicting the least important pods makes room.
///
/// kube-scheduler stops looking once it has found a tenth of the promising nodes, or 100; here all of
/// them are looked at, unless [`limited`](Self::limited).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DefaultPreemption {
    limit: Option<(u32, u32)>,
}

impl DefaultPreemption {
    /// Stops after `percentage` of the promising nodes, but not before `absolute` of them, if one of
    /// them violates no budget. kube-scheduler's `minCandidateNodesPercentage` (10 unless configured)
    /// and `minCandidateNodesAbsolute` (100).
    #[must_use]
    pub fn limited(percentage: u32, absolute: u32) -> Self {
        Self { limit: Some((percentage.min(100), absolute)) }
    }

    /// What evictions would do on every node where they may help.
    #[must_use]
    pub fn dry_run<'a>(&self, pod: &mut Unplaced<'a>) -> DryRun<'a> {
        let nodes = promising(pod).len();
        let wanted = self.limit.map(|(percentage, absolute)| {
            (nodes * percentage as usize / 100).max(absolute as usize).min(nodes)
        });
        match wanted {
            Some(wanted) if wanted < nodes => Self::run_until(wanted, pod),
            _ => DryRun::of(pod),
        }
    }

    fn run_until<'a>(wanted: usize, pod: &mut Unplaced<'a>) -> DryRun<'a> {
        let mut run = DryRun::default();
        let (mut search, mut account) = (Search::default(), pod.cluster().budgets().account());
        for node in promising(pod) {
            run.try_out(pod, &mut search, &mut account, node);
            if run.candidates.len() >= wanted && run.candidates.iter().any(|one| one.violations() == 0) {
                break;
            }
        }
        pod.trials.end();
        run
    }

    /// Why the pod may not have others evicted; none if it may.
    #[must_use]
    pub fn ineligible(&self, pod: &Unplaced<'_>) -> Option<&'static str> {
        if pod.pod().spec.preemption_policy == Some(PreemptionPolicy::Never) {
            return Some("not eligible due to preemptionPolicy=Never.");
        }
        let name = pod.nominated_node()?;
        // A node on which nothing helps any more is no reason to wait.
        let is_hopeless = match pod.why().status_of(name) {
            Some(status) => status.code() == Code::UnschedulableAndUnresolvable,
            None => true,
        };
        if is_hopeless {
            return None;
        }
        let priority = pod.trials.priority();
        let mut there = pod.cluster().node(name)?.pods();
        there
            .any(|other| other.priority() < priority && (other.is_leaving() || makes_way(other.object())))
            .then_some("not eligible due to a terminating pod on the nominated node.")
    }

    fn decide(self, pod: &mut Unplaced<'_>) -> Result<Nomination, (Status, bool)> {
        if let Some(why) = self.ineligible(pod) {
            return Err((Status::unschedulable(why), false));
        }
        let run = self.dry_run(pod);
        if let Some(best) = run.best() {
            return Ok(best.nomination());
        }
        let failed = run.rejected.iter().filter(|(_, status)| status.code() == Code::Error);
        let failed: BTreeSet<String> = failed.map(|(_, status)| status.message()).collect();
        let failed: Vec<String> = failed.into_iter().collect();
        Err(match failed.as_slice() {
            [] => (Status::unschedulable(run.message(pod.why().node_count())), true),
            [one] => (Status::error(one.clone()), false),
            _ => (Status::error(format!("[{}]", failed.join(", "))), false),
        })
    }
}

/// Whether a pod is being deleted to make room for another.
fn makes_way(pod: &Pod) -> bool {
    pod.metadata.deletion_timestamp.is_some()
        && pod.status.conditions.iter().any(|condition| {
            condition.type_ == PodConditionType::DisruptionTarget
                && condition.status == ConditionStatus::True
                && condition.reason == "PreemptionByScheduler"
        })
}

impl Plugin for DefaultPreemption {
    fn name(&self) -> &str {
        "DefaultPreemption"
    }
}

impl PostFilter for DefaultPreemption {
    fn post_filter(&self, pod: &mut Unplaced<'_>) -> Remedy {
        match self.decide(pod) {
            Ok(nomination) => Remedy::Evict(nomination),
            Err((status, withdraw)) => {
                let message = format!("preemption: {}", status.message());
                Remedy::None { status: Status::new(status.code(), [message]), withdraw }
            }
        }
    }

    fn is_general(&self) -> bool {
        true
    }
}
