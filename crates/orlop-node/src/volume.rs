//! The files of volumes that are made from objects of the API.

use std::collections::BTreeMap;
use std::sync::Arc;

use orlop_model::core::v1::{Container, DownwardAPIVolumeFile, KeyToPath, Pod, Volume};
use orlop_model::{List, Str};

use crate::env::{Surroundings, metadata_field, resource};
use crate::runtime::{VolumeContent, VolumeFile, Volumes};

/// Permission bits where nobody says.
const DEFAULT_MODE: i32 = 0o644;

/// Why a volume cannot be set up; the pod waits, with an event `FailedMount`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("MountVolume.SetUp failed for volume \"{volume}\" : {message}")]
pub struct VolumeError {
    /// The volume's name in the pod.
    pub volume: Str,
    /// What is wrong, for people.
    pub message: String,
}

type Files = BTreeMap<Str, VolumeFile>;

/// Resolves the volumes of a pod that its containers use.
///
/// # Errors
/// The first volume that cannot be set up, in the order of the spec.
pub fn volumes(around: &Surroundings<'_>) -> Result<Volumes, VolumeError> {
    let spec = &around.pod.spec;
    let used = |volume: &&Volume| {
        let mut all = spec.init_containers.iter().chain(&spec.containers);
        all.any(|container| {
            container.volume_mounts.iter().any(|mount| mount.name == volume.name)
                || container.volume_devices.iter().any(|device| device.name == volume.name)
        })
    };
    let content = |volume: &Volume| {
        let content = resolve(volume, around)
            .map_err(|message| VolumeError { volume: volume.name.clone(), message })?;
        Ok((volume.name.clone(), content))
    };
    spec.volumes.iter().filter(used).map(content).collect()
}

fn resolve(volume: &Volume, around: &Surroundings<'_>) -> Result<VolumeContent, String> {
    let source = &volume.source;
    let mut files = Files::new();
    if let Some(map) = &source.config_map {
        config_map(&mut files, &map.name, &map.items, mode(map.default_mode), map.optional, around)?;
    } else if let Some(secret) = &source.secret {
        self::secret(
            &mut files,
            &secret.secret_name,
            &secret.items,
            mode(secret.default_mode),
            secret.optional,
            around,
        )?;
    } else if let Some(downward) = &source.downward_api {
        downward_api(&mut files, &downward.items, mode(downward.default_mode), around)?;
    } else if let Some(projected) = &source.projected {
        let mut problems = Vec::new();
        for projection in &projected.sources {
            let default = mode(projected.default_mode);
            let done = if let Some(map) = &projection.config_map {
                config_map(&mut files, &map.name, &map.items, default, map.optional, around)
            } else if let Some(secret) = &projection.secret {
                self::secret(&mut files, &secret.name, &secret.items, default, secret.optional, around)
            } else if let Some(downward) = &projection.downward_api {
                downward_api(&mut files, &downward.items, default, around)
            } else {
                // Tokens and certificates come from the runtime's surroundings.
                Ok(())
            };
            problems.extend(done.err());
        }
        match problems.as_slice() {
            [] => {}
            [only] => return Err(only.clone()),
            many => return Err(format!("[{}]", many.join(", "))),
        }
    } else {
        return Ok(VolumeContent::ByRuntime);
    }
    Ok(VolumeContent::Files(files))
}

fn mode(default: Option<i32>) -> u32 {
    default.unwrap_or(DEFAULT_MODE).unsigned_abs()
}

/// Either all keys under their own names, or the items chosen.
fn choose<'a>(
    files: &mut Files,
    all: impl Iterator<Item = (&'a Str, &'a [u8])> + Clone,
    items: &List<KeyToPath>,
    default: u32,
    optional: bool,
    missing: impl Fn(&str) -> String,
) -> Result<(), String> {
    let file = |data: &[u8], mode: u32| VolumeFile { mode, data: data.into() };
    if items.is_empty() {
        files.extend(all.map(|(key, data)| (key.clone(), file(data, default))));
        return Ok(());
    }
    for item in items {
        match all.clone().find(|(key, _)| **key == item.key) {
            Some((_, data)) => {
                files.insert(item.path.clone(), file(data, item.mode.map_or(default, i32::unsigned_abs)));
            }
            None if optional => {}
            None => return Err(missing(&item.key)),
        }
    }
    Ok(())
}

fn config_map(
    files: &mut Files,
    name: &str,
    items: &List<KeyToPath>,
    default: u32,
    optional: Option<bool>,
    around: &Surroundings<'_>,
) -> Result<(), String> {
    let optional = optional == Some(true);
    let Some(map) = around.materials.config_map(name, optional)?.map(Arc::as_ref) else {
        return Ok(());
    };
    let text = map.data.iter().map(|(key, value)| (key, value.as_bytes()));
    let binary = map.binary_data.iter().map(|(key, value)| (key, &value[..]));
    choose(files, text.chain(binary), items, default, optional, |key| {
        format!("configmap references non-existent config key: {key}")
    })
}

fn secret(
    files: &mut Files,
    name: &str,
    items: &List<KeyToPath>,
    default: u32,
    optional: Option<bool>,
    around: &Surroundings<'_>,
) -> Result<(), String> {
    let optional = optional == Some(true);
    let Some(secret) = around.materials.secret(name, optional)?.map(Arc::as_ref) else {
        return Ok(());
    };
    let data = secret.data.iter().map(|(key, value)| (key, &value[..]));
    choose(files, data, items, default, optional, |key| format!("references non-existent secret key: {key}"))
}

fn downward_api(
    files: &mut Files,
    items: &List<DownwardAPIVolumeFile>,
    default: u32,
    around: &Surroundings<'_>,
) -> Result<(), String> {
    let none = Container::default();
    for item in items {
        let value = if let Some(field) = &item.field_ref {
            metadata_field(&field.field_path, around.pod)
                .ok_or_else(|| format!("unsupported fieldPath: {}", field.field_path))?
        } else if let Some(selector) = &item.resource_field_ref {
            resource(selector, &none, around).map_err(|error| error.to_string())?
        } else {
            continue;
        };
        let data = value.as_bytes().into();
        files.insert(
            item.path.clone(),
            VolumeFile { mode: item.mode.map_or(default, i32::unsigned_abs), data },
        );
    }
    Ok(())
}

/// The contents of a file as a container sees it, by its absolute path; `None` if no volume with known files is mounted
/// there.
pub fn read_mounted<'a>(
    pod: &Pod,
    container: &Container,
    volumes: &'a Volumes,
    path: &str,
) -> Option<&'a VolumeFile> {
    debug_assert!(pod.spec.volumes.len() >= volumes.len());
    container.volume_mounts.iter().find_map(|mount| {
        let VolumeContent::Files(files) = volumes.get(&mount.name)? else {
            return None;
        };
        let rest = path.strip_prefix(mount.mount_path.trim_end_matches('/'))?;
        if mount.sub_path.is_empty() {
            files.get(rest.strip_prefix('/')?)
        } else if rest.is_empty() {
            files.get(&mount.sub_path)
        } else {
            files.get(format!("{}{rest}", mount.sub_path).as_str())
        }
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::materials::Materials;

    fn made(source: serde_json::Value) -> Result<Volumes, VolumeError> {
        let mut volume = json!({"name": "v"});
        volume.as_object_mut().unwrap().extend(source.as_object().unwrap().clone());
        let pod: Pod = serde_json::from_value(json!({
            "metadata": {"name": "web", "namespace": "shop"},
            "spec": {
                "containers": [{"name": "c", "volumeMounts": [{"name": "v", "mountPath": "/etc/v"}]}],
                "volumes": [volume, {"name": "unused", "configMap": {"name": "no"}}],
            },
        }))
        .unwrap();
        let map = json!({"metadata": {"name": "cfg"}, "data": {"a": "1"}, "binaryData": {"b": "AAE="}});
        let materials = Materials::new().with_config_map(serde_json::from_value(map).unwrap());
        let allocatable = Default::default();
        let around = Surroundings {
            pod: &pod,
            materials: &materials,
            pod_ips: &[],
            host_ips: &[],
            allocatable: &allocatable,
        };
        let made = volumes(&around)?;
        if let Some(file) = read_mounted(&pod, &pod.spec.containers[0], &made, "/etc/v/a") {
            assert_eq!(&*file.data, b"1");
        }
        Ok(made)
    }

    #[test]
    fn files_by_key_or_by_item() {
        let VolumeContent::Files(files) = &made(json!({"configMap": {"name": "cfg"}})).unwrap()["v"] else {
            panic!()
        };
        assert_eq!((files["a"].mode, &*files["b"].data), (0o644, &[0_u8, 1][..]));
        let chosen =
            json!({"configMap": {"name": "cfg", "items": [{"key": "a", "path": "x/y", "mode": 256}]}});
        let VolumeContent::Files(files) = &made(chosen).unwrap()["v"] else { panic!() };
        assert_eq!((files.len(), files["x/y"].mode), (1, 0o400));
        assert_eq!(made(json!({"emptyDir": {}})).unwrap()["v"], VolumeContent::ByRuntime);
    }

    #[test]
    fn what_is_missing_is_said_in_known_words() {
        for (source, text) in [
            (json!({"configMap": {"name": "no"}}), "configmap \"no\" not found"),
            (json!({"secret": {"secretName": "no"}}), "secret \"no\" not found"),
            (
                json!({"configMap": {"name": "cfg", "items": [{"key": "k", "path": "p"}]}}),
                "configmap references non-existent config key: k",
            ),
            (
                json!({"projected": {"sources": [{"configMap": {"name": "no"}}, {"secret": {"name": "nope"}}]}}),
                "[configmap \"no\" not found, secret \"nope\" not found]",
            ),
        ] {
            let error = made(source).unwrap_err().to_string();
            assert_eq!(error, format!("MountVolume.SetUp failed for volume \"v\" : {text}"));
        }
        assert!(made(json!({"secret": {"secretName": "no", "optional": true}})).is_ok());
    }
}
