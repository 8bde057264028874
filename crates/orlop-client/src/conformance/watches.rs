//! Watches.

use orlop_model::core::v1::ConfigMap;
use serde_json::json;

use super::bench::{Bench, assert_quiet, labelled, map, next, next_event, next_events, number};
use super::cases;
use crate::{Error, ListOptions, WatchEvent, WatchOptions};

cases!("watches":
    changes_after_a_list,
    present_state_first,
    every_revision_can_be_resumed_from,
    only_the_namespace_asked_for,
    labels_decide_what_is_seen,
    fields_decide_what_is_seen,
    initial_events_end_with_a_bookmark,
    bookmarks_come_by_and_by,
    no_bookmarks_unasked,
    watchers_do_not_disturb_each_other,
    bad_selectors_are_refused,
    watches_from_compacted_revisions_are_expired,
);

async fn changes_after_a_list(bench: Bench) {
    bench.map("before", "1").await;
    let from = bench.revision().await;
    let mut watch = bench.maps().watch(&WatchOptions::from(&*from)).await.unwrap();
    let created = bench.map("one", "1").await;
    let updated = bench.maps().patch_merge("one", json!({"data": {"value": "2"}})).await.unwrap();
    let deleted = bench.maps().delete("one").await.unwrap();

    let WatchEvent::Added(added) = next(&mut watch).await.unwrap() else { panic!("expected ADDED") };
    assert_eq!(*added, *created);
    let WatchEvent::Modified(modified) = next(&mut watch).await.unwrap() else { panic!("expected MODIFIED") };
    assert_eq!(*modified, *updated);
    let WatchEvent::Deleted(last) = next(&mut watch).await.unwrap() else { panic!("expected DELETED") };
    // The last state, with the revision of the deletion.
    assert!(number(&last.metadata.resource_version) > number(&updated.metadata.resource_version));
    assert_eq!(last.data, updated.data);
    assert_eq!(last.metadata.resource_version, deleted.record().resource_version());
    assert_quiet(&mut watch).await;
}

async fn present_state_first(bench: Bench) {
    for name in ["a", "b"] {
        bench.map(name, "1").await;
    }
    for version in ["", "0"] {
        let options = WatchOptions { resource_version: version.into(), ..WatchOptions::new() };
        let mut watch = bench.maps().watch(&options).await.unwrap();
        let mut seen = next_events(&mut watch, 2).await;
        seen.sort();
        assert_eq!(seen, ["ADDED a", "ADDED b"]);
        let name = if version.is_empty() { "c" } else { "d" };
        bench.map(name, "1").await;
        assert_eq!(next_events(&mut watch, 1).await, [format!("ADDED {name}")]);
        bench.maps().delete(name).await.unwrap();
    }
}

async fn every_revision_can_be_resumed_from(bench: Bench) {
    let start = bench.revision().await;
    for name in ["a", "b"] {
        bench.map(name, "1").await;
        bench.maps().patch_merge(name, json!({"data": {"value": "2"}})).await.unwrap();
    }
    bench.maps().delete("a").await.unwrap();
    let expected = ["ADDED a", "MODIFIED a", "ADDED b", "MODIFIED b", "DELETED a"];
    let mut watch = bench.maps().watch(&WatchOptions::from(&*start)).await.unwrap();
    let mut from = vec![start];
    for event in expected {
        let (type_, name, version) = next_event(&mut watch).await;
        assert_eq!(format!("{type_} {name}"), event);
        from.push(version);
    }
    for (index, version) in from.iter().enumerate() {
        let mut watch = bench.maps().watch(&WatchOptions::from(&**version)).await.unwrap();
        assert_eq!(next_events(&mut watch, expected.len() - index).await, expected[index..]);
        assert_quiet(&mut watch).await;
    }
}

async fn only_the_namespace_asked_for(bench: Bench) {
    let other = format!("{}-b", bench.namespace);
    bench.make_namespace(&other).await;
    let from = WatchOptions::from(&*bench.revision().await);
    let mut ours = bench.maps().watch(&from).await.unwrap();
    let mut all = crate::Api::<ConfigMap>::all(bench.client.clone()).watch(&from).await.unwrap();
    bench.maps().within(&other).create(map("theirs", "1")).await.unwrap();
    bench.map("ours", "1").await;
    assert_eq!(next_events(&mut ours, 1).await, ["ADDED ours"]);
    assert_eq!(next_events(&mut all, 2).await, ["ADDED theirs", "ADDED ours"]);
    bench.maps().within(&other).delete("theirs").await.unwrap();
    bench.namespaces().delete(&other).await.unwrap();
}

async fn labels_decide_what_is_seen(bench: Bench) {
    bench.maps().create(labelled("a", "red")).await.unwrap();
    bench.maps().create(labelled("b", "blue")).await.unwrap();
    let mut watch = bench.maps().watch(&WatchOptions::new().labels("group=red")).await.unwrap();
    assert_eq!(next_events(&mut watch, 1).await, ["ADDED a"]);
    let set = async |name: &str, label: &str| {
        bench.maps().patch_merge(name, json!({"metadata": {"labels": {"group": label}}})).await.unwrap()
    };
    set("b", "red").await;
    bench.maps().patch_merge("b", json!({"data": {"value": "2"}})).await.unwrap();
    assert_eq!(next_events(&mut watch, 2).await, ["ADDED b", "MODIFIED b"]);
    let left = set("b", "green").await;
    let WatchEvent::Deleted(last) = next(&mut watch).await.unwrap() else { panic!("expected DELETED") };
    // The state that matched, with the revision of the change.
    assert_eq!(last.metadata.labels.get("group").map(|label| &**label), Some("red"));
    assert_eq!(last.metadata.resource_version, left.metadata.resource_version);
    set("b", "yellow").await;
    bench.maps().delete("b").await.unwrap();
    bench.maps().delete("a").await.unwrap();
    assert_eq!(next_events(&mut watch, 1).await, ["DELETED a"]);
    assert_quiet(&mut watch).await;
}

async fn fields_decide_what_is_seen(bench: Bench) {
    bench.pod("a").await;
    let mut bound = bench.pods().watch(&WatchOptions::new().fields("spec.nodeName=node-1")).await.unwrap();
    let mut waiting = bench.pods().watch(&WatchOptions::new().fields("spec.nodeName=")).await.unwrap();
    let mut named = bench.pods().watch(&WatchOptions::new().fields("metadata.name=b")).await.unwrap();
    assert_eq!(next_events(&mut waiting, 1).await, ["ADDED a"]);
    bench.pod("b").await;
    bench.pods().bind("a", "node-1").await.unwrap();
    bench.pods().bind("b", "node-2").await.unwrap();
    assert_eq!(next_events(&mut bound, 1).await, ["ADDED a"]);
    assert_eq!(next_events(&mut waiting, 3).await, ["ADDED b", "DELETED a", "DELETED b"]);
    assert_eq!(next_events(&mut named, 2).await, ["ADDED b", "MODIFIED b"]);
    assert_quiet(&mut bound).await;
}

async fn initial_events_end_with_a_bookmark(bench: Bench) {
    bench.map("a", "1").await;
    let revision = bench.revision().await;
    let mut watch = bench.maps().watch(&WatchOptions::new().initial_events().bookmarks()).await.unwrap();
    assert_eq!(next_events(&mut watch, 1).await, ["ADDED a"]);
    let WatchEvent::Bookmark { resource_version, initial_events_end: true } = next(&mut watch).await.unwrap()
    else {
        panic!("expected the end of the initial events")
    };
    assert!(number(&resource_version) >= number(&revision));
    bench.map("b", "1").await;
    assert_eq!(next_events(&mut watch, 1).await, ["ADDED b"]);
}

async fn bookmarks_come_by_and_by(bench: Bench) {
    let from = bench.revision().await;
    let mut watch = bench.maps().watch(&WatchOptions::from(&*from).bookmarks()).await.unwrap();
    // Something happens elsewhere: the watch learns from bookmarks alone that it is not behind.
    let elsewhere = bench.pod("a").await;
    loop {
        let WatchEvent::Bookmark { resource_version, initial_events_end: false } =
            next(&mut watch).await.unwrap()
        else {
            panic!("expected a bookmark")
        };
        if number(&resource_version) >= number(&elsewhere.metadata.resource_version) {
            break;
        }
    }
    bench.map("a", "1").await;
    assert_eq!(next_events(&mut watch, 1).await, ["ADDED a"]);
}

async fn no_bookmarks_unasked(bench: Bench) {
    bench.map("a", "1").await;
    let mut watch = bench.maps().watch(&WatchOptions::new().initial_events()).await.unwrap();
    bench.map("b", "1").await;
    assert_eq!(next_events(&mut watch, 2).await, ["ADDED a", "ADDED b"]);
}

async fn watchers_do_not_disturb_each_other(bench: Bench) {
    let from = WatchOptions::from(&*bench.revision().await);
    let mut asleep = bench.maps().watch(&from).await.unwrap();
    let mut awake = bench.maps().watch(&from).await.unwrap();
    let mut gone = bench.maps().watch(&from).await.unwrap();
    for number in 0..50 {
        let name = format!("map-{number}");
        bench.map(&name, "1").await;
        assert_eq!(next_events(&mut awake, 1).await, [format!("ADDED {name}")]);
        if number == 10 {
            assert_eq!(next_events(&mut gone, 1).await, ["ADDED map-0"]);
            gone = bench.maps().watch(&WatchOptions::new().labels("never=matches")).await.unwrap();
        }
    }
    let expected: Vec<_> = (0..50).map(|number| format!("ADDED map-{number}")).collect();
    assert_eq!(next_events(&mut asleep, 50).await, expected);
    assert_eq!(bench.maps().list(&ListOptions::new()).await.unwrap().items.len(), 50);
}

async fn bad_selectors_are_refused(bench: Bench) {
    for options in [WatchOptions::new().labels("a in b"), WatchOptions::new().fields("spec.colour=red")] {
        let error = match bench.maps().watch(&options).await {
            Err(error) => error,
            Ok(mut watch) => next(&mut watch).await.expect_err("the selector is bad"),
        };
        assert!(matches!(error, Error::BadRequest { .. }), "{error:?}");
    }
}

async fn watches_from_compacted_revisions_are_expired(bench: Bench) {
    let from = bench.map("a", "1").await.metadata.resource_version.clone();
    bench.map("b", "1").await;
    bench.map("c", "1").await;
    if !bench.compact().await {
        return;
    }
    let error = match bench.maps().watch(&WatchOptions::from(&*from)).await {
        Err(error) => error,
        Ok(mut watch) => next(&mut watch).await.expect_err("the revision is compacted"),
    };
    assert!(error.is_expired(), "{error:?}");
    assert_eq!((error.code(), error.reason()), (410, "Expired"));
    let from = bench.revision().await;
    let mut watch = bench.maps().watch(&WatchOptions::from(&*from)).await.unwrap();
    bench.map("d", "1").await;
    assert_eq!(next_events(&mut watch, 1).await, ["ADDED d"]);
}
