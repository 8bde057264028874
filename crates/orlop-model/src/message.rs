//! [`Message`] and [`Field`]: how the parts of an object go over the wire.

use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;

use serde::de::{self, Deserialize, Deserializer, MapAccess, Visitor};
use serde::ser::{Serialize, SerializeMap, Serializer};

use crate::{
    ByteString, Extra, FieldsV1, IntOrString, KindInfo, List, Map, MicroTime, Path, Quantity, Schema, Str,
    Time,
};

/// A value that a field of a [`Message`] can have.
pub trait Field {
    /// Whether it is left out when written: empty, zero, `false` or `None`. Structs never are.
    fn is_absent(&self) -> bool;

    /// Whether it is written as `null` where it may not be left out, as Go writes a nil pointer,
    /// list or map.
    fn is_null(&self) -> bool {
        false
    }

    /// Reports fields that the type does not know, in it and below.
    fn unknown_fields(&self, path: &mut Path, found: &mut dyn FnMut(&Path, &str)) {
        let _ = (path, found);
    }

    /// The schema of the message in it, if there is one.
    fn schema() -> Option<&'static Schema>
    where
        Self: Sized,
    {
        None
    }
}

/// A struct of the wire format. Implemented by `#[derive(Message)]` and `#[derive(Object)]`.
pub trait Message: Default {
    /// Its fields.
    const SCHEMA: &'static Schema;

    /// Writes the fields into an open JSON object.
    ///
    /// # Errors
    /// Those of the serializer.
    fn serialize_fields<M: SerializeMap>(&self, map: &mut M) -> Result<(), M::Error>;

    /// Reads the value of the field `name`; `false`: there is no such field and nothing was read.
    ///
    /// # Errors
    /// If the value is of another type.
    fn deserialize_field<'de, A: MapAccess<'de>>(
        &mut self,
        name: &str,
        map: &mut A,
    ) -> Result<bool, A::Error>;

    /// Where fields go that the type does not know.
    fn extra_mut(&mut self) -> Option<&mut Extra>;

    /// Reports fields that the type does not know, in it and below.
    fn unknown_fields(&self, path: &mut Path, found: &mut dyn FnMut(&Path, &str));
}

/// Writes a message as a JSON object.
///
/// # Errors
/// Those of the serializer.
pub fn serialize<M: Message, S: Serializer>(message: &M, serializer: S) -> Result<S::Ok, S::Error> {
    let mut map = serializer.serialize_map(None)?;
    message.serialize_fields(&mut map)?;
    map.end()
}

/// Writes a kind as a JSON object that begins with `kind` and `apiVersion`.
///
/// # Errors
/// Those of the serializer.
pub fn serialize_kind<M: Message, S: Serializer>(
    message: &M,
    kind: &KindInfo,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    let mut map = serializer.serialize_map(None)?;
    map.serialize_entry("kind", &kind.kind)?;
    map.serialize_entry("apiVersion", &kind.api_version())?;
    message.serialize_fields(&mut map)?;
    map.end()
}

/// Writes a field unless it is absent.
///
/// # Errors
/// Those of the serializer.
pub fn write<F: Field + Serialize, M: SerializeMap>(
    map: &mut M,
    name: &'static str,
    field: &F,
) -> Result<(), M::Error> {
    if field.is_absent() { Ok(()) } else { map.serialize_entry(name, field) }
}

/// Writes a field in any case; an absent list, map, pointer or time as `null`, as Go does.
///
/// # Errors
/// Those of the serializer.
pub fn write_required<F: Field + Serialize, M: SerializeMap>(
    map: &mut M,
    name: &'static str,
    field: &F,
) -> Result<(), M::Error> {
    if field.is_null() { map.serialize_entry(name, &()) } else { map.serialize_entry(name, field) }
}

/// Reads the value of a field; `null` is the default.
///
/// # Errors
/// If the value is of another type.
pub fn read<'de, F: Deserialize<'de> + Default, A: MapAccess<'de>>(map: &mut A) -> Result<F, A::Error> {
    Ok(map.next_value::<Option<F>>()?.unwrap_or_default())
}

/// Reads a message from a JSON object.
///
/// # Errors
/// If a value is of another type.
pub fn deserialize<'de, M: Message, D: Deserializer<'de>>(deserializer: D) -> Result<M, D::Error> {
    deserializer.deserialize_map(Fields { kind: None, message: PhantomData })
}

/// Reads a kind from a JSON object; `kind` and `apiVersion` may be missing, but not be another's.
///
/// # Errors
/// If a value is of another type, or the object of another kind.
pub fn deserialize_kind<'de, M: Message, D: Deserializer<'de>>(
    kind: &'static KindInfo,
    deserializer: D,
) -> Result<M, D::Error> {
    deserializer.deserialize_map(Fields { kind: Some(kind), message: PhantomData })
}

/// Reads a text.
///
/// # Errors
/// If the value is not a string.
pub fn deserialize_text<'de, T, D: Deserializer<'de>>(
    deserializer: D,
    make: impl FnOnce(&str) -> T,
) -> Result<T, D::Error> {
    struct Text<T, F>(F, PhantomData<T>);
    impl<T, F: FnOnce(&str) -> T> Visitor<'_> for Text<T, F> {
        type Value = T;
        fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
            formatter.write_str("a string")
        }
        fn visit_str<E: de::Error>(self, text: &str) -> Result<T, E> {
            Ok((self.0)(text))
        }
    }
    deserializer.deserialize_str(Text(make, PhantomData))
}

struct Fields<M> {
    kind: Option<&'static KindInfo>,
    message: PhantomData<M>,
}

impl<'de, M: Message> Visitor<'de> for Fields<M> {
    type Value = M;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<M, A::Error> {
        let mut message = M::default();
        while let Some(name) = map.next_key::<Name<'de>>()? {
            let name = name.as_str();
            match (self.kind, name) {
                (Some(kind), "kind") => expect(&kind.kind, name, &mut map)?,
                (Some(kind), "apiVersion") => expect(&kind.api_version(), name, &mut map)?,
                _ if message.deserialize_field(name, &mut map)? => {}
                _ => match message.extra_mut() {
                    Some(extra) => extra.read(name, &mut map)?,
                    None => {
                        map.next_value::<de::IgnoredAny>()?;
                    }
                },
            }
        }
        Ok(message)
    }
}

fn expect<'de, A: MapAccess<'de>>(wanted: &str, name: &str, map: &mut A) -> Result<(), A::Error> {
    let found: Option<Str> = map.next_value()?;
    match found {
        Some(found) if !found.is_empty() && found != *wanted => {
            Err(de::Error::custom(format_args!("{name} is {found:?}, expected {wanted:?}")))
        }
        _ => Ok(()),
    }
}

/// The name of a field, borrowed from the input where it has no escapes.
enum Name<'de> {
    Borrowed(&'de str),
    Owned(String),
}

impl Name<'_> {
    fn as_str(&self) -> &str {
        match self {
            Self::Borrowed(name) => name,
            Self::Owned(name) => name,
        }
    }
}

impl<'de> Deserialize<'de> for Name<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct NameVisitor;
        impl<'de> Visitor<'de> for NameVisitor {
            type Value = Name<'de>;
            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a field name")
            }
            fn visit_borrowed_str<E>(self, name: &'de str) -> Result<Name<'de>, E> {
                Ok(Name::Borrowed(name))
            }
            fn visit_str<E>(self, name: &str) -> Result<Name<'de>, E> {
                Ok(Name::Owned(name.to_owned()))
            }
        }
        deserializer.deserialize_str(NameVisitor)
    }
}

macro_rules! scalar {
    ($($type:ty: $absent:expr;)*) => {$(
        impl Field for $type {
            fn is_absent(&self) -> bool {
                let absent: fn(&$type) -> bool = $absent;
                absent(self)
            }
        }
    )*};
}

scalar! {
    bool: |value| !value;
    i32: |value| *value == 0;
    i64: |value| *value == 0;
    u32: |value| *value == 0;
    u64: |value| *value == 0;
    f64: |value| *value == 0.0;
    Str: |value| value.is_empty();
    String: |value| value.is_empty();
    ByteString: |value| value.is_empty();
    Time: |_| false;
    MicroTime: |_| false;
    IntOrString: |_| false;
    Quantity: |_| false;
    FieldsV1: |_| false;
    serde_json::Value: |value| value.is_null();
}

impl<F: Field> Field for Option<F> {
    fn is_absent(&self) -> bool {
        self.is_none()
    }
    fn is_null(&self) -> bool {
        self.is_none()
    }
    fn unknown_fields(&self, path: &mut Path, found: &mut dyn FnMut(&Path, &str)) {
        if let Some(field) = self {
            field.unknown_fields(path, found);
        }
    }
    fn schema() -> Option<&'static Schema> {
        F::schema()
    }
}

impl<F: Field> Field for Box<F> {
    fn is_absent(&self) -> bool {
        F::is_absent(self)
    }
    fn unknown_fields(&self, path: &mut Path, found: &mut dyn FnMut(&Path, &str)) {
        F::unknown_fields(self, path, found);
    }
    fn schema() -> Option<&'static Schema> {
        F::schema()
    }
}

macro_rules! list {
    ($($type:ty)*) => {$(
        impl<F: Field> Field for $type {
            fn is_absent(&self) -> bool {
                self.is_empty()
            }
            fn is_null(&self) -> bool {
                self.is_empty()
            }
            fn unknown_fields(&self, path: &mut Path, found: &mut dyn FnMut(&Path, &str)) {
                for (index, field) in self.iter().enumerate() {
                    path.push_index(index);
                    field.unknown_fields(path, found);
                    path.pop();
                }
            }
            fn schema() -> Option<&'static Schema> {
                F::schema()
            }
        }
    )*};
}
list!(List<F> Vec<F>);

macro_rules! map {
    ($($type:ty)*) => {$(
        impl<F: Field> Field for $type {
            fn is_absent(&self) -> bool {
                self.is_empty()
            }
            fn is_null(&self) -> bool {
                self.is_empty()
            }
            fn unknown_fields(&self, path: &mut Path, found: &mut dyn FnMut(&Path, &str)) {
                for (key, field) in self {
                    path.push_field(key);
                    field.unknown_fields(path, found);
                    path.pop();
                }
            }
            fn schema() -> Option<&'static Schema> {
                F::schema()
            }
        }
    )*};
}
map!(Map<F> BTreeMap<String, F>);
