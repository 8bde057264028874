//! Lists, selectors and pages.

use orlop_model::core::v1::ConfigMap;
use serde_json::json;

use super::bench::{Bench, labelled, map, number};
use super::cases;
use crate::{Error, ListOptions, ObjectList};

cases!("lists":
    lists_are_sorted_and_of_one_namespace,
    lists_know_their_revision,
    labels_select,
    fields_select,
    bad_selectors_are_refused,
    pages_are_of_one_revision,
    pages_of_selected_objects,
    exact_lists_show_the_past,
    lists_not_older_than,
    options_that_exclude_each_other,
    bad_tokens_are_refused,
    lists_of_compacted_revisions_are_expired,
);

fn names(list: &ObjectList<ConfigMap>) -> Vec<String> {
    list.items.iter().map(|map| map.metadata.name.to_string()).collect()
}

async fn lists_are_sorted_and_of_one_namespace(bench: Bench) {
    let other = format!("{}-b", bench.namespace);
    bench.make_namespace(&other).await;
    for name in ["c", "a", "b", "a-b", "a.b"] {
        bench.map(name, "1").await;
    }
    bench.maps().within(&other).create(map("x", "1")).await.unwrap();
    assert_eq!(names(&bench.maps().list(&ListOptions::new()).await.unwrap()), ["a", "a-b", "a.b", "b", "c"]);
    assert_eq!(names(&bench.maps().within(&other).list(&ListOptions::new()).await.unwrap()), ["x"]);
    let all = crate::Api::<ConfigMap>::all(bench.client.clone()).list(&ListOptions::new()).await.unwrap();
    let ours: Vec<_> =
        all.items.iter().filter(|map| map.metadata.namespace.starts_with(&bench.namespace)).collect();
    assert_eq!(ours.len(), 6);
    assert!(ours.is_sorted_by_key(|map| format!("{}/{}", map.metadata.namespace, map.metadata.name)));
    bench.namespaces().delete(&other).await.unwrap();
}

async fn lists_know_their_revision(bench: Bench) {
    let empty = bench.maps().list(&ListOptions::new()).await.unwrap();
    assert!(empty.items.is_empty() && empty.continue_.is_empty());
    let created = bench.map("one", "1").await;
    let list = bench.maps().list(&ListOptions::new()).await.unwrap();
    assert!(number(&list.resource_version) >= number(&created.metadata.resource_version));
    assert!(number(&empty.resource_version) < number(&created.metadata.resource_version));
    assert_eq!(list.items[0].metadata.resource_version, created.metadata.resource_version);
}

async fn labels_select(bench: Bench) {
    for (name, label) in [("a", "red"), ("b", "blue"), ("c", "red")] {
        bench.maps().create(labelled(name, label)).await.unwrap();
    }
    bench.map("d", "plain").await;
    for (selector, expected) in [
        ("group=red", &["a", "c"][..]),
        ("group==blue", &["b"]),
        ("group!=red", &["b", "d"]),
        ("group in (red, blue)", &["a", "b", "c"]),
        ("group notin (red)", &["b", "d"]),
        ("group", &["a", "b", "c"]),
        ("!group", &["d"]),
        ("group,group!=blue", &["a", "c"]),
        ("group=green", &[]),
    ] {
        let list = bench.maps().list(&ListOptions::new().labels(selector)).await.unwrap();
        assert_eq!(names(&list), expected, "{selector}");
    }
}

async fn fields_select(bench: Bench) {
    for name in ["a", "b"] {
        bench.map(name, "1").await;
        bench.pod(name).await;
    }
    let list = bench.maps().list(&ListOptions::new().fields("metadata.name=b")).await.unwrap();
    assert_eq!(names(&list), ["b"]);
    let list = bench.maps().list(&ListOptions::new().fields("metadata.name!=b")).await.unwrap();
    assert_eq!(names(&list), ["a"]);
    let everywhere = crate::Api::<ConfigMap>::all(bench.client.clone());
    let list = everywhere
        .list(&ListOptions::new().fields(format!("metadata.namespace={},metadata.name=a", bench.namespace)))
        .await
        .unwrap();
    assert_eq!(names(&list), ["a"]);

    bench.pods().bind("a", "node-1").await.unwrap();
    for (selector, expected) in [
        ("spec.nodeName=node-1", &["a"][..]),
        ("spec.nodeName=", &["b"]),
        ("spec.nodeName!=", &["a"]),
        ("status.phase=Pending", &["a", "b"]),
        ("status.phase=Pending,spec.nodeName=node-2", &[]),
    ] {
        let list = bench.pods().list(&ListOptions::new().fields(selector)).await.unwrap();
        let found: Vec<_> = list.items.iter().map(|pod| &*pod.metadata.name).collect();
        assert_eq!(found, expected, "{selector}");
    }
}

async fn bad_selectors_are_refused(bench: Bench) {
    for options in [
        ListOptions::new().labels("a in b"),
        ListOptions::new().labels("=x"),
        ListOptions::new().fields("spec.colour=red"),
        ListOptions::new().fields("metadata.name"),
    ] {
        let error = bench.maps().list(&options).await.expect_err("the selector is bad");
        assert!(matches!(error, Error::BadRequest { .. }), "{options:?}: {error:?}");
    }
    let error = bench.pods().list(&ListOptions::new().fields("spec.colour=red")).await.unwrap_err();
    assert!(error.to_string().contains("field label not supported: spec.colour"), "{error}");
}

async fn pages_are_of_one_revision(bench: Bench) {
    for name in ["a", "b", "c", "d", "e"] {
        bench.map(name, "1").await;
    }
    let first = bench.maps().list(&ListOptions::new().limit(2)).await.unwrap();
    assert_eq!((names(&first), first.remaining), (vec!["a".into(), "b".into()], Some(3)));
    bench.maps().delete("c").await.unwrap();
    bench.map("c-new", "1").await;
    bench.maps().patch_merge("d", json!({"data": {"value": "2"}})).await.unwrap();
    let second =
        bench.maps().list(&ListOptions::new().limit(2).continue_from(&first.continue_)).await.unwrap();
    assert_eq!((names(&second), second.remaining), (vec!["c".into(), "d".into()], Some(1)));
    assert_eq!(second.items[1].data.get("value").map(|value| &**value), Some("1"));
    let third =
        bench.maps().list(&ListOptions::new().limit(2).continue_from(&second.continue_)).await.unwrap();
    assert_eq!((names(&third), third.remaining, &*third.continue_), (vec!["e".into()], None, ""));
    assert_eq!(
        (&first.resource_version, &first.resource_version),
        (&second.resource_version, &third.resource_version)
    );
    let rest = bench.maps().list(&ListOptions::new().continue_from(&first.continue_)).await.unwrap();
    assert_eq!(names(&rest), ["c", "d", "e"]);
}

async fn pages_of_selected_objects(bench: Bench) {
    for number in 0..9 {
        bench
            .maps()
            .create(labelled(&format!("map-{number}"), if number % 3 == 0 { "red" } else { "blue" }))
            .await
            .unwrap();
    }
    let mut options = ListOptions::new().labels("group=red").limit(2);
    let mut pages = Vec::new();
    loop {
        let page = bench.maps().list(&options).await.unwrap();
        assert_eq!(page.remaining, None, "unknown with selectors");
        pages.push(names(&page));
        if page.continue_.is_empty() {
            break;
        }
        options = options.continue_from(page.continue_);
    }
    // A server need not know that nothing more will match.
    pages.retain(|page| !page.is_empty());
    assert_eq!(pages, [vec!["map-0".to_owned(), "map-3".to_owned()], vec!["map-6".to_owned()]]);
}

async fn exact_lists_show_the_past(bench: Bench) {
    let one = bench.map("one", "1").await;
    bench.map("two", "1").await;
    bench.maps().delete("one").await.unwrap();
    let past = bench.maps().list(&ListOptions::new().exactly(&*one.metadata.resource_version)).await.unwrap();
    assert_eq!((names(&past), &past.resource_version), (vec!["one".into()], &one.metadata.resource_version));
    // With a limit a revision means exactly that one, as it always has.
    let options = ListOptions {
        resource_version: one.metadata.resource_version.to_string(),
        ..ListOptions::new().limit(5)
    };
    assert_eq!(names(&bench.maps().list(&options).await.unwrap()), ["one"]);
}

async fn lists_not_older_than(bench: Bench) {
    let one = bench.map("one", "1").await;
    bench.map("two", "1").await;
    for options in [
        ListOptions::new().not_older_than(&*one.metadata.resource_version),
        ListOptions::new().not_older_than("0"),
        ListOptions { resource_version: one.metadata.resource_version.to_string(), ..ListOptions::new() },
    ] {
        let list = bench.maps().list(&options).await.unwrap();
        assert!(!list.items.is_empty() || options.resource_version == "0");
        assert!(
            options.resource_version == "0"
                || number(&list.resource_version) >= number(&one.metadata.resource_version)
        );
    }
    let future = (number(&one.metadata.resource_version) + 1_000_000).to_string();
    let error = bench
        .maps()
        .list(&ListOptions::new().not_older_than(future))
        .await
        .expect_err("that revision is in the future");
    assert!(matches!(error, Error::TooLargeResourceVersion { .. }), "{error:?}");
}

async fn options_that_exclude_each_other(bench: Bench) {
    for name in ["a", "b"] {
        bench.map(name, "1").await;
    }
    let page = bench.maps().list(&ListOptions::new().limit(1)).await.unwrap();
    let going_on = ListOptions::new().continue_from(page.continue_);
    let revision = page.resource_version.to_string();
    let match_ = Some(crate::ResourceVersionMatch::NotOlderThan);
    for invalid in [
        ListOptions { match_, ..ListOptions::new() },
        ListOptions::new().exactly("0"),
        ListOptions { match_, resource_version: revision.clone(), ..going_on.clone() },
    ] {
        let error = bench.maps().list(&invalid).await.expect_err("these exclude each other");
        assert!(error.is_invalid(), "{invalid:?}: {error:?}");
    }
    let error = bench
        .maps()
        .list(&ListOptions { resource_version: revision, ..going_on })
        .await
        .expect_err("these exclude each other");
    assert!(matches!(error, Error::BadRequest { .. }), "{error:?}");
    let error = bench
        .maps()
        .list(&ListOptions { resource_version: "x".into(), ..ListOptions::new() })
        .await
        .expect_err("no revision");
    assert!(matches!(error, Error::BadRequest { .. } | Error::Invalid { .. }), "{error:?}");
}

async fn bad_tokens_are_refused(bench: Bench) {
    bench.map("a", "1").await;
    for token in ["x", "eyJ2IjoidjEifQ", "!"] {
        let error =
            bench.maps().list(&ListOptions::new().continue_from(token)).await.expect_err("this is no token");
        assert!(matches!(error, Error::BadRequest { .. }), "{token}: {error:?}");
    }
}

async fn lists_of_compacted_revisions_are_expired(bench: Bench) {
    for name in ["a", "b", "c"] {
        bench.map(name, "1").await;
    }
    let page = bench.maps().list(&ListOptions::new().limit(1)).await.unwrap();
    bench.maps().delete("b").await.unwrap();
    bench.map("d", "1").await;
    if !bench.compact().await {
        return;
    }
    let exact = bench.maps().list(&ListOptions::new().exactly(&*page.resource_version)).await;
    assert!(exact.as_ref().is_err_and(Error::is_expired), "{exact:?}");
    let error = bench
        .maps()
        .list(&ListOptions::new().continue_from(page.continue_))
        .await
        .expect_err("the token is expired");
    let Error::Expired { continue_, .. } = &error else { panic!("{error:?}") };
    // The new token goes on at the latest state, behind what was seen.
    let rest = bench.maps().list(&ListOptions::new().continue_from(continue_)).await.unwrap();
    assert_eq!(names(&rest), ["c", "d"]);
}
