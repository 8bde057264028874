//! [`Extra`]: the fields that a type does not know.

use serde_json::Value;

/// Fields of a struct that this version of its type does not know; they survive reading and writing, those of JSON in
/// JSON, those of protobuf in protobuf. One pointer, empty for nearly every object.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Extra(Option<Box<Unknown>>);

#[derive(Clone, Debug, Default, PartialEq)]
struct Unknown {
    json: serde_json::Map<String, Value>,
    protobuf: Vec<u8>,
}

impl Extra {
    /// No field.
    #[must_use]
    pub const fn new() -> Self {
        Self(None)
    }

    /// Whether there is no such field, in either format.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    /// Names of the JSON fields.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.iter().map(|(name, _)| name.as_str())
    }

    /// The JSON fields.
    pub fn iter(&self) -> impl Iterator<Item = (&String, &Value)> {
        self.0.iter().flat_map(|unknown| unknown.json.iter())
    }

    /// The value of the JSON field `name`.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.0.as_ref()?.json.get(name)
    }

    /// Sets a JSON field.
    pub fn insert(&mut self, name: impl Into<String>, value: Value) {
        self.0.get_or_insert_default().json.insert(name.into(), value);
    }

    /// Where the value of a JSON field is, which is `null` if there was none.
    #[cfg(feature = "rules")]
    pub(crate) fn entry(&mut self, name: &str) -> &mut Value {
        self.0.get_or_insert_default().json.entry(name).or_insert(Value::Null)
    }

    /// The value of the JSON field `name`, to be changed.
    #[cfg(feature = "rules")]
    pub(crate) fn get_mut(&mut self, name: &str) -> Option<&mut Value> {
        self.0.as_mut()?.json.get_mut(name)
    }

    /// Removes a JSON field.
    #[cfg(feature = "rules")]
    pub(crate) fn remove(&mut self, name: &str) -> bool {
        let Some(unknown) = &mut self.0 else { return false };
        let removed = unknown.json.remove(name).is_some();
        if unknown.json.is_empty() && unknown.protobuf.is_empty() {
            self.0 = None;
        }
        removed
    }

    /// Fields of protobuf as they came: tags and values, one after the other.
    #[must_use]
    pub fn protobuf(&self) -> &[u8] {
        self.0.as_ref().map_or(&[], |unknown| &unknown.protobuf)
    }

    /// Adds a field of protobuf, with its tag.
    pub(crate) fn extend_protobuf(&mut self, field: &[u8]) {
        self.0.get_or_insert_default().protobuf.extend_from_slice(field);
    }

    /// Takes over the fields of another, which replace those of the same name.
    pub(crate) fn merge(&mut self, other: &Self) {
        let Some(other) = &other.0 else { return };
        let unknown = self.0.get_or_insert_default();
        unknown.json.extend(other.json.iter().map(|(name, value)| (name.clone(), value.clone())));
        unknown.protobuf.extend_from_slice(&other.protobuf);
    }
}
