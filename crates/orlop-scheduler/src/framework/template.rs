//! [`PodTemplate`]: what pods of one template have in common.

use orlop_model::core::v1::{Pod, PodSpec};
use orlop_model::{Map, Str};

use crate::cluster::{Workload, controller_of};

/// A pod without what tells it apart from others of the same template: its name, uid, times and status.
///
/// Signatures are taken from templates, so that an engine may look at one pod of a template for all of
/// them.
#[derive(Clone, Copy, Debug)]
pub struct PodTemplate<'a>(&'a Pod);

impl<'a> PodTemplate<'a> {
    /// That of a pod.
    #[must_use]
    pub fn of(pod: &'a Pod) -> Self {
        Self(pod)
    }

    /// The pod's namespace.
    #[must_use]
    pub fn namespace(self) -> &'a Str {
        &self.0.metadata.namespace
    }

    /// The pod's labels.
    #[must_use]
    pub fn labels(self) -> &'a Map<Str> {
        &self.0.metadata.labels
    }

    /// The pod's annotations.
    #[must_use]
    pub fn annotations(self) -> &'a Map<Str> {
        &self.0.metadata.annotations
    }

    /// The pod's spec.
    #[must_use]
    pub fn spec(self) -> &'a PodSpec {
        &self.0.spec
    }

    /// The workload that controls the pod, if it is of a kind whose pods are spread by default.
    #[must_use]
    pub fn controller(self) -> Option<Workload> {
        controller_of(self.0)
    }

    /// The pod, for arithmetic that looks at its resources' status too.
    pub(crate) fn pod(self) -> &'a Pod {
        self.0
    }

    /// Whether two pods are of one template for certain.
    pub(crate) fn is_same(self, other: Self) -> bool {
        let (a, b) = (&self.0.metadata, &other.0.metadata);
        // Resources in a status are those of a pod that runs.
        let is_new = |pod: &Pod| {
            pod.status.container_statuses.is_empty() && pod.status.init_container_statuses.is_empty()
        };
        a.namespace == b.namespace
            && a.labels == b.labels
            && a.annotations == b.annotations
            && self.0.spec == other.0.spec
            && self.controller() == other.controller()
            && is_new(self.0)
            && is_new(other.0)
    }
}
