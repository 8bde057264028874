//! What a store promises to those who read it.

use orlop_cache::{Change, Store};
use orlop_model::core::v1::ConfigMap;

use crate::common::{group_of, key, map, put, stored};

#[tokio::test(start_paused = true)]
async fn waiting_ends_when_the_revision_is_there_or_never_will_be() {
    let (store, mut writer) = Store::<ConfigMap>::new();
    let wait = |revision: &'static str| {
        let store = store.clone();
        tokio::spawn(async move { store.wait_for(revision).await })
    };
    let (soon, opaque, never) = (wait("7"), wait("abc"), wait("99"));
    tokio::task::yield_now().await;
    writer.replace(Vec::new(), "5");
    assert!(!opaque.await.unwrap(), "cannot be compared");
    assert!(!soon.is_finished());
    writer.apply([Change::Bookmark("8".into())]);
    assert!(soon.await.unwrap());
    assert_eq!((store.has("8"), store.has("9")), (Some(true), Some(false)));
    drop(writer);
    assert!(!never.await.unwrap(), "the cache stopped");
}

/// However often it is begun and dropped, waiting misses nothing and keeps nothing.
#[tokio::test(start_paused = true)]
async fn waiting_can_be_given_up() {
    let (store, mut writer) = Store::<ConfigMap>::new();
    writer.replace(Vec::new(), "1");
    for revision in 2..50_u64 {
        let wanted = revision.to_string();
        let mut waiting = Box::pin(store.wait_for(&wanted));
        assert!(futures::poll!(&mut waiting).is_pending());
        let given_up = tokio::time::timeout(std::time::Duration::ZERO, store.wait_for(&wanted)).await;
        assert!(given_up.is_err());
        writer.apply([Change::Bookmark(wanted.as_str().into())]);
        assert!(waiting.await);
    }
}

#[test]
fn a_snapshot_stays_as_it_is() {
    let (store, mut writer) = Store::<ConfigMap>::new();
    let a = stored("ns", "a", 1);
    writer.replace(vec![a.clone()], "1");
    let before = store.snapshot();
    writer.apply([put(&stored("ns", "a", 2)), put(&stored("ns", "b", 3)), put(&stored("other", "c", 4))]);
    assert_eq!((before.len(), before.revision().as_str()), (1, "1"));
    assert_eq!(before.get(&key("ns", "a")), Some(&a));
    assert!(before.get(&key("ns", "b")).is_none() && before.iter_in("other").next().is_none());
    assert_eq!((store.len(), store.snapshot().iter_in("ns").count()), (3, 2));
}

#[test]
fn labels_select_with_and_without_an_index() {
    let (store, mut writer) = Store::<ConfigMap>::new();
    let object = |namespace: &str, name: &str, labels: &[(&str, &str)]| {
        let mut object = map(namespace, name, "");
        object.metadata.labels = labels.iter().map(|(key, value)| (*key, (*value).into())).collect();
        std::sync::Arc::new(object)
    };
    let objects = [
        object("a", "1", &[("app", "web")]),
        object("a", "2", &[]),
        object("b", "1", &[("app", "web"), ("tier", "x")]),
        object("b", "2", &[("app", "db"), ("tier", "x")]),
    ];
    writer.replace(objects.to_vec(), "1");
    let select = |namespace, selector: &str| {
        let selected = store.select(namespace, &selector.parse().expect("a selector"));
        selected
            .iter()
            .map(|object| object.metadata.namespace.to_string() + &object.metadata.name)
            .collect::<Vec<_>>()
    };
    let all = || {
        assert_eq!(select(None, "app=web"), ["a1", "b1"]);
        assert_eq!(select(None, "app in (web, db)"), ["a1", "b1", "b2"]);
        assert_eq!(select(None, "app in (web, db),tier"), ["b1", "b2"]);
        assert_eq!(select(Some("a"), "app=web"), ["a1"]);
        assert_eq!(select(None, "app=web,!tier"), ["a1"]);
        assert_eq!(select(None, "app!=web"), ["a2", "b2"]);
        assert_eq!(select(None, "app=none"), [""; 0]);
        assert_eq!(select(None, ""), ["a1", "a2", "b1", "b2"]);
        assert!(store.select(None, &orlop_model::selector::Selector::nothing()).is_empty());
    };
    all();
    let index = store.label_index("app");
    all();
    assert_eq!(index.values(), ["db", "web"]);
    let _more = store.label_index("tier");
    all();
    drop(index);
    all();
}

#[test]
fn an_object_can_have_many_values_and_indexes_come_and_go() {
    let (store, mut writer) = Store::<ConfigMap>::new();
    writer.replace((0..100).map(|i| stored("ns", &format!("{i:02}"), i + 1)).collect(), "100");
    let digits = store.index_many(|map| map.metadata.name.chars().collect::<Vec<_>>());
    assert_eq!(digits.values().len(), 10);
    assert_eq!(digits.count(&'7'), 19);
    let sevens = store.by(&digits, &'7');
    assert!(sevens.is_sorted_by_key(|map| map.metadata.name.clone()), "in the order of keys");
    writer.apply([Change::Delete(stored("ns", "77", 101))]);
    assert_eq!(digits.count(&'7'), 18);
    let same = digits.clone();
    drop(digits);
    writer.apply([Change::Delete(stored("ns", "07", 102))]);
    assert_eq!(same.count(&'7'), 17);
}

/// A list that names an object in the state that is held keeps that very object, and says nothing.
#[test]
fn a_relist_is_applied_as_a_difference() {
    let (store, mut writer) = Store::<ConfigMap>::new();
    let (a, b, c) = (stored("ns", "a", 1), stored("ns", "b", 2), stored("ns", "c", 3));
    writer.replace(vec![a.clone(), b.clone(), c], "3");
    let mut changes = store.subscribe();
    crate::common::told(&mut changes);

    let mut relist = writer.relist();
    relist.page([stored("ns", "a", 1)]);
    assert!(relist.knows(&a.metadata) && !relist.knows(&stored("ns", "b", 5).metadata));
    relist.page([stored("ns", "b", 5), stored("ns", "d", 6)]);
    assert_eq!(relist.changes(), 2, "what is known is not kept");
    drop(relist);
    assert_eq!(crate::common::told(&mut changes), [""; 0], "nothing before it is complete");

    let mut relist = writer.relist();
    relist.page([stored("ns", "a", 1), stored("ns", "b", 5)]);
    relist.page([stored("ns", "d", 6)]);
    relist.commit("7");
    assert!(std::sync::Arc::ptr_eq(&store.get(&key("ns", "a")).unwrap(), &a), "the same object as before");
    assert_eq!(
        crate::common::told(&mut changes),
        ["Deleted(ns/c@3, missed)", "Modified(ns/b@2 -> 5)", "Added(ns/d@6)"]
    );
    assert_eq!(store.revision(), "7");
}

/// What cannot be read stays as it is; what a streaming list deletes again is gone, exactly.
#[test]
fn a_relist_keeps_what_cannot_be_read() {
    let (store, mut writer) = Store::<ConfigMap>::new();
    writer.replace(vec![stored("ns", "a", 1), stored("ns", "b", 2), stored("ns", "c", 3)], "3");
    let mut changes = store.subscribe();
    crate::common::told(&mut changes);
    let mut relist = writer.relist();
    relist.keep(&key("ns", "a"));
    relist.page([stored("ns", "b", 2)]);
    relist.change(Change::Delete(stored("ns", "b", 5)));
    relist.commit("5");
    assert_eq!(crate::common::told(&mut changes), ["Deleted(ns/c@3, missed)", "Deleted(ns/b@5)"]);
    assert_eq!(store.len(), 1);
}

#[test]
fn namespaces_are_fed_apart() {
    let (store, writers) = Store::<ConfigMap>::of_namespaces(["a", "b"]);
    let Ok([mut a, mut b]) = <[_; 2]>::try_from(writers) else { panic!("two writers") };
    let mut changes = store.subscribe();
    a.replace(vec![stored("a", "1", 5)], "7");
    assert!(!store.is_synced());
    assert_eq!(store.revision(), "", "of b nothing is known");
    b.replace(vec![stored("b", "1", 6)], "6");
    assert!(store.is_synced());
    assert_eq!(store.revision(), "6");
    b.apply([put(&stored("b", "2", 9))]);
    assert_eq!((store.revision(), a.revision(), b.revision()), ("7".into(), "7".into(), "9".into()));
    a.replace(Vec::new(), "10");
    assert_eq!(store.list_in("b").len(), 2, "a list of one namespace says nothing of the other");
    assert_eq!(
        crate::common::told(&mut changes),
        [
            "Added(a/1@5, initial)",
            "Added(b/1@6, initial)",
            "Synced",
            "Added(b/2@9)",
            "Deleted(a/1@5, missed)"
        ]
    );
    drop(a);
    b.apply([put(&stored("b", "3", 11))]);
    assert_eq!(store.len(), 3);
    assert_eq!(group_of(&store.list()[0]), "");
}
