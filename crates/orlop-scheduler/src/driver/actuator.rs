//! [`Actuator`]: makes decisions come true.

use std::sync::Arc;

use async_trait::async_trait;
use orlop_client::{Api, Client, DeleteOptions, Draft, Preconditions, Result, Subresource, WriteOptions};
use orlop_clock::Timestamp;
use orlop_model::core::v1::{
    Binding, ConditionStatus, EventType, ObjectReference, PersistentVolume, PersistentVolumeClaim, Pod,
    PodCondition, PodConditionType,
};
use orlop_model::{ObjectKey, StaticKind, Str, Time};

/// All that a scheduler does to the world; what it hears of the world comes from
/// [`Sources`](super::Sources). With another actuator the same scheduler runs in a simulation, or
/// replays a log.
#[async_trait]
pub trait Actuator: Send + Sync + 'static {
    /// Prepares the node for the pod, after the profile's [`PreBind`](crate::PreBind) plugins.
    ///
    /// # Errors
    /// The decision is undone, and repeated after a back-off.
    async fn pre_bind(&self, pod: &Arc<Pod>, node: &Str) -> Result<()> {
        let _ = (pod, node);
        Ok(())
    }

    /// Writes a volume that was given to a claim, by its `spec.claimRef`, before the pod with that claim
    /// is bound. Returns the volume as written. The default has nobody to tell.
    ///
    /// # Errors
    /// The decision is undone, and repeated after a back-off.
    async fn bind_volume(&self, volume: Arc<PersistentVolume>) -> Result<Arc<PersistentVolume>> {
        Ok(volume)
    }

    /// Writes a claim that a volume is to be made for, by its annotation of the selected node, before
    /// the pod with that claim is bound. Returns the claim as written. The default has nobody to tell.
    ///
    /// # Errors
    /// The decision is undone, and repeated after a back-off.
    async fn provision(&self, claim: Arc<PersistentVolumeClaim>) -> Result<Arc<PersistentVolumeClaim>> {
        Ok(claim)
    }

    /// Binds the pod to the node, once and for all, unless a [`Bind`](crate::Bind) plugin of the profile
    /// has.
    ///
    /// # Errors
    /// The decision is undone, and repeated after a back-off, unless the pod turns out to be gone or
    /// bound.
    async fn bind(&self, pod: &Arc<Pod>, node: &Str) -> Result<()>;

    /// Deletes a pod in favour of a more important one.
    ///
    /// # Errors
    /// The more important pod is tried again at once.
    async fn evict(&self, eviction: &Eviction, now: Timestamp) -> Result<()>;

    /// Writes down on the pod why it is not scheduled.
    ///
    /// # Errors
    /// It is left at that.
    async fn unscheduled(&self, pod: &Arc<Pod>, why: &Unscheduled, now: Timestamp) -> Result<()>;

    /// Clears `status.nominatedNodeName`: a more important pod gets the room.
    ///
    /// # Errors
    /// It is left at that.
    async fn withdraw(&self, pod: &Arc<Pod>) -> Result<()> {
        let _ = pod;
        Ok(())
    }

    /// Tells people about the pod; must not block. A failure to tell is no reason to stop.
    fn record(&self, pod: &Arc<Pod>, note: Note);

    /// Whether [`record`](Self::record) tells anybody at all.
    fn tells(&self) -> bool {
        true
    }
}

/// A pod to be evicted, and for which one.
#[derive(Clone, Debug)]
pub struct Eviction {
    /// The pod to be evicted.
    pub victim: Arc<Pod>,
    /// The more important one.
    pub preemptor: Arc<Pod>,
    /// Name of the node.
    pub node: Str,
}

/// Why a pod is not scheduled: its condition `PodScheduled=False`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unscheduled {
    /// `Unschedulable` or `SchedulerError`.
    pub reason: &'static str,
    /// For people.
    pub message: String,
    /// The node on which it is to have room soon; `None` leaves `status.nominatedNodeName` as it is.
    pub nominated_node: Option<Str>,
}

/// What people are told about a pod.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// Whether it is bad news.
    pub warning: bool,
    /// `Scheduled`, `FailedScheduling` or `Preempted`.
    pub reason: &'static str,
    /// At most 1,024 bytes.
    pub message: String,
}

/// Takes Events about pods.
pub trait EventSink: Send + Sync + 'static {
    /// Writes the Event some time, or lets it be. Must not block.
    fn record(&self, pod: &Pod, note: Note);
}

impl EventSink for orlop_controller::Recorder {
    fn record(&self, pod: &Pod, note: Note) {
        let kind = if note.warning { EventType::Warning } else { EventType::Normal };
        self.event(pod, kind, note.reason, note.message);
    }
}

/// Acts through a [`Client`]: binds through the pods' subresource `binding`, and only the very pod that
/// was decided about.
pub struct ClientActuator {
    client: Arc<dyn Client>,
    events: Option<Box<dyn EventSink>>,
}

impl ClientActuator {
    /// Through this client; writes no Events.
    #[must_use]
    pub fn new(client: Arc<dyn Client>) -> Self {
        Self { client, events: None }
    }

    /// Writes Events through `events`: an `orlop_controller::Recorder`, say.
    #[must_use]
    pub fn events(mut self, events: impl EventSink) -> Self {
        self.events = Some(Box::new(events));
        self
    }

    /// Changes the status of the very pod, if it is not bound unless `bound`.
    async fn modify_status(
        &self,
        pod: &Pod,
        bound: bool,
        change: impl Fn(&mut Pod) + Send + Sync,
    ) -> Result<()> {
        let uid = &pod.metadata.uid;
        let api = Api::<Pod>::all(Arc::clone(&self.client));
        let change = |pod: &mut Pod| {
            // Another pod may have the name by now.
            if pod.metadata.uid == *uid && (bound || pod.spec.node_name.is_empty()) {
                change(pod);
            }
        };
        api.modify_status(&key(pod), change).await.map(drop)
    }
}

impl std::fmt::Debug for ClientActuator {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("ClientActuator")
            .field("events", &self.events.is_some())
            .finish_non_exhaustive()
    }
}

#[async_trait]
impl Actuator for ClientActuator {
    async fn bind(&self, pod: &Arc<Pod>, node: &Str) -> Result<()> {
        let meta = &pod.metadata;
        let mut binding = Binding::default();
        binding.metadata.name = meta.name.clone();
        binding.metadata.namespace = meta.namespace.clone();
        // Another pod may have the name by now.
        binding.metadata.uid = meta.uid.clone();
        binding.target =
            ObjectReference { kind: "Node".into(), name: node.clone(), ..ObjectReference::default() };
        let options = WriteOptions::default();
        let draft = Draft::of(binding);
        self.client.post(Pod::KIND, &key(pod), Subresource::Binding, draft, &options).await.map(drop)
    }

    async fn bind_volume(&self, volume: Arc<PersistentVolume>) -> Result<Arc<PersistentVolume>> {
        Api::all(Arc::clone(&self.client)).update(PersistentVolume::clone(&volume)).await
    }

    async fn provision(&self, claim: Arc<PersistentVolumeClaim>) -> Result<Arc<PersistentVolumeClaim>> {
        Api::all(Arc::clone(&self.client)).update(PersistentVolumeClaim::clone(&claim)).await
    }

    async fn evict(&self, eviction: &Eviction, now: Timestamp) -> Result<()> {
        let Eviction { victim, preemptor, .. } = eviction;
        if victim.metadata.deletion_timestamp.is_some() {
            return Ok(());
        }
        let scheduler = preemptor
            .spec
            .scheduler_name
            .non_empty()
            .map_or(crate::framework::DEFAULT_SCHEDULER, Str::as_str);
        let message = format!("{scheduler}: preempting to accommodate a higher priority pod");
        let mark = |pod: &mut Pod| {
            let condition = PodConditionType::DisruptionTarget;
            set_condition(pod, condition, ConditionStatus::True, "PreemptionByScheduler", &message, now);
        };
        let marked = self.modify_status(victim, true, mark).await;
        let uid = Some(victim.metadata.uid.clone());
        let preconditions = Preconditions { uid, ..Preconditions::default() };
        let options = DeleteOptions { preconditions, ..DeleteOptions::new() };
        let deleted = match marked {
            Ok(()) => self.client.delete(Pod::KIND, &key(victim), &options).await.map(drop),
            Err(error) => Err(error),
        };
        match deleted {
            // Gone already, or another one of that name: so much the better.
            Err(error) if error.is_not_found() || error.is_conflict() => Ok(()),
            result => result,
        }
    }

    async fn unscheduled(&self, pod: &Arc<Pod>, why: &Unscheduled, now: Timestamp) -> Result<()> {
        self.modify_status(pod, false, |pod| {
            let condition = PodConditionType::PodScheduled;
            set_condition(pod, condition, ConditionStatus::False, why.reason, &why.message, now);
            if let Some(node) = &why.nominated_node {
                pod.status.nominated_node_name = node.clone();
            }
        })
        .await
    }

    async fn withdraw(&self, pod: &Arc<Pod>) -> Result<()> {
        self.modify_status(pod, false, |now| {
            // Unless it has another by now.
            let known = &pod.status.nominated_node_name;
            if known.is_empty() || now.status.nominated_node_name == *known {
                now.status.nominated_node_name = Str::EMPTY;
            }
        })
        .await
    }

    fn record(&self, pod: &Arc<Pod>, note: Note) {
        if let Some(events) = &self.events {
            events.record(pod, note);
        }
    }

    fn tells(&self) -> bool {
        self.events.is_some()
    }
}

pub(super) fn key(pod: &Pod) -> ObjectKey {
    ObjectKey { namespace: Some(pod.metadata.namespace.clone()), name: pod.metadata.name.clone() }
}

pub(super) fn set_condition(
    pod: &mut Pod,
    kind: PodConditionType,
    status: ConditionStatus,
    reason: &'static str,
    message: &str,
    now: Timestamp,
) {
    let generation = pod.metadata.generation;
    let conditions = &mut pod.status.conditions;
    let position = conditions.iter().position(|condition| condition.type_ == kind);
    let index = position.unwrap_or_else(|| {
        conditions.push(PodCondition { type_: kind, ..PodCondition::default() });
        conditions.len() - 1
    });
    let condition = &mut conditions[index];
    if condition.status != status {
        condition.status = status;
        condition.last_transition_time = Some(Time::from(now));
    }
    condition.observed_generation = generation;
    condition.reason = Str::from(reason);
    condition.message = Str::from(message);
}
