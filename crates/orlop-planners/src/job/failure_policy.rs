//! What a failed pod means for its Job: the pod failure policy.

use orlop_model::batch::v1::{
    PodFailurePolicy, PodFailurePolicyAction, PodFailurePolicyOnExitCodesOperator,
    PodFailurePolicyOnExitCodesRequirement, PodFailurePolicyOnPodConditionsPattern,
};
use orlop_model::core::v1::{ContainerStatus, Pod, PodCondition};

/// What the first matching rule of a policy says of a failed pod.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// No rule matches, or one that counts: the failure counts towards the limits.
    Counted,
    /// The failure counts for nothing.
    Ignored,
    /// The failure counts, and the pod's index has failed at once.
    FailsIndex,
    /// The failure counts, and the Job has failed at once, with this message.
    FailsJob(String),
}

impl Failure {
    /// What `policy` says of `pod`, which has failed. Without a policy every failure counts.
    #[must_use]
    pub fn of(pod: &Pod, policy: Option<&PodFailurePolicy>) -> Self {
        for (index, rule) in policy.iter().flat_map(|policy| policy.rules.iter()).enumerate() {
            let place = || format!("{}/{}", pod.metadata.namespace, pod.metadata.name);
            let message = if let Some(requirement) = &rule.on_exit_codes {
                let Some((status, code)) = matching_exit(pod, requirement) else {
                    continue;
                };
                format!(
                    "Container {} for pod {} failed with exit code {code} matching {} rule at index {index}",
                    status.name,
                    place(),
                    rule.action.as_str(),
                )
            } else {
                let Some(condition) = matching_condition(pod, &rule.on_pod_conditions) else {
                    continue;
                };
                format!(
                    "Pod {} has condition {} matching {} rule at index {index}",
                    place(),
                    condition.type_.as_str(),
                    rule.action.as_str(),
                )
            };
            return match rule.action {
                PodFailurePolicyAction::Ignore => Self::Ignored,
                PodFailurePolicyAction::FailIndex => Self::FailsIndex,
                PodFailurePolicyAction::FailJob => Self::FailsJob(message),
                PodFailurePolicyAction::Count => Self::Counted,
                // An action of a later version decides nothing here.
                PodFailurePolicyAction::Other(_) => continue,
            };
        }
        Self::Counted
    }

    /// Whether the failure counts towards back-off limits.
    #[must_use]
    pub fn counts(&self) -> bool {
        *self != Self::Ignored
    }
}

/// The first terminated container, regular ones first, whose exit code the rule names.
fn matching_exit<'a>(
    pod: &'a Pod,
    requirement: &PodFailurePolicyOnExitCodesRequirement,
) -> Option<(&'a ContainerStatus, i32)> {
    let statuses = pod.status.container_statuses.iter().chain(&pod.status.init_container_statuses);
    statuses
        .filter_map(|status| Some((status, status.state.terminated.as_ref()?.exit_code)))
        .filter(|(status, _)| requirement.container_name.as_ref().is_none_or(|name| *name == status.name))
        .find(|(_, code)| {
            let listed = requirement.values.contains(code);
            *code != 0
                && match requirement.operator {
                    PodFailurePolicyOnExitCodesOperator::In => listed,
                    PodFailurePolicyOnExitCodesOperator::NotIn => !listed,
                    PodFailurePolicyOnExitCodesOperator::Other(_) => false,
                }
        })
}

/// The first condition of the pod that one of the patterns names.
fn matching_condition<'a>(
    pod: &'a Pod,
    patterns: &[PodFailurePolicyOnPodConditionsPattern],
) -> Option<&'a PodCondition> {
    pod.status.conditions.iter().find(|condition| {
        patterns.iter().any(|pattern| pattern.type_ == condition.type_ && pattern.status == condition.status)
    })
}
