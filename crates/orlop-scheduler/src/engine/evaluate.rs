//! Full evaluation: every filter on every node left over by those before it, every scorer on every
//! feasible node, nothing kept.

use std::collections::BTreeSet;
use std::sync::Arc;

use orlop_model::Str;
use orlop_model::core::v1::Pod;

use super::signature::Signature;
use super::tallies::Tallies;
use super::trial::{Trials, nominated_node};
use super::{Decision, Placement, Rejection, ScheduleError, Unplaced, Unschedulable};
use crate::cluster::{Cluster, ClusterView, NodeView, pod_id, priority};
use crate::framework::{
    ABSENT, AnyFilter, AnyPlan, AnyScore, Code, Counts, Feasibility, Feasible, MAX_SCORE, PreFilter,
    PreScore, Prepared, Profile, Raw, Reason, Remedy, Status, Totals, Verdict, WeightedScore,
};

/// A plan and its counts.
#[derive(Debug)]
pub(super) struct Counted {
    plan: Box<dyn AnyPlan>,
    tallies: Tallies,
}

impl Counted {
    fn new(plan: Box<dyn AnyPlan>, cluster: &Cluster) -> Self {
        let tallies = Tallies::new(&[&*plan], cluster);
        Self { plan, tallies }
    }

    fn totals(&self) -> Totals<'_> {
        Totals { sums: &self.tallies.sums }
    }

    /// Calls `answer` with the counts where a node is.
    fn at<T>(&self, node: NodeView<'_>, parts: &mut Vec<i64>, answer: impl FnOnce(Counts<'_>) -> T) -> T {
        parts.clear();
        parts.extend((0..self.plan.keys()).map(|key| self.plan.key(key, node)));
        parts.extend((0..self.tallies.len()).map(|tally| self.tallies.part(tally, node.slot_index())));
        let (keys, parts) = parts.split_at(self.plan.keys());
        answer(Counts { sums: &self.tallies.sums, parts, keys })
    }

    /// Counts the pods of one node again.
    pub(super) fn recount(&mut self, cluster: &Cluster, index: u32, node: Option<NodeView<'_>>) {
        self.tallies.update(&[&*self.plan], cluster, index, node, false, &mut Vec::new());
    }

    fn feasibility(&self, feasible: Feasible<'_>) -> Feasibility {
        let tallies = self.tallies.len();
        let mut answer = Feasibility { nodes: feasible.len(), complete: 0, domains: Vec::new() };
        let mut places: Vec<(BTreeSet<i64>, BTreeSet<i64>)> = vec![Default::default(); tallies];
        if tallies == 0 {
            return answer;
        }
        for node in feasible.iter() {
            let part = |tally| self.tallies.part(tally, node.slot_index());
            let is_complete = (0..tallies).all(|tally| part(tally) != ABSENT);
            answer.complete += usize::from(is_complete);
            for (tally, (all, complete)) in places.iter_mut().enumerate() {
                if self.tallies.with_domains(tally) {
                    all.insert(part(tally));
                    if is_complete {
                        complete.insert(part(tally));
                    }
                }
            }
        }
        let count = |set: BTreeSet<i64>| u32::try_from(set.len()).unwrap_or(u32::MAX);
        answer.domains = places.into_iter().map(|(all, complete)| (count(all), count(complete))).collect();
        answer
    }
}

/// A filter, ready to be asked about nodes for one pod.
#[derive(Debug)]
pub(super) enum FilterCall {
    Node,
    Domain(Counted),
    Cluster(Prepared),
}

/// Asks a filter before any node is looked at.
pub(super) fn prepare(
    profile: &Profile,
    index: usize,
    signature: &Signature,
    pod: &Pod,
    cluster: &Cluster,
) -> PreFilter<FilterCall> {
    match &profile.filters[index] {
        AnyFilter::Node(filter) => filter.pre_filter(signature.filter(index)).map(|()| FilterCall::Node),
        AnyFilter::Domain(filter) => match filter.plan(signature.filter(index), cluster.view()) {
            Err(status) => PreFilter::Reject(status),
            Ok(plan) => {
                let counted = Counted::new(plan, cluster);
                filter.pre_filter(&*counted.plan, counted.totals()).map(|()| FilterCall::Domain(counted))
            }
        },
        AnyFilter::Cluster(filter) => filter.pre_filter(pod, cluster.view()).map(FilterCall::Cluster),
    }
}

/// A filter's answer for one node.
pub(super) fn verdict(
    profile: &Profile,
    index: usize,
    signature: &Signature,
    call: &FilterCall,
    node: NodeView<'_>,
    parts: &mut Vec<i64>,
) -> Verdict {
    match (&profile.filters[index], call) {
        (AnyFilter::Node(filter), FilterCall::Node) => filter.verdict(signature.filter(index), node),
        (AnyFilter::Domain(filter), FilterCall::Domain(counted)) => {
            counted.at(node, parts, |counts| filter.verdict(&*counted.plan, counted.totals(), counts))
        }
        (AnyFilter::Cluster(filter), FilterCall::Cluster(prepared)) => filter.verdict(prepared, node),
        _ => unreachable!("a filter is called as it was prepared"),
    }
}

/// Decides by looking at everything.
pub(super) fn evaluate(
    profile: &Profile,
    signature: &Signature,
    pod: &Pod,
    cluster: &Cluster,
) -> Result<Decision, ScheduleError> {
    let view = cluster.view();
    let mut only: Option<BTreeSet<Str>> = None;
    let mut left_out_by: Vec<Str> = Vec::new();
    let mut rejected: Option<(Option<Str>, Status)> = None;
    let mut prepared: Vec<(usize, FilterCall)> = Vec::with_capacity(profile.filters.len());
    for (index, filter) in profile.filters.iter().enumerate() {
        match prepare(profile, index, signature, pod, cluster) {
            PreFilter::Run(call) => prepared.push((index, call)),
            PreFilter::Skip => {}
            PreFilter::Only(nodes, call) => {
                prepared.push((index, call));
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
                Code::Unschedulable | Code::Pending => rejected = Some((Some(filter.name().into()), status)),
                _ => return Err(plugin_error("PreFilter", filter.name(), &status)),
            },
        }
    }
    let mut trials = Trials::new(profile, signature, pod, cluster, prepared);
    if rejected.is_some() {
        let why = Unschedulable {
            nodes: view.node_count(),
            plugins: Vec::new(),
            before_nodes: rejected,
            rejections: Arc::default(),
            left_out_by,
            left_out: 0,
            remedy: None,
        };
        return Ok(Decision::Unschedulable(remedied(why, profile, pod, trials)));
    }
    let id = pod_id(pod);
    // Pods were evicted there for this one: if it fits, it goes there.
    if let Some(node) = nominated_node(pod, &id, cluster).and_then(|name| view.node(name)) {
        trials.begin(node.slot_index());
        if trials.verdict().is_none() {
            return Ok(Decision::Place(Placement { node: node.name().clone(), feasible: 1, total: None }));
        }
        trials.end();
    }

    let mut alive: Vec<u32> = match &only {
        None => view.active().to_vec(),
        Some(names) => names.iter().filter_map(|name| view.node(name)).map(NodeView::slot_index).collect(),
    };
    let left_out = view.node_count() - alive.len();
    let mut rejections: Vec<Rejection> = Vec::new();
    let mut parts = Vec::new();
    // Nodes on which others have been promised room are asked about one by one.
    let given_away = cluster.nodes_given_away(&id, priority(pod));
    let looked_at = (!given_away.is_empty()).then(|| alive.clone());
    alive.retain(|node| !given_away.contains(node));
    for (index, call) in trials.calls() {
        let plugin = u16::try_from(*index).unwrap_or(u16::MAX);
        let mut failed: Option<Status> = None;
        let mut reject = |node: u32, status: Status| {
            if status.code().is_rejected() {
                rejections.push(Rejection { node: view.at(node).name().clone(), plugin, status });
            } else {
                failed.get_or_insert(status);
            }
        };
        let filter = &profile.filters[*index];
        if let AnyFilter::Node(filter) = filter {
            filter.retain(signature.filter(*index), view, &mut alive, &mut reject);
        } else {
            alive.retain(|&node| {
                match verdict(profile, *index, signature, call, view.at(node), &mut parts) {
                    Verdict::Pass => true,
                    Verdict::Reject(status) => {
                        reject(node, status);
                        false
                    }
                }
            });
        }
        if let Some(status) = failed {
            return Err(plugin_error("Filter", filter.name(), &status));
        }
        if alive.is_empty() {
            break;
        }
    }
    if let Some(looked_at) = looked_at {
        for &node in looked_at.iter().filter(|node| given_away.contains(node)) {
            trials.begin(node);
            match trials.verdict() {
                None => alive.push(node),
                Some((index, status)) if status.code().is_rejected() => {
                    let plugin = u16::try_from(index).unwrap_or(u16::MAX);
                    rejections.push(Rejection { node: view.at(node).name().clone(), plugin, status });
                }
                Some((index, status)) => {
                    return Err(plugin_error("Filter", profile.filters[index].name(), &status));
                }
            }
        }
        trials.end();
        let passed: BTreeSet<u32> = alive.iter().copied().collect();
        alive.clear();
        alive.extend(looked_at.into_iter().filter(|node| passed.contains(node)));
    }

    match *alive.as_slice() {
        [] => {
            let why = Unschedulable {
                nodes: view.node_count(),
                plugins: profile.filters.iter().map(|filter| filter.name().into()).collect(),
                before_nodes: None,
                rejections: rejections.into(),
                left_out_by,
                left_out,
                remedy: None,
            };
            Ok(Decision::Unschedulable(remedied(why, profile, pod, trials)))
        }
        [node] => {
            Ok(Decision::Place(Placement { node: view.at(node).name().clone(), feasible: 1, total: None }))
        }
        _ => {
            let totals = totals(profile, signature, pod, cluster, &alive, None)?;
            let (node, total) = best(view, &alive, &totals);
            Ok(Decision::Place(Placement {
                node: view.at(node).name().clone(),
                feasible: alive.len(),
                total: Some(total),
            }))
        }
    }
}

/// Asks the plugins that look for a way out.
fn remedied(mut why: Unschedulable, profile: &Profile, pod: &Pod, trials: Trials<'_>) -> Unschedulable {
    let mut unplaced = Unplaced { pod, why: &why, trials };
    let mut reasons: Vec<Reason> = Vec::new();
    let mut withdraws = false;
    let mut remedy = None;
    for plugin in &profile.post_filters {
        match plugin.post_filter(&mut unplaced) {
            Remedy::None { status, withdraw } if status.code() == Code::Unschedulable => {
                reasons.extend_from_slice(status.reasons());
                withdraws |= withdraw;
            }
            // Found, or certain that there is none, or failed.
            last => {
                remedy = Some(last);
                break;
            }
        }
    }
    if remedy.is_none() && !profile.post_filters.is_empty() {
        let status = Status::new(Code::Unschedulable, reasons);
        remedy = Some(Remedy::None { status, withdraw: withdraws });
    }
    why.remedy = remedy.map(Box::new);
    why
}

/// Lends the means to find out what would help a pod that fits nowhere.
pub(super) fn unplaced<T>(
    profile: &Profile,
    signature: &Signature,
    pod: &Pod,
    cluster: &Cluster,
    why: &Unschedulable,
    show: impl FnOnce(&mut Unplaced<'_>) -> T,
) -> T {
    let trials = Trials::new(profile, signature, pod, cluster, calls(profile, signature, pod, cluster));
    show(&mut Unplaced { pod, why, trials })
}

/// The filters that want to be asked about nodes.
pub(super) fn calls(
    profile: &Profile,
    signature: &Signature,
    pod: &Pod,
    cluster: &Cluster,
) -> Vec<(usize, FilterCall)> {
    let calls = (0..profile.filters.len()).filter_map(|index| {
        match prepare(profile, index, signature, pod, cluster) {
            PreFilter::Run(call) | PreFilter::Only(_, call) => Some((index, call)),
            PreFilter::Skip | PreFilter::Reject(_) => None,
        }
    });
    calls.collect()
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

/// Is shown what scorers said.
pub(super) type Seen<'a> = dyn FnMut(&WeightedScore, Scored<'_>) + 'a;

/// The weighted sums of all scores, aligned with `feasible`; `seen` is shown each scorer's part.
pub(super) fn totals(
    profile: &Profile,
    signature: &Signature,
    pod: &Pod,
    cluster: &Cluster,
    feasible: &[u32],
    mut seen: Option<&mut Seen<'_>>,
) -> Result<Vec<i64>, ScheduleError> {
    let mut totals = vec![0_i64; feasible.len()];
    let mut scores: Raw = Vec::with_capacity(feasible.len());
    let nodes = Feasible { cluster: cluster.view(), nodes: feasible };
    for (index, score) in profile.scores.iter().enumerate() {
        match raw_scores(score, index, signature, pod, cluster, nodes, &mut scores) {
            PreScore::Run(()) => {}
            PreScore::Even(raw) => {
                scores.clear();
                scores.resize(feasible.len(), Some(raw));
            }
            PreScore::Skip => {
                if let Some(seen) = &mut seen {
                    seen(score, None);
                }
                continue;
            }
            PreScore::Fail(status) => return Err(plugin_error("PreScore", score.plugin.name(), &status)),
        }
        let raw = seen.is_some().then(|| scores.clone());
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
        if let (Some(seen), Some(raw)) = (&mut seen, raw) {
            seen(score, Some((&raw, &scores)));
        }
    }
    Ok(totals)
}

fn raw_scores(
    score: &WeightedScore,
    index: usize,
    signature: &Signature,
    pod: &Pod,
    cluster: &Cluster,
    nodes: Feasible<'_>,
    raw: &mut Raw,
) -> PreScore {
    match &score.plugin {
        AnyScore::Node(plugin) => plugin.pre_score(signature.score(index)).map(|()| {
            plugin.raw_all(signature.score(index), nodes, raw);
        }),
        AnyScore::Domain(plugin) => match plugin.plan(signature.score(index), cluster.view()) {
            Err(status) => PreScore::Fail(status),
            Ok(plan) => {
                let counted = Counted::new(plan, cluster);
                let feasibility = counted.feasibility(nodes);
                let state = plugin.pre_score(&*counted.plan, counted.totals(), &feasibility, cluster.view());
                let mut parts = Vec::new();
                state.map(|state| {
                    raw.clear();
                    raw.extend(nodes.iter().map(|node| {
                        counted.at(node, &mut parts, |counts| plugin.raw(&*counted.plan, &state, counts))
                    }));
                })
            }
        },
        AnyScore::Cluster(plugin) => plugin.raw_all(pod, nodes, raw),
    }
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
