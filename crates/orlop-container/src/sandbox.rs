//! [`Sandbox`]: namespaces that several containers share.

use std::collections::BTreeMap;
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use orlop_fs::{Mount, Root};
use rustix::fs::{CWD, Mode, OFlags};
use rustix::io::Errno;

use crate::Error;
use crate::compile::{self, Command, Launch, Layout};
use crate::container::lock;
use crate::id::Id;
use crate::process::Process;
use crate::program::{FsMount, Op, Program, Strings};
use crate::runtime::Shared;
use crate::spawn;
use crate::spec::{Namespace, Namespaces, Stdio, UserNamespace};
use crate::state::{Identity, Record};
use crate::sys;

/// What a sandbox is to be.
#[derive(Clone, Debug)]
pub struct SandboxSpec {
    /// Whether it has a network of its own; otherwise the caller's.
    pub network: bool,
    /// Whether it has its own System V IPC and message queues; otherwise the caller's.
    pub ipc: bool,
    /// Whether it has a host name of its own; otherwise the caller's.
    pub uts: bool,
    /// Whether its containers see each other's processes. A process of a few instructions then keeps the namespace.
    pub shared_pid: bool,
    /// Its users.
    pub user: UserNamespace,
    /// Its host name, if it has one of its own.
    pub hostname: Option<String>,
    /// Kernel parameters of its namespaces.
    pub sysctls: BTreeMap<String, String>,
    /// What the caller wants to find again with it.
    pub annotations: BTreeMap<String, String>,
}

impl Default for SandboxSpec {
    /// Network, IPC and host name of its own; processes apart; the caller's users.
    fn default() -> Self {
        Self {
            network: true,
            ipc: true,
            uts: true,
            shared_pid: false,
            user: UserNamespace::Host,
            hostname: None,
            sysctls: BTreeMap::new(),
            annotations: BTreeMap::new(),
        }
    }
}

/// Namespaces that several containers share. They are kept by being mounted into the state directory, so that no process
/// is needed for them and the next run of the program finds them; where the kernel doesn't permit such mounts, they are
/// kept by this value alone.
///
/// Whoever drops it without [`delete`](Self::delete) leaves it to be found by [`Runtime::recover`](crate::Runtime::recover).
#[derive(Debug)]
pub struct Sandbox {
    id: Id,
    shared: Arc<Shared>,
    kept: Mutex<Kept>,
    annotations: BTreeMap<String, String>,
}

#[derive(Debug, Default)]
struct Kept {
    network: Option<Arc<OwnedFd>>,
    ipc: Option<Arc<OwnedFd>>,
    uts: Option<Arc<OwnedFd>>,
    user: Option<Arc<OwnedFd>>,
    pid: Option<Arc<OwnedFd>>,
    /// The first process of the pid namespace.
    init: Option<Process>,
}

/// The files of the kernel that stand for the namespaces, which are also the names of the mounts.
const NETWORK: &str = "net";
const IPC: &str = "ipc";
const UTS: &str = "uts";
const USER: &str = "user";
const PID: &str = "pid";

impl Sandbox {
    #[tracing::instrument(level = "debug", skip_all, fields(sandbox = %id))]
    pub(crate) fn create(
        id: Id,
        shared: Arc<Shared>,
        spec: &SandboxSpec,
        dir: &Root,
        mut record: Record,
    ) -> Result<Self, Error> {
        let mut program = Program::default();
        let p = &mut program;
        let mut layout = Layout::default();
        layout.user(p, &spec.user)?;
        let choice = |own: bool| if own { Namespace::New } else { Namespace::Host };
        layout.add(p, &choice(spec.network), libc::CLONE_NEWNET, "network")?;
        layout.add(p, &choice(spec.ipc), libc::CLONE_NEWIPC, "ipc")?;
        layout.add(p, &choice(spec.uts), libc::CLONE_NEWUTS, "uts")?;
        layout.add(p, &choice(spec.shared_pid), libc::CLONE_NEWPID, "pid")?;
        // Mounts are needed for parameters, and by the first process so that nothing of the machine can be reached by it.
        layout.flags |= compile::bits(libc::CLONE_NEWNS);
        if layout.maps.is_some() {
            p.push(Op::AwaitMaps);
        }
        p.push(Op::Setsid);
        layout.join(p);
        if layout.other_user {
            p.push(Op::BecomeRoot);
        }
        p.push(Op::Propagate { to: libc::MS_PRIVATE });
        if let Some(name) = &spec.hostname {
            if !spec.uts {
                return Err(Error::spec("hostname", "needs a UTS namespace that is not the machine's"));
            }
            if name.is_empty() || name.len() > 64 {
                return Err(Error::spec("hostname", format!("{name:?} must have 1 to 64 bytes")));
            }
            p.push(Op::Hostname { name: name.clone().into_bytes() });
        }
        let proc = compile::sysctls_mount(p, !spec.sysctls.is_empty());
        let own = compile::Own { network: spec.network, ipc: spec.ipc };
        compile::sysctls(p, &spec.sysctls, own, proc)?;
        if spec.shared_pid {
            let root = p.slot();
            let all = sys::MOUNT_ATTR_RDONLY
                | sys::MOUNT_ATTR_NOSUID
                | sys::MOUNT_ATTR_NODEV
                | sys::MOUNT_ATTR_NOEXEC;
            p.push(Op::FsMount(FsMount {
                name: c"tmpfs".to_owned(),
                options: Vec::new(),
                attributes: all,
                out: root,
                fallback: None,
                optional: false,
            }));
            let slots = compile::standard_streams(p, Stdio::default(), None)?;
            let own = p.bring(crate::own::pause()?)?;
            p.push(Op::Enter { root });
            p.push(Op::Stdio { slots });
            p.push(Op::Bounding { drop: u64::MAX });
            p.push(Op::Capset { effective: 0, permitted: 0, inheritable: 0 });
            p.push(Op::NoNewPrivileges);
            p.push(Op::IgnoreChildren);
            p.push(Op::CloseRest { keep: Some(own) });
            p.push(Op::Ready);
            p.push(Op::AwaitStart);
            let args = Strings::new(vec![c"orlop-pause".to_owned()]);
            p.push(Op::ExecSlot { slot: own, args, env: Strings::new(Vec::new()) });
        } else {
            p.push(Op::Ready);
            p.push(Op::AwaitStart);
        }
        let command = Command { program: "pause".to_owned(), searched: String::new() };
        let launch =
            Launch { program, flags: layout.flags, birthplace: None, maps: layout.maps.take(), command };
        let spawn::Prepared { process, line } = spawn::spawn(launch, &shared.faults)?;

        // From here on the namespaces exist as long as the process waits, or somebody holds them.
        let made = (|| {
            let mut kept = Kept::default();
            let own_user = matches!(spec.user, UserNamespace::New { .. });
            let places = [
                (spec.network, NETWORK, &mut kept.network),
                (spec.ipc, IPC, &mut kept.ipc),
                (spec.uts, UTS, &mut kept.uts),
                (own_user, USER, &mut kept.user),
                (spec.shared_pid, PID, &mut kept.pid),
            ];
            for (wanted, name, place) in places {
                if !wanted {
                    continue;
                }
                let path = format!("/proc/{}/ns/{name}", process.pid());
                let namespace =
                    rustix::fs::openat(CWD, &path, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())
                        .map_err(|error| Error::step("open", &path, error))?;
                shared.faults.step("pin namespace")?;
                pin(dir, name, &path)?;
                *place = Some(Arc::new(namespace));
            }
            if let UserNamespace::Join(user) = &spec.user {
                kept.user = Some(user.clone());
            }
            Ok(kept)
        })();
        let started = made.and_then(|kept| {
            if spec.shared_pid {
                record.process = Identity::of(process.pid())?;
                shared.faults.step("write record")?;
                record.write(dir)?;
                line.start()?;
            } else {
                drop(line);
            }
            Ok(kept)
        });
        let mut kept = match started {
            Ok(kept) => kept,
            Err(error) => {
                process.kill_and_wait()?;
                return Err(error);
            }
        };
        if spec.shared_pid {
            kept.init = Some(process);
        } else {
            process.wait()?;
        }
        Ok(Self { id, shared, kept: Mutex::new(kept), annotations: record.annotations })
    }

    /// One of an earlier run, or nothing if it isn't whole any more.
    pub(crate) fn find(
        id: Id,
        shared: Arc<Shared>,
        dir: &Root,
        record: Record,
    ) -> Result<Option<Self>, Error> {
        let mut kept = Kept::default();
        let places = [
            (NETWORK, &mut kept.network),
            (IPC, &mut kept.ipc),
            (UTS, &mut kept.uts),
            (USER, &mut kept.user),
            (PID, &mut kept.pid),
        ];
        for (name, place) in places {
            let handle = match dir.handle_no_links(name) {
                Err(error) if error.is_not_found() => continue,
                other => other?,
            };
            let is_namespace = rustix::fs::fstatfs(&handle).is_ok_and(|fs| fs.f_type == NSFS);
            if !is_namespace {
                return Ok(None);
            }
            let path = shared.path.join(id.as_str()).join(name);
            let namespace = rustix::fs::openat(CWD, &path, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())
                .map_err(|error| Error::step("open", path.display().to_string(), error))?;
            *place = Some(Arc::new(namespace));
        }
        if kept.network.is_none() && kept.ipc.is_none() && kept.uts.is_none() && kept.pid.is_none() {
            return Ok(None);
        }
        if kept.pid.is_some() {
            let Some(identity) = record.process.filter(|process| process.lives().unwrap_or(false)) else {
                return Ok(None);
            };
            let Some(process) = crate::runtime::adopt(&identity)? else { return Ok(None) };
            kept.init = Some(process);
        }
        Ok(Some(Self { id, shared, kept: Mutex::new(kept), annotations: record.annotations }))
    }

    /// Its name.
    #[must_use]
    pub fn id(&self) -> &Id {
        &self.id
    }

    /// What the caller wanted to find again.
    #[must_use]
    pub fn annotations(&self) -> &BTreeMap<String, String> {
        &self.annotations
    }

    /// Its network namespace, if it has its own.
    #[must_use]
    pub fn network(&self) -> Option<Arc<OwnedFd>> {
        lock(&self.kept).network.clone()
    }

    /// Where its network namespace is mounted, as plugins that are told a path need it. It may not be there if the kernel
    /// doesn't permit such mounts.
    #[must_use]
    pub fn network_path(&self) -> PathBuf {
        self.shared.path.join(self.id.as_str()).join(NETWORK)
    }

    /// The first process of its pid namespace, if its containers share one.
    #[must_use]
    pub fn init_pid(&self) -> Option<u32> {
        lock(&self.kept).init.as_ref().map(Process::pid)
    }

    /// What a container in it gets as [`Spec::namespaces`](crate::Spec::namespaces): its namespaces; a pid namespace of
    /// its own, unless they are shared; a cgroup namespace of its own.
    #[must_use]
    pub fn namespaces(&self) -> Namespaces {
        let kept = lock(&self.kept);
        let join = |held: &Option<Arc<OwnedFd>>| held.clone().map_or(Namespace::Host, Namespace::Join);
        Namespaces {
            pid: kept.pid.clone().map_or(Namespace::New, Namespace::Join),
            network: join(&kept.network),
            ipc: join(&kept.ipc),
            uts: join(&kept.uts),
            cgroup: Namespace::New,
            user: kept.user.clone().map_or(UserNamespace::Host, UserNamespace::Join),
        }
    }

    /// Lets go of its namespaces, and removes what belongs to it. Containers that still run in them keep them, but for the
    /// pid namespace, in which everything is killed. A second time it does nothing.
    ///
    /// # Errors
    /// If something cannot be removed; it can be tried again.
    #[tracing::instrument(level = "debug", skip_all, fields(sandbox = %self.id))]
    pub fn delete(&self) -> Result<(), Error> {
        let mut kept = lock(&self.kept);
        if let Some(init) = &kept.init {
            init.kill_and_wait()?;
        }
        *kept = Kept::default();
        remove(&self.shared, self.id.as_str())
    }
}

/// `NSFS_MAGIC`
const NSFS: i64 = 0x6e73_6673;

/// Mounts the file of a namespace into the state directory.
fn pin(dir: &Root, name: &str, namespace: &str) -> Result<(), Error> {
    let mount = match Mount::bind(namespace, false) {
        // Without the privilege it is kept by its descriptor.
        Err(error) if error.raw_os_error() == Some(Errno::PERM.raw_os_error()) => return Ok(()),
        other => other?,
    };
    dir.create_new(name, 0o600)?;
    let done = mount.attach(&dir.handle_no_links(name)?);
    if let Err(error) = done {
        dir.remove_file(name)?;
        return Err(error.into());
    }
    Ok(())
}

/// Removes the directory of a container or sandbox, with what is mounted in it.
pub(crate) fn remove(shared: &Shared, id: &str) -> Result<(), Error> {
    let dir = match shared.state.sub(id) {
        Err(error) if error.is_not_found() => return Ok(()),
        other => other?,
    };
    for name in [NETWORK, IPC, UTS, USER, PID] {
        let handle = match dir.handle_no_links(name) {
            Err(error) if error.is_not_found() => continue,
            other => other?,
        };
        if rustix::fs::fstatfs(&handle).is_ok_and(|fs| fs.f_type == NSFS) {
            drop(handle);
            orlop_fs::unmount(shared.path.join(id).join(name))?;
        }
    }
    drop(dir);
    Ok(shared.state.remove_all(id)?)
}
