//! Failure on purpose, for tests: every system call that creates something asks here first.

use std::io;

/// Where to fail; nowhere, unless a test says so.
#[derive(Clone, Debug, Default)]
pub struct Faults {
    #[cfg(any(test, feature = "test-util"))]
    countdown: Option<std::sync::Arc<std::sync::atomic::AtomicI64>>,
}

impl Faults {
    /// Fails at the step number `step`, counted from zero, and at no other.
    #[cfg(any(test, feature = "test-util"))]
    #[must_use]
    pub fn at(step: u32) -> Self {
        Self { countdown: Some(std::sync::Arc::new(i64::from(step).into())) }
    }

    /// Whether the step to fail at was reached.
    #[cfg(any(test, feature = "test-util"))]
    #[must_use]
    pub fn fired(&self) -> bool {
        let reached = |countdown: &std::sync::Arc<std::sync::atomic::AtomicI64>| {
            countdown.load(std::sync::atomic::Ordering::Relaxed) < 0
        };
        self.countdown.as_ref().is_some_and(reached)
    }

    /// Stands in front of what may fail.
    #[cfg_attr(
        not(any(test, feature = "test-util")),
        allow(clippy::unused_self, clippy::unnecessary_wraps, reason = "it never fails but in tests")
    )]
    pub(crate) fn step(&self, operation: &'static str) -> io::Result<()> {
        #[cfg(any(test, feature = "test-util"))]
        if let Some(countdown) = &self.countdown
            && countdown.fetch_sub(1, std::sync::atomic::Ordering::Relaxed) == 0
        {
            return Err(io::Error::other(format!("{operation} fails for a test")));
        }
        let _ = operation;
        Ok(())
    }
}
