//! Informers: what they ask, and what of the objects they keep.

use std::sync::Arc;

use futures::StreamExt;
use orlop_cache::test_util::{Faults, Faulty};
use orlop_cache::{Delta, Informer};
use orlop_client::{Api, Client};
use orlop_clock::Random;
use orlop_model::core::v1::ConfigMap;
use tokio_util::sync::CancellationToken;

use crate::common::{View, informer, key, map, source};

#[tokio::test(start_paused = true)]
async fn a_stream_goes_on_as_the_watch() {
    let source = source();
    source.put(map("ns", "a", ""));
    let informer = informer(&source);
    let store = informer.store().clone();
    let running = informer.spawn(CancellationToken::new());
    store.synced().await;
    source.put(map("ns", "b", ""));
    assert!(store.wait_for("3").await);
    running.stop().await;
    assert_eq!(source.asked(), ["stream \"\""]);
}

#[tokio::test(start_paused = true)]
async fn pages_then_a_watch() {
    let source = source();
    (0..5).for_each(|i| drop(source.put(map("ns", &i.to_string(), ""))));
    let client: Arc<dyn Client> = source.clone();
    let informer = Informer::builder(Api::<ConfigMap>::all(client)).streaming(false).page(2).build();
    let store = informer.store().clone();
    let running = informer.spawn(CancellationToken::new());
    assert!(store.wait_for("6").await);
    running.stop().await;
    let asked = source.asked();
    assert_eq!(asked[0], "list \"0\" limit 2");
    assert!(asked.last().is_some_and(|asked| asked.starts_with("watch \"")), "{asked:?}");
    assert_eq!(store.len(), 5);
}

#[tokio::test(start_paused = true)]
async fn objects_are_shared_not_copied() {
    let source = source();
    let there = source.put(map("ns", "a", ""));
    let informer = informer(&source);
    let store = informer.store().clone();
    let _running = informer.spawn(CancellationToken::new());
    assert!(store.wait_for("2").await);
    assert!(Arc::ptr_eq(&store.list()[0], &there));
}

#[tokio::test(start_paused = true)]
async fn a_transform_is_applied_before_anybody_sees_the_object() {
    let source = source();
    source.put(map("ns", "a", "secret"));
    let client: Arc<dyn Client> = source.clone();
    let informer = Informer::builder(Api::<ConfigMap>::all(client))
        .transform(|object| {
            let mut object = ConfigMap::clone(&object);
            object.data.clear();
            Arc::new(object)
        })
        .build();
    let store = informer.store().clone();
    let _running = informer.spawn(CancellationToken::new());
    source.put(map("ns", "b", "secret"));
    assert!(store.wait_for("3").await);
    assert!(store.list().iter().all(|object| object.data.is_empty()));
}

#[tokio::test(start_paused = true)]
async fn metadata_alone() {
    let source = source();
    let a = source.put(map("ns", "a", "x"));
    let client: Arc<dyn Client> = source.clone();
    let informer = Informer::metadata(&Api::<ConfigMap>::all(client)).build();
    let store = informer.store().clone();
    let _running = informer.spawn(CancellationToken::new());
    source.put(map("ns", "b", "y"));
    assert!(store.wait_for("3").await);
    let kept = store.get(&key("ns", "a")).unwrap();
    assert_eq!((&kept.metadata, kept.body.len(), &*kept.kind.kind), (&a.metadata, 0, "ConfigMap"));
    assert_eq!(store.len(), 2);
}

#[tokio::test(start_paused = true)]
async fn scoped_by_namespaces_and_labels() {
    let source = source();
    for (namespace, group) in [("a", "1"), ("a", "2"), ("b", "1"), ("c", "1")] {
        source.put(map(namespace, &format!("of-{group}"), group));
    }
    let client: Arc<dyn Client> = source.clone();
    let api = Api::<ConfigMap>::all(client.clone());
    let informer = Informer::builder(api).namespaces(["b", "a", "a"]).labels("group=1").build();
    let store = informer.store().clone();
    let mut view = View::default();
    let mut changes = store.subscribe();
    let running = informer.spawn(CancellationToken::new());
    assert!(store.synced().await);
    let names = || {
        store
            .list()
            .iter()
            .map(|map| format!("{}/{}", map.metadata.namespace, map.metadata.name))
            .collect::<Vec<_>>()
    };
    assert_eq!(names(), ["a/of-1", "b/of-1"]);
    // Comes into the scope, and leaves it.
    source.put(map("a", "of-2", "1"));
    source.put(map("b", "of-1", "2"));
    source.put(map("c", "new", "1"));
    source.put(map("a", "new", "1"));
    while names() != ["a/new", "a/of-1", "a/of-2"] {
        tokio::task::yield_now().await;
    }
    view.hear_all(&mut changes).unwrap();
    assert!(view.objects.values().eq(&store.list()));
    running.stop().await;

    let one = Informer::builder(Api::<ConfigMap>::namespaced(client, "c")).build();
    let store = one.store().clone();
    let _running = one.spawn(CancellationToken::new());
    store.synced().await;
    assert_eq!(store.len(), 2);
}

#[tokio::test(start_paused = true)]
async fn dropping_the_handle_ends_the_informer() {
    let source = source();
    let informer = informer(&source);
    let (store, mut changes) = (informer.store().clone(), informer.subscribe());
    let running = informer.spawn(CancellationToken::new());
    store.synced().await;
    drop(running);
    assert!(matches!(changes.next().await, Some(Delta::Synced)));
    assert!(changes.next().await.is_none());
}

/// Dropped after any number of steps, an informer leaves a state that was, told in full, and another can begin.
#[tokio::test(start_paused = true)]
async fn dropped_at_any_await_it_leaves_a_state_that_was() {
    for seed in 0..300 {
        let random = Random::new(seed);
        let source = orlop_cache::test_util::Source::<ConfigMap>::new(random.fork("source"));
        (0..6).for_each(|i| drop(source.put(map("ns", &i.to_string(), ""))));
        let states = [(0, Vec::new()), (source.revision(), source.objects())];
        let faulty = Faulty::new(source.clone(), random.fork("faults"));
        faulty.set(Faults { hangs: 0.0, list_hangs: 0.0, ..Faults::all() });
        let client: Arc<dyn Client> = faulty;
        let api = Api::<ConfigMap>::all(client);
        let informer = Informer::builder(api)
            .page(2)
            .streaming(random.chance(0.5))
            .random(random.fork("informer"))
            .build();
        let (store, mut changes) = (informer.store().clone(), informer.subscribe());
        let mut run = Box::pin(informer.run(CancellationToken::new()));
        for _ in 0..random.range(0..20) {
            assert!(futures::poll!(&mut run).is_pending());
            tokio::time::sleep(std::time::Duration::from_millis(random.range(0..2_000))).await;
        }
        drop(run);
        let mut view = View::default();
        view.hear_all(&mut changes).unwrap();
        assert!(changes.next().await.is_none(), "it has ended");
        assert!(view.objects.values().eq(&store.list()), "history {seed}");
        // A paged list may be of an earlier state.
        let there = store.list();
        let was = states.iter().any(|(_, objects)| *objects == there) || there.len() < 6;
        assert!(was && (store.is_synced() || there.is_empty()), "history {seed}: {there:?}");
    }
}
