//! [`Report`]: what people are told: the condition `PodScheduled` and Events.

use std::sync::Arc;

use orlop_model::Str;
use orlop_model::core::v1::{ConditionStatus, Pod, PodConditionType};

use super::actuator::key;
use super::{Note, Unscheduled};

/// Bytes that an Event's message may have.
const MAX_MESSAGE: usize = 1_024;

pub(super) fn scheduled(pod: &Pod, node: &str) -> Note {
    let message = cut(format!("Successfully assigned {} to {node}", key(pod)));
    Note { warning: false, reason: "Scheduled", message }
}

pub(super) fn preempted(by: &Pod, node: &str) -> Note {
    let message = cut(format!("Preempted by pod {} on node {node}", by.metadata.uid));
    Note { warning: false, reason: "Preempted", message }
}

pub(super) fn failed(message: &str) -> Note {
    Note { warning: true, reason: "FailedScheduling", message: cut(message.to_owned()) }
}

/// What is to be written down on the pod, unless it stands there already.
pub(super) fn unscheduled(
    pod: &Arc<Pod>,
    reason: &'static str,
    message: String,
    nominated_node: Option<Str>,
) -> Option<Unscheduled> {
    let known = pod.status.conditions.iter().any(|condition| {
        condition.type_ == PodConditionType::PodScheduled
            && condition.status == ConditionStatus::False
            && condition.reason == reason
            && condition.message == message
    });
    let nominated = nominated_node.as_ref().is_none_or(|node| pod.status.nominated_node_name == *node);
    (!known || !nominated).then_some(Unscheduled { reason, message, nominated_node })
}

/// At most [`MAX_MESSAGE`] bytes, ending in ` ...` where something was left out.
fn cut(mut message: String) -> String {
    const DOTS: &str = " ...";
    if message.len() > MAX_MESSAGE {
        let end =
            (0..=MAX_MESSAGE - DOTS.len()).rev().find(|&end| message.is_char_boundary(end)).unwrap_or(0);
        message.truncate(end);
        message.push_str(DOTS);
    }
    message
}

#[cfg(test)]
mod tests {
    use orlop_clock::Timestamp;

    use super::super::actuator::set_condition;
    use super::*;

    #[test]
    fn long_messages_are_cut() {
        assert_eq!(cut("short".to_owned()), "short");
        let long = cut("é".repeat(600));
        assert!(long.len() <= MAX_MESSAGE && long.ends_with("é ..."), "{}", long.len());
    }

    #[test]
    fn what_stands_there_is_not_written_again() {
        let mut pod = Pod::default();
        let full = |pod: &Pod, node: Option<Str>| {
            unscheduled(&Arc::new(pod.clone()), "Unschedulable", "full".into(), node).is_some()
        };
        assert!(full(&pod, None));
        let (kind, status) = (PodConditionType::PodScheduled, ConditionStatus::False);
        set_condition(&mut pod, kind, status, "Unschedulable", "full", Timestamp::UNIX_EPOCH);
        assert!(!full(&pod, None));
        assert!(full(&pod, Some("n".into())));
        pod.status.nominated_node_name = "n".into();
        assert!(!full(&pod, Some("n".into())));
    }
}
