//! [`Trials`]: nodes with other pods on them, tried out for one pod.

use orlop_model::Str;
use orlop_model::core::v1::Pod;

use super::Unschedulable;
use super::evaluate::{FilterCall, verdict};
use super::signature::Signature;
use crate::cluster::{Cluster, ClusterView, NodeView, PlacedPod, TrialNode, pod_id, priority};
use crate::framework::{AnyFilter, Prepared, Profile, Reads, Status, Verdict};

/// Asks the filters of a profile about one pod and one node after the other, as each would be with
/// other pods.
///
/// Plugins see a copy of the node; counts are changed while the trial lasts, and restored after it.
#[derive(Debug)]
pub(crate) struct Trials<'a> {
    profile: &'a Profile,
    signature: &'a Signature,
    cluster: &'a Cluster,
    /// Who is nominated for the pod's own sake plays no part for it.
    id: Str,
    priority: i32,
    /// The filters that want to be asked, by index.
    calls: Vec<(usize, FilterCall)>,
    has_counts: bool,
    /// What plugins that look at anything know, with the changes of the trial; aligned with `calls`.
    free: Vec<Option<Prepared>>,
    has_free: bool,
    node: TrialNode,
    /// Pods came or went since counts were brought up to date.
    stale: bool,
    /// Counts differ from those of the cluster.
    differs: bool,
    parts: Vec<i64>,
}

impl<'a> Trials<'a> {
    /// `calls` are the filters that want to be asked about nodes.
    pub(super) fn new(
        profile: &'a Profile,
        signature: &'a Signature,
        pod: &Pod,
        cluster: &'a Cluster,
        calls: Vec<(usize, FilterCall)>,
    ) -> Self {
        let is_free = |(_, call): &(usize, FilterCall)| matches!(call, FilterCall::Cluster(_));
        Self {
            profile,
            signature,
            cluster,
            id: pod_id(pod),
            priority: priority(pod),
            has_counts: calls.iter().any(|(_, call)| matches!(call, FilterCall::Domain(_))),
            has_free: calls.iter().any(is_free),
            free: Vec::new(),
            calls,
            node: TrialNode::new(),
            stale: false,
            differs: false,
            parts: Vec::new(),
        }
    }

    pub(super) fn calls(&self) -> &[(usize, FilterCall)] {
        &self.calls
    }

    pub(crate) fn cluster(&self) -> ClusterView<'a> {
        self.cluster.view()
    }

    pub(crate) fn priority(&self) -> i32 {
        self.priority
    }

    /// Begins with a node as it is.
    pub(crate) fn begin(&mut self, node: u32) {
        self.end();
        self.node.load(self.cluster, node);
        if self.has_free {
            self.free.clear();
            let Self { free, calls, profile, .. } = self;
            free.extend(calls.iter().map(|(index, call)| match (&profile.filters[*index], call) {
                (AnyFilter::Cluster(filter), FilterCall::Cluster(prepared)) => Some(filter.copy(prepared)),
                _ => None,
            }));
        }
    }

    /// Takes a pod away from the node.
    pub(crate) fn remove(&mut self, pod: &PlacedPod) {
        self.node.remove(pod);
        self.changed(pod, false);
    }

    /// Adds a pod to the node.
    pub(crate) fn add(&mut self, pod: &PlacedPod) {
        self.node.add(pod);
        self.changed(pod, true);
    }

    fn changed(&mut self, pod: &PlacedPod, added: bool) {
        self.stale = true;
        if !self.has_free {
            return;
        }
        let Some(view) = self.node.view(self.cluster) else { return };
        for ((index, _), state) in self.calls.iter().zip(&mut self.free) {
            if let (AnyFilter::Cluster(filter), Some(state)) = (&self.profile.filters[*index], state) {
                if added {
                    filter.add_pod(state, pod, view);
                } else {
                    filter.remove_pod(state, pod, view);
                }
            }
        }
    }

    /// Ends with the node: nothing is left of what was tried.
    pub(crate) fn end(&mut self) {
        if self.differs {
            let index = self.node.index();
            let original = self.cluster.view().slot(index);
            count(&mut self.calls, self.cluster, index, original);
        }
        self.stale = false;
        self.differs = false;
    }

    fn refresh(&mut self) {
        if self.stale && self.has_counts {
            count(&mut self.calls, self.cluster, self.node.index(), self.node.view(self.cluster));
            self.differs = true;
        }
        self.stale = false;
    }

    /// The first filter that turns the pod down on the node as it is now, with its answer.
    fn rejection(&mut self, all: bool) -> Option<(usize, Status)> {
        self.refresh();
        let Self { profile, signature, cluster, calls, free, node, parts, .. } = self;
        let view = node.view(cluster)?;
        for (place, (index, call)) in calls.iter().enumerate() {
            let filter = &profile.filters[*index];
            if !all && filter.reads() == Reads::Static {
                continue;
            }
            let answer = match (filter, free.get(place)) {
                (AnyFilter::Cluster(filter), Some(Some(state))) => filter.verdict(state, view),
                _ => verdict(profile, *index, signature, call, view, parts),
            };
            if let Verdict::Reject(status) = answer {
                return Some((*index, status));
            }
        }
        None
    }

    /// The first filter that turns the pod down on the node as it is now, with its answer; also where
    /// the pods get the room that are nominated to the node and that this pod makes way for.
    pub(crate) fn verdict(&mut self) -> Option<(usize, Status)> {
        self.with_nominated(true)
    }

    /// Whether no filter turns the pod down. Filters of the node object, which have let it pass before,
    /// are not asked again.
    pub(crate) fn still_fits(&mut self) -> bool {
        self.with_nominated(false).is_none()
    }

    fn with_nominated(&mut self, all: bool) -> Option<(usize, Status)> {
        if self.cluster.has_nominations() {
            let cluster = self.cluster;
            let (id, priority) = (self.id.clone(), self.priority);
            let wins = |other: &&PlacedPod| other.priority() >= priority && *other.id() != id;
            let mut added = false;
            for nominated in cluster.nominated(self.node.index()).filter(wins) {
                self.add(nominated);
                added = true;
            }
            if added {
                let rejection = self.rejection(all);
                for nominated in cluster.nominated(self.node.index()).filter(wins) {
                    self.remove(nominated);
                }
                if rejection.is_some() {
                    return rejection;
                }
            }
        }
        self.rejection(all)
    }
}

/// Counts the pods of one node again.
fn count(calls: &mut [(usize, FilterCall)], cluster: &Cluster, index: u32, node: Option<NodeView<'_>>) {
    for (_, call) in calls {
        if let FilterCall::Domain(counted) = call {
            counted.recount(cluster, index, node);
        }
    }
}

/// The node that a pod is nominated to: as its status says, or else as was recorded.
pub(super) fn nominated_node<'a>(pod: &'a Pod, id: &str, cluster: &'a Cluster) -> Option<&'a Str> {
    pod.status.nominated_node_name.non_empty().or_else(|| cluster.nominated_to(id))
}

/// A pod that fits nowhere as things are, and the means to find out what would change that.
#[derive(Debug)]
pub struct Unplaced<'a> {
    pub(crate) pod: &'a Pod,
    pub(crate) why: &'a Unschedulable,
    pub(crate) trials: Trials<'a>,
}

impl<'a> Unplaced<'a> {
    /// The pod.
    #[must_use]
    pub fn pod(&self) -> &'a Pod {
        self.pod
    }

    /// The cluster.
    #[must_use]
    pub fn cluster(&self) -> ClusterView<'a> {
        self.trials.cluster()
    }

    /// The node that the pod is nominated to.
    #[must_use]
    pub fn nominated_node(&self) -> Option<&'a Str> {
        nominated_node(self.pod, &self.trials.id, self.trials.cluster)
    }

    /// Why it fits nowhere.
    #[must_use]
    pub fn why(&self) -> &'a Unschedulable {
        self.why
    }

    /// Tries a node out, as it is at first; none if the node is not there.
    pub fn trial(&mut self, node: &str) -> Option<Trial<'_, 'a>> {
        let node = self.trials.cluster().node(node)?.slot_index();
        self.trials.begin(node);
        Some(Trial(&mut self.trials))
    }
}

/// A node that is tried out with other pods. What is done to it ends with it.
#[derive(Debug)]
pub struct Trial<'t, 'a>(&'t mut Trials<'a>);

impl Trial<'_, '_> {
    /// Takes away a pod that is on the node.
    pub fn remove(&mut self, pod: &PlacedPod) {
        self.0.remove(pod);
    }

    /// Adds a pod that was taken away.
    pub fn add(&mut self, pod: &PlacedPod) {
        self.0.add(pod);
    }

    /// Whether the pod may go to the node as it is now; pods nominated to it that are no less important
    /// than the pod are given their room.
    ///
    /// # Errors
    /// The answer of the first filter that turns the pod down.
    pub fn check(&mut self) -> Result<(), Status> {
        self.0.verdict().map_or(Ok(()), |(_, status)| Err(status))
    }
}

impl Drop for Trial<'_, '_> {
    fn drop(&mut self) {
        self.0.end();
    }
}
