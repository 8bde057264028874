//! Values that a pod's own description holds: fields by their path, requests and limits of containers.

use orlop_model::core::v1::{Container, Pod, ResourceFieldSelector, resource_name};
use orlop_model::quote::quoted;
use orlop_model::{Map, Quantity, Str, names};

use crate::env::Surroundings;

/// Why a field of the pod cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FieldPathError {
    /// There is no such field, or it is none that can be read.
    #[error("unsupported fieldPath: {0}")]
    Unsupported(Str),
    /// There is no such field for variables.
    #[error("field label not supported: {0}")]
    Label(Str),
    /// It is no map, but an entry of it is asked for.
    #[error("field label does not support subscript: {0}")]
    Subscript(Str),
    /// The entry asked for cannot be there, because of the form of its key.
    #[error("invalid key subscript in {path}: {complaint}")]
    Key {
        /// The whole path.
        path: Str,
        /// What is wrong with the key.
        complaint: String,
    },
}

/// Why a request or a limit cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ResourceFieldError {
    /// The pod has no such container.
    #[error("container {0} not found")]
    Container(Str),
    /// It is no request or limit of a resource that can be read.
    #[error("unsupported container resource : {0}")]
    Resource(Str),
}

/// `path['key']` in its parts.
fn subscript(path: &str) -> Option<(&str, &str)> {
    let (field, key) = path.strip_suffix("']")?.split_once("['")?;
    (!field.is_empty()).then_some((field, key))
}

/// A field of the pod by its path, for a variable: metadata, and some of spec and status.
pub(crate) fn pod_field(path: &str, around: &Surroundings<'_>) -> Result<Str, FieldPathError> {
    let pod = around.pod;
    if let Some((field, _)) = subscript(path) {
        return match field {
            "metadata.annotations" | "metadata.labels" => metadata_field(path, pod),
            _ => Err(FieldPathError::Subscript(path.into())),
        };
    }
    let joined = |ips: &mut dyn Iterator<Item = String>| Str::from(ips.collect::<Vec<_>>().join(","));
    Ok(match path {
        // `spec.host` is the node's name in very old descriptions.
        "spec.nodeName" | "spec.host" => pod.spec.node_name.clone(),
        "spec.serviceAccountName" => pod.spec.service_account_name.clone(),
        "status.hostIP" => around.host_ips.first().map(ToString::to_string).unwrap_or_default().into(),
        "status.hostIPs" => joined(&mut around.host_ips.iter().map(ToString::to_string)),
        "status.podIP" => around.pod_ips.first().cloned().unwrap_or_default(),
        "status.podIPs" => joined(&mut around.pod_ips.iter().map(ToString::to_string)),
        "metadata.annotations"
        | "metadata.labels"
        | "metadata.name"
        | "metadata.namespace"
        | "metadata.uid"
        | "spec.restartPolicy"
        | "spec.schedulerName"
        | "status.phase" => {
            return metadata_field(path, pod);
        }
        _ => return Err(FieldPathError::Label(path.into())),
    })
}

/// A field of the pod's metadata by its path; these are the fields that volumes can show.
pub(crate) fn metadata_field(path: &str, pod: &Pod) -> Result<Str, FieldPathError> {
    let meta = &pod.metadata;
    if let Some((field, key)) = subscript(path) {
        // Keys of annotations may have upper-case letters in their prefix.
        let (map, complaints) = match field {
            "metadata.annotations" => (&meta.annotations, names::label_key(&key.to_lowercase())),
            "metadata.labels" => (&meta.labels, names::label_key(key)),
            _ => return Err(FieldPathError::Unsupported(path.into())),
        };
        if !complaints.is_empty() {
            return Err(FieldPathError::Key { path: path.into(), complaint: complaints.join(";") });
        }
        return Ok(map.get(key).cloned().unwrap_or_default());
    }
    match path {
        "metadata.name" => Ok(meta.name.clone()),
        "metadata.namespace" => Ok(meta.namespace.clone()),
        "metadata.uid" => Ok(meta.uid.clone()),
        "metadata.labels" => Ok(listing(&meta.labels)),
        "metadata.annotations" => Ok(listing(&meta.annotations)),
        _ => Err(FieldPathError::Unsupported(path.into())),
    }
}

/// `key="value"` per line, sorted by key, without a line end after the last.
fn listing(map: &Map<Str>) -> Str {
    let lines: Vec<String> = map.iter().map(|(key, value)| format!("{key}={}", quoted(value))).collect();
    lines.join("\n").into()
}

/// One of the pod's containers by its name, regular ones before init containers.
pub(crate) fn container_named<'a>(pod: &'a Pod, name: &str) -> Result<&'a Container, ResourceFieldError> {
    let mut all = pod.spec.containers.iter().chain(&pod.spec.init_containers);
    all.find(|container| container.name == *name).ok_or_else(|| ResourceFieldError::Container(name.into()))
}

/// A request or limit of a container in units of the divisor, rounded up.
///
/// A limit of cpu, memory or ephemeral storage that is not set, or zero, is what `stand_in` says.
pub(crate) fn resource<'a>(
    selector: &ResourceFieldSelector,
    container: &'a Container,
    stand_in: impl Fn(&str) -> Option<&'a Quantity>,
) -> Result<Str, ResourceFieldError> {
    let unsupported = || ResourceFieldError::Resource(selector.resource.clone());
    let (kind, name) = selector.resource.split_once('.').ok_or_else(unsupported)?;
    let standard = [resource_name::CPU, resource_name::MEMORY, resource_name::EPHEMERAL_STORAGE];
    if !standard.contains(&name) && !name.starts_with("hugepages-") {
        return Err(unsupported());
    }
    let units = |quantity: &Quantity| {
        if name == resource_name::CPU { quantity.milli_value() } else { quantity.value() }
    };
    let amount = match kind {
        "limits" => {
            let set = container.resources.limits.get(name);
            let missing = set.is_none_or(Quantity::is_zero) && standard.contains(&name);
            if missing { stand_in(name).or(set) } else { set }
        }
        "requests" => container.resources.requests.get(name),
        _ => return Err(unsupported()),
    };
    let one = if name == resource_name::CPU { 1000 } else { 1 };
    let divisor = if selector.divisor.is_zero() { one } else { units(&selector.divisor) };
    // Kubernetes divides as floating point.
    let value = (amount.map_or(0, units) as f64 / divisor as f64).ceil();
    Ok((value as i64).to_string().into())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn amounts_are_rounded_up_in_units_of_the_divisor() {
        let container: Container = serde_json::from_value(json!({
            "name": "c",
            "resources": {
                "requests": {"cpu": "250m", "memory": "1Mi"},
                "limits": {"memory": "0", "hugepages-2Mi": "4Mi"},
            },
        }))
        .unwrap();
        let node: Quantity = "3500m".parse().unwrap();
        let read = |resource_name: &str, divisor: &str| {
            let selector: ResourceFieldSelector =
                serde_json::from_value(json!({"resource": resource_name, "divisor": divisor})).unwrap();
            resource(&selector, &container, |name| (name == "cpu").then_some(&node))
                .map(|value| value.to_string())
                .map_err(|error| error.to_string())
        };
        assert_eq!(read("requests.cpu", "0").unwrap(), "1");
        assert_eq!(read("requests.cpu", "1m").unwrap(), "250");
        assert_eq!(read("requests.memory", "1M").unwrap(), "2");
        assert_eq!(read("limits.cpu", "1").unwrap(), "4");
        assert_eq!(read("limits.memory", "1").unwrap(), "0");
        assert_eq!(read("limits.hugepages-2Mi", "1Mi").unwrap(), "4");
        assert_eq!(read("limits.gpu", "1").unwrap_err(), "unsupported container resource : limits.gpu");
        assert_eq!(read("cpu", "1").unwrap_err(), "unsupported container resource : cpu");
    }
}
