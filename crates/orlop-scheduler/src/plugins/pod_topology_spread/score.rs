//! `ScheduleAnyway`.

use orlop_model::core::v1::UnsatisfiableConstraintAction;
use smallvec::SmallVec;

use super::ln::ln;
use super::{PodTopologySpread, Spread, SpreadPlan};
use crate::cluster::ClusterView;
use crate::framework::{Counts, DomainScore, Feasibility, Normalize, PodTemplate, PreScore, Status, Totals};

impl DomainScore for PodTopologySpread {
    type Signature = Spread;
    type Plan = SpreadPlan;
    /// The weight of each constraint.
    type State = SmallVec<[f64; 4]>;
    const NORMALIZE: Normalize = Normalize::SpreadInverse;

    fn sign(&self, pod: PodTemplate<'_>) -> Spread {
        self.signature(pod.pod(), &UnsatisfiableConstraintAction::ScheduleAnyway)
    }

    fn plan(&self, spread: &Spread, cluster: ClusterView<'_>) -> Result<SpreadPlan, Status> {
        SpreadPlan::new(spread, cluster, !spread.lenient, true)
    }

    fn pre_score(
        &self,
        plan: &SpreadPlan,
        _: Totals<'_>,
        feasible: &Feasibility,
        _: ClusterView<'_>,
    ) -> PreScore<Self::State> {
        if plan.constraints.is_empty() {
            return PreScore::Skip;
        }
        let domains = |(index, is_hostname)| match (is_hostname, plan.strict) {
            (true, true) => feasible.complete(),
            (true, false) => feasible.nodes(),
            (false, true) => feasible.complete_domains(index),
            (false, false) => feasible.domains(index),
        };
        let hosts = plan.constraints.iter().map(|constraint| constraint.is_hostname).enumerate();
        PreScore::Run(
            hosts
                .map(|constraint| {
                    ln(u32::try_from(domains(constraint)).unwrap_or(u32::MAX).saturating_add(2))
                })
                .collect(),
        )
    }

    fn score(&self, plan: &SpreadPlan, weights: &Self::State, counts: Counts<'_>) -> Option<i64> {
        let mut sum = 0.0;
        for (index, (constraint, weight)) in plan.constraints.iter().zip(weights).enumerate() {
            match counts.get(index) {
                // Not fused: the last bit would differ.
                Some(pods) => sum += pods as f64 * weight + (constraint.max_skew - 1) as f64,
                None if plan.strict => return None,
                None => {}
            }
        }
        Some(f64::round(sum) as i64)
    }
}
