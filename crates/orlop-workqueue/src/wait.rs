use std::fmt;
use std::future::Future;
use std::hash::Hash;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use tokio::time::Sleep;

use crate::queue::{Given, Look, Shared};
use crate::sync::{Thread, current, park, park_timeout};
use crate::waiters::{By, Seat};
use crate::{Add, Queue, Ticket};

/// Waits for the next key: see [`Queue::get`].
#[must_use = "does nothing unless awaited"]
pub struct Get<'a, K: Hash + Eq + Clone + 'static> {
    shared: &'a Arc<Shared<K>>,
    seat: Option<Seat>,
    by: By,
    /// Until the next key is due, if this is the one that keeps the time.
    sleep: Option<Pin<Box<Sleep>>>,
}

impl<'a, K: Hash + Eq + Clone + 'static> Get<'a, K> {
    pub(crate) const fn new(shared: &'a Arc<Shared<K>>) -> Self {
        Self { shared, seat: None, by: By::Task, sleep: None }
    }

    /// The same, with a thread that sleeps.
    pub(crate) fn block(mut self) -> Option<Ticket<K>> {
        let waker = thread_waker();
        self.by = By::Thread;
        loop {
            match self.shared.look(&mut self.seat, &waker, By::Thread) {
                Look::Taken(taken) => return Some(Ticket::new(Arc::clone(self.shared), taken)),
                Look::Over => return None,
                Look::Wait(None) => park(),
                Look::Wait(Some(due)) => {
                    park_timeout(Duration::from_nanos(due.saturating_sub(self.shared.now())))
                }
            }
        }
    }
}

impl<K: Hash + Eq + Clone + 'static> Future for Get<'_, K> {
    type Output = Option<Ticket<K>>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        loop {
            match this.shared.look(&mut this.seat, cx.waker(), By::Task) {
                Look::Taken(taken) => {
                    return Poll::Ready(Some(Ticket::new(Arc::clone(this.shared), taken)));
                }
                Look::Over => return Poll::Ready(None),
                Look::Wait(None) => {
                    this.sleep = None;
                    return Poll::Pending;
                }
                Look::Wait(Some(due)) => {
                    let Some(moment) = this.shared.moment(due) else { return Poll::Pending };
                    let sleep = match &mut this.sleep {
                        Some(sleep) => {
                            sleep.as_mut().reset(moment);
                            sleep
                        }
                        none => none.insert(Box::pin(tokio::time::sleep_until(moment))),
                    };
                    if sleep.as_mut().poll(cx).is_pending() {
                        return Poll::Pending;
                    }
                }
            }
        }
    }
}

impl<K: Hash + Eq + Clone + 'static> Drop for Get<'_, K> {
    fn drop(&mut self) {
        if let Some(seat) = self.seat {
            self.shared.leave_work(seat, self.by);
        }
    }
}

impl<K: Hash + Eq + Clone + 'static> fmt::Debug for Get<'_, K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Get").field("seat", &self.seat).finish_non_exhaustive()
    }
}

/// Waits for room for a key.
pub(crate) struct Put<'a, K: Hash + Eq + Clone + 'static> {
    queue: &'a Queue<K>,
    key: Option<Given<'static, K>>,
    add: Add,
    seat: Option<Seat>,
}

impl<'a, K: Hash + Eq + Clone + 'static> Put<'a, K> {
    pub(crate) const fn new(queue: &'a Queue<K>, key: K, add: Add) -> Self {
        Self { queue, key: Some(Given::Owned(key)), add, seat: None }
    }

    pub(crate) fn poll(&mut self, waker: &Waker) -> Poll<bool> {
        self.queue.shared.add_or_wait(&mut self.key, self.add, &mut self.seat, waker)
    }

    pub(crate) fn block(mut self) -> bool {
        let waker = thread_waker();
        loop {
            match self.poll(&waker) {
                Poll::Ready(added) => return added,
                Poll::Pending => park(),
            }
        }
    }
}

impl<K: Hash + Eq + Clone + 'static> Drop for Put<'_, K> {
    fn drop(&mut self) {
        if let Some(seat) = self.seat {
            self.queue.shared.leave_room(seat);
        }
    }
}

/// Waits for the end of what is being finished.
pub(crate) struct End<'a, K: Hash + Eq + Clone + 'static> {
    shared: &'a Shared<K>,
    seat: Option<Seat>,
}

impl<'a, K: Hash + Eq + Clone + 'static> End<'a, K> {
    pub(crate) const fn new(shared: &'a Shared<K>) -> Self {
        Self { shared, seat: None }
    }

    pub(crate) fn poll(&mut self, waker: &Waker) -> Poll<bool> {
        self.shared.ended_or_wait(&mut self.seat, waker)
    }

    pub(crate) fn block(mut self) -> bool {
        let waker = thread_waker();
        loop {
            match self.poll(&waker) {
                Poll::Ready(finished) => return finished,
                Poll::Pending => park(),
            }
        }
    }
}

impl<K: Hash + Eq + Clone + 'static> Drop for End<'_, K> {
    fn drop(&mut self) {
        if let Some(seat) = self.seat {
            self.shared.leave_end(seat);
        }
    }
}

/// Wakes a thread that is parked.
struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.0.unpark();
    }
}

fn thread_waker() -> Waker {
    Waker::from(Arc::new(Unpark(current())))
}
