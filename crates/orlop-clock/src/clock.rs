use std::fmt::Debug;
use std::sync::Arc;

use jiff::Timestamp;

/// Something that knows the time.
///
/// Object-safe, so that it is handed around as `Arc<dyn Clock>`. An implementation need not be
/// monotonic: wall clocks are set back at times, and callers have to bear that.
pub trait Clock: Debug + Send + Sync {
    /// The present instant.
    fn now(&self) -> Timestamp;
}

impl<C: Clock + ?Sized> Clock for Arc<C> {
    fn now(&self) -> Timestamp {
        (**self).now()
    }
}

impl<C: Clock + ?Sized> Clock for &C {
    fn now(&self) -> Timestamp {
        (**self).now()
    }
}

/// The wall clock of the operating system.
///
/// For the edge of a program; a library takes an `Arc<dyn Clock>`.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_is_an_object() {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let first = clock.now();
        assert!(first > Timestamp::UNIX_EPOCH);
        // The blanket implementation: a shared clock is a clock too.
        fn read(clock: impl Clock) -> Timestamp {
            clock.now()
        }
        assert!(read(clock.clone()) > Timestamp::UNIX_EPOCH);
        assert!(read(&clock) > Timestamp::UNIX_EPOCH);
    }
}
