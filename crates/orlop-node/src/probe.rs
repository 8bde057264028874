//! Probing: results, and when to probe next, as a state machine without clock or I/O.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use orlop_model::Str;
use orlop_model::core::v1::{Container, Pod, PodPhase, PodStatus, Probe};

use crate::restart::{is_sidecar, restarts_after};
use crate::status::{INHERITED, runtime_id};

/// What a probe is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ProbeKind {
    /// Its failure kills the container.
    Liveness,
    /// Its success puts the pod behind its Services.
    Readiness,
    /// The others wait for its success; its failure kills the container.
    Startup,
}

impl ProbeKind {
    /// All kinds.
    pub const ALL: [Self; 3] = [Self::Liveness, Self::Readiness, Self::Startup];

    /// As events name it: `Liveness`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Liveness => "Liveness",
            Self::Readiness => "Readiness",
            Self::Startup => "Startup",
        }
    }

    /// The container's probe of this kind.
    pub fn of(self, container: &Container) -> Option<&Probe> {
        match self {
            Self::Liveness => container.liveness_probe.as_deref(),
            Self::Readiness => container.readiness_probe.as_deref(),
            Self::Startup => container.startup_probe.as_deref(),
        }
    }

    fn initial(self) -> ProbeOutcome {
        match self {
            Self::Liveness => ProbeOutcome::Success,
            Self::Readiness => ProbeOutcome::Failure,
            Self::Startup => ProbeOutcome::Unknown,
        }
    }
}

/// What probing says about a container.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ProbeOutcome {
    /// It is well.
    Success,
    /// It is not.
    Failure,
    /// Nobody knows yet.
    Unknown,
}

/// The published results of one kind of probe, by container id. A container without an entry has no result yet.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProbeResults(BTreeMap<Str, ProbeOutcome>);

impl ProbeResults {
    /// The result for this container id.
    pub fn get(&self, id: &str) -> Option<ProbeOutcome> {
        self.0.get(id).copied()
    }

    /// Publishes a result; answers whether it is another one than before.
    pub fn set(&mut self, id: impl Into<Str>, outcome: ProbeOutcome) -> bool {
        self.0.insert(id.into(), outcome) != Some(outcome)
    }

    /// Forgets a container.
    pub fn remove(&mut self, id: &str) {
        self.0.remove(id);
    }
}

impl<K: Into<Str>> FromIterator<(K, ProbeOutcome)> for ProbeResults {
    fn from_iter<I: IntoIterator<Item = (K, ProbeOutcome)>>(results: I) -> Self {
        Self(results.into_iter().map(|(id, outcome)| (id.into(), outcome)).collect())
    }
}

/// What a prober does next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Next {
    /// Nothing at this tick.
    Wait,
    /// Run the probe now, then call [`Prober::answered`].
    Probe,
    /// Never again: the container, or its pod, is done.
    Stop,
}

/// The prober of one container for one kind of probe.
///
/// It is asked at each tick: once at its start, then every `periodSeconds`, and when somebody waits for its answer.
#[derive(Clone, Debug)]
pub struct Prober {
    kind: ProbeKind,
    container_id: Str,
    on_hold: bool,
    last: Option<ProbeOutcome>,
    run: i32,
}

impl Prober {
    /// A prober that has not looked yet.
    pub fn new(kind: ProbeKind) -> Self {
        Self { kind, container_id: Str::EMPTY, on_hold: false, last: None, run: 0 }
    }

    /// The kind of its probe.
    pub fn kind(&self) -> ProbeKind {
        self.kind
    }

    /// The container it looks at, empty before it saw one.
    pub fn container_id(&self) -> &Str {
        &self.container_id
    }

    /// What to do at this tick, by the pod's present status. Results that need no probe are published into `results`.
    ///
    /// `container` is the pod's container that this prober is for; `agent_started` is when the agent was started.
    pub fn tick(
        &mut self,
        pod: &Pod,
        status: &PodStatus,
        container: &Container,
        results: &mut ProbeResults,
        agent_started: Timestamp,
        now: Timestamp,
    ) -> Next {
        if matches!(status.phase, PodPhase::Failed | PodPhase::Succeeded) {
            return Next::Stop;
        }
        let mut known = status.container_statuses.iter().chain(&status.init_container_statuses);
        let Some(known) = known.find(|known| known.name == container.name).filter(|known| !known.container_id.is_empty()) else {
            return Next::Wait;
        };
        let running = known.state.running.as_deref();
        let started_at = running.and_then(|running| running.started_at).map(|time| time.timestamp());
        let id = runtime_id(&known.container_id);
        if self.container_id != *id {
            results.remove(&self.container_id);
            self.container_id = id.into();
            self.on_hold = false;
            let inherited =
                started_at.is_some_and(|at| at.saturating_add(INHERITED).is_ok_and(|held| held < agent_started));
            if !inherited {
                results.set(id, self.kind.initial());
            } else if self.kind == ProbeKind::Startup && known.started == Some(true) && is_sidecar(container) {
                results.set(id, ProbeOutcome::Success);
            }
        }
        if self.on_hold {
            return Next::Wait;
        }
        if running.is_none() {
            results.set(id, ProbeOutcome::Failure);
            return match &known.state.terminated {
                Some(ended) if !restarts_after(container, &pod.spec, ended.exit_code) => Next::Stop,
                _ => Next::Wait,
            };
        }
        if pod.metadata.deletion_timestamp.is_some() && self.kind != ProbeKind::Readiness {
            results.set(id, ProbeOutcome::Success);
            return Next::Stop;
        }
        let Some(probe) = self.kind.of(container) else { return Next::Stop };
        let age = started_at.map_or(SignedDuration::ZERO, |at| now.duration_since(at));
        if age.as_secs() < i64::from(probe.initial_delay_seconds) {
            return Next::Wait;
        }
        // Until the container has started only the startup probe runs, afterwards only the others.
        if (known.started == Some(true)) == (self.kind == ProbeKind::Startup) {
            return Next::Wait;
        }
        Next::Probe
    }

    /// Takes a probe's answer; `None` is an error of the prober itself, which says nothing about the container.
    /// Answers whether another result was published.
    pub fn answered(&mut self, probe: &Probe, answer: Option<bool>, results: &mut ProbeResults) -> bool {
        let Some(well) = answer else { return false };
        let outcome = if well { ProbeOutcome::Success } else { ProbeOutcome::Failure };
        if self.last == Some(outcome) {
            self.run = self.run.saturating_add(1);
        } else {
            self.last = Some(outcome);
            self.run = 1;
        }
        let threshold = if well { probe.success_threshold } else { probe.failure_threshold };
        if self.run < threshold {
            return false;
        }
        let changed = results.set(self.container_id.clone(), outcome);
        if self.kind == ProbeKind::Startup || self.kind == ProbeKind::Liveness && !well {
            // The container is about to be killed, or has started for good: no probe must disturb it.
            self.on_hold = true;
            self.run = 0;
        }
        changed
    }
}
