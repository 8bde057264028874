//! [`DryRun`]: what evictions would do on each node.

use orlop_model::Str;

use super::Candidate;
use super::victims::Search;
use crate::cluster::{Account, NodeView};
use crate::engine::{Histogram, Unplaced};
use crate::framework::{Code, Status};

/// What evicting less important pods would do for a pod that fits nowhere, node by node.
#[derive(Clone, Debug, Default)]
pub struct DryRun<'a> {
    /// Nodes on which it would help, in the order of the nodes' addition.
    pub candidates: Vec<Candidate<'a>>,
    /// Nodes on which it would not, and why. On nodes that are in neither list nothing was tried:
    /// evictions cannot help there.
    pub rejected: Vec<(Str, Status)>,
}

/// Nodes by whether evictions may help.
pub(super) fn promising<'a>(pod: &Unplaced<'a>) -> Vec<NodeView<'a>> {
    let cluster = pod.cluster();
    let rejections = pod.why().rejections();
    let mut nodes: Vec<NodeView<'a>> = rejections
        .filter(|(.., status)| status.code() == Code::Unschedulable)
        .filter_map(|(node, ..)| cluster.node(node))
        .collect();
    if nodes.len() == cluster.node_count() {
        nodes.clear();
        nodes.extend(cluster.nodes());
    } else if !nodes.is_empty() {
        let mut wanted = vec![false; cluster.bound()];
        for node in &nodes {
            wanted[node.index()] = true;
        }
        nodes.clear();
        nodes.extend(cluster.nodes().filter(|node| wanted[node.index()]));
    }
    nodes
}

impl<'a> DryRun<'a> {
    /// Tries out the promising nodes.
    pub(super) fn of(pod: &mut Unplaced<'a>) -> Self {
        let nodes = promising(pod);
        let mut run = Self::default();
        let (mut search, mut account) = (Search::default(), pod.cluster().budgets().account());
        for node in nodes {
            run.try_out(pod, &mut search, &mut account, node);
        }
        pod.trials.end();
        run
    }

    pub(super) fn try_out(
        &mut self,
        pod: &mut Unplaced<'a>,
        search: &mut Search<'a>,
        account: &mut Account<'_>,
        node: NodeView<'a>,
    ) {
        match search.on(&mut pod.trials, account, node.slot_index()) {
            Ok(candidate) => self.candidates.push(candidate),
            Err(status) => self.rejected.push((node.name().clone(), status)),
        }
    }

    /// The node on which the least important pods would be evicted.
    #[must_use]
    pub fn best(&self) -> Option<&Candidate<'a>> {
        self.candidates.iter().min_by_key(|candidate| candidate.cost())
    }

    /// Why there is no candidate, of `nodes` in all: kube-scheduler's line.
    pub(super) fn message(&self, nodes: usize) -> String {
        let mut histogram = Histogram::default();
        for (_, status) in &self.rejected {
            histogram.add(status);
        }
        histogram.add_text("Preemption is not helpful for scheduling", nodes - self.rejected.len());
        format!("0/{nodes} nodes are available:{histogram}")
    }
}
