use std::fmt;
use std::sync::Arc;

use tokio::sync::{Semaphore, SemaphorePermit};

/// How many lists of a process may be under way at once. When a server comes back, all its watchers list anew; with a
/// budget that they share they do so a few at a time, which bounds the load on the server, and the memory that lists
/// take here. Clones are handles to the same budget; lists get their turn in the order in which they asked.
#[derive(Clone)]
pub struct Budget {
    lists: Arc<Semaphore>,
}

impl Budget {
    /// At most so many lists at once, at least 1.
    #[must_use]
    pub fn new(lists: usize) -> Self {
        Self { lists: Arc::new(Semaphore::new(lists.clamp(1, Semaphore::MAX_PERMITS))) }
    }

    /// Waits for a turn. Dropping the future gives it up; dropping the permit ends the turn.
    pub(crate) async fn turn(&self) -> Option<SemaphorePermit<'_>> {
        // It is never closed.
        self.lists.acquire().await.ok()
    }

    /// How many more lists could begin now.
    #[must_use]
    pub fn free(&self) -> usize {
        self.lists.available_permits()
    }
}

impl fmt::Debug for Budget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Budget").field("free", &self.free()).finish()
    }
}
