//! Many pods on many nodes: how long until all of them run, and at what cost.

use std::time::{Duration, Instant};

use futures::StreamExt;
use orlop_cache::Delta;
use orlop_cluster::{Builder, Cluster};
use orlop_model::apps::v1::Deployment;
use orlop_model::core::v1::{Pod, PodPhase};
use serde_json::json;

use crate::Anything;
use crate::output::Output;

/// Pods of one Deployment.
const EACH: usize = 100;
/// How long it may take on the clock of the cluster.
const LIMIT: Duration = Duration::from_secs(3600);

/// What it may take.
pub(crate) struct Limits {
    pub(crate) seconds: Option<u64>,
    pub(crate) mebibytes: Option<u64>,
}

/// Brings `count` pods to Running; `false` if that took too long or too much memory.
pub(crate) async fn run(
    cluster: Builder,
    output: &Output,
    nodes: usize,
    count: usize,
    limits: &Limits,
) -> Result<bool, Anything> {
    let start = Instant::now();
    let cluster = cluster.nodes(nodes).start().await?;
    output.begin();
    output.step(&format!("{nodes} nodes register"));
    let mut held = output.check(cluster.nodes_ready(nodes, LIMIT).await, &format!("{nodes} nodes are ready"));
    let registered = start.elapsed();
    output.step(&format!("{count} pods in Deployments of {EACH}"));
    for first in (0..count).step_by(EACH) {
        let deployment = deployment(first / EACH, EACH.min(count - first))?;
        cluster.api::<Deployment>("default").create(deployment).await?;
    }
    held &= output.check(running(&cluster, output, count).await, &format!("{count} pods are Running"));
    let took = start.elapsed();
    let peak = peak_memory();
    let rate = count as f64 / (took - registered).as_secs_f64();
    output.say(&format!(
        "nodes: {nodes}, pods: {count}, nodes ready after: {:.1} s, all pods running after: {:.1} s ({rate:.0} pods/s), peak memory: {}",
        registered.as_secs_f64(),
        took.as_secs_f64(),
        peak.map_or_else(|| "unknown on this system".to_owned(), |mebibytes| format!("{mebibytes} MiB")),
    ));
    if let Some(seconds) = limits.seconds {
        held &=
            output.check(took <= Duration::from_secs(seconds), &format!("it took no more than {seconds} s"));
    }
    if let Some(mebibytes) = limits.mebibytes {
        let fits = peak.is_none_or(|peak| peak <= mebibytes);
        held &= output.check(fits, &format!("it never held more than {mebibytes} MiB"));
    }
    cluster.stop().await;
    Ok(held)
}

fn deployment(number: usize, replicas: usize) -> serde_json::Result<Deployment> {
    let app = format!("app-{number}");
    serde_json::from_value(json!({
        "metadata": {"name": app},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": {"app": app}},
            "template": {
                "metadata": {"labels": {"app": app}},
                "spec": {"containers": [{
                    "name": "main",
                    "image": "example/web:1.0",
                    "resources": {"requests": {"cpu": "100m", "memory": "64Mi"}},
                }]},
            },
        },
    }))
}

async fn running(cluster: &Cluster, output: &Output, count: usize) -> bool {
    let pods = cluster.informers().of::<Pod>();
    let mut changes = pods.subscribe();
    let bar = output.bar(count as u64);
    let mut running = 0_usize;
    let is_running = |pod: &Pod| pod.status.phase == PodPhase::Running;
    let all = async {
        while running < count {
            match changes.next().await {
                Some(Delta::Added { object, .. }) => running += usize::from(is_running(&object)),
                Some(Delta::Modified { old, new }) => {
                    running += usize::from(is_running(&new));
                    running = running.saturating_sub(usize::from(is_running(&old)));
                }
                Some(Delta::Deleted { last, .. }) => {
                    running = running.saturating_sub(usize::from(is_running(&last)))
                }
                Some(Delta::Synced | Delta::Reset) => {}
                None => return false,
            }
            bar.set_position(running as u64);
        }
        true
    };
    let done = tokio::time::timeout(LIMIT, all).await.unwrap_or(false);
    bar.finish_and_clear();
    done
}

/// The most memory the process has held so far, in MiB; known on Linux only.
fn peak_memory() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kibibytes.div_ceil(1024))
}
