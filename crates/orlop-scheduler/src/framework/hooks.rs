//! The extension points around the decision: [`PreEnqueue`], [`QueueSort`], [`Reserve`], [`Permit`].

use orlop_model::core::v1::Pod;

use super::{Plugin, Status};
use crate::queue::QueuedPod;

/// Decides whether a pod may enter the queue of pods to be scheduled. Called whenever a pod would
/// enter it, so it must be cheap.
pub trait PreEnqueue: Plugin {
    /// Lets the pod in, or says why it has to wait. A pod that is kept out is asked about again when
    /// it changes.
    ///
    /// # Errors
    /// The status that keeps the pod out.
    fn pre_enqueue(&self, pod: &Pod) -> Result<(), Status>;
}

/// The order in which pods are scheduled; one for all profiles, as they share a queue.
pub trait QueueSort: Plugin {
    /// What pods are sorted by.
    type Key: Ord + Clone + std::fmt::Debug + Send + Sync + 'static;

    /// The pod's place: the smallest key comes first, equal keys in the order of arrival.
    fn key(&self, pod: &QueuedPod) -> Self::Key;
}

/// Told of a pod's place before it is bound, and again if nothing comes of it; for plugins that
/// keep accounts of their own.
pub trait Reserve: Plugin {
    /// The pod was assumed to be on the node.
    ///
    /// # Errors
    /// The status that undoes the decision; plugins told before are told to
    /// [`unreserve`](Self::unreserve), in reverse order.
    fn reserve(&self, pod: &Pod, node: &str) -> Result<(), Status>;

    /// The pod will not go to the node after all. May be called more than once, and without
    /// [`reserve`](Self::reserve) having been called.
    fn unreserve(&self, pod: &Pod, node: &str);
}

/// Has the last word before a pod is bound.
pub trait Permit: Plugin {
    /// Lets the pod be bound to the node.
    ///
    /// # Errors
    /// The status that undoes the decision.
    fn permit(&self, pod: &Pod, node: &str) -> Result<(), Status>;
}
