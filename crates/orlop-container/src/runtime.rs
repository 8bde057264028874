//! [`Runtime`]: makes containers and sandboxes, and finds those of an earlier run.

use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use orlop_fs::Root;
use rustix::fs::{AtFlags, FlockOperation, Mode, OFlags};
use rustix::io::Errno;
use rustix::process::Pid;

use crate::Error;
use crate::cgroup::{Base, CgroupPath, Cgroups, NoCgroups};
use crate::compile::{self, Machine};
use crate::container::Container;
use crate::faults::Faults;
use crate::id::Id;
use crate::ids::Ids;
use crate::process::{Family, Process};
use crate::sandbox::{self, Sandbox, SandboxSpec};
use crate::seccomp::Compiled;
use crate::spawn;
use crate::spec::{Spec, Stdio};
use crate::state::{Identity, Kind, Record};

/// What all containers and sandboxes of a runtime have in common.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) state: Root,
    pub(crate) path: PathBuf,
    pub(crate) cgroups: Result<Cgroups, NoCgroups>,
    /// The users and groups of this process.
    pub(crate) ids: Ids,
    pub(crate) faults: Faults,
    /// The program of ours that executes those of containers.
    pub(crate) execute: Option<OwnedFd>,
    /// Filters of system calls that have been compiled.
    pub(crate) filters: Compiled,
    /// Held as long as the runtime or anything of it lives.
    _lock: OwnedFd,
}

impl Shared {
    pub(crate) fn dir(&self, id: &Id) -> Result<Root, Error> {
        Ok(self.state.sub(id.as_str())?)
    }
}

/// Makes containers and sandboxes. It has a state directory, in which it writes down what it makes, before it makes it: so
/// that after a `kill -9` at any moment the next run finds everything ([`recover`](Self::recover)).
///
/// It has no thread, no signal handler and no process of its own, and can be used by as many threads as there are. It can be
/// cloned; clones are the same runtime.
#[derive(Clone, Debug)]
pub struct Runtime {
    shared: Arc<Shared>,
}

/// What an earlier run has left that is still whole.
#[derive(Debug, Default)]
pub struct Recovered {
    /// Containers that run.
    pub containers: Vec<Container>,
    /// Sandboxes.
    pub sandboxes: Vec<Sandbox>,
    /// The names of those of which something was left, but not all, or which had ended: they were removed.
    pub removed: Vec<String>,
}

const LOCK: &str = ".lock";

impl Runtime {
    /// A runtime with this state directory, which is made if it isn't there; best on a file system in memory, such as
    /// `/run`. Cgroups are made below the topmost one.
    ///
    /// # Errors
    /// If another runtime uses the directory (`EWOULDBLOCK`), or the kernel refuses.
    pub fn open(state: impl AsRef<Path>) -> Result<Self, Error> {
        Self::open_with(state, Base::Root)
    }

    /// The same with cgroups below another base. Where there are none, containers have no limits; see
    /// [`no_cgroups`](Self::no_cgroups).
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn open_with(state: impl AsRef<Path>, base: Base) -> Result<Self, Error> {
        Self::assemble(state.as_ref(), base, Faults::default())
    }

    /// The same, where a step fails on purpose.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    #[cfg(any(test, feature = "test-util"))]
    pub fn open_with_faults(state: impl AsRef<Path>, base: Base, faults: Faults) -> Result<Self, Error> {
        Self::assemble(state.as_ref(), base, faults)
    }

    fn assemble(path: &Path, base: Base, faults: Faults) -> Result<Self, Error> {
        let cgroups = match Cgroups::discover(base) {
            Ok(cgroups) => Ok(cgroups),
            Err(Error::NoCgroups(why)) => Err(why),
            Err(other) => return Err(other),
        };
        let failed = |operation: &'static str, path: &Path| {
            let object = path.display().to_string();
            move |error: Errno| Error::step(operation, object, error)
        };
        std::fs::create_dir_all(path).map_err(|source| Error::Step {
            operation: "mkdir",
            object: path.display().to_string(),
            source,
        })?;
        let path = path.canonicalize().map_err(|source| Error::Step {
            operation: "open",
            object: path.display().to_string(),
            source,
        })?;
        let state = Root::open(&path)?;
        // Containers are nobody else's business.
        rustix::fs::chmodat(&state, ".", Mode::from_raw_mode(0o700), AtFlags::empty())
            .map_err(failed("chmod", &path))?;
        let flags = OFlags::RDWR | OFlags::CREATE | OFlags::CLOEXEC | OFlags::NOFOLLOW;
        let lock = rustix::fs::openat(&state, LOCK, flags, Mode::from_raw_mode(0o600))
            .map_err(failed("open", &path.join(LOCK)))?;
        rustix::fs::flock(&lock, FlockOperation::NonBlockingLockExclusive)
            .map_err(failed("lock", &path.join(LOCK)))?;
        let execute = crate::own::execute()?;
        let ids = Ids::own()?;
        Ok(Self {
            shared: Arc::new(Shared {
                state,
                path,
                cgroups,
                ids,
                faults,
                execute,
                filters: Compiled::default(),
                _lock: lock,
            }),
        })
    }

    /// The machine's cgroups, if containers can have any.
    #[must_use]
    pub fn cgroups(&self) -> Option<&Cgroups> {
        self.shared.cgroups.as_ref().ok()
    }

    /// Why containers cannot have a cgroup, and with it neither limits nor statistics; nothing if they can.
    #[must_use]
    pub fn no_cgroups(&self) -> Option<&NoCgroups> {
        self.shared.cgroups.as_ref().err()
    }

    /// The users and groups that containers can have which get no user namespace of their own.
    #[must_use]
    pub fn ids(&self) -> &Ids {
        &self.shared.ids
    }

    /// Makes a container: when this comes back its process waits in its namespaces, with its files, under its limits, to
    /// be [started](Container::start).
    ///
    /// This makes a process, and waits for it; in async code it belongs on a thread for blocking work.
    ///
    /// # Errors
    /// If there is one of this name, the specification is wrong, the program cannot be found, or the kernel refuses. Then
    /// nothing is left.
    #[tracing::instrument(level = "debug", skip_all, fields(container = %id))]
    pub fn create(&self, id: &Id, spec: Spec, stdio: Stdio) -> Result<Container, Error> {
        let shared = &self.shared;
        let cgroup_spec = spec.cgroup.clone();
        if let (Some(_), Err(why)) = (&cgroup_spec, &shared.cgroups) {
            return Err(why.clone().into());
        }
        let dir = self.make_dir(id)?;
        let made = (|| {
            let mut record = Record::new(Kind::Container);
            record.annotations = spec.annotations.clone();
            record.cgroup = cgroup_spec.as_ref().map(|cgroup| cgroup.path.to_string());
            record.user_namespace = !matches!(spec.namespaces.user, crate::spec::UserNamespace::Host);
            shared.faults.step("write record")?;
            record.write(&dir)?;
            let mut cgroup = None;
            if let (Ok(cgroups), Some(wanted)) = (&shared.cgroups, &cgroup_spec) {
                cgroup = Some(cgroups.create_with(&wanted.path, &wanted.resources, &shared.faults)?);
            }
            let prepared = {
                let machine = Machine {
                    cgroups: shared.cgroups.as_ref().ok(),
                    cgroup: cgroup.as_ref(),
                    execute: shared.execute.as_ref(),
                    filters: &shared.filters,
                    ids: &shared.ids,
                };
                compile::container(spec, stdio, &machine)
                    .and_then(|launch| spawn::spawn(launch, &shared.faults))
                    .and_then(|spawn::Prepared { process, line }| match Family::new(process.clone()) {
                        Ok(family) => Ok((family, line)),
                        Err(error) => process.kill_and_wait().and(Err(error)),
                    })
            };
            match (prepared, cgroup) {
                (Ok((family, line)), cgroup) => Ok((family, line, cgroup, record)),
                (Err(error), None) => Err(error),
                (Err(error), Some(cgroup)) => {
                    if let Err(second) = cgroup.kill().and_then(|()| cgroup.remove()) {
                        tracing::warn!(container = %id, error = %second, "a cgroup is left over");
                    }
                    Err(error)
                }
            }
        })();
        match made {
            Ok((family, line, cgroup, record)) => {
                Ok(Container::created(id.clone(), shared.clone(), family, line, cgroup, record))
            }
            Err(error) => {
                shared.state.remove_all(id.as_str())?;
                Err(error)
            }
        }
    }

    /// Makes namespaces that several containers share.
    ///
    /// # Errors
    /// If there is something of this name, or the kernel refuses. Then nothing is left.
    pub fn sandbox(&self, id: &Id, spec: &SandboxSpec) -> Result<Sandbox, Error> {
        let shared = &self.shared;
        let dir = self.make_dir(id)?;
        let mut record = Record::new(Kind::Sandbox);
        record.annotations.clone_from(&spec.annotations);
        record.user_namespace = !matches!(spec.user, crate::spec::UserNamespace::Host);
        let made = (|| {
            shared.faults.step("write record")?;
            record.write(&dir)?;
            Sandbox::create(id.clone(), shared.clone(), spec, &dir, record)
        })();
        if made.is_err() {
            sandbox::remove(shared, id.as_str())?;
        }
        made
    }

    fn make_dir(&self, id: &Id) -> Result<Root, Error> {
        self.shared.faults.step("mkdir state")?;
        match self.shared.state.create_dir(id.as_str(), 0o700) {
            Err(error) if error.is_exists() => Err(Error::Exists { id: id.to_string() }),
            Err(error) => Err(error.into()),
            Ok(()) => self.shared.dir(id),
        }
    }

    /// Finds what an earlier run has left: containers that run and sandboxes that are whole are given back, to be used or
    /// deleted; of everything else whatever is left is removed. To be called before anything is made.
    ///
    /// Of containers that are given back the exit status is known if the kernel tells (from Linux 6.15 on).
    ///
    /// # Errors
    /// If something cannot be read or removed.
    #[tracing::instrument(level = "debug", skip_all)]
    pub fn recover(&self) -> Result<Recovered, Error> {
        let shared = &self.shared;
        let mut recovered = Recovered::default();
        for entry in shared.state.read_dir("", usize::MAX)? {
            let Some(id) = entry.name.to_str().and_then(|name| Id::new(name).ok()) else {
                continue;
            };
            let dir = shared.dir(&id)?;
            // One that was cut off while being written was of something that wasn't there yet.
            let record = Record::read(&dir)?;
            let whole = match &record {
                Some(record) if record.kind == Kind::Sandbox => {
                    match Sandbox::find(id.clone(), shared.clone(), &dir, record.clone())? {
                        Some(sandbox) => {
                            recovered.sandboxes.push(sandbox);
                            true
                        }
                        None => false,
                    }
                }
                Some(record) => match self.find_container(&id, record)? {
                    Some(container) => {
                        recovered.containers.push(container);
                        true
                    }
                    None => false,
                },
                None => false,
            };
            if !whole {
                drop(dir);
                self.remove_rest(&id, record.as_ref())?;
                recovered.removed.push(id.to_string());
            }
        }
        Ok(recovered)
    }

    fn find_container(&self, id: &Id, record: &Record) -> Result<Option<Container>, Error> {
        let Some(identity) = &record.process else { return Ok(None) };
        let Some(process) = adopt(identity)? else { return Ok(None) };
        let mut cgroup = None;
        if let (Ok(cgroups), Some(path)) = (&self.shared.cgroups, &record.cgroup) {
            cgroup = cgroups.open(&CgroupPath::new(path)?)?;
        }
        let shared = self.shared.clone();
        Ok(Some(Container::found(id.clone(), shared, Family::new(process)?, cgroup, record.clone())))
    }

    fn remove_rest(&self, id: &Id, record: Option<&Record>) -> Result<(), Error> {
        if let Some(record) = record {
            if let Some(process) = record.process.as_ref().map(adopt).transpose()?.flatten() {
                process.kill_and_wait()?;
            }
            if let (Ok(cgroups), Some(path)) = (&self.shared.cgroups, &record.cgroup) {
                cgroups.purge(&CgroupPath::new(path)?)?;
            }
        }
        sandbox::remove(&self.shared, id.as_str())
    }
}

/// The process, if it still runs.
pub(crate) fn adopt(identity: &Identity) -> Result<Option<Process>, Error> {
    if !identity.lives()? {
        return Ok(None);
    }
    let Some(pid) = i32::try_from(identity.pid).ok().and_then(Pid::from_raw) else { return Ok(None) };
    let process = match Process::adopt(pid) {
        Err(Errno::SRCH) => return Ok(None),
        other => {
            other.map_err(|error| Error::step("pidfd_open", format!("process {}", identity.pid), error))?
        }
    };
    // Between the look and the descriptor it may have ended and its number been given away.
    if !identity.lives()? || process.try_wait()?.is_some() {
        return Ok(None);
    }
    Ok(Some(process))
}
