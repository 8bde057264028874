//! Creating, reading and updating.

use std::sync::Arc;

use futures::future::join_all;
use orlop_model::core::v1::ConfigMap;
use orlop_model::{KindInfo, ObjectKey, StaticKind};
use serde_json::json;

use super::bench::{Bench, assert_error, assert_quiet, deployment, map, next_events, number, pod};
use super::cases;
use crate::{Draft, Error, GetOptions, Subresource, WatchOptions, WriteOptions};

cases!("writes":
    create_answers_what_is_stored,
    create_is_refused_if_the_name_is_taken,
    create_is_refused_with_a_resource_version,
    create_needs_its_namespace,
    create_needs_a_valid_name,
    generated_names_differ,
    create_takes_json,
    create_refuses_other_kinds,
    unknown_kinds_are_told,
    get_tells_what_is_missing,
    get_not_older_than,
    update_replaces_what_the_writer_owns,
    update_with_a_stale_version_is_a_conflict,
    update_without_version_overwrites,
    update_of_another_object_is_a_conflict,
    update_of_nothing_changes_nothing,
    update_needs_the_object,
    update_needs_the_same_name,
    revisions_grow,
    dry_runs_store_nothing,
    strict_writes_refuse_unknown_fields,
    unknown_fields_survive_typed_updates,
    concurrent_changes_are_not_lost,
    shared_objects_are_not_changed,
);

async fn create_answers_what_is_stored(bench: Bench) {
    let created = bench.maps().create(map("one", "1")).await.unwrap();
    let meta = &created.metadata;
    assert_eq!((&*meta.name, &*meta.namespace), ("one", &*bench.namespace));
    assert!(
        !meta.uid.is_empty() && !meta.resource_version.is_empty() && meta.creation_timestamp.is_some(),
        "{meta:?}"
    );
    assert_eq!(created.data.get("value").map(|value| &**value), Some("1"));
    let read = bench.maps().get("one").await.unwrap();
    assert_eq!(*read, *created);
    let other = bench.map("two", "1").await;
    assert_ne!(other.metadata.uid, meta.uid);
}

async fn create_is_refused_if_the_name_is_taken(bench: Bench) {
    bench.map("one", "1").await;
    assert_error(
        bench.maps().create(map("one", "2")).await,
        Error::is_already_exists,
        "configmaps \"one\" already exists",
    );
    assert_eq!(bench.maps().get("one").await.unwrap().data.get("value").map(|value| &**value), Some("1"));
    bench.deployment("web").await;
    let again = bench.deployments().create(deployment("web")).await;
    assert_error(again, Error::is_already_exists, "deployments.apps \"web\" already exists");
}

async fn create_is_refused_with_a_resource_version(bench: Bench) {
    let mut object = map("one", "1");
    object.metadata.resource_version = "1".into();
    bench.maps().create(object).await.expect_err("resourceVersion is the server's to set");
    assert!(bench.maps().get_opt("one").await.unwrap().is_none());
}

async fn create_needs_its_namespace(bench: Bench) {
    let elsewhere = bench.maps().within("conformance-nowhere");
    assert_error(
        elsewhere.create(map("one", "1")).await,
        Error::is_not_found,
        "namespaces \"conformance-nowhere\" not found",
    );
    let mut object = map("one", "1");
    object.metadata.namespace = "default".into();
    let refused = bench
        .client
        .create(ConfigMap::KIND, Some(&bench.namespace), Draft::of(object), &WriteOptions::default())
        .await;
    let is_bad_request: fn(&Error) -> bool = |error| matches!(error, Error::BadRequest { .. });
    assert_error(
        refused,
        is_bad_request,
        "the namespace of the provided object does not match the namespace sent on the request",
    );
    bench
        .client
        .create(ConfigMap::KIND, None, Draft::of(map("one", "1")), &WriteOptions::default())
        .await
        .expect_err("a namespace is needed");
}

async fn create_needs_a_valid_name(bench: Bench) {
    for name in ["", "Upper", "under_score", "-dash", "a/b"] {
        let refused = bench.maps().create(map(name, "1")).await.expect_err("the name is invalid");
        let Error::Invalid { object, causes } = &refused else { panic!("{name:?}: {refused:?}") };
        assert_eq!(&*object.kind, "ConfigMap");
        assert!(causes.iter().any(|cause| cause.field == "metadata.name"), "{name:?}: {causes:?}");
    }
}

async fn generated_names_differ(bench: Bench) {
    let mut names = Vec::new();
    for base in ["web-", "web-", &"x".repeat(80)] {
        let mut object = map("", "1");
        object.metadata.generate_name = base.into();
        let created = bench.maps().create(object).await.unwrap();
        let name = created.metadata.name.to_string();
        assert!(
            name.starts_with(&base[..base.len().min(50)])
                && name.len() > base.len().min(50)
                && name.len() <= 63,
            "{name}"
        );
        names.push(name);
    }
    assert_ne!(names[0], names[1]);
}

async fn create_takes_json(bench: Bench) {
    let document = json!({"metadata": {"name": "one"}, "data": {"value": "1"}});
    let created = bench
        .client
        .create(ConfigMap::KIND, Some(&bench.namespace), document.into(), &WriteOptions::default())
        .await
        .unwrap();
    assert_eq!(*created.get::<ConfigMap>().unwrap(), *bench.maps().get("one").await.unwrap());
    let document = created.to_value().unwrap();
    assert_eq!((&document["kind"], &document["apiVersion"]), (&json!("ConfigMap"), &json!("v1")));
    assert_eq!(document["metadata"]["resourceVersion"], json!(created.resource_version().as_str()));
}

async fn create_refuses_other_kinds(bench: Bench) {
    for document in [
        json!({"kind": "Secret", "apiVersion": "v1", "metadata": {"name": "one"}}),
        json!({"metadata": {"name": "one"}, "data": {"value": 1}}),
        json!([]),
    ] {
        let refused = bench
            .client
            .create(ConfigMap::KIND, Some(&bench.namespace), document.into(), &WriteOptions::default())
            .await;
        let error = refused.expect_err("this is no ConfigMap");
        assert!(matches!(error, Error::BadRequest { .. }), "{error:?}");
    }
}

async fn unknown_kinds_are_told(bench: Bench) {
    let kind = KindInfo::guess("nobody.example.dev/v1", "Unheard");
    let key = ObjectKey::namespaced(&bench.namespace, "one");
    let error =
        bench.client.get(&kind, &key, &GetOptions::default()).await.expect_err("nobody serves this kind");
    assert!(matches!(error, Error::UnknownKind { .. }), "{error:?}");
    assert!(!error.is_not_found() && error.code() == 404);
}

async fn get_tells_what_is_missing(bench: Bench) {
    assert_error(bench.maps().get("gone").await, Error::is_not_found, "configmaps \"gone\" not found");
    assert_error(
        bench.deployments().get("gone").await,
        Error::is_not_found,
        "deployments.apps \"gone\" not found",
    );
    let error = bench.maps().get("gone").await.unwrap_err();
    let status = error.status();
    assert_eq!((&status["code"], &status["reason"]), (&json!(404), &json!("NotFound")));
    assert_eq!(
        (&status["details"]["name"], &status["details"]["kind"]),
        (&json!("gone"), &json!("configmaps"))
    );
    assert!(bench.maps().get_opt("gone").await.unwrap().is_none());
}

async fn get_not_older_than(bench: Bench) {
    let created = bench.map("one", "1").await;
    let key = ObjectKey::namespaced(&bench.namespace, "one");
    for version in ["", "0", &created.metadata.resource_version] {
        let options = GetOptions { resource_version: version.to_owned(), ..GetOptions::default() };
        let read = bench.client.get(ConfigMap::KIND, &key, &options).await.unwrap();
        assert_eq!(read.resource_version(), created.metadata.resource_version);
    }
    let future = (number(&created.metadata.resource_version) + 1_000_000).to_string();
    let options = GetOptions { resource_version: future.clone(), ..GetOptions::default() };
    let error =
        bench.client.get(ConfigMap::KIND, &key, &options).await.expect_err("that revision is in the future");
    assert!(
        matches!(&error, Error::TooLargeResourceVersion { wanted, .. } if *wanted == *future),
        "{error:?}"
    );
    assert_eq!((error.code(), error.is_transient()), (504, true));
}

async fn update_replaces_what_the_writer_owns(bench: Bench) {
    let old = bench.map("one", "1").await;
    let mut new = ConfigMap::clone(&old);
    new.data.clear();
    new.data.insert("other", "2".into());
    new.metadata.labels.insert("a", "b".into());
    new.metadata.creation_timestamp = None;
    new.metadata.deletion_timestamp = old.metadata.creation_timestamp;
    let updated = bench.maps().update(new).await.unwrap();
    assert_eq!(updated.data.keys().map(|key| &**key).collect::<Vec<_>>(), ["other"]);
    assert_eq!(updated.metadata.labels.get("a").map(|value| &**value), Some("b"));
    assert_eq!(
        (&updated.metadata.uid, updated.metadata.creation_timestamp),
        (&old.metadata.uid, old.metadata.creation_timestamp)
    );
    assert_eq!(updated.metadata.deletion_timestamp, None);
    assert_ne!(updated.metadata.resource_version, old.metadata.resource_version);
    assert_eq!(*bench.maps().get("one").await.unwrap(), *updated);
}

async fn update_with_a_stale_version_is_a_conflict(bench: Bench) {
    let old = bench.map("one", "1").await;
    let mut new = ConfigMap::clone(&old);
    new.data.insert("value", "2".into());
    let new = bench.maps().update(new).await.unwrap();
    let mut stale = ConfigMap::clone(&old);
    stale.data.insert("value", "3".into());
    let error = bench.maps().update(stale).await.expect_err("the object has been modified");
    let Error::Conflict { sent, stored, .. } = &error else { panic!("{error:?}") };
    assert_eq!(
        (sent, stored),
        (&Some(old.metadata.resource_version.clone()), &Some(new.metadata.resource_version.clone()))
    );
    assert_eq!(
        error.to_string(),
        "Operation cannot be fulfilled on configmaps \"one\": the object has been modified; please apply your changes to the latest version and try again"
    );
    assert_eq!(*bench.maps().get("one").await.unwrap(), *new);
}

async fn update_without_version_overwrites(bench: Bench) {
    bench.map("one", "1").await;
    bench.maps().modify("one", |map| drop(map.data.insert("value", "2".into()))).await.unwrap();
    let updated = bench.maps().update(map("one", "3")).await.unwrap();
    assert_eq!(updated.data.get("value").map(|value| &**value), Some("3"));
}

async fn update_of_another_object_is_a_conflict(bench: Bench) {
    let old = bench.map("one", "1").await;
    bench.maps().delete("one").await.unwrap();
    bench.map("one", "2").await;
    let mut new = ConfigMap::clone(&old);
    new.metadata.resource_version = "".into();
    let error = bench.maps().update(new).await.expect_err("this is another object of the same name");
    assert!(error.is_conflict(), "{error:?}");
    assert_eq!(bench.maps().get("one").await.unwrap().data.get("value").map(|value| &**value), Some("2"));
}

async fn update_of_nothing_changes_nothing(bench: Bench) {
    let old = bench.map("one", "1").await;
    let mut watch = bench.maps().watch(&WatchOptions::from(bench.revision().await.as_str())).await.unwrap();
    let same = bench.maps().update(&old).await.unwrap();
    assert_eq!(same.metadata.resource_version, old.metadata.resource_version);
    let same = bench.maps().patch_merge("one", json!({"data": {"value": "1"}})).await.unwrap();
    assert_eq!(same.metadata.resource_version, old.metadata.resource_version);
    assert_quiet(&mut watch).await;
    bench.map("two", "1").await;
    assert_eq!(next_events(&mut watch, 1).await, ["ADDED two"]);
}

async fn update_needs_the_object(bench: Bench) {
    assert_error(
        bench.maps().update(map("gone", "1")).await,
        Error::is_not_found,
        "configmaps \"gone\" not found",
    );
}

async fn update_needs_the_same_name(bench: Bench) {
    bench.map("one", "1").await;
    let key = ObjectKey::namespaced(&bench.namespace, "one");
    let refused = bench
        .client
        .update(
            ConfigMap::KIND,
            &key,
            Subresource::Main,
            Draft::of(map("two", "1")),
            &WriteOptions::default(),
        )
        .await;
    let is_bad_request: fn(&Error) -> bool = |error| matches!(error, Error::BadRequest { .. });
    assert_error(
        refused,
        is_bad_request,
        "the name of the object (two) does not match the name on the URL (one)",
    );
}

async fn revisions_grow(bench: Bench) {
    let mut last = 0;
    for round in 0..5 {
        let created = bench.map(&format!("map-{round}"), "1").await;
        let pod = bench.pod(&format!("pod-{round}")).await;
        let listed = bench.revision().await;
        let changed = bench
            .maps()
            .modify(&created.metadata.name, |map| drop(map.data.insert("value", "2".into())))
            .await
            .unwrap();
        let deleted = bench.maps().delete(&created.metadata.name).await.unwrap();
        for (version, may_equal) in [
            (&created.metadata.resource_version, false),
            (&pod.metadata.resource_version, false),
            (&listed, true),
            (&changed.metadata.resource_version, false),
            (&deleted.record().resource_version(), false),
        ] {
            let revision = number(version);
            assert!(revision > last || may_equal && revision == last, "{revision} after {last}");
            last = revision;
        }
    }
}

async fn dry_runs_store_nothing(bench: Bench) {
    let dry = WriteOptions::default().dry_run();
    let made = bench.maps().create_with(map("one", "1"), &dry).await.unwrap();
    assert!(!made.metadata.uid.is_empty());
    assert!(bench.maps().get_opt("one").await.unwrap().is_none());

    let old = bench.map("one", "1").await;
    assert!(bench.maps().create_with(map("one", "1"), &dry).await.unwrap_err().is_already_exists());
    let changed = bench.maps().update_with(map("one", "2"), Subresource::Main, &dry).await.unwrap();
    assert_eq!(changed.data.get("value").map(|value| &**value), Some("2"));
    let deleted = bench.maps().delete_with("one", &crate::DeleteOptions::new().dry_run()).await.unwrap();
    assert!(deleted.is_gone());
    assert_eq!(*bench.maps().get("one").await.unwrap(), *old);
}

async fn strict_writes_refuse_unknown_fields(bench: Bench) {
    let document = json!({"metadata": {"name": "one", "colour": "red"}, "spec": {"containers": [{"name": "a", "image": "x", "shape": "round"}]}});
    let create = async |options: WriteOptions| {
        bench
            .client
            .create(bench.pods().kind(), Some(&bench.namespace), document.clone().into(), &options)
            .await
    };
    let error = create(WriteOptions::default().strict()).await.expect_err("there are unknown fields");
    assert!(matches!(error, Error::BadRequest { .. }), "{error:?}");
    for field in ["unknown field \"metadata.colour\"", "unknown field \"spec.containers[0].shape\""] {
        assert!(error.to_string().contains(field), "{error}");
    }
    create(WriteOptions::default()).await.unwrap();
}

async fn unknown_fields_survive_typed_updates(bench: Bench) {
    if !bench.keeps_unknown_fields() {
        return;
    }
    let document = json!({
        "metadata": {"name": "one"},
        "data": {"value": "1"},
        "future": {"deep": [1, 2]},
    });
    bench
        .client
        .create(ConfigMap::KIND, Some(&bench.namespace), document.into(), &WriteOptions::default())
        .await
        .unwrap();
    bench.maps().modify("one", |map| drop(map.data.insert("value", "2".into()))).await.unwrap();
    bench.maps().apply(map("one", "3"), "conformance").await.unwrap();
    let key = ObjectKey::namespaced(&bench.namespace, "one");
    let stored =
        bench.client.get(ConfigMap::KIND, &key, &GetOptions::default()).await.unwrap().to_value().unwrap();
    assert_eq!((&stored["data"]["value"], &stored["future"]), (&json!("3"), &json!({"deep": [1, 2]})));
}

async fn concurrent_changes_are_not_lost(bench: Bench) {
    bench.map("counter", "0").await;
    let increment = async |_| {
        for _ in 0..5 {
            let count = |map: &mut ConfigMap| {
                let count: u32 = map.data.get("value").unwrap().parse().unwrap();
                map.data.insert("value", (count + 1).to_string().into());
            };
            bench.maps().modify("counter", count).await.unwrap();
            tokio::task::yield_now().await;
        }
    };
    join_all((0..8).map(increment)).await;
    assert_eq!(
        bench.maps().get("counter").await.unwrap().data.get("value").map(|value| &**value),
        Some("40")
    );
}

async fn shared_objects_are_not_changed(bench: Bench) {
    let object = Arc::new(pod("one"));
    let created = bench.pods().create(&object).await.unwrap();
    assert!(
        object.metadata.uid.is_empty() && object.spec.restart_policy.is_empty(),
        "the caller's object was changed"
    );
    let before = created.metadata.clone();
    bench.pods().modify("one", |pod| drop(pod.metadata.labels.insert("a", "b".into()))).await.unwrap();
    assert_eq!(created.metadata, before);
}
