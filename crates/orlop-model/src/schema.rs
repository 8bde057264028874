//! [`Schema`]: what patches, apply and documents have to know of a type.

/// The fields of a [`Message`](crate::Message), in the order in which they are written.
#[derive(Clone, Copy, Debug)]
pub struct Schema {
    /// Name of the type.
    pub name: &'static str,
    /// Its fields.
    pub fields: &'static [FieldSchema],
}

impl Schema {
    /// The field with this JSON name, embedded structs included.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<&'static FieldSchema> {
        self.fields.iter().find_map(|field| match field.inline {
            true => (field.message)()?.field(name),
            false => (field.name == name).then_some(field),
        })
    }
}

/// One field of a [`Schema`].
#[derive(Clone, Copy, Debug)]
pub struct FieldSchema {
    /// JSON name.
    pub name: &'static str,
    /// Number in protobuf; 0: none.
    pub number: u32,
    /// Number of the message that this field belongs to in protobuf; 0: the struct's own.
    pub outer: u32,
    /// Whether the fields of this one belong to the parent in JSON.
    pub inline: bool,
    /// Whether it is written even when it is empty.
    pub required: bool,
    /// How lists are merged by server-side apply.
    pub list: ListType,
    /// Whether a map is replaced as a whole by server-side apply.
    pub atomic_map: bool,
    /// Whether strategic merge patch merges a list instead of replacing it.
    pub merge: bool,
    /// Whether strategic merge patch clears the fields that a patch does not name.
    pub retain_keys: bool,
    /// Key by which strategic merge patch finds elements of a list; empty for lists of scalars.
    pub merge_key: &'static str,
    /// Schema of the field's type, of its elements for lists and maps; `None` for scalars.
    pub message: fn() -> Option<&'static Schema>,
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
