//! Images and volumes that reach for the machine's files.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use orlop_image::{Builder, Reference};
use orlop_model::core::v1::{Pod, PodPhase};
use orlop_node::{ContainerConfig, PodRuntime, SandboxConfig, VolumeContent, definition};
use rustix::fs::{CWD, RenameFlags};
use serde_json::json;

use super::{World, container, left, possible, programs, waiting};

/// A file of the machine that nobody is to read or to change.
fn treasure(folder: &Path) -> std::path::PathBuf {
    let dir = folder.join("treasure");
    std::fs::create_dir_all(&dir).unwrap();
    std::fs::write(dir.join("gold"), "gold").unwrap();
    dir
}

fn untouched(treasure: &Path) {
    let names: Vec<_> =
        std::fs::read_dir(treasure).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names, ["gold"]);
    assert_eq!(std::fs::read_to_string(treasure.join("gold")).unwrap(), "gold");
}

/// CVE-2019-19921, 2021-30465, 2024-45310, 2025-24965 by way of a pod: where the node mounts or reads files, the image has
/// links that lead out of it.
#[tokio::test(flavor = "multi_thread")]
async fn links_in_images_lead_nowhere() {
    if !possible() {
        return;
    }
    let world = World::new("links").await;
    let treasure = treasure(&world.folder);
    let out = format!("/../../../../../../..{}", treasure.display());
    let base = || programs(Builder::new(), &["sh", "sleep", "cat", "ls"]);
    let build = |builder: Builder, name: &str| {
        builder.build(&world.store, &Reference::parse(name).unwrap()).unwrap();
    };
    // The lists of accounts are the machine's, the files of the pod go into the treasure.
    let evil = base()
        .symlink("/etc/passwd", "/../../../../../../../etc/passwd")
        .symlink("/etc/group", "/proc/self/root/etc/group")
        .symlink("/etc/hosts", format!("{out}/hosts"))
        .symlink("/etc/resolv.conf", format!("{out}/resolv.conf"))
        .symlink("/etc/hostname", format!("{out}/hostname"))
        .symlink("/work", &out)
        .working_dir("/proc/self/fd/7");
    build(evil, "evil:1");
    build(base().symlink("/proc", &out), "no-proc:1");
    build(base().symlink("/dev", &out), "no-dev:1");
    let spec = |image: &str, more: serde_json::Value| {
        let mut container = json!({"name": "c", "image": image, "command": ["/bin/sleep", "1000"]});
        container.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        json!({"containers": [container], "volumes": [{"name": "work", "emptyDir": {}}]})
    };
    let mounts = json!({
        "terminationMessagePath": "/work/message", "workingDir": "/",
        "volumeMounts": [{"name": "work", "mountPath": "/work/deep"}],
    });
    world.create("mounts", spec("evil:1", mounts)).await;
    world
        .create("named", spec("evil:1", json!({"workingDir": "/", "securityContext": {"runAsUser": 1}})))
        .await;
    world.create("inside", spec("evil:1", json!({}))).await;
    world.create("proc", spec("no-proc:1", json!({}))).await;
    world.create("dev", spec("no-dev:1", json!({}))).await;
    // Links of the image lead where they would lead inside of it; where that is nowhere, it is an error.
    for name in ["mounts", "named", "inside", "proc", "dev"] {
        let pod = world
            .when(name, "has tried", |pod| {
                !pod.status.container_statuses.is_empty()
                    && (pod.status.phase == PodPhase::Running
                        || [
                            "CreateContainerError",
                            "CreateContainerConfigError",
                            "RunContainerError",
                            "CrashLoopBackOff",
                        ]
                        .contains(&waiting(pod, "c").as_str()))
            })
            .await;
        let runs = container(&pod, "c").state.running.is_some();
        match name {
            // What the kernel shows must be where it belongs.
            "proc" | "dev" | "inside" => assert!(!runs, "{name} runs"),
            _ => {
                let seen = if runs {
                    world.exec(&pod, "c", "cat /work/gold 2>&1; ls /work; true").await
                } else {
                    String::new()
                };
                assert!(!seen.contains("gold\n") && !seen.starts_with("gold"), "{seen}");
            }
        }
        untouched(&treasure);
    }
    world.delete_all(&["mounts", "named", "inside", "proc", "dev"]).await;
    untouched(&treasure);
    world.end().await;
}

/// CVE-2017-1002101, 2021-25741: a directory of a volume is exchanged with a link to the machine's files while containers
/// mount a path in it.
#[tokio::test(flavor = "multi_thread")]
async fn paths_in_volumes_stay_inside() {
    if !possible() {
        return;
    }
    let world = World::new("paths").await;
    let treasure = treasure(&world.folder);
    let mounts = |path: &str| json!([{"name": "v", "mountPath": "/v", "subPath": path}]);
    let pod = |path: &str| -> Arc<Pod> {
        let container = json!({"name": "c", "image": "tools:1", "command": ["/bin/cat", "/v/gold"], "volumeMounts": mounts(path)});
        Arc::new(
            serde_json::from_value(json!({
                "metadata": {"name": "p", "namespace": "default", "uid": "feed"},
                "spec": {"containers": [container], "volumes": [{"name": "v", "emptyDir": {}}]},
            }))
            .unwrap(),
        )
    };
    let linux = world.linux.clone();
    let volumes = Arc::new([("v".into(), VolumeContent::ByRuntime)].into());
    let first = pod("a/b");
    linux.set_up_volumes(&first, &volumes).await.unwrap();
    let config = SandboxConfig { pod: Arc::clone(&first), attempt: 0 };
    let sandbox = linux.create_sandbox(&config).await.unwrap();
    let image = linux.find_image("tools:1").await.unwrap().unwrap();
    let volume = world.folder.join("node/pods/feed/volumes/kubernetes.io~empty-dir/v");
    let up = "../".repeat(20);
    std::os::unix::fs::symlink(format!("{up}{}", treasure.display()), volume.join("link")).unwrap();
    std::os::unix::fs::symlink(&treasure, volume.join("far")).unwrap();
    std::fs::create_dir(volume.join("a")).unwrap();
    std::os::unix::fs::symlink(treasure.parent().unwrap(), volume.join("other")).unwrap();

    let done = Arc::new(AtomicBool::new(false));
    let (stop, place) = (Arc::clone(&done), volume.clone());
    let exchanger = std::thread::spawn(move || {
        let mut count = 0_u32;
        while !stop.load(Ordering::Relaxed) {
            let (one, other) = (place.join("a"), place.join("other"));
            rustix::fs::renameat_with(CWD, &one, CWD, &other, RenameFlags::EXCHANGE).unwrap();
            count += 1;
        }
        count
    });
    let mut ran = 0;
    for (number, path) in ["link", "far", "far/gold"].into_iter().chain(["a/treasure"; 40]).enumerate() {
        let pod = pod(path);
        let container = &pod.spec.containers[0];
        let config = ContainerConfig {
            sandbox_id: sandbox.id.clone(),
            container: Arc::new(container.clone()),
            restart_count: i32::try_from(number).unwrap(),
            image: image.clone(),
            env: Vec::new(),
            command: container.command.to_vec(),
            args: Vec::new(),
            volumes: Arc::clone(&volumes),
            definition: definition(container),
            pod: Arc::clone(&pod),
        };
        let Ok(id) = linux.create_container(&config).await else { continue };
        if linux.start_container(&id).await.is_ok() {
            ran += 1;
            linux.stop_container(&id, super::LIMIT).await.unwrap();
            let lines = linux.logs(&id, &Default::default()).await.unwrap();
            let text: Vec<_> = futures::StreamExt::collect::<Vec<_>>(lines).await;
            assert!(text.iter().all(|line| line.stderr || line.text != b"gold"), "{path}: {text:?}");
        }
        linux.remove_container(&id).await.unwrap();
    }
    done.store(true, Ordering::Relaxed);
    let exchanged = exchanger.join().unwrap();
    assert!(ran > 0 && exchanged > 100, "{ran} ran, {exchanged} exchanges");
    untouched(&treasure);
    linux.stop_sandbox(&sandbox.id).await.unwrap();
    linux.remove_sandbox(&sandbox.id).await.unwrap();
    linux.remove_pod("feed").await.unwrap();
    untouched(&treasure);
    let left = left(&linux).await;
    assert!(left.iter().all(|left| left.starts_with("cgroup ") || left.starts_with("network ")), "{left:#?}");
    world.end().await;
}
