//! Ten thousand histories of a source with faults.

use std::sync::Arc;
use std::time::Duration;

use futures::{FutureExt, StreamExt};
use orlop_cache::test_util::{Faults, Faulty, Source};
use orlop_cache::{Budget, Informer, Lag, Subscription};
use orlop_client::{Api, Client};
use orlop_clock::Random;
use orlop_model::Object;
use orlop_model::core::v1::ConfigMap;
use orlop_model::selector::Selector;
use tokio_util::sync::CancellationToken;

use crate::common::{Objects, View, ensure, group_of, key, map, paused};

const HISTORIES: u64 = 10_000;

/// `ORLOP_SEED` runs one of them.
#[test]
fn whatever_the_source_does_every_view_ends_up_equal_to_it() {
    if let Some(seed) = std::env::var("ORLOP_SEED").ok().and_then(|seed| seed.parse().ok()) {
        return run(seed);
    }
    let threads = std::thread::available_parallelism().map_or(2, |threads| threads.get() as u64);
    std::thread::scope(|scope| {
        for thread in 0..threads {
            scope.spawn(move || (0..HISTORIES).filter(|seed| seed % threads == thread).for_each(run));
        }
    });
}

fn run(seed: u64) {
    if let Err(why) = paused().block_on(history(seed)) {
        panic!("history {seed}: {why}");
    }
}

struct Subscriber {
    name: &'static str,
    changes: Subscription<ConfigMap>,
    view: View,
}

impl Subscriber {
    fn new(name: &'static str, changes: Subscription<ConfigMap>) -> Self {
        Self { name, changes, view: View::default() }
    }

    fn hear(&mut self) -> Result<(), String> {
        self.view.hear_all(&mut self.changes).map_err(|why| format!("{}: {why}", self.name))
    }
}

async fn history(seed: u64) -> Result<(), String> {
    let random = Random::new(seed);
    let source = Source::<ConfigMap>::new(random.fork("source"));
    let faulty = Faulty::new(source.clone(), random.fork("faults"));
    if random.chance(0.9) {
        faulty.set(Faults::all());
        source.lag(0.2);
    }
    let client: Arc<dyn Client> = faulty.clone();
    let namespaces = ["ns-0", "ns-1", "ns-2"];
    let mut builder = Informer::builder(Api::<ConfigMap>::all(client))
        .page(random.index(4))
        .streaming(random.chance(0.6))
        .random(random.fork("informer"))
        .budget(&Budget::new(1))
        // Small, so that whoever does not look now and then is left behind.
        .log(1 + random.index(12));
    let scoped = random.chance(0.2);
    if scoped {
        builder = builder.namespaces(namespaces);
    }
    let informer = builder.build();
    let store = informer.store().clone();
    let groups = store.index(group_of);
    let by_label = store.label_index("group");

    let mut subscribers = vec![
        Subscriber::new("coalescing", store.subscribe()),
        Subscriber::new("resyncing", store.subscribe_with(Lag::Resync)),
        Subscriber::new("blocking", store.subscribe_with(Lag::Block(Duration::from_secs(1)))),
        Subscriber::new("never looking", store.subscribe()),
    ];
    let mut of_group = Subscriber::new("of group 1", groups.subscribe(&"1".into()));
    let stop = CancellationToken::new();
    let running = informer.spawn(stop.clone());
    let (mut revision, mut snapshots) = (0, Vec::new());

    for step in 0..random.range(0..50) {
        let (namespace, name) = (format!("ns-{}", random.index(3)), format!("x{}", random.index(4)));
        match random.index(16) {
            0..6 => drop(source.put(map(&namespace, &name, &random.index(3).to_string()))),
            6..9 => drop(source.delete(&key(&namespace, &name))),
            9 => source.compact(),
            10 => source.restart(),
            11 => subscribers.push(Subscriber::new("late", store.subscribe())),
            12 => {
                let at = random.index(subscribers.len());
                subscribers[at].changes.resync();
            }
            13 if subscribers.len() > 4 => drop(subscribers.pop()),
            _ => {
                let ms = *random.pick(&[0, 1, 100, 2_000, 20_000, 400_000]).unwrap_or(&0);
                tokio::time::sleep(Duration::from_millis(ms)).await;
            }
        }
        for subscriber in &mut subscribers {
            if subscriber.name != "never looking" && random.chance(0.4) {
                subscriber.hear()?;
            }
        }
        if random.chance(0.3) {
            of_group.hear()?;
        }
        let now: u64 = store.revision().parse().unwrap_or(0);
        ensure!(now >= revision, "step {step}: the cache went back from {revision} to {now}");
        revision = now;
        if random.chance(0.1) {
            let snapshot = store.snapshot();
            let objects: Objects = snapshot.iter().map(|object| (object.key(), Arc::clone(object))).collect();
            snapshots.push((snapshot, objects));
        }
    }

    faulty.set(Faults::default());
    source.lag(0.0);
    // What hangs is noticed after at most ten minutes.
    for namespace in namespaces {
        source.put(map(namespace, "last", "1"));
    }
    let truth: Objects = source.objects().into_iter().map(|object| (object.key(), object)).collect();
    // With faults gone the parts come as far as their own last change, which is all they can know.
    let caught_up = async {
        while store.list().len() != truth.len() || !store.list().iter().eq(truth.values()) {
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    };
    let caught_up = tokio::time::timeout(Duration::from_secs(3_000), caught_up).await;
    ensure!(caught_up.is_ok(), "came to {} of {}: {:?}", store.revision(), source.revision(), source.asked());
    if !scoped {
        let latest = source.revision().to_string();
        let there = store.wait_for(&latest);
        let there = tokio::time::timeout(Duration::from_secs(3_000), there).await;
        ensure!(there == Ok(true), "came to {} of {}", store.revision(), source.revision());
    }

    check_store(&store, &truth)?;
    for group in ["0", "1", "2", "3"] {
        let of_group: Vec<_> = truth.values().filter(|object| group_of(object) == group).cloned().collect();
        ensure!(store.by(&groups, &group.into()) == of_group, "index of {group}");
        let selector = Selector::parse(&format!("group={group}")).map_err(|error| error.to_string())?;
        ensure!(store.select(None, &selector) == of_group, "selected {group}");
    }
    ensure!(store.index(group_of).values() == groups.values(), "made late and kept from the start");
    ensure!(groups.values() == by_label.values(), "of the label");

    for subscriber in &mut subscribers {
        subscriber.hear()?;
        subscriber.view.equals(&truth).map_err(|why| format!("{}: {why}", subscriber.name))?;
        ensure!(subscriber.view.synced, "{}: not synced", subscriber.name);
        ensure!(subscriber.name == "resyncing" || subscriber.view.resets == 0, "{}: reset", subscriber.name);
    }
    of_group.hear()?;
    let in_group: Vec<_> = truth.values().filter(|object| group_of(object) == "1").cloned().collect();
    ensure!(of_group.view.objects.into_values().eq(in_group), "told of the group");
    ensure!(of_group.view.synced, "group not synced");
    for (snapshot, then) in snapshots {
        ensure!(snapshot.iter().eq(then.values()), "a snapshot changed");
        ensure!(then.iter().all(|(key, object)| snapshot.get(key) == Some(object)), "a snapshot is searched");
    }

    running.stop().await;
    for subscriber in &mut subscribers {
        let end = subscriber.changes.next().now_or_never();
        ensure!(matches!(end, Some(None)), "{}: the stream ends with the cache", subscriber.name);
    }
    ensure!(!store.wait_for("99999999").await, "nothing comes any more");
    Ok(())
}

/// Everything that can be asked of a store by key and namespace.
fn check_store(store: &orlop_cache::Store<ConfigMap>, truth: &Objects) -> Result<(), String> {
    ensure!(store.len() == truth.len(), "{} objects", store.len());
    for (key, object) in truth {
        ensure!(store.get(key).as_ref() == Some(object), "{key} is found");
    }
    ensure!(store.get(&key("ns-0", "none")).is_none(), "what is not there is not found");
    let snapshot = store.snapshot();
    for namespace in ["ns-0", "ns-1", "ns-2", "none"] {
        let expected: Vec<_> =
            truth.values().filter(|object| object.metadata.namespace == namespace).cloned().collect();
        ensure!(store.list_in(namespace) == expected, "{namespace} is listed");
        ensure!(snapshot.iter_in(namespace).eq(&expected), "{namespace} in a snapshot");
        ensure!(store.filter(Some(namespace), |_| true) == expected, "{namespace} filtered");
    }
    ensure!(
        store.filter(None, |map| group_of(map) == "1").len()
            == truth.values().filter(|map| group_of(map) == "1").count(),
        "filtered"
    );
    Ok(())
}
