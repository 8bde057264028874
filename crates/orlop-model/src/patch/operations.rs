//! JSON patch (RFC 6902): lists of operations, strictly and as Kubernetes reads them.

use super::document::{Document, MAX_DEPTH};
use super::merge::same;

/// How a JSON patch is read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Dialect {
    /// As Kubernetes does: negative indices count from the end, `replace` adds an absent field, `test` of `null` passes on
    /// an absent field, an absent `value` is `null`, numbers are compared as texts, what stands before the first `/` of a
    /// path is ignored; the whole document can only be replaced by an object or a list, and tested.
    #[default]
    Kubernetes,
    /// As RFC 6902 and RFC 6901 have it. The whole document cannot be removed or moved.
    Strict,
}

/// What a JSON patch may ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Operations.
    pub operations: usize,
    /// Bytes of JSON that all `copy` operations together add to the document.
    pub copied: usize,
}

/// Those of Kubernetes' API server: 10,000 operations, 3 MiB.
impl Default for Limits {
    fn default() -> Self {
        Self { operations: 10_000, copied: 3 << 20 }
    }
}

/// A JSON patch that cannot be applied.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OperationError {
    /// The patch is no list of objects.
    #[error("error decoding patch: a JSON patch is a list of operations, which are objects")]
    Decode,
    /// The patch has more operations than [`Limits::operations`].
    #[error("The allowed maximum operations in a JSON patch is {limit}, got {found}")]
    TooMany {
        /// The limit.
        limit: usize,
        /// How many there are.
        found: usize,
    },
    /// An operation copies more than [`Limits::copied`] allows.
    #[error(
        "Unable to complete the copy, the accumulated size increase of copy is {found}, exceeding the limit {limit}"
    )]
    TooLarge {
        /// The limit.
        limit: usize,
        /// Bytes with this operation.
        found: usize,
    },
    /// The document is a scalar, which Kubernetes does not patch.
    #[error("a JSON patch applies to an object or a list")]
    Scalar,
    /// There is no operation of this name.
    #[error("Unexpected kind: {name}")]
    Unknown {
        /// The name; `unknown` where there is none.
        name: String,
    },
    /// A member of an operation is absent or of another type.
    #[error("{operation} operation failed to decode {member}: missing value")]
    Member {
        /// The operation.
        operation: &'static str,
        /// The member.
        member: &'static str,
    },
    /// There is nothing at a path, or nothing can be there.
    #[error("{operation} operation does not apply: doc is missing path: \"{path}\": missing value")]
    Missing {
        /// The operation.
        operation: &'static str,
        /// The path.
        path: String,
    },
    /// A path leads into a list by what is no index of it.
    #[error("error in {operation} for path: '{path}': Unable to access invalid index: {index}")]
    Index {
        /// The operation.
        operation: &'static str,
        /// The path.
        path: String,
        /// What stands for the index.
        index: String,
    },
    /// The document would be nested too deeply.
    #[error("{operation} operation does not apply: more than {MAX_DEPTH} levels at path: \"{path}\"")]
    TooDeep {
        /// The operation.
        operation: &'static str,
        /// The path.
        path: String,
    },
    /// The whole document was to be replaced by a scalar.
    #[error("replace operation value must be object or array")]
    Root,
    /// A value was to be moved into itself.
    #[error("move operation does not apply: {path} is below {from}")]
    IntoItself {
        /// What is moved.
        from: String,
        /// Where to.
        path: String,
    },
    /// A test failed.
    #[error("testing value {path} failed: test failed")]
    Test {
        /// The path.
        path: String,
    },
}

type Result<T> = std::result::Result<T, OperationError>;

/// Applies a JSON patch: all of its operations, or none.
///
/// ```
/// use orlop_model::patch::{self, Dialect, Document, Limits};
///
/// let document: Document = r#"{"a": [1, 2]}"#.parse()?;
/// let operations: Document = r#"[{"op": "add", "path": "/a/-1", "value": 3}]"#.parse()?;
/// let strict = patch::operations(document.clone(), &operations, Dialect::Strict, Limits::default());
/// assert!(strict.is_err());
/// let patched = patch::operations(document, &operations, Dialect::Kubernetes, Limits::default())?;
/// assert_eq!(patched.to_string(), r#"{"a":[1,2,3]}"#);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// If the patch is malformed or too large, or one of the operations does not apply.
pub fn operations(
    mut document: Document,
    patch: &Document,
    dialect: Dialect,
    limits: Limits,
) -> Result<Document> {
    let operations = match (patch, dialect) {
        (Document::Array(operations), _) => operations.as_slice(),
        (Document::Null, Dialect::Kubernetes) => &[],
        _ => return Err(OperationError::Decode),
    };
    let is_operation = |operation: &Document| {
        matches!(operation, Document::Object(_)) || dialect == Dialect::Kubernetes && operation.is_null()
    };
    if !operations.iter().all(is_operation) {
        return Err(OperationError::Decode);
    }
    if operations.len() > limits.operations {
        return Err(OperationError::TooMany { limit: limits.operations, found: operations.len() });
    }
    if dialect == Dialect::Kubernetes && !matches!(document, Document::Object(_) | Document::Array(_)) {
        // Go reads `null` into an empty map, to which nothing can be added.
        let untouched = document.is_null() && operations.is_empty();
        return if untouched { Ok(document) } else { Err(OperationError::Scalar) };
    }
    let mut copied = 0;
    for operation in operations {
        let operation = Operation { members: operation, dialect };
        operation.apply(&mut document, &mut copied, limits)?;
    }
    Ok(document)
}

/// One operation of a patch.
struct Operation<'a> {
    members: &'a Document,
    dialect: Dialect,
}

impl Operation<'_> {
    fn apply(&self, document: &mut Document, copied: &mut usize, limits: Limits) -> Result<()> {
        let name = self.members.get("op").and_then(Document::as_str);
        match name {
            Some("add") => {
                let path = self.path("add")?;
                let value = self.value("add")?;
                self.add("add", document, path, value)
            }
            Some("remove") => {
                let path = self.path("remove")?;
                self.remove("remove", document, path).map(drop)
            }
            Some("replace") => self.replace(document),
            Some("test") => self.test(document),
            Some("copy") => {
                let from = self.member("copy", "from")?;
                let value = match self.get("copy", document, from)? {
                    Some(value) => {
                        *copied += value.size();
                        if *copied > limits.copied {
                            return Err(OperationError::TooLarge { limit: limits.copied, found: *copied });
                        }
                        value.clone()
                    }
                    None => Document::Null,
                };
                let path = self.path("copy")?;
                self.add("copy", document, path, value)
            }
            Some("move") => {
                let from = self.member("move", "from")?;
                if self.is_strict() {
                    let path = self.path("move")?;
                    if path.strip_prefix(from).is_some_and(|below| below.starts_with('/')) {
                        let (from, path) = (from.to_owned(), path.to_owned());
                        return Err(OperationError::IntoItself { from, path });
                    }
                    if path == from {
                        return self.get("move", document, from).map(drop);
                    }
                }
                let value = self.remove("move", document, from)?;
                let path = self.path("move")?;
                self.add("move", document, path, value)
            }
            other => Err(OperationError::Unknown { name: other.unwrap_or("unknown").to_owned() }),
        }
    }

    fn is_strict(&self) -> bool {
        self.dialect == Dialect::Strict
    }

    fn path(&self, operation: &'static str) -> Result<&str> {
        self.member(operation, "path")
    }

    fn member(&self, operation: &'static str, member: &'static str) -> Result<&str> {
        let text = self.members.get(member).and_then(Document::as_str);
        text.ok_or(OperationError::Member { operation, member })
    }

    fn value(&self, operation: &'static str) -> Result<Document> {
        match self.members.get("value") {
            Some(value) => Ok(value.clone()),
            None if self.is_strict() => Err(OperationError::Member { operation, member: "value" }),
            None => Ok(Document::Null),
        }
    }

    fn replace(&self, document: &mut Document) -> Result<()> {
        const NAME: &str = "replace";
        let path = self.path(NAME)?;
        let value = self.value(NAME)?;
        if path.is_empty() {
            if !self.is_strict() && !matches!(value, Document::Object(_) | Document::Array(_)) {
                return Err(OperationError::Root);
            }
            *document = value;
            return Ok(());
        }
        check_depth(NAME, path, &value)?;
        let (parent, name) = self.parent(NAME, document, path)?;
        match parent {
            Document::Object(entries) if self.is_strict() => {
                let slot = entries.get_mut(&name).ok_or_else(|| missing(NAME, path))?;
                *slot = value;
            }
            Document::Object(entries) => {
                entries.insert(name, value);
            }
            Document::Array(items) => {
                let index = self.index(NAME, path, &name, items.len())?;
                items[index] = value;
            }
            _ => return Err(missing(NAME, path)),
        }
        Ok(())
    }

    fn test(&self, document: &mut Document) -> Result<()> {
        let path = self.path("test")?;
        let wanted = self.value("test")?;
        let passes = match self.get("test", document, path)? {
            Some(found) if self.is_strict() => same(found, &wanted),
            Some(found) => *found == wanted,
            None => wanted.is_null(),
        };
        if passes { Ok(()) } else { Err(OperationError::Test { path: path.to_owned() }) }
    }

    fn add(
        &self,
        operation: &'static str,
        document: &mut Document,
        path: &str,
        value: Document,
    ) -> Result<()> {
        if path.is_empty() && self.is_strict() {
            *document = value;
            return Ok(());
        }
        check_depth(operation, path, &value)?;
        let (parent, name) = self.parent(operation, document, path)?;
        match parent {
            Document::Object(entries) => {
                entries.insert(name, value);
            }
            Document::Array(items) if name == "-" => items.push(value),
            Document::Array(items) => {
                // One past the end is a place too.
                let index = self.index(operation, path, &name, items.len() + 1)?;
                items.insert(index, value);
            }
            _ => return Err(missing(operation, path)),
        }
        Ok(())
    }

    fn remove(&self, operation: &'static str, document: &mut Document, path: &str) -> Result<Document> {
        let (parent, name) = self.parent(operation, document, path)?;
        match parent {
            Document::Object(entries) => entries.remove(&name).ok_or_else(|| missing(operation, path)),
            Document::Array(items) => {
                let index = self.index(operation, path, &name, items.len())?;
                Ok(items.remove(index))
            }
            _ => Err(missing(operation, path)),
        }
    }

    /// What is at a path; `None`: nothing, in an object that could have it.
    fn get<'d>(
        &self,
        operation: &'static str,
        document: &'d mut Document,
        path: &str,
    ) -> Result<Option<&'d Document>> {
        if path.is_empty() && (self.is_strict() || operation == "test") {
            return Ok(Some(document));
        }
        let (parent, name) = self.parent(operation, document, path)?;
        match parent {
            Document::Object(entries) => match entries.get(&name) {
                None if self.is_strict() => Err(missing(operation, path)),
                found => Ok(found),
            },
            Document::Array(items) => {
                let index = self.index(operation, path, &name, items.len())?;
                Ok(items.get(index))
            }
            _ => Err(missing(operation, path)),
        }
    }

    /// The object or list that the last part of a path is in, and that part.
    fn parent<'d>(
        &self,
        operation: &'static str,
        document: &'d mut Document,
        path: &str,
    ) -> Result<(&'d mut Document, String)> {
        let (before, rest) = path.split_once('/').ok_or_else(|| missing(operation, path))?;
        if self.is_strict() && !before.is_empty() {
            return Err(missing(operation, path));
        }
        let (parts, last) = match rest.rsplit_once('/') {
            Some((parts, last)) => (Some(parts), last),
            None => (None, rest),
        };
        let mut place = document;
        for part in parts.into_iter().flat_map(|parts| parts.split('/')) {
            let name = self.unescaped(operation, path, part)?;
            place = match place {
                Document::Object(entries) => {
                    entries.get_mut(&name).ok_or_else(|| missing(operation, path))?
                }
                Document::Array(items) => {
                    let index = self
                        .index(operation, path, &name, items.len())
                        .map_err(|_| missing(operation, path))?;
                    &mut items[index]
                }
                _ => return Err(missing(operation, path)),
            };
        }
        Ok((place, self.unescaped(operation, path, last)?))
    }

    fn unescaped(&self, operation: &'static str, path: &str, part: &str) -> Result<String> {
        let mut name = String::with_capacity(part.len());
        let mut rest = part;
        while let Some((before, after)) = rest.split_once('~') {
            name.push_str(before);
            rest = match after.as_bytes().first() {
                Some(b'0') => {
                    name.push('~');
                    &after[1..]
                }
                Some(b'1') => {
                    name.push('/');
                    &after[1..]
                }
                _ if self.is_strict() => return Err(missing(operation, path)),
                _ => {
                    name.push('~');
                    after
                }
            };
        }
        name.push_str(rest);
        Ok(name)
    }

    /// The place in a list that has `places`.
    fn index(&self, operation: &'static str, path: &str, name: &str, places: usize) -> Result<usize> {
        let digits = name.strip_prefix(['+', '-']).unwrap_or(name);
        let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
        let is_canonical = digits.len() == name.len() && (digits == "0" || !digits.starts_with('0'));
        let found = if !is_number || self.is_strict() && !is_canonical {
            None
        } else {
            match (digits.parse::<usize>().ok(), name.starts_with('-')) {
                (Some(back @ 1..), true) => places.checked_sub(back),
                (index, _) => index.filter(|index| *index < places),
            }
        };
        found.ok_or_else(|| {
            let (path, index) = (path.to_owned(), name.to_owned());
            OperationError::Index { operation, path, index }
        })
    }
}

/// What is added may be a copy of the document, so that few operations could nest it without end.
fn check_depth(operation: &'static str, path: &str, value: &Document) -> Result<()> {
    let levels = path.split('/').count() - 1 + value.depth();
    if levels > MAX_DEPTH {
        return Err(OperationError::TooDeep { operation, path: path.to_owned() });
    }
    Ok(())
}

fn missing(operation: &'static str, path: &str) -> OperationError {
    OperationError::Missing { operation, path: path.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(document: &str, patch: &str, dialect: Dialect) -> Result<String> {
        let (document, patch) = (document.parse().unwrap(), patch.parse().unwrap());
        operations(document, &patch, dialect, Limits::default()).map(|document| document.to_string())
    }

    fn strict(document: &str, patch: &str) -> Option<String> {
        run(document, patch, Dialect::Strict).ok()
    }

    /// The examples of RFC 6902, appendix A.
    #[test]
    fn examples_of_the_rfc() {
        for (document, patch, wanted) in [
            (
                r#"{"foo":"bar"}"#,
                r#"[{"op":"add","path":"/baz","value":"qux"}]"#,
                r#"{"baz":"qux","foo":"bar"}"#,
            ),
            (r#"{"foo":[1,2]}"#, r#"[{"op":"add","path":"/foo/1","value":9}]"#, r#"{"foo":[1,9,2]}"#),
            (
                r#"{"a":1,"foo":[1,2]}"#,
                r#"[{"op":"remove","path":"/foo/1"},{"op":"remove","path":"/a"}]"#,
                r#"{"foo":[1]}"#,
            ),
            (r#"{"a":"b"}"#, r#"[{"op":"replace","path":"/a","value":"c"}]"#, r#"{"a":"c"}"#),
            (
                r#"{"foo":{"bar":"baz","waldo":"fred"},"qux":{"corge":"grault"}}"#,
                r#"[{"op":"move","from":"/foo/waldo","path":"/qux/thud"}]"#,
                r#"{"foo":{"bar":"baz"},"qux":{"corge":"grault","thud":"fred"}}"#,
            ),
            (
                r#"{"foo":[1,2,3,4]}"#,
                r#"[{"op":"move","from":"/foo/1","path":"/foo/3"}]"#,
                r#"{"foo":[1,3,4,2]}"#,
            ),
            (r#"{"foo":["a",2]}"#, r#"[{"op":"test","path":"/foo/1","value":2.0}]"#, r#"{"foo":["a",2]}"#),
            (r#"{"/":9,"~1":10}"#, r#"[{"op":"test","path":"/~01","value":10}]"#, r#"{"/":9,"~1":10}"#),
            ("1", r#"[{"op":"replace","path":"","value":[2]}]"#, "[2]"),
        ] {
            assert_eq!(strict(document, patch).as_deref(), Some(wanted), "{document} {patch}");
        }
        for (document, patch) in [
            (r#"{"baz":"qux"}"#, r#"[{"op":"test","path":"/baz","value":"bar"}]"#),
            (r#"{"foo":"bar"}"#, r#"[{"op":"add","path":"/baz/bat","value":"qux"}]"#),
            (r#"{"a":[1]}"#, r#"[{"op":"add","path":"/a/-1","value":1}]"#),
            (r#"{"a":[1]}"#, r#"[{"op":"add","path":"/a/01","value":1}]"#),
            (r#"{"a":1}"#, r#"[{"op":"replace","path":"/b","value":1}]"#),
            (r#"{"a":1}"#, r#"[{"op":"test","path":"/b","value":null}]"#),
            (r#"{"a":1}"#, r#"[{"op":"add","path":"/b"}]"#),
            (r#"{"a":1}"#, r#"[{"op":"add","path":"/~2","value":1}]"#),
            (r#"{"a":1}"#, r#"[{"op":"remove","path":""}]"#),
            (r#"{"a":{}}"#, r#"[{"op":"move","from":"/a","path":"/a/b"}]"#),
            (r#"{"a":1}"#, "null"),
        ] {
            assert_eq!(strict(document, patch), None, "{document} {patch}");
        }
    }

    #[test]
    fn a_small_patch_makes_no_large_document() {
        let copy = r#"{"op":"copy","from":"/a","path":"/a/-"}"#;
        let patch = format!("[{}]", vec![copy; 100].join(","));
        let error = run(r#"{"a":["0123456789"]}"#, &patch, Dialect::Kubernetes).unwrap_err();
        assert!(matches!(error, OperationError::TooLarge { .. }), "{error}");
        let many = format!("[{}]", vec![r#"{"op":"test","path":""}"#; 10_001].join(","));
        let error = run("{}", &many, Dialect::Kubernetes).unwrap_err();
        assert_eq!(error.to_string(), "The allowed maximum operations in a JSON patch is 10000, got 10001");
    }
}
