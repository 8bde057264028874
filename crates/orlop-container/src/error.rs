//! [`Error`]: what went wrong, in which step, with what.

use std::io;
use std::path::PathBuf;

/// Why something could not be done with a container.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Not a name for a container or a sandbox.
    #[error("id {id:?}: letters, digits, '_', '+', '-' and '.' (not first) are allowed, 1 to 128 of them")]
    Id {
        /// What was given.
        id: String,
    },
    /// A container or sandbox of this name is there.
    #[error("{id} exists already")]
    Exists {
        /// Its name.
        id: String,
    },
    /// The specification is wrong in itself.
    #[error("{field}: {message}")]
    Spec {
        /// The field, by its path in the specification.
        field: String,
        /// What is wrong with it.
        message: String,
    },
    /// The program isn't there, neither where its path says nor in any directory of `PATH`.
    #[error("exec: {program:?}: executable file not found{}", if .searched.is_empty() { String::new() } else { format!(" in {}", .searched) })]
    ExecutableNotFound {
        /// The first argument.
        program: String,
        /// The `PATH` of the process, if it was searched.
        searched: String,
    },
    /// The program is there and cannot be executed: no permission, not a file, or no format that the kernel knows.
    #[error("exec: {program:?}: {source}")]
    NotExecutable {
        /// The first argument.
        program: String,
        /// The kernel's answer.
        source: io::Error,
    },
    /// The program is there, but what should interpret it isn't: the `#!` line or the dynamic loader names a file that
    /// doesn't exist.
    #[error("exec: {program:?}: its interpreter or loader does not exist")]
    InterpreterNotFound {
        /// The first argument.
        program: String,
    },
    /// The kernel refused a step of making or starting the process.
    #[error("{operation} {object}: {source}")]
    Step {
        /// The step.
        operation: &'static str,
        /// With what: a path, a name, a value.
        object: String,
        /// The kernel's answer.
        source: io::Error,
    },
    /// The kernel refused something about a cgroup.
    #[error("cgroup: {operation} {}: {source}", path.display())]
    Cgroup {
        /// What was tried.
        operation: &'static str,
        /// Folder or file.
        path: PathBuf,
        /// The kernel's answer.
        source: io::Error,
    },
    /// There can be no cgroup at all.
    #[error("no cgroups: {0}")]
    NoCgroups(#[from] crate::cgroup::NoCgroups),
    /// The machine's cgroups have no such thing.
    #[error("cgroup: {what} is not available here")]
    NoController {
        /// The controller or setting.
        what: String,
    },
    /// The process ended before its program ran.
    #[error("{id}: the process ended while it was set up ({status})")]
    Died {
        /// The container.
        id: String,
        /// How it ended.
        status: String,
    },
    /// The container isn't in a state in which this can be done.
    #[error("{id} is {is}, not {needed}")]
    State {
        /// The container.
        id: String,
        /// What it is.
        is: &'static str,
        /// What it would have to be.
        needed: &'static str,
    },
    /// Something did not come to an end in time.
    #[error("{id}: {what} took longer than {seconds} s")]
    Timeout {
        /// The container or sandbox.
        id: String,
        /// What did not end.
        what: &'static str,
        /// How long was waited.
        seconds: u64,
    },
    /// A record of the state directory that cannot be read.
    #[error("record {}: {message}", path.display())]
    Record {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        message: String,
    },
    /// A user or group that cannot be found.
    #[error("user {user:?}: {message}")]
    User {
        /// What was asked for.
        user: String,
        /// Why it cannot be found.
        message: String,
    },
    /// Files.
    #[error(transparent)]
    Fs(#[from] orlop_fs::Error),
    /// Made to fail on purpose.
    #[cfg(any(test, feature = "test-util"))]
    #[error("{step}: failed on purpose")]
    Injected {
        /// The step that failed.
        step: String,
    },
}

impl Error {
    pub(crate) fn step(
        operation: &'static str,
        object: impl Into<String>,
        source: impl Into<io::Error>,
    ) -> Self {
        Self::Step { operation, object: object.into(), source: source.into() }
    }

    pub(crate) fn spec(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self::Spec { field: field.into(), message: message.into() }
    }

    /// The kernel's error number, if it was the kernel that refused.
    #[must_use]
    pub fn raw_os_error(&self) -> Option<i32> {
        match self {
            Self::Step { source, .. } | Self::Cgroup { source, .. } | Self::NotExecutable { source, .. } => {
                source.raw_os_error()
            }
            Self::Fs(error) => error.raw_os_error(),
            _ => None,
        }
    }
}
