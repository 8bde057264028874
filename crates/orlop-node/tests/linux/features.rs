//! What pods may ask for, each as a user sees it.

use std::net::{TcpStream, UdpSocket};
use std::time::{Duration, Instant};

use futures::StreamExt as _;
use orlop_client::Api;
use orlop_image::{Builder, Reference};
use orlop_model::core::v1::{ConfigMap, Pod, PodPhase, ResourceRequirements, Secret};
use orlop_node::linux::LogLimits;
use orlop_node::{LogOptions, PodRuntime, Recover};
use serde_json::{Value, json};
use tokio::time::{sleep, timeout};

use super::{LIMIT, World, build_test, container, left, possible, programs, waiting};

/// A container of this name that runs a script.
fn sh(name: &str, script: &str) -> Value {
    json!({"name": name, "image": "tools:1", "command": ["/bin/sh", "-c", script]})
}

/// A container that does nothing.
fn idle(name: &str) -> Value {
    json!({"name": name, "image": "tools:1", "command": ["/bin/sleep", "1000"]})
}

/// With more in it.
fn with(mut object: Value, more: Value) -> Value {
    object.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    object
}

/// Waits until a command in a container says this.
async fn says(world: &World, pod: &Pod, script: &str, wanted: &str) {
    let begin = Instant::now();
    loop {
        let told = world.exec(pod, "c", script).await;
        if told == wanted {
            return;
        }
        assert!(begin.elapsed() < LIMIT, "{script} says {told:?}, not {wanted:?}");
        sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn namespaces_are_shared_on_request() {
    if !possible() {
        return;
    }
    let world = World::new("shared").await;
    let kinds = "for kind in net ipc uts pid; do readlink /proc/self/ns/$kind; done";
    world
        .create("share", json!({"shareProcessNamespace": true, "containers": [idle("c"), idle("other")]}))
        .await;
    world
        .create(
            "host",
            json!({"hostNetwork": true, "hostPID": true, "hostIPC": true, "containers": [idle("c")]}),
        )
        .await;
    world.create("own", json!({"containers": [idle("c")]})).await;
    let (share, host, own) =
        (world.ready("share").await, world.ready("host").await, world.ready("own").await);

    let sleeping = "for pid in /proc/[0-9]*; do read name < $pid/comm; echo $name; done 2>/dev/null | cat";
    let count = |text: &str| text.lines().filter(|name| *name == "sleep").count();
    assert_eq!(count(&world.exec(&share, "c", sleeping).await), 2);
    assert_eq!(count(&world.exec(&own, "c", sleeping).await), 1);

    let ours: Vec<String> = ["net", "ipc", "uts", "pid"]
        .map(|kind| std::fs::read_link(format!("/proc/self/ns/{kind}")).unwrap().display().to_string())
        .into();
    let told = |text: String| text.lines().map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(told(world.exec(&host, "c", kinds).await), ours);
    assert!(told(world.exec(&own, "c", kinds).await).iter().all(|kind| !ours.contains(kind)));
    assert_eq!(host.status.pod_ip, host.status.host_ip);
    world.delete_all(&["share", "host", "own"]).await;
    world.end().await;
}

/// An address of this machine by which others reach it.
fn own_address() -> Option<std::net::IpAddr> {
    let socket = UdpSocket::bind("0.0.0.0:0").ok()?;
    // Nothing is sent; the kernel only looks for the way.
    socket.connect("192.0.2.1:9").ok()?;
    Some(socket.local_addr().ok()?.ip())
}

/// The kinds of probes that the story of a pod does not show, and a port of the node.
#[tokio::test(flavor = "multi_thread")]
async fn ports_and_probes() {
    if !possible() {
        return;
    }
    let world = World::new("ports").await;
    build_test(&world.store);
    let port = 30_000 + (std::process::id() % 10_000) as u16;
    let served = |kind: &str| json!({"name": "c", "image": "test:1", "env": [{"name": "ORLOP_PAYLOAD", "value": kind}]});
    let web = with(
        served("serve"),
        json!({
            "ports": [{"name": "web", "containerPort": 8080, "hostPort": port}],
            "readinessProbe": {"httpGet": {"port": "web", "path": "/"}, "periodSeconds": 1},
            "lifecycle": {"preStop": {"httpGet": {"port": 8080}}},
        }),
    );
    world.create("web", json!({"containers": [web]})).await;
    let health = with(
        served("grpc"),
        json!({"readinessProbe": {"grpc": {"port": 9090, "service": "ready"}, "periodSeconds": 1}}),
    );
    world.create("health", json!({"containers": [health]})).await;
    let refuses = with(
        served("grpc"),
        json!({"readinessProbe": {"grpc": {"port": 9090, "service": "other"}, "periodSeconds": 1}}),
    );
    world.create("refuses", json!({"containers": [refuses]})).await;
    let deaf = with(
        idle("c"),
        json!({"livenessProbe": {"tcpSocket": {"port": 81}, "periodSeconds": 1, "failureThreshold": 1}}),
    );
    world.create("deaf", json!({"terminationGracePeriodSeconds": 1, "containers": [deaf]})).await;

    let web = world.ready("web").await;
    world.ready("health").await;
    let gateway = format!("{}.1", web.status.pod_ip.rsplit_once('.').unwrap().0).parse().unwrap();
    let hosts = [Some(gateway), own_address(), Some("127.0.0.1".parse().unwrap())];
    let reach = |ip: std::net::IpAddr| {
        let (ip, port) = (ip, port);
        tokio::task::spawn_blocking(move || {
            TcpStream::connect_timeout(&(ip, port).into(), Duration::from_secs(5))
        })
    };
    for ip in hosts.into_iter().flatten() {
        let reached = reach(ip).await.unwrap();
        assert!(reached.is_ok(), "{ip}:{port} leads to the pod: {reached:?}");
    }
    world
        .when("deaf", "was restarted", |pod| {
            !pod.status.container_statuses.is_empty() && container(pod, "c").restart_count > 0
        })
        .await;
    let told = world.events("deaf").await;
    assert!(
        told.iter().any(|event| event.starts_with("Unhealthy Liveness probe failed: dial tcp")),
        "{told:#?}"
    );
    let told = async {
        let wanted = "Unhealthy Readiness probe failed: service unhealthy (responded with \"NOT_SERVING\")";
        while !world.events("refuses").await.iter().any(|event| event == wanted) {}
    };
    timeout(LIMIT, told).await.unwrap();
    world.delete_all(&["web", "health", "refuses", "deaf"]).await;
    assert!(reach(gateway).await.unwrap().is_err(), "the port leads nowhere any more");
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn volumes_follow_their_objects() {
    if !possible() {
        return;
    }
    let world = World::new("follow").await;
    let map = |version: &str| json!({"metadata": {"name": "cfg"}, "data": {"a": version, "b": version}});
    let secret = |text: &str| json!({"metadata": {"name": "key"}, "stringData": {"word": text}});
    world.make::<ConfigMap>(map("1")).await;
    world.make::<Secret>(secret("old")).await;
    // Two files of one version are the same, whatever happens between reading one and the other.
    let reader = "while :; do dir=$(readlink /cfg/..data); a=$(cat /cfg/$dir/a 2>/dev/null); b=$(cat /cfg/$dir/b 2>/dev/null); \
        if [ -n \"$a\" ] && [ -n \"$b\" ] && [ \"$a\" != \"$b\" ]; then echo torn $a $b; fi; done";
    let projected = json!({"name": "all", "projected": {"sources": [
        {"configMap": {"name": "cfg", "items": [{"key": "a", "path": "deep/a"}]}},
        {"secret": {"name": "key"}},
        {"downwardAPI": {"items": [{"path": "labels", "fieldRef": {"fieldPath": "metadata.labels"}}]}},
    ]}});
    let downward = json!({"name": "down", "downwardAPI": {"items": [
        {"path": "notes", "fieldRef": {"fieldPath": "metadata.annotations['note']"}},
        {"path": "cpu", "resourceFieldRef": {"containerName": "c", "resource": "limits.cpu", "divisor": "1m"}},
    ]}});
    let main = with(
        sh("c", reader),
        json!({
            "volumeMounts": [
                {"name": "cfg", "mountPath": "/cfg"}, {"name": "all", "mountPath": "/all"},
                {"name": "down", "mountPath": "/down"}, {"name": "cfg", "mountPath": "/fixed", "subPath": "a"},
                {"name": "work", "mountPath": "/data/$(WHO)", "subPathExpr": "of-$(WHO)"},
                {"name": "parts", "mountPath": "/parts"}, {"name": "parts", "mountPath": "/it", "subPath": "part/of"},
            ],
            "resources": {"limits": {"cpu": "250m"}},
            "env": [
                {"name": "WHO", "value": "me"},
                {"name": "FILE", "valueFrom": {"fileKeyRef": {"volumeName": "work", "path": "vars.env", "key": "GREETING"}}},
            ],
            "envFrom": [{"prefix": "CFG_", "configMapRef": {"name": "cfg"}}, {"secretRef": {"name": "key"}}],
        }),
    );
    let parts = programs(Builder::new(), &["ls"]).file("/part/of/it", "of an image\n", 0o644);
    parts.build(&world.store, &Reference::parse("parts:1").unwrap()).unwrap();
    let prepare = with(
        sh("prepare", "echo \"GREETING='hello there'\" > /work/vars.env"),
        json!({"volumeMounts": [{"name": "work", "mountPath": "/work"}]}),
    );
    world
        .create("p", json!({
            "initContainers": [prepare], "containers": [main],
            "volumes": [{"name": "cfg", "configMap": {"name": "cfg"}}, projected, downward, {"name": "work", "emptyDir": {}},
                {"name": "parts", "image": {"reference": "parts:1", "pullPolicy": "IfNotPresent"}}],
        }))
        .await;
    let pod = world.ready("p").await;
    let all = "cat /cfg/a /all/deep/a /all/word /fixed /down/cpu; echo; cat /down/notes /all/labels";
    assert_eq!(world.exec(&pod, "c", all).await, "11old1250\napp=\"p\"");
    let told = world.exec(&pod, "c", "echo $FILE $CFG_a $word; echo x > '/data/$(WHO)/y'; ls /data").await;
    assert_eq!(told, "hello there 1 old\n$(WHO)\n");
    let image = "cat /parts/part/of/it /it/it; (echo x > /parts/new) 2>/dev/null || echo read-only; /parts/bin/ls 2>/dev/null || echo no-exec";
    assert_eq!(world.exec(&pod, "c", image).await, "of an image\nof an image\nread-only\nno-exec\n");

    for version in 2..6 {
        let maps = Api::<ConfigMap>::namespaced(world.client.clone(), "default");
        let data = json!({"data": map(&version.to_string())["data"].clone()});
        maps.patch_merge("cfg", data).await.unwrap();
        says(&world, &pod, "cat /cfg/b", &version.to_string()).await;
    }
    Api::<Secret>::namespaced(world.client.clone(), "default")
        .patch_merge("key", json!({"data": {"word": "bmV3"}}))
        .await
        .unwrap();
    world
        .pods()
        .patch_merge("p", json!({"metadata": {"annotations": {"note": "seen"}, "labels": {"tier": "x"}}}))
        .await
        .unwrap();
    says(&world, &pod, all, "55new1250\nseenapp=\"p\"\ntier=\"x\"").await;
    assert_eq!(world.logs(&pod, "c").await, Vec::<String>::new());
    world.delete("p").await;
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn limits_hold_and_change() {
    if !possible() {
        return;
    }
    let world = World::with("limits", |config| {
        config.pod_pids_limit = Some(12);
        config.log = LogLimits { size: 20_000, files: 3 };
    })
    .await;
    // Processes, and a log that becomes too large.
    let forks = "for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16; do sleep 100 & done";
    world.create("forks", json!({"restartPolicy": "Never", "containers": [sh("c", forks)]})).await;
    let writes = "i=0; while [ $i -lt 3000 ]; do echo line number $i of many; i=$((i + 1)); \
        if [ $((i % 500)) -eq 0 ]; then sleep 1.1; fi; done; sleep 1000";
    world.create("writes", json!({"containers": [sh("c", writes)]})).await;
    let limits = |cpu: &str, memory: &str| json!({"limits": {"cpu": cpu, "memory": memory}});
    let busy = with(sh("c", "while :; do :; done"), json!({"resources": limits("100m", "32Mi")}));
    world.create("busy", json!({"containers": [busy]})).await;
    let busy = world.ready("busy").await;

    let id = world.id(&busy, "c").await;
    let used = || async {
        let stats = world.linux.stats(&busy.metadata.uid).await.unwrap();
        stats.iter().find(|stats| stats.name == *"c").unwrap().cpu
    };
    // Of a processor, by what the kernel has counted.
    let share = || async {
        let (before, begin) = (used().await, Instant::now());
        sleep(Duration::from_secs(1)).await;
        (used().await - before).as_secs_f64() / begin.elapsed().as_secs_f64()
    };
    let tenth = share().await;
    assert!(tenth < 0.16, "{tenth} of a processor with a limit of 0.1");
    // The pod's own limits are those of its only container: they go along.
    let resize = |cpu: &str, memory: &str| {
        serde_json::from_value::<ResourceRequirements>(limits(cpu, memory)).unwrap()
    };
    world.linux.resize_container(&id, &resize("400m", "300Mi")).await.unwrap();
    let more = share().await;
    assert!(more > 0.16 && more < 0.55, "{more} of a processor with a limit of 0.4");
    let eats = "dd if=/dev/zero of=/dev/null bs=100M count=1 2>/dev/null && echo fits";
    assert_eq!(world.exec(&busy, "c", eats).await, "fits\n");
    world.linux.resize_container(&id, &resize("50m", "32Mi")).await.unwrap();
    let less = share().await;
    assert!(less < 0.1, "{less} of a processor with a limit of 0.05");

    let pod = world.phase("forks", PodPhase::Failed).await;
    let lines = world.logs(&pod, "c").await;
    assert!(lines.iter().any(|line| line.to_lowercase().contains("fork")), "{lines:?}");
    let pod = world.ready("writes").await;
    let rotated = async {
        loop {
            let told = world.logs(&pod, "c").await;
            if told.last().is_some_and(|line| line == "line number 2999 of many") {
                return told;
            }
            sleep(Duration::from_millis(100)).await;
        }
    };
    let told = timeout(LIMIT, rotated).await.unwrap();
    assert!(told.len() < 3000, "what was put away is not in the newest file");
    let folder =
        world.folder.join("node/logs").join(format!("default_writes_{}", pod.metadata.uid)).join("c");
    // What was put away is compressed, and removed, in its own time.
    let tidied = async {
        loop {
            let entries = std::fs::read_dir(&folder).unwrap();
            let mut files: Vec<String> =
                entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
            files.sort();
            if files.len() == 3 && files[1].ends_with(".gz") {
                return files;
            }
            sleep(Duration::from_millis(20)).await;
        }
    };
    let files = timeout(LIMIT, tidied).await.unwrap();
    assert_eq!(files[0], "0.log", "{files:?}");
    world.delete_all(&["forks", "writes", "busy"]).await;
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rights_are_as_asked() {
    if !possible() {
        return;
    }
    let world = World::new("rights").await;
    let profiles = world.folder.join("node/seccomp");
    std::fs::create_dir_all(&profiles).unwrap();
    let profile = json!({"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [
        {"names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_ERRNO", "errnoRet": 122},
    ]});
    std::fs::write(profiles.join("no-mkdir.json"), profile.to_string()).unwrap();
    std::fs::write(profiles.join("broken.json"), "{").unwrap();
    let under = |file: &str| {
        let context = json!({"seccompProfile": {"type": "Localhost", "localhostProfile": file}});
        json!({"containers": [with(idle("c"), json!({"securityContext": context}))]})
    };
    world.create("under", under("no-mkdir.json")).await;
    world
        .create(
            "all",
            json!({"containers": [with(idle("c"), json!({"securityContext": {"privileged": true}}))]}),
        )
        .await;
    let context = json!({
        "runAsUser": 101, "runAsGroup": 77, "runAsNonRoot": true, "allowPrivilegeEscalation": false,
        "capabilities": {"drop": ["ALL"], "add": ["NET_BIND_SERVICE"]},
    });
    world
        .create(
            "few",
            json!({
                "securityContext": {"supplementalGroups": [5], "fsGroup": 6},
                "containers": [with(idle("c"), json!({"securityContext": context}))],
            }),
        )
        .await;

    let under_pod = world.ready("under").await;
    let told = world.exec(&under_pod, "c", "mkdir /tmp/x || cat /proc/self/status").await;
    // 122 is what a quota that is used up gives.
    assert!(told.contains("quota") && told.contains("Seccomp:\t2"), "{told}");
    let pod = world.ready("all").await;
    let ours = std::fs::read_to_string("/proc/self/status").unwrap();
    let all = ours.lines().find(|line| line.starts_with("CapEff:")).unwrap();
    let status = world.exec(&pod, "c", "cat /proc/self/status").await;
    assert!(status.contains(all) && status.contains("Seccomp:\t0"), "{status}");
    let devices = std::fs::read_dir("/dev").unwrap().filter(|entry| {
        use std::os::unix::fs::FileTypeExt as _;
        entry.as_ref().unwrap().file_type().unwrap().is_char_device()
    });
    let inside = world.exec(&pod, "c", "ls /dev").await;
    let missing: Vec<String> = devices
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name != "console" && !inside.lines().any(|known| known == name))
        .collect();
    assert_eq!(missing, Vec::<String>::new());
    let pod = world.ready("few").await;
    assert_eq!(world.exec(&pod, "c", "id -u; id -g; id -G").await, "101\n77\n77 5 6 500\n");
    let status = world.exec(&pod, "c", "cat /proc/1/status").await;
    for line in ["CapBnd:\t0000000000000400", "CapEff:\t0000000000000000", "NoNewPrivs:\t1", "Seccomp:\t2"] {
        assert!(status.contains(line), "{line} in {status}");
    }

    let armored =
        json!({"securityContext": {"appArmorProfile": {"type": "Localhost", "localhostProfile": "x"}}});
    let wrong = [
        ("missing", under("none.json"), "CreateContainerError", "cannot load seccomp profile"),
        ("outside", under("../../images"), "CreateContainerError", "cannot load seccomp profile"),
        ("broken", under("broken.json"), "CreateContainerError", "EOF while parsing"),
        (
            "armored",
            json!({"containers": [with(idle("c"), armored)]}),
            "CreateContainerConfigError",
            "Cannot enforce AppArmor",
        ),
        (
            "no-image",
            json!({
                "containers": [with(idle("c"), json!({"volumeMounts": [{"name": "v", "mountPath": "/v"}]}))],
                "volumes": [{"name": "v", "image": {"reference": "nothing:1", "pullPolicy": "Never"}}],
            }),
            "ErrImageNeverPull",
            "nothing:1",
        ),
        (
            "nobody",
            json!({"containers": [with(idle("c"), json!({"securityContext": {"capabilities": {"add": ["NOPE"]}}}))]}),
            "CreateContainerError",
            "NOPE",
        ),
    ];
    for (name, spec, _, _) in &wrong {
        // The API server itself refuses what leads out of the folder.
        if *name != "outside" {
            world.create(name, spec.clone()).await;
        }
    }
    for (name, _, reason, text) in wrong.iter().filter(|(name, ..)| *name != "outside") {
        let pod = world
            .when(name, reason, |pod| {
                !pod.status.container_statuses.is_empty() && waiting(pod, "c") == *reason
            })
            .await;
        let message = container(&pod, "c").state.waiting.as_ref().unwrap().message.clone();
        assert!(message.contains(text), "{name}: {message}");
        let events = world.events(name).await;
        let said = |event: &String| {
            let known = event.starts_with("Failed Error: ") || event.starts_with("ErrImageNeverPull ");
            known && event.contains(text)
        };
        assert!(events.iter().any(said), "{events:#?}");
        world.delete(name).await;
    }
    world.create("users", json!({"hostUsers": false, "containers": [idle("c")]})).await;
    let wanted = "FailedCreatePodSandBox Failed to create pod sandbox: a user namespace of a pod is not supported by this runtime";
    let told = async { while !world.events("users").await.iter().any(|event| event == wanted) {} };
    timeout(LIMIT, told).await.unwrap();
    world.delete_all(&["under", "all", "few", "users"]).await;
    world.end().await;
}

/// An agent that begins anew with a runtime that has gone on.
#[tokio::test(flavor = "multi_thread")]
async fn another_agent_goes_on() {
    if !possible() {
        return;
    }
    let mut world = World::with("again", |config| {
        // The folder is named by way of a link.
        let (real, link) = (config.root.with_file_name("real"), config.root.clone());
        std::fs::create_dir_all(&real).unwrap();
        std::os::unix::fs::symlink(&real, &link).unwrap();
        config.root = link;
    })
    .await;
    let counts = "i=0; while :; do i=$((i + 1)); echo $i; sleep 0.02; done";
    let spec = with(sh("c", counts), json!({"volumeMounts": [{"name": "mem", "mountPath": "/mem"}]}));
    world
        .create(
            "p",
            json!({"containers": [spec], "volumes": [{"name": "mem", "emptyDir": {"medium": "Memory"}}]}),
        )
        .await;
    let pod = world.ready("p").await;
    let id = world.id(&pod, "c").await;
    world.agent_stop.cancel();
    while world.agents.join_next().await.is_some() {}
    world.agent(Recover::Adopt);
    let pod = world.ready("p").await;
    assert_eq!((container(&pod, "c").restart_count, world.id(&pod, "c").await), (0, id.clone()));
    let options = LogOptions { follow: true, ..LogOptions::default() };
    let lines = world.linux.logs(&id, &options).await.unwrap().take(60);
    let lines: Vec<String> = lines.map(|line| String::from_utf8(line.text).unwrap()).collect().await;
    let wanted: Vec<String> = (1..=60).map(|number| number.to_string()).collect();
    assert_eq!(lines, wanted, "each line once and in order");
    let seen = world.linux.view(&pod.metadata.uid).await.unwrap();
    assert_eq!((seen.sandboxes.len(), seen.containers.len()), (1, 1));
    world.delete("p").await;
    let left = left(&world.linux).await;
    assert!(left.iter().all(|left| left.starts_with("cgroup ") || left.starts_with("network ")), "{left:#?}");
    world.end().await;
}
