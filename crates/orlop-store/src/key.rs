use std::borrow::Borrow;
use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

/// The name of a record: any text, by custom a path such as `/registry/pods/default/web-0`.
///
/// A clone shares the text. Keys are ordered by their bytes (which is the order of code points).
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key(Arc<str>);

impl Key {
    /// A key of this text.
    pub fn new(text: impl Into<Arc<str>>) -> Self {
        Self(text.into())
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The smallest key above this one.
    pub fn successor(&self) -> Self {
        Self(format!("{}\0", self.0).into())
    }
}

impl Deref for Key {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl Borrow<str> for Key {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl AsRef<str> for Key {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl From<&str> for Key {
    fn from(text: &str) -> Self {
        Self::new(text)
    }
}

impl From<String> for Key {
    fn from(text: String) -> Self {
        Self::new(text)
    }
}

impl From<&Key> for Key {
    fn from(key: &Key) -> Self {
        key.clone()
    }
}

impl PartialEq<str> for Key {
    fn eq(&self, text: &str) -> bool {
        self.as_str() == text
    }
}

impl PartialEq<&str> for Key {
    fn eq(&self, text: &&str) -> bool {
        self.as_str() == *text
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The keys from one (included) up to another (excluded), or without an upper end.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyRange {
    from: Key,
    to: Option<Key>,
}

impl KeyRange {
    /// Every key.
    pub fn all() -> Self {
        Self { from: Key::from(""), to: None }
    }

    /// Every key that begins with this text.
    pub fn prefix(prefix: impl Into<Key>) -> Self {
        let from = prefix.into();
        let to = after_prefix(&from);
        Self { from, to }
    }

    /// This key alone.
    pub fn single(key: impl Into<Key>) -> Self {
        let from = key.into();
        let to = Some(from.successor());
        Self { from, to }
    }

    /// The keys from `from` on and below `to`; none if `to` is not above `from`.
    pub fn between(from: impl Into<Key>, to: impl Into<Key>) -> Self {
        Self { from: from.into(), to: Some(to.into()) }
    }

    /// The keys from `from` on.
    pub fn from(from: impl Into<Key>) -> Self {
        Self { from: from.into(), to: None }
    }

    /// The lower end, which belongs to the range.
    pub fn start(&self) -> &Key {
        &self.from
    }

    /// The upper end, which does not belong to the range; `None` if there is none.
    pub fn end(&self) -> Option<&Key> {
        self.to.as_ref()
    }

    /// Whether the key lies in the range.
    pub fn contains(&self, key: &str) -> bool {
        *self.from <= *key && self.to.as_deref().is_none_or(|to| key < to)
    }

    /// Whether no key can lie in the range.
    pub fn is_empty(&self) -> bool {
        self.to.as_ref().is_some_and(|to| *to <= self.from)
    }
}

/// The smallest text above everything that begins with `prefix`, if there is any: the last
/// character that has a successor is replaced by it.
fn after_prefix(prefix: &str) -> Option<Key> {
    let mut rest = prefix.chars();
    while let Some(last) = rest.next_back() {
        let next = match last {
            '\u{d7ff}' => Some('\u{e000}'),
            _ => char::from_u32(last as u32 + 1),
        };
        if let Some(next) = next {
            let mut text = rest.as_str().to_owned();
            text.push(next);
            return Some(text.into());
        }
    }
    None
}

impl fmt::Debug for KeyRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.to {
            Some(to) => write!(f, "{:?}..{:?}", self.from, to),
            None => write!(f, "{:?}..", self.from),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_hold_what_they_say() {
        let pods = KeyRange::prefix("/pods/");
        assert!(pods.contains("/pods/") && pods.contains("/pods/a/b") && pods.contains("/pods/\u{10ffff}"));
        assert!(!pods.contains("/pods") && !pods.contains("/pods0") && !pods.contains("/poda"));
        let one = KeyRange::single("/a");
        assert!(one.contains("/a") && !one.contains("/a\0") && !one.contains("/a/") && !one.contains("/"));
        assert!(KeyRange::all().contains("") && KeyRange::all().contains("\u{10ffff}"));
        assert!(KeyRange::prefix("").contains("") && KeyRange::prefix("").end().is_none());
        assert!(KeyRange::between("b", "a").is_empty() && !KeyRange::between("b", "a").contains("b"));
        assert!(KeyRange::from("b").contains("c") && !KeyRange::from("b").contains("a"));
    }

    #[test]
    fn a_prefix_ends_where_its_successor_begins() {
        let end = |prefix: &str| KeyRange::prefix(prefix).end().map(|key| key.to_string());
        assert_eq!(end("/pods/").as_deref(), Some("/pods0"));
        assert_eq!(end("a\u{10ffff}").as_deref(), Some("b"));
        assert_eq!(end("a\u{d7ff}").as_deref(), Some("a\u{e000}"));
        assert_eq!(end("a\u{7f}").as_deref(), Some("a\u{80}"));
        assert_eq!(end("\u{10ffff}"), None);
    }
}
