//! Messages by serde: one reader and one writer for all types, over whatever format.

use std::fmt;

use serde::de::{
    self, Deserialize, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Unexpected, Visitor,
};
use serde::ser::{Error as _, Serialize, SerializeMap, SerializeSeq, Serializer};
use serde_json::value::RawValue;

use super::{Fields, Form, Mapping, Message, Sequence, Slot, View};
use crate::json::Context;
use crate::{Quantity, RawJson, Schema, Str};

/// Writes a message as a JSON object; one that stands alone begins with `kind` and `apiVersion`.
///
/// # Errors
/// Those of the serializer.
pub fn serialize<S: Serializer>(message: &dyn Fields, serializer: S) -> Result<S::Ok, S::Error> {
    if let Some(union) = message.as_union() {
        return union.active().serialize(serializer);
    }
    let mut map = serializer.serialize_map(None)?;
    let schema = message.schema();
    if !schema.kind.is_empty() {
        map.serialize_entry("kind", schema.kind)?;
        map.serialize_entry("apiVersion", schema.api_version)?;
    }
    serialize_fields(message, &mut map)?;
    map.end()
}

fn serialize_fields<M: SerializeMap>(message: &dyn Fields, map: &mut M) -> Result<(), M::Error> {
    let schema = message.schema();
    for (index, field) in schema.fields.iter().enumerate() {
        match message.view(index) {
            View::Message(inner) if field.inline => serialize_fields(inner, map)?,
            view if !schema.keys[index].writes(&view) => {}
            view if view.is_nil() => map.serialize_entry(field.name, &())?,
            view => map.serialize_entry(field.name, &view)?,
        }
    }
    for (name, value) in message.extra().iter().flat_map(|extra| extra.iter()) {
        map.serialize_entry(name, value)?;
    }
    Ok(())
}

impl Serialize for View<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Absent => serializer.serialize_unit(),
            Self::Bool(value) => serializer.serialize_bool(*value),
            Self::Int(value) => serializer.serialize_i64(*value),
            Self::Float(value) => serializer.serialize_f64(*value),
            Self::Text(text) => serializer.serialize_str(text),
            Self::Bytes(bytes) if bytes.is_nil() => serializer.serialize_unit(),
            Self::Bytes(bytes) => serializer.serialize_str(&bytes.to_base64()),
            Self::Time(time) => serializer.collect_str(time),
            Self::MicroTime(time) => serializer.collect_str(time),
            Self::Quantity(quantity) => quantity.serialize(serializer),
            Self::IntOrString(value) => value.serialize(serializer),
            Self::Raw(raw) => raw.serialize(serializer),
            // Only what stands alone names its kind.
            Self::Message(message) => match message.as_union() {
                Some(union) => union.active().serialize(serializer),
                None => {
                    let mut map = serializer.serialize_map(None)?;
                    serialize_fields(*message, &mut map)?;
                    map.end()
                }
            },
            Self::List(list) => {
                let mut items = serializer.serialize_seq(Some(list.len()))?;
                for index in 0..list.len() {
                    items.serialize_element(&list.item(index))?;
                }
                items.end()
            }
            Self::Map(map) => {
                let mut entries = serializer.serialize_map(Some(map.len()))?;
                let mut result = Ok(());
                map.each(&mut |key, value| {
                    result = entries.serialize_entry(key, &value);
                    result.is_ok()
                });
                result?;
                entries.end()
            }
            Self::Opaque(value) => value.to_value().map_err(S::Error::custom)?.serialize(serializer),
        }
    }
}

/// Reads a message from a JSON object; `kind` and `apiVersion` of one that stands alone may be missing, but not be
/// another's.
///
/// # Errors
/// If a value is of another type, or the object of another kind.
pub fn deserialize<'de, M: Message, D: Deserializer<'de>>(deserializer: D) -> Result<M, D::Error> {
    let mut message = M::default();
    let mut context = Context::default();
    deserializer.deserialize_map(RootVisitor { message: &mut message, context: &mut context })?;
    Ok(message)
}

/// Reads a message that stands alone.
pub(crate) struct RootVisitor<'a, 'c> {
    pub(crate) message: &'a mut dyn Fields,
    pub(crate) context: &'a mut Context<'c>,
}

impl<'de> Visitor<'de> for RootVisitor<'_, '_> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<(), A::Error> {
        read_fields(self.message, map, self.context, true)
    }
}

impl<'de> DeserializeSeed<'de> for RootVisitor<'_, '_> {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

fn read_fields<'de, A: MapAccess<'de>>(
    message: &mut dyn Fields,
    mut map: A,
    context: &mut Context<'_>,
    is_root: bool,
) -> Result<(), A::Error> {
    let schema = message.schema();
    let mut hint = 0;
    let mut seen = context.begin_object();
    while let Some(name) = map.next_key_seed(Name)? {
        let name = name.as_str();
        if !schema.kind.is_empty() && matches!(name, "kind" | "apiVersion") {
            context.note(&mut seen, name);
            let wanted = if name == "kind" { schema.kind } else { schema.api_version };
            if is_root && (name == "kind" || !schema.any_version) {
                expect(wanted, name, &mut map).inspect_err(|_| context.failed_at_field(name))?;
            } else if let (false, Some(extra)) = (is_root, message.extra_mut()) {
                extra.insert(name, map.next_value()?);
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        } else if let Some(index) = schema.position(name, hint) {
            hint = index + 1;
            context.note(&mut seen, name);
            read_field(message, index, name, &mut map, context)?;
        } else if !(schema.has_inline && read_inline(message, name, &mut map, context, &mut seen)?) {
            context.unknown(&mut seen, name);
            match message.extra_mut() {
                Some(extra) => {
                    extra.insert(name, map.next_value().inspect_err(|_| context.failed_at_field(name))?)
                }
                None => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
    }
    Ok(())
}

fn read_field<'de, A: MapAccess<'de>>(
    message: &mut dyn Fields,
    index: usize,
    name: &str,
    map: &mut A,
    context: &mut Context<'_>,
) -> Result<(), A::Error> {
    context.enter_field(name);
    let result = map.next_value_seed(SlotSeed { slot: message.slot(index), context });
    context.leave();
    result.inspect_err(|_| context.failed_at_field(name))
}

/// Reads a field of an embedded struct; `false`: there is none of this name and nothing was read.
fn read_inline<'de, A: MapAccess<'de>>(
    message: &mut dyn Fields,
    name: &str,
    map: &mut A,
    context: &mut Context<'_>,
    seen: &mut crate::json::Seen,
) -> Result<bool, A::Error> {
    let schema = message.schema();
    for (index, _) in schema.keys.iter().enumerate().filter(|(_, key)| key.inline) {
        let Slot::Message(inner) = message.slot(index) else { continue };
        let schema: &'static Schema = inner.schema();
        if let Some(index) = schema.position(name, 0) {
            context.note(seen, name);
            read_field(inner, index, name, map, context)?;
            return Ok(true);
        }
        if schema.has_inline && read_inline(inner, name, map, context, seen)? {
            return Ok(true);
        }
    }
    Ok(false)
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
pub(crate) enum NameText<'de> {
    Borrowed(&'de str),
    Owned(String),
}

impl NameText<'_> {
    fn as_str(&self) -> &str {
        match self {
            Self::Borrowed(name) => name,
            Self::Owned(name) => name,
        }
    }
}

struct Name;

impl<'de> DeserializeSeed<'de> for Name {
    type Value = NameText<'de>;
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<NameText<'de>, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for Name {
    type Value = NameText<'de>;
    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a field name")
    }
    fn visit_borrowed_str<E>(self, name: &'de str) -> Result<NameText<'de>, E> {
        Ok(NameText::Borrowed(name))
    }
    fn visit_str<E>(self, name: &str) -> Result<NameText<'de>, E> {
        Ok(NameText::Owned(name.to_owned()))
    }
}

/// Reads a value to where it goes.
struct SlotSeed<'a, 'c> {
    slot: Slot<'a>,
    context: &'a mut Context<'c>,
}

impl<'de> DeserializeSeed<'de> for SlotSeed<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        let is_any = |slot: &Slot<'_>| matches!(slot, Slot::Raw(_) | Slot::Quantity(_) | Slot::Opaque(_));
        match self.slot {
            Slot::Ignored => IgnoredAny::deserialize(deserializer).map(|_| ()),
            Slot::Optional(optional) => match optional.fill() {
                slot if is_any(&slot) => {
                    if !read_raw(slot, deserializer, self.context)? {
                        optional.clear();
                    }
                    Ok(())
                }
                slot => {
                    let is_there =
                        deserializer.deserialize_any(SlotVisitor { slot, context: self.context })?;
                    if !is_there {
                        optional.clear();
                    }
                    Ok(())
                }
            },
            slot if is_any(&slot) => read_raw(slot, deserializer, self.context).map(|_| ()),
            slot => deserializer.deserialize_any(SlotVisitor { slot, context: self.context }).map(|_| ()),
        }
    }
}

/// Reads a value from a document to where it goes, which is empty.
#[cfg(feature = "rules")]
pub(crate) fn read_slot(mut slot: Slot<'_>, value: &serde_json::Value) -> Result<(), String> {
    // By its text, so that there is one reader in a program.
    let (text, mut context) = (value.to_string(), Context::default());
    let seed = SlotSeed { slot: slot.reborrow(), context: &mut context };
    let read = seed.deserialize(&mut serde_json::Deserializer::from_str(&text));
    read.map_err(|error| {
        let place: crate::Path = context.place().iter().collect();
        let message = crate::json::without_place(&error);
        if place.as_str().is_empty() { message } else { format!("{place}: {message}") }
    })
}

/// Reads what has to be seen as text: any JSON, and quantities, which are numbers as they are written. `false`: it is
/// `null`.
fn read_raw<'de, D: Deserializer<'de>>(
    slot: Slot<'_>,
    deserializer: D,
    context: &mut Context<'_>,
) -> Result<bool, D::Error> {
    if let Slot::Opaque(slot) = slot {
        let value = serde_json::Value::deserialize(deserializer)?;
        let is_there = !value.is_null();
        slot.set_value(value).map_err(de::Error::custom)?;
        return Ok(is_there);
    }
    let raw = Box::<RawValue>::deserialize(deserializer)?;
    let text = raw.get();
    match slot {
        Slot::Raw(slot) => *slot = RawJson::compacted(context.share(text)),
        Slot::Quantity(slot) if text == "null" => *slot = Quantity::default(),
        Slot::Quantity(slot) => *slot = quantity(text).map_err(de::Error::custom)?,
        _ => {}
    }
    Ok(text != "null")
}

/// A quantity from its JSON: a string, in which Kubernetes tolerates spaces at the ends, or a number.
fn quantity(json: &str) -> Result<Quantity, String> {
    let parse = |text: &str| text.trim().parse::<Quantity>().map_err(|error| error.to_string());
    match json.as_bytes() {
        [b'"', inner @ .., b'"'] if !inner.contains(&b'\\') => parse(&json[1..json.len() - 1]),
        [b'"', ..] => parse(&serde_json::from_str::<String>(json).map_err(|error| error.to_string())?),
        [b'-' | b'0'..=b'9', ..] => parse(json),
        _ => {
            let found = match json.as_bytes().first() {
                Some(b'{') => "map",
                Some(b'[') => "sequence",
                _ => "boolean",
            };
            Err(format!("invalid type: {found}, expected a quantity"))
        }
    }
}

/// Takes a value; answers `false` for `null`, which leaves things without value as they are and empties the others.
struct SlotVisitor<'a, 'c> {
    slot: Slot<'a>,
    context: &'a mut Context<'c>,
}

impl SlotVisitor<'_, '_> {
    fn refuse<T, E: de::Error>(&self, found: Unexpected<'_>) -> Result<T, E> {
        Err(E::invalid_type(found, &self.slot.expects()))
    }

    fn integer<E: de::Error>(self, value: i128, found: Unexpected<'_>) -> Result<bool, E> {
        let out_of_range = match &self.slot {
            Slot::Int32(_) => i32::try_from(value).is_err(),
            Slot::Uint32(_) => u32::try_from(value).is_err(),
            Slot::Int64(_) => i64::try_from(value).is_err(),
            Slot::Uint64(_) => u64::try_from(value).is_err(),
            Slot::IntOrString(_) => i32::try_from(value).is_err(),
            _ => false,
        };
        if out_of_range {
            return Err(E::invalid_value(found, &self.slot.expects()));
        }
        match self.slot {
            Slot::Int32(slot) => *slot = value as i32,
            Slot::Uint32(slot) => *slot = value as u32,
            Slot::Int64(slot) => *slot = value as i64,
            Slot::Uint64(slot) => *slot = value as u64,
            Slot::Float(slot) => *slot = value as f64,
            Slot::IntOrString(slot) => *slot = crate::IntOrString::Int(value as i32),
            _ => return self.refuse(found),
        }
        Ok(true)
    }
}

impl<'de> Visitor<'de> for SlotVisitor<'_, '_> {
    type Value = bool;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.slot.expects())
    }

    fn visit_unit<E: de::Error>(self) -> Result<bool, E> {
        match self.slot {
            Slot::Bool(slot) => *slot = false,
            Slot::Int32(slot) => *slot = 0,
            Slot::Uint32(slot) => *slot = 0,
            Slot::Int64(slot) => *slot = 0,
            Slot::Uint64(slot) => *slot = 0,
            Slot::Float(slot) => *slot = 0.0,
            Slot::Str(slot) => *slot = Str::EMPTY,
            Slot::Text(slot) => slot.set(""),
            Slot::Bytes(slot) => *slot = crate::ByteString::default(),
            Slot::IntOrString(slot) => *slot = crate::IntOrString::default(),
            _ => {}
        }
        Ok(false)
    }

    fn visit_none<E: de::Error>(self) -> Result<bool, E> {
        self.visit_unit()
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<bool, D::Error> {
        deserializer.deserialize_any(self)
    }

    fn visit_bool<E: de::Error>(self, value: bool) -> Result<bool, E> {
        match self.slot {
            Slot::Bool(slot) => *slot = value,
            Slot::Message(message) => {
                let slot = message.as_union_mut().and_then(|union| union.slot_of(Form::Bool));
                let Some(Slot::Bool(slot)) = slot else {
                    return Err(E::invalid_type(Unexpected::Bool(value), &"an object"));
                };
                *slot = value;
            }
            _ => return self.refuse(Unexpected::Bool(value)),
        }
        Ok(true)
    }

    fn visit_i64<E: de::Error>(self, value: i64) -> Result<bool, E> {
        self.integer(i128::from(value), Unexpected::Signed(value))
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<bool, E> {
        self.integer(i128::from(value), Unexpected::Unsigned(value))
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<bool, E> {
        match self.slot {
            Slot::Float(slot) => *slot = value,
            _ => return self.refuse(Unexpected::Float(value)),
        }
        Ok(true)
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<bool, E> {
        match self.slot {
            Slot::Str(slot) => *slot = self.context.share(text),
            Slot::Text(slot) => slot.set(text),
            Slot::Time(slot) => *slot = text.parse().map_err(E::custom)?,
            Slot::MicroTime(slot) => *slot = text.parse().map_err(E::custom)?,
            Slot::Bytes(slot) => *slot = crate::ByteString::from_base64(text).map_err(E::custom)?,
            Slot::IntOrString(slot) => *slot = crate::IntOrString::String(self.context.share(text)),
            _ => return self.refuse(Unexpected::Str(text)),
        }
        Ok(true)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, items: A) -> Result<bool, A::Error> {
        let list = match self.slot {
            Slot::List(list) => list,
            Slot::Message(message) => {
                match message.as_union_mut().and_then(|union| union.slot_of(Form::List)) {
                    Some(Slot::List(list)) => list,
                    _ => return Err(de::Error::invalid_type(Unexpected::Seq, &"an object")),
                }
            }
            _ => return self.refuse(Unexpected::Seq),
        };
        read_items(list, items, self.context)?;
        Ok(true)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<bool, A::Error> {
        match self.slot {
            Slot::Message(message) if message.as_union().is_some() => {
                match message.as_union_mut().and_then(|union| union.slot_of(Form::Object)) {
                    Some(Slot::Message(message)) => read_fields(message, map, self.context, false)?,
                    _ => return Err(de::Error::invalid_type(Unexpected::Map, &"another value")),
                }
            }
            Slot::Message(message) => read_fields(message, map, self.context, false)?,
            Slot::Map(into) => read_entries(into, map, self.context)?,
            _ => return self.refuse(Unexpected::Map),
        }
        Ok(true)
    }
}

fn read_items<'de, A: SeqAccess<'de>>(
    list: &mut dyn Sequence,
    mut items: A,
    context: &mut Context<'_>,
) -> Result<(), A::Error> {
    list.restart(1);
    let mut index = 0;
    while let Some(()) = items
        .next_element_seed(ItemSeed { list: &mut *list, index, context: &mut *context })
        .inspect_err(|_| context.failed_at_index(index))?
    {
        index += 1;
    }
    list.settle();
    Ok(())
}

/// Adds an item to a list and reads its value; only called by a format that has one more.
struct ItemSeed<'a, 'c> {
    list: &'a mut dyn Sequence,
    index: usize,
    context: &'a mut Context<'c>,
}

impl<'de> DeserializeSeed<'de> for ItemSeed<'_, '_> {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        self.context.enter_index(self.index);
        let seed = SlotSeed { slot: self.list.push(), context: self.context };
        let result = seed.deserialize(deserializer);
        self.context.leave();
        result
    }
}

fn read_entries<'de, A: MapAccess<'de>>(
    into: &mut dyn Mapping,
    mut map: A,
    context: &mut Context<'_>,
) -> Result<(), A::Error> {
    into.reserve(map.size_hint().unwrap_or(0).min(1024));
    let mut seen = context.begin_object();
    while let Some(name) = map.next_key_seed(Name)? {
        let name = name.as_str();
        context.note(&mut seen, name);
        context.enter_field(name);
        let (slot, _) = into.append(context.share(name));
        let result = map.next_value_seed(SlotSeed { slot, context });
        context.leave();
        result.inspect_err(|_| context.failed_at_field(name))?;
    }
    into.settle();
    Ok(())
}
