//! What is left after failures: nothing.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use orlop_container::cgroup::{Base, CgroupPath, Resources};
use orlop_container::{CgroupSpec, Container, Error, Faults, Id, Runtime, Sandbox, SandboxSpec, Stdio};

use crate::support::{Place, again, part, program, root_or_skip, sh, until};

fn open(state: &Path, faults: Faults) -> Runtime {
    Runtime::open_with_faults(state, Base::Root, faults).expect("a runtime")
}

fn id(id: &str) -> Id {
    Id::new(id).expect("valid")
}

/// A sandbox and a container in it that use every kind of step there is.
fn make(runtime: &Runtime, name: &str) -> Result<(Sandbox, Container), Error> {
    let pod = SandboxSpec {
        shared_pid: true,
        hostname: Some("pod".to_owned()),
        sysctls: BTreeMap::from([("net.ipv4.ip_default_ttl".to_owned(), "44".to_owned())]),
        ..SandboxSpec::default()
    };
    let sandbox = runtime.sandbox(&id("pod"), &pod)?;
    let made = (|| {
        let mut spec = program(&["sleep", "600"]);
        spec.namespaces = sandbox.namespaces();
        spec.root.read_only = true;
        spec.mounts.push(orlop_container::Mount::tmpfs("/tmp", Some(1 << 20)));
        spec.process.oom_score_adj = Some(100);
        spec.cgroup = Some(CgroupSpec {
            path: CgroupPath::new(format!("{name}/pod/c"))?,
            resources: Resources::new().memory(64 << 20).pids(10),
        });
        let container = runtime.create(&id("c"), spec, Stdio::default())?;
        if let Err(error) = container.start() {
            container.delete()?;
            return Err(error);
        }
        if let Err(error) = container.exec(&orlop_container::ProcessSpec::new(["true"]), Stdio::default()) {
            container.delete()?;
            return Err(error);
        }
        Ok(container)
    })();
    match made {
        Ok(container) => Ok((sandbox, container)),
        Err(error) => sandbox.delete().and(Err(error)),
    }
}

#[test]
fn whatever_step_fails_leaves_nothing() {
    if !root_or_skip() {
        return;
    }
    let mut place = Place::new();
    let (mut step, mut done) = (0, false);
    while !done {
        let faults = Faults::at(step);
        let name = place.name.clone();
        // The lock is held by the value that goes away first.
        let other = place.dir.join(format!("state-{step}"));
        place.runtime = open(&other, faults.clone());
        place.state = other.clone();
        match make(&place.runtime, &name) {
            Err(Error::Injected { .. }) => {}
            Err(error) => panic!("step {step}: {error}"),
            Ok((sandbox, container)) => {
                assert!(faults.count() <= step, "there are no more steps");
                container.delete().expect("deleted");
                sandbox.delete().expect("deleted");
                done = true;
            }
        }
        let cgroups = place.runtime.cgroups().expect("cgroups");
        cgroups.purge(&CgroupPath::new(format!("{name}/pod")).expect("valid")).expect("the pod's own cgroup");
        place.audit();
        step += 1;
    }
    assert!(step > 100, "{step} steps");
}

/// Another program is killed at each step in turn; the next one removes whatever is left.
#[test]
fn whatever_step_it_is_killed_at_nothing_stays() {
    const NAME: &str = "failures::whatever_step_it_is_killed_at_nothing_stays";
    if let Some((step, dir)) = part() {
        let faults = Faults::kill_at(step.parse().expect("a number"));
        let runtime = open(&dir.join("state"), faults);
        let name = dir.file_name().expect("a name").to_str().expect("plain");
        drop(make(&runtime, name).expect("made"));
        std::process::exit(17);
    }
    if !root_or_skip() {
        return;
    }
    let place = Place::new();
    let mut killed = 0;
    for step in 0.. {
        let dir = place.dir.join(&place.name);
        let status = again(NAME, &step.to_string(), &dir)
            .stdout(std::process::Stdio::null())
            .status()
            .expect("it runs");
        let runtime = Runtime::open(dir.join("state")).expect("a runtime");
        let found = runtime.recover().expect("recovered");
        for container in &found.containers {
            container.delete().expect("deleted");
        }
        for sandbox in &found.sandboxes {
            sandbox.delete().expect("deleted");
        }
        let left: Vec<_> = std::fs::read_dir(dir.join("state")).expect("there").collect();
        assert_eq!(left.len(), 1, "step {step}: {left:?}");
        let pod = CgroupPath::new(format!("{}/pod", place.name)).expect("valid");
        let cgroups = runtime.cgroups().expect("cgroups");
        assert_eq!(cgroups.children(&pod).expect("listed"), Vec::<String>::new(), "step {step}");
        cgroups.purge(&pod).expect("the pod's own");
        // Those that waited to be started end by themselves.
        until("no process of it is left", || !mentions(&dir.display().to_string()));
        place.audit();
        drop(runtime);
        std::fs::remove_dir_all(&dir).expect("removed");
        if status.code() == Some(17) {
            break;
        }
        killed += 1;
    }
    assert!(killed > 15, "{killed} steps");
}

/// Whether there is a process, other than this one, that was given this place.
fn mentions(place: &str) -> bool {
    std::fs::read_dir("/proc").expect("readable").flatten().any(|entry| {
        std::fs::read(entry.path().join("environ")).is_ok_and(|environ| {
            String::from_utf8_lossy(&environ).contains(&format!("ORLOP_TEST_PLACE={place}\0"))
        })
    })
}

/// What the process and the machine have: descriptors, children, mounts, cgroups.
fn census(name: &str) -> (usize, usize, usize, usize) {
    let descriptors = std::fs::read_dir("/proc/self/fd").expect("readable").count();
    let children = std::fs::read_dir("/proc")
        .expect("readable")
        .flatten()
        .filter(|entry| {
            let parent = format!("\nPPid:\t{}\n", std::process::id());
            std::fs::read_to_string(entry.path().join("status")).is_ok_and(|status| status.contains(&parent))
        })
        .count();
    let mounts = std::fs::read_to_string("/proc/self/mountinfo").expect("readable");
    // Others on the machine mount too.
    let mounts = mounts.lines().filter(|line| line.contains(name)).count();
    let mut cgroups = 0;
    let mut rest = vec![std::path::PathBuf::from("/sys/fs/cgroup")];
    while let Some(dir) = rest.pop() {
        for entry in std::fs::read_dir(&dir).into_iter().flatten().flatten() {
            if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                cgroups += usize::from(entry.path().to_string_lossy().contains(name));
                rest.push(entry.path());
            }
        }
    }
    (descriptors, children, mounts, cgroups)
}

/// In a program of its own, so that other tests don't count.
#[test]
fn five_hundred_cycles_from_eight_threads_leave_nothing() {
    const NAME: &str = "failures::five_hundred_cycles_from_eight_threads_leave_nothing";
    const CYCLES: usize = 500;
    if let Some((_, dir)) = part() {
        let runtime = Runtime::open(dir.join("state")).expect("a runtime");
        let name = dir.file_name().expect("a name").to_str().expect("plain").to_owned();
        let cycle = |number: usize| {
            let sandbox = number
                .is_multiple_of(4)
                .then(|| runtime.sandbox(&id(&format!("s{number}")), &SandboxSpec::default()).expect("made"));
            let mut spec = if number.is_multiple_of(2) { program(&["true"]) } else { sh("exit 3") };
            if let Some(sandbox) = &sandbox {
                spec.namespaces = sandbox.namespaces();
            }
            spec.cgroup = Some(CgroupSpec {
                path: CgroupPath::new(format!("{name}/c{number}")).expect("valid"),
                resources: Resources::new().memory(64 << 20).pids(10),
            });
            let container =
                runtime.create(&id(&format!("c{number}")), spec, Stdio::default()).expect("created");
            if number % 10 == 9 {
                // Never started.
                drop(container);
                return;
            }
            container.start().expect("started");
            let exit = container.wait().expect("waited");
            assert_eq!(exit.status.code(), Some(if number.is_multiple_of(2) { 0 } else { 3 }));
            container.delete().expect("deleted");
            if let Some(sandbox) = sandbox {
                sandbox.delete().expect("deleted");
            }
        };
        cycle(0);
        let before = census(&name);
        let next = AtomicUsize::new(1);
        let busy = std::sync::atomic::AtomicBool::new(true);
        std::thread::scope(|scope| {
            // Others allocate all the while, so that forks happen while they hold the allocator's locks.
            for _ in 0..2 {
                scope.spawn(|| {
                    while busy.load(Ordering::Relaxed) {
                        let all: Vec<_> = (0..64).map(|size| vec![0_u8; size * 100]).collect();
                        std::hint::black_box(&all);
                    }
                });
            }
            let workers: Vec<_> = (0..8)
                .map(|_| {
                    scope.spawn(|| {
                        loop {
                            let number = next.fetch_add(1, Ordering::Relaxed);
                            if number > CYCLES {
                                break;
                            }
                            cycle(number);
                        }
                    })
                })
                .collect();
            for worker in workers {
                worker.join().expect("no panic");
            }
            busy.store(false, Ordering::Relaxed);
        });
        assert_eq!(census(&name), before, "descriptors, children, mounts, cgroups");
        println!("\nall well");
        return;
    }
    if !root_or_skip() {
        return;
    }
    let place = Place::new();
    let done = again(NAME, "cycles", &place.dir.join(&place.name)).output().expect("it runs");
    let text = String::from_utf8_lossy(&done.stdout).into_owned() + &String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success() && text.contains("all well"), "{text}");
    place.audit();
}

/// Somebody in the program waits for all children, as a runtime of its own might: how containers end is known all the same.
#[test]
fn whoever_waits_for_all_children_takes_nothing_away() {
    const NAME: &str = "failures::whoever_waits_for_all_children_takes_nothing_away";
    if let Some((_, dir)) = part() {
        let runtime = Runtime::open(dir.join("state")).expect("a runtime");
        let busy = std::sync::atomic::AtomicBool::new(true);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                while busy.load(Ordering::Relaxed) {
                    let _ = rustix::process::wait(rustix::process::WaitOptions::NOHANG);
                    std::thread::yield_now();
                }
            });
            for number in 0..20 {
                let id = id(&format!("c{number}"));
                let container =
                    runtime.create(&id, sh(&format!("exit {number}")), Stdio::default()).expect("created");
                container.start().expect("started");
                let status = container.wait().expect("waited").status;
                assert!([Some(number), None].contains(&status.code()), "{status}");
                // From Linux 6.15 on the kernel tells everybody.
                let version = std::fs::read_to_string("/proc/sys/kernel/osrelease").expect("readable");
                let mut version = version.split('.').map(|part| part.parse::<u32>().unwrap_or(0));
                if (version.next(), version.next()) >= (Some(6), Some(15)) {
                    assert_eq!(status.code(), Some(number));
                }
                container.delete().expect("deleted");
            }
            busy.store(false, Ordering::Relaxed);
        });
        println!("\nall well");
        return;
    }
    if !root_or_skip() {
        return;
    }
    let place = Place::new();
    let done = again(NAME, "reap", &place.dir.join("other")).output().expect("it runs");
    let text = String::from_utf8_lossy(&done.stdout).into_owned() + &String::from_utf8_lossy(&done.stderr);
    assert!(text.contains("all well"), "{text}");
}
