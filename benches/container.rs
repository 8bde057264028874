//! Containers: made, started, waited for and deleted; further processes in one; a hundred at once. CPU time is that of this
//! process and of the containers' processes from their birth on. On a machine with cgroups each container has one.

#[cfg(not(target_os = "linux"))]
fn main() {}

#[cfg(target_os = "linux")]
fn main() -> std::io::Result<()> {
    linux::main()
}

#[cfg(target_os = "linux")]
mod linux {
    use std::path::Path;
    use std::time::{Duration, Instant};

    use orlop_benches::{Bench, CpuClock, Peer};
    use orlop_container::cgroup::{CgroupPath, Resources};
    use orlop_container::{
        Capability, CapabilitySet, CgroupSpec, Exit, Id, Mount, ProcessSpec, Rlimit, RlimitResource, Rootfs,
        Runtime, Seccomp, Spec, Stdio,
    };

    /// Whether the container has limits and a filter of system calls.
    #[derive(Clone, Copy, PartialEq)]
    enum Kind {
        Bare,
        Full,
    }

    fn spec(kind: Kind, root: &Path, program: &[&str], cgroup: CgroupPath) -> Spec {
        let mut spec = Spec::new(Rootfs::directory(root).read_only(), program.iter().copied());
        spec.mounts.push(Mount::bind("/usr", "/usr").read_only());
        spec.hostname = Some("runc".to_owned());
        let capabilities = [Capability::AuditWrite, Capability::Kill, Capability::NetBindService];
        spec.process.capabilities = CapabilitySet::from_iter(capabilities).into();
        spec.process.rlimits = vec![Rlimit { resource: RlimitResource::Nofile, soft: 1_024, hard: 1_024 }];
        spec.process.env.push(("TERM".to_owned(), "xterm".to_owned()));
        let resources = match kind {
            Kind::Bare => Resources::new(),
            Kind::Full => Resources {
                cpu_shares: Some(512),
                ..Resources::new().memory(256 << 20).cpu_millis(500).pids(100)
            },
        };
        if kind == Kind::Bare {
            spec.process.seccomp = Seccomp::Unconfined;
        }
        spec.cgroup = Some(CgroupSpec { path: cgroup, resources });
        spec
    }

    fn spent(exit: &Exit) -> Duration {
        assert!(exit.status.success(), "{}", exit.status);
        exit.user_time + exit.system_time
    }

    /// Makes, starts, awaits and deletes one; answers the CPU time of its process.
    fn cycle(runtime: &Runtime, name: &str, number: usize, kind: Kind, root: &Path) -> Duration {
        let path = CgroupPath::new(format!("{name}/c{number}")).expect("a path");
        let id = Id::new(format!("c{number}")).expect("an id");
        let spec = spec(kind, root, &["/bin/true"], path);
        let container = runtime.create(&id, spec, Stdio::default()).expect("created");
        container.start().expect("started");
        let exit = container.wait().expect("waited");
        container.delete().expect("deleted");
        spent(&exit)
    }

    pub(crate) fn main() -> std::io::Result<()> {
        let mut bench = Bench::new("container");
        let name = format!("orlop-bench-{}", std::process::id());
        let place = std::env::temp_dir().join(&name);
        let root = place.join("root");
        std::fs::create_dir_all(&root)?;
        for link in ["bin", "sbin", "lib", "lib64"] {
            if let Ok(target) = std::fs::read_link(format!("/{link}")) {
                std::os::unix::fs::symlink(target, root.join(link))?;
            }
        }
        // Mount points, since the root is read-only for all.
        for dir in ["usr", "proc", "dev", "sys"] {
            std::fs::create_dir(root.join(dir))?;
        }
        let is_root =
            std::fs::metadata("/proc/self").is_ok_and(|me| std::os::unix::fs::MetadataExt::uid(&me) == 0);
        if is_root {
            measure(&mut bench, &name, &place.join("state"), &root);
        } else {
            #[allow(clippy::print_stdout, reason = "what is left out is told on the standard output")]
            {
                println!("skipped: needs root");
            }
        }
        std::fs::remove_dir_all(&place)?;
        bench.finish()
    }

    fn measure(bench: &mut Bench, name: &str, state: &Path, root: &Path) {
        let runtime = Runtime::open(state).expect("a runtime");
        let cgroups = runtime.cgroups().expect("cgroups").clone();
        let cycles = bench.size(20, 200);
        // Recorded with a statically linked program; ours loads the C library in addition.
        for (kind, words, peers) in [
            (Kind::Bare, "bare", [(11.8, 12.6), (28.5, 30.8), (35.7, 42.0), (1.19, 1.23)]),
            (Kind::Full, "full", [(19.6, 19.9), (39.3, 42.0), (41.0, 48.0), (1.19, 1.23)]),
        ] {
            let names = ["crun 1.8.1", "runc main", "youki 0.7", "floor"];
            let pick = |wall: bool| -> Vec<Peer> {
                let both = names.iter().zip(peers);
                both.map(|(name, (cpu, total))| Peer::recorded(name, if wall { total } else { cpu }))
                    .collect()
            };
            cycle(&runtime, name, 0, kind, root);
            let (mut cpu, mut walls) = (Duration::ZERO, Vec::new());
            let start = CpuClock::now();
            for number in 0..cycles {
                let began = Instant::now();
                cpu += cycle(&runtime, name, number, kind, root);
                walls.push(began.elapsed());
            }
            cpu += start.elapsed();
            walls.sort_unstable();
            let workload = format!("create, start, wait, delete /bin/true, {words}");
            bench.row(&format!("{workload}: CPU"), millis(cpu) / cycles as f64, "ms", &pick(false));
            bench.row(&format!("{workload}: wall p50"), millis(walls[cycles / 2]), "ms", &pick(true));
        }

        let path = CgroupPath::new(format!("{name}/exec")).expect("a path");
        let spec = spec(Kind::Bare, root, &["/bin/sleep", "600"], path);
        let container =
            runtime.create(&Id::new("exec").expect("an id"), spec, Stdio::default()).expect("created");
        container.start().expect("started");
        let mut further = ProcessSpec::new(["/bin/true"]);
        further.seccomp = Seccomp::Unconfined;
        let (mut cpu, mut walls) = (Duration::ZERO, Vec::new());
        let start = CpuClock::now();
        for _ in 0..cycles {
            let began = Instant::now();
            let process = container.exec(&further, Stdio::default()).expect("executed");
            cpu += spent(&process.wait().expect("waited"));
            walls.push(began.elapsed());
        }
        cpu += start.elapsed();
        container.delete().expect("deleted");
        walls.sort_unstable();
        let peers = [("crun 1.8.1", 4.2), ("youki 0.7", 11.2), ("runc main", 13.7)];
        let peers = peers.map(|(name, value)| Peer::recorded(name, value));
        bench.row("exec /bin/true in a container: CPU", millis(cpu) / cycles as f64, "ms", &peers);
        bench.row("exec /bin/true in a container: wall p50", millis(walls[cycles / 2]), "ms", &[]);

        let began = Instant::now();
        std::thread::scope(|scope| {
            for thread in 0..8 {
                let runtime = &runtime;
                scope.spawn(move || {
                    for number in (thread..100).step_by(8) {
                        cycle(runtime, name, 1_000 + number, Kind::Bare, root);
                    }
                });
            }
        });
        let peers = [("crun 1.8.1, run", 434.0), ("runc main, run", 1_469.0), ("floor", 76.0)];
        let peers = peers.map(|(name, value)| Peer::recorded(name, value));
        bench.row("100 cycles, bare, from 8 threads: wall", millis(began.elapsed()), "ms", &peers);
        cgroups.purge(&CgroupPath::new(name).expect("a path")).expect("removed");
    }

    fn millis(time: Duration) -> f64 {
        time.as_secs_f64() * 1e3
    }
}
