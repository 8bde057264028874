//! Enumerations of this version.

crate::open_enum! {
    /// Whether completions of a job are interchangeable or each belongs to a numbered index.
    pub enum CompletionMode: closed {
        NonIndexed = "NonIndexed",
        Indexed = "Indexed",
    }

    /// What a cron job does when a run is due while an earlier one is still active.
    pub enum ConcurrencyPolicy: closed {
        Allow = "Allow",
        Forbid = "Forbid",
        Replace = "Replace",
    }

    /// Aspects observed of a job; `Complete` and `Failed` are final, `SuccessCriteriaMet` and `FailureTarget`
    /// announce them.
    pub enum JobConditionType {
        Suspended = "Suspended",
        Complete = "Complete",
        Failed = "Failed",
        FailureTarget = "FailureTarget",
        SuccessCriteriaMet = "SuccessCriteriaMet",
    }

    /// Reactions to a failed pod: fail the job, fail its index, disregard it, or count it normally.
    pub enum PodFailurePolicyAction: closed {
        FailJob = "FailJob",
        FailIndex = "FailIndex",
        Ignore = "Ignore",
        Count = "Count",
    }

    /// Whether exit codes must or must not be among the listed values.
    pub enum PodFailurePolicyOnExitCodesOperator: closed {
        In = "In",
        NotIn = "NotIn",
    }

    /// When a job creates replacements: already while pods terminate, or only after they have fully failed.
    pub enum PodReplacementPolicy: closed {
        TerminatingOrFailed = "TerminatingOrFailed",
        Failed = "Failed",
    }
}
