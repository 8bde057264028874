//! What subscribers are told, and what happens to those who are slow.

use std::sync::Arc;
use std::time::Duration;

use futures::{FutureExt, StreamExt};
use orlop_cache::{Change, Delta, Lag, Store};
use orlop_clock::Random;
use orlop_model::core::v1::ConfigMap;

use crate::common::{Objects, View, group_of, map, put, stored, told};

fn filled(count: u64, log: usize) -> (Store<ConfigMap>, orlop_cache::Writer<ConfigMap>) {
    let (store, mut writer) = Store::with_log(log);
    writer.replace((0..count).map(|i| stored("ns", &format!("{i:04}"), i + 1)).collect(), count.to_string());
    (store, writer)
}

/// Only the subscribers of an object's node hear of it: what makes one informer do for a thousand nodes.
#[test]
fn a_subscriber_of_a_value_hears_of_that_value_alone() {
    let (store, mut writer) = Store::<ConfigMap>::new();
    let groups = store.index(group_of);
    let mut subscriptions: Vec<_> =
        (0..1000).map(|group: u32| groups.subscribe(&group.to_string().into())).collect();
    let object = |group: &str, revision: u64| {
        let mut map = map("ns", "a", group);
        map.metadata.resource_version = revision.to_string().into();
        Arc::new(map)
    };
    writer.apply([put(&object("7", 1))]);
    writer.apply([put(&object("8", 2))]); // moves
    writer.apply([Change::Delete(object("8", 3))]);
    let told: Vec<_> = subscriptions.iter_mut().map(told).collect();
    assert_eq!(told[7], ["Added(ns/a@1, initial)", "Deleted(ns/a@2)"]);
    assert_eq!(told[8], ["Added(ns/a@2)", "Deleted(ns/a@3)"]);
    assert_eq!(told.iter().filter(|told| !told.is_empty()).count(), 2);
    drop(subscriptions);
    writer.apply([put(&object("7", 4))]);
    assert_eq!(groups.values(), ["7"], "values without objects and subscribers are gone");
}

/// However far a subscriber is behind, what it is told sums up to what there is, within bounds.
#[test]
fn what_is_coalesced_sums_up() {
    for seed in 0..60 {
        let random = Random::new(seed);
        let (store, mut writer) = Store::<ConfigMap>::with_log(64);
        let source = orlop_cache::test_util::Source::<ConfigMap>::new(random.fork("source"));
        let groups = store.index(group_of);
        let (mut changes, mut of_group) = (store.subscribe(), groups.subscribe(&"1".into()));
        let (mut view, mut group_view) = (View::default(), View::default());
        writer.replace(Vec::new(), "0");
        for _ in 0..1_000 {
            let name = format!("x{}", random.index(20));
            if random.chance(0.6) {
                let group = random.index(3).to_string();
                writer.apply([Change::Put(source.put(map("ns", &name, &group)))]);
            } else if let Some(gone) = source.delete(&crate::common::key("ns", &name)) {
                writer.apply([Change::Delete(gone)]);
            }
            assert!(changes.behind() <= 64, "{} changes kept", changes.behind());
            if random.chance(0.003) {
                view.hear_all(&mut changes).unwrap();
                group_view.hear_all(&mut of_group).unwrap();
            }
        }
        view.hear_all(&mut changes).unwrap();
        group_view.hear_all(&mut of_group).unwrap();
        let truth: Objects =
            source.objects().into_iter().map(|map| (orlop_model::Object::key(&*map), map)).collect();
        view.equals(&truth).unwrap();
        let in_group = truth.values().filter(|map| group_of(map) == "1");
        assert!(group_view.objects.values().eq(in_group), "seed {seed}");
    }
}

/// Steps in between are left out, the old state is the one that was told, deletions are told.
#[test]
fn who_is_behind_is_told_the_difference() {
    let (store, mut writer) = filled(3, 4);
    let mut changes = store.subscribe();
    told(&mut changes);
    for revision in 10..20 {
        writer.apply([put(&stored("ns", "0000", revision))]);
    }
    writer.apply([Change::Delete(stored("ns", "0001", 20))]);
    writer.apply([put(&stored("ns", "come", 21)), Change::Delete(stored("ns", "come", 22))]);
    writer.apply([put(&stored("ns", "new", 23))]);
    assert!(changes.behind() <= 5);
    let told = told(&mut changes);
    // The log as it was when the subscriber fell behind, then the difference.
    assert_eq!(told[0], "Modified(ns/0000@1 -> 10)");
    let tail: Vec<_> = told.iter().rev().take(3).rev().map(String::as_str).collect();
    assert_eq!(
        tail,
        ["Deleted(ns/0001@2, missed)", "Modified(ns/0000@13 -> 19)", "Added(ns/new@23)"],
        "{told:?}"
    );
}

#[test]
fn who_is_behind_can_begin_anew_instead() {
    let (store, mut writer) = filled(3, 4);
    let mut changes = store.subscribe_with(Lag::Resync);
    told(&mut changes);
    for revision in 10..20 {
        writer.apply([put(&stored("ns", "0000", revision))]);
    }
    writer.apply([Change::Delete(stored("ns", "0001", 20))]);
    assert_eq!(changes.behind(), 0, "nothing is kept for it");
    assert_eq!(
        told(&mut changes),
        ["Reset", "Added(ns/0000@19, initial)", "Added(ns/0002@3, initial)", "Synced"]
    );
    writer.apply([put(&stored("ns", "0002", 21))]);
    assert_eq!(told(&mut changes), ["Modified(ns/0002@3 -> 21)"]);
}

/// The writer waits for those who want it, no longer than they say, and for nobody else.
#[tokio::test(start_paused = true)]
async fn the_writer_waits_for_those_who_want_it() {
    let (store, mut writer) = filled(3, 8);
    let limit = Duration::from_secs(5);
    let mut changes = store.subscribe_with(Lag::Block(limit));
    let groups = store.index(group_of);
    let mut of_group = groups.subscribe_with(&"".into(), Lag::Block(limit));
    let _never = store.subscribe();
    told(&mut changes);
    told(&mut of_group);
    writer.room().now_or_never().expect("nobody is behind");
    (10..16).for_each(|revision| writer.apply([put(&stored("ns", "0000", revision))]));

    let mut room = Box::pin(writer.room());
    assert!(futures::poll!(&mut room).is_pending(), "two are behind");
    told(&mut of_group);
    assert!(futures::poll!(&mut room).is_pending(), "one is still behind");
    assert_eq!(told(&mut changes).len(), 6);
    room.await;
    assert_eq!(told(&mut changes), [""; 0]);

    (16..22).for_each(|revision| writer.apply([put(&stored("ns", "0000", revision))]));
    told(&mut of_group);
    let began = tokio::time::Instant::now();
    writer.room().await;
    assert_eq!(began.elapsed(), limit, "one has stalled");
    // It is told the difference, like anybody else.
    (22..40).for_each(|revision| writer.apply([put(&stored("ns", "0000", revision))]));
    told(&mut of_group);
    writer.room().now_or_never().expect("it is not waited for twice");
    assert_eq!(told(&mut changes).last().map(String::as_str), Some("Modified(ns/0000@21 -> 39)"));
    // Whoever is gone is not waited for.
    (40..46).for_each(|revision| writer.apply([put(&stored("ns", "0000", revision))]));
    drop((changes, of_group));
    writer.room().now_or_never().expect("nobody is left");
}

#[tokio::test(start_paused = true)]
async fn everything_is_told_again_on_request_and_in_order() {
    let (store, mut writer) = filled(2, 64);
    let mut changes = store.subscribe();
    told(&mut changes);
    writer.apply([put(&stored("ns", "0000", 10))]);
    changes.resync();
    writer.apply([put(&stored("ns", "0001", 11))]);
    assert_eq!(
        told(&mut changes),
        ["Modified(ns/0000@1 -> 10)", "Modified(ns/0000@10 -> 10)", "Modified(ns/0001@2 -> 11)"]
    );

    let period = Duration::from_secs(30);
    let (mut periodic, mut other) = (store.subscribe().resync_every(period), store.subscribe());
    for _ in 0..3 {
        periodic.next().await;
    }
    told(&mut other);
    for _ in 0..3 {
        let began = tokio::time::Instant::now();
        for name in ["0000", "0001"] {
            let Some(Delta::Modified { old, new }) = periodic.next().await else { panic!("told again") };
            assert!(Arc::ptr_eq(&old, &new) && new.metadata.name == name);
        }
        assert_eq!(began.elapsed(), period);
    }
    assert_eq!(told(&mut other), [""; 0], "only those who ask are told again");
}

#[tokio::test(start_paused = true)]
async fn any_period_of_telling_again_is_taken() {
    let (store, _writer) = filled(1, 64);
    let mut always = store.subscribe().resync_every(Duration::ZERO);
    let mut never = store.subscribe().resync_every(Duration::MAX);
    let mut told = Vec::new();
    for changes in [&mut always, &mut never] {
        for _ in 0..2 {
            told.push(format!("{:?}", changes.next().await.expect("what there is")));
        }
    }
    assert_eq!(told, ["Added(ns/0000@1, initial)", "Synced"].repeat(2));
    let began = tokio::time::Instant::now();
    assert!(matches!(always.next().await, Some(Delta::Modified { .. })));
    assert!(began.elapsed() <= Duration::from_millis(2), "{:?}", began.elapsed());
    assert!(never.next().now_or_never().is_none());
}

#[test]
fn batches_are_shared_and_in_order() {
    let (store, mut writer) = filled(2, 64);
    let (mut one, mut two) = (store.subscribe(), store.subscribe());
    let initial = one.try_next_batch().expect("what there is");
    assert_eq!(initial.len(), 3);
    assert!(one.try_next_batch().is_none());
    assert_eq!(told(&mut two).len(), 3);
    writer.apply([
        put(&stored("ns", "0000", 10)),
        put(&stored("ns", "0000", 11)),
        put(&stored("ns", "0001", 12)),
    ]);
    let (first, second) = (one.try_next_batch().expect("news"), two.try_next_batch().expect("news"));
    assert_eq!(
        format!("{first:?}"),
        "[Modified(ns/0000@1 -> 10), Modified(ns/0000@10 -> 11), Modified(ns/0001@2 -> 12)]"
    );
    assert!(std::ptr::eq(first.as_ptr(), second.as_ptr()), "one copy for all");
    writer.apply([put(&stored("ns", "0000", 13))]);
    assert_eq!(told(&mut one), ["Modified(ns/0000@11 -> 13)"]);
}

/// A batch becomes visible as a whole, to readers and to subscribers.
#[test]
fn a_batch_is_seen_whole() {
    let (store, mut writer) = filled(10, 64);
    let stop = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !stop.load(std::sync::atomic::Ordering::Relaxed) {
                let versions: std::collections::BTreeSet<_> =
                    store.snapshot().iter().map(|map| map.data.get("round").cloned()).collect();
                assert_eq!(versions.len(), 1, "{versions:?}");
                let listed: std::collections::BTreeSet<_> =
                    store.list_in("ns").iter().map(|map| map.data.get("round").cloned()).collect();
                assert_eq!(listed.len(), 1, "{listed:?}");
            }
        });
        for round in 1..300_u64 {
            let objects = (0..10).map(|i| {
                let mut map = ConfigMap::clone(&stored("ns", &format!("{i:04}"), round * 100 + i));
                map.data.insert("round", round.to_string().as_str().into());
                Change::Put(Arc::new(map))
            });
            writer.apply(objects.collect::<Vec<_>>());
        }
        stop.store(true, std::sync::atomic::Ordering::Relaxed);
    });
}

/// A future that waits for the next change can be dropped at any time; no change is lost with it.
#[tokio::test(start_paused = true)]
async fn giving_up_on_the_next_change_loses_none() {
    let (store, mut writer) = filled(2, 4096);
    let mut changes = store.subscribe();
    let random = Random::new(3);
    let mut view = View::default();
    for revision in 10..1_000_u64 {
        writer.apply([put(&stored("ns", &format!("{:04}", revision % 5), revision))]);
        while random.chance(0.6) {
            let mut next = changes.next();
            match futures::poll!(&mut next) {
                std::task::Poll::Ready(Some(delta)) => view.hear(delta).unwrap(),
                std::task::Poll::Ready(None) => panic!("the cache has not stopped"),
                std::task::Poll::Pending => {}
            }
        }
    }
    view.hear_all(&mut changes).unwrap();
    assert!(view.objects.into_values().eq(store.list()));
}
