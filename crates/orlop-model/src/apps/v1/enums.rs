//! Enumerations of this version.

crate::open_enum! {
    /// Replacement modes of a daemon set: automatic in steps or only after manual deletion.
    pub enum DaemonSetUpdateStrategyType: closed {
        RollingUpdate = "RollingUpdate",
        OnDelete = "OnDelete",
    }

    /// Aspects observed of a deployment: enough pods available, rollout advancing, pod creation failing.
    pub enum DeploymentConditionType {
        Available = "Available",
        Progressing = "Progressing",
        ReplicaFailure = "ReplicaFailure",
    }

    /// Replacement modes of a deployment: all at once after a stop, or gradually.
    pub enum DeploymentStrategyType: closed {
        Recreate = "Recreate",
        RollingUpdate = "RollingUpdate",
    }

    /// What happens to claims that a stateful set made: they stay or are deleted.
    pub enum PersistentVolumeClaimRetentionPolicyType {
        Retain = "Retain",
        Delete = "Delete",
    }

    /// Whether a stateful set starts and stops pods one after another or all together.
    pub enum PodManagementPolicyType: closed {
        OrderedReady = "OrderedReady",
        Parallel = "Parallel",
    }

    /// Aspects observed of a replica set; `ReplicaFailure` means pods could not be created or deleted.
    pub enum ReplicaSetConditionType {
        ReplicaFailure = "ReplicaFailure",
    }

    /// Replacement modes of a stateful set: ordered automatic update or only after manual deletion.
    pub enum StatefulSetUpdateStrategyType: closed {
        RollingUpdate = "RollingUpdate",
        OnDelete = "OnDelete",
    }
}
