//! Enumerations of this version.

crate::open_enum! {
    /// Ways of matching an `Ingress` path: whole path, element-wise prefix, or as the controller decides.
    pub enum PathType: closed {
        Exact = "Exact",
        Prefix = "Prefix",
        ImplementationSpecific = "ImplementationSpecific",
    }

    /// Traffic directions that a `NetworkPolicy` can isolate.
    pub enum PolicyType: closed {
        Ingress = "Ingress",
        Egress = "Egress",
    }
}
