//! [`Candidate`]: the rules of an election, without waiting or sending.

use std::sync::Arc;
use std::time::Duration;

use orlop_clock::Timestamp;
use orlop_model::coordination::v1::Lease;
use orlop_model::{MicroTime, Str};

use super::{Fence, Timing};

/// How long a lease lasts that was given back: nobody has to wait for it.
const RELEASED_SECONDS: i32 = 1;
/// By how much a candidate that is not the leader prolongs its waits at most, so that candidates do not all try at one
/// moment.
pub(super) const JITTER: f64 = 1.2;

/// One who wants to be leader. `now` is the time on a clock of its own that never goes back and that no other candidate
/// has to share; the timestamps written into the lease are for people.
#[derive(Debug)]
pub(super) struct Candidate {
    timing: Timing,
    identity: Str,
    seen: Option<Seen>,
    held: Option<Held>,
    next: Next,
    /// When the request that is on its way was made.
    asked: Duration,
}

/// The lease as it was last seen.
#[derive(Clone, Debug)]
struct Seen {
    lease: Arc<Lease>,
    /// When it was first seen like that.
    at: Duration,
    /// Whether it was found deleted since.
    gone: bool,
}

#[derive(Clone, Debug)]
struct Held {
    fence: Fence,
    until: Duration,
}

#[derive(Debug)]
enum Next {
    At(Duration),
    /// A request to make now: the answer to the one before decides what.
    Now(Ask),
}

/// What a candidate asks the server.
#[derive(Clone, Debug)]
pub(super) enum Ask {
    Get,
    /// To be refused if there is one.
    Create(Box<Lease>),
    /// To be refused unless the stored one has its resourceVersion.
    Update(Box<Lease>),
}

/// What the server answers.
#[derive(Clone, Debug)]
pub(super) enum Answer {
    /// The lease as it is stored now.
    Lease(Arc<Lease>),
    NotFound,
    /// Somebody else was faster.
    Conflict,
    /// No answer, or one that says nothing: the write may have happened.
    Failed,
}

/// What a candidate wants to do next.
#[derive(Clone, Debug)]
pub(super) enum Step {
    /// Nothing until this time.
    Wait(Duration),
    Ask(Ask),
}

impl Candidate {
    pub(super) fn new(timing: Timing, identity: Str) -> Self {
        let next = Next::At(Duration::ZERO);
        Self { timing, identity, seen: None, held: None, next, asked: Duration::ZERO }
    }

    /// What proves the leadership, and until when it lasts unless it is renewed.
    pub(super) fn held(&self, now: Duration) -> Option<(&Fence, Duration)> {
        self.held.as_ref().filter(|held| now < held.until).map(|held| (&held.fence, held.until))
    }

    /// Who held the lease when it was last seen.
    pub(super) fn holder(&self) -> Option<&Str> {
        self.seen
            .as_ref()
            .and_then(|seen| seen.lease.spec.holder_identity.as_ref())
            .filter(|name| !name.is_empty())
    }

    /// What to do now. A request is to be made at once and answered by [`Candidate::answered`].
    pub(super) fn step(&mut self, now: Duration, wall: Timestamp) -> Step {
        if self.held.as_ref().is_some_and(|held| now >= held.until) {
            self.held = None;
        }
        let ask = match std::mem::replace(&mut self.next, Next::At(now)) {
            Next::At(at) if now < at => {
                self.next = Next::At(at);
                return Step::Wait(at);
            }
            // The leader knows what is stored: nobody else may have written since.
            Next::At(_) => match (&self.held, &self.seen) {
                (Some(_), Some(seen)) => Ask::Update(self.renewed(&seen.lease, wall)),
                _ => Ask::Get,
            },
            Next::Now(ask) => ask,
        };
        self.asked = now;
        Step::Ask(ask)
    }

    /// Takes the answer to a request. `jitter` prolongs a wait by chance.
    pub(super) fn answered(
        &mut self,
        ask: &Ask,
        answer: Answer,
        now: Duration,
        wall: Timestamp,
        jitter: impl FnOnce(Duration) -> Duration,
    ) {
        let retry = self.timing.retry_period();
        let later = if self.held.is_some() { retry } else { jitter(retry) };
        let later = Next::At(now.saturating_add(later));
        let led = self.held.is_some();
        self.next = match (ask, answer) {
            (Ask::Get, Answer::Lease(lease)) => {
                self.see(lease, now);
                self.decide(now, wall).map_or(later, Next::Now)
            }
            (Ask::Get, Answer::NotFound) => match &mut self.seen {
                // Whoever held it may not know yet that it is gone.
                Some(seen) if self.held.is_none() && is_valid(seen, self.timing, now, &self.identity) => {
                    seen.gone = true;
                    later
                }
                _ => Next::Now(Ask::Create(self.first(wall))),
            },
            (Ask::Create(_) | Ask::Update(_), Answer::Lease(lease)) => {
                let until = self.asked.saturating_add(self.timing.renew_deadline());
                let fence = match self.held.take() {
                    Some(held) if now < held.until => held.fence,
                    // What was lost meanwhile begins anew.
                    _ => Fence::of(&lease),
                };
                self.held = Some(Held { fence, until });
                self.see(lease, now);
                Next::At(self.asked.saturating_add(retry).max(now))
            }
            // What the leader knew is no longer what is stored.
            (Ask::Update(_), Answer::Conflict | Answer::NotFound) if led => Next::Now(Ask::Get),
            _ => later,
        };
    }

    fn see(&mut self, lease: Arc<Lease>, now: Duration) {
        let version = |lease: &Lease| (lease.metadata.uid.clone(), lease.metadata.resource_version.clone());
        if !self.seen.as_ref().is_some_and(|seen| !seen.gone && version(&seen.lease) == version(&lease)) {
            self.seen = Some(Seen { lease, at: now, gone: false });
        }
    }

    /// Whether to write the lease that was just read, and how.
    fn decide(&mut self, now: Duration, wall: Timestamp) -> Option<Ask> {
        let seen = self.seen.as_ref()?;
        let holder = seen.lease.spec.holder_identity.as_deref().unwrap_or_default();
        if holder == self.identity.as_str() {
            return Some(Ask::Update(self.renewed(&seen.lease, wall)));
        }
        // Another one has it, whatever we believed.
        self.held = None;
        if is_valid(seen, self.timing, now, &self.identity) {
            return None;
        }
        let mut lease = Lease::clone(&seen.lease);
        let taken = self.first(wall).spec;
        let before = lease.spec.lease_transitions.unwrap_or(0);
        lease.spec.holder_identity = taken.holder_identity;
        lease.spec.lease_duration_seconds = taken.lease_duration_seconds;
        lease.spec.acquire_time = taken.acquire_time;
        lease.spec.renew_time = taken.renew_time;
        lease.spec.lease_transitions = Some(before.saturating_add(1));
        Some(Ask::Update(Box::new(lease)))
    }

    /// The lease that gives the leadership back, if this candidate has it. It has it no longer.
    pub(super) fn release(&mut self, wall: Timestamp) -> Option<Lease> {
        self.held.take()?;
        self.released(&self.seen.as_ref()?.lease, wall)
    }

    /// The same of a lease that was read, if this candidate holds it.
    pub(super) fn released(&self, lease: &Lease, wall: Timestamp) -> Option<Lease> {
        if lease.spec.holder_identity.as_ref() != Some(&self.identity) {
            return None;
        }
        let mut lease = lease.clone();
        lease.spec.holder_identity = Some(Str::EMPTY);
        lease.spec.lease_duration_seconds = Some(RELEASED_SECONDS);
        lease.spec.acquire_time = Some(MicroTime::from(wall));
        lease.spec.renew_time = Some(MicroTime::from(wall));
        Some(lease)
    }

    fn seconds(&self) -> i32 {
        i32::try_from(self.timing.lease_duration().as_secs()).unwrap_or(i32::MAX)
    }

    fn first(&self, wall: Timestamp) -> Box<Lease> {
        let mut lease = Box::<Lease>::default();
        lease.spec.holder_identity = Some(self.identity.clone());
        lease.spec.lease_duration_seconds = Some(self.seconds());
        lease.spec.acquire_time = Some(MicroTime::from(wall));
        lease.spec.renew_time = Some(MicroTime::from(wall));
        lease.spec.lease_transitions = Some(0);
        lease
    }

    fn renewed(&self, lease: &Lease, wall: Timestamp) -> Box<Lease> {
        let mut lease = Box::new(lease.clone());
        lease.spec.renew_time = Some(MicroTime::from(wall));
        lease.spec.lease_duration_seconds = Some(self.seconds());
        lease
    }
}

/// Whether somebody else's lease may still be believed in by them.
fn is_valid(seen: &Seen, timing: Timing, now: Duration, identity: &Str) -> bool {
    let spec = &seen.lease.spec;
    let Some(holder) = spec.holder_identity.as_ref().filter(|holder| !holder.is_empty()) else {
        return false;
    };
    let seconds = spec.lease_duration_seconds.and_then(|seconds| u64::try_from(seconds).ok());
    let duration = seconds.map_or(timing.lease_duration(), Duration::from_secs);
    holder != identity && now < seen.at.saturating_add(duration)
}

#[cfg(test)]
mod tests;
