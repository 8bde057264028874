//! One isolated process with limits: namespaces, a root file system of its own, a cgroup, few privileges. Nothing is
//! executed but the command itself. Works as root, and without privileges (then without limits).
//!
//! `cargo run --example container -- --memory 64 --cpu 500 --pids 20 -- sh -c 'hostname; id; ls /; cat /proc/1/cgroup'`

#[cfg(target_os = "linux")]
fn main() {
    let code = run().unwrap_or_else(|error| {
        eprintln!("{error}");
        1
    });
    std::process::exit(code);
}

#[cfg(target_os = "linux")]
fn run() -> Result<i32, Box<dyn std::error::Error>> {
    use clap::Parser;
    use orlop_container::cgroup::{CgroupPath, Resources};
    use orlop_container::{CgroupSpec, Id, Mount, Rootfs, Runtime, Spec, Stdio, UserNamespace};

    /// Runs a command in a container with the programs of this machine.
    #[derive(Parser)]
    struct Options {
        /// Memory in MiB, beyond which the kernel kills.
        #[arg(long, default_value_t = 256)]
        memory: u64,
        /// CPU time in thousandths of a CPU.
        #[arg(long, default_value_t = 1_000)]
        cpu: u64,
        /// Number of processes and threads.
        #[arg(long, default_value_t = 64)]
        pids: u64,
        /// Name of the host inside.
        #[arg(long, default_value = "orlop")]
        hostname: String,
        /// The user it runs as.
        #[arg(long, default_value_t = 0)]
        user: u32,
        /// The command and its arguments.
        #[arg(required = true, trailing_var_arg = true, allow_hyphen_values = true)]
        command: Vec<String>,
    }
    let options = Options::parse();

    // A root directory with nothing but links to /usr, which is mounted there and cannot be written.
    let name = format!("orlop-container-{}", std::process::id());
    let place = std::env::temp_dir().join(&name);
    let root = place.join("root");
    std::fs::create_dir_all(&root)?;
    for link in ["bin", "sbin", "lib", "lib64"] {
        if let Ok(target) = std::fs::read_link(format!("/{link}")) {
            std::os::unix::fs::symlink(target, root.join(link))?;
        }
    }
    let mut spec = Spec::new(Rootfs::directory(&root), options.command);
    spec.mounts.push(Mount::bind("/usr", "/usr").read_only());
    spec.mounts.push(Mount::tmpfs("/tmp", Some(64 << 20)));
    spec.hostname = Some(options.hostname);
    spec.process.user.uid = options.user;
    spec.process.user.gid = options.user;

    let runtime = Runtime::open(place.join("state"))?;
    let is_root =
        std::fs::metadata("/proc/self").is_ok_and(|me| std::os::unix::fs::MetadataExt::uid(&me) == 0);
    if is_root {
        let resources =
            Resources::new().memory(options.memory << 20).cpu_millis(options.cpu).pids(options.pids);
        spec.cgroup = Some(CgroupSpec { path: CgroupPath::new(&name)?, resources });
    } else {
        eprintln!("without privileges: no limits, and only one user inside");
        spec.namespaces.user = UserNamespace::only_me();
    }

    let run = || {
        let container = runtime.create(&Id::new("example")?, spec, Stdio::inherit())?;
        let exit = container.start().and_then(|()| container.wait());
        container.delete()?;
        exit
    };
    let exit = run();
    std::fs::remove_dir_all(&place)?;
    let exit = exit?;
    let memory = exit.max_resident >> 10;
    let oom = if exit.oom_killed { ", out of memory" } else { "" };
    eprintln!("{}{oom}; {:?} of CPU, {memory} KiB", exit.status, exit.user_time + exit.system_time);
    Ok(exit.status.code().unwrap_or(255))
}

#[cfg(not(target_os = "linux"))]
fn main() {
    println!("containers need Linux");
}
