//! [`Volumes`]: the objects of storage that decisions about pods depend on.

mod assumption;
mod change;
mod plan;
mod record;
mod store;
mod users;

pub use change::{Replaced, StorageChange, StorageEvent};
pub use plan::BindPlan;
pub(crate) use plan::{SELECTED_NODE, is_bound_to};
pub use store::Volumes;
use store::class_of_volume;
pub(crate) use store::{CapacitySlot, KnownVolume, MIGRATED_PLUGINS, class_of_claim};

pub(in crate::cluster) use users::ClaimUsers;

#[cfg(test)]
mod tests;
