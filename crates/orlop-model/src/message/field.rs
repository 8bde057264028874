//! [`Field`] of everything that fields are made of.

use std::collections::BTreeMap;

use super::{Field, Mapping, Optional, Sequence, Slot, Text, View};
use crate::protobuf::{Decoder, Outcome};
use crate::{
    ByteString, FieldType, FieldsV1, IntOrString, List, Map, MicroTime, Quantity, RawJson, Str, Time,
};

macro_rules! field {
    ($($type:ty: $schema:ident, |$value:ident| $view:expr, $slot:ident $(, $read:expr)?;)*) => {$(
        impl Field for $type {
            const TYPE: FieldType = FieldType::$schema;
            #[inline]
            fn as_view(&self) -> View<'_> {
                let $value = self;
                $view
            }
            #[inline]
            fn as_slot(&mut self) -> Slot<'_> {
                Slot::$slot(self)
            }
            $(
                // The end of all that reads such a field, which jumps here.
                #[inline(never)]
                fn read(&mut self, tag: u32, decoder: &mut Decoder<'_>) -> Outcome {
                    let read: fn(&mut $type, u32, &mut Decoder<'_>) -> Outcome = $read;
                    read(self, tag, decoder)
                }
            )?
        }
    )*};
}

field! {
    bool: Bool, |value| View::Bool(*value), Bool, |to, tag, from| from.number(tag, |value| *to = value != 0);
    // Numbers of 32 bits are written with the sign of 64.
    i32: Int32, |value| View::Int(i64::from(*value)), Int32, |to, tag, from| from.number(tag, |value| *to = value as i32);
    u32: Uint32, |value| View::Int(i64::from(*value)), Uint32;
    i64: Int64, |value| View::Int(*value), Int64, |to, tag, from| from.number(tag, |value| *to = value as i64);
    // JSON numbers beyond i64 are no integers for Kubernetes.
    u64: Uint64, |value| View::Int(i64::try_from(*value).unwrap_or(i64::MAX)), Uint64;
    f64: Double, |value| View::Float(*value), Float;
    Str: String, |value| View::Text(value), Str, |to, tag, from| from.str(to, tag);
    String: String, |value| View::Text(value), Text;
    ByteString: Bytes, |value| View::Bytes(value), Bytes;
    MicroTime: MicroTime, |value| View::MicroTime(*value), MicroTime;
    Quantity: Quantity, |value| View::Quantity(value), Quantity;
    IntOrString: IntOrString, |value| View::IntOrString(value), IntOrString;
    RawJson: Any, |value| View::Raw(value), Raw;
    serde_json::Value: Any, |value| if value.is_null() { View::Absent } else { View::Opaque(value) }, Opaque;
}

impl Field for Time {
    const TYPE: FieldType = FieldType::Time;
    const NONE_IF_EMPTY: bool = true;
    fn as_view(&self) -> View<'_> {
        View::Time(*self)
    }
    fn as_slot(&mut self) -> Slot<'_> {
        Slot::Time(self)
    }
    #[inline(never)]
    fn read(&mut self, tag: u32, decoder: &mut Decoder<'_>) -> Outcome {
        decoder.time(self, tag)
    }
}

impl Field for FieldsV1 {
    const TYPE: FieldType = FieldType::Any;
    fn as_view(&self) -> View<'_> {
        View::Raw(self.raw())
    }
    fn as_slot(&mut self) -> Slot<'_> {
        Slot::Raw(self.raw_mut())
    }
}

impl Text for String {
    fn set_known(&mut self, _text: &[u8]) -> bool {
        false
    }
    fn set(&mut self, text: &str) {
        text.clone_into(self);
    }
}

// Written out, without the combinators of `Option`: these are compiled for every type there is.
impl<F: Field> Field for Option<F> {
    const TYPE: FieldType = F::TYPE;
    const OPTIONAL: bool = true;
    fn as_view(&self) -> View<'_> {
        match self {
            Some(field) => field.as_view(),
            None => View::Absent,
        }
    }
    fn as_slot(&mut self) -> Slot<'_> {
        Slot::Optional(self)
    }
    #[inline(never)]
    fn read(&mut self, tag: u32, decoder: &mut Decoder<'_>) -> Outcome {
        if F::NONE_IF_EMPTY && decoder.passes_empty(tag) {
            *self = None;
            return Outcome::Done;
        }
        if self.is_none() {
            *self = Some(F::make());
        }
        match self {
            Some(field) => field.read(tag, decoder),
            None => Outcome::Other,
        }
    }
}

impl<F: Field> Optional for Option<F> {
    fn fill(&mut self) -> Slot<'_> {
        if self.is_none() {
            *self = Some(F::make());
        }
        match self {
            Some(field) => field.as_slot(),
            None => Slot::Ignored,
        }
    }
    fn clear(&mut self) {
        *self = None;
    }
}

impl<F: Field> Field for Box<F> {
    const TYPE: FieldType = F::TYPE;
    fn make() -> Self {
        Self::new(F::make())
    }
    fn as_view(&self) -> View<'_> {
        F::as_view(self)
    }
    fn as_slot(&mut self) -> Slot<'_> {
        F::as_slot(self)
    }
    fn read(&mut self, tag: u32, decoder: &mut Decoder<'_>) -> Outcome {
        F::read(self, tag, decoder)
    }
}

macro_rules! list {
    ($($type:ty: $push:path, $truncate:path;)*) => {$(
        impl<F: Field> Field for $type {
            const TYPE: FieldType = FieldType::List(&F::TYPE);
            fn as_view(&self) -> View<'_> {
                View::List(self)
            }
            fn as_slot(&mut self) -> Slot<'_> {
                Slot::List(self)
            }
            fn read(&mut self, tag: u32, decoder: &mut Decoder<'_>) -> Outcome {
                match F::TYPE {
                    FieldType::Message(_) | FieldType::String | FieldType::Enum(_) => decoder.list(self, tag),
                    _ => Outcome::Other,
                }
            }
        }

        impl<F: Field> Sequence for $type {
            fn len(&self) -> usize {
                <[F]>::len(self)
            }
            fn is_nil(&self) -> bool {
                self.capacity() == 0
            }
            fn item(&self, index: usize) -> View<'_> {
                match self.get(index) {
                    Some(item) => item.as_view(),
                    None => View::Absent,
                }
            }
            fn item_mut(&mut self, index: usize) -> Slot<'_> {
                match self.get_mut(index) {
                    Some(item) => item.as_slot(),
                    None => Slot::Ignored,
                }
            }
            fn push(&mut self) -> Slot<'_> {
                if <[F]>::len(self) == self.capacity() {
                    // Doubling, from one: most lists of objects are short.
                    let more = self.capacity().max(1);
                    self.reserve_exact(more);
                }
                let last = <[F]>::len(self);
                $push(self, F::make());
                self.item_mut(last)
            }
            fn restart(&mut self, capacity: usize) {
                self.clear();
                self.reserve_exact(capacity.max(1));
            }
            fn clear(&mut self) {
                *self = Self::default();
            }
            fn swap(&mut self, left: usize, right: usize) {
                if left.max(right) < <[F]>::len(self) {
                    <[F]>::swap(self, left, right);
                }
            }
            fn truncate(&mut self, length: usize) {
                $truncate(self, length);
            }
            fn reserve(&mut self, additional: usize) {
                self.reserve_exact(additional);
            }
            fn settle(&mut self) {
                if !<[F]>::is_empty(self) {
                    self.shrink_to_fit();
                }
            }
        }
    )*};
}
list! {
    List<F>: thin_vec::ThinVec::push, thin_vec::ThinVec::truncate;
    Vec<F>: Vec::push, Vec::truncate;
}

impl<F: Field> Field for Map<F> {
    const TYPE: FieldType = FieldType::Map(&F::TYPE);
    fn as_view(&self) -> View<'_> {
        View::Map(self)
    }
    fn as_slot(&mut self) -> Slot<'_> {
        Slot::Map(self)
    }
    fn read(&mut self, tag: u32, decoder: &mut Decoder<'_>) -> Outcome {
        decoder.map(self, tag)
    }
}

impl<F: Field> Mapping for Map<F> {
    fn len(&self) -> usize {
        Map::len(self)
    }
    fn is_nil(&self) -> bool {
        self.entries().capacity() == 0
    }
    fn get(&self, key: &str) -> View<'_> {
        match Map::get(self, key) {
            Some(value) => value.as_view(),
            None => View::Absent,
        }
    }
    fn has(&self, key: &str) -> bool {
        Map::contains_key(self, key)
    }
    fn each<'a>(&'a self, each: &mut dyn FnMut(&'a str, View<'a>) -> bool) {
        let _ = self.iter().all(|(key, value)| each(key, value.as_view()));
    }
    fn each_back<'a>(&'a self, each: &mut dyn FnMut(&'a str, View<'a>) -> bool) {
        let _ = self.iter().rev().all(|(key, value)| each(key, value.as_view()));
    }
    fn append(&mut self, key: Str) -> (Slot<'_>, bool) {
        let entries = self.entries_mut();
        let is_next = entries.last().is_none_or(|(last, _)| *last < key);
        entries.push((key, F::make()));
        let slot = match entries.last_mut() {
            Some((_, value)) => value.as_slot(),
            None => Slot::Ignored,
        };
        (slot, is_next)
    }
    fn entry(&mut self, key: &str) -> Slot<'_> {
        self.get_or_insert_with(key, F::make).as_slot()
    }
    fn remove(&mut self, key: &str) {
        Map::remove(self, key);
    }
    fn clear(&mut self) {
        *self = Self::default();
    }
    fn retain_none(&mut self) {
        Map::clear(self);
    }
    fn reserve(&mut self, additional: usize) {
        self.entries_mut().reserve_exact(additional.max(1));
    }
    fn settle(&mut self) {
        self.sort();
        if !Map::is_empty(self) {
            self.entries_mut().shrink_to_fit();
        }
    }
}

impl<F: Field> Field for BTreeMap<String, F> {
    const TYPE: FieldType = FieldType::Map(&F::TYPE);
    fn as_view(&self) -> View<'_> {
        View::Map(self)
    }
    fn as_slot(&mut self) -> Slot<'_> {
        Slot::Map(self)
    }
}

impl<F: Field> Mapping for BTreeMap<String, F> {
    fn len(&self) -> usize {
        BTreeMap::len(self)
    }
    fn is_nil(&self) -> bool {
        BTreeMap::is_empty(self)
    }
    fn get(&self, key: &str) -> View<'_> {
        match BTreeMap::get(self, key) {
            Some(value) => value.as_view(),
            None => View::Absent,
        }
    }
    fn has(&self, key: &str) -> bool {
        BTreeMap::contains_key(self, key)
    }
    fn each<'a>(&'a self, each: &mut dyn FnMut(&'a str, View<'a>) -> bool) {
        let _ = self.iter().all(|(key, value)| each(key, value.as_view()));
    }
    fn each_back<'a>(&'a self, each: &mut dyn FnMut(&'a str, View<'a>) -> bool) {
        let _ = self.iter().rev().all(|(key, value)| each(key, value.as_view()));
    }
    fn append(&mut self, key: Str) -> (Slot<'_>, bool) {
        // Of equal keys the last one counts.
        let value = BTreeMap::entry(self, key.into()).or_insert_with(F::make);
        *value = F::make();
        (value.as_slot(), true)
    }
    fn entry(&mut self, key: &str) -> Slot<'_> {
        BTreeMap::entry(self, key.to_owned()).or_insert_with(F::make).as_slot()
    }
    fn remove(&mut self, key: &str) {
        BTreeMap::remove(self, key);
    }
    fn clear(&mut self) {
        *self = Self::default();
    }
    fn retain_none(&mut self) {
        BTreeMap::clear(self);
    }
    fn reserve(&mut self, _additional: usize) {}
    fn settle(&mut self) {}
}
