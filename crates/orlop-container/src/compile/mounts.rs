//! Mounts: what each one is made of and where it goes.

use std::ffi::{CStr, CString};
use std::path::Path;

use rustix::io::Errno;

use crate::Error;
use crate::cgroup::Cgroups;
use crate::program::{FsMount, Make, Op, Program, Slot, Target, c_string};
use crate::spec::{Mount, MountOptions, Propagation, Source};
use crate::sys::{self, MountAttr};

use super::Machine;

/// The group of terminals, by custom.
const TTY: u32 = 5;

/// A copy of a mount: made here where the kernel permits it, so that what the process may not reach can be mounted too;
/// otherwise made by the process.
pub(super) fn tree(p: &mut Program, field: &str, path: &Path, recursive: bool) -> Result<Slot, Error> {
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

pub(super) fn mount(
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
