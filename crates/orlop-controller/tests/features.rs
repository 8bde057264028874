//! What controllers do beyond reconciling: leading, stopping, adopting, cleaning up once; and the defects that peers are
//! known for.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use futures::StreamExt;
use orlop_apiserver::LocalClient;
use orlop_client::{Api, Client, Forward, ListOptions, Request, Result, Verb, WatchOptions, WatchStream};
use orlop_clock::{Clock, Random, Timestamp, TokioClock};
use orlop_controller::test_util::{Moment, Unreliable, WriteFaults};
use orlop_controller::{
    Action, Context, Controller, Election, Ended, Error, EventFormat, EventType, Handle, Phase, Recorder,
    Retry, predicate, set_controller,
};
use orlop_model::coordination::v1::Lease;
use orlop_model::core::v1::{ConfigMap, Secret};
use orlop_model::{KindInfo, ObjectKey, Str};
use orlop_store::MemoryStore;
use orlop_workqueue::Fixed;
use parking_lot::Mutex;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;

const fn ms(n: u64) -> Duration {
    Duration::from_millis(n)
}

fn clock() -> Arc<dyn Clock> {
    Arc::new(TokioClock::new(Timestamp::from_second(1_700_000_000).expect("in range")))
}

async fn server() -> Arc<dyn Client> {
    let builder = LocalClient::builder(Arc::new(MemoryStore::new()), clock(), Random::new(1));
    Arc::new(builder.register::<orlop_model::events::v1::Event>().build().await.expect("a server"))
}

fn map(name: &str) -> ConfigMap {
    let mut map = ConfigMap::default();
    map.metadata.name = name.into();
    map.metadata.namespace = "default".into();
    map
}

fn secret(name: &str) -> Secret {
    let mut secret = Secret::default();
    secret.metadata.name = name.into();
    secret.metadata.namespace = "default".into();
    secret
}

fn key(name: &str) -> ObjectKey {
    ObjectKey::namespaced("default", name)
}

fn apis(client: &Arc<dyn Client>) -> (Api<ConfigMap>, Api<Secret>) {
    (Api::all(Arc::clone(client)), Api::all(Arc::clone(client)))
}

/// Waits until the condition holds, at most ten minutes of virtual time.
#[track_caller]
fn until<C: AsyncFnMut() -> bool>(mut condition: C) -> impl Future<Output = ()> {
    let caller = std::panic::Location::caller();
    async move {
        for _ in 0..600_000 {
            if condition().await {
                return;
            }
            sleep(ms(1)).await;
        }
        panic!("not within ten minutes: {caller}");
    }
}

fn start<F: Future<Output: Send + 'static> + Send + 'static>(future: F) -> AbortOnDropHandle<F::Output> {
    AbortOnDropHandle::new(tokio::spawn(future))
}

/// Counts reconciles by name.
fn counting(
    calls: &Arc<Mutex<Vec<Str>>>,
) -> impl Fn(Arc<ConfigMap>, Context) -> std::future::Ready<Outcome> + use<> {
    let calls = Arc::clone(calls);
    move |map, _| {
        calls.lock().push(map.metadata.name.clone());
        std::future::ready(Ok(Action::await_change()))
    }
}

type Outcome = std::result::Result<Action, Error>;

// ── Leading ────────────────────────────────────────────────────────────────────────────────────────────────────────

#[tokio::test(start_paused = true)]
async fn only_the_leader_reconciles_and_the_next_has_warm_caches() {
    let client = server().await;
    let (maps, _) = apis(&client);
    maps.create(map("a")).await.unwrap();
    let mut processes = Vec::new();
    for name in ["one", "two"] {
        let calls = Arc::new(Mutex::new(Vec::new()));
        let election = Election::new(client.clone(), "default", "lock", name).clock(clock());
        let leadership = election.leadership().clone();
        let handle: Arc<Mutex<Option<Handle<ObjectKey>>>> = Arc::default();
        let (stop, done) = (CancellationToken::new(), CancellationToken::new());
        let kept = Arc::clone(&handle);
        let controller = Controller::new(name, maps.clone())
            .leadership(&leadership)
            .with_handle(move |handle| *kept.lock() = Some(handle))
            .stop(stop.clone());
        let running = start(controller.run(counting(&calls)));
        let campaign = start(election.run(done.clone()));
        until(async || handle.lock().as_ref().is_some_and(Handle::is_ready)).await;
        let handle = handle.lock().take().expect("it has started");
        processes.push((calls, leadership, handle, stop, done, running, campaign));
    }
    let mut processes = processes.into_iter();
    let (one, two) = (processes.next().unwrap(), processes.next().unwrap());
    until(async || one.0.lock().len() == 1).await;
    sleep(Duration::from_secs(60)).await;
    assert!(one.1.is_leader() && !two.1.is_leader());
    assert_eq!((one.2.phase(), two.2.phase()), (Phase::Running, Phase::Standby));
    assert!(two.2.is_ready() && two.0.lock().is_empty());
    assert_eq!((one.1.leader(), two.1.leader()), (Some("one".into()), Some("one".into())));
    let first = one.1.fence().expect("it leads");

    // A graceful stop gives the lease back once the work has ended: the other need not wait for it to run out.
    one.3.cancel();
    one.5.await.unwrap();
    assert_eq!(one.2.phase(), Phase::Ended);
    one.4.cancel();
    assert_eq!(one.6.await.unwrap(), Ended::Stopped);
    timeout(Duration::from_secs(6), until(async || two.0.lock().len() == 1)).await.expect("soon");
    assert_eq!(first.compare(&two.1.fence().expect("it leads")), Some(std::cmp::Ordering::Less));
    assert_eq!(two.1.fence().map(|fence| fence.transitions), Some(1));
}

#[tokio::test(start_paused = true)]
async fn who_loses_the_leadership_is_cut_off_and_writes_nothing_more() {
    let client = server().await;
    let (maps, _) = apis(&client);
    maps.create(map("a")).await.unwrap();
    let election = Election::new(client.clone(), "default", "lock", "one").clock(clock());
    let leadership = election.leadership().clone();
    let guarded = leadership.guard(client.clone());
    assert!(Api::<ConfigMap>::all(guarded.clone()).create(map("early")).await.is_err());
    let campaign = start(election.run(CancellationToken::new()));
    let (begun, ended) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false)));
    let (b, e) = (begun.clone(), ended.clone());
    let controller = Controller::new("one", maps.clone()).leadership(&leadership);
    let running = start(controller.run(move |_, cx: Context| {
        let (begun, ended) = (b.clone(), e.clone());
        async move {
            begun.store(cx.fence().is_some(), Ordering::SeqCst);
            sleep(Duration::from_secs(600)).await;
            ended.store(true, Ordering::SeqCst);
            Ok::<_, Error>(Action::await_change())
        }
    }));
    until(async || begun.load(Ordering::SeqCst)).await;
    Api::<ConfigMap>::all(guarded.clone()).create(map("now")).await.unwrap();
    let leases = Api::<Lease>::namespaced(client, "default");
    leases.modify("lock", |lease| lease.spec.holder_identity = Some("thief".into())).await.unwrap();
    timeout(Duration::from_secs(5), running).await.expect("cut off").unwrap();
    assert_eq!(campaign.await.unwrap(), Ended::Lost);
    assert!(!ended.load(Ordering::SeqCst) && !leadership.is_leader());
    assert!(Api::<ConfigMap>::all(guarded).create(map("late")).await.is_err());
    assert_eq!(leases.get("lock").await.unwrap().spec.holder_identity.as_deref(), Some("thief"));
}

#[tokio::test(start_paused = true)]
async fn a_leader_that_is_not_heard_stops_before_the_next_begins() {
    let client = server().await;
    let cut = Unreliable::new(client.clone(), Random::new(1));
    let [one, two] = [(cut.client(), "one"), (client, "two")].map(|(client, name)| {
        let election = Election::new(client, "default", "lock", name).clock(clock());
        let leadership = election.leadership().clone();
        (leadership, start(election.lead(CancellationToken::new(), |_| std::future::pending::<()>())))
    });
    until(async || one.0.is_leader() || two.0.is_leader()).await;
    if two.0.is_leader() {
        drop(two.1);
        until(async || one.0.is_leader()).await;
        return;
    }
    cut.crash_at(0, Moment::Before);
    one.0.lost().await;
    assert!(!two.0.is_leader(), "the renew deadline comes before the end of the lease");
    assert!(one.1.await.unwrap().is_err());
    until(async || two.0.is_leader()).await;
}

// ── Stopping ───────────────────────────────────────────────────────────────────────────────────────────────────────

/// Ten objects of which each takes 100 ms, one by one; told to stop after 250 ms. Answers how many were finished, and what
/// was left.
async fn stopped(settings: impl FnOnce(Controller<ConfigMap>) -> Controller<ConfigMap>) -> (usize, usize) {
    let client = server().await;
    let (maps, _) = apis(&client);
    for n in 0..10 {
        maps.create(map(&format!("map-{n}"))).await.unwrap();
    }
    let (stop, finished) = (CancellationToken::new(), Arc::new(AtomicUsize::new(0)));
    let handle: Arc<Mutex<Option<Handle<ObjectKey>>>> = Arc::default();
    let (kept, done) = (Arc::clone(&handle), Arc::clone(&finished));
    let controller = Controller::new("maps", maps)
        .concurrency(1)
        .stop(stop.clone())
        .with_handle(move |handle| *kept.lock() = Some(handle));
    let running = start(settings(controller).run(move |_, _| {
        let done = Arc::clone(&done);
        async move {
            sleep(ms(100)).await;
            done.fetch_add(1, Ordering::SeqCst);
            Ok::<_, Error>(Action::await_change())
        }
    }));
    sleep(ms(250)).await;
    stop.cancel();
    running.await.unwrap();
    let left = handle.lock().take().expect("it ran").queue().take_rest().len();
    (finished.load(Ordering::SeqCst), left)
}

#[tokio::test(start_paused = true)]
async fn a_stop_finishes_what_was_begun_or_drains_or_cuts_off_and_loses_no_key() {
    assert_eq!(stopped(|controller| controller).await, (3, 7));
    assert_eq!(stopped(|controller| controller.drain(ms(10_000))).await, (10, 0));
    assert_eq!(stopped(|controller| controller.drain(ms(300))).await, (5, 5));
    assert_eq!(stopped(|controller| controller.grace(ms(10))).await, (2, 8));
}

#[tokio::test(start_paused = true)]
async fn dropping_the_controller_at_any_moment_loses_no_key() {
    let client = server().await;
    let (maps, _) = apis(&client);
    for n in 0..20 {
        maps.create(map(&format!("map-{n:02}"))).await.unwrap();
    }
    for moment in (0..200).step_by(7) {
        let handle: Arc<Mutex<Option<Handle<ObjectKey>>>> = Arc::default();
        let finished: Arc<Mutex<Vec<Str>>> = Arc::default();
        let (kept, done) = (Arc::clone(&handle), Arc::clone(&finished));
        let controller = Controller::new("maps", maps.clone())
            .concurrency(3)
            .with_handle(move |handle| *kept.lock() = Some(handle));
        let running = controller.run(move |map, _| {
            let done = Arc::clone(&done);
            async move {
                sleep(ms(20)).await;
                done.lock().push(map.metadata.name.clone());
                Ok::<_, Error>(Action::await_change())
            }
        });
        assert!(timeout(ms(moment), running).await.is_err());
        // The tasks that were aborted are gone.
        sleep(ms(1)).await;
        let handle = handle.lock().take().expect("it ran");
        assert_eq!(handle.phase(), Phase::Ended);
        let mut all: Vec<Str> = handle.queue().take_rest().into_iter().map(|left| left.key.name).collect();
        all.extend(finished.lock().drain(..));
        all.sort();
        all.dedup();
        assert!(all.len() == 20 || moment == 0, "{} of 20 after {moment} ms", all.len());
    }
}

// ── Sources ────────────────────────────────────────────────────────────────────────────────────────────────────────

#[tokio::test(start_paused = true)]
async fn predicates_and_streams_decide_what_is_asked_for() {
    let client = server().await;
    let (maps, secrets) = apis(&client);
    for name in ["a", "b"] {
        maps.create(map(name)).await.unwrap();
    }
    let calls = Arc::new(Mutex::new(Vec::new()));
    let (send, keys) = futures::channel::mpsc::unbounded();
    let controller = Controller::new("maps", maps.clone())
        .when(predicate::labels_changed)
        .owns_when(secrets.clone(), predicate::annotations_changed)
        .stream(keys);
    let _running = start(controller.run(counting(&calls)));
    let expect = async |names: &[&str]| {
        sleep(ms(100)).await;
        let mut seen = std::mem::take(&mut *calls.lock());
        seen.sort();
        assert_eq!(seen, names);
    };
    expect(&["a", "b"]).await;
    maps.modify(key("a"), |map| drop(map.data.insert("x", "y".into()))).await.unwrap();
    expect(&[]).await;
    maps.modify(key("a"), |map| drop(map.metadata.labels.insert("x", "y".into()))).await.unwrap();
    expect(&["a"]).await;
    let mut child = secret("child");
    set_controller(&*maps.get(key("b")).await.unwrap(), &mut child).unwrap();
    secrets.create(child).await.unwrap();
    expect(&["b"]).await;
    secrets.modify(key("child"), |child| drop(child.metadata.labels.insert("x", "y".into()))).await.unwrap();
    expect(&[]).await;
    send.unbounded_send(key("b")).unwrap();
    expect(&["b"]).await;
}

/// A client whose watches can be cut, and then miss what happens: the next one is refused, and there must be a list.
struct Gaps {
    client: Arc<dyn Client>,
    cut: Mutex<CancellationToken>,
    open: AtomicBool,
    expired: AtomicBool,
}

#[async_trait]
impl Forward for Gaps {
    fn inner(&self) -> &dyn Client {
        &*self.client
    }
    async fn before(&self, request: &Request<'_>) -> Result<()> {
        let reads = matches!(request.verb, Verb::List | Verb::Watch);
        if reads && !self.open.load(Ordering::SeqCst) {
            return Err(orlop_client::Error::internal("away"));
        }
        Ok(())
    }
    async fn pass_watch(
        &self,
        kind: &KindInfo,
        ns: Option<&str>,
        options: &WatchOptions,
    ) -> Result<WatchStream> {
        if self.expired.load(Ordering::SeqCst) && !options.initial_events && options.resource_version != "0" {
            self.expired.store(false, Ordering::SeqCst);
            return Err(orlop_client::Error::expired("too old"));
        }
        let cut = self.cut.lock().clone();
        let stream = self.client.watch(kind, ns, options).await?;
        Ok(stream.take_until(async move { cut.cancelled().await }).boxed())
    }
}

/// kube-rs, `InitDone` without deletions: what was deleted during a gap vanishes, and its owner is not reconciled.
#[tokio::test(start_paused = true)]
async fn a_child_that_was_deleted_during_a_gap_asks_for_its_owner() {
    let client = server().await;
    let (maps, secrets) = apis(&client);
    let gaps = Arc::new(Gaps {
        client: client.clone(),
        cut: Mutex::default(),
        open: AtomicBool::new(true),
        expired: AtomicBool::new(false),
    });
    let broken: Arc<dyn Client> = gaps.clone();
    let (watched_maps, watched_secrets) = apis(&broken);
    maps.create(map("home")).await.unwrap();
    // Without a look at the child nothing would tell that it has gone.
    let controller =
        Controller::new("maps", watched_maps).owns(watched_secrets).when(predicate::not(|_| false));
    let _running = start(controller.run(async |map: Arc<ConfigMap>, cx: Context| {
        cx.apply(&secret(&map.metadata.name)).await?;
        Ok::<_, Error>(Action::await_change())
    }));
    until(async || secrets.get_opt(key("home")).await.unwrap().is_some()).await;
    sleep(ms(1_000)).await;
    gaps.open.store(false, Ordering::SeqCst);
    gaps.cut.lock().cancel();
    sleep(ms(10)).await;
    secrets.delete(key("home")).await.unwrap();
    sleep(ms(10)).await;
    *gaps.cut.lock() = CancellationToken::new();
    gaps.expired.store(true, Ordering::SeqCst);
    gaps.open.store(true, Ordering::SeqCst);
    until(async || secrets.get_opt(key("home")).await.unwrap().is_some()).await;
}

/// kube-rs: a key that is asked for more often than the debounce is never reconciled. controller-runtime: objects of the
/// initial list starve behind fresh ones.
#[tokio::test(start_paused = true)]
async fn neither_busy_keys_nor_old_objects_starve() {
    let client = server().await;
    let (maps, _) = apis(&client);
    for n in 0..5 {
        maps.create(map(&format!("old-{n}"))).await.unwrap();
    }
    let calls = Arc::new(Mutex::new(Vec::new()));
    let (send, keys) = futures::channel::mpsc::unbounded();
    let seen = Arc::clone(&calls);
    let controller = Controller::new("maps", maps.clone()).concurrency(1).stream(keys);
    let _running = start(controller.run(move |map, _| {
        seen.lock().push(map.metadata.name.clone());
        async {
            sleep(ms(10)).await;
            Ok::<_, Error>(Action::await_change())
        }
    }));
    maps.create(map("busy")).await.unwrap();
    maps.create(map("bee")).await.unwrap();
    for _ in 0..20_000 {
        for name in ["busy", "bee"] {
            send.unbounded_send(key(name)).unwrap();
        }
        sleep(ms(1)).await;
    }
    let calls = calls.lock();
    let count = |name: &str| calls.iter().filter(|call| call.starts_with(name)).count();
    assert!(count("busy") > 900 && count("bee") > 900, "{} {}", count("busy"), count("bee"));
    assert!(count("old") >= 5);
}

/// kube-rs: concurrency is unbounded by default.
#[tokio::test(start_paused = true)]
async fn concurrency_is_bounded_by_default() {
    let client = server().await;
    let (maps, _) = apis(&client);
    for n in 0..50 {
        maps.create(map(&format!("map-{n}"))).await.unwrap();
    }
    let (now, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let (n, m) = (now.clone(), most.clone());
    let _running = start(Controller::new("maps", maps).run(move |_, _| {
        let (now, most) = (n.clone(), m.clone());
        async move {
            most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            sleep(ms(10)).await;
            now.fetch_sub(1, Ordering::SeqCst);
            Ok::<_, Error>(Action::await_change())
        }
    }));
    sleep(ms(1_000)).await;
    assert_eq!(most.load(Ordering::SeqCst), 4);
}

/// kube-rs 1772: a delay beyond what a timer can hold panics.
#[tokio::test(start_paused = true)]
async fn huge_delays_are_just_long() {
    let client = server().await;
    let (maps, _) = apis(&client);
    maps.create(map("a")).await.unwrap();
    let calls = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&calls);
    let _running = start(Controller::new("maps", maps.clone()).run(move |_, _| {
        counted.fetch_add(1, Ordering::SeqCst);
        async { Ok::<_, Error>(Action::requeue(Duration::MAX)) }
    }));
    sleep(Duration::from_secs(1)).await;
    maps.modify(key("a"), |map| drop(map.data.insert("x", "y".into()))).await.unwrap();
    sleep(Duration::from_secs(1)).await;
    assert_eq!(calls.load(Ordering::SeqCst), 2);
}

// ── Owners, finalizers, errors, events ─────────────────────────────────────────────────────────────────────────────

#[tokio::test(start_paused = true)]
async fn children_are_adopted_and_released() {
    let client = server().await;
    let (maps, secrets) = apis(&client);
    for (name, app) in [("wanted", "home"), ("other", "away")] {
        let mut secret = secret(name);
        secret.metadata.labels.insert("app", app.into());
        secrets.create(secret).await.unwrap();
    }
    maps.create(map("home")).await.unwrap();
    let reader = secrets.clone();
    let controller = Controller::new("maps", maps.clone()).watches(secrets.clone(), |_| Some(key("home")));
    let _running = start(controller.run(move |_, cx: Context| {
        let secrets = reader.clone();
        async move {
            let all = secrets.list(&ListOptions::new()).await?.items;
            cx.claim(all, |secret| secret.metadata.labels.get("app").is_some_and(|app| *app == "home"))
                .await?;
            Ok::<_, Error>(Action::await_change())
        }
    }));
    let owned = async |name: &str| secrets.get(key(name)).await.unwrap().metadata.controller().is_some();
    until(async || owned("wanted").await).await;
    assert!(!owned("other").await);
    let relabel = async |name: &str, app: &str| {
        secrets
            .modify(key(name), |secret| drop(secret.metadata.labels.insert("app", app.into())))
            .await
            .unwrap();
    };
    relabel("wanted", "away").await;
    relabel("other", "home").await;
    until(async || !owned("wanted").await && owned("other").await).await;
}

#[tokio::test(start_paused = true)]
async fn a_cleanup_that_succeeded_is_not_run_again_whatever_becomes_of_the_finalizer() {
    let client = server().await;
    let unreliable = Unreliable::new(client.clone(), Random::new(5));
    let (maps, _) = apis(&client);
    let cleaned = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&cleaned);
    let controller =
        Controller::new("maps", Api::<ConfigMap>::all(unreliable.client())).limit(Fixed(ms(100)));
    let running = start(controller.run(move |map: Arc<ConfigMap>, cx: Context| {
        let count = Arc::clone(&count);
        async move {
            let cleanup = async {
                count.fetch_add(1, Ordering::SeqCst);
                Ok(())
            };
            let _ = cx.finalize(&*map, "example.dev/f", cleanup).await?;
            Ok::<_, Error>(Action::await_change())
        }
    }));
    maps.create(map("a")).await.unwrap();
    until(async || maps.get(key("a")).await.unwrap().metadata.finalizers.len() == 1).await;
    unreliable.set(WriteFaults {
        conflicts: 0.9,
        fails_before: 0.5,
        fails_after: 0.5,
        ..WriteFaults::default()
    });
    maps.delete(key("a")).await.unwrap();
    until(async || maps.get_opt(key("a")).await.unwrap().is_none()).await;
    sleep(Duration::from_secs(10)).await;
    assert_eq!(cleaned.load(Ordering::SeqCst), 1);

    // A process that crashes between the cleanup and the removal: the next one cleans up again, and once.
    drop(running);
    let count = Arc::clone(&cleaned);
    let mut held = map("b");
    held.metadata.finalizers.push("example.dev/f".into());
    maps.create(held).await.unwrap();
    maps.delete(key("b")).await.unwrap();
    unreliable.set(WriteFaults::default());
    unreliable.crash_at(0, Moment::Before);
    for crashed in [true, false] {
        let count = Arc::clone(&count);
        let controller = Controller::new("maps", Api::<ConfigMap>::all(unreliable.client()));
        let running = start(controller.run(move |map: Arc<ConfigMap>, cx: Context| {
            let count = Arc::clone(&count);
            async move {
                let cleanup = async {
                    count.fetch_add(1, Ordering::SeqCst);
                    Ok(())
                };
                let _ = cx.finalize(&*map, "example.dev/f", cleanup).await?;
                Ok::<_, Error>(Action::await_change())
            }
        }));
        if crashed {
            unreliable.crashed().await;
            unreliable.restart();
        } else {
            until(async || maps.get_opt(key("b")).await.unwrap().is_none()).await;
        }
        drop(running);
        sleep(ms(1)).await;
    }
    assert_eq!(cleaned.load(Ordering::SeqCst), 3);
}

#[derive(Debug, thiserror::Error)]
enum Mine {
    #[error("later")]
    Later,
    #[error("never")]
    Never,
}

#[tokio::test(start_paused = true)]
async fn errors_of_ones_own_are_judged_and_counted() {
    let client = server().await;
    let (maps, _) = apis(&client);
    for name in ["later", "never"] {
        maps.create(map(name)).await.unwrap();
    }
    let handle: Arc<Mutex<Option<Handle<ObjectKey>>>> = Arc::default();
    let kept = Arc::clone(&handle);
    let controller = Controller::new("maps", maps).with_handle(move |handle| *kept.lock() = Some(handle));
    let judge = |error: &Mine| match error {
        Mine::Later => Retry::After(ms(100)),
        Mine::Never => Retry::Never,
    };
    let run = controller.run_judged(
        async |map: Arc<ConfigMap>, _| match &*map.metadata.name {
            "later" => Err(Mine::Later),
            _ => Err(Mine::Never),
        },
        judge,
    );
    let _running = start(run);
    sleep(ms(450)).await;
    let metrics = handle.lock().as_ref().expect("it runs").metrics();
    assert_eq!((metrics.errors, metrics.terminal_errors, metrics.success), (6, 1, 0));
    assert_eq!(metrics.max_concurrent_reconciles, 4);
}

#[tokio::test(start_paused = true)]
async fn events_in_series_are_written_twice_and_at_the_end() {
    use orlop_model::events::v1::Event;
    let client = server().await;
    let unreliable = Unreliable::new(client.clone(), Random::new(1));
    let recorder =
        Recorder::builder(unreliable.client(), "tester").clock(clock()).format(EventFormat::Series).build();
    let about = Api::<ConfigMap>::all(client.clone()).create(map("home")).await.unwrap();
    for n in 0..10 {
        recorder.event(&*about, EventType::Normal, "Pulling", format!("number {n}"));
        sleep(Duration::from_secs(10)).await;
    }
    recorder.flush().await;
    assert_eq!(unreliable.writes(), 2);
    let events = Api::<Event>::namespaced(client, "default");
    let series = async || {
        let list = events.list(&ListOptions::new()).await.unwrap().items;
        assert_eq!(list.len(), 1);
        (list[0].note.clone(), list[0].series.as_ref().map(|series| series.count))
    };
    assert_eq!(series().await, ("number 0".into(), Some(2)));
    sleep(Duration::from_secs(361)).await;
    recorder.flush().await;
    assert_eq!((series().await, unreliable.writes()), (("number 0".into(), Some(10)), 3));
}

#[tokio::test(start_paused = true)]
async fn events_are_tried_twelve_times_and_hold_nobody_up() {
    let client = server().await;
    let unreliable = Unreliable::new(client.clone(), Random::new(1));
    unreliable.set(WriteFaults { fails_before: 1.0, ..WriteFaults::default() });
    let recorder = Recorder::new(unreliable.client(), clock(), "tester");
    let about = Api::<ConfigMap>::all(client).create(map("home")).await.unwrap();
    recorder.event(&*about, EventType::Normal, "Pulling", "one");
    recorder.flush().await;
    assert_eq!(unreliable.writes(), 12);
    for n in 0..1_500 {
        recorder.event(&*about, EventType::Normal, "Pulling", n.to_string());
    }
    assert_eq!(recorder.dropped(), 500);
}
