//! [`Faults`]: failing on purpose, so that tests see what is left behind.

use crate::Error;

/// Which step fails on purpose: none, unless a test says so.
#[derive(Clone, Debug, Default)]
#[cfg_attr(not(any(test, feature = "test-util")), allow(unreachable_pub, reason = "public for tests alone"))]
pub struct Faults {
    #[cfg(any(test, feature = "test-util"))]
    plan: Option<std::sync::Arc<Plan>>,
}

#[cfg(any(test, feature = "test-util"))]
#[derive(Debug)]
struct Plan {
    fail_at: usize,
    /// Not an error but the end of the whole program.
    kill: bool,
    count: std::sync::atomic::AtomicUsize,
}

impl Faults {
    /// The step with this number fails, counted from 0 over everything that makes something.
    #[cfg(any(test, feature = "test-util"))]
    #[must_use]
    pub fn at(step: usize) -> Self {
        Self::plan(step, false)
    }

    /// At the step with this number, counted likewise, the program that uses this crate is killed.
    #[cfg(any(test, feature = "test-util"))]
    #[must_use]
    pub fn kill_at(step: usize) -> Self {
        Self::plan(step, true)
    }

    #[cfg(any(test, feature = "test-util"))]
    fn plan(fail_at: usize, kill: bool) -> Self {
        let plan = Plan { fail_at, kill, count: std::sync::atomic::AtomicUsize::new(0) };
        Self { plan: Some(std::sync::Arc::new(plan)) }
    }

    /// How many steps there were so far.
    #[cfg(any(test, feature = "test-util"))]
    #[must_use]
    pub fn count(&self) -> usize {
        self.plan.as_ref().map_or(0, |plan| plan.count.load(std::sync::atomic::Ordering::Relaxed))
    }

    /// A step that makes something begins.
    #[cfg(any(test, feature = "test-util"))]
    pub(crate) fn step(&self, step: &str) -> Result<(), Error> {
        let Some(plan) = &self.plan else { return Ok(()) };
        let number = plan.count.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        if number != plan.fail_at {
            return Ok(());
        }
        if plan.kill {
            let _ = rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL);
        }
        Err(Error::Injected { step: step.to_owned() })
    }

    /// So many steps follow in the new process; the one that is to fail, if it is among them.
    #[cfg(any(test, feature = "test-util"))]
    pub(crate) fn steps(&self, count: usize) -> Option<usize> {
        let plan = self.plan.as_ref().filter(|plan| !plan.kill)?;
        let first = plan.count.fetch_add(count, std::sync::atomic::Ordering::Relaxed);
        plan.fail_at.checked_sub(first).filter(|step| *step < count)
    }

    #[cfg(not(any(test, feature = "test-util")))]
    pub(crate) fn step(&self, _step: &str) -> Result<(), Error> {
        Ok(())
    }
}
