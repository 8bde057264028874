//! ADD and DEL of a container's network, in namespaces that the benchmark makes itself. The peers are the Go plugins, run
//! as executables by Go's library; their figures were recorded on busy cores, so that ratios are rough.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use orlop_benches::{Bench, CpuClock, Peer};
use orlop_cni::capability::{PortMapping, Protocol};
use orlop_cni::{Attachment, Cni, NetworkList};
use orlop_netlink::Netns;

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// State of one host, removed at the end.
struct Host {
    cni: Cni,
    folder: PathBuf,
}

impl Host {
    fn new(name: &str) -> Result<Self, Failure> {
        let folder = std::env::temp_dir().join(format!("orlop-bench-cni-{}-{name}", std::process::id()));
        let cni = Cni::builder(&folder).host(Arc::new(Netns::create()?)).build()?;
        Ok(Self { cni, folder })
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

fn network(name: &str, plugins: &str) -> NetworkList {
    let text = format!(r#"{{"cniVersion": "1.1.0", "name": "{name}", "plugins": [{plugins}]}}"#);
    NetworkList::parse(&text).expect("a network")
}

const BRIDGE: &str = r#"{"type": "bridge", "bridge": "bench0", "isDefaultGateway": true,
    "ipam": {"type": "host-local", "subnet": "10.64.0.0/16"}}"#;
const MASQUERADED: &str = r#"{"type": "bridge", "bridge": "bench0", "isDefaultGateway": true, "ipMasq": true,
    "ipam": {"type": "host-local", "subnet": "10.64.0.0/16"}}"#;
const LOOPBACK: &str = r#"{"type": "loopback"}"#;
const PORTS: &str = r#"{"type": "portmap", "capabilities": {"portMappings": true}}"#;

fn attachment(i: usize, netns: &Arc<Netns>) -> Attachment {
    let port = u16::try_from(10_000 + i % 50_000).expect("a port");
    let mapping = PortMapping { host_port: port, container_port: 80, protocol: Protocol::Tcp, host_ip: None };
    Attachment::new(format!("{i:064x}"), "eth0").in_namespace(Arc::clone(netns)).port_mappings(&[mapping])
}

/// What one operation took, on the clock and of CPU time, in milliseconds, sorted.
#[derive(Default)]
struct Times {
    wall: Vec<f64>,
    cpu: Vec<f64>,
}

impl Times {
    fn measure<T>(&mut self, run: impl FnOnce() -> T) -> T {
        let (start, cpu) = (Instant::now(), CpuClock::now());
        let result = run();
        self.cpu.push(ms(cpu.elapsed()));
        self.wall.push(ms(start.elapsed()));
        result
    }

    fn sorted(mut self) -> Self {
        self.wall.sort_by(f64::total_cmp);
        self.cpu.sort_by(f64::total_cmp);
        self
    }
}

fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

fn part(sorted: &[f64], percent: usize) -> f64 {
    sorted[(sorted.len() - 1) * percent / 100]
}

/// Adds `count` containers one after the other, looks whether each has its own address, and removes them.
fn one_after_the_other(list: &NetworkList, count: usize) -> Result<(Times, Times), Failure> {
    let host = Host::new("one")?;
    let pods: Vec<Arc<Netns>> =
        (0..count).map(|_| Netns::create().map(Arc::new)).collect::<Result<_, _>>()?;
    let (mut add, mut del) = (Times::default(), Times::default());
    let mut addresses = Vec::new();
    for (i, pod) in pods.iter().enumerate() {
        let attachment = attachment(i, pod);
        let result = add.measure(|| host.cni.add(list, &attachment))?;
        addresses.extend(result.addresses());
    }
    addresses.sort();
    addresses.dedup();
    assert_eq!(addresses.len(), count, "an address each");
    for (i, pod) in pods.iter().enumerate() {
        let attachment = attachment(i, pod);
        host.cni.check(list, &attachment)?;
        del.measure(|| host.cni.del(list, &attachment))?;
    }
    host.cni.remove_network(list)?;
    assert!(host.cni.owned(list)?.is_empty(), "nothing is left");
    Ok((add.sorted(), del.sorted()))
}

/// Adds and removes `count` containers by eight threads. Answers how many a second.
fn by_eight_threads(list: &NetworkList, count: usize) -> Result<(f64, f64), Failure> {
    let host = Host::new("eight")?;
    let pods: Vec<Arc<Netns>> =
        (0..count).map(|_| Netns::create().map(Arc::new)).collect::<Result<_, _>>()?;
    let all = |run: &(dyn Fn(&Attachment) + Sync)| {
        let (next, start) = (AtomicUsize::new(0), Instant::now());
        thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    loop {
                        let i = next.fetch_add(1, Ordering::Relaxed);
                        let Some(pod) = pods.get(i) else { break };
                        run(&attachment(i, pod));
                    }
                });
            }
        });
        count as f64 / start.elapsed().as_secs_f64()
    };
    let add = all(&|attachment| drop(host.cni.add(list, attachment).expect("added")));
    let del = all(&|attachment| host.cni.del(list, attachment).expect("removed"));
    host.cni.remove_network(list)?;
    Ok((add, del))
}

fn run(bench: &mut Bench) -> Result<(), Failure> {
    let count = bench.size(10, 100);
    let go = |value| [Peer::recorded("Go libcni and plugins", value)];
    let chains = [
        ("bridge + host-local", network("bench", BRIDGE), [16.6, 32.0, 31.9, 48.0]),
        (
            "loopback + bridge + host-local + portmap",
            network("bench", &[LOOPBACK, BRIDGE, PORTS].join(",")),
            [60.3, 113.0, 118.7, 177.0],
        ),
        (
            "the same with ipMasq",
            network("bench", &[LOOPBACK, MASQUERADED, PORTS].join(",")),
            [108.0, 194.0, 212.0, 353.0],
        ),
    ];
    for (name, list, peers) in &chains {
        let (add, del) = one_after_the_other(list, count)?;
        for (verb, times, peers) in [("ADD", &add, &peers[..2]), ("DEL", &del, &peers[2..])] {
            bench.row(&format!("{verb} {name}, wall p50"), part(&times.wall, 50), "ms", &go(peers[0]));
            bench.row(&format!("{verb} {name}, wall p99"), part(&times.wall, 99), "ms", &go(peers[1]));
            bench.row(&format!("{verb} {name}, CPU p50"), part(&times.cpu, 50), "ms", &[]);
        }
    }
    let (add, del) = by_eight_threads(&chains[1].1, count * 2)?;
    bench.row(&format!("ADD {}, 8 threads", chains[1].0), add, "ops/s", &go(17.7));
    bench.row(&format!("DEL {}, 8 threads", chains[1].0), del, "ops/s", &go(12.3));
    Ok(())
}

fn main() -> std::io::Result<()> {
    let mut bench = Bench::new("cni");
    if let Err(error) = Netns::create() {
        let why = format!("needs network namespaces: {error}");
        assert!(std::env::var("ORLOP_REQUIRE").as_deref() != Ok("all"), "{why}");
        #[expect(clippy::print_stderr, reason = "it says why it is left out")]
        {
            eprintln!("skipped: {why}");
        }
        return bench.finish();
    }
    run(&mut bench).map_err(std::io::Error::other)?;
    bench.finish()
}
