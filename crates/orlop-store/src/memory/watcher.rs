use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use super::arrivals::Ticket;
use super::shared::{Place, Shared};
use crate::{Batch, Error, KeyRange, Result, Revision, Update, WatchSource};

/// How many revisions of the log a watch looks through before it lets writers in.
const HISTORY_STEP: usize = 1024;

/// A watch of a store in memory: first a reader of the log, then, caught up, one of the members of
/// its range's group.
#[derive(Debug)]
pub(super) struct Watcher {
    shared: Arc<Shared>,
    range: KeyRange,
    /// Where the watch began.
    start: Revision,
    /// Everything up to here has been delivered, or need not be.
    delivered: Revision,
    /// A bookmark is asked for, once everything up to here has been delivered.
    bookmark: Option<Revision>,
    /// Found in the log and not delivered yet; at most one step's worth.
    found: VecDeque<Batch>,
    phase: Phase,
    /// For a bookmark of the future.
    ticket: Option<Ticket>,
}

#[derive(Debug)]
enum Phase {
    /// The log has been looked through up to this revision.
    History(Revision),
    Live(Place),
    Expired {
        requested: Revision,
        compacted: Revision,
    },
}

impl Watcher {
    pub(super) fn new(shared: Arc<Shared>, range: KeyRange, from: Revision) -> Self {
        let mut watcher = Self {
            shared,
            range,
            start: from,
            delivered: from,
            bookmark: None,
            found: VecDeque::new(),
            phase: Phase::History(from),
            ticket: None,
        };
        // Already here, so that a watch that begins near the present does not depend on being
        // polled before the history is compacted.
        watcher.advance(from);
        watcher
    }

    /// Looks through the next part of the log, or joins the group if it is at its end.
    fn advance(&mut self, seen: Revision) {
        if let Some((found, place)) = self.shared.join(&self.range, seen, HISTORY_STEP) {
            self.found.extend(found);
            self.phase = Phase::Live(place);
            return;
        }
        let state = self.shared.read();
        self.phase = match state.kept(seen) {
            Err(Error::Expired { requested, compacted }) => Phase::Expired { requested, compacted },
            _ => {
                let mut seen = seen;
                for batch in state.log_after(seen).take(HISTORY_STEP) {
                    seen = batch.revision;
                    self.found.extend(batch.within(&self.range));
                }
                Phase::History(seen)
            }
        };
    }

    /// The bookmark that is due before the next batch.
    fn bookmark_before(&mut self, next: Revision) -> Option<Update> {
        self.bookmark.take_if(|due| *due < next)?;
        self.delivered = self.delivered.max(next.previous());
        Some(Update::Bookmark(self.delivered))
    }

    fn deliver(&mut self, batch: Batch) -> Update {
        self.delivered = batch.revision;
        Update::Batch(batch)
    }

    fn poll_live(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Update>>> {
        let Phase::Live(place) = &mut self.phase else {
            return Poll::Pending;
        };
        // Read first: everything up to here is in the ring when the ring is looked at.
        let published = self.shared.published();
        let group = place.group.clone();
        let mut members = group.lock();
        loop {
            let batch = match members.at(place.next) {
                Ok(batch) => batch,
                // What was lost is of no concern to a watch that begins behind it.
                Err(lost) if lost <= self.delivered => {
                    place.next = members.base();
                    continue;
                }
                Err(_) => break,
            };
            match batch {
                Some(batch) if batch.revision <= self.delivered => place.next += 1,
                Some(batch) => {
                    let batch = batch.clone();
                    if let Some(bookmark) = {
                        drop(members);
                        self.bookmark_before(batch.revision)
                    } {
                        return Poll::Ready(Some(Ok(bookmark)));
                    }
                    if let Phase::Live(place) = &mut self.phase {
                        place.next += 1;
                    }
                    return Poll::Ready(Some(Ok(self.deliver(batch))));
                }
                None if members.closed() => return Poll::Ready(None),
                None => {
                    // Before the store has come to the start of the watch there is nothing to
                    // bookmark. Behind the start, what has been delivered counts, even if it is
                    // newer than what is published.
                    if self.bookmark.is_some() && (self.delivered > self.start || published >= self.start) {
                        drop(members);
                        self.bookmark = None;
                        self.delivered = self.delivered.max(published);
                        return Poll::Ready(Some(Ok(Update::Bookmark(self.delivered))));
                    }
                    let replaced = members.wait(place.slot, cx.waker());
                    drop(members);
                    drop(replaced);
                    return Poll::Pending;
                }
            }
        }
        drop(members);
        let compacted = self.shared.read().compacted;
        Poll::Ready(Some(Err(Error::Expired { requested: self.delivered, compacted })))
    }

    fn leave_arrivals(&mut self) {
        if let Some(ticket) = self.ticket.take() {
            self.shared.arrivals().leave(ticket);
        }
    }
}

impl WatchSource for Watcher {
    fn poll_update(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Update>>> {
        let this = self.get_mut();
        loop {
            if let Some(next) = this.found.front().map(|batch| batch.revision) {
                let update = match this.bookmark_before(next) {
                    Some(bookmark) => bookmark,
                    None => match this.found.pop_front() {
                        Some(batch) => this.deliver(batch),
                        None => continue,
                    },
                };
                return Poll::Ready(Some(Ok(update)));
            }
            match this.phase {
                Phase::History(seen) => this.advance(seen),
                Phase::Expired { requested, compacted } => {
                    return Poll::Ready(Some(Err(Error::Expired { requested, compacted })));
                }
                Phase::Live(_) => {
                    let update = this.poll_live(cx);
                    if update.is_ready() || this.bookmark.is_none() {
                        this.leave_arrivals();
                        return update;
                    }
                    // Nothing to say, but a bookmark is wanted: the store has not come to the start
                    // yet. What wakes then may be a change outside the range.
                    this.ticket = Some(this.shared.arrivals().wait(this.start, this.ticket, cx.waker()));
                    if this.shared.published() < this.start {
                        return Poll::Pending;
                    }
                }
            }
        }
    }

    fn request_bookmark(self: Pin<&mut Self>) {
        let this = self.get_mut();
        let due = this.shared.published().max(this.delivered);
        this.bookmark.get_or_insert(due);
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        self.leave_arrivals();
        if let Phase::Live(place) = &self.phase {
            self.shared.leave(&self.range, place);
        }
    }
}
