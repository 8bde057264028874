//! Reading messages.

use super::wire::{BYTES, Backward, FIXED64, Reader, VARINT, WireError};
use super::{Error, MAX_DEPTH};
use crate::message::{Fields, Mapping, Optional, Sequence, Slot};
use crate::schema::Place;
use crate::strings::Recent;
use crate::{
    ByteString, FieldSchema, FieldType, IntOrString, MicroTime, Path, RawJson, Schema, Str, Strings, Time,
};

/// `Err` is small, since it goes through every step; [`Context::fault`] has the rest.
type Result<T> = std::result::Result<T, Failed>;

struct Failed;

/// What is wrong, and in which fields, from the innermost outwards.
struct Fault {
    reason: WireError,
    offset: usize,
    trail: Vec<&'static str>,
}

/// Reads a message to one that has its default value.
pub(super) fn message(
    bytes: &[u8],
    message: &mut dyn Fields,
    strings: Option<&mut Strings>,
) -> std::result::Result<(), Error> {
    let mut context = Context {
        strings,
        recent: Recent::new(),
        depth: 0,
        lost: Vec::new(),
        unsettled: Vec::new(),
        fault: None,
    };
    let result = context.message(message, Reader::new(bytes));
    match (result, context.fault) {
        (Err(Failed), Some(fault)) => {
            let mut path = Path::new();
            fault.trail.iter().rev().for_each(|name| path.push_field(name));
            Err(Error { path: path.to_string(), offset: fault.offset, reason: fault.reason })
        }
        // What a type that keeps nothing unknown does not know is lost.
        _ => Ok(()),
    }
}

struct Context<'s> {
    strings: Option<&'s mut Strings>,
    /// Where there are no `strings`.
    recent: Recent,
    depth: usize,
    /// Fields that messages do not know and do not keep; for the one around them.
    lost: Vec<u8>,
    /// Fields of the message that is being read whose maps are not in order.
    unsettled: Vec<usize>,
    fault: Option<Box<Fault>>,
}

impl Context<'_> {
    #[cold]
    fn fail(&mut self, offset: usize, reason: WireError) -> Failed {
        self.fault = Some(Box::new(Fault { reason, offset, trail: Vec::new() }));
        Failed
    }

    /// What could be read, or why it could not.
    #[inline(always)]
    fn read<'a, T>(
        &mut self,
        reader: &mut Reader<'a>,
        read: impl FnOnce(&mut Reader<'a>) -> Option<T>,
    ) -> Result<T> {
        let start = reader.offset();
        match read(reader) {
            Some(value) => Ok(value),
            None => Err(self.fail(start, reader.fault(start))),
        }
    }

    /// A value of the wire type, which must be `wanted`.
    #[inline(always)]
    fn expect(&mut self, found: u8, wanted: u8, expected: &'static str, reader: &Reader<'_>) -> Result<()> {
        if found == wanted {
            return Ok(());
        }
        Err(self.fail(reader.offset(), WireError::OtherWireType { found, expected }))
    }

    fn text<'a>(&mut self, reader: &mut Reader<'a>) -> Result<&'a str> {
        let bytes = self.read(reader, Reader::bytes)?;
        self.utf8(bytes, *reader)
    }

    /// What `reader` has just read as a text.
    fn utf8<'a>(&mut self, bytes: &'a [u8], reader: Reader<'_>) -> Result<&'a str> {
        if bytes.is_empty() {
            return Ok("");
        }
        std::str::from_utf8(bytes).map_err(|_| self.fail(reader.offset() - bytes.len(), WireError::NotUtf8))
    }

    /// What `reader` has just read as a text, shared with what was read before.
    fn string(&mut self, bytes: &[u8], reader: Reader<'_>) -> Result<Str> {
        match Str::from_short(bytes) {
            Some(short) => Ok(short),
            None => self.utf8(bytes, reader).map(|text| self.share(text)),
        }
    }

    fn share(&mut self, text: &str) -> Str {
        match &mut self.strings {
            Some(strings) => strings.share(text),
            None => self.recent.share(text),
        }
    }

    /// Reads the fields of a message.
    fn message(&mut self, message: &mut dyn Fields, mut reader: Reader<'_>) -> Result<()> {
        if self.depth >= MAX_DEPTH {
            return Err(self.fail(reader.offset(), WireError::TooDeep));
        }
        self.depth += 1;
        let schema = message.schema();
        while !reader.is_at_end() {
            let start = reader.offset();
            let (number, wire_type) = self.read(&mut reader, Reader::tag)?;
            let lost = self.lost.len();
            match schema.place(number) {
                Place::Field(index) => {
                    self.field(message.slot(index), index, schema, wire_type, &mut reader)
                        .map_err(|failed| self.within(schema, index, failed))?;
                }
                Place::Outer => self.hoisted(message, number, wire_type, &mut reader)?,
                Place::Unknown => {
                    self.read(&mut reader, |reader| reader.skip(number, wire_type))?;
                    keep(message, &mut self.lost, reader.since(start));
                    continue;
                }
            }
            if self.lost.len() > lost {
                let wrapped = self.wrapped_lost(number, lost);
                keep(message, &mut self.lost, &wrapped);
            }
        }
        if !self.unsettled.is_empty() {
            for index in std::mem::take(&mut self.unsettled) {
                if let Slot::Map(map) = message.slot(index) {
                    map.settle();
                }
            }
        }
        self.depth -= 1;
        Ok(())
    }

    /// What a message of this number has lost, from `start` on. A message that comes twice is merged, so the rest of it
    /// may come by itself.
    #[cold]
    fn wrapped_lost(&mut self, number: u32, start: usize) -> Vec<u8> {
        let mut wrapped = Backward::default();
        wrapped.field(number, &self.lost.split_off(start));
        wrapped.into_vec()
    }

    /// Reads a message whose fields belong to this one here.
    fn hoisted(
        &mut self,
        message: &mut dyn Fields,
        outer: u32,
        wire_type: u8,
        reader: &mut Reader<'_>,
    ) -> Result<()> {
        let schema = message.schema();
        self.expect(wire_type, BYTES, "a message", reader)?;
        let mut reader = self.read(reader, Reader::nested)?;
        while !reader.is_at_end() {
            let start = reader.offset();
            let (number, wire_type) = self.read(&mut reader, Reader::tag)?;
            let lost = self.lost.len();
            let is_it = |field: &&FieldSchema| field.outer == outer && field.number == number;
            match schema.fields.iter().position(|field| is_it(&field)) {
                Some(index) => self
                    .field(message.slot(index), index, schema, wire_type, &mut reader)
                    .map_err(|failed| self.within(schema, index, failed))?,
                None => {
                    self.read(&mut reader, |reader| reader.skip(number, wire_type))?;
                    self.lost.extend_from_slice(reader.since(start));
                    continue;
                }
            }
            if self.lost.len() > lost {
                let wrapped = self.wrapped_lost(number, lost);
                self.lost.extend(wrapped);
            }
        }
        Ok(())
    }

    /// Reads one occurrence of a field.
    #[inline(always)]
    fn field(
        &mut self,
        slot: Slot<'_>,
        index: usize,
        schema: &'static Schema,
        wire_type: u8,
        reader: &mut Reader<'_>,
    ) -> Result<()> {
        // What most fields are comes first, and without a call.
        match (slot, wire_type) {
            (Slot::Str(slot), BYTES) => {
                let bytes = self.read(reader, Reader::bytes)?;
                // Most are empty and were before.
                if !bytes.is_empty() {
                    *slot = self.string(bytes, *reader)?;
                } else if !slot.is_empty() {
                    *slot = Str::EMPTY;
                }
            }
            (Slot::Text(slot), BYTES) => {
                let bytes = self.read(reader, Reader::bytes)?;
                slot.set(self.utf8(bytes, *reader)?);
            }
            (Slot::Bool(slot), VARINT) => *slot = self.read(reader, Reader::varint)? != 0,
            (Slot::Int32(slot), VARINT) => *slot = self.read(reader, Reader::varint)? as i32,
            (Slot::Int64(slot), VARINT) => *slot = self.read(reader, Reader::varint)? as i64,
            (Slot::Message(inner), BYTES) => {
                let nested = self.read(reader, Reader::nested)?;
                return self.nested(inner, nested);
            }
            (Slot::Optional(optional), _) => return self.optional(optional, wire_type, reader),
            (Slot::List(list), _) => return self.list(list, &schema.fields[index], wire_type, reader),
            (Slot::Map(map), _) => return self.entries(map, index, &schema.fields[index], wire_type, reader),
            (slot, _) => return self.value(slot, wire_type, reader),
        }
        Ok(())
    }

    /// Notes in which field reading has failed.
    #[cold]
    fn within(&mut self, schema: &'static Schema, index: usize, failed: Failed) -> Failed {
        if let (Some(fault), Some(field)) = (&mut self.fault, schema.fields.get(index))
            && !field.inline
        {
            fault.trail.push(field.name);
        }
        failed
    }

    /// Reads elements of a list that follow each other, or several numbers packed together.
    fn list(
        &mut self,
        list: &mut dyn Sequence,
        field: &FieldSchema,
        wire_type: u8,
        reader: &mut Reader<'_>,
    ) -> Result<()> {
        if field.wrapped {
            list.restart(0);
            return self.wrapped(list, wire_type, reader);
        }
        if list.is_empty() {
            list.reserve(1 + repetitions(field.number, wire_type, *reader));
        }
        let lost = self.lost.len();
        let packed = match field.ty {
            FieldType::List(FieldType::Double) => FIXED64,
            FieldType::List(
                FieldType::Bool | FieldType::Int32 | FieldType::Uint32 | FieldType::Int64 | FieldType::Uint64,
            ) => VARINT,
            _ => loop {
                self.element(list.push(), wire_type, reader)?;
                if self.lost.len() > lost || !reader.follows(field.number, wire_type) {
                    return Ok(());
                }
            },
        };
        if wire_type != BYTES {
            return self.value(list.push(), wire_type, reader);
        }
        let mut numbers = self.read(reader, Reader::nested)?;
        while !numbers.is_at_end() {
            self.value(list.push(), packed, &mut numbers)?;
        }
        Ok(())
    }

    /// Reads a message that stands for a list: its items have number 1.
    fn wrapped(&mut self, list: &mut dyn Sequence, wire_type: u8, reader: &mut Reader<'_>) -> Result<()> {
        self.expect(wire_type, BYTES, "a message", reader)?;
        let mut reader = self.read(reader, Reader::nested)?;
        while !reader.is_at_end() {
            match self.read(&mut reader, Reader::tag)? {
                (1, wire_type) => {
                    if list.is_empty() {
                        list.reserve(1 + repetitions(1, wire_type, reader));
                    }
                    self.element(list.push(), wire_type, &mut reader)?;
                }
                (number, wire_type) => self.read(&mut reader, |reader| reader.skip(number, wire_type))?,
            }
        }
        Ok(())
    }

    /// Reads a value with messages of its own.
    fn apart(&mut self, read: impl FnOnce(&mut Self) -> Result<()>) -> Result<()> {
        let outer = std::mem::take(&mut self.unsettled);
        let result = read(self);
        self.unsettled = outer;
        result
    }

    /// Reads entries of a map that follow each other.
    fn entries(
        &mut self,
        map: &mut dyn Mapping,
        index: usize,
        field: &FieldSchema,
        wire_type: u8,
        reader: &mut Reader<'_>,
    ) -> Result<()> {
        if map.is_empty() {
            map.reserve(1 + repetitions(field.number, wire_type, *reader));
        }
        self.expect(wire_type, BYTES, "a message", reader)?;
        let lost = self.lost.len();
        loop {
            if !self.entry(map, reader)? && !self.unsettled.contains(&index) {
                self.unsettled.push(index);
            }
            if self.lost.len() > lost || !reader.follows(field.number, wire_type) {
                return Ok(());
            }
        }
    }

    /// Reads an entry of a map, a message of a key with number 1 and a value with number 2, and tells whether it belongs
    /// where it is.
    fn entry(&mut self, map: &mut dyn Mapping, reader: &mut Reader<'_>) -> Result<bool> {
        let mut entry = self.read(reader, Reader::nested)?;
        let (mut key, mut value) = (Str::EMPTY, None);
        while !entry.is_at_end() {
            match self.read(&mut entry, Reader::tag)? {
                (1, BYTES) => {
                    let bytes = self.read(&mut entry, Reader::bytes)?;
                    key = self.string(bytes, entry)?;
                }
                (number, wire_type) => {
                    if number == 2 {
                        value = Some((wire_type, entry));
                    }
                    self.read(&mut entry, |reader| reader.skip(number, wire_type))?;
                }
            }
        }
        let (slot, is_next) = map.append(key);
        if let Some((wire_type, mut reader)) = value {
            self.element(slot, wire_type, &mut reader)?;
        }
        Ok(is_next)
    }

    /// Reads a message in another.
    fn nested(&mut self, message: &mut dyn Fields, nested: Reader<'_>) -> Result<()> {
        if self.unsettled.is_empty() {
            return self.message(message, nested);
        }
        self.apart(|context| context.message(message, nested))
    }

    /// Reads a value where there may be none.
    fn optional(
        &mut self,
        optional: &mut dyn Optional,
        wire_type: u8,
        reader: &mut Reader<'_>,
    ) -> Result<()> {
        match (optional.fill(), wire_type) {
            (Slot::Message(inner), BYTES) => {
                let nested = self.read(reader, Reader::nested)?;
                self.nested(inner, nested)
            }
            // Go's zero time, and no JSON at all.
            (Slot::Time(_) | Slot::MicroTime(_) | Slot::Raw(_), BYTES) if reader.empty_follows() => {
                optional.clear();
                Ok(())
            }
            (slot, _) => self.element(slot, wire_type, reader),
        }
    }

    /// Reads a value of any type but several elements of a list or a map.
    fn element(&mut self, slot: Slot<'_>, wire_type: u8, reader: &mut Reader<'_>) -> Result<()> {
        match slot {
            Slot::Message(inner) => {
                self.expect(wire_type, BYTES, "a message", reader)?;
                let nested = self.read(reader, Reader::nested)?;
                self.nested(inner, nested)
            }
            Slot::List(list) => {
                list.restart(0);
                self.wrapped(list, wire_type, reader)
            }
            Slot::Optional(optional) => self.optional(optional, wire_type, reader),
            slot => self.value(slot, wire_type, reader),
        }
    }

    fn value(&mut self, slot: Slot<'_>, wire_type: u8, reader: &mut Reader<'_>) -> Result<()> {
        let wanted = match &slot {
            Slot::Ignored => wire_type,
            Slot::Bool(_) | Slot::Int32(_) | Slot::Uint32(_) | Slot::Int64(_) | Slot::Uint64(_) => VARINT,
            Slot::Float(_) => FIXED64,
            _ => BYTES,
        };
        if wire_type != wanted {
            return self.expect(wire_type, wanted, slot.expects(), reader);
        }
        match slot {
            Slot::Ignored => self.read(reader, |reader| reader.skip(0, wire_type))?,
            Slot::Bool(slot) => *slot = self.read(reader, Reader::varint)? != 0,
            // Numbers of 32 bits are written with the sign of 64.
            Slot::Int32(slot) => *slot = self.read(reader, Reader::varint)? as i32,
            Slot::Uint32(slot) => *slot = self.read(reader, Reader::varint)? as u32,
            Slot::Int64(slot) => *slot = self.read(reader, Reader::varint)? as i64,
            Slot::Uint64(slot) => *slot = self.read(reader, Reader::varint)?,
            Slot::Float(slot) => *slot = f64::from_bits(self.read(reader, Reader::fixed64)?),
            Slot::Str(slot) => {
                let bytes = self.read(reader, Reader::bytes)?;
                *slot = self.string(bytes, *reader)?;
            }
            Slot::Text(slot) => {
                let text = self.text(reader)?;
                slot.set(text);
            }
            Slot::Bytes(slot) => *slot = ByteString::from(self.read(reader, Reader::bytes)?),
            Slot::Time(slot) => *slot = Time::from_seconds(self.time(reader)?.0),
            Slot::MicroTime(slot) => {
                let (seconds, nanos) = self.time(reader)?;
                let microseconds = seconds.saturating_mul(1_000_000).saturating_add(nanos / 1000);
                *slot = MicroTime::from_microseconds(microseconds);
            }
            Slot::IntOrString(slot) => *slot = self.int_or_string(reader)?,
            Slot::Raw(_) | Slot::Quantity(_) | Slot::Opaque(_) => self.by_text(slot, reader)?,
            Slot::Message(_) | Slot::List(_) | Slot::Map(_) | Slot::Optional(_) => {
                return self.element(slot, wire_type, reader);
            }
        }
        Ok(())
    }

    /// Reads a message that has nothing but a text with number 1.
    fn by_text(&mut self, slot: Slot<'_>, reader: &mut Reader<'_>) -> Result<()> {
        let offset = reader.offset();
        let mut inner = self.read(reader, Reader::nested)?;
        let mut text = "";
        while !inner.is_at_end() {
            match self.read(&mut inner, Reader::tag)? {
                (1, BYTES) => text = self.text(&mut inner)?,
                (number, wire_type) => self.read(&mut inner, |reader| reader.skip(number, wire_type))?,
            }
        }
        let result = match slot {
            Slot::Quantity(slot) => {
                text.parse().map(|quantity| *slot = quantity).map_err(|error| format!("{text:?}: {error}"))
            }
            Slot::Raw(_) if text.is_empty() => Ok(()),
            Slot::Raw(slot) => {
                let raw = RawJson::parse_shared(self.share(text));
                raw.map(|raw| *slot = raw).map_err(|error| error.to_string())
            }
            Slot::Opaque(slot) => {
                let value = serde_json::from_str(text).and_then(|value| slot.set_value(value));
                value.map_err(|error| error.to_string())
            }
            _ => Ok(()),
        };
        result.map_err(|reason| self.fail(offset, WireError::Value(reason)))
    }

    /// Seconds and nanoseconds.
    fn time(&mut self, reader: &mut Reader<'_>) -> Result<(i64, i64)> {
        let mut inner = self.read(reader, Reader::nested)?;
        let (mut seconds, mut nanos) = (0, 0);
        while !inner.is_at_end() {
            match self.read(&mut inner, Reader::tag)? {
                (1, VARINT) => seconds = self.read(&mut inner, Reader::varint)? as i64,
                (2, VARINT) => nanos = i64::from(self.read(&mut inner, Reader::varint)? as i32),
                (number, wire_type) => self.read(&mut inner, |reader| reader.skip(number, wire_type))?,
            }
        }
        Ok((seconds, nanos))
    }

    fn int_or_string(&mut self, reader: &mut Reader<'_>) -> Result<IntOrString> {
        let mut inner = self.read(reader, Reader::nested)?;
        let (mut kind, mut int, mut text) = (0, 0, "");
        while !inner.is_at_end() {
            match self.read(&mut inner, Reader::tag)? {
                (1, VARINT) => kind = self.read(&mut inner, Reader::varint)?,
                (2, VARINT) => int = self.read(&mut inner, Reader::varint)? as i32,
                (3, BYTES) => text = self.text(&mut inner)?,
                (number, wire_type) => self.read(&mut inner, |reader| reader.skip(number, wire_type))?,
            }
        }
        Ok(if kind == 1 { IntOrString::String(self.share(text)) } else { IntOrString::Int(int) })
    }
}

/// Keeps an unknown field where the message keeps such, or for the message around it.
fn keep(message: &mut dyn Fields, lost: &mut Vec<u8>, field: &[u8]) {
    match message.extra_mut() {
        Some(extra) => extra.extend_protobuf(field),
        None => lost.extend_from_slice(field),
    }
}

/// How often the same tag follows; what cannot be read ends the count.
fn repetitions(number: u32, wire_type: u8, mut reader: Reader<'_>) -> usize {
    if wire_type != BYTES || reader.bytes().is_none() {
        return 0;
    }
    let mut count = 0;
    while reader.tag() == Some((number, wire_type)) && reader.bytes().is_some() {
        count += 1;
    }
    count
}
