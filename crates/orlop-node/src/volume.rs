//! The files of volumes that are made from objects of the API.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use orlop_model::core::v1::{
    Container, DownwardAPIVolumeFile, KeyToPath, Pod, Volume, VolumeProjection, VolumeSource,
};
use orlop_model::{List, Str};

use crate::env::Surroundings;
use crate::field::{container_named, metadata_field, resource};
use crate::materials::TokenRequest;
use crate::runtime::{VolumeContent, VolumeFile, Volumes};

/// The mode of tokens that must not be everybody's.
const TOKEN_MODE: u32 = 0o600;
const NO_MODE: &str = "no defaultMode used, not even the default value for it";

/// Why a volume cannot be set up; the pod waits, with an event `FailedMount`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("MountVolume.SetUp failed for volume \"{volume}\" : {message}")]
pub struct VolumeError {
    /// The volume's name in the pod.
    pub volume: Str,
    /// What is wrong, for people.
    pub message: String,
}

/// Whose the files of a volume are to be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct VolumeOwner {
    /// The user of all containers, where they have one in common.
    pub user: Option<i64>,
    /// The pod's `fsGroup`.
    pub group: Option<i64>,
}

impl VolumeOwner {
    /// Whose the files of a pod's volumes are.
    pub fn of(pod: &Pod) -> Self {
        let of_pod = pod.spec.security_context.as_deref();
        let mut users = pod.spec.init_containers.iter().chain(&pod.spec.containers).map(|container| {
            let own = container.security_context.as_ref().and_then(|context| context.run_as_user);
            own.or_else(|| of_pod.and_then(|context| context.run_as_user))
        });
        let first = users.next().flatten();
        let user = first.filter(|first| users.all(|user| user == Some(*first)));
        Self { user, group: of_pod.and_then(|context| context.fs_group) }
    }
}

/// The files of a volume by path relative to it.
pub type VolumeFiles = BTreeMap<Str, VolumeFile>;

/// Resolves the volumes of a pod that its containers use.
///
/// # Errors
/// The first volume that cannot be set up, in the order of the spec.
pub fn volumes(around: &Surroundings<'_>) -> Result<Volumes, VolumeError> {
    let spec = &around.pod.spec;
    let used = |volume: &&Volume| {
        let ephemeral = spec.ephemeral_containers.iter().map(|ephemeral| &ephemeral.container);
        let mut all = spec.init_containers.iter().chain(&spec.containers).chain(ephemeral);
        all.any(|container| {
            let from_file = |variable: &orlop_model::core::v1::EnvVar| {
                let source = variable.value_from.as_ref().and_then(|source| source.file_key_ref.as_ref());
                source.is_some_and(|file| file.volume_name == volume.name)
            };
            container.volume_mounts.iter().any(|mount| mount.name == volume.name)
                || container.volume_devices.iter().any(|device| device.name == volume.name)
                || container.env.iter().any(from_file)
        })
    };
    let owner = VolumeOwner::of(around.pod);
    let content = |volume: &Volume| {
        let content = volume_files(&volume.source, owner, around)
            .map_err(|message| VolumeError { volume: volume.name.clone(), message })?;
        Ok((volume.name.clone(), content.map_or(VolumeContent::ByRuntime, VolumeContent::Files)))
    };
    spec.volumes.iter().filter(used).map(content).collect()
}

/// The files of a volume of kind configMap, secret, downwardAPI or projected; `None` for all other kinds.
///
/// # Errors
/// What is missing or wrong, in the words that people know. A projected volume tells of all its sources.
pub fn volume_files(
    source: &VolumeSource,
    owner: VolumeOwner,
    around: &Surroundings<'_>,
) -> Result<Option<VolumeFiles>, String> {
    if let Some(map) = &source.config_map {
        return config_map(&map.name, &map.items, map.default_mode, map.optional, around).map(Some);
    }
    if let Some(source) = &source.secret {
        return secret(&source.secret_name, &source.items, source.default_mode, source.optional, around)
            .map(Some);
    }
    if let Some(downward) = &source.downward_api {
        return downward_api(&downward.items, downward.default_mode, around)
            .map(Some)
            .map_err(|problems| joined(&problems));
    }
    let Some(projected) = &source.projected else {
        return Ok(None);
    };
    let mode = projected.default_mode;
    mode_of(mode)?;
    let mut files = VolumeFiles::new();
    let mut problems = Vec::new();
    for projection in &projected.sources {
        let made = if let Some(map) = &projection.config_map {
            config_map(&map.name, &map.items, mode, map.optional, around).map_err(|problem| vec![problem])
        } else if let Some(source) = &projection.secret {
            secret(&source.name, &source.items, mode, source.optional, around)
                .map_err(|problem| vec![problem])
        } else if let Some(downward) = &projection.downward_api {
            downward_api(&downward.items, mode, around)
        } else if let Some(request) = token_request(projection, around.pod) {
            token(&request, projection, mode, owner, around).map_err(|problem| vec![problem])
        } else {
            // Certificates and trust bundles are behind gates that are off.
            continue;
        };
        match made {
            Ok(made) => files.extend(made),
            Err(more) => problems.extend(more),
        }
    }
    if problems.is_empty() { Ok(Some(files)) } else { Err(joined(&problems)) }
}

/// The tokens that a volume shows, in order.
pub fn token_requests(source: &VolumeSource, pod: &Pod) -> Vec<TokenRequest> {
    let projected = source.projected.iter().filter(|projected| projected.default_mode.is_some());
    projected
        .flat_map(|projected| &projected.sources)
        .filter_map(|source| token_request(source, pod))
        .collect()
}

fn token_request(projection: &VolumeProjection, pod: &Pod) -> Option<TokenRequest> {
    let token = projection.service_account_token.as_deref()?;
    // Of several kinds in one projection the first counts.
    if projection.config_map.is_some() || projection.secret.is_some() || projection.downward_api.is_some() {
        return None;
    }
    Some(TokenRequest {
        namespace: pod.metadata.namespace.clone(),
        service_account: pod.spec.service_account_name.clone(),
        audience: token.audience.clone(),
        expiration_seconds: token.expiration_seconds,
        pod_name: pod.metadata.name.clone(),
        pod_uid: pod.metadata.uid.clone(),
    })
}

fn token(
    request: &TokenRequest,
    projection: &VolumeProjection,
    default: Option<i32>,
    owner: VolumeOwner,
    around: &Surroundings<'_>,
) -> Result<VolumeFiles, String> {
    let path = projection.service_account_token.as_ref().map(|token| token.path.clone()).unwrap_or_default();
    let own = owner.user.is_some() || owner.group.is_some();
    let mode = if own { TOKEN_MODE } else { mode_of(default)? };
    let data = around.materials.token(request)?.as_bytes().into();
    Ok([(path, VolumeFile { mode, data, user: owner.user })].into())
}

/// One text of several problems; each is told once.
fn joined(problems: &[String]) -> String {
    let mut told = BTreeSet::new();
    let different: Vec<&str> =
        problems.iter().map(String::as_str).filter(|problem| told.insert(*problem)).collect();
    match different.as_slice() {
        [only] => (*only).to_owned(),
        many => format!("[{}]", many.join(", ")),
    }
}

fn mode_of(mode: Option<i32>) -> Result<u32, String> {
    mode.map(i32::cast_unsigned).ok_or_else(|| NO_MODE.to_owned())
}

/// Either all keys under their own names, or the items chosen.
fn choose<'a>(
    all: impl Iterator<Item = (&'a Str, &'a [u8])> + Clone,
    items: &List<KeyToPath>,
    default: u32,
    optional: bool,
    missing: impl Fn(&str) -> String,
) -> Result<VolumeFiles, String> {
    let file = |data: &[u8], mode: u32| VolumeFile { mode, data: data.into(), user: None };
    if items.is_empty() {
        return Ok(all.map(|(key, data)| (key.clone(), file(data, default))).collect());
    }
    let mut files = VolumeFiles::new();
    for item in items {
        match all.clone().find(|(key, _)| **key == item.key) {
            Some((_, data)) => {
                files.insert(item.path.clone(), file(data, item.mode.map_or(default, i32::cast_unsigned)));
            }
            None if optional => {}
            None => return Err(missing(&item.key)),
        }
    }
    Ok(files)
}

fn config_map(
    name: &str,
    items: &List<KeyToPath>,
    default: Option<i32>,
    optional: Option<bool>,
    around: &Surroundings<'_>,
) -> Result<VolumeFiles, String> {
    let optional = optional == Some(true);
    let map = around.materials.config_map(name, optional)?.map(Arc::as_ref);
    let default = mode_of(default)?;
    let text = map.iter().flat_map(|map| map.data.iter()).map(|(key, value)| (key, value.as_bytes()));
    let binary = map.iter().flat_map(|map| map.binary_data.iter()).map(|(key, value)| (key, &value[..]));
    choose(text.chain(binary), items, default, optional, |key| {
        format!("configmap references non-existent config key: {key}")
    })
}

fn secret(
    name: &str,
    items: &List<KeyToPath>,
    default: Option<i32>,
    optional: Option<bool>,
    around: &Surroundings<'_>,
) -> Result<VolumeFiles, String> {
    let optional = optional == Some(true);
    let secret = around.materials.secret(name, optional)?.map(Arc::as_ref);
    let default = mode_of(default)?;
    let data = secret.iter().flat_map(|secret| secret.data.iter()).map(|(key, value)| (key, &value[..]));
    choose(data, items, default, optional, |key| format!("references non-existent secret key: {key}"))
}

/// All problems of the items, where there are any.
fn downward_api(
    items: &List<DownwardAPIVolumeFile>,
    default: Option<i32>,
    around: &Surroundings<'_>,
) -> Result<VolumeFiles, Vec<String>> {
    let default = mode_of(default).map_err(|problem| vec![problem])?;
    let mut files = VolumeFiles::new();
    let mut problems = Vec::new();
    for item in items {
        let value = if let Some(field) = &item.field_ref {
            metadata_field(&field.field_path, around.pod).map_err(|error| error.to_string())
        } else if let Some(selector) = &item.resource_field_ref {
            container_named(around.pod, &selector.container_name)
                .and_then(|container| resource(selector, container, |name| around.allocatable.get(name)))
                .map_err(|error| error.to_string())
        } else {
            Ok(Str::EMPTY)
        };
        match value {
            Ok(value) => {
                let mode = item.mode.map_or(default, i32::cast_unsigned);
                let file = VolumeFile { mode, data: value.as_bytes().into(), user: None };
                files.insert(clean(&item.path).into(), file);
            }
            Err(problem) => problems.push(problem),
        }
    }
    if problems.is_empty() { Ok(files) } else { Err(problems) }
}

/// A path in its shortest form, as Go's `path.Clean` makes it.
pub(crate) fn clean(path: &str) -> String {
    let rooted = path.starts_with('/');
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => {
                parts.pop();
            }
            ".." if rooted => {}
            part => parts.push(part),
        }
    }
    match (rooted, parts.is_empty()) {
        (true, _) => format!("/{}", parts.join("/")),
        (false, true) => ".".to_owned(),
        (false, false) => parts.join("/"),
    }
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
    use crate::env_file::EnvFiles;
    use crate::materials::Materials;
    use crate::services::Services;

    fn made(source: serde_json::Value) -> Result<Volumes, VolumeError> {
        let mut volume = json!({"name": "v"});
        volume.as_object_mut().unwrap().extend(source.as_object().unwrap().clone());
        for (_, source) in volume.as_object_mut().unwrap().iter_mut().filter(|(_, value)| value.is_object()) {
            source.as_object_mut().unwrap().entry("defaultMode").or_insert(json!(0o644));
        }
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
            services: Services::Ignored,
            files: &EnvFiles::new(),
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
