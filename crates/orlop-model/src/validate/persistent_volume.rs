//! PersistentVolumes: what is in order around the source; see [`super::persistent_volume_source`] for the sources.

use super::node_selector::node_selector;
use super::persistent_volume_source::sources;
use super::rules::{IMMUTABLE, Rules};
use super::{Validate, node_labels, subdomain};
use crate::core::v1::{
    NodeSelectorTerm, PersistentVolume, PersistentVolumeAccessMode, PersistentVolumeMode,
    PersistentVolumeReclaimPolicy, PersistentVolumeSource, PersistentVolumeSpec, VolumeNodeAffinity,
};
use crate::{FieldError, FieldValue, names};

const ACCESS_MODES: [&str; 4] = ["ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod"];
const VOLUME_MODES: [&str; 2] = ["Block", "Filesystem"];
const NOT_INLINE: &str = "may not be specified in the context of inline volumes";

pub(super) const BETA_CLASS: &str = "volume.beta.kubernetes.io/storage-class";
const BETA_MOUNT_OPTIONS: &str = "volume.beta.kubernetes.io/mount-options";

impl Validate for PersistentVolume {
    fn validate_create(&self) -> Vec<FieldError> {
        let mut rules = whole(self, false);
        mount_options(&mut rules, self);
        rules.finish()
    }

    fn validate_update(&self, old: &Self) -> Vec<FieldError> {
        let required = old.spec.node_affinity.as_deref().and_then(|affinity| affinity.required.as_deref());
        let loose = required.is_some_and(|selector| {
            let terms = selector.node_selector_terms.iter();
            terms.flat_map(|term| &term.match_expressions).any(|requirement| {
                requirement.values.iter().any(|value| !names::label_value(value).is_empty())
            })
        });
        let mut rules = whole(self, loose);
        mount_options(&mut rules, self);
        rules.extend(whole(self, loose).finish());
        if differ(&self.spec.source, &old.spec.source) {
            rules.forbidden(
                "spec.persistentvolumesource",
                "spec.persistentvolumesource is immutable after creation\n",
            );
        }
        // The places are Kubernetes' own.
        if self.spec.volume_mode != old.spec.volume_mode {
            rules.invalid("volumeMode", FieldValue::of(&self.spec.volume_mode), IMMUTABLE);
        }
        if let Some(before) = &old.spec.node_affinity
            && !is_kept(self.spec.node_affinity.as_deref(), before)
        {
            rules.invalid(
                "nodeAffinity",
                FieldValue::of(&self.spec.node_affinity),
                "field is immutable, except for updating from beta label to GA",
            );
        }
        if old.spec.volume_attributes_class_name.is_some() && self.spec.volume_attributes_class_name.is_none()
        {
            let detail = "update from non-nil value to nil is forbidden";
            rules.forbidden("spec.volumeAttributesClassName", detail);
        }
        rules.finish()
    }

    fn warnings_on_create(&self) -> Vec<String> {
        warnings(self)
    }

    fn warnings_on_update(&self, _old: &Self) -> Vec<String> {
        warnings(self)
    }
}

fn whole(volume: &PersistentVolume, loose: bool) -> Rules {
    let mut rules = Rules::new("");
    rules.metadata(volume, PersistentVolume::NAME_RULE);
    rules.within("spec", |rules| spec(rules, &volume.spec, &volume.metadata.name, false, loose));
    rules
}

/// Whether sources differ in more than a secret for expansion that there was not.
fn differ(new: &PersistentVolumeSource, old: &PersistentVolumeSource) -> bool {
    if new == old {
        return false;
    }
    let mut new = new.clone();
    if let (Some(after), Some(before)) = (&mut new.csi, &old.csi)
        && before.controller_expand_secret_ref.is_none()
    {
        after.controller_expand_secret_ref = None;
    }
    new != *old
}

/// Whether a node affinity is the same but for labels that took their final names.
fn is_kept(new: Option<&VolumeNodeAffinity>, old: &VolumeNodeAffinity) -> bool {
    let Some(new) = new else {
        return false;
    };
    let (Some(after), Some(before)) = (&new.required, &old.required) else {
        return new.required.is_none() && old.required.is_none();
    };
    let (after, before) = (&after.node_selector_terms, &before.node_selector_terms);
    after.len() == before.len()
        && after.iter().zip(before).all(|(after, before)| {
            after.match_fields == before.match_fields
                && after.match_expressions.len() == before.match_expressions.len()
                && after.match_expressions.iter().zip(&before.match_expressions).all(|(after, before)| {
                    let has_key = after.key == before.key
                        || node_labels::successor(&before.key).is_some_and(|key| after.key == key);
                    has_key && after.operator == before.operator && after.values == before.values
                })
        })
}

/// Mount options as an annotation are only for volumes of sources that had them.
fn mount_options(rules: &mut Rules, volume: &PersistentVolume) {
    let source = &volume.spec.source;
    let may_have = source.gce_persistent_disk.is_some()
        || source.aws_elastic_block_store.is_some()
        || source.glusterfs.is_some()
        || source.nfs.is_some()
        || source.rbd.is_some()
        || source.quobyte.is_some()
        || source.iscsi.is_some()
        || source.cinder.is_some()
        || source.cephfs.is_some()
        || source.azure_file.is_some()
        || source.vsphere_volume.is_some()
        || source.azure_disk.is_some()
        || source.photon_persistent_disk.is_some();
    if !may_have && volume.metadata.annotations.contains_key(BETA_MOUNT_OPTIONS) {
        rules.forbidden(
            &format!("metadata.annotations.{BETA_MOUNT_OPTIONS}"),
            "may not specify mount options for this volume type",
        );
    }
}

/// Access modes; the modes are not told apart by their index.
pub(super) fn access_modes(rules: &mut Rules, modes: &[PersistentVolumeAccessMode], missing: &str) {
    if modes.is_empty() {
        rules.required("accessModes", missing);
    }
    for mode in modes {
        rules.one_of("accessModes", mode.as_str(), &ACCESS_MODES);
    }
    let of_one_pod =
        |mode: &&PersistentVolumeAccessMode| **mode == PersistentVolumeAccessMode::ReadWriteOncePod;
    let known = || modes.iter().filter(|mode| ACCESS_MODES.contains(&mode.as_str()));
    if known().any(|mode| of_one_pod(&mode)) && known().any(|mode| !of_one_pod(&mode)) {
        rules.forbidden("accessModes", "may not use ReadWriteOncePod with other access modes");
    }
}

pub(super) fn volume_mode(rules: &mut Rules, mode: &PersistentVolumeMode) {
    rules.one_of("volumeMode", mode.as_str(), &VOLUME_MODES);
}

/// What is at the place of `rules`; an `inline` spec stands in a VolumeAttachment, `loose` lets a node selector have
/// values that are no label values.
pub(super) fn spec(rules: &mut Rules, spec: &PersistentVolumeSpec, name: &str, inline: bool, loose: bool) {
    if inline {
        for (field, is_set) in
            [("claimRef", spec.claim_ref.is_some()), ("capacity", !spec.capacity.is_empty())]
        {
            if is_set {
                rules.forbidden(field, NOT_INLINE);
            }
        }
        if spec.source.csi.is_none() {
            rules.required("csi", "has to be specified in the context of inline volumes");
        }
    }
    access_modes(rules, &spec.access_modes, "");
    if !inline {
        capacity(rules, spec);
    }
    let policy = &spec.persistent_volume_reclaim_policy;
    if inline {
        if !policy.is_empty() && *policy != PersistentVolumeReclaimPolicy::Retain {
            let detail = "may only be Retain in the context of inline volumes";
            rules.forbidden("persistentVolumeReclaimPolicy", detail);
        }
    } else if !policy.is_empty() {
        rules.one_of("persistentVolumeReclaimPolicy", policy.as_str(), &["Delete", "Recycle", "Retain"]);
    }
    if let Some(nodes) = &spec.node_affinity {
        if inline {
            rules.forbidden("nodeAffinity", NOT_INLINE);
        } else {
            rules.within("nodeAffinity", |rules| match &nodes.required {
                None => rules.required("required", "must specify required node constraints"),
                Some(selector) => {
                    rules.within("required", |rules| node_selector(rules, selector, loose));
                }
            });
        }
    }
    sources(rules, &spec.source, name, spec.node_affinity.is_some() && !inline);
    if let Some(host) = &spec.source.host_path
        && is_root(&host.path)
        && *policy == PersistentVolumeReclaimPolicy::Recycle
    {
        let detail = "may not be 'recycle' for a hostPath mount of '/'";
        rules.forbidden("persistentVolumeReclaimPolicy", detail);
    }
    if !spec.storage_class_name.is_empty() {
        if inline {
            rules.forbidden("storageClassName", NOT_INLINE);
        } else {
            subdomain(rules, "storageClassName", &spec.storage_class_name);
        }
    }
    match &spec.volume_mode {
        None => {}
        Some(PersistentVolumeMode::Filesystem) if inline => {}
        Some(_) if inline => {
            let detail = "may not specify volumeMode other than Filesystem in the context of inline volumes";
            rules.forbidden("volumeMode", detail);
        }
        Some(mode) => volume_mode(rules, mode),
    }
    if let Some(class) = &spec.volume_attributes_class_name {
        if class.is_empty() {
            rules.required("volumeAttributesClassName", "an empty string is disallowed");
        } else {
            subdomain(rules, "volumeAttributesClassName", class);
        }
        if spec.source.csi.is_none() {
            rules.required("csi", "has to be specified when using volumeAttributesClassName");
        }
    }
}

/// Whether a path leads to the root once it is cleaned.
fn is_root(path: &str) -> bool {
    path.starts_with('/')
        && path.split('/').fold(0_usize, |depth, part| match part {
            "" | "." => depth,
            ".." => depth.saturating_sub(1),
            _ => depth + 1,
        }) == 0
}

fn capacity(rules: &mut Rules, spec: &PersistentVolumeSpec) {
    if spec.capacity.is_empty() {
        rules.required("capacity", "");
    }
    if !spec.capacity.contains_key("storage") || spec.capacity.len() > 1 {
        rules.not_supported("capacity", FieldValue::of(&spec.capacity), &["storage"]);
    }
    for (name, amount) in &spec.capacity {
        let field = format!("capacity[{name}]");
        if amount.value() < 0 {
            rules.invalid(&field, amount.value(), "must be a valid resource quantity");
        }
        if amount.sign() <= 0 {
            rules.invalid(&field, amount.to_string(), "must be greater than zero");
        }
    }
}

fn warnings(volume: &PersistentVolume) -> Vec<String> {
    let mut warnings = Vec::new();
    for (annotation, since, instead) in
        [(BETA_CLASS, "1.8", "storageClassName"), (BETA_MOUNT_OPTIONS, "1.31", "mountOptions")]
    {
        if volume.metadata.annotations.contains_key(annotation) {
            warnings.push(format!(
                "metadata.annotations[{annotation}]: deprecated since v{since}; use \"{instead}\" attribute instead"
            ));
        }
    }
    let spec = &volume.spec;
    if spec.persistent_volume_reclaim_policy == PersistentVolumeReclaimPolicy::Recycle {
        warnings.push("spec.persistentVolumeReclaimPolicy: The Recycle reclaim policy is deprecated. Instead, the recommended approach is to use dynamic provisioning.".to_owned());
    }
    let required = spec.node_affinity.as_deref().and_then(|affinity| affinity.required.as_deref());
    let terms: &[NodeSelectorTerm] = required.map_or(&[], |selector| &selector.node_selector_terms);
    for (index, term) in terms.iter().enumerate() {
        let path = format!("spec.nodeAffinity.required.nodeSelectorTerms[{index}]");
        node_labels::term_warnings(&mut warnings, &path, term);
    }
    let source = &spec.source;
    for (field, is_used, since, until) in [
        ("cephfs", source.cephfs.is_some(), "1.28", "1.31"),
        ("photonPersistentDisk", source.photon_persistent_disk.is_some(), "1.11", "1.16"),
        ("scaleIO", source.scale_io.is_some(), "1.16", "1.22"),
        ("storageOS", source.storageos.is_some(), "1.22", "1.25"),
        ("glusterfs", source.glusterfs.is_some(), "1.25", "1.26"),
        ("rbd", source.rbd.is_some(), "1.28", "1.31"),
    ] {
        if is_used {
            warnings.push(format!("spec.{field}: deprecated in v{since}, non-functional in v{until}+"));
        }
    }
    warnings
}
