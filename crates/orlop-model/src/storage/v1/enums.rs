//! Enumerations of this version.

crate::open_enum! {
    /// When volume ownership follows `fsGroup`: only `ReadWriteOnce`-type mounts with a filesystem type,
    /// always (`File`), or never.
    pub enum FSGroupPolicy {
        ReadWriteOnceWithFSType = "ReadWriteOnceWithFSType",
        File = "File",
        None = "None",
    }

    /// Times of binding a claim: at once, or when the first Pod using it is scheduled.
    pub enum VolumeBindingMode: closed {
        Immediate = "Immediate",
        WaitForFirstConsumer = "WaitForFirstConsumer",
    }

    /// Ways of using a CSI volume: through claims (`Persistent`) or inline in a Pod (`Ephemeral`).
    pub enum VolumeLifecycleMode {
        Persistent = "Persistent",
        Ephemeral = "Ephemeral",
    }
}
