use std::collections::BTreeSet;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Weak};
use std::task::Waker;
use std::time::Duration;

use parking_lot::{Mutex, RwLock, RwLockReadGuard};
use tokio::sync::Notify;
use tokio::task::AbortHandle;
use tokio::time::Instant;

use super::Retention;
use super::arrivals::{Arrivals, Ticket};
use super::dispatch::{Dispatch, Group};
use super::leases::Leases;
use super::state::{Garbage, Listed, State};
use crate::{
    At, Batch, Change, Committed, Conflict, Error, Event, Failed, Key, KeyRange, LeaseId, Listing, Page,
    Record, Result, Revision, Txn, Write,
};

/// How many keys a list looks at before it lets writers in.
const LIST_STEP: usize = 8192;

/// What the handles of a store and its watches have in common.
///
/// Locks are taken in this order: `writer`, `state`, then a group's members or `arrivals`. Nothing
/// that runs foreign code (wakers, destructors of values) is called under any of them, but for the
/// functions that make values, which run under `writer` alone.
pub(super) struct Shared {
    retention: usize,
    /// Held for the whole of a write, so that nothing changes between conditions and effect.
    writer: Mutex<Writer>,
    state: RwLock<State>,
    /// The last revision that has been given to all watches.
    published: AtomicU64,
    arrivals: Arrivals,
    /// Tells the lease task that a lease ends sooner than all others.
    sooner: Arc<Notify>,
}

#[derive(Debug, Default)]
struct Writer {
    dispatch: Dispatch,
    leases: Leases,
    lease_task: Option<AbortHandle>,
    closed: bool,
}

/// What is left to do when the locks are released.
#[derive(Debug, Default)]
struct After {
    wakers: Vec<Waker>,
    garbage: Garbage,
    /// Writes that were not done; they own what the caller put into their functions.
    undone: Vec<Write>,
}

impl After {
    fn finish(self) {
        for waker in self.wakers {
            waker.wake();
        }
        drop((self.garbage, self.undone));
    }
}

impl Shared {
    pub(super) fn new(retention: Retention) -> Self {
        Self {
            retention: retention.revisions.max(1),
            writer: Mutex::default(),
            state: RwLock::default(),
            published: AtomicU64::new(0),
            arrivals: Arrivals::default(),
            sooner: Arc::default(),
        }
    }

    pub(super) fn read(&self) -> RwLockReadGuard<'_, State> {
        self.state.read()
    }

    /// The last revision that all watches have been given.
    pub(super) fn published(&self) -> Revision {
        Revision(self.published.load(Ordering::Acquire))
    }

    pub(super) fn list(&self, range: &KeyRange, at: At, page: Page) -> Result<Listing> {
        let state = self.read();
        let mut list = Listed::begin(range, page.clone(), state.resolve(at)?);
        let mut complete = state.list(&mut list, LIST_STEP);
        drop(state);
        while !complete {
            let state = self.read();
            if state.kept(list.revision()).is_err() {
                // Compaction has overtaken the list: once more, and in one go.
                list = Listed::begin(range, page.clone(), state.resolve(at)?);
                state.list(&mut list, usize::MAX);
                break;
            }
            complete = state.list(&mut list, LIST_STEP);
        }
        Ok(list.finish())
    }

    pub(super) fn arrivals(&self) -> &Arrivals {
        &self.arrivals
    }

    pub(super) fn commit(&self, txn: Txn) -> Result<Committed> {
        let mut after = After::default();
        let mut writer = self.writer.lock();
        let committed = self.commit_in(&mut writer, txn, &mut after);
        drop(writer);
        after.finish();
        committed
    }

    fn commit_in(&self, writer: &mut Writer, txn: Txn, after: &mut After) -> Result<Committed> {
        let Txn { conditions, writes } = txn;
        check_distinct(&writes)?;
        for write in &writes {
            if let Write::Put { lease: Some(lease), .. } = write {
                writer.leases.check(*lease, Instant::now())?;
            }
        }
        let (current, previous) = {
            let state = self.read();
            let failed: Vec<Failed> = conditions
                .into_iter()
                .map(|(key, expected)| Failed { current: state.current(&key).cloned(), key, expected })
                .filter(|condition| !condition.expected.holds(condition.current.as_deref()))
                .collect();
            if !failed.is_empty() {
                after.undone = writes;
                return Err(Box::new(Conflict { revision: state.revision, failed }).into());
            }
            let previous: Vec<_> = writes.iter().map(|write| state.current(write.key()).cloned()).collect();
            (state.revision, previous)
        };
        let revision = current.next();
        let events: Arc<[Event]> = writes
            .into_iter()
            .zip(previous)
            .filter_map(|(write, previous)| event(write, previous, revision))
            .collect();
        if events.is_empty() {
            return Ok(Committed { revision: current, events });
        }
        for event in &*events {
            writer.leases.follow(event);
        }
        let batch = Batch { revision, events: events.clone() };
        {
            let mut state = self.state.write();
            state.apply(batch.clone());
            // Two for one: the log shrinks to its bound also after it was set lower, and no writer
            // pays for much more than its own revision.
            for _ in 0..2 {
                if state.log_len() <= self.retention {
                    break;
                }
                if let Some(compacted) = state.compact_one(&mut after.garbage) {
                    writer.dispatch.forget(&compacted);
                }
            }
        }
        writer.dispatch.publish(&batch, &mut after.wakers);
        self.published.store(revision.0, Ordering::Release);
        self.arrivals.reached(revision, &mut after.wakers);
        Ok(Committed { revision, events })
    }

    /// Takes up to `steps` revisions out; answers whether it is done.
    pub(super) fn compact(&self, up_to: Revision, steps: usize) -> bool {
        let mut after = After::default();
        let writer = self.writer.lock();
        let mut state = self.state.write();
        for _ in 0..steps {
            if state.compacted >= up_to {
                break;
            }
            match state.compact_one(&mut after.garbage) {
                Some(batch) => writer.dispatch.forget(&batch),
                None => break,
            }
        }
        let done = state.compacted >= up_to;
        drop(state);
        drop(writer);
        after.finish();
        done
    }

    /// Makes a watch that has seen everything up to `seen` a member of its range's group. `None` if
    /// there is more to see than `most` batches; otherwise they are answered along with the place.
    pub(super) fn join(&self, range: &KeyRange, seen: Revision, most: usize) -> Option<(Vec<Batch>, Place)> {
        let mut writer = self.writer.lock();
        let unseen = {
            let state = self.read();
            if state.kept(seen).is_err() || state.revision.0.saturating_sub(seen.0) > most as u64 {
                return None;
            }
            if seen >= state.revision {
                Vec::new()
            } else {
                state.log_after(seen).filter_map(|batch| batch.within(range)).collect()
            }
        };
        let group = writer.dispatch.join(range);
        let mut members = group.lock();
        let (slot, next) = members.enter();
        if writer.closed {
            members.close();
        }
        drop(members);
        Some((unseen, Place { group, slot, next }))
    }

    pub(super) fn leave(&self, range: &KeyRange, place: &Place) {
        let mut writer = self.writer.lock();
        let waker = place.group.lock().exit(place.slot);
        writer.dispatch.leave(range);
        drop(writer);
        drop(waker);
    }

    pub(super) fn close(&self) {
        let mut wakers = Vec::new();
        let mut writer = self.writer.lock();
        writer.closed = true;
        if let Some(task) = writer.lease_task.take() {
            task.abort();
        }
        writer.dispatch.close(&mut wakers);
        drop(writer);
        self.arrivals.close(&mut wakers);
        wakers.into_iter().for_each(Waker::wake);
    }

    pub(super) fn lease(self: &Arc<Self>, ttl: Duration) -> Result<LeaseId> {
        let runtime = tokio::runtime::Handle::try_current()
            .map_err(|error| Error::Backend { source: Arc::new(error), uncertain: false })?;
        let mut writer = self.writer.lock();
        let before = writer.leases.next_end();
        let lease = writer.leases.grant(ttl, Instant::now())?;
        if writer.lease_task.as_ref().is_none_or(AbortHandle::is_finished) {
            writer.lease_task =
                Some(runtime.spawn(end_leases(Arc::downgrade(self), self.sooner.clone())).abort_handle());
        } else if writer.leases.next_end() < before || before.is_none() {
            self.sooner.notify_one();
        }
        Ok(lease)
    }

    pub(super) fn keep_alive(&self, lease: LeaseId) -> Result<()> {
        self.writer.lock().leases.keep_alive(lease, Instant::now())
    }

    pub(super) fn revoke(&self, lease: LeaseId) -> Result<Committed> {
        let mut after = After::default();
        let mut writer = self.writer.lock();
        let committed = writer
            .leases
            .end(lease, Instant::now())
            .and_then(|keys| self.commit_in(&mut writer, deletion_of(keys), &mut after));
        drop(writer);
        after.finish();
        committed
    }

    /// Ends the leases whose time is over, one after the other, each in a revision of its own.
    /// Answers when the next one ends.
    fn end_due(&self) -> Option<Instant> {
        loop {
            let mut after = After::default();
            let mut writer = self.writer.lock();
            let Some((lease, keys)) = writer.leases.take_ended(Instant::now()) else {
                return writer.leases.next_end();
            };
            tracing::debug!(%lease, keys = keys.len(), "lease ended");
            // Deletions without conditions and leases cannot fail.
            let _ = self.commit_in(&mut writer, deletion_of(keys), &mut after);
            drop(writer);
            after.finish();
        }
    }
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.read();
        f.debug_struct("Shared")
            .field("revision", &state.revision)
            .field("compacted", &state.compacted)
            .finish_non_exhaustive()
    }
}

/// A watch's place among the watches of its range.
#[derive(Debug)]
pub(super) struct Place {
    pub(super) group: Arc<Group>,
    pub(super) slot: usize,
    /// The place of the next batch to deliver.
    pub(super) next: u64,
}

/// A wait for a revision, which leaves nothing behind when it is dropped.
#[derive(Debug)]
pub(super) struct Arrival<'a> {
    shared: &'a Shared,
    ticket: Option<Ticket>,
}

impl<'a> Arrival<'a> {
    pub(super) fn new(shared: &'a Shared) -> Self {
        Self { shared, ticket: None }
    }

    pub(super) fn wait(&mut self, revision: Revision, waker: &Waker) {
        self.ticket = Some(self.shared.arrivals.wait(revision, self.ticket, waker));
    }
}

impl Drop for Arrival<'_> {
    fn drop(&mut self) {
        if let Some(ticket) = self.ticket {
            self.shared.arrivals.leave(ticket);
        }
    }
}

/// Ends leases at their time, until the store is gone.
async fn end_leases(shared: Weak<Shared>, sooner: Arc<Notify>) {
    while let Some(strong) = shared.upgrade() {
        let next = strong.end_due();
        drop(strong);
        let Some(end) = next else {
            sooner.notified().await;
            continue;
        };
        tokio::select! {
            biased;
            () = sooner.notified() => {}
            () = tokio::time::sleep_until(end) => {}
        }
    }
}

/// Refuses several writes to one key.
fn check_distinct(writes: &[Write]) -> Result<()> {
    if writes.len() < 2 {
        return Ok(());
    }
    let mut seen = BTreeSet::new();
    for write in writes {
        if !seen.insert(write.key()) {
            return Err(Error::DuplicateKey { key: write.key().clone() });
        }
    }
    Ok(())
}

fn deletion_of(keys: BTreeSet<Key>) -> Txn {
    keys.into_iter().fold(Txn::new(), Txn::delete)
}

/// What a write does to a key; nothing if it deletes what is not there.
fn event(write: Write, previous: Option<Arc<Record>>, revision: Revision) -> Option<Event> {
    let (change, record) = match write {
        Write::Put { key, lease, value } => {
            let created = previous.as_ref().map_or(revision, |previous| previous.created);
            // The key of the record before is the same text, held already.
            let key = previous.as_ref().map_or(key, |previous| previous.key.clone());
            let change = if previous.is_some() { Change::Updated } else { Change::Created };
            (change, Record { key, created, revision, lease, value: value(revision) })
        }
        Write::Delete { value, .. } => {
            let last = previous.as_deref()?;
            let value = match value {
                Some(value) => value(revision, last),
                None => last.value.stamped(revision),
            };
            (
                Change::Deleted,
                Record { key: last.key.clone(), created: last.created, revision, lease: last.lease, value },
            )
        }
    };
    Some(Event { change, record: Arc::new(record), previous })
}
