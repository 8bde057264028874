//! What a container sees and what it may.

use orlop_container::seccomp::{Action, Profile, Rule};
use orlop_container::{
    Capabilities, Capability, CapabilitySet, ExitStatus, Mount, Namespace, ProcessSpec, Rlimit,
    RlimitResource, Seccomp, Stdio, User,
};

use crate::support::{Place, output, program, root_or_skip, run, sh};

#[test]
fn a_process_is_isolated() {
    if !root_or_skip() {
        return;
    }
    let place = Place::new();
    let mut spec = sh(
        "echo pid $$; hostname; pwd; ls /; ls /proc | grep -c '^[0-9]*$'; ls /sys/class/net; cat /proc/1/cgroup",
    );
    spec.hostname = Some("inside".to_owned());
    spec.process.cwd = "/work/dir".into();
    let spec = place.limited(spec, orlop_container::cgroup::Resources::new().pids(20));
    let (exit, out) = run(&place, spec);
    assert_eq!(exit.status, ExitStatus::Code(0), "{out}");
    let lines: Vec<_> = out.lines().collect();
    assert_eq!(lines[..3], ["pid 1", "inside", "/work/dir"], "{out}");
    assert!(["proc", "sys", "dev", "usr", "work"].iter().all(|name| lines.contains(name)), "{out}");
    assert!(!lines.contains(&"etc"), "nothing of the machine: {out}");
    assert!(lines.contains(&"lo") && !out.contains("eth"), "a network of its own: {out}");
    assert!(
        out.contains(":pids:/\n") || out.contains("0::/\n"),
        "its cgroup is the root of what it sees: {out}"
    );
    assert!(!out.contains(&place.name), "{out}");
    place.audit();
}

#[test]
fn the_status_shows_what_was_asked_for() {
    if !root_or_skip() {
        return;
    }
    let place = Place::new();
    let status = |change: &dyn Fn(&mut orlop_container::Spec)| {
        let mut spec =
            program(&["grep", "-E", "Cap|NoNewPrivs|Seccomp:|Groups|Uid|Gid|Umask", "/proc/self/status"]);
        change(&mut spec);
        let (exit, out) = run(&place, spec);
        assert!(exit.status.success(), "{out}");
        let mut all = std::collections::BTreeMap::new();
        for line in out.lines() {
            let (name, value) = line.split_once(':').expect("a line");
            all.insert(name.to_owned(), value.trim().replace('\t', " "));
        }
        all
    };
    let hex = |set: CapabilitySet| format!("{:016x}", set.bits());
    let got = status(&|_| {});
    for set in ["CapBnd", "CapEff", "CapPrm"] {
        assert_eq!(got[set], hex(CapabilitySet::CONTAINER));
    }
    assert_eq!((got["CapInh"].as_str(), got["CapAmb"].as_str()), ("0000000000000000", "0000000000000000"));
    assert_eq!((got["NoNewPrivs"].as_str(), got["Seccomp"].as_str()), ("1", "2"));
    assert_eq!(
        (got["Uid"].as_str(), got["Gid"].as_str(), got["Umask"].as_str()),
        ("0 0 0 0", "0 0 0 0", "0022")
    );
    assert_eq!(got["Groups"], "", "none of the caller's");

    let two = CapabilitySet::from_iter([Capability::NetBindService, Capability::Chown]);
    let got = status(&|spec| {
        spec.process.capabilities = two.into();
        spec.process.no_new_privileges = false;
        spec.process.user.umask = Some(0o077);
    });
    assert_eq!((&got["CapEff"], &got["CapBnd"]), (&hex(two), &hex(two)));
    assert_eq!(
        (got["NoNewPrivs"].as_str(), got["Seccomp"].as_str(), got["Umask"].as_str()),
        ("0", "2", "0077")
    );

    let got = status(&|spec| {
        spec.process.user = User { uid: 1_000, gid: 2_000, groups: vec![3_000, 4_000], umask: None };
        spec.process.seccomp = Seccomp::Unconfined;
    });
    assert_eq!((got["Uid"].as_str(), got["Gid"].as_str()), ("1000 1000 1000 1000", "2000 2000 2000 2000"));
    assert_eq!(got["Groups"], "3000 4000");
    assert_eq!(got["CapEff"], hex(CapabilitySet::EMPTY), "not root");
    assert_eq!(got["CapBnd"], hex(CapabilitySet::CONTAINER));
    assert_eq!(got["Seccomp"], "0");

    let bind = CapabilitySet::EMPTY.with(Capability::NetBindService);
    let got = status(&|spec| {
        spec.process.user.uid = 1_000;
        spec.process.capabilities = Capabilities {
            bounding: bind,
            permitted: bind,
            effective: bind,
            inheritable: bind,
            ambient: bind,
        };
    });
    assert_eq!((&got["CapEff"], &got["CapAmb"]), (&hex(bind), &hex(bind)), "ambient ones stay");

    let all = CapabilitySet::ALL;
    let got = status(&|spec| {
        let held = std::fs::read_to_string("/proc/self/status").expect("readable");
        let bits =
            held.lines().find_map(|line| line.strip_prefix("CapPrm:")).expect("there").trim().to_owned();
        let bits = u64::from_str_radix(&bits, 16).expect("hex");
        spec.process.capabilities = (all & CapabilitySet::from_bits(bits)).into();
        spec.process.seccomp = Seccomp::Unconfined;
        spec.process.no_new_privileges = false;
    });
    assert!(got["CapEff"].starts_with("000001ff"), "privileged: {got:?}");
}

#[test]
fn system_calls_are_filtered() {
    if !root_or_skip() {
        return;
    }
    let place = Place::new();
    let (_, out) = run(&place, sh("unshare -U true; echo $?; unshare -m true; echo $?"));
    assert_eq!(out.matches("Operation not permitted").count(), 2, "{out}");
    let mut spec = sh("mkdir /tmp/a; echo $?");
    let refuse = Rule {
        syscalls: vec!["mkdir".into(), "mkdirat".into()],
        action: Action::Errno(30),
        conditions: vec![],
    };
    spec.process.seccomp = Seccomp::Profile(Profile { default: Action::Allow, rules: vec![refuse] });
    let (_, out) = run(&place, spec);
    assert!(out.contains("Read-only file system"), "{out}");
}

#[test]
fn masked_and_read_only_paths_hold() {
    if !root_or_skip() {
        return;
    }
    let place = Place::new();
    let (_, out) = run(
        &place,
        sh("cat /proc/interrupts /proc/keys | wc -c; ls /sys/firmware | wc -l; ls /proc/acpi | wc -l
            echo 1 > /proc/sys/net/ipv4/ip_forward; touch /sys/x; touch /sys/fs/cgroup/x
            mkdir $(ls -d /sys/fs/cgroup/memory /sys/fs/cgroup 2>/dev/null | tail -1)/x
            echo x > /proc/interrupts && echo gone"),
    );
    let lines: Vec<_> = out.lines().collect();
    assert_eq!(lines[..2], ["0", "0"], "{out}");
    assert_eq!(out.matches("Read-only file system").count(), 4, "{out}");
    assert!(lines.contains(&"gone"), "what covers is the null device: {out}");
    let mut spec = sh("touch /new; touch /tmp/new; echo x > /dev/shm/new && cat /dev/shm/new");
    spec.root.read_only = true;
    let (_, out) = run(&place, spec);
    assert_eq!(out.matches("Read-only file system").count(), 2, "{out}");
    assert!(out.ends_with("x\n"), "{out}");
}

#[test]
fn only_the_devices_that_are_named_can_be_opened() {
    if !root_or_skip() {
        return;
    }
    let place = Place::new();
    let (_, out) = run(
        &place,
        sh("echo x > /dev/null; head -c 2 /dev/zero | wc -c; head -c 2 /dev/urandom | wc -c; ls -l /dev/fd /dev/ptmx
            mknod /tmp/mem c 1 1; head -c 1 /tmp/mem; mknod /dev/mem c 1 1; head -c 1 /dev/mem
            mknod /dev/shm/mem c 1 1; head -c 1 /dev/shm/mem; ls /dev"),
    );
    assert!(out.starts_with("2\n2\n"), "{out}");
    assert!(out.contains("/dev/fd -> /proc/self/fd") && out.contains("/dev/ptmx -> pts/ptmx"), "{out}");
    assert_eq!(out.matches("Permission denied").count(), 3, "{out}");
    for name in
        ["full", "null", "random", "tty", "urandom", "zero", "pts", "shm", "mqueue", "stdin", "stdout"]
    {
        assert!(out.lines().any(|line| line == name), "{name}: {out}");
    }
}

#[test]
fn limits_of_the_process_are_set() {
    if !root_or_skip() {
        return;
    }
    let place = Place::new();
    let mut spec = sh("ulimit -n; ulimit -Hn; ulimit -c; cat /proc/self/oom_score_adj");
    spec.process.rlimits = vec![
        Rlimit { resource: RlimitResource::Nofile, soft: 100, hard: 200 },
        Rlimit { resource: RlimitResource::Core, soft: 0, hard: 0 },
    ];
    spec.process.oom_score_adj = Some(500);
    let (_, out) = run(&place, spec);
    assert_eq!(out, "100\n200\n0\n500\n");
}

/// Neither that of the program which enters, nor that of the container's first process.
#[test]
fn further_processes_are_killed_as_willingly_as_asked_for() {
    if !root_or_skip() {
        return;
    }
    let place = Place::new();
    let container =
        place.runtime.create(&place.id("c"), program(&["sleep", "600"]), Stdio::default()).expect("created");
    container.start().expect("started");
    let mut further = ProcessSpec::new(["cat", "/proc/self/oom_score_adj"]);
    further.oom_score_adj = Some(700);
    let (_, out) = output(|stdio| container.exec(&further, stdio).expect("executed"));
    assert_eq!(out, "700\n");
    container.delete().expect("deleted");
}

/// Whatever mask the caller has, everybody in the container reaches what is mounted.
#[test]
fn mount_points_are_made_for_everybody() {
    if !root_or_skip() {
        return;
    }
    let place = Place::new();
    let volume = place.dir.join("volume");
    std::fs::create_dir_all(&volume).expect("a directory");
    let made = std::thread::scope(|scope| {
        let made = scope.spawn(|| {
            #[expect(
                deprecated,
                reason = "the safe one does not take FS apart; the thread is this test's own"
            )]
            rustix::thread::unshare(rustix::thread::UnshareFlags::FS).expect("a mask of its own");
            rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o077));
            let mut spec = sh("stat -c %a /run /run/secrets /etc; ls /run/secrets/token");
            spec.process.user.uid = 1_000;
            spec.mounts.push(Mount::bind(&volume, "/run/secrets/token"));
            spec.mounts.push(Mount::bind("/etc/passwd", "/etc/passwd"));
            run(&place, spec)
        });
        made.join().expect("no panic")
    });
    assert_eq!(made.1, "755\n755\n755\n");
}

#[test]
fn kernel_parameters_are_its_own() {
    if !root_or_skip() {
        return;
    }
    let place = Place::new();
    let before = std::fs::read_to_string("/proc/sys/net/ipv4/ip_default_ttl").expect("readable");
    let mut spec =
        sh("cat /proc/sys/net/ipv4/ip_default_ttl /proc/sys/kernel/shmmax /proc/sys/fs/mqueue/msg_max");
    for (name, value) in
        [("net.ipv4.ip_default_ttl", "33"), ("kernel.shmmax", "65536"), ("fs.mqueue.msg_max", "7")]
    {
        spec.sysctls.insert(name.to_owned(), value.to_owned());
    }
    let (_, out) = run(&place, spec);
    assert_eq!(out, "33\n65536\n7\n");
    assert_eq!(std::fs::read_to_string("/proc/sys/net/ipv4/ip_default_ttl").expect("readable"), before);
}

#[test]
fn mounts_are_as_asked_for() {
    if !root_or_skip() {
        return;
    }
    let place = Place::new();
    let volume = place.dir.join("volume");
    std::fs::create_dir_all(volume.join("sub")).expect("a directory");
    std::fs::write(volume.join("file"), "content").expect("a file");
    let mut spec = sh("cat /v/file /etc/one; echo new > /v/new; echo x > /ro/new; df -B1 --output=size /mem | tail -1
        stat -c %a /proc /sys /dev /dev/shm /dev/pts /mem /tmp; grep -E ' /(v|ro|etc/one|mem|dev/shm) ' /proc/mounts");
    spec.mounts.extend([
        Mount::bind(&volume, "/v"),
        Mount::bind(&volume, "/ro").read_only(),
        Mount::bind(volume.join("file"), "/etc/one"),
        Mount::tmpfs("/mem", Some(1 << 20)),
    ]);
    let (_, out) = run(&place, spec);
    assert!(out.starts_with("contentcontent"), "{out}");
    assert!(out.contains("/ro/new: Read-only file system"), "{out}");
    assert!(out.contains("1048576\n555\n555\n755\n1777\n755\n1777\n1777\n"), "sizes and modes: {out}");
    assert_eq!(std::fs::read_to_string(volume.join("new")).expect("written"), "new\n");
    let line = |at: &str| out.lines().find(|line| line.contains(&format!(" {at} "))).expect(at).to_owned();
    assert!(line("/v").contains(" rw,nodev,"), "{out}");
    assert!(line("/ro").contains(" ro,nodev,"), "{out}");
    assert!(line("/dev/shm").contains(" rw,nosuid,nodev,noexec,"), "{out}");
}

#[test]
fn the_machines_namespaces_can_be_kept() {
    if !root_or_skip() {
        return;
    }
    let place = Place::new();
    let own = |kind: &str| std::fs::read_link(format!("/proc/self/ns/{kind}")).expect("a link");
    let mut spec = sh("for n in pid net ipc uts mnt cgroup; do readlink /proc/self/ns/$n; done");
    spec.namespaces.pid = Namespace::Host;
    spec.namespaces.network = Namespace::Host;
    spec.namespaces.uts = Namespace::Host;
    let (_, out) = run(&place, spec);
    let lines: Vec<_> = out.lines().collect();
    for (at, kind, same) in [
        (0, "pid", true),
        (1, "net", true),
        (2, "ipc", false),
        (3, "uts", true),
        (4, "mnt", false),
        (5, "cgroup", false),
    ] {
        assert_eq!(lines[at] == own(kind).to_str().expect("plain"), same, "{kind}: {out}");
    }
}
