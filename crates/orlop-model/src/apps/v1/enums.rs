//! Enumerations of this version.

crate::open_enum! {
    /// Texts of `DeploymentConditionType`.
    pub enum DeploymentConditionType {
        Available = "Available",
        Progressing = "Progressing",
        ReplicaFailure = "ReplicaFailure",
    }

    /// Texts of `DeploymentStrategyType`.
    pub enum DeploymentStrategyType {
        Recreate = "Recreate",
        RollingUpdate = "RollingUpdate",
    }

    /// Texts of `ReplicaSetConditionType`.
    pub enum ReplicaSetConditionType {
        ReplicaFailure = "ReplicaFailure",
    }
}
