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
        let Some(known) =
            known.find(|known| known.name == container.name).filter(|known| !known.container_id.is_empty())
        else {
            return Next::Wait;
        };
        let running = known.state.running.as_deref();
        let started_at = running.and_then(|running| running.started_at).map(|time| time.timestamp());
        let id = runtime_id(&known.container_id);
        if self.container_id != *id {
            results.remove(&self.container_id);
            self.container_id = id.into();
            self.on_hold = false;
            let inherited = started_at
                .is_some_and(|at| at.saturating_add(INHERITED).is_ok_and(|held| held < agent_started));
            if !inherited {
                results.set(id, self.kind.initial());
            } else if self.kind == ProbeKind::Startup && known.started == Some(true) && is_sidecar(container)
            {
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
        let Some(probe) = self.kind.of(container) else {
            return Next::Stop;
        };
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_772_366_400 + seconds).unwrap()
    }

    /// One container whose probe of any kind waits 5 s, fails after 3 failures and succeeds after 2 successes.
    fn pod() -> Pod {
        let probe = json!({"tcpSocket": {"port": 1}, "initialDelaySeconds": 5, "failureThreshold": 3, "successThreshold": 2});
        let container =
            json!({"name": "app", "livenessProbe": probe, "readinessProbe": probe, "startupProbe": probe});
        serde_json::from_value(json!({"spec": {"restartPolicy": "Always", "containers": [container]}}))
            .unwrap()
    }

    fn status(id: &str, started: bool, state: serde_json::Value) -> PodStatus {
        let container = json!({"name": "app", "containerID": format!("containerd://{id}"), "started": started, "state": state});
        serde_json::from_value(json!({"phase": "Running", "containerStatuses": [container]})).unwrap()
    }

    fn running(id: &str, started: bool) -> PodStatus {
        status(id, started, json!({"running": {"startedAt": "2026-03-01T12:00:00Z"}}))
    }

    struct Probing {
        pod: Pod,
        prober: Prober,
        results: ProbeResults,
    }

    impl Probing {
        fn new(kind: ProbeKind) -> Self {
            Self { pod: pod(), prober: Prober::new(kind), results: ProbeResults::default() }
        }

        fn tick(&mut self, status: &PodStatus, seconds: i64) -> Next {
            let container = self.pod.spec.containers[0].clone();
            self.prober.tick(&self.pod, status, &container, &mut self.results, at(-100), at(seconds))
        }

        fn answers(&mut self, answers: &[bool]) -> Option<ProbeOutcome> {
            let probe = self.prober.kind().of(&self.pod.spec.containers[0]).unwrap().clone();
            for answer in answers {
                self.prober.answered(&probe, Some(*answer), &mut self.results);
            }
            self.results.get(&self.prober.container_id().clone())
        }
    }

    #[test]
    fn results_begin_as_each_kind_needs_them() {
        for (kind, first) in [
            (ProbeKind::Liveness, ProbeOutcome::Success),
            (ProbeKind::Readiness, ProbeOutcome::Failure),
            (ProbeKind::Startup, ProbeOutcome::Unknown),
        ] {
            let mut probing = Probing::new(kind);
            assert_eq!(probing.tick(&PodStatus::default(), 0), Next::Wait);
            assert_eq!(probing.results, ProbeResults::default());
            probing.tick(&running("c1", false), 0);
            assert_eq!(probing.results.get("c1"), Some(first), "{kind:?}");
            // What runs since long before the agent keeps what was said of it.
            let mut inherited = Probing::new(kind);
            let container = inherited.pod.spec.containers[0].clone();
            inherited.prober.tick(
                &inherited.pod,
                &running("c1", true),
                &container,
                &mut inherited.results,
                at(11),
                at(20),
            );
            assert_eq!(inherited.results.get("c1"), None, "{kind:?}");
        }
    }

    #[test]
    fn the_delay_is_waited_for_and_startup_comes_first() {
        let mut readiness = Probing::new(ProbeKind::Readiness);
        assert_eq!(readiness.tick(&running("c1", true), 4), Next::Wait);
        assert_eq!(readiness.tick(&running("c1", true), 5), Next::Probe);
        assert_eq!(readiness.tick(&running("c1", false), 6), Next::Wait);
        let mut startup = Probing::new(ProbeKind::Startup);
        assert_eq!(startup.tick(&running("c1", false), 6), Next::Probe);
        assert_eq!(startup.tick(&running("c1", true), 6), Next::Wait);
    }

    #[test]
    fn thresholds_count_equal_answers_in_a_row() {
        let mut readiness = Probing::new(ProbeKind::Readiness);
        readiness.tick(&running("c1", true), 9);
        assert_eq!(readiness.answers(&[true]), Some(ProbeOutcome::Failure));
        assert_eq!(readiness.answers(&[true]), Some(ProbeOutcome::Success));
        assert_eq!(readiness.answers(&[false, false, true, false, false]), Some(ProbeOutcome::Success));
        assert_eq!(readiness.answers(&[false]), Some(ProbeOutcome::Failure));
        let probe = readiness.pod.spec.containers[0].readiness_probe.clone().unwrap();
        assert!(!readiness.prober.answered(&probe, None, &mut readiness.results), "an error says nothing");
    }

    #[test]
    fn a_failed_liveness_probe_waits_for_the_next_container() {
        let mut liveness = Probing::new(ProbeKind::Liveness);
        assert_eq!(liveness.tick(&running("c1", true), 9), Next::Probe);
        assert_eq!(liveness.answers(&[false, false, false]), Some(ProbeOutcome::Failure));
        assert_eq!(liveness.tick(&running("c1", true), 19), Next::Wait);
        assert_eq!(liveness.tick(&running("c2", true), 29), Next::Probe);
        assert_eq!(
            (liveness.results.get("c1"), liveness.results.get("c2")),
            (None, Some(ProbeOutcome::Success))
        );
    }

    #[test]
    fn probing_ends_with_the_container() {
        let ended = status("c1", true, json!({"terminated": {"exitCode": 1}}));
        let mut readiness = Probing::new(ProbeKind::Readiness);
        readiness.tick(&running("c1", true), 9);
        assert_eq!(readiness.answers(&[true, true]), Some(ProbeOutcome::Success));
        assert_eq!(readiness.tick(&ended, 9), Next::Wait, "it is restarted");
        assert_eq!(readiness.results.get("c1"), Some(ProbeOutcome::Failure));
        readiness.pod.spec.restart_policy = "Never".into();
        assert_eq!(readiness.tick(&ended, 9), Next::Stop);

        let mut liveness = Probing::new(ProbeKind::Liveness);
        liveness.pod.metadata.deletion_timestamp = Some(at(0).into());
        assert_eq!(liveness.tick(&running("c1", true), 9), Next::Stop);
        let mut finished = running("c1", true);
        finished.phase = PodPhase::Failed;
        assert_eq!(Probing::new(ProbeKind::Readiness).tick(&finished, 9), Next::Stop);
    }
}
