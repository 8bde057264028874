use std::collections::VecDeque;
use std::fmt;
use std::ops::Deref;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use futures::Stream;
use orlop_model::Object;

use crate::Delta;
use crate::difference::Difference;
use crate::hub::{Base, Deltas, Hub, Taken};
use crate::resync::Resync;

/// The most changes of a difference in one batch.
const BATCH: usize = 256;

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
    Own(VecDeque<Delta<K>>),
    Shared(Deltas<K>, usize),
    Difference(Box<Difference<K>>),
}

/// Changes in order, at least one: see [`Subscription::try_next_batch`].
pub struct Batch<K> {
    /// `None` once it is dropped.
    deltas: Option<Deltas<K>>,
    from: usize,
    hub: Arc<Hub<K>>,
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
            if !matches!(self.fetch(None, false), Fetched::Some) {
                return None;
            }
        }
    }

    /// The changes that wait, as many as come at once; `None` if there are none. They are shared with the other
    /// subscribers, where [`Subscription::try_next`] gives each change to one: the cheapest way to read many.
    pub fn try_next_batch(&mut self) -> Option<Batch<K>> {
        loop {
            match std::mem::replace(&mut self.taken, Local::Nothing) {
                Local::Nothing => {}
                Local::Shared(deltas, from) if from < deltas.len() => return Some(self.batch(deltas, from)),
                done @ Local::Shared(..) => self.taken = done,
                mut rest @ (Local::Own(_) | Local::Difference(_)) => {
                    let deltas: Vec<_> = std::iter::from_fn(|| rest.next()).take(BATCH).collect();
                    self.taken = rest;
                    if !deltas.is_empty() {
                        return Some(self.batch(Arc::new(deltas), 0));
                    }
                }
            }
            if !matches!(self.fetch(None, true), Fetched::Some) {
                return None;
            }
        }
    }

    fn batch(&mut self, deltas: Deltas<K>, from: usize) -> Batch<K> {
        // It ends what was there at the start, or at the last reset: later it is not looked for.
        self.synced = self.synced || deltas[from..].iter().any(|delta| matches!(delta, Delta::Synced));
        Batch { deltas: Some(deltas), from, hub: Arc::clone(&self.hub) }
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

    /// The same changes, with a [`resync`](Self::resync) after each such time, measured on tokio's clock. A period that is
    /// shorter than a millisecond counts as one, and one of more than a hundred years as that.
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

    /// Takes what comes next, now that all that was taken has been given out; as a `whole`, to be shared, or to be given
    /// out one by one.
    fn fetch(&mut self, waker: Option<&Waker>, whole: bool) -> Fetched {
        let emptied = match std::mem::replace(&mut self.taken, Local::Nothing) {
            Local::Own(deltas) => Some(deltas.into()),
            Local::Shared(deltas, _) => Arc::into_inner(deltas).map(|mut deltas| {
                deltas.clear();
                deltas
            }),
            Local::Nothing | Local::Difference(_) => None,
        };
        let taken = self.hub.log().take(self.member, waker, emptied);
        match taken {
            Taken::Deltas(deltas) if whole => self.taken = Local::Shared(deltas, 0),
            // The last to take them has them alone, and gives them out without a clone.
            Taken::Deltas(deltas) => {
                self.taken = match Arc::try_unwrap(deltas) {
                    Ok(deltas) => Local::Own(deltas.into()),
                    Err(deltas) => Local::Shared(deltas, 0),
                };
            }
            Taken::Look => {
                self.look();
                return Fetched::Some;
            }
            Taken::Nothing => return Fetched::Nothing,
            Taken::Closed => return Fetched::Closed,
        }
        if self.blocks {
            self.hub.taken().notify_waiters();
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
            Self::Own(deltas) => deltas.pop_front(),
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
            match self.fetch(Some(cx.waker()), false) {
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
        self.deltas.as_deref().map_or(&[], |deltas| &deltas[self.from..])
    }
}

impl<K> Drop for Batch<K> {
    fn drop(&mut self) {
        if let Some(deltas) = self.deltas.take() {
            self.hub.finish(deltas);
        }
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
