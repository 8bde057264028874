//! Digests: names of content by what is in it.

use std::fmt;
use std::str::FromStr;

use sha2::Digest as _;

/// A digest: `sha256:` and 64 hexadecimal digits, or `sha512:` and 128.
///
/// Only digests that can be verified are ones; since digits are all there is, a digest is safe as the name of a file.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest {
    text: String,
    algorithm: Algorithm,
}

/// A hash function of the registered ones that this crate can verify.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Algorithm {
    /// SHA-256, the one in use.
    Sha256,
    /// SHA-384, which is not registered with OCI but accepted in the names of images.
    Sha384,
    /// SHA-512.
    Sha512,
}

/// A text that is not a digest, in the words of the distribution project.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DigestError {
    /// It does not fit the grammar of digests.
    #[error("invalid checksum digest format")]
    Format,
    /// The algorithm is unknown, so that nothing could be verified.
    #[error("unsupported digest algorithm")]
    Algorithm,
    /// The hash is of another length than the algorithm's.
    #[error("invalid checksum digest length")]
    Length,
}

impl Algorithm {
    const ALL: [Self; 3] = [Self::Sha256, Self::Sha384, Self::Sha512];

    /// Its name in digests: `sha256`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Sha256 => "sha256",
            Self::Sha384 => "sha384",
            Self::Sha512 => "sha512",
        }
    }

    fn digits(self) -> usize {
        match self {
            Self::Sha256 => 64,
            Self::Sha384 => 96,
            Self::Sha512 => 128,
        }
    }
}

impl Digest {
    /// Reads a digest.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(text: &str) -> Result<Self, DigestError> {
        let (name, encoded) = text.split_once(':').ok_or(DigestError::Format)?;
        if name.is_empty() || encoded.is_empty() {
            return Err(DigestError::Format);
        }
        let Some(algorithm) = Algorithm::ALL.into_iter().find(|algorithm| algorithm.name() == name) else {
            return Err(if is_grammatical(name, encoded) {
                DigestError::Algorithm
            } else {
                DigestError::Format
            });
        };
        if encoded.len() != algorithm.digits() {
            return Err(DigestError::Length);
        }
        if !encoded.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')) {
            return Err(DigestError::Format);
        }
        Ok(Self { text: text.to_owned(), algorithm })
    }

    /// The sha256 digest of these bytes.
    #[must_use]
    pub fn sha256(bytes: impl AsRef<[u8]>) -> Self {
        Self::of(Algorithm::Sha256, bytes.as_ref())
    }

    pub(crate) fn of(algorithm: Algorithm, bytes: &[u8]) -> Self {
        let mut hasher = Hasher::new(algorithm);
        hasher.update(bytes);
        hasher.finish()
    }

    /// The hash function.
    #[must_use]
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// The hash, in lower-case hexadecimal digits.
    #[must_use]
    pub fn hex(&self) -> &str {
        &self.text[self.algorithm.name().len() + 1..]
    }

    /// The whole text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl FromStr for Digest {
    type Err = DigestError;

    fn from_str(text: &str) -> Result<Self, DigestError> {
        Self::parse(text)
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.text)
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.text)
    }
}

impl serde::Serialize for Digest {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

impl<'de> serde::Deserialize<'de> for Digest {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// `[a-z0-9]+([+._-][a-z0-9]+)*` for the algorithm, `[a-zA-Z0-9=_-]+` for the rest (image specification, descriptors).
fn is_grammatical(name: &str, encoded: &str) -> bool {
    let is_part = |part: &str| {
        !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
    };
    name.split(['+', '.', '_', '-']).all(is_part)
        && encoded.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'=' | b'_' | b'-'))
}

/// A running hash.
#[derive(Clone, Debug)]
pub(crate) enum Hasher {
    Sha256(sha2::Sha256),
    Sha384(sha2::Sha384),
    Sha512(sha2::Sha512),
}

impl Hasher {
    pub(crate) fn new(algorithm: Algorithm) -> Self {
        match algorithm {
            Algorithm::Sha256 => Self::Sha256(sha2::Sha256::new()),
            Algorithm::Sha384 => Self::Sha384(sha2::Sha384::new()),
            Algorithm::Sha512 => Self::Sha512(sha2::Sha512::new()),
        }
    }

    pub(crate) fn update(&mut self, bytes: &[u8]) {
        match self {
            Self::Sha256(hash) => hash.update(bytes),
            Self::Sha384(hash) => hash.update(bytes),
            Self::Sha512(hash) => hash.update(bytes),
        }
    }

    pub(crate) fn finish(self) -> Digest {
        fn text(name: &str, hash: &[u8]) -> String {
            use fmt::Write as _;
            let mut text = format!("{name}:");
            for byte in hash {
                let _ = write!(text, "{byte:02x}");
            }
            text
        }
        let (algorithm, text) = match self {
            Self::Sha256(hash) => (Algorithm::Sha256, text("sha256", &hash.finalize())),
            Self::Sha384(hash) => (Algorithm::Sha384, text("sha384", &hash.finalize())),
            Self::Sha512(hash) => (Algorithm::Sha512, text("sha512", &hash.finalize())),
        };
        Digest { text, algorithm }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digests_are_read_and_made() {
        let empty = "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a";
        assert_eq!(Digest::sha256("{}").as_str(), empty);
        let digest: Digest = empty.parse().unwrap();
        assert_eq!((digest.algorithm(), digest.hex()), (Algorithm::Sha256, &empty[7..]));
        let long = format!("sha512:{}", "0a".repeat(64));
        assert_eq!(Digest::parse(&long).unwrap().hex().len(), 128);
    }

    #[test]
    fn what_cannot_be_verified_is_refused() {
        let hex = "0a".repeat(32);
        for (text, error) in [
            (String::new(), DigestError::Format),
            ("sha256".to_owned(), DigestError::Format),
            ("sha256:".to_owned(), DigestError::Format),
            (format!(":{hex}"), DigestError::Format),
            (format!("sha256:{}", &hex[1..]), DigestError::Length),
            (format!("sha256:{}", hex.to_uppercase()), DigestError::Format),
            (format!("sha256:../{}", &hex[3..]), DigestError::Format),
            (format!("md5:{hex}"), DigestError::Algorithm),
            (format!("../x:{hex}"), DigestError::Format),
        ] {
            assert_eq!(Digest::parse(&text), Err(error), "{text}");
        }
    }
}
