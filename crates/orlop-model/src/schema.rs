//! [`Schema`]: what codecs, patches, apply and documents have to know of a type.

use crate::message::View;

/// The fields of a [`Message`](crate::Message), in the order in which they are written.
#[derive(Clone, Copy, Debug)]
pub struct Schema {
    /// Name of the type.
    pub name: &'static str,
    /// Path of the Rust module that has it, such as `orlop_model::core::v1::pod`.
    pub module: &'static str,
    /// What it is, in a sentence.
    pub doc: &'static str,
    /// `apiVersion` of a type that stands alone; empty for parts of objects.
    pub api_version: &'static str,
    /// `kind` of a type that stands alone; empty for parts of objects.
    pub kind: &'static str,
    /// Whether it may come with another `apiVersion`, as options of requests do.
    pub any_version: bool,
    /// What codecs ask of every field.
    pub keys: &'static [Key],
    /// The fields.
    pub fields: &'static [FieldSchema],
    /// The fields that protobuf has, ascending by their number or that of the message they belong to.
    pub numbers: &'static [Number],
    /// By the number in protobuf, 1 more than the index of its field; 0: there is none; 255: it is that of a message around
    /// several fields.
    pub places: &'static [u8],
    /// Whether there are embedded structs.
    pub has_inline: bool,
    /// Whether server-side apply replaces the struct as a whole.
    pub atomic: bool,
}

impl Schema {
    /// The field with this JSON name, embedded structs included.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<&'static FieldSchema> {
        if let Some(index) = self.position(name, 0) {
            return self.fields.get(index);
        }
        let mut inline = self.fields.iter().filter(|field| field.inline);
        inline.find_map(|field| field.message()?.field(name))
    }
}

impl Schema {
    /// What has this number in protobuf.
    #[inline]
    pub(crate) fn place(&self, number: u32) -> Place {
        match self.places.get(number as usize).copied() {
            None | Some(0) => Place::Unknown,
            Some(u8::MAX) => Place::Outer,
            Some(place) => Place::Field(usize::from(place) - 1),
        }
    }

    /// The index of the field of this name, those of embedded structs left out; the search begins at `hint`, since
    /// objects come in the order of their fields.
    pub(crate) fn position(&self, name: &str, hint: usize) -> Option<usize> {
        let (before, after) = self.keys.split_at(hint.min(self.keys.len()));
        let found = after.iter().position(|key| key.is(name)).map(|index| before.len() + index);
        found.or_else(|| before.iter().position(|key| key.is(name)))
    }
}

/// What a number stands for in protobuf.
pub(crate) enum Place {
    /// Nothing that is known.
    Unknown,
    /// The field with this index.
    Field(usize),
    /// A message around fields.
    Outer,
}

/// What codecs ask of every field, apart from the rest so that it stays in the processor's cache.
#[derive(Clone, Copy, Debug)]
pub struct Key {
    /// The JSON name as it is written after another field, `,"name":`; empty for embedded structs.
    pub text: &'static str,
    /// As in [`FieldSchema`].
    pub required: bool,
    /// As in [`FieldSchema`].
    pub optional: bool,
    /// As in [`FieldSchema`].
    pub inline: bool,
}

/// Where protobuf has a field.
#[derive(Clone, Copy, Debug)]
pub struct Number {
    /// Number of the field, or of the message that it belongs to.
    pub number: u32,
    /// Index of the field in the schema.
    pub field: u16,
    /// Whether the number is that of a message around the field.
    pub hoisted: bool,
}

impl Key {
    fn is(&self, name: &str) -> bool {
        let text = self.text.as_bytes();
        text.len() == name.len() + 4 && text[2..].starts_with(name.as_bytes())
    }

    /// Whether a value is written in JSON.
    #[inline]
    pub(crate) fn writes(&self, view: &View<'_>) -> bool {
        self.required || if self.optional { !matches!(view, View::Absent) } else { !view.is_empty() }
    }
}

/// One field of a [`Schema`].
#[derive(Clone, Copy, Debug)]
pub struct FieldSchema {
    /// JSON name; empty for an embedded struct.
    pub name: &'static str,
    /// What it means, in a sentence.
    pub doc: &'static str,
    /// Its type.
    pub ty: FieldType,
    /// Number in protobuf; 0: none.
    pub number: u32,
    /// Number of the message that this field belongs to in protobuf; 0: the struct's own.
    pub outer: u32,
    /// Whether the fields of this one belong to the parent in JSON.
    pub inline: bool,
    /// Whether it is written in JSON even when it is empty.
    pub required: bool,
    /// Whether OpenAPI requires it.
    pub needed: bool,
    /// Whether presence is information, as behind a pointer in Go.
    pub optional: bool,
    /// Whether a list is wrapped into a message of its own in protobuf.
    pub wrapped: bool,
    /// Whether its content is kept out of `Debug`.
    pub secret: bool,
    /// How lists are merged by server-side apply.
    pub list: ListType,
    /// Whether a map is replaced as a whole by server-side apply.
    pub atomic_map: bool,
    /// Whether strategic merge patch merges a list instead of replacing it.
    pub merge: bool,
    /// Whether strategic merge patch clears the fields that a patch does not name.
    pub retain_keys: bool,
    /// Whether strategic merge patch replaces an object instead of merging it.
    pub replace: bool,
    /// Key by which strategic merge patch finds elements of a list; empty for lists of scalars.
    pub merge_key: &'static str,
    /// Default of the API, as JSON; empty: none that a table could tell.
    pub default: &'static str,
}

impl FieldSchema {
    /// A field of no name and nothing special, from which those of the tables are made.
    pub const EMPTY: Self = Self {
        name: "",
        doc: "",
        ty: FieldType::Bool,
        number: 0,
        outer: 0,
        inline: false,
        required: false,
        needed: false,
        optional: false,
        wrapped: false,
        secret: false,
        list: ListType::Atomic,
        atomic_map: false,
        merge: false,
        retain_keys: false,
        replace: false,
        merge_key: "",
        default: "",
    };

    /// Schema of the field's type, of its elements for lists and maps; `None` for scalars.
    #[must_use]
    pub fn message(&self) -> Option<&'static Schema> {
        self.ty.message()
    }
}

/// Type of a field.
#[derive(Clone, Copy, Debug)]
pub enum FieldType {
    /// A boolean.
    Bool,
    /// An integer of 32 bits.
    Int32,
    /// An unsigned integer of 32 bits.
    Uint32,
    /// An integer of 64 bits.
    Int64,
    /// An unsigned integer of 64 bits.
    Uint64,
    /// A floating-point number.
    Double,
    /// A text.
    String,
    /// A text, of which some values are known.
    Enum(EnumType),
    /// Bytes, base64 in JSON.
    Bytes,
    /// A time in whole seconds.
    Time,
    /// A time in microseconds.
    MicroTime,
    /// A quantity.
    Quantity,
    /// A number or a text.
    IntOrString,
    /// Any JSON.
    Any,
    /// A struct.
    Message(fn() -> &'static Schema),
    /// A list.
    List(&'static FieldType),
    /// A map from strings.
    Map(&'static FieldType),
}

impl FieldType {
    /// The struct in it, also if it is a list or a map of them.
    #[must_use]
    pub fn message(self) -> Option<&'static Schema> {
        match self {
            Self::Message(schema) => Some(schema()),
            Self::List(item) | Self::Map(item) => item.message(),
            _ => None,
        }
    }
}

/// The values of an enumeration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EnumType {
    /// The values that are known.
    pub values: &'static [&'static str],
    /// Whether Kubernetes' documents list the values, since the API takes no others. Fields keep others all the same:
    /// a later version may have more.
    pub closed: bool,
}

/// How server-side apply sees a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ListType {
    /// One value, replaced as a whole.
    Atomic,
    /// A set of scalars.
    Set,
    /// Elements found by these keys.
    Map(&'static [&'static str]),
}
