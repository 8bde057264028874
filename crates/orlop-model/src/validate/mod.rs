//! Validation: what Kubernetes refuses when an object of one of this crate's kinds is created or updated.
//!
//! Objects are defaulted first ([`SetDefaults`](crate::defaults::SetDefaults)). Paths, kinds of error and wording are
//! Kubernetes' own. Covered are metadata, names, references between the parts of an object, enumerations, ranges,
//! ports, probes, resources, selectors, unions of volumes, and what may not be changed; not yet: the inner rules of
//! storage drivers' volumes, Windows options, dynamic resource claims, pod-level resources and warnings.

mod affinity;
mod config;
mod container;
mod job;
mod node;
mod pod;
mod pod_update;
mod rules;
mod service;
mod volume;
mod workload;

use self::rules::Rules;
use crate::names::{self, NameRule};
use crate::{FieldError, Object, ObjectMeta, metadata};

/// A kind whose objects are validated.
pub trait Validate: Object {
    /// What names its objects may have.
    const NAME_RULE: NameRule = NameRule::Subdomain;

    /// What is wrong with an object that is to be created, apart from its metadata.
    fn validate_body(&self) -> Vec<FieldError>;

    /// What is wrong with an object that is to replace `old`, apart from its metadata.
    fn validate_body_update(&self, old: &Self) -> Vec<FieldError>;
}

/// Everything that is wrong with an object that is to be created.
pub fn create<K: Validate>(object: &K) -> Vec<FieldError> {
    let mut errors =
        metadata::validate(object.meta(), object.kind().is_namespaced(), K::NAME_RULE, "metadata");
    errors.extend(finalizers(object));
    errors.extend(object.validate_body());
    errors
}

/// Everything that is wrong with an object that is to replace `old`.
pub fn update<K: Validate>(object: &K, old: &K) -> Vec<FieldError> {
    let mut errors = metadata::validate_common(object.meta(), object.kind().is_namespaced(), "metadata");
    errors.extend(metadata_update(object.meta(), old.meta()));
    errors.extend(object.validate_body_update(old));
    errors
}

/// Finalizers without a domain are Kubernetes' own.
fn finalizers<K: Validate>(object: &K) -> Vec<FieldError> {
    let mut rules = Rules::new("metadata");
    rules.each("finalizers", &object.meta().finalizers, |rules, name| {
        let standard = ["foregroundDeletion", "kubernetes", "orphan"];
        if !name.contains('/') && !standard.contains(&name.as_str()) {
            rules.invalid("", name, "name is neither a standard finalizer name nor is it fully qualified");
        }
    });
    rules.finish()
}

/// What of the metadata may not be changed.
fn metadata_update(new: &ObjectMeta, old: &ObjectMeta) -> Vec<FieldError> {
    let mut rules = Rules::new("metadata");
    rules.immutable("name", &new.name, &old.name);
    rules.immutable("namespace", &new.namespace, &old.namespace);
    rules.immutable("uid", &new.uid, &old.uid);
    rules.immutable("creationTimestamp", &new.creation_timestamp, &old.creation_timestamp);
    rules.immutable("deletionTimestamp", &new.deletion_timestamp, &old.deletion_timestamp);
    if new.resource_version.is_empty() {
        rules.invalid("resourceVersion", "", "must be specified for an update");
    }
    if new.generation < old.generation {
        rules.invalid("generation", new.generation, "must not be decremented");
    }
    if new.is_deleting() {
        let added: Vec<&str> = new
            .finalizers
            .iter()
            .filter(|name| !old.finalizers.contains(name))
            .map(|name| name.as_str())
            .collect();
        if !added.is_empty() {
            let detail = format!(
                "no new finalizers can be added if the object is being deleted, found new finalizers []string{{{}}}",
                added.iter().map(|name| format!("{name:?}")).collect::<Vec<_>>().join(", ")
            );
            rules.forbidden("finalizers", detail);
        }
    }
    rules.finish()
}

/// The rule for names of objects that a field refers to.
fn subdomain(rules: &mut Rules, field: &str, name: &str) {
    rules.complaints(field, name, names::dns1123_subdomain(name));
}

#[cfg(all(test, feature = "test-util"))]
mod tests;
