//! The story on Linux nodes: the same control plane, real processes.

use std::fs::DirBuilder;
use std::io::{ErrorKind, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use orlop_client::ListOptions;
use orlop_clock::{Random, TokioClock};
use orlop_cluster::Cluster;
use orlop_cluster::ops::{apply, delete, get, rollout, wait};
use orlop_container::Ids;
use orlop_container::rootless::{self, Side};
use orlop_fs::{Overlay, Root};
use orlop_image::{Builder, Reference, Store, StoreOptions};
use orlop_model::apps::v1::Deployment;
use orlop_model::batch::v1::Job;
use orlop_model::core::v1::{ConditionStatus, ConfigMap, Node, Pod};
use orlop_netlink::nft::{Family, Nft, Transaction};
use orlop_netlink::{Batch, Bridge, Netns, Rtnl, Veth};
use orlop_node::linux::{LinuxConfig, LinuxRuntime};
use orlop_node::{AgentConfig, Limits, LogOptions, NodeConfig, PodRuntime, Recover};
use orlop_planners::pod::is_ready;
use tokio::signal::unix::{SignalKind, signal};

use crate::Anything;
use crate::output::Output;
use crate::yours;

const NAMESPACE: &str = "default";
const LIMIT: Duration = Duration::from_secs(120);
/// How the names of the folders of runs begin.
pub(crate) const FOLDER: &str = "orlop-cluster";
/// Bytes of memory that a web pod may use, as the manifest says.
const MEMORY_LIMIT: u64 = 128 << 20;
/// The image that is made of this program.
const IMAGE: &str = "example/self:1";

const MANIFEST: &str = r#"
apiVersion: v1
kind: ConfigMap
metadata: {name: greeting}
data: {text: "hello"}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 3
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      terminationGracePeriodSeconds: 1
      containers:
      - name: server
        image: "example/self:1"
        env:
        - {name: ORLOP_EXAMPLE_ROLE, value: web}
        - {name: VERSION, value: "1"}
        ports: [{name: http, containerPort: 8080}]
        resources: {requests: {cpu: 50m, memory: 16Mi}, limits: {memory: 128Mi}}
        readinessProbe: {httpGet: {path: /, port: http}, periodSeconds: 1}
        volumeMounts: [{name: greeting, mountPath: /etc/greeting}]
      volumes: [{name: greeting, configMap: {name: greeting}}]
---
apiVersion: batch/v1
kind: Job
metadata: {name: count}
spec:
  completions: 2
  template:
    spec:
      restartPolicy: Never
      containers:
      - name: count
        image: "example/self:1"
        env:
        - {name: ORLOP_EXAMPLE_ROLE, value: batch}
        - {name: TEXT, value: "four words it has"}
"#;

/// Tells the story on so many nodes; `false` if one of its assertions did not hold.
pub(crate) async fn tell(nodes: usize, seed: u64, output: &Output) -> Result<bool, Anything> {
    let ids = Ids::own()?;
    let folder = folder(&ids)?;
    let clock = Arc::new(TokioClock::new(jiff::Timestamp::now()));
    output.begin();
    output.step(&format!("an image of this program, and {nodes} nodes that run processes"));
    if !ids.are_the_machines() {
        output.tell(&format!(
            "as root of namespaces of its own, with {} of the machine's users; ports of the machine and the world \
             outside are out of reach",
            ids.users()
        ));
    }
    let store = Store::open(folder.join("images"), StoreOptions::default())?;
    Builder::new()
        .executable(std::env::current_exe()?, "/cluster")?
        .directory("/tmp", 0o1777)
        .entrypoint(["/cluster"])
        .build(&store, &Reference::parse(IMAGE)?)?;
    // What an earlier run has left, if it was killed, is removed.
    let agent = AgentConfig {
        recover: Recover::Remove,
        crash_backoff: Duration::from_secs(1),
        ..AgentConfig::default()
    };
    let mut cluster = Cluster::builder(clock.clone()).seed(seed).agent(agent).start().await?;
    let mut runtimes = Vec::new();
    for number in 1..=u8::try_from(nodes)? {
        let name = format!("linux-{number}");
        let config =
            LinuxConfig::new(name.as_str(), folder.join(&name), (Ipv4Addr::new(10, 99, number, 0), 24))?;
        let runtime = LinuxRuntime::new(config, store.clone(), clock.clone(), Random::new(seed))?;
        let mut node = NodeConfig::new(name);
        node.addresses.push(Ipv4Addr::new(10, 99, number, 1).into());
        cluster.add_runtime(node, Arc::new(runtime.clone()))?;
        runtimes.push(runtime);
    }
    if let Some(Limits::Ignored { why }) = runtimes.first().map(|runtime| runtime.info().limits) {
        output.tell(&format!("limits of containers are not enforced: {why}"));
    }
    let story = Story { cluster: &cluster, output, runtimes: &runtimes };
    // Processes do not end with this one: whoever interrupts it waits until they are gone.
    let told = tokio::select! {
        biased;
        () = asked_to_end() => Err("interrupted".into()),
        told = story.tell() => told,
    };
    cluster.stop().await;

    output.step("audit: what is left on this machine");
    for runtime in &runtimes {
        runtime.remove_all().await?;
    }
    let mut held = true;
    for runtime in &runtimes {
        for left in runtime.audit().await? {
            held &= output.check(false, &format!("left: {left}"));
        }
    }
    drop(runtimes);
    drop(store);
    std::fs::remove_dir_all(&folder)?;
    output.check(held, "no process, mount, cgroup, namespace, link, address, rule or file is left");
    Ok(told? && held)
}

struct Story<'a> {
    cluster: &'a Cluster,
    output: &'a Output,
    runtimes: &'a [LinuxRuntime],
}

/// One request to a pod; the body of the answer.
async fn ask(ip: &str, path: &'static str) -> Result<String, Anything> {
    let address = SocketAddr::new(ip.parse()?, 8080);
    let answer = tokio::task::spawn_blocking(move || -> std::io::Result<String> {
        let mut stream = TcpStream::connect_timeout(&address, Duration::from_secs(5))?;
        stream.set_read_timeout(Some(Duration::from_secs(5)))?;
        // At once: who has read the first line may answer and hang up.
        stream.write_all(format!("GET {path} HTTP/1.1\r\nhost: web\r\n\r\n").as_bytes())?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        Ok(answer)
    })
    .await??;
    Ok(answer.rsplit("\r\n\r\n").next().unwrap_or_default().trim().to_owned())
}

impl Story<'_> {
    async fn web(&self) -> Result<Vec<Arc<Pod>>, Anything> {
        let pods = self.cluster.api::<Pod>(NAMESPACE);
        let found = pods.list(&ListOptions::new().labels("app=web")).await?.items;
        Ok(found.into_iter().filter(|pod| !pod.metadata.is_deleting()).collect())
    }

    async fn tell(&self) -> Result<bool, Anything> {
        let mut held = self.start().await?;
        held &= self.serve("1").await?;
        held &= self.limits().await?;
        held &= self.crash().await?;
        held &= self.roll_out().await?;
        held &= self.delete_all().await?;
        Ok(held)
    }

    async fn start(&self) -> Result<bool, Anything> {
        let Self { cluster, output, .. } = self;
        output.step("apply: a web Deployment of three with a ConfigMap, and a Job");
        let source = apply::Source { name: "linux.yaml".into(), text: MANIFEST.into() };
        for applied in
            apply::run(cluster.client(), cluster.scheme(), &source, &apply::Options::default()).await?
        {
            output.tell(&applied.to_string());
        }
        let ready = yours::settle(cluster, output, NAMESPACE, LIMIT).await?;
        let options =
            get::Options { namespace: Some(NAMESPACE.into()), wide: true, ..get::Options::default() };
        output.tell(&get::table::<Pod>(cluster.client(), &options, cluster.now()).await?);
        let mut held = output.check(ready, "the Deployment is available, the Job complete");
        let pods =
            cluster.api::<Pod>(NAMESPACE).list(&ListOptions::new().labels("job-name=count")).await?.items;
        let mut counted = 0;
        for pod in &pods {
            counted += usize::from(self.logs(pod).await?.contains("counted 4 words"));
        }
        held &= output
            .check(counted == 2, &format!("the logs of {counted} pods of the Job say what they counted"));
        Ok(held)
    }

    async fn logs(&self, pod: &Pod) -> Result<String, Anything> {
        use futures::StreamExt;
        for runtime in self.runtimes {
            if let Some(instance) = runtime.view(&pod.metadata.uid).await?.containers.first() {
                let lines = runtime.logs(&instance.id, &LogOptions::default()).await?;
                let lines: Vec<_> = lines.map(|line| line.text).collect().await;
                return Ok(String::from_utf8_lossy(&lines.join(&b'\n')).into_owned());
            }
        }
        Ok(String::new())
    }

    async fn serve(&self, version: &str) -> Result<bool, Anything> {
        let mut served = 0;
        let pods = self.web().await?;
        for pod in &pods {
            let answer = ask(&pod.status.pod_ip, "/").await?;
            self.output.tell(&format!("{} ({}): {answer}", pod.metadata.name, pod.status.pod_ip));
            served += usize::from(answer == format!("hello from {}, version {version}", pod.metadata.name));
        }
        let held = served == 3 && pods.len() == 3;
        Ok(self
            .output
            .check(held, &format!("{served} web pods greet by their addresses, with the ConfigMap's text")))
    }

    /// Containers have limits, or their nodes say that they have none.
    async fn limits(&self) -> Result<bool, Anything> {
        let ignored = self.runtimes.iter().any(|runtime| runtime.info().limits != Limits::Enforced);
        if ignored {
            let nodes = self.cluster.api::<Node>("").list(&ListOptions::new()).await?.items;
            let says = |node: &Arc<Node>| {
                let mut conditions = node.status.conditions.iter();
                conditions
                    .any(|one| one.type_.as_str() == "LimitsIgnored" && one.status == ConditionStatus::True)
            };
            let held = nodes.len() == self.runtimes.len() && nodes.iter().all(says);
            return Ok(self.output.check(held, "the nodes say in a condition that limits are not enforced"));
        }
        let mut within = 0;
        for pod in self.web().await? {
            for runtime in self.runtimes {
                let stats = runtime.stats(&pod.metadata.uid).await?;
                within += stats.iter().filter(|stats| (1..=MEMORY_LIMIT).contains(&stats.memory)).count();
            }
        }
        Ok(self
            .output
            .check(within == 3, &format!("{within} web pods use memory, and less than their limit")))
    }

    async fn crash(&self) -> Result<bool, Anything> {
        let pod = self.web().await?.remove(0);
        self.output.step(&format!("{} is asked to crash: it is restarted", pod.metadata.name));
        drop(ask(&pod.status.pod_ip, "/crash").await);
        let restarted = |pod: &Pod| {
            is_ready(pod)
                && pod.status.container_statuses.iter().any(|container| container.restart_count == 1)
        };
        let key = pod.metadata.name.clone();
        let pods = self.cluster.api::<Pod>(NAMESPACE);
        wait::until(&pods, &key, LIMIT, |pod| pod.is_some_and(restarted)).await?;
        let status = pods.get(&*key).await?.status.container_statuses[0].last_state.terminated.clone();
        let code = status.as_ref().map_or(0, |end| end.exit_code);
        Ok(self.output.check(code == 1, &format!("it is ready again; before, it ended with code {code}")))
    }

    async fn roll_out(&self) -> Result<bool, Anything> {
        let Self { cluster, output, .. } = self;
        output.step("version 2: a rolling update");
        let source = apply::Source {
            name: "linux.yaml".into(),
            text: MANIFEST.replace("{name: VERSION, value: \"1\"}", "{name: VERSION, value: \"2\"}"),
        };
        apply::run(cluster.client(), cluster.scheme(), &source, &apply::Options::default()).await?;
        rollout::status(cluster.client(), NAMESPACE, "web", LIMIT, |line| output.tell(line)).await?;
        self.serve("2").await
    }

    async fn delete_all(&self) -> Result<bool, Anything> {
        let Self { cluster, output, .. } = self;
        output.step("delete it all");
        let client = cluster.client();
        delete::run::<Deployment>(client, NAMESPACE, "web", delete::Cascade::Foreground, LIMIT).await?;
        delete::run::<Job>(client, NAMESPACE, "count", delete::Cascade::Foreground, LIMIT).await?;
        delete::run::<ConfigMap>(client, NAMESPACE, "greeting", delete::Cascade::Background, LIMIT).await?;
        let pods = cluster.api::<Pod>(NAMESPACE);
        let gone = async {
            while !pods.list(&ListOptions::new()).await?.items.is_empty() {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
            Ok::<_, Anything>(())
        };
        let gone = tokio::time::timeout(LIMIT, gone).await.is_ok();
        // What had ended before goes from its node only after it has gone from the API.
        let settled = async {
            while !cluster.left_behind().await?.is_empty() {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
            Ok::<_, Anything>(())
        };
        drop(tokio::time::timeout(LIMIT, settled).await);
        let left = cluster.left_behind().await?;
        left.iter().for_each(|leftover| output.tell(&leftover.to_string()));
        Ok(output.check(gone && left.is_empty(), "no pod is left, in the API or on a node"))
    }
}

/// Becomes root of namespaces of its own, unless it is root; answers the exit code in the process that has only waited.
///
/// # Errors
/// Why Linux nodes are not possible here.
pub(crate) fn enter() -> Result<Option<ExitCode>, Anything> {
    match rootless::enter()? {
        Side::Outside(keeper) => return Ok(Some(ExitCode::from(keeper.wait()))),
        Side::Privileged | Side::Inside => {}
    }
    let ids = Ids::own()?;
    let folder = folder(&ids)?;
    let tried = try_overlay(&ids, &folder.join("probe")).and_then(|()| try_network());
    if tried.is_err() {
        // Nobody needs it, unless something of an earlier run is in it.
        drop(std::fs::remove_dir(folder));
    }
    tried.map(|()| None)
}

/// Whether images can be mounted from where they will be.
fn try_overlay(ids: &Ids, place: &Path) -> Result<(), Anything> {
    let tried = || -> Result<(), Anything> {
        for name in ["lower", "upper", "work"] {
            std::fs::create_dir_all(place.join(name))?;
        }
        let [lower, upper, work] = ["lower", "upper", "work"].map(|name| Root::open(place.join(name)));
        let (lower, upper, work) = (lower?, upper?, work?);
        let overlay = Overlay::new().lower(&lower).upper(&upper, &work);
        overlay.in_user_namespace(!ids.are_the_machines()).mount()?;
        Ok(())
    };
    let tried = tried();
    std::fs::remove_dir_all(place)?;
    tried.map_err(|error| format!("images cannot be mounted: {error}").into())
}

/// Whether pods can have networks, in one that is gone afterwards.
fn try_network() -> Result<(), Anything> {
    let tried = || -> Result<(), orlop_netlink::Error> {
        Netns::create()?.run(|| {
            let mut links = Batch::new();
            links.add_bridge(&Bridge::new("bridge"))?.add_veth(&Veth::new("here", "there"))?;
            Rtnl::open()?.run(links)?;
            let mut rules = Transaction::new();
            rules.add_table(Family::Ip4, "probe")?;
            Nft::open()?.commit(rules)
        })
    };
    tried().map_err(|error| format!("networks cannot be made: {error}").into())
}

/// The folder of everything on disk, different for each user, and nobody else's.
fn folder(ids: &Ids) -> Result<PathBuf, Anything> {
    let user = ids.outside(0).unwrap_or_default();
    let path = std::env::temp_dir().join(format!("{FOLDER}-{user}"));
    match DirBuilder::new().mode(0o700).create(&path) {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => {
            return Err(format!("{}: {error}", path.display()).into());
        }
        _ => {}
    }
    let found = std::fs::symlink_metadata(&path)?;
    let me = std::fs::metadata("/proc/self")?.uid();
    if !found.is_dir() || found.uid() != me || found.mode() & 0o077 != 0 {
        return Err(format!("{} is somebody else's, or open to others", path.display()).into());
    }
    Ok(path)
}

/// Comes back when somebody wants this to end.
async fn asked_to_end() {
    let wait = async |kind| match signal(kind) {
        Ok(mut signals) => drop(signals.recv().await),
        Err(_) => std::future::pending().await,
    };
    tokio::select! {
        () = wait(SignalKind::interrupt()) => {}
        () = wait(SignalKind::terminate()) => {}
        () = wait(SignalKind::hangup()) => {}
    }
}
