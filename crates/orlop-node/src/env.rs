//! The environment, command and arguments of a container.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use orlop_model::core::v1::{Container, EnvVarSource, Pod, VolumeMount};
use orlop_model::quote::quoted;
use orlop_model::{Map, Quantity, Str};

use crate::env_file::{EnvFiles, env_file_value};
use crate::expand::expand;
use crate::field::{FieldPathError, ResourceFieldError, container_named, pod_field, resource};
use crate::materials::Materials;
use crate::restart::is_static;
use crate::services::{Services, service_variables};

/// Why a container's environment cannot be made; it waits with reason `CreateContainerConfigError` and this text.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EnvError {
    /// The pod does not say whether its containers are told of services.
    #[error("nil pod.spec.enableServiceLinks encountered, cannot construct envvars")]
    ServiceLinks,
    /// The services have not been read yet.
    #[error("services have not yet been read at least once, cannot construct envvars")]
    ServicesUnread,
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
    /// The pod has no such volume with an env file.
    #[error("cannot find the volume {} referenced by FileKeyRef", quoted(.0))]
    Volume(Str),
    /// The env file is missing, or of another form.
    #[error("couldn't parse env file")]
    EnvFile,
    /// The env file does not set the variable, or to nothing.
    #[error("environment variable key {} not found in file {}", quoted(key), quoted(file))]
    EnvFileKey {
        /// The variable in the file.
        key: Str,
        /// The file's place on the node.
        file: String,
    },
    /// A field of the pod cannot be read.
    #[error(transparent)]
    Field(#[from] FieldPathError),
    /// There is no such resource or container to take the value from.
    #[error(transparent)]
    Resource(#[from] ResourceFieldError),
}

/// Why a mount's sub path cannot be made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("missing value for {0}")]
pub struct SubPathError(
    /// Names of the variables that are not set or empty, joined by commas.
    pub String,
);

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
    /// The cluster's services.
    pub services: Services<'a>,
    /// Files of the pod's volumes that variables come from.
    pub files: &'a EnvFiles,
}

/// A container's variables: those of its sources in order, its own in order, those of services by name. Each name is
/// there once; a later definition takes the place of an earlier one, but what tells of services.
///
/// # Errors
/// [`EnvError`], with the text that people know from a container that waits.
pub fn environment(container: &Container, around: &Surroundings<'_>) -> Result<Vec<(Str, Str)>, EnvError> {
    let pod = around.pod;
    let links = pod.spec.enable_service_links.ok_or(EnvError::ServiceLinks)?;
    let services = match around.services {
        Services::Unread if !is_static(pod) => return Err(EnvError::ServicesUnread),
        Services::Unread | Services::Ignored => BTreeMap::new(),
        Services::Known(services) => service_variables(services, &pod.metadata.namespace, links),
    };
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
        } else if let Some(source) = &from.secret_ref {
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
        let value = match variable.value_from.as_deref() {
            Some(source) if variable.value.is_empty() => value_from(source, container, around)?,
            _ => {
                let lookup = |name: &str| env.get(name).or_else(|| services.get(name).map(String::as_str));
                Some(expand(&variable.value, lookup).into())
            }
        };
        if let Some(value) = value {
            env.set(&variable.name, value);
        }
    }
    for (name, value) in services {
        if env.get(&name).is_none() {
            env.set(&name, value.into());
        }
    }
    Ok(env.list)
}

/// The command and the arguments of a container with the finished environment's variables in them.
pub fn command(container: &Container, env: &[(Str, Str)]) -> (Vec<Str>, Vec<Str>) {
    let lookup = |name: &str| value_of(env, name);
    let expanded = |list: &[Str]| list.iter().map(|text| expand(text, lookup).into()).collect();
    (expanded(&container.command), expanded(&container.args))
}

/// The path in the volume that is mounted, empty for all of the volume: `subPath`, or `subPathExpr` with the finished
/// environment's variables in it.
///
/// # Errors
/// A variable in `subPathExpr` that is not set, or empty.
pub fn sub_path(mount: &VolumeMount, env: &[(Str, Str)]) -> Result<Str, SubPathError> {
    if mount.sub_path_expr.is_empty() {
        return Ok(mount.sub_path.clone());
    }
    let mut missing = BTreeSet::new();
    let path = expand(&mount.sub_path_expr, |name| {
        let value = value_of(env, name).filter(|value| !value.is_empty());
        if value.is_none() {
            missing.insert(name.to_owned());
        }
        value
    });
    if missing.is_empty() {
        Ok(path.into())
    } else {
        Err(SubPathError(missing.into_iter().collect::<Vec<_>>().join(", ")))
    }
}

fn value_of<'a>(env: &'a [(Str, Str)], name: &str) -> Option<&'a str> {
    env.iter().find(|(known, _)| *known == *name).map(|(_, value)| value.as_str())
}

fn text(bytes: &[u8]) -> Str {
    String::from_utf8_lossy(bytes).into_owned().into()
}

/// Variables in the order of their first definition.
#[derive(Default)]
struct Variables {
    list: Vec<(Str, Str)>,
    /// Where a name is in the list.
    index: BTreeMap<Str, usize>,
}

impl Variables {
    fn get(&self, name: &str) -> Option<&str> {
        self.index.get(name).map(|index| self.list[*index].1.as_str())
    }

    fn set(&mut self, name: &str, value: Str) {
        match self.index.get(name) {
            Some(index) => self.list[*index].1 = value,
            None => {
                self.index.insert(name.into(), self.list.len());
                self.list.push((name.into(), value));
            }
        }
    }
}

/// The value of a variable from elsewhere; `None`: it is not defined.
fn value_from(
    source: &EnvVarSource,
    container: &Container,
    around: &Surroundings<'_>,
) -> Result<Option<Str>, EnvError> {
    let namespace = &around.pod.metadata.namespace;
    if let Some(field) = &source.field_ref {
        return Ok(Some(pod_field(&field.field_path, around)?));
    }
    if let Some(selector) = &source.resource_field_ref {
        let container = match selector.container_name.as_str() {
            "" => container,
            name => container_named(around.pod, name)?,
        };
        let spec = &around.pod.spec;
        let of_pod = spec.resources.as_deref().map(|resources| &resources.limits);
        // Kubernetes leaves out init containers that are named, but not those that ask for their own.
        let named_init = !selector.container_name.is_empty()
            && spec.init_containers.iter().any(|init| std::ptr::eq(init, container));
        let stand_in = |name: &str| {
            if named_init {
                return None;
            }
            of_pod
                .and_then(|limits| limits.get(name))
                .filter(|limit| !limit.is_zero())
                .or_else(|| around.allocatable.get(name))
        };
        return Ok(Some(resource(selector, container, stand_in)?));
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
    if let Some(key) = &source.file_key_ref {
        let file = around
            .files
            .get(&key.volume_name, &key.path)
            .ok_or_else(|| EnvError::Volume(key.volume_name.clone()))?;
        let contents = file.contents.ok_or(EnvError::EnvFile)?;
        let value = env_file_value(contents, &key.key).map_err(|_| EnvError::EnvFile)?;
        return match (value.is_empty(), key.optional == Some(true)) {
            (false, _) => Ok(Some(value.into())),
            (true, true) => Ok(None),
            (true, false) => Err(EnvError::EnvFileKey { key: key.key.clone(), file: file.place }),
        };
    }
    Ok(Some(Str::EMPTY))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn made(container: serde_json::Value, materials: &Materials) -> Result<Vec<(String, String)>, EnvError> {
        let pod: Pod = serde_json::from_value(json!({
            "metadata": {"name": "web", "namespace": "shop", "uid": "u1", "labels": {"app": "web", "tier": "a\"b"}},
            "spec": {"nodeName": "n1", "enableServiceLinks": true, "containers": [container]},
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
            services: Services::Ignored,
            files: &EnvFiles::new(),
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
