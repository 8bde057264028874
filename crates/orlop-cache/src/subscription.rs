use std::fmt;
use std::ops::Deref;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;
use std::vec;

use futures::Stream;
use orlop_model::Object;

use crate::Delta;
use crate::difference::Difference;
use crate::hub::{Base, Deltas, Hub, Taken};
use crate::resync::Resync;

/// What happens to a subscriber that falls behind by more than the log of changes holds. In any case it costs bounded
/// memory, and stops nobody (or nobody for longer than it says).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Lag {
    /// It is told the changes that were logged when it fell behind, then the difference to what there is when it comes
    /// for more: the newest state of each object. Steps in between are left out: an object that came and went is not
    /// mentioned, of several modifications the last is told with the state that the subscriber knows as the old one, a
    /// deletion with the last state it knows (not [exact](Delta::Deleted::exact)). No deletion of an object that it
    /// knows is left out.
    #[default]
    Coalesce,
    /// It is told [`Delta::Reset`], and then what there is, as at the start. Costs no memory at all.
    Resync,
    /// The informer waits for it, for at most that long at a time; then as `Coalesce`. All other subscribers and readers
    /// of the cache wait with it.
    Block(Duration),
}

/// The changes of a cache, as a stream: see [`Store::subscribe`](crate::Store::subscribe).
///
/// Whoever is slow stops neither the cache nor the other subscribers; what it misses is up to its [`Lag`]. In any case
/// what it is told sums up to what the cache holds, and the changes of an object come in order.
///
/// Ends when the cache stops. Dropping it ends the subscription. Dropping a future that waits for the next change loses
/// nothing.
#[must_use = "a stream does nothing unless polled"]
pub struct Subscription<K> {
    origin: Arc<dyn Origin<K>>,
    hub: Arc<Hub<K>>,
    member: usize,
    taken: Local<K>,
    synced: bool,
    /// The writer may wait for it.
    blocks: bool,
}

/// What a subscription is about.
pub(crate) trait Origin<K>: Send + Sync {
    /// Looks at what there is, and whether that is what there was at the start, while nothing can change.
    fn look(&self, at: &mut dyn FnMut(Base<K>, bool));
}

/// Changes that the subscription has taken and not yet given out.
enum Local<K> {
    Nothing,
    /// Nobody else has them.
    Own(vec::IntoIter<Delta<K>>),
    Shared(Deltas<K>, usize),
    Difference(Box<Difference<K>>),
}

/// Changes in order, at least one: see [`Subscription::try_next_batch`].
pub struct Batch<K> {
    deltas: Deltas<K>,
    from: usize,
}

impl<K: Object> Subscription<K> {
    pub(crate) fn new(origin: Arc<dyn Origin<K>>, hub: Arc<Hub<K>>, lag: Lag) -> Self {
        let member = hub.log().join(lag);
        let blocks = matches!(lag, Lag::Block(_));
        Self { origin, hub, member, taken: Local::Nothing, synced: false, blocks }
    }

    /// The next change if one is waiting.
    pub fn try_next(&mut self) -> Option<Delta<K>> {
        loop {
            if let Some(delta) = self.taken.next() {
                self.synced |= matches!(delta, Delta::Synced);
                return Some(delta);
            }
            if !matches!(self.fetch(None), Fetched::Some) {
                return None;
            }
        }
    }

    /// The changes that wait, as many as come at once; `None` if there are none. They are shared with the other
    /// subscribers, where [`Subscription::try_next`] gives each change to one: the cheapest way to read many.
    pub fn try_next_batch(&mut self) -> Option<Batch<K>> {
        loop {
            match std::mem::replace(&mut self.taken, Local::Nothing) {
                Local::Shared(deltas, from) if from < deltas.len() => {
                    self.synced |= deltas[from..].iter().any(|delta| matches!(delta, Delta::Synced));
                    return Some(Batch { deltas, from });
                }
                Local::Nothing | Local::Shared(..) => {}
                mut rest @ (Local::Own(_) | Local::Difference(_)) => {
                    let deltas: Vec<_> = std::iter::from_fn(|| rest.next()).take(256).collect();
                    self.taken = rest;
                    if !deltas.is_empty() {
                        self.synced |= deltas.iter().any(|delta| matches!(delta, Delta::Synced));
                        return Some(Batch { deltas: Arc::new(deltas), from: 0 });
                    }
                    self.taken = Local::Nothing;
                }
            }
            if !matches!(self.fetch(None), Fetched::Some) {
                return None;
            }
        }
    }

    /// How many changes wait one by one. What has been coalesced is not counted.
    pub fn behind(&self) -> usize {
        self.taken.len() + self.hub.log().waiting(self.member)
    }

    /// Asks for everything to be told again: once what waits has been told, each object comes as [`Delta::Modified`],
    /// with one state as the old and the new one if it has not changed.
    pub fn resync(&mut self) {
        let (hub, member) = (&self.hub, self.member);
        self.origin.look(&mut |now, _| hub.log().repeat(member, &now));
    }

    /// The same changes, with a [`resync`](Self::resync) after each such time, measured on tokio's clock.
    ///
    /// # Panics
    /// If the period is zero.
    pub fn resync_every(self, period: Duration) -> Resync<K> {
        Resync::new(self, period)
    }

    /// Begins with what there is now. Not to be called with anything locked.
    pub(crate) fn begun(mut self) -> Self {
        self.look();
        self
    }

    fn look(&mut self) {
        let (hub, member, taken, synced) = (&self.hub, self.member, &mut self.taken, &mut self.synced);
        self.origin.look(&mut |now, complete| {
            let caught = hub.log().follow(member);
            *synced &= !caught.reset;
            *taken = Local::Difference(Box::new(Difference::new(caught, now, *synced, complete)));
        });
    }

    fn fetch(&mut self, waker: Option<&Waker>) -> Fetched {
        let taken = self.hub.log().take(self.member, waker);
        match taken {
            Taken::Deltas(deltas) => {
                // The last to take them has them alone, and gives them out without a clone.
                self.taken = match Arc::try_unwrap(deltas) {
                    Ok(deltas) => Local::Own(deltas.into_iter()),
                    Err(deltas) => Local::Shared(deltas, 0),
                };
                if self.blocks {
                    self.hub.taken().notify_waiters();
                }
            }
            Taken::Look => self.look(),
            Taken::Nothing => return Fetched::Nothing,
            Taken::Closed => return Fetched::Closed,
        }
        Fetched::Some
    }
}

enum Fetched {
    Some,
    Nothing,
    Closed,
}

impl<K: Object> Local<K> {
    fn next(&mut self) -> Option<Delta<K>> {
        match self {
            Self::Nothing => None,
            Self::Own(deltas) => deltas.next(),
            Self::Shared(deltas, at) => {
                let delta = deltas.get(*at)?.clone();
                *at += 1;
                Some(delta)
            }
            Self::Difference(difference) => difference.next(),
        }
    }

    fn len(&self) -> usize {
        match self {
            Self::Nothing | Self::Difference(_) => 0,
            Self::Own(deltas) => deltas.len(),
            Self::Shared(deltas, at) => deltas.len() - at,
        }
    }
}

impl<K: Object> Stream for Subscription<K> {
    type Item = Delta<K>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Delta<K>>> {
        loop {
            if let Some(delta) = self.taken.next() {
                self.synced |= matches!(delta, Delta::Synced);
                return Poll::Ready(Some(delta));
            }
            match self.fetch(Some(cx.waker())) {
                Fetched::Some => {}
                Fetched::Nothing => return Poll::Pending,
                Fetched::Closed => return Poll::Ready(None),
            }
        }
    }
}

impl<K> Drop for Subscription<K> {
    fn drop(&mut self) {
        let gone = self.hub.log().leave(self.member);
        // Objects are dropped here, without a lock.
        drop(gone);
        if self.blocks {
            self.hub.taken().notify_waiters();
        }
    }
}

impl<K> Deref for Batch<K> {
    type Target = [Delta<K>];

    fn deref(&self) -> &[Delta<K>] {
        &self.deltas[self.from..]
    }
}

impl<K: Object> fmt::Debug for Batch<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

impl<K> fmt::Debug for Subscription<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Subscription")
            .field("waiting", &self.hub.log().waiting(self.member))
            .field("synced", &self.synced)
            .finish_non_exhaustive()
    }
}
