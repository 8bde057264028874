//! Namespaces that several containers share, and what is found after the end of the program that has made them.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::process::Stdio as Pipes;
use std::time::Duration;

use orlop_container::cgroup::{CgroupPath, Resources};
use orlop_container::{CgroupSpec, Error, ExitStatus, ProcessSpec, Runtime, SandboxSpec, Status, Stdio};

use crate::support::{Place, again, output, part, program, root_or_skip, run, sh, until};

#[test]
fn containers_share_its_namespaces() {
    if !root_or_skip() {
        return;
    }
    let place = Place::new();
    let spec = SandboxSpec {
        hostname: Some("pod".to_owned()),
        sysctls: BTreeMap::from([("net.ipv4.ip_default_ttl".to_owned(), "44".to_owned())]),
        ..SandboxSpec::default()
    };
    let sandbox = place.runtime.sandbox(&place.id("pod"), &spec).expect("made");
    assert!(matches!(
        place.runtime.sandbox(&place.id("pod"), &SandboxSpec::default()),
        Err(Error::Exists { .. })
    ));
    assert_eq!(sandbox.init_pid(), None, "no process is needed");
    let inside = || {
        let mut spec = sh(
            "hostname; cat /proc/sys/net/ipv4/ip_default_ttl; for n in net ipc uts pid; do readlink /proc/self/ns/$n; done; echo $$",
        );
        spec.namespaces = sandbox.namespaces();
        run(&place, spec).1
    };
    let (one, two) = (inside(), inside());
    let (one, two): (Vec<_>, Vec<_>) = (one.lines().collect(), two.lines().collect());
    assert_eq!(one[..2], ["pod", "44"], "{one:?}");
    assert_eq!(one[2..5], two[2..5], "network, IPC and host name are shared");
    assert_eq!((one[6], two[6]), ("1", "1"));
    for kind in ["net", "ipc", "uts", "pid"] {
        let own = std::fs::read_link(format!("/proc/self/ns/{kind}")).expect("a link");
        assert!(!one.contains(&own.to_str().expect("plain")), "{kind}");
    }
    let path = sandbox.network_path();
    let pinned = std::fs::metadata(&path).expect("it is mounted");
    assert_eq!(format!("net:[{}]", std::os::unix::fs::MetadataExt::ino(&pinned)), one[2]);
    sandbox.delete().expect("deleted");
    sandbox.delete().expect("a second time does nothing");
    place.audit();
}

#[test]
fn processes_are_shared_on_request() {
    if !root_or_skip() {
        return;
    }
    let place = Place::new();
    let spec = SandboxSpec { shared_pid: true, ..SandboxSpec::default() };
    let sandbox = place.runtime.sandbox(&place.id("pod"), &spec).expect("made");
    let init = sandbox.init_pid().expect("a process");
    assert_eq!(
        std::fs::read_link(format!("/proc/{init}/exe")).expect("a link").to_str().expect("plain"),
        "/memfd:orlop-pause (deleted)",
        "nothing of the caller"
    );
    let mut sleeper = place.limited(program(&["sleep", "600"]), Resources::new().pids(5));
    sleeper.namespaces = sandbox.namespaces();
    let sleeper = place.runtime.create(&place.id("sleeper"), sleeper, Stdio::default()).expect("created");
    sleeper.start().expect("started");
    let mut look = sh(
        "cat /proc/[0-9]*/comm; ls /proc/1/root; echo pid $$; (sleep 0.01 &) ; sleep 0.1; cat /proc/[0-9]*/stat | grep ') Z '",
    );
    look.namespaces = sandbox.namespaces();
    let (_, out) = run(&place, look);
    assert!(out.contains("sleep\n") && !out.contains("pid 1\n"), "{out}");
    for machine in ["etc", "boot", "home"] {
        assert!(!out.lines().any(|line| line == machine), "the machine's files are not to be seen: {out}");
    }
    // What has lost its parent is the first process's, and vanishes when it ends.
    assert!(!out.contains(") Z "), "{out}");
    assert_eq!(sleeper.status().expect("told"), Status::Running);
    // Its first process isn't that of the namespace: its signals work without handlers.
    sleeper.signal(15).expect("sent");
    assert_eq!(sleeper.wait().expect("waited").status, ExitStatus::Signal(15));
    sleeper.delete().expect("deleted");
    sandbox.delete().expect("deleted");
    place.audit();
}

/// Another program makes a container and a sandbox, and is killed. The kernel and the records tell the next one all.
#[test]
fn what_a_killed_program_has_left_is_found() {
    const NAME: &str = "sandboxes::what_a_killed_program_has_left_is_found";
    if let Some((_, dir)) = part() {
        let runtime = Runtime::open(dir.join("state")).expect("a runtime");
        let name = dir.file_name().expect("a name").to_str().expect("plain").to_owned();
        let id = |id: &str| orlop_container::Id::new(id).expect("valid");
        let mut pod = SandboxSpec { shared_pid: true, ..SandboxSpec::default() };
        pod.annotations.insert("pod".to_owned(), "web-0".to_owned());
        let shared = runtime.sandbox(&id("shared"), &pod).expect("made");
        pod.shared_pid = false;
        let sandbox = runtime.sandbox(&id("pod"), &pod).expect("made");
        let limited = |container: &str, args: &[&str]| {
            let mut spec = program(args);
            spec.namespaces = sandbox.namespaces();
            spec.annotations.insert("container".to_owned(), container.to_owned());
            let path = CgroupPath::new(format!("{name}/{container}")).expect("valid");
            spec.cgroup = Some(CgroupSpec { path, resources: Resources::new().pids(10) });
            runtime.create(&id(container), spec, Stdio::default()).expect("created")
        };
        let runs = limited("runs", &["sleep", "600"]);
        runs.start().expect("started");
        let ended = limited("ended", &["true"]);
        ended.start().expect("started");
        ended.wait().expect("waited");
        let waits = limited("waits", &["sleep", "600"]);
        println!("\npids {} {} {}", runs.pid(), waits.pid(), shared.init_pid().expect("a process"));
        loop {
            std::thread::park();
        }
    }
    if !root_or_skip() {
        return;
    }
    let place = Place::new();
    let dir = place.dir.join(&place.name);
    let mut other = again(NAME, "make", &dir).stdout(Pipes::piped()).spawn().expect("started");
    let line = BufReader::new(other.stdout.take().expect("piped"))
        .lines()
        .map(|line| line.expect("readable"))
        .find(|line| line.starts_with("pids "))
        .expect("it has made all");
    let pids: Vec<u32> = line.split(' ').skip(1).map(|pid| pid.parse().expect("a number")).collect();
    let second = Runtime::open(dir.join("state"));
    assert!(matches!(second, Err(Error::Step { operation: "lock", .. })), "in use");
    other.kill().expect("killed");
    other.wait().expect("waited");

    let runtime = Runtime::open(dir.join("state")).expect("a runtime");
    let mut found = runtime.recover().expect("recovered");
    found.removed.sort();
    assert_eq!(found.removed, ["ended", "waits"]);
    let [container] = &found.containers[..] else { panic!("{:?}", found.containers) };
    assert_eq!((container.id().as_str(), container.pid()), ("runs", pids[0]));
    assert_eq!(container.annotations()["container"], "runs");
    assert_eq!(container.status().expect("told"), Status::Running);
    let mut sandboxes: Vec<_> = found.sandboxes.iter().map(|sandbox| sandbox.id().as_str()).collect();
    sandboxes.sort_unstable();
    assert_eq!(sandboxes, ["pod", "shared"]);
    let gone = |pid: u32| !std::path::Path::new(&format!("/proc/{pid}")).exists();
    until("what was never started ends without its caller", || gone(pids[1]));

    // They are as good as new.
    let (exit, out) =
        output(|stdio| container.exec(&ProcessSpec::new(["cat", "/proc/1/comm"]), stdio).expect("executed"));
    assert_eq!((exit.status, out.as_str()), (ExitStatus::Code(0), "sleep\n"));
    assert!(container.stats().expect("told").pids >= 1);
    let pod = found.sandboxes.iter().find(|sandbox| sandbox.id().as_str() == "pod").expect("there");
    assert_eq!(pod.annotations()["pod"], "web-0");
    let mut spec = sh("readlink /proc/self/ns/net");
    spec.namespaces = pod.namespaces();
    let namespace = std::fs::read_link(format!("/proc/{}/ns/net", pids[0])).expect("a link");
    assert_eq!(run(&place, spec).1.trim(), namespace.to_str().expect("plain"));
    container.signal(9).expect("sent");
    let exit = container.wait_for(Duration::from_secs(10)).expect("waited").expect("ended");
    assert!(
        matches!(exit.status, ExitStatus::Signal(9) | ExitStatus::Unknown),
        "what the kernel still tells: {exit:?}"
    );
    container.delete().expect("deleted");
    for sandbox in &found.sandboxes {
        sandbox.delete().expect("deleted");
    }
    until("the first process of the sandbox is gone", || gone(pids[2]));
    let left = std::fs::read_dir(dir.join("state")).expect("there").count();
    assert_eq!(left, 1, "the lock alone");
    place
        .runtime
        .cgroups()
        .expect("cgroups")
        .purge(&CgroupPath::new(&place.name).expect("valid"))
        .expect("purged");
    place.audit();
}
