//! The waiting side: workers and producers that come, wait and are dropped at any moment.

use std::collections::BTreeMap;

use orlop_workqueue::{Add, Overflow, Queue, Ticket};
use proptest::prelude::*;
use tokio::time::advance;

use crate::{ms, paused};

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, failure_persistence: None, ..ProptestConfig::default() })]

    /// Workers come, wait and are dropped at any moment. No key is lost or held twice, and at no time does a worker
    /// sleep while a key is ready.
    #[test]
    fn waiting_loses_no_key_and_no_wake_up(steps in prop::collection::vec((0u8..8, 0u8..5, 0u64..30), 0..60)) {
        paused().block_on(async move {
            let queue = Queue::<u8>::new();
            let mut waiting = Vec::new();
            let mut held: Vec<Ticket<u8>> = Vec::new();
            let mut wanted = BTreeMap::new();
            let mut got: BTreeMap<u8, u32> = BTreeMap::new();
            for (what, key, delay) in steps {
                match what {
                    0 | 1 => waiting.push(tokio::spawn({ let queue = queue.clone(); async move { queue.get().await } })),
                    2 | 3 => { queue.add(key); *wanted.entry(key).or_insert(0u32) += 1; }
                    4 => { queue.add_after(key, ms(delay)); *wanted.entry(key).or_insert(0) += 1; }
                    5 => { drop(held.pop()); }
                    6 if !waiting.is_empty() => { waiting.remove(usize::from(key) % waiting.len()).abort(); }
                    _ => advance(ms(delay)).await,
                }
                // One task may have to wake the next: let all of them run (a timer needs a moment of its own).
                for _ in 0..8 { tokio::task::yield_now().await; }
                advance(ms(1)).await;
                for _ in 0..8 { tokio::task::yield_now().await; }
                let (done, still): (Vec<_>, Vec<_>) = waiting.into_iter().partition(|task| task.is_finished());
                waiting = still;
                for task in done {
                    if let Ok(Some(ticket)) = task.await {
                        prop_assert!(held.iter().all(|other| other.key() != ticket.key()), "held twice");
                        *got.entry(*ticket.key()).or_default() += 1;
                        held.push(ticket);
                    }
                }
                prop_assert!(waiting.is_empty() || queue.is_empty(), "a worker sleeps while a key is ready");
            }
            drop(held);
            for task in waiting { task.abort(); let _ = task.await; }
            for pending in queue.take_rest() { *got.entry(pending.key).or_default() += 1; }
            prop_assert!(wanted.keys().eq(got.keys()), "wanted {:?}, got {:?}", wanted, got);
            prop_assert!(got.iter().all(|(key, n)| *n <= wanted[key]), "wanted {:?}, got {:?}", wanted, got);
            Ok(())
        })?;
    }

    /// The same for those who wait for room: a key is in exactly if its future said so, and nobody waits while there is
    /// room.
    #[test]
    fn waiting_for_room_loses_nothing(steps in prop::collection::vec((0u8..6, 0u8..9), 0..60)) {
        paused().block_on(async move {
            let queue = Queue::<u8>::builder().bound(2, Overflow::Refuse).build();
            let mut waiting = Vec::new();
            let mut held: Vec<Ticket<u8>> = Vec::new();
            for (what, key) in steps {
                match what {
                    0..=2 => waiting.push((key, tokio::spawn({
                        let queue = queue.clone();
                        async move { queue.add_wait(key, Add::default()).await }
                    }))),
                    3 => held.extend(queue.try_get()),
                    4 => { drop(held.pop()); }
                    _ if !waiting.is_empty() => {
                        let (_, task) = waiting.remove(usize::from(key) % waiting.len());
                        task.abort();
                    }
                    _ => {}
                }
                for _ in 0..16 { tokio::task::yield_now().await; }
                let (done, still): (Vec<_>, Vec<_>) = waiting.into_iter().partition(|(_, task)| task.is_finished());
                waiting = still;
                for (_, task) in done {
                    prop_assert!(!matches!(task.await, Ok(false)), "nothing is refused");
                }
                let metrics = queue.metrics();
                let queued = metrics.depth + metrics.delayed;
                prop_assert!(queued >= 2 || waiting.is_empty(), "{} wait and {} are in", waiting.len(), queued);
                prop_assert!(metrics.refused == 0 && metrics.dropped == 0);
            }
            queue.shut_down();
            for (_, task) in waiting { prop_assert!(matches!(task.await, Ok(false)), "the end is told"); }
            Ok(())
        })?;
    }
}
