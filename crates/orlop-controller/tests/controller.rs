//! Controllers on a real API server in the same process, in paused time.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use futures::StreamExt;
use orlop_apiserver::LocalClient;
use orlop_client::{Api, Client, Forward, ListOptions, Request, Result, Verb, WatchOptions, WatchStream};
use orlop_clock::{Clock, Random, Timestamp, TokioClock};
use orlop_controller::{
    Action, Context, Controller, Error, EventType, Informers, KeyController, Recorder, controller_of,
};
use orlop_model::core::v1::{ConfigMap, Event};
use orlop_model::{KindInfo, Message, Object, ObjectKey, ObjectMeta, StaticKind, Str};
use orlop_store::MemoryStore;
use orlop_workqueue::Fixed;
use parking_lot::Mutex;
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;

#[derive(Clone, Debug, Default, PartialEq, Object)]
#[object(group = "example.dev", version = "v1", status)]
struct Website {
    metadata: ObjectMeta,
    spec: WebsiteSpec,
    status: WebsiteStatus,
}

#[derive(Clone, Debug, Default, PartialEq, Message)]
struct WebsiteSpec {
    host: Str,
    pages: i32,
}

#[derive(Clone, Debug, Default, PartialEq, Message)]
struct WebsiteStatus {
    host: Str,
    pages: i32,
}

const fn ms(n: u64) -> Duration {
    Duration::from_millis(n)
}

fn clock() -> Arc<dyn Clock> {
    Arc::new(TokioClock::new(Timestamp::from_second(1_700_000_000).expect("in range")))
}

async fn server() -> Arc<dyn Client> {
    let builder = LocalClient::builder(Arc::new(MemoryStore::new()), clock(), Random::new(1));
    Arc::new(builder.register::<Website>().build().await.expect("a server"))
}

fn site(name: &str, host: &str) -> Website {
    let mut site = Website::default();
    site.metadata.name = name.into();
    site.metadata.namespace = "default".into();
    site.spec.host = host.into();
    site
}

fn key(name: &str) -> ObjectKey {
    ObjectKey::namespaced("default", name)
}

/// Waits until the condition holds, at most a minute.
#[track_caller]
fn until<C: AsyncFnMut() -> bool>(mut condition: C) -> impl Future<Output = ()> {
    let caller = std::panic::Location::caller();
    async move {
        for _ in 0..60_000 {
            if condition().await {
                return;
            }
            sleep(ms(1)).await;
        }
        panic!("not within a minute: {caller}");
    }
}

/// A client whose watches lag behind, and that counts what it is asked.
struct Slow {
    client: Arc<dyn Client>,
    lag: Duration,
    lists: AtomicUsize,
}

impl Slow {
    fn new(client: &Arc<dyn Client>, lag: Duration) -> Arc<Self> {
        Arc::new(Self { client: Arc::clone(client), lag, lists: AtomicUsize::new(0) })
    }
}

#[async_trait]
impl Forward for Slow {
    fn inner(&self) -> &dyn Client {
        &*self.client
    }
    async fn before(&self, request: &Request<'_>) -> Result<()> {
        self.lists.fetch_add(usize::from(request.verb == Verb::List), Ordering::Relaxed);
        Ok(())
    }
    async fn pass_watch(
        &self,
        kind: &KindInfo,
        namespace: Option<&str>,
        options: &WatchOptions,
    ) -> Result<WatchStream> {
        // A list by another name.
        self.lists.fetch_add(usize::from(options.initial_events), Ordering::Relaxed);
        let (watch, lag) = (self.client.watch(kind, namespace, options).await?, self.lag);
        Ok(watch
            .then(move |event| async move {
                sleep(lag).await;
                event
            })
            .boxed())
    }
}

// ── The whole loop ─────────────────────────────────────────────────────────────────────────────────────────────────

const FINALIZER: &str = "example.dev/dns";

async fn publish(site: Arc<Website>, cx: Context, cleaned: Arc<Mutex<Vec<Str>>>) -> Result<Action, Error> {
    let cleanup = async {
        cleaned.lock().push(site.metadata.name.clone());
        Ok(())
    };
    if cx.finalize(&*site, FINALIZER, cleanup).await?.is_ended() {
        return Ok(Action::await_change());
    }
    let mut config = ConfigMap::default();
    config.metadata.name = site.metadata.name.clone();
    config.data.insert("host", site.spec.host.clone());
    cx.apply(&config).await?;
    cx.modify_status(&*site, |site| site.status.host = site.spec.host.clone()).await?;
    cx.event(EventType::Normal, "Published", format!("Published {}", site.spec.host));
    Ok(Action::await_change())
}

#[tokio::test(start_paused = true)]
async fn a_controller_makes_the_world_as_the_object_says() {
    let client = server().await;
    let (sites, configs) = (Api::<Website>::all(client.clone()), Api::<ConfigMap>::all(client.clone()));
    let (stop, cleaned) = (CancellationToken::new(), Arc::new(Mutex::new(Vec::new())));
    let controller =
        Controller::new("website", sites.clone()).owns(configs.clone()).clock(clock()).stop(stop.clone());
    let seen = Arc::clone(&cleaned);
    let running = tokio::spawn(controller.run(move |site, cx| publish(site, cx, Arc::clone(&seen))));

    sites.create(site("home", "a.dev")).await.unwrap();
    until(async || sites.get(key("home")).await.unwrap().status.host == "a.dev").await;
    let (home, config) = (sites.get(key("home")).await.unwrap(), configs.get(key("home")).await.unwrap());
    assert_eq!(config.data["host"], "a.dev");
    assert_eq!(controller_of(&*config, Website::KIND), Some(key("home")));
    assert_eq!(home.metadata.finalizers[..], [FINALIZER]);

    // The spec changes, somebody meddles with the child, the child is deleted: each time it is put right.
    sites.modify(key("home"), |site| site.spec.host = "b.dev".into()).await.unwrap();
    until(async || sites.get(key("home")).await.unwrap().status.host == "b.dev").await;
    configs.modify(key("home"), |config| drop(config.data.insert("host", "meddled".into()))).await.unwrap();
    until(async || configs.get(key("home")).await.unwrap().data["host"] == "b.dev").await;
    configs.delete(key("home")).await.unwrap();
    until(async || configs.get_opt(key("home")).await.unwrap().is_some()).await;

    // At rest nothing is written.
    sleep(ms(1000)).await;
    let version = sites.list(&ListOptions::new()).await.unwrap().resource_version;
    sleep(Duration::from_secs(60)).await;
    assert_eq!(sites.list(&ListOptions::new()).await.unwrap().resource_version, version);

    assert!(cleaned.lock().is_empty());
    sites.delete(key("home")).await.unwrap();
    until(async || sites.get_opt(key("home")).await.unwrap().is_none()).await;
    assert_eq!(cleaned.lock()[..], ["home"]);

    stop.cancel();
    timeout(ms(1000), running).await.expect("ends").unwrap();
    let events = Api::<Event>::all(client).list(&ListOptions::new()).await.unwrap().items;
    let told: Vec<_> =
        events.iter().map(|event| (event.message.as_str(), event.involved_object.name.as_str())).collect();
    assert_eq!(told, [("Published a.dev", "home"), ("Published b.dev", "home")]);
    assert!(events[0].count >= 1 && events[1].count > 1, "the same event is counted");
}

/// Putting the finalizer on and then writing the status is no conflict with oneself.
#[tokio::test(start_paused = true)]
async fn a_reconciler_does_not_conflict_with_itself() {
    let client = server().await;
    let sites = Api::<Website>::all(client.clone());
    let failures = Arc::new(AtomicUsize::new(0));
    let (seen, cleaned) = (Arc::clone(&failures), Arc::default());
    let controller = Controller::new("website", sites.clone()).run(move |site, cx| {
        seen.fetch_add(cx.failures() as usize, Ordering::SeqCst);
        publish(site, cx, Arc::clone(&cleaned))
    });
    let _running = tokio_util::task::AbortOnDropHandle::new(tokio::spawn(controller));
    sites.create(site("home", "a.dev")).await.unwrap();
    until(async || sites.get(key("home")).await.unwrap().status.host == "a.dev").await;
    sleep(ms(5000)).await;
    assert_eq!(failures.load(Ordering::SeqCst), 0);
}

#[tokio::test(start_paused = true)]
async fn a_cleanup_that_fails_holds_the_object_and_is_tried_again() {
    let client = server().await;
    let sites = Api::<Website>::all(client.clone());
    let tries = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&tries);
    let controller = Controller::new("website", sites.clone()).run(move |site, cx| {
        let count = Arc::clone(&count);
        async move {
            let cleanup = async {
                if count.fetch_add(1, Ordering::SeqCst) < 3 { Err(Error::other("not yet")) } else { Ok(()) }
            };
            let _ = cx.finalize(&*site, FINALIZER, cleanup).await?;
            Ok::<_, Error>(Action::await_change())
        }
    });
    let _running = tokio_util::task::AbortOnDropHandle::new(tokio::spawn(controller));
    let mut home = site("home", "a.dev");
    home.metadata.finalizers.push("somebody/else".into());
    sites.create(home).await.unwrap();
    until(async || sites.get(key("home")).await.unwrap().metadata.finalizers.len() == 2).await;
    sites.delete(key("home")).await.unwrap();
    until(async || sites.get(key("home")).await.unwrap().metadata.finalizers.len() == 1).await;
    assert_eq!(tries.load(Ordering::SeqCst), 4);
    assert_eq!(sites.get(key("home")).await.unwrap().metadata.finalizers[..], ["somebody/else"]);
}

/// The site wants a number of pages; the reconciler counts them in its cache and makes what is missing, under random
/// names. Without waiting for its own writes it would make too many.
#[tokio::test(start_paused = true)]
async fn a_key_waits_until_its_own_writes_are_in_the_cache() {
    let client = server().await;
    let slow: Arc<dyn Client> = Slow::new(&client, ms(200));
    let informers = Informers::new(slow);
    let (sites, pages) = (informers.of::<Website>(), informers.of::<ConfigMap>());
    let controller = KeyController::new("pages", &informers)
        .watch::<Website, _>(|site| Some(site.key()))
        .watch::<ConfigMap, _>(|page| controller_of(page, Website::KIND))
        .run(move |key, cx| {
            let (site, there) = (sites.get(&key), pages.list_in("default").len());
            async move {
                let Some(site) = site else {
                    return Ok::<_, Error>(Action::await_change());
                };
                for _ in there..site.spec.pages as usize {
                    let mut page = ConfigMap::default();
                    page.metadata.generate_name = "page-".into();
                    orlop_controller::set_controller(&*site, &mut page)?;
                    cx.api::<ConfigMap>().create(page).await?;
                }
                // Its own echo: asks for the key again at once.
                cx.modify_status(&*site, |site| site.status.pages = site.spec.pages).await?;
                Ok(Action::await_change())
            }
        });
    let _running = tokio_util::task::AbortOnDropHandle::new(tokio::spawn(controller));
    let (sites, pages) = (Api::<Website>::all(client.clone()), Api::<ConfigMap>::all(client));
    let mut home = site("home", "a.dev");
    home.spec.pages = 3;
    sites.create(home).await.unwrap();
    until(async || sites.get(key("home")).await.unwrap().status.pages == 3).await;
    for more in 4..8 {
        sites.modify(key("home"), |site| site.spec.pages = more).await.unwrap();
        sleep(ms(77)).await;
    }
    sleep(Duration::from_secs(10)).await;
    assert_eq!(pages.list(&ListOptions::new()).await.unwrap().items.len(), 7);
}

// ── Failures ───────────────────────────────────────────────────────────────────────────────────────────────────────

/// Runs a reconciler for the sites `names`, which are there already, for `time`; answers when each was called.
async fn calls<F, R>(names: &[&str], time: Duration, reconcile: F) -> BTreeMap<Str, Vec<u128>>
where
    F: Fn(Str, Context) -> R + Send + Sync + 'static,
    R: Future<Output = Result<Action, Error>> + Send + 'static,
{
    let client = server().await;
    for name in names {
        Api::<Website>::all(client.clone()).create(site(name, "")).await.unwrap();
    }
    let (start, calls) = (Instant::now(), Arc::new(Mutex::new(BTreeMap::<Str, Vec<u128>>::new())));
    let seen = Arc::clone(&calls);
    let controller = Controller::new("website", Api::<Website>::all(client))
        .limit(Fixed(ms(100)))
        .timeout(ms(300))
        .run(move |site, cx| {
            let name = site.metadata.name.clone();
            seen.lock().entry(name.clone()).or_default().push(start.elapsed().as_millis());
            reconcile(name, cx)
        });
    let _ = timeout(time, controller).await;
    std::mem::take(&mut *calls.lock())
}

#[tokio::test(start_paused = true)]
async fn the_kind_of_failure_decides_when_it_is_tried_again() {
    let seen = calls(
        &["conflict", "fixed", "never", "panic", "slow", "well"],
        ms(350),
        async |name: Str, cx: Context| match name.as_str() {
            "conflict" if cx.failures() < 3 => {
                Err(orlop_client::Error::modified(Website::KIND, &key("x"), "a", "b").into())
            }
            "fixed" if cx.failures() < 2 => Err(Error::other("not yet")),
            "never" => Err(Error::permanent("cannot be")),
            "panic" => panic!("a bug"),
            "slow" => std::future::pending().await,
            _ => Ok(Action::await_change()),
        },
    )
    .await;
    assert_eq!(seen["well"], [0]);
    assert_eq!(seen["conflict"], [0, 0, 5, 15]);
    assert_eq!(seen["fixed"], [0, 100, 200]);
    assert_eq!(seen["never"], [0]);
    assert_eq!(seen["panic"], [0, 100, 200, 300]);
    assert_eq!(seen["slow"], [0], "ends after 300 ms, and comes back 100 ms later");
}

#[tokio::test(start_paused = true)]
async fn a_reconciler_may_ask_to_be_called_again() {
    let seen = calls(&["home"], ms(100), async |_, _| Ok(Action::requeue(ms(30)))).await;
    assert_eq!(seen["home"], [0, 30, 60, 90]);
}

// ── Order and bounds ───────────────────────────────────────────────────────────────────────────────────────────────

#[tokio::test(start_paused = true)]
async fn concurrency_is_bounded_and_a_key_is_never_reconciled_twice_at_once() {
    let client = server().await;
    let sites = Api::<Website>::all(client.clone());
    let names: Vec<String> = (0..20).map(|n| format!("site-{n}")).collect();
    for name in &names {
        sites.create(site(name, "0")).await.unwrap();
    }
    let busy: Arc<Mutex<BTreeMap<Str, Str>>> = Arc::default();
    let most = Arc::new(AtomicUsize::new(0));
    let done: Arc<Mutex<BTreeMap<Str, Str>>> = Arc::default();
    let (b, m, d) = (busy.clone(), most.clone(), done.clone());
    let controller = Controller::new("website", sites.clone()).concurrency(3).run(move |site, _| {
        let (busy, most, done) = (b.clone(), m.clone(), d.clone());
        async move {
            let name = site.metadata.name.clone();
            assert!(busy.lock().insert(name.clone(), Str::EMPTY).is_none(), "{name} twice at once");
            most.fetch_max(busy.lock().len(), Ordering::SeqCst);
            sleep(ms(20)).await;
            busy.lock().remove(&name);
            done.lock().insert(name, site.spec.host.clone());
            Ok::<_, Error>(Action::await_change())
        }
    });
    let _running = tokio_util::task::AbortOnDropHandle::new(tokio::spawn(controller));
    for round in 1..5 {
        for name in &names {
            sites.modify(key(name), |site| site.spec.host = round.to_string().into()).await.unwrap();
            sleep(ms(3)).await;
        }
    }
    until(async || done.lock().len() == 20 && done.lock().values().all(|host| *host == "4")).await;
    assert_eq!(most.load(Ordering::SeqCst), 3);
}

#[tokio::test(start_paused = true)]
async fn fresh_changes_come_before_the_initial_list() {
    let client = server().await;
    let sites = Api::<Website>::all(client.clone());
    for n in 0..50 {
        sites.create(site(&format!("old-{n:02}"), "")).await.unwrap();
    }
    let order: Arc<Mutex<Vec<Str>>> = Arc::default();
    let seen = Arc::clone(&order);
    let controller = Controller::new("website", sites.clone()).concurrency(1).run(move |site, _| {
        seen.lock().push(site.metadata.name.clone());
        async {
            sleep(ms(10)).await;
            Ok::<_, Error>(Action::await_change())
        }
    });
    let _running = tokio_util::task::AbortOnDropHandle::new(tokio::spawn(controller));
    sleep(ms(25)).await;
    sites.create(site("new", "")).await.unwrap();
    until(async || order.lock().len() == 51).await;
    assert_eq!(order.lock().iter().position(|name| *name == "new"), Some(3));
}

#[tokio::test(start_paused = true)]
async fn a_graceful_stop_finishes_what_was_begun_and_begins_nothing() {
    let client = server().await;
    let sites = Api::<Website>::all(client.clone());
    for name in ["a", "b", "c"] {
        sites.create(site(name, "")).await.unwrap();
    }
    let (begun, ended) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let stop = CancellationToken::new();
    let (b, e) = (begun.clone(), ended.clone());
    let controller = Controller::new("website", sites).concurrency(2).stop(stop.clone()).run(move |_, _| {
        let (begun, ended) = (b.clone(), e.clone());
        async move {
            begun.fetch_add(1, Ordering::SeqCst);
            sleep(ms(100)).await;
            ended.fetch_add(1, Ordering::SeqCst);
            Ok::<_, Error>(Action::await_change())
        }
    });
    let running = tokio::spawn(controller);
    sleep(ms(50)).await;
    stop.cancel();
    timeout(ms(1000), running).await.expect("ends by itself").unwrap();
    assert_eq!((begun.load(Ordering::SeqCst), ended.load(Ordering::SeqCst)), (2, 2));
}

#[tokio::test(start_paused = true)]
async fn dropping_the_controller_ends_everything() {
    let client = server().await;
    let sites = Api::<Website>::all(client.clone());
    sites.create(site("a", "")).await.unwrap();
    struct Gone(Arc<AtomicBool>);
    impl Drop for Gone {
        fn drop(&mut self) {
            self.0.store(true, Ordering::SeqCst);
        }
    }
    let gone = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&gone);
    let controller = Controller::new("website", sites).run(move |_, _| {
        let guard = Gone(Arc::clone(&flag));
        async move {
            let _guard = guard;
            std::future::pending::<Result<Action, Error>>().await
        }
    });
    assert!(timeout(ms(50), controller).await.is_err());
    until(async || gone.load(Ordering::SeqCst)).await;
}

// ── Sharing ────────────────────────────────────────────────────────────────────────────────────────────────────────

#[tokio::test(start_paused = true)]
async fn there_is_one_informer_for_a_kind() {
    let client = server().await;
    let counting = Slow::new(&client, Duration::ZERO);
    let shared: Arc<dyn Client> = counting.clone();
    let informers = Informers::new(shared.clone());
    let done: Arc<Mutex<Vec<(u8, Str)>>> = Arc::default();
    let mut running = tokio::task::JoinSet::new();
    for number in 0..3 {
        let done = Arc::clone(&done);
        let controller = Controller::new(format!("number-{number}"), Api::<Website>::all(shared.clone()))
            .informers(&informers)
            .watches(Api::<ConfigMap>::all(shared.clone()), |config| Some(config.key()))
            .run(move |site, _| {
                done.lock().push((number, site.metadata.name.clone()));
                async { Ok::<_, Error>(Action::await_change()) }
            });
        running.spawn(controller);
    }
    Api::<Website>::all(client.clone()).create(site("home", "")).await.unwrap();
    until(async || done.lock().len() == 3).await;
    // Mapped from another kind: all three look at it again.
    let mut config = ConfigMap::default();
    config.metadata.name = "home".into();
    Api::<ConfigMap>::namespaced(client, "default").create(config).await.unwrap();
    until(async || done.lock().len() == 6).await;
    assert_eq!(counting.lists.load(Ordering::Relaxed), 2, "one list for each kind");
    informers.shut_down().await;
}

#[tokio::test(start_paused = true)]
async fn the_same_event_is_counted_another_is_new() {
    let client = server().await;
    let recorder = Recorder::new(client.clone(), clock(), "tester");
    let about = Api::<Website>::all(client.clone()).create(site("home", "")).await.unwrap();
    for _ in 0..3 {
        recorder.event(&*about, EventType::Warning, "Failed", "no luck");
        sleep(Duration::from_secs(10)).await;
    }
    recorder.event(&*about, EventType::Warning, "Failed", "no luck at all");
    recorder.flush().await;
    let events = Api::<Event>::namespaced(client.clone(), "default");
    let list = events.list(&ListOptions::new()).await.unwrap().items;
    let told: Vec<_> = list.iter().map(|event| (event.message.as_str(), event.count)).collect();
    assert_eq!(told, [("no luck", 3), ("no luck at all", 1)]);
    let event = &list[0];
    assert_eq!(event.involved_object.uid, about.metadata.uid);
    assert_eq!((event.type_.as_str(), event.source.component.as_str()), ("Warning", "tester"));
    let seconds = |time: Option<orlop_model::Time>| time.expect("set").seconds();
    assert_eq!(seconds(event.last_timestamp) - seconds(event.first_timestamp), 20);
    // Its Event was removed (they live for an hour): it is written anew and goes on counting.
    events.delete(&event.metadata.name).await.unwrap();
    recorder.event(&*about, EventType::Warning, "Failed", "no luck");
    recorder.flush().await;
    assert_eq!(events.get(&event.metadata.name).await.unwrap().count, 4);
}

/// Two runs on one seed write the same objects in the same order.
#[test]
fn a_run_can_be_repeated() {
    let run = || {
        let runtime =
            tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        runtime.block_on(async {
            let client = server().await;
            let configs = Api::<ConfigMap>::all(client.clone());
            let cleaned = Arc::default();
            let controller = Controller::new("website", Api::<Website>::all(client.clone()))
                .owns(configs.clone())
                .clock(clock())
                .run(move |site, cx| publish(site, cx, Arc::clone(&cleaned)));
            let _running = tokio_util::task::AbortOnDropHandle::new(tokio::spawn(controller));
            for n in 0..30 {
                Api::<Website>::all(client.clone())
                    .create(site(&format!("site-{n}"), &n.to_string()))
                    .await
                    .unwrap();
            }
            until(async || configs.list(&ListOptions::new().labels("")).await.unwrap().items.len() >= 30)
                .await;
            sleep(ms(100)).await;
            let configs = configs.list(&ListOptions::new()).await.unwrap();
            let events = Api::<Event>::all(client).list(&ListOptions::new()).await.unwrap();
            let events = events.items.iter().map(|event| {
                format!("{} {} {}", event.metadata.name, event.metadata.resource_version, event.message)
            });
            let configs = configs
                .items
                .iter()
                .map(|config| format!("{} {}", config.metadata.name, config.metadata.resource_version));
            configs.chain(events).collect::<Vec<_>>()
        })
    };
    let first = run();
    assert!(first.len() >= 60);
    assert_eq!(first, run());
}
