//! Enumerations of this version.

crate::open_enum! {
    /// Whether unready pods may be evicted only with a satisfied budget or at any time.
    pub enum UnhealthyPodEvictionPolicyType: closed {
        IfHealthyBudget = "IfHealthyBudget",
        AlwaysAllow = "AlwaysAllow",
    }
}
