use std::fmt;
use std::hash::{BuildHasher, Hash};
use std::sync::Arc;
use std::time::Duration;

use hashbrown::DefaultHashBuilder;
use orlop_clock::Clock;

use crate::bound::Bound;
use crate::state::Settings;
use crate::{Bucket, Exponential, Limit, Overflow, Queue};

/// Failed keys that are not queued and whose failures are remembered nevertheless.
const REMEMBER: usize = 65_536;

/// Settings of a queue that is to be built: see [`Queue::builder`].
pub struct Builder<K> {
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) limit: Box<dyn Limit<K>>,
    pub(crate) settings: Settings<K>,
}

impl<K: Hash + Eq + Clone + 'static> Builder<K> {
    pub(crate) fn new() -> Self {
        let settings = Settings {
            ageing: Some(Duration::from_secs(2)),
            group: None,
            bound: None,
            remember: REMEMBER,
            timed: false,
        };
        Self {
            clock: Arc::new(orlop_clock::SystemClock),
            limit: Box::new((Exponential::default(), Bucket::default())),
            settings,
        }
    }

    /// The clock that [`Queue::add_at`]'s moments are on. Default: the system's.
    #[must_use]
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// How long a key that failed has to wait. Default: the longer of [`Exponential`] and [`Bucket`], each with its
    /// default.
    #[must_use]
    pub fn limit(mut self, limit: impl Limit<K>) -> Self {
        self.limit = Box::new(limit);
        self
    }

    /// A ready key counts as one level more urgent for each `step` that it has waited. Default: 2 s. `None` switches
    /// ageing off: then lower levels starve as long as higher ones are busy.
    #[must_use]
    pub fn ageing(mut self, step: impl Into<Option<Duration>>) -> Self {
        self.settings.ageing = step.into();
        self
    }

    /// Keys of one priority are handed out group by group in turns, each group's in the order in which they came: a
    /// group with many keys does not keep those of others waiting. Default: all keys are one group.
    ///
    /// `group` is called with the queue's lock held: it must be quick and must not call the queue.
    ///
    /// ```
    /// # use orlop_workqueue::Queue;
    /// // (namespace, name)
    /// let queue = Queue::builder().fair_by(|key: &(&str, &str)| key.0).build();
    /// for key in [("many", "a"), ("many", "b"), ("many", "c"), ("few", "d")] {
    ///     queue.add(key);
    /// }
    /// let order: Vec<_> = queue.try_get_many(4).iter().map(|ticket| ticket.key().1).collect();
    /// assert_eq!(order, ["a", "d", "b", "c"]);
    /// ```
    #[must_use]
    pub fn fair_by<G: Hash>(mut self, group: impl Fn(&K) -> G + Send + 'static) -> Self {
        let hasher = DefaultHashBuilder::default();
        self.settings.group = Some(Box::new(move |key| hasher.hash_one(group(key))));
        self
    }

    /// At most so many keys are ready or wait for their time; `overflow` says what happens to a further one. Default: no
    /// bound, for there are never more of them than keys.
    ///
    /// A key that is being worked on counts no more, but may always come back; so there may be as many keys more as
    /// there are workers. [`Queue::add_wait`] waits for room instead.
    ///
    /// ```
    /// # use orlop_workqueue::{Overflow, Queue};
    /// let queue = Queue::builder().bound(2, Overflow::DropOldest).build();
    /// for key in ["a", "b", "b", "c"] {
    ///     queue.add(key);
    /// }
    /// let left: Vec<_> = queue.take_rest().into_iter().map(|pending| pending.key).collect();
    /// assert_eq!(left, ["b", "c"]);
    /// ```
    #[must_use]
    pub fn bound(mut self, keys: usize, overflow: Overflow) -> Self {
        self.settings.bound = Some(Bound { keys, overflow });
        self
    }

    /// For how many keys that failed, and are neither queued nor worked on, the failures are remembered at most; beyond
    /// that the ones that failed longest ago count as [forgotten](Queue::forget). Default: 65,536.
    #[must_use]
    pub fn remember(mut self, keys: usize) -> Self {
        self.settings.remember = keys;
        self
    }

    /// Measures how long keys wait and are worked on, for [`Queue::metrics`] and
    /// [`Ticket::waited`](crate::Ticket::waited). Default: only counts, which costs nothing; this costs a look at the
    /// clock when a key is added, handed out and finished.
    #[must_use]
    pub fn timed(mut self) -> Self {
        self.settings.timed = true;
        self
    }

    /// Builds the queue.
    #[must_use]
    pub fn build(self) -> Queue<K> {
        Queue::with(self)
    }
}

impl<K> fmt::Debug for Builder<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builder")
            .field("clock", &self.clock)
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}
