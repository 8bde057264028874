//! The sources of PersistentVolumes.

use super::rules::Rules;
use super::subdomain;
use super::volume::{host_path, no_backsteps};
use super::volume_plugin::{
    LONG_ISCSI_NAME, aws_elastic_block_store, azure_disk, csi_driver, fibre_channel, flex_options, flocker,
    gce_persistent_disk, initiator, nfs, photon, portworx, quobyte, vsphere,
};
use crate::Str;
use crate::core::v1::{
    CSIPersistentVolumeSource, ISCSIPersistentVolumeSource, PersistentVolumeSource, SecretReference,
    StorageOSPersistentVolumeSource,
};
use crate::names;

/// What is said here of names of RFC 3720 that are of no known form.
const NO_NAME: &str = "must be valid format";

type Check<'a> = Box<dyn FnOnce(&mut Rules) + 'a>;

/// Exactly one source has to be there. Only the first of several is looked into, but that of Flex volumes always is.
pub(super) fn sources(rules: &mut Rules, source: &PersistentVolumeSource, name: &str, has_nodes: bool) {
    let all = all(source, name);
    let first = all.first().map(|(field, ..)| *field);
    for (index, (field, place, check)) in all.into_iter().enumerate() {
        if index > 0 && field != "flexVolume" {
            rules.forbidden(field, "may not specify more than 1 volume type");
        } else {
            rules.within(place, check);
        }
    }
    match first {
        None => rules.required("", "must specify a volume type"),
        Some("local") if !has_nodes => {
            rules.required("nodeAffinity", "Local volume requires node affinity");
        }
        Some(_) => {}
    }
}

/// The sources that are set, in the order in which Kubernetes looks at them: the field as an error about too many of
/// them names it, as an error inside of it does, and what is wrong inside.
fn all<'a>(
    source: &'a PersistentVolumeSource,
    name: &'a str,
) -> Vec<(&'static str, &'static str, Check<'a>)> {
    let mut all: Vec<(&str, &str, Check<'a>)> = Vec::new();
    let mut add = |field, place, check: Check<'a>| all.push((field, place, check));
    if let Some(path) = &source.host_path {
        add("hostPath", "hostPath", Box::new(|rules| host_path(rules, path)));
    }
    if let Some(disk) = &source.gce_persistent_disk {
        add("gcePersistentDisk", "persistentDisk", Box::new(|rules| gce_persistent_disk(rules, disk)));
    }
    if let Some(disk) = &source.aws_elastic_block_store {
        add(
            "awsElasticBlockStore",
            "awsElasticBlockStore",
            Box::new(|rules| aws_elastic_block_store(rules, disk)),
        );
    }
    if let Some(volume) = &source.glusterfs {
        let check = |rules: &mut Rules| {
            rules.present("endpoints", &volume.endpoints);
            rules.present("path", &volume.path);
            match volume.endpoints_namespace.as_deref() {
                None => {}
                Some("") => rules.invalid(
                    "endpointsNamespace",
                    "",
                    "if the endpointnamespace is set, it must be a valid namespace name",
                ),
                Some(namespace) => {
                    rules.complaints("endpointsNamespace", namespace, names::dns1123_label(namespace));
                }
            }
        };
        add("glusterfs", "glusterfs", Box::new(check));
    }
    if let Some(volume) = &source.flocker {
        add("flocker", "flocker", Box::new(|rules| flocker(rules, volume)));
    }
    if let Some(share) = &source.nfs {
        add("nfs", "nfs", Box::new(|rules| nfs(rules, share)));
    }
    if let Some(device) = &source.rbd {
        let check = |rules: &mut Rules| {
            monitors(rules, &device.monitors);
            rules.present("image", &device.image);
        };
        add("rbd", "rbd", Box::new(check));
    }
    if let Some(volume) = &source.quobyte {
        add("quobyte", "quobyte", Box::new(|rules| quobyte(rules, volume)));
    }
    if let Some(volume) = &source.cephfs {
        add("cephFS", "cephfs", Box::new(|rules| monitors(rules, &volume.monitors)));
    }
    if let Some(disk) = &source.iscsi {
        add("iscsi", "iscsi", Box::new(|rules| iscsi(rules, disk, name)));
    }
    if let Some(volume) = &source.cinder {
        let check = |rules: &mut Rules| {
            rules.present("volumeID", &volume.volume_id);
            rules.option("secretRef", volume.secret_ref.as_deref(), |rules, secret| {
                rules.present("name", &secret.name);
                rules.present("namespace", &secret.namespace);
            });
        };
        add("cinder", "cinder", Box::new(check));
    }
    if let Some(channel) = &source.fc {
        add("fc", "fc", Box::new(|rules| fibre_channel(rules, channel)));
    }
    if let Some(volume) = &source.flex_volume {
        let check = |rules: &mut Rules| {
            rules.present("driver", &volume.driver);
            flex_options(rules, &volume.options);
        };
        add("flexVolume", "flexVolume", Box::new(check));
    }
    if let Some(share) = &source.azure_file {
        let check = |rules: &mut Rules| {
            rules.present("secretName", &share.secret_name);
            rules.present("shareName", &share.share_name);
            if let Some(namespace) = &share.secret_namespace {
                rules.present("secretNamespace", namespace);
            }
        };
        add("azureFile", "azureFile", Box::new(check));
    }
    if let Some(disk) = &source.vsphere_volume {
        add("vsphereVolume", "vsphereVolume", Box::new(|rules| vsphere(rules, disk)));
    }
    if let Some(disk) = &source.photon_persistent_disk {
        add("photonPersistentDisk", "photonPersistentDisk", Box::new(|rules| photon(rules, disk)));
    }
    if let Some(volume) = &source.portworx_volume {
        add("portworxVolume", "portworxVolume", Box::new(|rules| portworx(rules, volume)));
    }
    if let Some(disk) = &source.azure_disk {
        add("azureDisk", "azureDisk", Box::new(|rules| azure_disk(rules, disk)));
    }
    if let Some(volume) = &source.scale_io {
        let check = |rules: &mut Rules| {
            rules.present("gateway", &volume.gateway);
            rules.present("system", &volume.system);
            rules.present("volumeName", &volume.volume_name);
        };
        add("scaleIO", "scaleIO", Box::new(check));
    }
    if let Some(volume) = &source.local {
        let check = move |rules: &mut Rules| {
            if volume.path.is_empty() {
                rules.required("path", "");
            } else {
                no_backsteps(rules, "path", &volume.path);
            }
        };
        add("local", "local", Box::new(check));
    }
    if let Some(volume) = &source.storageos {
        add("storageos", "storageos", Box::new(|rules| storage_os(rules, volume)));
    }
    if let Some(volume) = &source.csi {
        add("csi", "csi", Box::new(|rules| csi(rules, volume)));
    }
    all
}

fn monitors(rules: &mut Rules, monitors: &[Str]) {
    if monitors.is_empty() {
        rules.required("monitors", "");
    }
}

fn iscsi(rules: &mut Rules, disk: &ISCSIPersistentVolumeSource, name: &str) {
    rules.present("targetPortal", &disk.target_portal);
    if disk.iqn.is_empty() {
        rules.required("iqn", "");
    } else {
        initiator(rules, "iqn", &disk.iqn, NO_NAME);
    }
    rules.in_range("lun", disk.lun.into(), 0, 255);
    if (disk.chap_auth_discovery || disk.chap_auth_session) && disk.secret_ref.is_none() {
        rules.required("secretRef", "");
    }
    if let Some(secret) = &disk.secret_ref {
        rules.present("secretRef.name", &secret.name);
    }
    if let Some(own) = &disk.initiator_name {
        // The case of the names is Kubernetes' own.
        if name.len() + 1 + disk.target_portal.len() > 64 {
            rules.invalid("targetportal", &disk.target_portal, LONG_ISCSI_NAME);
        }
        initiator(rules, "initiatorname", own, NO_NAME);
    }
}

fn storage_os(rules: &mut Rules, volume: &StorageOSPersistentVolumeSource) {
    if volume.volume_name.is_empty() {
        rules.required("volumeName", "");
    } else {
        rules.complaints("volumeName", &volume.volume_name, names::dns1123_label(&volume.volume_name));
    }
    let namespace = &volume.volume_namespace;
    if !namespace.is_empty() {
        rules.complaints("volumeNamespace", namespace, names::dns1123_label(namespace));
    }
    rules.option("secretRef", volume.secret_ref.as_deref(), |rules, secret| {
        rules.present("name", &secret.name);
        rules.present("namespace", &secret.namespace);
    });
}

fn csi(rules: &mut Rules, volume: &CSIPersistentVolumeSource) {
    csi_driver(rules, "driver", &volume.driver);
    rules.present("volumeHandle", &volume.volume_handle);
    // The secret for staging is not checked.
    for (field, secret) in [
        ("controllerPublishSecretRef", &volume.controller_publish_secret_ref),
        ("controllerExpandSecretRef", &volume.controller_expand_secret_ref),
        ("nodePublishSecretRef", &volume.node_publish_secret_ref),
        ("nodeExpandSecretRef", &volume.node_expand_secret_ref),
    ] {
        rules.option(field, secret.as_deref(), secret_reference);
    }
}

fn secret_reference(rules: &mut Rules, secret: &SecretReference) {
    if secret.name.is_empty() {
        rules.required("name", "");
    } else {
        subdomain(rules, "name", &secret.name);
    }
    if secret.namespace.is_empty() {
        rules.required("namespace", "");
    } else {
        rules.complaints("namespace", &secret.namespace, names::dns1123_label(&secret.namespace));
    }
}
