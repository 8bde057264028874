//! The framework: one small trait per extension point, and profiles that put plugins together.

mod erased;
mod filter;
mod hint;
mod hooks;
mod plugin;
mod profile;
mod score;
mod status;

pub(crate) use erased::{ErasedFilter, ErasedScore, Prepared, Raw};
pub use filter::{DomainFilter, Filter, PreFilter};
pub use hint::{ClusterEvent, Hint};
pub use hooks::{Permit, PreEnqueue, QueueSort, Reserve};
pub use plugin::{Plugin, Reads};
pub(crate) use profile::DEFAULT_SCHEDULER;
pub(crate) use profile::WeightedScore;
pub use profile::{Profile, ProfileBuilder, ProfileError};
pub use score::{DomainScore, Feasible, MAX_SCORE, Normalize, PreScore, Score};
pub use status::{Code, Reason, Status, Verdict};
