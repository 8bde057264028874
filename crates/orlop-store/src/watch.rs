use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use futures::Stream;
use tokio::time::Sleep;

use crate::{Error, Key, Record, Revision};

/// What happened to a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Change {
    /// It came into being.
    Created,
    /// It got another value.
    Updated,
    /// It was deleted.
    Deleted,
}

/// One change of one key.
#[derive(Clone, Debug)]
pub struct Event {
    /// What happened.
    pub change: Change,
    /// The new record. Of a deletion: the last state, with the revision of the deletion.
    pub record: Arc<Record>,
    /// The record before; `None` exactly if the key was created.
    pub previous: Option<Arc<Record>>,
}

impl Event {
    /// The key that changed.
    pub fn key(&self) -> &Key {
        &self.record.key
    }

    /// The revision of the change.
    pub fn revision(&self) -> Revision {
        self.record.revision
    }

    /// The record that the key has after the change: none if it was deleted.
    pub fn current(&self) -> Option<&Arc<Record>> {
        if self.change == Change::Deleted { None } else { Some(&self.record) }
    }
}

/// All changes of one revision in the range of a watch; at least one.
#[derive(Clone, Debug)]
pub struct Batch {
    /// The revision.
    pub revision: Revision,
    /// The changes, in the order of the transaction's writes.
    pub events: Arc<[Event]>,
}

/// What a watch delivers.
#[derive(Clone, Debug)]
pub enum Update {
    /// The changes of the next revision that changed something in the range.
    Batch(Batch),
    /// Everything up to this revision (included) has been delivered, and the watch can be resumed
    /// from here.
    Bookmark(Revision),
}

impl Update {
    /// The revision up to which everything has been delivered with this.
    pub fn revision(&self) -> Revision {
        match self {
            Self::Batch(batch) => batch.revision,
            Self::Bookmark(revision) => *revision,
        }
    }
}

/// What a backend does for a [`Watch`].
pub trait WatchSource: Send {
    /// The next update, as [`Stream::poll_next`]. After an error there is nothing more.
    fn poll_update(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Update, Error>>>;

    /// Asks for a bookmark once everything that has happened by now is delivered.
    fn request_bookmark(self: Pin<&mut Self>);
}

/// The changes of a range of keys, from a revision on.
///
/// A stream of [`Update`]s: every change after the starting revision exactly once, in the order of
/// revisions, the changes of one revision together. It ends with [`Error::Expired`] if the history
/// that it still has to deliver was compacted (list again, and watch from there), or without an
/// error when the store is closed.
///
/// Bookmarks come only where they were asked for ([`request_bookmark`](Watch::request_bookmark),
/// [`with_bookmarks`](Watch::with_bookmarks)), never before the events they stand for, and never
/// below the starting revision. A watch that is not polled costs nothing to writers and to other
/// watches.
#[must_use = "a watch delivers nothing unless it is polled"]
pub struct Watch {
    source: Pin<Box<dyn WatchSource>>,
    ticks: Option<(Duration, Pin<Box<Sleep>>)>,
    ended: bool,
}

impl Watch {
    /// For backends: a watch that is fed by this.
    pub fn new(source: impl WatchSource + 'static) -> Self {
        Self { source: Box::pin(source), ticks: None, ended: false }
    }

    /// Asks for a [bookmark](Update::Bookmark) as soon as everything that the store has by now is
    /// delivered. On a watch that starts in the future: once the store has come there. Several
    /// requests before the bookmark are one.
    pub fn request_bookmark(&mut self) {
        self.source.as_mut().request_bookmark();
    }

    /// Brings a bookmark whenever the watch has been without an update for this long. Uses tokio's
    /// time, from the first poll on; a period of zero changes nothing.
    pub fn with_bookmarks(mut self, every: Duration) -> Self {
        if !every.is_zero() {
            self.ticks = Some((every, Box::pin(tokio::time::sleep(every))));
        }
        self
    }
}

impl Stream for Watch {
    type Item = Result<Update, Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        if this.ended {
            return Poll::Ready(None);
        }
        loop {
            if let Poll::Ready(update) = this.source.as_mut().poll_update(cx) {
                this.ended = !matches!(update, Some(Ok(_)));
                if let Some((every, sleep)) = &mut this.ticks {
                    sleep.as_mut().reset(tokio::time::Instant::now() + *every);
                }
                return Poll::Ready(update);
            }
            let Some((every, sleep)) = &mut this.ticks else {
                return Poll::Pending;
            };
            if sleep.as_mut().poll(cx).is_pending() {
                return Poll::Pending;
            }
            sleep.as_mut().reset(tokio::time::Instant::now() + *every);
            this.source.as_mut().request_bookmark();
        }
    }
}

impl fmt::Debug for Watch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watch").field("ended", &self.ended).finish_non_exhaustive()
    }
}
