//! [`PostFilter`]: is there a way out for a pod that fits nowhere?

use std::any::Any;

use super::{Plugin, Status};
use crate::engine::Unplaced;
use crate::preemption::Nomination;

/// Looks for a way to make room for a pod that fits on no node. The plugins of a profile are asked in
/// order, until one has found a way or says that there is none.
pub trait PostFilter: Plugin + Any {
    /// Looks for a way. Nodes may be tried out with other pods on them; nothing comes of that by itself.
    fn post_filter(&self, pod: &mut Unplaced<'_>) -> Remedy;

    /// Whether all that the answer depends on of the pod, beside why it fits nowhere, is its priority and
    /// its `preemptionPolicy`; the answer may be kept then until something changes. The default: no.
    fn is_general(&self) -> bool {
        false
    }
}

/// The answer of a [`PostFilter`].
#[derive(Clone, Debug, PartialEq)]
pub enum Remedy {
    /// The pod will fit on a node once some pods are evicted from it.
    Evict(Nomination),
    /// Nothing helps, as far as this plugin knows.
    None {
        /// Why. [`Code::UnschedulableAndUnresolvable`](super::Code::UnschedulableAndUnresolvable): no
        /// other plugin need be asked.
        status: Status,
        /// Whether a nomination that the pod has is of no use any more.
        withdraw: bool,
    },
}
