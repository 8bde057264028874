//! The tests. Each plays its parts itself.

use std::io::{BufRead, BufReader};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio as CommandStdio};

use orlop_container::cgroup::{Base, NoCgroups};
use orlop_container::rootless::{self, Side, Unavailable};
use orlop_container::{
    Error, Id, Ids, Mount, Namespace, ProcessSpec, Rootfs, Runtime, SandboxSpec, Spec, Stdio,
};

use crate::support::{Place, in_root, needs, ordinary, output, part, root_or_skip, until};

/// Goes inside; the process outside ends with the code of the one inside.
fn inside() {
    match rootless::enter().expect("namespaces of one's own") {
        Side::Outside(keeper) => std::process::exit(keeper.wait().into()),
        Side::Inside => {}
        Side::Privileged => panic!("an ordinary user has no privileges"),
    }
    assert!(rustix::process::geteuid().is_root());
    assert!(
        std::env::vars().all(|(name, _)| name != "ORLOP_ROOTLESS"),
        "programs that it runs are not inside"
    );
    assert!(matches!(rootless::enter(), Ok(Side::Privileged)), "it is root now");
}

fn text(done: &std::process::Output) -> String {
    String::from_utf8_lossy(&done.stdout).into_owned() + &String::from_utf8_lossy(&done.stderr)
}

/// Processes that play a part at a place.
fn players(place: &Path) -> Vec<u32> {
    let mark = format!("ORLOP_TEST_PLACE={}", place.display());
    let plays = |pid: &u32| {
        let environment = std::fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
        environment.split(|byte| *byte == 0).any(|variable| variable == mark.as_bytes())
    };
    let all = std::fs::read_dir("/proc").expect("readable").filter_map(Result::ok);
    all.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).filter(plays).collect()
}

fn sandboxed(dir: &Path, runtime: &Runtime) {
    let id = |id: &str| Id::new(id).expect("valid");
    let spec = |args: &[&str]| -> Spec { in_root(Rootfs::directory(dir.join("root")), args) };
    for shared_pid in [false, true] {
        let pod = SandboxSpec {
            shared_pid,
            hostname: Some("mine".to_owned()),
            sysctls: [("net.ipv4.ip_unprivileged_port_start".to_owned(), "80".to_owned())].into(),
            ..SandboxSpec::default()
        };
        let sandbox = runtime.sandbox(&id("pod"), &pod).expect("made");
        let mut first = spec(&["sleep", "600"]);
        first.namespaces = sandbox.namespaces();
        let container = runtime.create(&id("c"), first, Stdio::default()).expect("created");
        container.start().expect("started");
        let script = "id -u; hostname; ls /sys/class/net; echo x > /dev/null; dd if=/dev/zero of=/dev/full bs=1 count=1
            cat /proc/sys/net/ipv4/ip_unprivileged_port_start; touch /tmp/mine && stat -c %u /tmp/mine
            echo x > /proc/sys/kernel/hostname; grep -E 'Seccomp:' /proc/self/status; ls /dev/pts; tty";
        let further = ProcessSpec::new(["sh", "-c", script]);
        let (_, out) = output(|stdio| container.exec(&further, stdio).expect("executed"));
        assert!(out.starts_with("0\nmine\nlo\n"), "{out}");
        assert!(out.contains("No space left on device\n") && out.contains("\n80\n0\n"), "{out}");
        assert!(out.contains("Read-only file system\n"), "{out}");
        assert!(out.contains("Seccomp:\t2\nptmx\nnot a tty\n"), "{out}");
        assert!(matches!(container.stats(), Err(Error::NoController { .. })), "typed, not zeroes");
        container.delete().expect("deleted");
        sandbox.delete().expect("deleted");
    }
    // Whoever shares the network of the program sees the machine's files of devices, but cannot change them.
    let mut host = spec(&["sh", "-c", "ls /sys/class/net; touch /sys/x || echo refused"]);
    host.namespaces.network = Namespace::Host;
    let (read, stdout) = crate::support::pipe();
    let stdio = Stdio { stdout, ..Stdio::default() };
    let container = runtime.create(&id("h"), host, stdio).expect("created");
    container.start().expect("started");
    assert_eq!(std::io::read_to_string(read).expect("read"), "lo\nrefused\n");
    container.delete().expect("deleted");
}

pub(crate) fn whoever_is_root_stays_it() {
    if root_or_skip() {
        assert!(matches!(rootless::enter(), Ok(Side::Privileged)));
    }
}

pub(crate) fn an_ordinary_user_has_a_runtime() {
    const NAME: &str = "an_ordinary_user_has_a_runtime";
    if let Some((_, dir)) = part() {
        inside();
        let ids = Ids::own().expect("readable");
        assert_eq!(
            (ids.users(), ids.outside(0), ids.sets_groups()),
            (1, Some(crate::support::ORDINARY), false)
        );
        assert_eq!(std::fs::read_link("/proc/self").expect("of its own namespace"), Path::new("2"));
        let listener = std::net::TcpListener::bind("127.0.0.1:80").expect("a loopback link, and any port");
        std::net::TcpStream::connect(listener.local_addr().expect("bound")).expect("reachable");

        let runtime = Runtime::open_with(dir.join("state"), Base::Permitted).expect("a runtime");
        assert!(matches!(runtime.no_cgroups(), Some(NoCgroups::Denied { .. })), "{:?}", runtime.no_cgroups());
        sandboxed(&dir, &runtime);

        let refused = |change: fn(&mut Spec)| {
            let mut spec = in_root(Rootfs::directory(dir.join("root")), &["true"]);
            change(&mut spec);
            runtime.create(&Id::new("r").expect("valid"), spec, Stdio::default()).expect_err("cannot be")
        };
        let error = refused(|spec| spec.process.user.uid = 7);
        assert!(matches!(error, Error::User { .. }), "{error}");
        let error = refused(|spec| spec.process.user.gid = 7);
        assert!(matches!(error, Error::User { .. }), "{error}");
        let error = refused(|spec| spec.process.user.groups = vec![0]);
        assert!(matches!(error, Error::Spec { .. }), "{error}");
        let error = refused(|spec| {
            let path = orlop_container::cgroup::CgroupPath::new("/x").expect("valid");
            let resources = orlop_container::cgroup::Resources::new();
            spec.cgroup = Some(orlop_container::CgroupSpec { path, resources });
        });
        assert!(matches!(error, Error::NoCgroups(_)), "{error}");

        let left = std::fs::read_dir(dir.join("state")).expect("there").count();
        assert_eq!(left, 1, "the lock alone");
        println!("\nall well");
        std::process::exit(7);
    }
    if !root_or_skip() {
        return;
    }
    let place = Place::new();
    let done = ordinary(&place, NAME, "inside").output().expect("it runs");
    let text = text(&done);
    assert!(done.status.code() == Some(7) && text.contains("all well"), "{}: {text}", done.status);
    assert_eq!(players(&place.dir.join("inside")), [0_u32; 0]);
    place.audit();
}

/// CVE-2023-25809: below the machine's `/sys` are cgroups that belong to the user, and could be written, also where it is
/// mounted to be read alone.
fn cgroups_stay_read_only(dir: &Path, runtime: &Runtime) {
    let script = "find /sys/fs/cgroup -type d -name delegated | while read found; do
            echo found; mkdir $found/mine 2>/dev/null && echo made; echo 1 2>/dev/null > $found/cgroup.procs && echo moved
        done | sort -u";
    for (mounts, seen) in [(vec![], ""), (vec![Mount::bind("/sys", "/sys").read_only()], "found\n")] {
        let mut spec = in_root(Rootfs::directory(dir.join("root")), &["sh", "-c", script]);
        spec.namespaces.network = Namespace::Host;
        spec.namespaces.cgroup = Namespace::Host;
        if !mounts.is_empty() {
            spec.mounts.retain(|mount| !mount.target.starts_with("/sys"));
        }
        spec.mounts.extend(mounts);
        let (read, stdout) = crate::support::pipe();
        let stdio = Stdio { stdout, ..Stdio::default() };
        let container = runtime.create(&Id::new("sys").expect("valid"), spec, stdio).expect("created");
        container.start().expect("started");
        assert_eq!(std::io::read_to_string(read).expect("read"), seen);
        container.delete().expect("deleted");
    }
}

/// Cgroups that somebody has given to the user are used.
pub(crate) fn delegated_cgroups_are_used() {
    const NAME: &str = "delegated_cgroups_are_used";
    if let Some((_, dir)) = part() {
        inside();
        let runtime = Runtime::open_with(dir.join("state"), Base::Permitted).expect("a runtime");
        assert_eq!(runtime.no_cgroups(), None);
        let mut spec = in_root(Rootfs::directory(dir.join("root")), &["sleep", "600"]);
        let path = orlop_container::cgroup::CgroupPath::new("/mine").expect("valid");
        let resources = orlop_container::cgroup::Resources::new().memory(64 << 20).pids(5).cpu_millis(500);
        spec.cgroup = Some(orlop_container::CgroupSpec { path, resources });
        let id = Id::new("c").expect("valid");
        let container = runtime.create(&id, spec, Stdio::default()).expect("created");
        container.start().expect("started");
        let stats = container.stats().expect("known");
        assert!(stats.memory > 0 && stats.pids == 1, "{stats:?}");
        let forks = ProcessSpec::new(["sh", "-c", "for i in 1 2 3 4 5 6 7 8; do sleep 9 & done"]);
        let (_, out) = output(|stdio| container.exec(&forks, stdio).expect("executed"));
        assert!(out.contains("annot fork"), "{out}");
        container.delete().expect("deleted");
        cgroups_stay_read_only(&dir, &runtime);
        println!("\nall well");
        return;
    }
    if !root_or_skip() {
        return;
    }
    let place = Place::new();
    // A cgroup for the user in every hierarchy, its files given away as cgroups(7) says.
    let cgroups = place.runtime.cgroups().expect("cgroups").clone();
    let path = place.cgroup("delegated");
    let none = orlop_container::cgroup::Resources::new().cpu_millis(1000).pids(500).memory(1 << 30);
    let group = cgroups.create(&path, &none).expect("made");
    // Of version 2 one with processes in it cannot pass on controllers: the user's are in one below.
    let below = path.join("agent").expect("valid");
    let agent = if cgroups.layout() == orlop_container::cgroup::Layout::V2 {
        let folder = group.directories().next().expect("one").join("agent");
        std::fs::create_dir(&folder).expect("made");
        std::os::unix::fs::chown(folder.join("cgroup.procs"), Some(crate::support::ORDINARY), None)
            .expect("given away");
        cgroups.open(&below).expect("readable").expect("made")
    } else {
        cgroups.open(&path).expect("readable").expect("made")
    };
    let own = Some(crate::support::ORDINARY);
    for folder in group.directories() {
        for name in ["", "cgroup.procs", "tasks", "cgroup.subtree_control", "cgroup.threads"] {
            let file = folder.join(name);
            if file.exists() {
                std::os::unix::fs::chown(file, own, own).expect("given away");
            }
        }
    }
    let mut command = ordinary(&place, NAME, "delegated");
    let script = "read go; exec \"$@\"";
    let mut shell = Command::new("/bin/sh");
    shell.args(["-c", script, "sh"]).arg(command.get_program()).args(command.get_args());
    shell.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
    shell.uid(crate::support::ORDINARY).gid(crate::support::ORDINARY).current_dir("/");
    shell.stdin(CommandStdio::piped()).stdout(CommandStdio::piped()).stderr(CommandStdio::piped());
    command = shell;
    let mut child = command.spawn().expect("it runs");
    agent.add(child.id()).expect("moved");
    std::io::Write::write_all(&mut child.stdin.take().expect("piped"), b"go\n").expect("told");
    let done = child.wait_with_output().expect("waited");
    assert!(done.status.success() && text(&done).contains("all well"), "{}", text(&done));
    group.remove().expect("empty");
    cgroups.purge(&orlop_container::cgroup::CgroupPath::new(&place.name).expect("valid")).expect("removed");
    place.audit();
}

/// Starts a part as an ordinary user and waits until it has said that it is ready.
fn ready(place: &Place, name: &str, part: &str) -> Child {
    let mut child = ordinary(place, name, part).stdout(CommandStdio::piped()).spawn().expect("it runs");
    let said = BufReader::new(child.stdout.as_mut().expect("piped")).lines();
    let mut said = said.map(|line| line.expect("text"));
    assert!(said.any(|line| line == "ready"), "it has ended");
    child
}

fn send(child: &Child, signal: rustix::process::Signal) {
    let pid = rustix::process::Pid::from_child(child);
    rustix::process::kill_process(pid, signal).expect("sent");
}

/// What is inside ends with who is outside, and gets its signals.
pub(crate) fn signals_go_in_and_ends_come_out() {
    const NAME: &str = "signals_go_in_and_ends_come_out";
    if let Some((part, dir)) = part() {
        inside();
        let runtime = Runtime::open_with(dir.join("state"), Base::Permitted).expect("a runtime");
        let spec = in_root(Rootfs::directory(dir.join("root")), &["sleep", "600"]);
        let id = Id::new("c").expect("valid");
        let container = runtime.create(&id, spec, Stdio::default()).expect("created");
        container.start().expect("started");
        if part == "handles" {
            let tokio = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("built");
            tokio.block_on(async {
                use tokio::signal::unix::{SignalKind, signal};
                let mut asked = signal(SignalKind::terminate()).expect("handled");
                println!("\nready");
                asked.recv().await;
            });
            container.delete().expect("deleted");
            std::process::exit(42);
        }
        println!("\nready");
        loop {
            std::thread::park();
        }
    }
    if !root_or_skip() {
        return;
    }
    use rustix::process::Signal;
    use std::os::unix::process::ExitStatusExt;
    let place = Place::new();
    let ended = |part: &str, signal: Signal| -> ExitStatus {
        let mut child = ready(&place, NAME, part);
        assert!(players(&place.dir.join(part)).len() >= 3, "outside, first and inside");
        send(&child, signal);
        let status = child.wait().expect("waited");
        until("everything inside ends", || players(&place.dir.join(part)).is_empty());
        status
    };
    assert_eq!(ended("handles", Signal::TERM).code(), Some(42));
    assert_eq!(ended("ends", Signal::TERM).code(), Some(128 + 15));
    assert_eq!(ended("is-killed", Signal::KILL).signal(), Some(9));
    place.audit();
}

pub(crate) fn what_cannot_be_is_said() {
    const NAME: &str = "what_cannot_be_is_said";
    if let Some((part, dir)) = part() {
        if part == "confined" {
            // In a container that may not make user namespaces.
            let refused = rootless::enter().expect_err("there are none");
            assert!(matches!(refused, Unavailable::Step { .. }), "{refused}");
            println!("\nall well: {refused}");
            return;
        }
        if !rustix::process::geteuid().is_root() {
            std::thread::scope(|scope| {
                let (go, wait) = std::sync::mpsc::channel::<()>();
                scope.spawn(move || wait.recv());
                let refused = rootless::enter().expect_err("a second thread");
                assert!(matches!(refused, Unavailable::Threads { count: 2 }), "{refused}");
                drop(go);
            });
            // A thread that has ended takes a moment to go.
            until("one thread", || {
                std::fs::read_dir("/proc/self/task").is_ok_and(|tasks| tasks.count() == 1)
            });
        }
        inside();
        let runtime = Runtime::open_with(dir.join("state"), Base::Permitted).expect("a runtime");
        let mut spec = in_root(Rootfs::directory(dir.join("root")), &["/program"]);
        spec.process.args = std::iter::once("/program".to_owned()).chain(std::env::args().skip(1)).collect();
        spec.process.env.push(("ORLOP_TEST_PART".to_owned(), "confined".to_owned()));
        spec.process.env.push(("ORLOP_TEST_PLACE".to_owned(), dir.display().to_string()));
        spec.mounts.push(orlop_container::Mount::bind(dir.join("program"), "/program"));
        let (read, stdout) = crate::support::pipe();
        let stdio = Stdio { stdout, ..Stdio::default() };
        let container = runtime.create(&Id::new("c").expect("valid"), spec, stdio).expect("created");
        container.start().expect("started");
        let said = std::io::read_to_string(read).expect("read");
        container.delete().expect("deleted");
        println!("{said}");
        return;
    }
    if !root_or_skip() {
        return;
    }
    let place = Place::new();
    let done = ordinary(&place, NAME, "confines").output().expect("it runs");
    assert!(done.status.success() && text(&done).contains("all well"), "{}", text(&done));
}

/// With subordinate ids there are other users.
pub(crate) fn granted_ids_are_used() {
    const NAME: &str = "granted_ids_are_used";
    if let Some((_, dir)) = part() {
        inside();
        let ids = Ids::own().expect("readable");
        assert!(ids.users() == 65_537 && ids.sets_groups(), "{ids:?}");
        let runtime = Runtime::open_with(dir.join("state"), Base::Permitted).expect("a runtime");
        let root = dir.join("root");
        std::os::unix::fs::chown(root.join("tmp"), Some(1000), Some(7)).expect("given away");
        let script = "id -u; id -G; touch /tmp/x && stat -c %u:%g /tmp/x";
        let mut spec = in_root(Rootfs::directory(&root), &["sh", "-c", script]);
        spec.process.user.uid = 1000;
        spec.process.user.gid = 1000;
        spec.process.user.groups = vec![7, 1000];
        let (read, stdout) = crate::support::pipe();
        let stdio = Stdio { stdout, ..Stdio::default() };
        let container = runtime.create(&Id::new("c").expect("valid"), spec, stdio).expect("created");
        container.start().expect("started");
        let said = std::io::read_to_string(read).expect("read");
        container.delete().expect("deleted");
        assert_eq!(said, "1000\n1000 7\n1000:1000\n");
        println!("\nall well");
        return;
    }
    if !root_or_skip() {
        return;
    }
    let there = |program: &str| {
        std::env::var_os("PATH")
            .is_some_and(|path| std::env::split_paths(&path).any(|dir| dir.join(program).exists()))
    };
    let files = ["/etc/subuid", "/etc/subgid"];
    let possible =
        there("newuidmap") && there("newgidmap") && files.iter().all(|file| Path::new(file).exists());
    if !needs("newuidmap and newgidmap (package uidmap)", possible) {
        return;
    }
    let place = Place::new();
    let granted = place.dir.join("subordinate");
    std::fs::write(&granted, "nobody:200000:65536\n").expect("written");
    // The two programs want somebody with a name.
    let passwd = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
    let nobody =
        passwd.lines().find_map(|line| line.strip_prefix("nobody:")?.split(':').nth(1)?.parse().ok());
    if !needs("a user called nobody", nobody.is_some()) {
        return;
    }
    let mut command = ordinary(&place, NAME, "granted");
    if let Some(nobody) = nobody {
        let dir = place.dir.join("granted");
        for path in [dir.join("root/tmp"), dir.join("root"), dir] {
            std::os::unix::fs::chown(path, Some(nobody), Some(nobody)).expect("given away");
        }
        command.uid(nobody).gid(nobody);
    }
    // In a mount namespace in which the lists say so; the program inherits that of the thread.
    let done = std::thread::scope(|scope| {
        let ran = scope.spawn(|| {
            use rustix::mount::MountPropagationFlags as Change;
            use rustix::thread::UnshareFlags;
            #[expect(
                deprecated,
                reason = "the safe one does not take FS apart; the thread is this test's own"
            )]
            rustix::thread::unshare(UnshareFlags::FS | UnshareFlags::NEWNS).expect("a mount namespace");
            rustix::mount::mount_change("/", Change::PRIVATE | Change::REC).expect("private");
            for file in files {
                rustix::mount::mount_bind(&granted, file).expect("mounted");
            }
            command.output().expect("it runs")
        });
        ran.join().expect("no panic")
    });
    assert!(done.status.success() && text(&done).contains("all well"), "{}", text(&done));
    place.audit();
}
