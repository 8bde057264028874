//! Full evaluation: every filter on every node left over by those before it, every scorer on every
//! feasible node.

use std::collections::BTreeSet;

use orlop_model::Str;
use orlop_model::core::v1::Pod;

use super::{Decision, Engine, Placement, Rejection, ScheduleError, Unschedulable};
use crate::cluster::{ClusterView, NodeView};
use crate::framework::{
    Code, ErasedFilter, Feasible, MAX_SCORE, PreFilter, PreScore, Prepared, Profile, Raw, Status,
    WeightedScore,
};

impl Engine {
    /// Decides where `pod` should go. Pure: the same engine and pod give the same answer, and
    /// nothing is changed.
    ///
    /// As in kube-scheduler the first filter that turns a node down gives its reason, and a single
    /// feasible node is taken without being scored.
    #[must_use]
    pub fn schedule(&self, pod: &Pod) -> Decision {
        self.try_schedule(pod).unwrap_or_else(Decision::Error)
    }

    fn try_schedule(&self, pod: &Pod) -> Result<Decision, ScheduleError> {
        if pod.metadata.deletion_timestamp.is_some() {
            return Err(ScheduleError::Deleting {
                namespace: pod.metadata.namespace.clone(),
                name: pod.metadata.name.clone(),
            });
        }
        let profile = self
            .profile(pod)
            .ok_or_else(|| ScheduleError::NoProfile { name: pod.spec.scheduler_name.clone() })?;
        let cluster = self.cluster.view();
        if cluster.node_count() == 0 {
            return Err(ScheduleError::NoNodes);
        }

        let mut only: Option<BTreeSet<Str>> = None;
        let mut left_out_by: Vec<Str> = Vec::new();
        let mut rejected: Option<(Option<Str>, Status)> = None;
        let mut prepared: Vec<(usize, &dyn ErasedFilter, Prepared)> =
            Vec::with_capacity(profile.filters.len());
        for (index, filter) in profile.filters.iter().enumerate() {
            match filter.prepare(pod, cluster) {
                PreFilter::Run(call) => prepared.push((index, &**filter, call)),
                PreFilter::Skip => {}
                PreFilter::Only(nodes, call) => {
                    prepared.push((index, &**filter, call));
                    left_out_by.push(filter.name().into());
                    let both = match only.take() {
                        None => nodes,
                        Some(before) => before.intersection(&nodes).cloned().collect(),
                    };
                    if both.is_empty() {
                        rejected = Some((None, nothing_left(&left_out_by)));
                        break;
                    }
                    only = Some(both);
                }
                PreFilter::Reject(status) => match status.code() {
                    Code::UnschedulableAndUnresolvable => {
                        rejected = Some((Some(filter.name().into()), status));
                        break;
                    }
                    // A later filter may still say that nothing can help.
                    Code::Unschedulable | Code::Pending => {
                        rejected = Some((Some(filter.name().into()), status))
                    }
                    _ => return Err(plugin_error("PreFilter", filter.name(), &status)),
                },
            }
        }
        if rejected.is_some() {
            return Ok(Decision::Unschedulable(Unschedulable {
                nodes: cluster.node_count(),
                plugins: Vec::new(),
                before_nodes: rejected,
                rejections: Vec::new(),
                left_out_by,
                left_out: 0,
            }));
        }

        let mut alive: Vec<u32> = match &only {
            None => cluster.active().to_vec(),
            Some(names) => {
                names.iter().filter_map(|name| cluster.node(name)).map(NodeView::slot_index).collect()
            }
        };
        let left_out = cluster.node_count() - alive.len();
        let mut rejections: Vec<Rejection> = Vec::new();
        for (index, filter, call) in &prepared {
            let plugin = u16::try_from(*index).unwrap_or(u16::MAX);
            let mut failed: Option<Status> = None;
            filter.retain(call, cluster, &mut alive, &mut |node, status| {
                if status.code().is_rejected() {
                    rejections.push(Rejection { node: cluster.at(node).name().clone(), plugin, status });
                } else {
                    failed.get_or_insert(status);
                }
            });
            if let Some(status) = failed {
                return Err(plugin_error("Filter", filter.name(), &status));
            }
            if alive.is_empty() {
                break;
            }
        }

        match *alive.as_slice() {
            [] => Ok(Decision::Unschedulable(Unschedulable {
                nodes: cluster.node_count(),
                plugins: profile.filters.iter().map(|filter| filter.name().into()).collect(),
                before_nodes: None,
                rejections,
                left_out_by,
                left_out,
            })),
            [node] => Ok(Decision::Place(Placement {
                node: cluster.at(node).name().clone(),
                feasible: 1,
                total: None,
            })),
            _ => {
                let totals = totals(profile, pod, cluster, &alive, |_, _| {})?;
                let (node, total) = best(cluster, &alive, &totals);
                Ok(Decision::Place(Placement {
                    node: cluster.at(node).name().clone(),
                    feasible: alive.len(),
                    total: Some(total),
                }))
            }
        }
    }
}

fn nothing_left(plugins: &[Str]) -> Status {
    Status::unresolvable(match plugins {
        [plugin] => format!("node(s) didn't satisfy plugin {plugin}"),
        _ => format!("node(s) didn't satisfy plugin(s) [{}] simultaneously", plugins.join(" ")),
    })
}

fn plugin_error(point: &'static str, plugin: &str, status: &Status) -> ScheduleError {
    ScheduleError::Plugin { point, plugin: plugin.into(), message: status.message() }
}

/// What a scorer said: its raw scores and its normalised ones, or `None` if it was skipped.
pub(super) type Scored<'a> = Option<(&'a [Option<i64>], &'a [Option<i64>])>;

/// The weighted sums of all scores, aligned with `feasible`; `seen` is shown each scorer's part.
pub(super) fn totals(
    profile: &Profile,
    pod: &Pod,
    cluster: ClusterView<'_>,
    feasible: &[u32],
    mut seen: impl FnMut(&WeightedScore, Scored<'_>),
) -> Result<Vec<i64>, ScheduleError> {
    let mut totals = vec![0_i64; feasible.len()];
    let mut raw: Raw = Vec::with_capacity(feasible.len());
    let mut scores: Raw = Vec::with_capacity(feasible.len());
    for score in &profile.scores {
        match score.plugin.score(pod, Feasible { cluster, nodes: feasible }, &mut raw) {
            PreScore::Run(()) => {}
            PreScore::Skip => {
                seen(score, None);
                continue;
            }
            PreScore::Fail(status) => return Err(plugin_error("PreScore", score.plugin.name(), &status)),
        }
        scores.clone_from(&raw);
        score.plugin.normalize().apply(&mut scores);
        for (total, normalized) in totals.iter_mut().zip(&scores) {
            let normalized = normalized.unwrap_or(0);
            if !(0..=MAX_SCORE).contains(&normalized) {
                return Err(ScheduleError::ScoreOutOfRange {
                    plugin: score.plugin.name().into(),
                    score: normalized,
                });
            }
            *total += normalized * score.weight;
        }
        seen(score, Some((&raw, &scores)));
    }
    Ok(totals)
}

/// The node with the greatest total; of several the one of the greatest rank.
pub(super) fn best(cluster: ClusterView<'_>, feasible: &[u32], totals: &[i64]) -> (u32, i64) {
    let mut best = (feasible[0], totals[0]);
    for (&node, &total) in feasible.iter().zip(totals).skip(1) {
        if total > best.1 || (total == best.1 && cluster.at(node).rank() > cluster.at(best.0).rank()) {
            best = (node, total);
        }
    }
    best
}
