//! What is left when something fails, when nobody waits any more, and after many pods.

use std::collections::BTreeSet;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use orlop_clock::{Random, TokioClock};
use orlop_image::{Store, StoreOptions};
use orlop_model::core::v1::Pod;
use orlop_node::linux::{Faults, LinuxConfig, LinuxRuntime};
use orlop_node::{
    ContainerConfig, PodRuntime, Recover, RuntimeResult, SandboxConfig, VolumeContent, VolumeFile, Volumes,
    definition,
};
use serde_json::json;

use super::{LIMIT, build_tools, left, possible};

const PART: &str = "ORLOP_NODE_TEST_PART";
const FOLDER: &str = "ORLOP_NODE_TEST_PART_FOLDER";

/// Does parts of a test at once, each in a process of its own, where all descriptors and children are the part's.
fn apart(parts: &[&str]) {
    if !possible() {
        return;
    }
    let begun = parts.iter().map(|part| {
        let folder = std::env::temp_dir().join(format!("orlop-{part}-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "linux::failures::part", "--nocapture"])
            .env(PART, part)
            .env(FOLDER, &folder)
            .spawn()
            .unwrap();
        (child, folder)
    });
    let mut failed = Vec::new();
    for (mut child, folder) in begun.collect::<Vec<_>>() {
        let status = child.wait().unwrap();
        if !status.success() {
            let runtime = tokio::runtime::Runtime::new().unwrap();
            runtime.block_on(async {
                let store = images(&folder, StoreOptions::default()).await;
                let linux = node(&folder, &store, Faults::default()).await;
                linux.recover(Recover::Remove).await.unwrap();
                linux.remove_all().await.unwrap();
            });
            failed.push(folder.clone());
        }
        std::fs::remove_dir_all(&folder).unwrap();
    }
    assert!(failed.is_empty(), "{failed:?}");
}

#[test]
fn whatever_step_fails_leaves_nothing() {
    apart(&["node", "containers-0", "containers-1", "containers-2", "containers-3", "network", "images"]);
}

#[test]
fn five_hundred_pods_from_eight_threads_leave_nothing() {
    apart(&["cycles"]);
}

#[test]
fn part() {
    let (Ok(part), Some(folder)) = (std::env::var(PART), std::env::var_os(FOLDER)) else { return };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(8).enable_all().build().unwrap();
    let folder = PathBuf::from(folder);
    runtime.block_on(async {
        match part.as_str() {
            "cycles" => cycles(&folder).await,
            // Most of the steps are those of making processes: each part takes every fourth.
            kind => match kind.split_once('-') {
                Some((kind, first)) => steps(&folder, kind, first.parse().unwrap(), 4).await,
                None => steps(&folder, kind, 0, 1).await,
            },
        }
    });
}

/// The images; what was opened by one before may take a moment to be closed.
async fn images(folder: &Path, options: StoreOptions) -> Store {
    let begin = Instant::now();
    loop {
        match Store::open(folder.join("images"), options.clone()) {
            Ok(store) => return store,
            Err(error) => assert!(begin.elapsed() < LIMIT, "{error}"),
        }
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

/// A node of its own; what was opened by one before may take a moment to be closed.
async fn node(folder: &Path, store: &Store, faults: Faults) -> LinuxRuntime {
    let begin = Instant::now();
    loop {
        let name = folder.file_name().unwrap().to_str().unwrap();
        let number =
            name.bytes().fold(0_u16, |number, byte| number.wrapping_mul(31).wrapping_add(byte.into()));
        let [first, second] = number.to_be_bytes();
        let subnet = (Ipv4Addr::new(10, 224 + first % 24, second, 0), 24);
        let mut config = LinuxConfig::new(name, folder.join("node"), subnet).unwrap();
        config.faults = faults.clone();
        let clock = Arc::new(TokioClock::new("2026-03-01T12:00:00Z".parse().unwrap()));
        match LinuxRuntime::new(config, store.clone(), clock, Random::new(1)) {
            Ok(linux) => return linux,
            Err(error) => assert!(begin.elapsed() < LIMIT, "{error}"),
        }
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

/// A pod with everything that is made for pods.
fn pod(uid: &str, port: u16) -> Arc<Pod> {
    let container = json!({
        "name": "c", "image": "tools:1", "command": ["/bin/sleep", "1000"],
        "ports": [{"containerPort": 80, "hostPort": port}],
        "resources": {"limits": {"memory": "64Mi", "cpu": "500m"}},
        "terminationMessagePath": "/dev/termination-log",
        "volumeMounts": [
            {"name": "cfg", "mountPath": "/cfg"}, {"name": "work", "mountPath": "/work"},
            {"name": "mem", "mountPath": "/mem", "subPath": "a/b"}, {"name": "key", "mountPath": "/key"},
        ],
    });
    let pod = json!({
        "metadata": {"name": format!("p-{uid}"), "namespace": "default", "uid": uid},
        "spec": {"containers": [container], "shareProcessNamespace": true, "volumes": [
            {"name": "cfg", "configMap": {"name": "cfg"}}, {"name": "work", "emptyDir": {}},
            {"name": "mem", "emptyDir": {"medium": "Memory"}}, {"name": "key", "secret": {"secretName": "key"}},
        ]},
    });
    Arc::new(serde_json::from_value(pod).unwrap())
}

fn volumes() -> Arc<Volumes> {
    let file = VolumeFile { mode: 0o644, data: b"text".as_slice().into(), user: None };
    let files = VolumeContent::Files([("file".into(), file)].into());
    let by = || VolumeContent::ByRuntime;
    Arc::new(
        [("cfg".into(), files.clone()), ("key".into(), files), ("mem".into(), by()), ("work".into(), by())]
            .into(),
    )
}

/// A pod from its volumes to the end of its process.
async fn life(linux: &LinuxRuntime, pod: &Arc<Pod>, runs_command: bool) -> Result<(), String> {
    let told = |error: orlop_node::RuntimeError| error.to_string();
    linux.set_up_volumes(pod, &volumes()).await.map_err(|error| error.to_string())?;
    let config = SandboxConfig { pod: Arc::clone(pod), attempt: 0 };
    let sandbox = linux.create_sandbox(&config).await.map_err(told)?;
    let container = &pod.spec.containers[0];
    let config = ContainerConfig {
        sandbox_id: sandbox.id,
        container: Arc::new(container.clone()),
        restart_count: 0,
        image: linux.find_image("tools:1").await.map_err(told)?.unwrap(),
        env: Vec::new(),
        command: container.command.to_vec(),
        args: Vec::new(),
        volumes: volumes(),
        definition: definition(container),
        pod: Arc::clone(pod),
    };
    let id = linux.create_container(&config).await.map_err(told)?;
    linux.start_container(&id).await.map_err(told)?;
    if runs_command {
        let done =
            linux.exec(&id, &["/bin/cat".into(), "/cfg/file".into()], Some(LIMIT)).await.map_err(told)?;
        assert_eq!((done.code, done.stdout.as_slice()), (0, b"text".as_slice()));
    }
    Ok(())
}

/// What the agent does with a pod that is to go, whatever came of it. What fails is done again.
async fn remove(linux: &LinuxRuntime, uid: &str) {
    if let Err(error) = try_remove(linux, uid).await {
        assert!(error.to_string().contains("for a test"), "{error}");
        try_remove(linux, uid).await.unwrap();
    }
}

async fn try_remove(linux: &LinuxRuntime, uid: &str) -> RuntimeResult<()> {
    let seen = linux.view(uid).await?;
    for instance in &seen.containers {
        linux.stop_container(&instance.id, Duration::ZERO).await?;
        linux.remove_container(&instance.id).await?;
    }
    for sandbox in &seen.sandboxes {
        linux.stop_sandbox(&sandbox.id).await?;
        linux.remove_sandbox(&sandbox.id).await?;
    }
    linux.remove_pod(uid).await
}

/// Descriptors of this process and children that have ended and were not waited for.
fn held() -> (usize, usize) {
    let own = std::process::id().to_string();
    let zombie = |pid: &std::fs::DirEntry| {
        let stat = std::fs::read_to_string(pid.path().join("stat")).unwrap_or_default();
        let mut fields = stat.rsplit(')').next().unwrap_or_default().split_whitespace();
        fields.next() == Some("Z") && fields.next() == Some(&own)
    };
    let zombies = std::fs::read_dir("/proc").unwrap().filter_map(Result::ok).filter(zombie).count();
    (std::fs::read_dir("/proc/self/fd").unwrap().count(), zombies)
}

/// Waits until no more is held than before.
async fn settled(before: (usize, usize)) {
    let begin = Instant::now();
    while held().0 > before.0 || held().1 > before.1 {
        assert!(begin.elapsed() < LIMIT, "{before:?} became {:?}: {:#?}", held(), descriptors());
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

fn descriptors() -> Vec<PathBuf> {
    let entries = std::fs::read_dir("/proc/self/fd").unwrap();
    entries.filter_map(|entry| std::fs::read_link(entry.ok()?.path()).ok()).collect()
}

async fn steps(folder: &Path, kind: &str, first: usize, stride: usize) {
    let store = images(folder, StoreOptions::default()).await;
    build_tools(&store);
    let port = 20_000 + (std::process::id() % 10_000) as u16;
    // What stays of the node when no pod is left: the topmost control group, the bridge.
    let linux = node(folder, &store, Faults::default()).await;
    linux.recover(Recover::Remove).await.unwrap();
    life(&linux, &pod("u", port), true).await.unwrap();
    remove(&linux, "u").await;
    let usual: BTreeSet<String> = left(&linux).await.into_iter().collect();
    assert!(usual.iter().all(|left| left.starts_with("cgroup") || left.starts_with("network")), "{usual:#?}");
    drop((linux, store));
    let before = held();
    let mut failed = 0;
    for step in (first..).step_by(stride) {
        let mut faults = Faults::default();
        let mut options = StoreOptions::default();
        match kind {
            "node" => faults = Faults::at(step),
            "containers" => faults.containers = orlop_container::Faults::at(step),
            "network" => faults.network = orlop_cni::Faults::after(step),
            _ => options.faults = orlop_image::Faults::at(u32::try_from(step).unwrap()),
        }
        let store = images(folder, options.clone()).await;
        let linux = node(folder, &store, faults.clone()).await;
        let uid = format!("{kind}-{step}");
        let done = life(&linux, &pod(&uid, port), true).await;
        remove(&linux, &uid).await;
        let found: BTreeSet<String> = left(&linux).await.into_iter().collect();
        let more: Vec<&String> = found.difference(&usual).collect();
        assert!(more.is_empty(), "{kind} {step} ({done:?}): {more:#?}");
        assert!(store.snapshots().unwrap().is_empty(), "{kind} {step} ({done:?})");
        drop((linux, store));
        settled(before).await;
        let reached = match kind {
            "node" => faults.count() > step,
            "containers" => faults.containers.count() > step,
            "network" => faults.network.fired(),
            _ => options.faults.fired(),
        };
        if !reached {
            assert_eq!(done, Ok(()), "{kind} {step}");
            assert!(failed > 0, "no step of {kind} can fail");
            break;
        }
        failed += 1;
        // A step that fails without an error is one that could be done without.
        if done.is_ok() {
            println!("{kind} {step} is made up for");
        }
    }
    println!("{failed} steps of {kind} failed");
    let store = images(folder, StoreOptions::default()).await;
    let linux = node(folder, &store, Faults::default()).await;
    linux.remove_all().await.unwrap();
    assert_eq!(left(&linux).await, Vec::<String>::new());
}

async fn cycles(folder: &Path) {
    let store = images(folder, StoreOptions::default()).await;
    build_tools(&store);
    let linux = node(folder, &store, Faults::default()).await;
    linux.recover(Recover::Remove).await.unwrap();
    let first = 20_000 + (std::process::id() % 10_000) as u16;
    life(&linux, &pod("u", first), true).await.unwrap();
    remove(&linux, "u").await;
    let usual = left(&linux).await;
    let before = held();
    let begin = Instant::now();
    let threads: Vec<_> = (0..8_u16)
        .map(|thread| {
            let linux = linux.clone();
            tokio::spawn(async move {
                for cycle in 0..63_u64 {
                    let uid = format!("u{thread}-{cycle}");
                    let pod = pod(&uid, first + thread);
                    if cycle % 4 == 3 {
                        // Nobody waits any more, at some moment.
                        let patience = Duration::from_millis(1 + cycle * 7 % 60);
                        drop(tokio::time::timeout(patience, life(&linux, &pod, false)).await);
                    } else {
                        life(&linux, &pod, false).await.unwrap();
                    }
                    remove(&linux, &uid).await;
                }
            })
        })
        .collect();
    for thread in threads {
        thread.await.unwrap();
    }
    println!("504 pods from eight threads in {:?}", begin.elapsed());
    settled(before).await;
    assert_eq!(left(&linux).await, usual);
    assert!(store.snapshots().unwrap().is_empty());
    assert_eq!(linux.pods().await.unwrap(), []);
    linux.remove_all().await.unwrap();
    assert_eq!(left(&linux).await, Vec::<String>::new());
}
