//! [`SchedulingGates`]: pods wait until their gates are gone.

use orlop_model::core::v1::Pod;

use crate::framework::{Plugin, PreEnqueue, Status};

/// Keeps pods with `spec.schedulingGates` out of the queue.
#[derive(Clone, Copy, Debug, Default)]
pub struct SchedulingGates;

impl Plugin for SchedulingGates {
    fn name(&self) -> &str {
        "SchedulingGates"
    }
}

impl PreEnqueue for SchedulingGates {
    fn pre_enqueue(&self, pod: &Pod) -> Result<(), Status> {
        if pod.spec.scheduling_gates.is_empty() {
            return Ok(());
        }
        let gates: Vec<&str> = pod.spec.scheduling_gates.iter().map(|gate| gate.name.as_str()).collect();
        Err(Status::unresolvable(format!("waiting for scheduling gates: [{}]", gates.join(" "))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gates_are_named() {
        let pod: Pod = serde_json::from_value(serde_json::json!({
            "spec": {"schedulingGates": [{"name": "a"}, {"name": "b"}]}
        }))
        .unwrap();
        let status = SchedulingGates.pre_enqueue(&pod).unwrap_err();
        assert_eq!(status.message(), "waiting for scheduling gates: [a b]");
        assert!(SchedulingGates.pre_enqueue(&Pod::default()).is_ok());
    }
}
