//! Versions of the CNI specification.

use crate::CniError;
use crate::error::code;
use crate::json::{Fields, Malformed, parse};
use crate::quote::{quoted, quoted_list};

/// The newest version that this crate speaks.
pub const CURRENT: &str = "1.1.0";

/// All versions that this crate speaks, oldest first.
pub const ALL: [&str; 7] = ["0.1.0", "0.2.0", "0.3.0", "0.3.1", "0.4.0", "1.0.0", CURRENT];

/// A version in numbers, ordered as one would expect.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version {
    /// The first number.
    pub major: i64,
    /// The second; 0 where there is none.
    pub minor: i64,
    /// The third; 0 where there is none.
    pub micro: i64,
}

/// A text that is no version.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum VersionError {
    /// More than three numbers.
    #[error("invalid version {}: too many parts", quoted(version))]
    TooManyParts {
        /// The text.
        version: String,
    },
    /// A part that is no number.
    #[error(
        "failed to convert {part} version part {}: strconv.Atoi: parsing {}: {reason}",
        quoted(text),
        quoted(text)
    )]
    Part {
        /// `major`, `minor` or `micro`.
        part: &'static str,
        /// What stands there.
        text: String,
        /// `invalid syntax` or `value out of range`.
        reason: &'static str,
    },
}

impl Version {
    /// Reads `1.1.0`, and also `1` and `1.1`. Nothing at all is 0.1.0, the version before versions were written.
    ///
    /// # Errors
    /// If a part is no number that fits 64 bits, or there are more than three.
    pub fn parse(text: &str) -> Result<Self, VersionError> {
        if text.is_empty() {
            return Ok(Self { major: 0, minor: 1, micro: 0 });
        }
        let parts: Vec<&str> = text.splitn(4, '.').collect();
        if parts.len() > 3 {
            return Err(VersionError::TooManyParts { version: text.to_owned() });
        }
        let part = |i: usize, part| parts.get(i).map_or(Ok(0), |text| number(part, text));
        Ok(Self { major: part(0, "major")?, minor: part(1, "minor")?, micro: part(2, "micro")? })
    }

    /// From the three numbers of a version that is known.
    pub(crate) const fn new(major: i64, minor: i64, micro: i64) -> Self {
        Self { major, minor, micro }
    }
}

/// CHECK, and prevResult on DEL, are from this version on.
pub(crate) const CHECK_SINCE: Version = Version::new(0, 4, 0);
/// GC and STATUS are from this version on.
pub(crate) const GC_SINCE: Version = Version::new(1, 1, 0);

fn number(part: &'static str, text: &str) -> Result<i64, VersionError> {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    let reason = if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        "invalid syntax"
    } else {
        match text.parse() {
            Ok(number) => return Ok(number),
            Err(_) => "value out of range",
        }
    };
    Err(VersionError::Part { part, text: text.to_owned(), reason })
}

/// Whether a version is greater than another.
///
/// # Errors
/// If either is no version.
pub fn greater_than(version: &str, other: &str) -> Result<bool, VersionError> {
    Ok(Version::parse(version)? > Version::parse(other)?)
}

/// Whether a version is another or greater.
///
/// # Errors
/// If either is no version.
pub fn at_least(version: &str, other: &str) -> Result<bool, VersionError> {
    Ok(Version::parse(version)? >= Version::parse(other)?)
}

/// Whether a plugin that supports some versions can be given a configuration of a version. The texts have to be the
/// same: `1.0` is not `1.0.0`.
///
/// # Errors
/// Code 1, with both in the details, if not.
pub fn compatible<T: AsRef<str>>(config: &str, supported: &[T]) -> Result<(), CniError> {
    if supported.iter().any(|version| version.as_ref() == config) {
        return Ok(());
    }
    let details = format!("config is {}, plugin supports {}", quoted(config), quoted_list(supported));
    Err(CniError::new(code::INCOMPATIBLE_VERSION, "incompatible CNI versions").with_details(details))
}

/// The version that a configuration or a result declares; 0.1.0 if it declares none.
///
/// # Errors
/// If the text is no JSON object, or its `cniVersion` is no text.
pub fn declared(text: &str) -> Result<String, Malformed> {
    let document = parse(text)?;
    let version = Fields::of(&document, "")?.text("cniVersion")?;
    Ok(if version.is_empty() { ALL[0].to_owned() } else { version })
}

/// The versions that a plugin supports, by its answer to VERSION.
///
/// # Errors
/// If the answer is no JSON object, or lacks `cniVersion`, or lacks `supportedVersions` and is not of version 0.2.0,
/// whose plugins did not have to tell.
pub fn supported_by(reply: &str) -> Result<Vec<String>, Malformed> {
    let document = parse(reply)?;
    let reply = Fields::of(&document, "")?;
    let version = reply.text("cniVersion")?;
    let supported = reply.texts("supportedVersions")?;
    if version.is_empty() {
        return Err(reply.refuse("cniVersion", "is missing"));
    }
    match (supported.is_empty(), version.as_str()) {
        (true, "0.2.0") => Ok(vec!["0.1.0".to_owned(), "0.2.0".to_owned()]),
        (true, _) => Err(reply.refuse("supportedVersions", "is missing")),
        (false, _) => Ok(supported),
    }
}
