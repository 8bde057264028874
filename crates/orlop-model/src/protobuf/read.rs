//! Reading messages.

use super::wire::{BYTES, Backward, FIXED64, Reader, VARINT, WireError};
use super::{Error, MAX_DEPTH};
use crate::message::{Fields, Mapping, Sequence, Slot};
use crate::{
    ByteString, FieldSchema, FieldType, IntOrString, MicroTime, Path, RawJson, Schema, Str, Strings, Time,
};

type Result<T> = std::result::Result<T, Fault>;

/// What is wrong, and in which fields, from the innermost outwards.
struct Fault {
    reason: WireError,
    trail: Vec<&'static str>,
}

impl From<WireError> for Fault {
    fn from(reason: WireError) -> Self {
        Self { reason, trail: Vec::new() }
    }
}

/// Reads a message to one that has its default value.
pub(super) fn message(
    bytes: &[u8],
    message: &mut dyn Fields,
    strings: Option<&mut Strings>,
) -> std::result::Result<(), Error> {
    let mut context = Context { strings, depth: 0, offset: 0 };
    match context.message(message, &mut Reader::new(bytes)) {
        // What a type that keeps nothing unknown does not know is lost.
        Ok(_) => Ok(()),
        Err(fault) => {
            let mut path = Path::new();
            fault.trail.iter().rev().for_each(|name| path.push_field(name));
            Err(Error { path: path.to_string(), offset: context.offset, reason: fault.reason })
        }
    }
}

struct Context<'s> {
    strings: Option<&'s mut Strings>,
    depth: usize,
    /// Where the field begins that is being read.
    offset: usize,
}

impl Context<'_> {
    fn text(&mut self, bytes: &[u8]) -> Result<Str> {
        let text = std::str::from_utf8(bytes).map_err(|_| WireError::NotUtf8)?;
        Ok(match &mut self.strings {
            Some(strings) => strings.share(text),
            None => Str::from(text),
        })
    }

    fn tag(&mut self, reader: &mut Reader<'_>) -> Result<(u32, u8)> {
        self.offset = reader.offset();
        Ok(reader.tag()?)
    }

    /// Reads the fields of a message; answers the unknown ones if the type does not keep them.
    fn message(&mut self, message: &mut dyn Fields, reader: &mut Reader<'_>) -> Result<Vec<u8>> {
        if self.depth >= MAX_DEPTH {
            return Err(WireError::TooDeep.into());
        }
        self.depth += 1;
        let schema = message.schema();
        let mut unknown = Vec::new();
        let mut hint = 0;
        while !reader.is_at_end() {
            let start = reader.position;
            let (number, wire_type) = self.tag(reader)?;
            let Some(place) = find(schema, number, hint) else {
                reader.skip(number, wire_type)?;
                keep(message, &mut unknown, &reader.bytes[start..reader.position]);
                continue;
            };
            hint = place;
            let index = usize::from(schema.numbers[place]);
            let field = &schema.fields[index];
            let lost = if field.outer == 0 {
                self.field(message, index, wire_type, reader)?
            } else {
                let mut inner = reader.nested(wire_type)?;
                self.hoisted(message, number, &mut inner)?
            };
            if !lost.is_empty() {
                // A message that comes twice is merged, so the rest of it may come by itself.
                let mut wrapped = Backward::default();
                wrapped.field(number, &lost);
                keep(message, &mut unknown, &wrapped.into_vec());
            }
        }
        self.depth -= 1;
        Ok(unknown)
    }

    /// Reads a message whose fields belong to this one here; answers the unknown ones.
    fn hoisted(&mut self, message: &mut dyn Fields, outer: u32, reader: &mut Reader<'_>) -> Result<Vec<u8>> {
        let schema = message.schema();
        let mut unknown = Vec::new();
        while !reader.is_at_end() {
            let start = reader.position;
            let (number, wire_type) = self.tag(reader)?;
            let is_it = |field: &FieldSchema| field.outer == outer && field.number == number;
            match schema.fields.iter().position(is_it) {
                Some(index) => {
                    self.field(message, index, wire_type, reader)?;
                }
                None => {
                    reader.skip(number, wire_type)?;
                    unknown.extend_from_slice(&reader.bytes[start..reader.position]);
                }
            }
        }
        Ok(unknown)
    }

    /// Reads one occurrence of a field; answers what an embedded struct does not know.
    fn field(
        &mut self,
        message: &mut dyn Fields,
        index: usize,
        wire_type: u8,
        reader: &mut Reader<'_>,
    ) -> Result<Vec<u8>> {
        let field = &message.schema().fields[index];
        let slot = match message.slot(index) {
            // Go's zero time, and no JSON at all.
            Slot::Optional(optional)
                if matches!(field.ty, FieldType::Time | FieldType::MicroTime | FieldType::Any)
                    && wire_type == BYTES
                    && reader.clone().bytes()?.is_empty() =>
            {
                optional.clear();
                return Ok(reader.bytes().map(|_| Vec::new())?);
            }
            Slot::Optional(optional) => optional.fill(),
            slot => slot,
        };
        let result = match slot {
            Slot::List(list) if field.wrapped => {
                let inner = reader.nested(wire_type)?;
                list.restart(0);
                self.wrapped(list, inner).map(|()| Vec::new())
            }
            Slot::List(list) => self.items(list, field, wire_type, reader).map(|()| Vec::new()),
            Slot::Map(map) => self.entry(map, field, wire_type, reader).map(|()| Vec::new()),
            Slot::Message(inner) => {
                let mut nested = reader.nested(wire_type)?;
                self.message(inner, &mut nested)
            }
            slot => self.value(slot, wire_type, reader).map(|()| Vec::new()),
        };
        result.map_err(|mut fault| {
            if !field.inline {
                fault.trail.push(field.name);
            }
            fault
        })
    }

    /// Reads an element of a list, or several numbers packed together.
    fn items(
        &mut self,
        list: &mut dyn Sequence,
        field: &FieldSchema,
        wire_type: u8,
        reader: &mut Reader<'_>,
    ) -> Result<()> {
        if list.is_empty() {
            list.reserve(1 + repetitions(field.number, wire_type, *reader));
        }
        let packed = match field.ty {
            FieldType::List(FieldType::Double) => FIXED64,
            FieldType::List(
                FieldType::Bool | FieldType::Int32 | FieldType::Uint32 | FieldType::Int64 | FieldType::Uint64,
            ) => VARINT,
            _ => return self.element(list.push(), wire_type, reader),
        };
        if wire_type != BYTES {
            return self.value(list.push(), wire_type, reader);
        }
        let mut numbers = reader.nested(BYTES)?;
        while !numbers.is_at_end() {
            self.value(list.push(), packed, &mut numbers)?;
        }
        Ok(())
    }

    /// Reads a message that stands for a list: its items have number 1.
    fn wrapped(&mut self, list: &mut dyn Sequence, mut reader: Reader<'_>) -> Result<()> {
        while !reader.is_at_end() {
            match self.tag(&mut reader)? {
                (1, wire_type) => {
                    if list.is_empty() {
                        list.reserve(1 + repetitions(1, wire_type, reader));
                    }
                    self.element(list.push(), wire_type, &mut reader)?;
                }
                (number, wire_type) => reader.skip(number, wire_type)?,
            }
        }
        Ok(())
    }

    /// Reads an entry of a map: a message of a key with number 1 and a value with number 2.
    fn entry(
        &mut self,
        map: &mut dyn Mapping,
        field: &FieldSchema,
        wire_type: u8,
        reader: &mut Reader<'_>,
    ) -> Result<()> {
        if map.is_empty() {
            map.reserve(1 + repetitions(field.number, wire_type, *reader));
        }
        let entry = reader.nested(wire_type)?;
        let (mut key, mut rest) = (Str::EMPTY, entry);
        while !rest.is_at_end() {
            match self.tag(&mut rest)? {
                (1, BYTES) => key = self.text(rest.bytes()?)?,
                (number, wire_type) => rest.skip(number, wire_type)?,
            }
        }
        let mut rest = entry;
        let mut slot = Some(map.entry(key));
        while !rest.is_at_end() {
            match self.tag(&mut rest)? {
                (2, wire_type) => match slot.take() {
                    Some(slot) => self.element(slot, wire_type, &mut rest)?,
                    None => rest.skip(2, wire_type)?,
                },
                (number, wire_type) => rest.skip(number, wire_type)?,
            }
        }
        Ok(())
    }

    /// Reads an element of a list or a map.
    fn element(&mut self, slot: Slot<'_>, wire_type: u8, reader: &mut Reader<'_>) -> Result<()> {
        match slot {
            Slot::Message(inner) => {
                let mut nested = reader.nested(wire_type)?;
                self.message(inner, &mut nested).map(|_| ())
            }
            Slot::List(list) => {
                let nested = reader.nested(wire_type)?;
                list.restart(0);
                self.wrapped(list, nested)
            }
            // A zero time.
            Slot::Optional(optional) if wire_type == BYTES && reader.clone().bytes()?.is_empty() => {
                optional.clear();
                Ok(reader.bytes().map(|_| ())?)
            }
            Slot::Optional(optional) => self.element(optional.fill(), wire_type, reader),
            slot => self.value(slot, wire_type, reader),
        }
    }

    fn value(&mut self, slot: Slot<'_>, wire_type: u8, reader: &mut Reader<'_>) -> Result<()> {
        let other = || Fault::from(WireError::OtherWireType { found: wire_type, expected: slot.expects() });
        let wanted = match &slot {
            Slot::Ignored => wire_type,
            Slot::Bool(_) | Slot::Int32(_) | Slot::Uint32(_) | Slot::Int64(_) | Slot::Uint64(_) => VARINT,
            Slot::Float(_) => FIXED64,
            _ => BYTES,
        };
        if wire_type != wanted {
            return Err(other());
        }
        match slot {
            Slot::Ignored => reader.skip(0, wire_type)?,
            Slot::Bool(slot) => *slot = reader.varint()? != 0,
            // Numbers of 32 bits are written with the sign of 64.
            Slot::Int32(slot) => *slot = reader.varint()? as i32,
            Slot::Uint32(slot) => *slot = reader.varint()? as u32,
            Slot::Int64(slot) => *slot = reader.varint()? as i64,
            Slot::Uint64(slot) => *slot = reader.varint()?,
            Slot::Float(slot) => *slot = f64::from_bits(reader.fixed64()?),
            Slot::Str(slot) => *slot = self.text(reader.bytes()?)?,
            Slot::Text(slot) => {
                slot.set(std::str::from_utf8(reader.bytes()?).map_err(|_| WireError::NotUtf8)?);
            }
            Slot::Bytes(slot) => *slot = ByteString::from(reader.bytes()?),
            Slot::Raw(slot) => {
                let text = self.inner_text(1, reader)?;
                if !text.is_empty() {
                    *slot =
                        RawJson::parse_shared(text).map_err(|error| WireError::Value(error.to_string()))?;
                }
            }
            Slot::Quantity(slot) => {
                let text = self.inner_text(1, reader)?;
                *slot = text
                    .parse()
                    .map_err(|error: crate::QuantityError| WireError::Value(error.to_string()))?;
            }
            Slot::Time(slot) => *slot = Time::from_seconds(self.time(reader)?.0),
            Slot::MicroTime(slot) => {
                let (seconds, nanos) = self.time(reader)?;
                let microseconds = seconds.saturating_mul(1_000_000).saturating_add(nanos / 1000);
                *slot = MicroTime::from_microseconds(microseconds);
            }
            Slot::IntOrString(slot) => *slot = self.int_or_string(reader)?,
            Slot::Opaque(slot) => {
                let text = self.inner_text(1, reader)?;
                let value = serde_json::from_str(&text).and_then(|value| slot.set_value(value));
                value.map_err(|error| WireError::Value(error.to_string()))?;
            }
            Slot::Message(_) | Slot::List(_) | Slot::Map(_) | Slot::Optional(_) => {
                return self.element(slot, wire_type, reader);
            }
        }
        Ok(())
    }

    /// The text at a number in the message that comes.
    fn inner_text(&mut self, wanted: u32, reader: &mut Reader<'_>) -> Result<Str> {
        let mut inner = reader.nested(BYTES)?;
        let mut text = Str::EMPTY;
        while !inner.is_at_end() {
            match self.tag(&mut inner)? {
                (number, BYTES) if number == wanted => text = self.text(inner.bytes()?)?,
                (number, wire_type) => inner.skip(number, wire_type)?,
            }
        }
        Ok(text)
    }

    /// Seconds and nanoseconds.
    fn time(&mut self, reader: &mut Reader<'_>) -> Result<(i64, i64)> {
        let mut inner = reader.nested(BYTES)?;
        let (mut seconds, mut nanos) = (0, 0);
        while !inner.is_at_end() {
            match self.tag(&mut inner)? {
                (1, VARINT) => seconds = inner.varint()? as i64,
                (2, VARINT) => nanos = i64::from(inner.varint()? as i32),
                (number, wire_type) => inner.skip(number, wire_type)?,
            }
        }
        Ok((seconds, nanos))
    }

    fn int_or_string(&mut self, reader: &mut Reader<'_>) -> Result<IntOrString> {
        let mut inner = reader.nested(BYTES)?;
        let (mut kind, mut int, mut text) = (0, 0, Str::EMPTY);
        while !inner.is_at_end() {
            match self.tag(&mut inner)? {
                (1, VARINT) => kind = inner.varint()?,
                (2, VARINT) => int = inner.varint()? as i32,
                (3, BYTES) => text = self.text(inner.bytes()?)?,
                (number, wire_type) => inner.skip(number, wire_type)?,
            }
        }
        Ok(if kind == 1 { IntOrString::String(text) } else { IntOrString::Int(int) })
    }
}

/// Keeps an unknown field where the message keeps such, or for the message around it.
fn keep(message: &mut dyn Fields, unknown: &mut Vec<u8>, field: &[u8]) {
    match message.extra_mut() {
        Some(extra) => extra.extend_protobuf(field),
        None => unknown.extend_from_slice(field),
    }
}

/// Place in `schema.numbers` of a field with this number, or of one that belongs to the message with it; the search
/// begins at `hint`, since fields come in order.
fn find(schema: &Schema, number: u32, hint: usize) -> Option<usize> {
    let number_at = |place: usize| {
        let field = schema.numbers.get(place).map(|index| &schema.fields[usize::from(*index)]);
        field.map_or(u32::MAX, FieldSchema::top_number)
    };
    for place in hint..hint + 3 {
        if number_at(place) == number {
            return Some(place);
        }
    }
    let top = |index: &u16| schema.fields[usize::from(*index)].top_number();
    schema.numbers.binary_search_by_key(&number, top).ok()
}

/// How often the same tag follows; what cannot be read ends the count.
fn repetitions(number: u32, wire_type: u8, mut reader: Reader<'_>) -> usize {
    if wire_type != BYTES || reader.bytes().is_err() {
        return 0;
    }
    let mut count = 0;
    while reader.tag() == Ok((number, wire_type)) && reader.bytes().is_ok() {
        count += 1;
    }
    count
}
