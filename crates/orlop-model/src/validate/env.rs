//! Environment variables and where they come from; fields of a pod that it can be told.

use super::rules::Rules;
use super::volume::no_backsteps;
use crate::core::v1::{
    EnvFromSource, EnvVar, EnvVarSource, FileKeySelector, ObjectFieldSelector, PodSpec, ResourceFieldSelector,
};
use crate::{Quantity, names};

const RESOURCES: &[&str] = &[
    "limits.cpu",
    "limits.ephemeral-storage",
    "limits.memory",
    "requests.cpu",
    "requests.ephemeral-storage",
    "requests.memory",
];

/// Fields of a pod that environment variables can hold.
const ENV_FIELDS: &[&str] = &[
    "metadata.name",
    "metadata.namespace",
    "metadata.uid",
    "spec.nodeName",
    "spec.serviceAccountName",
    "status.hostIP",
    "status.hostIPs",
    "status.podIP",
    "status.podIPs",
];

/// Fields of a pod that files can hold.
pub(super) const FILE_FIELDS: &[&str] =
    &["metadata.annotations", "metadata.labels", "metadata.name", "metadata.namespace", "metadata.uid"];

pub(super) fn variables(rules: &mut Rules, variables: &[EnvVar]) {
    rules.each("env", variables, |rules, variable| {
        if variable.name.is_empty() {
            rules.required("name", "");
        } else {
            rules.complaints("name", &variable.name, names::relaxed_env_var_name(&variable.name));
        }
        rules.option("valueFrom", variable.value_from.as_deref(), |rules, source| {
            value_from(rules, source, variable);
        });
    });
}

fn value_from(rules: &mut Rules, source: &EnvVarSource, variable: &EnvVar) {
    rules.option("fieldRef", source.field_ref.as_deref(), |rules, field| {
        pod_field(rules, field, ENV_FIELDS);
    });
    rules.option("resourceFieldRef", source.resource_field_ref.as_deref(), |rules, field| {
        resource_field(rules, field, false);
    });
    let keys = [
        ("configMapKeyRef", source.config_map_key_ref.as_ref().map(|source| (&source.name, &source.key))),
        ("secretKeyRef", source.secret_key_ref.as_ref().map(|source| (&source.name, &source.key))),
    ];
    for (field, reference) in keys {
        let Some((name, key)) = reference else {
            continue;
        };
        rules.within(field, |rules| {
            rules.complaints("name", name, names::dns1123_subdomain(name));
            if key.is_empty() {
                rules.required("key", "");
            } else {
                rules.complaints("key", key, names::configmap_key(key));
            }
        });
    }
    rules.option("fileKeyRef", source.file_key_ref.as_deref(), file_key);
    let sources = [
        source.field_ref.is_some(),
        source.resource_field_ref.is_some(),
        source.config_map_key_ref.is_some(),
        source.secret_key_ref.is_some(),
        source.file_key_ref.is_some(),
    ];
    match sources.iter().filter(|source| **source).count() {
        0 => rules.invalid(
            "",
            "",
            "must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` or `fileKeyRef`",
        ),
        _ if !variable.value.is_empty() => {
            rules.invalid("", "", "may not be specified when `value` is not empty");
        }
        1 => {}
        _ => rules.invalid("", "", "may not have more than one field specified at a time"),
    }
}

fn file_key(rules: &mut Rules, reference: &FileKeySelector) {
    if reference.key.is_empty() {
        rules.required("key", "");
    } else {
        rules.complaints("key", &reference.key, names::relaxed_env_var_name(&reference.key));
    }
    if reference.volume_name.is_empty() {
        rules.required("volumeName", "");
    } else {
        rules.complaints("volumeName", &reference.volume_name, names::dns1123_label(&reference.volume_name));
    }
    if reference.path.is_empty() {
        rules.required("path", "");
    } else {
        no_backsteps(rules, "path", &reference.path);
    }
}

/// A field of the pod, one of `supported` or an entry of its labels or annotations.
pub(super) fn pod_field(rules: &mut Rules, field: &ObjectFieldSelector, supported: &[&str]) {
    if field.api_version.is_empty() {
        return rules.required("apiVersion", "");
    }
    let path = field.field_path.as_str();
    if path.is_empty() {
        return rules.required("fieldPath", "");
    }
    let subscript =
        path.strip_suffix("']").and_then(|path| path.split_once("['")).filter(|(path, _)| !path.is_empty());
    let conversion = |reason: String| format!("error converting fieldPath: {reason}");
    if field.api_version != "v1" {
        let detail = conversion(format!("unsupported pod version: {}", field.api_version));
        return rules.invalid("fieldPath", path, detail);
    }
    if let Some((parent, key)) = subscript {
        match parent {
            "metadata.annotations" => {
                let key = key.to_lowercase();
                rules.complaints("", &key, names::label_key(&key));
            }
            "metadata.labels" => rules.complaints("", key, names::label_key(key)),
            _ => {
                let detail = conversion(format!("field label does not support subscript: {path}"));
                rules.invalid("fieldPath", path, detail);
            }
        }
        return;
    }
    let internal = if path == "spec.host" { "spec.nodeName" } else { path };
    let known = [
        "metadata.annotations",
        "metadata.labels",
        "metadata.name",
        "metadata.namespace",
        "metadata.uid",
        "spec.nodeName",
        "spec.restartPolicy",
        "spec.serviceAccountName",
        "spec.schedulerName",
        "status.phase",
        "status.hostIP",
        "status.hostIPs",
        "status.podIP",
        "status.podIPs",
    ];
    if !known.contains(&internal) {
        return rules.invalid("fieldPath", path, conversion(format!("field label not supported: {path}")));
    }
    rules.one_of("fieldPath", internal, supported);
}

/// A resource of a container, which a file has to name.
pub(super) fn resource_field(rules: &mut Rules, field: &ResourceFieldSelector, of_file: bool) {
    let resource = field.resource.as_str();
    let is_pages =
        ["limits.hugepages-", "requests.hugepages-"].iter().any(|prefix| resource.starts_with(prefix));
    if of_file && field.container_name.is_empty() {
        rules.required("containerName", "");
    } else if resource.is_empty() {
        rules.required("resource", "");
    } else if !is_pages {
        rules.one_of("resource", resource, RESOURCES);
    }
    divisor(rules, resource, &field.divisor, is_pages);
}

fn divisor(rules: &mut Rules, resource: &str, divisor: &Quantity, is_pages: bool) {
    if divisor.is_zero() {
        return;
    }
    let bytes = &["1", "1k", "1M", "1G", "1T", "1P", "1E", "1Ki", "1Mi", "1Gi", "1Ti", "1Pi", "1Ei"][..];
    let (allowed, list, kind) = match resource {
        "limits.cpu" | "requests.cpu" => (&["1m", "1"][..], "1m and 1", "cpu"),
        "limits.memory" | "requests.memory" => (bytes, "", "memory"),
        "limits.ephemeral-storage" | "requests.ephemeral-storage" => (bytes, "", "local ephemeral storage"),
        _ if is_pages => (bytes, "", "hugepages"),
        _ => return,
    };
    if !allowed.contains(&divisor.to_string().as_str()) {
        let list = if list.is_empty() { allowed.join(", ") } else { list.to_owned() };
        let detail = format!("only divisor's values {list} are supported with the {kind} resource");
        rules.invalid("divisor", resource, detail);
    }
}

pub(super) fn sources(rules: &mut Rules, sources: &[EnvFromSource]) {
    rules.each("envFrom", sources, |rules, source| {
        if !source.prefix.is_empty() {
            rules.complaints("prefix", &source.prefix, names::relaxed_env_var_name(&source.prefix));
        }
        let references = [
            ("configMapRef", source.config_map_ref.as_ref().map(|source| &source.name)),
            ("secretRef", source.secret_ref.as_ref().map(|source| &source.name)),
        ];
        for (field, name) in references {
            let Some(name) = name else {
                continue;
            };
            rules.within(field, |rules| {
                if name.is_empty() {
                    rules.required("name", "");
                } else {
                    rules.complaints("name", name, names::NameRule::Subdomain.check_prefix(name));
                }
            });
        }
    });
    if sources.is_empty() {
        return;
    }
    // The path of these is Kubernetes' own: it lacks the index.
    rules.within("envFrom", |rules| {
        for source in sources {
            match (&source.config_map_ref, &source.secret_ref) {
                (None, None) => rules.invalid("", "", "must specify one of: `configMapRef` or `secretRef`"),
                (Some(_), Some(_)) => {
                    rules.invalid("", "", "may not have more than one field specified at a time");
                }
                _ => {}
            }
        }
    });
}

/// Files that variables are read from are in volumes that the pod's containers write: emptyDir.
pub(super) fn file_volumes(rules: &mut Rules, spec: &PodSpec) {
    super::container::each(rules, spec, |rules, container| {
        rules.each("env", &container.env, |rules, variable| {
            let Some(file) = variable.value_from.as_ref().and_then(|source| source.file_key_ref.as_ref())
            else {
                return;
            };
            // Of several volumes with one name the last counts.
            match spec.volumes.iter().rev().find(|volume| volume.name == file.volume_name) {
                None => rules.not_found("valueFrom.fileKeyRef.volumeName", &file.volume_name),
                Some(volume) if volume.source.empty_dir.is_none() => {
                    let detail = "referenced volume must be of type emptyDir";
                    rules.invalid("valueFrom.fileKeyRef.volumeName", &file.volume_name, detail);
                }
                Some(_) => {}
            }
        });
    });
}
