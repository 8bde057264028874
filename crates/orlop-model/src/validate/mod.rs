//! Validation: what Kubernetes refuses when an object of one of this crate's kinds is created or updated.
//!
//! Objects are defaulted first ([`SetDefaults`](crate::defaults::SetDefaults)) and prepared
//! ([`Prepare`](crate::prepare::Prepare)). Paths, kinds of error, their order and wording are Kubernetes' own, those of
//! 1.36 with its feature gates as they are by default; [`create`] and [`update`] put the rules together as a server
//! does, and [`Validate::warnings_on_create`] says what the writer should know besides.
//!
//! # What is covered
//!
//! Every kind that a server stores has its rules. Of pods, and of the templates of all workloads:
//!
//! - metadata: names, generated names, labels, annotations with their size, owners, finalizers, managed fields, and what
//!   of it no update may change;
//! - containers, init containers, sidecars and ephemeral containers: names, images, ports and their conflicts, the
//!   environment with all its sources, mounts, devices, sub-paths, probes, handlers, signals, restart rules, policies of
//!   resizing, resources, extended resources, huge pages, pod-level resources, resource claims and overhead;
//! - volumes of every kind, their unions, the projected sources and the templates of claims among them;
//! - security: contexts of pods and containers, seccomp, AppArmor with its annotations, SELinux, sysctls, Windows' own
//!   options, what an operating system rules out, namespaces of the host and of users;
//! - placement: node selectors and affinities, tolerations, spreading, scheduling gates, priorities;
//! - the network: DNS, aliases of hosts, names of hosts; and gates of readiness;
//! - updates: what of a pod may change, with the exceptions for gated pods, tolerations, deadlines and images; what of a
//!   ControllerRevision, a selector, a StatefulSet and a Job may, with the exceptions for suspended Jobs; and what an old
//!   object that is invalid by now may keep;
//! - Deployments, ReplicaSets, ReplicationControllers, StatefulSets and DaemonSets with their strategies; Jobs with
//!   their indexes, failure and success policies; CronJobs with their schedules and time zones.
//!
//! # What is not
//!
//! - the subresources `status`, `scale`, `resize`, `ephemeralcontainers` and `binding`: objects are compared as an
//!   update of the whole;
//! - what depends on how a server is run: plugins of admission, whether privileged containers are allowed, feature gates
//!   other than by default;
//! - what of a pod was changed where nothing may be: Kubernetes adds a dump of Go values, here the sentence stands alone;
//! - CEL expressions are not compiled;
//! - Kubernetes' generated ("declarative") rules, where they say the same as the others.

mod address;
#[cfg(feature = "admissionregistration")]
mod admission_policy;
mod affinity;
mod annotations;
#[cfg(feature = "autoscaling")]
mod autoscaler;
#[cfg(feature = "certificates")]
mod certificate;
mod claim;
mod config;
mod container;
mod controller_revision;
mod cron_job;
#[cfg(feature = "storage")]
mod csi;
mod daemon_set;
#[cfg(feature = "apiextensions")]
mod definition;
mod disruption_budget;
#[cfg(feature = "discovery")]
mod endpoint_slice;
mod endpoints;
mod env;
mod event;
mod go_json;
#[cfg(feature = "networking")]
mod ingress;
mod job;
mod lease;
mod namespace;
#[cfg(feature = "networking")]
mod network_policy;
#[cfg(feature = "events")]
mod new_event;
mod node;
mod node_labels;
mod node_selector;
mod options;
mod persistent_volume;
mod persistent_volume_claim;
mod persistent_volume_source;
mod pod;
mod pod_update;
#[cfg(feature = "scheduling")]
mod priority_class;
mod probe;
mod projected;
mod quota;
mod replication_controller;
mod resource_name;
mod resources;
#[cfg(any(feature = "authentication", feature = "authorization"))]
mod review;
#[cfg(feature = "rbac")]
mod role;
pub(crate) mod rules;
#[cfg(feature = "node")]
mod runtime_class;
mod schedule;
mod security;
mod service;
#[cfg(feature = "networking")]
mod service_network;
mod stateful_set;
#[cfg(feature = "storage")]
mod storage_class;
#[cfg(feature = "apiextensions")]
mod structural_schema;
mod volume;
#[cfg(feature = "storage")]
mod volume_attachment;
mod volume_plugin;
mod warnings;
#[cfg(feature = "admissionregistration")]
mod webhook;
#[cfg(any(feature = "admissionregistration", feature = "apiextensions"))]
mod webhook_client;
mod workload;

pub(crate) use self::annotations::APP_ARMOR;
pub(crate) use self::job::{NAME_LABEL, OLD_NAME_LABEL, OLD_UID_LABEL, UID_LABEL};
use self::rules::Rules;
use crate::names::{self, NameRule};
use crate::{FieldError, Object, metadata};

/// A kind whose objects are validated. The objects are defaulted, and prepared as
/// [`Prepare`](crate::prepare::Prepare) says.
pub trait Validate: Object {
    /// What names its objects may have.
    const NAME_RULE: NameRule = NameRule::Subdomain;
    /// Whether objects are stored; requests that are only answered need no name.
    const IS_STORED: bool = true;

    /// The kind's own rules for an object that is to be created, those for its metadata among them.
    fn validate_create(&self) -> Vec<FieldError>;

    /// The kind's own rules for an object that is to replace `old`, those for its metadata among them: what common
    /// rules find is found again.
    fn validate_update(&self, old: &Self) -> Vec<FieldError>;

    /// What the writer of a valid new object should know.
    fn warnings_on_create(&self) -> Vec<String> {
        Vec::new()
    }

    /// What the writer of a valid object that replaces `old` should know.
    fn warnings_on_update(&self, old: &Self) -> Vec<String> {
        let _ = old;
        Vec::new()
    }
}

/// Everything that is wrong with an object that is to be created: what the kind's own rules find, and if that is
/// nothing, what the rules for all metadata find.
pub fn create<K: Validate>(object: &K) -> Vec<FieldError> {
    let errors = object.validate_create();
    if errors.is_empty() && K::IS_STORED { common(object).finish() } else { errors }
}

/// Everything that is wrong with an object that is to replace `old`: what the rules for all metadata find, then what
/// the kind's own find. Some of it is there twice.
pub fn update<K: Validate>(object: &K, old: &K) -> Vec<FieldError> {
    let mut rules = common(object);
    rules.within("metadata", |rules| metadata::check_update(rules, object.meta(), old.meta()));
    rules.extend(object.validate_update(old));
    rules.finish()
}

/// What holds for the metadata of all kinds, even those without rules of their own.
fn common<K: Validate>(object: &K) -> Rules {
    let mut rules = Rules::new("");
    rules.within("metadata", |rules| {
        metadata::check(rules, object.meta(), object.kind().is_namespaced(), NameRule::PathSegment);
    });
    rules
}

/// The rule for names of objects that a field refers to.
fn subdomain(rules: &mut Rules, field: &str, name: &str) {
    rules.complaints(field, name, names::dns1123_subdomain(name));
}

#[cfg(all(test, feature = "test-util"))]
mod tests;
