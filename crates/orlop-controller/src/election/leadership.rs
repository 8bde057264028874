use std::cmp::Ordering;
use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use orlop_cache::Signal;
use orlop_client::{Client, Error, Forward, Request, Result};
use orlop_model::coordination::v1::Lease;
use orlop_model::{KindInfo, Str};
use tokio::time::Instant;

/// Proof of a leadership, to be passed on with what is done under it: a store that remembers the latest fence it has seen
/// and refuses earlier ones cannot be written to by a leader who does not know yet that it is one no longer.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Fence {
    /// How often the lease had passed from one holder to another.
    pub transitions: u32,
    /// The lease's resourceVersion when it was acquired.
    pub resource_version: Str,
    /// The lease's uid.
    pub uid: Str,
}

impl Fence {
    pub(super) fn of(lease: &Lease) -> Self {
        Self {
            transitions: lease
                .spec
                .lease_transitions
                .and_then(|count| u32::try_from(count).ok())
                .unwrap_or(0),
            resource_version: lease.metadata.resource_version.clone(),
            uid: lease.metadata.uid.clone(),
        }
    }

    /// Which of two leaderships came later: by resourceVersion where both are numbers, which also tells leases apart that
    /// were deleted and made anew; else by transitions of one lease. `None` if that cannot be told.
    #[must_use]
    pub fn compare(&self, other: &Self) -> Option<Ordering> {
        match (self.resource_version.parse::<u64>(), other.resource_version.parse::<u64>()) {
            (Ok(own), Ok(others)) => Some(own.cmp(&others)),
            _ if self == other => Some(Ordering::Equal),
            _ if self.uid == other.uid => Some(self.transitions.cmp(&other.transitions)),
            _ => None,
        }
    }
}

impl fmt::Display for Fence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.transitions, self.resource_version)
    }
}

/// Whether this process leads, as an [`Election`](super::Election) finds out. Cheap to clone.
#[derive(Clone)]
pub struct Leadership {
    state: Arc<Signal<State>>,
}

#[derive(Clone, Debug, Default)]
pub(super) struct State {
    pub(super) held: Option<(Fence, Instant)>,
    pub(super) holder: Option<Str>,
    /// How often the leadership was acquired so far.
    pub(super) terms: u64,
    pub(super) ended: bool,
}

impl Leadership {
    pub(super) fn new() -> Self {
        Self { state: Arc::new(Signal::new(State::default())) }
    }

    pub(super) fn set(&self, held: Option<(&Fence, Instant)>, holder: Option<&Str>) {
        self.state.modify(|state| {
            state.terms += u64::from(state.held.is_none() && held.is_some());
            state.held = held.map(|(fence, until)| (fence.clone(), until));
            state.holder = holder.cloned();
        });
    }

    pub(super) fn end(&self) {
        self.state.modify(|state| {
            state.held = None;
            state.ended = true;
        });
    }

    /// Whether this process leads now, by its own clock: nobody else does as long as this is `true` and clocks run at
    /// rates as [`Timing`](super::Timing) allows.
    #[must_use]
    pub fn is_leader(&self) -> bool {
        self.fence().is_some()
    }

    /// Proof of the leadership, while this process leads.
    #[must_use]
    pub fn fence(&self) -> Option<Fence> {
        self.state
            .with(|state| state.held.as_ref().filter(|(_, until)| Instant::now() < *until).cloned())
            .map(|(fence, _)| fence)
    }

    /// The identity of who leads, as far as it is known.
    #[must_use]
    pub fn leader(&self) -> Option<Str> {
        self.state.with(|state| state.holder.clone())
    }

    /// Waits until this process leads. `None` if the election ends before.
    pub async fn acquired(&self) -> Option<Fence> {
        self.state
            .wait_for(|state| match &state.held {
                Some((fence, until)) if Instant::now() < *until => Some(Some(fence.clone())),
                _ => state.ended.then_some(None),
            })
            .await
    }

    /// Waits until this process does not lead, at once if it does not now.
    pub async fn lost(&self) {
        let term = self.state.with(|state| state.terms);
        loop {
            let until = self
                .state
                .with(|state| state.held.as_ref().filter(|_| state.terms == term).map(|held| held.1));
            let Some(until) = until else { return };
            if Instant::now() >= until {
                return;
            }
            let other = |state: &State| {
                (state.terms != term || state.held.as_ref().map(|held| held.1) != Some(until)).then_some(())
            };
            tokio::select! {
                biased;
                () = self.state.wait_for(other) => {}
                () = tokio::time::sleep_until(until) => return,
            }
        }
    }

    /// The same client, but for its writes, which are refused ([`Error::Forbidden`]) while this process does not lead. A
    /// write that is on its way when the leadership ends is not held back: see [`Fence`].
    #[must_use]
    pub fn guard(&self, client: Arc<dyn Client>) -> Arc<dyn Client> {
        Arc::new(Guard { client, leadership: self.clone() })
    }
}

struct Guard {
    client: Arc<dyn Client>,
    leadership: Leadership,
}

#[async_trait]
impl Forward for Guard {
    fn inner(&self) -> &dyn Client {
        &*self.client
    }

    async fn before(&self, request: &Request<'_>) -> Result<()> {
        if request.verb.writes() && !self.leadership.is_leader() {
            return Err(refused(request.kind, request.namespace));
        }
        Ok(())
    }
}

fn refused(kind: &KindInfo, namespace: Option<&str>) -> Error {
    let key = orlop_model::ObjectKey { namespace: namespace.map(Str::from), name: Str::EMPTY };
    Error::forbidden(kind, &key, "this process does not lead")
}

impl fmt::Debug for Leadership {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.state.with(|state| fmt::Debug::fmt(state, f))
    }
}
