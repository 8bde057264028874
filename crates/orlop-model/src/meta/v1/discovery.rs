//! What a server offers.

use crate::{Extra, List, Message, Str};

/// One API group in discovery, with every version in which the server offers it.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug, api_version = "v1")]
pub struct APIGroup {
    /// Group name such as `apps`; empty for the legacy core group.
    #[wire(pb = 1, required, needless)]
    pub name: Str,
    /// Served versions of the group, as group/version pairs.
    #[wire(pb = 2, required, needless)]
    pub versions: List<GroupVersionForDiscovery>,
    /// Version the server recommends clients to use when they have no reason to choose another.
    #[wire(pb = 3)]
    pub preferred_version: GroupVersionForDiscovery,
    /// Server addresses keyed by client network; a client takes the entry whose range contains its own
    /// address.
    #[wire(name = "serverAddressByClientCIDRs", pb = 4)]
    pub server_address_by_client_cidrs: List<ServerAddressByClientCIDR>,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// Answer of the `/apis` discovery endpoint: all named API groups of the server.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug, api_version = "v1")]
pub struct APIGroupList {
    /// Named groups on offer; the legacy core group is not among them.
    #[wire(pb = 1, required, needless)]
    pub groups: List<APIGroup>,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// Discovery entry for one resource or subresource of a group version.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct APIResource {
    /// Plural resource name as used in URLs, with a slash before a subresource, such as `pods/log`.
    #[wire(pb = 1, required)]
    pub name: Str,
    /// Lower-case singular form that command-line tools accept, such as `pod`.
    #[wire(pb = 6, required)]
    pub singular_name: Str,
    /// True if objects live in a namespace, false for cluster-scoped resources.
    #[wire(pb = 2, required)]
    pub namespaced: bool,
    /// Group of the returned kind when it differs from that of the enclosing list; empty means the list's
    /// group.
    #[wire(pb = 8)]
    pub group: Str,
    /// Version of the returned kind when it differs from that of the enclosing list; empty means the list's
    /// version.
    #[wire(pb = 9)]
    pub version: Str,
    /// Kind of the objects that the resource reads and writes, such as `Pod`.
    #[wire(pb = 3, required)]
    pub kind: Str,
    /// Operations supported, such as `get`, `list`, `watch`, `create`, `update`, `patch`, `delete`,
    /// `deletecollection`.
    #[wire(pb = 4, required, wrapped)]
    pub verbs: List<Str>,
    /// Abbreviations accepted by `kubectl`, such as `po` or `deploy`.
    #[wire(pb = 5)]
    pub short_names: List<Str>,
    /// Named groupings the resource belongs to, such as `all` in `kubectl get all`.
    #[wire(pb = 7)]
    pub categories: List<Str>,
    /// Opaque hash of the version used in etcd; only equality comparison is meaningful, and it is empty for
    /// subresources.
    #[wire(pb = 10)]
    pub storage_version_hash: Str,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// Discovery document of one group version: its resources and their properties.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug, api_version = "v1")]
pub struct APIResourceList {
    /// Group and version described, such as `apps/v1`, or just `v1` for the core group.
    #[wire(pb = 1, required)]
    pub group_version: Str,
    /// Resources and subresources available in this group version.
    #[wire(pb = 2, required)]
    pub resources: List<APIResource>,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// Answer of the `/api` endpoint: the versions of the legacy core group.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug, api_version = "v1")]
pub struct APIVersions {
    /// Version names served under `/api`, in practice only `v1`.
    #[wire(pb = 1, required, needless)]
    pub versions: List<Str>,
    /// Addresses at which clients of a given network range should reach the server.
    #[wire(name = "serverAddressByClientCIDRs", pb = 2, required, needless)]
    pub server_address_by_client_cidrs: List<ServerAddressByClientCIDR>,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// A group version in both joined and short form, for discovery documents.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct GroupVersionForDiscovery {
    /// Joined form such as `apps/v1`, which goes into `apiVersion`.
    #[wire(pb = 1, required, needless)]
    pub group_version: Str,
    /// Version part alone, such as `v1`, for clients that already know the group.
    #[wire(pb = 2, required, needless)]
    pub version: Str,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// Full name of an object type, independent of how it is served.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct GroupVersionKind {
    /// API group of the kind; empty for the core group.
    #[wire(pb = 1, required, needless)]
    pub group: Str,
    /// Version of the kind within its group, such as `v1` or `v1beta1`.
    #[wire(pb = 2, required, needless)]
    pub version: Str,
    /// Type name in CamelCase, such as `Deployment`.
    #[wire(pb = 3, required, needless)]
    pub kind: Str,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// Full name of a REST resource as it appears in URLs.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct GroupVersionResource {
    /// API group of the resource; empty for the core group.
    #[wire(pb = 1, required, needless)]
    pub group: Str,
    /// Version of the group through which the resource is addressed.
    #[wire(pb = 2, required, needless)]
    pub version: Str,
    /// Lower-case plural name, such as `deployments`.
    #[wire(pb = 3, required, needless)]
    pub resource: Str,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// Pairs a client network with the server address that its members should use.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct ServerAddressByClientCIDR {
    /// Network in CIDR notation that is matched against the client's IP address.
    #[wire(name = "clientCIDR", pb = 1, required, needless)]
    pub client_cidr: Str,
    /// Host name, IP address or host and port for clients in that network; no scheme.
    #[wire(pb = 2, required, needless)]
    pub server_address: Str,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}
