//! [`Rollback`].

use crate::CniError;

/// What has to be undone when a later step fails, the last first.
#[derive(Default)]
pub(crate) struct Rollback<'a> {
    steps: Vec<Box<dyn FnOnce() -> Result<(), CniError> + 'a>>,
}

impl<'a> Rollback<'a> {
    pub(crate) fn push(&mut self, undo: impl FnOnce() -> Result<(), CniError> + 'a) {
        self.steps.push(Box::new(undo));
    }

    /// All went well.
    pub(crate) fn disarm(mut self) {
        self.steps.clear();
    }
}

impl Drop for Rollback<'_> {
    fn drop(&mut self) {
        while let Some(undo) = self.steps.pop() {
            if let Err(error) = undo() {
                tracing::warn!(%error, "could not be undone");
            }
        }
    }
}
