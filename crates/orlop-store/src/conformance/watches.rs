use std::task::Poll;

use futures::{FutureExt, StreamExt, poll};

use super::bench::{Bench, batch, below, events, key, next, quiet, told};
use super::cases;
use crate::{At, Change, KeyRange, Page, Revision, Txn, Update, Watch};

cases!("watches":
    what_comes_after_the_start,
    resuming_at_every_revision,
    only_the_range,
    the_changes_of_a_revision_together,
    previous_and_last_states,
    watches_do_not_share_events,
    starting_in_the_future,
    bookmarks_never_overtake,
    bookmarks_outside_the_range,
    bookmarks_of_the_future,
    bookmarks_by_time,
    events_can_be_read,
    a_dropped_poll_loses_nothing,
    list_and_watch_have_no_gap,
    waking_up,
    many_watches,
);

async fn what_comes_after_the_start(bench: Bench) {
    let one = bench.put("a", "1").await;
    let mut watch = bench.store.watch(&below(""), one);
    assert_eq!(quiet(&mut watch).await, one);
    let two = bench.put("a", "2").await;
    let three = bench.delete("a").await;
    assert_eq!(events(&mut watch, two).await, ["~a=2"]);
    assert_eq!(events(&mut watch, three).await, ["-a=2"]);
    assert_eq!(quiet(&mut watch).await, three);
}

async fn resuming_at_every_revision(bench: Bench) {
    let mut history = Vec::new();
    for number in 0..20 {
        let name = ["a", "b", "c"][number % 3];
        let revision = if number % 5 == 4 {
            bench.delete(name).await
        } else {
            bench.put(name, &number.to_string()).await
        };
        history.push(revision);
    }
    let mut watch = bench.store.watch(&below(""), bench.base);
    let mut full = Vec::new();
    for revision in &history {
        full.push(events(&mut watch, *revision).await);
    }
    for start in 0..=history.len() {
        let from = if start == 0 { bench.base } else { history[start - 1] };
        let mut watch = bench.store.watch(&below(""), from);
        for (revision, expected) in history.iter().zip(&full).skip(start) {
            assert_eq!(events(&mut watch, *revision).await, *expected, "from {from}");
        }
        assert_eq!(quiet(&mut watch).await, *history.last().unwrap());
    }
}

async fn only_the_range(bench: Bench) {
    let ranges = [
        below(""),
        below("a/"),
        KeyRange::single(key("a/1")),
        KeyRange::between(key("a/2"), key("b")),
        KeyRange::between(key("b"), key("a")),
        KeyRange::from(key("b")),
    ];
    // Each twice: to see what is there already, and to be there when it happens.
    let mut watches: Vec<Watch> = ranges.iter().map(|range| bench.store.watch(range, bench.base)).collect();
    let names = ["a", "a/", "a/0", "a/1", "a/1\0", "a/2", "a/2/x", "b", "b/1", "a/1"];
    let mut revisions = Vec::new();
    for name in names {
        revisions.push(bench.put(name, "").await);
    }
    watches.extend(ranges.iter().map(|range| bench.store.watch(range, bench.base)));
    for (range, watch) in ranges.iter().chain(&ranges).zip(&mut watches) {
        for (name, revision) in names.iter().zip(&revisions).filter(|(name, _)| range.contains(&key(name))) {
            let seen = batch(watch).await;
            assert_eq!((seen.revision, seen.events.len()), (*revision, 1), "{range:?}");
            assert_eq!(*seen.events[0].key(), key(name), "{range:?}");
        }
        assert!(quiet(watch).await >= *revisions.last().unwrap(), "{range:?}");
    }
}

async fn the_changes_of_a_revision_together(bench: Bench) {
    let mut live = bench.store.watch(&below(""), bench.base);
    let mut part = bench.store.watch(&below("a/"), bench.base);
    let text = super::bench::text;
    let one = bench
        .commit(Txn::new().put(key("b"), text("1")).put(key("a/2"), text("1")).put(key("a/1"), text("1")))
        .await;
    let two = bench.commit(Txn::new().delete(key("a/1")).put(key("b"), text("2"))).await;
    let three = bench.commit(Txn::new().delete(key("b"))).await;
    let mut late = bench.store.watch(&below(""), bench.base);
    for watch in [&mut live, &mut late] {
        assert_eq!(events(watch, one.revision).await, ["+b=1", "+a/2=1", "+a/1=1"]);
        assert_eq!(events(watch, two.revision).await, ["-a/1=1", "~b=2"]);
        assert_eq!(events(watch, three.revision).await, ["-b=2"]);
    }
    let mut late = bench.store.watch(&below("a/"), bench.base);
    for watch in [&mut part, &mut late] {
        assert_eq!(events(watch, one.revision).await, ["+a/2=1", "+a/1=1"]);
        assert_eq!(events(watch, two.revision).await, ["-a/1=1"]);
        assert_eq!(quiet(watch).await, three.revision);
    }
}

async fn previous_and_last_states(bench: Bench) {
    let mut watch = bench.store.watch(&below(""), bench.base);
    let one = bench.put("a", "1").await;
    let two = bench.put("a", "2").await;
    let three = bench.delete("a").await;
    let four = bench.put("a", "4").await;
    let mut seen = Vec::new();
    for _ in 0..4 {
        let batch = batch(&mut watch).await;
        let event = &batch.events[0];
        seen.push((
            event.change,
            event.record.created,
            event.revision(),
            event.previous.as_ref().map(|record| record.revision),
        ));
    }
    let expected = [
        (Change::Created, one, one, None),
        (Change::Updated, one, two, Some(one)),
        (Change::Deleted, one, three, Some(two)),
        (Change::Created, four, four, None),
    ];
    assert_eq!(seen, expected);
}

async fn watches_do_not_share_events(bench: Bench) {
    let mut one = bench.store.watch(&below(""), bench.base);
    let mut two = bench.store.watch(&below(""), bench.base);
    let a = bench.put("a", "1").await;
    assert_eq!(events(&mut one, a).await, ["+a=1"]);
    let b = bench.put("b", "1").await;
    assert_eq!(events(&mut two, a).await, ["+a=1"]);
    drop(one);
    assert_eq!(events(&mut two, b).await, ["+b=1"]);
    let mut three = bench.store.watch(&below(""), a);
    let c = bench.put("c", "1").await;
    assert_eq!(events(&mut three, b).await, ["+b=1"]);
    assert_eq!(events(&mut three, c).await, ["+c=1"]);
    assert_eq!(events(&mut two, c).await, ["+c=1"]);
}

/// Neither the past nor notices of it (etcd #20221).
async fn starting_in_the_future(bench: Bench) {
    let current = bench.put("a", "1").await;
    for ahead in 1..=3 {
        let current = bench.revision().await;
        let from = Revision(current.0 + ahead);
        let mut watch = bench.store.watch(&below(""), from);
        for number in 1..=ahead {
            assert!(matches!(poll!(watch.next()), Poll::Pending), "{number} of {ahead}");
            bench.put("a", &number.to_string()).await;
        }
        assert!(matches!(poll!(watch.next()), Poll::Pending), "up to the start itself");
        let after = bench.put("b", "x").await;
        assert_eq!(batch(&mut watch).await.revision, after);
    }
    assert!(bench.revision().await > current);
}

/// etcd #15220.
async fn bookmarks_never_overtake(bench: Bench) {
    let mut watch = bench.store.watch(&below(""), bench.base);
    let mut revisions = Vec::new();
    for number in 0..10 {
        revisions.push(bench.put("a", &number.to_string()).await);
    }
    watch.request_bookmark();
    // More may happen before the bookmark is due; it then comes earlier or later, but in its place.
    for number in 10..20 {
        revisions.push(bench.put("a", &number.to_string()).await);
    }
    let mut delivered = bench.base;
    let mut bookmarks = 0;
    let mut rest = revisions.iter();
    while bookmarks == 0 || delivered < revisions[19] {
        match next(&mut watch).await.unwrap().unwrap() {
            Update::Batch(batch) => {
                assert_eq!(Some(&batch.revision), rest.next());
                delivered = batch.revision;
            }
            Update::Bookmark(revision) => {
                assert!(
                    revision >= revisions[9],
                    "the bookmark stands for what had happened when it was asked for"
                );
                assert!(revision >= delivered && rest.as_slice().first().is_none_or(|next| revision < *next));
                bookmarks += 1;
            }
        }
    }
    assert_eq!(bookmarks, 1);
    assert_eq!(quiet(&mut watch).await, revisions[19]);
    assert_eq!(quiet(&mut watch).await, revisions[19]);
}

async fn bookmarks_outside_the_range(bench: Bench) {
    let mut watch = bench.store.watch(&below("a"), bench.base);
    let one = bench.put("b", "1").await;
    assert_eq!(quiet(&mut watch).await, one);
    let two = bench.put("b", "2").await;
    let three = bench.put("a", "1").await;
    let four = bench.put("b", "3").await;
    watch.request_bookmark();
    assert_eq!(events(&mut watch, three).await, ["+a=1"]);
    assert!(matches!(next(&mut watch).await, Some(Ok(Update::Bookmark(revision))) if revision == four));
    // From a bookmark one can go on.
    let mut resumed = bench.store.watch(&below("a"), two);
    assert_eq!(events(&mut resumed, three).await, ["+a=1"]);
}

async fn bookmarks_of_the_future(bench: Bench) {
    let current = bench.put("a", "1").await;
    let from = Revision(current.0 + 2);
    let mut watch = bench.store.watch(&below("a"), from);
    watch.request_bookmark();
    assert!(matches!(poll!(watch.next()), Poll::Pending));
    bench.put("a", "2").await;
    assert!(matches!(poll!(watch.next()), Poll::Pending));
    let writes = async {
        tokio::task::yield_now().await;
        bench.put("elsewhere", "1").await
    };
    let (update, reached) = futures::join!(next(&mut watch), writes);
    assert!(
        matches!(update, Some(Ok(Update::Bookmark(revision))) if revision >= from && revision >= reached),
        "{update:?}"
    );
    let last = bench.put("a", "3").await;
    assert_eq!(events(&mut watch, last).await, ["~a=3"]);
}

async fn bookmarks_by_time(bench: Bench) {
    let period = std::time::Duration::from_millis(20);
    let mut watch = bench.store.watch(&below(""), bench.base).with_bookmarks(period);
    let one = bench.put("a", "1").await;
    assert_eq!(events(&mut watch, one).await, ["+a=1"]);
    for _ in 0..3 {
        assert!(matches!(next(&mut watch).await, Some(Ok(Update::Bookmark(revision))) if revision == one));
    }
}

async fn events_can_be_read(bench: Bench) {
    let mut watch = bench.store.watch(&below(""), bench.base);
    let writes = async {
        for number in 0..50 {
            bench.put("a", &number.to_string()).await;
            tokio::task::yield_now().await;
        }
    };
    let reads = async {
        for _ in 0..50 {
            let revision = batch(&mut watch).await.revision;
            assert!(bench.revision().await >= revision);
            assert!(bench.get("a", At::NotOlderThan(revision)).await.unwrap().unwrap().revision >= revision);
            assert!(bench.get("a", At::Latest).await.unwrap().unwrap().revision >= revision);
        }
    };
    futures::join!(writes, reads);
}

async fn a_dropped_poll_loses_nothing(bench: Bench) {
    let mut watch = bench.store.watch(&below(""), bench.base);
    for number in 0..20 {
        // Given up before there is anything; and tried on an answer that is then taken.
        assert!(watch.next().now_or_never().is_none());
        drop(watch.next());
        let revision = bench.put("a", &number.to_string()).await;
        drop(watch.next());
        assert_eq!(batch(&mut watch).await.revision, revision);
    }
}

async fn list_and_watch_have_no_gap(bench: Bench) {
    let writes = async {
        for number in 0..200 {
            let name = format!("k{}", number % 17);
            if number % 5 == 3 {
                bench.delete(&name).await
            } else {
                bench.put(&name, &number.to_string()).await
            };
            tokio::task::yield_now().await;
        }
        bench.put("end", "").await
    };
    let reader = async |turns: usize| {
        for _ in 0..turns {
            tokio::task::yield_now().await;
        }
        let listing = bench.list(&below(""), At::Latest, Page::ALL).await;
        let mut state: std::collections::BTreeMap<_, _> =
            listing.records.into_iter().map(|record| (record.key.clone(), record)).collect();
        let mut watch = bench.store.watch(&below(""), listing.revision);
        while !state.contains_key(&key("end")) {
            for event in &*batch(&mut watch).await.events {
                let before = match event.current() {
                    Some(record) => state.insert(event.key().clone(), record.clone()),
                    None => state.remove(event.key()),
                };
                let revision = |record: &Option<std::sync::Arc<crate::Record>>| {
                    record.as_ref().map(|record| record.revision)
                };
                assert_eq!(revision(&before), revision(&event.previous), "{}", told(event));
            }
        }
        let now: Vec<_> = bench.list(&below(""), At::Latest, Page::ALL).await.records;
        let revisions = |records: Vec<&std::sync::Arc<crate::Record>>| -> Vec<_> {
            records.into_iter().map(|record| (record.key.clone(), record.revision)).collect()
        };
        assert_eq!(revisions(state.values().collect()), revisions(now.iter().collect()));
    };
    futures::join!(writes, reader(0), reader(10), reader(100), reader(150));
}

/// A waiting watch is woken by what concerns it, however many others wait.
async fn waking_up(bench: Bench) {
    let mut all = bench.store.watch(&below(""), bench.base);
    let mut one = bench.store.watch(&KeyRange::single(key("a")), bench.base);
    let mut other = bench.store.watch(&KeyRange::single(key("b")), bench.base);
    for number in 0..10 {
        let write = async {
            for _ in 0..3 {
                tokio::task::yield_now().await;
            }
            bench.put("a", &number.to_string()).await
        };
        let (seen, seen_by_one, revision) = futures::join!(batch(&mut all), batch(&mut one), write);
        assert_eq!((seen.revision, seen_by_one.revision), (revision, revision));
        assert!(poll!(other.next()).is_pending());
    }
}

async fn many_watches(bench: Bench) {
    let mut watches: Vec<_> = (0..500)
        .map(|number| match number % 5 {
            0 => bench.store.watch(&KeyRange::single(key(&format!("k/{number}"))), bench.base),
            _ => bench.store.watch(&below("k/"), bench.base),
        })
        .collect();
    let mut last = bench.base;
    for number in (0..500).step_by(5) {
        last = bench.put(&format!("k/{number}"), "").await;
    }
    for (number, watch) in watches.iter_mut().enumerate() {
        let expected = if number % 5 == 0 { 1 } else { 100 };
        for _ in 0..expected {
            batch(watch).await;
        }
        assert_eq!(quiet(watch).await, last);
    }
}
