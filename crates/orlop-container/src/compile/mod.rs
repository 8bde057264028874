//! From a [`Spec`] to what the new process does: everything that needs memory or a decision is done here, before there is
//! a process.

mod mounts;
mod namespaces;
mod process;
mod sysctls;

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Component;

use crate::Error;
use crate::cgroup::{Cgroup, Cgroups};
use crate::ids::Ids;
use crate::program::{Make, Op, Program, SetGroups, Target, c_string};
use crate::seccomp::Compiled;
use crate::spec::{Namespace, ProcessSpec, Propagation, RootSource, Spec, Stdio};
use crate::sys::{self, MountAttr};

use mounts::{mount, tree};
pub(crate) use namespaces::{Layout, Maps};
use process::process;
pub(crate) use process::standard_streams;
pub(crate) use sysctls::{Own, sysctls, sysctls_mount};

/// A process to be made.
#[derive(Debug)]
pub(crate) struct Launch<'a> {
    pub(crate) program: Program,
    /// The namespaces that are made with it.
    pub(crate) flags: u64,
    /// The cgroup of version 2 into which it is born.
    pub(crate) birthplace: Option<BorrowedFd<'a>>,
    /// What the caller writes into the maps of its user namespace.
    pub(crate) maps: Option<Maps>,
    /// Its program and where that is searched, for errors.
    pub(crate) command: Command,
}

/// A program and where it is searched.
#[derive(Clone, Debug, Default)]
pub(crate) struct Command {
    pub(crate) program: String,
    /// `PATH`, if that is where.
    pub(crate) searched: String,
}

/// What a container needs of the machine.
pub(crate) struct Machine<'a> {
    pub(crate) cgroups: Option<&'a Cgroups>,
    pub(crate) cgroup: Option<&'a Cgroup>,
    /// The program of ours that executes the container's.
    pub(crate) execute: Option<&'a OwnedFd>,
    /// Filters that have been compiled.
    pub(crate) filters: &'a Compiled,
    /// The users and groups of the caller.
    pub(crate) ids: &'a Ids,
}

/// Compiles the making of a container, up to the program that it runs.
pub(crate) fn container<'a>(spec: Spec, stdio: Stdio, machine: &Machine<'a>) -> Result<Launch<'a>, Error> {
    let mut program = Program::default();
    let p = &mut program;
    let mut layout = Layout::default();
    layout.flags |= bits(libc::CLONE_NEWNS);
    let namespaces = &spec.namespaces;
    layout.user(p, &namespaces.user)?;
    layout.add(p, &namespaces.network, libc::CLONE_NEWNET, "network")?;
    layout.add(p, &namespaces.ipc, libc::CLONE_NEWIPC, "ipc")?;
    layout.add(p, &namespaces.uts, libc::CLONE_NEWUTS, "uts")?;
    layout.add(p, &namespaces.pid, libc::CLONE_NEWPID, "pid")?;
    let new_cgroup = matches!(namespaces.cgroup, Namespace::New);
    if !new_cgroup {
        layout.add(p, &namespaces.cgroup, libc::CLONE_NEWCGROUP, "cgroup")?;
    }
    for (field, given) in [("hostname", &spec.hostname), ("domainname", &spec.domainname)] {
        if let Some(name) = given {
            if matches!(namespaces.uts, Namespace::Host) {
                return Err(Error::spec(field, "needs a UTS namespace that is not the machine's"));
            }
            if name.is_empty() || name.len() > 64 {
                return Err(Error::spec(field, format!("{name:?} must have 1 to 64 bytes")));
            }
        }
    }

    if layout.maps.is_some() {
        p.push(Op::AwaitMaps);
    }
    p.push(Op::Setsid);
    p.push(Op::Undumpable);
    // Mount points are made for everybody, whatever the caller's mask.
    p.push(Op::Umask { mask: 0o022 });
    if let Some(cgroup) = machine.cgroup {
        join_cgroup(p, cgroup)?;
    }
    layout.join(p);
    if layout.other_user {
        p.push(Op::BecomeRoot);
    }
    if new_cgroup {
        p.push(Op::Unshare { flags: libc::CLONE_NEWCGROUP, name: "cgroup" });
    }
    let from_host = spec.mounts.iter().any(|mount| mount.propagation != Propagation::Private);
    p.push(Op::Propagate { to: if from_host { libc::MS_SLAVE } else { libc::MS_PRIVATE } });

    // What is mounted is made while the machine's files are still there, and attached when they are gone.
    let root = match spec.root.source {
        RootSource::Mount(mount) => p.bring(mount.into_fd())?,
        RootSource::Directory(path) => tree(p, "root", &path, false)?,
    };
    let mut set = 0;
    if spec.root.no_dev {
        set |= sys::MOUNT_ATTR_NODEV;
    }
    if spec.root.no_suid {
        set |= sys::MOUNT_ATTR_NOSUID;
    }
    let attr = MountAttr { set, propagation: libc::MS_PRIVATE, ..MountAttr::default() };
    p.push(Op::SetAttributes { slot: root, attr, recursive: true, what: "/".to_owned() });
    let mut attach = Vec::new();
    for (number, mount) in spec.mounts.into_iter().enumerate() {
        let field = format!("mounts[{number}]");
        self::mount(p, &field, mount, &mut attach, layout.other_user, machine)?;
    }
    for (number, device) in spec.devices.iter().enumerate() {
        let field = format!("devices[{number}]");
        let slot = p.slot();
        let path = c_string(&field, &device.host)?;
        p.push(Op::OpenTree { path: path.clone(), recursive: false, out: slot });
        if let Some((major, minor)) = device.character {
            p.push(Op::CheckDevice { slot, major, minor, path });
        }
        if device.read_only {
            let attr = MountAttr { set: sys::MOUNT_ATTR_RDONLY, ..MountAttr::default() };
            let what = device.path.display().to_string();
            p.push(Op::SetAttributes { slot, attr, recursive: false, what });
        }
        let target = Target::new(&field, &device.path)?;
        attach.push(Op::Attach { slot, target, make: Make::AsMounted, links: false });
    }
    let null = p.slot();
    if !spec.masked_paths.is_empty() {
        // Not the container's: what covers must be what it seems to be.
        p.push(Op::OpenTree { path: c"/dev/null".to_owned(), recursive: false, out: null });
        p.push(Op::CheckDevice { slot: null, major: 1, minor: 3, path: c"/dev/null".to_owned() });
    }
    let proc = sysctls_mount(p, !spec.sysctls.is_empty());

    p.push(Op::Enter { root });
    p.ops.extend(attach);
    for (number, (link, to)) in spec.links.iter().enumerate() {
        let field = format!("links[{number}]");
        p.push(Op::Symlink { link: Target::new(&field, link)?, to: c_string(&field, to)? });
    }
    let empty = p.slot();
    for (number, path) in spec.masked_paths.iter().enumerate() {
        let path = Target::new(&format!("masked_paths[{number}]"), path)?;
        p.push(Op::Mask { path, null, empty });
    }
    for (number, path) in spec.read_only_paths.iter().enumerate() {
        let path = Target::new(&format!("read_only_paths[{number}]"), path)?;
        p.push(Op::ReadOnly { path });
    }
    if let Some(name) = spec.hostname {
        p.push(Op::Hostname { name: name.into_bytes() });
    }
    if let Some(name) = spec.domainname {
        p.push(Op::Domainname { name: name.into_bytes() });
    }
    let apart = |namespace: &Namespace| !matches!(namespace, Namespace::Host);
    let own = Own { network: apart(&spec.namespaces.network), ipc: apart(&spec.namespaces.ipc) };
    sysctls(p, &spec.sysctls, own, proc)?;
    let named = |part: Component<'_>| matches!(part, Component::RootDir | Component::Normal(_));
    if spec.process.cwd.components().count() > 1 && spec.process.cwd.components().all(named) {
        p.push(Op::MakeDirs { path: Target::new("process.cwd", &spec.process.cwd)? });
    }
    if spec.root.read_only {
        let attr = MountAttr { set: sys::MOUNT_ATTR_RDONLY, ..MountAttr::default() };
        p.push(Op::SetAttributes { slot: root, attr, recursive: false, what: "/".to_owned() });
    }
    let groups = match (&layout.maps, layout.joins_user) {
        (Some(maps), _) if maps.deny_setgroups => SetGroups::No,
        (None, true) if spec.process.user.groups.is_empty() => SetGroups::IfPermitted,
        (None, false) => of_the_caller(&spec.process, machine.ids)?,
        _ => SetGroups::Yes,
    };
    let uid = spec.process.user.uid;
    let owner = match &layout.maps {
        Some(maps) => maps.outside(uid),
        None => (!layout.other_user).then_some(uid),
    };
    let command = process(p, &spec.process, stdio, owner, groups, machine)?;
    let birthplace = machine.cgroup.and_then(Cgroup::birthplace);
    Ok(Launch { program, flags: layout.flags, birthplace, maps: layout.maps, command })
}

/// Compiles a further process of a container, whose first one is known by descriptor.
pub(crate) fn further<'a>(
    spec: &ProcessSpec,
    stdio: Stdio,
    first: BorrowedFd<'_>,
    other_user: bool,
    machine: &Machine<'a>,
) -> Result<Launch<'a>, Error> {
    let cgroup = machine.cgroup;
    let mut program = Program::default();
    let p = &mut program;
    let mut kinds = libc::CLONE_NEWNS
        | libc::CLONE_NEWPID
        | libc::CLONE_NEWNET
        | libc::CLONE_NEWIPC
        | libc::CLONE_NEWUTS
        | libc::CLONE_NEWCGROUP;
    if other_user {
        kinds |= libc::CLONE_NEWUSER;
    }
    let first = rustix::io::fcntl_dupfd_cloexec(first, 3)
        .map_err(|error| Error::step("dup", "descriptor of the process", error))?;
    let slot = p.bring(first)?;
    program.joins = vec![(slot, kinds, "container's")];
    let p = &mut program;
    p.push(Op::Setsid);
    // Only the descriptors are needed: the files of the machine are out of sight by now.
    if let Some(cgroup) = cgroup {
        join_cgroup(p, cgroup)?;
    }
    if other_user {
        p.push(Op::BecomeRoot);
    }
    let groups = match other_user {
        true if spec.user.groups.is_empty() => SetGroups::IfPermitted,
        true => SetGroups::Yes,
        false => of_the_caller(spec, machine.ids)?,
    };
    let owner = (!other_user).then_some(spec.user.uid);
    let command = process(p, spec, stdio, owner, groups, machine)?;
    let birthplace = cgroup.and_then(Cgroup::birthplace);
    Ok(Launch { program, flags: 0, birthplace, maps: None, command })
}

/// Whether a process in the caller's user namespace sets its groups.
///
/// # Errors
/// If its user or a group of it isn't there.
fn of_the_caller(process: &ProcessSpec, ids: &Ids) -> Result<SetGroups, Error> {
    let user = &process.user;
    let missing = |kind: &str, id: u32| Error::User {
        user: format!("{}:{}", user.uid, user.gid),
        message: format!("there is no {kind} {id} in the user namespace of this program"),
    };
    if !ids.has_user(user.uid) {
        return Err(missing("user", user.uid));
    }
    if let Some(group) = std::iter::once(&user.gid).chain(&user.groups).find(|group| !ids.has_group(**group))
    {
        return Err(missing("group", *group));
    }
    Ok(if ids.sets_groups() { SetGroups::Yes } else { SetGroups::No })
}

fn join_cgroup(p: &mut Program, cgroup: &Cgroup) -> Result<(), Error> {
    for (file, what) in cgroup.joining()? {
        let slot = p.bring(file)?;
        p.push(Op::WriteSlot { slot, data: b"0", what });
    }
    Ok(())
}

pub(crate) fn duplicate(fd: impl AsFd) -> Result<OwnedFd, Error> {
    rustix::io::fcntl_dupfd_cloexec(fd, 3).map_err(|error| Error::step("dup", "descriptor", error))
}

pub(crate) fn bits(flags: i32) -> u64 {
    u64::from(flags as u32)
}
