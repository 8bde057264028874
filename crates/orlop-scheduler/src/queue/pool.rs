//! [`Pool`]: pods that wait for an event, by the plugins that turned them down.

use std::collections::BTreeMap;
use std::sync::Arc;

use smallvec::SmallVec;

use super::{Rejector, Requeue};
use crate::framework::ClusterEvent;

/// Pods that wait for an event. All that were turned down by the same plugins stand together, so that
/// an event which concerns none of these is done with in one step.
#[derive(Debug, Default)]
pub(super) struct Pool {
    /// The slots of the pods; each knows its index here.
    members: BTreeMap<Arc<[Rejector]>, Vec<u32>>,
}

impl Pool {
    /// The one set of these plugins that all share, sorted and without duplicates.
    pub(super) fn intern(&self, rejectors: impl IntoIterator<Item = impl Into<Rejector>>) -> Arc<[Rejector]> {
        let mut rejectors: SmallVec<[Rejector; 4]> = rejectors.into_iter().map(Into::into).collect();
        rejectors.sort_unstable();
        // Of two answers of one plugin the more urgent one counts; it sorts last.
        rejectors.dedup_by(|next, kept| {
            next.plugin == kept.plugin && {
                kept.pending |= next.pending;
                true
            }
        });
        match self.members.get_key_value(&rejectors[..]) {
            Some((known, _)) => Arc::clone(known),
            None => rejectors.into_iter().collect(),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    /// Answers the index among those turned down by the same plugins.
    pub(super) fn insert(&mut self, rejectors: Arc<[Rejector]>, slot: u32) -> u32 {
        let members = self.members.entry(rejectors).or_default();
        members.push(slot);
        u32::try_from(members.len() - 1).expect("fewer than 2^32 pods")
    }

    /// Answers the slot that has the index now.
    pub(super) fn remove(&mut self, rejectors: &[Rejector], index: u32) -> Option<u32> {
        let members = self.members.get_mut(rejectors)?;
        members.swap_remove(index as usize);
        let moved = members.get(index as usize).copied();
        if members.is_empty() {
            self.members.remove(rejectors);
        }
        moved
    }

    /// Pods that the event may concern, with the plugins that it concerns.
    pub(super) fn concerned<'a>(
        &'a self,
        event: &'a ClusterEvent,
        rules: &'a impl Requeue,
    ) -> impl Iterator<Item = (u32, SmallVec<[&'a Rejector; 4]>)> + 'a {
        self.members.iter().flat_map(move |(rejectors, members)| {
            let concerned: SmallVec<[&Rejector; 4]> =
                rejectors.iter().filter(|rejector| rules.concerns(&rejector.plugin, event)).collect();
            let members = if concerned.is_empty() { &[][..] } else { &members[..] };
            members.iter().map(move |&slot| (slot, concerned.clone()))
        })
    }

    #[cfg(test)]
    pub(super) fn slots(&self) -> impl Iterator<Item = (&Arc<[Rejector]>, usize, u32)> {
        self.members.iter().flat_map(|(rejectors, members)| {
            members.iter().enumerate().map(move |(index, &slot)| (rejectors, index, slot))
        })
    }
}
