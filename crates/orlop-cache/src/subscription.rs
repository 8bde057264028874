use std::collections::VecDeque;
use std::fmt;
use std::pin::Pin;
use std::sync::{Arc, Weak};
use std::task::{Context, Poll, Waker};

use futures::Stream;
use indexmap::IndexMap;
use orlop_model::{Object, ObjectKey};
use parking_lot::Mutex;

use crate::Delta;

/// How many changes a subscriber may be behind until they are coalesced.
const CAPACITY: usize = 1024;

/// The changes of a cache, as a stream: see [`Store::subscribe`](crate::Store::subscribe).
///
/// Whoever is slow stops neither the cache nor the other subscribers: once it is far behind, the changes that wait for
/// it are coalesced per object, so that there are never many more than objects. Then steps in between are left out: an
/// object that came and went is not mentioned, of several modifications the last is told with the state that the
/// subscriber knows as the old one. A deletion of an object that it knows is always told, and what it is told sums up to
/// what the cache holds.
///
/// Ends when the cache stops. Dropping it ends the subscription.
#[must_use = "a stream does nothing unless polled"]
pub struct Subscription<K> {
    queue: Arc<Queue<K>>,
}

pub(crate) struct Queue<K> {
    state: Mutex<State<K>>,
}

struct State<K> {
    deltas: VecDeque<Delta<K>>,
    /// The length at which to coalesce. At least twice of what the last time left over, so that the cost of coalescing
    /// spreads over as many changes.
    limit: usize,
    waker: Option<Waker>,
    closed: bool,
}

impl<K: Object> Subscription<K> {
    /// A subscription that begins with these changes, and the end by which it is fed.
    pub(crate) fn new(deltas: impl IntoIterator<Item = Delta<K>>, closed: bool) -> (Self, Weak<Queue<K>>) {
        let deltas: VecDeque<_> = deltas.into_iter().collect();
        let limit = CAPACITY.max(2 * deltas.len());
        let queue = Arc::new(Queue { state: Mutex::new(State { deltas, limit, waker: None, closed }) });
        let feed = Arc::downgrade(&queue);
        (Self { queue }, feed)
    }

    /// The next change if one is waiting.
    pub fn try_next(&mut self) -> Option<Delta<K>> {
        self.queue.state.lock().deltas.pop_front()
    }

    /// How many changes are waiting.
    pub fn behind(&self) -> usize {
        self.queue.state.lock().deltas.len()
    }
}

impl<K: Object> Queue<K> {
    /// Adds a change; whom to wake for it goes to `wakers`, to be woken once no lock is held.
    pub(crate) fn push(&self, delta: Delta<K>, wakers: &mut Vec<Waker>) {
        let mut state = self.state.lock();
        state.deltas.push_back(delta);
        if state.deltas.len() > state.limit {
            state.deltas = coalesce(std::mem::take(&mut state.deltas));
            state.limit = CAPACITY.max(2 * state.deltas.len());
        }
        wakers.extend(state.waker.take());
    }

    pub(crate) fn close(&self, wakers: &mut Vec<Waker>) {
        let mut state = self.state.lock();
        state.closed = true;
        wakers.extend(state.waker.take());
    }
}

/// The same changes with at most two left per object, in the order of each object's first.
fn coalesce<K: Object>(deltas: VecDeque<Delta<K>>) -> VecDeque<Delta<K>> {
    // `None` stands for the one marker that belongs to no object.
    let mut by_object: IndexMap<Option<ObjectKey>, Vec<Delta<K>>> = IndexMap::new();
    for delta in deltas {
        let waiting = by_object.entry(delta.key()).or_default();
        match (waiting.pop(), delta) {
            (Some(Delta::Added { initial, .. }), Delta::Modified { new, .. }) => {
                waiting.push(Delta::Added { object: new, initial });
            }
            // The subscriber never heard of it.
            (Some(Delta::Added { .. }), Delta::Deleted { .. }) => {}
            (Some(Delta::Modified { old, .. }), Delta::Modified { new, .. }) => {
                waiting.push(Delta::Modified { old, new });
            }
            (Some(Delta::Modified { .. }), deleted @ Delta::Deleted { .. }) => waiting.push(deleted),
            (before, delta) => waiting.extend(before.into_iter().chain([delta])),
        }
    }
    by_object.into_values().flatten().collect()
}

impl<K> Stream for Subscription<K> {
    type Item = Delta<K>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Delta<K>>> {
        let mut state = self.queue.state.lock();
        match state.deltas.pop_front() {
            Some(delta) => Poll::Ready(Some(delta)),
            None if state.closed => Poll::Ready(None),
            None => {
                state.waker = Some(cx.waker().clone());
                Poll::Pending
            }
        }
    }
}

impl<K> fmt::Debug for Subscription<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.queue.state.lock();
        f.debug_struct("Subscription")
            .field("waiting", &state.deltas.len())
            .field("closed", &state.closed)
            .finish()
    }
}
