//! [`Explanation`]: what every plugin says about every node.

use std::collections::BTreeSet;
use std::fmt;

use orlop_model::Str;
use orlop_model::core::v1::Pod;

use super::evaluate::{Scored, best, calls, prepare, totals, verdict};
use super::signature::Signature;
use super::{Decision, Engine, ScheduleError, Trials};
use crate::cluster::{pod_id, priority};
use crate::framework::{Code, PreFilter, Profile, Status, Verdict, WeightedScore};

/// What a filter said before any node was looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PluginOutcome {
    /// Name of the plugin.
    pub plugin: Str,
    /// [`Code::Success`]: nodes are looked at; [`Code::Skip`]: every node is fine; others: no node
    /// is.
    pub status: Status,
    /// The only nodes that can do, where the plugin named them.
    pub only: Option<BTreeSet<Str>>,
}

/// One scorer's part for one node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PluginScore {
    /// Name of the plugin.
    pub plugin: Str,
    /// Before normalisation; `None` where the node took no part in it.
    pub raw: Option<i64>,
    /// From 0 to 100.
    pub normalized: i64,
    /// The plugin's weight.
    pub weight: i64,
}

impl PluginScore {
    /// What the score adds to the node's total.
    #[must_use]
    pub fn weighted(&self) -> i64 {
        self.normalized * self.weight
    }
}

/// What all plugins say about one node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeExplanation {
    /// Name of the node.
    pub node: Str,
    /// The filters that turn the pod down, each asked alone, in the profile's order.
    pub rejections: Vec<(Str, Status)>,
    /// Whether a filter named the only nodes that can do, and this is not among them.
    pub left_out: bool,
    /// The scores, in the profile's order; of feasible nodes only, skipped plugins left out.
    pub scores: Vec<PluginScore>,
    /// The sum of the weighted scores; of feasible nodes only.
    pub total: Option<i64>,
}

impl NodeExplanation {
    /// Whether the pod may go there.
    #[must_use]
    pub fn is_feasible(&self) -> bool {
        self.rejections.is_empty() && !self.left_out
    }
}

/// Why a pod goes where it goes, or why nowhere: every plugin's answer for every node, each asked
/// alone. Prints as a short report.
#[derive(Clone, Debug, PartialEq)]
pub struct Explanation {
    /// What [`Engine::schedule`] decides.
    pub decision: Decision,
    /// What the filters said before any node was looked at, in the profile's order.
    pub before_nodes: Vec<PluginOutcome>,
    /// The nodes, in the order of their addition.
    pub nodes: Vec<NodeExplanation>,
    /// Scorers that had nothing to say.
    pub skipped: Vec<Str>,
    /// Why the nodes could not be scored.
    pub score_error: Option<ScheduleError>,
}

impl Explanation {
    /// The node of that name.
    #[must_use]
    pub fn node(&self, name: &str) -> Option<&NodeExplanation> {
        self.nodes.iter().find(|node| node.node == name)
    }

    /// The infeasible node that is closest to taking the pod: the fewest reasons that nothing can be
    /// done about, then the fewest reasons, then the smallest shares of resources lacking.
    #[must_use]
    pub fn nearest_miss(&self) -> Option<&NodeExplanation> {
        self.nodes.iter().filter(|node| !node.is_feasible()).min_by_key(|node| {
            let hopeless = node
                .rejections
                .iter()
                .filter(|(_, status)| status.code() == Code::UnschedulableAndUnresolvable)
                .count();
            let reasons = || node.rejections.iter().flat_map(|(_, status)| status.reasons());
            let lacking: i128 = reasons()
                .map(|reason| match reason {
                    crate::framework::Reason::Insufficient { requested, .. } => {
                        i128::from(reason.deficit().unwrap_or(0)) * 1_000 / i128::from((*requested).max(1))
                    }
                    _ => 1_000,
                })
                .sum();
            (node.left_out, hopeless, reasons().count(), lacking)
        })
    }
}

impl fmt::Display for Explanation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.decision {
            Decision::Place(place) => {
                writeln!(formatter, "{} (of {} feasible)", place.node(), place.feasible())?
            }
            Decision::Unschedulable(why) => writeln!(formatter, "{why}")?,
            Decision::Error(error) => writeln!(formatter, "{error}")?,
        }
        for node in &self.nodes {
            write!(formatter, "  {}:", node.node)?;
            if node.left_out {
                write!(formatter, " left out")?;
            }
            for (plugin, status) in &node.rejections {
                write!(formatter, " {plugin} ({})", status.message())?;
            }
            if let Some(total) = node.total {
                write!(formatter, " {total} =")?;
                for (index, score) in node.scores.iter().enumerate() {
                    let plus = if index > 0 { " +" } else { "" };
                    write!(formatter, "{plus} {}·{} {}", score.weight, score.normalized, score.plugin)?;
                }
            }
            writeln!(formatter)?;
        }
        Ok(())
    }
}

impl Engine {
    /// Nodes that would take the pod, were it not for pods nominated to them.
    fn explain_nominations(
        &self,
        pod: &Pod,
        profile: &Profile,
        signature: &Signature,
        explanation: &mut Explanation,
    ) {
        let given_away = self.cluster.nodes_given_away(&pod_id(pod), priority(pod));
        if given_away.is_empty() {
            return;
        }
        let calls = calls(profile, signature, pod, &self.cluster);
        let mut trials = Trials::new(profile, signature, pod, &self.cluster, calls);
        let nodes = self.cluster.view().active().iter().zip(&mut explanation.nodes);
        for (index, told) in nodes.filter(|(index, told)| given_away.contains(index) && told.is_feasible()) {
            trials.begin(*index);
            if let Some((plugin, status)) = trials.verdict() {
                told.rejections.push((profile.filters[plugin].name().into(), status));
            }
        }
    }

    /// Asks every plugin about every node: what [`schedule`](Self::schedule) decides, and why.
    ///
    /// Unlike there, a filter is asked about nodes that others have turned down, and a single
    /// feasible node is scored too.
    #[must_use]
    pub fn explain(&self, pod: &Pod) -> Explanation {
        let decision = self.evaluate(pod);
        let cluster = self.cluster.view();
        let mut explanation = Explanation {
            decision,
            before_nodes: Vec::new(),
            nodes: cluster
                .nodes()
                .map(|node| NodeExplanation {
                    node: node.name().clone(),
                    rejections: Vec::new(),
                    left_out: false,
                    scores: Vec::new(),
                    total: None,
                })
                .collect(),
            skipped: Vec::new(),
            score_error: None,
        };
        let Some(index) = self.profile_index(pod) else {
            return explanation;
        };
        let profile = &self.profiles[index];
        let signature = Signature::of(pod, index, profile);
        let mut none_can = false;
        let mut parts = Vec::new();
        for (index, filter) in profile.filters.iter().enumerate() {
            let (status, only, call) = match prepare(profile, index, &signature, pod, &self.cluster) {
                PreFilter::Run(call) => (Status::success(), None, Some(call)),
                PreFilter::Only(nodes, call) => (Status::success(), Some(nodes), Some(call)),
                PreFilter::Skip => (Status::new(Code::Skip, std::iter::empty::<&'static str>()), None, None),
                PreFilter::Reject(status) => (status, None, None),
            };
            none_can |= !matches!(status.code(), Code::Success | Code::Skip);
            for (node, told) in cluster.nodes().zip(&mut explanation.nodes) {
                told.left_out |= only.as_ref().is_some_and(|names| !names.contains(node.name()));
                if let Some(call) = &call
                    && let Verdict::Reject(status) =
                        verdict(profile, index, &signature, call, node, &mut parts)
                {
                    told.rejections.push((filter.name().into(), status));
                }
            }
            explanation.before_nodes.push(PluginOutcome { plugin: filter.name().into(), status, only });
        }
        if !none_can && self.cluster.has_nominations() {
            self.explain_nominations(pod, profile, &signature, &mut explanation);
        }
        if none_can {
            for node in &mut explanation.nodes {
                node.left_out = true;
            }
            return explanation;
        }
        let (positions, feasible): (Vec<usize>, Vec<u32>) = cluster
            .active()
            .iter()
            .enumerate()
            .filter(|(position, _)| explanation.nodes[*position].is_feasible())
            .map(|(position, &index)| (position, index))
            .unzip();
        if feasible.is_empty() {
            return explanation;
        }
        let Explanation { nodes, skipped, .. } = &mut explanation;
        let mut seen = |score: &WeightedScore, scored: Scored<'_>| match scored {
            None => skipped.push(score.plugin.name().into()),
            Some((raw, normalized)) => {
                for ((&position, &raw), normalized) in positions.iter().zip(raw).zip(normalized) {
                    nodes[position].scores.push(PluginScore {
                        plugin: score.plugin.name().into(),
                        raw,
                        normalized: normalized.unwrap_or(0),
                        weight: score.weight,
                    });
                }
            }
        };
        let result = totals(profile, &signature, pod, &self.cluster, &feasible, Some(&mut seen));
        match result {
            Ok(totals) => {
                for (&position, &total) in positions.iter().zip(&totals) {
                    explanation.nodes[position].total = Some(total);
                }
                debug_assert!(
                    !matches!(&explanation.decision, Decision::Place(place)
                        if place.total().is_some() && place.node() != cluster.at(best(cluster, &feasible, &totals).0).name()),
                    "explanation and decision agree"
                );
            }
            Err(error) => explanation.score_error = Some(error),
        }
        explanation
    }
}
