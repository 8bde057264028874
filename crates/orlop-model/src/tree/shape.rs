//! [`Shape`], what is known of a place in an object.

use serde_json::Value;

use crate::apiextensions::v1::{JSONSchemaProps, JSONSchemaPropsOrArray, JSONSchemaPropsOrBool};
use crate::{FieldSchema, FieldType, List, ListType, Message, ObjectMeta, Schema, Str};

/// What is known of a place in an object: which values belong there, and how they are merged.
#[derive(Clone, Copy, Debug)]
pub enum Shape<'a> {
    /// A struct that a table describes.
    Message(&'static Schema),
    /// A field of such a struct.
    Field(&'static FieldSchema),
    /// An item of a list, or an entry of a map, of such a field.
    Type(FieldType),
    /// A place in an object of a custom kind.
    Custom(Custom<'a>),
    /// Nothing is known: objects are merged field by field, lists replaced as a whole.
    Deduced,
    /// Nothing is known, and whatever is there is replaced as a whole.
    Untyped,
}

/// A place in an object of a custom kind.
#[derive(Clone, Copy, Debug)]
pub struct Custom<'a> {
    /// `None`: there is no schema.
    props: Option<&'a JSONSchemaProps>,
    /// Whether it is an object with a kind and metadata.
    is_object: bool,
    /// Whether fields are kept that the schema does not declare.
    preserves: bool,
}

/// Forms that a place has room for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Forms {
    /// Scalars of this type.
    pub scalar: Option<ScalarType>,
    /// Lists.
    pub list: bool,
    /// Objects.
    pub object: bool,
}

/// Scalars that a place has room for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ScalarType {
    /// Numbers.
    Number,
    /// Texts.
    Text,
    /// Booleans.
    Bool,
    /// Any of them.
    Any,
}

/// What a name in an object stands for.
#[derive(Clone, Copy, Debug)]
pub enum Member<'a> {
    /// A field that is declared.
    Field(Shape<'a>),
    /// An entry of a map.
    Entry(Shape<'a>),
    /// Nothing: the schema has no such field.
    Undeclared,
}

impl<'a> Member<'a> {
    /// The place, if there is one.
    #[must_use]
    pub fn shape(self) -> Option<Shape<'a>> {
        match self {
            Self::Field(shape) | Self::Entry(shape) => Some(shape),
            Self::Undeclared => None,
        }
    }
}

/// How the items of a list are told apart.
#[derive(Clone, Copy, Debug)]
pub enum Listing<'a> {
    /// They are not: the list is one value.
    Atomic,
    /// By their value.
    Set,
    /// By some of their fields.
    Map(Keys<'a>),
}

/// The fields by which items of a list are told apart.
#[derive(Clone, Copy, Debug)]
pub enum Keys<'a> {
    /// Of a table, and the type of the items.
    Table(&'static [&'static str], FieldType),
    /// Of a custom kind, and the schema of the items.
    Custom(&'a List<Str>, Option<&'a JSONSchemaProps>),
}

impl<'a> Keys<'a> {
    /// Their names, in the order of the schema.
    pub fn names(self) -> impl Iterator<Item = &'a str> {
        let (table, custom) = match self {
            Self::Table(names, _) => (names, None),
            Self::Custom(names, _) => (&[][..], Some(names)),
        };
        table.iter().copied().chain(custom.into_iter().flat_map(|names| names.iter().map(Str::as_str)))
    }

    /// What an item has that lacks the field, if the schema says so.
    #[must_use]
    pub fn default(self, name: &str) -> Option<Value> {
        match self {
            Self::Table(_, item) => {
                let default = item.message()?.field(name)?.default;
                if default.is_empty() { None } else { serde_json::from_str(default).ok() }
            }
            Self::Custom(_, item) => item?.properties.get(name)?.default.as_ref()?.to_value().ok(),
        }
    }
}

impl<'a> Shape<'a> {
    /// An object of a custom kind whose structural schema this is; `None`: it has none. With `preserves` fields are kept
    /// that the schema does not declare.
    #[must_use]
    pub fn custom(schema: Option<&'a JSONSchemaProps>, preserves: bool) -> Self {
        Self::Custom(Custom { props: schema, is_object: true, preserves })
    }

    /// What a name in an object of this shape stands for.
    #[must_use]
    pub fn member(self, name: &str) -> Member<'a> {
        match self {
            Self::Message(schema) => table_member(schema, name),
            Self::Field(&FieldSchema { ty, .. }) | Self::Type(ty) => match ty {
                FieldType::Message(schema) => table_member(schema(), name),
                FieldType::Map(value) => Member::Entry(Shape::Type(*value)),
                _ => Member::Entry(Shape::Untyped),
            },
            Self::Custom(custom) => custom.member(name),
            Self::Deduced => Member::Entry(Shape::Deduced),
            Self::Untyped => Member::Entry(Shape::Untyped),
        }
    }

    /// The items of a list of this shape.
    #[must_use]
    pub fn item(self) -> Self {
        match self {
            Self::Field(&FieldSchema { ty: FieldType::List(item), .. })
            | Self::Type(FieldType::List(item)) => Shape::Type(*item),
            Self::Custom(custom) => custom.items().map_or(Self::Untyped, |props| custom.below(props)),
            _ => Self::Untyped,
        }
    }

    /// How the items of a list of this shape are told apart.
    #[must_use]
    pub fn listing(self) -> Listing<'a> {
        match self {
            Self::Field(FieldSchema { ty: FieldType::List(item), list, .. }) => match list {
                ListType::Atomic => Listing::Atomic,
                ListType::Set => Listing::Set,
                ListType::Map(keys) => Listing::Map(Keys::Table(keys, **item)),
            },
            Self::Custom(custom @ Custom { props: Some(props), .. }) => {
                match props.x_kubernetes_list_type.as_deref() {
                    Some("set") => Listing::Set,
                    Some("map") => {
                        Listing::Map(Keys::Custom(&props.x_kubernetes_list_map_keys, custom.items()))
                    }
                    _ => Listing::Atomic,
                }
            }
            _ => Listing::Atomic,
        }
    }

    /// Whether an object of this shape is one value, which is replaced as a whole.
    #[must_use]
    pub fn is_atomic_object(self) -> bool {
        match self {
            Self::Message(schema) => schema.atomic,
            Self::Field(field) => field.atomic_map || is_atomic_type(&field.ty),
            Self::Type(ty) => is_atomic_type(&ty),
            Self::Custom(custom) => {
                custom.props.is_some_and(|props| props.x_kubernetes_map_type.as_deref() == Some("atomic"))
            }
            Self::Deduced => false,
            Self::Untyped => true,
        }
    }

    /// Which forms there is room for.
    #[must_use]
    pub fn forms(self) -> Forms {
        const NONE: Forms = Forms { scalar: None, list: false, object: false };
        const ANY: Forms = Forms { scalar: Some(ScalarType::Any), list: true, object: true };
        let scalar = |scalar| Forms { scalar: Some(scalar), ..NONE };
        match self {
            Self::Message(_) => Forms { object: true, ..NONE },
            Self::Field(&FieldSchema { ty, .. }) | Self::Type(ty) => match &ty {
                FieldType::Bool => scalar(ScalarType::Bool),
                FieldType::Int32
                | FieldType::Uint32
                | FieldType::Int64
                | FieldType::Uint64
                | FieldType::Double => scalar(ScalarType::Number),
                FieldType::String | FieldType::Enum(_) | FieldType::Bytes => scalar(ScalarType::Text),
                FieldType::Time | FieldType::MicroTime | FieldType::Quantity | FieldType::IntOrString => {
                    scalar(ScalarType::Any)
                }
                FieldType::Any => ANY,
                FieldType::Message(schema) if is_union(schema()) => ANY,
                FieldType::Message(_) | FieldType::Map(_) => Forms { object: true, ..NONE },
                FieldType::List(_) => Forms { list: true, ..NONE },
            },
            Self::Custom(Custom { is_object: true, .. }) => Forms { object: true, ..NONE },
            Self::Custom(Custom { props: None, .. }) => ANY,
            Self::Custom(Custom { props: Some(props), .. }) => {
                match (props.type_.as_str(), props.format.as_str()) {
                    ("object", _) => Forms { object: true, ..NONE },
                    ("array", _) => Forms { list: true, ..NONE },
                    ("integer" | "number", _) => scalar(ScalarType::Number),
                    ("string", "" | "byte") => scalar(ScalarType::Text),
                    ("boolean", _) => scalar(ScalarType::Bool),
                    ("", _) => ANY,
                    _ => scalar(ScalarType::Any),
                }
            }
            Self::Deduced | Self::Untyped => ANY,
        }
    }

    /// The table of a struct of this shape.
    #[must_use]
    pub fn table(self) -> Option<&'static Schema> {
        match self {
            Self::Message(schema) => Some(schema),
            Self::Field(&FieldSchema { ty: FieldType::Message(schema), .. })
            | Self::Type(FieldType::Message(schema)) => Some(schema()),
            _ => None,
        }
    }

    /// How strategic merge patch treats the place, where a table says so.
    #[must_use]
    pub fn field_schema(self) -> Option<&'static FieldSchema> {
        match self {
            Self::Field(field) => Some(field),
            _ => None,
        }
    }
}

fn is_atomic_type(ty: &FieldType) -> bool {
    match ty {
        FieldType::Message(schema) => schema().atomic,
        FieldType::Map(_) => false,
        _ => true,
    }
}

/// Whether the struct has other forms than an object of its fields.
fn is_union(schema: &Schema) -> bool {
    schema.keys.first().is_some_and(|key| key.text.is_empty() && !key.inline)
}

fn table_member<'a>(schema: &'static Schema, name: &str) -> Member<'a> {
    match schema.field(name) {
        Some(field) => Member::Field(Shape::Field(field)),
        None if !schema.kind.is_empty() && matches!(name, "kind" | "apiVersion") => {
            Member::Field(Shape::Type(FieldType::String))
        }
        None => Member::Undeclared,
    }
}

impl<'a> Custom<'a> {
    fn below(self, props: &'a JSONSchemaProps) -> Shape<'a> {
        let preserves = self.preserves || props.x_kubernetes_preserve_unknown_fields == Some(true);
        Shape::Custom(Self { props: Some(props), is_object: props.x_kubernetes_embedded_resource, preserves })
    }

    fn items(self) -> Option<&'a JSONSchemaProps> {
        match self.props?.items.as_deref()? {
            JSONSchemaPropsOrArray::Schema(schema) => Some(schema),
            JSONSchemaPropsOrArray::Array(schemas) => schemas.first(),
        }
    }

    fn member(self, name: &str) -> Member<'a> {
        if self.is_object {
            match name {
                "metadata" => return Member::Field(Shape::Message(ObjectMeta::SCHEMA)),
                "apiVersion" | "kind" => return Member::Field(Shape::Type(FieldType::String)),
                _ => {}
            }
        }
        let Some(own) = self.props else { return Member::Entry(Shape::Deduced) };
        if let Some(props) = own.properties.get(name) {
            return Member::Field(self.below(props));
        }
        let preserves = self.preserves || own.x_kubernetes_preserve_unknown_fields == Some(true);
        match own.additional_properties.as_deref() {
            Some(JSONSchemaPropsOrBool::Schema(props)) => Member::Entry(self.below(props)),
            Some(JSONSchemaPropsOrBool::Allows(true)) => Member::Entry(Shape::Deduced),
            Some(JSONSchemaPropsOrBool::Allows(false)) => Member::Undeclared,
            // An object without properties is free in its form.
            None if preserves || own.properties.is_empty() => Member::Entry(Shape::Deduced),
            None => Member::Undeclared,
        }
    }
}
