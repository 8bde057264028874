//! Taking a node out of service.

use std::sync::Arc;
use std::time::Duration;

use orlop_client::{Api, Client, Error, ListOptions};
use orlop_model::core::v1::{Node, Pod, PodPhase};
use orlop_model::{Object, ObjectKey};
use serde_json::json;

use super::wait::{self, WaitError};

/// How a node is drained.
#[derive(Clone, Debug)]
pub struct Options {
    /// Evict pods that no controller would replace, too.
    pub force: bool,
    /// How long all pods together may take to go.
    pub limit: Duration,
    /// How long to wait before a pod is tried again that may not be evicted just now.
    pub retry: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self { force: false, limit: Duration::from_secs(300), retry: Duration::from_secs(5) }
    }
}

/// Why a node could not be drained.
#[derive(Debug, thiserror::Error)]
pub enum DrainError {
    /// No controller would replace these pods.
    #[error("cannot delete Pods that declare no controller (use --force to override): {}", Names(.0))]
    NoController(Vec<ObjectKey>),
    /// A pod did not go in time, or could not be watched.
    #[error(transparent)]
    Wait(#[from] WaitError),
    /// The API refused something.
    #[error(transparent)]
    Client(#[from] Error),
}

struct Names<'a>(&'a [ObjectKey]);

impl std::fmt::Display for Names<'_> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let names: Vec<String> = self.0.iter().map(ToString::to_string).collect();
        formatter.write_str(&names.join(", "))
    }
}

/// Marks a node as unschedulable (`true`) or schedulable again.
///
/// # Errors
/// Those of the client.
pub async fn cordon(client: &Arc<dyn Client>, node: &str, unschedulable: bool) -> Result<Arc<Node>, Error> {
    let desired = unschedulable.then_some(true);
    Api::<Node>::all(Arc::clone(client)).patch_merge(node, json!({"spec": {"unschedulable": desired}})).await
}

/// Cordons a node, evicts its pods and waits until they are gone; gives the pods that were evicted. Pods of a DaemonSet
/// and static ones stay, as with `kubectl drain --ignore-daemonsets`.
///
/// # Errors
/// [`DrainError::NoController`] before anything is evicted; a pod that does not go in time.
pub async fn run(
    client: &Arc<dyn Client>,
    node: &str,
    options: &Options,
) -> Result<Vec<ObjectKey>, DrainError> {
    cordon(client, node, true).await?;
    let pods = Api::<Pod>::all(Arc::clone(client));
    let on_node = pods.list(&ListOptions::new().fields(format!("spec.nodeName={node}"))).await?;
    let evicted: Vec<Arc<Pod>> = on_node.items.into_iter().filter(|pod| !stays(pod)).collect();
    let alone = |pod: &&Arc<Pod>| pod.metadata.controller().is_none() && !is_finished(pod);
    let unowned: Vec<ObjectKey> = evicted.iter().filter(alone).map(|pod| pod.key()).collect();
    if !options.force && !unowned.is_empty() {
        return Err(DrainError::NoController(unowned));
    }
    let going = evicted.iter().map(|pod| evict(&pods, pod, options));
    futures::future::try_join_all(going).await?;
    Ok(evicted.iter().map(|pod| pod.key()).collect())
}

fn is_finished(pod: &Pod) -> bool {
    matches!(pod.status.phase, PodPhase::Succeeded | PodPhase::Failed)
}

/// Pods of the node itself: static ones, and those of DaemonSets, which would be replaced on the spot.
fn stays(pod: &Pod) -> bool {
    let daemon = pod.metadata.controller().is_some_and(|owner| owner.kind == "DaemonSet");
    pod.metadata.annotations.contains_key("kubernetes.io/config.mirror") || (daemon && !is_finished(pod))
}

async fn evict(pods: &Api<Pod>, pod: &Pod, options: &Options) -> Result<(), DrainError> {
    let pods = pods.within(pod.metadata.namespace.clone());
    let allowed = async {
        loop {
            match pods.evict(&*pod.metadata.name).await {
                Ok(()) => return Ok(()),
                Err(Error::NotFound { .. }) => return Ok(()),
                Err(Error::TooManyRequests { retry_after, .. }) => {
                    tokio::time::sleep(retry_after.unwrap_or(options.retry)).await;
                }
                Err(error) => return Err(error),
            }
        }
    };
    let timed_out =
        || WaitError::TimedOut { resource: "pods".to_owned(), key: pod.key(), limit: options.limit };
    tokio::time::timeout(options.limit, allowed).await.map_err(|_| timed_out())??;
    Ok(wait::gone(&pods, pod, options.limit).await?)
}
