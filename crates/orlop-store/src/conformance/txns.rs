use futures::future::join_all;

use super::bench::{Bench, Dated, below, key, said, text, told};
use super::cases;
use crate::{At, Change, Error, Expected, Format, Page, Revision, Txn, Value};

cases!("txns":
    create_only_once,
    update_of_the_revision_read,
    conflicts_show_what_there_is,
    all_or_nothing,
    several_keys_in_one_revision,
    nothing_to_write_takes_no_revision,
    conditions_on_other_keys,
    a_key_is_written_once,
    values_are_given_their_revision,
    deletions_have_a_last_state,
    typed_values_are_stamped,
    values_are_kept,
    concurrent_increments,
);

async fn create_only_once(bench: Bench) {
    let created = bench.commit(Txn::create(key("a"), text("1"))).await;
    assert_eq!(said(created.record("/conformance/a").unwrap()), "1");
    let again = bench.store.commit(Txn::create(key("a"), text("2"))).await;
    assert!(again.is_err_and(|error| error.conflict().is_some()));
    assert_eq!(bench.text("a", At::Latest).await.as_deref(), Some("1"));
    bench.delete("a").await;
    bench.commit(Txn::create(key("a"), text("3"))).await;
    assert_eq!(bench.text("a", At::Latest).await.as_deref(), Some("3"));
}

async fn update_of_the_revision_read(bench: Bench) {
    let one = bench.put("a", "1").await;
    let two = bench.commit(Txn::update(key("a"), one, text("2"))).await.revision;
    for revision in [Revision::ZERO, bench.base, one, Revision(two.0 + 1)] {
        let stale = bench.store.commit(Txn::update(key("a"), revision, text("3"))).await;
        assert!(stale.is_err_and(|error| error.conflict().is_some()), "at {revision}");
        let stale = bench.store.commit(Txn::remove(key("a"), revision)).await;
        assert!(stale.is_err_and(|error| error.conflict().is_some()), "at {revision}");
    }
    assert_eq!(bench.revision().await, two);
    bench.commit(Txn::remove(key("a"), two)).await;
    // What does not exist is at no revision, not even the one it was deleted at.
    for revision in [Revision::ZERO, two, bench.revision().await] {
        assert!(
            bench.store.commit(Txn::update(key("a"), revision, text("4"))).await.is_err(),
            "at {revision}"
        );
    }
}

async fn conflicts_show_what_there_is(bench: Bench) {
    let one = bench.put("a", "1").await;
    let two = bench.put("b", "2").await;
    let txn = Txn::new()
        .expect(key("a"), Expected::At(two))
        .expect(key("b"), Expected::At(two))
        .expect(key("c"), Expected::Present)
        .expect(key("b"), Expected::Absent)
        .put(key("a"), text("x"));
    let error = bench.store.commit(txn).await.unwrap_err();
    let conflict = error.conflict().expect("a conflict");
    assert_eq!(conflict.revision, two);
    let failed: Vec<_> = conflict
        .failed
        .iter()
        .map(|failed| {
            (
                failed.key.clone(),
                failed.expected,
                failed.current.as_ref().map(|record| (said(record), record.revision)),
            )
        })
        .collect();
    let expected = [
        (key("a"), Expected::At(two), Some(("1".to_owned(), one))),
        (key("c"), Expected::Present, None),
        (key("b"), Expected::Absent, Some(("2".to_owned(), two))),
    ];
    assert_eq!(failed, expected);
    assert_eq!(conflict.current(&key("a")).map(|record| record.revision), Some(one));
    assert!(error.to_string().contains("/conformance/a"), "{error}");
}

async fn all_or_nothing(bench: Bench) {
    let one = bench.put("a", "1").await;
    let mut watch = bench.store.watch(&below(""), one);
    let txn = Txn::new()
        .put(key("a"), text("2"))
        .put(key("b"), text("2"))
        .delete(key("a0"))
        .expect(key("b"), Expected::Present);
    assert!(bench.store.commit(txn).await.is_err());
    assert_eq!(bench.revision().await, one, "no revision is taken");
    assert_eq!(bench.all(At::Latest).await, ["a=1"]);
    assert_eq!(super::bench::quiet(&mut watch).await, one);
}

async fn several_keys_in_one_revision(bench: Bench) {
    bench.put("gone", "g").await;
    let before = bench.put("changed", "1").await;
    let txn = Txn::new()
        .put(key("new"), text("n"))
        .delete(key("gone"))
        .delete(key("never"))
        .put(key("changed"), text("2"))
        .expect(key("changed"), Expected::At(before))
        .expect(key("new"), Expected::Absent);
    let done = bench.commit(txn).await;
    assert!(done.revision > before);
    assert_eq!(done.events.iter().map(told).collect::<Vec<_>>(), ["+new=n", "-gone=g", "~changed=2"]);
    assert!(done.events.iter().all(|event| event.revision() == done.revision));
    assert_eq!(bench.revision().await, done.revision);
    assert_eq!(bench.all(At::Latest).await, ["changed=2", "new=n"]);
    assert_eq!(bench.all(At::Exactly(before)).await, ["changed=1", "gone=g"]);
    assert!(done.record(&key("never")).is_none() && done.record(&key("gone")).is_some());
}

async fn nothing_to_write_takes_no_revision(bench: Bench) {
    let current = bench.put("a", "1").await;
    let nothing = [
        Txn::new(),
        Txn::new().delete(key("never")),
        Txn::new().expect(key("a"), Expected::At(current)).expect(key("b"), Expected::Absent),
    ];
    for txn in nothing {
        let done = bench.commit(txn).await;
        assert_eq!((done.revision, done.events.len()), (current, 0));
    }
    assert_eq!(bench.revision().await, current);
    assert!(bench.store.commit(Txn::new().expect(key("b"), Expected::Present)).await.is_err());
}

async fn conditions_on_other_keys(bench: Bench) {
    let guard = bench.put("guard", "1").await;
    bench.commit(Txn::new().expect(key("guard"), Expected::At(guard)).put(key("a"), text("1"))).await;
    bench.put("guard", "2").await;
    let late = Txn::new().expect(key("guard"), Expected::At(guard)).put(key("a"), text("2"));
    assert!(bench.store.commit(late).await.is_err());
    assert_eq!(bench.text("a", At::Latest).await.as_deref(), Some("1"));
}

async fn a_key_is_written_once(bench: Bench) {
    let twice = [
        Txn::new().put(key("a"), text("1")).put(key("b"), text("1")).put(key("a"), text("2")),
        Txn::new().put(key("a"), text("1")).delete(key("a")),
        Txn::new().delete(key("a")).delete(key("a")),
    ];
    for txn in twice {
        let error = bench.store.commit(txn).await.unwrap_err();
        assert!(matches!(&error, Error::DuplicateKey { key: told } if *told == key("a")), "{error:?}");
    }
    assert_eq!(bench.revision().await, bench.base);
}

async fn values_are_given_their_revision(bench: Bench) {
    let done = bench.commit(Txn::create(key("a"), |revision| Dated::value(revision, "x"))).await;
    let record = bench.get("a", At::Latest).await.unwrap().unwrap();
    assert_eq!(*Dated::of(&record), Dated { revision: done.revision.0, text: "x".into() });
    assert_eq!(record.value.encoded(Format::Json).unwrap(), format!("{}:x", done.revision));
}

async fn deletions_have_a_last_state(bench: Bench) {
    let put = bench.put("a", "last").await;
    let mut watch = bench.store.watch(&below(""), put);
    let txn = Txn::remove(key("a"), put);
    let deleted = bench.commit(txn).await;
    let event = &super::bench::batch(&mut watch).await.events[0];
    for event in [event, &deleted.events[0]] {
        assert_eq!(event.change, Change::Deleted);
        let (record, previous) = (&event.record, event.previous.as_ref().unwrap());
        assert_eq!((said(record).as_str(), record.created, record.revision), ("last", put, deleted.revision));
        assert_eq!((said(previous).as_str(), previous.revision), ("last", put));
        assert!(event.current().is_none());
    }
    bench.put("a", "again").await;
    let txn = Txn::new().delete_with(key("a"), |revision, last: &crate::Record| {
        Value::bytes(Format::Json, format!("{} at {}", said(last), revision))
    });
    let deleted = bench.commit(txn).await;
    assert_eq!(said(&deleted.events[0].record), format!("again at {}", deleted.revision));
    assert_eq!(bench.text("a", At::Latest).await, None);
}

async fn typed_values_are_stamped(bench: Bench) {
    let put = bench.commit(Txn::create(key("a"), |revision| Dated::value(revision, "x"))).await.revision;
    let deleted = bench.commit(Txn::new().delete(key("a"))).await;
    let event = &deleted.events[0];
    assert_eq!(
        Dated::of(&event.record).revision,
        deleted.revision.0,
        "the last state has the deletion's revision"
    );
    assert_eq!(Dated::of(event.previous.as_ref().unwrap()).revision, put.0, "the state before is left alone");
}

async fn values_are_kept(bench: Bench) {
    let large = "x".repeat(1 << 20);
    for (name, value) in [("empty", ""), ("text", "ä\0\u{10ffff}\n"), ("large", &large)] {
        bench.put(name, value).await;
        assert_eq!(bench.text(name, At::Latest).await.as_deref(), Some(value), "{name}");
    }
    let bytes: Vec<u8> = (0..=255).collect();
    let given = bytes.clone();
    bench.commit(Txn::create(key("bytes"), move |_| Value::bytes(Format::Protobuf, given))).await;
    let record = bench.get("bytes", At::Latest).await.unwrap().unwrap();
    assert_eq!(record.value.encoded(Format::Protobuf).unwrap(), bytes);
    assert!(record.value.encoded(Format::Json).is_err(), "no codec was given");
}

/// Compare and swap as everybody does it: read, change, retry on a conflict.
async fn concurrent_increments(bench: Bench) {
    const WRITERS: usize = 8;
    const TURNS: usize = 25;
    bench.put("n", "0").await;
    let writer = async || {
        for _ in 0..TURNS {
            loop {
                let record = bench.get("n", At::Latest).await.unwrap().unwrap();
                tokio::task::yield_now().await;
                let next = (said(&record).parse::<usize>().unwrap() + 1).to_string();
                match bench.store.commit(Txn::update(key("n"), record.revision, text(&next))).await {
                    Ok(_) => break,
                    Err(error) => assert!(error.conflict().is_some(), "{error}"),
                }
            }
        }
    };
    join_all((0..WRITERS).map(|_| writer())).await;
    assert_eq!(bench.text("n", At::Latest).await, Some((WRITERS * TURNS).to_string()));
    assert_eq!(bench.list(&below("n"), At::Latest, Page::ALL).await.records.len(), 1);
}
