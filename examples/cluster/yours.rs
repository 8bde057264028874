//! Manifests of one's own: applied, waited for, shown.

use std::path::PathBuf;
use std::time::Duration;

use futures::StreamExt;
use futures::stream::SelectAll;
use orlop_cluster::Cluster;
use orlop_cluster::ops::{apply, get, rollout};
use orlop_model::apps::v1::Deployment;
use orlop_model::batch::v1::Job;
use orlop_model::core::v1::{Pod, Service};
use orlop_model::table::Tabular;
use orlop_planners::job::is_finished;
use orlop_planners::pod::{is_ready, is_terminal};

use crate::Anything;
use crate::output::Output;

/// How long everything may take to get ready, on the clock of the cluster.
const LIMIT: Duration = Duration::from_secs(600);

/// Applies the files, waits until all is ready, and shows it; `false` if it did not get ready.
pub(crate) async fn run(cluster: &Cluster, output: &Output, files: &[PathBuf]) -> Result<bool, Anything> {
    output.step("apply");
    for path in files {
        for source in apply::read(path)? {
            for applied in
                apply::run(cluster.client(), cluster.scheme(), &source, &apply::Options::default()).await?
            {
                output.say(&applied.to_string());
            }
        }
    }
    let ready = settle(cluster, output, "", LIMIT).await?;
    let held = output.check(ready, "every Deployment is available, every Job complete, every pod ready");
    output.say(&table::<Deployment>(cluster).await?);
    output.say(&table::<Job>(cluster).await?);
    output.say(&table::<Service>(cluster).await?);
    output.say(&table::<Pod>(cluster).await?);
    if !held {
        for pod in cluster.informers().of::<Pod>().filter(None, |pod| pod.spec.node_name.is_empty()) {
            output.say(&format!("{}: {:?}", pod.metadata.name, pod.status.conditions));
        }
    }
    Ok(held)
}

async fn table<K: Tabular + orlop_model::StaticKind>(cluster: &Cluster) -> Result<String, Anything> {
    Ok(get::table::<K>(cluster.client(), &get::Options::default(), cluster.now()).await?)
}

/// Waits until all Deployments of a namespace (all namespaces if it is empty) are rolled out, all Jobs complete and all
/// other pods ready; shows the pods meanwhile.
pub(crate) async fn settle(
    cluster: &Cluster,
    output: &Output,
    namespace: &str,
    limit: Duration,
) -> Result<bool, Anything> {
    let informers = cluster.informers();
    let (deployments, jobs, pods) =
        (informers.of::<Deployment>(), informers.of::<Job>(), informers.of::<Pod>());
    let within = (!namespace.is_empty()).then_some(namespace);
    let mut changes = SelectAll::new();
    changes.push(deployments.subscribe().map(drop).boxed());
    changes.push(jobs.subscribe().map(drop).boxed());
    changes.push(pods.subscribe().map(drop).boxed());
    let settled = async {
        loop {
            let rolling = deployments.filter(within, |deployment| {
                !matches!(rollout::progress(deployment), rollout::Progress::Done(_))
            });
            let working = jobs.filter(within, |job| !is_finished(job));
            let starting = pods.filter(within, |pod| !is_terminal(pod) && !is_ready(pod));
            if rolling.is_empty() && working.is_empty() && starting.is_empty() && !pods.is_empty() {
                return true;
            }
            let now = cluster.now();
            let rows = pods.list().into_iter().map(|pod| (None, pod.row(now))).collect::<Vec<_>>();
            output.show(&get::render(Pod::COLUMNS, rows.into_iter(), false));
            if changes.next().await.is_none() {
                return false;
            }
        }
    };
    let ready = tokio::time::timeout(limit, settled).await.unwrap_or(false);
    output.settled();
    Ok(ready)
}
