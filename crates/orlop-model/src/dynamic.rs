//! [`DynamicObject`], an object of a kind that is known only at run time.

use std::sync::Arc;

use serde::de::{self, Deserialize, Deserializer, MapAccess, Visitor};
use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::Value;

use crate::{KindInfo, Object, ObjectMeta, json};

/// An object with typed metadata and a body of any form.
#[derive(Clone, Debug, PartialEq)]
pub struct DynamicObject {
    /// Its kind. Read from JSON, the plural is guessed and the scope namespaced; a registry of
    /// kinds knows better.
    pub kind: Arc<KindInfo>,
    /// Its metadata.
    pub metadata: ObjectMeta,
    /// All other fields.
    pub body: serde_json::Map<String, Value>,
}

impl DynamicObject {
    /// An object with nothing but its kind.
    #[must_use]
    pub fn new(kind: Arc<KindInfo>) -> Self {
        Self { kind, metadata: ObjectMeta::default(), body: serde_json::Map::new() }
    }
}

impl Object for DynamicObject {
    fn kind(&self) -> &KindInfo {
        &self.kind
    }
    fn meta(&self) -> &ObjectMeta {
        &self.metadata
    }
    fn meta_mut(&mut self) -> &mut ObjectMeta {
        &mut self.metadata
    }
    fn to_value(&self) -> serde_json::Result<Value> {
        let metadata = String::from_utf8_lossy(&json::to_vec(&self.metadata)).parse()?;
        let mut fields = self.body.clone();
        fields.insert("kind".to_owned(), self.kind.kind.as_ref().into());
        fields.insert("apiVersion".to_owned(), self.kind.api_version().as_ref().into());
        fields.insert("metadata".to_owned(), metadata);
        Ok(Value::Object(fields))
    }
    fn to_json(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(512);
        json::object(&mut out, &self.kind.kind, &self.kind.api_version());
        out.extend_from_slice(b",\"metadata\":");
        out.extend_from_slice(&json::to_vec(&self.metadata));
        for (name, value) in &self.body {
            out.push(b',');
            json::text(&mut out, name);
            out.push(b':');
            json::any(&mut out, value);
        }
        out.push(b'}');
        out
    }
}

impl Serialize for DynamicObject {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.body.len() + 3))?;
        map.serialize_entry("kind", &self.kind.kind)?;
        map.serialize_entry("apiVersion", &self.kind.api_version())?;
        map.serialize_entry("metadata", &self.metadata)?;
        for (name, value) in &self.body {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}

impl<'de> Deserialize<'de> for DynamicObject {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ObjectVisitor;
        impl<'de> Visitor<'de> for ObjectVisitor {
            type Value = DynamicObject;
            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("an object with apiVersion and kind")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<DynamicObject, A::Error> {
                let (mut api_version, mut kind) = (None::<String>, None::<String>);
                let (mut metadata, mut body) = (ObjectMeta::default(), serde_json::Map::new());
                while let Some(name) = map.next_key::<String>()? {
                    match name.as_str() {
                        "apiVersion" => api_version = map.next_value()?,
                        "kind" => kind = map.next_value()?,
                        "metadata" => metadata = map.next_value::<Option<_>>()?.unwrap_or_default(),
                        _ => {
                            body.insert(name, map.next_value()?);
                        }
                    }
                }
                let api_version = api_version.ok_or_else(|| de::Error::missing_field("apiVersion"))?;
                let kind = kind.ok_or_else(|| de::Error::missing_field("kind"))?;
                Ok(DynamicObject { kind: Arc::new(KindInfo::guess(&api_version, &kind)), metadata, body })
            }
        }
        deserializer.deserialize_map(ObjectVisitor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_document_is_that_of_serde() {
        let kind = Arc::new(KindInfo::guess("example.dev/v1", "Website"));
        let mut site = DynamicObject::new(kind);
        site.metadata.labels.insert("a", "b".into());
        site.body.insert("spec".to_owned(), serde_json::json!({"host": "h"}));
        assert_eq!(site.to_value().unwrap(), serde_json::to_value(&site).unwrap());
    }

    #[test]
    fn numbers_come_back_as_they_were() {
        for number in
            ["5e32", "0.1", "1e-7", "18446744073709551615", "-9223372036854775808", "1.7976931348623157e308"]
        {
            let text = format!(r#"{{"apiVersion":"v1","kind":"K","size":{number}}}"#);
            let once: DynamicObject = serde_json::from_str(&text).unwrap();
            let written = serde_json::to_string(&once).unwrap();
            let twice: DynamicObject = serde_json::from_str(&written).unwrap();
            assert_eq!(written, serde_json::to_string(&twice).unwrap(), "{number}");
            assert_eq!(once, twice, "{number}");
        }
    }
}
