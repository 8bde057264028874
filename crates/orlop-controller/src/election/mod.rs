//! Who of several processes does the work: leader election by a Lease.

mod candidate;
mod elector;
mod leadership;
mod timing;

pub use elector::{Election, Ended, LeadershipLost};
pub use leadership::{Fence, Leadership};
pub use timing::{Timing, TimingError};
