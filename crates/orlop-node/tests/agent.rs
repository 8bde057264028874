//! The agent on simulated nodes, against a control plane in the same process, in paused time.

#[cfg(all(feature = "linux", target_os = "linux"))]
mod linux;

use std::future::Future;
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;

use orlop_apiserver::LocalClient;
use orlop_cache::{Index, Informer, Running};
use orlop_client::{Api, Client, DeleteOptions};
use orlop_clock::{Clock, Random, Timestamp, TokioClock};
use orlop_model::coordination::v1::Lease;
use orlop_model::core::v1::{ConfigMap, ContainerStatus, Event, Node, Pod, PodPhase, Secret};
use orlop_model::{ObjectKey, Str};
use orlop_node::sim::{SimOptions, SimRuntime};
use orlop_node::{Agent, AgentConfig, NodeConfig, PodRuntime, Recover};
use orlop_store::MemoryStore;
use serde_json::{Value, json};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;

/// A control plane with one simulated node.
struct World {
    client: Arc<dyn Client>,
    clock: Arc<dyn Clock>,
    by_node: Index<Pod, Str>,
    sim: SimRuntime,
    stop: CancellationToken,
    agents: JoinSet<()>,
    _informer: Running,
}

impl World {
    async fn new() -> Self {
        Self::with(SimOptions::default()).await
    }

    async fn with(options: SimOptions) -> Self {
        let clock: Arc<dyn Clock> =
            Arc::new(TokioClock::new("2026-03-01T12:00:00Z".parse::<Timestamp>().unwrap()));
        let store = Arc::new(MemoryStore::new());
        let local = LocalClient::builder(store, Arc::clone(&clock), Random::new(1)).build().await.unwrap();
        let client: Arc<dyn Client> = Arc::new(local);
        let stop = CancellationToken::new();
        let informer = Informer::builder(Api::<Pod>::all(Arc::clone(&client))).build();
        let by_node = informer.index(|pod: &Pod| pod.spec.node_name.clone());
        let running = informer.spawn(stop.clone());
        let sim = SimRuntime::new(
            Arc::new(options),
            Ipv4Addr::new(10, 1, 2, 0),
            256,
            Arc::clone(&clock),
            Random::new(2),
        );
        let mut world =
            Self { client, clock, by_node, sim, stop, agents: JoinSet::new(), _informer: running };
        world.agent(AgentConfig::default());
        let nodes = Api::<Node>::all(Arc::clone(&world.client));
        until("the node is registered", async || nodes.get_opt("n1").await.unwrap().is_some()).await;
        world
    }

    /// Starts the node's agent; it stops with the token that is answered, or with the world.
    fn agent(&mut self, config: AgentConfig) -> CancellationToken {
        let stop = self.stop.child_token();
        let mut node = NodeConfig::new("n1");
        node.addresses.push("192.168.0.1".parse().unwrap());
        let link = Arc::new(self.sim.link(Arc::clone(&self.client)));
        let agent = Agent::new(
            node,
            link,
            Arc::new(self.sim.clone()),
            self.by_node.clone(),
            Arc::clone(&self.clock),
            Random::new(3),
        )
        .config(config);
        let token = stop.clone();
        self.agents.spawn(async move { agent.run(token).await.unwrap() });
        stop
    }

    fn pods(&self) -> Api<Pod> {
        Api::namespaced(Arc::clone(&self.client), "default")
    }

    async fn create(&self, name: &str, spec: Value) -> Arc<Pod> {
        self.create_with(name, json!({}), spec).await
    }

    async fn create_with(&self, name: &str, annotations: Value, mut spec: Value) -> Arc<Pod> {
        spec["nodeName"] = "n1".into();
        let pod = json!({"metadata": {"name": name, "annotations": annotations}, "spec": spec});
        self.pods().create(&serde_json::from_value::<Pod>(pod).unwrap()).await.unwrap()
    }

    async fn phase(&self, name: &str, phase: PodPhase) -> Arc<Pod> {
        self.when(name, &format!("is {phase}"), |pod| pod.status.phase == phase).await
    }

    /// Waits until the pod is as wanted.
    async fn when(&self, name: &str, what: &str, wanted: impl Fn(&Pod) -> bool) -> Arc<Pod> {
        let pods = self.pods();
        let mut last = None;
        let wait = async {
            loop {
                if let Some(pod) = pods.get_opt(name).await.unwrap() {
                    if wanted(&pod) {
                        return pod;
                    }
                    last = Some(pod);
                }
                sleep(Duration::from_millis(100)).await;
            }
        };
        match timeout(Duration::from_secs(900), wait).await {
            Ok(pod) => pod,
            Err(_) => panic!(
                "{name} never {what}: {}",
                last.map(|pod| serde_json::to_string_pretty(&pod.status).unwrap()).unwrap_or_default()
            ),
        }
    }

    async fn gone(&self, name: &str) {
        let pods = self.pods();
        until("the pod is gone", async || pods.get_opt(name).await.unwrap().is_none()).await;
    }

    /// `REASON MESSAGE` of the events about a pod, in order, each as often as it was counted.
    async fn events(&self, pod: &str) -> Vec<String> {
        sleep(Duration::from_millis(10)).await;
        let listed = Api::<Event>::namespaced(Arc::clone(&self.client), "default")
            .list(&Default::default())
            .await
            .unwrap();
        let mut events: Vec<_> =
            listed.items.into_iter().filter(|event| event.involved_object.name == *pod).collect();
        events.sort_by(|one, other| {
            (one.first_timestamp, &one.metadata.name).cmp(&(other.first_timestamp, &other.metadata.name))
        });
        events.iter().map(|event| format!("{} {}", event.reason, event.message)).collect()
    }

    /// Standard output of a command in a container.
    async fn exec(&self, pod: &Pod, container: &str, command: &[&str]) -> String {
        let seen = self.sim.view(&pod.metadata.uid).await.unwrap();
        let command: Vec<Str> = command.iter().map(|word| Str::from(*word)).collect();
        let output = self.sim.exec(&seen.container(container).unwrap().id, &command, None).await.unwrap();
        String::from_utf8(output.stdout).unwrap()
    }
}

impl Drop for World {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

async fn until<F: Future<Output = bool>>(what: &str, holds: impl Fn() -> F) {
    let wait = async {
        while !holds().await {
            sleep(Duration::from_millis(100)).await;
        }
    };
    assert!(timeout(Duration::from_secs(900), wait).await.is_ok(), "never: {what}");
}

fn condition<'a>(pod: &'a Pod, type_: &str) -> &'a str {
    pod.status
        .conditions
        .iter()
        .find(|condition| condition.type_ == *type_)
        .map_or("", |condition| condition.status.as_str())
}

fn container<'a>(pod: &'a Pod, name: &str) -> &'a ContainerStatus {
    let mut all = pod.status.container_statuses.iter().chain(&pod.status.init_container_statuses);
    all.find(|container| container.name == *name).unwrap()
}

fn waiting(pod: &Pod, name: &str) -> String {
    container(pod, name).state.waiting.as_ref().map(|waiting| waiting.reason.to_string()).unwrap_or_default()
}

fn is_ready(pod: &Pod) -> bool {
    condition(pod, "Ready") == "True"
}

#[tokio::test(start_paused = true)]
async fn the_node_is_registered_and_lives() {
    let world = World::new().await;
    let nodes = Api::<Node>::all(Arc::clone(&world.client));
    let node = nodes.get("n1").await.unwrap();
    assert_eq!(node.metadata.labels["kubernetes.io/hostname"], "n1");
    assert_eq!(node.metadata.labels["kubernetes.io/os"], "linux");
    assert_eq!(node.status.allocatable["pods"].value(), 110);
    assert_eq!(node.status.addresses[0].address, "192.168.0.1");
    let ready = node.status.conditions.iter().find(|condition| condition.type_ == *"Ready").unwrap();
    assert_eq!((ready.status.as_str(), ready.reason.as_str()), ("True", "KubeletReady"));
    assert!(!node.status.node_info.kubelet_version.is_empty());
    assert_eq!(
        world.events("n1").await,
        ["Starting Starting kubelet.", "NodeReady Node n1 status is now: NodeReady"]
    );

    let leases = Api::<Lease>::namespaced(Arc::clone(&world.client), "kube-node-lease");
    until("the lease is there", async || leases.get_opt("n1").await.unwrap().is_some()).await;
    let renewed = |lease: &Lease| lease.spec.renew_time.unwrap().timestamp();
    let first = leases.get("n1").await.unwrap();
    assert_eq!(first.metadata.owner_references[0].uid, node.metadata.uid);
    assert_eq!(
        (first.spec.lease_duration_seconds, first.spec.holder_identity.as_deref()),
        (Some(40), Some("n1"))
    );
    sleep(Duration::from_secs(21)).await;
    let second = leases.get("n1").await.unwrap();
    assert!(renewed(&second).duration_since(renewed(&first)).as_secs() >= 19);

    // The status is not written while nothing changes, but now and then.
    let before = nodes.get("n1").await.unwrap().metadata.resource_version.clone();
    sleep(Duration::from_secs(60)).await;
    assert_eq!(nodes.get("n1").await.unwrap().metadata.resource_version, before);
    sleep(Duration::from_secs(600)).await;
    assert_ne!(nodes.get("n1").await.unwrap().metadata.resource_version, before);

    // A node that is cut off is silent; afterwards it goes on.
    world.sim.disconnect();
    let silent = leases.get("n1").await.unwrap();
    sleep(Duration::from_secs(120)).await;
    assert_eq!(leases.get("n1").await.unwrap(), silent);
    world.sim.reconnect();
    until("the lease is renewed", async || leases.get("n1").await.unwrap() != silent).await;
}

#[tokio::test(start_paused = true)]
async fn a_pod_runs_and_is_deleted_gracefully() {
    let world = World::new().await;
    world
        .create(
            "web",
            json!({"containers": [{
                "name": "app", "image": "nginx:1.27",
                "readinessProbe": {"httpGet": {"port": 80}, "periodSeconds": 5},
            }]}),
        )
        .await;
    let pod = world.when("web", "is ready", is_ready).await;
    assert_eq!(pod.status.phase, PodPhase::Running);
    for type_ in ["PodScheduled", "PodReadyToStartContainers", "Initialized", "ContainersReady"] {
        assert_eq!(condition(&pod, type_), "True", "{type_}");
    }
    let app = container(&pod, "app");
    assert!(app.ready && app.started == Some(true) && app.restart_count == 0);
    assert!(app.container_id.starts_with("containerd://") && app.image_id.starts_with("nginx@sha256:"));
    assert_eq!(
        (pod.status.pod_ip.as_str(), pod.status.host_ip.as_str(), pod.status.qos_class.as_str()),
        ("10.1.2.2", "192.168.0.1", "BestEffort")
    );
    assert!(pod.status.start_time.is_some() && pod.status.observed_generation == pod.metadata.generation);
    let events = world.events("web").await;
    assert_eq!(events[0], "Pulling Pulling image \"nginx:1.27\"");
    assert!(
        events[1].starts_with("Pulled Successfully pulled image \"nginx:1.27\" in ")
            && events[1].contains("Image size: 20000000 bytes."),
        "{events:?}"
    );
    assert_eq!(events[2..], ["Created Container created", "Started Container started"]);

    // Nothing is written any more.
    let before = pod.metadata.resource_version.clone();
    sleep(Duration::from_secs(300)).await;
    assert_eq!(world.pods().get("web").await.unwrap().metadata.resource_version, before);

    let begin = Instant::now();
    world.pods().delete("web").await.unwrap();
    world.gone("web").await;
    assert!(begin.elapsed() < Duration::from_secs(5), "{:?}", begin.elapsed());
    assert!(world.events("web").await.contains(&"Killing Stopping container app".to_owned()));
    until("nothing is left on the node", async || world.sim.pods().await.unwrap().is_empty()).await;
}

#[tokio::test(start_paused = true)]
async fn a_stubborn_container_is_killed_after_its_grace() {
    let world = World::new().await;
    world.create("web", json!({"terminationGracePeriodSeconds": 20, "containers": [{"name": "app", "image": "app:stubborn"}]})).await;
    world.when("web", "is ready", is_ready).await;
    let begin = Instant::now();
    world.pods().delete("web").await.unwrap();
    let pod = world.when("web", "is being deleted", |pod| pod.metadata.deletion_timestamp.is_some()).await;
    assert_eq!(pod.metadata.deletion_grace_period_seconds, Some(20));
    world.gone("web").await;
    let took = begin.elapsed();
    assert!(took >= Duration::from_secs(20) && took < Duration::from_secs(23), "{took:?}");

    // A later, shorter grace period cuts the first one short.
    world.create("other", json!({"terminationGracePeriodSeconds": 600, "containers": [{"name": "app", "image": "app:stubborn"}]})).await;
    world.when("other", "is ready", is_ready).await;
    let begin = Instant::now();
    world.pods().delete("other").await.unwrap();
    sleep(Duration::from_secs(5)).await;
    world.pods().delete_with("other", &DeleteOptions::new().grace(3)).await.unwrap();
    world.gone("other").await;
    let took = begin.elapsed();
    assert!(took >= Duration::from_secs(8) && took < Duration::from_secs(12), "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn a_crashing_container_is_restarted_with_back_off() {
    let world = World::new().await;
    world.create("web", json!({"containers": [{"name": "app", "image": "app:crash"}]})).await;
    let pod = world
        .when("web", "is in back-off", |pod| {
            pod.status.container_statuses.iter().any(|_| waiting(pod, "app") == "CrashLoopBackOff")
        })
        .await;
    let app = container(&pod, "app");
    let message = &app.state.waiting.as_ref().unwrap().message;
    let uid = &pod.metadata.uid;
    assert_eq!(*message, format!("back-off 10s restarting failed container=app pod=web_default({uid})"));
    assert_eq!(app.restart_count, 1, "the first restart is immediate");
    let last = app.last_state.terminated.as_ref().unwrap();
    assert_eq!((last.exit_code, last.reason.as_str()), (1, "Error"));
    assert_eq!(pod.status.phase, PodPhase::Running);

    let starts = |count: i32| {
        world.when("web", "is restarted", move |pod| {
            container(pod, "app").restart_count == count && container(pod, "app").state.running.is_some()
        })
    };
    let mut before = Instant::now();
    let mut gaps = Vec::new();
    for count in 2..=7 {
        starts(count).await;
        gaps.push(before.elapsed().as_secs());
        before = Instant::now();
    }
    for (gap, wanted) in gaps[1..].iter().zip([20, 40, 80, 160, 300]) {
        assert!((wanted..=wanted + 4).contains(gap), "{gaps:?}");
    }
    let listed = Api::<Event>::namespaced(Arc::clone(&world.client), "default")
        .list(&Default::default())
        .await
        .unwrap();
    let started: Vec<i32> =
        listed.items.iter().filter(|event| event.reason == *"Started").map(|event| event.count).collect();
    // The last starts may not be told: of many events about one object one in five minutes is written.
    assert!(matches!(started[..], [4..=8]), "the same event is counted, not repeated: {started:?}");
    let events = world.events("web").await;
    assert!(
        events
            .contains(&format!("BackOff Back-off restarting failed container app in pod web_default({uid})")),
        "{events:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn images_that_do_not_exist_are_told_and_tried_again() {
    let world = World::new().await;
    world.create("web", json!({"containers": [{"name": "app", "image": "app:does-not-exist"}]})).await;
    world
        .when("web", "fails to pull", |pod| {
            !pod.status.container_statuses.is_empty() && waiting(pod, "app") == "ErrImagePull"
        })
        .await;
    let pod = world.when("web", "is in back-off", |pod| waiting(pod, "app") == "ImagePullBackOff").await;
    assert_eq!(pod.status.phase, PodPhase::Pending);
    let message = &container(&pod, "app").state.waiting.as_ref().unwrap().message;
    let error = "failed to pull and unpack image \"app:does-not-exist\": failed to resolve reference \"app:does-not-exist\": app:does-not-exist: not found";
    assert_eq!(*message, format!("Back-off pulling image \"app:does-not-exist\": ErrImagePull: {error}"));
    let events = world.events("web").await;
    for event in [
        format!("Failed Failed to pull image \"app:does-not-exist\": {error}"),
        "Failed Error: ErrImagePull".to_owned(),
        "BackOff Back-off pulling image \"app:does-not-exist\"".to_owned(),
        "Failed Error: ImagePullBackOff".to_owned(),
    ] {
        assert!(events.contains(&event), "{event}: {events:?}");
    }
    // One that comes at the third attempt.
    world.create("late", json!({"containers": [{"name": "app", "image": "app:flaky"}]})).await;
    world.phase("late", PodPhase::Running).await;

    world
        .create("bad", json!({"containers": [{"name": "app", "image": "app:1", "imagePullPolicy": "Never"}]}))
        .await;
    let pod = world
        .when("bad", "is refused", |pod| {
            !pod.status.container_statuses.is_empty() && waiting(pod, "app") == "ErrImageNeverPull"
        })
        .await;
    let message = &container(&pod, "app").state.waiting.as_ref().unwrap().message;
    assert_eq!(*message, "Container image \"app:1\" is not present with pull policy of Never");
}

#[tokio::test(start_paused = true)]
async fn jobs_end() {
    let world = World::new().await;
    world.create("done", json!({"restartPolicy": "Never", "containers": [{"name": "app", "image": "app:1"}, {"name": "b", "image": "app:1"}]})).await;
    let pod = world.phase("done", PodPhase::Succeeded).await;
    assert_eq!(container(&pod, "app").state.terminated.as_ref().unwrap().reason, "Completed");
    let ready = pod.status.conditions.iter().find(|condition| condition.type_ == *"Ready").unwrap();
    assert_eq!((ready.status.as_str(), ready.reason.as_str()), ("False", "PodCompleted"));
    assert!(!pod.status.pod_ip.is_empty(), "its address is remembered");

    world.create("failed", json!({"restartPolicy": "Never", "containers": [{"name": "app", "image": "app:1", "command": ["sh", "-c", "sleep 2; exit 3"]}]})).await;
    let pod = world.phase("failed", PodPhase::Failed).await;
    assert_eq!(container(&pod, "app").state.terminated.as_ref().unwrap().exit_code, 3);

    // It fails twice, then it does what it should.
    let annotations = json!({"sim.orlop.dev/behaviour": "exit=1@1s,times=2"});
    world
        .create_with(
            "retried",
            annotations,
            json!({"restartPolicy": "OnFailure", "containers": [{"name": "app", "image": "app:1"}]}),
        )
        .await;
    let pod = world
        .when("retried", "runs", |pod| {
            !pod.status.container_statuses.is_empty()
                && container(pod, "app").restart_count == 2
                && container(pod, "app").state.running.is_some()
        })
        .await;
    assert_eq!(pod.status.phase, PodPhase::Running);

    world.create("late", json!({"restartPolicy": "Never", "activeDeadlineSeconds": 30, "containers": [{"name": "app", "image": "app:1", "command": ["sleep", "infinity"]}]})).await;
    let pod = world.phase("late", PodPhase::Failed).await;
    assert_eq!(
        (pod.status.reason.as_str(), pod.status.message.as_str()),
        ("DeadlineExceeded", "Pod was active on the node longer than the specified deadline")
    );
    // Finished pods stay until somebody deletes them.
    for name in ["done", "failed", "late"] {
        world.pods().delete(name).await.unwrap();
        world.gone(name).await;
    }
}

#[tokio::test(start_paused = true)]
async fn restart_rules_beat_policies() {
    let world = World::new().await;
    let rule = |action: &str| json!([{"action": action, "exitCodes": {"operator": "In", "values": [42]}}]);
    let app = |action: &str| json!({"name": "app", "image": "app:1", "restartPolicy": "Never", "restartPolicyRules": rule(action)});
    let annotations = json!({"sim.orlop.dev/behaviour.app": "exit=42@2s,times=1"});
    let other = json!({"name": "other", "image": "app:1", "restartPolicy": "Always"});
    let init = json!({"name": "init", "image": "busybox:1"});
    let count = |pod: &Pod, name: &str| container(pod, name).restart_count;
    let run = |pod: &Pod| {
        !pod.status.container_statuses.is_empty()
            && ["app", "other"].iter().all(|name| container(pod, name).state.running.is_some())
    };

    let spec =
        json!({"restartPolicy": "Never", "initContainers": [init], "containers": [app("Restart"), other]});
    world.create_with("one", annotations.clone(), spec).await;
    let pod = world.when("one", "is restarted", |pod| run(pod) && count(pod, "app") == 1).await;
    assert_eq!((count(&pod, "other"), count(&pod, "init")), (0, 0));

    let spec = json!({"restartPolicy": "Never", "initContainers": [init], "containers": [app("RestartAllContainers"), other]});
    world.create_with("all", annotations, spec).await;
    let first = world.when("all", "runs", run).await;
    let pod = world.when("all", "is restarted", |pod| run(pod) && count(pod, "app") == 1).await;
    assert_eq!(condition(&pod, "AllContainersRestarting"), "False", "it is over");
    let last = container(&pod, "other").last_state.terminated.as_ref().unwrap();
    assert_eq!((last.exit_code, last.reason.as_str()), (137, "RestartingAllContainers"));
    assert_eq!((count(&pod, "app"), count(&pod, "other"), count(&pod, "init")), (1, 1, 1));
    assert_eq!(pod.status.pod_ip, first.status.pod_ip, "in the same sandbox");
}

#[tokio::test(start_paused = true)]
async fn init_containers_and_sidecars_keep_their_order() {
    let world = World::new().await;
    world
        .create(
            "web",
            json!({
                "initContainers": [
                    {"name": "first", "image": "busybox:1"},
                    {"name": "side", "image": "proxy:1", "restartPolicy": "Always", "startupProbe": {"tcpSocket": {"port": 1}, "periodSeconds": 1}},
                    {"name": "second", "image": "busybox:1"},
                ],
                "containers": [{"name": "app", "image": "app:1"}],
                "terminationGracePeriodSeconds": 10,
            }),
        )
        .await;
    let pod = world
        .when("web", "waits", |pod| {
            !pod.status.init_container_statuses.is_empty() && waiting(pod, "app") == "PodInitializing"
        })
        .await;
    assert_eq!((condition(&pod, "Initialized"), pod.status.phase.as_str()), ("False", "Pending"));
    let pod = world.when("web", "is ready", is_ready).await;
    let start = |name: &str| {
        let state = &container(&pod, name).state;
        state
            .running
            .as_ref()
            .and_then(|state| state.started_at)
            .or(state.terminated.as_ref().and_then(|state| state.started_at))
            .unwrap()
    };
    let order: Vec<_> = ["first", "side", "second", "app"].map(start).into_iter().collect();
    assert!(order.is_sorted(), "{order:?}");
    assert!(container(&pod, "side").state.running.is_some() && container(&pod, "side").started == Some(true));
    assert_eq!(container(&pod, "second").state.terminated.as_ref().unwrap().exit_code, 0);

    // The sidecar ends after the container it serves.
    world.sim.change(&pod.metadata.uid, "app", "stop=4s").unwrap();
    world.pods().delete("web").await.unwrap();
    let uid = pod.metadata.uid.clone();
    sleep(Duration::from_secs(3)).await;
    let seen = world.sim.view(&uid).await.unwrap();
    assert!(
        seen.container("side").unwrap().state == orlop_node::ContainerState::Running,
        "it waits for its turn"
    );
    world.gone("web").await;

    world.create("broken", json!({"restartPolicy": "Never", "initContainers": [{"name": "i", "image": "busybox:fail"}], "containers": [{"name": "app", "image": "app:1"}]})).await;
    world.phase("broken", PodPhase::Failed).await;
}

#[tokio::test(start_paused = true)]
async fn probes_decide() {
    let world = World::new().await;
    let probe = |kind: &str, image: &str, threshold: i32| json!({"containers": [{"name": "app", "image": image, kind: {"httpGet": {"port": 80, "path": "/"}, "periodSeconds": 2, "failureThreshold": threshold}}]});
    world.create("sick", probe("livenessProbe", "app:sick", 3)).await;
    let pod = world
        .when("sick", "is restarted", |pod| {
            pod.status.container_statuses.iter().any(|container| container.restart_count == 1)
        })
        .await;
    let events = world.events("sick").await;
    assert!(
        events
            .contains(&"Unhealthy Liveness probe failed: HTTP probe failed with statuscode: 503".to_owned()),
        "{events:?}"
    );
    assert!(
        events.contains(&"Killing Container app failed liveness probe, will be restarted".to_owned()),
        "{events:?}"
    );
    drop(pod);

    world.create("unready", probe("readinessProbe", "app:unready", 1)).await;
    let pod = world.phase("unready", PodPhase::Running).await;
    sleep(Duration::from_secs(60)).await;
    let later = world.pods().get("unready").await.unwrap();
    assert_eq!(condition(&later, "Ready"), "False");
    assert_eq!(container(&later, "app").restart_count, 0, "readiness never kills");
    world.sim.change(&pod.metadata.uid, "app", "ready=1s").unwrap();
    world.when("unready", "is ready", is_ready).await;
    world.sim.change(&pod.metadata.uid, "app", "ready=never").unwrap();
    let pod = world.when("unready", "is not ready", |pod| !is_ready(pod)).await;
    let ready = pod.status.conditions.iter().find(|condition| condition.type_ == *"Ready").unwrap();
    assert_eq!(
        (ready.reason.as_str(), ready.message.as_str()),
        ("ContainersNotReady", "containers with unready status: [app]")
    );

    let annotations = json!({"sim.orlop.dev/behaviour.app": "up=20s"});
    let mut spec = probe("startupProbe", "app:1", 30);
    spec["containers"][0]["readinessProbe"] = json!({"tcpSocket": {"port": 80}});
    world.create_with("slow", annotations, spec).await;
    let pod = world.phase("slow", PodPhase::Running).await;
    assert_eq!(container(&pod, "app").started, Some(false));
    let pod = world.when("slow", "is ready", is_ready).await;
    assert_eq!(container(&pod, "app").restart_count, 0);
}

#[tokio::test(start_paused = true)]
async fn hooks_run() {
    let world = World::new().await;
    let spec = |image: &str| {
        json!({"terminationGracePeriodSeconds": 30, "containers": [{
            "name": "app", "image": image,
            "lifecycle": {"postStart": {"exec": {"command": ["warm"]}}, "preStop": {"sleep": {"seconds": 7}}},
        }]})
    };
    world.create("web", spec("app:1")).await;
    world.when("web", "is ready", is_ready).await;
    let begin = Instant::now();
    world.pods().delete("web").await.unwrap();
    world.gone("web").await;
    assert!((7..10).contains(&begin.elapsed().as_secs()), "{:?}", begin.elapsed());

    world.create_with("broken", json!({"sim.orlop.dev/behaviour": "hook=fail"}), spec("app:1")).await;
    world
        .when("broken", "has a failed hook", |pod| {
            !pod.status.container_statuses.is_empty() && waiting(pod, "app") == "PostStartHookError"
        })
        .await;
    let events = world.events("broken").await;
    assert!(events.contains(&"FailedPostStartHook PostStartHook failed".to_owned()), "{events:?}");
    assert!(events.contains(&"Killing FailedPostStartHook".to_owned()), "{events:?}");
}

#[tokio::test(start_paused = true)]
async fn configuration_is_waited_for() {
    let world = World::new().await;
    world
        .create(
            "web",
            json!({
                "containers": [{
                    "name": "app", "image": "app:1",
                    "env": [
                        {"name": "HOST", "valueFrom": {"configMapKeyRef": {"name": "cfg", "key": "host"}}},
                        {"name": "URL", "value": "http://$(HOST)/"},
                        {"name": "IP", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}},
                    ],
                    "envFrom": [{"secretRef": {"name": "keys"}}],
                }],
            }),
        )
        .await;
    let message = |pod: &Pod| {
        container(pod, "app")
            .state
            .waiting
            .as_ref()
            .map(|waiting| waiting.message.to_string())
            .unwrap_or_default()
    };
    let config = |pod: &Pod| {
        !pod.status.container_statuses.is_empty() && waiting(pod, "app") == "CreateContainerConfigError"
    };
    let pod = world.when("web", "misses its secret", config).await;
    assert_eq!(message(&pod), "secret \"keys\" not found");
    let secret: Secret =
        serde_json::from_value(json!({"metadata": {"name": "keys"}, "data": {"KEY": "c2VjcmV0"}})).unwrap();
    Api::<Secret>::namespaced(Arc::clone(&world.client), "default").create(&secret).await.unwrap();
    world.when("web", "misses its ConfigMap", |pod| message(pod) == "configmap \"cfg\" not found").await;
    let maps = Api::<ConfigMap>::namespaced(Arc::clone(&world.client), "default");
    let mut map: ConfigMap =
        serde_json::from_value(json!({"metadata": {"name": "cfg"}, "data": {"other": "x"}})).unwrap();
    let stored = maps.create(&map).await.unwrap();
    world
        .when("web", "misses a key", |pod| message(pod) == "couldn't find key host in ConfigMap default/cfg")
        .await;
    assert!(
        world
            .events("web")
            .await
            .contains(&"Failed Error: couldn't find key host in ConfigMap default/cfg".to_owned())
    );
    map.data.insert("host", "db".into());
    map.metadata.resource_version = stored.metadata.resource_version.clone();
    maps.update(&map).await.unwrap();
    let pod = world.phase("web", PodPhase::Running).await;
    assert_eq!(
        world.exec(&pod, "app", &["env"]).await,
        format!("KEY=secret\nHOST=db\nURL=http://db/\nIP={}\n", pod.status.pod_ip)
    );

    world
        .create(
            "files",
            json!({
                "containers": [{"name": "app", "image": "app:1", "volumeMounts": [{"name": "v", "mountPath": "/etc/v"}]}],
                "volumes": [{"name": "v", "configMap": {"name": "page"}}],
            }),
        )
        .await;
    let pod = world.when("files", "waits", |pod| !pod.status.container_statuses.is_empty()).await;
    sleep(Duration::from_secs(5)).await;
    assert_eq!(waiting(&pod, "app"), "ContainerCreating");
    let events = world.events("files").await;
    assert!(
        events.contains(
            &"FailedMount MountVolume.SetUp failed for volume \"v\" : configmap \"page\" not found"
                .to_owned()
        ),
        "{events:?}"
    );
    let page: ConfigMap =
        serde_json::from_value(json!({"metadata": {"name": "page"}, "data": {"index.html": "hello"}}))
            .unwrap();
    maps.create(&page).await.unwrap();
    let pod = world.phase("files", PodPhase::Running).await;
    assert_eq!(world.exec(&pod, "app", &["cat", "/etc/v/index.html"]).await, "hello");
}

#[tokio::test(start_paused = true)]
async fn a_node_that_lost_its_power_starts_its_pods_anew() {
    let world = World::new().await;
    world.create("web", json!({"containers": [{"name": "app", "image": "app:1"}]})).await;
    let before = world.when("web", "is ready", is_ready).await;
    world.sim.power_off();
    sleep(Duration::from_secs(30)).await;
    assert_eq!(world.pods().get("web").await.unwrap(), before, "nobody tells");
    world.sim.reconnect();
    let pod = world
        .when("web", "runs again", |pod| is_ready(pod) && container(pod, "app").restart_count == 1)
        .await;
    assert_eq!(container(&pod, "app").last_state.terminated.as_ref().unwrap().exit_code, 255);
    assert!(
        world
            .events("web")
            .await
            .contains(&"SandboxChanged Pod sandbox changed, it will be killed and re-created.".to_owned())
    );
}

#[tokio::test(start_paused = true)]
async fn a_new_agent_adopts_or_removes() {
    let mut world = World::new().await;
    world.create("web", json!({"containers": [{"name": "app", "image": "app:1"}]})).await;
    let before = world.when("web", "is ready", is_ready).await;
    let first = container(&before, "app").container_id.clone();
    // The agent stops; meanwhile one pod is deleted by force.
    world.create("lost", json!({"containers": [{"name": "app", "image": "app:1"}]})).await;
    world.when("lost", "is ready", is_ready).await;
    world.stop.cancel();
    while world.agents.join_next().await.is_some() {}
    assert_eq!(world.sim.pods().await.unwrap().len(), 2, "pods outlive their agent");
    world.pods().delete_with("lost", &DeleteOptions::new().grace(0)).await.unwrap();

    world.stop = CancellationToken::new();
    let informer = Informer::builder(Api::<Pod>::all(Arc::clone(&world.client))).build();
    world.by_node = informer.index(|pod: &Pod| pod.spec.node_name.clone());
    world._informer = informer.spawn(world.stop.clone());
    let stop = world.agent(AgentConfig::default());
    until("the lost pod is removed", async || world.sim.pods().await.unwrap().len() == 1).await;
    sleep(Duration::from_secs(60)).await;
    let after = world.pods().get("web").await.unwrap();
    assert!(
        is_ready(&after)
            && container(&after, "app").container_id == first
            && container(&after, "app").restart_count == 0
    );

    stop.cancel();
    while world.agents.join_next().await.is_some() {}
    world.agent(AgentConfig { recover: Recover::Remove, ..AgentConfig::default() });
    let pod = world
        .when("web", "is started anew", |pod| is_ready(pod) && container(pod, "app").container_id != first)
        .await;
    assert_eq!(container(&pod, "app").restart_count, 1);
}

#[tokio::test(start_paused = true)]
async fn one_seed_gives_one_story() {
    async fn story() -> Vec<String> {
        let world = World::new().await;
        for index in 0..5 {
            let image = ["app:1", "app:crash", "app:flaky", "app:sick", "app:missing"][index];
            world.create(&format!("pod-{index}"), json!({"containers": [{"name": "app", "image": image, "livenessProbe": {"tcpSocket": {"port": 1}}}]})).await;
        }
        sleep(Duration::from_secs(120)).await;
        let mut told = Vec::new();
        for index in 0..5 {
            told.push(
                serde_json::to_string(&*world.pods().get(&format!("pod-{index}")).await.unwrap()).unwrap(),
            );
        }
        let events = Api::<Event>::namespaced(Arc::clone(&world.client), "default")
            .list(&Default::default())
            .await
            .unwrap();
        told.extend(events.items.iter().map(|event| serde_json::to_string(&**event).unwrap()));
        told
    }
    let (one, other) = (story().await, story().await);
    assert!(one.len() > 20);
    assert_eq!(one, other);
}

#[tokio::test(start_paused = true)]
async fn the_same_name_again_is_another_pod() {
    let world = World::new().await;
    let spec = json!({"containers": [{"name": "app", "image": "app:1"}]});
    world.create("web", spec.clone()).await;
    let first = world.when("web", "is ready", is_ready).await;
    world.pods().delete_with("web", &DeleteOptions::new().grace(0)).await.unwrap();
    world.create("web", spec).await;
    let second = world.when("web", "is ready", is_ready).await;
    assert_ne!(first.metadata.uid, second.metadata.uid);
    until("the first one is gone", async || world.sim.pods().await.unwrap().len() == 1).await;
    let key = ObjectKey::namespaced("default", "web");
    assert_eq!(
        Api::<Pod>::all(Arc::clone(&world.client)).get(&key).await.unwrap().metadata.uid,
        second.metadata.uid
    );
}

#[tokio::test(start_paused = true)]
async fn many_nodes_write_little() {
    const NODES: usize = 50;
    const PODS: usize = 10 * NODES;
    let mut world = World::new().await;
    let options = Arc::new(SimOptions::default());
    for index in 1..NODES {
        let range = Ipv4Addr::from(0x0a02_0000 + u32::try_from(index).unwrap() * 256);
        let name = format!("node-{index}");
        let sim = SimRuntime::new(
            Arc::clone(&options),
            range,
            256,
            Arc::clone(&world.clock),
            Random::new(2).fork(&name),
        );
        let (client, by_node, clock) =
            (Arc::clone(&world.client), world.by_node.clone(), Arc::clone(&world.clock));
        let agent = Agent::new(NodeConfig::new(name), client, Arc::new(sim), by_node, clock, Random::new(3));
        let stop = world.stop.clone();
        world.agents.spawn(async move { agent.run(stop).await.unwrap() });
    }
    sleep(Duration::from_secs(30)).await;
    let revision = async || {
        world.pods().list(&Default::default()).await.unwrap().resource_version.parse::<usize>().unwrap()
    };
    // Idle nodes renew their leases and nothing else.
    let begin = revision().await;
    sleep(Duration::from_secs(60)).await;
    let idle = revision().await - begin;
    assert!((5 * NODES..=6 * NODES).contains(&idle), "{idle} writes");

    let begin = revision().await;
    for index in 0..PODS {
        let node = match index % NODES {
            0 => "n1".to_owned(),
            node => format!("node-{node}"),
        };
        let pod = json!({"metadata": {"name": format!("p{index}")}, "spec": {"nodeName": node, "containers": [{"name": "app", "image": "app:1"}]}});
        world.pods().create(&serde_json::from_value::<Pod>(pod).unwrap()).await.unwrap();
    }
    let clock = Instant::now();
    until("all pods are ready", async || {
        world.pods().list(&Default::default()).await.unwrap().items.iter().all(|pod| is_ready(pod))
    })
    .await;
    let leases = NODES * (usize::try_from(clock.elapsed().as_secs()).unwrap() / 10 + 1);
    let writes = revision().await - begin - PODS;
    // Of each pod: its status when it is seen, with its sandbox, when it runs; events of pull, creation, start.
    assert!(writes <= 7 * PODS + leases, "{writes} writes in {:?}", clock.elapsed());

    // Pods to which nothing happens cause no writes.
    sleep(Duration::from_secs(10)).await;
    let begin = revision().await;
    sleep(Duration::from_secs(60)).await;
    let idle = revision().await - begin;
    assert!(idle <= 6 * NODES, "{idle} writes");
}
