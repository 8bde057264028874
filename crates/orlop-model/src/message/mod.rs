//! Messages: the structs of the wire format, seen without knowing their type.
//!
//! `#[derive(Message)]` gives a struct three small functions ([`Fields`]): what field *n* has, where its value goes, and
//! which field reads a value of protobuf; and the [`Schema`] table. Everything that walks objects is written once over
//! them: JSON ([`crate::json`]), protobuf ([`crate::protobuf`]), serde, [`merge`], [`unknown_fields`] and the `Debug` of
//! the kinds. So a program pays for the kinds it uses with a few hundred bytes of code each, and not with a decoder and an
//! encoder for each of them.

mod debug;
mod field;
mod merge;
mod serde;
mod unknown;

use std::fmt;

pub use self::debug::debug;
#[cfg(feature = "rules")]
pub(crate) use self::merge::assign;
pub use self::merge::merge;
pub(crate) use self::serde::RootVisitor;
#[cfg(feature = "rules")]
pub(crate) use self::serde::read_slot;
pub use self::serde::{deserialize, serialize};
pub use self::unknown::unknown_fields;
use crate::protobuf::{Decoder, Outcome};
use crate::{ByteString, Extra, FieldType, IntOrString, MicroTime, Quantity, RawJson, Schema, Str, Time};

/// A struct of the wire format. Implemented by `#[derive(Message)]` and `#[derive(Object)]`; used as [`Fields`].
pub trait Message: Default + Send + Sync {
    /// Its fields.
    const SCHEMA: &'static Schema;

    /// What the field has; [`View::Absent`] beyond the last one.
    fn field(&self, index: usize) -> View<'_>;

    /// Where the field's value goes; [`Slot::Ignored`] beyond the last one.
    fn field_mut(&mut self, index: usize) -> Slot<'_>;

    /// Reads the value after a tag of protobuf, if its field is one that reads itself; see [`Field::read`].
    #[inline]
    fn read(&mut self, tag: u32, decoder: &mut Decoder<'_>) -> Outcome {
        let _ = (tag, decoder);
        Outcome::Other
    }

    /// The fields that the type does not know, if the struct keeps them.
    #[inline]
    fn unknown(&self) -> Option<&Extra> {
        None
    }

    /// Where fields go that the type does not know.
    #[inline]
    fn unknown_mut(&mut self) -> Option<&mut Extra> {
        None
    }

    /// Whether, and which, of the forms of JSON the message has that is not an object of its fields.
    #[inline]
    fn union(&self) -> Option<&dyn Union> {
        None
    }

    /// The same, to be changed.
    #[inline]
    fn union_mut(&mut self) -> Option<&mut dyn Union> {
        None
    }
}

/// A [`Message`] of any type: its fields by their index in the schema.
///
/// As it is implemented for all messages at once, a kind costs a program code only where it is used: what the derive
/// macros write is compiled with the program that reads, writes or copies the kind, not with the crate that has it.
pub trait Fields: Send + Sync {
    /// [`Message::SCHEMA`].
    fn schema(&self) -> &'static Schema;
    /// [`Message::field`].
    fn view(&self, field: usize) -> View<'_>;
    /// [`Message::field_mut`].
    fn slot(&mut self, field: usize) -> Slot<'_>;
    /// [`Message::read`].
    fn read(&mut self, tag: u32, decoder: &mut Decoder<'_>) -> Outcome;
    /// [`Message::unknown`].
    fn extra(&self) -> Option<&Extra>;
    /// [`Message::unknown_mut`].
    fn extra_mut(&mut self) -> Option<&mut Extra>;
    /// [`Message::union`].
    fn as_union(&self) -> Option<&dyn Union>;
    /// [`Message::union_mut`].
    fn as_union_mut(&mut self) -> Option<&mut dyn Union>;
}

impl<M: Message> Fields for M {
    fn schema(&self) -> &'static Schema {
        M::SCHEMA
    }
    fn view(&self, field: usize) -> View<'_> {
        self.field(field)
    }
    fn slot(&mut self, field: usize) -> Slot<'_> {
        self.field_mut(field)
    }
    fn read(&mut self, tag: u32, decoder: &mut Decoder<'_>) -> Outcome {
        Message::read(self, tag, decoder)
    }
    fn extra(&self) -> Option<&Extra> {
        self.unknown()
    }
    fn extra_mut(&mut self) -> Option<&mut Extra> {
        self.unknown_mut()
    }
    fn as_union(&self) -> Option<&dyn Union> {
        self.union()
    }
    fn as_union_mut(&mut self) -> Option<&mut dyn Union> {
        self.union_mut()
    }
}

/// A value that a field of a [`Message`] can have.
pub trait Field: Default {
    /// What the schema says of it.
    const TYPE: FieldType;

    /// Whether it can be absent apart from being zero or empty, as behind a pointer in Go.
    const OPTIONAL: bool = false;

    /// Its default value.
    fn make() -> Self {
        Self::default()
    }

    /// What it has.
    fn as_view(&self) -> View<'_>;

    /// Where a value goes.
    fn as_slot(&mut self) -> Slot<'_>;

    /// Whether an empty value in protobuf is no value.
    const NONE_IF_EMPTY: bool = false;

    /// Reads the value after a tag of protobuf (the number of the field, and in the lowest three bits the wire type),
    /// without the way over [`Slot`]. Types that are rare, and values of another wire type, leave it to that
    /// ([`Outcome::Other`]).
    #[inline]
    fn read(&mut self, tag: u32, decoder: &mut Decoder<'_>) -> Outcome {
        // What the slot is, is known where this is compiled.
        match self.as_slot() {
            Slot::Message(message) => decoder.message(message, tag),
            Slot::Text(text) => decoder.text(text, tag),
            _ => Outcome::Other,
        }
    }
}

/// What a field has.
#[derive(Clone, Copy)]
pub enum View<'a> {
    /// Nothing.
    Absent,
    /// A boolean.
    Bool(bool),
    /// An integer of any width.
    Int(i64),
    /// A floating-point number.
    Float(f64),
    /// A text or the text of an enumeration.
    Text(&'a str),
    /// Bytes, base64 in JSON.
    Bytes(&'a ByteString),
    /// A time in whole seconds.
    Time(Time),
    /// A time in microseconds.
    MicroTime(MicroTime),
    /// A quantity.
    Quantity(&'a Quantity),
    /// A number or a text.
    IntOrString(&'a IntOrString),
    /// Any JSON.
    Raw(&'a RawJson),
    /// A struct.
    Message(&'a dyn Fields),
    /// A list.
    List(&'a dyn Sequence),
    /// A map from strings.
    Map(&'a dyn Mapping),
    /// A value that has only serde's traits.
    Opaque(&'a dyn Opaque),
}

impl View<'_> {
    /// Whether Go's `omitempty` leaves it out: empty, zero, `false` or absent. Structs never are.
    #[must_use]
    #[inline]
    pub fn is_empty(&self) -> bool {
        match self {
            Self::Absent => true,
            Self::Bool(value) => !value,
            Self::Int(value) => *value == 0,
            Self::Float(value) => *value == 0.0,
            Self::Text(text) => text.is_empty(),
            Self::Bytes(bytes) => bytes.is_empty(),
            Self::List(list) => list.len() == 0,
            Self::Map(map) => map.len() == 0,
            _ => false,
        }
    }

    /// Whether Go has `nil` there.
    #[must_use]
    pub(crate) fn is_nil(&self) -> bool {
        match self {
            Self::Absent => true,
            Self::List(list) => list.is_nil(),
            Self::Map(map) => map.is_nil(),
            Self::Bytes(bytes) => bytes.is_nil(),
            _ => false,
        }
    }
}

impl fmt::Debug for View<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        debug::value(*self, formatter)
    }
}

/// Where the value of a field goes.
pub enum Slot<'a> {
    /// A value that is read and forgotten.
    Ignored,
    /// A boolean.
    Bool(&'a mut bool),
    /// An integer of 32 bits.
    Int32(&'a mut i32),
    /// An unsigned integer of 32 bits.
    Uint32(&'a mut u32),
    /// An integer of 64 bits.
    Int64(&'a mut i64),
    /// An unsigned integer of 64 bits.
    Uint64(&'a mut u64),
    /// A floating-point number.
    Float(&'a mut f64),
    /// A text.
    Str(&'a mut Str),
    /// A text of another type, such as an enumeration.
    Text(&'a mut dyn Text),
    /// Bytes.
    Bytes(&'a mut ByteString),
    /// A time in whole seconds.
    Time(&'a mut Time),
    /// A time in microseconds.
    MicroTime(&'a mut MicroTime),
    /// A quantity.
    Quantity(&'a mut Quantity),
    /// A number or a text.
    IntOrString(&'a mut IntOrString),
    /// Any JSON.
    Raw(&'a mut RawJson),
    /// A struct.
    Message(&'a mut dyn Fields),
    /// A list.
    List(&'a mut dyn Sequence),
    /// A map from strings.
    Map(&'a mut dyn Mapping),
    /// A value that may be there or not.
    Optional(&'a mut dyn Optional),
    /// A value that has only serde's traits.
    Opaque(&'a mut dyn Opaque),
}

impl fmt::Debug for Slot<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.expects())
    }
}

impl Slot<'_> {
    /// The same place, for a while.
    #[must_use]
    pub fn reborrow(&mut self) -> Slot<'_> {
        match self {
            Self::Ignored => Slot::Ignored,
            Self::Bool(slot) => Slot::Bool(slot),
            Self::Int32(slot) => Slot::Int32(slot),
            Self::Uint32(slot) => Slot::Uint32(slot),
            Self::Int64(slot) => Slot::Int64(slot),
            Self::Uint64(slot) => Slot::Uint64(slot),
            Self::Float(slot) => Slot::Float(slot),
            Self::Str(slot) => Slot::Str(slot),
            Self::Text(slot) => Slot::Text(&mut **slot),
            Self::Bytes(slot) => Slot::Bytes(slot),
            Self::Time(slot) => Slot::Time(slot),
            Self::MicroTime(slot) => Slot::MicroTime(slot),
            Self::Quantity(slot) => Slot::Quantity(slot),
            Self::IntOrString(slot) => Slot::IntOrString(slot),
            Self::Raw(slot) => Slot::Raw(slot),
            Self::Message(slot) => Slot::Message(&mut **slot),
            Self::List(slot) => Slot::List(&mut **slot),
            Self::Map(slot) => Slot::Map(&mut **slot),
            Self::Optional(slot) => Slot::Optional(&mut **slot),
            Self::Opaque(slot) => Slot::Opaque(&mut **slot),
        }
    }

    /// What a value has to be, in words.
    #[must_use]
    pub fn expects(&self) -> &'static str {
        match self {
            Self::Ignored | Self::Raw(_) | Self::Opaque(_) => "any value",
            Self::Bool(_) => "a boolean",
            Self::Int32(_) => "i32",
            Self::Uint32(_) => "u32",
            Self::Int64(_) => "i64",
            Self::Uint64(_) => "u64",
            Self::Float(_) => "a number",
            Self::Str(_) | Self::Text(_) => "a string",
            Self::Bytes(_) => "standard base64 with padding",
            Self::Time(_) | Self::MicroTime(_) => "a time",
            Self::Quantity(_) => "a quantity",
            Self::IntOrString(_) => "a 32-bit integer or a string",
            Self::Message(_) => "an object",
            Self::List(_) => "a list",
            Self::Map(_) => "a map",
            Self::Optional(_) => "a value",
        }
    }
}

/// A value that is written as a text.
pub trait Text {
    /// Takes a text, not known to be UTF-8, if it is one of those that the type knows.
    fn set_known(&mut self, text: &[u8]) -> bool;
    /// Takes a text.
    fn set(&mut self, text: &str);
}

/// A field that may be there or not.
pub trait Optional {
    /// Puts a value there, unless there is one, and goes to it.
    fn fill(&mut self) -> Slot<'_>;
    /// Takes the value away.
    fn clear(&mut self);
}

/// A list of any type.
pub trait Sequence {
    /// Number of items.
    fn len(&self) -> usize;
    /// Whether there is no item.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }
    /// Whether it is Go's nil list, written as `null` where an empty one is `[]`.
    fn is_nil(&self) -> bool;
    /// An item; [`View::Absent`] beyond the last one.
    fn item(&self, index: usize) -> View<'_>;
    /// An item to be changed; [`Slot::Ignored`] beyond the last one.
    fn item_mut(&mut self, index: usize) -> Slot<'_>;
    /// Adds an item.
    fn push(&mut self) -> Slot<'_>;
    /// Removes all items and makes room for `capacity` of them; the list is not nil then.
    fn restart(&mut self, capacity: usize);
    /// Removes all items; the list is nil then.
    fn clear(&mut self);
    /// Exchanges two items; nothing happens if there is no such item.
    fn swap(&mut self, left: usize, right: usize);
    /// Removes the items from `length` on.
    fn truncate(&mut self, length: usize);
    /// Makes room for `additional` items.
    fn reserve(&mut self, additional: usize);
    /// Gives back the room that is not needed.
    fn settle(&mut self);
}

/// A map of any type from strings.
pub trait Mapping {
    /// Number of entries.
    fn len(&self) -> usize;
    /// Whether there is no entry.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }
    /// Whether it is Go's nil map, written as `null` where an empty one is `{}`.
    fn is_nil(&self) -> bool;
    /// The value at `key`; [`View::Absent`] if there is none.
    fn get(&self, key: &str) -> View<'_>;
    /// Whether there is a value at `key`, which may be absent in itself.
    fn has(&self, key: &str) -> bool;
    /// Calls `each` with the entries in order of their keys until it answers `false`.
    fn each<'a>(&'a self, each: &mut dyn FnMut(&'a str, View<'a>) -> bool);
    /// The same in reverse order.
    fn each_back<'a>(&'a self, each: &mut dyn FnMut(&'a str, View<'a>) -> bool);
    /// Adds an entry at the end, and tells whether it belongs there; if not, the map is not to be looked at before it is
    /// [settled](Self::settle).
    fn append(&mut self, key: Str) -> (Slot<'_>, bool);
    /// The value at `key`, which is made if there is none.
    fn entry(&mut self, key: &str) -> Slot<'_>;
    /// Removes the value at `key`, if there is one.
    fn remove(&mut self, key: &str);
    /// Removes all entries; the map is nil then.
    fn clear(&mut self);
    /// Removes all entries.
    fn retain_none(&mut self);
    /// Makes room for `additional` entries; the map is not nil then.
    fn reserve(&mut self, additional: usize);
    /// Puts the entries in order, the last of equal keys being the one that counts, and gives back the room that is not
    /// needed.
    fn settle(&mut self);
}

/// A value that has only serde's traits; see `#[wire(serde)]`.
pub trait Opaque {
    /// The value as JSON.
    ///
    /// # Errors
    /// If its own `Serialize` refuses.
    fn to_value(&self) -> serde_json::Result<serde_json::Value>;
    /// Takes a value.
    ///
    /// # Errors
    /// If its own `Deserialize` refuses.
    fn set_value(&mut self, value: serde_json::Value) -> serde_json::Result<()>;
}

impl<T: ::serde::Serialize + ::serde::de::DeserializeOwned> Opaque for T {
    fn to_value(&self) -> serde_json::Result<serde_json::Value> {
        serde_json::to_value(self)
    }
    fn set_value(&mut self, value: serde_json::Value) -> serde_json::Result<()> {
        *self = serde_json::from_value(value)?;
        Ok(())
    }
}

/// A message that in JSON is one of its fields' values, told apart by their form, as JSON schemas have them.
pub trait Union {
    /// The value that is there.
    fn active(&self) -> View<'_>;
    /// Where a value of that form goes, if there is such a form.
    fn slot_of(&mut self, form: Form) -> Option<Slot<'_>>;
}

/// Forms of JSON that a [`Union`] tells apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// `true` or `false`.
    Bool,
    /// An object.
    Object,
    /// A list.
    List,
}
