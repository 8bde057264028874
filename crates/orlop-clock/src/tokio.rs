use ::tokio::time::Instant;
use jiff::{SignedDuration, Timestamp};

use crate::Clock;

/// A clock that runs with tokio's time.
///
/// Shows a base timestamp plus what has passed on tokio's clock since the clock was made. Where a
/// test or a simulation has paused tokio's time, this clock stands still too, and jumps when that
/// time is advanced. It is monotonic, and not corrected when the wall clock is set.
#[derive(Clone, Copy, Debug)]
pub struct TokioClock {
    base: Timestamp,
    start: Instant,
}

impl TokioClock {
    /// A clock that shows `base` now.
    pub fn new(base: Timestamp) -> Self {
        Self { base, start: Instant::now() }
    }

    /// What this clock shows, or showed, at an instant of tokio's clock.
    pub fn at(&self, instant: Instant) -> Timestamp {
        let passed = match instant.checked_duration_since(self.start) {
            Some(after) => SignedDuration::try_from(after).unwrap_or(SignedDuration::MAX),
            None => {
                SignedDuration::try_from(self.start - instant).map_or(SignedDuration::MIN, |before| -before)
            }
        };
        self.base.saturating_add(passed).unwrap_or(Timestamp::MAX)
    }
}

impl Clock for TokioClock {
    fn now(&self) -> Timestamp {
        self.at(Instant::now())
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[::tokio::test(start_paused = true)]
    async fn follows_paused_time() {
        let base = Timestamp::from_second(1_700_000_000).unwrap();
        let clock = TokioClock::new(base);
        let start = Instant::now();
        assert_eq!(clock.now(), base);
        ::tokio::time::sleep(Duration::from_secs(3600)).await;
        assert_eq!(clock.now().as_second(), base.as_second() + 3600);
        assert_eq!(clock.at(start), base);
        assert_eq!(TokioClock::new(base).at(start).as_second(), base.as_second() - 3600);
    }
}
