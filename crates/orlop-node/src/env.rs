//! The environment, command and arguments of a container.

use std::net::IpAddr;

use orlop_model::core::v1::{Container, EnvVarSource, Pod, ResourceFieldSelector, resource_name};
use orlop_model::{Map, Quantity, Str};

use crate::materials::Materials;

/// Why a container's environment cannot be made; it waits with reason `CreateContainerConfigError` and this text.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EnvError {
    /// An object that it needs is not there.
    #[error("{0}")]
    Missing(String),
    /// The ConfigMap is there, its key is not.
    #[error("couldn't find key {key} in ConfigMap {namespace}/{name}")]
    ConfigMapKey {
        /// The key.
        key: Str,
        /// Namespace of the ConfigMap.
        namespace: Str,
        /// Its name.
        name: Str,
    },
    /// The Secret is there, its key is not.
    #[error("couldn't find key {key} in Secret {namespace}/{name}")]
    SecretKey {
        /// The key.
        key: Str,
        /// Namespace of the Secret.
        namespace: Str,
        /// Its name.
        name: Str,
    },
    /// There is no such field to take the value from.
    #[error("unsupported fieldPath: {0}")]
    Field(Str),
    /// There is no such resource or container to take the value from.
    #[error("{0}")]
    Resource(String),
}

/// What a container can be told about its surroundings.
#[derive(Clone, Copy, Debug)]
pub struct Surroundings<'a> {
    /// The pod.
    pub pod: &'a Pod,
    /// Its ConfigMaps and Secrets.
    pub materials: &'a Materials,
    /// The pod's addresses, the primary one first.
    pub pod_ips: &'a [Str],
    /// The node's addresses, the primary one first.
    pub host_ips: &'a [IpAddr],
    /// What the node offers; stands in for limits that are not set.
    pub allocatable: &'a Map<Quantity>,
}

/// A container's variables, in the order in which they are defined; a later one of the same name takes the place of
/// the earlier.
///
/// # Errors
/// [`EnvError`], with the text that people know from a container that waits.
pub fn environment(container: &Container, around: &Surroundings<'_>) -> Result<Vec<(Str, Str)>, EnvError> {
    let mut env = Variables::default();
    for from in &container.env_from {
        if let Some(source) = &from.config_map_ref {
            let map = around
                .materials
                .config_map(&source.name, source.optional == Some(true))
                .map_err(EnvError::Missing)?;
            for (key, value) in map.iter().flat_map(|map| &map.data) {
                env.set(&format!("{}{key}", from.prefix), value.clone());
            }
        }
        if let Some(source) = &from.secret_ref {
            let secret = around
                .materials
                .secret(&source.name, source.optional == Some(true))
                .map_err(EnvError::Missing)?;
            for (key, value) in secret.iter().flat_map(|secret| &secret.data) {
                env.set(&format!("{}{key}", from.prefix), text(value));
            }
        }
    }
    for variable in &container.env {
        match variable.value_from.as_deref() {
            None => {
                let value = expand(&variable.value, |name| env.get(name));
                env.set(&variable.name, value.into());
            }
            Some(source) => {
                if let Some(value) = value_from(source, container, around)? {
                    env.set(&variable.name, value);
                }
            }
        }
    }
    Ok(env.0)
}

/// The command and the arguments of a container with the finished environment's variables in them.
pub fn command(container: &Container, env: &[(Str, Str)]) -> (Vec<Str>, Vec<Str>) {
    let lookup = |name: &str| env.iter().find(|(known, _)| *known == *name).map(|(_, value)| value.as_str());
    let expanded = |list: &[Str]| list.iter().map(|text| expand(text, lookup).into()).collect();
    (expanded(&container.command), expanded(&container.args))
}

fn text(bytes: &[u8]) -> Str {
    String::from_utf8_lossy(bytes).into_owned().into()
}

#[derive(Default)]
struct Variables(Vec<(Str, Str)>);

impl Variables {
    fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| *known == *name).map(|(_, value)| value.as_str())
    }

    fn set(&mut self, name: &str, value: Str) {
        match self.0.iter_mut().find(|(known, _)| *known == *name) {
            Some(known) => known.1 = value,
            None => self.0.push((name.into(), value)),
        }
    }
}

fn value_from(
    source: &EnvVarSource,
    container: &Container,
    around: &Surroundings<'_>,
) -> Result<Option<Str>, EnvError> {
    let namespace = &around.pod.metadata.namespace;
    if let Some(field) = &source.field_ref {
        return pod_field(&field.field_path, around)
            .map(Some)
            .ok_or_else(|| EnvError::Field(field.field_path.clone()));
    }
    if let Some(selector) = &source.resource_field_ref {
        return resource(selector, container, around).map(Some);
    }
    if let Some(key) = &source.config_map_key_ref {
        let optional = key.optional == Some(true);
        let map = around.materials.config_map(&key.name, optional).map_err(EnvError::Missing)?;
        return match map.map(|map| map.data.get(&key.key)) {
            Some(Some(value)) => Ok(Some(value.clone())),
            Some(None) if !optional => Err(EnvError::ConfigMapKey {
                key: key.key.clone(),
                namespace: namespace.clone(),
                name: key.name.clone(),
            }),
            Some(None) | None => Ok(None),
        };
    }
    if let Some(key) = &source.secret_key_ref {
        let optional = key.optional == Some(true);
        let secret = around.materials.secret(&key.name, optional).map_err(EnvError::Missing)?;
        return match secret.map(|secret| secret.data.get(&key.key)) {
            Some(Some(value)) => Ok(Some(text(value))),
            Some(None) if !optional => Err(EnvError::SecretKey {
                key: key.key.clone(),
                namespace: namespace.clone(),
                name: key.name.clone(),
            }),
            Some(None) | None => Ok(None),
        };
    }
    Ok(Some(Str::EMPTY))
}

/// A field of the pod by its path, or `None` if there is no such field to be read.
pub(crate) fn pod_field(path: &str, around: &Surroundings<'_>) -> Option<Str> {
    let pod = around.pod;
    let joined = |ips: &mut dyn Iterator<Item = String>| Str::from(ips.collect::<Vec<_>>().join(","));
    Some(match path {
        "spec.nodeName" => pod.spec.node_name.clone(),
        "spec.serviceAccountName" => pod.spec.service_account_name.clone(),
        "status.hostIP" => around.host_ips.first().map(ToString::to_string).unwrap_or_default().into(),
        "status.hostIPs" => joined(&mut around.host_ips.iter().map(ToString::to_string)),
        "status.podIP" => around.pod_ips.first().cloned().unwrap_or_default(),
        "status.podIPs" => joined(&mut around.pod_ips.iter().map(ToString::to_string)),
        _ => return metadata_field(path, pod),
    })
}

/// A field of the pod's metadata by its path; these are the fields that volumes can show too.
pub(crate) fn metadata_field(path: &str, pod: &Pod) -> Option<Str> {
    let meta = &pod.metadata;
    let entry = |map: &Map<Str>, prefix: &str| {
        let key = path.strip_prefix(prefix)?.strip_prefix("['")?.strip_suffix("']")?;
        Some(map.get(key).cloned().unwrap_or_default())
    };
    match path {
        "metadata.name" => Some(meta.name.clone()),
        "metadata.namespace" => Some(meta.namespace.clone()),
        "metadata.uid" => Some(meta.uid.clone()),
        "metadata.labels" => Some(listing(&meta.labels)),
        "metadata.annotations" => Some(listing(&meta.annotations)),
        _ => entry(&meta.labels, "metadata.labels")
            .or_else(|| entry(&meta.annotations, "metadata.annotations")),
    }
}

/// `key="value"` per line, sorted by key.
fn listing(map: &Map<Str>) -> Str {
    let lines: Vec<String> = map.iter().map(|(key, value)| format!("{key}={value:?}")).collect();
    lines.join("\n").into()
}

/// A request or limit of a container, in units of the divisor, rounded up.
pub(crate) fn resource(
    selector: &ResourceFieldSelector,
    own: &Container,
    around: &Surroundings<'_>,
) -> Result<Str, EnvError> {
    let spec = &around.pod.spec;
    let container = if selector.container_name.is_empty() || selector.container_name == own.name {
        own
    } else {
        let mut all = spec.containers.iter().chain(&spec.init_containers);
        all.find(|container| container.name == selector.container_name)
            .ok_or_else(|| EnvError::Resource(format!("container {} not found", selector.container_name)))?
    };
    let unsupported =
        || EnvError::Resource(format!("unsupported container resource : {}", selector.resource));
    let (kind, name) = selector.resource.split_once('.').ok_or_else(unsupported)?;
    let known = [resource_name::CPU, resource_name::MEMORY, resource_name::EPHEMERAL_STORAGE].contains(&name)
        || name.starts_with("hugepages-");
    if !known {
        return Err(unsupported());
    }
    let milli = |quantity: &Quantity| {
        i128::from(if name == resource_name::CPU { quantity.milli_value() } else { quantity.value() })
    };
    let amount = match kind {
        "limits" => {
            let own = container.resources.limits.get(name).map(milli).filter(|limit| *limit > 0);
            let pod = || {
                spec.resources
                    .as_deref()
                    .and_then(|resources| resources.limits.get(name))
                    .map(milli)
                    .filter(|limit| *limit > 0)
            };
            own.or_else(pod).or_else(|| around.allocatable.get(name).map(milli)).unwrap_or(0)
        }
        "requests" => container.resources.requests.get(name).map_or(0, milli),
        _ => return Err(unsupported()),
    };
    let unit = if name == resource_name::CPU { 1000 } else { 1 };
    let divisor = Some(milli(&selector.divisor)).filter(|divisor| *divisor > 0).unwrap_or(unit);
    Ok(((amount + divisor - 1) / divisor).to_string().into())
}

/// Replaces `$(NAME)` by what `lookup` knows; `$$` becomes `$`, unknown names stay as they are.
pub(crate) fn expand<'a>(text: &str, lookup: impl Fn(&str) -> Option<&'a str>) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('$') {
        out.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        if let Some(after) = rest.strip_prefix('$') {
            out.push('$');
            rest = after;
        } else if let Some((name, after)) = rest.strip_prefix('(').and_then(|open| open.split_once(')')) {
            match lookup(name) {
                Some(value) => out.push_str(value),
                None => {
                    out.push_str("$(");
                    out.push_str(name);
                    out.push(')');
                }
            }
            rest = after;
        } else {
            out.push('$');
        }
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn made(container: serde_json::Value, materials: &Materials) -> Result<Vec<(String, String)>, EnvError> {
        let pod: Pod = serde_json::from_value(json!({
            "metadata": {"name": "web", "namespace": "shop", "uid": "u1", "labels": {"app": "web", "tier": "a\"b"}},
            "spec": {"nodeName": "n1", "containers": [container]},
        }))
        .unwrap();
        let allocatable: Map<Quantity> =
            [("cpu", "4".parse().unwrap()), ("memory", "8Gi".parse().unwrap())].into();
        let around = Surroundings {
            pod: &pod,
            materials,
            pod_ips: &["10.0.0.7".into(), "fd00::7".into()],
            host_ips: &["192.168.0.1".parse().unwrap()],
            allocatable: &allocatable,
        };
        let env = environment(&pod.spec.containers[0], &around)?;
        Ok(env.into_iter().map(|(name, value)| (name.to_string(), value.to_string())).collect())
    }

    fn materials() -> Materials {
        let map =
            serde_json::from_value(json!({"metadata": {"name": "cfg"}, "data": {"A": "1", "B": "$(A)"}}))
                .unwrap();
        let secret =
            serde_json::from_value(json!({"metadata": {"name": "key"}, "data": {"pass": "c2VjcmV0"}}))
                .unwrap();
        Materials::new().with_config_map(map).with_secret(secret)
    }

    #[test]
    fn values_come_from_everywhere() {
        let container = json!({
            "name": "c",
            "envFrom": [{"prefix": "X_", "configMapRef": {"name": "cfg"}}, {"secretRef": {"name": "none", "optional": true}}],
            "env": [
                {"name": "PASS", "valueFrom": {"secretKeyRef": {"name": "key", "key": "pass"}}},
                {"name": "SEEN", "value": "$(PASS)-$(X_B)-$$(PASS)-$(LATER)-$"},
                {"name": "LATER", "valueFrom": {"fieldRef": {"fieldPath": "status.podIPs"}}},
                {"name": "LABELS", "valueFrom": {"fieldRef": {"fieldPath": "metadata.labels"}}},
                {"name": "ONE", "valueFrom": {"fieldRef": {"fieldPath": "metadata.labels['app']"}}},
                {"name": "CPU", "valueFrom": {"resourceFieldRef": {"resource": "requests.cpu"}}},
                {"name": "MEM", "valueFrom": {"resourceFieldRef": {"resource": "limits.memory", "divisor": "1Gi"}}},
                {"name": "GONE", "valueFrom": {"configMapKeyRef": {"name": "cfg", "key": "none", "optional": true}}},
                {"name": "X_A", "value": "over"},
            ],
            "resources": {"requests": {"cpu": "250m"}},
        });
        let env = made(container, &materials()).unwrap();
        let wanted = [
            ("X_A", "over"),
            ("X_B", "$(A)"),
            ("PASS", "secret"),
            ("SEEN", "secret-$(A)-$(PASS)-$(LATER)-$"),
            ("LATER", "10.0.0.7,fd00::7"),
            ("LABELS", "app=\"web\"\ntier=\"a\\\"b\""),
            ("ONE", "web"),
            ("CPU", "1"),
            ("MEM", "8"),
        ];
        assert_eq!(env, wanted.map(|(name, value)| (name.to_owned(), value.to_owned())));
    }

    #[test]
    fn what_is_missing_is_said_in_known_words() {
        for (source, text) in [
            (json!({"configMapKeyRef": {"name": "no", "key": "k"}}), "configmap \"no\" not found"),
            (json!({"secretKeyRef": {"name": "no", "key": "k"}}), "secret \"no\" not found"),
            (
                json!({"configMapKeyRef": {"name": "cfg", "key": "k"}}),
                "couldn't find key k in ConfigMap shop/cfg",
            ),
            (json!({"secretKeyRef": {"name": "key", "key": "k"}}), "couldn't find key k in Secret shop/key"),
        ] {
            let container = json!({"name": "c", "env": [{"name": "V", "valueFrom": source}]});
            assert_eq!(made(container, &materials()).unwrap_err().to_string(), text);
        }
    }
}
