use std::collections::BTreeMap;
use std::task::Waker;

/// A waiter's place in the line. Kept from wake-up to wake-up, so that one that comes too late does not lose it.
pub(crate) type Seat = u64;

/// Those who wait for something, in the order in which they came. Who is woken is no longer in.
#[derive(Debug, Default)]
pub(crate) struct Waiters {
    line: BTreeMap<Seat, Waiter>,
    last: Seat,
    /// Threads that were woken and have not come yet.
    coming: usize,
    /// Who sleeps until the next key is due, and when that is.
    timekeeper: Option<(Seat, u64)>,
}

#[derive(Debug)]
struct Waiter {
    waker: Waker,
    by: By,
}

/// What waits. A thread that is woken goes on, whatever happens; whether and when a task does is up to others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum By {
    Task,
    Thread,
}

impl Waiters {
    pub(crate) fn is_empty(&self) -> bool {
        self.line.is_empty()
    }

    pub(crate) fn len(&self) -> usize {
        self.line.len()
    }

    /// Waits, in the seat that it has or in a new one.
    pub(crate) fn sit(&mut self, seat: &mut Option<Seat>, waker: &Waker, by: By) -> Seat {
        let seat = *seat.get_or_insert_with(|| {
            self.last += 1;
            self.last
        });
        let entry = self.line.entry(seat).and_modify(|old| old.waker.clone_from(waker));
        entry.or_insert_with(|| Waiter { waker: waker.clone(), by });
        seat
    }

    /// One with a seat has come to look. Whether it had been woken.
    pub(crate) fn come(&mut self, seat: Option<Seat>, by: By) -> bool {
        let woken = seat.is_some_and(|seat| !self.line.contains_key(&seat));
        if woken && by == By::Thread {
            self.coming = self.coming.saturating_sub(1);
        }
        woken
    }

    /// Whether a thread is about to come, and will see what there is to do and wake the next.
    pub(crate) const fn is_coming(&self) -> bool {
        self.coming > 0
    }

    /// Waits no longer. Whether it still was in: else it had been woken.
    pub(crate) fn leave(&mut self, seat: Seat) -> bool {
        self.keeps_time_no_more(seat);
        self.line.remove(&seat).is_some()
    }

    /// Makes a waiter the one who keeps the time until `due`, if no other one does.
    pub(crate) fn keep_time(&mut self, seat: Seat, due: u64) -> bool {
        let mine = self.timekeeper.is_none_or(|(other, _)| other == seat);
        if mine {
            self.timekeeper = Some((seat, due));
        }
        mine
    }

    pub(crate) fn keeps_time_no_more(&mut self, seat: Seat) {
        if self.timekeeper.is_some_and(|(other, _)| other == seat) {
            self.timekeeper = None;
        }
    }

    /// When the timekeeper wakes by itself.
    pub(crate) const fn alarm(&self) -> Option<u64> {
        match self.timekeeper {
            Some((_, due)) => Some(due),
            None => None,
        }
    }

    /// Who is to be woken for one thing to do: the first, but the timekeeper only if there is no other.
    pub(crate) fn wake_one(&mut self, wakes: &mut Wakes) {
        let keeper = self.timekeeper.map(|(seat, _)| seat);
        let other = self.line.keys().find(|seat| Some(**seat) != keeper).copied();
        if let Some(seat) = other.or(keeper)
            && let Some(waiter) = self.line.remove(&seat)
        {
            self.keeps_time_no_more(seat);
            self.wake(waiter, wakes);
        }
    }

    fn wake(&mut self, waiter: Waiter, wakes: &mut Wakes) {
        self.coming += usize::from(waiter.by == By::Thread);
        wakes.push(waiter.waker);
    }

    /// Wakes the timekeeper, or whoever becomes it, because an earlier time has come in.
    pub(crate) fn wake_timekeeper(&mut self, wakes: &mut Wakes) {
        let seat = self.timekeeper.take().map(|(seat, _)| seat);
        if let Some(waiter) = seat.and_then(|seat| self.line.remove(&seat)) {
            self.wake(waiter, wakes);
        } else {
            self.wake_one(wakes);
        }
    }

    pub(crate) fn wake_all(&mut self, wakes: &mut Wakes) {
        self.timekeeper = None;
        std::mem::take(&mut self.line).into_values().for_each(|waiter| self.wake(waiter, wakes));
    }
}

/// Those to be woken when the lock is released: a waker is foreign code.
#[must_use]
#[derive(Debug, Default)]
pub(crate) struct Wakes {
    first: Option<Waker>,
    more: Vec<Waker>,
}

impl Wakes {
    fn push(&mut self, waker: Waker) {
        if self.first.is_none() {
            self.first = Some(waker);
        } else {
            self.more.push(waker);
        }
    }

    #[inline]
    pub(crate) fn wake(self) {
        if let Some(first) = self.first {
            first.wake();
            self.more.into_iter().for_each(Waker::wake);
        }
    }
}
