//! [`Strings`]: texts that objects have in common, kept once.

use crate::{Str, known};

/// Shares the texts of objects that are read one after the other: label keys and values, names of nodes and images,
/// field sets of managed fields. Pods of one ReplicaSet, read with the same `Strings`, hold most of their texts together.
///
/// A table of fixed size that remembers the texts seen last, so that it needs no clearing and no lock; texts of up to 16
/// bytes live inside their [`Str`] and are passed over. Give each informer or reader one of its own.
///
/// ```
/// use orlop_model::core::v1::Pod;
/// use orlop_model::{Strings, json};
///
/// let mut strings = Strings::new();
/// let text = br#"{"spec": {"nodeName": "a-node-with-a-long-name"}}"#;
/// let one: Pod = json::from_slice_shared(text, &mut strings)?;
/// let two: Pod = json::from_slice_shared(text, &mut strings)?;
/// assert_eq!(one.spec.node_name.as_ptr(), two.spec.node_name.as_ptr());
/// # Ok::<(), json::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Strings {
    table: Vec<Str>,
}

impl Strings {
    /// Number of texts that are remembered.
    pub const CAPACITY: usize = 1 << 13;

    /// Longest text that is shared, in bytes.
    pub const MAX_BYTES: usize = 1 << 16;

    /// An empty table; its room (128 KiB) is taken at the first text.
    #[must_use]
    pub const fn new() -> Self {
        Self { table: Vec::new() }
    }

    /// The text, shared with the one before if it was seen before.
    pub fn share(&mut self, text: &str) -> Str {
        if self.table.is_empty() {
            self.table.resize(Self::CAPACITY, Str::EMPTY);
        }
        share(text.as_bytes(), &mut self.table, Self::MAX_BYTES, || Some(text.into())).unwrap_or_default()
    }

    /// The text, if it is UTF-8, shared likewise.
    pub(crate) fn share_bytes(&mut self, text: &[u8]) -> Option<Str> {
        if self.table.is_empty() {
            self.table.resize(Self::CAPACITY, Str::EMPTY);
        }
        share(text, &mut self.table, Self::MAX_BYTES, || checked(text))
    }
}

/// Texts of one object that is being read, kept once.
pub(crate) struct Recent([Str; Self::CAPACITY]);

impl Recent {
    const CAPACITY: usize = 32;

    /// Longer texts, such as field sets, are hardly ever twice in an object.
    const MAX_BYTES: usize = 256;

    pub(crate) const fn new() -> Self {
        Self([const { Str::EMPTY }; Self::CAPACITY])
    }

    pub(crate) fn share(&mut self, text: &str) -> Str {
        share(text.as_bytes(), &mut self.0, Self::MAX_BYTES, || Some(text.into())).unwrap_or_default()
    }

    pub(crate) fn share_bytes(&mut self, text: &[u8]) -> Option<Str> {
        share(text, &mut self.0, Self::MAX_BYTES, || checked(text))
    }
}

#[inline]
fn share(text: &[u8], table: &mut [Str], max_bytes: usize, make: impl Fn() -> Option<Str>) -> Option<Str> {
    if !(Str::MAX_INLINE + 1..=max_bytes).contains(&text.len()) {
        return make();
    }
    let hash = known::hash(text);
    if let Some(known) = known::find(text, hash) {
        return Some(known);
    }
    let place = hash % table.len().max(1);
    let Some(slot) = table.get_mut(place) else { return make() };
    if slot.as_bytes() != text {
        *slot = make()?;
    }
    Some(slot.clone())
}

/// A text, if it is UTF-8.
fn checked(text: &[u8]) -> Option<Str> {
    std::str::from_utf8(text).ok().map(Str::from)
}

impl Default for Strings {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_texts_are_one() {
        let mut strings = Strings::new();
        for text in ["registry.example.com/shop/web:v1", "registry.example.com/shop/web:v2", ""] {
            let (one, two) = (strings.share(text), strings.share(text));
            assert_eq!(one, text);
            assert!(text.is_empty() || one.as_ptr() == two.as_ptr());
        }
    }
}
