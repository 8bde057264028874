//! The framework: one small trait per extension point, and profiles that put plugins together.

mod bind_plugins;
mod domain;
mod erased;
mod filter;
mod guard;
mod hint;
mod hooks;
mod plugin;
mod post_filter;
mod profile;
mod score;
mod status;
mod template;

pub(crate) use bind_plugins::BindPlugins;
pub(crate) use domain::{ABSENT, Sums};
pub use domain::{Counts, Feasibility, Plan, Tally, Totals};
pub(crate) use erased::{AnyFilter, AnyPlan, AnyScore, Prepared, Raw, Signed, passes};
pub use filter::{ClusterFilter, DomainFilter, Filter, PreFilter};
pub(crate) use guard::{guarded, panic_message};
pub use hint::{ClusterEvent, Hint};
pub use hooks::{
    Bind, BindVerdict, Permit, PermitVerdict, PostBind, PreBind, PreEnqueue, QueueSort, Reserve,
};
pub use plugin::{Plugin, Reads};
pub use post_filter::{PostFilter, Remedy};
pub(crate) use profile::DEFAULT_SCHEDULER;
pub(crate) use profile::WeightedScore;
pub use profile::{Profile, ProfileBuilder, ProfileError};
pub use score::{ClusterScore, DomainScore, Feasible, MAX_SCORE, Normalize, PreScore, Score};
pub use status::{Code, Reason, Status, Verdict};
pub use template::PodTemplate;
