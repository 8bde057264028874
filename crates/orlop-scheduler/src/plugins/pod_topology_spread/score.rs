//! `ScheduleAnyway`.

use std::collections::HashMap;

use orlop_model::core::v1::{Pod, UnsatisfiableConstraintAction};
use orlop_model::{List, Str};

use super::constraint::Constraint;
use super::ln::ln;
use super::{PodTopologySpread, Spread, count, matching};
use crate::cluster::{ClusterView, NodeView};
use crate::framework::{DomainScore, Feasible, Normalize, PreScore, Status};

/// Counts and weights of each constraint.
#[derive(Clone, Debug)]
pub struct Weights {
    constraints: List<Constraint>,
    /// Whether nodes that lack a label are left out.
    strict: bool,
    weights: Vec<f64>,
    /// Pods that count by value of the label, for constraints but those on the host name.
    counts: Vec<HashMap<Str, i64>>,
    /// By constraint and group of pods, whether they count.
    matching: Vec<Vec<bool>>,
}

impl DomainScore for PodTopologySpread {
    type Signature = Spread;
    type State = Weights;
    const NORMALIZE: Normalize = Normalize::SpreadInverse;

    fn sign(&self, pod: &Pod) -> Spread {
        self.signature(pod, &UnsatisfiableConstraintAction::ScheduleAnyway)
    }

    fn pre_score(
        &self,
        spread: &Spread,
        cluster: ClusterView<'_>,
        feasible: Feasible<'_>,
    ) -> PreScore<Weights> {
        if let Some(error) = &spread.error {
            return PreScore::Fail(Status::error(error.clone()));
        }
        let constraints = spread.constraints(cluster);
        if constraints.is_empty() {
            return PreScore::Skip;
        }
        let strict = !spread.lenient;
        let mut counts: Vec<HashMap<Str, i64>> = vec![HashMap::new(); constraints.len()];
        let mut taking_part = 0_usize;
        for node in feasible.iter() {
            if strict && !Constraint::all_on(&constraints, node) {
                continue;
            }
            taking_part += 1;
            for (constraint, counts) in constraints.iter().zip(&mut counts) {
                if constraint.is_hostname {
                    continue;
                }
                // Where labels may lack, a lacking one counts as a domain of its own.
                let value = node.labels().get(&constraint.key).map_or("", Str::as_str);
                if !counts.contains_key(value) {
                    counts.insert(value.into(), 0);
                }
            }
        }
        let weights = constraints
            .iter()
            .zip(&counts)
            .map(|(constraint, counts)| {
                let domains = if constraint.is_hostname { taking_part } else { counts.len() };
                ln(u32::try_from(domains).unwrap_or(u32::MAX).saturating_add(2))
            })
            .collect();
        let matching = matching(cluster, &spread.namespace, &constraints);
        if constraints.iter().any(|constraint| !constraint.is_hostname) {
            for node in cluster.nodes().filter(|node| !strict || Constraint::all_on(&constraints, *node)) {
                for ((constraint, counts), matching) in constraints.iter().zip(&mut counts).zip(&matching) {
                    if constraint.is_hostname {
                        continue;
                    }
                    let pods = count(node, matching);
                    if pods > 0
                        && spread.includes(constraint, node)
                        && let Some(known) =
                            counts.get_mut(node.labels().get(&constraint.key).map_or("", Str::as_str))
                    {
                        *known += pods;
                    }
                }
            }
        }
        PreScore::Run(Weights { constraints, strict, weights, counts, matching })
    }

    fn score(&self, _: &Spread, state: &Weights, node: NodeView<'_>) -> Option<i64> {
        if state.strict && !Constraint::all_on(&state.constraints, node) {
            return None;
        }
        let mut sum = 0.0;
        for (index, constraint) in state.constraints.iter().enumerate() {
            let Some(value) = node.labels().get(&constraint.key) else {
                continue;
            };
            let pods = if constraint.is_hostname {
                count(node, &state.matching[index])
            } else {
                state.counts[index].get(value).copied().unwrap_or(0)
            };
            // Not fused: the last bit would differ.
            sum += pods as f64 * state.weights[index] + (constraint.max_skew - 1) as f64;
        }
        Some(f64::round(sum) as i64)
    }
}
