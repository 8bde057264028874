//! Names of containers, networks and interfaces, and the arguments that a plugin is given as text.

use std::collections::BTreeMap;

use crate::CniError;
use crate::error::code;
use crate::quote::{quoted, quoted_list};

/// A letter or digit, then letters, digits, `_`, `.` and `-`.
fn is_plain(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphanumeric())
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"_.-".contains(&b))
}

/// Whether a text can be a container's id.
///
/// # Errors
/// Code 3 if it is empty, 4 if it has other characters.
pub fn container_id(id: &str) -> Result<(), CniError> {
    if id.is_empty() {
        Err(CniError::new(code::UNKNOWN_CONTAINER, "missing containerID"))
    } else if is_plain(id) {
        Ok(())
    } else {
        Err(CniError::new(code::INVALID_ENVIRONMENT, "invalid characters in containerID").with_details(id))
    }
}

/// Whether a text can be a network's name.
///
/// # Errors
/// Code 7 if not.
pub fn network(name: &str) -> Result<(), CniError> {
    if name.is_empty() {
        Err(CniError::config("missing network name:"))
    } else if is_plain(name) {
        Ok(())
    } else {
        Err(CniError::config("invalid characters found in network name").with_details(name))
    }
}

/// Whether a text can be an interface's name.
///
/// # Errors
/// Code 4 if not.
pub fn interface(name: &str) -> Result<(), CniError> {
    let error = |msg: &str| Err(CniError::new(code::INVALID_ENVIRONMENT, msg));
    if name.is_empty() {
        error("interface name is empty")
    } else if name.len() > 15 {
        let details = "interface name should be less than 16 characters";
        error("interface name is too long").map_err(|error| error.with_details(details))
    } else if name == "." || name == ".." {
        error("interface name is . or ..")
    } else if name.chars().any(|c| c == '/' || c == ':' || c.is_whitespace()) {
        error("interface name contains / or : or whitespace characters")
    } else {
        Ok(())
    }
}

/// What a plugin knows of the arguments in `CNI_ARGS`, which are `NAME=VALUE` separated by semicolons.
///
/// ```
/// use orlop_cni::name::ArgumentNames;
///
/// let known = ArgumentNames::new().text("K8S_POD_NAME").flag("VERBOSE");
/// let arguments = known.read("K8S_POD_NAME=web;VERBOSE=1").unwrap();
/// assert_eq!(arguments.text("K8S_POD_NAME"), "web");
/// assert!(arguments.flag("VERBOSE"));
/// assert!(known.read("COLOUR=red").is_err());
/// assert!(known.read("COLOUR=red;IgnoreUnknown=true").is_ok());
/// ```
#[derive(Clone, Debug, Default)]
pub struct ArgumentNames {
    texts: Vec<&'static str>,
    flags: Vec<&'static str>,
}

/// Arguments that were read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Arguments {
    texts: BTreeMap<&'static str, String>,
    flags: BTreeMap<&'static str, bool>,
}

/// Arguments that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ArgumentError {
    /// Not `NAME=VALUE`.
    #[error("ARGS: invalid pair {}", quoted(pair))]
    Pair {
        /// What it is instead.
        pair: String,
    },
    /// A value that is neither true nor false.
    #[error(
        "ARGS: error parsing value of pair {}: boolean unmarshal error: invalid input {value}",
        quoted(pair)
    )]
    Flag {
        /// Name and value.
        pair: String,
        /// The value in small letters.
        value: String,
    },
    /// A name that is reserved.
    #[error(
        "ARGS: cannot unmarshal into field '{name}' - type '*types.{name}' does not implement encoding.TextUnmarshaler"
    )]
    Reserved {
        /// The name.
        name: String,
    },
    /// Names that the plugin does not know, and `IgnoreUnknown` is not set.
    #[error("ARGS: unknown args {}", quoted_list(pairs))]
    Unknown {
        /// Names and values.
        pairs: Vec<String>,
    },
}

/// Lets unknown arguments pass.
const IGNORE_UNKNOWN: &str = "IgnoreUnknown";
/// What holds the above in the reference implementation, where it can be named but not set.
const RESERVED: &str = "CommonArgs";

impl ArgumentNames {
    /// None but `IgnoreUnknown`.
    #[must_use]
    pub fn new() -> Self {
        Self { texts: Vec::new(), flags: vec![IGNORE_UNKNOWN] }
    }

    /// One more whose value is text.
    #[must_use]
    pub fn text(mut self, name: &'static str) -> Self {
        self.texts.push(name);
        self
    }

    /// One more whose value is `1`, `true`, `0` or `false`, in any case.
    #[must_use]
    pub fn flag(mut self, name: &'static str) -> Self {
        self.flags.push(name);
        self
    }

    /// Reads arguments. Of several with one name the last counts.
    ///
    /// # Errors
    /// The first that cannot be read; or all that are unknown, unless `IgnoreUnknown` is among them.
    pub fn read(&self, args: &str) -> Result<Arguments, ArgumentError> {
        let mut arguments = Arguments::default();
        let mut unknown = Vec::new();
        if args.is_empty() {
            return Ok(arguments);
        }
        for pair in args.split(';') {
            let (name, value) = pair
                .split_once('=')
                .filter(|(_, value)| !value.contains('='))
                .ok_or_else(|| ArgumentError::Pair { pair: pair.to_owned() })?;
            if let Some(name) = self.texts.iter().find(|known| **known == name) {
                arguments.texts.insert(name, value.to_owned());
            } else if let Some(name) = self.flags.iter().find(|known| **known == name) {
                let value = value.to_lowercase();
                let on = match value.as_str() {
                    "1" | "true" => true,
                    "0" | "false" => false,
                    _ => return Err(ArgumentError::Flag { pair: pair.to_owned(), value }),
                };
                arguments.flags.insert(name, on);
            } else if name == RESERVED {
                return Err(ArgumentError::Reserved { name: name.to_owned() });
            } else {
                unknown.push(pair.to_owned());
            }
        }
        if !unknown.is_empty() && !arguments.flag(IGNORE_UNKNOWN) {
            return Err(ArgumentError::Unknown { pairs: unknown });
        }
        Ok(arguments)
    }
}

impl Arguments {
    /// The value; empty if it was not given.
    #[must_use]
    pub fn text(&self, name: &str) -> &str {
        self.texts.get(name).map_or("", String::as_str)
    }

    /// The value; false if it was not given.
    #[must_use]
    pub fn flag(&self, name: &str) -> bool {
        self.flags.get(name).copied().unwrap_or(false)
    }
}
