//! The rules for metadata: labels, annotations, owners, finalizers, managed fields.

use crate::meta::v1::{ManagedFieldsEntry, ManagedFieldsOperationType};
use crate::names::{self, NameRule};
use crate::quote::{is_printable, quoted};
use crate::validate::rules::Rules;
use crate::{FieldError, FieldValue, List, Map, ObjectMeta, OwnerReference, Str};

/// Most bytes of all annotations of an object, keys and values together.
pub const MAX_ANNOTATIONS: usize = 256 << 10;

/// Most bytes of the name of a field manager.
pub const MAX_MANAGER: usize = 128;

const MAX_SUBRESOURCE: usize = 256;

fn invalid(field: &str, value: &str, complaints: names::Complaints) -> impl Iterator<Item = FieldError> {
    let (field, value) = (field.to_owned(), value.to_owned());
    complaints.into_iter().map(move |complaint| FieldError::invalid(field.clone(), value.clone(), complaint))
}

/// What is wrong with the metadata of an object to be created, whose fields are at `path`.
#[must_use]
pub fn validate(meta: &ObjectMeta, is_namespaced: bool, rule: NameRule, path: &str) -> Vec<FieldError> {
    let mut errors = validate_name(meta, rule, path);
    errors.extend(validate_common(meta, is_namespaced, path));
    errors
}

/// The part of [`validate`] for `name` and `generateName`.
#[must_use]
pub fn validate_name(meta: &ObjectMeta, rule: NameRule, path: &str) -> Vec<FieldError> {
    let mut rules = Rules::new(path.to_owned());
    check_name(&mut rules, meta, rule);
    rules.finish()
}

/// The part of [`validate`] for everything but `name` and `generateName`.
#[must_use]
pub fn validate_common(meta: &ObjectMeta, is_namespaced: bool, path: &str) -> Vec<FieldError> {
    let mut rules = Rules::new(path.to_owned());
    check_common(&mut rules, meta, is_namespaced);
    rules.finish()
}

/// What is wrong with the metadata of an object that is to replace another one with the metadata `old`: what may not
/// be changed, and labels, annotations and owners.
#[must_use]
pub fn validate_update(new: &ObjectMeta, old: &ObjectMeta, path: &str) -> Vec<FieldError> {
    let mut rules = Rules::new(path.to_owned());
    check_update(&mut rules, new, old);
    rules.finish()
}

/// As [`validate`], at the place of `rules`.
pub(crate) fn check(rules: &mut Rules, meta: &ObjectMeta, is_namespaced: bool, rule: NameRule) {
    check_name(rules, meta, rule);
    check_common(rules, meta, is_namespaced);
}

fn check_name(rules: &mut Rules, meta: &ObjectMeta, rule: NameRule) {
    if !meta.generate_name.is_empty() {
        rules.complaints("generateName", &meta.generate_name, rule.check_prefix(&meta.generate_name));
    }
    if meta.name.is_empty() {
        rules.required("name", "name or generateName is required");
    } else {
        rules.complaints("name", &meta.name, rule.check(&meta.name));
    }
}

fn check_common(rules: &mut Rules, meta: &ObjectMeta, is_namespaced: bool) {
    match (is_namespaced, meta.namespace.is_empty()) {
        (true, true) => rules.required("namespace", ""),
        (true, false) => {
            rules.complaints("namespace", &meta.namespace, names::dns1123_label(&meta.namespace));
        }
        (false, false) => rules.forbidden("namespace", "not allowed on this type"),
        (false, true) => {}
    }
    rules.not_negative("generation", meta.generation);
    rules.labels("labels", &meta.labels);
    rules.annotations("annotations", &meta.annotations);
    rules.owners("ownerReferences", &meta.owner_references);
    rules.check("finalizers", |path| validate_finalizers(&meta.finalizers, path));
    rules.check("managedFields", |path| validate_managed_fields(&meta.managed_fields, path));
}

/// As [`validate_update`], at the place of `rules`.
pub(crate) fn check_update(rules: &mut Rules, new: &ObjectMeta, old: &ObjectMeta) {
    if old.is_deleting() {
        let added: Vec<&Str> = new.finalizers.iter().filter(|name| !old.finalizers.contains(name)).collect();
        if !added.is_empty() {
            let mut added: Vec<String> = added.into_iter().map(|name| quoted(name)).collect();
            added.sort();
            added.dedup();
            let detail = format!(
                "no new finalizers can be added if the object is being deleted, found new finalizers []string{{{}}}",
                added.join(", ")
            );
            rules.forbidden("finalizers", detail);
        }
    }
    if new.resource_version.is_empty() {
        rules.invalid("resourceVersion", "", "must be specified for an update");
    }
    if new.generation < old.generation {
        rules.invalid("generation", new.generation, "must not be decremented");
    }
    rules.immutable("name", &new.name, &old.name);
    rules.immutable("namespace", &new.namespace, &old.namespace);
    rules.immutable("uid", &new.uid, &old.uid);
    rules.immutable("creationTimestamp", &new.creation_timestamp, &old.creation_timestamp);
    rules.immutable("deletionTimestamp", &new.deletion_timestamp, &old.deletion_timestamp);
    rules.immutable(
        "deletionGracePeriodSeconds",
        &new.deletion_grace_period_seconds,
        &old.deletion_grace_period_seconds,
    );
    rules.labels("labels", &new.labels);
    rules.annotations("annotations", &new.annotations);
    rules.owners("ownerReferences", &new.owner_references);
}

/// What is wrong with labels at `path`.
#[must_use]
pub fn validate_labels(labels: &Map<Str>, path: &str) -> Vec<FieldError> {
    let mut errors = Vec::new();
    for (key, value) in labels {
        errors.extend(invalid(path, key, names::label_key(key)));
        errors.extend(invalid(path, value, names::label_value(value)));
    }
    errors
}

/// What is wrong with annotations at `path`.
#[must_use]
pub fn validate_annotations(annotations: &Map<Str>, path: &str) -> Vec<FieldError> {
    let mut errors = Vec::new();
    for key in annotations.keys() {
        // Capitals are allowed in prefixes too.
        let complaints = if key.bytes().any(|byte| byte.is_ascii_uppercase()) {
            names::label_key(&key.to_lowercase())
        } else {
            names::label_key(key)
        };
        errors.extend(invalid(path, key, complaints));
    }
    let size: usize = annotations.iter().map(|(key, value)| key.len() + value.len()).sum();
    if size > MAX_ANNOTATIONS {
        errors.push(FieldError::too_long(path, MAX_ANNOTATIONS));
    }
    errors
}

/// What is wrong with owner references at `path`.
#[must_use]
pub fn validate_owners(owners: &List<OwnerReference>, path: &str) -> Vec<FieldError> {
    let mut errors = Vec::new();
    let mut first_controller = None::<String>;
    for owner in owners {
        errors.extend(validate_owner(owner, path));
        if owner.controller != Some(true) {
            continue;
        }
        let name = format!("{}/{}", owner.kind, owner.name);
        match &first_controller {
            None => first_controller = Some(name),
            Some(first) => errors.push(FieldError::invalid(
                path,
                FieldValue::of(owners),
                format!(
                    "Only one reference can have Controller set to true. Found \"true\" in references for {first} and {name}"
                ),
            )),
        }
    }
    errors
}

fn validate_owner(owner: &OwnerReference, path: &str) -> Vec<FieldError> {
    let mut errors = Vec::new();
    let mut parts = owner.api_version.split('/');
    let (group, version) = match (parts.next(), parts.next(), parts.next()) {
        (Some(version), None, _) => ("", version),
        (Some(group), Some(version), None) => (group, version),
        _ => ("", ""),
    };
    let field = |name: &str| format!("{path}.{name}");
    if version.is_empty() {
        let version = owner.api_version.as_str();
        errors.push(FieldError::invalid(field("apiVersion"), version, "version must not be empty"));
    }
    for (name, value) in [("kind", &owner.kind), ("name", &owner.name), ("uid", &owner.uid)] {
        if value.is_empty() {
            errors.push(FieldError::invalid(field(name), "", "must not be empty"));
        }
    }
    if (group, version, owner.kind.as_str()) == ("", "v1", "Event") {
        errors.push(FieldError::invalid(
            path,
            FieldValue::of(owner),
            "/v1, Kind=Event is disallowed from being an owner",
        ));
    }
    errors
}

/// What is wrong with finalizers at `path`.
#[must_use]
pub fn validate_finalizers(finalizers: &List<Str>, path: &str) -> Vec<FieldError> {
    let mut errors: Vec<FieldError> =
        finalizers.iter().flat_map(|finalizer| names::finalizer(path, finalizer)).collect();
    let has = |name: &str| finalizers.iter().any(|finalizer| *finalizer == *name);
    if has("orphan") && has("foregroundDeletion") {
        errors.push(FieldError::invalid(
            path,
            FieldValue::of(finalizers),
            "finalizer orphan and foregroundDeletion cannot be both set",
        ));
    }
    errors
}

/// What is wrong with managed fields at `path`.
#[must_use]
pub fn validate_managed_fields(entries: &List<ManagedFieldsEntry>, path: &str) -> Vec<FieldError> {
    let mut errors = Vec::new();
    for (index, entry) in entries.iter().enumerate() {
        let field = |name: &str| format!("{path}[{index}].{name}");
        if entry.manager.len() > MAX_MANAGER || !entry.manager.bytes().all(|byte| matches!(byte, b' '..=b'~'))
        {
            errors.extend(validate_manager(&entry.manager, &field("manager")));
        }
        if !matches!(entry.operation, ManagedFieldsOperationType::Apply | ManagedFieldsOperationType::Update)
        {
            let operation = entry.operation.as_str();
            errors.push(FieldError::invalid(field("operation"), operation, "must be `Apply` or `Update`"));
        }
        if !entry.fields_type.is_empty() && entry.fields_type != "FieldsV1" {
            let found = entry.fields_type.as_str();
            errors.push(FieldError::invalid(field("fieldsType"), found, "must be `FieldsV1`"));
        }
        if entry.subresource.len() > MAX_SUBRESOURCE {
            errors.push(FieldError::too_long(field("subresource"), MAX_SUBRESOURCE));
        }
    }
    errors
}

/// What is wrong with the name of a field manager at `path`.
#[must_use]
pub fn validate_manager(manager: &str, path: &str) -> Vec<FieldError> {
    let mut errors = Vec::new();
    if manager.len() > MAX_MANAGER {
        errors.push(FieldError::too_long(path, MAX_MANAGER));
    }
    for (position, character) in manager.char_indices() {
        if !is_printable(character) {
            let code = u32::from(character);
            let detail = format!("invalid character U+{code:04X} (at position {position})");
            errors.push(FieldError::invalid(path, manager, detail));
        }
    }
    errors
}
