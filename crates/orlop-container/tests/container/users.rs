//! User namespaces, with and without privileges.

use orlop_container::{
    ExitStatus, IdMap, Mount, Namespace, ProcessSpec, Rootfs, Runtime, SandboxSpec, Spec, Stdio,
    UserNamespace,
};

use crate::support::{Place, in_root, ordinary, output, part, root_or_skip, rootfs_of, run, sh};

#[test]
fn root_inside_is_somebody_else_outside() {
    if !root_or_skip() {
        return;
    }
    let place = Place::new();
    let map = vec![IdMap { inside: 0, outside: 100_000, count: 65_536 }];
    let user = UserNamespace::New { users: map.clone(), groups: map };
    let mut spec = sh("id -u; id -g; cat /proc/self/uid_map; readlink /proc/self/ns/user; touch /dev/shm/x && stat -c %u /dev/shm/x
        echo x > /dev/null && echo null; touch /sys/fs/cgroup/x; mkdir /sys/fs/cgroup/memory/x; sleep 600");
    spec.namespaces.user = user.clone();
    spec.root = rootfs_of(100_000);
    spec.process.user.groups = vec![7];
    let (mut read, stdout) = crate::support::pipe();
    let stdio = Stdio { stdout, ..Stdio::default() };
    let container = place.runtime.create(&place.id("c"), spec, stdio).expect("created");
    container.start().expect("started");
    let status = std::fs::read_to_string(format!("/proc/{}/status", container.pid())).expect("readable");
    assert!(status.contains("Uid:\t100000\t100000\t100000\t100000"), "{status}");
    let mut out = vec![0; 4096];
    let mut have = 0;
    while !String::from_utf8_lossy(&out[..have]).contains("null\n") {
        have += std::io::Read::read(&mut read, &mut out[have..]).expect("read");
    }
    let out = String::from_utf8_lossy(&out[..have]).into_owned();
    let lines: Vec<_> = out.lines().collect();
    assert_eq!(lines[..2], ["0", "0"], "{out}");
    assert!(lines[2].split_whitespace().eq(["0", "100000", "65536"]), "{out}");
    assert_eq!(lines[4..], ["0", "null"], "{out}");
    let (exit, out) = output(|stdio| {
        let further =
            ProcessSpec::new(["sh", "-c", "id -u; readlink /proc/self/ns/user; kill -0 1 && echo may"]);
        container.exec(&further, stdio).expect("executed")
    });
    assert_eq!(exit.status, ExitStatus::Code(0), "{out}");
    assert_eq!(out, format!("0\n{}\nmay\n", lines[3]));
    container.delete().expect("deleted");

    // A sandbox has it once for all of its containers, which own its network.
    let pod = SandboxSpec { user, ..SandboxSpec::default() };
    let sandbox = place.runtime.sandbox(&place.id("pod"), &pod).expect("made");
    let mut spec = sh("id -u; readlink /proc/self/ns/user; ls /sys/class/net; cat /proc/self/setgroups");
    spec.namespaces = sandbox.namespaces();
    spec.root = rootfs_of(100_000);
    let (exit, out) = run(&place, spec);
    assert_eq!(exit.status, ExitStatus::Code(0), "{out}");
    assert!(out.starts_with("0\nuser:["), "{out}");
    assert!(out.ends_with("\nlo\nallow\n"), "{out}");
    sandbox.delete().expect("deleted");
    place.audit();
}

/// Streams are given to the user that the process is outside, which the caller doesn't know of a namespace that is joined.
#[test]
fn streams_are_given_to_the_user_outside() {
    if !root_or_skip() {
        return;
    }
    let place = Place::new();
    let map = vec![IdMap { inside: 0, outside: 100_000, count: 65_536 }];
    let user = UserNamespace::New { users: map.clone(), groups: map };
    for (uid, owner) in [(0, 100_000), (5, 100_005)] {
        let (read, stdout) = crate::support::pipe();
        let mut spec = sh("echo again > /dev/stdout && sleep 600");
        spec.namespaces.user = user.clone();
        spec.root = rootfs_of(100_000);
        spec.process.user.uid = uid;
        let id = place.id(&format!("c{uid}"));
        let container =
            place.runtime.create(&id, spec, Stdio { stdout, ..Stdio::default() }).expect("created");
        container.start().expect("started");
        assert_eq!(rustix::fs::fstat(&read).expect("a pipe").st_uid, owner);
        let mut line = String::new();
        std::io::BufRead::read_line(&mut std::io::BufReader::new(read), &mut line).expect("read");
        assert_eq!(line, "again\n");
        let (read, stdout) = crate::support::pipe();
        let mut further = ProcessSpec::new(["true"]);
        further.user.uid = uid;
        let further = container.exec(&further, Stdio { stdout, ..Stdio::default() }).expect("executed");
        further.wait().expect("waited");
        assert_eq!(rustix::fs::fstat(&read).expect("a pipe").st_uid, 0);
        container.delete().expect("deleted");
    }
}

#[test]
fn without_its_own_network_the_machines_sysfs_is_read_only() {
    if !root_or_skip() {
        return;
    }
    let place = Place::new();
    let map = vec![IdMap { inside: 0, outside: 100_000, count: 65_536 }];
    let mut spec = sh(
        "touch /sys/x; touch /sys/fs/cgroup/x; mkdir /sys/fs/cgroup/memory/x; grep -c ' /sys ' /proc/mounts",
    );
    spec.namespaces.user = UserNamespace::New { users: map.clone(), groups: map };
    spec.namespaces.network = Namespace::Host;
    spec.root = rootfs_of(100_000);
    let (_, out) = run(&place, spec);
    assert_eq!(
        out.matches("Read-only file system").count() + out.matches("No such file").count(),
        3,
        "{out}"
    );
}

/// An ordinary user makes a container: a copy of this program runs as one.
#[test]
fn no_privileges_are_needed() {
    const NAME: &str = "users::no_privileges_are_needed";
    if let Some((_, dir)) = part() {
        assert!(!rustix::process::geteuid().is_root());
        let runtime = Runtime::open(dir.join("state")).expect("a runtime");
        let id = |id: &str| orlop_container::Id::new(id).expect("valid");
        let spec = |args: &[&str]| -> Spec {
            let mut spec = in_root(Rootfs::directory(dir.join("root")), args);
            spec.namespaces.user = UserNamespace::only_me();
            spec.mounts.push(Mount::tmpfs("/mem", Some(1 << 20)));
            spec.hostname = Some("mine".to_owned());
            spec
        };
        let container = runtime.create(&id("c"), spec(&["sleep", "600"]), Stdio::default()).expect("created");
        container.start().expect("started");
        let script = "id -u; hostname; cat /proc/1/comm; cat /proc/self/setgroups; echo x > /mem/x; echo x > /dev/null
            touch /tmp/mine; touch /sys/fs/cgroup/x || echo refused; grep -E 'Seccomp:|CapInh' /proc/self/status";
        let (exit, out) =
            output(|stdio| container.exec(&ProcessSpec::new(["sh", "-c", script]), stdio).expect("executed"));
        assert_eq!(exit.status, ExitStatus::Code(0), "{out}");
        assert!(out.starts_with("0\nmine\nsleep\ndeny\n"), "{out}");
        assert!(out.contains("refused\n") && out.contains("Seccomp:\t2"), "{out}");
        assert!(dir.join("root/tmp/mine").exists());
        let mut with_groups = spec(&["true"]);
        with_groups.process.user.groups = vec![7];
        runtime.create(&id("d"), with_groups, Stdio::default()).expect_err("cannot be");
        container.delete().expect("deleted");
        let left = std::fs::read_dir(dir.join("state")).expect("there").count();
        assert_eq!(left, 1, "the lock alone");
        println!("\nall well");
        return;
    }
    if !root_or_skip() {
        return;
    }
    let place = Place::new();
    let done = ordinary(&place, NAME, "ordinary").output().expect("it runs");
    let text = String::from_utf8_lossy(&done.stdout).into_owned() + &String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success() && text.contains("all well"), "{text}");
}
