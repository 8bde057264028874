//! The agent on Linux: pods as real processes, in real time, as root.
#![allow(
    clippy::print_stdout,
    reason = "tests say what they lack and what they measure; what runs in containers writes for its readers"
)]

use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

use futures::StreamExt as _;
use orlop_apiserver::LocalClient;
use orlop_cache::{Index, Informer, Running};
use orlop_client::{Api, Client, DeleteOptions};
use orlop_clock::{Clock, Random, TokioClock};
use orlop_image::{Builder, Reference, Store, StoreOptions};
use orlop_model::Str;
use orlop_model::core::v1::{ConfigMap, Event, Pod, PodPhase, Secret};
use orlop_node::linux::{LinuxConfig, LinuxRuntime};
use orlop_node::{Agent, AgentConfig, LogOptions, NodeConfig, PodRuntime, Recover};
use orlop_store::MemoryStore;
use serde_json::{Value, json};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

use super::{condition, container, waiting};

mod attacks;
mod failures;
mod features;
mod payload;
mod recovery;
#[cfg(feature = "registry")]
mod registry;

/// The longest that anything may take.
const LIMIT: Duration = Duration::from_secs(60);

/// Whether pods can be run here; says so if not.
fn possible() -> bool {
    let root = rustix::process::geteuid().is_root();
    let shell = PathBuf::from("/bin/sh").exists() && PathBuf::from("/bin/sleep").exists();
    let why = match (root, shell) {
        (true, true) => return true,
        (false, _) => "skipped: needs root",
        (true, false) => "skipped: needs /bin/sh and /bin/sleep",
    };
    assert!(std::env::var("ORLOP_REQUIRE").as_deref() != Ok("all"), "{why}");
    println!("{why}");
    false
}

/// Removes everything of a runtime when a test fails halfway.
struct Cleanup {
    linux: LinuxRuntime,
    folder: PathBuf,
}

impl Drop for Cleanup {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            return;
        }
        let (linux, folder) = (self.linux.clone(), self.folder.clone());
        // The test's own runtime does not run any more.
        let clean = std::thread::spawn(move || {
            let runtime = tokio::runtime::Runtime::new().unwrap();
            runtime.block_on(linux.remove_all()).unwrap();
            std::fs::remove_dir_all(folder).unwrap();
        });
        if clean.join().is_err() {
            println!("{}: not cleaned up", self.folder.display());
        }
    }
}

/// A control plane with one Linux node, and images made of this machine's files.
struct World {
    client: Arc<dyn Client>,
    clock: Arc<dyn Clock>,
    by_node: Index<Pod, Str>,
    folder: PathBuf,
    store: Store,
    linux: LinuxRuntime,
    stop: CancellationToken,
    agent_stop: CancellationToken,
    agents: JoinSet<()>,
    _informer: Running,
    cleanup: Cleanup,
}

/// What the audit finds.
async fn left(linux: &LinuxRuntime) -> Vec<String> {
    linux.audit().await.unwrap().iter().map(ToString::to_string).collect()
}

/// `test:1` with this test itself.
fn build_test(store: &Store) {
    Builder::new()
        .executable(std::env::current_exe().unwrap(), "/test")
        .unwrap()
        .directory("/tmp", 0o1777)
        .cmd(["/test", "--exact", "linux::payload::run", "--nocapture"])
        .build(store, &Reference::parse("test:1").unwrap())
        .unwrap();
}

/// `tools:1` with some programs of this machine.
fn build_tools(store: &Store) {
    let tools = ["sh", "sleep", "cat", "id", "ls", "true", "stat", "touch", "dd", "mkdir", "readlink"];
    let image = programs(Builder::new(), &tools)
        .file("/etc/passwd", "root:x:0:0:root:/root:/bin/sh\nweb:x:101:101:web:/srv:/bin/sh\n", 0o644)
        .file("/etc/group", "root:x:0:\nweb:x:101:\nextra:x:500:web\n", 0o644)
        .directory("/tmp", 0o1777)
        .env("FROM_IMAGE", "yes")
        .cmd(["/bin/sh", "-c", "echo default command"]);
    image.build(store, &Reference::parse("tools:1").unwrap()).unwrap();
}

fn programs(mut builder: Builder, names: &[&str]) -> Builder {
    for name in names {
        builder = builder.executable(format!("/bin/{name}"), format!("/bin/{name}")).unwrap();
    }
    builder
}

impl World {
    async fn new(name: &str) -> Self {
        Self::with(name, |_| {}).await
    }

    async fn with(name: &str, change: impl FnOnce(&mut LinuxConfig)) -> Self {
        static COUNT: AtomicU8 = AtomicU8::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let node = format!("t{}-{number}", std::process::id());
        let folder = std::env::temp_dir().join(format!("orlop-node-{name}-{}-{number}", std::process::id()));
        let clock: Arc<dyn Clock> = Arc::new(TokioClock::new("2026-03-01T12:00:00Z".parse().unwrap()));
        let memory = Arc::new(MemoryStore::new());
        let local = LocalClient::builder(memory, Arc::clone(&clock), Random::new(1)).build().await.unwrap();
        let client: Arc<dyn Client> = Arc::new(local);
        let stop = CancellationToken::new();
        let informer = Informer::builder(Api::<Pod>::all(Arc::clone(&client))).build();
        let by_node = informer.index(|pod: &Pod| pod.spec.node_name.clone());
        let running = informer.spawn(stop.clone());
        let store = Store::open(folder.join("images"), StoreOptions::default()).unwrap();
        build_tools(&store);
        let pid = std::process::id();
        let subnet = (Ipv4Addr::new(10, 200 + number % 50, (pid % 250) as u8, 0), 24);
        let mut config = LinuxConfig::new(node, folder.join("node"), subnet).unwrap();
        change(&mut config);
        let linux = LinuxRuntime::new(config, store.clone(), Arc::clone(&clock), Random::new(u64::from(pid)))
            .unwrap();
        let cleanup = Cleanup { linux: linux.clone(), folder: folder.clone() };
        let mut world = Self {
            client,
            clock,
            by_node,
            folder,
            store,
            linux,
            agent_stop: stop.clone(),
            stop,
            agents: JoinSet::new(),
            _informer: running,
            cleanup,
        };
        world.agent(Recover::Remove);
        world
    }

    fn agent(&mut self, recover: Recover) {
        let stop = self.stop.child_token();
        let mut node = NodeConfig::new("n1");
        node.addresses.push("192.168.0.1".parse().unwrap());
        let config = AgentConfig {
            recover,
            crash_backoff: Duration::from_millis(200),
            image_backoff: Duration::from_millis(200),
            retry: Duration::from_millis(200),
            sync_frequency: Duration::from_millis(300),
            ..AgentConfig::default()
        };
        let agent = Agent::new(
            node,
            Arc::clone(&self.client),
            Arc::new(self.linux.clone()),
            self.by_node.clone(),
            Arc::clone(&self.clock),
            Random::new(3),
        )
        .config(config);
        self.agent_stop = stop.clone();
        self.agents.spawn(async move { agent.run(stop).await.unwrap() });
    }

    fn pods(&self) -> Api<Pod> {
        Api::namespaced(Arc::clone(&self.client), "default")
    }

    async fn make<K: orlop_model::StaticKind + serde::de::DeserializeOwned>(&self, object: Value) {
        let object = serde_json::from_value::<K>(object).unwrap();
        Api::<K>::namespaced(Arc::clone(&self.client), "default").create(&object).await.unwrap();
    }

    async fn create(&self, name: &str, mut spec: Value) -> Arc<Pod> {
        spec["nodeName"] = "n1".into();
        spec["terminationGracePeriodSeconds"] =
            spec["terminationGracePeriodSeconds"].as_i64().unwrap_or(2).into();
        let pod = json!({"metadata": {"name": name, "labels": {"app": name}}, "spec": spec});
        self.pods().create(&serde_json::from_value::<Pod>(pod).unwrap()).await.unwrap()
    }

    async fn when(&self, name: &str, what: &str, wanted: impl Fn(&Pod) -> bool) -> Arc<Pod> {
        let pods = self.pods();
        let mut last = None;
        let wait = async {
            loop {
                if let Some(pod) = pods.get_opt(name).await.unwrap() {
                    if wanted(&pod) {
                        return pod;
                    }
                    last = Some(pod);
                }
                sleep(Duration::from_millis(20)).await;
            }
        };
        match timeout(LIMIT, wait).await {
            Ok(pod) => pod,
            Err(_) => panic!(
                "{name} never {what}: {}\n{:#?}",
                last.map(|pod| serde_json::to_string_pretty(&pod.status).unwrap()).unwrap_or_default(),
                self.events(name).await
            ),
        }
    }

    async fn ready(&self, name: &str) -> Arc<Pod> {
        self.when(name, "is ready", |pod| condition(pod, "Ready") == "True").await
    }

    async fn phase(&self, name: &str, phase: PodPhase) -> Arc<Pod> {
        self.when(name, &format!("is {phase}"), |pod| pod.status.phase == phase).await
    }

    async fn events(&self, pod: &str) -> Vec<String> {
        sleep(Duration::from_millis(50)).await;
        let events = Api::<Event>::namespaced(Arc::clone(&self.client), "default");
        let listed = events.list(&Default::default()).await.unwrap().items;
        let about = listed.iter().filter(|event| event.involved_object.name == *pod);
        about.map(|event| format!("{} {}", event.reason, event.message)).collect()
    }

    async fn id(&self, pod: &Pod, container: &str) -> Str {
        let seen = self.linux.view(&pod.metadata.uid).await.unwrap();
        seen.container(container).unwrap().id.clone()
    }

    async fn exec(&self, pod: &Pod, container: &str, script: &str) -> String {
        let id = self.id(pod, container).await;
        let command: Vec<Str> = ["/bin/sh", "-c", script].map(Str::from).into();
        let output = self.linux.exec(&id, &command, Some(LIMIT)).await.unwrap();
        let text = String::from_utf8(output.stdout).unwrap() + &String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.code, 0, "{script}: {text}");
        text
    }

    async fn logs(&self, pod: &Pod, container: &str) -> Vec<String> {
        let id = self.id(pod, container).await;
        let lines = self.linux.logs(&id, &LogOptions::default()).await.unwrap();
        lines.map(|line| String::from_utf8(line.text).unwrap()).collect().await
    }

    async fn delete(&self, name: &str) {
        self.delete_all(&[name]).await;
    }

    /// Deletes pods at once, and waits until all are gone.
    async fn delete_all(&self, names: &[&str]) {
        let pods = self.pods();
        for name in names {
            pods.delete_with(*name, &DeleteOptions::new()).await.unwrap();
        }
        for name in names {
            let wait = async {
                while pods.get_opt(*name).await.unwrap().is_some() {
                    sleep(Duration::from_millis(20)).await;
                }
            };
            assert!(timeout(LIMIT, wait).await.is_ok(), "{name} never went: {:#?}", self.events(name).await);
        }
    }

    /// Stops everything; nothing of it may be left.
    async fn end(mut self) {
        self.stop.cancel();
        while self.agents.join_next().await.is_some() {}
        self.linux.remove_all().await.unwrap();
        let left = left(&self.linux).await;
        assert!(left.is_empty(), "{left:#?}");
        assert!(self.store.snapshots().unwrap().is_empty());
        drop((self.linux, self.cleanup));
        std::fs::remove_dir_all(&self.folder).unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pod_of_processes_from_ready_to_gone() {
    if !possible() {
        return;
    }
    let world = World::new("story").await;
    let map = json!({"metadata": {"name": "cfg"}, "data": {"greeting": "hello\n", "other": "x"}});
    world.make::<ConfigMap>(map).await;
    world.make::<Secret>(json!({"metadata": {"name": "key"}, "data": {"pass": "c2VjcmV0"}})).await;
    world
        .create(
            "web",
            json!({
                "hostname": "web-0",
                "securityContext": {"fsGroup": 900},
                "initContainers": [{
                    "name": "prepare", "image": "tools:1", "command": ["/bin/sh", "-c", "echo made > /work/file"],
                    "volumeMounts": [{"name": "work", "mountPath": "/work"}],
                }],
                "containers": [
                    {
                        "name": "main", "image": "tools:1",
                        "command": ["/bin/sh", "-c", "echo started $(WHO); echo oops >&2; cat /etc/cfg/greeting; touch /work/ok; sleep 1000"],
                        "env": [
                            {"name": "WHO", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}},
                            {"name": "PASS", "valueFrom": {"secretKeyRef": {"name": "key", "key": "pass"}}},
                        ],
                        "resources": {"requests": {"cpu": "100m", "memory": "16Mi"}, "limits": {"memory": "64Mi"}},
                        "volumeMounts": [
                            {"name": "cfg", "mountPath": "/etc/cfg"},
                            {"name": "work", "mountPath": "/work"},
                            {"name": "cfg", "mountPath": "/one", "subPath": "greeting"},
                            {"name": "mem", "mountPath": "/mem"},
                            {"name": "key", "mountPath": "/key", "readOnly": true},
                        ],
                        "readinessProbe": {"exec": {"command": ["/bin/cat", "/work/ok"]}, "periodSeconds": 1},
                    },
                    {
                        "name": "side", "image": "tools:1", "command": ["/bin/sleep", "1000"],
                        "securityContext": {"runAsUser": 101, "readOnlyRootFilesystem": true, "capabilities": {"drop": ["ALL"]}, "allowPrivilegeEscalation": false},
                        "volumeMounts": [{"name": "work", "mountPath": "/work"}],
                    },
                ],
                "volumes": [
                    {"name": "cfg", "configMap": {"name": "cfg"}},
                    {"name": "work", "emptyDir": {}},
                    {"name": "mem", "emptyDir": {"medium": "Memory", "sizeLimit": "1Mi"}},
                    {"name": "key", "secret": {"secretName": "key", "defaultMode": 256}},
                ],
            }),
        )
        .await;
    let pod = world.ready("web").await;
    assert!(!pod.status.pod_ip.is_empty());
    // The two outputs are not in any order.
    let mut lines = world.logs(&pod, "main").await;
    lines.sort();
    assert_eq!(lines, ["hello", "oops", "started web"]);

    let told = world.exec(&pod, "main", "echo $PASS $FROM_IMAGE $HOSTNAME; cat /proc/sys/kernel/hostname; cat /one; cat /work/file; cat /key/pass").await;
    assert_eq!(told, "secret yes web-0\nweb-0\nhello\nmade\nsecret");
    let hosts = world.exec(&pod, "side", "cat /etc/hosts /etc/hostname").await;
    assert!(
        hosts.contains(&format!("{}\tweb-0\n", pod.status.pod_ip)) && hosts.ends_with("web-0\n"),
        "{hosts}"
    );
    // Whose and what: fsGroup on volumes, users by number, nothing to write but volumes.
    let who = world.exec(&pod, "side", "id -u; id -G; touch /no 2>/dev/null || echo read-only; touch /work/mine && stat -c %g /work/mine").await;
    assert_eq!(who, "101\n101 500 900\nread-only\n900\n");
    let status = world.exec(&pod, "side", "cat /proc/1/status").await;
    for line in ["CapEff:\t0000000000000000", "CapBnd:\t0000000000000000", "NoNewPrivs:\t1", "Seccomp:\t2"] {
        assert!(status.contains(line), "{line} in {status}");
    }
    let own = world.exec(&pod, "main", "ls /proc | cat").await;
    assert!(
        own.lines().filter(|name| name.parse::<u32>().is_ok()).count() <= 5,
        "its own processes only: {own}"
    );
    let refused = world.exec(&pod, "main", "echo x > /etc/cfg/greeting || echo refused").await;
    assert!(refused.contains("refused"), "{refused}");

    // What is told of the processes.
    let stats = world.linux.stats(&pod.metadata.uid).await.unwrap();
    assert!(stats.iter().any(|stats| stats.name == *"main" && stats.memory > 0), "{stats:?}");
    world.delete("web").await;
    let left = left(&world.linux).await;
    assert!(left.iter().all(|left| left.starts_with("cgroup ") || left.starts_with("network ")), "{left:#?}");
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_is_said_in_known_words() {
    if !possible() {
        return;
    }
    let world = World::new("wrong").await;
    let bad = |name: &str, container: Value| {
        let mut container = container;
        container["name"] = "c".into();
        (name.to_owned(), json!({"restartPolicy": "Never", "containers": [container]}))
    };
    let cases = [
        (bad("no-image", json!({"image": "nothing:1"})), "ErrImagePull|ImagePullBackOff", "nothing:1"),
        (bad("bad-name", json!({"image": "UPPER"})), "InvalidImageName", "couldn't parse image name"),
        (
            bad("never", json!({"image": "nothing:1", "imagePullPolicy": "Never"})),
            "ErrImageNeverPull",
            "not present",
        ),
        (
            bad("no-user", json!({"image": "tools:1", "securityContext": {"runAsNonRoot": true}})),
            "CreateContainerConfigError",
            "image will run as root",
        ),
        (
            bad(
                "no-key",
                json!({"image": "tools:1", "env": [{"name": "A", "valueFrom": {"configMapKeyRef": {"name": "no", "key": "k"}}}]}),
            ),
            "CreateContainerConfigError",
            "configmap \"no\" not found",
        ),
    ];
    for ((name, spec), reasons, text) in cases {
        world.create(&name, spec).await;
        let pod = world
            .when(&name, reasons, |pod| {
                !pod.status.container_statuses.is_empty()
                    && reasons.split('|').any(|reason| waiting(pod, "c") == reason)
            })
            .await;
        let message = container(&pod, "c").state.waiting.as_ref().unwrap().message.clone();
        assert!(message.contains(text), "{name}: {message}");
        world.delete(&name).await;
    }

    // The program is not there, or is none: the container was tried, and its end says why.
    for (name, command) in [("no-program", "/no/such"), ("no-executable", "/etc/passwd")] {
        world
            .create(name, json!({"restartPolicy": "Never", "containers": [{"name": "c", "image": "tools:1", "command": [command]}]}))
            .await;
        world.phase(name, PodPhase::Failed).await;
        let events = world.events(name).await;
        assert!(events.iter().any(|event| event.starts_with("Failed Error: exec: ")), "{events:#?}");
        world.delete(name).await;
    }

    // A volume that cannot be made keeps the pod waiting, with an event.
    let volume = json!([{"name": "v", "hostPath": {"path": "/etc/hostname-of-nobody", "type": "Directory"}}]);
    world
        .create("no-volume", json!({
            "containers": [{"name": "c", "image": "tools:1", "volumeMounts": [{"name": "v", "mountPath": "/v"}]}],
            "volumes": volume,
        }))
        .await;
    let wanted = "FailedMount MountVolume.SetUp failed for volume \"v\" : hostPath type check failed: /etc/hostname-of-nobody is not a directory";
    let told = async { while !world.events("no-volume").await.iter().any(|event| event == wanted) {} };
    timeout(LIMIT, told).await.unwrap();
    world.delete("no-volume").await;
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn processes_end_crash_and_are_killed() {
    if !possible() {
        return;
    }
    let world = World::new("ends").await;
    let one = |restart: &str, container: Value| {
        let mut container = container;
        container["name"] = "c".into();
        container["image"] = "tools:1".into();
        json!({"restartPolicy": restart, "containers": [container]})
    };
    world
        .create("done", one("Never", json!({"args": ["/bin/sh", "-c", "echo bye > /dev/termination-log"]})))
        .await;
    let pod = world.phase("done", PodPhase::Succeeded).await;
    let end = container(&pod, "c").state.terminated.clone().unwrap();
    assert_eq!((end.exit_code, end.reason.as_str(), end.message.as_str()), (0, "Completed", "bye\n"));

    let script = "echo it broke; exit 7";
    world
        .create("fails", one("Never", json!({"command": ["/bin/sh", "-c", script], "terminationMessagePolicy": "FallbackToLogsOnError"})))
        .await;
    let pod = world.phase("fails", PodPhase::Failed).await;
    let end = container(&pod, "c").state.terminated.clone().unwrap();
    assert_eq!((end.exit_code, end.reason.as_str(), end.message.as_str()), (7, "Error", "it broke\n"));

    // Restarted, then with back-off.
    world.create("crash", one("Always", json!({"command": ["/bin/sh", "-c", "exit 1"]}))).await;
    world
        .when("crash", "is in CrashLoopBackOff", |pod| {
            !pod.status.container_statuses.is_empty() && waiting(pod, "c") == "CrashLoopBackOff"
        })
        .await;

    // More memory than it may have: the kernel ends it, and that is told.
    let eats = json!({
        "command": ["/bin/sh", "-c", "dd if=/dev/zero of=/dev/null bs=400M count=1"],
        "resources": {"limits": {"memory": "20Mi"}},
    });
    world.create("eats", one("Never", eats)).await;
    let pod = world.phase("eats", PodPhase::Failed).await;
    let end = container(&pod, "c").state.terminated.clone().unwrap();
    assert_eq!((end.exit_code, end.reason.as_str()), (137, "OOMKilled"));

    // One that does not listen is killed when its grace is over; one that does ends at once, after its hook.
    let deaf = json!({"command": ["/bin/sh", "-c", "trap '' TERM; while :; do sleep 1; done"]});
    world.create("deaf", one("Never", deaf)).await;
    world.ready("deaf").await;
    let begin = std::time::Instant::now();
    world.delete("deaf").await;
    assert!(begin.elapsed() >= Duration::from_secs(2), "{:?}", begin.elapsed());
    let folder = world.folder.join("seen");
    std::fs::create_dir_all(&folder).unwrap();
    let mut polite = one(
        "Never",
        json!({
            "command": ["/bin/sh", "-c", "trap 'exit 3' TERM; while :; do sleep 0.05; done"],
            "lifecycle": {
                "postStart": {"exec": {"command": ["/bin/touch", "/seen/start"]}},
                "preStop": {"exec": {"command": ["/bin/touch", "/seen/stop"]}},
            },
            "volumeMounts": [{"name": "seen", "mountPath": "/seen"}],
        }),
    );
    polite["terminationGracePeriodSeconds"] = 30.into();
    polite["volumes"] = json!([{"name": "seen", "hostPath": {"path": folder, "type": "Directory"}}]);
    world.create("polite", polite).await;
    world.ready("polite").await;
    assert!(folder.join("start").exists() && !folder.join("stop").exists());
    let begin = std::time::Instant::now();
    world.delete("polite").await;
    assert!(begin.elapsed() < Duration::from_secs(20) && folder.join("stop").exists());
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn pods_speak_by_network_and_are_probed() {
    if !possible() {
        return;
    }
    let world = World::new("network").await;
    build_test(&world.store);
    let probe = |kind: &str| json!({kind: {"port": "web"}, "periodSeconds": 1});
    let serve = json!({
        "name": "c", "image": "test:1",
        "env": [{"name": "ORLOP_PAYLOAD", "value": "serve"}],
        "ports": [{"name": "web", "containerPort": 8080}],
        "readinessProbe": probe("httpGet"), "startupProbe": probe("tcpSocket"),
    });
    world.create("server", json!({"containers": [serve]})).await;
    let server = world.ready("server").await;
    let ask = json!({
        "name": "c", "image": "test:1",
        "env": [{"name": "ORLOP_PAYLOAD", "value": "ask"}, {"name": "ORLOP_TARGET", "value": format!("{}:8080", server.status.pod_ip)}],
    });
    world.create("client", json!({"restartPolicy": "Never", "containers": [ask]})).await;
    let client = world.phase("client", PodPhase::Succeeded).await;
    let lines = world.logs(&client, "c").await;
    assert!(lines.iter().any(|line| line == "answer: served"), "{lines:#?}");
    world.delete_all(&["client", "server"]).await;
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn many_pods_at_once_leave_nothing() {
    if !possible() {
        return;
    }
    let world = World::new("many").await;
    let descriptors = || std::fs::read_dir("/proc/self/fd").unwrap().count();
    let names: Vec<String> = (0..20).map(|number| format!("p{number}")).collect();
    let begin = std::time::Instant::now();
    for name in &names {
        let container = json!({"name": "c", "image": "tools:1", "command": ["/bin/sleep", "1000"]});
        world.create(name, json!({"terminationGracePeriodSeconds": 1, "containers": [container]})).await;
    }
    for name in &names {
        world.ready(name).await;
    }
    println!("20 pods ready after {:?}", begin.elapsed());
    let full = descriptors();
    world.delete_all(&names.iter().map(String::as_str).collect::<Vec<_>>()).await;
    assert!(descriptors() < full, "descriptors of pods that are gone");
    world.end().await;
}
