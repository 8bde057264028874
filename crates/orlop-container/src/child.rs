//! What runs between clone3 and exec: an interpreter of [`Program`].
//!
//! The process is a copy of a program with many threads, of which only the one that called is left. Whatever lock another
//! held stays locked, so nothing may be used here but system calls on memory that was prepared: no allocation, no lock, no
//! formatting, no panic, nothing that is dropped.

use std::ffi::CStr;

use crate::program::{FsMount, Make, Op, Program, SetGroups, Slot, Target};
use crate::sys::{self, Answer, MountAttr};

/// What the new process reports: `kind`, the number of the step, a value.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Report {
    pub(crate) kind: u32,
    pub(crate) op: u32,
    pub(crate) value: i32,
}

impl Report {
    /// A step failed: its number and the error.
    pub(crate) const FAILED: u32 = 1;
    /// All is set up.
    pub(crate) const READY: u32 = 2;
    /// The score by which the kernel chooses whom to kill could not be set: the error.
    pub(crate) const SCORE: u32 = 3;
    /// A join failed, before the first step: its number and the error.
    pub(crate) const JOIN: u32 = 4;
    /// The process in between could not make the real one.
    pub(crate) const CLONE: u32 = 5;
    /// A step failed on purpose.
    #[cfg(any(test, feature = "test-util"))]
    pub(crate) const INJECTED: u32 = 6;

    pub(crate) const SIZE: usize = size_of::<Self>();

    pub(crate) fn bytes(self) -> [u8; Self::SIZE] {
        let mut bytes = [0; Self::SIZE];
        let words = [self.kind.to_ne_bytes(), self.op.to_ne_bytes(), self.value.to_ne_bytes()];
        for (to, from) in bytes.iter_mut().zip(words.iter().flatten()) {
            *to = *from;
        }
        bytes
    }

    pub(crate) fn from_bytes(bytes: [u8; Self::SIZE]) -> Self {
        let [a, b, c, d, e, f, g, h, i, j, k, l] = bytes;
        Self {
            kind: u32::from_ne_bytes([a, b, c, d]),
            op: u32::from_ne_bytes([e, f, g, h]),
            value: i32::from_ne_bytes([i, j, k, l]),
        }
    }
}

/// The ends of the pipes that the new process has.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Line {
    /// Here it is told to go on.
    pub(crate) control: i32,
    /// Here it reports.
    pub(crate) report: i32,
}

/// Runs the program. `keep` are the descriptors to keep, in ascending order, all above 2.
pub(crate) fn run(program: &mut Program, line: Line, keep: &[i32]) -> ! {
    begin(program, line, keep);
    steps(program, line)
}

/// Joins namespaces, then makes the process that runs the program, as a child of the caller. `args` are those of the clone;
/// `made` is where it puts the pid.
pub(crate) fn run_between(
    program: &mut Program,
    line: Line,
    keep: &[i32],
    args: &sys::CloneArgs,
    made: &sys::SharedWord,
) -> ! {
    begin(program, line, keep);
    let _ = sys::prctl(libc::PR_SET_DUMPABLE, 0, 0);
    for (number, (slot, kind, _)) in (0..).zip(&program.joins) {
        if let Err(error) = sys::setns(fd(&program.slots, *slot), *kind) {
            tell(line, Report { kind: Report::JOIN, op: number, value: error });
            sys::exit(1);
        }
    }
    // So that there is nothing left to be done for it to be written: this process may be killed at any moment, for memory
    // above all, and nobody could wait for one that nobody knows.
    made.set(0);
    // SAFETY: the child goes on with what may be used here.
    match unsafe { sys::clone3(args) } {
        Ok(0) => steps(program, line),
        Ok(_) => sys::exit(0),
        Err(error) => {
            tell(line, Report { kind: Report::CLONE, op: 0, value: error });
            sys::exit(1)
        }
    }
}

/// The caller's signal handlers, blocked signals and descriptors are not this process's business.
fn begin(program: &Program, line: Line, keep: &[i32]) {
    sys::default_signals();
    sys::block_signals(0);
    close_all_but(keep, 3);
    // As long as it has the caller's files and privileges.
    let Some(score) = &program.oom_score_adj else { return };
    let written =
        sys::openat(libc::AT_FDCWD, OOM_SCORE_ADJ, libc::O_WRONLY | libc::O_CLOEXEC, 0).and_then(|file| {
            let written = sys::write(file, score);
            sys::close(file);
            written
        });
    if let Err(error) = written {
        tell(line, Report { kind: Report::SCORE, op: 0, value: error });
        sys::exit(1);
    }
}

/// Where a process says how willingly it is killed (proc_pid_oom_score_adj(5)).
pub(crate) const OOM_SCORE_ADJ: &CStr = c"/proc/self/oom_score_adj";

fn close_all_but(keep: &[i32], from: u32) {
    let mut next = from;
    for fd in keep {
        let Ok(fd) = u32::try_from(*fd) else { continue };
        if fd > next {
            let _ = sys::close_range(next, fd - 1, 0);
        }
        next = next.max(fd + 1);
    }
    let _ = sys::close_range(next, u32::MAX, 0);
}

fn steps(program: &mut Program, line: Line) -> ! {
    let mut state = State { slots: &mut program.slots, line, root: -1, executable: 0 };
    #[cfg(any(test, feature = "test-util"))]
    let mut made = 0;
    // Where the executable was found.
    let mut candidates: &[std::ffi::CString] = &[];
    for (number, op) in (0..).zip(&program.ops) {
        #[cfg(any(test, feature = "test-util"))]
        if op.makes() {
            if program.fail_at == Some(made) {
                tell(line, Report { kind: Report::INJECTED, op: number, value: libc::EIO });
                sys::exit(1);
            }
            made += 1;
        }
        if let Op::FindExecutable { candidates: all } = op {
            candidates = all;
        }
        if let Err(error) = state.step(op, candidates) {
            tell(line, Report { kind: Report::FAILED, op: number, value: error });
            sys::exit(1);
        }
    }
    sys::exit(0)
}

/// Where the program of ours that executes the container's finds the report pipe.
const REPORT: i32 = 3;

fn tell(line: Line, report: Report) {
    let _ = sys::write(line.report, &report.bytes());
}

fn fd(slots: &[i32], slot: Slot) -> i32 {
    slots.get(slot.0).copied().unwrap_or(-1)
}

struct State<'a> {
    slots: &'a mut [i32],
    line: Line,
    root: i32,
    executable: usize,
}

type Done = Result<(), i32>;

fn done(answer: Answer) -> Done {
    answer.map(|_| ())
}

impl State<'_> {
    fn fd(&self, slot: Slot) -> i32 {
        fd(self.slots, slot)
    }

    fn set(&mut self, slot: Slot, fd: i32) {
        if let Some(place) = self.slots.get_mut(slot.0) {
            *place = fd;
        }
    }

    fn step(&mut self, op: &Op, candidates: &[std::ffi::CString]) -> Done {
        match op {
            Op::AwaitMaps => self.await_caller(),
            Op::Setsid => done(sys::setsid()),
            Op::WriteSlot { slot, data, .. } => done(sys::write(self.fd(*slot), data)),
            Op::Undumpable => done(sys::prctl(libc::PR_SET_DUMPABLE, 0, 0)),
            Op::Setns { slot, flags, .. } => done(sys::setns(self.fd(*slot), *flags)),
            Op::Unshare { flags, .. } => done(sys::unshare(*flags)),
            Op::BecomeRoot => {
                sys::setresgid(0)?;
                done(sys::setresuid(0))
            }
            Op::Propagate { to } => {
                let attr = MountAttr { propagation: *to, ..MountAttr::default() };
                done(sys::mount_setattr(libc::AT_FDCWD, c"/", true, &attr))
            }
            Op::OpenTree { path, recursive, out } => {
                let tree = sys::open_tree(libc::AT_FDCWD, path, *recursive)?;
                self.set(*out, tree);
                Ok(())
            }
            Op::CheckDevice { slot, major, minor, .. } => {
                let kind = sys::kind(self.fd(*slot))?;
                if kind.is(libc::S_IFCHR) && kind.major == *major && kind.minor == *minor {
                    Ok(())
                } else {
                    Err(libc::ENODEV)
                }
            }
            Op::FsMount(mount) => self.fs_mount(mount),
            Op::SetAttributes { slot, attr, recursive, .. } => match self.fd(*slot) {
                // Left out, as it may be.
                -1 => Ok(()),
                fd => done(sys::mount_setattr(fd, c"", *recursive, attr)),
            },
            Op::Enter { root } => self.enter(*root),
            Op::Attach { slot, target, make, links } => self.attach(*slot, target, *make, *links),
            Op::Symlink { link, to } => {
                let parent = self.parent(link)?;
                let made = match link.steps.last() {
                    Some((_, name)) => sys::symlinkat(to, parent, name),
                    None => Err(libc::EINVAL),
                };
                sys::close(parent);
                match made {
                    Err(libc::EEXIST) => Ok(()),
                    other => done(other),
                }
            }
            Op::Mask { path, null, empty } => self.mask(path, *null, *empty),
            Op::ReadOnly { path } => self.read_only(path),
            Op::Hostname { name } => done(sys::sethostname(name)),
            Op::Domainname { name } => done(sys::setdomainname(name)),
            Op::Sysctl { proc, path, value } => {
                let resolve = sys::RESOLVE_BENEATH
                    | sys::RESOLVE_NO_SYMLINKS
                    | sys::RESOLVE_NO_MAGICLINKS
                    | sys::RESOLVE_NO_XDEV;
                let file = sys::openat2(self.fd(*proc), path, libc::O_WRONLY | libc::O_CLOEXEC, 0, resolve)?;
                let written = sys::write(file, value);
                sys::close(file);
                done(written)
            }
            Op::Rlimit { resource, soft, hard, .. } => done(sys::prlimit(*resource, *soft, *hard)),
            Op::Umask { mask } => {
                sys::umask(*mask);
                Ok(())
            }
            Op::MakeDirs { path } => {
                if let Ok(dir) = self.make(path, Make::Directory, true) {
                    sys::close(dir);
                }
                Ok(())
            }
            Op::Identity { uid, gid, groups, set_groups } => {
                sys::prctl(libc::PR_SET_KEEPCAPS, 1, 0)?;
                match (set_groups, sys::setgroups) {
                    (SetGroups::Yes, set) => done(set(groups))?,
                    (SetGroups::IfPermitted, set) => {
                        let _ = set(groups);
                    }
                    (SetGroups::No, _) => {}
                }
                sys::setresgid(*gid)?;
                sys::setresuid(*uid)?;
                Ok(())
            }
            Op::Bounding { drop } => {
                for capability in 0..64 {
                    if drop & (1 << capability) == 0 {
                        continue;
                    }
                    match sys::prctl(libc::PR_CAPBSET_DROP, capability, 0) {
                        // One that this kernel doesn't know.
                        Ok(_) | Err(libc::EINVAL) => {}
                        Err(error) => return Err(error),
                    }
                }
                Ok(())
            }
            Op::Capset { effective, permitted, inheritable } => {
                done(sys::capset(*effective, *permitted, *inheritable))
            }
            Op::Ambient { set } => {
                sys::prctl(libc::PR_CAP_AMBIENT, libc::PR_CAP_AMBIENT_CLEAR_ALL as usize, 0)?;
                for capability in 0..64 {
                    if set & (1 << capability) != 0 {
                        sys::prctl(libc::PR_CAP_AMBIENT, libc::PR_CAP_AMBIENT_RAISE as usize, capability)?;
                    }
                }
                Ok(())
            }
            Op::NoNewPrivileges => done(sys::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0)),
            Op::Seccomp { filter } => done(sys::seccomp(filter, 0)),
            Op::Chdir { path } => change_directory(path),
            Op::FindExecutable { candidates } => self.find(candidates),
            Op::Stdio { slots } => {
                for (number, slot) in (0_i32..).zip(slots) {
                    sys::dup3(self.fd(*slot), number)?;
                }
                Ok(())
            }
            Op::ControllingTerminal => done(sys::controlling_terminal(0)),
            Op::CloseRest { keep } => {
                let mut kept = [self.line.control, self.line.report, keep.map_or(-1, |slot| self.fd(slot))];
                kept.sort_unstable();
                close_all_but(&kept, 3);
                Ok(())
            }
            Op::Ready => {
                done(sys::write(self.line.report, &Report { kind: Report::READY, op: 0, value: 0 }.bytes()))
            }
            Op::AwaitStart => self.await_caller(),
            Op::IgnoreChildren => {
                sys::ignore_signal(libc::SIGCHLD);
                Ok(())
            }
            Op::Exec { by, args, env } => match (candidates.get(self.executable), by) {
                (None, _) => Err(libc::ENOENT),
                (Some(path), None) => {
                    // SAFETY: the lists end in null, and live as long as this process does.
                    Err(unsafe { sys::execve(path, args.as_ptr(), env.as_ptr()) })
                }
                (Some(path), Some(by)) => {
                    let by = self.fd(*by);
                    if by == REPORT {
                        return Err(libc::EBADF);
                    }
                    // Stays open for the program of ours, which sees to it.
                    sys::dup3(self.line.report, REPORT)?;
                    // SAFETY: as above; the path lives as long.
                    Err(unsafe { sys::execveat(by, args.after(path), env.as_ptr()) })
                }
            },
            Op::ExecSlot { slot, args, env } => {
                // SAFETY: the lists end in null, and live as long as this process does.
                Err(unsafe { sys::execveat(self.fd(*slot), args.as_ptr(), env.as_ptr()) })
            }
        }
    }

    /// Reads one byte; without a caller there is nothing to go on for.
    fn await_caller(&self) -> Done {
        let mut byte = [0];
        match sys::read(self.line.control, &mut byte)? {
            1 => Ok(()),
            _ => sys::exit(1),
        }
    }

    fn fs_mount(&mut self, mount: &FsMount) -> Done {
        let made = new_mount(&mount.name, &mount.options, mount.attributes);
        let fd = match made {
            Err(libc::EPERM | libc::EACCES | libc::EBUSY) if mount.fallback.is_some() => {
                let Some(path) = &mount.fallback else { return Err(libc::EINVAL) };
                let tree = sys::open_tree(libc::AT_FDCWD, path, true)?;
                let attr =
                    MountAttr { set: mount.attributes | sys::MOUNT_ATTR_RDONLY, ..MountAttr::default() };
                sys::mount_setattr(tree, c"", true, &attr)?;
                tree
            }
            Err(libc::EPERM | libc::EACCES | libc::EINVAL | libc::ENODEV) if mount.optional => return Ok(()),
            other => other?,
        };
        self.set(mount.out, fd);
        Ok(())
    }

    fn enter(&mut self, root: Slot) -> Done {
        let root = self.fd(root);
        sys::move_mount_to(root, c"/")?;
        sys::fchdir(root)?;
        sys::pivot_root(c".", c".")?;
        sys::umount(c".", libc::MNT_DETACH)?;
        sys::chdir(c"/")?;
        self.root = root;
        Ok(())
    }

    fn open(&self, path: &CStr, flags: i32, links: bool) -> Result<i32, i32> {
        let mut resolve = sys::RESOLVE_IN_ROOT | sys::RESOLVE_NO_MAGICLINKS;
        if !links {
            resolve |= sys::RESOLVE_NO_SYMLINKS;
        }
        sys::openat2(self.root, path, flags | libc::O_PATH | libc::O_CLOEXEC, 0, resolve)
    }

    /// The directory above.
    fn parent(&self, target: &Target) -> Result<i32, i32> {
        let mut path = c".";
        if let Some((step, _)) = target.steps.len().checked_sub(2).and_then(|above| target.steps.get(above)) {
            path = step.as_c_str();
        }
        self.open(path, libc::O_DIRECTORY, false)
    }

    /// Opens a path, and makes what is missing of it.
    fn make(&self, target: &Target, make: Make, links: bool) -> Result<i32, i32> {
        match self.open(&target.path, 0, links) {
            Err(libc::ENOENT) => {}
            other => return other,
        }
        let mut dir = self.open(c".", libc::O_DIRECTORY, links)?;
        let mut left = target.steps.len();
        for (path, name) in &target.steps {
            left -= 1;
            let next = match self.open(path, 0, links) {
                Err(libc::ENOENT) => {
                    if left == 0 && make == Make::File {
                        let flags = libc::O_CREAT
                            | libc::O_EXCL
                            | libc::O_NOFOLLOW
                            | libc::O_WRONLY
                            | libc::O_CLOEXEC;
                        match sys::openat(dir, name, flags, 0o644) {
                            Ok(file) => sys::close(file),
                            // Somebody was faster.
                            Err(libc::EEXIST) => {}
                            Err(error) => return Err(error),
                        }
                    } else {
                        match sys::mkdirat(dir, name, 0o755) {
                            Ok(_) | Err(libc::EEXIST) => {}
                            Err(error) => return Err(error),
                        }
                    }
                    self.open(path, 0, links)?
                }
                other => other?,
            };
            sys::close(dir);
            dir = next;
        }
        Ok(dir)
    }

    fn attach(&mut self, slot: Slot, target: &Target, make: Make, links: bool) -> Done {
        let mount = self.fd(slot);
        if mount < 0 {
            return Ok(());
        }
        let make = match make {
            Make::AsMounted if sys::kind(mount)?.is(libc::S_IFDIR) => Make::Directory,
            Make::AsMounted => Make::File,
            other => other,
        };
        let at = self.make(target, make, links)?;
        let moved = sys::move_mount(mount, at);
        sys::close(at);
        done(moved)
    }

    fn mask(&mut self, path: &Target, null: Slot, empty: Slot) -> Done {
        let at = match self.open(&path.path, 0, false) {
            Err(libc::ENOENT | libc::ENOTDIR) => return Ok(()),
            other => other?,
        };
        let cover = if sys::kind(at)?.is(libc::S_IFDIR) {
            match self.fd(empty) {
                -1 => {
                    let all = sys::MOUNT_ATTR_RDONLY
                        | sys::MOUNT_ATTR_NOSUID
                        | sys::MOUNT_ATTR_NODEV
                        | sys::MOUNT_ATTR_NOEXEC;
                    let fd = new_mount(c"tmpfs", &[], all)?;
                    self.set(empty, fd);
                    fd
                }
                // It is attached somewhere by now, and may be copied.
                fd => sys::open_tree(fd, c"", false)?,
            }
        } else {
            self.cover(null)?
        };
        let moved = sys::move_mount(cover, at);
        sys::close(at);
        done(moved)
    }

    /// The mount of a slot the first time, copies of it afterwards. The slot then has the number below zero.
    fn cover(&mut self, slot: Slot) -> Result<i32, i32> {
        let fd = self.fd(slot);
        if fd >= 0 {
            self.set(slot, -2 - fd);
            return Ok(fd);
        }
        sys::open_tree(-2 - fd, c"", false)
    }

    fn read_only(&self, path: &Target) -> Done {
        let at = match self.open(&path.path, 0, false) {
            Err(libc::ENOENT | libc::ENOTDIR) => return Ok(()),
            other => other?,
        };
        let tree = sys::open_tree(at, c"", true)?;
        let attr = MountAttr { set: sys::MOUNT_ATTR_RDONLY, ..MountAttr::default() };
        sys::mount_setattr(tree, c"", true, &attr)?;
        let moved = sys::move_mount(tree, at);
        sys::close(at);
        sys::close(tree);
        done(moved)
    }

    fn find(&mut self, candidates: &[std::ffi::CString]) -> Done {
        let mut worst = libc::ENOENT;
        for (number, path) in (0..).zip(candidates) {
            match executable(path) {
                Ok(()) => {
                    self.executable = number;
                    return Ok(());
                }
                Err(libc::ENOENT | libc::ENOTDIR) => {}
                Err(error) => worst = error,
            }
        }
        Err(worst)
    }
}

fn executable(path: &CStr) -> Done {
    let file =
        sys::openat2(libc::AT_FDCWD, path, libc::O_PATH | libc::O_CLOEXEC, 0, sys::RESOLVE_NO_MAGICLINKS)?;
    let kind = sys::kind(file);
    sys::close(file);
    if !kind?.is(libc::S_IFREG) {
        return Err(libc::EACCES);
    }
    done(sys::may_execute(libc::AT_FDCWD, path))
}

fn new_mount(
    name: &CStr,
    options: &[(std::ffi::CString, Option<std::ffi::CString>)],
    attributes: u64,
) -> Result<i32, i32> {
    let context = sys::fsopen(name)?;
    for (key, value) in options {
        if let Err(error) = sys::fsconfig(context, key, value.as_deref()) {
            sys::close(context);
            return Err(error);
        }
    }
    let mount = sys::fsconfig_create(context).and_then(|_| sys::fsmount(context, attributes).map(i64::from));
    sys::close(context);
    mount.map(|fd| fd as i32)
}

/// Changes the working directory, but not by a link of `/proc`, and not to one that lies outside of the root.
fn change_directory(path: &CStr) -> Done {
    let flags = libc::O_PATH | libc::O_DIRECTORY | libc::O_CLOEXEC;
    let dir = sys::openat2(libc::AT_FDCWD, path, flags, 0, sys::RESOLVE_NO_MAGICLINKS)?;
    let changed = sys::fchdir(dir);
    sys::close(dir);
    changed?;
    let mut buffer = [0_u8; 4096];
    sys::getcwd(&mut buffer)?;
    // The kernel writes "(unreachable)" before a path that doesn't lie below the root.
    if buffer.first() == Some(&b'/') { Ok(()) } else { Err(libc::EXDEV) }
}
