//! The extension points around the decision: [`PreEnqueue`], [`QueueSort`], [`Reserve`], [`Permit`],
//! [`PreBind`], [`Bind`], [`PostBind`].

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use orlop_model::Str;
use orlop_model::core::v1::Pod;

use super::{ClusterEvent, Plugin, Status};
use crate::queue::QueuedPod;
use crate::waiting::WaitingPods;

/// Decides whether a pod may enter the queue of pods to be scheduled. Called whenever a pod would
/// enter it, so it must be cheap.
pub trait PreEnqueue: Plugin {
    /// Lets the pod in, or says why it has to wait. A pod that is kept out is asked about again when
    /// it changes, when an event [concerns](Self::concerns) the plugin, and every five minutes.
    ///
    /// # Errors
    /// The status that keeps the pod out.
    fn pre_enqueue(&self, pod: &Pod) -> Result<(), Status>;

    /// Whether the event may let in pods that were kept out, beside their own changes.
    fn concerns(&self, event: &ClusterEvent) -> bool {
        let _ = event;
        false
    }
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
    /// The status that undoes the decision; all plugins are then told to
    /// [`unreserve`](Self::unreserve), in reverse order.
    fn reserve(&self, pod: &Pod, node: &str) -> Result<(), Status>;

    /// The pod will not go to the node after all. May be called more than once, and without
    /// [`reserve`](Self::reserve) having been called.
    fn unreserve(&self, pod: &Pod, node: &str);
}

/// Has the last word before a pod is bound.
pub trait Permit: Plugin {
    /// Lets the pod be bound to the node, at once or later. `waiting` are the pods that were told to
    /// wait before; those that waited for this one may be allowed, or turned down, here.
    fn permit(&self, pod: &Pod, node: &str, waiting: &mut WaitingPods) -> PermitVerdict;
}

/// The answer of [`Permit`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PermitVerdict {
    /// As far as this plugin is concerned, the pod may be bound.
    Allow,
    /// Not before the plugin (or somebody else in its name) has allowed it; turned down after this
    /// time, at most 15 minutes.
    Wait(Duration),
    /// Undoes the decision. A status that is no rejection counts as an error.
    Reject(Status),
}

/// Does what has to be done before a pod can be bound. Runs beside the scheduler, and may take its
/// time.
#[async_trait]
pub trait PreBind: Plugin {
    /// Prepares the node, or the cluster, for the pod.
    ///
    /// # Errors
    /// Undoes the decision; the pod is tried again after a back-off.
    async fn pre_bind(&self, pod: &Arc<Pod>, node: &Str) -> Result<(), Status>;
}

/// Binds pods. Of several such plugins the first that does not skip a pod binds it; where all do, the
/// [`Actuator`](crate::driver::Actuator) does.
#[async_trait]
pub trait Bind: Plugin {
    /// Binds the pod to the node, or says that it is not this plugin's business.
    async fn bind(&self, pod: &Arc<Pod>, node: &Str) -> BindVerdict;
}

/// The answer of [`Bind`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BindVerdict {
    /// The pod is bound.
    Bound,
    /// Somebody else is to bind it.
    Skip,
    /// It could not be bound; it is tried again after a back-off.
    Failed(Status),
}

/// Told of pods that were bound.
#[async_trait]
pub trait PostBind: Plugin {
    /// The pod is bound to the node.
    async fn post_bind(&self, pod: &Arc<Pod>, node: &Str);
}
