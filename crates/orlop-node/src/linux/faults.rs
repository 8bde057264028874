//! [`Faults`]: failing on purpose, so that tests see what is left behind.

use std::io;

/// Which step fails on purpose: none, unless a test says so.
#[derive(Clone, Debug, Default)]
#[cfg_attr(not(feature = "test-util"), allow(unreachable_pub, reason = "public for tests alone"))]
pub struct Faults {
    #[cfg(feature = "test-util")]
    plan: Option<std::sync::Arc<Plan>>,
    /// The steps of making processes.
    #[cfg(feature = "test-util")]
    pub containers: orlop_container::Faults,
    /// The steps of making networks.
    #[cfg(feature = "test-util")]
    pub network: orlop_cni::Faults,
}

#[cfg(feature = "test-util")]
#[derive(Debug)]
struct Plan {
    fail_at: usize,
    count: std::sync::atomic::AtomicUsize,
}

impl Faults {
    /// The step of the runtime itself with this number fails, counted from 0 over everything that makes something.
    #[cfg(feature = "test-util")]
    #[must_use]
    pub fn at(step: usize) -> Self {
        let plan = Plan { fail_at: step, count: std::sync::atomic::AtomicUsize::new(0) };
        Self { plan: Some(std::sync::Arc::new(plan)), ..Self::default() }
    }

    /// How many steps of the runtime itself there were so far.
    #[cfg(feature = "test-util")]
    #[must_use]
    pub fn count(&self) -> usize {
        self.plan.as_ref().map_or(0, |plan| plan.count.load(std::sync::atomic::Ordering::Relaxed))
    }

    /// A step that makes something begins.
    #[cfg(feature = "test-util")]
    pub(super) fn step(&self, step: &str) -> io::Result<()> {
        let Some(plan) = &self.plan else { return Ok(()) };
        if plan.count.fetch_add(1, std::sync::atomic::Ordering::Relaxed) == plan.fail_at {
            return Err(io::Error::other(format!("{step} fails for a test")));
        }
        Ok(())
    }

    #[cfg(not(feature = "test-util"))]
    #[allow(clippy::unused_self, clippy::unnecessary_wraps, reason = "it never fails but in tests")]
    pub(super) fn step(&self, _step: &str) -> io::Result<()> {
        Ok(())
    }
}
