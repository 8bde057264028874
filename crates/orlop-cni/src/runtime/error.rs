//! [`Error`].

use crate::skel::Command;
use crate::{CniError, Owner};

/// Why a container could not be attached, detached or checked.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A name, a version or the network namespace cannot be used.
    #[error("{source}")]
    Invalid {
        /// Why.
        source: CniError,
    },
    /// There is no plugin of this name in the process, and executables may not be run.
    #[error("no plugin {plugin:?}")]
    UnknownPlugin {
        /// Its name.
        plugin: String,
    },
    /// A plugin failed.
    #[error("{command} of {owner}: plugin {plugin}: {source}{}", Left(left))]
    Plugin {
        /// Which attachment.
        owner: Box<Owner>,
        /// Which plugin.
        plugin: String,
        /// What was asked of it.
        command: Command,
        /// What it answered.
        source: CniError,
        /// What could not be undone, by plugin.
        left: Vec<(String, CniError)>,
    },
    /// Several plugins failed, or one that was not called for one attachment.
    #[error("{command} of network {network}{}", Left(errors))]
    Plugins {
        /// Which network.
        network: String,
        /// What was asked of them.
        command: Command,
        /// What they answered.
        errors: Vec<(String, CniError)>,
    },
    /// The container is attached to the network by this interface.
    #[error("{owner} is attached already")]
    AlreadyAttached {
        /// Which attachment.
        owner: Owner,
    },
    /// The configuration is older than CHECK.
    #[error("network {network}: configuration version {version:?} does not support CHECK")]
    CheckTooOld {
        /// Which network.
        network: String,
        /// Its version.
        version: String,
    },
    /// A record of an attachment cannot be read or written.
    #[error("record {path}: {problem}")]
    Record {
        /// Its file.
        path: String,
        /// Why.
        problem: String,
    },
}

impl From<orlop_netlink::Error> for Error {
    fn from(error: orlop_netlink::Error) -> Self {
        Self::Invalid { source: error.into() }
    }
}

struct Left<'a>(&'a [(String, CniError)]);

impl std::fmt::Display for Left<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (plugin, error) in self.0 {
            write!(f, "; {plugin}: {error}")?;
        }
        Ok(())
    }
}
