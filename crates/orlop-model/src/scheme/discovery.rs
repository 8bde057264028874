//! What a server tells of its kinds: groups, versions, resources.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha256};

use super::{Entry, Scheme};
use crate::apidiscovery::v2::{
    APIGroupDiscovery, APIGroupDiscoveryList, APIResourceDiscovery, APISubresourceDiscovery,
    APIVersionDiscovery,
};
use crate::meta::v1::{
    APIGroup, APIGroupList, APIResource, APIResourceList, APIVersions, GroupVersionForDiscovery,
    GroupVersionKind,
};
use crate::openapi::Components;
use crate::{KindInfo, List, ObjectMeta, Scope, Str, list};

/// Kinds that are sent to subresources of other kinds, and have no resource of their own.
const WITHOUT_RESOURCE: [(&str, &str); 3] =
    [("autoscaling", "Scale"), ("policy", "Eviction"), ("authentication.k8s.io", "TokenRequest")];

/// A subresource: name, group, version and kind of what it answers, verbs.
struct Subresource<'a> {
    name: &'a str,
    group: &'a str,
    version: &'a str,
    kind: &'a str,
    verbs: &'static [&'static str],
}

/// The documents of discovery. Groups and versions are in the order in which their first kinds were added; versions of
/// a group added first are preferred.
impl Scheme {
    /// The answer at `/api`: the versions of the core group.
    #[must_use]
    pub fn api_versions(&self) -> APIVersions {
        APIVersions {
            versions: self.versions("").into_iter().map(Str::from).collect(),
            ..APIVersions::default()
        }
    }

    /// The answer at `/apis`: all groups but the core group.
    #[must_use]
    pub fn api_groups(&self) -> APIGroupList {
        let groups = self.groups().into_iter().filter(|group| !group.is_empty());
        APIGroupList {
            groups: groups.map(|group| self.api_group(group)).collect(),
            ..APIGroupList::default()
        }
    }

    /// The answer at `/apis/GROUP`: a group with its versions.
    #[must_use]
    pub fn api_group(&self, group: &str) -> APIGroup {
        let version = |version: &str| GroupVersionForDiscovery {
            group_version: if group.is_empty() {
                version.into()
            } else {
                format!("{group}/{version}").into()
            },
            version: version.into(),
            ..GroupVersionForDiscovery::default()
        };
        let versions: List<_> = self.versions(group).into_iter().map(version).collect();
        APIGroup {
            name: group.into(),
            preferred_version: versions.first().cloned().unwrap_or_default(),
            versions,
            ..APIGroup::default()
        }
    }

    /// The answer at `/api/VERSION` or `/apis/GROUP/VERSION`: the resources and subresources, by name. The hash of a
    /// resource's stored version is that of Kubernetes for the same group, version and kind.
    #[must_use]
    pub fn api_resources(&self, api_version: &str) -> Option<APIResourceList> {
        let mut resources = Vec::new();
        for kind in self.resources(api_version) {
            resources.push(APIResource {
                name: Str::from(&*kind.plural),
                singular_name: Str::from(&*kind.singular),
                namespaced: kind.is_namespaced(),
                kind: Str::from(&*kind.kind),
                verbs: texts(&kind.verbs),
                short_names: texts(&kind.short_names),
                categories: texts(&kind.categories),
                storage_version_hash: storage_version_hash(kind),
                ..APIResource::default()
            });
            for subresource in subresources(kind) {
                let is_other = (subresource.group, subresource.version) != (&*kind.group, &*kind.version);
                let elsewhere = |text: &str| if is_other { text.into() } else { Str::default() };
                resources.push(APIResource {
                    name: format!("{}/{}", kind.plural, subresource.name).into(),
                    namespaced: kind.is_namespaced(),
                    group: elsewhere(subresource.group),
                    version: elsewhere(subresource.version),
                    kind: subresource.kind.into(),
                    verbs: subresource.verbs.iter().map(|verb| Str::from(*verb)).collect(),
                    ..APIResource::default()
                });
            }
        }
        resources.sort_by(|left, right| left.name.cmp(&right.name));
        let list = APIResourceList {
            group_version: api_version.into(),
            resources: resources.into_iter().collect(),
            ..APIResourceList::default()
        };
        (!list.resources.is_empty()).then_some(list)
    }

    /// All in one: the answer at `/api` (`core`) or `/apis` to clients that ask for `APIGroupDiscoveryList`.
    #[must_use]
    pub fn discovery(&self, core: bool) -> APIGroupDiscoveryList {
        let groups = self.groups().into_iter().filter(|group| group.is_empty() == core);
        let group = |group: &str| APIGroupDiscovery {
            metadata: ObjectMeta { name: group.into(), ..ObjectMeta::default() },
            versions: self.versions(group).into_iter().map(|version| self.version(group, version)).collect(),
            ..APIGroupDiscovery::default()
        };
        APIGroupDiscoveryList { items: groups.map(group).collect(), ..APIGroupDiscoveryList::default() }
    }

    /// The schemas of the kinds of a group and version, of their lists and of all that is sent and answered with them;
    /// `None` if there is no such kind. Kinds without a type are left out; see [`Components::add_custom`].
    #[must_use]
    pub fn openapi(&self, api_version: &str) -> Option<Components> {
        let entries = self.kinds.iter().filter(|entry| entry.kind.api_version() == api_version);
        let mut components = Components::new();
        let mut any = false;
        for Entry { kind, schemas, .. } in entries {
            any = true;
            let [schema, list] = (*schemas)?;
            components.add(schema);
            if kind.verbs.iter().any(|verb| verb == "list") && !is_without_resource(kind) {
                components.add(list);
            }
            for subresource in subresources(kind) {
                let group = [subresource.group, "/"].concat();
                let api_version = [group.trim_start_matches('/'), subresource.version].concat();
                let other = self.entry(&api_version, subresource.kind).and_then(|entry| entry.schemas);
                if let Some([schema, _]) = other {
                    components.add(schema);
                }
            }
        }
        components.add_common();
        any.then_some(components)
    }

    fn groups(&self) -> Vec<&str> {
        let mut groups = Vec::new();
        for kind in self.kinds().filter(|kind| !is_without_resource(kind)) {
            if !groups.contains(&&*kind.group) {
                groups.push(&*kind.group);
            }
        }
        groups
    }

    fn versions(&self, group: &str) -> Vec<&str> {
        let mut versions = Vec::new();
        for kind in self.kinds().filter(|kind| kind.group == group && !is_without_resource(kind)) {
            if !versions.contains(&&*kind.version) {
                versions.push(&*kind.version);
            }
        }
        versions
    }

    fn resources<'a>(&'a self, api_version: &'a str) -> impl Iterator<Item = &'a KindInfo> {
        let kinds = self.kinds().map(|kind| &**kind);
        kinds.filter(move |kind| kind.api_version() == api_version && !is_without_resource(kind))
    }

    fn version(&self, group: &str, version: &str) -> APIVersionDiscovery {
        let kinds = self
            .kinds()
            .filter(|kind| kind.group == group && kind.version == version && !is_without_resource(kind));
        let mut resources: Vec<APIResourceDiscovery> = kinds.map(|kind| resource(kind)).collect();
        resources.sort_by(|left, right| left.resource.cmp(&right.resource));
        APIVersionDiscovery {
            version: version.into(),
            resources: resources.into_iter().collect(),
            freshness: "Current".into(),
            ..APIVersionDiscovery::default()
        }
    }
}

fn resource(kind: &KindInfo) -> APIResourceDiscovery {
    let subresource = |subresource: Subresource<'_>| APISubresourceDiscovery {
        subresource: subresource.name.into(),
        response_kind: Some(Box::new(named(subresource.group, subresource.version, subresource.kind))),
        accepted_types: match subresource.name {
            "eviction" | "binding" => list![named(subresource.group, subresource.version, subresource.kind)],
            _ => List::new(),
        },
        verbs: subresource.verbs.iter().map(|verb| Str::from(*verb)).collect(),
        ..APISubresourceDiscovery::default()
    };
    APIResourceDiscovery {
        resource: Str::from(&*kind.plural),
        response_kind: Some(Box::new(named(&kind.group, &kind.version, &kind.kind))),
        scope: match kind.scope {
            Scope::Namespaced => "Namespaced",
            Scope::Cluster => "Cluster",
        }
        .into(),
        singular_resource: Str::from(&*kind.singular),
        verbs: texts(&kind.verbs),
        short_names: texts(&kind.short_names),
        categories: texts(&kind.categories),
        subresources: subresources(kind).into_iter().map(subresource).collect(),
        ..APIResourceDiscovery::default()
    }
}

fn named(group: &str, version: &str, kind: &str) -> GroupVersionKind {
    GroupVersionKind {
        group: group.into(),
        version: version.into(),
        kind: kind.into(),
        ..GroupVersionKind::default()
    }
}

fn texts(texts: &[Cow<'static, str>]) -> List<Str> {
    texts.iter().map(|text| Str::from(&**text)).collect()
}

fn is_without_resource(kind: &KindInfo) -> bool {
    WITHOUT_RESOURCE.contains(&(&*kind.group, &*kind.kind))
}

/// The subresources by name.
fn subresources(kind: &KindInfo) -> Vec<Subresource<'_>> {
    let own = kind.status.then_some("status").into_iter().chain(kind.scale.then_some("scale"));
    let mut names: Vec<&str> = own.chain(kind.subresources.iter().map(|name| &**name)).collect();
    names.sort_unstable();
    names.into_iter().map(|name| subresource(kind, name)).collect()
}

/// What is known of a subresource by its name; one that is not known is read and written like `status`.
fn subresource<'a>(of: &'a KindInfo, name: &'a str) -> Subresource<'a> {
    const CONNECT: &[&str] = &["create", "get"];
    const PROXY: &[&str] = &["create", "delete", "get", "patch", "update"];
    const WRITE: &[&str] = &["get", "patch", "update"];
    let (group, version) = (&*of.group, &*of.version);
    let (group, version, kind, verbs): (_, _, &str, &'static [_]) = match name {
        "scale" => ("autoscaling", "v1", "Scale", WRITE),
        "eviction" => ("policy", "v1", "Eviction", &["create"]),
        "token" => ("authentication.k8s.io", "v1", "TokenRequest", &["create"]),
        "binding" => (group, version, "Binding", &["create"]),
        "attach" => (group, version, "PodAttachOptions", CONNECT),
        "exec" => (group, version, "PodExecOptions", CONNECT),
        "portforward" => (group, version, "PodPortForwardOptions", CONNECT),
        "proxy" => {
            let kind = match &*of.kind {
                "Node" => "NodeProxyOptions",
                "Service" => "ServiceProxyOptions",
                _ => "PodProxyOptions",
            };
            (group, version, kind, PROXY)
        }
        "log" => (group, version, &*of.kind, &["get"]),
        "finalize" => (group, version, &*of.kind, &["update"]),
        _ => (group, version, &*of.kind, WRITE),
    };
    Subresource { name, group, version, kind, verbs }
}

/// The first bytes of the hash of group, version and kind in which objects are stored, where they can be read again.
fn storage_version_hash(kind: &KindInfo) -> Str {
    if !kind.verbs.iter().any(|verb| verb == "create") || !kind.verbs.iter().any(|verb| verb == "get") {
        return Str::default();
    }
    let KindInfo { group, version, kind, .. } = kind;
    // The kinds that are stored as another group's or version's.
    let (group, version) = match (&**group, &**kind) {
        ("events.k8s.io", "Event") => ("", "v1"),
        ("autoscaling", "HorizontalPodAutoscaler") => ("autoscaling", "v2"),
        (group, _) => (group, &**version),
    };
    let hash = Sha256::digest(format!("{group}/{version}/{kind}"));
    STANDARD.encode(&hash[..8]).into()
}
