//! From a [`Spec`] to what the new process does: everything that needs memory or a decision is done here, before there is
//! a process.

use std::ffi::{CStr, CString};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Component, Path};

use rustix::fs::{CWD, FileType, Mode, OFlags};
use rustix::io::Errno;

use crate::Error;
use crate::capability::{Capability, CapabilitySet};
use crate::cgroup::{Cgroup, Cgroups};
use crate::ids::Ids;
use crate::program::{FsMount, Make, Op, Program, SetGroups, Slot, Strings, Target, c_string};
use crate::seccomp::Compiled;
use crate::spec::{
    DEFAULT_PATH, IdMap, Mount, MountOptions, Namespace, ProcessSpec, Propagation, RootSource, Source, Spec,
    Stdio, Stream, UserNamespace,
};
use crate::sys::{self, MountAttr};

/// The group of terminals, by custom.
const TTY: u32 = 5;

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

/// The maps of a user namespace.
#[derive(Clone, Debug)]
pub(crate) struct Maps {
    pub(crate) users: Vec<IdMap>,
    pub(crate) groups: Vec<IdMap>,
    /// Whether groups may not be set inside, without which the kernel doesn't let an ordinary user map a group.
    pub(crate) deny_setgroups: bool,
}

impl Maps {
    /// # Errors
    /// If id 0 isn't mapped, a range is empty or too long, or there are too many.
    pub(crate) fn new(users: &[IdMap], groups: &[IdMap]) -> Result<Self, Error> {
        for (field, maps) in [("namespaces.user.users", users), ("namespaces.user.groups", groups)] {
            let whole = |map: &IdMap| {
                map.count > 0
                    && map.inside.checked_add(map.count).is_some()
                    && map.outside.checked_add(map.count).is_some()
            };
            if !maps.iter().any(|map| map.inside == 0 && map.count > 0) {
                return Err(Error::spec(field, "must map id 0"));
            }
            if maps.len() > 340 || !maps.iter().all(whole) {
                return Err(Error::spec(field, "at most 340 ranges, each within 32 bits and not empty"));
            }
        }
        let (effective, _) = sys::capget().unwrap_or_default();
        let deny_setgroups = !CapabilitySet::from_bits(effective).contains(Capability::Setgid);
        Ok(Self { users: users.to_vec(), groups: groups.to_vec(), deny_setgroups })
    }

    /// Who a user is for the caller.
    fn outside(&self, uid: u32) -> Option<u32> {
        let offset = |map: &IdMap| uid.checked_sub(map.inside).filter(|offset| *offset < map.count);
        self.users.iter().find_map(|map| Some(map.outside + offset(map)?))
    }
}

/// Namespaces but the mount namespace: new, joined or the caller's.
#[derive(Debug, Default)]
pub(crate) struct Layout {
    /// Those that are made.
    pub(crate) flags: u64,
    /// Those that are joined.
    joins: Vec<(Slot, i32, &'static str)>,
    pub(crate) maps: Option<Maps>,
    /// Whether it has another user namespace than the caller.
    pub(crate) other_user: bool,
    pub(crate) joins_user: bool,
    joins_pid: bool,
}

impl Layout {
    pub(crate) fn user(&mut self, program: &mut Program, user: &UserNamespace) -> Result<(), Error> {
        match user {
            UserNamespace::Host => {}
            UserNamespace::New { users, groups } => {
                self.maps = Some(Maps::new(users, groups)?);
                self.flags |= bits(libc::CLONE_NEWUSER);
                self.other_user = true;
            }
            UserNamespace::Join(fd) => {
                let slot = program.bring(duplicate(fd)?)?;
                self.joins.push((slot, libc::CLONE_NEWUSER, "user"));
                self.other_user = true;
                self.joins_user = true;
            }
        }
        Ok(())
    }

    pub(crate) fn add(
        &mut self,
        program: &mut Program,
        namespace: &Namespace,
        kind: i32,
        name: &'static str,
    ) -> Result<(), Error> {
        match namespace {
            Namespace::Host => {}
            Namespace::New => self.flags |= bits(kind),
            Namespace::Join(fd) => {
                let slot = program.bring(duplicate(fd)?)?;
                self.joins.push((slot, kind, name));
                self.joins_pid |= kind == libc::CLONE_NEWPID;
            }
        }
        Ok(())
    }

    /// Joins in the process itself, or in one between it and the caller where the process could not: to join a pid
    /// namespace concerns children only, and whoever has a new user namespace may not join what belongs to another.
    pub(crate) fn join(&mut self, program: &mut Program) {
        let joins = std::mem::take(&mut self.joins);
        if self.joins_pid || (self.other_user && !joins.is_empty()) {
            program.joins = joins;
        } else {
            for (slot, flags, name) in joins {
                program.push(Op::Setns { slot, flags, name });
            }
        }
    }
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
    let mut layout = Layout { flags: bits(libc::CLONE_NEWNS), ..Layout::default() };
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

/// A copy of a mount: made here where the kernel permits it, so that what the process may not reach can be mounted too;
/// otherwise made by the process.
fn tree(p: &mut Program, field: &str, path: &Path, recursive: bool) -> Result<Slot, Error> {
    match orlop_fs::Mount::bind(path, recursive) {
        Ok(mount) => p.bring(mount.into_fd()),
        Err(error) if error.raw_os_error() == Some(Errno::PERM.raw_os_error()) => {
            let out = p.slot();
            p.push(Op::OpenTree { path: c_string(field, path)?, recursive, out });
            Ok(out)
        }
        Err(error) => Err(error.into()),
    }
}

fn attributes(options: MountOptions) -> u64 {
    [
        (options.read_only, sys::MOUNT_ATTR_RDONLY),
        (options.no_suid, sys::MOUNT_ATTR_NOSUID),
        (options.no_dev, sys::MOUNT_ATTR_NODEV),
        (options.no_exec, sys::MOUNT_ATTR_NOEXEC),
    ]
    .into_iter()
    .filter(|(given, _)| *given)
    .fold(0, |all, (_, bit)| all | bit)
}

fn mount(
    p: &mut Program,
    field: &str,
    mount: Mount,
    attach: &mut Vec<Op>,
    other_user: bool,
    machine: &Machine<'_>,
) -> Result<(), Error> {
    let target = Target::new(&format!("{field}.target"), &mount.target)?;
    let attributes = attributes(mount.options);
    let recursive = matches!(mount.source, Source::Bind { .. } | Source::Tree(_));
    let bound = match mount.source {
        Source::Bind { path, recursive } => tree(p, &format!("{field}.source"), &path, recursive)?,
        Source::Tree(tree) => p.bring(tree.into_fd())?,
        Source::Cgroup => return cgroup_mounts(p, target, attributes, attach, other_user, machine.cgroups),
        kernel => {
            let (name, options, fallback): (_, Vec<(CString, Option<CString>)>, _) = match kernel {
                Source::Proc => (c"proc", Vec::new(), None),
                // Of a network that is not the user namespace's own there cannot be one.
                Source::Sysfs => {
                    let may_fail = other_user || !machine.ids.are_the_machines();
                    (c"sysfs", Vec::new(), may_fail.then(|| c"/sys".to_owned()))
                }
                Source::Mqueue => (c"mqueue", Vec::new(), None),
                Source::Devpts => {
                    let mut options = vec![
                        option("newinstance", None)?,
                        option("ptmxmode", Some("0666"))?,
                        option("mode", Some("0620"))?,
                    ];
                    if !other_user && machine.ids.has_group(TTY) {
                        options.push(option("gid", Some(&TTY.to_string()))?);
                    }
                    (c"devpts", options, None)
                }
                Source::Tmpfs { size, mode } => {
                    let mut options = vec![option("mode", Some(&format!("{:o}", mode & 0o7777)))?];
                    if let Some(size) = size {
                        options.push(option("size", Some(&size.to_string()))?);
                    }
                    (c"tmpfs", options, None)
                }
                Source::Bind { .. } | Source::Tree(_) | Source::Cgroup => return Ok(()),
            };
            let out = p.slot();
            let is_tmpfs = name == c"tmpfs";
            p.push(Op::FsMount(FsMount {
                name: name.to_owned(),
                options,
                // Mount points inside may have to be made yet.
                attributes: if is_tmpfs { attributes & !sys::MOUNT_ATTR_RDONLY } else { attributes },
                out,
                fallback,
                optional: false,
            }));
            // Where the kernel's own file systems go there may be no links: an image could lead them elsewhere. Neither
            // where devices go.
            let links = is_tmpfs && target.path.as_c_str() != c"dev";
            let what = format!("/{}", target.path.to_string_lossy());
            attach.push(Op::Attach { slot: out, target, make: Make::Directory, links });
            if is_tmpfs && mount.options.read_only {
                let attr = MountAttr { set: sys::MOUNT_ATTR_RDONLY, ..MountAttr::default() };
                attach.push(Op::SetAttributes { slot: out, attr, recursive: false, what });
            }
            return Ok(());
        }
    };
    let propagation = match mount.propagation {
        Propagation::Private => libc::MS_PRIVATE,
        Propagation::FromHost => libc::MS_SLAVE,
        Propagation::Both => libc::MS_SHARED,
    };
    let attr = MountAttr { set: attributes, propagation, ..MountAttr::default() };
    let what = format!("/{}", target.path.to_string_lossy());
    p.push(Op::SetAttributes { slot: bound, attr, recursive, what });
    attach.push(Op::Attach { slot: bound, target, make: Make::AsMounted, links: true });
    Ok(())
}

fn option(key: &str, value: Option<&str>) -> Result<(CString, Option<CString>), Error> {
    let value = value.map(|value| c_string("mount option", value)).transpose()?;
    Ok((c_string("mount option", key)?, value))
}

/// Version 2 is one file system; version 1 is one for each hierarchy, on a small tmpfs.
fn cgroup_mounts(
    p: &mut Program,
    target: Target,
    attributes: u64,
    attach: &mut Vec<Op>,
    other_user: bool,
    cgroups: Option<&Cgroups>,
) -> Result<(), Error> {
    let Some(cgroups) = cgroups else { return Ok(()) };
    let new = |out, name: &CStr, options, attributes, optional| {
        Op::FsMount(FsMount { name: name.to_owned(), options, attributes, out, fallback: None, optional })
    };
    let base = Path::new("/").join(target.path.to_string_lossy().as_ref());
    let top = p.slot();
    attach.push(Op::Attach { slot: top, target, make: Make::Directory, links: false });
    if cgroups.layout() == crate::cgroup::Layout::V2 {
        p.push(new(top, c"cgroup2", Vec::new(), attributes, true));
        return Ok(());
    }
    let options = vec![option("mode", Some("755"))?, option("size", Some("64k"))?];
    p.push(new(top, c"tmpfs", options, attributes & !sys::MOUNT_ATTR_RDONLY, false));
    // In a user namespace version 1 cannot be mounted.
    if !other_user {
        for hierarchy in cgroups.hierarchies.iter() {
            let out = p.slot();
            let options =
                hierarchy.options().iter().map(|name| option(name, None)).collect::<Result<Vec<_>, _>>()?;
            let name = if hierarchy.v2 { c"cgroup2" } else { c"cgroup" };
            p.push(new(out, name, options, attributes, true));
            let target = Target::new("mounts", &base.join(hierarchy.name()))?;
            attach.push(Op::Attach { slot: out, target, make: Make::Directory, links: false });
        }
    }
    if attributes & sys::MOUNT_ATTR_RDONLY != 0 {
        let attr = MountAttr { set: sys::MOUNT_ATTR_RDONLY, ..MountAttr::default() };
        attach.push(Op::SetAttributes {
            slot: top,
            attr,
            recursive: false,
            what: base.display().to_string(),
        });
    }
    Ok(())
}

/// A process file system that is attached nowhere, if parameters are to be set: nothing in the container can lead what is
/// written there elsewhere.
pub(crate) fn sysctls_mount(p: &mut Program, wanted: bool) -> Slot {
    let out = p.slot();
    if wanted {
        p.push(Op::FsMount(FsMount {
            name: c"proc".to_owned(),
            options: Vec::new(),
            attributes: 0,
            out,
            fallback: None,
            optional: false,
        }));
    }
    out
}

/// Which namespaces with kernel parameters are not the caller's.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Own {
    pub(crate) network: bool,
    pub(crate) ipc: bool,
}

pub(crate) fn sysctls(
    p: &mut Program,
    sysctls: &std::collections::BTreeMap<String, String>,
    own: Own,
    proc: Slot,
) -> Result<(), Error> {
    for (name, value) in sysctls {
        let field = format!("sysctls[{name:?}]");
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._-/".contains(&byte);
        let path = name.replace('.', "/");
        if !name.bytes().all(plain) || path.split('/').any(|part| part.is_empty()) {
            return Err(Error::spec(field, "is not the name of a kernel parameter"));
        }
        match namespace(&path, own) {
            Some(true) => {}
            Some(false) => {
                return Err(Error::spec(field, "belongs to a namespace that is the machine's"));
            }
            None => return Err(Error::spec(field, "belongs to no namespace: it would change the machine")),
        }
        let path = c_string(&field, format!("sys/{path}"))?;
        p.push(Op::Sysctl { proc, path, value: value.clone().into_bytes() });
    }
    Ok(())
}

/// Whether the namespace that a parameter belongs to, if it belongs to one, is the container's own.
fn namespace(path: &str, own: Own) -> Option<bool> {
    const IPC: &[&str] = &[
        "kernel/msgmax",
        "kernel/msgmnb",
        "kernel/msgmni",
        "kernel/sem",
        "kernel/shmall",
        "kernel/shmmax",
        "kernel/shmmni",
        "kernel/shm_rmid_forced",
        "kernel/msg_next_id",
        "kernel/sem_next_id",
        "kernel/shm_next_id",
    ];
    if path.starts_with("net/") {
        return Some(own.network);
    }
    (IPC.contains(&path) || path.starts_with("fs/mqueue/")).then_some(own.ipc)
}

/// The part that a container's first process and further ones have in common: who it is, what it may, what it runs.
fn process(
    p: &mut Program,
    spec: &ProcessSpec,
    stdio: Stdio,
    owner: Option<u32>,
    set_groups: SetGroups,
    machine: &Machine<'_>,
) -> Result<Command, Error> {
    let by = machine.execute.map(|file| p.bring(duplicate(file)?)).transpose()?;
    let Some(first) = spec.args.first() else { return Err(Error::spec("process.args", "is empty")) };
    if first.is_empty() {
        return Err(Error::spec("process.args[0]", "is empty"));
    }
    let args = spec
        .args
        .iter()
        .enumerate()
        .map(|(number, arg)| c_string(&format!("process.args[{number}]"), arg))
        .collect::<Result<Vec<_>, _>>()?;
    let mut env = Vec::new();
    for (name, value) in &spec.env {
        let field = format!("process.env[{name:?}]");
        if name.is_empty() || name.contains('=') {
            return Err(Error::spec(field, "is not the name of a variable"));
        }
        env.push(c_string(&field, format!("{name}={value}"))?);
    }
    if let Some(score) = spec.oom_score_adj {
        if !(-1_000..=1_000).contains(&score) {
            return Err(Error::spec("process.oom_score_adj", format!("{score} must be -1000 to 1000")));
        }
        p.oom_score_adj = Some(score.to_string().into_bytes());
    }
    if !spec.cwd.is_absolute() {
        return Err(Error::spec("process.cwd", format!("{} is not absolute", spec.cwd.display())));
    }
    let path = spec.env.iter().rev().find(|(name, _)| name == "PATH").map(|(_, value)| value.as_str());
    let (candidates, searched) = candidates(first, path)?;

    let user = &spec.user;
    let slots = standard_streams(p, stdio, owner)?;
    p.push(Op::Stdio { slots });
    if spec.terminal {
        p.push(Op::ControllingTerminal);
    }
    for limit in &spec.rlimits {
        let (resource, name) = (limit.resource.number(), limit.resource.name());
        if limit.soft > limit.hard {
            return Err(Error::spec(format!("process.rlimits[{name}]"), "soft limit above hard limit"));
        }
        p.push(Op::Rlimit { resource, name, soft: limit.soft, hard: limit.hard });
    }
    p.push(Op::Umask { mask: user.umask.unwrap_or(0o022) & 0o777 });
    let capabilities = &spec.capabilities;
    for (set, name) in [(capabilities.permitted, "permitted"), (capabilities.inheritable, "inheritable")] {
        let beyond = capabilities.ambient - set;
        if beyond != CapabilitySet::EMPTY {
            return Err(Error::spec("process.capabilities.ambient", format!("{beyond:?} not {name}")));
        }
    }
    let beyond = capabilities.effective - capabilities.permitted;
    if beyond != CapabilitySet::EMPTY {
        return Err(Error::spec("process.capabilities.effective", format!("{beyond:?} not permitted")));
    }
    if !user.groups.is_empty() && set_groups == SetGroups::No {
        return Err(Error::spec(
            "process.user.groups",
            "cannot be set in a user namespace that an ordinary user has made",
        ));
    }
    p.push(Op::Bounding { drop: !capabilities.bounding.bits() });
    p.push(Op::Identity { uid: user.uid, gid: user.gid, groups: user.groups.clone(), set_groups });
    let filter = machine.filters.filter(&spec.seccomp, capabilities.effective)?;
    // A filter can be loaded by those who can never gain privileges again, or by who has this one.
    let load_early = filter.is_some() && !spec.no_new_privileges;
    let admin = CapabilitySet::EMPTY.with(Capability::SysAdmin);
    let held = if load_early { capabilities.permitted | admin } else { capabilities.permitted };
    // What it will have when its program runs: that counts for whether it can be executed.
    let has = if user.uid == 0 { capabilities.effective } else { capabilities.ambient };
    p.push(Op::Capset {
        effective: has.bits(),
        permitted: held.bits(),
        inheritable: capabilities.inheritable.bits(),
    });
    if spec.no_new_privileges {
        p.push(Op::NoNewPrivileges);
    }
    p.push(Op::Chdir { path: c_string("process.cwd", &spec.cwd)? });
    p.push(Op::FindExecutable { candidates });
    p.push(Op::CloseRest { keep: by });
    p.push(Op::Ready);
    p.push(Op::AwaitStart);
    let last = Op::Capset {
        effective: capabilities.effective.bits(),
        permitted: capabilities.permitted.bits(),
        inheritable: capabilities.inheritable.bits(),
    };
    let ambient = Op::Ambient { set: capabilities.ambient.bits() };
    if load_early {
        let effective = (has | admin).bits();
        p.push(Op::Capset {
            effective,
            permitted: held.bits(),
            inheritable: capabilities.inheritable.bits(),
        });
    } else {
        p.push(last);
        p.push(ambient);
        if let Some(filter) = filter {
            p.push(Op::Seccomp { filter });
        }
        p.push(Op::Exec { by, args: Strings::new(args), env: Strings::new(env) });
        return Ok(Command { program: first.clone(), searched });
    }
    if let Some(filter) = filter {
        p.push(Op::Seccomp { filter });
    }
    p.push(last);
    p.push(ambient);
    p.push(Op::Exec { by, args: Strings::new(args), env: Strings::new(env) });
    Ok(Command { program: first.clone(), searched })
}

/// Where a program may lie (execvp(3)), and the `PATH` if that is searched.
fn candidates(program: &str, path: Option<&str>) -> Result<(Vec<CString>, String), Error> {
    const FIELD: &str = "process.args[0]";
    if program.contains('/') {
        return Ok((vec![c_string(FIELD, program)?], String::new()));
    }
    let path = path.unwrap_or(DEFAULT_PATH);
    let all = path
        .split(':')
        .map(|dir| {
            c_string(FIELD, if dir.is_empty() { format!("./{program}") } else { format!("{dir}/{program}") })
        })
        .collect::<Result<Vec<_>, _>>()?;
    Ok((all, format!("PATH {path:?}")))
}

/// `owner` is the process's user as the caller knows it, if it does.
pub(crate) fn standard_streams(
    p: &mut Program,
    stdio: Stdio,
    owner: Option<u32>,
) -> Result<[Slot; 3], Error> {
    let mut null: Option<Slot> = None;
    let mut slots = [Slot(0); 3];
    let own = [rustix::stdio::stdin(), rustix::stdio::stdout(), rustix::stdio::stderr()];
    for ((place, stream), own) in slots.iter_mut().zip([stdio.stdin, stdio.stdout, stdio.stderr]).zip(own) {
        *place = match stream {
            Stream::Null => match null {
                Some(slot) => slot,
                None => {
                    let file =
                        rustix::fs::openat(CWD, "/dev/null", OFlags::RDWR | OFlags::CLOEXEC, Mode::empty())
                            .map_err(|error| Error::step("open", "/dev/null", error))?;
                    let slot = p.bring(file)?;
                    null = Some(slot);
                    slot
                }
            },
            Stream::Inherit => {
                let copy = rustix::io::fcntl_dupfd_cloexec(own, 3)
                    .map_err(|error| Error::step("dup", "standard stream", error))?;
                p.bring(copy)?
            }
            Stream::Fd(fd) => {
                let kind = rustix::fs::fstat(&fd).map(|stat| FileType::from_raw_mode(stat.st_mode));
                // So that the process can open it again by `/dev/stdout`. Whoever may not give it away, can't help it.
                let given = matches!(kind, Ok(FileType::Fifo)) || rustix::termios::isatty(&fd);
                if let Some(uid) = owner.filter(|uid| given && *uid != 0) {
                    let _ = rustix::fs::fchown(&fd, Some(rustix::fs::Uid::from_raw(uid)), None);
                }
                p.bring(fd)?
            }
        };
    }
    Ok(slots)
}

pub(crate) fn duplicate(fd: impl AsFd) -> Result<OwnedFd, Error> {
    rustix::io::fcntl_dupfd_cloexec(fd, 3).map_err(|error| Error::step("dup", "descriptor", error))
}

pub(crate) fn bits(flags: i32) -> u64 {
    u64::from(flags as u32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_are_searched_as_execvp_does() {
        let found = |program: &str, path| {
            let (all, searched) = candidates(program, path).expect("valid");
            (all.into_iter().map(|c| c.into_string().expect("plain")).collect::<Vec<_>>(), searched)
        };
        assert_eq!(found("/bin/sh", Some("/x")), (vec!["/bin/sh".to_owned()], String::new()));
        assert_eq!(found("./sh", None).0, ["./sh"]);
        assert_eq!(found("sh", Some("/a::/b")).0, ["/a/sh", "./sh", "/b/sh"]);
        assert_eq!(found("sh", None).0.len(), 6);
        assert!(candidates("a\0", None).is_err());
    }

    #[test]
    fn only_parameters_of_namespaces_are_set() {
        let set = |name: &str| {
            let mut program = Program::default();
            let slot = program.slot();
            let own = Own { network: true, ipc: true };
            sysctls(&mut program, &[(name.to_owned(), "1".to_owned())].into(), own, slot)
        };
        for name in
            ["net.ipv4.ip_forward", "kernel.shmmax", "fs.mqueue.msg_max", "net/ipv4/conf/eth0/forwarding"]
        {
            set(name).expect(name);
        }
        for name in [
            "kernel.core_pattern",
            "vm.swappiness",
            "kernel.shm",
            "",
            "net..x",
            "net.ipv4.../../kernel",
            "fs.mqueue",
            "../sysrq-trigger",
            "net/../kernel/core_pattern",
        ] {
            assert!(set(name).is_err(), "{name:?}");
        }
        let own = |network, ipc| {
            ["net/ipv4/ip_forward", "kernel/shmmax", "fs/mqueue/msg_max", "vm/swappiness"]
                .map(|path| namespace(path, Own { network, ipc }))
        };
        assert_eq!(own(true, false), [Some(true), Some(false), Some(false), None]);
        assert_eq!(own(false, true), [Some(false), Some(true), Some(true), None]);
    }

    #[test]
    fn maps_are_checked() {
        let map = |inside, outside, count| IdMap { inside, outside, count };
        let good = [map(0, 100_000, 65_536)];
        Maps::new(&good, &good).expect("valid");
        for bad in [
            vec![],
            vec![map(1, 0, 1)],
            vec![map(0, 0, 0)],
            vec![map(0, u32::MAX, 2)],
            vec![map(0, 0, 1); 341],
        ] {
            assert!(Maps::new(&bad, &good).is_err(), "{bad:?}");
            assert!(Maps::new(&good, &bad).is_err(), "{bad:?}");
        }
    }
}
