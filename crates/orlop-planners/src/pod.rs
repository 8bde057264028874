//! What planners ask of pods.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use orlop_model::core::v1::{ConditionStatus, Pod, PodCondition, PodConditionType, PodPhase};

/// Whether the pod has ended: phase `Succeeded` or `Failed`.
#[must_use]
pub fn is_terminal(pod: &Pod) -> bool {
    matches!(pod.status.phase, PodPhase::Succeeded | PodPhase::Failed)
}

/// Whether the pod counts for its owner: neither ended nor being deleted.
#[must_use]
pub fn is_active(pod: &Pod) -> bool {
    !is_terminal(pod) && pod.metadata.deletion_timestamp.is_none()
}

/// Whether the pod is being deleted and has not ended yet.
#[must_use]
pub fn is_terminating(pod: &Pod) -> bool {
    !is_terminal(pod) && pod.metadata.deletion_timestamp.is_some()
}

/// The condition `type_` of the pod.
#[must_use]
pub fn condition<'a>(pod: &'a Pod, type_: &PodConditionType) -> Option<&'a PodCondition> {
    pod.status.conditions.iter().find(|condition| condition.type_ == *type_)
}

/// The condition `Ready` if it is `True`; the phase is not looked at.
#[must_use]
pub fn ready(pod: &Pod) -> Option<&PodCondition> {
    condition(pod, &PodConditionType::Ready).filter(|ready| ready.status == ConditionStatus::True)
}

/// Whether the condition `Ready` is `True`.
#[must_use]
pub fn is_ready(pod: &Pod) -> bool {
    ready(pod).is_some()
}

/// Whether the pod has been ready for `min_ready_seconds` at `now`. A ready pod whose condition has no transition time
/// is available only if no time is asked for.
#[must_use]
pub fn is_available(pod: &Pod, min_ready_seconds: i32, now: Timestamp) -> bool {
    let Some(ready) = ready(pod) else { return false };
    min_ready_seconds == 0
        || ready.last_transition_time.is_some_and(|since| {
            since.timestamp().saturating_add(seconds(min_ready_seconds)).is_ok_and(|at| at <= now)
        })
}

/// Time until the next of the ready pods becomes available; `None` if none is on the way.
pub(crate) fn next_availability<'a>(
    pods: impl IntoIterator<Item = &'a Pod>,
    min_ready_seconds: i32,
    now: Timestamp,
) -> Option<Duration> {
    pods.into_iter()
        .filter_map(|pod| {
            let since = ready(pod)?.last_transition_time?.timestamp();
            let left = now.duration_until(since).checked_add(seconds(min_ready_seconds))?;
            Duration::try_from(left).ok().filter(|left| !left.is_zero())
        })
        .min()
}

fn seconds(seconds: i32) -> SignedDuration {
    SignedDuration::from_secs(i64::from(seconds))
}
