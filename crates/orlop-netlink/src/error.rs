//! [`Error`].

use std::io;

/// Why something could not be done to a network namespace.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The kernel refused one request. The others of the same batch are not affected by it.
    #[error("{operation} {object}: {source}{}", Explained(message))]
    Kernel {
        /// What was asked for, as a verb and its noun: `create veth`.
        operation: &'static str,
        /// The name of the object, as the caller gave it.
        object: String,
        /// The error number.
        source: io::Error,
        /// The kernel's own words, where it has any.
        message: Option<String>,
    },
    /// A system call failed.
    #[error("{operation} {object}: {source}")]
    System {
        /// What was tried.
        operation: &'static str,
        /// On what.
        object: String,
        /// Why it failed.
        source: io::Error,
    },
    /// The kernel's answer could not be understood.
    #[error("{operation}: malformed answer: {detail}")]
    Malformed {
        /// What was asked for.
        operation: &'static str,
        /// What is wrong with the answer.
        detail: String,
    },
    /// A dump was interrupted by changes each time it was tried.
    #[error("{operation}: interrupted by changes {attempts} times")]
    Interrupted {
        /// What was asked for.
        operation: &'static str,
        /// How often it was tried.
        attempts: u32,
    },
    /// A value that cannot be put into a request.
    #[error("{field} {value:?}: {reason}")]
    Invalid {
        /// The field.
        field: &'static str,
        /// Its value.
        value: String,
        /// What is wrong with it.
        reason: &'static str,
    },
}

/// What the kernel said besides the error number, in brackets.
struct Explained<'a>(&'a Option<String>);

impl std::fmt::Display for Explained<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.0 {
            Some(message) => write!(f, " ({message})"),
            None => Ok(()),
        }
    }
}

impl Error {
    /// The error number of the kernel or the system call.
    #[must_use]
    pub fn errno(&self) -> Option<i32> {
        match self {
            Self::Kernel { source, .. } | Self::System { source, .. } => source.raw_os_error(),
            _ => None,
        }
    }

    /// Whether the object was there already (`EEXIST`).
    #[must_use]
    pub fn is_exists(&self) -> bool {
        self.errno() == Some(17)
    }

    /// Whether the object, or one that it refers to, is not there (`ENOENT`, `ENODEV`, `ESRCH`, `EADDRNOTAVAIL`).
    #[must_use]
    pub fn is_not_found(&self) -> bool {
        matches!(self.errno(), Some(2 | 19 | 3 | 99))
    }

    #[cfg(target_os = "linux")]
    pub(crate) fn system(
        operation: &'static str,
        object: impl Into<String>,
    ) -> impl FnOnce(io::Error) -> Self {
        let object = object.into();
        move |source| Self::System { operation, object, source }
    }

    #[cfg(target_os = "linux")]
    pub(crate) fn malformed(operation: &'static str, detail: impl ToString) -> Self {
        Self::Malformed { operation, detail: detail.to_string() }
    }
}
