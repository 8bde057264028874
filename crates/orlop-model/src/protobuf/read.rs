//! Reading messages.

use super::wire::{BYTES, Backward, FIXED64, Reader, VARINT, WireError};
use super::{Error, MAX_DEPTH};
use crate::message::{Fields, Mapping, Optional, Sequence, Slot, Text};
use crate::schema::Place;
use crate::str::ShortText;
use crate::strings::Recent;
use crate::{
    ByteString, FieldSchema, FieldType, IntOrString, MicroTime, Path, RawJson, Schema, Str, Strings, Time,
};

/// `Err` is small, since it goes through every step; [`Decoder::fault`] has the rest.
type Result<T> = std::result::Result<T, Failed>;

struct Failed;

/// What is wrong, and in which fields, from the innermost outwards.
struct Fault {
    reason: WireError,
    offset: usize,
    trail: Vec<&'static str>,
}

/// What has become of a value that a [`Field`](crate::Field) was to read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Outcome {
    /// The field has it.
    Done,
    /// Nothing has been read: the value is to be read by way of the field's [`Slot`].
    Other,
    /// The field has it, but for fields that no message in it keeps.
    Lost,
    /// The field has it, and is a map that is not in order; fields may be lost as well.
    Unsettled,
    /// It cannot be read.
    Failed,
}

/// Bytes of protobuf that are being read.
pub struct Decoder<'a> {
    reader: Reader<'a>,
    /// The outermost message.
    whole: &'a [u8],
    strings: Option<&'a mut Strings>,
    /// Where there are no `strings`.
    recent: Recent,
    depth: usize,
    /// Fields that messages do not know and do not keep; for the one around them.
    lost: Vec<u8>,
    /// Maps that are not in order: the depth of the message and the index of the field.
    unsettled: Vec<(usize, usize)>,
    fault: Option<Box<Fault>>,
}

impl std::fmt::Debug for Decoder<'_> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Decoder").field("offset", &self.reader.offset()).finish_non_exhaustive()
    }
}

/// Reads a message to one that has its default value.
pub(super) fn message<'a>(
    bytes: &'a [u8],
    message: &mut dyn Fields,
    strings: Option<&'a mut Strings>,
) -> std::result::Result<(), Error> {
    let mut decoder = Decoder {
        reader: Reader::new(bytes),
        whole: bytes,
        strings,
        recent: Recent::new(),
        depth: 0,
        lost: Vec::new(),
        unsettled: Vec::new(),
        fault: None,
    };
    // What a type that keeps nothing unknown does not know is lost.
    let outcome = decoder.fields(message);
    match (outcome, decoder.fault) {
        (Outcome::Failed, Some(fault)) => {
            let mut path = Path::new();
            fault.trail.iter().rev().for_each(|name| path.push_field(name));
            Err(Error { path: path.to_string(), offset: fault.offset, reason: fault.reason })
        }
        _ => Ok(()),
    }
}

/// What the derive macros and the types of fields ask for. `tag` is that before the value: the number of the field and, in
/// the lowest three bits, the wire type.
impl<'a> Decoder<'a> {
    /// Reads a message.
    pub fn message(&mut self, message: &mut dyn Fields, tag: u32) -> Outcome {
        if wire_type(tag) != BYTES {
            return Outcome::Other;
        }
        let Some(outer) = self.reader.enter() else { return self.malformed() };
        let outcome = self.fields(message);
        self.reader.leave(outer);
        outcome
    }

    /// Reads a text.
    pub fn text(&mut self, text: &mut dyn Text, tag: u32) -> Outcome {
        if wire_type(tag) != BYTES {
            return Outcome::Other;
        }
        let Some(bytes) = self.reader.bytes() else { return self.malformed() };
        if text.set_known(bytes) {
            return Outcome::Done;
        }
        match self.utf8(bytes) {
            Ok(value) => {
                text.set(value);
                Outcome::Done
            }
            Err(Failed) => Outcome::Failed,
        }
    }

    #[inline]
    pub(crate) fn str(&mut self, slot: &mut Str, tag: u32) -> Outcome {
        if wire_type(tag) != BYTES {
            return Outcome::Other;
        }
        let Some(bytes) = self.reader.bytes() else { return self.malformed() };
        if bytes.is_empty() {
            *slot = Str::EMPTY;
            return Outcome::Done;
        }
        self.filled_str(slot, bytes)
    }

    /// Takes what has just been read as a text.
    #[inline(never)]
    fn filled_str(&mut self, slot: &mut Str, bytes: &[u8]) -> Outcome {
        match self.string(bytes) {
            Ok(text) => {
                *slot = text;
                Outcome::Done
            }
            Err(Failed) => Outcome::Failed,
        }
    }

    /// Reads a number that is written as a varint.
    #[inline]
    pub(crate) fn number(&mut self, tag: u32, set: impl FnOnce(u64)) -> Outcome {
        if wire_type(tag) != VARINT {
            return Outcome::Other;
        }
        match self.reader.varint() {
            Some(value) => {
                set(value);
                Outcome::Done
            }
            None => self.malformed(),
        }
    }

    /// Passes over a value if it is empty.
    #[inline]
    pub(crate) fn passes_empty(&mut self, tag: u32) -> bool {
        wire_type(tag) == BYTES && self.reader.empty_follows()
    }

    pub(crate) fn time(&mut self, slot: &mut Time, tag: u32) -> Outcome {
        if wire_type(tag) != BYTES {
            return Outcome::Other;
        }
        if let Some(seconds) = self.reader.usual_time() {
            *slot = Time::from_seconds(seconds);
            return Outcome::Done;
        }
        match self.seconds_and_nanos() {
            Ok((seconds, _)) => {
                *slot = Time::from_seconds(seconds);
                Outcome::Done
            }
            Err(Failed) => Outcome::Failed,
        }
    }

    /// Reads elements of a list that follow each other; they are no numbers.
    pub(crate) fn list(&mut self, list: &mut dyn Sequence, tag: u32) -> Outcome {
        if list.is_empty() {
            list.reserve(1 + repetitions(tag, self.reader));
        }
        let lost = self.lost.len();
        loop {
            match list.push() {
                Slot::Message(inner) if wire_type(tag) == BYTES => {
                    if self.message(inner, tag) == Outcome::Failed {
                        return Outcome::Failed;
                    }
                }
                slot => {
                    if let Err(Failed) = self.element(slot, tag) {
                        return Outcome::Failed;
                    }
                }
            }
            if self.lost.len() > lost {
                return Outcome::Lost;
            }
            if !self.reader.follows(tag) {
                return Outcome::Done;
            }
        }
    }

    /// Reads entries of a map that follow each other.
    pub(crate) fn map(&mut self, map: &mut dyn Mapping, tag: u32) -> Outcome {
        if wire_type(tag) != BYTES {
            return Outcome::Other;
        }
        if map.is_empty() {
            map.reserve(1 + repetitions(tag, self.reader));
        }
        let lost = self.lost.len();
        let mut is_settled = true;
        loop {
            match self.entry(map) {
                Ok(is_next) => is_settled &= is_next,
                Err(Failed) => return Outcome::Failed,
            }
            if self.lost.len() > lost || !self.reader.follows(tag) {
                break;
            }
        }
        match is_settled {
            true if self.lost.len() > lost => Outcome::Lost,
            true => Outcome::Done,
            false => Outcome::Unsettled,
        }
    }

    /// The value that begins here cannot be read.
    #[cold]
    fn malformed(&mut self) -> Outcome {
        let Failed = self.fail(self.reader.offset(), self.reader.fault(self.reader.offset()));
        Outcome::Failed
    }

    /// Reads the fields of a message, up to the end of what the reader is in.
    #[inline(always)]
    fn fields(&mut self, message: &mut dyn Fields) -> Outcome {
        if self.depth >= MAX_DEPTH {
            let Failed = self.fail(self.reader.offset(), WireError::TooDeep);
            return Outcome::Failed;
        }
        self.depth += 1;
        let before = self.lost.len();
        let mut lost = before;
        while !self.reader.is_at_end() {
            let start = self.reader.offset();
            let Some(tag) = self.reader.tag() else { return self.malformed() };
            match message.read(tag, self) {
                Outcome::Done => {}
                outcome => match self.otherwise(message, tag, start, lost, outcome) {
                    Ok(length) => lost = length,
                    Err(Failed) => return Outcome::Failed,
                },
            }
        }
        if !self.unsettled.is_empty() {
            self.settle(message);
        }
        self.depth -= 1;
        if lost > before { Outcome::Lost } else { Outcome::Done }
    }
}

/// What comes by way of [`Slot`]s.
impl<'a> Decoder<'a> {
    #[cold]
    fn fail(&mut self, offset: usize, reason: WireError) -> Failed {
        self.fault = Some(Box::new(Fault { reason, offset, trail: Vec::new() }));
        Failed
    }

    /// What could be read, or why it could not.
    #[inline]
    fn read<T>(&mut self, read: impl FnOnce(&mut Reader<'a>) -> Option<T>) -> Result<T> {
        match read(&mut self.reader) {
            Some(value) => Ok(value),
            None => {
                let _ = self.malformed();
                Err(Failed)
            }
        }
    }

    /// Passes over a value.
    fn skip(&mut self, tag: u32) -> Result<()> {
        let start = self.reader.offset();
        match self.reader.skip(tag) {
            Some(()) => Ok(()),
            None => Err(self.fail(start, self.reader.fault(start))),
        }
    }

    /// A value of the wire type that the tag has, which must be `wanted`.
    #[inline]
    fn expect(&mut self, tag: u32, wanted: u8, expected: &'static str) -> Result<()> {
        let found = wire_type(tag);
        if found == wanted {
            return Ok(());
        }
        Err(self.fail(self.reader.offset(), WireError::OtherWireType { found, expected }))
    }

    /// Reads what is in a message that is no [`Fields`].
    fn within(&mut self, read: impl FnOnce(&mut Self) -> Result<()>) -> Result<()> {
        let outer = self.read(Reader::enter)?;
        read(self)?;
        self.reader.leave(outer);
        Ok(())
    }

    /// A text that is not kept as it is.
    fn borrowed(&mut self) -> Result<&'a str> {
        let bytes = self.read(Reader::bytes)?;
        self.utf8(bytes)
    }

    /// What has just been read as a text.
    fn utf8<'b>(&mut self, bytes: &'b [u8]) -> Result<&'b str> {
        if bytes.is_empty() {
            return Ok("");
        }
        std::str::from_utf8(bytes)
            .map_err(|_| self.fail(self.reader.offset() - bytes.len(), WireError::NotUtf8))
    }

    /// What has just been read, if it is a short text and not at the very end.
    #[inline(always)]
    fn short(&self, bytes: &[u8]) -> Option<ShortText> {
        // With what follows it, so that it can be copied by whole words.
        let chunk = self.whole.get(self.reader.offset() - bytes.len()..)?.first_chunk()?;
        ShortText::new(chunk, bytes.len())
    }

    /// What has just been read as a text, shared with what was read before.
    #[inline(always)]
    fn string(&mut self, bytes: &[u8]) -> Result<Str> {
        match self.short(bytes).as_ref().and_then(ShortText::as_str) {
            Some(text) => Ok(text.into()),
            None => self.long_string(bytes),
        }
    }

    #[inline(never)]
    fn long_string(&mut self, bytes: &[u8]) -> Result<Str> {
        let text = match &mut self.strings {
            Some(strings) => strings.share_bytes(bytes),
            None => self.recent.share_bytes(bytes),
        };
        text.ok_or_else(|| self.fail(self.reader.offset() - bytes.len(), WireError::NotUtf8))
    }

    fn share(&mut self, text: &str) -> Str {
        match &mut self.strings {
            Some(strings) => strings.share(text),
            None => self.recent.share(text),
        }
    }

    /// Does what is left to do about a field: reads it, if it does not read itself, and keeps what is lost; gives the
    /// length of what is lost then, which was `lost` before. The tag was at `start`.
    #[inline(never)]
    fn otherwise(
        &mut self,
        message: &mut dyn Fields,
        tag: u32,
        start: usize,
        lost: usize,
        outcome: Outcome,
    ) -> Result<usize> {
        let (schema, number) = (message.schema(), tag >> 3);
        match (schema.place(number), outcome) {
            (Place::Field(index), Outcome::Failed) => return Err(self.at_field(schema, index, Failed)),
            (_, Outcome::Failed) => return Err(Failed),
            (Place::Field(index), Outcome::Unsettled) => self.unsettled(index),
            (Place::Field(index), Outcome::Other) => self.field(message, index, tag)?,
            (Place::Outer, Outcome::Other) => self.hoisted(message, tag)?,
            (Place::Unknown, Outcome::Other) => {
                self.skip(tag)?;
                keep(message, &mut self.lost, self.reader.since(start));
                return Ok(self.lost.len());
            }
            _ => {}
        }
        if self.lost.len() > lost {
            let wrapped = self.wrapped_lost(number, lost);
            keep(message, &mut self.lost, &wrapped);
        }
        Ok(self.lost.len())
    }

    /// Notes that the field is a map that is not in order.
    fn unsettled(&mut self, index: usize) {
        let place = (self.depth, index);
        if !self.unsettled.contains(&place) {
            self.unsettled.push(place);
        }
    }

    /// What a message of this number has lost, from `start` on. A message that comes twice is merged, so the rest of it
    /// may come by itself.
    #[cold]
    fn wrapped_lost(&mut self, number: u32, start: usize) -> Vec<u8> {
        let mut wrapped = Backward::default();
        wrapped.field(number, &self.lost.split_off(start));
        wrapped.into_vec()
    }

    /// Puts the maps of the message that is being read in order.
    #[cold]
    fn settle(&mut self, message: &mut dyn Fields) {
        while let Some((depth, index)) = self.unsettled.pop() {
            if depth < self.depth {
                self.unsettled.push((depth, index));
                return;
            }
            if let Slot::Map(map) = message.slot(index) {
                map.settle();
            }
        }
    }

    /// Reads a message whose fields belong to this one here.
    fn hoisted(&mut self, message: &mut dyn Fields, tag: u32) -> Result<()> {
        let outer = tag >> 3;
        self.expect(tag, BYTES, "a message")?;
        self.within(|decoder| {
            let schema = message.schema();
            while !decoder.reader.is_at_end() {
                let start = decoder.reader.offset();
                let tag = decoder.read(Reader::tag)?;
                let lost = decoder.lost.len();
                let is_it = |field: &FieldSchema| field.outer == outer && field.number == tag >> 3;
                let Some(index) = schema.fields.iter().position(is_it) else {
                    decoder.skip(tag)?;
                    decoder.lost.extend_from_slice(decoder.reader.since(start));
                    continue;
                };
                decoder.field(message, index, tag)?;
                if decoder.lost.len() > lost {
                    let wrapped = decoder.wrapped_lost(tag >> 3, lost);
                    decoder.lost.extend(wrapped);
                }
            }
            Ok(())
        })
    }

    /// Reads one occurrence of a field.
    fn field(&mut self, message: &mut dyn Fields, index: usize, tag: u32) -> Result<()> {
        let schema = message.schema();
        let result = match message.slot(index) {
            Slot::List(list) => self.list_of_any(list, &schema.fields[index], tag),
            Slot::Map(map) => {
                let outcome = self.map(map, tag);
                if outcome == Outcome::Unsettled {
                    self.unsettled(index);
                }
                self.result(outcome, tag, "a message")
            }
            slot => self.element(slot, tag),
        };
        result.map_err(|failed| self.at_field(schema, index, failed))
    }

    /// What a value is that was read without the way over its slot.
    fn result(&mut self, outcome: Outcome, tag: u32, expected: &'static str) -> Result<()> {
        match outcome {
            Outcome::Failed => Err(Failed),
            Outcome::Other => self.expect(tag, BYTES, expected),
            _ => Ok(()),
        }
    }

    /// Notes in which field reading has failed.
    #[cold]
    fn at_field(&mut self, schema: &'static Schema, index: usize, failed: Failed) -> Failed {
        if let (Some(fault), Some(field)) = (&mut self.fault, schema.fields.get(index))
            && !field.inline
        {
            fault.trail.push(field.name);
        }
        failed
    }

    /// Reads elements of a list that follow each other, or several numbers packed together.
    fn list_of_any(&mut self, list: &mut dyn Sequence, field: &FieldSchema, tag: u32) -> Result<()> {
        if field.wrapped {
            list.restart(0);
            return self.wrapped(list, tag);
        }
        let packed = match field.ty {
            FieldType::List(FieldType::Double) => FIXED64,
            FieldType::List(
                FieldType::Bool | FieldType::Int32 | FieldType::Uint32 | FieldType::Int64 | FieldType::Uint64,
            ) => VARINT,
            _ => {
                let outcome = self.list(list, tag);
                return self.result(outcome, tag, "a list");
            }
        };
        if wire_type(tag) != BYTES {
            return self.value(list.push(), tag);
        }
        self.within(|decoder| {
            while !decoder.reader.is_at_end() {
                decoder.value(list.push(), u32::from(packed))?;
            }
            Ok(())
        })
    }

    /// Reads a message that stands for a list: its items have number 1.
    fn wrapped(&mut self, list: &mut dyn Sequence, tag: u32) -> Result<()> {
        self.expect(tag, BYTES, "a message")?;
        self.within(|decoder| {
            while !decoder.reader.is_at_end() {
                let tag = decoder.read(Reader::tag)?;
                if tag >> 3 == 1 {
                    if list.is_empty() {
                        list.reserve(1 + repetitions(tag, decoder.reader));
                    }
                    decoder.element(list.push(), tag)?;
                } else {
                    decoder.skip(tag)?;
                }
            }
            Ok(())
        })
    }

    /// Reads an entry of a map, a message of a key with number 1 and a value with number 2, and tells whether it belongs
    /// where it is.
    fn entry(&mut self, map: &mut dyn Mapping) -> Result<bool> {
        let outer = self.read(Reader::enter)?;
        let (mut key, mut value) = (Str::EMPTY, None);
        while !self.reader.is_at_end() {
            let tag = self.read(Reader::tag)?;
            if tag == FIRST_BYTES {
                let bytes = self.read(Reader::bytes)?;
                key = self.string(bytes)?;
            } else {
                if tag >> 3 == 2 {
                    value = Some((tag, self.reader.offset()));
                }
                self.skip(tag)?;
            }
        }
        let (slot, is_next) = map.append(key);
        if let Some((tag, offset)) = value {
            self.reader.go_to(offset);
            match slot {
                Slot::Str(slot) if wire_type(tag) == BYTES => {
                    if self.str(slot, tag) == Outcome::Failed {
                        return Err(Failed);
                    }
                }
                slot => self.element(slot, tag)?,
            }
        }
        self.reader.leave(outer);
        Ok(is_next)
    }

    /// Reads a value where there may be none.
    fn optional(&mut self, optional: &mut dyn Optional, tag: u32) -> Result<()> {
        match (optional.fill(), wire_type(tag)) {
            // Go's zero time, and no JSON at all.
            (Slot::Time(_) | Slot::MicroTime(_) | Slot::Raw(_), BYTES) if self.reader.empty_follows() => {
                optional.clear();
                Ok(())
            }
            (slot, _) => self.element(slot, tag),
        }
    }

    /// Reads a value of any type but several elements of a list or a map.
    fn element(&mut self, slot: Slot<'_>, tag: u32) -> Result<()> {
        let (outcome, expected) = match slot {
            Slot::Message(inner) => (self.message(inner, tag), "a message"),
            Slot::Str(slot) => (self.str(slot, tag), "a string"),
            Slot::Text(slot) => (self.text(slot, tag), "a string"),
            Slot::List(list) => {
                list.restart(0);
                return self.wrapped(list, tag);
            }
            Slot::Optional(optional) => return self.optional(optional, tag),
            slot => return self.value(slot, tag),
        };
        self.result(outcome, tag, expected)
    }

    fn value(&mut self, slot: Slot<'_>, tag: u32) -> Result<()> {
        let wanted = match &slot {
            Slot::Ignored => wire_type(tag),
            Slot::Bool(_) | Slot::Int32(_) | Slot::Uint32(_) | Slot::Int64(_) | Slot::Uint64(_) => VARINT,
            Slot::Float(_) => FIXED64,
            _ => BYTES,
        };
        self.expect(tag, wanted, slot.expects())?;
        match slot {
            Slot::Ignored => self.skip(tag)?,
            Slot::Bool(slot) => *slot = self.read(Reader::varint)? != 0,
            // Numbers of 32 bits are written with the sign of 64.
            Slot::Int32(slot) => *slot = self.read(Reader::varint)? as i32,
            Slot::Uint32(slot) => *slot = self.read(Reader::varint)? as u32,
            Slot::Int64(slot) => *slot = self.read(Reader::varint)? as i64,
            Slot::Uint64(slot) => *slot = self.read(Reader::varint)?,
            Slot::Float(slot) => *slot = f64::from_bits(self.read(Reader::fixed64)?),
            Slot::Bytes(slot) => *slot = ByteString::from(self.read(Reader::bytes)?),
            Slot::Time(slot) => *slot = Time::from_seconds(self.seconds_and_nanos()?.0),
            Slot::MicroTime(slot) => {
                let (seconds, nanos) = self.seconds_and_nanos()?;
                let microseconds = seconds.saturating_mul(1_000_000).saturating_add(nanos / 1000);
                *slot = MicroTime::from_microseconds(microseconds);
            }
            Slot::IntOrString(slot) => *slot = self.int_or_string()?,
            Slot::Raw(_) | Slot::Quantity(_) | Slot::Opaque(_) => self.by_text(slot)?,
            Slot::Map(map) => self.single_entry(map)?,
            Slot::Str(_) | Slot::Text(_) | Slot::Message(_) | Slot::List(_) | Slot::Optional(_) => {
                return self.element(slot, tag);
            }
        }
        Ok(())
    }

    /// Reads an entry of a map that is no field by itself.
    fn single_entry(&mut self, map: &mut dyn Mapping) -> Result<()> {
        if !self.entry(map)? {
            map.settle();
        }
        Ok(())
    }

    /// Reads a message that has nothing but a text with number 1.
    fn by_text(&mut self, slot: Slot<'_>) -> Result<()> {
        let offset = self.reader.offset();
        let mut text = "";
        self.within(|decoder| {
            while !decoder.reader.is_at_end() {
                match decoder.read(Reader::tag)? {
                    FIRST_BYTES => text = decoder.borrowed()?,
                    tag => decoder.skip(tag)?,
                }
            }
            Ok(())
        })?;
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

    fn seconds_and_nanos(&mut self) -> Result<(i64, i64)> {
        let (mut seconds, mut nanos) = (0, 0);
        self.within(|decoder| {
            while !decoder.reader.is_at_end() {
                match decoder.read(Reader::tag)? {
                    FIRST_VARINT => seconds = decoder.read(Reader::varint)? as i64,
                    SECOND_VARINT => nanos = i64::from(decoder.read(Reader::varint)? as i32),
                    tag => decoder.skip(tag)?,
                }
            }
            Ok(())
        })?;
        Ok((seconds, nanos))
    }

    fn int_or_string(&mut self) -> Result<IntOrString> {
        let (mut kind, mut int, mut text) = (0, 0, "");
        self.within(|decoder| {
            while !decoder.reader.is_at_end() {
                match decoder.read(Reader::tag)? {
                    FIRST_VARINT => kind = decoder.read(Reader::varint)?,
                    SECOND_VARINT => int = decoder.read(Reader::varint)? as i32,
                    THIRD_BYTES => text = decoder.borrowed()?,
                    tag => decoder.skip(tag)?,
                }
            }
            Ok(())
        })?;
        Ok(if kind == 1 { IntOrString::String(self.share(text)) } else { IntOrString::Int(int) })
    }
}

/// The wire type that is in a tag.
#[inline]
fn wire_type(tag: u32) -> u8 {
    (tag & 7) as u8
}

const FIRST_VARINT: u32 = 1 << 3 | VARINT as u32;
const FIRST_BYTES: u32 = 1 << 3 | BYTES as u32;
const SECOND_VARINT: u32 = 2 << 3 | VARINT as u32;
const THIRD_BYTES: u32 = 3 << 3 | BYTES as u32;

/// Keeps an unknown field where the message keeps such, or for the message around it.
fn keep(message: &mut dyn Fields, lost: &mut Vec<u8>, field: &[u8]) {
    match message.extra_mut() {
        Some(extra) => extra.extend_protobuf(field),
        None => lost.extend_from_slice(field),
    }
}

/// How often the same tag follows; what cannot be read ends the count.
fn repetitions(tag: u32, mut reader: Reader<'_>) -> usize {
    if wire_type(tag) != BYTES || reader.bytes().is_none() {
        return 0;
    }
    let mut count = 0;
    while reader.follows(tag) && reader.bytes().is_some() {
        count += 1;
    }
    count
}
