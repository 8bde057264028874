use std::collections::BTreeMap;
use std::task::Waker;

use parking_lot::Mutex;

use crate::Revision;

/// Who waits for the store to come to a revision.
#[derive(Debug, Default)]
pub(crate) struct Arrivals {
    waiting: Mutex<Waiting>,
}

#[derive(Debug, Default)]
struct Waiting {
    tickets: u64,
    wakers: BTreeMap<(Revision, u64), Waker>,
}

/// A place among those who wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ticket(Revision, u64);

impl Arrivals {
    /// Waits for a revision, in the place held before if there is one. The caller has to look again
    /// whether the revision is there *after* this.
    pub(crate) fn wait(&self, revision: Revision, before: Option<Ticket>, waker: &Waker) -> Ticket {
        let waker = waker.clone();
        let mut waiting = self.waiting.lock();
        let ticket = before.unwrap_or_else(|| {
            waiting.tickets += 1;
            Ticket(revision, waiting.tickets)
        });
        let replaced = waiting.wakers.insert((ticket.0, ticket.1), waker);
        drop(waiting);
        drop(replaced);
        ticket
    }

    pub(crate) fn leave(&self, ticket: Ticket) {
        let waker = self.waiting.lock().wakers.remove(&(ticket.0, ticket.1));
        drop(waker);
    }

    /// Collects those who waited for this revision or an earlier one.
    pub(crate) fn reached(&self, revision: Revision, wakers: &mut Vec<Waker>) {
        let mut waiting = self.waiting.lock();
        while let Some(entry) = waiting.wakers.first_entry().filter(|entry| entry.key().0 <= revision) {
            wakers.push(entry.remove());
        }
    }

    /// Collects everybody.
    pub(crate) fn close(&self, wakers: &mut Vec<Waker>) {
        wakers.extend(std::mem::take(&mut self.waiting.lock().wakers).into_values());
    }
}
