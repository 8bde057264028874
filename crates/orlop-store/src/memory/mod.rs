//! The store in memory.

mod arrivals;
mod dispatch;
mod keys;
mod leases;
mod shared;
mod state;
mod watcher;

use std::future::poll_fn;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use async_trait::async_trait;

use self::shared::Shared;
use self::watcher::Watcher;
use crate::{
    At, Committed, Error, Key, KeyRange, LeaseId, Listing, Page, Record, Result, Revision, Store, Txn, Watch,
};

/// How much of its past a store in memory keeps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Retention {
    /// How many revisions back one can read and watch, 16,384 by default. With each new revision
    /// beyond that, the oldest ones are compacted, a few at a time.
    pub revisions: usize,
}

impl Default for Retention {
    fn default() -> Self {
        Self { revisions: 16_384 }
    }
}

/// A [`Store`] that keeps everything in memory.
///
/// Reads share the records and never copy them; a watch is a place in a log that all watches of its
/// range have in common. Leases end by tokio's time: the first one starts a task on the current
/// runtime, which goes with the store.
///
/// Clones are the same store. When the last of them is dropped, the store is closed: watches
/// deliver what is left and end.
#[derive(Clone, Debug)]
pub struct MemoryStore {
    handle: Arc<Handle>,
}

#[derive(Debug)]
struct Handle {
    shared: Arc<Shared>,
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.shared.close();
    }
}

impl MemoryStore {
    /// An empty store that keeps the usual number of revisions.
    pub fn new() -> Self {
        Self::with_retention(Retention::default())
    }

    /// An empty store.
    pub fn with_retention(retention: Retention) -> Self {
        Self { handle: Arc::new(Handle { shared: Arc::new(Shared::new(retention)) }) }
    }

    /// The oldest revision whose state can be read and from which can be watched.
    pub fn compacted(&self) -> Revision {
        self.shared().read().compacted
    }

    fn shared(&self) -> &Arc<Shared> {
        &self.handle.shared
    }
}

impl Default for MemoryStore {
    fn default() -> Self {
        Self::new()
    }
}

/// How many revisions an explicit compaction takes out before it lets others in.
const COMPACTION_STEP: usize = 128;

#[async_trait]
impl Store for MemoryStore {
    async fn get(&self, key: &Key, at: At) -> Result<Option<Arc<Record>>> {
        Ok(self.shared().read().get(key, at)?.cloned())
    }

    async fn list(&self, range: &KeyRange, at: At, page: Page) -> Result<Listing> {
        self.shared().list(range, at, page)
    }

    async fn commit(&self, txn: Txn) -> Result<Committed> {
        self.shared().commit(txn)
    }

    fn watch(&self, range: &KeyRange, from: Revision) -> Watch {
        Watch::new(Watcher::new(self.shared().clone(), range.clone(), from))
    }

    async fn revision(&self) -> Result<Revision> {
        Ok(self.shared().read().revision)
    }

    async fn reached(&self, revision: Revision) -> Result<Revision> {
        let mut waiting = self::shared::Arrival::new(self.shared());
        poll_fn(|cx| {
            // The first look spares most callers the place in the queue; the second one is needed
            // because the revision may have come before there was a place.
            for placed in [false, true] {
                if placed {
                    waiting.wait(revision, cx.waker());
                }
                let current = self.shared().read().revision;
                if current >= revision {
                    return Poll::Ready(Ok(current));
                }
            }
            Poll::Pending
        })
        .await
    }

    async fn compact(&self, up_to: Revision) -> Result<()> {
        let current = self.shared().read().revision;
        if up_to > current {
            return Err(Error::Future { requested: up_to, current });
        }
        while !self.shared().compact(up_to, COMPACTION_STEP) {
            tokio::task::yield_now().await;
        }
        Ok(())
    }

    async fn lease(&self, ttl: Duration) -> Result<LeaseId> {
        self.shared().lease(ttl)
    }

    async fn keep_alive(&self, lease: LeaseId) -> Result<()> {
        self.shared().keep_alive(lease)
    }

    async fn revoke(&self, lease: LeaseId) -> Result<Committed> {
        self.shared().revoke(lease)
    }
}
