//! System calls as such. What is here may be used between clone3 and exec: it allocates nothing, takes no lock, and touches
//! nothing of the C library but `errno`.

use std::ffi::{CStr, c_char, c_int, c_long, c_void};
use std::mem::MaybeUninit;

/// The kernel's answer, or its error number.
pub(crate) type Answer = Result<i64, i32>;

/// A system call by number. All arguments are passed as the kernel's word.
macro_rules! syscall {
    ($number:expr $(, $argument:expr)* $(,)?) => {
        // The word is as wide as a pointer on all architectures this is built for.
        $crate::sys::answer(libc::syscall($number $(, $argument)*))
    };
}

pub(crate) fn answer(value: c_long) -> Answer {
    if value == -1 {
        // SAFETY: the location is valid for the thread that asks.
        return Err(unsafe { *libc::__errno_location() });
    }
    #[allow(clippy::useless_conversion, reason = "the type is narrower on 32-bit systems")]
    Ok(i64::from(value))
}

/// What [`clone3`] takes (clone(2), `struct clone_args`).
#[repr(C, align(8))]
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct CloneArgs {
    pub(crate) flags: u64,
    pub(crate) pidfd: u64,
    pub(crate) child_tid: u64,
    pub(crate) parent_tid: u64,
    pub(crate) exit_signal: u64,
    pub(crate) stack: u64,
    pub(crate) stack_size: u64,
    pub(crate) tls: u64,
    pub(crate) set_tid: u64,
    pub(crate) set_tid_size: u64,
    pub(crate) cgroup: u64,
}

/// `CLONE_CLEAR_SIGHAND` and `CLONE_INTO_CGROUP` do not fit the type that libc gives them.
pub(crate) const CLONE_CLEAR_SIGHAND: u64 = 0x1_0000_0000;
pub(crate) const CLONE_INTO_CGROUP: u64 = 0x2_0000_0000;

/// What `mount_setattr` takes.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct MountAttr {
    pub(crate) set: u64,
    pub(crate) clear: u64,
    pub(crate) propagation: u64,
    pub(crate) userns_fd: u64,
}

#[repr(C)]
struct OpenHow {
    flags: u64,
    mode: u64,
    resolve: u64,
}

pub(crate) const MOUNT_ATTR_RDONLY: u64 = 0x1;
pub(crate) const MOUNT_ATTR_NOSUID: u64 = 0x2;
pub(crate) const MOUNT_ATTR_NODEV: u64 = 0x4;
pub(crate) const MOUNT_ATTR_NOEXEC: u64 = 0x8;

const OPEN_TREE_CLONE: c_int = 1;
const FSCONFIG_SET_FLAG: c_int = 0;
const FSCONFIG_SET_STRING: c_int = 1;
const FSCONFIG_CMD_CREATE: c_int = 6;
const MOVE_MOUNT_F_EMPTY_PATH: c_int = 0x04;
const MOVE_MOUNT_T_EMPTY_PATH: c_int = 0x40;

pub(crate) const RESOLVE_IN_ROOT: u64 = 0x10;
pub(crate) const RESOLVE_BENEATH: u64 = 0x08;
pub(crate) const RESOLVE_NO_SYMLINKS: u64 = 0x04;
pub(crate) const RESOLVE_NO_MAGICLINKS: u64 = 0x02;
pub(crate) const RESOLVE_NO_XDEV: u64 = 0x01;

const NONE: usize = 0;

/// Makes a process. In the child the answer is 0, and only what this module has may be used.
///
/// # Safety
/// Without `CLONE_VM` the child has a copy of the memory, in which other threads' locks may be held for ever.
#[inline]
pub(crate) unsafe fn clone3(args: &CloneArgs) -> Answer {
    // SAFETY: the structure is the kernel's and lives; the caller answers for the child.
    unsafe { syscall!(libc::SYS_clone3, std::ptr::from_ref(args), size_of::<CloneArgs>()) }
}

/// A word of memory that children made by [`clone3`] share with their parent.
#[derive(Debug)]
pub(crate) struct SharedWord(*mut i32);

impl SharedWord {
    const SIZE: usize = size_of::<i32>();

    pub(crate) fn new() -> Result<Self, i32> {
        let (access, kind) = (libc::PROT_READ | libc::PROT_WRITE, libc::MAP_SHARED | libc::MAP_ANONYMOUS);
        // SAFETY: new memory, wherever the kernel puts it; it is all zeroes.
        unsafe { syscall!(libc::SYS_mmap, NONE, Self::SIZE, access, kind, -1, NONE) }
            .map(|at| Self(at as *mut i32))
    }

    /// Where it lies, for the kernel to write to.
    pub(crate) fn address(&self) -> u64 {
        self.0 as u64
    }

    pub(crate) fn get(&self) -> i32 {
        // SAFETY: mapped as long as this lives, and as aligned as a page; others may write to it, hence volatile.
        unsafe { self.0.read_volatile() }
    }

    pub(crate) fn set(&self, value: i32) {
        // SAFETY: as above.
        unsafe { self.0.write_volatile(value) }
    }
}

impl Drop for SharedWord {
    fn drop(&mut self) {
        // SAFETY: it was mapped by `new`, and nobody has the address any more.
        let _ = unsafe { syscall!(libc::SYS_munmap, self.0, Self::SIZE) };
    }
}

pub(crate) fn close(fd: i32) {
    // SAFETY: closing touches no memory; those who call own the descriptor.
    let _ = unsafe { syscall!(libc::SYS_close, fd) };
}

pub(crate) fn close_range(first: u32, last: u32, flags: u32) -> Answer {
    // SAFETY: closing touches no memory.
    unsafe { syscall!(libc::SYS_close_range, first, last, flags) }
}

pub(crate) fn exit(code: i32) -> ! {
    loop {
        // SAFETY: nothing comes back.
        let _ = unsafe { syscall!(libc::SYS_exit_group, code) };
    }
}

pub(crate) fn read(fd: i32, buffer: &mut [u8]) -> Answer {
    loop {
        // SAFETY: the buffer is writable for its length.
        match unsafe { syscall!(libc::SYS_read, fd, buffer.as_mut_ptr(), buffer.len()) } {
            Err(libc::EINTR) => {}
            other => return other,
        }
    }
}

pub(crate) fn write(fd: i32, bytes: &[u8]) -> Answer {
    loop {
        // SAFETY: the bytes are readable for their length.
        match unsafe { syscall!(libc::SYS_write, fd, bytes.as_ptr(), bytes.len()) } {
            Err(libc::EINTR) => {}
            other => return other,
        }
    }
}

pub(crate) fn openat2(dir: i32, path: &CStr, flags: c_int, mode: u32, resolve: u64) -> Result<i32, i32> {
    let how = OpenHow { flags: flags as u32 as u64, mode: u64::from(mode), resolve };
    for _ in 0..128 {
        // SAFETY: path and structure live.
        let opened = unsafe {
            syscall!(libc::SYS_openat2, dir, path.as_ptr(), std::ptr::from_ref(&how), size_of::<OpenHow>())
        };
        match opened {
            Err(libc::EAGAIN | libc::EINTR) => {}
            other => return other.map(fd),
        }
    }
    Err(libc::EAGAIN)
}

pub(crate) fn openat(dir: i32, path: &CStr, flags: c_int, mode: u32) -> Result<i32, i32> {
    // SAFETY: the path lives.
    unsafe { syscall!(libc::SYS_openat, dir, path.as_ptr(), flags, mode) }.map(fd)
}

pub(crate) fn mkdirat(dir: i32, path: &CStr, mode: u32) -> Answer {
    // SAFETY: the path lives.
    unsafe { syscall!(libc::SYS_mkdirat, dir, path.as_ptr(), mode) }
}

pub(crate) fn symlinkat(target: &CStr, dir: i32, path: &CStr) -> Answer {
    // SAFETY: the paths live.
    unsafe { syscall!(libc::SYS_symlinkat, target.as_ptr(), dir, path.as_ptr()) }
}

/// Kind and mode, device numbers if it is a device.
pub(crate) struct Kind {
    pub(crate) mode: u32,
    pub(crate) major: u32,
    pub(crate) minor: u32,
}

impl Kind {
    pub(crate) fn is(&self, kind: u32) -> bool {
        self.mode & libc::S_IFMT == kind
    }
}

pub(crate) fn kind(file: i32) -> Result<Kind, i32> {
    let mut stat = MaybeUninit::<libc::statx>::zeroed();
    // SAFETY: the structure is writable; an empty path with AT_EMPTY_PATH means the descriptor.
    unsafe {
        syscall!(
            libc::SYS_statx,
            file,
            c"".as_ptr(),
            libc::AT_EMPTY_PATH,
            libc::STATX_TYPE | libc::STATX_MODE,
            stat.as_mut_ptr()
        )
    }?;
    // SAFETY: all zeroes is a valid value, and the kernel has filled it.
    let stat = unsafe { stat.assume_init() };
    Ok(Kind { mode: u32::from(stat.stx_mode), major: stat.stx_rdev_major, minor: stat.stx_rdev_minor })
}

pub(crate) fn open_tree(dir: i32, path: &CStr, recursive: bool) -> Result<i32, i32> {
    let mut flags = OPEN_TREE_CLONE | libc::O_CLOEXEC;
    if recursive {
        flags |= libc::AT_RECURSIVE;
    }
    if path.is_empty() {
        flags |= libc::AT_EMPTY_PATH;
    }
    // SAFETY: the path lives.
    unsafe { syscall!(libc::SYS_open_tree, dir, path.as_ptr(), flags) }.map(fd)
}

pub(crate) fn fsopen(name: &CStr) -> Result<i32, i32> {
    // SAFETY: the name lives. FSOPEN_CLOEXEC is 1.
    unsafe { syscall!(libc::SYS_fsopen, name.as_ptr(), 1) }.map(fd)
}

pub(crate) fn fsconfig(context: i32, key: &CStr, value: Option<&CStr>) -> Answer {
    // SAFETY: key and value live.
    unsafe {
        match value {
            Some(value) => {
                syscall!(libc::SYS_fsconfig, context, FSCONFIG_SET_STRING, key.as_ptr(), value.as_ptr(), 0)
            }
            None => syscall!(libc::SYS_fsconfig, context, FSCONFIG_SET_FLAG, key.as_ptr(), NONE, 0),
        }
    }
}

pub(crate) fn fsconfig_create(context: i32) -> Answer {
    // SAFETY: no memory is passed.
    unsafe { syscall!(libc::SYS_fsconfig, context, FSCONFIG_CMD_CREATE, NONE, NONE, 0) }
}

pub(crate) fn fsmount(context: i32, attributes: u64) -> Result<i32, i32> {
    // SAFETY: no memory is passed. FSMOUNT_CLOEXEC is 1.
    unsafe { syscall!(libc::SYS_fsmount, context, 1, attributes as u32) }.map(fd)
}

/// Attaches a mount to a file that is held.
pub(crate) fn move_mount(mount: i32, to: i32) -> Answer {
    let flags = MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH;
    // SAFETY: the paths are empty.
    unsafe { syscall!(libc::SYS_move_mount, mount, c"".as_ptr(), to, c"".as_ptr(), flags) }
}

/// Attaches a mount to a path.
pub(crate) fn move_mount_to(mount: i32, to: &CStr) -> Answer {
    // SAFETY: the paths live.
    unsafe {
        syscall!(
            libc::SYS_move_mount,
            mount,
            c"".as_ptr(),
            libc::AT_FDCWD,
            to.as_ptr(),
            MOVE_MOUNT_F_EMPTY_PATH
        )
    }
}

pub(crate) fn mount_setattr(mount: i32, path: &CStr, recursive: bool, attr: &MountAttr) -> Answer {
    let mut flags = if path.is_empty() { libc::AT_EMPTY_PATH } else { 0 };
    if recursive {
        flags |= libc::AT_RECURSIVE;
    }
    // SAFETY: path and structure live.
    unsafe {
        syscall!(
            libc::SYS_mount_setattr,
            mount,
            path.as_ptr(),
            flags,
            std::ptr::from_ref(attr),
            size_of::<MountAttr>()
        )
    }
}

pub(crate) fn pivot_root(new: &CStr, old: &CStr) -> Answer {
    // SAFETY: the paths live.
    unsafe { syscall!(libc::SYS_pivot_root, new.as_ptr(), old.as_ptr()) }
}

pub(crate) fn umount(path: &CStr, flags: c_int) -> Answer {
    // SAFETY: the path lives.
    unsafe { syscall!(libc::SYS_umount2, path.as_ptr(), flags) }
}

pub(crate) fn chdir(path: &CStr) -> Answer {
    // SAFETY: the path lives.
    unsafe { syscall!(libc::SYS_chdir, path.as_ptr()) }
}

pub(crate) fn fchdir(dir: i32) -> Answer {
    // SAFETY: no memory is passed.
    unsafe { syscall!(libc::SYS_fchdir, dir) }
}

pub(crate) fn getcwd(buffer: &mut [u8]) -> Answer {
    // SAFETY: the buffer is writable for its length.
    unsafe { syscall!(libc::SYS_getcwd, buffer.as_mut_ptr(), buffer.len()) }
}

pub(crate) fn setns(namespace: i32, kind: c_int) -> Answer {
    // SAFETY: no memory is passed; done in a process of one thread.
    unsafe { syscall!(libc::SYS_setns, namespace, kind) }
}

pub(crate) fn unshare(flags: c_int) -> Answer {
    // SAFETY: no memory is passed; done in a process of one thread.
    unsafe { syscall!(libc::SYS_unshare, flags) }
}

pub(crate) fn setsid() -> Answer {
    // SAFETY: no memory is passed.
    unsafe { syscall!(libc::SYS_setsid) }
}

pub(crate) fn prctl(option: c_int, a: usize, b: usize) -> Answer {
    // SAFETY: only used with options whose arguments are numbers.
    unsafe { syscall!(libc::SYS_prctl, option, a, b, NONE, NONE) }
}

pub(crate) fn sethostname(name: &[u8]) -> Answer {
    // SAFETY: the name is readable for its length.
    unsafe { syscall!(libc::SYS_sethostname, name.as_ptr(), name.len()) }
}

pub(crate) fn setdomainname(name: &[u8]) -> Answer {
    // SAFETY: the name is readable for its length.
    unsafe { syscall!(libc::SYS_setdomainname, name.as_ptr(), name.len()) }
}

pub(crate) fn setgroups(groups: &[u32]) -> Answer {
    // SAFETY: the groups are readable. The raw call changes this thread alone, which is the only one.
    unsafe { syscall!(libc::SYS_setgroups, groups.len(), groups.as_ptr()) }
}

pub(crate) fn setresgid(gid: u32) -> Answer {
    // SAFETY: no memory is passed.
    unsafe { syscall!(libc::SYS_setresgid, gid, gid, gid) }
}

pub(crate) fn setresuid(uid: u32) -> Answer {
    // SAFETY: no memory is passed.
    unsafe { syscall!(libc::SYS_setresuid, uid, uid, uid) }
}

pub(crate) fn umask(mask: u32) {
    // SAFETY: no memory is passed.
    let _ = unsafe { syscall!(libc::SYS_umask, mask) };
}

#[repr(C)]
struct CapHeader {
    version: u32,
    pid: i32,
}

#[repr(C)]
#[derive(Clone, Copy, Default)]
struct CapData {
    effective: u32,
    permitted: u32,
    inheritable: u32,
}

const CAPABILITY_VERSION_3: u32 = 0x2008_0522;

pub(crate) fn capset(effective: u64, permitted: u64, inheritable: u64) -> Answer {
    let header = CapHeader { version: CAPABILITY_VERSION_3, pid: 0 };
    let half = |shift: u32| CapData {
        effective: (effective >> shift) as u32,
        permitted: (permitted >> shift) as u32,
        inheritable: (inheritable >> shift) as u32,
    };
    let data = [half(0), half(32)];
    // SAFETY: both are what version 3 of the call takes.
    unsafe { syscall!(libc::SYS_capset, std::ptr::from_ref(&header), data.as_ptr()) }
}

/// Effective and permitted set.
pub(crate) fn capget() -> Result<(u64, u64), i32> {
    let header = CapHeader { version: CAPABILITY_VERSION_3, pid: 0 };
    let mut data = [CapData::default(); 2];
    // SAFETY: both are what version 3 of the call takes.
    unsafe { syscall!(libc::SYS_capget, std::ptr::from_ref(&header), data.as_mut_ptr()) }?;
    let join = |low: u32, high: u32| u64::from(low) | u64::from(high) << 32;
    let [low, high] = data;
    Ok((join(low.effective, high.effective), join(low.permitted, high.permitted)))
}

pub(crate) fn prlimit(resource: u32, soft: u64, hard: u64) -> Answer {
    let limit = [soft, hard];
    // SAFETY: the structure of the call is two words of 64 bits.
    unsafe { syscall!(libc::SYS_prlimit64, 0, resource, limit.as_ptr(), NONE) }
}

pub(crate) fn dup3(from: i32, to: i32) -> Answer {
    // SAFETY: no memory is passed.
    unsafe { syscall!(libc::SYS_dup3, from, to, 0) }
}

pub(crate) fn controlling_terminal(file: i32) -> Answer {
    // SAFETY: the argument is a number.
    unsafe { syscall!(libc::SYS_ioctl, file, libc::TIOCSCTTY, 0) }
}

/// One instruction of a filter, as the kernel has it.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Instruction {
    pub(crate) code: u16,
    pub(crate) jt: u8,
    pub(crate) jf: u8,
    pub(crate) k: u32,
}

#[repr(C)]
struct FilterProgram {
    len: u16,
    filter: *const Instruction,
}

pub(crate) fn seccomp(filter: &[Instruction], flags: u32) -> Answer {
    let Ok(len) = u16::try_from(filter.len()) else { return Err(libc::EINVAL) };
    let program = FilterProgram { len, filter: filter.as_ptr() };
    // SAFETY: the program points to `len` instructions that live.
    unsafe { syscall!(libc::SYS_seccomp, libc::SECCOMP_SET_MODE_FILTER, flags, std::ptr::from_ref(&program)) }
}

/// Whether the process may execute a file, with the ids it has now.
pub(crate) fn may_execute(dir: i32, path: &CStr) -> Answer {
    // SAFETY: the path lives.
    unsafe { syscall!(libc::SYS_faccessat2, dir, path.as_ptr(), libc::X_OK, libc::AT_EACCESS) }
}

/// Executes a path. Comes back only with an error.
///
/// # Safety
/// `args` and `env` end in a null pointer, and everything before it is a string that lives.
pub(crate) unsafe fn execve(path: &CStr, args: *const *const c_char, env: *const *const c_char) -> i32 {
    // SAFETY: by the caller's promise.
    match unsafe { syscall!(libc::SYS_execve, path.as_ptr(), args, env) } {
        Ok(_) => 0,
        Err(error) => error,
    }
}

/// Executes a descriptor. Comes back only with an error.
///
/// # Safety
/// As [`execve`].
pub(crate) unsafe fn execveat(file: i32, args: *const *const c_char, env: *const *const c_char) -> i32 {
    // SAFETY: by the caller's promise; the path is empty.
    match unsafe { syscall!(libc::SYS_execveat, file, c"".as_ptr(), args, env, libc::AT_EMPTY_PATH) } {
        Ok(_) => 0,
        Err(error) => error,
    }
}

/// All signals do what they do by default.
pub(crate) fn default_signals() {
    // Long enough for the kernel's structure on all architectures; all zeroes is the default action.
    let action = [0_u64; 4];
    for signal in 1..=64 {
        // SAFETY: the structure lives; the size is that of the kernel's signal set.
        let _ = unsafe { syscall!(libc::SYS_rt_sigaction, signal, action.as_ptr(), NONE, 8_usize) };
    }
}

/// A signal is ignored; for SIGCHLD that means that ended children vanish by themselves.
pub(crate) fn ignore_signal(signal: c_int) {
    let action = [1_u64, 0, 0, 0];
    // SAFETY: as above; 1 is SIG_IGN.
    let _ = unsafe { syscall!(libc::SYS_rt_sigaction, signal, action.as_ptr(), NONE, 8_usize) };
}

/// Sets which signals are blocked, and answers which were.
pub(crate) fn block_signals(mask: u64) -> u64 {
    let mut before = 0_u64;
    // SAFETY: both sets are the kernel's 64 bits.
    let _ = unsafe {
        syscall!(
            libc::SYS_rt_sigprocmask,
            libc::SIG_SETMASK,
            std::ptr::from_ref(&mask),
            std::ptr::from_mut(&mut before),
            8_usize
        )
    };
    before
}

/// Waits for one of these blocked signals; answers its number and where it comes from (`si_code`).
pub(crate) fn await_signal(mask: u64) -> Result<(i32, i32), i32> {
    let mut info = MaybeUninit::<libc::siginfo_t>::zeroed();
    loop {
        // SAFETY: the set is the kernel's 64 bits, the structure is writable and the kernel's; there is no time limit.
        let waited = unsafe {
            syscall!(libc::SYS_rt_sigtimedwait, std::ptr::from_ref(&mask), info.as_mut_ptr(), NONE, 8_usize)
        };
        match waited {
            Err(libc::EINTR) => {}
            Err(error) => return Err(error),
            Ok(_) => break,
        }
    }
    // SAFETY: all zeroes is a valid value, and the kernel has filled it.
    let info = unsafe { info.assume_init() };
    Ok((info.si_signo, info.si_code))
}

/// Waits for a child to end, however it does.
pub(crate) fn reap_one(pid: i32) {
    // SAFETY: the kernel is told to write nothing.
    while unsafe { syscall!(libc::SYS_wait4, pid, NONE, libc::__WALL, NONE) } == Err(libc::EINTR) {}
}

/// Waits for any child that has ended; its pid and status as wait(2) has it, or nothing if none has.
pub(crate) fn reap() -> Result<Option<(i32, i32)>, i32> {
    let mut status = 0_i32;
    // SAFETY: the status is writable.
    let pid = unsafe {
        syscall!(libc::SYS_wait4, -1, std::ptr::from_mut(&mut status), libc::WNOHANG | libc::__WALL, NONE)
    }?;
    Ok((pid != 0).then_some((fd(pid), status)))
}

pub(crate) fn kill(pid: i32, signal: c_int) -> Answer {
    // SAFETY: no memory is passed.
    unsafe { syscall!(libc::SYS_kill, pid, signal) }
}

/// Whether the other end of a pipe is closed.
pub(crate) fn is_hung_up(pipe: i32) -> bool {
    let mut poll = libc::pollfd { fd: pipe, events: 0, revents: 0 };
    let no_time = [0_i64; 2];
    // SAFETY: structures and length are the kernel's; there is no signal set.
    let polled =
        unsafe { syscall!(libc::SYS_ppoll, std::ptr::from_mut(&mut poll), 1, no_time.as_ptr(), NONE, NONE) };
    polled.is_ok() && poll.revents & libc::POLLHUP != 0
}

/// Brings the loopback link of the network namespace up.
pub(crate) fn loopback_up() -> Answer {
    // SAFETY: no memory is passed.
    let socket =
        unsafe { syscall!(libc::SYS_socket, libc::AF_INET, libc::SOCK_DGRAM | libc::SOCK_CLOEXEC, 0) }
            .map(fd)?;
    // `struct ifreq`: sixteen bytes of name, then the flags; forty bytes in all.
    let mut request = [0_u8; 40];
    for (to, from) in request.iter_mut().zip(b"lo") {
        *to = *from;
    }
    let [low, high] = (libc::IFF_UP as u16).to_ne_bytes();
    for (to, from) in request.iter_mut().skip(16).zip([low, high]) {
        *to = from;
    }
    // SAFETY: the structure lives and is as long as the kernel's.
    let done = unsafe { syscall!(libc::SYS_ioctl, socket, libc::SIOCSIFFLAGS, request.as_ptr()) };
    close(socket);
    done
}

/// `waitid` for a process by its descriptor: nothing if it runs on, otherwise code (as `CLD_EXITED`), status and usage.
pub(crate) fn wait_pidfd(pidfd: i32) -> Result<Option<(i32, i32, libc::rusage)>, i32> {
    let mut info = MaybeUninit::<libc::siginfo_t>::zeroed();
    let mut usage = MaybeUninit::<libc::rusage>::zeroed();
    let flags = libc::WEXITED | libc::WNOHANG | libc::__WALL;
    loop {
        // SAFETY: both structures are writable and the kernel's.
        let waited = unsafe {
            syscall!(libc::SYS_waitid, libc::P_PIDFD, pidfd, info.as_mut_ptr(), flags, usage.as_mut_ptr())
        };
        match waited {
            Err(libc::EINTR) => {}
            Err(error) => return Err(error),
            Ok(_) => break,
        }
    }
    // SAFETY: all zeroes are valid values, and the kernel has filled them or left them so.
    let (info, usage) = unsafe { (info.assume_init(), usage.assume_init()) };
    // SAFETY: of the structure that waitid fills.
    let (pid, status) = unsafe { (info.si_pid(), info.si_status()) };
    Ok((pid != 0).then_some((info.si_code, status, usage)))
}

/// What a pidfd tells of its process (`struct pidfd_info`).
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct PidfdInfo {
    mask: u64,
    cgroup: u64,
    pid: u32,
    tgid: u32,
    ppid: u32,
    ids: [u32; 8],
    exit_code: i32,
}

/// The wait status of a process that is gone, whoever waited for it (from Linux 6.15 on).
pub(crate) fn exit_status(pidfd: i32) -> Result<Option<i32>, i32> {
    const PIDFD_INFO_EXIT: u64 = 1 << 3;
    // _IOWR(0xFF, 11, struct pidfd_info)
    const PIDFD_GET_INFO: u64 = (3 << 30) | (64 << 16) | (0xff << 8) | 11;
    let mut info = PidfdInfo { mask: PIDFD_INFO_EXIT, ..PidfdInfo::default() };
    // SAFETY: the structure is the kernel's first version, of the size in the request.
    unsafe {
        syscall!(libc::SYS_ioctl, pidfd, PIDFD_GET_INFO, std::ptr::from_mut(&mut info).cast::<c_void>())
    }?;
    Ok((info.mask & PIDFD_INFO_EXIT != 0).then_some(info.exit_code))
}

fn fd(answer: i64) -> i32 {
    answer as i32
}
