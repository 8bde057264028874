//! The story: started, crashed, healed, drained, rolled out and back, deleted.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use orlop_client::{Api, ListOptions};
use orlop_cluster::Cluster;
use orlop_cluster::ops::{apply, delete, drain, get, rollout, wait};
use orlop_model::apps::v1::{Deployment, ReplicaSet};
use orlop_model::batch::v1::Job;
use orlop_model::core::v1::{ConditionStatus, ConfigMap, Event, Node, Pod, Secret, Service};
use orlop_model::{StaticKind, Str};
use orlop_planners::pod::is_ready;

use crate::Anything;
use crate::output::Output;
use crate::yours;

const NAMESPACE: &str = "default";
/// The longest that any step may take, on the clock of the cluster.
const LIMIT: Duration = Duration::from_secs(900);

/// Tells the story; `false` if one of its assertions did not hold.
pub(crate) async fn tell(cluster: &Cluster, output: &Output) -> Result<bool, Anything> {
    let story = Story { cluster, output };
    let mut held = story.start().await?;
    held &= story.crash().await?;
    held &= story.delete_pod().await?;
    held &= story.drain_node().await?;
    held &= story.lose_node().await?;
    held &= story.new_image().await?;
    held &= story.bad_image().await?;
    held &= story.delete_all().await?;
    Ok(held)
}

struct Story<'a> {
    cluster: &'a Cluster,
    output: &'a Output,
}

impl Story<'_> {
    fn api<K: StaticKind>(&self) -> Api<K> {
        self.cluster.api(NAMESPACE)
    }

    /// The web pods that are to stay.
    async fn web_pods(&self) -> Result<Vec<Arc<Pod>>, Anything> {
        let pods = self.api::<Pod>().list(&ListOptions::new().labels("app=web")).await?.items;
        Ok(pods.into_iter().filter(|pod| !pod.metadata.is_deleting()).collect())
    }

    /// A web pod whose node has no pod that nobody would replace.
    async fn victim(&self) -> Result<Arc<Pod>, Anything> {
        let pods = self.api::<Pod>().list(&ListOptions::new()).await?.items;
        let alone = pods.iter().filter(|pod| pod.metadata.controller().is_none());
        let kept: BTreeSet<&Str> = alone.map(|pod| &pod.spec.node_name).collect();
        let found = pods.iter().find(|pod| {
            pod.metadata.labels.get("app").is_some_and(|app| app == "web")
                && is_ready(pod)
                && !kept.contains(&pod.spec.node_name)
        });
        found.cloned().ok_or_else(|| "no web pod on a node without pods of their own".into())
    }

    async fn web_available(&self) -> Result<Arc<Deployment>, Anything> {
        let tell = |line: &str| self.output.tell(line);
        Ok(rollout::status(self.cluster.client(), NAMESPACE, "web", LIMIT, tell).await?)
    }

    /// Waits until as many web pods are ready as there should be, none of them on the node `without`.
    async fn web_ready(&self, without: &str) -> Result<Vec<Arc<Pod>>, Anything> {
        let store = self.cluster.informers().of::<Pod>();
        let mut changes = store.subscribe();
        let ready = |pod: &Pod| {
            pod.metadata.labels.get("app").is_some_and(|app| app == "web")
                && !pod.metadata.is_deleting()
                && is_ready(pod)
                && pod.spec.node_name != *without
        };
        let settled = async {
            loop {
                let pods = store.filter(Some(NAMESPACE), ready);
                if pods.len() >= 5 {
                    return Some(pods);
                }
                changes.next().await?;
            }
        };
        let pods =
            tokio::time::timeout(LIMIT, settled).await.map_err(|_| "five web pods were not ready in time")?;
        pods.ok_or_else(|| "the cache of pods has stopped".into())
    }

    async fn pods(&self) -> Result<(), Anything> {
        let options =
            get::Options { namespace: Some(NAMESPACE.into()), wide: true, ..get::Options::default() };
        let table = get::table::<Pod>(self.cluster.client(), &options, self.cluster.now()).await?;
        self.output.tell(&table);
        Ok(())
    }

    async fn start(&self) -> Result<bool, Anything> {
        let Self { cluster, output } = self;
        output
            .step("apply the manifests: a web Deployment of five, a shop with its database, a Job, two pods");
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("manifests");
        let sources = apply::read(&folder)?;
        for source in &sources {
            for applied in
                apply::run(cluster.client(), cluster.scheme(), source, &apply::Options::default()).await?
            {
                output.tell(&applied.to_string());
            }
        }
        let ready = yours::settle(cluster, output, NAMESPACE, LIMIT).await?;
        let mut held =
            output.check(ready, "every Deployment is available, the Job complete, every pod ready");
        self.pods().await?;
        let options = get::Options { namespace: Some(NAMESPACE.into()), ..get::Options::default() };
        let services = get::table::<Service>(cluster.client(), &options, cluster.now()).await?;
        output.tell(&services);
        let pending = services.lines().any(|line| line.starts_with("web ") && line.contains("<pending>"));
        held &= output
            .check(pending, "the load balancer of the Service web is <pending>: nobody provides one here");
        let job = self.api::<Job>().get("report").await?;
        let (wanted, done) = (job.spec.completions.unwrap_or_default(), job.status.succeeded);
        held &= output.check(done == wanted, &format!("the Job report has {done} of {wanted} completions"));
        Ok(held)
    }

    async fn crash(&self) -> Result<bool, Anything> {
        let Self { cluster, output } = self;
        let pod = self.victim().await?;
        let name = pod.metadata.name.clone();
        output.step(&format!("crash the container of {name}, twice: it is restarted, then with back-off"));
        let node = cluster.sim_node(&pod.spec.node_name).ok_or("the pod is on no simulated node")?;
        let restarts =
            |pod: &Pod| pod.status.container_statuses.first().map_or(0, |status| status.restart_count);
        let mut held = true;
        for crash in 1..=2 {
            held &= output.check(node.crash(&pod.metadata.uid, "server", 137), &format!("crash {crash}"));
            let mut waited = false;
            wait::until(&self.api::<Pod>(), &name, LIMIT, |pod| {
                let waiting = |pod: &Pod| {
                    let state =
                        pod.status.container_statuses.first().and_then(|status| status.state.waiting.clone());
                    state.is_some_and(|waiting| waiting.reason == "CrashLoopBackOff")
                };
                waited |= pod.is_some_and(waiting);
                pod.is_some_and(|pod| restarts(pod) >= crash && is_ready(pod))
            })
            .await?;
            let how = if waited { "after CrashLoopBackOff" } else { "at once" };
            held &=
                output.check(waited == (crash > 1), &format!("it was restarted {how} and is ready again"));
        }
        self.events(&name).await?;
        Ok(held)
    }

    /// The events about an object, as `kubectl get events` shows them.
    async fn events(&self, name: &str) -> Result<(), Anything> {
        let about = ListOptions::new().fields(format!("involvedObject.name={name}"));
        for event in self.api::<Event>().list(&about).await?.items {
            self.output.tell(&format!(
                "{} {} x{}: {}",
                event.type_,
                event.reason,
                event.count.max(1),
                event.message
            ));
        }
        Ok(())
    }

    async fn delete_pod(&self) -> Result<bool, Anything> {
        let Self { output, .. } = self;
        let pod = self.victim().await?;
        output.step(&format!("delete the pod {}: it is replaced", pod.metadata.name));
        self.api::<Pod>().delete(&*pod.metadata.name).await?;
        wait::gone(&self.api::<Pod>(), &*pod, LIMIT).await?;
        let pods = self.web_ready("").await?;
        let replaced = pods.iter().all(|other| other.metadata.uid != pod.metadata.uid);
        Ok(output.check(replaced && pods.len() == 5, "five web pods are ready, and it is not among them"))
    }

    async fn drain_node(&self) -> Result<bool, Anything> {
        let Self { cluster, output } = self;
        let node = self.victim().await?.spec.node_name.clone();
        output.step(&format!("drain {node}: its pods move"));
        let evicted = drain::run(cluster.client(), &node, &drain::Options::default()).await?;
        evicted.iter().for_each(|pod| output.tell(&format!("pod/{} evicted", pod.name)));
        let pods = self.web_ready(&node).await?;
        let mut held = output.check(pods.len() == 5, &format!("five web pods are ready, none on {node}"));
        let left =
            self.api::<Pod>().list(&ListOptions::new().fields(format!("spec.nodeName={node}"))).await?;
        let running = left.items.iter().filter(|pod| !orlop_planners::pod::is_terminal(pod)).count();
        held &= output.check(running == 0, &format!("nothing runs on {node} any more"));
        drain::cordon(cluster.client(), &node, false).await?;
        output.tell(&format!("node/{node} uncordoned"));
        Ok(held)
    }

    async fn lose_node(&self) -> Result<bool, Anything> {
        let Self { cluster, output } = self;
        let node = self.victim().await?.spec.node_name.clone();
        output.step(&format!("{node} loses its power: it is found dead, its pods are replaced elsewhere"));
        let machine = cluster.sim_node(&node).ok_or("no such simulated node")?;
        machine.power_off();
        let nodes = Api::<Node>::all(Arc::clone(cluster.client()));
        wait::until(&nodes, &node, LIMIT, |node| node.is_some_and(|node| !node_ready(node))).await?;
        output.tell(&format!("node/{node} is NotReady"));
        let pods = self.web_ready(&node).await?;
        let mut held = output.check(pods.len() == 5, &format!("five web pods are ready, none on {node}"));
        machine.reconnect();
        wait::until(&nodes, &node, LIMIT, |node| node.is_some_and(node_ready)).await?;
        let pods = self.cluster.informers().of::<Pod>();
        let mut changes = pods.subscribe();
        let cleaned = async {
            while !pods.filter(None, |pod| pod.metadata.is_deleting()).is_empty() {
                changes.next().await?;
            }
            Some(())
        };
        let cleaned = tokio::time::timeout(LIMIT, cleaned).await.is_ok_and(|cleaned| cleaned.is_some());
        held &= output.check(cleaned, &format!("{node} is back, and its old pods are gone"));
        self.pods().await?;
        Ok(held)
    }

    async fn new_image(&self) -> Result<bool, Anything> {
        let Self { cluster, output } = self;
        output.step("a new image: a rolling update, watched pod by pod");
        let before = self.web_available().await?;
        rollout::set_image(cluster.client(), NAMESPACE, "web", "server", "example/web:1.1").await?;
        let watch = self.watch_availability();
        let (bounds, after) = tokio::join!(watch, self.web_available());
        let (fewest, most) = bounds?;
        let after = after?;
        let mut held = output.check(
            fewest >= 4,
            &format!("never fewer than {fewest} web pods were ready (of 5, one may be missing)"),
        );
        held &= output.check(
            most <= 6,
            &format!("never more than {most} web pods were asked for (of 5, one more is allowed)"),
        );
        let updated =
            self.web_pods().await?.iter().all(|pod| pod.spec.containers[0].image == "example/web:1.1");
        let newer = after.status.observed_generation > before.status.observed_generation;
        held &= output.check(updated && newer, "all web pods run example/web:1.1");
        Ok(held)
    }

    /// The fewest pods that were ready, and the most replicas asked for, until a rollout is over.
    async fn watch_availability(&self) -> Result<(usize, i32), Anything> {
        let (pods, sets) =
            (self.cluster.informers().of::<Pod>(), self.cluster.informers().of::<ReplicaSet>());
        let deployments = self.cluster.informers().of::<Deployment>();
        let (mut pod_changes, mut deployment_changes) = (pods.subscribe(), deployments.subscribe());
        let is_web =
            |object: &orlop_model::ObjectMeta| object.labels.get("app").is_some_and(|app| app == "web");
        let (mut fewest, mut most) = (usize::MAX, 0);
        let mut begun = false;
        let watch = async {
            loop {
                tokio::select! {
                    biased;
                    _ = pod_changes.next() => {}
                    _ = deployment_changes.next() => {}
                }
                let ready = pods.filter(Some(NAMESPACE), |pod| {
                    is_web(&pod.metadata) && !pod.metadata.is_deleting() && is_ready(pod)
                });
                let wanted = sets.filter(Some(NAMESPACE), |set| is_web(&set.metadata));
                fewest = fewest.min(ready.len());
                most = most.max(wanted.iter().map(|set| set.spec.replicas.unwrap_or_default()).sum());
                let web =
                    deployments.list_in(NAMESPACE).into_iter().find(|found| found.metadata.name == "web");
                let done =
                    web.is_some_and(|web| matches!(rollout::progress(&web), rollout::Progress::Done(_)));
                begun |= !done;
                if begun && done {
                    return (fewest, most);
                }
            }
        };
        Ok(tokio::time::timeout(LIMIT, watch).await.map_err(|_| "the rollout did not end")?)
    }

    async fn bad_image(&self) -> Result<bool, Anything> {
        let Self { cluster, output } = self;
        output.step("a bad image: the rollout gets stuck, says why, and is rolled back");
        rollout::set_image(cluster.client(), NAMESPACE, "web", "server", "example/web:does-not-exist")
            .await?;
        let tell = |line: &str| output.tell(line);
        let stuck = rollout::status(cluster.client(), NAMESPACE, "web", LIMIT, tell).await;
        let mut held = match stuck {
            Err(rollout::RolloutError::Stuck(text)) => output.check(true, &format!("stuck: {text}")),
            other => output.check(false, &format!("stuck: {other:?}")),
        };
        let pods = self.web_pods().await?;
        let waiting = pods.iter().find_map(|pod| {
            let state = pod.status.container_statuses.first()?.state.waiting.clone()?;
            Some((pod.metadata.name.clone(), state))
        });
        held &= match &waiting {
            Some((name, state)) => {
                let known = state.reason == "ImagePullBackOff" || state.reason == "ErrImagePull";
                output.check(known, &format!("{name} waits: {}: {}", state.reason, state.message))
            }
            None => output.check(false, "a pod waits for its image"),
        };
        let ready = pods.iter().filter(|pod| is_ready(pod)).count();
        held &= output.check(ready >= 4, &format!("{ready} old pods serve on"));
        if let Some((name, _)) = &waiting {
            self.events(name).await?;
        }
        match rollout::undo(cluster.client(), NAMESPACE, "web", None).await? {
            rollout::Undone::RolledBack(revision) => {
                output.tell(&format!("deployment.apps/web rolled back to revision {revision}"))
            }
            rollout::Undone::Skipped(revision) => {
                output.tell(&format!("skipped: it is at revision {revision} already"))
            }
        }
        self.web_available().await?;
        let back =
            self.web_ready("").await?.iter().all(|pod| pod.spec.containers[0].image == "example/web:1.1");
        held &= output.check(back, "five web pods are ready, with the image from before");
        Ok(held)
    }

    async fn delete_all(&self) -> Result<bool, Anything> {
        let Self { cluster, output } = self;
        output.step("delete it all: everything owned goes too");
        let client = cluster.client();
        for name in ["web", "shop", "shop-db"] {
            delete::run::<Deployment>(client, NAMESPACE, name, delete::Cascade::Background, LIMIT).await?;
            delete::run::<Service>(client, NAMESPACE, name, delete::Cascade::Background, LIMIT).await?;
        }
        delete::run::<Job>(client, NAMESPACE, "report", delete::Cascade::Foreground, LIMIT).await?;
        for name in ["motd", "worker"] {
            delete::run::<Pod>(client, NAMESPACE, name, delete::Cascade::Background, LIMIT).await?;
        }
        for name in ["motd", "shop"] {
            delete::run::<ConfigMap>(client, NAMESPACE, name, delete::Cascade::Background, LIMIT).await?;
        }
        delete::run::<Secret>(client, NAMESPACE, "shop-db", delete::Cascade::Background, LIMIT).await?;
        let gone = self.empty::<Pod>().await && self.empty::<ReplicaSet>().await && self.empty::<Job>().await;
        let mut held = output.check(gone, "no pod, ReplicaSet or Job is left");
        let left = cluster.left_behind().await?;
        left.iter().for_each(|leftover| output.tell(&leftover.to_string()));
        held &= output.check(left.is_empty(), "nothing is left behind on any node");
        Ok(held)
    }

    /// Waits until there is no object of a kind.
    async fn empty<K: StaticKind>(&self) -> bool {
        let store = self.cluster.informers().of::<K>();
        let mut changes = store.subscribe();
        let empty = async {
            while !store.list_in(NAMESPACE).is_empty() {
                if changes.next().await.is_none() {
                    return false;
                }
            }
            true
        };
        tokio::time::timeout(LIMIT, empty).await.unwrap_or(false)
    }
}

fn node_ready(node: &Node) -> bool {
    let mut conditions = node.status.conditions.iter();
    conditions.any(|condition| condition.type_ == "Ready" && condition.status == ConditionStatus::True)
}
