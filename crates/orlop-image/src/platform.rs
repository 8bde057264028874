//! Platforms: for which machine an image is.

use std::fmt;
use std::str::FromStr;

use crate::Descriptor;
use crate::manifest::is_attestation;

/// An operating system, an architecture and a variant of it, by Go's names for them: `linux/arm64`, `linux/arm/v7`.
///
/// Spellings that mean the same are one: `aarch64` and `arm64/v8` are `arm64`, `x86_64` and `amd64/v1` are `amd64`,
/// `arm` is `arm/v7`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Platform {
    os: String,
    architecture: String,
    variant: String,
}

/// A text that names no platform.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("platform {0:?}: it has to be OS/ARCHITECTURE or OS/ARCHITECTURE/VARIANT")]
pub struct PlatformError(
    /// The text.
    pub String,
);

impl Platform {
    /// A platform; the variant may be empty.
    #[must_use]
    pub fn new(os: &str, architecture: &str, variant: &str) -> Self {
        let lower = |text: &str| text.to_ascii_lowercase();
        let (architecture, variant) = (lower(architecture), lower(variant));
        let (architecture, variant) = match (architecture.as_str(), variant.as_str()) {
            ("x86_64" | "x86-64" | "amd64", "v1") => ("amd64", ""),
            ("x86_64" | "x86-64" | "amd64", other) => ("amd64", other),
            ("aarch64" | "arm64", "8" | "v8" | "v8.0") => ("arm64", ""),
            ("aarch64" | "arm64", other) => ("arm64", other),
            ("armhf", _) => ("arm", "v7"),
            ("armel", _) => ("arm", "v6"),
            ("arm", "" | "7") => ("arm", "v7"),
            ("arm", "5" | "6" | "8") => {
                ("arm", ["v5", "v6", "", "v8"][usize::from(variant.as_bytes()[0] - b'5')])
            }
            ("i386" | "i686", _) => ("386", ""),
            (other, variant) => (other, variant),
        };
        Self { os: lower(os), architecture: architecture.to_owned(), variant: variant.to_owned() }
    }

    /// The platform that this program was built for.
    #[must_use]
    pub fn current() -> Self {
        let architecture = match std::env::consts::ARCH {
            "x86" => "386",
            "powerpc64" if cfg!(target_endian = "little") => "ppc64le",
            "powerpc64" => "ppc64",
            "loongarch64" => "loong64",
            other => other,
        };
        Self::new("linux", architecture, "")
    }

    /// The operating system: `linux`.
    #[must_use]
    pub fn os(&self) -> &str {
        &self.os
    }

    /// The architecture: `amd64`.
    #[must_use]
    pub fn architecture(&self) -> &str {
        &self.architecture
    }

    /// The variant: `v7`; empty if there is none to tell.
    #[must_use]
    pub fn variant(&self) -> &str {
        &self.variant
    }

    /// What runs on this platform, the best first: itself, then lower variants.
    fn accepted(&self) -> Vec<Self> {
        let with = |architecture: &str, variant: &str| Self::new(&self.os, architecture, variant);
        let number = self.variant.strip_prefix('v').and_then(|number| number.parse::<u8>().ok());
        let mut accepted = vec![self.clone()];
        match (self.architecture.as_str(), number) {
            ("amd64", Some(number)) => {
                accepted.extend((1..number.min(9)).rev().map(|lower| with("amd64", &format!("v{lower}"))));
            }
            ("arm", Some(number)) => {
                accepted.extend((5..number.min(9)).rev().map(|lower| with("arm", &format!("v{lower}"))));
            }
            ("arm64", _) => {
                let minor = self.variant.strip_prefix("v8.").and_then(|minor| minor.parse::<u8>().ok());
                let lower =
                    (1..minor.unwrap_or(0).min(10)).rev().map(|minor| with("arm64", &format!("v8.{minor}")));
                accepted.extend(lower);
                if !self.variant.is_empty() {
                    accepted.push(with("arm64", ""));
                }
                accepted.extend((5..=8).rev().map(|lower| with("arm", &format!("v{lower}"))));
            }
            _ => {}
        }
        accepted
    }

    /// The entry of an index to take for this platform: the first one of the best variant that there is. Statements
    /// about images, and images that ask for features of the operating system, are passed over.
    ///
    /// Entries that name no platform come last, and which of them fits is only told by their configurations: all of
    /// them are answered then.
    pub(crate) fn choose<'a>(&self, entries: &'a [Descriptor]) -> Vec<&'a Descriptor> {
        let mut usable =
            entries.iter().filter(|entry| !is_attestation(entry) && entry.os_features.is_empty());
        let best = self
            .accepted()
            .into_iter()
            .find_map(|wanted| usable.clone().find(|entry| entry.platform.as_ref() == Some(&wanted)));
        match best {
            Some(best) => vec![best],
            None => usable.by_ref().filter(|entry| entry.platform.is_none()).collect(),
        }
    }

    /// Whether a configuration for `other` runs here.
    pub(crate) fn accepts(&self, other: &Self) -> bool {
        self.accepted().contains(other)
    }
}

impl FromStr for Platform {
    type Err = PlatformError;

    fn from_str(text: &str) -> Result<Self, PlatformError> {
        let parts: Vec<&str> = text.split('/').collect();
        if parts.iter().any(|part| part.is_empty()) {
            return Err(PlatformError(text.to_owned()));
        }
        match parts[..] {
            [os, architecture] => Ok(Self::new(os, architecture, "")),
            [os, architecture, variant] => Ok(Self::new(os, architecture, variant)),
            _ => Err(PlatformError(text.to_owned())),
        }
    }
}

impl fmt::Display for Platform {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}/{}", self.os, self.architecture)?;
        if self.variant.is_empty() { Ok(()) } else { write!(out, "/{}", self.variant) }
    }
}

impl fmt::Debug for Platform {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, out)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::{Digest, media};

    fn entry(platform: &str) -> Descriptor {
        Descriptor {
            media_type: media::OCI_MANIFEST.to_owned(),
            digest: Digest::sha256(platform),
            size: 0,
            platform: platform.parse().ok(),
            annotations: BTreeMap::new(),
            os_features: Vec::new(),
        }
    }

    fn chosen(wanted: &str, offered: &[&str]) -> Option<String> {
        let entries: Vec<Descriptor> = offered.iter().map(|platform| entry(platform)).collect();
        let chosen = wanted.parse::<Platform>().unwrap().choose(&entries);
        chosen.first().and_then(|entry| entry.platform.as_ref()).map(ToString::to_string)
    }

    #[test]
    fn spellings_are_one() {
        for (text, read) in [
            ("linux/x86_64", "linux/amd64"),
            ("linux/amd64/v1", "linux/amd64"),
            ("Linux/aarch64/v8", "linux/arm64"),
            ("linux/arm", "linux/arm/v7"),
            ("linux/arm/5", "linux/arm/v5"),
            ("linux/arm/8", "linux/arm/v8"),
            ("linux/armel", "linux/arm/v6"),
            ("linux/i386", "linux/386"),
        ] {
            assert_eq!(text.parse::<Platform>().unwrap().to_string(), read);
        }
        for text in ["", "linux", "linux/", "/amd64", "a/b/c/d"] {
            text.parse::<Platform>().unwrap_err();
        }
    }

    #[test]
    fn the_best_variant_is_chosen() {
        let all =
            ["windows/amd64", "linux/arm/v6", "linux/arm/v7", "linux/amd64", "linux/arm64", "linux/amd64/v2"];
        for (wanted, got) in [
            ("linux/amd64", Some("linux/amd64")),
            ("linux/amd64/v3", Some("linux/amd64/v2")),
            ("linux/arm64", Some("linux/arm64")),
            ("linux/arm64/v8.2", Some("linux/arm64")),
            ("linux/arm/v8", Some("linux/arm/v7")),
            ("linux/arm/v6", Some("linux/arm/v6")),
            ("linux/arm/v5", None),
            ("linux/s390x", None),
        ] {
            assert_eq!(chosen(wanted, &all).as_deref(), got, "{wanted}");
        }
        assert_eq!(chosen("linux/arm64", &["linux/arm/v7"]).as_deref(), Some("linux/arm/v7"));
        assert_eq!(chosen("linux/amd64", &["unknown/unknown"]), None);
    }

    #[test]
    fn statements_and_features_are_passed_over() {
        let mut about = entry("linux/amd64");
        about.annotations.insert("vnd.docker.reference.type".to_owned(), "attestation-manifest".to_owned());
        let mut special = entry("linux/amd64");
        special.os_features.push("win32k".to_owned());
        let plain = Descriptor { digest: Digest::sha256("plain"), ..entry("linux/amd64") };
        let entries = [about, special, plain];
        let chosen = "linux/amd64".parse::<Platform>().unwrap().choose(&entries);
        assert_eq!(chosen[0].digest, Digest::sha256("plain"));
    }
}
