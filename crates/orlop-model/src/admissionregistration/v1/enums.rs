//! Enumerations of this version.

crate::open_enum! {
    /// Reactions to errors of a webhook or policy: let the request pass, or reject it.
    pub enum FailurePolicyType: closed {
        Ignore = "Ignore",
        Fail = "Fail",
    }

    /// Ways to compare rules with requests: as written, or through equivalent API groups and versions too.
    pub enum MatchPolicyType: closed {
        Exact = "Exact",
        Equivalent = "Equivalent",
    }

    /// Request operations that admission rules can match; `*` stands for all.
    pub enum OperationType: closed {
        Create = "CREATE",
        Update = "UPDATE",
        Delete = "DELETE",
        Connect = "CONNECT",
        All = "*",
    }

    /// Reactions of a binding to missing parameter objects.
    pub enum ParameterNotFoundActionType {
        Allow = "Allow",
        Deny = "Deny",
    }

    /// Forms in which a mutating policy expresses its change.
    pub enum PatchType: closed {
        ApplyConfiguration = "ApplyConfiguration",
        JSONPatch = "JSONPatch",
    }

    /// Whether a mutating webhook or policy may run a second time in one admission pass.
    pub enum ReinvocationPolicyType: closed {
        Never = "Never",
        IfNeeded = "IfNeeded",
    }

    /// Resource scopes that a rule can be limited to; `*` stands for both.
    pub enum ScopeType: closed {
        Cluster = "Cluster",
        Namespaced = "Namespaced",
        All = "*",
    }

    /// Declared effects of a webhook outside its answer, decisive for dry-run; `v1` accepts only `None` and
    /// `NoneOnDryRun`.
    pub enum SideEffectClass: closed {
        Unknown = "Unknown",
        None = "None",
        Some = "Some",
        NoneOnDryRun = "NoneOnDryRun",
    }

    /// Reactions to a failed validation: reject, warn the client, or note it in the audit event.
    pub enum ValidationAction: closed {
        Deny = "Deny",
        Warn = "Warn",
        Audit = "Audit",
    }
}
