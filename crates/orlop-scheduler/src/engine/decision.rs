//! [`Decision`]: where a pod goes, or why nowhere.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use orlop_model::Str;
use thiserror::Error;

use crate::cluster::RecordError;
use crate::framework::{Code, Remedy, Status};
use crate::preemption::Nomination;
use crate::queue::Rejector;

/// The answer for one pod.
#[derive(Clone, Debug, PartialEq)]
pub enum Decision {
    /// It goes to this node.
    Place(Placement),
    /// It fits nowhere now.
    Unschedulable(Unschedulable),
    /// It could not be decided.
    Error(ScheduleError),
}

impl Decision {
    /// The chosen node.
    #[must_use]
    pub fn node(&self) -> Option<&Str> {
        match self {
            Self::Place(place) => Some(&place.node),
            Self::Unschedulable(_) | Self::Error(_) => None,
        }
    }
}

/// Where a pod goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Placement {
    pub(super) node: Str,
    pub(super) feasible: usize,
    pub(super) total: Option<i64>,
}

impl Placement {
    /// Name of the node.
    #[must_use]
    pub fn node(&self) -> &Str {
        &self.node
    }

    /// How many nodes would have done.
    #[must_use]
    pub fn feasible(&self) -> usize {
        self.feasible
    }

    /// The weighted sum of the node's scores; `None` where there was no other node to compare with.
    #[must_use]
    pub fn total(&self) -> Option<i64> {
        self.total
    }
}

/// Why one node was turned down: the answer of the first plugin that did.
#[derive(Clone, Debug, PartialEq)]
pub struct Rejection {
    pub(super) node: Str,
    pub(super) plugin: u16,
    pub(super) status: Status,
}

/// Why a pod fits nowhere. Prints kube-scheduler's line, as in the condition `PodScheduled` and the
/// event `FailedScheduling`.
#[derive(Clone, Debug, PartialEq)]
pub struct Unschedulable {
    pub(super) nodes: usize,
    /// Names of the filters, by index.
    pub(super) plugins: Vec<Str>,
    /// The pod was turned down before any node was looked at.
    pub(super) before_nodes: Option<(Option<Str>, Status)>,
    pub(super) rejections: Arc<[Rejection]>,
    /// Filters that named the only nodes to look at, and the number of nodes that left out.
    pub(super) left_out_by: Vec<Str>,
    pub(super) left_out: usize,
    /// What plugins found that would help.
    pub(super) remedy: Option<Box<Remedy>>,
}

impl Unschedulable {
    /// How many nodes there are.
    #[must_use]
    pub fn node_count(&self) -> usize {
        self.nodes
    }

    /// The nodes that were looked at: name, first plugin that turned the pod down, its answer.
    pub fn rejections(&self) -> impl Iterator<Item = (&Str, &Str, &Status)> {
        self.rejections.iter().map(|rejection| {
            (&rejection.node, &self.plugins[usize::from(rejection.plugin)], &rejection.status)
        })
    }

    /// What a node was turned down for; nothing if it was not looked at.
    #[must_use]
    pub fn status_of(&self, node: &str) -> Option<&Status> {
        self.before_nodes().or_else(|| {
            let rejection = self.rejections.iter().find(|rejection| rejection.node == *node)?;
            Some(&rejection.status)
        })
    }

    /// Where the pod would fit without some less important ones, if a plugin has found that out.
    #[must_use]
    pub fn nomination(&self) -> Option<&Nomination> {
        match self.remedy.as_deref() {
            Some(Remedy::Evict(nomination)) => Some(nomination),
            _ => None,
        }
    }

    /// Whether a nomination that the pod has is of no use any more.
    #[must_use]
    pub fn withdraws_nomination(&self) -> bool {
        matches!(self.remedy.as_deref(), Some(Remedy::None { withdraw: true, .. }))
    }

    /// What the plugins said that looked for a way out and found none.
    #[must_use]
    pub fn no_remedy(&self) -> Option<&Status> {
        match self.remedy.as_deref() {
            Some(Remedy::None { status, .. }) => Some(status),
            _ => None,
        }
    }

    /// The answer that turned the pod down before any node was looked at.
    #[must_use]
    pub fn before_nodes(&self) -> Option<&Status> {
        self.before_nodes.as_ref().map(|(_, status)| status)
    }

    /// The plugins that turned the pod down, for the queue.
    #[must_use]
    pub fn rejectors(&self) -> Vec<Rejector> {
        let mut rejectors: Vec<Rejector> = self.rejected_by().into_iter().map(Rejector::from).collect();
        let pending = |status: &Status| status.code() == Code::Pending;
        let before = self.before_nodes.iter().filter(|(_, status)| pending(status));
        let on_nodes = self.rejections().filter(|(.., status)| pending(status)).map(|(_, plugin, _)| plugin);
        for plugin in before.filter_map(|(plugin, _)| plugin.as_ref()).chain(on_nodes) {
            if let Some(rejector) = rejectors.iter_mut().find(|rejector| rejector.plugin == *plugin) {
                rejector.pending = true;
            }
        }
        rejectors
    }

    /// Names of the plugins that turned the pod down; an event that one of them waits for puts the
    /// pod back into the queue.
    #[must_use]
    pub fn rejected_by(&self) -> BTreeSet<Str> {
        let mut plugins: BTreeSet<Str> = self.left_out_by.iter().cloned().collect();
        plugins.extend(self.before_nodes.iter().filter_map(|(plugin, _)| plugin.clone()));
        let mut seen = vec![false; self.plugins.len()];
        for rejection in &*self.rejections {
            if !std::mem::replace(&mut seen[usize::from(rejection.plugin)], true) {
                plugins.insert(self.plugins[usize::from(rejection.plugin)].clone());
            }
        }
        plugins
    }
}

impl fmt::Display for Unschedulable {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "0/{} nodes are available:", self.nodes)?;
        if let Some((_, status)) = &self.before_nodes {
            write!(formatter, " {}.", status.message())?;
        } else {
            let mut histogram = Histogram::default();
            for rejection in self.rejections.iter() {
                histogram.add(&rejection.status);
            }
            if self.left_out > 0 {
                let text = format!("node(s) didn't satisfy plugin(s) [{}]", self.left_out_by.join(" "));
                histogram.add_text(text, self.left_out);
            }
            histogram.fmt(formatter)?;
        }
        match self.no_remedy().map(Status::message) {
            Some(message) if !message.is_empty() => write!(formatter, " {message}"),
            _ => Ok(()),
        }
    }
}

/// How often nodes were turned down for each reason. Prints ` COUNT reason, COUNT reason.`, or nothing.
#[derive(Debug, Default)]
pub(crate) struct Histogram(BTreeMap<String, usize>);

impl Histogram {
    /// Adds a node.
    pub(crate) fn add(&mut self, status: &Status) {
        for reason in status.reasons() {
            // Most nodes share a few reasons: look up without an allocation is not worth a second map.
            *self.0.entry(reason.to_string()).or_default() += 1;
        }
    }

    /// Adds so many nodes.
    pub(crate) fn add_text(&mut self, reason: impl Into<String>, nodes: usize) {
        if nodes > 0 {
            *self.0.entry(reason.into()).or_default() += nodes;
        }
    }
}

impl fmt::Display for Histogram {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Sorted as text, the number included: `10 …` stands before `2 …`.
        let mut entries: Vec<String> =
            self.0.iter().map(|(reason, count)| format!("{count} {reason}")).collect();
        entries.sort_unstable();
        if entries.is_empty() { Ok(()) } else { write!(formatter, " {}.", entries.join(", ")) }
    }
}

/// Why a pod could not be decided.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum ScheduleError {
    /// The cluster has no node.
    #[error("no nodes available to schedule pods")]
    NoNodes,
    /// No profile has the pod's scheduler name.
    #[error("profile not found for scheduler name {name:?}")]
    NoProfile {
        /// The pod's `spec.schedulerName`.
        name: Str,
    },
    /// The pod is being deleted.
    #[error("skip schedule deleting pod: {namespace}/{name}")]
    Deleting {
        /// Namespace of the pod.
        namespace: Str,
        /// Name of the pod.
        name: Str,
    },
    /// A plugin failed.
    #[error("running {point} plugin {plugin:?}: {message}")]
    Plugin {
        /// Extension point: `PreFilter`, `Filter`, `PreScore`, `Score`, `Reserve`, `Permit` …
        point: &'static str,
        /// Name of the plugin.
        plugin: Str,
        /// What it said.
        message: String,
    },
    /// Something panicked, and not within a plugin that is known.
    #[error("scheduling cycle {message}")]
    Panicked {
        /// What the panic said.
        message: String,
    },
    /// The node disappeared before the pod could be bound to it.
    #[error("node {node:?} is gone")]
    NodeGone {
        /// Name of the node.
        node: Str,
    },
    /// The decision contradicts what is known of the cluster.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// A normalised score is not from 0 to 100.
    #[error(
        "plugin {plugin:?} returns an invalid score {score}, it should in the range of [0, 100] after normalizing"
    )]
    ScoreOutOfRange {
        /// Name of the plugin.
        plugin: Str,
        /// The score.
        score: i64,
    },
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::framework::{Code, Reason};

    fn rejected(nodes: usize, reasons: &[&'static str], count: usize) -> Vec<Rejection> {
        (0..count)
            .map(|index| Rejection {
                node: format!("n{}", nodes + index).into(),
                plugin: 0,
                status: Status::new(Code::Unschedulable, reasons.iter().map(|reason| Reason::Fixed(reason))),
            })
            .collect()
    }

    #[test]
    fn the_histogram_is_sorted_as_text() {
        let mut rejections = rejected(0, &["Insufficient cpu", "Insufficient memory"], 10);
        rejections.extend(rejected(10, &["node(s) had untolerated taint(s)"], 2));
        let mut why = Unschedulable {
            nodes: 13,
            plugins: vec!["P".into()],
            before_nodes: None,
            rejections: rejections.into(),
            left_out_by: vec!["A".into(), "B".into()],
            left_out: 1,
            remedy: None,
        };
        assert_eq!(
            why.to_string(),
            "0/13 nodes are available: 1 node(s) didn't satisfy plugin(s) [A B], 10 Insufficient cpu, \
             10 Insufficient memory, 2 node(s) had untolerated taint(s)."
        );
        assert_eq!(why.rejected_by().into_iter().collect::<Vec<_>>(), ["A", "B", "P"]);
        why.before_nodes = Some((Some("A".into()), Status::unresolvable("pod affinity terms conflict")));
        assert_eq!(why.to_string(), "0/13 nodes are available: pod affinity terms conflict.");
    }
}
