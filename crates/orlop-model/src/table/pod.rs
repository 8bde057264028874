//! Rows of Pods.

use jiff::Timestamp;

use super::{Column, NONE, Row, RowCondition, Tabular, age, or_none, since};
use crate::Time;
use crate::core::v1::{
    ConditionStatus, Container, ContainerRestartPolicy, ContainerState, ContainerStatus, Pod,
    PodConditionType, PodPhase,
};

impl Tabular for Pod {
    const COLUMNS: &'static [Column] = &[
        Column::NAME,
        Column::text("Ready", "How many containers are ready, of how many."),
        Column::text("Status", "What the pod does, by its phase and the states of its containers."),
        Column::text("Restarts", "How often its containers were started again, and when last."),
        Column::AGE,
        Column::text("IP", "Its address.").wide(),
        Column::text("Node", "The node that it is on.").wide(),
        Column::text("Nominated Node", "The node that others were asked to leave for it.").wide(),
        Column::text("Readiness Gates", "How many of its readiness gates are passed, of how many.").wide(),
    ];

    fn row(&self, now: Timestamp) -> Row {
        let summary = Summary::of(self);
        let restarts = match (summary.restarts, summary.last_restart) {
            (0, _) | (_, None) => summary.restarts.to_string(),
            (restarts, last) => format!("{restarts} ({} ago)", since(last, now)),
        };
        // Where both are there and differ, `podIP` is right.
        let ip = self.status.pod_ip.non_empty().or(self.status.pod_ips.first().map(|first| &first.ip));
        let row = Row::new([
            (&self.metadata.name).into(),
            format!("{}/{}", summary.ready, summary.total).into(),
            summary.reason.into(),
            restarts.into(),
            age(self, now),
            ip.map_or_else(|| NONE.into(), or_none),
            or_none(&self.spec.node_name),
            or_none(&self.status.nominated_node_name),
            readiness_gates(self).into(),
        ]);
        let conditions = match self.status.phase {
            PodPhase::Succeeded => vec![completed("Succeeded", "The pod has completed successfully.")],
            PodPhase::Failed => vec![completed("Failed", "The pod failed.")],
            _ => Vec::new(),
        };
        Row { conditions, ..row }
    }
}

/// The status that people see, from the phase, the conditions and the states of the containers.
struct Summary {
    reason: String,
    ready: usize,
    total: usize,
    restarts: i64,
    last_restart: Option<Time>,
}

impl Summary {
    fn of(pod: &Pod) -> Self {
        let status = &pod.status;
        let sidecar =
            |name: &str| pod.spec.init_containers.iter().any(|init| init.name == *name && is_sidecar(init));
        let sidecars = pod.spec.init_containers.iter().filter(|init| is_sidecar(init)).count();
        let gated = status.conditions.iter().any(|condition| {
            condition.type_ == PodConditionType::PodScheduled && condition.reason == "SchedulingGated"
        });
        let reason = match status.reason.non_empty() {
            _ if gated => "SchedulingGated".to_owned(),
            Some(reason) => reason.to_string(),
            None => status.phase.to_string(),
        };
        let mut summary = Self {
            reason,
            ready: 0,
            total: pod.spec.containers.len() + sidecars,
            restarts: 0,
            last_restart: None,
        };
        let (mut sidecar_restarts, mut last_sidecar_restart) = (0, None);
        let mut initializing = false;
        for (index, init) in status.init_container_statuses.iter().enumerate() {
            let is_sidecar = sidecar(&init.name);
            summary.count_restarts(init);
            if is_sidecar {
                sidecar_restarts += i64::from(init.restart_count);
                last_sidecar_restart = last_sidecar_restart.max(ended_last(init));
            }
            if init.state.terminated.as_ref().is_some_and(|terminated| terminated.exit_code == 0) {
                continue;
            }
            if is_sidecar && init.started == Some(true) {
                summary.ready += usize::from(init.ready);
                continue;
            }
            initializing = true;
            summary.reason =
                format!("Init:{}", init_reason(&init.state, index, pod.spec.init_containers.len()));
            break;
        }
        if !initializing || first_is_true(pod, &PodConditionType::Initialized) {
            summary.restarts = sidecar_restarts;
            summary.last_restart = last_sidecar_restart;
            summary.add_containers(pod);
        }
        if pod.metadata.deletion_timestamp.is_some() {
            if status.reason == "NodeLost" {
                summary.reason = "Unknown".to_owned();
            } else if !matches!(status.phase, PodPhase::Succeeded | PodPhase::Failed) {
                summary.reason = "Terminating".to_owned();
            }
        }
        summary
    }

    fn add_containers(&mut self, pod: &Pod) {
        let mut has_running = false;
        for container in pod.status.container_statuses.iter().rev() {
            self.count_restarts(container);
            let state = &container.state;
            if let Some(waiting) = state.waiting.as_ref().filter(|waiting| !waiting.reason.is_empty()) {
                self.reason = waiting.reason.to_string();
            } else if let Some(reason) = terminated_reason(state) {
                self.reason = reason;
            } else if container.ready && state.running.is_some() {
                has_running = true;
                self.ready += 1;
            }
        }
        if self.reason == "Completed" && has_running {
            let ready = is_true(pod, &PodConditionType::Ready);
            self.reason = if ready { "Running" } else { "NotReady" }.to_owned();
        }
    }

    fn count_restarts(&mut self, container: &ContainerStatus) {
        self.restarts += i64::from(container.restart_count);
        self.last_restart = self.last_restart.max(ended_last(container));
    }
}

fn is_sidecar(container: &Container) -> bool {
    container.restart_policy == Some(ContainerRestartPolicy::Always)
}

fn ended_last(container: &ContainerStatus) -> Option<Time> {
    container.last_state.terminated.as_ref().and_then(|terminated| terminated.finished_at)
}

fn init_reason(state: &ContainerState, index: usize, total: usize) -> String {
    if let Some(reason) = terminated_reason(state) {
        return reason;
    }
    match &state.waiting {
        Some(waiting) if !waiting.reason.is_empty() && waiting.reason != "PodInitializing" => {
            waiting.reason.to_string()
        }
        _ => format!("{index}/{total}"),
    }
}

fn terminated_reason(state: &ContainerState) -> Option<String> {
    state.terminated.as_ref().map(|terminated| match (terminated.reason.non_empty(), terminated.signal) {
        (Some(reason), _) => reason.to_string(),
        (None, 0) => format!("ExitCode:{}", terminated.exit_code),
        (None, signal) => format!("Signal:{signal}"),
    })
}

fn is_true(pod: &Pod, type_: &PodConditionType) -> bool {
    let mut conditions = pod.status.conditions.iter();
    conditions.any(|condition| condition.type_ == *type_ && condition.status == ConditionStatus::True)
}

/// Of several conditions of a type the first one counts.
fn first_is_true(pod: &Pod, type_: &PodConditionType) -> bool {
    let mut conditions = pod.status.conditions.iter();
    let first = conditions.find(|condition| condition.type_ == *type_);
    first.is_some_and(|condition| condition.status == ConditionStatus::True)
}

fn readiness_gates(pod: &Pod) -> String {
    let gates = &pod.spec.readiness_gates;
    if gates.is_empty() {
        return NONE.to_owned();
    }
    let passed = gates.iter().filter(|gate| first_is_true(pod, &gate.condition_type)).count();
    format!("{passed}/{}", gates.len())
}

fn completed(reason: &'static str, message: &'static str) -> RowCondition {
    RowCondition { type_: "Completed", status: "True", reason, message }
}
