//! [`InTree`]: volume plugins of the past, whose volumes CSI drivers serve.

use std::collections::BTreeSet;

use orlop_model::core::v1::{
    NodeSelector, NodeSelectorOperator, NodeSelectorRequirement, PersistentVolume, PersistentVolumeSource,
};
use orlop_model::selector::NodeSelectorMatcher;
use orlop_model::storage::v1::CSINode;
use orlop_model::{List, Str};

use super::pod_volumes::Disk;
use crate::cluster::MIGRATED_PLUGINS;

/// Labels of zone and region as they are now, and as they were before 1.17.
pub(super) const ZONE: &str = "topology.kubernetes.io/zone";
pub(super) const REGION: &str = "topology.kubernetes.io/region";
pub(super) const BETA_ZONE: &str = "failure-domain.beta.kubernetes.io/zone";
pub(super) const BETA_REGION: &str = "failure-domain.beta.kubernetes.io/region";

/// Stands between the zones of a volume that is in several.
pub(super) const ZONE_DELIMITER: &str = "__";

/// What handles of GCE disks say where the in-tree volume says nothing.
const UNSPECIFIED: &str = "UNSPECIFIED";

/// A volume plugin that a CSI driver stands in for.
#[derive(Debug)]
pub(super) struct InTree {
    /// Name of the plugin.
    pub(super) plugin: &'static str,
    /// Name of the driver.
    pub(super) driver: &'static str,
    /// Whether the scheduler counts its volumes as the driver's, where the node does.
    counts: bool,
    /// The driver's node label of the zone, where it takes the place of Kubernetes' own.
    zone: Option<&'static str>,
}

impl InTree {
    pub(super) const AWS: Self = Self {
        plugin: "kubernetes.io/aws-ebs",
        driver: "ebs.csi.aws.com",
        counts: true,
        zone: Some("topology.ebs.csi.aws.com/zone"),
    };
    pub(super) const AZURE_DISK: Self =
        Self { plugin: "kubernetes.io/azure-disk", driver: "disk.csi.azure.com", counts: true, zone: None };
    pub(super) const AZURE_FILE: Self =
        Self { plugin: "kubernetes.io/azure-file", driver: "file.csi.azure.com", counts: false, zone: None };
    pub(super) const CINDER: Self = Self {
        plugin: "kubernetes.io/cinder",
        driver: "cinder.csi.openstack.org",
        counts: true,
        zone: Some("topology.cinder.csi.openstack.org/zone"),
    };
    pub(super) const GCE: Self = Self {
        plugin: "kubernetes.io/gce-pd",
        driver: "pd.csi.storage.gke.io",
        counts: true,
        zone: Some("topology.gke.io/zone"),
    };
    pub(super) const PORTWORX: Self = Self {
        plugin: "kubernetes.io/portworx-volume",
        driver: "pxd.portworx.com",
        counts: true,
        zone: None,
    };
    pub(super) const VSPHERE: Self = Self {
        plugin: "kubernetes.io/vsphere-volume",
        driver: "csi.vsphere.vmware.com",
        counts: false,
        zone: None,
    };

    const ALL: [&'static Self; 7] = [
        &Self::AWS,
        &Self::AZURE_DISK,
        &Self::AZURE_FILE,
        &Self::CINDER,
        &Self::GCE,
        &Self::PORTWORX,
        &Self::VSPHERE,
    ];

    /// The plugin of that name: a provisioner of classes, say.
    pub(super) fn named(plugin: &str) -> Option<&'static Self> {
        Self::ALL.into_iter().find(|other| other.plugin == plugin)
    }

    /// The plugin of a volume.
    pub(super) fn of(source: &PersistentVolumeSource) -> Option<&'static Self> {
        if source.aws_elastic_block_store.is_some() {
            Some(&Self::AWS)
        } else if source.azure_disk.is_some() {
            Some(&Self::AZURE_DISK)
        } else if source.azure_file.is_some() {
            Some(&Self::AZURE_FILE)
        } else if source.cinder.is_some() {
            Some(&Self::CINDER)
        } else if source.gce_persistent_disk.is_some() {
            Some(&Self::GCE)
        } else if source.portworx_volume.is_some() {
            Some(&Self::PORTWORX)
        } else if source.vsphere_volume.is_some() {
            Some(&Self::VSPHERE)
        } else {
            None
        }
    }

    /// Whether the driver serves the plugin's volumes on a node.
    pub(super) fn is_migrated(&self, node: Option<&CSINode>) -> bool {
        let plugins = node.and_then(|node| node.metadata.annotations.get(MIGRATED_PLUGINS));
        self.counts && plugins.is_some_and(|plugins| plugins.split(',').any(|plugin| plugin == self.plugin))
    }

    /// The driver's handle of a volume.
    ///
    /// # Errors
    /// What the driver's handle cannot be made from.
    pub(super) fn handle(&self, volume: &PersistentVolume) -> Result<Str, String> {
        let source = &volume.spec.source;
        if let Some(disk) = &source.aws_elastic_block_store {
            aws_volume(&disk.volume_id)
        } else if let Some(disk) = &source.gce_persistent_disk {
            gce_handle(volume, &disk.pd_name)
        } else if let Some(disk) = &source.azure_disk {
            Ok(disk.disk_uri.clone())
        } else if let Some(disk) = &source.cinder {
            Ok(disk.volume_id.clone())
        } else if let Some(disk) = &source.portworx_volume {
            Ok(disk.volume_id.clone())
        } else {
            Ok(Str::EMPTY)
        }
    }

    /// The driver's handle of a disk that a pod names itself; none where the driver's volumes are
    /// not counted.
    ///
    /// # Errors
    /// As for [`handle`](Self::handle).
    pub(super) fn disk_handle(disk: &Disk) -> Result<Option<Str>, String> {
        Ok(match disk {
            Disk::Aws { id } => Some(aws_volume(id)?),
            Disk::Gce { name, .. } => {
                Some(format!("projects/{UNSPECIFIED}/zones/{UNSPECIFIED}/disks/{name}").into())
            }
            Disk::Azure { uri } => Some(uri.clone()),
            Disk::Cinder { id } | Disk::Portworx { id } => Some(id.clone()),
            Disk::AzureFile | Disk::Iscsi { .. } | Disk::Rbd { .. } | Disk::Vsphere => None,
        })
    }

    /// The nodes that can reach a volume, in the driver's terms: its own label of the zone. None: as
    /// before.
    ///
    /// # Errors
    /// As for [`handle`](Self::handle).
    pub(super) fn affinity(&self, volume: &PersistentVolume) -> Result<Option<NodeSelectorMatcher>, String> {
        self.handle(volume)?;
        let Some(zone) = self.zone else {
            return Ok(None);
        };
        let required = volume.spec.node_affinity.as_ref().and_then(|affinity| affinity.required.as_deref());
        let mut selector = required.cloned().unwrap_or_default();
        let labels = &volume.metadata.labels;
        let beta = if has_key(&selector, ZONE) {
            false
        } else if has_key(&selector, BETA_ZONE) {
            true
        } else {
            !labels.contains_key(ZONE) && labels.contains_key(BETA_ZONE)
        };
        let (zone_label, region_label) = if beta { (BETA_ZONE, BETA_REGION) } else { (ZONE, REGION) };
        if values(&selector, zone_label) > 0 {
            rename(&mut selector, zone_label, zone);
        } else if let Some(zones) = labels.get(zone_label) {
            add(&mut selector, zone, zones);
        }
        if beta && values(&selector, region_label) > 0 {
            rename(&mut selector, region_label, REGION);
        }
        if selector.node_selector_terms.is_empty() && required.is_none() {
            return Ok(None);
        }
        Ok(Some(NodeSelectorMatcher::lazy(&selector)))
    }
}

fn expressions(selector: &NodeSelector) -> impl Iterator<Item = &NodeSelectorRequirement> {
    selector.node_selector_terms.iter().flat_map(|term| term.match_expressions.iter())
}

fn has_key(selector: &NodeSelector, key: &str) -> bool {
    expressions(selector).any(|expression| expression.key == *key)
}

fn values(selector: &NodeSelector, key: &str) -> usize {
    expressions(selector).filter(|expression| expression.key == *key).map(|one| one.values.len()).sum()
}

fn rename(selector: &mut NodeSelector, from: &str, to: &str) {
    for term in &mut selector.node_selector_terms {
        for expression in &mut term.match_expressions {
            if expression.key == *from {
                expression.key = to.into();
            }
        }
    }
}

/// Demands one of the zones of a label's value from every term.
fn add(selector: &mut NodeSelector, key: &str, zones: &str) {
    let zones: BTreeSet<&str> =
        zones.split(ZONE_DELIMITER).map(str::trim).filter(|zone| !zone.is_empty()).collect();
    if zones.is_empty() {
        return;
    }
    if selector.node_selector_terms.is_empty() {
        selector.node_selector_terms = [orlop_model::core::v1::NodeSelectorTerm::default()].into();
    }
    let expression = NodeSelectorRequirement {
        key: key.into(),
        operator: NodeSelectorOperator::In,
        values: zones.into_iter().map(Str::from).collect(),
        ..NodeSelectorRequirement::default()
    };
    for term in &mut selector.node_selector_terms {
        let mut all: Vec<_> = term.match_expressions.iter().cloned().collect();
        all.push(expression.clone());
        term.match_expressions = List::from(all);
    }
}

/// `vol-…` of `aws://ZONE/vol-…`; anything else is taken for a volume's identifier already.
fn aws_volume(id: &Str) -> Result<Str, String> {
    let Some(rest) = id.strip_prefix("aws://") else {
        return Ok(id.clone());
    };
    let path = rest.split_once('/').map_or("", |(_, path)| path);
    let path = path.split(['?', '#']).next().unwrap_or_default().trim_matches('/');
    if path.starts_with("vol-") && !path.contains('/') {
        Ok(path.into())
    } else {
        Err(format!(
            "failed to translate Kubernetes ID to EBS Volume ID Invalid format for AWS volume ({id})"
        ))
    }
}

fn gce_handle(volume: &PersistentVolume, name: &str) -> Result<Str, String> {
    let labels = &volume.metadata.labels;
    let label = labels.get(BETA_ZONE).filter(|zone| !zone.is_empty()).or_else(|| labels.get(ZONE));
    let zones: Vec<&str> = label.map_or("", |zone| zone.as_str()).split(ZONE_DELIMITER).collect();
    Ok(match zones[..] {
        [""] => format!("projects/{UNSPECIFIED}/zones/{UNSPECIFIED}/disks/{name}"),
        [zone] => format!("projects/{UNSPECIFIED}/zones/{zone}/disks/{name}"),
        _ => {
            let region =
                gce_region(&zones).map_err(|why| format!("failed to get region from zones: {why}"))?;
            format!("projects/{UNSPECIFIED}/regions/{region}/disks/{name}")
        }
    }
    .into())
}

/// The region of zones such as `europe-west1-b`.
fn gce_region(zones: &[&str]) -> Result<String, String> {
    let mut regions = BTreeSet::new();
    for zone in zones {
        let parts: Vec<&str> = zone.split('-').collect();
        let [locale, region, _] = parts[..] else {
            return Err(format!(
                "zone in unexpected format, expected: {{locale}}-{{region}}-{{zone}}, got: {zone}"
            ));
        };
        regions.insert(format!("{locale}-{region}"));
    }
    let mut regions = regions.into_iter();
    match (regions.next(), regions.next()) {
        (Some(region), None) => Ok(region),
        (first, second) => {
            let all: Vec<String> = first
                .into_iter()
                .chain(second)
                .chain(regions)
                .map(|region| format!("{region}:{{}}"))
                .collect();
            Err(format!("multiple or no regions gotten from zones, got: map[{}]", all.join(" ")))
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn volume(labels: serde_json::Value, spec: serde_json::Value) -> PersistentVolume {
        serde_json::from_value(json!({"metadata": {"name": "pv", "labels": labels}, "spec": spec})).unwrap()
    }

    #[test]
    fn handles_are_the_drivers() {
        let handle = |labels, spec| {
            let volume = volume(labels, spec);
            InTree::of(&volume.spec.source).unwrap().handle(&volume)
        };
        let aws = |id: &str| handle(json!({}), json!({"awsElasticBlockStore": {"volumeID": id}}));
        assert_eq!(aws("vol-1").unwrap(), "vol-1");
        assert_eq!(aws("aws://eu-west-1a/vol-1").unwrap(), "vol-1");
        assert_eq!(aws("aws:///vol-1/").unwrap(), "vol-1");
        assert_eq!(
            aws("aws://eu-west-1a/disk").unwrap_err(),
            "failed to translate Kubernetes ID to EBS Volume ID Invalid format for AWS volume (aws://eu-west-1a/disk)"
        );
        let gce = |zone: &str| {
            handle(
                json!({"topology.kubernetes.io/zone": zone}),
                json!({"gcePersistentDisk": {"pdName": "d"}}),
            )
        };
        assert_eq!(gce("europe-west1-b").unwrap(), "projects/UNSPECIFIED/zones/europe-west1-b/disks/d");
        assert_eq!(
            gce("europe-west1-b__europe-west1-c").unwrap(),
            "projects/UNSPECIFIED/regions/europe-west1/disks/d"
        );
        assert_eq!(
            gce("europe-west1-b__europe-west2-c").unwrap_err(),
            "failed to get region from zones: multiple or no regions gotten from zones, got: \
             map[europe-west1:{} europe-west2:{}]"
        );
        assert!(gce("a__b").unwrap_err().contains("zone in unexpected format"));
        assert_eq!(gce("").unwrap(), "projects/UNSPECIFIED/zones/UNSPECIFIED/disks/d");
    }

    #[test]
    fn affinity_is_said_in_the_drivers_labels() {
        let disk = json!({"volumeID": "vol-1"});
        let reaches = |labels, affinity, node: &[(&str, &str)]| {
            let volume = volume(labels, json!({"awsElasticBlockStore": disk, "nodeAffinity": affinity}));
            let affinity = InTree::AWS.affinity(&volume).unwrap();
            affinity.is_none_or(|affinity| affinity.matches_labels("", node).unwrap())
        };
        let key = "topology.ebs.csi.aws.com/zone";
        let zone = json!({"failure-domain.beta.kubernetes.io/zone": "a__b"});
        assert!(reaches(zone.clone(), json!(null), &[(key, "b")]));
        assert!(!reaches(zone, json!(null), &[(BETA_ZONE, "b")]));
        let term = |key: &str| {
            json!({"required": {"nodeSelectorTerms": [
                {"matchExpressions": [{"key": key, "operator": "In", "values": ["a"]}]}]}})
        };
        assert!(reaches(json!({}), term(ZONE), &[(key, "a")]));
        assert!(!reaches(json!({}), term(ZONE), &[(ZONE, "a")]));
        assert!(reaches(json!({}), term("other"), &[("other", "a")]));
        assert!(reaches(json!({}), json!(null), &[]));
    }
}
