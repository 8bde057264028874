use super::bench::{Bench, batch, below, events, expired, next, quiet};
use super::cases;
use crate::{At, Error, Page, Revision, Update};

cases!("compaction":
    the_state_stays,
    the_past_goes,
    watch_boundaries,
    deletions_at_the_boundary,
    watching_again_from_the_beginning,
    again_and_in_the_future,
    revisions_go_on,
    pages_end_with_expired,
    an_idle_watch_sees_no_gap,
    while_writing,
);

async fn the_state_stays(bench: Bench) {
    bench.put("a", "1").await;
    bench.put("gone", "1").await;
    let two = bench.put("a", "2").await;
    bench.delete("gone").await;
    let created = bench.put("b", "1").await;
    let at = bench.revision().await;
    let later = bench.put("a", "3").await;
    bench.store.compact(at).await.unwrap();
    assert_eq!(bench.all(At::Exactly(at)).await, ["a=2", "b=1"]);
    assert_eq!(bench.get("a", At::Exactly(at)).await.unwrap().unwrap().revision, two);
    assert_eq!(bench.all(At::Exactly(later)).await, ["a=3", "b=1"]);
    bench.store.compact(later).await.unwrap();
    assert_eq!(bench.all(At::Exactly(later)).await, ["a=3", "b=1"]);
    assert_eq!(bench.all(At::Latest).await, ["a=3", "b=1"]);
    let record = bench.get("b", At::Latest).await.unwrap().unwrap();
    assert_eq!((record.created, record.revision), (created, created));
}

async fn the_past_goes(bench: Bench) {
    let one = bench.put("a", "1").await;
    let two = bench.put("a", "2").await;
    let three = bench.put("a", "3").await;
    bench.store.compact(two).await.unwrap();
    for old in [bench.base, one] {
        expired(bench.get("a", At::Exactly(old)).await, old);
        expired(bench.get("never", At::Exactly(old)).await, old);
        expired(bench.store.list(&below(""), At::Exactly(old), Page::ALL).await, old);
        // Not older than: anything newer will do.
        assert!(bench.get("a", At::NotOlderThan(old)).await.unwrap().unwrap().revision >= one);
    }
    assert_eq!(bench.text("a", At::Exactly(two)).await.as_deref(), Some("2"));
    assert_eq!(bench.text("a", At::Exactly(three)).await.as_deref(), Some("3"));
}

async fn watch_boundaries(bench: Bench) {
    let mut revisions = vec![bench.base];
    for number in 1..=6 {
        revisions.push(bench.put("a", &number.to_string()).await);
    }
    bench.store.compact(revisions[3]).await.unwrap();
    for old in [bench.base, revisions[1], revisions[2]] {
        let mut watch = bench.store.watch(&below(""), old);
        expired(next(&mut watch).await.unwrap(), old);
        assert!(next(&mut watch).await.is_none(), "nothing comes after the error");
    }
    for start in 3..=6 {
        let mut watch = bench.store.watch(&below(""), revisions[start]);
        for (number, revision) in revisions.iter().enumerate().skip(start + 1) {
            assert_eq!(events(&mut watch, *revision).await, [format!("~a={number}")]);
        }
        assert_eq!(quiet(&mut watch).await, revisions[6]);
    }
}

/// etcd #18089, #19179.
async fn deletions_at_the_boundary(bench: Bench) {
    bench.put("a", "1").await;
    let put = bench.put("b", "1").await;
    let deleted = bench.delete("a").await;
    let last = bench.delete("b").await;
    bench.store.compact(put).await.unwrap();
    let mut watch = bench.store.watch(&below(""), put);
    assert_eq!(events(&mut watch, deleted).await, ["-a=1"]);
    assert_eq!(events(&mut watch, last).await, ["-b=1"]);
    bench.store.compact(deleted).await.unwrap();
    // The event of the deletion itself is gone: said, not passed over.
    expired(next(&mut bench.store.watch(&below(""), put)).await.unwrap(), put);
    let mut watch = bench.store.watch(&below(""), deleted);
    assert_eq!(events(&mut watch, last).await, ["-b=1"]);
    assert_eq!(bench.text("a", At::Exactly(deleted)).await, None);
    assert_eq!(bench.text("b", At::Exactly(deleted)).await.as_deref(), Some("1"));
    bench.store.compact(last).await.unwrap();
    assert_eq!(bench.all(At::Latest).await, [""; 0]);
    let again = bench.put("a", "2").await;
    assert_eq!(bench.get("a", At::Latest).await.unwrap().unwrap().created, again);
}

/// Revision 0 means the beginning, and nothing else.
async fn watching_again_from_the_beginning(bench: Bench) {
    bench.put("a", "1").await;
    let two = bench.put("a", "2").await;
    bench.store.compact(two).await.unwrap();
    expired(next(&mut bench.store.watch(&below(""), Revision::ZERO)).await.unwrap(), Revision::ZERO);
    expired(bench.get("a", At::Exactly(Revision::ZERO)).await, Revision::ZERO);
    assert_eq!(bench.text("a", At::NotOlderThan(Revision::ZERO)).await.as_deref(), Some("2"));
}

async fn again_and_in_the_future(bench: Bench) {
    let one = bench.put("a", "1").await;
    let two = bench.put("a", "2").await;
    bench.store.compact(two).await.unwrap();
    bench.store.compact(two).await.unwrap();
    bench.store.compact(one).await.unwrap();
    bench.store.compact(Revision::ZERO).await.unwrap();
    assert_eq!(bench.text("a", At::Exactly(two)).await.as_deref(), Some("2"));
    let future = bench.store.compact(Revision(two.0 + 1)).await;
    assert!(
        matches!(future, Err(Error::Future { requested, current }) if requested.0 == two.0 + 1 && current == two)
    );
}

/// etcd #17780.
async fn revisions_go_on(bench: Bench) {
    let mut last = bench.base;
    for number in 0..10 {
        let revision = if number % 3 == 2 { bench.delete("a").await } else { bench.put("a", "").await };
        assert!(revision > last);
        bench.store.compact(revision).await.unwrap();
        assert_eq!(bench.revision().await, revision);
        assert_eq!(bench.list(&below(""), At::Latest, Page::ALL).await.revision, revision);
        last = revision;
    }
}

async fn pages_end_with_expired(bench: Bench) {
    for number in 0..6 {
        bench.put(&format!("k{number}"), "").await;
    }
    let first = bench.list(&below(""), At::Latest, Page::first(2)).await;
    bench.store.compact(first.revision).await.unwrap();
    let page = Page::first(2).after(first.next().unwrap());
    let second = bench.list(&below(""), At::Exactly(first.revision), page.clone()).await;
    assert_eq!((second.records.len(), second.remaining), (2, 2));
    let newer = bench.put("k9", "").await;
    bench.store.compact(newer).await.unwrap();
    expired(bench.store.list(&below(""), At::Exactly(first.revision), page.clone()).await, first.revision);
    // It can be gone on at the present state.
    assert_eq!(bench.list(&below(""), At::Latest, page).await.remaining, 3);
}

/// A watch whose history is compacted before it takes it: all of it, or an error. Never a part.
async fn an_idle_watch_sees_no_gap(bench: Bench) {
    let mut watch = bench.store.watch(&below(""), bench.base);
    let mut revisions = Vec::new();
    for number in 0..50 {
        revisions.push(bench.put("a", &number.to_string()).await);
    }
    assert_eq!(batch(&mut watch).await.revision, revisions[0]);
    bench.store.compact(revisions[30]).await.unwrap();
    let mut due = revisions[1..].iter();
    loop {
        match next(&mut watch).await {
            Some(Ok(Update::Batch(batch))) => {
                assert_eq!(Some(&batch.revision), due.next());
                if batch.revision == revisions[49] {
                    break;
                }
            }
            Some(Err(Error::Expired { compacted, .. })) => {
                assert_eq!(compacted, revisions[30]);
                assert!(due.as_slice().first().is_some_and(|lost| *lost <= compacted), "nothing was lost");
                break;
            }
            other => panic!("{other:?}"),
        }
    }
}

async fn while_writing(bench: Bench) {
    let mut watch = bench.store.watch(&below(""), bench.base);
    let writes = async {
        for number in 0..300 {
            let name = format!("k{}", number % 7);
            if number % 4 == 3 {
                bench.delete(&name).await
            } else {
                bench.put(&name, &number.to_string()).await
            };
            tokio::task::yield_now().await;
        }
        bench.put("end", "").await;
    };
    let compactions = async {
        for _ in 0..100 {
            tokio::task::yield_now().await;
            let current = bench.revision().await;
            bench.store.compact(Revision(current.0.saturating_sub(10).max(bench.base.0))).await.unwrap();
        }
    };
    let follow = async {
        let mut seen = bench.base;
        loop {
            match next(&mut watch).await {
                Some(Ok(Update::Batch(batch))) => {
                    let event = &batch.events[0];
                    assert!(batch.revision > seen);
                    if let Some(previous) = &event.previous {
                        assert!(previous.revision <= seen, "the state before was delivered before");
                    }
                    seen = batch.revision;
                    if event.key().ends_with("end") {
                        break;
                    }
                }
                // A backend at a distance may not keep up.
                Some(Err(Error::Expired { compacted, .. })) if compacted > seen => break,
                other => panic!("{other:?}"),
            }
        }
    };
    futures::join!(writes, compactions, follow);
}
