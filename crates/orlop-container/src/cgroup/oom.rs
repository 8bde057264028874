//! [`OomWatch`]: being told when memory runs out.

use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::path::Path;
use std::time::Duration;

use rustix::event::{EventfdFlags, PollFd, PollFlags, Timespec, poll};
use rustix::fs::{Mode, OFlags, inotify};
use rustix::io::Errno;

use super::cgroup_error;
use crate::Error;

/// Tells when memory of a cgroup runs out. Its descriptor is readable when something has happened, for those who wait for
/// several things.
#[derive(Debug)]
pub struct OomWatch {
    fd: OwnedFd,
    /// Has to stay open as long as the watch is wanted.
    _control: Option<OwnedFd>,
}

impl OomWatch {
    /// An event counter that is registered with `memory.oom_control`.
    pub(crate) fn v1(dir: &OwnedFd, path: &Path) -> Result<Self, Error> {
        let file = path.join("memory.oom_control");
        let control =
            rustix::fs::openat(dir, "memory.oom_control", OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())
                .map_err(cgroup_error("open", &file))?;
        let fd = rustix::event::eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)
            .map_err(cgroup_error("eventfd", &file))?;
        let registration = format!("{} {}", fd.as_raw_fd(), control.as_raw_fd());
        super::write(dir, path, "cgroup.event_control", &registration)?;
        Ok(Self { fd, _control: Some(control) })
    }

    /// A watch of `memory.events`, which the kernel reports as modified.
    pub(crate) fn v2(path: &Path) -> Result<Self, Error> {
        let file = path.join("memory.events");
        let fd = inotify::init(inotify::CreateFlags::CLOEXEC | inotify::CreateFlags::NONBLOCK)
            .map_err(cgroup_error("inotify", &file))?;
        inotify::add_watch(&fd, &file, inotify::WatchFlags::MODIFY)
            .map_err(cgroup_error("inotify", &file))?;
        Ok(Self { fd, _control: None })
    }

    /// Waits for an event, at most so long (less if a signal comes); whether there was one. On version 2 other events of memory (a limit was hit,
    /// without anybody being killed) count too: [`oom_kills`](super::Cgroup::oom_kills) says more.
    ///
    /// # Errors
    /// If the kernel refuses.
    pub fn wait(&self, timeout: Duration) -> Result<bool, Error> {
        let timeout = Timespec::try_from(timeout).unwrap_or(Timespec { tv_sec: i64::MAX, tv_nsec: 0 });
        let failed = |error: Errno| Error::step("poll", "memory events", error);
        match poll(&mut [PollFd::new(&self.fd, PollFlags::IN)], Some(&timeout)) {
            Ok(0) | Err(Errno::INTR) => return Ok(false),
            Ok(_) => {}
            Err(error) => return Err(failed(error)),
        }
        let mut buffer = [0_u8; 1024];
        match rustix::io::read(&self.fd, &mut buffer[..]) {
            Ok(_) => Ok(true),
            Err(Errno::AGAIN) => Ok(false),
            Err(error) => Err(failed(error)),
        }
    }
}

impl AsFd for OomWatch {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}
