//! The primitives that the waiting is made of: the real ones, or those of the schedule explorer under `--cfg shuttle`.

#[cfg(not(shuttle))]
mod real {
    pub(crate) use std::thread::{Thread, current, park, park_timeout};

    pub(crate) use parking_lot::{Mutex, MutexGuard};

    /// Tries before the processor is given away, each a little longer than the one before.
    const SPINS: u32 = 6;
    /// Times that the processor is given away before the thread sleeps.
    const YIELDS: u32 = 8;

    /// Locks what is held for some ten nanoseconds at a time.
    ///
    /// When it is held nevertheless, most likely its owner has lost the processor. Threads that go to sleep then have to
    /// be woken one by one by every unlock from there on, which costs a hundred times what they want to do; so they
    /// make room for the owner first, and sleep only when that has not helped for long.
    #[inline]
    pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
        mutex.try_lock().unwrap_or_else(|| contended(mutex))
    }

    #[cold]
    fn contended<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
        for round in 0..SPINS + YIELDS {
            if round < SPINS {
                (0..4 << round).for_each(|_| std::hint::spin_loop());
            } else {
                std::thread::yield_now();
            }
            if let Some(guard) = mutex.try_lock() {
                return guard;
            }
        }
        mutex.lock()
    }
}

#[cfg(shuttle)]
mod real {
    use std::time::Duration;

    pub(crate) use shuttle::sync::{Mutex, MutexGuard};
    pub(crate) use shuttle::thread::{Thread, current, park};

    pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
        mutex.lock().expect("a poisoned lock ends the exploration")
    }

    /// Time does not pass while schedules are explored: what waits for it may go on at any moment.
    pub(crate) fn park_timeout(_: Duration) {
        shuttle::thread::yield_now();
    }
}

pub(crate) use real::*;
