//! Deleting: preconditions, finalizers, grace periods, namespaces.

use orlop_model::ObjectKey;
use orlop_model::core::v1::{Namespace, NamespacePhase, PodPhase};

use super::bench::{Bench, assert_error, labelled, map, next_events, number};
use super::cases;
use crate::{DeleteOptions, Deleted, Error, ListOptions, Propagation, WatchOptions};

cases!("deletes":
    deleted_objects_are_gone,
    preconditions_must_hold,
    finalizers_hold_an_object,
    finalizers_cannot_be_added_any_more,
    deletion_is_a_generation,
    pods_are_deleted_gracefully,
    grace_periods_only_shrink,
    pods_with_nothing_to_stop_go_at_once,
    propagation_leaves_finalizers,
    collections_are_deleted_by_selector,
    namespaces_end_with_their_contents,
    some_namespaces_stay,
);

async fn deleted_objects_are_gone(bench: Bench) {
    let created = bench.map("one", "1").await;
    let deleted = bench.maps().delete("one").await.unwrap();
    assert!(deleted.is_gone());
    let last = deleted.record();
    assert!(number(&last.resource_version()) > number(&created.metadata.resource_version));
    assert_eq!(
        (last.key(), &last.meta().uid),
        (ObjectKey::namespaced(&bench.namespace, "one"), &created.metadata.uid)
    );
    assert_error(bench.maps().delete("one").await, Error::is_not_found, "configmaps \"one\" not found");
    assert!(bench.maps().get_opt("one").await.unwrap().is_none());
    let again = bench.map("one", "2").await;
    assert_ne!(again.metadata.uid, created.metadata.uid);
}

async fn preconditions_must_hold(bench: Bench) {
    let old = bench.map("one", "1").await;
    let new = bench.maps().modify("one", |map| drop(map.data.insert("value", "2".into()))).await.unwrap();
    for options in [
        DeleteOptions::new().uid("another"),
        DeleteOptions::new().resource_version(&old.metadata.resource_version),
        DeleteOptions::new().uid(&old.metadata.uid).resource_version(&old.metadata.resource_version),
    ] {
        let error =
            bench.maps().delete_with("one", &options).await.expect_err("the precondition does not hold");
        assert!(error.is_conflict(), "{error:?}");
    }
    let options =
        DeleteOptions::new().uid(&old.metadata.uid).resource_version(&new.metadata.resource_version);
    assert!(bench.maps().delete_with("one", &options).await.unwrap().is_gone());
}

async fn finalizers_hold_an_object(bench: Bench) {
    let mut held = map("one", "1");
    held.metadata.finalizers = ["example.dev/a".into(), "example.dev/b".into()].into_iter().collect();
    bench.maps().create(held).await.unwrap();
    let mut watch = bench.maps().watch(&WatchOptions::from(&*bench.revision().await)).await.unwrap();
    let deleted = bench.maps().delete("one").await.unwrap();
    assert!(!deleted.is_gone());
    let marked = bench.maps().get("one").await.unwrap();
    assert!(marked.metadata.deletion_timestamp.is_some());
    assert_eq!(marked.metadata.deletion_grace_period_seconds, Some(0));
    // Once is enough.
    assert!(!bench.maps().delete("one").await.unwrap().is_gone());
    assert_eq!(*bench.maps().get("one").await.unwrap(), *marked);

    let still = bench
        .maps()
        .modify("one", |map| map.metadata.finalizers.retain(|name| *name != "example.dev/a"))
        .await
        .unwrap();
    assert_eq!(still.metadata.deletion_timestamp, marked.metadata.deletion_timestamp);
    bench.maps().modify("one", |map| map.metadata.finalizers.clear()).await.unwrap();
    assert!(bench.maps().get_opt("one").await.unwrap().is_none());
    assert_eq!(next_events(&mut watch, 3).await, ["MODIFIED one", "MODIFIED one", "DELETED one"]);
}

async fn finalizers_cannot_be_added_any_more(bench: Bench) {
    let mut held = map("one", "1");
    held.metadata.finalizers.push("example.dev/a".into());
    bench.maps().create(held).await.unwrap();
    bench.maps().delete("one").await.unwrap();
    let error = bench
        .maps()
        .modify("one", |map| map.metadata.finalizers.push("example.dev/b".into()))
        .await
        .unwrap_err();
    let Error::Invalid { causes, .. } = &error else { panic!("{error:?}") };
    assert_eq!((&*causes[0].field, &*causes[0].reason), ("metadata.finalizers", "FieldValueForbidden"));
    bench.maps().modify("one", |map| map.metadata.finalizers.clear()).await.unwrap();
}

async fn deletion_is_a_generation(bench: Bench) {
    let mut held = super::bench::deployment("web");
    held.metadata.finalizers.push("example.dev/a".into());
    bench.deployments().create(held).await.unwrap();
    bench.deployments().delete("web").await.unwrap();
    assert_eq!(bench.deployments().get("web").await.unwrap().metadata.generation, 2);
    bench.deployments().modify("web", |web| web.metadata.finalizers.clear()).await.unwrap();
}

/// A pod that runs on a node.
async fn running(bench: &Bench, name: &str) {
    bench.pod(name).await;
    bench.pods().bind(name, "node-1").await.unwrap();
    bench.pods().modify_status(name, |pod| pod.status.phase = PodPhase::Running).await.unwrap();
}

async fn pods_are_deleted_gracefully(bench: Bench) {
    running(&bench, "a").await;
    let mut watch = bench.pods().watch(&WatchOptions::from(&*bench.revision().await)).await.unwrap();
    let deleted = bench.pods().delete("a").await.unwrap();
    assert!(matches!(deleted, Deleted::Pending(_)));
    let pod = bench.pods().get("a").await.unwrap();
    assert_eq!(pod.metadata.deletion_grace_period_seconds, Some(30));
    assert!(pod.metadata.deletion_timestamp.is_some());
    // The node agent confirms that everything is stopped.
    let confirmed =
        bench.pods().delete_with("a", &DeleteOptions::new().grace(0).uid(&pod.metadata.uid)).await.unwrap();
    assert!(confirmed.is_gone());
    assert!(bench.pods().get_opt("a").await.unwrap().is_none());
    assert_eq!(next_events(&mut watch, 1).await, ["MODIFIED a"]);
    // Kubernetes may tell first that the grace period has shrunk.
    while next_events(&mut watch, 1).await != ["DELETED a"] {}
}

async fn grace_periods_only_shrink(bench: Bench) {
    running(&bench, "a").await;
    let period = async |asked: Option<i64>| {
        bench.pods().delete_with("a", &DeleteOptions { grace: asked, ..DeleteOptions::new() }).await.unwrap();
        let meta = bench.pods().get("a").await.unwrap().metadata.clone();
        (meta.deletion_grace_period_seconds.unwrap(), meta.deletion_timestamp.unwrap().seconds())
    };
    let (first, at) = period(Some(20)).await;
    assert_eq!(first, 20);
    assert_eq!(period(Some(60)).await, (20, at));
    assert_eq!(period(None).await, (20, at));
    assert_eq!(period(Some(5)).await, (5, at - 15));
    let updated = bench.pods().modify("a", |pod| pod.metadata.deletion_timestamp = None).await.unwrap();
    assert!(updated.metadata.is_deleting(), "deletion cannot be taken back");
}

async fn pods_with_nothing_to_stop_go_at_once(bench: Bench) {
    bench.pod("unscheduled").await;
    assert!(bench.pods().delete("unscheduled").await.unwrap().is_gone());
    for (name, phase) in [("succeeded", PodPhase::Succeeded), ("failed", PodPhase::Failed)] {
        running(&bench, name).await;
        bench.pods().modify_status(name, |pod| pod.status.phase = phase.clone()).await.unwrap();
        assert!(bench.pods().delete(name).await.unwrap().is_gone(), "{name}");
    }
    let list = bench.pods().list(&ListOptions::new()).await.unwrap();
    assert!(list.items.is_empty());
}

async fn propagation_leaves_finalizers(bench: Bench) {
    for (name, propagation, finalizer) in
        [("a", Propagation::Foreground, "foregroundDeletion"), ("b", Propagation::Orphan, "orphan")]
    {
        bench.deployment(name).await;
        let deleted = bench
            .deployments()
            .delete_with(name, &DeleteOptions::new().propagation(propagation))
            .await
            .unwrap();
        assert!(!deleted.is_gone());
        let marked = bench.deployments().get(name).await.unwrap();
        assert_eq!(
            marked.metadata.finalizers.iter().map(|finalizer| &**finalizer).collect::<Vec<_>>(),
            [finalizer]
        );
        assert!(marked.metadata.is_deleting());
        bench.deployments().modify(name, |web| web.metadata.finalizers.clear()).await.unwrap();
        assert!(bench.deployments().get_opt(name).await.unwrap().is_none());
    }
    bench.deployment("c").await;
    let deleted = bench
        .deployments()
        .delete_with("c", &DeleteOptions::new().propagation(Propagation::Background))
        .await
        .unwrap();
    assert!(deleted.is_gone());
}

async fn collections_are_deleted_by_selector(bench: Bench) {
    for (name, label) in [("a", "red"), ("b", "blue"), ("c", "red")] {
        bench.maps().create(labelled(name, label)).await.unwrap();
    }
    let red = ListOptions::new().labels("group=red");
    let deleted = bench
        .client
        .delete_collection(bench.maps().kind(), Some(&bench.namespace), &red, &DeleteOptions::new())
        .await
        .unwrap();
    assert_eq!(deleted.len(), 2);
    let left = bench.maps().list(&ListOptions::new()).await.unwrap();
    assert_eq!(left.items.iter().map(|map| &*map.metadata.name).collect::<Vec<_>>(), ["b"]);
}

async fn namespaces_end_with_their_contents(bench: Bench) {
    let name = format!("{}-end", bench.namespace);
    bench.make_namespace(&name).await;
    let active: Namespace = Namespace::clone(&*bench.namespaces().get(&name).await.unwrap());
    assert_eq!(active.status.phase, NamespacePhase::Active);
    let maps = bench.maps().within(&name);
    maps.create(map("free", "1")).await.unwrap();
    let mut held = map("held", "1");
    held.metadata.finalizers.push("example.dev/a".into());
    maps.create(held).await.unwrap();

    bench.namespaces().delete(&name).await.unwrap();
    let ending = bench.namespaces().get(&name).await.unwrap();
    assert_eq!(ending.status.phase, NamespacePhase::Terminating);
    let message = format!(
        "configmaps \"new\" is forbidden: unable to create new content in namespace {name} because it is being terminated"
    );
    assert_error(
        maps.create(map("new", "1")).await,
        |error| matches!(error, Error::Forbidden { .. }),
        &message,
    );

    while maps.list(&ListOptions::new()).await.unwrap().items.len() > 1 {
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    maps.modify("held", |map| map.metadata.finalizers.clear()).await.unwrap();
    assert!(maps.get_opt("held").await.unwrap().is_none());
    // Whoever finishes namespaces may do it now, or wait to be asked again.
    drop(bench.namespaces().delete(&name).await);
    let deadline = tokio::time::Instant::now() + std::time::Duration::from_secs(30);
    while bench.namespaces().get_opt(&name).await.unwrap().is_some() {
        assert!(tokio::time::Instant::now() < deadline, "namespace {name} does not end");
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
}

async fn some_namespaces_stay(bench: Bench) {
    for name in ["default", "kube-system"] {
        bench.namespaces().get(name).await.unwrap();
        let error = bench.namespaces().delete(name).await.expect_err("this namespace stays");
        assert!(matches!(error, Error::Forbidden { .. }), "{error:?}");
    }
}
