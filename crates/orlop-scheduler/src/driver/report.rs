//! What people are told: the condition `PodScheduled` and Events.

use std::sync::Arc;

use async_trait::async_trait;
use orlop_client::{Api, Client};
use orlop_clock::Timestamp;
use orlop_model::core::v1::{ConditionStatus, EventType, Pod, PodCondition, PodConditionType};
use orlop_model::{ObjectKey, Str, Time};

/// Bytes that an Event's message may have.
const MAX_MESSAGE: usize = 1_024;

/// Takes Events about pods.
#[async_trait]
pub trait EventSink: Send + Sync + 'static {
    /// Writes the Event, or lets it be: a failure to is no reason to stop.
    async fn record(&self, pod: &Pod, warning: bool, reason: &'static str, message: String);
}

/// Lets all Events be.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoEvents;

#[async_trait]
impl EventSink for NoEvents {
    async fn record(&self, _: &Pod, _: bool, _: &'static str, _: String) {}
}

#[async_trait]
impl EventSink for orlop_controller::Recorder {
    async fn record(&self, pod: &Pod, warning: bool, reason: &'static str, message: String) {
        let kind = if warning { EventType::Warning } else { EventType::Normal };
        self.event(pod, kind, reason, message);
    }
}

/// What is to be told about a pod.
#[derive(Clone, Debug)]
pub(super) struct Report {
    pub(super) pod: Arc<Pod>,
    /// Reason and message of `PodScheduled=False`.
    pub(super) condition: Option<(&'static str, String)>,
    pub(super) warning: bool,
    pub(super) event: &'static str,
    pub(super) message: String,
}

impl Report {
    pub(super) fn scheduled(pod: Arc<Pod>, node: &str) -> Self {
        let message = format!("Successfully assigned {} to {node}", key(&pod));
        Self { pod, condition: None, warning: false, event: "Scheduled", message }
    }

    pub(super) fn failed(pod: Arc<Pod>, reason: &'static str, message: String) -> Self {
        let known = pod.status.conditions.iter().any(|condition| {
            condition.type_ == PodConditionType::PodScheduled
                && condition.status == ConditionStatus::False
                && condition.reason == reason
                && condition.message == message
        });
        let condition = if known { None } else { Some((reason, message.clone())) };
        Self { pod, condition, warning: true, event: "FailedScheduling", message: cut(message) }
    }

    pub(super) async fn write(self, client: Arc<dyn Client>, events: Arc<dyn EventSink>, now: Timestamp) {
        if let Some((reason, message)) = &self.condition {
            let uid = &self.pod.metadata.uid;
            let api = Api::<Pod>::all(client);
            let result = api
                .modify_status(&key(&self.pod), |pod| {
                    // Bound meanwhile, or another pod of the same name: nothing to tell any more.
                    if pod.metadata.uid == *uid && pod.spec.node_name.is_empty() {
                        set_condition(pod, reason, message, now);
                    }
                })
                .await;
            if let Err(error) = result
                && !error.is_not_found()
            {
                tracing::debug!(pod = %key(&self.pod), %error, "condition not written");
            }
        }
        events.record(&self.pod, self.warning, self.event, self.message).await;
    }
}

pub(super) fn key(pod: &Pod) -> ObjectKey {
    ObjectKey { namespace: Some(pod.metadata.namespace.clone()), name: pod.metadata.name.clone() }
}

fn set_condition(pod: &mut Pod, reason: &'static str, message: &str, now: Timestamp) {
    let generation = pod.metadata.generation;
    let conditions = &mut pod.status.conditions;
    let position = conditions.iter().position(|condition| condition.type_ == PodConditionType::PodScheduled);
    let index = position.unwrap_or_else(|| {
        conditions.push(PodCondition { type_: PodConditionType::PodScheduled, ..PodCondition::default() });
        conditions.len() - 1
    });
    let condition = &mut conditions[index];
    if condition.status != ConditionStatus::False {
        condition.status = ConditionStatus::False;
        condition.last_transition_time = Some(Time::from(now));
    }
    condition.observed_generation = generation;
    condition.reason = Str::from(reason);
    condition.message = Str::from(message);
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
    use super::*;

    #[test]
    fn long_messages_are_cut() {
        assert_eq!(cut("short".to_owned()), "short");
        let long = cut("é".repeat(600));
        assert!(long.len() <= MAX_MESSAGE && long.ends_with("é ..."), "{}", long.len());
    }

    #[test]
    fn a_condition_that_is_there_is_not_written_again() {
        let mut pod = Pod::default();
        let report = Report::failed(Arc::new(pod.clone()), "Unschedulable", "full".into());
        assert!(report.condition.is_some());
        set_condition(&mut pod, "Unschedulable", "full", Timestamp::UNIX_EPOCH);
        let report = Report::failed(Arc::new(pod), "Unschedulable", "full".into());
        assert!(report.condition.is_none());
        assert_eq!(report.message, "full");
    }
}
