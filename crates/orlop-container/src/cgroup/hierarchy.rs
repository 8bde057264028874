//! [`Cgroups`]: which hierarchies of cgroups the machine has, and where.

use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustix::fs::{Access, AtFlags, CWD, Mode, OFlags};
use rustix::io::Errno;

use super::cgroup_error;
use crate::Error;

/// How the machine's cgroups are laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Layout {
    /// Version 1: a hierarchy for each controller, or for a few together.
    V1,
    /// Version 2: one hierarchy.
    V2,
    /// Controllers in version 1, and beside them a hierarchy of version 2 that has none or a few.
    Hybrid,
}

/// Below which cgroup ours are made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Base {
    /// The topmost that can be seen, as kubelet does.
    #[default]
    Root,
    /// That of this process, in each hierarchy.
    Own,
    /// The first of the two in which this process may make cgroups that limit CPU, memory and number of processes: for
    /// root that is the topmost, for others their own if it was delegated to them (cgroups(7)). Where all controllers are
    /// of version 2 their own has processes in it and cannot pass on controllers; there the one above is taken, if that was
    /// delegated and has none.
    Permitted,
}

/// Why there can be no cgroups, so that containers have neither limits nor statistics.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NoCgroups {
    /// No hierarchy is mounted.
    #[error("no hierarchy is mounted")]
    Missing,
    /// The process may not make any, neither at the top nor below its own.
    #[error("{} may not be written ({reason}): it is neither root's nor delegated", path.display())]
    Denied {
        /// The folder or file, of the process's own cgroup.
        path: PathBuf,
        /// The kernel's answer.
        reason: Errno,
    },
    /// A controller that limits need isn't there.
    #[error("the cgroup {} has no controller {controller}", path.display())]
    Controller {
        /// The process's own cgroup.
        path: PathBuf,
        /// The controller's name.
        controller: &'static str,
    },
    /// The process's own cgroup was delegated, but has processes in it and can therefore not pass on controllers (version
    /// 2: "no internal processes").
    #[error("the cgroup {} has processes in it and cannot pass on its controllers", path.display())]
    Occupied {
        /// The process's own cgroup.
        path: PathBuf,
    },
}

/// The controllers without which limits would not be what they seem.
const LIMITING: [&str; 3] = ["cpu", "memory", "pids"];

/// The machine's cgroups.
#[derive(Clone, Debug)]
pub struct Cgroups {
    pub(crate) hierarchies: Arc<Vec<Hierarchy>>,
    layout: Layout,
}

#[derive(Debug)]
pub(crate) struct Hierarchy {
    /// Where our cgroups begin, by descriptor and by path.
    pub(crate) dir: OwnedFd,
    pub(crate) path: PathBuf,
    /// Version 1: its controllers; version 2: those that may be passed on from the base.
    pub(crate) controllers: Vec<String>,
    pub(crate) v2: bool,
}

impl Hierarchy {
    /// Whether this process may make cgroups in it and move processes of its own into them; otherwise what it may not
    /// write.
    fn may_be_written(&self) -> Result<(), (PathBuf, Errno)> {
        for name in [".", "cgroup.procs"] {
            rustix::fs::accessat(&self.dir, name, Access::WRITE_OK, AtFlags::EACCESS)
                .map_err(|reason| (self.path.join(name).components().collect(), reason))?;
        }
        Ok(())
    }

    /// The options by which version 1 finds it.
    pub(crate) fn options(&self) -> &[String] {
        if self.v2 { &[] } else { &self.controllers }
    }

    /// The name of its directory in a container.
    pub(crate) fn name(&self) -> String {
        if self.v2 { "unified".to_owned() } else { self.controllers.join(",") }
    }
}

impl Cgroups {
    /// Looks at what is mounted.
    ///
    /// # Errors
    /// If there are no cgroups ([`NoCgroups`]), or what the kernel tells of them cannot be read.
    pub fn discover(base: Base) -> Result<Self, Error> {
        if base != Base::Permitted {
            return Self::look(base);
        }
        if let Ok(all) = Self::look(Base::Root)?.permitted() {
            return Ok(all);
        }
        let own = Self::look(Base::Own).map_err(|error| match error {
            // As where a hierarchy is seen from a place beside its own.
            Error::Cgroup { path, source, .. } => {
                let reason = Errno::from_io_error(&source).unwrap_or(Errno::ACCESS);
                NoCgroups::Denied { path, reason }.into()
            }
            other => other,
        })?;
        let above = own.above();
        own.usable().or_else(|why| above.and_then(|above| above.usable().ok()).ok_or(why.into()))
    }

    /// These, if this process may make cgroups in them that limit what is to be limited.
    fn usable(self) -> Result<Self, NoCgroups> {
        let permitted = self.permitted()?;
        permitted.is_complete()?;
        permitted.is_free()?;
        Ok(permitted)
    }

    /// The cgroup above, where all controllers are of version 2: whoever has delegated it may have put this process into one
    /// of its own below, so that it is free.
    fn above(&self) -> Option<Self> {
        let [only] = self.hierarchies.as_slice() else { return None };
        let path = only.path.parent().filter(|_| only.v2)?;
        let controllers = std::fs::read_to_string(path.join("cgroup.controllers")).ok()?;
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let dir = rustix::fs::openat(CWD, path, flags, Mode::empty()).ok()?;
        let controllers = controllers.split_whitespace().map(str::to_owned).collect();
        let above = Hierarchy { dir, path: path.to_path_buf(), controllers, v2: true };
        Some(Self { hierarchies: Arc::new(vec![above]), layout: self.layout })
    }

    /// Those hierarchies in which this process may make cgroups.
    fn permitted(self) -> Result<Self, NoCgroups> {
        let Self { hierarchies, layout } = self;
        let needed = |hierarchy: &Hierarchy| {
            let with = |name: &str| hierarchy.controllers.iter().any(|controller| controller == name);
            hierarchy.v2
                || LIMITING.iter().any(|name| with(name))
                || with("cpuacct")
                || (with("freezer") && layout == Layout::V1)
        };
        let mut kept = Vec::new();
        for hierarchy in Arc::try_unwrap(hierarchies).unwrap_or_default() {
            match hierarchy.may_be_written() {
                Ok(()) => kept.push(hierarchy),
                Err((path, reason)) if needed(&hierarchy) => return Err(NoCgroups::Denied { path, reason }),
                Err(_) => {}
            }
        }
        Ok(Self { hierarchies: Arc::new(kept), layout })
    }

    /// Whether everything can be limited that is to be.
    fn is_complete(&self) -> Result<(), NoCgroups> {
        let missing = |name: &str| !self.controllers().any(|controller| controller == name);
        match LIMITING.into_iter().find(|name| missing(name)) {
            Some(controller) => {
                let path = self.hierarchies.first().map(|first| first.path.clone()).unwrap_or_default();
                Err(NoCgroups::Controller { path, controller })
            }
            None => Ok(()),
        }
    }

    /// Whether controllers can be passed on. Only the topmost cgroup may do that with processes in it.
    fn is_free(&self) -> Result<(), NoCgroups> {
        let limits = |one: &&Hierarchy| {
            one.v2 && one.controllers.iter().any(|controller| LIMITING.contains(&controller.as_str()))
        };
        for hierarchy in self.hierarchies.iter().filter(limits) {
            let is_top = !hierarchy.path.join("cgroup.type").exists();
            let processes = std::fs::read_to_string(hierarchy.path.join("cgroup.procs")).unwrap_or_default();
            if !is_top && !processes.trim().is_empty() {
                return Err(NoCgroups::Occupied { path: hierarchy.path.clone() });
            }
        }
        Ok(())
    }

    fn look(base: Base) -> Result<Self, Error> {
        let read = |path: &str| {
            std::fs::read_to_string(path).map_err(|source| Error::Cgroup {
                operation: "read",
                path: path.into(),
                source,
            })
        };
        let found = find(&read("/proc/self/mountinfo")?, &read("/proc/self/cgroup")?, base);
        let mut hierarchies = Vec::new();
        for Found { path, mut controllers, v2 } in found {
            let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
            let dir =
                rustix::fs::openat(CWD, &path, flags, Mode::empty()).map_err(cgroup_error("open", &path))?;
            if v2 {
                let available = std::fs::read_to_string(path.join("cgroup.controllers")).unwrap_or_default();
                controllers = available.split_whitespace().map(str::to_owned).collect();
            }
            hierarchies.push(Hierarchy { dir, path, controllers, v2 });
        }
        let layout = match (hierarchies.iter().any(|h| h.v2), hierarchies.iter().any(|h| !h.v2)) {
            (true, true) => Layout::Hybrid,
            (true, false) => Layout::V2,
            (false, true) => Layout::V1,
            (false, false) => return Err(NoCgroups::Missing.into()),
        };
        Ok(Self { hierarchies: Arc::new(hierarchies), layout })
    }

    /// How they are laid out.
    #[must_use]
    pub fn layout(&self) -> Layout {
        self.layout
    }

    /// The controllers there are.
    pub fn controllers(&self) -> impl Iterator<Item = &str> {
        self.hierarchies.iter().flat_map(|hierarchy| hierarchy.controllers.iter().map(String::as_str))
    }

    /// Where the base of each hierarchy lies, with its controllers.
    pub fn paths(&self) -> impl Iterator<Item = (&Path, &[String])> {
        self.hierarchies.iter().map(|h| (h.path.as_path(), h.controllers.as_slice()))
    }
}

/// A hierarchy that was found: where its base lies, which controllers it has by its mount options.
#[derive(Debug, PartialEq, Eq)]
struct Found {
    path: PathBuf,
    controllers: Vec<String>,
    v2: bool,
}

/// The controllers of version 1, as mount options; all other options mean something else.
const CONTROLLERS: &[&str] = &[
    "cpu",
    "cpuacct",
    "cpuset",
    "memory",
    "devices",
    "freezer",
    "net_cls",
    "net_prio",
    "blkio",
    "perf_event",
    "hugetlb",
    "pids",
    "rdma",
    "misc",
];

/// Reads `/proc/self/mountinfo` and `/proc/self/cgroup` (proc(5), cgroups(7)). If a hierarchy is mounted more than once,
/// the shortest path counts. Named hierarchies without controllers (systemd's) are none of ours.
fn find(mountinfo: &str, own: &str, base: Base) -> Vec<Found> {
    // Lines `id:controllers:path`; of version 2 `0::path`.
    let own_path = |v2: bool, controllers: &[String]| {
        own.lines().find_map(|line| {
            let mut parts = line.splitn(3, ':');
            let (id, names, path) = (parts.next()?, parts.next()?, parts.next()?);
            let matches = if v2 {
                id == "0" && names.is_empty()
            } else {
                names.split(',').any(|name| controllers.iter().any(|controller| controller == name))
            };
            matches.then(|| path.to_owned())
        })
    };
    let mut all: Vec<Found> = Vec::new();
    for line in mountinfo.lines() {
        // id parent major:minor root point options [optional…] - type source super-options
        let Some((left, right)) = line.split_once(" - ") else { continue };
        let mut left = left.split(' ').skip(3);
        let (Some(root), Some(point)) = (left.next(), left.next()) else { continue };
        let mut right = right.split(' ');
        let (Some(kind), _, Some(options)) = (right.next(), right.next(), right.next()) else { continue };
        let v2 = kind == "cgroup2";
        if !v2 && kind != "cgroup" {
            continue;
        }
        let controllers: Vec<String> =
            options.split(',').filter(|option| CONTROLLERS.contains(option)).map(str::to_owned).collect();
        if !v2 && controllers.is_empty() {
            continue;
        }
        let mut path = PathBuf::from(unescape(point));
        if base == Base::Own {
            let Some(own) = own_path(v2, &controllers) else { continue };
            // The mount may begin further down than the hierarchy.
            let below = Path::new(&own).strip_prefix(root).unwrap_or(Path::new(&own));
            path.push(below.strip_prefix("/").unwrap_or(below));
        }
        let found = Found { path, controllers: if v2 { Vec::new() } else { controllers }, v2 };
        let same = |other: &&mut Found| other.v2 == v2 && other.controllers == found.controllers;
        match all.iter_mut().find(same) {
            Some(other) if other.path.as_os_str().len() > found.path.as_os_str().len() => *other = found,
            Some(_) => {}
            None => all.push(found),
        }
    }
    all
}

/// Blanks, tabs, newlines and backslashes are written as octal numbers.
fn unescape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        out.push_str(&rest[..at]);
        let code = rest.get(at + 1..at + 4).and_then(|digits| u8::from_str_radix(digits, 8).ok());
        match code {
            Some(code) if code.is_ascii() => {
                out.push(char::from(code));
                rest = &rest[at + 4..];
            }
            _ => {
                out.push('\\');
                rest = &rest[at + 1..];
            }
        }
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(path: &str, controllers: &[&str], v2: bool) -> Found {
        let controllers = controllers.iter().map(|name| (*name).to_owned()).collect();
        Found { path: path.into(), controllers, v2 }
    }

    const HYBRID: &str = "\
25 21 0:22 / /sys/fs/cgroup ro,nosuid - tmpfs tmpfs ro,mode=755
26 25 0:23 / /sys/fs/cgroup/unified rw,nosuid shared:5 - cgroup2 cgroup2 rw
27 25 0:24 / /sys/fs/cgroup/systemd rw shared:6 - cgroup cgroup rw,xattr,name=systemd
28 25 0:25 / /sys/fs/cgroup/cpu,cpuacct rw shared:7 master:1 - cgroup cgroup rw,cpu,cpuacct
29 25 0:26 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory
30 1 0:26 / /a\\040longer\\134path/to/memory rw - cgroup cgroup rw,memory
31 1 0:26 / /m rw - cgroup cgroup rw,memory";

    #[test]
    fn hierarchies_are_found() {
        assert_eq!(
            find(HYBRID, "", Base::Root),
            [
                found("/sys/fs/cgroup/unified", &[], true),
                found("/sys/fs/cgroup/cpu,cpuacct", &["cpu", "cpuacct"], false),
                found("/m", &["memory"], false),
            ]
        );
        let v2 = "30 23 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate";
        assert_eq!(find(v2, "0::/user.slice", Base::Root), [found("/sys/fs/cgroup", &[], true)]);
        assert_eq!(find(v2, "0::/user.slice", Base::Own), [found("/sys/fs/cgroup/user.slice", &[], true)]);
        assert_eq!(find("", "", Base::Root), []);
        assert_eq!(find("x - cgroup\n1 2 3 - \n - ", "", Base::Own), []);
    }

    #[test]
    fn own_paths_differ_between_hierarchies() {
        let own = "9:name=systemd:/\n4:memory:/api/2c3f\n1:cpu,cpuacct:/\n0::/x";
        assert_eq!(
            find(HYBRID, own, Base::Own),
            [
                found("/sys/fs/cgroup/unified/x", &[], true),
                found("/sys/fs/cgroup/cpu,cpuacct", &["cpu", "cpuacct"], false),
                found("/m/api/2c3f", &["memory"], false),
            ]
        );
        // In a container the mount begins at its own cgroup.
        let inside = "29 25 0:26 /docker/abc /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory";
        assert_eq!(
            find(inside, "4:memory:/docker/abc/sub", Base::Own),
            [found("/sys/fs/cgroup/memory/sub", &["memory"], false)]
        );
    }

    #[test]
    fn names_are_unescaped() {
        assert_eq!(unescape("/a\\040b\\134c\\011"), "/a b\\c\t");
        assert_eq!(unescape("/a\\"), "/a\\");
        assert_eq!(unescape("/a\\9z"), "/a\\9z");
        assert_eq!(unescape("\\377"), "\\377");
    }
}
