//! [`VirtualTime`]: time that never goes back.

use std::time::Duration;

use orlop_clock::Timestamp;

/// The caller's time, but for jumps back: time goes on from where it was then, so that nobody waits
/// longer for a clock that was wrong for a while.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct VirtualTime {
    /// The furthest moment yet.
    last: Option<Timestamp>,
    /// How much the caller's clock was set back in all.
    ahead: Duration,
}

impl VirtualTime {
    /// The moment that is `now` to the caller.
    pub(crate) fn at(&mut self, now: Timestamp) -> Timestamp {
        let mut moment = later(now, self.ahead);
        match self.last {
            Some(last) if moment < last => {
                self.ahead = self
                    .ahead
                    .saturating_add(Duration::try_from(last.duration_since(moment)).unwrap_or_default());
                moment = last;
            }
            _ => self.last = Some(moment),
        }
        moment
    }

    /// The furthest moment yet.
    pub(crate) fn now(&self) -> Timestamp {
        self.last.unwrap_or(Timestamp::MIN)
    }

    /// What the caller's clock shows at `moment`.
    pub(crate) fn outside(&self, moment: Timestamp) -> Timestamp {
        moment.checked_sub(self.ahead).unwrap_or(Timestamp::MIN)
    }
}

pub(crate) fn later(moment: Timestamp, wait: Duration) -> Timestamp {
    moment.checked_add(wait).unwrap_or(Timestamp::MAX)
}

/// The first whole second after the moment.
pub(crate) fn next_second(moment: Timestamp) -> Timestamp {
    let second = moment.as_nanosecond().div_euclid(1_000_000_000) + 1;
    i64::try_from(second)
        .ok()
        .and_then(|second| Timestamp::from_second(second).ok())
        .unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_never_goes_back() {
        let at = |second| Timestamp::from_second(second).unwrap();
        let mut time = VirtualTime::default();
        assert_eq!(time.at(at(100)), at(100));
        assert_eq!(time.at(at(40)), at(100));
        assert_eq!(time.at(at(45)), at(105));
        assert_eq!(time.outside(at(110)), at(50));
        assert_eq!(time.at(at(200)), at(260));
        assert_eq!(time.at(Timestamp::MAX), Timestamp::MAX);
        assert_eq!(time.at(Timestamp::MIN), Timestamp::MAX);
    }
}
