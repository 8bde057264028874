use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use orlop_clock::Timestamp;
use orlop_model::Str;
use parking_lot::Mutex;

/// After which time expectations that were not met are given up: client-go's `ExpectationsTimeout`.
const TIMEOUT: Duration = Duration::from_secs(300);

/// What a controller still expects to see in its cache of what it has done: so many creations, and the deletion of
/// these uids, for each key.
///
/// A controller that counts its children (as that of ReplicaSets) must not count again before it sees those it has just
/// created. In a [`Controller`](crate::Controller) and [`KeyController`](crate::KeyController) a key waits for that by
/// itself; this is for controllers whose caches are not their own, or that want to tell it apart by key.
#[derive(Debug, Default)]
pub struct Expectations<Q> {
    expected: Mutex<BTreeMap<Q, Expected>>,
}

#[derive(Debug)]
struct Expected {
    creations: i64,
    deletions: BTreeSet<Str>,
    since: Timestamp,
}

impl<Q: Ord + Clone> Expectations<Q> {
    /// Expects nothing.
    #[must_use]
    pub const fn new() -> Self {
        Self { expected: Mutex::new(BTreeMap::new()) }
    }

    /// Expects so many creations for the key, and no longer anything that it expected before.
    pub fn expect_creations(&self, key: Q, creations: usize, now: Timestamp) {
        let creations = i64::try_from(creations).unwrap_or(i64::MAX);
        self.expected.lock().insert(key, Expected { creations, deletions: BTreeSet::new(), since: now });
    }

    /// Expects the deletion of objects with these uids for the key, and no longer anything that it expected before.
    pub fn expect_deletions(&self, key: Q, uids: impl IntoIterator<Item = Str>, now: Timestamp) {
        let deletions = uids.into_iter().collect();
        self.expected.lock().insert(key, Expected { creations: 0, deletions, since: now });
    }

    /// A creation was seen, or failed.
    pub fn creation_observed(&self, key: &Q) {
        if let Some(expected) = self.expected.lock().get_mut(key) {
            expected.creations -= 1;
        }
    }

    /// A deletion was seen, or failed.
    pub fn deletion_observed(&self, key: &Q, uid: &str) {
        if let Some(expected) = self.expected.lock().get_mut(key) {
            expected.deletions.remove(uid);
        }
    }

    /// Whether all that was expected for the key was seen; also if nothing was expected, or so long ago (5 min) that it
    /// will not come any more.
    #[must_use]
    pub fn satisfied(&self, key: &Q, now: Timestamp) -> bool {
        self.expected.lock().get(key).is_none_or(|expected| {
            let met = expected.creations <= 0 && expected.deletions.is_empty();
            met || now.duration_since(expected.since) > TIMEOUT.try_into().unwrap_or_default()
        })
    }

    /// Expects nothing more for the key: it is gone.
    pub fn forget(&self, key: &Q) {
        self.expected.lock().remove(key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn satisfied_when_all_was_seen_or_after_a_time() {
        let (expectations, now) = (Expectations::new(), Timestamp::UNIX_EPOCH);
        assert!(expectations.satisfied(&1, now));
        expectations.expect_creations(1, 2, now);
        expectations.creation_observed(&1);
        assert!(!expectations.satisfied(&1, now + Duration::from_secs(300)));
        assert!(expectations.satisfied(&1, now + Duration::from_secs(301)));
        expectations.creation_observed(&1);
        assert!(expectations.satisfied(&1, now));

        expectations.expect_deletions(1, ["a".into(), "b".into()], now);
        for _ in 0..2 {
            expectations.deletion_observed(&1, "a"); // seen twice: counts once
        }
        assert!(!expectations.satisfied(&1, now));
        expectations.deletion_observed(&1, "b");
        assert!(expectations.satisfied(&1, now));
    }
}
