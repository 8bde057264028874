//! Defaults of Deployments, ReplicaSets, ReplicationControllers, StatefulSets, DaemonSets, Jobs and CronJobs.

use super::{SetDefaults, pod};
use crate::IntOrString;
use crate::apps::v1::{
    DaemonSet, DaemonSetUpdateStrategyType, Deployment, DeploymentStrategyType,
    PersistentVolumeClaimRetentionPolicyType, PodManagementPolicyType, ReplicaSet, StatefulSet,
    StatefulSetUpdateStrategyType,
};
use crate::batch::v1::{CompletionMode, ConcurrencyPolicy, CronJob, Job, JobSpec, PodReplacementPolicy};
use crate::core::v1::{ConditionStatus, ReplicationController};

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

impl SetDefaults for ReplicationController {
    fn set_defaults(&mut self) {
        let spec = &mut self.spec;
        if let Some(template) = &mut spec.template {
            if spec.selector.is_empty() {
                spec.selector = template.metadata.labels.clone();
            }
            if self.metadata.labels.is_empty() {
                self.metadata.labels = template.metadata.labels.clone();
            }
            pod::spec(&mut template.spec);
        }
        spec.replicas.get_or_insert(1);
    }
}

impl SetDefaults for StatefulSet {
    fn set_defaults(&mut self) {
        let spec = &mut self.spec;
        if spec.pod_management_policy.is_empty() {
            spec.pod_management_policy = PodManagementPolicyType::OrderedReady;
        }
        let strategy = &mut spec.update_strategy;
        if strategy.type_.is_empty() {
            strategy.type_ = StatefulSetUpdateStrategyType::RollingUpdate;
            strategy.rolling_update.get_or_insert_default();
        }
        if strategy.type_ == StatefulSetUpdateStrategyType::RollingUpdate
            && let Some(rolling_update) = &mut strategy.rolling_update
        {
            rolling_update.partition.get_or_insert(0);
        }
        let retention = spec.persistent_volume_claim_retention_policy.get_or_insert_default();
        for policy in [&mut retention.when_deleted, &mut retention.when_scaled] {
            if policy.is_empty() {
                *policy = PersistentVolumeClaimRetentionPolicyType::Retain;
            }
        }
        spec.replicas.get_or_insert(1);
        spec.revision_history_limit.get_or_insert(10);
        pod::spec(&mut spec.template.spec);
        spec.volume_claim_templates.iter_mut().for_each(SetDefaults::set_defaults);
    }
}

impl SetDefaults for DaemonSet {
    fn set_defaults(&mut self) {
        let spec = &mut self.spec;
        let strategy = &mut spec.update_strategy;
        if strategy.type_.is_empty() {
            strategy.type_ = DaemonSetUpdateStrategyType::RollingUpdate;
        }
        if strategy.type_ == DaemonSetUpdateStrategyType::RollingUpdate {
            let bounds = strategy.rolling_update.get_or_insert_default();
            bounds.max_unavailable.get_or_insert(IntOrString::Int(1));
            bounds.max_surge.get_or_insert(IntOrString::Int(0));
        }
        spec.revision_history_limit.get_or_insert(10);
        pod::spec(&mut spec.template.spec);
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
        let replacement = match spec.pod_failure_policy {
            Some(_) => PodReplacementPolicy::Failed,
            None => PodReplacementPolicy::TerminatingOrFailed,
        };
        spec.pod_replacement_policy.get_or_insert(replacement);
        spec.manual_selector.get_or_insert(false);
        job_parts(spec);
    }
}

impl SetDefaults for CronJob {
    /// The Jobs that it makes get the defaults of their own when they are created.
    fn set_defaults(&mut self) {
        let spec = &mut self.spec;
        if spec.concurrency_policy.is_empty() {
            spec.concurrency_policy = ConcurrencyPolicy::Allow;
        }
        spec.suspend.get_or_insert(false);
        spec.successful_jobs_history_limit.get_or_insert(3);
        spec.failed_jobs_history_limit.get_or_insert(1);
        job_parts(&mut spec.job_template.spec);
    }
}

/// What holds for Jobs and for templates of Jobs alike.
fn job_parts(spec: &mut JobSpec) {
    let rules = spec.pod_failure_policy.iter_mut().flat_map(|policy| &mut policy.rules);
    for condition in rules.flat_map(|rule| &mut rule.on_pod_conditions) {
        if condition.status.is_empty() {
            condition.status = ConditionStatus::True;
        }
    }
    pod::spec(&mut spec.template.spec);
}
