//! The sources of PersistentVolumes.

use super::rules::Rules;
use super::subdomain;
use super::volume::no_backsteps;
use crate::Str;
use crate::core::v1::{
    AzureDataDiskKind, AzureDiskVolumeSource, CSIPersistentVolumeSource, FCVolumeSource, FlockerVolumeSource,
    HostPathVolumeSource, ISCSIPersistentVolumeSource, PersistentVolumeSource, QuobyteVolumeSource,
    SecretReference, StorageOSPersistentVolumeSource,
};
use crate::names;

/// Longest name of a driver, in bytes.
const MAX_DRIVER: usize = 63;

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
        let check = |rules: &mut Rules| {
            rules.present("pdName", &disk.pd_name);
            partition(rules, disk.partition);
        };
        add("gcePersistentDisk", "persistentDisk", Box::new(check));
    }
    if let Some(disk) = &source.aws_elastic_block_store {
        let check = |rules: &mut Rules| {
            rules.present("volumeID", &disk.volume_id);
            partition(rules, disk.partition);
        };
        add("awsElasticBlockStore", "awsElasticBlockStore", Box::new(check));
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
        let check = |rules: &mut Rules| {
            rules.present("server", &share.server);
            rules.present("path", &share.path);
            if !share.path.starts_with('/') {
                rules.invalid("path", &share.path, "must be an absolute path");
            }
        };
        add("nfs", "nfs", Box::new(check));
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
            for key in volume.options.keys() {
                let domain = key.split_once('/').map_or(key.as_str(), |(domain, _)| domain);
                let domain = format!(".{}", domain.to_lowercase());
                if domain.ends_with(".kubernetes.io") || domain.ends_with(".k8s.io") {
                    let detail = "kubernetes.io and k8s.io namespaces are reserved";
                    rules.invalid(&format!("options[{key}]"), key, detail);
                }
            }
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
        let check = |rules: &mut Rules| rules.present("volumePath", &disk.volume_path);
        add("vsphereVolume", "vsphereVolume", Box::new(check));
    }
    if let Some(disk) = &source.photon_persistent_disk {
        let check = |rules: &mut Rules| rules.present("pdID", &disk.pd_id);
        add("photonPersistentDisk", "photonPersistentDisk", Box::new(check));
    }
    if let Some(volume) = &source.portworx_volume {
        let check = |rules: &mut Rules| rules.present("volumeID", &volume.volume_id);
        add("portworxVolume", "portworxVolume", Box::new(check));
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

fn partition(rules: &mut Rules, partition: i32) {
    if !(0..=255).contains(&partition) {
        rules.invalid("partition", partition, "must be between 1 and 255, inclusive");
    }
}

fn monitors(rules: &mut Rules, monitors: &[Str]) {
    if monitors.is_empty() {
        rules.required("monitors", "");
    }
}

fn host_path(rules: &mut Rules, host: &HostPathVolumeSource) {
    if host.path.is_empty() {
        rules.required("path", "");
        return;
    }
    no_backsteps(rules, "path", &host.path);
    if let Some(type_) = &host.type_ {
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
        rules.one_of("type", type_.as_str(), &types);
    }
}

fn flocker(rules: &mut Rules, volume: &FlockerVolumeSource) {
    match (volume.dataset_name.is_empty(), volume.dataset_uuid.is_empty()) {
        (true, true) => rules.required("", "one of datasetName and datasetUUID is required"),
        (false, false) => {
            rules.invalid("", "resource", "datasetName and datasetUUID can not be specified simultaneously")
        }
        _ => {}
    }
    if volume.dataset_name.contains('/') {
        rules.invalid("datasetName", &volume.dataset_name, "must not contain '/'");
    }
}

fn quobyte(rules: &mut Rules, volume: &QuobyteVolumeSource) {
    let detail = "must be a host:port pair or multiple pairs separated by commas";
    if volume.registry.is_empty() {
        rules.required("registry", detail);
    } else if volume.tenant.len() >= 65 {
        rules.required("tenant", "must be a UUID and may not exceed a length of 64 characters");
    } else {
        for pair in volume.registry.split(',') {
            if !is_host_and_port(pair) {
                rules.invalid("registry", &volume.registry, detail);
            }
        }
    }
    rules.present("volume", &volume.volume);
}

/// Whether Go splits a text into host and port: both may be empty, a host with colons is in brackets.
fn is_host_and_port(pair: &str) -> bool {
    let Some((host, port)) = pair.rsplit_once(':') else {
        return false;
    };
    let host = match host.strip_prefix('[') {
        None => host,
        Some(rest) => match rest.strip_suffix(']') {
            None => return false,
            Some(inner) => return !inner.contains(['[', ']']) && !port.contains(['[', ']']),
        },
    };
    !host.contains([':', '[', ']']) && !port.contains(['[', ']'])
}

fn iscsi(rules: &mut Rules, disk: &ISCSIPersistentVolumeSource, name: &str) {
    rules.present("targetPortal", &disk.target_portal);
    if disk.iqn.is_empty() {
        rules.required("iqn", "");
    } else {
        iscsi_name(rules, "iqn", &disk.iqn);
    }
    rules.in_range("lun", disk.lun.into(), 0, 255);
    if (disk.chap_auth_discovery || disk.chap_auth_session) && disk.secret_ref.is_none() {
        rules.required("secretRef", "");
    }
    if let Some(secret) = &disk.secret_ref {
        rules.present("secretRef.name", &secret.name);
    }
    if let Some(initiator) = &disk.initiator_name {
        // The case of the names is Kubernetes' own.
        if name.len() + 1 + disk.target_portal.len() > 64 {
            let detail = "Total length of <volume name>:<iscsi.targetPortal> must be under 64 characters if iscsi.initiatorName is specified.";
            rules.invalid("targetportal", &disk.target_portal, detail);
        }
        iscsi_name(rules, "initiatorname", initiator);
    }
}

/// The name of a target or initiator (RFC 3721), as Kubernetes recognizes it.
pub(super) fn iscsi_name(rules: &mut Rules, field: &str, name: &str) {
    let letters = |prefix: &str, count: usize| {
        name.strip_prefix(prefix).is_some_and(|rest| {
            let mut rest = rest.chars();
            // Any character stands after the prefix.
            rest.next().is_some_and(|separator| separator != '\n')
                && rest.as_str().len() == count
                && rest.all(|letter| letter.is_ascii_alphanumeric())
        })
    };
    let is_right = if name.starts_with("iqn") {
        name.match_indices("iqn.").any(|(start, _)| is_iqn(&name[start..]))
    } else {
        letters("eui", 16) || letters("naa", 32)
    };
    if !is_right {
        rules.invalid(field, name, "must be valid format");
    }
}

/// `iqn.YYYY-MM.`, a name of letters, digits, hyphens and dots, a colon, and anything but separators.
fn is_iqn(name: &str) -> bool {
    let bytes = name.as_bytes();
    let is_date = bytes.len() > 12
        && bytes[4..8].iter().chain(&bytes[9..11]).all(u8::is_ascii_digit)
        && bytes[8] == b'-'
        && bytes[11] == b'.';
    is_date
        && name.get(12..).and_then(|rest| rest.split_once(':')).is_some_and(|(authority, rest)| {
            !authority.is_empty()
                && authority.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-.".contains(&byte))
                && !rest.is_empty()
                && !rest.bytes().any(|byte| b",;*&$| \t\n\r\x0c".contains(&byte))
        })
}

fn fibre_channel(rules: &mut Rules, channel: &FCVolumeSource) {
    let names = &channel.target_wwns;
    match (names.is_empty(), channel.wwids.is_empty()) {
        (true, true) => {
            rules.required("targetWWNs", "must specify either targetWWNs or wwids, but not both");
        }
        (false, false) => rules.invalid(
            "targetWWNs",
            crate::FieldValue::of(names),
            "targetWWNs and wwids can not be specified simultaneously",
        ),
        _ => {}
    }
    if !names.is_empty() {
        match channel.lun {
            None => rules.required("lun", "lun is required if targetWWNs is specified"),
            Some(lun) => rules.in_range("lun", lun.into(), 0, 255),
        }
    }
}

fn azure_disk(rules: &mut Rules, disk: &AzureDiskVolumeSource) {
    rules.present("diskName", &disk.disk_name);
    rules.present("diskURI", &disk.disk_uri);
    if let Some(mode) = &disk.caching_mode {
        rules.one_of("cachingMode", mode.as_str(), &["None", "ReadOnly", "ReadWrite"]);
    }
    let Some(kind) = &disk.kind else {
        return;
    };
    rules.one_of("kind", kind.as_str(), &["Dedicated", "Managed", "Shared"]);
    let (prefix, form) = if *kind == AzureDataDiskKind::Managed {
        (
            "/subscriptions/",
            "/subscriptions/{sub-id}/resourcegroups/{group-name}/providers/microsoft.compute/disks/{disk-id}",
        )
    } else {
        ("https://", "https://{account-name}.blob.core.windows.net/{container-name}/{disk-name}.vhd")
    };
    if !disk.disk_uri.starts_with(prefix) {
        rules.not_supported("diskURI", &disk.disk_uri, &[form]);
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

/// The name of a CSI driver.
pub(super) fn csi_driver(rules: &mut Rules, field: &str, name: &str) {
    if name.is_empty() {
        rules.required(field, "");
        return;
    }
    if name.len() > MAX_DRIVER {
        rules.too_long(field, MAX_DRIVER);
    }
    rules.complaints(field, name, names::dns1123_subdomain(&name.to_lowercase()));
}
