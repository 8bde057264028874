use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use parking_lot::Mutex;

use crate::Clock;

/// A clock that stands still until it is told otherwise.
///
/// Starts at the Unix epoch by default. Saturates at the ends of [`Timestamp`]'s range.
#[derive(Debug, Default)]
pub struct ManualClock {
    now: Mutex<Timestamp>,
}

impl ManualClock {
    /// A clock that shows `now`.
    pub fn new(now: Timestamp) -> Self {
        Self { now: Mutex::new(now) }
    }

    /// Shows `now` from here on, which may lie before what it showed.
    pub fn set(&self, now: Timestamp) {
        *self.now.lock() = now;
    }

    /// Moves forward and answers the new instant.
    pub fn advance(&self, by: Duration) -> Timestamp {
        let by = SignedDuration::try_from(by).unwrap_or(SignedDuration::MAX);
        let mut now = self.now.lock();
        *now = now.checked_add(by).unwrap_or(Timestamp::MAX);
        *now
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        *self.now.lock()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moves_only_when_told() {
        let clock = ManualClock::default();
        assert_eq!(clock.now(), Timestamp::UNIX_EPOCH);
        assert_eq!(clock.now(), clock.now());
        let later = clock.advance(Duration::from_millis(1500));
        assert_eq!(later.as_millisecond(), 1500);
        assert_eq!(clock.now(), later);
        clock.set(Timestamp::from_second(-3).unwrap());
        assert_eq!(clock.now().as_second(), -3);
    }

    #[test]
    fn saturates() {
        let clock = ManualClock::new(Timestamp::MAX);
        assert_eq!(clock.advance(Duration::from_secs(1)), Timestamp::MAX);
        clock.set(Timestamp::UNIX_EPOCH);
        assert_eq!(clock.advance(Duration::MAX), Timestamp::MAX);
    }
}
