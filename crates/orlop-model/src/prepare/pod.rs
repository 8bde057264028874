//! Pods.

use super::Prepare;
use crate::core::v1::{Pod, PodPhase, PodStatus};
use crate::pod_resources;

impl Prepare for Pod {
    fn prepare_for_create(&mut self) {
        self.status = PodStatus {
            phase: PodPhase::Pending,
            qos_class: pod_resources::compute_qos_class(self),
            ..PodStatus::default()
        };
    }
}
