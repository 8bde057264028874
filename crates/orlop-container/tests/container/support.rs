//! What the tests have in common.

use std::fs::File;
use std::io::Read;
use std::os::fd::OwnedFd;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use orlop_container::cgroup::{CgroupPath, Resources};
use orlop_container::{CgroupSpec, Exit, Id, Mount, Process, Rootfs, Runtime, Spec, Stdio, Stream};

/// Whether tests that need root can run. Says so if not; with `ORLOP_REQUIRE=all` that is a failure.
pub(crate) fn root_or_skip() -> bool {
    needs("root", rustix::process::geteuid().is_root())
}

/// Whether something that is needed is there.
pub(crate) fn needs(what: &str, there: bool) -> bool {
    if !there {
        assert!(std::env::var("ORLOP_REQUIRE").as_deref() != Ok("all"), "needs {what}");
        eprintln!("skipped: needs {what}");
    }
    there
}

/// A runtime with a state directory of its own, and a place for root directories.
pub(crate) struct Place {
    pub(crate) runtime: Runtime,
    pub(crate) dir: PathBuf,
    pub(crate) name: String,
    pub(crate) state: PathBuf,
}

impl Place {
    pub(crate) fn new() -> Self {
        Self::with(|state| Runtime::open(state).expect("a runtime"))
    }

    pub(crate) fn with(open: impl FnOnce(&Path) -> Runtime) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name = format!("orlop-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let dir = std::env::temp_dir().join(&name);
        std::fs::create_dir_all(&dir).expect("a directory");
        let state = dir.join("state");
        let runtime = open(&state);
        Self { runtime, dir, name, state }
    }

    pub(crate) fn id(&self, id: &str) -> Id {
        Id::new(id).expect("valid")
    }

    pub(crate) fn cgroup(&self, name: &str) -> CgroupPath {
        CgroupPath::new(&self.name).and_then(|path| path.join(name)).expect("valid")
    }

    /// The specification with a cgroup and limits.
    pub(crate) fn limited(&self, mut spec: Spec, resources: Resources) -> Spec {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name = format!("c{}", COUNT.fetch_add(1, Ordering::Relaxed));
        spec.cgroup = Some(CgroupSpec { path: self.cgroup(&name), resources });
        spec
    }

    /// Nothing of it is left: no record, no cgroup, no mount.
    pub(crate) fn audit(&self) {
        let left: Vec<_> = std::fs::read_dir(&self.state)
            .expect("it is there")
            .map(|entry| entry.expect("an entry").file_name())
            .filter(|name| name != ".lock")
            .collect();
        assert!(left.is_empty(), "records are left: {left:?}");
        let mounts = std::fs::read_to_string("/proc/self/mountinfo").expect("readable");
        let left: Vec<_> = mounts.lines().filter(|line| line.contains(&self.name)).collect();
        assert!(left.is_empty(), "mounts are left: {left:?}");
        let groups = self.runtime.cgroups().expect("cgroups");
        let path = CgroupPath::new(&self.name).expect("valid");
        assert_eq!(groups.children(&path).expect("readable"), Vec::<String>::new(), "cgroups are left");
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if let Ok(recovered) = self.runtime.recover() {
            for container in recovered.containers {
                let _ = container.delete();
            }
            for sandbox in recovered.sandboxes {
                let _ = sandbox.delete();
            }
        }
        if let Some(cgroups) = self.runtime.cgroups() {
            let _ = cgroups.purge(&CgroupPath::new(&self.name).expect("valid"));
        }
        let _ = std::fs::remove_dir_all(&self.dir);
    }
}

/// A root directory with the machine's programs: links, and `/usr` mounted into it.
pub(crate) fn rootfs() -> Rootfs {
    rootfs_of(0)
}

/// The same, owned by somebody else.
pub(crate) fn rootfs_of(owner: u32) -> Rootfs {
    let mount = orlop_fs::Mount::tmpfs(orlop_fs::Tmpfs { mode: 0o755, ..orlop_fs::Tmpfs::default() })
        .expect("a tmpfs");
    let root = mount.root().expect("a root");
    for name in ["bin", "sbin", "lib", "lib64", "lib32"] {
        if let Ok(target) = std::fs::read_link(Path::new("/").join(name)) {
            root.symlink(target, name).expect("a link");
        }
    }
    root.create_dir("tmp", 0o1777).expect("a directory");
    root.handle("", true).and_then(|handle| handle.set_owner(owner, owner)).expect("given away");
    Rootfs::mount(mount)
}

/// The same in a directory of the machine.
pub(crate) fn rootfs_directory(dir: &Path) {
    for name in ["bin", "sbin", "lib", "lib64", "lib32"] {
        if let Ok(target) = std::fs::read_link(Path::new("/").join(name)) {
            symlink(target, dir.join(name)).expect("a link");
        }
    }
    std::fs::create_dir(dir.join("tmp")).expect("a directory");
}

/// A container that runs a program of the machine.
pub(crate) fn program(args: &[&str]) -> Spec {
    in_root(rootfs(), args)
}

pub(crate) fn in_root(root: Rootfs, args: &[&str]) -> Spec {
    let mut spec = Spec::new(root, args.iter().copied());
    spec.mounts.push(Mount::bind("/usr", "/usr").read_only());
    spec
}

/// A container that runs a shell.
pub(crate) fn sh(script: &str) -> Spec {
    program(&["sh", "-c", script])
}

/// A stream and the end from which what was written to it is read.
pub(crate) fn pipe() -> (File, Stream) {
    let (read, write): (OwnedFd, OwnedFd) =
        rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC).expect("a pipe");
    (File::from(read), Stream::Fd(write))
}

/// Runs it to its end and deletes it; answers how it ended and what it wrote.
pub(crate) fn run(place: &Place, spec: Spec) -> (Exit, String) {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let id = place.id(&format!("run{}", COUNT.fetch_add(1, Ordering::Relaxed)));
    let (mut read, stdio) = both();
    let container = place.runtime.create(&id, spec, stdio).expect("created");
    container.start().expect("started");
    let mut out = String::new();
    read.read_to_string(&mut out).expect("read");
    let exit = container.wait().expect("waited");
    container.delete().expect("deleted");
    (exit, out)
}

/// Runs a process to its end; answers how it ended and what it wrote.
pub(crate) fn output(make: impl FnOnce(Stdio) -> Process) -> (Exit, String) {
    let (mut read, stdio) = both();
    let process = make(stdio);
    let mut out = String::new();
    read.read_to_string(&mut out).expect("read");
    (process.wait().expect("waited"), out)
}

/// Output and errors into one pipe.
fn both() -> (File, Stdio) {
    let (read, stdout) = pipe();
    let Stream::Fd(write) = stdout else { unreachable!("it is a pipe") };
    let stderr = Stream::Fd(write.try_clone().expect("a copy"));
    (read, Stdio { stdout: Stream::Fd(write), stderr, ..Stdio::default() })
}

/// Waits until something holds, for a minute at most.
pub(crate) fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while !holds() {
        assert!(Instant::now() < deadline, "waited in vain: {what}");
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// Runs one test of this program once more as a program of its own, with a variable that says which part it is to play.
/// That test is to call [`part`] first.
pub(crate) fn again(test: &str, part: &str, place: &Path) -> Command {
    let mut command = Command::new(std::env::current_exe().expect("a path"));
    command.args(["--exact", test, "--nocapture", "--test-threads=1"]);
    command.env("ORLOP_TEST_PART", part).env("ORLOP_TEST_PLACE", place);
    command
}

/// A user that nobody is.
pub(crate) const ORDINARY: u32 = 54_321;

/// The same as an ordinary user, by a copy of this program that everybody may execute. The place has a root directory
/// (`root`), and belongs to the user.
pub(crate) fn ordinary(place: &Place, test: &str, part: &str) -> Command {
    let dir = place.dir.join(part);
    std::fs::create_dir_all(dir.join("root")).expect("a directory");
    rootfs_directory(&dir.join("root"));
    let program = dir.join("program");
    std::fs::copy(std::env::current_exe().expect("a path"), &program).expect("a copy");
    for path in [&place.dir, &dir, &dir.join("root"), &dir.join("root/tmp"), &program] {
        std::fs::set_permissions(path, PermissionsExt::from_mode(0o755)).expect("a mode");
    }
    for path in [dir.clone(), dir.join("root"), dir.join("root/tmp")] {
        std::os::unix::fs::chown(path, Some(ORDINARY), Some(ORDINARY)).expect("given away");
    }
    let mut command = Command::new(&program);
    for (name, value) in again(test, part, &dir).get_envs() {
        command.env(name, value.expect("a value"));
    }
    command
        .args(["--exact", test, "--nocapture", "--test-threads=1"])
        .uid(ORDINARY)
        .gid(ORDINARY)
        .current_dir("/");
    command
}

/// Which part this program is to play, and where, if it was run by [`again`].
pub(crate) fn part() -> Option<(String, PathBuf)> {
    Some((std::env::var("ORLOP_TEST_PART").ok()?, std::env::var_os("ORLOP_TEST_PLACE")?.into()))
}
