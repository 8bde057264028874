//! Volumes of a pod.

use std::collections::BTreeSet;

use super::container::{divisor, local_path, no_parent};
use super::rules::Rules;
use crate::core::v1::{
    DownwardAPIVolumeFile, KeyToPath, PodSpec, ProjectedVolumeSource, Volume, VolumeSource,
};
use crate::names;

const MAX_MODE: i64 = 0o777;

/// Checks the volumes of a pod and gives the names of those that are in order.
pub(super) fn volumes<'a>(rules: &mut Rules, spec: &'a PodSpec) -> BTreeSet<&'a str> {
    let mut names = BTreeSet::new();
    let mut wrong = BTreeSet::new();
    let mut index = 0;
    rules.each("volumes", &spec.volumes, |rules, volume| {
        let before = rules.count();
        one(rules, volume);
        if spec.volumes[..index].iter().any(|other| !volume.name.is_empty() && other.name == volume.name) {
            rules.duplicate("name", &volume.name);
        }
        if rules.count() > before {
            wrong.insert(index);
        }
        index += 1;
    });
    // Mounts find only volumes that are in order.
    let right = spec.volumes.iter().enumerate().filter(|(index, _)| !wrong.contains(index));
    names.extend(right.map(|(_, volume)| volume.name.as_str()));
    names
}

fn one(rules: &mut Rules, volume: &Volume) {
    if volume.name.is_empty() {
        rules.required("name", "");
    } else {
        rules.complaints("name", &volume.name, names::dns1123_label(&volume.name));
    }
    let present = sources(&volume.source);
    if present.is_empty() {
        rules.required("", "must specify a volume type");
    }
    for field in present.iter().skip(1) {
        rules.forbidden(field, "may not specify more than 1 volume type");
    }
    if let Some(&first) = present.first() {
        rules.within(first, |rules| inner(rules, first, &volume.source));
    }
}

/// Names of the fields that are set, in Kubernetes' order of looking at them.
fn sources(source: &VolumeSource) -> Vec<&'static str> {
    let all = [
        ("emptyDir", source.empty_dir.is_some()),
        ("hostPath", source.host_path.is_some()),
        ("gitRepo", source.git_repo.is_some()),
        ("gcePersistentDisk", source.gce_persistent_disk.is_some()),
        ("awsElasticBlockStore", source.aws_elastic_block_store.is_some()),
        ("secret", source.secret.is_some()),
        ("nfs", source.nfs.is_some()),
        ("iscsi", source.iscsi.is_some()),
        ("glusterfs", source.glusterfs.is_some()),
        ("flocker", source.flocker.is_some()),
        ("persistentVolumeClaim", source.persistent_volume_claim.is_some()),
        ("rbd", source.rbd.is_some()),
        ("cinder", source.cinder.is_some()),
        ("cephfs", source.cephfs.is_some()),
        ("quobyte", source.quobyte.is_some()),
        ("downwardAPI", source.downward_api.is_some()),
        ("fc", source.fc.is_some()),
        ("flexVolume", source.flex_volume.is_some()),
        ("configMap", source.config_map.is_some()),
        ("azureFile", source.azure_file.is_some()),
        ("vsphereVolume", source.vsphere_volume.is_some()),
        ("photonPersistentDisk", source.photon_persistent_disk.is_some()),
        ("portworxVolume", source.portworx_volume.is_some()),
        ("azureDisk", source.azure_disk.is_some()),
        ("storageos", source.storageos.is_some()),
        ("projected", source.projected.is_some()),
        ("scaleIO", source.scale_io.is_some()),
        ("csi", source.csi.is_some()),
        ("ephemeral", source.ephemeral.is_some()),
        ("image", source.image.is_some()),
    ];
    all.into_iter().filter(|(_, present)| *present).map(|(field, _)| field).collect()
}

fn inner(rules: &mut Rules, field: &str, source: &VolumeSource) {
    if let ("emptyDir", Some(empty)) = (field, &source.empty_dir)
        && empty.size_limit.as_ref().is_some_and(|limit| limit.sign() < 0)
    {
        rules.forbidden("sizeLimit", "SizeLimit field must be a valid resource quantity");
    }
    if let ("hostPath", Some(host)) = (field, &source.host_path) {
        if host.path.is_empty() {
            rules.required("path", "");
        } else {
            no_parent(rules, "path", &host.path);
        }
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
        rules.one_of("type", host.type_.as_ref().map_or("", |type_| type_.as_str()), &types);
    }
    if let ("gitRepo", Some(git)) = (field, &source.git_repo) {
        if git.repository.is_empty() {
            rules.required("repository", "");
        }
        local_path(rules, "directory", &git.directory);
    }
    if let ("secret", Some(secret)) = (field, &source.secret) {
        if secret.secret_name.is_empty() {
            rules.required("secretName", "");
        }
        mode(rules, "defaultMode", secret.default_mode);
        rules.each("items", &secret.items, key_to_path);
    }
    if let ("configMap", Some(config)) = (field, &source.config_map) {
        if config.name.is_empty() {
            rules.required("name", "");
        }
        mode(rules, "defaultMode", config.default_mode);
        rules.each("items", &config.items, key_to_path);
    }
    if let ("nfs", Some(nfs)) = (field, &source.nfs) {
        if nfs.server.is_empty() {
            rules.required("server", "");
        }
        if nfs.path.is_empty() {
            rules.required("path", "");
        } else if !nfs.path.starts_with('/') {
            rules.invalid("path", &nfs.path, "must be an absolute path");
        }
    }
    if let ("persistentVolumeClaim", Some(claim)) = (field, &source.persistent_volume_claim)
        && claim.claim_name.is_empty()
    {
        rules.required("claimName", "");
    }
    if let ("downwardAPI", Some(downward)) = (field, &source.downward_api) {
        mode(rules, "defaultMode", downward.default_mode);
        downward.items.iter().for_each(|file| downward_file(rules, file));
    }
    if let ("projected", Some(source)) = (field, &source.projected) {
        mode(rules, "defaultMode", source.default_mode);
        projected(rules, source);
    }
    if let ("csi", Some(csi)) = (field, &source.csi)
        && csi.driver.is_empty()
    {
        rules.required("driver", "");
    }
    if let ("ephemeral", Some(ephemeral)) = (field, &source.ephemeral)
        && ephemeral.volume_claim_template.is_none()
    {
        rules.required("volumeClaimTemplate", "");
    }
    if let ("image", Some(image)) = (field, &source.image) {
        if image.reference.is_empty() {
            rules.required("reference", "");
        }
        rules.one_of("pullPolicy", image.pull_policy.as_str(), &["Always", "IfNotPresent", "Never"]);
    }
}

fn mode(rules: &mut Rules, field: &str, mode: Option<i32>) {
    if let Some(mode) = mode
        && !(0..=MAX_MODE).contains(&i64::from(mode))
    {
        rules.invalid(field, mode, "must be a number between 0 and 0777 (octal), both inclusive");
    }
}

fn key_to_path(rules: &mut Rules, item: &KeyToPath) {
    if item.key.is_empty() {
        rules.required("key", "");
    }
    if item.path.is_empty() {
        rules.required("path", "");
    } else {
        inside_volume(rules, "path", &item.path);
    }
    mode(rules, "mode", item.mode);
}

/// A path of a file in a volume that is written by the node.
fn inside_volume(rules: &mut Rules, field: &str, path: &str) {
    local_path(rules, field, path);
    if path.starts_with("..") && !path.starts_with("../") && path != ".." {
        rules.invalid(field, path, "must not start with '..'");
    }
}

fn downward_file(rules: &mut Rules, file: &DownwardAPIVolumeFile) {
    if file.path.is_empty() {
        rules.required("path", "");
    } else {
        inside_volume(rules, "path", &file.path);
    }
    match (&file.field_ref, &file.resource_field_ref) {
        (Some(_), Some(_)) => {
            rules.invalid(
                "",
                "resource",
                "fieldRef and resourceFieldRef can not be specified simultaneously",
            );
        }
        (Some(field), None) if field.field_path.is_empty() => rules.required("fieldRef.fieldPath", ""),
        (None, Some(resource)) => rules.within("resourceFieldRef", |rules| {
            if resource.container_name.is_empty() {
                rules.required("containerName", "");
            }
            divisor(rules, &resource.resource, &resource.divisor);
        }),
        (None, None) => rules.required("", "one of fieldRef and resourceFieldRef is required"),
        (Some(_), None) => {}
    }
    mode(rules, "mode", file.mode);
}

fn projected(rules: &mut Rules, source: &ProjectedVolumeSource) {
    // The path of an empty path is Kubernetes' own.
    let tokens = source.sources.iter().filter_map(|source| source.service_account_token.as_ref());
    for _ in tokens.filter(|token| token.path.is_empty()) {
        rules.required("path", "");
    }
    rules.each("sources", &source.sources, |rules, source| {
        let present = [
            ("secret", source.secret.is_some()),
            ("configMap", source.config_map.is_some()),
            ("downwardAPI", source.downward_api.is_some()),
            ("serviceAccountToken", source.service_account_token.is_some()),
            ("clusterTrustBundle", source.cluster_trust_bundle.is_some()),
            ("podCertificate", source.pod_certificate.is_some()),
        ];
        for (field, _) in present.into_iter().filter(|(_, present)| *present).skip(1) {
            rules.forbidden(field, "may not specify more than 1 volume type per source");
        }
        let named = [
            ("secret", source.secret.as_deref().map(|source| (&source.name, &source.items))),
            ("configMap", source.config_map.as_deref().map(|source| (&source.name, &source.items))),
        ];
        for (field, reference) in named {
            let Some((name, items)) = reference else {
                continue;
            };
            rules.within(field, |rules| {
                if name.is_empty() {
                    rules.required("name", "");
                }
                rules.each("items", items, key_to_path);
            });
        }
        if let Some(downward) = &source.downward_api {
            rules.within("downwardAPI", |rules| {
                downward.items.iter().for_each(|file| downward_file(rules, file))
            });
        }
        rules.option("serviceAccountToken", source.service_account_token.as_deref(), |rules, token| {
            let seconds = token.expiration_seconds.unwrap_or_default();
            if seconds < 600 {
                rules.invalid(
                    "expirationSeconds",
                    seconds,
                    "may not specify a duration less than 10 minutes",
                );
            }
            if seconds > 1 << 32 {
                rules.invalid(
                    "expirationSeconds",
                    seconds,
                    "may not specify a duration larger than 2^32 seconds",
                );
            }
            inside_volume(rules, "path", &token.path);
        });
    });
}
