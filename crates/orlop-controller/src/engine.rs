//! What happens to one key after another.

use std::any::Any;
use std::fmt;
use std::hash::Hash;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use futures::FutureExt;
use orlop_workqueue::{Queue, Ticket};
use tokio::sync::mpsc;
use tokio::time::Instant;
use tracing::Instrument;

use crate::context::Shared;
use crate::handle::Status;
use crate::parked::{Behind, Parked, Unseen};
use crate::view::View;
use crate::writes::Write;
use crate::{Action, Context, Error, Retry};

type Outcome = Result<Action, Error>;

pub(crate) struct Engine<Q: Hash + Eq + Clone + 'static, F> {
    pub(crate) shared: Arc<Shared>,
    pub(crate) status: Arc<Status>,
    pub(crate) queue: Queue<Q>,
    pub(crate) views: Vec<Arc<dyn View>>,
    pub(crate) reconcile: F,
    pub(crate) timeout: Option<Duration>,
    pub(crate) parked: mpsc::UnboundedSender<Parked<Q>>,
    pub(crate) behind: Arc<Behind<Q>>,
}

/// A key that is being worked on. In whatever way that ends, the key is told so: it is finished as its outcome says, or
/// put back if there is none, because the worker's future was dropped.
pub(crate) struct InHand<Q: Hash + Eq + Clone + 'static> {
    pub(crate) ticket: Option<Ticket<Q>>,
    outcome: Option<Outcome>,
}

impl<Q: Hash + Eq + Clone + 'static> Drop for InHand<Q> {
    fn drop(&mut self) {
        match (self.ticket.take(), self.outcome.take()) {
            (Some(ticket), Some(outcome)) => finish(ticket, outcome),
            (Some(ticket), None) => ticket.requeue_after(Duration::ZERO),
            (None, _) => {}
        }
    }
}

fn finish<Q: Hash + Eq + Clone + 'static>(ticket: Ticket<Q>, outcome: Outcome) {
    match outcome {
        Ok(action) => match action.requeue_after() {
            None => ticket.forget(),
            Some(after) => ticket.requeue_after(after),
        },
        Err(error) => match error.retry(ticket.failures()) {
            Retry::Limited => {
                ticket.retry();
            }
            Retry::After(delay) => ticket.retry_after(delay),
            Retry::Never => ticket.forget(),
        },
    }
}

/// Counts a worker as busy as long as it lives.
struct Busy<'a>(&'a Status);

impl<'a> Busy<'a> {
    fn new(status: &'a Status) -> Self {
        status.counters.active.fetch_add(1, Relaxed);
        Self(status)
    }
}

impl Drop for Busy<'_> {
    fn drop(&mut self) {
        self.0.counters.active.fetch_sub(1, Relaxed);
    }
}

impl<Q, F, R> Engine<Q, F>
where
    Q: Hash + Eq + Clone + fmt::Debug + Send + Sync + 'static,
    F: Fn(Q, Context) -> R + Send + Sync + 'static,
    R: Future<Output = Outcome> + Send + 'static,
{
    /// Takes keys until the queue ends.
    pub(crate) async fn work(self: Arc<Self>) {
        while let Some(ticket) = self.queue.get().await {
            let mut hand = InHand { ticket: Some(ticket), outcome: None };
            // A long queue must not keep the others on this thread waiting.
            tokio::task::coop::consume_budget().await;
            let Some(ticket) = &hand.ticket else { continue };
            let cx = Context::new(&self.shared, ticket.failures(), self.behind.is(ticket.key()));
            let outcome = self.reconcile(ticket.key(), &cx).await;
            if let Err(error) = &outcome {
                self.tell(ticket, error);
            }
            hand.outcome = Some(outcome);
            let unseen = self.unseen(cx.take_writes());
            if unseen.is_empty() {
                drop(hand);
            } else {
                self.park(hand, unseen);
            }
        }
    }

    async fn reconcile(&self, key: &Q, cx: &Context) -> Outcome {
        let _busy = Busy::new(&self.status);
        let began = Instant::now();
        let span =
            tracing::info_span!("reconcile", controller = %self.shared.name, ?key, failures = cx.failures());
        let (key, cx) = (key.clone(), cx.clone());
        // The call itself may panic as well as its future.
        let guarded =
            AssertUnwindSafe(async { (self.reconcile)(key, cx).await }).catch_unwind().instrument(span);
        let outcome = match self.timeout {
            None => Ok(guarded.await),
            Some(limit) => tokio::time::timeout(limit, guarded).await.map_err(|_| Error::Timeout { limit }),
        };
        let outcome = outcome
            .and_then(|caught| caught.unwrap_or_else(|panic| Err(Error::Panic { message: said(&*panic) })));
        self.status.counters.count(&outcome, began.elapsed());
        outcome
    }

    fn tell(&self, ticket: &Ticket<Q>, error: &Error) {
        let (controller, key, failures) = (&self.shared.name, ticket.key(), ticket.failures() + 1);
        if error.is_conflict() {
            tracing::debug!(%controller, ?key, failures, %error, "reconcile conflicted");
        } else {
            tracing::warn!(%controller, ?key, failures, %error, "reconcile failed");
        }
    }

    /// What was written and is not in a cache yet that it comes into. Where revisions cannot be compared nobody waits.
    fn unseen(&self, writes: Vec<Write>) -> Unseen {
        let mut unseen = Unseen::new();
        for write in writes {
            for view in &self.views {
                if view.covers(&write.kind, &write.namespace) && view.has(&write.revision) == Some(false) {
                    unseen.push((Arc::clone(view), write.revision.clone()));
                }
            }
        }
        unseen
    }

    /// Keeps the key from being handed out until the caches have come up, and lets the worker go on.
    fn park(&self, hand: InHand<Q>, unseen: Unseen) {
        self.status.counters.waited.fetch_add(1, Relaxed);
        // Nobody is there any more who would keep it: the controller ends, and the key goes on at once.
        drop(self.parked.send(Parked { hand, unseen }));
    }
}

/// What a panic said.
fn said(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "without a word".to_owned())
}
