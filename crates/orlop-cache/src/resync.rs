use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use futures::Stream;
use orlop_model::Object;
use tokio::time::{Instant, Interval, MissedTickBehavior, interval_at};

use crate::{Delta, Subscription};

/// Nobody is told everything more often than the clock ticks.
const SHORTEST: Duration = Duration::from_millis(1);

/// A hundred years, which is as good as never, and which any clock can count.
const LONGEST: Duration = Duration::from_secs(100 * 366 * 86_400);

/// A [`Subscription`] that is told everything again from time to time: see [`Subscription::resync_every`].
#[must_use = "a stream does nothing unless polled"]
pub struct Resync<K> {
    changes: Subscription<K>,
    due: Interval,
}

impl<K: Object> Resync<K> {
    pub(crate) fn new(changes: Subscription<K>, period: Duration) -> Self {
        let period = period.clamp(SHORTEST, LONGEST);
        let mut due = interval_at(Instant::now() + period, period);
        due.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Self { changes, due }
    }
}

impl<K: Object> Stream for Resync<K> {
    type Item = Delta<K>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Delta<K>>> {
        let this = &mut *self;
        while this.due.poll_tick(cx).is_ready() {
            this.changes.resync();
        }
        Pin::new(&mut this.changes).poll_next(cx)
    }
}

impl<K> fmt::Debug for Resync<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Resync").field("period", &self.due.period()).field("changes", &self.changes).finish()
    }
}
