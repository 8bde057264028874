//! [`ListOf`], what a request for several objects of one kind is answered with.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::message::{self, Message, Slot, View};
use crate::meta::v1::ListMeta;
use crate::schema::{FieldSchema, FieldType, Key, Number, Schema};
use crate::{Extra, List, Object, StaticKind};

/// A list of objects of one kind as it goes over the wire: `PodList` for pods. Its items do not say what they are.
///
/// ```
/// use orlop_model::core::v1::Pod;
/// use orlop_model::{ListOf, json};
///
/// let text = r#"{"kind":"PodList","apiVersion":"v1","metadata":{"resourceVersion":"7"},"items":[{"metadata":{"name":"p"}}]}"#;
/// let pods: ListOf<Pod> = json::from_slice(text.as_bytes())?;
/// assert_eq!(pods.metadata.resource_version, "7");
/// assert_eq!(pods.items[0].metadata.name, "p");
/// # Ok::<(), json::Error>(())
/// ```
#[derive(Clone, PartialEq)]
pub struct ListOf<K> {
    /// Revision of the list, and how it goes on.
    pub metadata: ListMeta,
    /// The objects.
    pub items: List<K>,
    /// Fields that this version does not know.
    pub extra: Extra,
}

impl<K> Default for ListOf<K> {
    fn default() -> Self {
        Self { metadata: ListMeta::default(), items: List::new(), extra: Extra::new() }
    }
}

const KEY: Key = Key { text: "", required: false, optional: false, inline: false };
const NUMBER: Number = Number { number: 0, field: 0, hoisted: false };

impl<K: StaticKind> Message for ListOf<K> {
    const SCHEMA: &'static Schema = &Schema {
        name: K::LIST_KIND,
        module: K::SCHEMA.module,
        doc: "Objects of one kind.",
        api_version: K::SCHEMA.api_version,
        kind: K::LIST_KIND,
        any_version: false,
        keys: &[Key { text: ",\"metadata\":", ..KEY }, Key { text: ",\"items\":", required: true, ..KEY }],
        fields: &[
            FieldSchema {
                name: "metadata",
                doc: "Revision of the list, and how it goes on.",
                ty: FieldType::Message(|| ListMeta::SCHEMA),
                number: 1,
                ..FieldSchema::EMPTY
            },
            FieldSchema {
                name: "items",
                doc: "The objects.",
                ty: FieldType::List(&K::TYPE),
                number: 2,
                required: true,
                needed: true,
                ..FieldSchema::EMPTY
            },
        ],
        numbers: &[Number { number: 1, ..NUMBER }, Number { number: 2, field: 1, ..NUMBER }],
        places: &[0, 1, 2],
        has_inline: false,
        atomic: false,
    };

    fn field(&self, index: usize) -> View<'_> {
        match index {
            0 => View::Message(&self.metadata),
            1 => View::List(&self.items),
            _ => View::Absent,
        }
    }

    fn field_mut(&mut self, index: usize) -> Slot<'_> {
        match index {
            0 => Slot::Message(&mut self.metadata),
            1 => Slot::List(&mut self.items),
            _ => Slot::Ignored,
        }
    }

    fn unknown(&self) -> Option<&Extra> {
        Some(&self.extra)
    }

    fn unknown_mut(&mut self) -> Option<&mut Extra> {
        Some(&mut self.extra)
    }
}

impl<K: Object> fmt::Debug for ListOf<K> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("ListOf")
            .field("metadata", &self.metadata)
            .field("items", &self.items)
            .finish_non_exhaustive()
    }
}

impl<K: StaticKind> Serialize for ListOf<K> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        message::serialize(self, serializer)
    }
}

impl<'de, K: StaticKind> Deserialize<'de> for ListOf<K> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        message::deserialize(deserializer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::v1::Pod;
    use crate::{json, protobuf};

    #[test]
    fn lists_come_back_as_they_were_in_both_formats() {
        let zero = r#"{"kind":"PodList","apiVersion":"v1","metadata":{},"items":null}"#;
        let empty: ListOf<Pod> = ListOf::default();
        assert_eq!(String::from_utf8(json::to_vec(&empty)).unwrap(), zero);
        let text = r#"{"kind":"PodList","apiVersion":"v1","metadata":{"resourceVersion":"7"},"items":[{"metadata":{"name":"p"},"spec":{"containers":null},"status":{}}],"new":1}"#;
        let list: ListOf<Pod> = json::from_slice(text.as_bytes()).unwrap();
        assert_eq!(String::from_utf8(json::to_vec(&list)).unwrap(), text);
        let known = ListOf { extra: Extra::new(), ..list };
        assert_eq!(protobuf::from_slice::<ListOf<Pod>>(&protobuf::to_vec(&known)).unwrap(), known);
        let other = text.replace("PodList", "NodeList");
        assert!(json::from_slice::<ListOf<Pod>>(other.as_bytes()).is_err());
    }
}
