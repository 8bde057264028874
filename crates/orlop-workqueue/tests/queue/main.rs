//! The queue against a specification model, its waiting side (nothing lost, nobody asleep while there is work), and
//! what others got wrong.

mod model;
mod peers;
mod promises;
mod waiting;

use std::time::Duration;

pub(crate) const fn ms(n: u64) -> Duration {
    Duration::from_millis(n)
}

/// A runtime whose time stands still until nobody has anything to do.
pub(crate) fn paused() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().expect("a runtime")
}
