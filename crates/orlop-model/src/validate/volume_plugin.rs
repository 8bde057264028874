//! Sources of volumes that drivers provide.

use super::rules::Rules;
use crate::core::v1::{
    AWSElasticBlockStoreVolumeSource, AzureDiskVolumeSource, AzureFileVolumeSource, CSIVolumeSource,
    CephFSVolumeSource, CinderVolumeSource, FCVolumeSource, FlexVolumeSource, FlockerVolumeSource,
    GCEPersistentDiskVolumeSource, GlusterfsVolumeSource, ISCSIVolumeSource, LocalObjectReference,
    NFSVolumeSource, PhotonPersistentDiskVolumeSource, PortworxVolumeSource, QuobyteVolumeSource,
    RBDVolumeSource, ScaleIOVolumeSource, StorageOSVolumeSource, VsphereVirtualDiskVolumeSource,
};
use crate::{FieldValue, Map, Str, names};

pub(super) const LONG_ISCSI_NAME: &str = "Total length of <volume name>:<iscsi.targetPortal> must be under 64 characters if iscsi.initiatorName is specified.";

/// Kubernetes' text names 1, though it lets 0 pass.
fn partition(rules: &mut Rules, partition: i32) {
    if !(0..=255).contains(&partition) {
        rules.invalid("partition", partition, "must be between 1 and 255, inclusive");
    }
}

fn secret(rules: &mut Rules, reference: Option<&LocalObjectReference>) {
    if let Some(reference) = reference {
        rules.present("secretRef.name", &reference.name);
    }
}

pub(super) fn gce_persistent_disk(rules: &mut Rules, disk: &GCEPersistentDiskVolumeSource) {
    rules.present("pdName", &disk.pd_name);
    partition(rules, disk.partition);
}

pub(super) fn aws_elastic_block_store(rules: &mut Rules, store: &AWSElasticBlockStoreVolumeSource) {
    rules.present("volumeID", &store.volume_id);
    partition(rules, store.partition);
}

pub(super) fn nfs(rules: &mut Rules, nfs: &NFSVolumeSource) {
    rules.present("server", &nfs.server);
    rules.present("path", &nfs.path);
    if !nfs.path.starts_with('/') {
        rules.invalid("path", &nfs.path, "must be an absolute path");
    }
}

pub(super) fn iscsi(rules: &mut Rules, iscsi: &ISCSIVolumeSource) {
    rules.present("targetPortal", &iscsi.target_portal);
    if iscsi.iqn.is_empty() {
        rules.required("iqn", "");
    } else {
        initiator(rules, "iqn", &iscsi.iqn, "must be valid format starting with iqn, eui, or naa");
    }
    rules.in_range("lun", iscsi.lun.into(), 0, 255);
    if (iscsi.chap_auth_discovery || iscsi.chap_auth_session) && iscsi.secret_ref.is_none() {
        rules.required("secretRef", "");
    }
    if let Some(name) = &iscsi.initiator_name {
        initiator(rules, "initiatorname", name, "must be valid format starting with iqn, eui, or naa");
    }
}

/// A name of RFC 3720, section 3.2.6.3; `unknown` is said where it is of none of the three forms.
pub(super) fn initiator(rules: &mut Rules, field: &str, name: &str, unknown: &str) {
    let extended = |prefix: &str, count: usize| {
        // Any one character stands after the prefix.
        let mut rest = name[prefix.len()..].chars();
        let separated = rest.next().is_some_and(|character| character != '\n');
        let rest = rest.as_str();
        separated && rest.len() == count && rest.bytes().all(|byte| byte.is_ascii_alphanumeric())
    };
    let is_good = match name.get(..3) {
        Some("iqn") => name.match_indices("iqn.").any(|(at, prefix)| is_iqn(&name[at + prefix.len()..])),
        Some("eui") => extended("eui", 16),
        Some("naa") => extended("naa", 32),
        _ => return rules.invalid(field, name, unknown),
    };
    if !is_good {
        rules.invalid(field, name, "must be valid format");
    }
}

/// What stands after `iqn.`: year and month, the authority's name in reverse, a colon, and anything without blanks.
fn is_iqn(rest: &str) -> bool {
    let bytes = rest.as_bytes();
    let date = bytes.len() > 8
        && bytes[..4].iter().all(u8::is_ascii_digit)
        && bytes[4] == b'-'
        && bytes[5..7].iter().all(u8::is_ascii_digit)
        && bytes[7] == b'.';
    let Some((authority, unique)) = rest.get(8..).filter(|_| date).and_then(|rest| rest.split_once(':'))
    else {
        return false;
    };
    !authority.is_empty()
        && authority.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.'))
        && !unique.is_empty()
        && !unique.contains([',', ';', '*', '&', '$', '|', ' ', '\t', '\n', '\r', '\u{c}'])
}

pub(super) fn glusterfs(rules: &mut Rules, gluster: &GlusterfsVolumeSource) {
    rules.present("endpoints", &gluster.endpoints);
    rules.present("path", &gluster.path);
}

pub(super) fn flocker(rules: &mut Rules, flocker: &FlockerVolumeSource) {
    match (flocker.dataset_name.is_empty(), flocker.dataset_uuid.is_empty()) {
        (true, true) => rules.required("", "one of datasetName and datasetUUID is required"),
        (false, false) => {
            rules.invalid("", "resource", "datasetName and datasetUUID can not be specified simultaneously");
        }
        _ => {}
    }
    if flocker.dataset_name.contains('/') {
        rules.invalid("datasetName", &flocker.dataset_name, "must not contain '/'");
    }
}

pub(super) fn rbd(rules: &mut Rules, rbd: &RBDVolumeSource) {
    if rbd.monitors.is_empty() {
        rules.required("monitors", "");
    }
    rules.present("image", &rbd.image);
}

pub(super) fn cinder(rules: &mut Rules, cinder: &CinderVolumeSource) {
    rules.present("volumeID", &cinder.volume_id);
    secret(rules, cinder.secret_ref.as_deref());
}

pub(super) fn cephfs(rules: &mut Rules, cephfs: &CephFSVolumeSource) {
    if cephfs.monitors.is_empty() {
        rules.required("monitors", "");
    }
}

pub(super) fn quobyte(rules: &mut Rules, quobyte: &QuobyteVolumeSource) {
    let detail = "must be a host:port pair or multiple pairs separated by commas";
    if quobyte.registry.is_empty() {
        rules.required("registry", detail);
    } else if quobyte.tenant.len() >= 65 {
        rules.required("tenant", "must be a UUID and may not exceed a length of 64 characters");
    } else {
        for _ in quobyte.registry.split(',').filter(|pair| !is_host_and_port(pair)) {
            rules.invalid("registry", &quobyte.registry, detail);
        }
    }
    rules.present("volume", &quobyte.volume);
}

/// `host:port`, with hosts that hold colons in brackets.
fn is_host_and_port(pair: &str) -> bool {
    let Some((host, port)) = pair.rsplit_once(':') else {
        return false;
    };
    let host = match host.strip_prefix('[') {
        Some(rest) => match rest.strip_suffix(']') {
            Some(inner) => inner,
            None => return false,
        },
        None if host.contains(':') => return false,
        None => host,
    };
    !host.contains(['[', ']']) && !port.contains(['[', ']'])
}

pub(super) fn fibre_channel(rules: &mut Rules, fc: &FCVolumeSource) {
    match (fc.target_wwns.is_empty(), fc.wwids.is_empty()) {
        (true, true) => {
            rules.required("targetWWNs", "must specify either targetWWNs or wwids, but not both");
        }
        (false, false) => rules.invalid(
            "targetWWNs",
            FieldValue::of(&fc.target_wwns),
            "targetWWNs and wwids can not be specified simultaneously",
        ),
        _ => {}
    }
    if !fc.target_wwns.is_empty() {
        match fc.lun {
            None => rules.required("lun", "lun is required if targetWWNs is specified"),
            Some(lun) => rules.in_range("lun", lun.into(), 0, 255),
        }
    }
}

pub(super) fn flex(rules: &mut Rules, flex: &FlexVolumeSource) {
    rules.present("driver", &flex.driver);
    flex_options(rules, &flex.options);
}

/// Options of drivers, whose names are not Kubernetes' own.
pub(super) fn flex_options(rules: &mut Rules, options: &Map<Str>) {
    for key in options.keys() {
        let domain = key.split_once('/').map_or(key.as_str(), |(domain, _)| domain);
        let domain = format!(".{}", domain.to_lowercase());
        if domain.ends_with(".kubernetes.io") || domain.ends_with(".k8s.io") {
            let detail = "kubernetes.io and k8s.io namespaces are reserved";
            rules.invalid(&format!("options[{key}]"), key, detail);
        }
    }
}

pub(super) fn azure_file(rules: &mut Rules, azure: &AzureFileVolumeSource) {
    rules.present("secretName", &azure.secret_name);
    rules.present("shareName", &azure.share_name);
}

pub(super) fn azure_disk(rules: &mut Rules, azure: &AzureDiskVolumeSource) {
    rules.present("diskName", &azure.disk_name);
    rules.present("diskURI", &azure.disk_uri);
    if let Some(mode) = &azure.caching_mode {
        rules.one_of("cachingMode", mode.as_str(), &["None", "ReadOnly", "ReadWrite"]);
    }
    let Some(kind) = azure.kind.as_ref().map(|kind| kind.as_str()) else {
        return;
    };
    rules.one_of("kind", kind, &["Dedicated", "Managed", "Shared"]);
    let (prefix, form) = if kind == "Managed" {
        (
            "/subscriptions/",
            "/subscriptions/{sub-id}/resourcegroups/{group-name}/providers/microsoft.compute/disks/{disk-id}",
        )
    } else {
        ("https://", "https://{account-name}.blob.core.windows.net/{container-name}/{disk-name}.vhd")
    };
    if !azure.disk_uri.starts_with(prefix) {
        rules.not_supported("diskURI", &azure.disk_uri, &[form]);
    }
}

pub(super) fn vsphere(rules: &mut Rules, disk: &VsphereVirtualDiskVolumeSource) {
    rules.present("volumePath", &disk.volume_path);
}

pub(super) fn photon(rules: &mut Rules, disk: &PhotonPersistentDiskVolumeSource) {
    rules.present("pdID", &disk.pd_id);
}

pub(super) fn portworx(rules: &mut Rules, volume: &PortworxVolumeSource) {
    rules.present("volumeID", &volume.volume_id);
}

pub(super) fn scale_io(rules: &mut Rules, volume: &ScaleIOVolumeSource) {
    rules.present("gateway", &volume.gateway);
    rules.present("system", &volume.system);
    rules.present("volumeName", &volume.volume_name);
}

pub(super) fn storageos(rules: &mut Rules, volume: &StorageOSVolumeSource) {
    if volume.volume_name.is_empty() {
        rules.required("volumeName", "");
    } else {
        rules.complaints("volumeName", &volume.volume_name, names::dns1123_label(&volume.volume_name));
    }
    if !volume.volume_namespace.is_empty() {
        let complaints = names::dns1123_label(&volume.volume_namespace);
        rules.complaints("volumeNamespace", &volume.volume_namespace, complaints);
    }
    secret(rules, volume.secret_ref.as_deref());
}

pub(super) fn csi(rules: &mut Rules, csi: &CSIVolumeSource) {
    csi_driver(rules, "driver", &csi.driver);
    if let Some(secret) = &csi.node_publish_secret_ref {
        if secret.name.is_empty() {
            rules.required("nodePublishSecretRef.name", "");
        } else {
            // The path is Kubernetes' own.
            rules.complaints("name", &secret.name, names::dns1123_subdomain(&secret.name));
        }
    }
}

/// The name of a CSI driver: a domain, in which capitals are allowed.
pub(super) fn csi_driver(rules: &mut Rules, field: &str, name: &str) {
    if name.is_empty() {
        return rules.required(field, "");
    }
    if name.len() > 63 {
        rules.too_long(field, 63);
    }
    rules.complaints(field, name, names::dns1123_subdomain(&name.to_lowercase()));
}
