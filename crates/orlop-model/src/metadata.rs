//! The rules for metadata: labels, annotations, owners, finalizers, managed fields.

use crate::meta::v1::{ManagedFieldsEntry, ManagedFieldsOperationType};
use crate::names::{self, NameRule};
use crate::quote::is_printable;
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
    let mut errors = Vec::new();
    if !meta.generate_name.is_empty() {
        let complaints = rule.check_prefix(&meta.generate_name);
        errors.extend(invalid(&format!("{path}.generateName"), &meta.generate_name, complaints));
    }
    let field = format!("{path}.name");
    if meta.name.is_empty() {
        errors.push(FieldError::required(field, "name or generateName is required"));
    } else {
        errors.extend(invalid(&field, &meta.name, rule.check(&meta.name)));
    }
    errors
}

/// The part of [`validate`] for everything but `name` and `generateName`.
#[must_use]
pub fn validate_common(meta: &ObjectMeta, is_namespaced: bool, path: &str) -> Vec<FieldError> {
    let mut errors = Vec::new();
    let field = format!("{path}.namespace");
    match (is_namespaced, meta.namespace.is_empty()) {
        (true, true) => errors.push(FieldError::required(field, "")),
        (true, false) => {
            errors.extend(invalid(&field, &meta.namespace, names::dns1123_label(&meta.namespace)));
        }
        (false, false) => errors.push(FieldError::forbidden(field, "not allowed on this type")),
        (false, true) => {}
    }
    if meta.generation < 0 {
        let detail = "must be greater than or equal to 0";
        errors.push(FieldError::invalid(format!("{path}.generation"), meta.generation, detail));
    }
    errors.extend(validate_labels(&meta.labels, &format!("{path}.labels")));
    errors.extend(validate_annotations(&meta.annotations, &format!("{path}.annotations")));
    errors.extend(validate_owners(&meta.owner_references, &format!("{path}.ownerReferences")));
    errors.extend(validate_finalizers(&meta.finalizers, &format!("{path}.finalizers")));
    errors.extend(validate_managed_fields(&meta.managed_fields, &format!("{path}.managedFields")));
    errors
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
        errors.extend(invalid(path, key, names::label_key(&key.to_lowercase())));
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
        if !matches!(entry.operation, ManagedFieldsOperationType::Apply | ManagedFieldsOperationType::Update)
        {
            let operation = entry.operation.as_str();
            errors.push(FieldError::invalid(field("operation"), operation, "must be `Apply` or `Update`"));
        }
        if !entry.fields_type.is_empty() && entry.fields_type != "FieldsV1" {
            let found = entry.fields_type.as_str();
            errors.push(FieldError::invalid(field("fieldsType"), found, "must be `FieldsV1`"));
        }
        errors.extend(validate_manager(&entry.manager, &field("manager")));
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
