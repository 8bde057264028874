//! [`Signal`]: a value that many wait for.

use std::fmt;

use parking_lot::Mutex;
use tokio::sync::Notify;

/// A value that changes, and those who wait for it to be as they want. They are woken in the order in which they began
/// to wait (tokio's `watch` wakes them in a random one, which a simulation with a seed cannot have).
pub struct Signal<T> {
    value: Mutex<T>,
    changed: Notify,
}

impl<T> Signal<T> {
    /// A signal with that value.
    pub const fn new(value: T) -> Self {
        Self { value: parking_lot::const_mutex(value), changed: Notify::const_new() }
    }

    /// Looks at the value.
    pub fn with<R>(&self, look: impl FnOnce(&T) -> R) -> R {
        look(&self.value.lock())
    }

    /// Changes the value and wakes whoever waits.
    pub fn modify(&self, change: impl FnOnce(&mut T)) {
        change(&mut self.value.lock());
        self.changed.notify_waiters();
    }

    /// Waits until `answer` has one, looking at the value now and after each change. Dropping the future is of no
    /// consequence.
    pub async fn wait_for<R>(&self, mut answer: impl FnMut(&T) -> Option<R>) -> R {
        loop {
            // Asked to be woken before looking: no change in between is missed.
            let mut changed = std::pin::pin!(self.changed.notified());
            changed.as_mut().enable();
            if let Some(answer) = self.with(&mut answer) {
                return answer;
            }
            changed.await;
        }
    }
}

impl<T: fmt::Debug> fmt::Debug for Signal<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("Signal").field(&*self.value.lock()).finish()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[tokio::test]
    async fn wakes_in_the_order_of_waiting() {
        let signal = Arc::new(Signal::new(0));
        let order = Arc::new(Mutex::new(Vec::new()));
        let mut waiting = Vec::new();
        for number in 0..20 {
            let (signal, order) = (Arc::clone(&signal), Arc::clone(&order));
            waiting.push(tokio::spawn(async move {
                signal.wait_for(|value| (*value > 0).then_some(())).await;
                order.lock().push(number);
            }));
        }
        tokio::task::yield_now().await;
        signal.modify(|value| *value = 1);
        for task in waiting {
            task.await.unwrap();
        }
        assert_eq!(*order.lock(), (0..20).collect::<Vec<_>>());
    }
}
