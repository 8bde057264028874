//! [`PodVolumes`]: what decisions about volumes look at of a pod.

use orlop_model::core::v1::{PersistentVolumeClaim, Pod, Volume, VolumeSource};
use orlop_model::{List, Str};

use super::in_tree::InTree;
use crate::cluster::Volumes;

/// The volumes of a pod that decisions depend on: claims, and disks named in the pod itself.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct PodVolumes {
    pub(super) namespace: Str,
    /// Name and uid of the pod where it has ephemeral volumes, whose claims are its own.
    pub(super) owner: Option<(Str, Str)>,
    /// In the pod's order.
    pub(super) uses: List<Use>,
}

/// One volume of a pod.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Use {
    Claim {
        name: Str,
        ephemeral: bool,
    },
    Disk {
        /// Name of the volume in the pod.
        volume: Str,
        disk: Disk,
    },
}

/// A disk named in a pod itself.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Disk {
    Aws { id: Str },
    Azure { uri: Str },
    AzureFile,
    Cinder { id: Str },
    Gce { name: Str, read_only: bool },
    Iscsi { iqn: Str, read_only: bool },
    Portworx { id: Str },
    Rbd { monitors: List<Str>, pool: Str, image: Str, read_only: bool },
    Vsphere,
}

impl Disk {
    fn of(source: &VolumeSource) -> Option<Self> {
        if let Some(disk) = &source.gce_persistent_disk {
            Some(Self::Gce { name: disk.pd_name.clone(), read_only: disk.read_only })
        } else if let Some(disk) = &source.aws_elastic_block_store {
            Some(Self::Aws { id: disk.volume_id.clone() })
        } else if let Some(disk) = &source.iscsi {
            Some(Self::Iscsi { iqn: disk.iqn.clone(), read_only: disk.read_only })
        } else if let Some(disk) = &source.rbd {
            Some(Self::Rbd {
                monitors: disk.monitors.clone(),
                pool: disk.pool.clone(),
                image: disk.image.clone(),
                read_only: disk.read_only,
            })
        } else if let Some(disk) = &source.cinder {
            Some(Self::Cinder { id: disk.volume_id.clone() })
        } else if let Some(disk) = &source.azure_disk {
            Some(Self::Azure { uri: disk.disk_uri.clone() })
        } else if let Some(disk) = &source.portworx_volume {
            Some(Self::Portworx { id: disk.volume_id.clone() })
        } else if source.azure_file.is_some() {
            Some(Self::AzureFile)
        } else if source.vsphere_volume.is_some() {
            Some(Self::Vsphere)
        } else {
            None
        }
    }

    /// The plugin that a CSI driver can stand in for.
    pub(super) fn in_tree(&self) -> Option<&'static InTree> {
        match self {
            Self::Aws { .. } => Some(&InTree::AWS),
            Self::Azure { .. } => Some(&InTree::AZURE_DISK),
            Self::AzureFile => Some(&InTree::AZURE_FILE),
            Self::Cinder { .. } => Some(&InTree::CINDER),
            Self::Gce { .. } => Some(&InTree::GCE),
            Self::Portworx { .. } => Some(&InTree::PORTWORX),
            Self::Vsphere => Some(&InTree::VSPHERE),
            Self::Iscsi { .. } | Self::Rbd { .. } => None,
        }
    }

    /// Whether a node can take the disk once only.
    pub(super) fn is_restricted(&self) -> bool {
        matches!(self, Self::Aws { .. } | Self::Gce { .. } | Self::Iscsi { .. } | Self::Rbd { .. })
    }

    /// Whether the two cannot be on one node.
    pub(super) fn conflicts_with(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Gce { name, read_only }, Self::Gce { name: theirs, read_only: theirs_read_only }) => {
                name == theirs && !(*read_only && *theirs_read_only)
            }
            (Self::Aws { id }, Self::Aws { id: theirs }) => id == theirs,
            (Self::Iscsi { iqn, read_only }, Self::Iscsi { iqn: theirs, read_only: theirs_read_only }) => {
                iqn == theirs && !(*read_only && *theirs_read_only)
            }
            (
                Self::Rbd { monitors, pool, image, read_only },
                Self::Rbd {
                    monitors: their_monitors,
                    pool: their_pool,
                    image: their_image,
                    read_only: theirs_read_only,
                },
            ) => {
                monitors.iter().any(|monitor| their_monitors.contains(monitor))
                    && pool == their_pool
                    && image == their_image
                    && !(*read_only && *theirs_read_only)
            }
            _ => false,
        }
    }
}

impl Use {
    pub(super) fn of(pod: &Pod, volume: &Volume) -> Option<Self> {
        let source = &volume.source;
        if let Some(claim) = &source.persistent_volume_claim {
            Some(Self::Claim { name: claim.claim_name.clone(), ephemeral: false })
        } else if source.ephemeral.is_some() {
            let name = format!("{}-{}", pod.metadata.name, volume.name).into();
            Some(Self::Claim { name, ephemeral: true })
        } else {
            Disk::of(source).map(|disk| Self::Disk { volume: volume.name.clone(), disk })
        }
    }
}

impl PodVolumes {
    pub(super) fn of(pod: &Pod) -> Self {
        let uses: List<Use> = pod.spec.volumes.iter().filter_map(|volume| Use::of(pod, volume)).collect();
        if uses.is_empty() {
            return Self::default();
        }
        let owner = uses.iter().any(|one| matches!(one, Use::Claim { ephemeral: true, .. }));
        Self {
            namespace: pod.metadata.namespace.clone(),
            owner: owner.then(|| (pod.metadata.name.clone(), pod.metadata.uid.clone())),
            uses,
        }
    }

    /// Claims and whether they are of ephemeral volumes, each once.
    pub(super) fn claims(&self) -> impl Iterator<Item = (&Str, bool)> {
        let claim = |one: &Use| match one {
            Use::Claim { name, .. } => Some(name.clone()),
            Use::Disk { .. } => None,
        };
        self.uses.iter().enumerate().filter_map(move |(index, one)| match one {
            Use::Claim { name, ephemeral } => {
                let before = self.uses[..index].iter().any(|other| claim(other).as_ref() == Some(name));
                (!before).then_some((name, *ephemeral))
            }
            Use::Disk { .. } => None,
        })
    }

    /// Claims that the pod names itself, each once.
    pub(super) fn named_claims(&self) -> impl Iterator<Item = &Str> {
        self.claims().filter(|(_, ephemeral)| !ephemeral).map(|(name, _)| name)
    }

    pub(super) fn disks(&self) -> impl Iterator<Item = (&Str, &Disk)> {
        self.uses.iter().filter_map(|one| match one {
            Use::Disk { volume, disk } => Some((volume, disk)),
            Use::Claim { .. } => None,
        })
    }

    /// Whether the claim is one of the pod's; of ephemeral volumes too if `ephemeral`.
    pub(super) fn has_claim(&self, claim: &PersistentVolumeClaim, ephemeral: bool) -> bool {
        self.namespace == claim.metadata.namespace
            && self.claims().any(|(name, own)| *name == claim.metadata.name && (ephemeral || !own))
    }

    /// Whether the claim of an ephemeral volume was made for this pod.
    ///
    /// # Errors
    /// That it was not.
    pub(super) fn check_owner(&self, claim: &PersistentVolumeClaim) -> Result<(), String> {
        let meta = &claim.metadata;
        let controller = meta.owner_references.iter().find(|owner| owner.controller == Some(true));
        match (&self.owner, controller) {
            (Some((_, uid)), Some(controller)) if controller.uid == *uid => Ok(()),
            (owner, _) => Err(format!(
                "PVC {}/{} was not created for pod {}/{} (pod is not owner)",
                meta.namespace,
                meta.name,
                self.namespace,
                owner.as_ref().map_or("", |(name, _)| name.as_str())
            )),
        }
    }

    /// The claim of that name in the pod's namespace.
    ///
    /// # Errors
    /// That there is none.
    pub(super) fn claim<'a>(
        &self,
        volumes: &'a Volumes,
        name: &str,
    ) -> Result<&'a std::sync::Arc<PersistentVolumeClaim>, String> {
        volumes
            .claim(&self.namespace, name)
            .ok_or_else(|| format!("persistentvolumeclaim {name:?} not found"))
    }
}
