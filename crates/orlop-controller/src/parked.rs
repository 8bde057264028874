//! Keys that are done but for the caches to come up with what was written for them.

use std::collections::HashMap;
use std::fmt;
use std::hash::Hash;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use futures::StreamExt;
use futures::stream::FuturesUnordered;
use orlop_model::Str;
use orlop_workqueue::Ticket;
use parking_lot::Mutex;
use tokio::sync::mpsc;
use tokio::time::Instant;

use crate::engine::InHand;
use crate::handle::Status;
use crate::view::View;

/// How long a key waits until its controller's caches have what it wrote.
const VISIBLE: Duration = Duration::from_secs(5);
/// After this time nobody is told any more that a cache is behind: client-go's `ExpectationsTimeout`.
const GIVE_UP: Duration = Duration::from_secs(300);
/// So many keys are remembered before it is looked which of them still matter.
const REMEMBERED: usize = 1024;

/// What was written, and the cache that does not have it yet.
pub(crate) type Unseen = Vec<(Arc<dyn View>, Str)>;

/// A key that waits. Its worker has gone on; nobody else is handed the key.
pub(crate) struct Parked<Q: Hash + Eq + Clone + 'static> {
    pub(crate) hand: InHand<Q>,
    pub(crate) unseen: Unseen,
}

/// Keys that went on without having seen what was written for them.
pub(crate) struct Behind<Q>(Mutex<HashMap<Q, (Instant, Unseen)>>);

impl<Q: Hash + Eq + Clone> Behind<Q> {
    pub(crate) fn new() -> Self {
        Self(Mutex::new(HashMap::new()))
    }

    /// Whether the caches lack something that was written for the key.
    pub(crate) fn is(&self, key: &Q) -> bool {
        let mut behind = self.0.lock();
        let Some(of_key) = behind.get_mut(key) else { return false };
        let lacks = lacks(of_key);
        if !lacks {
            behind.remove(key);
        }
        lacks
    }

    fn note(&self, key: Q, unseen: Unseen) {
        let mut behind = self.0.lock();
        if behind.len() >= REMEMBERED {
            behind.retain(|_, of_key| lacks(of_key));
        }
        let (since, of_key) = behind.entry(key).or_insert_with(|| (Instant::now(), Unseen::new()));
        *since = Instant::now();
        of_key.extend(unseen);
    }
}

fn lacks((since, unseen): &mut (Instant, Unseen)) -> bool {
    unseen.retain(|(view, revision)| view.has(revision) == Some(false));
    !unseen.is_empty() && since.elapsed() < GIVE_UP
}

/// Keeps keys until the caches have come up, all of them in this one future.
pub(crate) async fn shepherd<Q>(
    mut parked: mpsc::UnboundedReceiver<Parked<Q>>,
    behind: Arc<Behind<Q>>,
    status: Arc<Status>,
) where
    Q: Hash + Eq + Clone + fmt::Debug + 'static,
{
    let mut waiting = FuturesUnordered::new();
    loop {
        tokio::select! {
            biased;
            Some(parked) = parked.recv() => waiting.push(wait(parked, &behind, &status)),
            Some(()) = waiting.next() => {}
            else => return,
        }
    }
}

async fn wait<Q>(parked: Parked<Q>, behind: &Behind<Q>, status: &Status)
where
    Q: Hash + Eq + Clone + fmt::Debug + 'static,
{
    let Parked { hand, unseen } = parked;
    let visible = async {
        for (view, revision) in &unseen {
            view.wait_for(revision).await;
        }
    };
    if tokio::time::timeout(VISIBLE, visible).await.is_err() {
        let (controller, key) = (&status.counters.name, hand.ticket.as_ref().map(Ticket::key));
        tracing::warn!(%controller, ?key, "goes on without having seen what it wrote");
        status.counters.gave_up.fetch_add(1, Relaxed);
        if let Some(key) = key.cloned() {
            behind.note(key, unseen);
        }
    }
    drop(hand);
}
