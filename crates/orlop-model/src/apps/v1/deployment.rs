//! Deployments.

use super::{DeploymentConditionType, DeploymentStrategyType};
use crate::{Extra, IntOrString, List, Message, Object, Str, Time};

/// The kind `Deployment` of `apps/v1`.
#[derive(Clone, Debug, Default, PartialEq, Object)]
#[object(group = "apps", version = "v1", short = "deploy", categories = "all", status, scale)]
pub struct Deployment {
    #[wire(pb = 1)]
    pub metadata: crate::meta::v1::ObjectMeta,
    #[wire(pb = 2)]
    pub spec: DeploymentSpec,
    #[wire(pb = 3)]
    pub status: DeploymentStatus,
    #[wire(extra)]
    pub extra: Extra,
}

/// `DeploymentCondition` of `apps/v1`.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct DeploymentCondition {
    #[wire(pb = 1, required)]
    pub type_: DeploymentConditionType,
    #[wire(pb = 2, required)]
    pub status: crate::core::v1::ConditionStatus,
    #[wire(pb = 6, required)]
    pub last_update_time: Option<Time>,
    #[wire(pb = 7, required)]
    pub last_transition_time: Option<Time>,
    #[wire(pb = 4)]
    pub reason: Str,
    #[wire(pb = 5)]
    pub message: Str,
    #[wire(extra)]
    pub extra: Extra,
}

/// `DeploymentSpec` of `apps/v1`.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct DeploymentSpec {
    #[wire(pb = 1)]
    pub replicas: Option<i32>,
    #[wire(pb = 2, required, map = "atomic")]
    pub selector: Option<Box<crate::meta::v1::LabelSelector>>,
    #[wire(pb = 3)]
    pub template: crate::core::v1::PodTemplateSpec,
    #[wire(pb = 4, patch = "retainKeys")]
    pub strategy: DeploymentStrategy,
    #[wire(pb = 5)]
    pub min_ready_seconds: i32,
    #[wire(pb = 6)]
    pub revision_history_limit: Option<i32>,
    #[wire(pb = 7)]
    pub paused: bool,
    #[wire(pb = 9)]
    pub progress_deadline_seconds: Option<i32>,
    #[wire(extra)]
    pub extra: Extra,
}

/// `DeploymentStatus` of `apps/v1`.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct DeploymentStatus {
    #[wire(pb = 1)]
    pub observed_generation: i64,
    #[wire(pb = 2)]
    pub replicas: i32,
    #[wire(pb = 3)]
    pub updated_replicas: i32,
    #[wire(pb = 7)]
    pub ready_replicas: i32,
    #[wire(pb = 4)]
    pub available_replicas: i32,
    #[wire(pb = 5)]
    pub unavailable_replicas: i32,
    #[wire(pb = 9)]
    pub terminating_replicas: Option<i32>,
    #[wire(pb = 6, list = "map", keys = "type", patch = "merge", merge_key = "type")]
    pub conditions: List<DeploymentCondition>,
    #[wire(pb = 8)]
    pub collision_count: Option<i32>,
    #[wire(extra)]
    pub extra: Extra,
}

/// `DeploymentStrategy` of `apps/v1`.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct DeploymentStrategy {
    #[wire(pb = 1)]
    pub type_: DeploymentStrategyType,
    #[wire(pb = 2)]
    pub rolling_update: Option<Box<RollingUpdateDeployment>>,
    #[wire(extra)]
    pub extra: Extra,
}

/// `RollingUpdateDeployment` of `apps/v1`.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct RollingUpdateDeployment {
    #[wire(pb = 1)]
    pub max_unavailable: Option<IntOrString>,
    #[wire(pb = 2)]
    pub max_surge: Option<IntOrString>,
    #[wire(extra)]
    pub extra: Extra,
}
