use std::future::Future;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use orlop_apiserver::LocalClient;
use orlop_cache::{Informer, Running};
use orlop_client::{Api, ListOptions};
use orlop_clock::{Random, Timestamp, TokioClock};
use orlop_controller::Recorder;
use orlop_model::core::v1::{Event, PodConditionType};
use orlop_model::{KindInfo, ObjectKey, StaticKind};
use orlop_store::MemoryStore;
use serde_json::{Value, json};

use super::*;
use crate::engine::Engine;
use crate::framework::Profile;
use crate::queue::SchedulingQueue;

/// An API server, the caches and a driver on it, in paused time.
struct Rig {
    client: Arc<dyn Client>,
    pods: Api<Pod>,
    handle: SchedulerHandle,
    stop: CancellationToken,
    _informers: (Running, Running),
    driver: tokio::task::JoinHandle<()>,
}

impl Rig {
    async fn new(binder: impl FnOnce(Arc<dyn Client>) -> Option<Arc<dyn Binder>>) -> Self {
        let clock: Arc<dyn Clock> = Arc::new(TokioClock::new(Timestamp::from_second(1_772_366_400).unwrap()));
        let store = Arc::new(MemoryStore::new());
        let local = LocalClient::builder(store, Arc::clone(&clock), Random::new(7)).build().await.unwrap();
        let client: Arc<dyn Client> = Arc::new(local);
        let stop = CancellationToken::new();
        let pods = Informer::builder(Api::<Pod>::all(Arc::clone(&client))).build();
        let nodes = Informer::builder(Api::<Node>::all(Arc::clone(&client))).build();
        let sources = Sources::new(pods.store().clone(), nodes.store().clone());
        let scheduler =
            Scheduler::new(Engine::new([Profile::kubernetes()], 7).unwrap(), SchedulingQueue::default());
        let mut driver = Driver::new(scheduler, sources, Arc::clone(&client), Arc::clone(&clock))
            .events(Recorder::new(Arc::clone(&client), clock, "default-scheduler"));
        if let Some(binder) = binder(Arc::clone(&client)) {
            driver.binder = binder;
        }
        let handle = driver.handle();
        Self {
            pods: Api::namespaced(Arc::clone(&client), "default"),
            client,
            handle,
            _informers: (pods.spawn(stop.clone()), nodes.spawn(stop.clone())),
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
    let rig = Rig::new(|_| None).await;
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
    let why = "0/1 nodes are available: 1 Insufficient cpu.";
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
    inner: PodBinding,
    calls: AtomicUsize,
}

#[async_trait]
impl Binder for Clumsy {
    async fn bind(&self, pod: &Pod, node: &str) -> orlop_client::Result<()> {
        match self.calls.fetch_add(1, Ordering::Relaxed) {
            0 => Err(Error::internal("out of order")),
            1 => panic!("clumsy"),
            _ => self.inner.bind(pod, node).await,
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_binding_that_fails_is_tried_again() {
    let binder =
        |client| Some(Arc::new(Clumsy { inner: PodBinding::new(client), calls: AtomicUsize::new(0) }) as _);
    let rig = Rig::new(binder).await;
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
    rig.stop().await;
}

#[tokio::test(start_paused = true)]
async fn the_same_seed_gives_the_same_events() {
    let mut runs = Vec::new();
    for _ in 0..2 {
        let rig = Rig::new(|_| None).await;
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
