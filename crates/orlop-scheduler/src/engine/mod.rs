//! [`Engine`]: the cluster, the profiles, and the decision.

mod decision;
mod evaluate;
mod explain;
mod fork;
mod heads;
mod memory;
mod ranking;
mod signature;
mod tallies;
mod trial;

use std::sync::Arc;

use orlop_model::Str;
use orlop_model::core::v1::{Pod, PreemptionPolicy};
use smallvec::SmallVec;

pub(crate) use decision::Histogram;
pub use decision::{Decision, Placement, Rejection, ScheduleError, Unschedulable};
pub use explain::{Explanation, NodeExplanation, PluginOutcome, PluginScore};
pub use fork::Fork;

use self::memory::{Memory, State, Template};
use self::ranking::{Best, Free, Outgrown, Ranking, Undecided};
use self::signature::Signature;
pub(crate) use self::trial::Trials;
use self::trial::nominated_node;
pub use self::trial::{Trial, Unplaced};
use crate::cluster::{BindPlan, Change, Cluster, RecordError, StorageChange, pod_id, priority};
use crate::framework::{
    AnyFilter, AnyScore, ClusterEvent, Hint, Plugin as _, PreEnqueue, PreFilter, Profile, ProfileError,
    Status, guarded,
};
use crate::plugins::{DefaultPreemption, VolumeBinding};
use crate::preemption::DryRun;
use crate::queue::{Gate, Requeue};

/// Stands for the plugin that turned a pod down, where there was no node at all.
pub(crate) const NO_NODES: &str = "no nodes";

/// Decides where pods go: the best of all nodes, for every pod.
///
/// The engine is a value without I/O, clock or randomness: [`record`](Self::record) tells it what
/// happened, [`schedule`](Self::schedule) asks it where a pod should go, and the answer is a pure
/// function of the changes recorded, the profiles, the seed and the pod. A decision changes nothing
/// by itself: whoever acts on it records [`Change::PodAssumed`].
///
/// ```
/// use std::sync::Arc;
/// use orlop_model::core::v1::{Node, Pod};
/// use orlop_scheduler::{Change, Decision, Engine, Profile};
///
/// let node: Node = serde_json::from_value(serde_json::json!({
///     "metadata": {"name": "n1"},
///     "status": {"allocatable": {"cpu": "4", "memory": "8Gi", "pods": "110"}},
/// }))?;
/// let pod: Pod = serde_json::from_value(serde_json::json!({
///     "metadata": {"name": "web", "namespace": "default"},
///     "spec": {"containers": [{"name": "c", "resources": {"requests": {"cpu": "3"}}}]},
/// }))?;
/// let mut engine = Engine::new([Profile::kubernetes()], 7)?;
/// engine.record(Change::NodeAdded(Arc::new(node)))?;
///
/// let pod = Arc::new(pod);
/// let Decision::Place(place) = engine.schedule(&pod) else { panic!("it fits") };
/// assert_eq!(place.node(), "n1");
/// engine.record(Change::PodAssumed { pod, node: place.node().clone() })?;
///
/// let second: Pod = serde_json::from_value(serde_json::json!({
///     "metadata": {"name": "web-2", "namespace": "default"},
///     "spec": {"containers": [{"name": "c", "resources": {"requests": {"cpu": "3"}}}]},
/// }))?;
/// let Decision::Unschedulable(why) = engine.schedule(&Arc::new(second)) else { panic!("it is full") };
/// assert!(why.to_string().starts_with("0/1 nodes are available: 1 Insufficient cpu."));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Engine {
    cluster: Cluster,
    profiles: Arc<[Profile]>,
    memory: Memory,
    /// The pod that was decided about last, with its template.
    last: Option<(Arc<Pod>, Template)>,
}

impl Clone for Engine {
    /// The same cluster and profiles; what the engine has learned about pods is learned anew.
    fn clone(&self) -> Self {
        Self {
            cluster: self.cluster.clone(),
            profiles: Arc::clone(&self.profiles),
            memory: Memory::default(),
            last: None,
        }
    }
}

impl Engine {
    /// An engine over an empty cluster. Of several nodes with the greatest total, `seed` and the
    /// nodes' names decide.
    ///
    /// # Errors
    /// [`ProfileError::TwoOfAName`], or [`ProfileError::NoName`] where there is no profile at all.
    pub fn new(profiles: impl IntoIterator<Item = Profile>, seed: u64) -> Result<Self, ProfileError> {
        let profiles: Arc<[Profile]> = profiles.into_iter().collect();
        for (index, profile) in profiles.iter().enumerate() {
            if profiles[..index].iter().any(|other| other.name() == profile.name()) {
                return Err(ProfileError::TwoOfAName { profile: profile.name().clone() });
            }
        }
        if profiles.is_empty() {
            return Err(ProfileError::NoName);
        }
        Ok(Self { cluster: Cluster::new(seed), profiles, memory: Memory::default(), last: None })
    }

    /// The cluster as known now.
    #[must_use]
    pub fn cluster(&self) -> &Cluster {
        &self.cluster
    }

    /// The profiles.
    #[must_use]
    pub fn profiles(&self) -> &[Profile] {
        &self.profiles
    }

    /// The profile that decides for `pod`; a pod without `spec.schedulerName` means
    /// `default-scheduler`.
    #[must_use]
    pub fn profile(&self, pod: &Pod) -> Option<&Profile> {
        self.profile_index(pod).map(|index| &self.profiles[index])
    }

    fn profile_index(&self, pod: &Pod) -> Option<usize> {
        let name =
            pod.spec.scheduler_name.non_empty().map_or(crate::framework::DEFAULT_SCHEDULER, |name| name);
        self.profiles.iter().position(|profile| profile.name() == name)
    }

    /// Records what happened. A pod that is assumed to be on a node has its volumes assumed too, where
    /// its profile binds volumes. Returns what may have made waiting pods schedulable, or nothing where
    /// no plugin can see a difference.
    ///
    /// # Errors
    /// [`RecordError`] where the change contradicts what is known; nothing has changed then.
    pub fn record(&mut self, change: Change) -> Result<Option<ClusterEvent>, RecordError> {
        let Change::PodAssumed { pod, node } = change else {
            return self.cluster.record(change);
        };
        let Some(plan) = self.volumes_for(&pod, &node).map(Arc::new) else {
            return self.assume(pod, node);
        };
        let id = pod_id(&pod);
        self.cluster.record(StorageChange::Assumed { pod: id.clone(), plan }.into())?;
        let event = self.assume(pod, node);
        if event.is_err() {
            self.cluster.record(StorageChange::Forgot(id).into())?;
        }
        event
    }

    fn assume(&mut self, pod: Arc<Pod>, node: Str) -> Result<Option<ClusterEvent>, RecordError> {
        match &self.last {
            // Most assumptions are about the pod that was decided about just now.
            Some((last, template)) if Arc::ptr_eq(last, &pod) => {
                self.cluster.assume_as(pod, &node, &template.group, Arc::clone(&template.load)).map(Some)
            }
            _ => self.cluster.record(Change::PodAssumed { pod, node }),
        }
    }

    /// What the claims of the pod get on the node; nothing where they have all they need, or where
    /// the pod cannot go there.
    fn volumes_for(&self, pod: &Pod, node: &str) -> Option<BindPlan> {
        let plugin = VolumeBinding;
        if !VolumeBinding::concerns(pod) || self.profile(pod)?.filter_named(plugin.name()).is_none() {
            return None;
        }
        plugin.plan(pod, node, self.cluster.view()).ok().filter(|plan| !plan.is_empty())
    }

    /// Decides where `pod` should go. The same engine, changes and pod give the same answer.
    ///
    /// As in kube-scheduler the first filter that turns a node down gives its reason, and a single feasible
    /// node is taken without being scored. The answer is that of [`evaluate`](Self::evaluate); what is looked
    /// at for it are the nodes that changed since a pod like this one was asked about.
    #[must_use]
    pub fn schedule(&mut self, pod: &Arc<Pod>) -> Decision {
        let index = match self.check(pod) {
            Ok(index) => index,
            Err(error) => return Decision::Error(error),
        };
        let Self { profiles, memory, cluster, last } = self;
        let profile = &profiles[index];
        let template = memory.template(pod, index, profile);
        let number = template.signature;
        *last = Some((Arc::clone(pod), template));
        let is_nominated = nominated_node(pod, &pod_id(pod), cluster).is_some();
        let decided = if is_nominated { Err(Undecided) } else { rank(profile, number, pod, cluster, memory) };
        if let Ok((Some(best), _)) = decided {
            return Decision::Place(Placement {
                node: cluster.view().at(best.node).name().clone(),
                feasible: best.feasible,
                total: (best.feasible > 1).then_some(best.total),
            });
        }
        let state = State {
            touches: cluster.log().next_touch(),
            neighbours: cluster.neighbours_version(),
            claims: cluster.claims_version(),
        };
        let alike = matches!(decided, Ok((None, true)))
            && profile.post_filters.iter().all(|plugin| plugin.is_general());
        let never = pod.spec.preemption_policy == Some(PreemptionPolicy::Never);
        let key = (number, priority(pod), never);
        if alike && let Some(failure) = memory.failure(key, state) {
            return failure.clone();
        }
        let signature = Arc::clone(&memory.known[number].signature);
        let decision = evaluate::evaluate(profile, &signature, pod, cluster).unwrap_or_else(Decision::Error);
        // The objects of victims change without a touch.
        let evicts = matches!(&decision, Decision::Unschedulable(why) if why.nomination().is_some());
        if alike && !evicts {
            memory.keep_failure(key, state, decision.clone());
        }
        decision
    }

    /// Decides by asking every plugin about every node, whatever was found before: what
    /// [`schedule`](Self::schedule) has to answer too.
    #[must_use]
    pub fn evaluate(&self, pod: &Pod) -> Decision {
        self.check(pod)
            .and_then(|index| {
                let signature = Signature::of(pod, index, &self.profiles[index]);
                evaluate::evaluate(&self.profiles[index], &signature, pod, &self.cluster)
            })
            .unwrap_or_else(Decision::Error)
    }

    /// Forgets what was found out for decisions to come; they only cost more for it.
    pub(crate) fn unlearn(&mut self) {
        self.memory = Memory::default();
        self.last = None;
    }

    /// What evicting less important pods would do for the pod, on each node where it may help; `show` is
    /// given the answer. None where the pod fits somewhere, or cannot be decided about, or where its
    /// profile does not know [`DefaultPreemption`].
    pub fn dry_run<T>(&self, pod: &Pod, show: impl FnOnce(&DryRun<'_>) -> T) -> Option<T> {
        let Decision::Unschedulable(why) = self.evaluate(pod) else {
            return None;
        };
        let index = self.profile_index(pod)?;
        let profile = &self.profiles[index];
        let preemption = profile
            .post_filters
            .iter()
            .find_map(|plugin| (&**plugin as &dyn std::any::Any).downcast_ref::<DefaultPreemption>())?;
        let signature = Signature::of(pod, index, profile);
        Some(evaluate::unplaced(profile, &signature, pod, &self.cluster, &why, |unplaced| {
            show(&preemption.dry_run(unplaced))
        }))
    }

    /// Bytes that the engine keeps for decisions to come, beside the cluster.
    #[must_use]
    pub fn memory_used(&self) -> usize {
        self.memory.size()
    }

    /// Finds the pod's profile.
    fn check(&self, pod: &Pod) -> Result<usize, ScheduleError> {
        if pod.metadata.deletion_timestamp.is_some() {
            return Err(ScheduleError::Deleting {
                namespace: pod.metadata.namespace.clone(),
                name: pod.metadata.name.clone(),
            });
        }
        let index = self
            .profile_index(pod)
            .ok_or_else(|| ScheduleError::NoProfile { name: pod.spec.scheduler_name.clone() })?;
        if self.cluster.view().node_count() == 0 {
            return Err(ScheduleError::NoNodes);
        }
        Ok(index)
    }
}

/// Asks the ranking of a signature, which is made when it is asked for the second time. Answers the best node,
/// and whether it is that for all pods of the signature.
fn rank(
    profile: &Profile,
    number: usize,
    pod: &Pod,
    cluster: &mut Cluster,
    memory: &mut Memory,
) -> Result<(Option<Best>, bool), Undecided> {
    let mut free = Free {
        pod,
        filters: SmallVec::new(),
        scores: profile.scores.iter().any(|score| matches!(score.plugin, AnyScore::Cluster(_))),
    };
    for (index, filter) in profile.filters.iter().enumerate() {
        if let AnyFilter::Cluster(filter) = filter {
            match filter.pre_filter(pod, cluster.view()) {
                PreFilter::Skip => {}
                PreFilter::Run(prepared) => free.filters.push((index, prepared)),
                PreFilter::Only(..) | PreFilter::Reject(_) => return Err(Undecided),
            }
        }
    }
    let known = memory.used(number);
    if known.uses == 1 {
        return Err(Undecided);
    }
    let signature = Arc::clone(&known.signature);
    if let Some(ranking) = &mut known.ranking {
        match ranking.catch_up(&signature, profile, cluster) {
            Ok(Ok(())) => {}
            Ok(Err(Outgrown)) => memory.drop_ranking(number),
            Err(Undecided) => {
                memory.drop_ranking(number);
                return Err(Undecided);
            }
        }
    }
    if memory.known[number].ranking.is_none() {
        let ranking = Ranking::new(&signature, profile, cluster)?;
        memory.keep(number, ranking);
    }
    let ranking = memory.known[number].ranking.as_mut().ok_or(Undecided)?;
    let given_away = if cluster.has_nominations() {
        cluster.nodes_given_away(&pod_id(pod), priority(pod))
    } else {
        Vec::new()
    };
    let best = ranking.best(&signature, profile, cluster, &free, &given_away)?;
    Ok((best, free.filters.is_empty()))
}

impl Requeue for Engine {
    fn admit(&self, pod: &Pod, last: Option<&str>) -> Result<(), Gate> {
        let Some(profile) = self.profile(pod) else {
            return Ok(());
        };
        let ask = |plugin: &dyn PreEnqueue| {
            let answer = guarded("PreEnqueue", plugin.name(), || plugin.pre_enqueue(pod));
            let status = match answer {
                Ok(Ok(())) => return Ok(()),
                Ok(Err(status)) => status,
                Err(panic) => Status::error(panic.to_string()),
            };
            Err(Gate { plugin: plugin.name().into(), status })
        };
        let was_last = |plugin: &dyn PreEnqueue| last.is_some_and(|last| plugin.name() == last);
        let plugins = || profile.pre_enqueue.iter().map(|plugin| &**plugin);
        plugins().filter(|plugin| was_last(*plugin)).try_for_each(ask)?;
        plugins().filter(|plugin| !was_last(*plugin)).try_for_each(ask)
    }

    fn concerns(&self, plugin: &str, event: &ClusterEvent) -> bool {
        if plugin == NO_NODES {
            return matches!(event, ClusterEvent::NodeAdded(_));
        }
        // Several profiles may have a filter of the name; a plugin that is none may look at anything.
        let mut filters = self.profiles.iter().filter_map(|profile| profile.filter_named(plugin)).peekable();
        filters.peek().is_none()
            || filters
                .any(|filter| guarded("QueueingHint", plugin, || filter.concerns(event)).unwrap_or(true))
    }

    fn reopens(&self, gate: &str, event: &ClusterEvent) -> bool {
        let gates = self.profiles.iter().flat_map(|profile| &profile.pre_enqueue);
        gates
            .filter(|plugin| plugin.name() == gate)
            .any(|plugin| guarded("PreEnqueue", gate, || plugin.concerns(event)).unwrap_or(true))
    }

    fn hint(&self, plugin: &str, pod: &Pod, event: &ClusterEvent) -> Hint {
        match self.profile(pod).and_then(|profile| profile.filter_named(plugin)) {
            // Where the hint fails, too: better to try once too often.
            Some(filter) => {
                guarded("QueueingHint", plugin, || filter.hint(pod, event)).unwrap_or(Hint::Queue)
            }
            None if plugin == NO_NODES => Hint::queue_if(matches!(event, ClusterEvent::NodeAdded(_))),
            // Not a filter of ours.
            None => Hint::Queue,
        }
    }
}

#[cfg(test)]
mod tests;
