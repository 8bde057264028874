//! Volumes of a pod.

use super::rules::{Rules, Seen};
use super::{claim, container, env, projected, volume_plugin};
use crate::core::v1::{DownwardAPIVolumeFile, HostPathVolumeSource, KeyToPath, PodSpec, VolumeSource};
use crate::{ObjectMeta, names};

const MAX_MODE: i32 = 0o777;

/// The volumes that containers can mount: those that are in order, by name.
pub(super) struct Volumes<'a>(Vec<(&'a str, Option<&'a VolumeSource>)>);

impl<'a> Volumes<'a> {
    /// The volume with this name; its source is `None` where it is a claim of the pod's owner.
    pub(super) fn get(&self, name: &str) -> Option<Option<&'a VolumeSource>> {
        self.0.binary_search_by_key(&name, |(name, _)| name).ok().map(|index| self.0[index].1)
    }
}

/// Checks the volumes of a pod with this metadata (templates have none), and gives those that containers can mount.
/// `claims` are names of volumes that the pod's owner adds.
pub(super) fn volumes<'a>(
    rules: &mut Rules,
    spec: &'a PodSpec,
    meta: Option<&ObjectMeta>,
    claims: &[&'a str],
    options: &super::options::Options,
) -> Volumes<'a> {
    let mut found: Vec<(&'a str, Option<&'a VolumeSource>)> =
        Vec::with_capacity(spec.volumes.len() + claims.len());
    let pod_name = meta.map_or("", |meta| meta.name.as_str());
    let mut seen = Seen::new();
    rules.each("volumes", &spec.volumes, |rules, volume| {
        let before = rules.count();
        let name = volume.name.as_str();
        source(rules, &volume.source, name, pod_name, options);
        if name.is_empty() {
            rules.required("name", "");
        } else {
            rules.complaints("name", name, names::dns1123_label(name));
        }
        if seen.contains(name) {
            rules.duplicate("name", name);
        }
        if rules.count() == before {
            seen.insert(name);
            found.push((name, Some(&volume.source)));
        }
        if let Some(claim) = &volume.source.persistent_volume_claim
            && is_made_for(&claim.claim_name, pod_name, spec)
        {
            let detail = "must not reference a PVC that gets created for an ephemeral volume";
            rules.invalid("persistentVolumeClaim.claimName", &claim.claim_name, detail);
        }
    });
    found.extend(claims.iter().map(|name| (*name, None)));
    found.sort_by_key(|(name, _)| *name);
    Volumes(found)
}

/// Whether a claim is one that is made for an ephemeral volume of the pod.
fn is_made_for(claim: &str, pod_name: &str, spec: &PodSpec) -> bool {
    let Some(volume) = claim.strip_prefix(pod_name).and_then(|rest| rest.strip_prefix('-')) else {
        return false;
    };
    !pod_name.is_empty()
        && spec.volumes.iter().any(|other| other.source.ephemeral.is_some() && other.name == *volume)
}

/// The first source that is set is the volume's, any further one is an error.
struct Union {
    is_first: bool,
}

impl Union {
    fn one<T>(
        &mut self,
        rules: &mut Rules,
        field: &'static str,
        source: Option<&T>,
        check: impl FnOnce(&mut Rules, &T),
    ) {
        self.renamed(rules, [field, field], source, check);
    }

    /// A source that errors name by other names: the first where it is one too many, the second inside.
    fn renamed<T>(
        &mut self,
        rules: &mut Rules,
        [field, inside]: [&'static str; 2],
        source: Option<&T>,
        check: impl FnOnce(&mut Rules, &T),
    ) {
        let Some(source) = source else {
            return;
        };
        if self.is_first {
            self.is_first = false;
            rules.within(inside, |rules| check(rules, source));
        } else {
            rules.forbidden(field, "may not specify more than 1 volume type");
        }
    }
}

fn source(
    rules: &mut Rules,
    source: &VolumeSource,
    name: &str,
    pod_name: &str,
    options: &super::options::Options,
) {
    use volume_plugin as plugin;
    let mut union = Union { is_first: true };
    // In Kubernetes' order of looking at them, and with its names.
    union.one(rules, "emptyDir", source.empty_dir.as_deref(), |rules, empty| {
        if empty.size_limit.as_ref().is_some_and(|limit| limit.sign() < 0) {
            rules.forbidden("sizeLimit", "SizeLimit field must be a valid resource quantity");
        }
    });
    union.one(rules, "hostPath", source.host_path.as_deref(), host_path);
    union.one(rules, "gitRepo", source.git_repo.as_deref(), |rules, git| {
        rules.present("repository", &git.repository);
        local_path(rules, "directory", &git.directory);
    });
    let gce = ["gcePersistentDisk", "persistentDisk"];
    union.renamed(rules, gce, source.gce_persistent_disk.as_deref(), plugin::gce_persistent_disk);
    let aws = source.aws_elastic_block_store.as_deref();
    union.one(rules, "awsElasticBlockStore", aws, plugin::aws_elastic_block_store);
    union.one(rules, "secret", source.secret.as_deref(), |rules, secret| {
        rules.present("secretName", &secret.secret_name);
        mode(rules, "defaultMode", secret.default_mode);
        rules.each("items", &secret.items, key_to_path);
    });
    union.one(rules, "nfs", source.nfs.as_deref(), plugin::nfs);
    union.one(rules, "iscsi", source.iscsi.as_deref(), plugin::iscsi);
    if let Some(iscsi) = &source.iscsi
        && iscsi.initiator_name.is_some()
        && name.len() + 1 + iscsi.target_portal.len() > 64
    {
        rules.invalid("name", name, plugin::LONG_ISCSI_NAME);
    }
    union.one(rules, "glusterfs", source.glusterfs.as_deref(), plugin::glusterfs);
    union.one(rules, "flocker", source.flocker.as_deref(), plugin::flocker);
    let claim = source.persistent_volume_claim.as_deref();
    union.one(rules, "persistentVolumeClaim", claim, |rules, claim| {
        rules.present("claimName", &claim.claim_name);
    });
    union.one(rules, "rbd", source.rbd.as_deref(), plugin::rbd);
    union.one(rules, "cinder", source.cinder.as_deref(), plugin::cinder);
    union.renamed(rules, ["cephFS", "cephfs"], source.cephfs.as_deref(), plugin::cephfs);
    union.one(rules, "quobyte", source.quobyte.as_deref(), plugin::quobyte);
    let downward = source.downward_api.as_deref();
    union.renamed(rules, ["downwarAPI", "downwardAPI"], downward, |rules, downward| {
        mode(rules, "defaultMode", downward.default_mode);
        downward.items.iter().for_each(|file| downward_file(rules, file));
    });
    union.one(rules, "fc", source.fc.as_deref(), plugin::fibre_channel);
    union.one(rules, "flexVolume", source.flex_volume.as_deref(), plugin::flex);
    union.one(rules, "configMap", source.config_map.as_deref(), |rules, config| {
        rules.present("name", &config.name);
        mode(rules, "defaultMode", config.default_mode);
        rules.each("items", &config.items, key_to_path);
    });
    union.one(rules, "azureFile", source.azure_file.as_deref(), plugin::azure_file);
    union.one(rules, "vsphereVolume", source.vsphere_volume.as_deref(), plugin::vsphere);
    let photon = source.photon_persistent_disk.as_deref();
    union.one(rules, "photonPersistentDisk", photon, plugin::photon);
    union.one(rules, "portworxVolume", source.portworx_volume.as_deref(), plugin::portworx);
    union.one(rules, "azureDisk", source.azure_disk.as_deref(), plugin::azure_disk);
    union.one(rules, "storageos", source.storageos.as_deref(), plugin::storageos);
    union.one(rules, "projected", source.projected.as_deref(), |rules, source| {
        mode(rules, "defaultMode", source.default_mode);
        projected::sources(rules, source, options.token_paths_outside);
    });
    union.one(rules, "scaleIO", source.scale_io.as_deref(), plugin::scale_io);
    union.one(rules, "csi", source.csi.as_deref(), plugin::csi);
    let had_other = !union.is_first;
    union.one(rules, "ephemeral", source.ephemeral.as_deref(), |rules, ephemeral| {
        match ephemeral.volume_claim_template.as_deref() {
            None => rules.required("volumeClaimTemplate", ""),
            Some(template) => {
                rules.within("volumeClaimTemplate", |rules| claim::template(rules, template));
            }
        }
    });
    if source.ephemeral.is_some() && !had_other && !pod_name.is_empty() && !name.is_empty() {
        let claim = format!("{pod_name}-{name}");
        for complaint in names::dns1123_subdomain(&claim) {
            rules.invalid("name", name, format!("PVC name {}: {complaint}", crate::quote::quoted(&claim)));
        }
    }
    union.one(rules, "image", source.image.as_deref(), |rules, image| {
        if options.is_pod {
            rules.present("reference", &image.reference);
        }
        container::pull_policy(rules, "pullPolicy", image.pull_policy.as_str());
    });
    if union.is_first {
        rules.required("", "must specify a volume type");
    }
}

/// A path on the node.
pub(super) fn host_path(rules: &mut Rules, host: &HostPathVolumeSource) {
    if host.path.is_empty() {
        return rules.required("path", "");
    }
    no_backsteps(rules, "path", &host.path);
    if let Some(kind) = &host.type_ {
        let types = [
            "",
            "BlockDevice",
            "CharDevice",
            "Directory",
            "DirectoryOrCreate",
            "File",
            "FileOrCreate",
            "Socket",
        ];
        rules.one_of("type", kind.as_str(), &types);
    }
}

/// Permissions of files.
pub(super) fn mode(rules: &mut Rules, field: &str, mode: Option<i32>) {
    if let Some(mode) = mode
        && !(0..=MAX_MODE).contains(&mode)
    {
        rules.invalid(field, mode, "must be a number between 0 and 0777 (octal), both inclusive");
    }
}

pub(super) fn key_to_path(rules: &mut Rules, item: &KeyToPath) {
    rules.present("key", &item.key);
    rules.present("path", &item.path);
    inside_volume(rules, "path", &item.path);
    mode(rules, "mode", item.mode);
}

/// A file that tells about the pod.
pub(super) fn downward_file(rules: &mut Rules, file: &DownwardAPIVolumeFile) {
    rules.present("path", &file.path);
    inside_volume(rules, "path", &file.path);
    match (&file.field_ref, &file.resource_field_ref) {
        (Some(field), other) => {
            rules.within("fieldRef", |rules| env::pod_field(rules, field, env::FILE_FIELDS));
            if other.is_some() {
                let detail = "fieldRef and resourceFieldRef can not be specified simultaneously";
                rules.invalid("", "resource", detail);
            }
        }
        (None, Some(resource)) => {
            rules.within("resourceFieldRef", |rules| env::resource_field(rules, resource, true));
        }
        (None, None) => rules.required("", "one of fieldRef and resourceFieldRef is required"),
    }
    mode(rules, "mode", file.mode);
}

/// Whether a path leads out of where it starts.
pub(super) fn backsteps(path: &str) -> bool {
    path.split('/').any(|part| part == "..")
}

pub(super) fn no_backsteps(rules: &mut Rules, field: &str, path: &str) {
    if backsteps(path) {
        rules.invalid(field, path, "must not contain '..'");
    }
}

/// A path that is relative and does not leave the folder it starts in.
pub(super) fn local_path(rules: &mut Rules, field: &str, path: &str) {
    if path.starts_with('/') {
        rules.invalid(field, path, "must be a relative path");
    }
    no_backsteps(rules, field, path);
}

/// A path of a file in a volume that is written by the node, which keeps names with two dots for itself.
pub(super) fn inside_volume(rules: &mut Rules, field: &str, path: &str) {
    local_path(rules, field, path);
    if path.starts_with("..") && !path.starts_with("../") {
        rules.invalid(field, path, "must not start with '..'");
    }
}

/// Whether a path of a file in a volume is fine.
pub(super) fn is_inside_volume(path: &str) -> bool {
    !path.starts_with('/') && !path.starts_with("..") && !backsteps(path)
}
