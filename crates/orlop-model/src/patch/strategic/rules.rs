//! [`Rules`], what a schema says of an object and of the fields in it.

use super::StrategicError;
use crate::{FieldSchema, FieldType, Schema};

/// What is known of the fields of an object.
#[derive(Clone, Copy, Debug)]
pub(in crate::patch) enum Rules {
    /// The fields of a struct.
    Struct {
        schema: &'static Schema,
        /// Whether fields that the struct does not know are merged as a JSON merge patch does it, instead of refused.
        lenient: bool,
    },
    /// No fields that could be objects or lists.
    Closed(&'static str),
    /// Nothing is known: objects are merged, lists are replaced.
    Free,
}

/// What is known of a field.
#[derive(Clone, Copy, Debug)]
pub(in crate::patch) struct Place {
    /// Of the object that it is, or of the elements of the list.
    pub(in crate::patch) rules: Rules,
    pub(in crate::patch) strategy: Strategy,
    /// Whether fields that a patch does not name are cleared.
    pub(in crate::patch) retain_keys: bool,
    /// The field by which elements are found; empty for scalars.
    pub(in crate::patch) key: &'static str,
}

/// What is done with a value for which there is a patch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::patch) enum Strategy {
    /// Objects are merged, lists replaced.
    Default,
    /// Lists are merged.
    Merge,
    /// Objects are replaced.
    Replace,
}

impl Place {
    const FREE: Self = Self { rules: Rules::Free, strategy: Strategy::Default, retain_keys: false, key: "" };
}

impl Rules {
    pub(in crate::patch) fn new(schema: Option<&'static Schema>, lenient: bool) -> Self {
        schema.map_or(Self::Free, |schema| Self::Struct { schema, lenient })
    }

    /// Of a field that has an object.
    pub(in crate::patch) fn object(self, name: &str) -> Result<Place, StrategicError> {
        self.place(name, |ty| ty)
    }

    /// Of a field that has a list.
    pub(in crate::patch) fn list(self, name: &str) -> Result<Place, StrategicError> {
        if let Self::Struct { schema, .. } = self
            && let Some(field) = field(schema, name)
        {
            match field.ty {
                FieldType::List(FieldType::List(_)) => return Err(StrategicError::ListOfLists),
                FieldType::List(_) | FieldType::Bytes => {}
                // Go finds nothing wrong where the field is a pointer.
                _ if field.optional => {}
                ty => return Err(StrategicError::NotAList { form: form(ty) }),
            }
        }
        self.place(name, |ty| match ty {
            FieldType::List(item) => *item,
            other => other,
        })
    }

    fn place(self, name: &str, part: fn(FieldType) -> FieldType) -> Result<Place, StrategicError> {
        let (schema, lenient) = match self {
            Self::Free => return Ok(Place::FREE),
            Self::Closed(form) => return Err(StrategicError::NotAStruct { form }),
            Self::Struct { schema, lenient } => (schema, lenient),
        };
        let Some(field) = field(schema, name) else {
            if lenient {
                return Ok(Place::FREE);
            }
            return Err(StrategicError::Field { message: schema.name, field: name.to_owned() });
        };
        let rules = match part(field.ty) {
            FieldType::Message(schema) => Self::Struct { schema: schema(), lenient },
            FieldType::Any if lenient => Self::Free,
            // A map of texts holds neither objects nor lists, unless the object is malformed.
            FieldType::Map(FieldType::Message(_)) if lenient => Self::Free,
            ty => Self::Closed(form(ty)),
        };
        let strategy = match (field.merge, field.replace) {
            (true, _) => Strategy::Merge,
            (_, true) => Strategy::Replace,
            _ => Strategy::Default,
        };
        Ok(Place { rules, strategy, retain_keys: field.retain_keys, key: field.merge_key })
    }
}

/// The field of this name, or else one whose name differs in case only, as Go's decoder would have it.
fn field(schema: &'static Schema, name: &str) -> Option<&'static FieldSchema> {
    schema.field(name).or_else(|| {
        let mut fields = schema.fields.iter();
        fields.find_map(|field| match field.message() {
            Some(inner) if field.inline => self::field(inner, name),
            _ => (!field.inline && field.name.eq_ignore_ascii_case(name)).then_some(field),
        })
    })
}

/// What Go calls the kind of a type.
fn form(ty: FieldType) -> &'static str {
    match ty {
        FieldType::Bool => "bool",
        FieldType::Int32 => "int32",
        FieldType::Uint32 => "uint32",
        FieldType::Int64 => "int64",
        FieldType::Uint64 => "uint64",
        FieldType::Double => "float64",
        FieldType::String | FieldType::Enum(_) => "string",
        FieldType::Bytes | FieldType::List(_) => "slice",
        FieldType::Map(_) => "map",
        FieldType::Time
        | FieldType::MicroTime
        | FieldType::Quantity
        | FieldType::IntOrString
        | FieldType::Any
        | FieldType::Message(_) => "struct",
    }
}
