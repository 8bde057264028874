//! One thing at a time is done to a pod.

use std::collections::BTreeMap;
use std::sync::{Arc, Weak};

use orlop_model::Str;
use parking_lot::Mutex;
use tokio::sync::{Mutex as Gate, OwnedMutexGuard};

/// A gate for each pod, through which goes one piece of work after the other.
///
/// Whoever waits for a piece of work may give up while it goes on, on its thread. It holds the gate until it is done, so
/// that whoever comes next sees what came of it.
#[derive(Debug, Default)]
pub(super) struct Gates(Mutex<BTreeMap<Str, Weak<Gate<()>>>>);

/// One's turn; the next one's when it is dropped.
pub(super) type Turn = OwnedMutexGuard<()>;

impl Gates {
    /// Waits for the turn to do something to the pod of this uid.
    pub(super) async fn enter(&self, uid: &str) -> Turn {
        let gate = {
            let mut gates = self.0.lock();
            match gates.get(uid).and_then(Weak::upgrade) {
                Some(gate) => gate,
                None => {
                    gates.retain(|_, gate| gate.strong_count() > 0);
                    let gate = Arc::new(Gate::new(()));
                    gates.insert(uid.into(), Arc::downgrade(&gate));
                    gate
                }
            }
        };
        gate.lock_owned().await
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt as _;

    use super::*;

    #[tokio::test]
    async fn one_after_the_other() {
        let gates = Gates::default();
        let first = gates.enter("a").await;
        let other = gates.enter("b").now_or_never();
        assert!(other.is_some() && gates.enter("a").now_or_never().is_none());
        drop(first);
        assert!(gates.enter("a").now_or_never().is_some());
        drop(other);
        let _last = gates.enter("c").await;
        assert_eq!(gates.0.lock().len(), 1);
    }
}
