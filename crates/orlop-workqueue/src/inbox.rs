use std::sync::atomic::{AtomicBool, Ordering};

use crate::sync::{Mutex, lock};

/// So many ready keys make a queue long.
pub(crate) const LONG: usize = if cfg!(any(shuttle, test)) { 2 } else { 8192 };
/// So many keys are put in together.
const BATCH: usize = if cfg!(any(shuttle, test)) { 2 } else { 64 };

/// Where keys wait to be put into a long queue.
///
/// What is added to a long queue is handed out much later, and meanwhile most of the cost is to wait for the memory where
/// its key is looked up. So keys are collected here and put in together: then the memory is waited for once for all of
/// them, and those who add do not get in the way of those who take.
///
/// Whoever has the queue's lock puts in what is here before doing anything for which it would make a difference; but a
/// key that falls due, or was added while it was worked on and now is finished, does not wait for that: it may change places
/// with the few that are here. This lock is taken after that one, or alone.
#[derive(Debug)]
pub(crate) struct Inbox<K> {
    open: AtomicBool,
    keys: Mutex<Vec<(u32, K)>>,
}

/// What became of a key that was offered.
pub(crate) enum Offer<K> {
    /// It is in.
    Kept,
    /// It is in, and there are enough to be put into the queue.
    Enough,
    /// It has to be put into the queue directly.
    Closed(K),
}

impl<K> Inbox<K> {
    pub(crate) const fn new() -> Self {
        Self { open: AtomicBool::new(false), keys: Mutex::new(Vec::new()) }
    }

    /// Whether it was open a moment ago. Who has the queue's lock knows for sure.
    #[inline]
    pub(crate) fn is_open(&self) -> bool {
        self.open.load(Ordering::Relaxed)
    }

    pub(crate) fn offer(&self, hash: u32, key: K) -> Offer<K> {
        let mut keys = lock(&self.keys);
        // Changed with this lock held only.
        if !self.is_open() {
            return Offer::Closed(key);
        }
        keys.push((hash, key));
        if keys.len() < BATCH { Offer::Kept } else { Offer::Enough }
    }

    /// Takes what is in, and sets whether more may come. With the queue's lock held.
    pub(crate) fn take(&self, open: bool) -> Vec<(u32, K)> {
        let mut keys = lock(&self.keys);
        self.open.store(open, Ordering::Relaxed);
        if keys.is_empty() {
            return Vec::new();
        }
        std::mem::replace(&mut *keys, Vec::with_capacity(if open { BATCH } else { 0 }))
    }
}
