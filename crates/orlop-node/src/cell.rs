//! What the parts of the agent that serve one pod share.

use std::sync::Arc;
use std::time::Duration;

use orlop_model::Str;
use orlop_model::core::v1::{Pod, PodStatus};
use parking_lot::Mutex;
use tokio::sync::Notify;

use crate::plan::{PodPlan, PodProbes};
use crate::termination::pod_grace;

/// One pod of the node: its newest description, its newest status, the results of its probes.
#[derive(Debug)]
pub(crate) struct PodCell {
    pub(crate) uid: Str,
    state: Mutex<State>,
    /// Something is to be looked at by the pod's worker.
    wake: Notify,
    /// The pod is to end, or to end sooner.
    end: Notify,
    /// Something is to be looked at by the pod's probers.
    probe: Notify,
}

#[derive(Debug)]
struct State {
    pod: Arc<Pod>,
    gone: bool,
    dirty: bool,
    status: Arc<PodStatus>,
    probes: PodProbes,
    /// Somebody waits for the readiness probes.
    triggered: bool,
    /// No liveness or startup probe any more.
    ending: bool,
}

/// Whether `next` asks for something else than `present`; what agents write themselves is left out.
fn differs(present: &Pod, next: &Pod) -> bool {
    let (old, new) = (&present.metadata, &next.metadata);
    let gates = || {
        next.spec.readiness_gates.iter().any(|gate| {
            let status = |pod: &Pod| {
                pod.status
                    .conditions
                    .iter()
                    .find(|c| c.type_ == gate.condition_type)
                    .map(|c| c.status.clone())
            };
            status(present) != status(next)
        })
    };
    old.generation != new.generation
        || old.deletion_timestamp != new.deletion_timestamp
        || old.deletion_grace_period_seconds != new.deletion_grace_period_seconds
        || old.labels != new.labels
        || old.annotations != new.annotations
        || old.generation == 0 && present.spec != next.spec
        || gates()
}

/// Whether `next` is not older than `present`, by resourceVersion where both are numbers.
fn is_newer(present: &Pod, next: &Pod) -> bool {
    let version = |pod: &Pod| pod.metadata.resource_version.parse::<u64>().ok();
    match (version(present), version(next)) {
        (Some(present), Some(next)) => next >= present,
        _ => true,
    }
}

impl PodCell {
    pub(crate) fn new(pod: Arc<Pod>) -> Self {
        let state = State {
            status: Arc::new(pod.status.clone()),
            gone: false,
            dirty: true,
            probes: PodProbes::default(),
            triggered: false,
            ending: false,
            pod,
        };
        let uid = state.pod.metadata.uid.clone();
        Self { uid, state: Mutex::new(state), wake: Notify::new(), end: Notify::new(), probe: Notify::new() }
    }

    /// The pod as last seen.
    pub(crate) fn pod(&self) -> Arc<Pod> {
        Arc::clone(&self.state.lock().pod)
    }

    /// The pod was seen in this state.
    pub(crate) fn set_pod(&self, pod: Arc<Pod>) {
        let mut state = self.state.lock();
        if !is_newer(&state.pod, &pod) {
            return;
        }
        let differs = differs(&state.pod, &pod);
        let ends = pod.metadata.deletion_timestamp.is_some();
        state.pod = pod;
        state.dirty |= differs;
        drop(state);
        if differs {
            self.wake.notify_one();
            if ends {
                self.end.notify_one();
            }
        }
    }

    /// The pod is gone from the API server.
    pub(crate) fn set_gone(&self) {
        let mut state = self.state.lock();
        state.gone = true;
        state.dirty = true;
        drop(state);
        self.wake.notify_one();
        self.end.notify_one();
    }

    pub(crate) fn is_gone(&self) -> bool {
        self.state.lock().gone
    }

    /// The runtime, or a probe, has something new.
    pub(crate) fn touch(&self) {
        self.state.lock().dirty = true;
        self.wake.notify_one();
    }

    /// Waits until something is new.
    pub(crate) async fn dirty(&self) {
        loop {
            if std::mem::take(&mut self.state.lock().dirty) {
                return;
            }
            self.wake.notified().await;
        }
    }

    /// What is to be looked at is being looked at.
    pub(crate) fn take_dirty(&self) {
        self.state.lock().dirty = false;
    }

    pub(crate) fn is_ending(&self) -> bool {
        let state = self.state.lock();
        state.gone || state.pod.metadata.deletion_timestamp.is_some()
    }

    /// Waits until the pod is to end.
    pub(crate) async fn ending(&self) {
        while !self.is_ending() {
            self.end.notified().await;
        }
    }

    /// Waits until the pod is to end sooner than `grace` allows.
    pub(crate) async fn sooner_than(&self, grace: Duration) {
        while pod_grace(&self.pod(), Some(grace)) >= grace {
            self.end.notified().await;
        }
    }

    pub(crate) fn status(&self) -> Arc<PodStatus> {
        Arc::clone(&self.state.lock().status)
    }

    /// Reads or changes pod, status and probe results at one moment.
    pub(crate) fn with<T>(&self, read: impl FnOnce(&Arc<Pod>, &PodStatus, &mut PodProbes) -> T) -> T {
        let mut state = self.state.lock();
        let State { pod, status, probes, .. } = &mut *state;
        read(pod, status, probes)
    }

    /// A new status; asks the readiness probes at once for what has started and is not ready.
    pub(crate) fn set_status(&self, status: PodStatus) {
        let waits =
            status.container_statuses.iter().chain(&status.init_container_statuses).any(|container| {
                container.started == Some(true) && !container.ready && container.state.running.is_some()
            });
        let mut state = self.state.lock();
        state.status = Arc::new(status);
        state.triggered |= waits;
        drop(state);
        if waits {
            self.probe.notify_one();
        }
    }

    /// The pod ends: liveness and startup do not count any more.
    pub(crate) fn stop_probes(&self) {
        self.state.lock().ending = true;
        self.probe.notify_one();
    }

    /// Whether the readiness probes were asked for, and whether the pod ends.
    pub(crate) fn take_triggered(&self) -> (bool, bool) {
        let mut state = self.state.lock();
        (std::mem::take(&mut state.triggered), state.ending)
    }

    pub(crate) async fn probe_wanted(&self) {
        self.probe.notified().await;
    }

    /// Makes a plan from the probes' present results.
    pub(crate) fn plan(&self, make: impl FnOnce(&Pod, &PodProbes) -> PodPlan) -> PodPlan {
        let state = self.state.lock();
        make(&state.pod, &state.probes)
    }
}
