//! [`Netns`]: a network namespace by descriptor.

use std::fs::File;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;
use std::thread;

use nix::sched::{CloneFlags, setns, unshare};

use crate::Error;

/// The namespace of the calling thread.
const OWN: &str = "/proc/thread-self/ns/net";

/// A network namespace, kept alive by a descriptor.
///
/// Cheap to share in an `Arc`. What runs inside it runs on a thread of its own that ends afterwards, so that no thread
/// of the caller's ever changes its namespace.
#[derive(Debug)]
pub struct Netns {
    file: OwnedFd,
    id: (u64, u64),
}

impl Netns {
    /// The namespace of the calling thread.
    ///
    /// # Errors
    /// If `/proc` is not mounted, or no descriptor is free.
    pub fn current() -> Result<Self, Error> {
        Self::open(OWN)
    }

    /// The namespace that a path names: `/proc/PID/ns/net`, or a bind mount of such a file.
    ///
    /// # Errors
    /// If the file cannot be opened or is no namespace. One of another kind is refused when it is used.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, Error> {
        let path = path.as_ref();
        let failed = || Error::system("open network namespace", path.display().to_string());
        let file = File::open(path).map_err(failed())?;
        Self::checked(file.into(), &path.display().to_string())
    }

    /// The namespace behind a descriptor.
    ///
    /// # Errors
    /// If it is no namespace. One of another kind is refused when it is used.
    pub fn from_fd(file: OwnedFd) -> Result<Self, Error> {
        Self::checked(file, "descriptor")
    }

    /// A new and empty namespace, with nothing but a loopback link that is down. It vanishes with the last descriptor,
    /// bind mount and process.
    ///
    /// # Errors
    /// Without `CAP_SYS_ADMIN`, or when the kernel's limit of namespaces is reached.
    pub fn create() -> Result<Self, Error> {
        on_a_thread("orlop-netns-new", || {
            unshare(CloneFlags::CLONE_NEWNET)
                .map_err(|errno| Error::system("create", "network namespace")(errno.into()))?;
            Self::current()
        })
    }

    fn checked(file: OwnedFd, name: &str) -> Result<Self, Error> {
        let failed = || Error::system("look at network namespace", name);
        // Anything else is refused before it is used for the first time.
        let kind = rustix::fs::fstatfs(&file).map_err(|errno| failed()(errno.into()))?;
        if kind.f_type as u64 != NSFS_MAGIC {
            return Err(Error::Invalid {
                field: "network namespace",
                value: name.to_owned(),
                reason: "is not a namespace",
            });
        }
        let status = rustix::fs::fstat(&file).map_err(|errno| failed()(errno.into()))?;
        Ok(Self { file, id: (status.st_dev, status.st_ino) })
    }

    /// What tells it from every other namespace that exists at the same time: device and inode.
    #[must_use]
    pub fn id(&self) -> (u64, u64) {
        self.id
    }

    /// Another descriptor of the same namespace.
    ///
    /// # Errors
    /// If no descriptor is free.
    pub fn try_clone(&self) -> Result<Self, Error> {
        let file =
            self.file.try_clone().map_err(Error::system("duplicate descriptor of", "network namespace"))?;
        Ok(Self { file, id: self.id })
    }

    /// Whether the calling thread is in it.
    #[must_use]
    pub fn is_current(&self) -> bool {
        rustix::fs::stat(OWN).is_ok_and(|status| (status.st_dev, status.st_ino) == self.id)
    }

    /// Runs something inside the namespace: on the calling thread if it is there already, else on a thread of its own.
    /// Sockets opened inside stay in the namespace wherever they are used afterwards.
    ///
    /// # Errors
    /// What `run` answers; or if the namespace cannot be entered (`CAP_SYS_ADMIN` is needed in it), or no thread
    /// can be started.
    ///
    /// # Panics
    /// If `run` does.
    pub fn run<T, E, F>(&self, run: F) -> Result<T, E>
    where
        T: Send,
        E: From<Error> + Send,
        F: FnOnce() -> Result<T, E> + Send,
    {
        if self.is_current() {
            return run();
        }
        on_a_thread("orlop-netns", || {
            setns(&self.file, CloneFlags::CLONE_NEWNET)
                .map_err(|errno| Error::system("enter", "network namespace")(errno.into()))?;
            run()
        })
    }
}

impl AsFd for Netns {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.file.as_fd()
    }
}

/// File system type of namespaces, from `linux/magic.h`.
const NSFS_MAGIC: u64 = 0x6e73_6673;

fn on_a_thread<T, E, F>(name: &str, run: F) -> Result<T, E>
where
    T: Send,
    E: From<Error> + Send,
    F: FnOnce() -> Result<T, E> + Send,
{
    thread::scope(|scope| {
        let thread = thread::Builder::new()
            .name(name.to_owned())
            .stack_size(256 << 10)
            .spawn_scoped(scope, run)
            .map_err(Error::system("start thread", name))?;
        thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::namespace;

    #[test]
    fn a_new_namespace_is_another_one() {
        let Some(ns) = namespace() else { return };
        assert!(!ns.is_current() && Netns::current().unwrap().is_current());
        assert!(ns.run(|| Ok::<_, Error>(ns.is_current())).unwrap());
        assert!(!ns.is_current(), "the caller's thread stays where it was");
        assert_eq!(ns.try_clone().unwrap().id(), ns.id());
    }

    #[test]
    fn what_is_no_namespace_is_refused() {
        let refused = Netns::open("/dev/null").unwrap_err();
        assert!(matches!(refused, Error::Invalid { reason: "is not a namespace", .. }), "{refused}");
        assert!(Netns::open("/nonexistent/netns").unwrap_err().is_not_found());
    }
}
