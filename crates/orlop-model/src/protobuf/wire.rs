//! The wire format: tags, varints, lengths.

/// What is wrong with bytes of protobuf.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WireError {
    /// The bytes do not begin with the four of Kubernetes' envelope.
    #[error("not in Kubernetes' protobuf envelope")]
    NoEnvelope,
    /// The object is of another kind than the type.
    #[error("the object is {found}, expected {wanted}")]
    OtherKind {
        /// Its `apiVersion` and `kind`.
        found: String,
        /// Those of the type.
        wanted: String,
    },
    /// The content of the envelope is not protobuf.
    #[error("content type {0:?} instead of protobuf")]
    OtherContentType(String),
    /// The message ends within a value.
    #[error("the message ends within a value")]
    Truncated,
    /// A varint of more than ten bytes.
    #[error("a varint is longer than 64 bits")]
    LongVarint,
    /// A field number of zero, or beyond 29 bits.
    #[error("field number {0} does not exist")]
    FieldNumber(u64),
    /// A wire type that does not exist, or the end of a group that has not begun.
    #[error("wire type {0} does not exist here")]
    WireType(u8),
    /// The wire type is not that of the field.
    #[error("wire type {found} for {expected}")]
    OtherWireType {
        /// The wire type.
        found: u8,
        /// What the field is.
        expected: &'static str,
    },
    /// A text is not UTF-8.
    #[error("a text is not UTF-8")]
    NotUtf8,
    /// Messages are nested too deeply.
    #[error("nested too deeply: at most {} levels", super::MAX_DEPTH)]
    TooDeep,
    /// A value of a type with a text form is not of that form.
    #[error("{0}")]
    Value(String),
}

pub(super) const VARINT: u8 = 0;
pub(super) const FIXED64: u8 = 1;
pub(super) const BYTES: u8 = 2;
pub(super) const START_GROUP: u8 = 3;
pub(super) const END_GROUP: u8 = 4;
pub(super) const FIXED32: u8 = 5;

/// Reads a message from its beginning. `None` is what cannot be read; [`Reader::fault`] says why.
#[derive(Clone, Copy)]
pub(super) struct Reader<'a> {
    /// The outermost message, up to the end of this one.
    bytes: &'a [u8],
    /// Where the next byte is.
    at: usize,
}

impl<'a> Reader<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    /// Place in the outermost message.
    #[inline]
    pub(super) fn offset(&self) -> usize {
        self.at
    }

    /// Goes back to what has been passed over.
    #[inline]
    pub(super) fn go_to(&mut self, offset: usize) {
        self.at = offset;
    }

    #[inline]
    pub(super) fn is_at_end(&self) -> bool {
        self.at >= self.bytes.len()
    }

    /// What has been read since the reader was at `start`.
    pub(super) fn since(&self, start: usize) -> &'a [u8] {
        self.bytes.get(start..self.at).unwrap_or_default()
    }

    /// Why the tag or the value that begins at `start` cannot be read.
    #[cold]
    pub(super) fn fault(mut self, start: usize) -> WireError {
        self.at = start;
        if self.rest().iter().take_while(|byte| **byte >= 0x80).count() >= 10 {
            return WireError::LongVarint;
        }
        match self.varint() {
            Some(tag) if !matches!(tag >> 3, 1..=0x1fff_ffff) => WireError::FieldNumber(tag >> 3),
            Some(tag) if !matches!((tag & 7) as u8, VARINT..=START_GROUP | FIXED32) => {
                WireError::WireType((tag & 7) as u8)
            }
            _ => WireError::Truncated,
        }
    }

    fn rest(&self) -> &'a [u8] {
        self.bytes.get(self.at..).unwrap_or_default()
    }

    /// The varint at `at`, and where it ends.
    #[inline(always)]
    fn varint_at(&self, at: usize) -> Option<(u64, usize)> {
        match self.bytes.get(at) {
            Some(byte @ 0..0x80) => Some((u64::from(*byte), at + 1)),
            _ => self.long_varint_at(at),
        }
    }

    #[inline(never)]
    fn long_varint_at(&self, at: usize) -> Option<(u64, usize)> {
        let (value, length) = match self.bytes.get(at..)? {
            [low @ 0x80..=0xff, high @ 0..0x80, ..] => (u64::from(low & 0x7f) | u64::from(*high) << 7, 2),
            bytes => long_varint(bytes)?,
        };
        Some((value, at + length))
    }

    #[inline]
    pub(super) fn varint(&mut self) -> Option<u64> {
        let (value, end) = self.varint_at(self.at)?;
        self.at = end;
        Some(value)
    }

    /// Field number and, in the lowest three bits, the wire type.
    #[inline]
    pub(super) fn tag(&mut self) -> Option<u32> {
        let (tag, end) = self.varint_at(self.at)?;
        let tag = u32::try_from(tag).ok().filter(|tag| tag >> 3 > 0)?;
        self.at = end;
        Some(tag)
    }

    /// Passes over the next tag if it is this one.
    #[inline]
    pub(super) fn follows(&mut self, tag: u32) -> bool {
        match self.varint_at(self.at) {
            Some((found, end)) if found == u64::from(tag) => {
                self.at = end;
                true
            }
            _ => false,
        }
    }

    /// Passes over the length of an empty value, if the next one is empty.
    #[inline]
    pub(super) fn empty_follows(&mut self) -> bool {
        let is_it = self.bytes.get(self.at) == Some(&0);
        self.at += usize::from(is_it);
        is_it
    }

    /// A length-delimited value. The reader stays where it is if there is none, as with all values.
    #[inline]
    pub(super) fn bytes(&mut self) -> Option<&'a [u8]> {
        let (start, end) = self.bounds()?;
        let taken = self.bytes.get(start..end)?;
        self.at = end;
        Some(taken)
    }

    /// The seconds of a time as Go writes those of our days: five bytes of seconds, and nanoseconds, of which there are
    /// none.
    #[inline]
    pub(super) fn usual_time(&mut self) -> Option<i64> {
        const SECONDS: u8 = 1 << 3 | VARINT;
        const NANOS: u8 = 2 << 3 | VARINT;
        match self.rest() {
            [
                8,
                SECONDS,
                a @ 0x80..=0xff,
                b @ 0x80..=0xff,
                c @ 0x80..=0xff,
                d @ 0x80..=0xff,
                e @ 0..0x80,
                NANOS,
                0,
                ..,
            ] => {
                self.at += 9;
                let bits = |byte: &u8, place: u32| i64::from(*byte & 0x7f) << (7 * place);
                Some(bits(a, 0) | bits(b, 1) | bits(c, 2) | bits(d, 3) | bits(e, 4))
            }
            _ => None,
        }
    }

    /// Goes into the message that comes as a length-delimited value; gives what [`Self::leave`] needs.
    #[inline]
    pub(super) fn enter(&mut self) -> Option<&'a [u8]> {
        let (start, end) = self.bounds()?;
        let outer = self.bytes;
        self.bytes = outer.get(..end)?;
        self.at = start;
        Some(outer)
    }

    /// Where the length-delimited value that comes begins and ends, which may be beyond the end of the message.
    #[inline]
    fn bounds(&self) -> Option<(usize, usize)> {
        let (length, start) = self.varint_at(self.at)?;
        Some((start, start.checked_add(usize::try_from(length).ok()?)?))
    }

    /// Leaves a message at its end.
    #[inline]
    pub(super) fn leave(&mut self, outer: &'a [u8]) {
        self.at = self.bytes.len();
        self.bytes = outer;
    }

    #[inline]
    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let end = self.at.checked_add(length)?;
        let taken = self.bytes.get(self.at..end)?;
        self.at = end;
        Some(taken)
    }

    pub(super) fn fixed64(&mut self) -> Option<u64> {
        Some(u64::from_le_bytes(self.take(8)?.try_into().ok()?))
    }

    /// Passes over a value; groups, which nobody writes any more, with all that is in them.
    pub(super) fn skip(&mut self, tag: u32) -> Option<()> {
        match (tag & 7) as u8 {
            VARINT => self.varint().map(|_| ()),
            FIXED64 => self.take(8).map(|_| ()),
            BYTES => self.bytes().map(|_| ()),
            FIXED32 => self.take(4).map(|_| ()),
            START_GROUP => {
                // Open groups in a list, so that nesting costs no stack.
                let mut open = vec![tag >> 3];
                while let Some(group) = open.last().copied() {
                    let tag = self.tag()?;
                    match (tag & 7) as u8 {
                        START_GROUP => open.push(tag >> 3),
                        END_GROUP if tag >> 3 == group => {
                            open.pop();
                        }
                        END_GROUP => return None,
                        _ => self.skip(tag)?,
                    }
                }
                Some(())
            }
            _ => None,
        }
    }
}

/// A varint of any length, and its length.
fn long_varint(bytes: &[u8]) -> Option<(u64, usize)> {
    let mut value = 0_u64;
    for (index, byte) in bytes.iter().take(10).enumerate() {
        value |= u64::from(byte & 0x7f) << (7 * index);
        if *byte < 0x80 {
            return Some((value, index + 1));
        }
    }
    None
}

/// A buffer that is filled from its end, so that a length is known when it is written before what it counts.
#[derive(Default)]
pub(super) struct Backward {
    buffer: Vec<u8>,
    /// Where what has been written begins.
    start: usize,
}

impl Backward {
    /// Bytes written so far.
    pub(super) fn len(&self) -> usize {
        self.buffer.len() - self.start
    }

    #[inline]
    pub(super) fn bytes(&mut self, bytes: &[u8]) {
        if self.start < bytes.len() {
            self.grow(bytes.len());
        }
        let end = self.start;
        self.start -= bytes.len();
        self.buffer[self.start..end].copy_from_slice(bytes);
    }

    #[cold]
    fn grow(&mut self, needed: usize) {
        let written = self.len();
        let capacity = (self.buffer.len() * 2).max(written + needed).max(1024);
        let mut larger = vec![0; capacity];
        larger[capacity - written..].copy_from_slice(&self.buffer[self.start..]);
        self.buffer = larger;
        self.start = capacity - written;
    }

    #[inline]
    pub(super) fn varint(&mut self, mut value: u64) {
        let mut digits = [0; 10];
        let mut length = 0;
        while value >= 0x80 {
            digits[length] = (value & 0x7f) as u8 | 0x80;
            value >>= 7;
            length += 1;
        }
        digits[length] = value as u8;
        self.bytes(&digits[..=length]);
    }

    pub(super) fn tag(&mut self, number: u32, wire_type: u8) {
        self.varint(u64::from(number) << 3 | u64::from(wire_type));
    }

    /// A length-delimited field with the content that `write` writes.
    pub(super) fn nested(&mut self, number: u32, write: impl FnOnce(&mut Self)) {
        let end = self.len();
        write(self);
        self.varint((self.len() - end) as u64);
        self.tag(number, BYTES);
    }

    pub(super) fn field(&mut self, number: u32, bytes: &[u8]) {
        self.nested(number, |out| out.bytes(bytes));
    }

    pub(super) fn into_vec(mut self) -> Vec<u8> {
        self.buffer.drain(..self.start);
        self.buffer
    }
}
