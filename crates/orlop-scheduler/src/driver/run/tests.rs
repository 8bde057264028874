use std::future::Future;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use orlop_apiserver::LocalClient;
use orlop_cache::{Informer, Running, Store};
use orlop_client::{Api, Client, ListOptions};
use orlop_clock::{Random, Timestamp, TokioClock};
use orlop_controller::Recorder;
use orlop_model::core::v1::{Event, PodConditionType};
use orlop_model::{KindInfo, ObjectKey, StaticKind};
use orlop_store::MemoryStore;
use serde_json::{Value, json};

use super::super::{ClientActuator, Note, StorageSources};
use super::*;
use crate::engine::Engine;
use crate::framework::{Permit, PermitVerdict, Plugin, Profile};
use crate::queue::SchedulingQueue;
use crate::waiting::WaitingPods;

struct Informers {
    client: Arc<dyn Client>,
    stop: CancellationToken,
    running: Vec<Running>,
}

impl Informers {
    fn of<K: StaticKind + Object>(&mut self) -> Store<K> {
        let informer = Informer::builder(Api::<K>::all(Arc::clone(&self.client))).build();
        let store = informer.store().clone();
        self.running.push(informer.spawn(self.stop.clone()));
        store
    }
}

/// An API server, the caches and a driver on it, in paused time.
struct Rig {
    client: Arc<dyn Client>,
    pods: Api<Pod>,
    handle: SchedulerHandle,
    stop: CancellationToken,
    _informers: Vec<Running>,
    driver: tokio::task::JoinHandle<()>,
}

impl Rig {
    async fn new() -> Self {
        Self::acting(|actuator| actuator).await
    }

    async fn acting<A: Actuator>(actuator: impl FnOnce(ClientActuator) -> A) -> Self {
        Self::with(Profile::kubernetes(), actuator).await
    }

    async fn with<A: Actuator>(profile: Profile, actuator: impl FnOnce(ClientActuator) -> A) -> Self {
        let clock: Arc<dyn Clock> = Arc::new(TokioClock::new(Timestamp::from_second(1_772_366_400).unwrap()));
        let store = Arc::new(MemoryStore::new());
        let local = LocalClient::builder(store, Arc::clone(&clock), Random::new(7)).build().await.unwrap();
        let client: Arc<dyn Client> = Arc::new(local);
        let stop = CancellationToken::new();
        let mut informers =
            Informers { client: Arc::clone(&client), stop: stop.clone(), running: Vec::new() };
        let sources = Sources::new(informers.of(), informers.of()).storage(StorageSources {
            volumes: informers.of(),
            claims: informers.of(),
            classes: informers.of(),
            csi_nodes: informers.of(),
            drivers: informers.of(),
            attachments: informers.of(),
            capacities: informers.of(),
        });
        let scheduler = Scheduler::new(Engine::new([profile], 7).unwrap(), SchedulingQueue::default());
        let events = Recorder::new(Arc::clone(&client), Arc::clone(&clock), "default-scheduler");
        let actuator = actuator(ClientActuator::new(Arc::clone(&client)).events(events));
        let driver = Driver::new(scheduler, sources, actuator, clock);
        let handle = driver.handle();
        Self {
            pods: Api::namespaced(Arc::clone(&client), "default"),
            client,
            handle,
            _informers: informers.running,
            driver: tokio::spawn(driver.run(stop.clone())),
            stop,
        }
    }

    async fn node(&self, name: &str, cpu: &str) {
        let node = json!({"metadata": {"name": name}, "status": {
            "allocatable": {"cpu": cpu, "memory": "4Gi", "pods": "10"}, "capacity": {"cpu": cpu, "memory": "4Gi", "pods": "10"}}});
        self.create(Node::KIND, None, node).await;
    }

    async fn pod(&self, name: &str, cpu: &str) {
        let pod = json!({"metadata": {"name": name, "namespace": "default"}, "spec": {"containers": [
            {"name": "c", "image": "i", "resources": {"requests": {"cpu": cpu}}}]}});
        self.create(Pod::KIND, Some("default"), pod).await;
    }

    async fn create(&self, kind: &KindInfo, namespace: Option<&str>, mut object: Value) {
        let status = object.as_object_mut().unwrap().remove("status");
        let created =
            self.client.create(kind, namespace, object.clone().into(), &Default::default()).await.unwrap();
        if let Some(status) = status {
            let key = ObjectKey { namespace: namespace.map(Into::into), name: created.key().name };
            let patch = orlop_client::Patch::Merge(json!({ "status": status }));
            self.client
                .patch(kind, &key, orlop_client::Subresource::Status, patch, &Default::default())
                .await
                .unwrap();
        }
    }

    /// The pod, once it is as wanted.
    async fn when(&self, name: &str, wanted: impl Fn(&Pod) -> bool) -> Arc<Pod> {
        let what = async || self.pods.get(name).await.ok().filter(|pod| wanted(pod));
        until(what, || format!("{name}: {:?}", self.handle)).await
    }

    async fn events(&self) -> Vec<String> {
        let events = Api::<Event>::namespaced(Arc::clone(&self.client), "default");
        let list = events.list(&ListOptions::new()).await.unwrap().items;
        list.iter()
            .map(|event| format!("{} {}: {}", event.involved_object.name, event.reason, event.message))
            .collect()
    }

    async fn stop(self) {
        self.stop.cancel();
        self.driver.await.unwrap();
    }
}

mod preemption;
mod volumes;

/// Waits, in paused time, until there is something.
async fn until<T, F: Future<Output = Option<T>>>(what: impl Fn() -> F, else_: impl Fn() -> String) -> T {
    for _ in 0..10_000 {
        if let Some(found) = what().await {
            return found;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("waited in vain: {}", else_());
}

fn scheduled(pod: &Pod) -> Option<(String, String, String)> {
    pod.status.conditions.iter().find(|condition| condition.type_ == PodConditionType::PodScheduled).map(
        |condition| {
            (condition.status.to_string(), condition.reason.to_string(), condition.message.to_string())
        },
    )
}

fn is_bound(pod: &Pod) -> bool {
    !pod.spec.node_name.is_empty()
}

#[tokio::test(start_paused = true)]
async fn pods_are_bound_told_why_not_and_woken() {
    let rig = Rig::new().await;
    // Before there is a node.
    rig.pod("first", "600m").await;
    let first = rig.when("first", |pod| scheduled(pod).is_some()).await;
    let none = ("False".into(), "Unschedulable".into(), "no nodes available to schedule pods".into());
    assert_eq!(scheduled(&first), Some(none));
    rig.node("n1", "1").await;
    let first = rig.when("first", is_bound).await;
    assert_eq!(first.spec.node_name, "n1");
    assert_eq!(scheduled(&first).map(|(status, ..)| status).as_deref(), Some("True"));

    rig.pod("second", "600m").await;
    let second = rig.when("second", |pod| scheduled(pod).is_some()).await;
    let why = "0/1 nodes are available: 1 Insufficient cpu. \
               preemption: 0/1 nodes are available: 1 No preemption victims found for incoming pod.";
    assert_eq!(scheduled(&second), Some(("False".into(), "Unschedulable".into(), why.into())));
    let explanation = rig.handle.explain(&second);
    assert_eq!(explanation.nearest_miss().unwrap().rejections[0].1.reasons()[0].deficit(), Some(200));

    let options = orlop_client::DeleteOptions { grace: Some(0), ..Default::default() };
    rig.pods.delete_with("first", &options).await.unwrap();
    rig.when("second", is_bound).await;
    let wanted = "second Scheduled: Successfully assigned default/second to n1";
    let events = until(
        async || Some(rig.events().await).filter(|events| events.iter().any(|event| event == wanted)),
        || "no event".to_owned(),
    )
    .await;
    assert!(events.contains(&format!("second FailedScheduling: {why}")), "{events:?}");
    until(
        async || Some(()).filter(|()| rig.handle.counts() == QueueCounts::default()),
        || "queue".to_owned(),
    )
    .await;
    rig.stop().await;
}

/// Fails, or panics, the first few times.
struct Clumsy {
    inner: ClientActuator,
    calls: AtomicUsize,
}

#[async_trait]
impl Actuator for Clumsy {
    async fn bind(&self, pod: &Arc<Pod>, node: &Str) -> orlop_client::Result<()> {
        match self.calls.fetch_add(1, Ordering::Relaxed) {
            0 => Err(Error::internal("out of order")),
            1 => panic!("clumsy"),
            _ => self.inner.bind(pod, node).await,
        }
    }

    async fn evict(&self, eviction: &Eviction, now: Timestamp) -> orlop_client::Result<()> {
        self.inner.evict(eviction, now).await
    }

    async fn unscheduled(
        &self,
        pod: &Arc<Pod>,
        why: &Unscheduled,
        now: Timestamp,
    ) -> orlop_client::Result<()> {
        self.inner.unscheduled(pod, why, now).await
    }

    fn record(&self, pod: &Arc<Pod>, note: Note) {
        self.inner.record(pod, note);
    }
}

#[tokio::test(start_paused = true)]
async fn a_binding_that_fails_is_tried_again() {
    let rig = Rig::acting(|inner| Clumsy { inner, calls: AtomicUsize::new(0) }).await;
    rig.node("n1", "1").await;
    rig.pod("a", "600m").await;
    let hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(|_| {}));
    let a = rig.when("a", |pod| scheduled(pod).is_some()).await;
    let (_, reason, message) = scheduled(&a).unwrap();
    assert_eq!(reason, "SchedulerError");
    assert!(message.contains("out of order"), "{message}");
    rig.when("a", is_bound).await;
    std::panic::set_hook(hook);
    let metrics = rig.handle.metrics();
    assert_eq!(metrics.attempts_total(AttemptResult::Error), 2);
    assert_eq!(metrics.attempts_total(AttemptResult::Scheduled), 1);
    assert_eq!(metrics.attempts_per_pod, [0, 0, 1, 0, 0, 0]);
    assert_eq!((metrics.nodes, metrics.pods, metrics.pending.total()), (1, 1, 0));
    rig.stop().await;
}

/// Lets nobody be bound before somebody else says so.
#[derive(Debug)]
struct Approval;

impl Plugin for Approval {
    fn name(&self) -> &str {
        "Approval"
    }
}

impl Permit for Approval {
    fn permit(&self, _: &Pod, _: &str, _: &mut WaitingPods) -> PermitVerdict {
        PermitVerdict::Wait(Duration::from_secs(60))
    }
}

#[tokio::test(start_paused = true)]
async fn pods_wait_for_leave_to_be_bound() {
    let profile = Profile::kubernetes_builder().permit(Approval).build().unwrap();
    let rig = Rig::with(profile, |actuator| actuator).await;
    rig.node("n1", "1").await;
    for name in ["a", "b", "c"] {
        rig.pod(name, "300m").await;
    }
    let waiting = until(
        async || Some(rig.handle.waiting()).filter(|waiting| waiting.len() == 3),
        || "nobody waits".to_owned(),
    )
    .await;
    let id = |name: &str| waiting.iter().find(|pod| pod.pod().metadata.name == *name).unwrap().id().clone();
    assert!(rig.handle.allow(&id("a"), "Approval"));
    assert!(rig.handle.reject(&id("b"), "Approval", Status::unschedulable("not today")));
    rig.when("a", is_bound).await;
    let b = rig.when("b", |pod| scheduled(pod).is_some()).await;
    let message = "0/1 nodes are available: not today.";
    assert_eq!(scheduled(&b), Some(("False".into(), "Unschedulable".into(), message.into())));
    let c = rig.when("c", |pod| scheduled(pod).is_some()).await;
    let message = "0/1 nodes are available: rejected due to timeout after waiting 1m0s at plugin Approval.";
    assert_eq!(scheduled(&c).unwrap().2, message);
    rig.stop().await;
}

/// Takes its time.
struct Slow(ClientActuator);

#[async_trait]
impl Actuator for Slow {
    async fn pre_bind(&self, _: &Arc<Pod>, _: &Str) -> orlop_client::Result<()> {
        tokio::time::sleep(Duration::from_secs(3)).await;
        Ok(())
    }

    async fn bind(&self, pod: &Arc<Pod>, node: &Str) -> orlop_client::Result<()> {
        self.0.bind(pod, node).await
    }

    async fn evict(&self, eviction: &Eviction, now: Timestamp) -> orlop_client::Result<()> {
        self.0.evict(eviction, now).await
    }

    async fn unscheduled(&self, _: &Arc<Pod>, _: &Unscheduled, _: Timestamp) -> orlop_client::Result<()> {
        Ok(())
    }

    fn record(&self, _: &Arc<Pod>, _: Note) {}
}

#[tokio::test(start_paused = true)]
async fn what_is_being_bound_when_it_stops_is_bound() {
    let rig = Rig::acting(Slow).await;
    rig.node("n1", "1").await;
    rig.pod("a", "600m").await;
    until(
        async || Some(()).filter(|()| rig.handle.counts().in_flight == 1),
        || "nothing is bound".to_owned(),
    )
    .await;
    let pods = rig.pods.clone();
    rig.stop().await;
    assert!(is_bound(&pods.get("a").await.unwrap()));
}

#[tokio::test(start_paused = true)]
async fn a_pod_in_the_way_is_marked_and_deleted() {
    let rig = Rig::new().await;
    rig.node("n1", "1").await;
    rig.pod("small", "600m").await;
    let victim = rig.when("small", is_bound).await;
    rig.pod("big", "1").await;
    let preemptor = rig.when("big", |pod| scheduled(pod).is_some()).await;
    let actuator = ClientActuator::new(Arc::clone(&rig.client));
    let eviction = Eviction { victim: Arc::clone(&victim), preemptor, node: "n1".into() };
    let now = Timestamp::from_second(1_772_366_500).unwrap();
    actuator.evict(&eviction, now).await.unwrap();
    // A node agent would end it; until then it is to be seen why it goes.
    let ending = rig.pods.get("small").await.unwrap();
    assert!(ending.metadata.deletion_timestamp.is_some());
    let target =
        ending.status.conditions.iter().find(|c| c.type_ == PodConditionType::DisruptionTarget).unwrap();
    assert_eq!((target.status.as_str(), target.reason.as_str()), ("True", "PreemptionByScheduler"));
    assert_eq!(target.message, "default-scheduler: preempting to accommodate a higher priority pod");
    let options = orlop_client::DeleteOptions { grace: Some(0), ..Default::default() };
    rig.pods.delete_with("small", &options).await.unwrap();
    actuator.evict(&eviction, now).await.unwrap();
    rig.when("big", is_bound).await;
    rig.stop().await;
}

#[tokio::test(start_paused = true)]
async fn the_same_seed_gives_the_same_events() {
    let mut runs = Vec::new();
    for _ in 0..2 {
        let rig = Rig::new().await;
        for number in 0..5 {
            rig.node(&format!("n{number}"), "2").await;
        }
        for number in 0..30 {
            rig.pod(&format!("p{number}"), "400m").await;
        }
        tokio::time::sleep(Duration::from_secs(30)).await;
        let bound = rig.pods.list(&ListOptions::new()).await.unwrap().items;
        assert_eq!(bound.iter().filter(|pod| is_bound(pod)).count(), 25);
        assert_eq!(rig.handle.counts().unschedulable, 5);
        runs.push((
            rig.events().await,
            bound.iter().map(|pod| pod.spec.node_name.to_string()).collect::<Vec<_>>(),
        ));
        rig.stop().await;
    }
    assert_eq!(runs[0], runs[1]);
    assert_eq!(runs[0].0.len(), 30);
}
