//! [`Extra`]: the JSON fields that a type does not know.

use serde::de::MapAccess;
use serde::ser::SerializeMap;
use serde_json::Value;

/// JSON fields of a struct that this version of its type does not know; they survive reading and
/// writing. One pointer, empty for nearly every object.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Extra(Option<Box<serde_json::Map<String, Value>>>);

impl Extra {
    /// Names of the fields.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().flat_map(|fields| fields.keys().map(String::as_str))
    }

    /// The value of the field `name`.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.0.as_ref()?.get(name)
    }

    /// Sets a field.
    pub fn insert(&mut self, name: impl Into<String>, value: Value) {
        self.0.get_or_insert_default().insert(name.into(), value);
    }

    pub(crate) fn read<'de, A: MapAccess<'de>>(&mut self, name: &str, map: &mut A) -> Result<(), A::Error> {
        self.insert(name, map.next_value()?);
        Ok(())
    }

    /// Writes the fields into an open JSON object.
    ///
    /// # Errors
    /// Those of the serializer.
    pub fn serialize<M: SerializeMap>(&self, map: &mut M) -> Result<(), M::Error> {
        self.0
            .iter()
            .flat_map(|fields| fields.iter())
            .try_for_each(|(name, value)| map.serialize_entry(name, value))
    }
}
