use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use futures::Stream;
use orlop_model::Object;
use tokio::time::{Interval, MissedTickBehavior, interval_at};

use crate::{Delta, Subscription};

/// A [`Subscription`] that is told everything again from time to time: see [`Subscription::resync_every`].
#[must_use = "a stream does nothing unless polled"]
pub struct Resync<K> {
    changes: Subscription<K>,
    due: Interval,
}

impl<K: Object> Resync<K> {
    pub(crate) fn new(changes: Subscription<K>, period: Duration) -> Self {
        let mut due = interval_at(tokio::time::Instant::now() + period, period);
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
