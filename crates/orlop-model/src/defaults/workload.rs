//! Defaults of Deployments, ReplicaSets and Jobs.

use super::{SetDefaults, pod};
use crate::IntOrString;
use crate::apps::v1::{Deployment, DeploymentStrategyType, ReplicaSet};
use crate::batch::v1::{CompletionMode, Job, PodReplacementPolicy};
use crate::core::v1::ConditionStatus;

impl SetDefaults for Deployment {
    fn set_defaults(&mut self) {
        let spec = &mut self.spec;
        spec.replicas.get_or_insert(1);
        let strategy = &mut spec.strategy;
        if strategy.type_.is_empty() {
            strategy.type_ = DeploymentStrategyType::RollingUpdate;
        }
        if strategy.type_ == DeploymentStrategyType::RollingUpdate {
            let bounds = strategy.rolling_update.get_or_insert_default();
            for bound in [&mut bounds.max_unavailable, &mut bounds.max_surge] {
                bound.get_or_insert_with(|| IntOrString::from("25%"));
            }
        }
        spec.revision_history_limit.get_or_insert(10);
        spec.progress_deadline_seconds.get_or_insert(600);
        pod::spec(&mut spec.template.spec);
    }
}

impl SetDefaults for ReplicaSet {
    fn set_defaults(&mut self) {
        self.spec.replicas.get_or_insert(1);
        pod::spec(&mut self.spec.template.spec);
    }
}

impl SetDefaults for Job {
    fn set_defaults(&mut self) {
        let spec = &mut self.spec;
        if spec.completions.is_none() && spec.parallelism.is_none() {
            spec.completions = Some(1);
        }
        spec.parallelism.get_or_insert(1);
        let backoff_limit = if spec.backoff_limit_per_index.is_some() { i32::MAX } else { 6 };
        spec.backoff_limit.get_or_insert(backoff_limit);
        if self.metadata.labels.is_empty() {
            self.metadata.labels = spec.template.metadata.labels.clone();
        }
        spec.completion_mode.get_or_insert(CompletionMode::NonIndexed);
        spec.suspend.get_or_insert(false);
        let rules = spec.pod_failure_policy.iter_mut().flat_map(|policy| &mut policy.rules);
        for condition in rules.flat_map(|rule| &mut rule.on_pod_conditions) {
            if condition.status.is_empty() {
                condition.status = ConditionStatus::True;
            }
        }
        let replacement = match spec.pod_failure_policy {
            Some(_) => PodReplacementPolicy::Failed,
            None => PodReplacementPolicy::TerminatingOrFailed,
        };
        spec.pod_replacement_policy.get_or_insert(replacement);
        spec.manual_selector.get_or_insert(false);
        pod::spec(&mut spec.template.spec);
    }
}
