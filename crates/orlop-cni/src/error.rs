//! [`CniError`]: what a plugin answers when it fails.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The codes that the specification gives errors. From 100 on they are a plugin's own.
pub mod code {
    /// The plugin does not speak the configuration's version.
    pub const INCOMPATIBLE_VERSION: u32 = 1;
    /// A field is not supported, or not with this value.
    pub const UNSUPPORTED_FIELD: u32 = 2;
    /// There is no such container; nothing has to be cleaned up.
    pub const UNKNOWN_CONTAINER: u32 = 3;
    /// An environment variable, or what stands for it, is missing or invalid.
    pub const INVALID_ENVIRONMENT: u32 = 4;
    /// Something could not be read or written.
    pub const IO: u32 = 5;
    /// Something could not be decoded.
    pub const DECODE: u32 = 6;
    /// The network configuration is invalid.
    pub const INVALID_CONFIG: u32 = 7;
    /// The container's network namespace is that of the plugin.
    pub const INVALID_NETNS: u32 = 8;
    /// It may work later.
    pub const TRY_AGAIN: u32 = 11;
    /// The plugin cannot serve ADD.
    pub const NOT_AVAILABLE: u32 = 50;
    /// Nor do containers that exist have a working network.
    pub const LIMITED: u32 = 51;
    /// Anything else.
    pub const INTERNAL: u32 = 999;
}

/// An error of a plugin: a [code], a message for people, and details.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CniError {
    /// One of [`code`], or the plugin's own from 100 on.
    #[serde(default)]
    pub code: u32,
    /// What went wrong.
    #[serde(default)]
    pub msg: String,
    /// More about it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub details: String,
}

impl CniError {
    /// An error without details.
    #[must_use]
    pub fn new(code: u32, msg: impl Into<String>) -> Self {
        Self { code, msg: msg.into(), details: String::new() }
    }

    /// With details.
    #[must_use]
    pub fn with_details(mut self, details: impl Into<String>) -> Self {
        self.details = details.into();
        self
    }

    /// An error of the kind that has no code of its own.
    #[must_use]
    pub fn internal(msg: impl Into<String>) -> Self {
        Self::new(code::INTERNAL, msg)
    }

    pub(crate) fn io(doing: impl fmt::Display, error: impl fmt::Display) -> Self {
        Self::new(code::IO, format!("{doing}: {error}"))
    }

    pub(crate) fn config(msg: impl Into<String>) -> Self {
        Self::new(code::INVALID_CONFIG, msg)
    }
}

impl fmt::Display for CniError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (code {})", self.msg, self.code)?;
        if !self.details.is_empty() {
            write!(f, "; {}", self.details)?;
        }
        Ok(())
    }
}

impl std::error::Error for CniError {}

impl From<orlop_netlink::Error> for CniError {
    fn from(error: orlop_netlink::Error) -> Self {
        Self::internal(error.to_string())
    }
}
