//! Patches.

use orlop_model::ObjectKey;
use orlop_model::StaticKind;
use orlop_model::core::v1::ConfigMap;
use serde_json::json;

use super::bench::{Bench, assert_error};
use super::cases;
use crate::{Error, Patch, Result, Subresource, WriteOptions};

cases!("patches":
    merge_sets_and_removes,
    merge_of_lists_replaces,
    merge_with_a_stale_version_is_a_conflict,
    patches_cannot_rename,
    patches_need_the_object,
    json_patches_are_all_or_nothing,
    patch_of_the_status,
    other_patches_work_or_are_refused,
);

fn value<'a>(map: &'a ConfigMap, key: &str) -> Option<&'a str> {
    map.data.get(key).map(|value| &**value)
}

async fn merge_sets_and_removes(bench: Bench) {
    let old = bench.map("one", "1").await;
    let patch = json!({"metadata": {"labels": {"a": "b"}}, "data": {"value": null, "other": "2"}});
    let new = bench.maps().patch_merge("one", patch).await.unwrap();
    assert_eq!((value(&new, "value"), value(&new, "other")), (None, Some("2")));
    assert_eq!(new.metadata.labels.get("a").map(|value| &**value), Some("b"));
    assert_eq!(
        (&new.metadata.uid, new.metadata.creation_timestamp),
        (&old.metadata.uid, old.metadata.creation_timestamp)
    );
    assert_ne!(new.metadata.resource_version, old.metadata.resource_version);
    assert_eq!(*bench.maps().get("one").await.unwrap(), *new);
}

async fn merge_of_lists_replaces(bench: Bench) {
    bench.deployment("web").await;
    let patch = json!({"spec": {"template": {"spec": {"containers": [{"name": "new", "image": "example.org/new:1"}]}}}});
    let new = bench.deployments().patch_merge("web", patch).await.unwrap();
    let names: Vec<_> = new.spec.template.spec.containers.iter().map(|container| &*container.name).collect();
    assert_eq!(names, ["new"]);
}

async fn merge_with_a_stale_version_is_a_conflict(bench: Bench) {
    let old = bench.map("one", "1").await;
    bench.maps().patch_merge("one", json!({"data": {"value": "2"}})).await.unwrap();
    let patch =
        json!({"metadata": {"resourceVersion": &*old.metadata.resource_version}, "data": {"value": "3"}});
    let error = bench.maps().patch_merge("one", patch).await.expect_err("the object has been modified");
    assert!(error.is_conflict(), "{error:?}");
    assert_eq!(value(&bench.maps().get("one").await.unwrap(), "value"), Some("2"));
}

async fn patches_cannot_rename(bench: Bench) {
    let old = bench.map("one", "1").await;
    bench
        .maps()
        .patch_merge("one", json!({"metadata": {"name": "two"}}))
        .await
        .expect_err("names do not change");
    bench.maps().patch_merge("one", json!([1])).await.expect_err("this is no object");
    assert_eq!(*bench.maps().get("one").await.unwrap(), *old);
}

async fn patches_need_the_object(bench: Bench) {
    assert_error(
        bench.maps().patch_merge("gone", json!({})).await,
        Error::is_not_found,
        "configmaps \"gone\" not found",
    );
}

async fn json_patches_are_all_or_nothing(bench: Bench) {
    let patch = async |operations| -> Result<_> {
        bench.maps().patch("one", Subresource::Main, Patch::Json(operations), &WriteOptions::default()).await
    };
    let old = bench.map("one", "1").await;
    match patch(
        json!([{"op": "add", "path": "/data/other", "value": "2"}, {"op": "remove", "path": "/data/value"}]),
    )
    .await
    {
        Err(Error::Unsupported { .. } | Error::UnsupportedMediaType { .. }) => return,
        result => {
            let new = result.unwrap();
            assert_eq!((value(&new, "value"), value(&new, "other")), (None, Some("2")));
            assert_ne!(new.metadata.resource_version, old.metadata.resource_version);
        }
    }
    for refused in [
        json!([{"op": "replace", "path": "/data/other", "value": "3"}, {"op": "test", "path": "/data/other", "value": "4"}]),
        json!([{"op": "remove", "path": "/data/gone"}]),
        json!([{"op": "fly"}]),
        json!({}),
    ] {
        patch(refused).await.expect_err("the patch cannot be applied");
    }
    assert_eq!(value(&bench.maps().get("one").await.unwrap(), "other"), Some("2"));
}

async fn patch_of_the_status(bench: Bench) {
    let old = bench.deployment("web").await;
    let patch = json!({"spec": {"replicas": 9}, "status": {"replicas": 2, "observedGeneration": 1}});
    let new = bench.deployments().patch_status("web", patch).await.unwrap();
    assert_eq!((new.status.replicas, new.status.observed_generation), (2, 1));
    assert_eq!((new.spec.replicas, new.metadata.generation), (Some(2), old.metadata.generation));
}

async fn other_patches_work_or_are_refused(bench: Bench) {
    let key = ObjectKey::namespaced(&bench.namespace, "one");
    bench.map("one", "1").await;
    let document =
        json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "one"}, "data": {"other": "2"}});
    for patch in [Patch::Strategic(document.clone()), Patch::Apply(document)] {
        let force = matches!(patch, Patch::Apply(_));
        let options = WriteOptions { force, ..WriteOptions::by("conformance") };
        let result = bench.client.patch(ConfigMap::KIND, &key, Subresource::Main, patch, &options).await;
        match result {
            Ok(record) => assert_eq!(value(&record.get::<ConfigMap>().unwrap(), "other"), Some("2")),
            Err(error) => assert!(
                matches!(error, Error::Unsupported { .. } | Error::UnsupportedMediaType { .. }),
                "{error:?}"
            ),
        }
    }
}
