//! Files of volumes that variables come from (`fileKeyRef`).

use std::collections::BTreeMap;
use std::sync::Arc;

use orlop_model::Str;

/// Files of a pod's volumes, as far as variables come from them.
#[derive(Clone, Debug, Default)]
pub struct EnvFiles {
    volumes: BTreeMap<Str, Volume>,
}

#[derive(Clone, Debug, Default)]
struct Volume {
    /// Where it is on the node, for messages.
    place: Str,
    /// By path, cleaned. Files that cannot be read are absent.
    files: BTreeMap<String, Arc<[u8]>>,
}

/// A file that was looked for.
pub(crate) struct EnvFile<'a> {
    /// Where it is, or would be, on the node.
    pub(crate) place: String,
    /// `None`: it cannot be read.
    pub(crate) contents: Option<&'a [u8]>,
}

impl EnvFiles {
    /// No volumes.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a volume that is set up; `place` is where it is on the node, for messages.
    #[must_use]
    pub fn with_volume(mut self, volume: impl Into<Str>, place: impl Into<Str>) -> Self {
        self.volumes.entry(volume.into()).or_default().place = place.into();
        self
    }

    /// Adds a file of a volume by its path in it.
    #[must_use]
    pub fn with_file(mut self, volume: impl Into<Str>, path: &str, contents: impl Into<Arc<[u8]>>) -> Self {
        self.volumes.entry(volume.into()).or_default().files.insert(inside(path), contents.into());
        self
    }

    /// A file by its path, which cannot lead out of the volume; `None` if there is no such volume.
    pub(crate) fn get(&self, volume: &str, path: &str) -> Option<EnvFile<'_>> {
        let volume = self.volumes.get(volume)?;
        let path = inside(path);
        let place =
            if path.is_empty() { volume.place.to_string() } else { format!("{}/{path}", volume.place) };
        Some(EnvFile { place, contents: volume.files.get(&path).map(AsRef::as_ref) })
    }
}

/// A path without `.`, `..` and empty parts; at the top `..` stays there.
fn inside(path: &str) -> String {
    let mut parts = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    parts.join("/")
}

/// A line of an env file that is none.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {expected}")]
pub struct EnvFileError {
    /// Its number, from 1.
    pub line: usize,
    /// What should be there.
    pub expected: &'static str,
}

/// The value of a variable in an env file, empty if it is not there.
///
/// The form is a strict part of POSIX shell: `NAME='value'`, where the value may span lines and nothing in it has a
/// meaning but the closing quote; blanks before the name, empty lines, lines of comment, and a comment behind the value
/// are allowed. As in a shell, `NAME= 'value'` is an empty value. Nothing behind the variable is looked at.
///
/// # Errors
/// The first line up to the variable that has another form.
pub fn env_file_value(contents: &[u8], name: &str) -> Result<String, EnvFileError> {
    let text = String::from_utf8_lossy(contents);
    let blank = [' ', '\t'];
    let mut lines = text.split_terminator('\n').map(|line| line.strip_suffix('\r').unwrap_or(line));
    let mut number = 0;
    while let Some(line) = lines.next() {
        number += 1;
        let begin = number;
        let wrong = |expected| EnvFileError { line: begin, expected };
        let line = line.trim_start_matches(blank);
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let (key, value) = line.split_once('=').ok_or_else(|| wrong("'=' is missing"))?;
        if key.trim_end_matches(blank).is_empty() {
            return Err(wrong("a name is needed before '='"));
        }
        if key.ends_with(blank) {
            return Err(wrong("there must be no blank before '='"));
        }
        if value.starts_with(blank) {
            if key == name {
                return Ok(String::new());
            }
            continue;
        }
        let mut rest = value.strip_prefix('\'').ok_or_else(|| wrong("the value must be in single quotes"))?;
        let mut found = String::new();
        let after = loop {
            if let Some((last, after)) = rest.split_once('\'') {
                found.push_str(last);
                break after;
            }
            found.push_str(rest);
            found.push('\n');
            rest = lines.next().ok_or_else(|| wrong("the closing quote is missing"))?;
            number += 1;
        };
        let after = after.trim_start_matches(blank);
        if !after.is_empty() && !after.starts_with('#') {
            return Err(EnvFileError {
                line: number,
                expected: "only a comment may follow the closing quote",
            });
        }
        if key == name {
            return Ok(found);
        }
    }
    Ok(String::new())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values() {
        for (text, wanted) in [
            ("A='x'", Ok("x")),
            ("\t A='x' # why\n", Ok("x")),
            ("# A='no'\n\nB='multi\nline'\nA=''\n", Ok("")),
            ("B='multi\nA=' \nA='after'", Ok("after")),
            ("A='crlf'\r\n", Ok("crlf")),
            ("A='1'\nA='2'\n", Ok("1")),
            ("A= 'x'\n", Ok("")),
            ("", Ok("")),
            ("A='$HOME\\n#'\n", Ok("$HOME\\n#")),
            ("A='x'\nwhat follows is not read", Ok("x")),
            ("A = 'x'", Err(1)),
            ("\nA=x", Err(2)),
            ("A=\"x\"", Err(1)),
            ("='x'", Err(1)),
            ("A", Err(1)),
            ("A='x' y", Err(1)),
            ("A='x''y'", Err(1)),
            ("B=''\nA='x\n\n", Err(2)),
        ] {
            let got = env_file_value(text.as_bytes(), "A").map_err(|error| error.line);
            assert_eq!(got, wanted.map(str::to_owned), "{text:?}");
        }
    }

    #[test]
    fn paths_stay_in_the_volume() {
        let files = EnvFiles::new().with_volume("v", "/vol").with_file("v", "a/b", *b"1");
        for path in ["a/b", "../a/b", "/a//./x/../b"] {
            let file = files.get("v", path).unwrap();
            assert_eq!((file.place.as_str(), file.contents), ("/vol/a/b", Some(&b"1"[..])), "{path}");
        }
        assert!(files.get("v", "a").unwrap().contents.is_none());
        assert!(files.get("w", "a").is_none());
    }
}
