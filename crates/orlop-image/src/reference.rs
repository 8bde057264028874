//! Names of images.

use std::fmt::{self, Write as _};
use std::str::FromStr;

use crate::Digest;
use crate::digest::DigestError;

const DEFAULT_REGISTRY: &str = "docker.io";
const LEGACY_REGISTRY: &str = "index.docker.io";
const OFFICIAL: &str = "library/";
/// The tag that a name without tag and digest means.
const DEFAULT_TAG: &str = "latest";
/// The most characters of a repository's path.
const PATH_MAX: usize = 255;

/// The name of an image, in its full form: `registry/path`, with a tag or a digest or both.
///
/// Reading it applies what people leave out: `nginx` is `docker.io/library/nginx:latest`. The grammar is that of the
/// distribution project, and so are the texts of the errors, because users of Kubernetes see them.
///
/// ```
/// use orlop_image::Reference;
///
/// let image: Reference = "nginx".parse()?;
/// assert_eq!(image.to_string(), "docker.io/library/nginx:latest");
/// let image: Reference = "registry.example.com:5000/team/app:1.2".parse()?;
/// assert_eq!((image.registry(), image.path(), image.tag()), ("registry.example.com:5000", "team/app", Some("1.2")));
/// # Ok::<(), orlop_image::ReferenceError>(())
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Reference {
    registry: String,
    path: String,
    tag: Option<String>,
    digest: Option<Digest>,
}

/// A text that does not name an image.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("couldn't parse image name {}: {problem}", quoted(.image))]
pub struct ReferenceError {
    /// The text.
    pub image: String,
    /// What is wrong with it.
    pub problem: ReferenceProblem,
}

/// What is wrong with the name of an image.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReferenceProblem {
    /// It does not fit the grammar.
    #[error("invalid reference format")]
    Format,
    /// It would fit if its repository had no upper-case letters.
    #[error("invalid reference format: repository name ({0}) must be lowercase")]
    UpperCase(String),
    /// The path is longer than 255 characters.
    #[error("repository name must not be more than 255 characters")]
    TooLong,
    /// 64 hexadecimal digits are the identifier of an image, not a name.
    #[error("invalid repository name ({0}), cannot specify 64-byte hexadecimal strings")]
    Identifier(String),
    /// The digest is none.
    #[error(transparent)]
    Digest(#[from] DigestError),
}

impl Reference {
    /// Reads the name of an image.
    ///
    /// # Errors
    /// What is wrong with it, in the words of the distribution project.
    pub fn parse(image: &str) -> Result<Self, ReferenceError> {
        normalized(image).map_err(|problem| ReferenceError { image: image.to_owned(), problem })
    }

    /// Host and port of the registry as the name says it: `docker.io`, `registry.example.com:5000`.
    ///
    /// Empty for a few names that are valid although no registry can be reached by them, because what looks like a
    /// host has an underscore (`my_host.io/app`).
    #[must_use]
    pub fn registry(&self) -> &str {
        &self.registry
    }

    /// The path inside the registry: `library/nginx`.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Registry and path: `docker.io/library/nginx`. Credentials are looked up by it.
    #[must_use]
    pub fn repository(&self) -> String {
        if self.registry.is_empty() { self.path.clone() } else { format!("{}/{}", self.registry, self.path) }
    }

    /// The tag; `latest` if the text had neither tag nor digest.
    #[must_use]
    pub fn tag(&self) -> Option<&str> {
        self.tag.as_deref()
    }

    /// The digest, which counts where there is also a tag.
    #[must_use]
    pub fn digest(&self) -> Option<&Digest> {
        self.digest.as_ref()
    }

    /// The same repository at this digest, without a tag.
    #[must_use]
    pub fn with_digest(&self, digest: Digest) -> Self {
        Self { tag: None, digest: Some(digest), ..self.clone() }
    }

    /// Whether what is meant moves by habit: the tag is `latest`. An API server defaults the pull policy to `Always`
    /// for these and for no other.
    #[must_use]
    pub fn is_latest(&self) -> bool {
        self.tag() == Some(DEFAULT_TAG)
    }
}

/// The text with `:latest` added where it has neither tag nor digest, otherwise as it is; unlike
/// [`Reference`]'s own text it does not get a registry.
///
/// # Errors
/// What is wrong with the name.
pub fn with_default_tag(image: &str) -> Result<String, ReferenceError> {
    let reference = Reference::parse(image)?;
    Ok(match (reference.digest(), reference.tag()) {
        (None, Some(tag)) if !image.ends_with(&format!(":{tag}")) => format!("{image}:{tag}"),
        _ => image.to_owned(),
    })
}

impl FromStr for Reference {
    type Err = ReferenceError;

    fn from_str(image: &str) -> Result<Self, ReferenceError> {
        Self::parse(image)
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.repository())?;
        if let Some(tag) = &self.tag {
            write!(out, ":{tag}")?;
        }
        if let Some(digest) = &self.digest {
            write!(out, "@{digest}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Reference {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Reference({self})")
    }
}

impl serde::Serialize for Reference {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> serde::Deserialize<'de> for Reference {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

fn normalized(image: &str) -> Result<Reference, ReferenceProblem> {
    if image.len() == 64 && image.bytes().all(is_lower_hex) {
        return Err(ReferenceProblem::Identifier(image.to_owned()));
    }
    let (registry, rest) = split_registry(image);
    // Not quite the path: a digest without a tag leaves its algorithm in here. The texts of errors show it so.
    let path = rest.split_once(':').map_or(&*rest, |(path, _)| path);
    if path.to_lowercase() != path {
        return Err(ReferenceProblem::UpperCase(path.to_owned()));
    }
    canonical(&format!("{registry}/{rest}"))
}

/// The registry that the text names or means, and what follows.
fn split_registry(image: &str) -> (&str, String) {
    let Some((first, rest)) = image.split_once('/') else {
        return (DEFAULT_REGISTRY, format!("{OFFICIAL}{image}"));
    };
    let names_host = first == "localhost" || first.contains(['.', ':']) || first.to_lowercase() != first;
    let (registry, rest) = match first {
        LEGACY_REGISTRY => (DEFAULT_REGISTRY, rest),
        _ if names_host => (first, rest),
        _ => (DEFAULT_REGISTRY, image),
    };
    if registry == DEFAULT_REGISTRY && !rest.contains('/') {
        (registry, format!("{OFFICIAL}{rest}"))
    } else {
        (registry, rest.to_owned())
    }
}

/// Reads a text whose first part is a registry.
fn canonical(text: &str) -> Result<Reference, ReferenceProblem> {
    let (named, digest) = match text.split_once('@') {
        Some((named, digest)) => (named, Some(digest)),
        None => (text, None),
    };
    let last = named.rfind('/').map_or(0, |slash| slash + 1);
    let (name, tag) = match named[last..].split_once(':') {
        Some((component, tag)) => (&named[..last + component.len()], Some(tag)),
        None => (named, None),
    };
    let (registry, path) = match name.split_once('/') {
        Some((host, path)) if is_host(host) && is_path(path) => (host, path),
        _ if is_path(name) => ("", name),
        _ => return Err(ReferenceProblem::Format),
    };
    if !tag.is_none_or(is_tag) || !digest.is_none_or(looks_like_digest) {
        return Err(ReferenceProblem::Format);
    }
    if path.len() > PATH_MAX {
        return Err(ReferenceProblem::TooLong);
    }
    let digest = digest.map(Digest::parse).transpose()?;
    let tag = match (tag, &digest) {
        (None, None) => Some(DEFAULT_TAG),
        (tag, _) => tag,
    };
    Ok(Reference {
        registry: registry.to_owned(),
        path: path.to_owned(),
        tag: tag.map(str::to_owned),
        digest,
    })
}

fn is_lower_hex(byte: u8) -> bool {
    matches!(byte, b'0'..=b'9' | b'a'..=b'f')
}

/// A host name or an address in brackets, perhaps with a port.
fn is_host(text: &str) -> bool {
    let (host, port) = match text.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => (host, Some(port)),
        _ => (text, None),
    };
    let port_is_one = |port: &str| !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit());
    if !port.is_none_or(port_is_one) {
        return false;
    }
    if let Some(address) = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')) {
        return !address.is_empty() && address.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b':');
    }
    host.split('.').all(|label| {
        let ends = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_alphanumeric);
        let bytes = label.as_bytes();
        ends(bytes.first())
            && ends(bytes.last())
            && bytes.iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b'-')
    })
}

fn is_path(text: &str) -> bool {
    text.split('/').all(is_component)
}

/// Runs of lower-case letters and digits, with `.`, `_`, `__` or any number of `-` between two of them.
pub(crate) fn is_component(text: &str) -> bool {
    let is_word = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let mut rest = text.as_bytes();
    loop {
        let word = rest.iter().take_while(|byte| is_word(**byte)).count();
        if word == 0 {
            return false;
        }
        rest = &rest[word..];
        let separator = match rest {
            [] => return true,
            [b'-', ..] => rest.iter().take_while(|byte| **byte == b'-').count(),
            [b'_', b'_', ..] => 2,
            [b'.' | b'_', ..] => 1,
            _ => return false,
        };
        rest = &rest[separator..];
    }
}

fn is_tag(text: &str) -> bool {
    let is_word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    (1..=128).contains(&text.len())
        && text.bytes().next().is_some_and(is_word)
        && text.bytes().all(|byte| is_word(byte) || matches!(byte, b'.' | b'-'))
}

/// What the grammar of references lets through as a digest, before it is read as one.
fn looks_like_digest(text: &str) -> bool {
    let Some((algorithm, encoded)) = text.split_once(':') else { return false };
    let is_part = |part: &str| {
        part.bytes().next().is_some_and(|byte| byte.is_ascii_alphabetic())
            && part.bytes().all(|byte| byte.is_ascii_alphanumeric())
    };
    algorithm.split(['-', '_', '+', '.']).all(is_part)
        && encoded.len() >= 32
        && encoded.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// The text in double quotes, with escapes, as messages of Kubernetes quote names.
fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for character in text.chars() {
        let short = match character {
            '"' => "\\\"",
            '\\' => "\\\\",
            '\u{7}' => "\\a",
            '\u{8}' => "\\b",
            '\u{c}' => "\\f",
            '\n' => "\\n",
            '\r' => "\\r",
            '\t' => "\\t",
            '\u{b}' => "\\v",
            _ => "",
        };
        let code = u32::from(character);
        if !short.is_empty() {
            out.push_str(short);
        } else if code < 0x20 || code == 0x7f {
            let _ = write!(out, "\\x{code:02x}");
        } else if character.is_control() || (character.is_whitespace() && character != ' ') {
            let _ = write!(out, "\\u{code:04x}");
        } else {
            out.push(character);
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_get_what_they_leave_out() {
        for (text, full) in [
            ("nginx", "docker.io/library/nginx:latest"),
            ("index.docker.io/x", "docker.io/library/x:latest"),
            ("team/app", "docker.io/team/app:latest"),
            ("localhost/app", "localhost/app:latest"),
            ("[::1]:5000/app:x", "[::1]:5000/app:x"),
            ("UPPER/case", "UPPER/case:latest"),
            ("my_host.io/app", "my_host.io/app:latest"),
        ] {
            assert_eq!(Reference::parse(text).unwrap().to_string(), full);
        }
        assert_eq!(Reference::parse("my_host.io/app").unwrap().registry(), "");
    }

    #[test]
    fn what_is_no_name_is_refused() {
        for text in
            ["", "/", "a//b", "a/", "a:", "a@", "a@sha256:", "a b", "a___b", "a.-b/c", "../x", "a/../b", "\0"]
        {
            let error = Reference::parse(text).unwrap_err();
            assert_eq!(error.problem, ReferenceProblem::Format, "{text:?}");
        }
        let id = "0123456789abcdef".repeat(4);
        assert!(matches!(Reference::parse(&id).unwrap_err().problem, ReferenceProblem::Identifier(_)));
        let long = format!("x.io/{}", "a".repeat(256));
        assert_eq!(Reference::parse(&long).unwrap_err().problem, ReferenceProblem::TooLong);
        assert!(Reference::parse(&long[..5 + 255]).is_ok());
    }

    proptest::proptest! {
        #[test]
        fn the_full_text_is_read_as_itself(text in "[a-zA-Z0-9._:/@-]{1,40}") {
            if let Ok(reference) = Reference::parse(&text) {
                let again = Reference::parse(&reference.to_string());
                // Without a registry the full text is short, and would get one.
                if !reference.registry().is_empty() {
                    proptest::prop_assert_eq!(again, Ok(reference));
                }
            }
        }
    }
}
