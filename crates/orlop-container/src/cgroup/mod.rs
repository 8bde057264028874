//! Control groups, version 1, version 2 and both at once (cgroups(7)).
//!
//! [`Cgroups`] is what the machine has; a [`Cgroup`] is one group, in as many hierarchies as its limits need. On a machine
//! with hybrid layout it always is in the hierarchy of version 2 too, which can kill and freeze as a whole even without
//! controllers.

mod hierarchy;
mod oom;
mod resources;
mod stats;

use std::ffi::{OsStr, OsString};
use std::fmt;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::{Duration, Instant};

use rustix::fs::{AtFlags, Dir, Mode, OFlags};
use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags, Signal};

pub use hierarchy::{Base, Cgroups, Layout, NoCgroups};
pub use oom::OomWatch;
pub use resources::{Limit, Resources, WeightFormula};
pub use stats::Stats;

use crate::Error;
use crate::faults::Faults;
use hierarchy::Hierarchy;
use resources::Write;

/// The place of a cgroup below the base: names separated by `/`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CgroupPath(String);

impl CgroupPath {
    /// Checks a path. A leading `/` is dropped.
    ///
    /// # Errors
    /// If it is empty, has an empty name, `.` or `..`, or one that begins with `cgroup.`, or a name of more than 255 bytes.
    pub fn new(path: impl AsRef<str>) -> Result<Self, Error> {
        let path = path.as_ref();
        let path = path.strip_prefix('/').unwrap_or(path);
        let valid = |name: &str| {
            !matches!(name, "" | "." | "..")
                && name.len() <= 255
                && !name.starts_with("cgroup.")
                && !name.bytes().any(|byte| byte.is_ascii_control())
        };
        if path.split('/').all(valid) {
            Ok(Self(path.to_owned()))
        } else {
            Err(Error::spec("cgroup.path", format!("{path:?} is not a path of names")))
        }
    }

    /// A cgroup inside this one.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn join(&self, name: impl AsRef<str>) -> Result<Self, Error> {
        Self::new(format!("{}/{}", self.0, name.as_ref()))
    }

    /// The path, without leading `/`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for CgroupPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "/{}", self.0)
    }
}

impl FromStr for CgroupPath {
    type Err = Error;

    fn from_str(path: &str) -> Result<Self, Error> {
        Self::new(path)
    }
}

/// How long a cgroup is given to become empty and go.
const PATIENCE: Duration = Duration::from_secs(10);

/// One cgroup, in one or more hierarchies. Dropping it changes nothing; see [`remove`](Self::remove).
#[derive(Debug)]
pub struct Cgroup {
    path: CgroupPath,
    parts: Vec<Part>,
}

/// A cgroup in one hierarchy.
#[derive(Debug)]
struct Part {
    dir: OwnedFd,
    path: PathBuf,
    controllers: Vec<String>,
    v2: bool,
}

/// Directories that were made, removed again if not all of it comes to pass.
struct Made<'a> {
    dirs: Vec<(BorrowedFd<'a>, PathBuf)>,
}

impl Drop for Made<'_> {
    fn drop(&mut self) {
        for (base, path) in self.dirs.iter().rev() {
            let _ = rustix::fs::unlinkat(base, path, AtFlags::REMOVEDIR);
        }
    }
}

impl Cgroups {
    /// Makes a cgroup and those above it that are missing, and sets its limits. One that is there is taken as it is.
    ///
    /// # Errors
    /// If the kernel refuses, or has no such controller. Then nothing is left that wasn't there.
    pub fn create(&self, path: &CgroupPath, resources: &Resources) -> Result<Cgroup, Error> {
        self.create_with(path, resources, &Faults::default())
    }

    #[tracing::instrument(level = "debug", skip_all, fields(cgroup = %path))]
    pub(crate) fn create_with(
        &self,
        path: &CgroupPath,
        resources: &Resources,
        faults: &Faults,
    ) -> Result<Cgroup, Error> {
        resources.check()?;
        let mut needed = resources.controllers();
        let mut made = Made { dirs: Vec::new() };
        let mut parts = Vec::new();
        // What statistics come from.
        for always in ["memory", "cpuacct"] {
            if !needed.contains(&always) {
                needed.push(always);
            }
        }
        for hierarchy in self.hierarchies.iter() {
            let wanted = hierarchy.v2
                || hierarchy.controllers.iter().any(|controller| {
                    needed.contains(&controller.as_str())
                        || (controller == "freezer" && self.layout() == Layout::V1)
                });
            if !wanted {
                continue;
            }
            parts.push(hierarchy.create(path, &needed, &mut made, faults)?);
        }
        if parts.is_empty() {
            return Err(NoCgroups::Missing.into());
        }
        let cgroup = Cgroup { path: path.clone(), parts };
        cgroup.update(resources)?;
        made.dirs.clear();
        Ok(cgroup)
    }

    /// A cgroup that is there, in any hierarchy, or nothing.
    ///
    /// # Errors
    /// If the kernel refuses.
    pub fn open(&self, path: &CgroupPath) -> Result<Option<Cgroup>, Error> {
        let mut parts = Vec::new();
        for hierarchy in self.hierarchies.iter() {
            let full = hierarchy.path.join(&path.0);
            match directory(hierarchy.dir.as_fd(), Path::new(&path.0)) {
                Ok(dir) => parts.push(Part {
                    dir,
                    path: full,
                    controllers: hierarchy.controllers.clone(),
                    v2: hierarchy.v2,
                }),
                Err(Errno::NOENT) => {}
                Err(error) => return Err(cgroup_error("open", &full)(error)),
            }
        }
        Ok((!parts.is_empty()).then(|| Cgroup { path: path.clone(), parts }))
    }

    /// Removes a cgroup with all below it and all their processes; nothing there is no error.
    ///
    /// # Errors
    /// As [`Cgroup::kill`] and [`Cgroup::remove`].
    pub fn purge(&self, path: &CgroupPath) -> Result<(), Error> {
        let Some(cgroup) = self.open(path)? else { return Ok(()) };
        cgroup.kill()?;
        cgroup.remove()
    }

    /// The names of the cgroups directly in this one, in any hierarchy, sorted.
    ///
    /// # Errors
    /// If the kernel refuses.
    pub fn children(&self, path: &CgroupPath) -> Result<Vec<String>, Error> {
        let Some(cgroup) = self.open(path)? else { return Ok(Vec::new()) };
        let mut names = Vec::new();
        for part in &cgroup.parts {
            let inner = inner(&part.dir, &part.path)?;
            names.extend(inner.iter().map(|name| name.to_string_lossy().into_owned()));
        }
        names.sort();
        names.dedup();
        Ok(names)
    }
}

impl Hierarchy {
    fn create<'a>(
        &'a self,
        path: &CgroupPath,
        needed: &[&str],
        made: &mut Made<'a>,
        faults: &Faults,
    ) -> Result<Part, Error> {
        let mut so_far = PathBuf::new();
        let mut above: Option<OwnedFd> = None;
        for name in path.0.split('/') {
            let parent = above.as_ref().unwrap_or(&self.dir);
            let parent_path = self.path.join(&so_far);
            if self.v2 {
                self.pass_down(parent, &parent_path, needed)?;
            }
            so_far.push(name);
            let full = self.path.join(&so_far);
            faults.step("mkdir cgroup")?;
            match rustix::fs::mkdirat(parent, name, Mode::from_raw_mode(0o755)) {
                Ok(()) => made.dirs.push((self.dir.as_fd(), so_far.clone())),
                Err(Errno::EXIST) => {}
                Err(error) => return Err(cgroup_error("mkdir", &full)(error)),
            }
            let dir = directory(parent.as_fd(), Path::new(name)).map_err(cgroup_error("open", &full))?;
            if self.controllers.iter().any(|controller| controller == "cpuset") && !self.v2 {
                // A new one is empty, and no process may join it.
                for file in ["cpuset.cpus", "cpuset.mems"] {
                    if read(&dir, &full, file)?.trim().is_empty() {
                        let value = read(parent, &parent_path, file)?;
                        write(&dir, &full, file, value.trim())?;
                    }
                }
            }
            above = Some(dir);
        }
        let dir = above.ok_or_else(|| Error::spec("cgroup.path", "is empty"))?;
        Ok(Part { dir, path: self.path.join(&so_far), controllers: self.controllers.clone(), v2: self.v2 })
    }

    /// Lets the cgroups below have the controllers that are needed, as far as there are such.
    fn pass_down(&self, dir: &OwnedFd, path: &Path, needed: &[&str]) -> Result<(), Error> {
        let wanted: Vec<_> = needed
            .iter()
            // What v1 calls cpuacct is there without a controller.
            .filter(|name| self.controllers.iter().any(|controller| controller == *name))
            .collect();
        if wanted.is_empty() {
            return Ok(());
        }
        let passed = read(dir, path, "cgroup.subtree_control")?;
        for name in wanted {
            if !passed.split_whitespace().any(|controller| controller == *name) {
                write(dir, path, "cgroup.subtree_control", &format!("+{name}"))?;
            }
        }
        Ok(())
    }
}

impl Cgroup {
    /// Where it is, below the base.
    #[must_use]
    pub fn path(&self) -> &CgroupPath {
        &self.path
    }

    /// Its directories, one for each hierarchy it is in.
    pub fn directories(&self) -> impl Iterator<Item = &Path> {
        self.parts.iter().map(|part| part.path.as_path())
    }

    /// Sets limits. Those that aren't given stay as they are.
    ///
    /// # Errors
    /// If there is no such controller, or the kernel refuses a value (a memory limit below what is used and cannot be
    /// reclaimed: `EBUSY`).
    pub fn update(&self, resources: &Resources) -> Result<(), Error> {
        resources.check()?;
        let v1 = if self.parts.iter().any(|part| !part.v2) { Some(resources.v1()?) } else { None };
        let v2 = resources.v2()?;
        let mut missing: Vec<&Write> = Vec::new();
        for write in v1.as_ref().unwrap_or(&v2) {
            if let Some(part) = self.part(&write.controller, v1.is_some()) {
                part.set(write)?;
            } else {
                missing.push(write);
            }
        }
        // With hybrid layout version 2 may have the controller.
        for write in missing {
            let Some(part) = self.part(&write.controller, false).filter(|part| part.v2) else {
                if write.if_there {
                    continue;
                }
                return Err(Error::NoController { what: format!("controller {}", write.controller) });
            };
            for write in v2.iter().filter(|other| other.controller == write.controller) {
                part.set(write)?;
            }
        }
        Ok(())
    }

    fn part(&self, controller: &str, v1: bool) -> Option<&Part> {
        self.parts.iter().find(|part| part.v2 != v1 && part.has(controller))
    }

    fn v1(&self, controller: &str) -> Option<&Part> {
        self.part(controller, true)
    }

    fn v2(&self) -> Option<&Part> {
        self.parts.iter().find(|part| part.v2)
    }

    /// What its processes, and those of the cgroups inside it, have used.
    ///
    /// # Errors
    /// If the kernel refuses.
    pub fn stats(&self) -> Result<Stats, Error> {
        let mut stats = Stats::default();
        let number = |part: &Part, file: &str| -> Result<Option<u64>, Error> {
            Ok(part.read_if_there(file)?.as_deref().and_then(stats::number))
        };
        if let Some(part) = self.v1("cpuacct") {
            stats.cpu = Duration::from_nanos(number(part, "cpuacct.usage")?.unwrap_or(0));
        }
        if let Some(part) = self.v1("cpu") {
            let text = part.read_if_there("cpu.stat")?.unwrap_or_default();
            stats.throttled_periods = stats::keyed(&text, "nr_throttled").unwrap_or(0);
            stats.throttled = Duration::from_nanos(stats::keyed(&text, "throttled_time").unwrap_or(0));
        }
        if let Some(part) = self.v1("memory") {
            let text = part.read_if_there("memory.stat")?.unwrap_or_default();
            stats.memory = number(part, "memory.usage_in_bytes")?.unwrap_or(0);
            let inactive = stats::keyed(&text, "total_inactive_file").unwrap_or(0);
            stats.memory_working_set = stats.memory.saturating_sub(inactive);
            stats.memory_peak = number(part, "memory.max_usage_in_bytes")?;
        }
        if let Some(part) = self.v1("pids") {
            stats.pids = number(part, "pids.current")?.unwrap_or(0);
        }
        if let Some(part) = self.v2() {
            if let Some(text) = part.read_if_there("cpu.stat")?.filter(|_| self.v1("cpuacct").is_none()) {
                let micros = |key| Duration::from_micros(stats::keyed(&text, key).unwrap_or(0));
                stats.cpu = micros("usage_usec");
                stats.throttled = micros("throttled_usec");
                stats.throttled_periods = stats::keyed(&text, "nr_throttled").unwrap_or(0);
            }
            if let Some(memory) = number(part, "memory.current")? {
                let text = part.read_if_there("memory.stat")?.unwrap_or_default();
                let inactive = stats::keyed(&text, "inactive_file").unwrap_or(0);
                stats.memory = memory;
                stats.memory_working_set = memory.saturating_sub(inactive);
                stats.memory_peak = number(part, "memory.peak")?;
            }
            if let Some(pids) = number(part, "pids.current")? {
                stats.pids = pids;
            }
        }
        if stats.pids == 0 {
            stats.pids = self.processes()?.len() as u64;
        }
        stats.oom_kills = self.oom_kills()?;
        Ok(stats)
    }

    /// How many of its processes the kernel has killed because memory ran out.
    ///
    /// # Errors
    /// If the kernel refuses.
    pub fn oom_kills(&self) -> Result<u64, Error> {
        let (part, file) = match (self.v1("memory"), self.v2()) {
            (Some(part), _) => (part, "memory.oom_control"),
            (None, Some(part)) => (part, "memory.events"),
            (None, None) => return Ok(0),
        };
        let text = part.read_if_there(file)?.unwrap_or_default();
        Ok(stats::keyed(&text, "oom_kill").unwrap_or(0))
    }

    /// Its processes (not those of the cgroups inside it), by pid.
    ///
    /// # Errors
    /// If the kernel refuses.
    pub fn processes(&self) -> Result<Vec<u32>, Error> {
        let Some(part) = self.v2().or(self.parts.first()) else { return Ok(Vec::new()) };
        let text = part.read_if_there("cgroup.procs")?.unwrap_or_default();
        Ok(text.lines().filter_map(|line| line.parse().ok()).filter(|pid| *pid != 0).collect())
    }

    /// Moves a process into it.
    ///
    /// # Errors
    /// If the kernel refuses.
    pub fn add(&self, pid: u32) -> Result<(), Error> {
        for part in &self.parts {
            write(&part.dir, &part.path, "cgroup.procs", &pid.to_string())?;
        }
        Ok(())
    }

    /// Stops all its processes until [`thaw`](Self::thaw), and waits until they have stopped.
    ///
    /// # Errors
    /// If the kernel refuses, or they don't stop in time.
    pub fn freeze(&self) -> Result<(), Error> {
        self.set_frozen(true)
    }

    /// Lets them go on.
    ///
    /// # Errors
    /// If the kernel refuses.
    pub fn thaw(&self) -> Result<(), Error> {
        self.set_frozen(false)
    }

    fn set_frozen(&self, frozen: bool) -> Result<(), Error> {
        let deadline = Instant::now() + PATIENCE;
        let late = || Error::Timeout {
            id: self.path.to_string(),
            what: if frozen { "freezing" } else { "thawing" },
            seconds: PATIENCE.as_secs(),
        };
        if let Some(part) = self.v2() {
            write(&part.dir, &part.path, "cgroup.freeze", if frozen { "1" } else { "0" })?;
            return part.await_event("frozen", u64::from(frozen), deadline)?.then_some(()).ok_or_else(late);
        }
        let Some(part) = self.v1("freezer") else {
            return Err(Error::NoController { what: "the freezer".to_owned() });
        };
        let state = if frozen { "FROZEN" } else { "THAWED" };
        loop {
            write(&part.dir, &part.path, "freezer.state", state)?;
            if part.read_if_there("freezer.state")?.unwrap_or_default().trim() == state {
                return Ok(());
            }
            if Instant::now() >= deadline {
                return Err(late());
            }
            std::thread::sleep(Duration::from_millis(2));
        }
    }

    /// Kills all its processes, and those of the cgroups inside it, and waits until none is left.
    ///
    /// # Errors
    /// If the kernel refuses, or they don't end in time.
    #[tracing::instrument(level = "debug", skip_all, fields(cgroup = %self.path))]
    pub fn kill(&self) -> Result<(), Error> {
        let deadline = Instant::now() + PATIENCE;
        let late = || Error::Timeout {
            id: self.path.to_string(),
            what: "killing its processes",
            seconds: PATIENCE.as_secs(),
        };
        if let Some(part) = self.v2() {
            match write(&part.dir, &part.path, "cgroup.kill", "1") {
                Ok(()) => {
                    part.await_event("populated", 0, deadline)?.then_some(()).ok_or_else(late)?;
                }
                // Before Linux 5.14.
                Err(error) if error.raw_os_error() == Some(Errno::NOENT.raw_os_error()) => {}
                Err(error) => return Err(error),
            }
        }
        // One by one, where the kernel cannot kill all at once, and what has left one hierarchy but not the other.
        loop {
            let mut left = false;
            for part in &self.parts {
                left |= part.kill_each()?;
            }
            if !left {
                return Ok(());
            }
            if let Some(part) = self.v1("freezer") {
                let _ = write(&part.dir, &part.path, "freezer.state", "THAWED");
            }
            if Instant::now() >= deadline {
                return Err(late());
            }
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    /// Removes it, with the cgroups inside it. Processes that are just ending are waited for.
    ///
    /// # Errors
    /// If there are processes in it (`EBUSY`) for too long, or the kernel refuses.
    pub fn remove(&self) -> Result<(), Error> {
        let deadline = Instant::now() + PATIENCE;
        for part in &self.parts {
            remove_inner(&part.dir, &part.path, deadline)?;
            loop {
                match rustix::fs::unlinkat(rustix::fs::CWD, &part.path, AtFlags::REMOVEDIR) {
                    Ok(()) | Err(Errno::NOENT) => break,
                    Err(Errno::BUSY) if Instant::now() < deadline => {
                        std::thread::sleep(Duration::from_micros(500));
                    }
                    Err(error) => return Err(cgroup_error("rmdir", &part.path)(error)),
                }
            }
        }
        Ok(())
    }

    /// Watches for memory running out.
    ///
    /// # Errors
    /// If there is no memory controller, or the kernel refuses.
    pub fn watch_oom(&self) -> Result<OomWatch, Error> {
        match (self.v1("memory"), self.v2().filter(|part| part.has("memory"))) {
            (Some(part), _) => OomWatch::v1(&part.dir, &part.path),
            (None, Some(part)) => OomWatch::v2(&part.path),
            (None, None) => Err(Error::NoController { what: "controller memory".to_owned() }),
        }
    }

    /// What is stopped by the freezer of version 1 cannot even be killed.
    pub(crate) fn thaw_to_die(&self) {
        if let (None, Some(part)) = (self.v2(), self.v1("freezer")) {
            let _ = write(&part.dir, &part.path, "freezer.state", "THAWED");
        }
    }

    /// For clone3: the directory of version 2, into which the process can be born.
    pub(crate) fn birthplace(&self) -> Option<BorrowedFd<'_>> {
        self.v2().map(|part| part.dir.as_fd())
    }

    /// Files of version 1 into which a process of one thread writes `0` to move itself, each with its path. Of all ways
    /// to move this is the one for which the kernel doesn't have to stop all forks and exits.
    pub(crate) fn joining(&self) -> Result<Vec<(OwnedFd, String)>, Error> {
        let mut files = Vec::new();
        for part in self.parts.iter().filter(|part| !part.v2) {
            let path = part.path.join("tasks");
            let flags = OFlags::WRONLY | OFlags::CLOEXEC;
            let file = rustix::fs::openat(&part.dir, "tasks", flags, Mode::empty())
                .map_err(cgroup_error("open", &path))?;
            files.push((file, path.display().to_string()));
        }
        Ok(files)
    }
}

impl Part {
    fn has(&self, controller: &str) -> bool {
        self.controllers.iter().any(|name| name == controller)
    }

    fn set(&self, to: &Write) -> Result<(), Error> {
        match write(&self.dir, &self.path, &to.file, &to.value) {
            Err(error) if to.if_there && error.raw_os_error() == Some(Errno::NOENT.raw_os_error()) => Ok(()),
            // Memory may not go above memory with swap; that is raised next, and this once more.
            Err(error)
                if to.file == "memory.limit_in_bytes"
                    && error.raw_os_error() == Some(Errno::INVAL.raw_os_error()) =>
            {
                write(&self.dir, &self.path, "memory.memsw.limit_in_bytes", &to.value)
                    .and_then(|()| write(&self.dir, &self.path, &to.file, &to.value))
                    .map_err(|_| error)
            }
            other => other,
        }
    }

    fn read_if_there(&self, file: &str) -> Result<Option<String>, Error> {
        match read(&self.dir, &self.path, file) {
            Ok(text) => Ok(Some(text)),
            Err(error)
                if [Errno::NOENT, Errno::NODEV, Errno::OPNOTSUPP]
                    .iter()
                    .any(|errno| error.raw_os_error() == Some(errno.raw_os_error())) =>
            {
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    /// Waits until `cgroup.events` says so; whether it did before the deadline.
    fn await_event(&self, key: &str, value: u64, deadline: Instant) -> Result<bool, Error> {
        use rustix::event::{PollFd, PollFlags, Timespec, poll};
        let path = self.path.join("cgroup.events");
        let flags = OFlags::RDONLY | OFlags::CLOEXEC;
        let file = rustix::fs::openat(&self.dir, "cgroup.events", flags, Mode::empty())
            .map_err(cgroup_error("open", &path))?;
        let mut buffer = [0_u8; 256];
        loop {
            let size = rustix::io::pread(&file, &mut buffer[..], 0).map_err(cgroup_error("read", &path))?;
            let text = String::from_utf8_lossy(&buffer[..size]);
            if stats::keyed(&text, key) == Some(value) {
                return Ok(true);
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(false);
            }
            let left = Timespec::try_from(left).unwrap_or(Timespec { tv_sec: 1, tv_nsec: 0 });
            match poll(&mut [PollFd::new(&file, PollFlags::PRI)], Some(&left)) {
                Ok(_) | Err(Errno::INTR) => {}
                Err(error) => return Err(cgroup_error("poll", &path)(error)),
            }
        }
    }

    /// Sends SIGKILL to each process, also of the cgroups inside; whether there was any.
    fn kill_each(&self) -> Result<bool, Error> {
        let mut any = false;
        let mut rest = vec![PathBuf::new()];
        while let Some(path) = rest.pop() {
            let full = self.path.join(&path);
            let dir = match if path.as_os_str().is_empty() {
                rustix::io::fcntl_dupfd_cloexec(&self.dir, 3)
            } else {
                directory(self.dir.as_fd(), &path)
            } {
                Err(Errno::NOENT) => continue,
                other => other.map_err(cgroup_error("open", &full))?,
            };
            let pids = pids(&dir, &full)?;
            any |= !pids.is_empty();
            for some in pids.chunks(64) {
                // A number may have been given to another process by now, but not if it is held and still in the list.
                let mut held = Vec::new();
                for pid in some {
                    match rustix::process::pidfd_open(*pid, PidfdFlags::empty()) {
                        Ok(process) => held.push((*pid, process)),
                        Err(Errno::SRCH) => {}
                        Err(error) => return Err(cgroup_error("pidfd_open", &full)(error)),
                    }
                }
                let now = self::pids(&dir, &full)?;
                for (_, process) in held.iter().filter(|(pid, _)| now.contains(pid)) {
                    match rustix::process::pidfd_send_signal(process, Signal::KILL) {
                        Ok(()) | Err(Errno::SRCH) => {}
                        Err(error) => return Err(cgroup_error("kill", &full)(error)),
                    }
                }
            }
            rest.extend(inner(&dir, &full)?.into_iter().map(|name| path.join(name)));
        }
        Ok(any)
    }
}

/// The processes of a cgroup; none if it is gone, or takes threads only.
fn pids(dir: &OwnedFd, path: &Path) -> Result<Vec<Pid>, Error> {
    let none = [Errno::NODEV, Errno::NOENT, Errno::OPNOTSUPP];
    let text = match read(dir, path, "cgroup.procs") {
        Err(error) if none.iter().any(|errno| error.raw_os_error() == Some(errno.raw_os_error())) => {
            return Ok(Vec::new());
        }
        other => other?,
    };
    Ok(text.lines().filter_map(|line| line.parse().ok()).filter_map(Pid::from_raw).collect())
}

/// The names of the cgroups in one: those that a container has made may be any bytes.
fn inner(dir: &OwnedFd, path: &Path) -> Result<Vec<OsString>, Error> {
    let mut names = Vec::new();
    let entries = match Dir::read_from(dir) {
        Err(Errno::NOENT) => return Ok(names),
        other => other.map_err(cgroup_error("read", path))?,
    };
    for entry in entries {
        let entry = match entry {
            // It is just being removed.
            Err(Errno::NOENT) => break,
            other => other.map_err(cgroup_error("read", path))?,
        };
        let name = entry.file_name().to_bytes();
        if entry.file_type().is_dir() && !matches!(name, b"." | b"..") {
            names.push(OsString::from_vec(name.to_vec()));
        }
    }
    Ok(names)
}

fn remove_inner(dir: &OwnedFd, path: &Path, deadline: Instant) -> Result<(), Error> {
    for name in inner(dir, path)? {
        let full = path.join(&name);
        match directory(dir.as_fd(), Path::new(&name)) {
            Ok(below) => remove_inner(&below, &full, deadline)?,
            Err(Errno::NOENT) => continue,
            Err(error) => return Err(cgroup_error("open", &full)(error)),
        }
        loop {
            match rustix::fs::unlinkat(dir, &name, AtFlags::REMOVEDIR) {
                Ok(()) | Err(Errno::NOENT) => break,
                Err(Errno::BUSY) if Instant::now() < deadline => {
                    std::thread::sleep(Duration::from_micros(500));
                }
                Err(error) => return Err(cgroup_error("rmdir", &full)(error)),
            }
        }
    }
    Ok(())
}

fn directory(parent: BorrowedFd<'_>, path: &Path) -> Result<OwnedFd, Errno> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    rustix::fs::openat(parent, path, flags, Mode::empty())
}

fn read(dir: &OwnedFd, path: &Path, file: &str) -> Result<String, Error> {
    let full = || path.join(file);
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NOFOLLOW;
    let fd =
        rustix::fs::openat(dir, file, flags, Mode::empty()).map_err(|e| cgroup_error("open", &full())(e))?;
    let mut text = Vec::new();
    let mut buffer = [0_u8; 4096];
    loop {
        match rustix::io::read(&fd, &mut buffer[..]) {
            Ok(0) => break,
            Ok(size) => text.extend_from_slice(&buffer[..size]),
            Err(Errno::INTR) => {}
            Err(error) => return Err(cgroup_error("read", &full())(error)),
        }
    }
    Ok(String::from_utf8_lossy(&text).into_owned())
}

fn write(dir: &OwnedFd, path: &Path, file: &str, value: &str) -> Result<(), Error> {
    let failed = |operation| move |error| cgroup_error(operation, &path.join(OsStr::new(file)))(error);
    let flags = OFlags::WRONLY | OFlags::CLOEXEC | OFlags::NOFOLLOW;
    let fd = rustix::fs::openat(dir, file, flags, Mode::empty()).map_err(failed("open"))?;
    rustix::io::write(&fd, value.as_bytes()).map_err(failed("write"))?;
    Ok(())
}

pub(crate) fn cgroup_error(operation: &'static str, path: &Path) -> impl FnOnce(Errno) -> Error {
    move |error| Error::Cgroup { operation, path: path.to_path_buf(), source: error.into() }
}

#[cfg(test)]
mod tests {
    use std::os::unix::ffi::OsStrExt;
    use std::os::unix::process::ExitStatusExt;

    use super::*;

    /// Where the kernel cannot kill a cgroup as a whole, and one inside has a name that is no text.
    #[test]
    fn each_process_is_killed_whatever_its_cgroup_is_called() {
        if !rustix::process::geteuid().is_root() {
            assert!(std::env::var("ORLOP_REQUIRE").as_deref() != Ok("all"), "needs root");
            #[expect(clippy::print_stderr, reason = "a test says what it leaves out")]
            {
                eprintln!("skipped: needs root");
            }
            return;
        }
        let cgroups = Cgroups::discover(Base::Root).expect("cgroups");
        let path = CgroupPath::new(format!("orlop-unit-{}", std::process::id())).expect("valid");
        let cgroup = cgroups.create(&path, &Resources::new()).expect("made");
        let done = std::panic::catch_unwind(|| {
            for part in &cgroup.parts {
                let name = Path::new(OsStr::from_bytes(b"\xff"));
                rustix::fs::mkdirat(&part.dir, name, Mode::from_raw_mode(0o755)).expect("made");
                let inner = directory(part.dir.as_fd(), name).expect("there");
                let mut child = std::process::Command::new("sleep").arg("600").spawn().expect("started");
                let moved = write(&inner, &part.path, "cgroup.procs", &child.id().to_string());
                let killed = moved.and_then(|()| part.kill_each());
                if !matches!(killed, Ok(true)) {
                    let _ = child.kill();
                }
                assert_eq!(child.wait().expect("ended").signal(), Some(9));
                assert!(killed.expect("killed"));
                assert!(!part.kill_each().expect("none is left"));
            }
        });
        cgroups.purge(&path).expect("removed");
        assert!(cgroups.open(&path).expect("told").is_none());
        cgroup.kill().expect("there is none any more");
        done.expect("the test passes");
    }
}
