use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use tokio::time::Instant;

use crate::{Error, Event, Key, LeaseId, Result};

/// All leases, in the order of their ends.
#[derive(Debug, Default)]
pub(crate) struct Leases {
    granted: u64,
    leases: BTreeMap<LeaseId, Lease>,
    ends: BTreeSet<(Instant, LeaseId)>,
}

#[derive(Debug)]
struct Lease {
    ttl: Duration,
    end: Instant,
    keys: BTreeSet<Key>,
}

impl Leases {
    pub(crate) fn grant(&mut self, ttl: Duration, now: Instant) -> Result<LeaseId> {
        let end = if ttl.is_zero() { None } else { now.checked_add(ttl) };
        let end = end.ok_or(Error::InvalidTtl { ttl })?;
        self.granted += 1;
        let id = LeaseId(self.granted);
        self.leases.insert(id, Lease { ttl, end, keys: BTreeSet::new() });
        self.ends.insert((end, id));
        Ok(id)
    }

    /// A lease has ended as soon as its time is over, whether or not its keys are gone yet.
    fn live(&mut self, id: LeaseId, now: Instant) -> Result<&mut Lease> {
        self.leases.get_mut(&id).filter(|lease| now < lease.end).ok_or(Error::UnknownLease { lease: id })
    }

    pub(crate) fn check(&mut self, id: LeaseId, now: Instant) -> Result<()> {
        self.live(id, now).map(|_| ())
    }

    pub(crate) fn keep_alive(&mut self, id: LeaseId, now: Instant) -> Result<()> {
        let lease = self.live(id, now)?;
        let before = lease.end;
        // The first end could be told, so this can be unless the clock is at its own end.
        let end = now.checked_add(lease.ttl).ok_or(Error::InvalidTtl { ttl: lease.ttl })?;
        lease.end = end;
        self.ends.remove(&(before, id));
        self.ends.insert((end, id));
        Ok(())
    }

    /// Takes a lease out; answers its keys.
    pub(crate) fn end(&mut self, id: LeaseId, now: Instant) -> Result<BTreeSet<Key>> {
        self.check(id, now)?;
        self.take(id).ok_or(Error::UnknownLease { lease: id })
    }

    /// Takes out the lease that ended first, if one has ended.
    pub(crate) fn take_ended(&mut self, now: Instant) -> Option<(LeaseId, BTreeSet<Key>)> {
        let &(end, id) = self.ends.first()?;
        if now < end {
            return None;
        }
        self.take(id).map(|keys| (id, keys))
    }

    fn take(&mut self, id: LeaseId) -> Option<BTreeSet<Key>> {
        let lease = self.leases.remove(&id)?;
        self.ends.remove(&(lease.end, id));
        Some(lease.keys)
    }

    /// When the next lease ends.
    pub(crate) fn next_end(&self) -> Option<Instant> {
        self.ends.first().map(|(end, _)| *end)
    }

    /// Follows a change of a key: out of the lease it was under, into the one it is under now.
    pub(crate) fn follow(&mut self, event: &Event) {
        let before = event.previous.as_ref().and_then(|record| record.lease);
        let after = event.current().and_then(|record| record.lease);
        if before == after {
            return;
        }
        if let Some(lease) = before.and_then(|id| self.leases.get_mut(&id)) {
            lease.keys.remove(event.key());
        }
        if let Some(lease) = after.and_then(|id| self.leases.get_mut(&id)) {
            lease.keys.insert(event.key().clone());
        }
    }
}
