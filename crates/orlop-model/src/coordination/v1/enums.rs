//! Enumerations of this version.

crate::open_enum! {
    /// Texts of `CoordinatedLeaseStrategy`.
    pub enum CoordinatedLeaseStrategy {
        OldestEmulationVersion = "OldestEmulationVersion",
    }
}
