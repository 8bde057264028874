//! Created, started, waited for, deleted; further processes; what cannot be executed.

use std::io::Read;
use std::os::fd::{AsRawFd, OwnedFd};
use std::time::{Duration, Instant};

use orlop_container::{Error, ExitStatus, ProcessSpec, Status, Stdio, Stream};

use crate::support::{Place, output, pipe, program, root_or_skip, run, sh};

#[test]
fn it_is_created_then_started() {
    if !root_or_skip() {
        return;
    }
    let place = Place::new();
    let (mut read, stdout) = pipe();
    let stdio = Stdio { stdout, ..Stdio::default() };
    let container = place.runtime.create(&place.id("c"), sh("echo hello; exit 7"), stdio).expect("created");
    assert_eq!(container.status().expect("told"), Status::Created);
    assert!(matches!(
        place.runtime.create(&place.id("c"), sh("true"), Stdio::default()),
        Err(Error::Exists { .. })
    ));
    assert!(matches!(
        container.exec(&ProcessSpec::new(["true"]), Stdio::default()),
        Err(Error::State { is: "created", needed: "running", .. })
    ));
    assert_eq!(container.wait_for(Duration::from_millis(50)).expect("waited"), None);
    container.start().expect("started");
    assert!(matches!(container.start(), Err(Error::State { needed: "created", .. })));
    let exit = container.wait().expect("waited");
    assert_eq!(exit.status, ExitStatus::Code(7));
    assert!(exit.max_resident > 0 && !exit.oom_killed);
    assert_eq!(container.status().expect("told"), Status::Stopped);
    let mut out = String::new();
    read.read_to_string(&mut out).expect("read");
    assert_eq!(out, "hello\n");
    container.delete().expect("deleted");
    container.delete().expect("a second time does nothing");
    assert_eq!(container.status().expect("told"), Status::Deleted);
    place.audit();
}

#[test]
fn what_is_never_started_goes_when_it_is_dropped() {
    if !root_or_skip() {
        return;
    }
    let place = Place::new();
    let spec = place.limited(sh("true"), orlop_container::cgroup::Resources::new().pids(5));
    let container = place.runtime.create(&place.id("c"), spec, Stdio::default()).expect("created");
    let pid = container.pid();
    drop(container);
    assert!(!std::path::Path::new(&format!("/proc/{pid}")).exists());
    place.audit();
}

/// While one thread starts it or executes something in it, another deletes it, at different moments.
#[test]
fn what_is_deleted_stays_deleted() {
    if !root_or_skip() {
        return;
    }
    let place = Place::new();
    // Neither a pid namespace nor a cgroup by which the kernel would end all.
    let spec = |seconds: &str| {
        let mut spec = program(&["sleep", seconds]);
        spec.namespaces.pid = orlop_container::Namespace::Host;
        spec
    };
    let mark = format!("600.{}", std::process::id());
    for round in 0..40 {
        let container = place.runtime.create(&place.id("c"), spec("600"), Stdio::default()).expect("created");
        let executes = round % 2 == 0;
        if executes {
            container.start().expect("started");
        }
        std::thread::scope(|scope| {
            scope.spawn(|| {
                if executes {
                    let further = ProcessSpec::new(["sleep", &mark]);
                    let _ = container.exec(&further, Stdio::default());
                } else {
                    let _ = container.start();
                }
            });
            // Not for a condition: what is sought is any moment.
            std::thread::sleep(Duration::from_micros(round * 150));
            container.delete().expect("deleted");
        });
        assert_eq!(container.status().expect("told"), Status::Deleted);
    }
    let left = std::fs::read_dir("/proc").expect("readable").filter(|entry| {
        let cmdline = entry.as_ref().expect("an entry").path().join("cmdline");
        std::fs::read(cmdline)
            .is_ok_and(|line| line.split(|byte| *byte == 0).any(|arg| arg == mark.as_bytes()))
    });
    assert_eq!(left.count(), 0, "processes are left");
    place.audit();
}

#[test]
fn signals_end_it() {
    if !root_or_skip() {
        return;
    }
    let place = Place::new();
    // The first process of a pid namespace gets only signals that it has a handler for.
    let spec = sh("trap 'exit 3' TERM; echo up; while :; do sleep 0.01; done");
    let (mut read, stdout) = pipe();
    let container =
        place.runtime.create(&place.id("c"), spec, Stdio { stdout, ..Stdio::default() }).expect("created");
    container.start().expect("started");
    let mut up = [0; 3];
    read.read_exact(&mut up).expect("it says that it is up");
    container.signal(15).expect("sent");
    let exit = container.wait_for(Duration::MAX).expect("waited").expect("ended");
    assert_eq!(exit.status, ExitStatus::Code(3));
    assert!(container.process().wait_for(Duration::MAX).expect("waited").is_some());
    container.signal(15).expect("nothing to signal is no error");
    assert!(container.signal(1_000).is_err());
    container.delete().expect("deleted");

    let container =
        place.runtime.create(&place.id("d"), program(&["sleep", "600"]), Stdio::default()).expect("created");
    container.start().expect("started");
    container.kill().expect("killed");
    let exit = container.wait().expect("waited");
    assert_eq!((exit.status, exit.status.code()), (ExitStatus::Signal(9), Some(137)));
    assert!(!exit.oom_killed, "killed by us");
    container.delete().expect("deleted");
    place.audit();
}

#[test]
fn further_processes_run_in_it() {
    if !root_or_skip() {
        return;
    }
    let place = Place::new();
    let mut spec =
        place.limited(program(&["sleep", "600"]), orlop_container::cgroup::Resources::new().pids(50));
    spec.hostname = Some("both".to_owned());
    let container = place.runtime.create(&place.id("c"), spec, Stdio::default()).expect("created");
    container.start().expect("started");
    let mut further = ProcessSpec::new([
        "sh",
        "-c",
        "hostname; pwd; echo $X; cat /proc/1/comm; grep CapInh /proc/self/status",
    ]);
    further.cwd = "/usr".into();
    further.env.push(("X".to_owned(), "a b".to_owned()));
    let (exit, out) = output(|stdio| container.exec(&further, stdio).expect("executed"));
    assert_eq!(out, "both\n/usr\na b\nsleep\nCapInh:\t0000000000000000\n");
    assert_eq!(exit.status, ExitStatus::Code(0));
    let process = container.exec(&ProcessSpec::new(["sleep", "600"]), Stdio::default()).expect("executed");
    let members = container.cgroup().expect("a cgroup").processes().expect("listed");
    assert!(members.contains(&process.pid()) && members.contains(&container.pid()), "{members:?}");
    for (args, found) in [(["nowhere"], true), (["/usr"], false)] {
        let error = container.exec(&ProcessSpec::new(args), Stdio::default()).expect_err("cannot be");
        assert_eq!(matches!(error, Error::ExecutableNotFound { .. }), found, "{error}");
    }
    container.delete().expect("deleted");
    assert_eq!(process.wait().expect("waited").status, ExitStatus::Signal(9));
    place.audit();
}

#[test]
fn what_cannot_be_executed_is_told_apart() {
    if !root_or_skip() {
        return;
    }
    let place = Place::new();
    let dir = place.dir.join("programs");
    std::fs::create_dir(&dir).expect("a directory");
    let file = |name: &str, content: &str, mode: u32| {
        use std::os::unix::fs::PermissionsExt;
        std::fs::write(dir.join(name), content).expect("a file");
        std::fs::set_permissions(dir.join(name), PermissionsExt::from_mode(mode)).expect("a mode");
    };
    file("plain", "#!/bin/sh\n", 0o644);
    file("lost", "#!/no/such/interpreter\n", 0o755);
    file("junk", "\u{1}\u{2}\u{3}", 0o755);
    file("good", "#!/bin/sh\nexit 4\n", 0o755);
    let start = |args: &[&str]| {
        let mut spec = program(args);
        spec.mounts.push(orlop_container::Mount::bind(&dir, "/p").read_only());
        let container = place.runtime.create(&place.id("c"), spec, Stdio::default())?;
        let done = container.start();
        let exit = container.wait().expect("waited");
        container.delete().expect("deleted");
        done.map(|()| exit)
    };
    for missing in ["/p/none", "none", "./none", "/p/plain/x"] {
        let error = start(&[missing]).expect_err(missing);
        assert!(matches!(&error, Error::ExecutableNotFound { program, .. } if program == missing), "{error}");
    }
    assert_eq!(
        start(&["none"]).expect_err("missing").to_string(),
        "exec: \"none\": executable file not found in PATH \
         \"/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\""
    );
    for refused in ["/p/plain", "/p", "/p/junk"] {
        let error = start(&[refused]).expect_err(refused);
        assert!(matches!(&error, Error::NotExecutable { program, .. } if program == refused), "{error}");
    }
    assert_eq!(
        start(&["/p/plain"]).expect_err("refused").to_string(),
        "exec: \"/p/plain\": Permission denied (os error 13)"
    );
    let error = start(&["/p/lost"]).expect_err("no interpreter");
    assert!(matches!(&error, Error::InterpreterNotFound { program } if program == "/p/lost"), "{error}");
    assert_eq!(start(&["/p/good"]).expect("runs").status, ExitStatus::Code(4));
    place.audit();
}

/// A filter may refuse what is still to be done when it is loaded: that is no program that ended with code 1.
#[test]
fn what_its_filter_refuses_is_told() {
    use orlop_container::Seccomp;
    use orlop_container::seccomp::{Action, Profile, Rule};
    if !root_or_skip() {
        return;
    }
    let place = Place::new();
    for call in ["fcntl", "execve", "execveat"] {
        let action = Action::Errno(1);
        let rule = Rule { syscalls: vec![call.to_owned()], action, conditions: vec![] };
        let mut spec = program(&["true"]);
        spec.process.seccomp = Seccomp::Profile(Profile { default: Action::Allow, rules: vec![rule] });
        let container = place.runtime.create(&place.id("c"), spec, Stdio::default()).expect("created");
        let error = container.start().expect_err(call);
        assert!(matches!(error, Error::NotExecutable { .. }), "{call}: {error}");
        container.delete().expect("deleted");
    }
}

#[test]
fn bad_specifications_are_refused() {
    if !root_or_skip() {
        return;
    }
    let place = Place::new();
    type Change = fn(&mut orlop_container::Spec);
    let bad: [(&str, Change); 9] = [
        ("process.args", |spec| spec.process.args.clear()),
        ("process.args[0]", |spec| spec.process.args[0].clear()),
        ("process.args[2]", |spec| spec.process.args[2] = "a\0b".to_owned()),
        ("process.cwd", |spec| spec.process.cwd = "relative".into()),
        ("process.env[\"A=B\"]", |spec| spec.process.env = vec![("A=B".to_owned(), String::new())]),
        ("process.oom_score_adj", |spec| spec.process.oom_score_adj = Some(2_000)),
        ("hostname", |spec| spec.hostname = Some("x".repeat(65))),
        ("mounts[7].target", |spec| spec.mounts[7].target = "/a/../../b".into()),
        ("sysctls[\"kernel.core_pattern\"]", |spec| {
            spec.sysctls.insert("kernel.core_pattern".to_owned(), "x".to_owned());
        }),
    ];
    for (wanted, change) in bad {
        let mut spec = sh("true");
        change(&mut spec);
        let error = place.runtime.create(&place.id("c"), spec, Stdio::default()).expect_err(wanted);
        assert!(matches!(&error, Error::Spec { field, .. } if field == wanted), "{wanted}: {error}");
    }
    place.audit();
}

#[test]
fn nothing_of_the_caller_is_inherited() {
    if !root_or_skip() {
        return;
    }
    let place = Place::new();
    // Descriptors that would be inherited by whatever is executed.
    let file = std::fs::File::open("/etc").expect("a directory");
    let open: Vec<OwnedFd> = [500, 501, 900]
        .into_iter()
        .map(|number| {
            let copy = rustix::io::fcntl_dupfd_cloexec(&file, number).expect("a copy");
            rustix::io::fcntl_setfd(&copy, rustix::io::FdFlags::empty()).expect("no close-on-exec");
            copy
        })
        .collect();
    assert_eq!(open.len(), 3);
    assert!(!rustix::io::fcntl_getfd(&open[0]).expect("flags").contains(rustix::io::FdFlags::CLOEXEC));
    let container =
        place.runtime.create(&place.id("c"), sh("ls /proc/self/fd"), Stdio::default()).expect("created");
    // Not even as long as it waits: somebody at the other end would wait for it too.
    let held = std::fs::read_dir(format!("/proc/{}/fd", container.pid()))
        .expect("readable")
        .map(|entry| entry.expect("an entry").file_name().into_string().expect("a number"))
        .filter(|name| open.iter().any(|fd| fd.as_raw_fd().to_string() == *name))
        .count();
    assert_eq!(held, 0);
    container.delete().expect("deleted");
    let (_, out) = run(&place, sh("ls /proc/self/fd; grep -E 'SigBlk|SigIgn|SigCgt' /proc/self/status"));
    assert!(out.starts_with("0\n1\n2\n3\nSigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n"), "{out}");
    let (_, out) = run(&place, sh("env | grep -v ^PATH= | grep -v ^PWD= | grep -v ^_= | grep -v ^OLDPWD="));
    assert_eq!(out, "", "nothing of the caller's environment");
}

#[test]
fn a_terminal_becomes_its_own() {
    if !root_or_skip() {
        return;
    }
    let place = Place::new();
    let controller = rustix::pty::openpt(rustix::pty::OpenptFlags::RDWR | rustix::pty::OpenptFlags::NOCTTY)
        .expect("a terminal");
    rustix::pty::grantpt(&controller).expect("granted");
    rustix::pty::unlockpt(&controller).expect("unlocked");
    let name = rustix::pty::ptsname(&controller, Vec::new()).expect("a name");
    let open = || {
        let flags = rustix::fs::OFlags::RDWR | rustix::fs::OFlags::NOCTTY | rustix::fs::OFlags::CLOEXEC;
        rustix::fs::open(&name, flags, rustix::fs::Mode::empty()).expect("the other end")
    };
    let stdio = Stdio { stdin: Stream::Fd(open()), stdout: Stream::Fd(open()), stderr: Stream::Fd(open()) };
    let mut spec = sh("echo by the terminal > /dev/tty; test -t 0 && echo is one");
    spec.process.terminal = true;
    let container = place.runtime.create(&place.id("c"), spec, stdio).expect("created");
    container.start().expect("started");
    container.wait().expect("waited");
    let mut out = [0; 64];
    let size = rustix::io::read(&controller, &mut out[..]).expect("what it wrote");
    assert_eq!(String::from_utf8_lossy(&out[..size]), "by the terminal\r\nis one\r\n");
    container.delete().expect("deleted");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_wait_without_a_thread_each() {
    if !root_or_skip() {
        return;
    }
    let place = std::sync::Arc::new(Place::new());
    let started = Instant::now();
    let tasks: Vec<_> = (0..8)
        .map(|number| {
            let place = place.clone();
            tokio::spawn(async move {
                let runtime = place.runtime.clone();
                let id = place.id(&format!("c{number}"));
                let container = tokio::task::spawn_blocking(move || {
                    let container =
                        runtime.create(&id, sh(&format!("sleep 0.2; exit {number}")), Stdio::default())?;
                    container.start()?;
                    Ok::<_, Error>(container)
                })
                .await
                .expect("no panic")
                .expect("started");
                let (one, two) = tokio::join!(container.exited(), container.exited());
                assert_eq!(one.expect("waited"), two.expect("waited"));
                let exit = container.exited().await.expect("waited");
                assert_eq!(exit.status, ExitStatus::Code(number));
                container.delete().expect("deleted");
            })
        })
        .collect();
    for task in tasks {
        task.await.expect("no panic");
    }
    assert!(started.elapsed() < Duration::from_secs(20));
    place.audit();
}
