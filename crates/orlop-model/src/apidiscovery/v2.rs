//! Version `v2`.

use crate::meta::v1::{GroupVersionKind, ListMeta, ObjectMeta};
use crate::{Extra, List, Message, Str};

/// The API groups of a server, in its order of preference.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug, api_version = "apidiscovery.k8s.io/v2")]
pub struct APIGroupDiscoveryList {
    /// Revision of the list; servers leave it empty.
    #[wire(pb = 1)]
    pub metadata: ListMeta,
    /// The groups.
    #[wire(pb = 2, required)]
    pub items: List<APIGroupDiscovery>,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// One API group with its versions.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug, api_version = "apidiscovery.k8s.io/v2")]
pub struct APIGroupDiscovery {
    /// Metadata, of which only the name is used: that of the group, empty for the core group.
    #[wire(pb = 1)]
    pub metadata: ObjectMeta,
    /// The versions, the preferred one first.
    #[wire(pb = 2, list = "map", keys = "version")]
    pub versions: List<APIVersionDiscovery>,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// One version of a group with its resources.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct APIVersionDiscovery {
    /// The version, such as `v1`.
    #[wire(pb = 1, required)]
    pub version: Str,
    /// The resources.
    #[wire(pb = 2, list = "map", keys = "resource")]
    pub resources: List<APIResourceDiscovery>,
    /// `Current`, or `Stale` if the server behind the version cannot be asked at present.
    #[wire(pb = 3)]
    pub freshness: Str,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// One resource with its subresources.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct APIResourceDiscovery {
    /// Name of the resource in the plural, as in paths.
    #[wire(pb = 1, required)]
    pub resource: Str,
    /// Kind of the objects that are answered; absent if the resource has subresources alone.
    #[wire(pb = 2)]
    pub response_kind: Option<Box<GroupVersionKind>>,
    /// `Cluster` or `Namespaced`.
    #[wire(pb = 3, required)]
    pub scope: Str,
    /// Name of one object.
    #[wire(pb = 4, required)]
    pub singular_resource: Str,
    /// Verbs, such as `get` and `watch`.
    #[wire(pb = 5, required, list = "set")]
    pub verbs: List<Str>,
    /// Short names, such as `po`.
    #[wire(pb = 6, list = "set")]
    pub short_names: List<Str>,
    /// Categories, such as `all`.
    #[wire(pb = 7, list = "set")]
    pub categories: List<Str>,
    /// The subresources.
    #[wire(pb = 8, list = "map", keys = "subresource")]
    pub subresources: List<APISubresourceDiscovery>,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// One subresource.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct APISubresourceDiscovery {
    /// Its name, without that of the resource.
    #[wire(pb = 1, required)]
    pub subresource: Str,
    /// Kind of the objects that are answered; absent if the answer is no object.
    #[wire(pb = 2)]
    pub response_kind: Option<Box<GroupVersionKind>>,
    /// Kinds of the objects that may be sent, where they are others than the one that is answered.
    #[wire(pb = 3)]
    pub accepted_types: List<GroupVersionKind>,
    /// Verbs.
    #[wire(pb = 4, required, list = "set")]
    pub verbs: List<Str>,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}
