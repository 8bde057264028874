//! The kind `IPAddress`.

use crate::{Extra, Message, Object, Str};

/// Cluster-scoped record that one IP address is allocated, normally as the cluster IP of a `Service`.
///
/// The kind `IPAddress` of `networking.k8s.io/v1`: [API reference](https://kubernetes.io/docs/reference/generated/kubernetes-api/v1.36/#ipaddress-v1-networking).
#[derive(Clone, Default, PartialEq, Object)]
#[object(group = "networking.k8s.io", version = "v1", plural = "ipaddresses", short = "ip", cluster)]
#[wire(debug)]
pub struct IPAddress {
    /// Object metadata; `name` is the address itself in canonical textual form.
    #[wire(pb = 1)]
    pub metadata: crate::meta::v1::ObjectMeta,
    /// The object to which the address is allocated.
    #[wire(pb = 2, needed)]
    pub spec: IPAddressSpec,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// Owner information of an allocated IP address.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct IPAddressSpec {
    /// Object that holds the address, usually a `Service`; required and immutable.
    #[wire(pb = 1, needed)]
    pub parent_ref: Option<Box<ParentReference>>,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// Reference from an `IPAddress` to the object that uses the address.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct ParentReference {
    /// API group of the parent; empty for core objects such as `Service`.
    #[wire(pb = 1)]
    pub group: Str,
    /// Plural resource name of the parent, such as `services`; required.
    #[wire(pb = 2, needed)]
    pub resource: Str,
    /// Namespace of the parent; empty for cluster-scoped objects.
    #[wire(pb = 3)]
    pub namespace: Str,
    /// Name of the parent object; required.
    #[wire(pb = 4, needed)]
    pub name: Str,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}
