//! [`Volumes`]: the objects of storage that decisions about pods depend on.

mod change;
mod plan;
mod record;
mod store;

pub use change::{Replaced, StorageChange, StorageEvent};
pub use plan::BindPlan;
pub(crate) use plan::{SELECTED_NODE, is_bound_to};
pub use store::Volumes;
use store::class_of_volume;
pub(crate) use store::{CapacitySlot, MIGRATED_PLUGINS, VolumeSlot, class_of_claim};

#[cfg(test)]
mod tests;
