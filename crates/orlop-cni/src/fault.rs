//! [`Faults`]: errors on demand at the steps that create something, for tests.

#[cfg(any(test, feature = "test-util"))]
use std::sync::Arc;
#[cfg(any(test, feature = "test-util"))]
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::CniError;

/// Which of the creating steps is to fail. By default none; to choose one needs the feature `test-util`.
#[derive(Clone, Debug, Default)]
pub struct Faults {
    #[cfg(any(test, feature = "test-util"))]
    left: Option<Arc<AtomicUsize>>,
}

impl Faults {
    /// The step after `steps` others fails, once.
    #[cfg(any(test, feature = "test-util"))]
    #[must_use]
    pub fn after(steps: usize) -> Self {
        Self { left: Some(Arc::new(AtomicUsize::new(steps + 1))) }
    }

    /// Whether the chosen step has been reached.
    #[cfg(any(test, feature = "test-util"))]
    #[must_use]
    pub fn fired(&self) -> bool {
        self.left.as_ref().is_some_and(|left| left.load(Ordering::Relaxed) == 0)
    }

    /// Called before each step that creates something.
    #[inline]
    pub(crate) fn step(&self, what: &str) -> Result<(), CniError> {
        #[cfg(any(test, feature = "test-util"))]
        if let Some(left) = &self.left {
            let less = |left: usize| left.checked_sub(1);
            if left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less) == Ok(1) {
                return Err(CniError::internal(format!("injected: {what}")));
            }
        }
        let _ = what;
        Ok(())
    }
}
