//! An agent that is killed, and what the next one finds.

use std::io::{BufRead as _, BufReader};
use std::net::Ipv4Addr;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt as _;
use orlop_clock::{Random, TokioClock};
use orlop_image::{Store, StoreOptions};
use orlop_model::Str;
use orlop_model::core::v1::Pod;
use orlop_node::linux::{LinuxConfig, LinuxRuntime};
use orlop_node::{
    ContainerConfig, ContainerState, LogOptions, PodRuntime, Recover, SandboxConfig, VolumeContent,
    definition,
};
use serde_json::json;

use super::{Cleanup, LIMIT, build_tools, left, possible};

const FOLDER: &str = "ORLOP_NODE_TEST_FOLDER";

fn runtime(folder: &Path) -> LinuxRuntime {
    let store = Store::open(folder.join("images"), StoreOptions::default()).unwrap();
    let node = folder.file_name().unwrap().to_str().unwrap();
    let last = u8::try_from(node.bytes().map(u32::from).sum::<u32>() % 250).unwrap();
    let config = LinuxConfig::new(node, folder.join("node"), (Ipv4Addr::new(10, 251, last, 0), 24)).unwrap();
    let clock = Arc::new(TokioClock::new("2026-03-01T12:00:00Z".parse().unwrap()));
    LinuxRuntime::new(config, store, clock, Random::new(u64::from(std::process::id()))).unwrap()
}

fn pod(mark: &str) -> Arc<Pod> {
    let script = "echo first; trap 'echo asked; exit 5' TERM; while :; do sleep 0.05; done";
    let container = json!({"name": "c", "image": "tools:1", "command": ["/bin/sh", "-c", script]});
    // It ends when a file appears, and has a name by which it is found.
    let wait = "while [ ! -e /go/now ]; do sleep 0.02; done; exit 4";
    let short = json!({
        "name": "short", "image": "tools:1", "command": ["/bin/sh", "-c", wait, mark],
        "volumeMounts": [{"name": "go", "mountPath": "/go"}],
    });
    let pod = json!({
        "metadata": {"name": "p", "namespace": "default", "uid": "0f0f"},
        "spec": {"containers": [container, short], "volumes": [{"name": "go", "emptyDir": {}}]},
    });
    Arc::new(serde_json::from_value(pod).unwrap())
}

/// The agent that is killed: it runs a pod and then waits for its end.
#[tokio::test(flavor = "multi_thread")]
async fn agent() {
    let Some(folder) = std::env::var_os(FOLDER) else { return };
    let runtime = runtime(Path::new(&folder));
    build_tools(runtime.store());
    runtime.recover(Recover::Remove).await.unwrap();
    let pod = pod(Path::new(&folder).file_name().unwrap().to_str().unwrap());
    let volumes = Arc::new([("go".into(), VolumeContent::ByRuntime)].into());
    runtime.set_up_volumes(&pod, &volumes).await.unwrap();
    let sandbox = runtime.create_sandbox(&SandboxConfig { pod: Arc::clone(&pod), attempt: 0 }).await.unwrap();
    let image = runtime.find_image("tools:1").await.unwrap().unwrap();
    let config = |number: usize, restart_count| {
        let container = &pod.spec.containers[number];
        ContainerConfig {
            sandbox_id: sandbox.id.clone(),
            container: Arc::new(container.clone()),
            restart_count,
            image: image.clone(),
            env: Vec::new(),
            command: container.command.to_vec(),
            args: Vec::new(),
            volumes: Arc::clone(&volumes),
            definition: definition(container),
            pod: Arc::clone(&pod),
        }
    };
    // Two that run, and one that was never started.
    for number in [1, 0] {
        let id = runtime.create_container(&config(number, 0)).await.unwrap();
        runtime.start_container(&id).await.unwrap();
    }
    runtime.create_container(&config(0, 1)).await.unwrap();
    println!("\nrunning");
    std::future::pending::<()>().await;
}

/// Runs an agent until its pod runs, and kills it.
fn killed(name: &str) -> std::path::PathBuf {
    let folder = std::env::temp_dir().join(format!("orlop-{name}-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "linux::recovery::agent", "--nocapture"])
        .env(FOLDER, &folder)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let runs = lines.map_while(Result::ok).any(|line| line == "running");
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(runs, "the agent did not come to run its pod");
    folder
}

/// Whether a process with this argument runs.
fn runs(mark: &str) -> bool {
    let says = |entry: std::fs::DirEntry| {
        let line = std::fs::read(entry.path().join("cmdline")).unwrap_or_default();
        line.split(|byte| *byte == 0).any(|word| word == mark.as_bytes())
    };
    std::fs::read_dir("/proc").unwrap().filter_map(Result::ok).any(says)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_agent_leaves_pods_that_the_next_one_adopts() {
    if !possible() {
        return;
    }
    let folder = killed("adopt");
    let runtime = runtime(&folder);
    let cleanup = Cleanup { linux: runtime.clone(), folder: folder.clone() };
    // One of its containers ends while nobody looks.
    let mark = folder.file_name().unwrap().to_str().unwrap();
    assert!(runs(mark));
    std::fs::write(folder.join("node/pods/0f0f/volumes/kubernetes.io~empty-dir/go/now"), "").unwrap();
    let gone = async {
        while runs(mark) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(LIMIT, gone).await.unwrap();
    let known = runtime.recover(Recover::Adopt).await.unwrap();
    assert_eq!(known.len(), 1);
    assert_eq!((known[0].name.as_str(), known[0].uid.as_str()), ("p", "0f0f"));
    let seen = runtime.view("0f0f").await.unwrap();
    assert_eq!(seen.containers.len(), 2, "{seen:#?}");
    let found = seen.container("c").unwrap();
    assert!(found.state == ContainerState::Running && found.active, "{seen:#?}");
    let short = seen.container("short").unwrap();
    let end = (short.state, short.exit_code, short.reason.as_str());
    assert_eq!(end, (ContainerState::Exited, 255, "ContainerStatusUnknown"));
    let id = found.id.clone();
    let command: Vec<Str> = ["/bin/sh", "-c", "echo in; echo $HOSTNAME"].map(Str::from).into();
    let output = runtime.exec(&id, &command, Some(LIMIT)).await.unwrap();
    assert_eq!(String::from_utf8(output.stdout).unwrap(), "in\np\n");

    // Its log goes on, its end is seen.
    runtime.stop_container(&id, Duration::from_secs(20)).await.unwrap();
    let ended = runtime.view("0f0f").await.unwrap().container("c").unwrap().clone();
    assert_eq!(ended.state, ContainerState::Exited);
    let options = LogOptions { follow: true, ..LogOptions::default() };
    let lines: Vec<String> =
        tokio::time::timeout(LIMIT, runtime.logs(&id, &options).await.unwrap().collect::<Vec<_>>())
            .await
            .unwrap()
            .into_iter()
            .map(|line| String::from_utf8(line.text).unwrap())
            .collect();
    assert_eq!(lines, ["first", "asked"]);
    runtime.remove_container(&id).await.unwrap();
    runtime.remove_container(&short.id).await.unwrap();
    runtime.stop_sandbox(&seen.sandboxes[0].id).await.unwrap();
    runtime.remove_sandbox(&seen.sandboxes[0].id).await.unwrap();
    runtime.remove_pod("0f0f").await.unwrap();
    runtime.remove_all().await.unwrap();
    assert_eq!(left(&runtime).await, Vec::<String>::new());
    // The kernel tells it once the parent, which is nobody of ours any more, has asked; else it is unknown, and said so.
    let end = (ended.exit_code, ended.reason.as_str());
    assert!([(5, "Error"), (255, "ContainerStatusUnknown")].contains(&end), "{end:?}");
    drop((runtime, cleanup));
    std::fs::remove_dir_all(folder).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_agent_leaves_nothing_that_the_next_one_cannot_remove() {
    if !possible() {
        return;
    }
    let folder = killed("remove");
    let runtime = runtime(&folder);
    let cleanup = Cleanup { linux: runtime.clone(), folder: folder.clone() };
    assert!(!left(&runtime).await.is_empty());
    assert_eq!(runtime.recover(Recover::Remove).await.unwrap(), []);
    runtime.remove_all().await.unwrap();
    assert_eq!(left(&runtime).await, Vec::<String>::new());
    assert!(runtime.store().snapshots().unwrap().is_empty());
    drop((runtime, cleanup));
    std::fs::remove_dir_all(folder).unwrap();
}
