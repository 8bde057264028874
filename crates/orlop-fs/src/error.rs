//! [`Error`]: what went wrong, with which path, in which operation.

use std::io;
use std::path::{Path, PathBuf};

use rustix::io::Errno;

/// An operation on a path or a mount that failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The kernel refused.
    #[error("{operation} {}: {source}", path.display())]
    Kernel {
        /// What was tried: the system call, or what it was for.
        operation: &'static str,
        /// With which path, as the caller gave it.
        path: PathBuf,
        /// The kernel's answer.
        source: io::Error,
    },
    /// The path doesn't end in a name (it is empty, or ends in `.` or `..`), so nothing can be made or removed there.
    #[error("{operation} {}: the path does not end in a name", path.display())]
    NoName {
        /// What was tried.
        operation: &'static str,
        /// The path.
        path: PathBuf,
    },
    /// A file is larger than the caller allows.
    #[error("read {}: larger than {limit} bytes", path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// What is allowed.
        limit: u64,
    },
    /// `/proc` isn't the kernel's process file system, so a descriptor cannot be reached by it.
    #[error("{operation} {}: /proc is not a procfs", path.display())]
    NoProc {
        /// What was tried.
        operation: &'static str,
        /// The path.
        path: PathBuf,
    },
    /// An option of a mount that the kernel does not take.
    #[error("mount {filesystem}: option {option}: {source}")]
    Option {
        /// The file system.
        filesystem: &'static str,
        /// The option, with its value.
        option: String,
        /// The kernel's answer.
        source: io::Error,
    },
}

impl Error {
    pub(crate) fn kernel(operation: &'static str, path: &Path, source: Errno) -> Self {
        Self::Kernel { operation, path: path.to_path_buf(), source: source.into() }
    }

    /// The kernel's error number, if it was the kernel that refused.
    #[must_use]
    pub fn raw_os_error(&self) -> Option<i32> {
        match self {
            Self::Kernel { source, .. } | Self::Option { source, .. } => source.raw_os_error(),
            _ => None,
        }
    }

    /// Whether there is no such file or directory.
    #[must_use]
    pub fn is_not_found(&self) -> bool {
        self.raw_os_error() == Some(Errno::NOENT.raw_os_error())
    }

    /// Whether something is there already.
    #[must_use]
    pub fn is_exists(&self) -> bool {
        self.raw_os_error() == Some(Errno::EXIST.raw_os_error())
    }
}

/// Adds operation and path to the kernel's answer.
pub(crate) trait Context<T> {
    fn context(self, operation: &'static str, path: &Path) -> Result<T, Error>;
}

impl<T> Context<T> for Result<T, Errno> {
    fn context(self, operation: &'static str, path: &Path) -> Result<T, Error> {
        self.map_err(|source| Error::kernel(operation, path, source))
    }
}
