//! The plugins that look at a pod's volumes.

mod binding;
mod in_tree;
mod limits;
mod pod_volumes;
mod restrictions;
mod zone;

pub use binding::{BindProgress, VolumeBinding};
pub use limits::NodeVolumeLimits;
pub use pod_volumes::PodVolumes;
pub use restrictions::VolumeRestrictions;
pub use zone::VolumeZone;

#[cfg(test)]
mod tests;
