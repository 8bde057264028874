//! Values of JSON schemas that have several forms.

use super::JSONSchemaProps;
use crate::message::{Field, Form, Message, Slot, Union, View};
use crate::{FieldSchema, FieldType, Key, List, Number, Schema, Str};

/// The forms have no names in JSON.
const KEY: Key = Key { text: "", required: false, optional: true, inline: false };

const NUMBER: Number = Number { number: 1, field: 0, hoisted: false };

const fn union(name: &'static str, doc: &'static str, fields: &'static [FieldSchema]) -> Schema {
    Schema {
        name,
        module: module_path!(),
        doc,
        api_version: "",
        kind: "",
        any_version: true,
        keys: &[KEY, KEY],
        fields,
        numbers: &[NUMBER, Number { number: 2, field: 1, ..NUMBER }],
        places: &[0, 1, 2],
        has_inline: false,
        atomic: true,
    }
}

const SCHEMA: FieldSchema = FieldSchema {
    name: "schema",
    doc: "A schema.",
    ty: FieldType::Message(|| JSONSchemaProps::SCHEMA),
    optional: true,
    ..FieldSchema::EMPTY
};

macro_rules! union {
    ($type:ident) => {
        impl Field for $type {
            const TYPE: FieldType = FieldType::Message(|| Self::SCHEMA);
            #[inline]
            fn as_view(&self) -> View<'_> {
                View::Message(self)
            }
            #[inline]
            fn as_slot(&mut self) -> Slot<'_> {
                Slot::Message(self)
            }
        }
    };
}

/// A schema, or whether anything is allowed.
#[derive(Clone, Debug, PartialEq)]
pub enum JSONSchemaPropsOrBool {
    /// Anything, or nothing.
    Allows(bool),
    /// What fits the schema.
    Schema(Box<JSONSchemaProps>),
}

impl Default for JSONSchemaPropsOrBool {
    #[inline]
    fn default() -> Self {
        Self::Allows(false)
    }
}

union!(JSONSchemaPropsOrBool);

impl Message for JSONSchemaPropsOrBool {
    const SCHEMA: &'static Schema = &union(
        "JSONSchemaPropsOrBool",
        "A schema, or whether anything is allowed.",
        &[
            FieldSchema {
                name: "allows",
                doc: "Whether anything is allowed.",
                number: 1,
                ..FieldSchema::EMPTY
            },
            FieldSchema { number: 2, ..SCHEMA },
        ],
    );
    #[inline]
    fn field(&self, field: usize) -> View<'_> {
        match (field, self) {
            (0, Self::Allows(allows)) => View::Bool(*allows),
            (0, Self::Schema(_)) => View::Bool(true),
            (1, Self::Schema(schema)) => View::Message(&**schema),
            _ => View::Absent,
        }
    }
    #[inline]
    fn field_mut(&mut self, field: usize) -> Slot<'_> {
        match (field, self) {
            (0, Self::Allows(allows)) => Slot::Bool(allows),
            (1, this) => {
                if !matches!(this, Self::Schema(_)) {
                    *this = Self::Schema(Box::default());
                }
                let Self::Schema(schema) = this else { return Slot::Ignored };
                Slot::Message(&mut **schema)
            }
            _ => Slot::Ignored,
        }
    }
    #[inline]
    fn union(&self) -> Option<&dyn Union> {
        Some(self)
    }
    #[inline]
    fn union_mut(&mut self) -> Option<&mut dyn Union> {
        Some(self)
    }
}

impl Union for JSONSchemaPropsOrBool {
    #[inline]
    fn active(&self) -> View<'_> {
        self.field(usize::from(matches!(self, Self::Schema(_))))
    }
    #[inline]
    fn slot_of(&mut self, form: Form) -> Option<Slot<'_>> {
        match form {
            Form::Bool => {
                *self = Self::Allows(false);
                Some(self.field_mut(0))
            }
            Form::Object => Some(self.field_mut(1)),
            Form::List => None,
        }
    }
}

/// A schema, or one for each item.
#[derive(Clone, Debug, PartialEq)]
pub enum JSONSchemaPropsOrArray {
    /// One for all items.
    Schema(Box<JSONSchemaProps>),
    /// One for each.
    Array(List<JSONSchemaProps>),
}

impl Default for JSONSchemaPropsOrArray {
    #[inline]
    fn default() -> Self {
        Self::Array(List::new())
    }
}

union!(JSONSchemaPropsOrArray);

impl Message for JSONSchemaPropsOrArray {
    const SCHEMA: &'static Schema = &union(
        "JSONSchemaPropsOrArray",
        "A schema, or one for each item.",
        &[
            FieldSchema { number: 1, ..SCHEMA },
            FieldSchema {
                name: "jSONSchemas",
                doc: "The schemas.",
                number: 2,
                optional: true,
                ty: FieldType::List(&FieldType::Message(|| JSONSchemaProps::SCHEMA)),
                ..FieldSchema::EMPTY
            },
        ],
    );
    #[inline]
    fn field(&self, field: usize) -> View<'_> {
        match (field, self) {
            (0, Self::Schema(schema)) => View::Message(&**schema),
            (1, Self::Array(schemas)) => View::List(schemas),
            _ => View::Absent,
        }
    }
    #[inline]
    fn field_mut(&mut self, field: usize) -> Slot<'_> {
        match (field, &mut *self) {
            (0, Self::Array(_)) => *self = Self::Schema(Box::default()),
            (1, Self::Schema(_)) => *self = Self::Array(List::new()),
            (0 | 1, _) => {}
            _ => return Slot::Ignored,
        }
        match self {
            Self::Schema(schema) => Slot::Message(&mut **schema),
            Self::Array(schemas) => Slot::List(schemas),
        }
    }
    #[inline]
    fn union(&self) -> Option<&dyn Union> {
        Some(self)
    }
    #[inline]
    fn union_mut(&mut self) -> Option<&mut dyn Union> {
        Some(self)
    }
}

impl Union for JSONSchemaPropsOrArray {
    #[inline]
    fn active(&self) -> View<'_> {
        self.field(usize::from(matches!(self, Self::Array(_))))
    }
    #[inline]
    fn slot_of(&mut self, form: Form) -> Option<Slot<'_>> {
        match form {
            Form::Bool => None,
            Form::Object => Some(self.field_mut(0)),
            Form::List => Some(self.field_mut(1)),
        }
    }
}

/// A schema, or the names of properties.
#[derive(Clone, Debug, PartialEq)]
pub enum JSONSchemaPropsOrStringArray {
    /// What has to fit the schema.
    Schema(Box<JSONSchemaProps>),
    /// Properties that have to be there.
    Property(List<Str>),
}

impl Default for JSONSchemaPropsOrStringArray {
    #[inline]
    fn default() -> Self {
        Self::Property(List::new())
    }
}

union!(JSONSchemaPropsOrStringArray);

impl Message for JSONSchemaPropsOrStringArray {
    const SCHEMA: &'static Schema = &union(
        "JSONSchemaPropsOrStringArray",
        "A schema, or the names of properties.",
        &[
            FieldSchema { number: 1, ..SCHEMA },
            FieldSchema {
                name: "property",
                doc: "Names of properties.",
                number: 2,
                optional: true,
                ty: FieldType::List(&FieldType::String),
                ..FieldSchema::EMPTY
            },
        ],
    );
    #[inline]
    fn field(&self, field: usize) -> View<'_> {
        match (field, self) {
            (0, Self::Schema(schema)) => View::Message(&**schema),
            (1, Self::Property(names)) => View::List(names),
            _ => View::Absent,
        }
    }
    #[inline]
    fn field_mut(&mut self, field: usize) -> Slot<'_> {
        match (field, &mut *self) {
            (0, Self::Property(_)) => *self = Self::Schema(Box::default()),
            (1, Self::Schema(_)) => *self = Self::Property(List::new()),
            (0 | 1, _) => {}
            _ => return Slot::Ignored,
        }
        match self {
            Self::Schema(schema) => Slot::Message(&mut **schema),
            Self::Property(names) => Slot::List(names),
        }
    }
    #[inline]
    fn union(&self) -> Option<&dyn Union> {
        Some(self)
    }
    #[inline]
    fn union_mut(&mut self) -> Option<&mut dyn Union> {
        Some(self)
    }
}

impl Union for JSONSchemaPropsOrStringArray {
    #[inline]
    fn active(&self) -> View<'_> {
        self.field(usize::from(matches!(self, Self::Property(_))))
    }
    #[inline]
    fn slot_of(&mut self, form: Form) -> Option<Slot<'_>> {
        match form {
            Form::Bool => None,
            Form::Object => Some(self.field_mut(0)),
            Form::List => Some(self.field_mut(1)),
        }
    }
}
