//! [`Volumes`]: the objects of storage that decisions about pods depend on.

mod change;
mod plan;
mod record;
mod store;

pub use change::{Replaced, StorageChange, StorageEvent};
pub use plan::BindPlan;
pub(crate) use plan::{BOUND_BY_CONTROLLER, SELECTED_NODE, is_bound_to};
pub use store::Volumes;
pub(crate) use store::{CapacitySlot, VolumeSlot, class_of_claim, class_of_volume};

#[cfg(test)]
mod tests;
