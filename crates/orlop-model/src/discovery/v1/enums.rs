//! Enumerations of this version.

crate::open_enum! {
    /// Address families of an `EndpointSlice`: `IPv4`, `IPv6`, or `FQDN`, which is deprecated and ignored by
    /// `kube-proxy`.
    pub enum AddressType: closed {
        FQDN = "FQDN",
    }
}
