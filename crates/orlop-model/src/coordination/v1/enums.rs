//! Enumerations of this version.

crate::open_enum! {
    /// Ways to pick a leader in coordinated leader election; `OldestEmulationVersion` prefers the oldest
    /// emulated, then oldest binary version.
    pub enum CoordinatedLeaseStrategy {
        OldestEmulationVersion = "OldestEmulationVersion",
    }
}
