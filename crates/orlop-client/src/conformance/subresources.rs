//! Status, scale, binding, eviction.

use orlop_model::apps::v1::Deployment;
use orlop_model::core::v1::{ConditionStatus, PodConditionType, PodPhase};
use orlop_model::{ObjectKey, StaticKind};

use super::bench::{Bench, assert_error};
use super::cases;
use crate::{Draft, Error, Subresource, WriteOptions};

cases!("subresources":
    status_and_the_rest_are_written_apart,
    generations_count_changes_of_the_spec,
    stale_status_is_a_conflict,
    scale_is_read_and_written,
    scale_needs_a_kind_with_replicas,
    binding_assigns_once,
    eviction_deletes,
);

async fn status_and_the_rest_are_written_apart(bench: Bench) {
    let mut draft = super::bench::deployment("web");
    draft.status.replicas = 7;
    let created = bench.deployments().create(draft).await.unwrap();
    assert_eq!(created.status.replicas, 0, "a new object has no status yet");

    let mut both = Deployment::clone(&created);
    both.spec.replicas = Some(3);
    both.status.replicas = 3;
    let updated = bench.deployments().update(&both).await.unwrap();
    assert_eq!((updated.spec.replicas, updated.status.replicas), (Some(3), 0));

    both.metadata.resource_version = updated.metadata.resource_version.clone();
    both.spec.replicas = Some(4);
    let updated = bench.deployments().update_status(both).await.unwrap();
    assert_eq!((updated.spec.replicas, updated.status.replicas), (Some(3), 3));
    assert_eq!(*bench.deployments().get("web").await.unwrap(), *updated);
}

async fn generations_count_changes_of_the_spec(bench: Bench) {
    let created = bench.deployment("web").await;
    assert_eq!(created.metadata.generation, 1);
    let changed = bench.deployments().modify("web", |web| web.spec.replicas = Some(5)).await.unwrap();
    assert_eq!(changed.metadata.generation, 2);
    let labelled = bench
        .deployments()
        .modify("web", |web| drop(web.metadata.labels.insert("a", "b".into())))
        .await
        .unwrap();
    assert_eq!(labelled.metadata.generation, 2);
    let status =
        bench.deployments().modify_status("web", |web| web.status.observed_generation = 2).await.unwrap();
    assert_eq!((status.metadata.generation, status.status.observed_generation), (2, 2));
    let claimed = bench.deployments().modify("web", |web| web.metadata.generation = 9).await.unwrap();
    assert_eq!(claimed.metadata.generation, 2, "it is the server's to count");
}

async fn stale_status_is_a_conflict(bench: Bench) {
    let old = bench.deployment("web").await;
    bench.deployments().modify("web", |web| web.spec.replicas = Some(5)).await.unwrap();
    let mut stale = Deployment::clone(&old);
    stale.status.replicas = 1;
    let error = bench.deployments().update_status(stale).await.expect_err("the object has been modified");
    assert!(error.is_conflict(), "{error:?}");
    assert_eq!(bench.deployments().get("web").await.unwrap().status.replicas, 0);
}

async fn scale_is_read_and_written(bench: Bench) {
    bench.deployment("web").await;
    bench.deployments().modify_status("web", |web| web.status.replicas = 2).await.unwrap();
    let scale = bench.deployments().get_scale("web").await.unwrap();
    assert_eq!((scale.spec.replicas, scale.status.replicas, &*scale.status.selector), (2, 2, "app=web"));
    let scaled = bench.deployments().scale("web", 6).await.unwrap();
    assert_eq!(scaled.spec.replicas, 6);
    let web = bench.deployments().get("web").await.unwrap();
    assert_eq!((web.spec.replicas, web.metadata.generation, web.status.replicas), (Some(6), 2, 2));
    assert_eq!(scaled.metadata.resource_version, web.metadata.resource_version);
    let error =
        bench.deployments().scale("web", -1).await.expect_err("there is no negative number of replicas");
    assert!(error.is_invalid(), "{error:?}");

    // Written as a whole it is an update with a version, which may be stale.
    let mut stale = orlop_model::autoscaling::v1::Scale::clone(&scale);
    stale.spec.replicas = 1;
    let key = ObjectKey::namespaced(&bench.namespace, "web");
    let refused = bench
        .client
        .update(Deployment::KIND, &key, Subresource::Scale, Draft::of(stale), &WriteOptions::default())
        .await;
    assert!(refused.as_ref().is_err_and(Error::is_conflict), "{refused:?}");
    assert_error(
        bench.deployments().scale("gone", 1).await,
        Error::is_not_found,
        "deployments.apps \"gone\" not found",
    );
}

async fn scale_needs_a_kind_with_replicas(bench: Bench) {
    bench.map("one", "1").await;
    bench.maps().get_scale("one").await.expect_err("a ConfigMap has no scale");
    bench.maps().scale("one", 1).await.expect_err("a ConfigMap has no scale");
    bench.maps().update_status(super::bench::map("one", "2")).await.expect_err("a ConfigMap has no status");
}

async fn binding_assigns_once(bench: Bench) {
    bench.pod("a").await;
    bench.pods().bind("a", "node-1").await.unwrap();
    let bound = bench.pods().get("a").await.unwrap();
    assert_eq!(bound.spec.node_name, "node-1");
    let scheduled =
        bound.status.conditions.iter().find(|condition| condition.type_ == PodConditionType::PodScheduled);
    assert!(
        scheduled.is_some_and(|condition| condition.status == ConditionStatus::True),
        "{:?}",
        bound.status.conditions
    );
    let error = bench.pods().bind("a", "node-2").await.expect_err("the pod is assigned already");
    assert!(error.is_conflict(), "{error:?}");
    assert_eq!(
        error.to_string(),
        "Operation cannot be fulfilled on pods/binding \"a\": pod a is already assigned to node \"node-1\""
    );
    assert_eq!(*bench.pods().get("a").await.unwrap(), *bound);
    assert_error(bench.pods().bind("gone", "node-1").await, Error::is_not_found, "pods \"gone\" not found");
}

async fn eviction_deletes(bench: Bench) {
    bench.pod("a").await;
    bench.pods().evict("a").await.unwrap();
    assert!(bench.pods().get_opt("a").await.unwrap().is_none(), "an unscheduled pod goes at once");
    bench.pod("b").await;
    bench.pods().bind("b", "node-1").await.unwrap();
    bench.pods().modify_status("b", |pod| pod.status.phase = PodPhase::Running).await.unwrap();
    bench.pods().evict("b").await.unwrap();
    assert!(bench.pods().get("b").await.unwrap().metadata.is_deleting());
    assert_error(bench.pods().evict("gone").await, Error::is_not_found, "pods \"gone\" not found");
}
