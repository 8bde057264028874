//! Preemption: which pods make way for a more important one that fits nowhere.
//!
//! Equal to kube-scheduler's DefaultPreemption, but that every node is looked at, and that ties which
//! are left to chance there are broken by the seed.

mod candidate;
mod default_preemption;
mod dry_run;
mod victims;

pub use candidate::Candidate;
pub use default_preemption::DefaultPreemption;
pub use dry_run::DryRun;

use std::sync::Arc;

use orlop_model::Str;
use orlop_model::core::v1::Pod;

/// A node on which a pod would fit without some less important ones.
#[derive(Clone, Debug, PartialEq)]
pub struct Nomination {
    /// Name of the node.
    pub node: Str,
    /// The pods to be evicted from it, the most important first. Some of them may be on their way
    /// already.
    pub victims: Vec<Arc<Pod>>,
    /// How many of them are protected by a PodDisruptionBudget that does not allow it.
    pub violations: usize,
}
