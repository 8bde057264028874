//! How long a thing that failed waits before it is tried again.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use orlop_model::Str;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Entry {
    wait: SignedDuration,
    updated: Timestamp,
}

/// Waits that double with each failure, per key.
///
/// A key whose last failure is more than twice the longest wait ago begins anew: with the usual 5 minutes, a container
/// that ran for 10 minutes is started again at once.
///
/// ```
/// use std::time::Duration;
/// use orlop_node::Backoff;
///
/// let mut backoff = Backoff::default();           // 10 s, doubling to 5 min
/// let crashed: jiff::Timestamp = "2026-03-01T12:00:00Z".parse().unwrap();
/// assert_eq!(backoff.until("web", crashed), None); // the first restart is immediate
/// backoff.next("web", crashed, crashed);
/// let again = crashed + jiff::SignedDuration::from_secs(2);
/// assert_eq!(backoff.until("web", again), Some(again + jiff::SignedDuration::from_secs(10)));
/// ```
#[derive(Clone, Debug)]
pub struct Backoff {
    base: SignedDuration,
    longest: SignedDuration,
    entries: BTreeMap<Str, Entry>,
}

impl Default for Backoff {
    fn default() -> Self {
        Self::new(Duration::from_secs(10), Duration::from_secs(300))
    }
}

impl Backoff {
    /// Waits from `base` to `longest`. A longest wait below the base lowers the base.
    pub fn new(base: Duration, longest: Duration) -> Self {
        let signed = |duration: Duration| SignedDuration::try_from(duration).unwrap_or(SignedDuration::MAX);
        Self { base: signed(base.min(longest)), longest: signed(longest), entries: BTreeMap::new() }
    }

    fn is_expired(&self, entry: &Entry, event: Timestamp) -> bool {
        event.duration_since(entry.updated) > self.longest.saturating_mul(2)
    }

    /// The time before which `key` must not be tried again after it failed at `event`; `None`: at once.
    pub fn until(&self, key: &str, event: Timestamp) -> Option<Timestamp> {
        let entry = self.entries.get(key).filter(|entry| !self.is_expired(entry, event))?;
        event.checked_add(entry.wait).ok()
    }

    /// The present wait of `key`; zero if it has none.
    pub fn wait(&self, key: &str) -> Duration {
        self.entries.get(key).map_or(Duration::ZERO, |entry| entry.wait.unsigned_abs())
    }

    /// `key` is tried again at `now`, after it failed at `event`: the next wait is twice the last one.
    pub fn next(&mut self, key: &str, event: Timestamp, now: Timestamp) {
        let wait = match self.entries.get(key) {
            Some(entry) if !self.is_expired(entry, event) => entry.wait.saturating_mul(2).min(self.longest),
            _ => self.base,
        };
        self.entries.insert(key.into(), Entry { wait, updated: now });
    }

    /// The time before which `key` must not be tried again after the failure last noted; `None`: at once.
    pub fn until_last(&self, key: &str, now: Timestamp) -> Option<Timestamp> {
        let entry = self.entries.get(key).filter(|entry| !self.is_expired(entry, now))?;
        entry.updated.checked_add(entry.wait).ok().filter(|until| now < *until)
    }

    /// Forgets keys that would begin anew.
    pub fn collect(&mut self, now: Timestamp) {
        let longest = self.longest.saturating_mul(2);
        self.entries.retain(|_, entry| now.duration_since(entry.updated) <= longest);
    }

    /// Forgets everything about `key`.
    pub fn forget(&mut self, key: &str) {
        self.entries.remove(key);
    }
}

/// A duration as Go prints it: `10s`, `1m20s`, `5m0s`, `1.5s`, `250ms`.
pub fn go_duration(duration: Duration) -> String {
    let fraction = |value: f64, unit: &str| {
        let mut text = format!("{value:.9}");
        let kept = text.trim_end_matches('0').trim_end_matches('.').len();
        text.truncate(kept);
        text + unit
    };
    if duration.is_zero() {
        return "0s".to_owned();
    }
    if duration < Duration::from_micros(1) {
        return format!("{}ns", duration.as_nanos());
    }
    if duration < Duration::from_millis(1) {
        return fraction(duration.as_nanos() as f64 / 1e3, "µs");
    }
    if duration < Duration::from_secs(1) {
        return fraction(duration.as_nanos() as f64 / 1e6, "ms");
    }
    let (hours, minutes) = (duration.as_secs() / 3600, duration.as_secs() / 60 % 60);
    let seconds = fraction((duration.as_secs() % 60) as f64 + f64::from(duration.subsec_nanos()) / 1e9, "s");
    match (hours, minutes) {
        (0, 0) => seconds,
        (0, _) => format!("{minutes}m{seconds}"),
        _ => format!("{hours}h{minutes}m{seconds}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_772_366_400 + seconds).unwrap()
    }

    #[test]
    fn waits_double_and_begin_anew() {
        let mut backoff = Backoff::default();
        let mut now = 0;
        for wanted in [10, 20, 40, 80, 160, 300, 300] {
            backoff.next("web", at(now), at(now));
            now += 3; // it runs for three seconds, then crashes
            assert_eq!(backoff.until("web", at(now)), Some(at(now + wanted)));
            assert_eq!(backoff.wait("web"), Duration::from_secs(wanted.unsigned_abs()));
            now += wanted;
        }
        // Started at `now`, it runs for more than ten minutes.
        backoff.next("web", at(now), at(now));
        now += 601;
        assert_eq!(backoff.until("web", at(now)), None);
        backoff.next("web", at(now), at(now));
        assert_eq!(backoff.wait("web"), Duration::from_secs(10));
        backoff.collect(at(now + 601));
        assert_eq!(backoff.wait("web"), Duration::ZERO);
    }

    #[test]
    fn failures_without_an_event_of_their_own() {
        let mut backoff = Backoff::default();
        assert_eq!(backoff.until_last("image", at(0)), None);
        backoff.next("image", at(0), at(0));
        assert_eq!(backoff.until_last("image", at(4)), Some(at(10)));
        assert_eq!(backoff.until_last("image", at(10)), None);
    }

    #[test]
    fn durations_read_as_in_go() {
        for (millis, text) in [
            (0, "0s"),
            (10_000, "10s"),
            (80_000, "1m20s"),
            (300_000, "5m0s"),
            (1500, "1.5s"),
            (250, "250ms"),
            (3_600_000, "1h0m0s"),
        ] {
            assert_eq!(go_duration(Duration::from_millis(millis)), text);
        }
    }
}
