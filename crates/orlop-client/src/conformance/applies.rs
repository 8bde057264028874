//! Client-side apply.

use orlop_model::apps::v1::Deployment;
use serde_json::json;

use super::bench::{Bench, deployment, map};
use super::cases;
use crate::{ListOptions, Outcome, WriteOptions};

cases!("applies":
    creates_configures_and_rests,
    removes_what_it_no_longer_has,
    merges_lists_by_key,
    insists_on_a_given_version,
);

async fn creates_configures_and_rests(bench: Bench) {
    let options = WriteOptions::by("conformance");
    let created = bench.deployments().apply_with(deployment("web"), &options).await.unwrap();
    assert_eq!(created.outcome, Outcome::Created);
    let again = bench.deployments().apply_with(deployment("web"), &options).await.unwrap();
    assert_eq!(again.outcome, Outcome::Unchanged);
    assert_eq!(again.object.metadata.resource_version, created.object.metadata.resource_version);
    // What others set stays.
    bench.deployments().modify("web", |web| web.spec.min_ready_seconds = 7).await.unwrap();
    let mut wanted = deployment("web");
    wanted.spec.replicas = Some(5);
    let configured = bench.deployments().apply_with(wanted, &options).await.unwrap();
    assert_eq!(configured.outcome, Outcome::Configured);
    assert_eq!((configured.object.spec.replicas, configured.object.spec.min_ready_seconds), (Some(5), 7));
}

async fn removes_what_it_no_longer_has(bench: Bench) {
    let mut wanted = map("one", "1");
    wanted.data.insert("extra", "x".into());
    bench.maps().apply(&wanted, "conformance").await.unwrap();
    bench.maps().patch_merge("one", json!({"data": {"theirs": "y"}})).await.unwrap();
    wanted.data.remove("extra");
    let applied = bench.maps().apply(&wanted, "conformance").await.unwrap();
    assert_eq!(applied.data.keys().map(|key| &**key).collect::<Vec<_>>(), ["theirs", "value"]);
}

async fn merges_lists_by_key(bench: Bench) {
    bench.deployments().apply(deployment("web"), "conformance").await.unwrap();
    let add = |web: &mut Deployment| {
        let mut sidecar = web.spec.template.spec.containers[0].clone();
        sidecar.name = "sidecar".into();
        web.spec.template.spec.containers.push(sidecar);
    };
    bench.deployments().modify("web", add).await.unwrap();
    let mut wanted = deployment("web");
    wanted.spec.template.spec.containers[0].image = "example.org/main:2".into();
    let applied = bench.deployments().apply(wanted, "conformance").await.unwrap();
    let containers: Vec<_> = applied
        .spec
        .template
        .spec
        .containers
        .iter()
        .map(|container| (&*container.name, &*container.image))
        .collect();
    assert_eq!(containers, [("main", "example.org/main:2"), ("sidecar", "example.org/main:1")]);
    assert_eq!(bench.deployments().list(&ListOptions::new()).await.unwrap().items.len(), 1);
}

async fn insists_on_a_given_version(bench: Bench) {
    let old = bench.maps().apply(map("one", "1"), "conformance").await.unwrap();
    bench.maps().patch_merge("one", json!({"data": {"theirs": "y"}})).await.unwrap();
    let mut wanted = map("one", "2");
    wanted.metadata.resource_version = old.metadata.resource_version.clone();
    let error = bench.maps().apply(wanted, "conformance").await.expect_err("the object has been modified");
    assert!(error.is_conflict(), "{error:?}");
    let mut gone = map("gone", "1");
    gone.metadata.resource_version = old.metadata.resource_version.clone();
    assert!(bench.maps().apply(gone, "conformance").await.expect_err("it is gone").is_not_found());
    assert_eq!(bench.maps().get("one").await.unwrap().data.get("value").map(|value| &**value), Some("1"));
}
