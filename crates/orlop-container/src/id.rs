//! [`Id`]: the name of a container or a sandbox.

use std::fmt;
use std::str::FromStr;

use crate::Error;

/// The name of a container or a sandbox: letters, digits, `_`, `+`, `-` and, not at the beginning, `.`; at most 128 bytes.
/// It becomes a part of paths.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Id(String);

impl Id {
    /// Checks a name.
    ///
    /// # Errors
    /// If it has other characters, begins with `.`, is empty or too long.
    pub fn new(id: impl Into<String>) -> Result<Self, Error> {
        let id = id.into();
        let valid = !id.is_empty()
            && id.len() <= 128
            && !id.starts_with('.')
            && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_+-.".contains(&byte));
        if valid { Ok(Self(id)) } else { Err(Error::Id { id }) }
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for Id {
    type Err = Error;

    fn from_str(id: &str) -> Result<Self, Error> {
        Self::new(id)
    }
}

impl AsRef<str> for Id {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl AsRef<std::path::Path> for Id {
    fn as_ref(&self) -> &std::path::Path {
        std::path::Path::new(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_checked() {
        for id in ["a", "0", "_x", "a.b", "web-0_1+2", &"x".repeat(128)] {
            assert_eq!(Id::new(id).expect(id).as_str(), id);
        }
        for id in ["", ".", "..", ".a", "a/b", "../a", "a b", "ä", "a\0", &"x".repeat(129)] {
            assert!(Id::new(id).is_err(), "{id:?}");
        }
    }
}
