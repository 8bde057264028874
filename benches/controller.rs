//! W8: from an event at the source to the reconciler's call; and the first reconcile of all objects there are.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use futures::StreamExt;
use futures::channel::mpsc;
use orlop_benches::{Bench, CpuClock, Peer, pods};
use orlop_client::{
    Api, Client, DeleteOptions, Deleted, Draft, Error, GetOptions, ListOptions, Patch, Record, RecordList,
    Result, Subresource, WatchEvent, WatchOptions, WatchStream, WriteOptions,
};
use orlop_controller::{Action, Controller};
use orlop_model::core::v1::Pod;
use orlop_model::{KindInfo, ObjectKey};
use parking_lot::Mutex;
use tokio::runtime::{Builder, Runtime};
use tokio_util::sync::CancellationToken;

type Events = mpsc::UnboundedReceiver<Result<WatchEvent>>;

/// Lists pods that are decoded already, and has one watch, fed by the producer.
struct Source {
    pods: Vec<Arc<Record>>,
    events: Mutex<Option<Events>>,
}

impl Source {
    fn new(pods: &[Arc<Pod>]) -> (Arc<Self>, mpsc::UnboundedSender<Result<WatchEvent>>) {
        let (feed, events) = mpsc::unbounded();
        let pods = pods.iter().map(|pod| Arc::new(Record::new(Arc::clone(pod)))).collect();
        (Arc::new(Self { pods, events: Mutex::new(Some(events)) }), feed)
    }
}

fn no<T>() -> Result<T> {
    Err(Error::unsupported("a source of pods"))
}

#[async_trait]
impl Client for Source {
    async fn get(&self, _: &KindInfo, _: &ObjectKey, _: &GetOptions) -> Result<Arc<Record>> {
        no()
    }
    async fn list(&self, _: &KindInfo, _: Option<&str>, _: &ListOptions) -> Result<RecordList> {
        let (items, resource_version) = (self.pods.clone(), "9999999".into());
        Ok(RecordList { items, resource_version, ..RecordList::default() })
    }
    async fn watch(&self, _: &KindInfo, _: Option<&str>, options: &WatchOptions) -> Result<WatchStream> {
        if options.initial_events {
            return Err(Error::bad_request("this source does not stream its lists"));
        }
        match self.events.lock().take() {
            Some(events) => Ok(events.boxed()),
            None => Ok(futures::stream::pending().boxed()),
        }
    }
    async fn create(&self, _: &KindInfo, _: Option<&str>, _: Draft, _: &WriteOptions) -> Result<Arc<Record>> {
        no()
    }
    async fn update(
        &self,
        _: &KindInfo,
        _: &ObjectKey,
        _: Subresource,
        _: Draft,
        _: &WriteOptions,
    ) -> Result<Arc<Record>> {
        no()
    }
    async fn patch(
        &self,
        _: &KindInfo,
        _: &ObjectKey,
        _: Subresource,
        _: Patch,
        _: &WriteOptions,
    ) -> Result<Arc<Record>> {
        no()
    }
    async fn post(
        &self,
        _: &KindInfo,
        _: &ObjectKey,
        _: Subresource,
        _: Draft,
        _: &WriteOptions,
    ) -> Result<Option<Arc<Record>>> {
        no()
    }
    async fn delete(&self, _: &KindInfo, _: &ObjectKey, _: &DeleteOptions) -> Result<Deleted> {
        no()
    }
}

/// When events were handed over, and how long it took until the reconciler was called.
struct Watch {
    begun: Instant,
    handed: AtomicU64,
    done: AtomicUsize,
    latencies: Mutex<Vec<u64>>,
}

impl Watch {
    fn new(events: usize) -> Arc<Self> {
        let latencies = Mutex::new(Vec::with_capacity(events));
        let (handed, done) = (AtomicU64::new(0), AtomicUsize::new(0));
        Arc::new(Self { begun: Instant::now(), handed, done, latencies })
    }

    fn now(&self) -> u64 {
        u64::try_from(self.begun.elapsed().as_nanos()).unwrap_or(u64::MAX)
    }

    fn reconciled(&self) {
        let handed = self.handed.load(Ordering::Acquire);
        if handed > 0 {
            self.latencies.lock().push(self.now() - handed);
        }
        self.done.fetch_add(1, Ordering::Release);
    }

    fn until(&self, done: usize) -> bool {
        self.done.load(Ordering::Acquire) >= done
    }

    /// The median and the 99th percentile in microseconds.
    fn percentiles(&self) -> (f64, f64) {
        let mut latencies = self.latencies.lock();
        latencies.sort_unstable();
        let at = |share: usize| latencies[(latencies.len() - 1) * share / 100] as f64 / 1e3;
        (at(50), at(99))
    }
}

const PODS: usize = 1_000;

fn runtime() -> Runtime {
    Builder::new_current_thread().enable_time().build().expect("a runtime")
}

/// Event `e` of the workload.
fn event(pods: &[Arc<Pod>], e: usize) -> Result<WatchEvent> {
    let mut pod = Pod::clone(&pods[e % pods.len()]);
    pod.metadata.resource_version = (10_000_000 + e).to_string().into();
    Ok(WatchEvent::Modified(Arc::new(Record::new(pod))))
}

fn controller(
    source: Arc<Source>,
    workers: usize,
    watch: Arc<Watch>,
    stop: CancellationToken,
) -> impl Future<Output = ()> {
    let client: Arc<dyn Client> = source;
    Controller::new("bench", Api::<Pod>::all(client)).concurrency(workers).stop(stop).run(move |_, _| {
        watch.reconciled();
        async { Ok::<_, Error>(Action::await_change()) }
    })
}

/// The next event only when the last was reconciled, from a task that yields in between.
fn ping_pong(pods: &[Arc<Pod>], events: usize) -> (f64, f64) {
    let (source, feed) = Source::new(pods);
    let (watch, stop) = (Watch::new(events), CancellationToken::new());
    runtime().block_on(async {
        let running = tokio::spawn(controller(source, 1, Arc::clone(&watch), stop.clone()));
        while !watch.until(pods.len()) {
            tokio::task::yield_now().await;
        }
        for e in 0..events {
            let event = event(pods, e);
            watch.handed.store(watch.now(), Ordering::Release);
            feed.unbounded_send(event).expect("the watch is open");
            while !watch.until(pods.len() + e + 1) {
                tokio::task::yield_now().await;
            }
        }
        stop.cancel();
        running.await.expect("it ends");
    });
    watch.percentiles()
}

/// An event each millisecond, from a thread of its own.
fn open_loop(pods: &[Arc<Pod>], events: usize) -> (f64, f64) {
    let (source, feed) = Source::new(pods);
    let (watch, stop) = (Watch::new(events), CancellationToken::new());
    thread::scope(|scope| {
        scope.spawn(|| {
            runtime().block_on(controller(source, 4, Arc::clone(&watch), stop.clone()));
        });
        while !watch.until(pods.len()) {
            thread::sleep(Duration::from_micros(50));
        }
        let start = Instant::now();
        for e in 0..events {
            let event = event(pods, e);
            let due = Duration::from_millis(e as u64);
            while let Some(left) = due.checked_sub(start.elapsed()).filter(|left| !left.is_zero()) {
                if left > Duration::from_micros(200) {
                    thread::sleep(Duration::from_micros(50));
                } else {
                    thread::yield_now();
                }
            }
            watch.handed.store(watch.now(), Ordering::Release);
            feed.unbounded_send(event).expect("the watch is open");
        }
        while !watch.until(pods.len() + events) {
            thread::sleep(Duration::from_micros(50));
        }
        stop.cancel();
    });
    watch.percentiles()
}

/// All that there is, reconciled once by a function that does nothing. CPU time of an object in microseconds, from the
/// start of the controller: list, cache, queue, call.
fn initial(pods: &[Arc<Pod>]) -> f64 {
    let (source, _feed) = Source::new(pods);
    let (watch, stop) = (Watch::new(0), CancellationToken::new());
    let start = CpuClock::now();
    let spent = runtime().block_on(async {
        let running = tokio::spawn(controller(source, 4, Arc::clone(&watch), stop.clone()));
        while !watch.until(pods.len()) {
            tokio::task::yield_now().await;
        }
        let spent = start.elapsed();
        stop.cancel();
        running.await.expect("it ends");
        spent
    });
    spent.as_secs_f64() * 1e6 / pods.len() as f64
}

fn main() -> std::io::Result<()> {
    let mut bench = Bench::new("controller");
    let pods: Vec<Arc<Pod>> = (0..bench.size(5_000, 40_000)).map(|i| Arc::new(pods::pod(i))).collect();

    let events = bench.size(2_000, 20_000);
    let (p50, p99) = ping_pong(&pods[..PODS], events);
    let peers = |go, runtime, kube| {
        [
            Peer::recorded("client-go 1.36", go),
            Peer::recorded("controller-runtime", runtime),
            Peer::recorded("kube-rs 5.0", kube),
        ]
    };
    bench.row("W8 event to reconcile, one by one, p50", p50, "µs", &peers(2.5, 3.4, 2_140.0));
    bench.row("W8 event to reconcile, one by one, p99", p99, "µs", &peers(9.7, 12.5, 2_215.0));

    let events = bench.size(1_000, 20_000);
    let (p50, p99) = open_loop(&pods[..PODS], events);
    bench.row("W8 event to reconcile, 1,000/s, p50", p50, "µs", &peers(13.9, 20.3, 2_048.0));
    bench.row("W8 event to reconcile, 1,000/s, p99", p99, "µs", &peers(37.2, 48.2, 2_073.0));

    let kube = [Peer::recorded("kube-rs 5.0", 35.0)];
    bench.whole("first reconcile of 40,000 objects, no-op", "µs", &kube, || initial(&pods));
    bench.finish()
}
