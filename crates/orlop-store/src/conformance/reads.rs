use super::bench::{Bench, below, key, names, text};
use super::cases;
use crate::{At, Error, KeyRange, Page, Revision, Txn};

cases!("reads":
    absent_keys,
    records_know_their_revisions,
    history_of_a_key,
    not_older_than,
    the_future_is_an_error,
    lists_are_sorted,
    ranges_end_where_they_say,
    lists_of_the_past,
    pages_are_of_one_revision,
    pages_go_on_behind_missing_keys,
    a_limit_of_zero_counts,
    long_lists,
    waiting_for_a_revision,
);

async fn absent_keys(bench: Bench) {
    assert_eq!(bench.text("nothing", At::Latest).await, None);
    assert_eq!(bench.text("nothing", At::NotOlderThan(bench.base)).await, None);
    assert_eq!(bench.text("nothing", At::Exactly(bench.base)).await, None);
    assert_eq!(bench.all(At::Latest).await, [""; 0]);
    assert_eq!(bench.list(&below(""), At::Latest, Page::ALL).await.revision, bench.base);
}

async fn records_know_their_revisions(bench: Bench) {
    let one = bench.put("a", "1").await;
    assert!(one > bench.base, "a write takes a revision");
    let two = bench.put("a", "2").await;
    assert!(two > one, "revisions increase");
    let record = bench.get("a", At::Latest).await.unwrap().unwrap();
    assert_eq!((record.key.as_str(), record.created, record.revision), ("/conformance/a", one, two));
    bench.delete("a").await;
    let three = bench.put("a", "3").await;
    let record = bench.get("a", At::Latest).await.unwrap().unwrap();
    assert_eq!((record.created, record.revision), (three, three), "created anew");
    assert_eq!(bench.revision().await, three);
}

async fn history_of_a_key(bench: Bench) {
    let one = bench.put("a", "1").await;
    let two = bench.put("a", "2").await;
    let between = bench.put("b", "x").await;
    let gone = bench.delete("a").await;
    let again = bench.put("a", "3").await;
    let states = [
        (bench.base, None),
        (one, Some("1")),
        (two, Some("2")),
        (between, Some("2")),
        (gone, None),
        (again, Some("3")),
    ];
    for (revision, expected) in states {
        assert_eq!(bench.text("a", At::Exactly(revision)).await.as_deref(), expected, "at {revision}");
    }
    let record = bench.get("a", At::Exactly(between)).await.unwrap().unwrap();
    assert_eq!((record.created, record.revision), (one, two));
}

async fn not_older_than(bench: Bench) {
    let one = bench.put("a", "1").await;
    let two = bench.put("a", "2").await;
    assert_eq!(bench.text("a", At::NotOlderThan(two)).await.as_deref(), Some("2"));
    // Older than asked for it must not be, newer it may.
    let old = bench.text("a", At::NotOlderThan(one)).await.unwrap();
    assert!(old == "1" || old == "2", "{old}");
    let listing = bench.list(&below(""), At::NotOlderThan(two), Page::ALL).await;
    assert!(listing.revision >= two);
    assert_eq!(names(&listing), ["a=2"]);
}

async fn the_future_is_an_error(bench: Bench) {
    let current = bench.put("a", "1").await;
    let requested = Revision(current.0 + 1);
    for at in [At::NotOlderThan(requested), At::Exactly(requested)] {
        let future = |error| matches!(error, Error::Future { requested: told, current: now } if told == requested && now == current);
        assert!(bench.get("a", at).await.is_err_and(future), "get {at:?}");
        assert!(bench.store.list(&below(""), at, Page::ALL).await.is_err_and(future), "list {at:?}");
    }
}

async fn lists_are_sorted(bench: Bench) {
    for name in ["b", "a/2", "a/10", "a", "c", "a0", "é", "a/1"] {
        bench.put(name, name).await;
    }
    bench.delete("c").await;
    let listed = bench.all(At::Latest).await;
    let expected = ["a=a", "a/1=a/1", "a/10=a/10", "a/2=a/2", "a0=a0", "b=b", "é=é"];
    assert_eq!(listed, expected);
    let listing = bench.list(&below("a/"), At::Latest, Page::ALL).await;
    assert_eq!(names(&listing), ["a/1=a/1", "a/10=a/10", "a/2=a/2"]);
    assert_eq!((listing.revision, listing.remaining), (bench.revision().await, 0));
    assert_eq!(listing.next(), None);
}

async fn ranges_end_where_they_say(bench: Bench) {
    for name in ["a", "b", "b\0", "c"] {
        bench.put(name, "").await;
    }
    let listed = async |range: KeyRange| names(&bench.list(&range, At::Latest, Page::ALL).await);
    assert_eq!(listed(KeyRange::single(key("b"))).await, ["b="]);
    assert_eq!(listed(KeyRange::between(key("a"), key("c"))).await, ["a=", "b=", "b\0="]);
    assert_eq!(listed(KeyRange::between(key("c"), key("a"))).await, [""; 0]);
    assert_eq!(listed(KeyRange::between(key("a"), key("a"))).await, [""; 0]);
    assert_eq!(listed(KeyRange::between(key("b\0"), key("z"))).await, ["b\0=", "c="]);
    let everything = listed(KeyRange::all()).await;
    assert!(["a=", "b=", "b\0=", "c="].iter().all(|name| everything.iter().any(|listed| listed == name)));
    let on = listed(KeyRange::from(key("b"))).await;
    assert!(on.starts_with(&["b=".into(), "b\0=".into(), "c=".into()]), "{on:?}");
}

async fn lists_of_the_past(bench: Bench) {
    let one = bench.commit(Txn::new().put(key("a"), text("1")).put(key("b"), text("1"))).await.revision;
    let two = bench.put("a", "2").await;
    let three = bench.delete("b").await;
    let four = bench.put("b", "4").await;
    assert_eq!(bench.all(At::Exactly(bench.base)).await, [""; 0]);
    assert_eq!(bench.all(At::Exactly(one)).await, ["a=1", "b=1"]);
    assert_eq!(bench.all(At::Exactly(two)).await, ["a=2", "b=1"]);
    assert_eq!(bench.all(At::Exactly(three)).await, ["a=2"]);
    assert_eq!(bench.all(At::Exactly(four)).await, ["a=2", "b=4"]);
    assert_eq!(bench.list(&below(""), At::Exactly(two), Page::ALL).await.revision, two);
}

async fn pages_are_of_one_revision(bench: Bench) {
    for number in 0..10 {
        bench.put(&format!("k{number}"), "old").await;
    }
    let first = bench.list(&below(""), At::Latest, Page::first(4)).await;
    assert_eq!((first.records.len(), first.remaining), (4, 6));
    // What happens between the pages is not seen in them.
    bench.put("k5", "new").await;
    bench.put("k55", "new").await;
    bench.delete("k7").await;
    let at = At::Exactly(first.revision);
    let mut listed = names(&first);
    let mut after = first.next().cloned();
    let mut pages = 1;
    while let Some(key) = after {
        let page = bench.list(&below(""), at, Page::first(4).after(key)).await;
        assert_eq!(page.revision, first.revision);
        listed.extend(names(&page));
        assert_eq!(page.remaining as usize, 10 - listed.len());
        after = page.next().cloned();
        pages += 1;
    }
    assert_eq!(listed, (0..10).map(|number| format!("k{number}=old")).collect::<Vec<_>>());
    assert_eq!(pages, 3);
}

async fn pages_go_on_behind_missing_keys(bench: Bench) {
    for name in ["a", "c", "e"] {
        bench.put(name, "").await;
    }
    let after =
        async |name: &str| names(&bench.list(&below(""), At::Latest, Page::first(5).after(key(name))).await);
    assert_eq!(after("b").await, ["c=", "e="]);
    assert_eq!(after("c").await, ["e="]);
    assert_eq!(after("e").await, [""; 0]);
    assert_eq!(after("z").await, [""; 0]);
    // Behind a key before the range: the whole range; behind one after it: nothing.
    let page = |name: &str| Page::ALL.after(key(name));
    assert_eq!(names(&bench.list(&below("c"), At::Latest, page("a")).await), ["c="]);
    assert_eq!(names(&bench.list(&below("c"), At::Latest, page("d")).await), [""; 0]);
}

async fn a_limit_of_zero_counts(bench: Bench) {
    for name in ["a/1", "a/2", "b"] {
        bench.put(name, "").await;
    }
    let counted = bench.list(&below("a/"), At::Latest, Page::first(0)).await;
    assert_eq!((counted.records.len(), counted.remaining, counted.next()), (0, 2, None));
    assert_eq!(bench.list(&below("a/"), At::Latest, Page::first(2)).await.remaining, 0);
}

/// Longer than what a backend may read in one step.
async fn long_lists(bench: Bench) {
    let mut number = 0;
    for _ in 0..20 {
        let mut txn = Txn::new();
        for _ in 0..1000 {
            txn = txn.put(key(&format!("{number:05}")), text(""));
            number += 1;
        }
        bench.commit(txn).await;
    }
    let all = bench.list(&below(""), At::Latest, Page::ALL).await;
    assert_eq!((all.records.len(), all.remaining), (20_000, 0));
    assert!(all.records.is_sorted_by(|one, two| one.key < two.key));
    let page = bench.list(&below(""), At::Latest, Page::first(9000).after(key("00999"))).await;
    assert_eq!((page.records.len(), page.remaining), (9000, 10_000));
    assert_eq!(page.records[0].key, key("01000"));
}

async fn waiting_for_a_revision(bench: Bench) {
    let current = bench.put("a", "1").await;
    assert_eq!(bench.store.reached(bench.base).await.unwrap(), current);
    assert_eq!(bench.store.reached(current).await.unwrap(), current);
    let awaited = Revision(current.0 + 2);
    let writes = async {
        for number in 0..3 {
            tokio::task::yield_now().await;
            bench.put("a", &number.to_string()).await;
        }
    };
    let (reached, ()) = futures::join!(bench.store.reached(awaited), writes);
    assert!(reached.unwrap() >= awaited);
}
