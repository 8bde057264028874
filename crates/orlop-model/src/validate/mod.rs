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
#[allow(dead_code, reason = "rules of the kinds to come use the rest")]
pub(crate) mod rules;
mod service;
mod volume;
mod workload;

use self::rules::Rules;
use crate::names::{self, NameRule};
use crate::{FieldError, Object, metadata};

/// A kind whose objects are validated. The objects are defaulted, and prepared as
/// [`Prepare`](crate::prepare::Prepare) says.
pub trait Validate: Object {
    /// What names its objects may have.
    const NAME_RULE: NameRule = NameRule::Subdomain;

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
    if errors.is_empty() { common(object).finish() } else { errors }
}

/// Everything that is wrong with an object that is to replace `old`: what the rules for all metadata find, then what
/// the kind's own find. Some of it is there twice.
pub fn update<K: Validate>(object: &K, old: &K) -> Vec<FieldError> {
    let mut rules = common(object);
    rules.metadata_update(object, old);
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
