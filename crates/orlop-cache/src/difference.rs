//! [`Difference`]: from what a subscriber knows to what there is.

use std::cmp::Ordering;
use std::collections::VecDeque;
use std::sync::Arc;

use orlop_model::{Object, Str};

use crate::Delta;
use crate::hub::{Base, Caught};
use crate::store::{AT_ONCE, gather};
use crate::table::View;

/// The changes that lead from one state to another: first the deletions, then the rest, one change for an object. Made
/// as they are asked for.
pub(crate) struct Difference<K> {
    reset: bool,
    step: Step<K>,
    /// Whether what is added was there at the start, as far as the subscriber is concerned.
    initial: bool,
    synced: bool,
}

enum Step<K> {
    /// Everything is new, in the order of keys. Some objects have been gathered, others of the namespace are to come.
    All {
        now: View<K>,
        namespace: Option<Str>,
        slots: std::vec::IntoIter<u32>,
        objects: std::vec::IntoIter<Arc<K>>,
    },
    Deleted {
        known: View<K>,
        now: View<K>,
        from: u32,
        again: bool,
    },
    Present {
        known: View<K>,
        now: View<K>,
        from: u32,
        again: bool,
    },
    /// Made at once.
    Some(VecDeque<Delta<K>>),
    Done,
}

impl<K: Object> Step<K> {
    fn all(now: View<K>) -> Self {
        Self::All { now, namespace: None, slots: Vec::new().into_iter(), objects: Vec::new().into_iter() }
    }
}

impl<K: Object> Difference<K> {
    /// `synced` is whether the subscriber was told [`Delta::Synced`], `complete` whether it is to be told.
    pub(crate) fn new(caught: Caught<K>, now: Base<K>, synced: bool, complete: bool) -> Self {
        let Caught { known, again, reset } = caught;
        let initial = !synced;
        let step = match (known, now) {
            (Base::Nothing, Base::All(now)) => Step::all(now),
            (Base::All(known), Base::All(now)) if known.len() == 0 => Step::all(now),
            (Base::All(known), Base::All(now)) => Step::Deleted { known, now, from: 0, again },
            (Base::Some(known), Base::Some(now)) => Step::Some(merged(known, now, again, initial)),
            (_, Base::Some(now)) => Step::Some(merged(Vec::new(), now, again, initial)),
            (Base::Some(_), Base::All(_)) | (_, Base::Nothing) => Step::Done,
        };
        Self { reset, step, initial, synced: complete && !synced }
    }

    pub(crate) fn next(&mut self) -> Option<Delta<K>> {
        if std::mem::take(&mut self.reset) {
            return Some(Delta::Reset);
        }
        loop {
            match &mut self.step {
                Step::All { now, namespace, slots, objects } => {
                    if let Some(object) = objects.next() {
                        return Some(Delta::Added { object, initial: self.initial });
                    }
                    if slots.len() > 0 {
                        *objects = gather(now, slots.by_ref().take(AT_ONCE), AT_ONCE).into_iter();
                    } else if let Some(next) = now.namespace_after(namespace.as_ref()) {
                        *slots = now.slots_in(next).collect::<Vec<_>>().into_iter();
                        *namespace = Some(next.clone());
                    } else {
                        self.step = Step::Done;
                    }
                }
                Step::Deleted { known, now, from, again } => match now.next_difference(known, *from) {
                    Some(slot) => {
                        *from = slot + 1;
                        if let Some(was) = known.object(slot)
                            && !now.object(slot).is_some_and(|is| same(was, is))
                        {
                            return Some(Delta::Deleted { last: Arc::clone(was), exact: false });
                        }
                    }
                    None => {
                        let (known, now, again) = (known.clone(), now.clone(), *again);
                        self.step = Step::Present { known, now, from: 0, again };
                    }
                },
                Step::Present { known, now, from, again } => {
                    let next = if *again { Some(*from) } else { now.next_difference(known, *from) };
                    let Some(slot) = next.filter(|slot| *slot < now.end()) else {
                        self.step = Step::Done;
                        continue;
                    };
                    *from = slot + 1;
                    let Some(is) = now.object(slot) else { continue };
                    match known.object(slot).filter(|was| same(was, is)) {
                        Some(was) if *again || !Arc::ptr_eq(was, is) => {
                            return Some(Delta::Modified { old: Arc::clone(was), new: Arc::clone(is) });
                        }
                        Some(_) => {}
                        None => {
                            return Some(Delta::Added { object: Arc::clone(is), initial: self.initial });
                        }
                    }
                }
                Step::Some(deltas) => match deltas.pop_front() {
                    Some(delta) => return Some(delta),
                    None => self.step = Step::Done,
                },
                Step::Done => return std::mem::take(&mut self.synced).then_some(Delta::Synced),
            }
        }
    }
}

/// Whether they are states of one object.
fn same<K: Object>(a: &Arc<K>, b: &Arc<K>) -> bool {
    Arc::ptr_eq(a, b) || {
        let (a, b) = (a.meta(), b.meta());
        a.uid == b.uid && a.name == b.name && a.namespace == b.namespace
    }
}

/// Both are in the order of keys.
fn merged<K: Object>(known: Vec<Arc<K>>, now: Vec<Arc<K>>, again: bool, initial: bool) -> VecDeque<Delta<K>> {
    let (mut deleted, mut present) = (VecDeque::new(), Vec::new());
    let (mut known, mut now) = (known.into_iter().peekable(), now.into_iter().peekable());
    loop {
        let order = match (known.peek(), now.peek()) {
            (None, None) => break,
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (Some(was), Some(is)) => {
                (&was.meta().namespace, &was.meta().name).cmp(&(&is.meta().namespace, &is.meta().name))
            }
        };
        let was = if order.is_le() { known.next() } else { None };
        let is = if order.is_ge() { now.next() } else { None };
        match (was, is) {
            (Some(was), Some(is)) if same(&was, &is) => {
                if again || !Arc::ptr_eq(&was, &is) {
                    present.push(Delta::Modified { old: was, new: is });
                }
            }
            (was, is) => {
                deleted.extend(was.map(|last| Delta::Deleted { last, exact: false }));
                present.extend(is.map(|object| Delta::Added { object, initial }));
            }
        }
    }
    deleted.extend(present);
    deleted
}
