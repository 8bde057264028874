//! Enumerations of this version.

crate::open_enum! {
    /// Texts of `CompletionMode`.
    pub enum CompletionMode {
        NonIndexed = "NonIndexed",
        Indexed = "Indexed",
    }

    /// Texts of `JobConditionType`.
    pub enum JobConditionType {
        Suspended = "Suspended",
        Complete = "Complete",
        Failed = "Failed",
        FailureTarget = "FailureTarget",
        SuccessCriteriaMet = "SuccessCriteriaMet",
    }

    /// Texts of `PodFailurePolicyAction`.
    pub enum PodFailurePolicyAction {
        FailJob = "FailJob",
        FailIndex = "FailIndex",
        Ignore = "Ignore",
        Count = "Count",
    }

    /// Texts of `PodFailurePolicyOnExitCodesOperator`.
    pub enum PodFailurePolicyOnExitCodesOperator {
        In = "In",
        NotIn = "NotIn",
    }

    /// Texts of `PodReplacementPolicy`.
    pub enum PodReplacementPolicy {
        TerminatingOrFailed = "TerminatingOrFailed",
        Failed = "Failed",
    }
}
