//! What is to be undone if not all of something comes to pass.

/// Steps that are undone in reverse order when it is dropped, unless all was well.
#[derive(Default)]
pub(crate) struct Undo<'a>(Vec<Box<dyn FnOnce() + 'a>>);

impl<'a> Undo<'a> {
    /// Nothing yet.
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// How the step that was just done is undone.
    pub(crate) fn push(&mut self, step: impl FnOnce() + 'a) {
        self.0.push(Box::new(step));
    }

    /// All is well: nothing is undone.
    pub(crate) fn forget(mut self) {
        self.0.clear();
    }
}

impl Drop for Undo<'_> {
    fn drop(&mut self) {
        while let Some(step) = self.0.pop() {
            step();
        }
    }
}

/// Tells of something that could not be undone; whoever recovers finds it.
pub(crate) fn told<T, E: std::fmt::Display>(what: &str, result: Result<T, E>) {
    if let Err(error) = result {
        tracing::error!(what, %error, "could not be undone");
    }
}
