//! The primitives that the waiting is made of: the real ones, or those of the schedule explorer under `--cfg shuttle`.

#[cfg(not(shuttle))]
mod real {
    use std::hint::spin_loop;
    use std::sync::atomic::{AtomicU32, Ordering};
    use std::thread::sleep;
    pub(crate) use std::thread::{Thread, current, park, park_timeout};
    use std::time::Duration;

    pub(crate) use parking_lot::MutexGuard;

    /// Tries one shortly after the other, each a little later than the one before.
    const SPINS: u32 = 2;
    /// How long a thread stays away that finds a lock taken each time.
    const AWAY: Duration = Duration::from_micros(200);
    /// How much longer for each that stays away already, of which so many count.
    const MORE: Duration = Duration::from_micros(150);
    const MOST: u32 = 8;
    /// So often it stays away before it waits in line.
    const ROUNDS: u32 = 64;

    /// What is held for some ten nanoseconds at a time.
    #[derive(Debug)]
    pub(crate) struct Mutex<T> {
        inner: parking_lot::Mutex<T>,
        /// Threads that stay away.
        away: AtomicU32,
    }

    impl<T> Mutex<T> {
        pub(crate) const fn new(value: T) -> Self {
            Self { inner: parking_lot::Mutex::new(value), away: AtomicU32::new(0) }
        }
    }

    /// Locks it.
    ///
    /// When it is taken time and again, either its owner has lost the processor, or more threads want it than it can
    /// serve. Then all that they do between two turns is to wait for the memory that the one before has changed, which
    /// makes each turn several times as long; and threads that wait in line have to be woken one by one by every unlock,
    /// which costs a hundred times what they want to do. So whoever is too many stays away for a while, the longer the
    /// more there are, and those who are left go on at full speed.
    #[inline]
    pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
        mutex.inner.try_lock().unwrap_or_else(|| contended(mutex))
    }

    #[cold]
    fn contended<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
        for _ in 0..ROUNDS {
            for spin in 0..SPINS {
                (0..4 << spin).for_each(|_| spin_loop());
                if let Some(guard) = mutex.inner.try_lock() {
                    return guard;
                }
            }
            let others = mutex.away.fetch_add(1, Ordering::Relaxed);
            sleep(AWAY + MORE * others.min(MOST));
            mutex.away.fetch_sub(1, Ordering::Relaxed);
            if let Some(guard) = mutex.inner.try_lock() {
                return guard;
            }
        }
        mutex.inner.lock()
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
