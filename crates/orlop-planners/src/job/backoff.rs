//! When pods of a Job may be created again after failures.

use jiff::{SignedDuration, Timestamp};
use orlop_model::core::v1::{ConditionStatus, ContainerStatus, Pod, PodConditionType};
use serde::{Deserialize, Serialize};

/// Wait after the first failure; it doubles with each further one.
pub(super) const BASE: SignedDuration = SignedDuration::from_secs(10);
/// The longest wait.
pub(super) const CAP: SignedDuration = SignedDuration::from_secs(600);

/// How often pods of a Job failed since the last success, and when the last one did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Backoff {
    /// Failures after the last success.
    pub failures: u32,
    /// When the last of them ended.
    pub last_failure: Option<Timestamp>,
}

impl Backoff {
    /// The record after `succeeded` and `failed` pods, which it did not know of, have ended.
    #[must_use]
    pub fn after<'a>(
        &self,
        succeeded: impl IntoIterator<Item = &'a Pod>,
        failed: impl IntoIterator<Item = &'a Pod>,
    ) -> Self {
        let last_success = succeeded.into_iter().map(finished_at).max();
        let mut record = if last_success.is_some() { Self::default() } else { *self };
        let failures = failed.into_iter().map(finished_at);
        let mut newest = None;
        for at in failures.filter(|at| last_success.is_none_or(|success| *at > success)) {
            record.failures = record.failures.saturating_add(1);
            newest = newest.max(Some(at));
        }
        record.last_failure = newest.or(record.last_failure);
        record
    }

    /// How long to wait from `now` on; zero if there is no reason to.
    #[must_use]
    pub fn remaining(&self, now: Timestamp) -> SignedDuration {
        self.last_failure.map_or(SignedDuration::ZERO, |last| remaining(self.failures, last, now))
    }
}

/// How long to wait from `now` on after `failures` failures, the last at `last`.
pub(crate) fn remaining(failures: u32, last: Timestamp, now: Timestamp) -> SignedDuration {
    if failures == 0 {
        return SignedDuration::ZERO;
    }
    let wait = 2_i32
        .checked_pow(failures - 1)
        .and_then(|factor| BASE.checked_mul(factor))
        .map_or(CAP, |wait| wait.min(CAP));
    (wait - now.duration_since(last)).max(SignedDuration::ZERO)
}

/// When a finished pod ended: when the last of its containers and sidecars did, if all are known to
/// have ended; else when it became unready; else when its deletion began; else when it was created.
#[must_use]
pub fn finished_at(pod: &Pod) -> Timestamp {
    let created = pod.metadata.creation_timestamp.map(|time| time.timestamp());
    containers_ended(pod)
        .or_else(|| unready_since(pod))
        .or_else(|| deletion_began(pod))
        .or(created)
        .unwrap_or(Timestamp::UNIX_EPOCH)
}

fn containers_ended(pod: &Pod) -> Option<Timestamp> {
    let ended = |status: &ContainerStatus| Some(status.state.terminated.as_ref()?.finished_at?.timestamp());
    let sidecar = |status: &&ContainerStatus| {
        pod.spec.init_containers.iter().any(|container| {
            container.name == status.name
                && container.restart_policy.as_ref().is_some_and(|policy| policy.as_str() == "Always")
        })
    };
    let mut latest = None;
    for status in &pod.status.container_statuses {
        latest = latest.max(Some(ended(status)?));
    }
    let mut latest = latest?;
    for status in pod.status.init_container_statuses.iter().filter(sidecar) {
        latest = latest.max(ended(status)?);
    }
    Some(latest)
}

fn unready_since(pod: &Pod) -> Option<Timestamp> {
    let ready = pod.status.conditions.iter().find(|found| found.type_ == PodConditionType::Ready)?;
    let since = ready.last_transition_time.map(|time| time.timestamp());
    since.filter(|_| ready.status == ConditionStatus::False)
}

fn deletion_began(pod: &Pod) -> Option<Timestamp> {
    let ends = pod.metadata.deletion_timestamp?.timestamp();
    let grace = pod.metadata.deletion_grace_period_seconds.unwrap_or_default();
    ends.checked_sub(SignedDuration::from_secs(grace)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn pod(finished: &str) -> Pod {
        serde_json::from_value(json!({
            "status": {"containerStatuses": [
                {"name": "c", "state": {"terminated": {"exitCode": 1, "finishedAt": finished}}}
            ]}
        }))
        .unwrap()
    }

    #[test]
    fn waits_double_up_to_ten_minutes() {
        let start: Timestamp = "2026-03-01T12:00:00Z".parse().unwrap();
        let wait = |failures| remaining(failures, start, start).as_secs();
        assert_eq!(
            [0, 1, 2, 3, 6, 7, 8, 32, 33, 4_000_000_000].map(wait),
            [0, 10, 20, 40, 320, 600, 600, 600, 600, 600]
        );
        assert_eq!(remaining(1, start, start + SignedDuration::from_secs(11)).as_secs(), 0);
    }

    #[test]
    fn only_failures_after_the_last_success_count() {
        let before = Backoff { failures: 3, last_failure: Some("2026-03-01T11:00:00Z".parse().unwrap()) };
        let failed = ["2026-03-01T12:00:00Z", "2026-03-01T12:00:09Z", "2026-03-01T12:00:20Z"].map(pod);
        let added = before.after([], &failed);
        assert_eq!(added.failures, 6);
        assert_eq!(added.last_failure, Some("2026-03-01T12:00:20Z".parse().unwrap()));
        let success = pod("2026-03-01T12:00:09Z");
        let after = before.after([&success], &failed);
        assert_eq!(after.failures, 1, "one at the very time of the success does not count");
        assert_eq!(before.after([&success], []), Backoff::default());
        assert_eq!(before.after([], []), before);
    }
}
