//! W-mem: what a cache of 100,000 pods takes in memory, each of which is decoded by itself, and nothing else kept: on its
//! own, and while the same pods are listed again. Each workload has a process of its own.

use std::sync::Arc;

use allocation_counter::measure;
use orlop_benches::{Bench, Peer, pods};
use orlop_cache::{Delta, Store, Subscription, Writer};
use orlop_model::core::v1::Pod;

/// Objects in a page of a list, as the informer asks for them.
const PAGE: usize = 500;

/// The variable that tells a process which workload it is for.
const WORKLOAD: &str = "ORLOP_WORKLOAD";

fn main() -> std::io::Result<()> {
    let workload = std::env::var(WORKLOAD).ok();
    let mut bench = Bench::new("cache_memory");
    let count = bench.size(10_000, 100_000);
    if let Some(workload) = workload {
        print(&run(&workload, count));
        return Ok(());
    }
    let peers = |client_go: f64, kube: f64| {
        [Peer::recorded("client-go 1.36", client_go), Peer::recorded("kube 5.0", kube)]
    };
    let figures = measured("fill")?;
    bench.row(&format!("W-mem heap per pod, {count} pods"), figures[0], "B", &peers(9_311.0, 21_094.0));
    bench.row(&format!("W-mem RSS per pod, {count} pods"), figures[1], "B", &peers(16_052.0, 21_114.0));
    let figures = measured("own")?;
    bench.row(&format!("W-mem heap per pod but for the pod, {count} pods"), figures[0], "B", &[]);
    let figures = measured("relist")?;
    let kube = [Peer::recorded("kube 5.0", 2.0)];
    bench.row(&format!("W-mem peak of a relist, {count} pods, to the heap before"), figures[0], "x", &kube);
    bench.row(&format!("W-mem RSS peak of a relist, {count} pods, to RSS before"), figures[1], "x", &kube);
    let figures = measured("stalled")?;
    bench.row(
        &format!("W5 heap with one handler stalled, {count} pods, to that without"),
        figures[0],
        "x",
        &[],
    );
    bench.finish()
}

/// The figures of a workload, from its own process.
fn measured(workload: &str) -> std::io::Result<Vec<f64>> {
    let output = std::process::Command::new(std::env::current_exe()?)
        .args(std::env::args().skip(1))
        .env(WORKLOAD, workload)
        .stderr(std::process::Stdio::inherit())
        .output()?;
    let text = String::from_utf8_lossy(&output.stdout);
    let figures: Vec<f64> = text.split_whitespace().filter_map(|word| word.parse().ok()).collect();
    if !output.status.success() || figures.len() < 2 {
        return Err(std::io::Error::other(format!("{workload}: {} {text}", output.status)));
    }
    Ok(figures)
}

#[expect(clippy::print_stdout, reason = "read by the process that started this one")]
fn print(figures: &[f64]) {
    println!("{}", figures.iter().map(f64::to_string).collect::<Vec<_>>().join(" "));
}

fn run(workload: &str, count: usize) -> Vec<f64> {
    let per_pod = |bytes: i64| bytes as f64 / count as f64;
    let rss_before = rss();
    match workload {
        "fill" => {
            let (bytes, _writer) = grown(|| fill(count));
            vec![per_pod(bytes), (rss() - rss_before) / count as f64]
        }
        "own" => {
            let pods: Vec<_> = (0..count).map(|i| Arc::new(pods::pod(i))).collect();
            let (bytes, _writer) = grown(|| {
                let (_, mut writer) = Store::<Pod>::new();
                let mut relist = writer.relist();
                pods.chunks(PAGE).for_each(|page| relist.page(page.iter().cloned()));
                relist.commit("100000");
                writer
            });
            vec![per_pod(bytes), (rss() - rss_before) / count as f64]
        }
        "relist" => {
            let (before, mut writer) = grown(|| fill(count));
            let rss_filled = rss();
            let info = measure(|| list(&mut writer, count));
            vec![
                (before as f64 + info.bytes_max as f64) / before as f64,
                (rss().max(peak()) - rss_before) / (rss_filled - rss_before),
            ]
        }
        "stalled" => {
            let (before, mut writer) = grown(|| fill(count));
            let mut stalled: Subscription<Pod> = writer.store().subscribe();
            while stalled.try_next().is_some() {}
            let mut reader = writer.store().subscribe();
            let base = 200_000;
            let (grown, ()) = grown(|| {
                for e in 0..2 * count {
                    let i = pods::touched(e, count);
                    let mut pod = pods::pod(i);
                    pod.metadata.resource_version = (base + e).to_string().into();
                    writer.apply([orlop_cache::Change::Put(Arc::new(pod))]);
                    if e % 100 == 99 {
                        while reader.try_next().is_some() {}
                    }
                }
            });
            assert!(stalled.behind() <= 4_096);
            let mut told = 0;
            while let Some(delta) = stalled.try_next() {
                told += usize::from(matches!(delta, Delta::Modified { .. }));
            }
            assert!(told >= count, "it is told of each pod: {told}");
            vec![(before as f64 + grown as f64) / before as f64, 0.0]
        }
        other => panic!("no such workload: {other}"),
    }
}

/// A store of the pods, listed in pages.
fn fill(count: usize) -> Writer<Pod> {
    let (_, mut writer) = Store::new();
    list(&mut writer, count);
    writer
}

fn list(writer: &mut Writer<Pod>, count: usize) {
    let mut relist = writer.relist();
    for first in (0..count).step_by(PAGE) {
        let page: Vec<_> = (first..(first + PAGE).min(count)).map(|i| Arc::new(pods::pod(i))).collect();
        relist.page(page);
    }
    relist.commit("100000");
}

/// Bytes that are in use after it and were not before.
fn grown<R>(make: impl FnOnce() -> R) -> (i64, R) {
    let mut made = None;
    let info = measure(|| made = Some(make()));
    (info.bytes_current, made.expect("it was made"))
}

/// Bytes of the process that are in memory.
fn rss() -> f64 {
    status("VmRSS:")
}

/// The most there were.
fn peak() -> f64 {
    status("VmHWM:")
}

fn status(field: &str) -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix(field)).unwrap_or_default();
    line.split_whitespace().next().and_then(|kb| kb.parse::<f64>().ok()).unwrap_or(0.0) * 1024.0
}
