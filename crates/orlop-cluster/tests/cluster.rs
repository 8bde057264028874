//! What people meet: bad manifests, full nodes, jobs deleted while they run, and the way back.

use std::sync::Arc;
use std::time::Duration;

use orlop_client::{Api, ListOptions};
use orlop_clock::TokioClock;
use orlop_cluster::Cluster;
use orlop_cluster::ops::{apply, delete, drain, rollout, wait};
use orlop_model::apps::v1::{Deployment, ReplicaSet};
use orlop_model::batch::v1::Job;
use orlop_model::core::v1::{ConfigMap, Event, Namespace, Node, Pod, PodPhase};
use orlop_node::NodeConfig;

const LIMIT: Duration = Duration::from_secs(600);

async fn cluster(nodes: usize) -> Cluster {
    let clock = Arc::new(TokioClock::new("2026-03-01T12:00:00Z".parse().unwrap()));
    Cluster::builder(clock).seed(3).nodes(nodes).start().await.unwrap()
}

async fn apply(cluster: &Cluster, text: &str) -> Result<Vec<String>, apply::ApplyError> {
    let source = apply::Source { name: "test.yaml".into(), text: text.into() };
    let options = apply::Options::default();
    let applied = apply::run(cluster.client(), cluster.scheme(), &source, &options).await?;
    Ok(applied.iter().map(ToString::to_string).collect())
}

fn deployment(name: &str, replicas: i32, image: &str) -> String {
    format!(
        "
apiVersion: apps/v1
kind: Deployment
metadata: {{name: {name}}}
spec:
  replicas: {replicas}
  progressDeadlineSeconds: 30
  selector: {{matchLabels: {{app: {name}}}}}
  template:
    metadata: {{labels: {{app: {name}}}}}
    spec: {{containers: [{{name: main, image: '{image}', resources: {{requests: {{cpu: '1'}}}}}}]}}
"
    )
}

#[tokio::test(start_paused = true)]
async fn a_bad_manifest_is_refused_as_a_whole() {
    let cluster = cluster(0).await;
    let good = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: good}\n";
    for (bad, wanted) in [
        ("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: [}\n", "test.yaml:7"),
        ("apiVersion: v1\nkind: Gadget\nmetadata: {name: g}\n", "Gadget"),
        ("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\ndata: {a: 1}\n", "data.a"),
        ("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\ncolour: red\n", "unknown field \"colour\""),
        ("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\ndata: {}\ndata: {}\n", "duplicate"),
        ("kind: ConfigMap\nmetadata: {name: x}\n", "apiVersion"),
        ("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: Upper}\n", "metadata.name"),
        ("apiVersion: v1\nkind: Pod\nmetadata: {name: x}\nspec: {containers: []}\n", "spec.containers"),
        (
            "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x, namespace: nowhere}\n",
            "namespaces \"nowhere\" not found",
        ),
    ] {
        let error = apply(&cluster, &format!("{good}---\n{bad}")).await.unwrap_err().to_string();
        assert!(error.contains(wanted) && error.starts_with("test.yaml:"), "{bad}\n{error}");
        assert!(cluster.api::<ConfigMap>("default").get_opt("good").await.unwrap().is_none(), "{error}");
    }
    assert_eq!(apply(&cluster, good).await.unwrap(), ["configmap/good created"]);
    assert_eq!(apply(&cluster, good).await.unwrap(), ["configmap/good unchanged"]);
    let changed = format!("{good}data: {{a: b}}\n");
    assert_eq!(apply(&cluster, &changed).await.unwrap(), ["configmap/good configured"]);
    cluster.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_namespace_and_what_is_in_it_come_in_one_file_and_go_together() {
    let cluster = cluster(1).await;
    let text = "apiVersion: v1\nkind: Namespace\nmetadata: {name: team}\n---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: x, namespace: team}\n";
    assert_eq!(apply(&cluster, text).await.unwrap(), ["namespace/team created", "configmap/x created"]);
    delete::run::<Namespace>(cluster.client(), "", "team", delete::Cascade::Background, LIMIT).await.unwrap();
    assert!(cluster.api::<ConfigMap>("team").get_opt("x").await.unwrap().is_none());
    cluster.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_pod_that_fits_nowhere_says_why_and_goes_on_when_there_is_room() {
    let mut cluster = cluster(1).await;
    // The node has four CPUs.
    apply(&cluster, &deployment("web", 5, "example/web:1.0")).await.unwrap();
    let pods = cluster.api::<Pod>("default");
    let about = "0/1 nodes are available: 1 Insufficient cpu.";
    let pending = loop {
        let all = pods.list(&ListOptions::new()).await.unwrap().items;
        let mut refused = all.iter().filter(|pod| {
            pod.status
                .conditions
                .iter()
                .any(|condition| condition.reason == "Unschedulable" && condition.message.starts_with(about))
        });
        if let Some(pod) = refused.next() {
            break Arc::clone(pod);
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    };
    let events = ListOptions::new().fields(format!("involvedObject.name={}", pending.metadata.name));
    let told = cluster.api::<Event>("default").list(&events).await.unwrap().items;
    assert!(told.iter().any(|event| event.reason == "FailedScheduling" && event.message.starts_with(about)));
    cluster.add_node(NodeConfig::new("late")).unwrap();
    rollout::status(cluster.client(), "default", "web", LIMIT, |_| {}).await.unwrap();
    let late = pods.get(&*pending.metadata.name).await.unwrap();
    assert_eq!(late.spec.node_name, "late");
    assert!(cluster.add_node(NodeConfig::new("late")).is_err());
    cluster.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_job_that_is_deleted_while_it_runs_leaves_nothing() {
    let cluster = cluster(2).await;
    let job = "
apiVersion: batch/v1
kind: Job
metadata: {name: long}
spec:
  parallelism: 2
  completions: 2
  template:
    spec: {restartPolicy: Never, containers: [{name: main, image: example/batch:1.0, command: [sleep, '3600']}]}
";
    apply(&cluster, job).await.unwrap();
    let pods = cluster.api::<Pod>("default");
    let running = |pods: &[Arc<Pod>]| pods.iter().filter(|pod| pod.status.phase == PodPhase::Running).count();
    while running(&pods.list(&ListOptions::new()).await.unwrap().items) < 2 {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let first = pods.list(&ListOptions::new()).await.unwrap().items;
    delete::run::<Job>(cluster.client(), "default", "long", delete::Cascade::Background, LIMIT)
        .await
        .unwrap();
    for pod in &first {
        wait::gone(&pods, &**pod, LIMIT).await.unwrap();
    }
    assert_eq!(cluster.left_behind().await.unwrap(), []);
    cluster.stop().await;
}

#[tokio::test(start_paused = true)]
async fn foreground_deletion_ends_with_the_owner_and_orphans_stay() {
    let cluster = cluster(2).await;
    for name in ["kept", "gone"] {
        apply(&cluster, &deployment(name, 1, "example/web:1.0")).await.unwrap();
        rollout::status(cluster.client(), "default", name, LIMIT, |_| {}).await.unwrap();
    }
    let sets = cluster.api::<ReplicaSet>("default");
    delete::run::<Deployment>(cluster.client(), "default", "gone", delete::Cascade::Foreground, LIMIT)
        .await
        .unwrap();
    let left = sets.list(&ListOptions::new()).await.unwrap().items;
    assert_eq!(left.len(), 1, "the set of the other Deployment");
    delete::run::<Deployment>(cluster.client(), "default", "kept", delete::Cascade::Orphan, LIMIT)
        .await
        .unwrap();
    let left = sets.list(&ListOptions::new().labels("app=kept")).await.unwrap().items;
    assert_eq!(left.len(), 1);
    assert!(left[0].metadata.owner_references.is_empty());
    cluster.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_drain_spares_pods_that_nobody_would_replace() {
    let cluster = cluster(1).await;
    apply(
        &cluster,
        "apiVersion: v1\nkind: Pod\nmetadata: {name: alone}\nspec: {containers: [{name: c, image: a}]}\n",
    )
    .await
    .unwrap();
    let pods = cluster.api::<Pod>("default");
    let is_running = |pod: Option<&Pod>| pod.is_some_and(|pod| pod.status.phase == PodPhase::Running);
    wait::until(&pods, "alone", LIMIT, is_running).await.unwrap();
    let refused = drain::run(cluster.client(), "node-1", &drain::Options::default()).await.unwrap_err();
    assert!(matches!(&refused, drain::DrainError::NoController(alone) if alone.len() == 1), "{refused}");
    assert!(pods.get_opt("alone").await.unwrap().is_some());
    let force = drain::Options { force: true, ..drain::Options::default() };
    drain::run(cluster.client(), "node-1", &force).await.unwrap();
    assert!(pods.get_opt("alone").await.unwrap().is_none());
    let node = Api::<Node>::all(Arc::clone(cluster.client())).get("node-1").await.unwrap();
    assert!(node.spec.unschedulable);
    cluster.stop().await;
}

#[tokio::test(start_paused = true)]
async fn rollouts_are_undone_restarted_paused_and_scaled() {
    let cluster = cluster(3).await;
    let client = cluster.client();
    let api = cluster.api::<Deployment>("default");
    apply(&cluster, &deployment("web", 2, "example/web:1.0")).await.unwrap();
    rollout::status(client, "default", "web", LIMIT, |_| {}).await.unwrap();
    let nothing = rollout::undo(client, "default", "web", None).await.unwrap_err();
    assert_eq!(nothing.to_string(), "no rollout history found for deployment \"web\"");

    apply(&cluster, &deployment("web", 2, "example/web:missing")).await.unwrap();
    let stuck = rollout::status(client, "default", "web", LIMIT, |_| {}).await.unwrap_err();
    assert_eq!(stuck.to_string(), "deployment \"web\" exceeded its progress deadline");
    let unknown = rollout::undo(client, "default", "web", Some(9)).await.unwrap_err();
    assert_eq!(unknown.to_string(), "unable to find specified revision 9 in history");
    assert_eq!(rollout::undo(client, "default", "web", None).await.unwrap(), rollout::Undone::RolledBack(1));
    let web = rollout::status(client, "default", "web", LIMIT, |_| {}).await.unwrap();
    assert_eq!(web.spec.template.spec.containers[0].image, "example/web:1.0");
    let revisions = rollout::history(client, "default", "web").await.unwrap();
    assert_eq!(revisions.iter().map(|revision| revision.number).collect::<Vec<_>>(), [2, 3]);

    rollout::restart(client, "default", "web", cluster.now()).await.unwrap();
    rollout::status(client, "default", "web", LIMIT, |_| {}).await.unwrap();
    rollout::pause(client, "default", "web", true).await.unwrap();
    let paused = rollout::restart(client, "default", "web", cluster.now()).await.unwrap_err();
    assert!(matches!(paused, rollout::RolloutError::Paused { .. }));
    rollout::pause(client, "default", "web", false).await.unwrap();

    api.scale("web", 4).await.unwrap();
    let scaled = |web: Option<&Deployment>| web.is_some_and(|web| web.status.available_replicas == 4);
    wait::until(&api, "web", LIMIT, scaled).await.unwrap();
    let missing = wait::until(&api, "web", Duration::from_secs(1), |web| web.is_none()).await.unwrap_err();
    assert!(
        missing
            .to_string()
            .starts_with("timed out waiting for the condition on deployments.apps/default/web")
    );
    cluster.stop().await;
}

#[tokio::test(start_paused = true)]
async fn one_seed_gives_one_history() {
    async fn history(seed: u64) -> Vec<String> {
        let clock = Arc::new(TokioClock::new("2026-03-01T12:00:00Z".parse().unwrap()));
        let cluster = Cluster::builder(clock).seed(seed).nodes(3).start().await.unwrap();
        apply(&cluster, &deployment("web", 6, "example/web:flaky")).await.unwrap();
        rollout::status(cluster.client(), "default", "web", LIMIT, |_| {}).await.unwrap();
        let pods = cluster.api::<Pod>("default").list(&ListOptions::new()).await.unwrap().items;
        let events = cluster.api::<Event>("default").list(&ListOptions::new()).await.unwrap().items;
        let pods = pods.iter().map(|pod| serde_json::to_string(&**pod).unwrap());
        let lines = pods.chain(events.iter().map(|event| serde_json::to_string(&**event).unwrap())).collect();
        cluster.stop().await;
        lines
    }
    let first = history(5).await;
    assert_eq!(first, history(5).await);
    assert_ne!(first, history(6).await);
}
