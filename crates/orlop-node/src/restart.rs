//! When an ended container is started again: restart policies and restart rules.

use orlop_model::core::v1::{
    Container, ContainerRestartPolicy, ContainerRestartRule, ContainerRestartRuleAction,
    ContainerRestartRuleOnExitCodesOperator, Pod, PodSpec, RestartPolicy,
};

use crate::view::{ContainerState, ContainerView, RuntimeView};

pub use orlop_model::pod_resources::is_sidecar;

/// Whether this pod comes from the node itself (a file or URL) instead of the API server.
pub fn is_static(pod: &Pod) -> bool {
    pod.metadata.annotations.get("kubernetes.io/config.source").is_some_and(|source| *source != "api")
}

fn matches(rule: &ContainerRestartRule, exit_code: i32) -> bool {
    let Some(codes) = rule.exit_codes.as_deref() else {
        return false;
    };
    match codes.operator {
        ContainerRestartRuleOnExitCodesOperator::In => codes.values.contains(&exit_code),
        ContainerRestartRuleOnExitCodesOperator::NotIn => !codes.values.contains(&exit_code),
        _ => false,
    }
}

/// The action of the container's first restart rule that knows this exit code. Rules need a policy of the container.
pub fn restart_rule(container: &Container, exit_code: i32) -> Option<&ContainerRestartRuleAction> {
    container.restart_policy.as_ref()?;
    container.restart_policy_rules.iter().find(|rule| matches(rule, exit_code)).map(|rule| &rule.action)
}

/// Whether any container of the pod could ask for a restart of all.
pub(crate) fn may_restart_all(spec: &PodSpec) -> bool {
    spec.init_containers
        .iter()
        .chain(&spec.containers)
        .flat_map(|container| &container.restart_policy_rules)
        .any(|rule| rule.action == ContainerRestartRuleAction::RestartAllContainers)
}

/// Whether a container that ended with this code is to be started again, by its rules, its policy or the pod's.
pub fn restarts_after(container: &Container, spec: &PodSpec, exit_code: i32) -> bool {
    if let Some(policy) = &container.restart_policy {
        let action = restart_rule(container, exit_code);
        if matches!(
            action,
            Some(ContainerRestartRuleAction::Restart | ContainerRestartRuleAction::RestartAllContainers)
        ) {
            return true;
        }
        match policy {
            ContainerRestartPolicy::Always => return true,
            ContainerRestartPolicy::OnFailure => return exit_code != 0,
            ContainerRestartPolicy::Never => return false,
            ContainerRestartPolicy::Other(_) => {}
        }
    }
    match spec.restart_policy {
        RestartPolicy::OnFailure => exit_code != 0,
        RestartPolicy::Never => false,
        RestartPolicy::Always | RestartPolicy::Other(_) => true,
    }
}

/// Whether the container's own policy (else the pod's) forbids every restart.
pub(crate) fn never_restarts(container: &Container, spec: &PodSpec) -> bool {
    match &container.restart_policy {
        Some(policy) => *policy == ContainerRestartPolicy::Never,
        None => spec.restart_policy == RestartPolicy::Never,
    }
}

/// Whether the container's own policy (else the pod's) is to restart failures alone.
pub(crate) fn restarts_failures_only(container: &Container, spec: &PodSpec) -> bool {
    match &container.restart_policy {
        Some(policy) => *policy == ContainerRestartPolicy::OnFailure,
        None => spec.restart_policy == RestartPolicy::OnFailure,
    }
}

/// Whether the next sync starts this container: it never ran, was lost, or has ended and may be started again.
/// Never in a pod that is being deleted.
pub fn should_start(container: &Container, pod: &Pod, seen: &RuntimeView) -> bool {
    if pod.metadata.deletion_timestamp.is_some() {
        return false;
    }
    let Some(current) = seen.container(&container.name) else {
        return true;
    };
    match current.state {
        ContainerState::Running => false,
        ContainerState::Unknown | ContainerState::Created => true,
        ContainerState::Exited => restarts_after(container, &pod.spec, current.exit_code),
    }
}

/// Whether this instance of a plain init container counts as failed.
pub(crate) fn init_failed(current: &ContainerView) -> bool {
    current.state == ContainerState::Exited && (current.exit_code != 0 || current.reason == "OOMKilled")
}
