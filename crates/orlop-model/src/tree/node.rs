//! [`Node`], a value that is looked at.

use std::borrow::Cow;

use serde_json::{Map, Value};

use crate::message::{Fields, View};
use crate::{DynamicObject, Extra, FieldSchema, IntOrString, Key};

/// A value of an object: typed, or JSON.
#[derive(Clone, Copy, Debug)]
pub enum Node<'a> {
    /// A value of a typed object.
    Typed(View<'a>),
    /// JSON.
    Json(&'a Value),
    /// An object of which the metadata is typed and the rest JSON.
    Dynamic(&'a DynamicObject),
}

/// What JSON a value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool,
    /// A number.
    Number,
    /// A string.
    Text,
    /// A list.
    List,
    /// An object.
    Object,
}

impl<'a> From<&'a dyn Fields> for Node<'a> {
    fn from(message: &'a dyn Fields) -> Self {
        Self::typed(View::Message(message))
    }
}

impl<'a> From<&'a Value> for Node<'a> {
    fn from(value: &'a Value) -> Self {
        Self::Json(value)
    }
}

impl<'a> From<&'a DynamicObject> for Node<'a> {
    fn from(object: &'a DynamicObject) -> Self {
        Self::Dynamic(object)
    }
}

impl<'a> Node<'a> {
    /// `null`.
    pub const NULL: Node<'static> = Node::Typed(View::Absent);

    /// A typed value; a union as the form it has.
    #[must_use]
    #[inline]
    pub fn typed(view: View<'a>) -> Self {
        if let View::Message(message) = view
            && let Some(union) = message.as_union()
        {
            return Self::typed(union.active());
        }
        Self::Typed(view)
    }

    /// What JSON it is.
    #[must_use]
    pub fn form(self) -> Form {
        match self {
            Self::Json(value) => form_of(value),
            Self::Dynamic(_) => Form::Object,
            Self::Typed(view) => match view {
                View::Absent => Form::Null,
                View::Bool(_) => Form::Bool,
                View::Int(_) | View::Float(_) | View::IntOrString(IntOrString::Int(_)) => Form::Number,
                View::Bytes(bytes) if bytes.is_nil() => Form::Null,
                View::Text(_)
                | View::Bytes(_)
                | View::Time(_)
                | View::MicroTime(_)
                | View::Quantity(_)
                | View::IntOrString(IntOrString::String(_)) => Form::Text,
                View::Message(_) | View::Map(_) => Form::Object,
                View::List(_) => Form::List,
                View::Raw(raw) => match raw.as_str().as_bytes().first() {
                    Some(b'{') => Form::Object,
                    Some(b'[') => Form::List,
                    Some(b'"') => Form::Text,
                    Some(b't' | b'f') => Form::Bool,
                    Some(b'n') | None => Form::Null,
                    Some(_) => Form::Number,
                },
                View::Opaque(value) => value.to_value().map_or(Form::Null, |value| form_of(&value)),
            },
        }
    }

    /// Whether it is `null`.
    #[must_use]
    pub fn is_null(self) -> bool {
        self.form() == Form::Null
    }

    /// Whether it is one of the typed values that hold JSON of their own and have no parts here: see
    /// [`to_value`](Self::to_value).
    #[must_use]
    pub fn is_sealed(self) -> bool {
        matches!(self, Self::Typed(View::Raw(_) | View::Opaque(_)))
    }

    /// The field or entry of this name, if the value is an object and has it.
    #[must_use]
    pub fn get(self, name: &str) -> Option<Self> {
        match self {
            Self::Json(value) => value.as_object()?.get(name).map(Node::Json),
            Self::Dynamic(object) if name == "metadata" => Some(Self::from(&object.metadata as &dyn Fields)),
            Self::Dynamic(object) => object.body.get(name).map(Node::Json),
            Self::Typed(View::Message(message)) => field(message, name, 0).map(|(node, _)| node),
            Self::Typed(View::Map(map)) => map.has(name).then(|| Self::typed(map.get(name))),
            Self::Typed(_) => None,
        }
    }

    /// Calls `each` with the fields or entries of an object until it answers `false`; answers whether it never did. There
    /// is no order in which they come.
    pub fn each(self, each: &mut dyn FnMut(&'a str, Self) -> bool) -> bool {
        match self {
            Self::Json(value) => value.as_object().is_none_or(|fields| each_json(fields, each)),
            Self::Dynamic(object) => {
                each("metadata", Self::from(&object.metadata as &dyn Fields)) && each_json(&object.body, each)
            }
            Self::Typed(View::Message(message)) => each_field(message, each),
            Self::Typed(View::Map(map)) => {
                let mut goes_on = true;
                map.each(&mut |name, view| {
                    goes_on = each(name, Self::typed(view));
                    goes_on
                });
                goes_on
            }
            Self::Typed(_) => true,
        }
    }

    /// Whether it has no field, entry or item.
    #[must_use]
    pub fn is_empty(self) -> bool {
        match self {
            Self::Json(Value::Array(items)) => items.is_empty(),
            Self::Json(Value::Object(fields)) => fields.is_empty(),
            Self::Typed(View::List(list)) => list.is_empty(),
            Self::Typed(View::Map(map)) => map.is_empty(),
            Self::Typed(View::Raw(raw)) => matches!(raw.as_str(), "{}" | "[]"),
            Self::Typed(View::Message(_)) => self.each(&mut |_, _| false),
            _ => false,
        }
    }

    /// Number of items of a list; 0 for what is none.
    #[must_use]
    pub fn len(self) -> usize {
        match self {
            Self::Json(Value::Array(items)) => items.len(),
            Self::Typed(View::List(list)) => list.len(),
            _ => 0,
        }
    }

    /// An item of a list.
    #[must_use]
    pub fn at(self, index: usize) -> Option<Self> {
        match self {
            Self::Json(Value::Array(items)) => items.get(index).map(Node::Json),
            Self::Typed(View::List(list)) if index < list.len() => Some(Self::typed(list.item(index))),
            _ => None,
        }
    }

    /// The text of a string.
    #[must_use]
    pub fn as_str(self) -> Option<Cow<'a, str>> {
        Some(match self {
            Self::Json(Value::String(text)) => Cow::Borrowed(text),
            Self::Typed(View::Text(text)) => Cow::Borrowed(text),
            Self::Typed(View::IntOrString(IntOrString::String(text))) => Cow::Borrowed(text),
            Self::Typed(View::Bytes(bytes)) if !bytes.is_nil() => Cow::Owned(bytes.to_base64()),
            Self::Typed(View::Time(time)) => Cow::Owned(time.to_string()),
            Self::Typed(View::MicroTime(time)) => Cow::Owned(time.to_string()),
            Self::Typed(View::Quantity(quantity)) => Cow::Owned(quantity.to_string()),
            Self::Typed(View::Raw(_) | View::Opaque(_)) => match self.to_value() {
                Value::String(text) => Cow::Owned(text),
                _ => return None,
            },
            _ => return None,
        })
    }

    /// The whole value as JSON.
    #[must_use]
    pub fn to_value(self) -> Value {
        match self {
            Self::Json(value) => value.clone(),
            Self::Dynamic(_) | Self::Typed(View::Message(_) | View::Map(_)) => {
                let mut fields = Map::new();
                self.each(&mut |name, node| {
                    fields.insert(name.to_owned(), node.to_value());
                    true
                });
                Value::Object(fields)
            }
            Self::Typed(view) => match view {
                View::Bool(value) => Value::Bool(value),
                View::Int(value) => value.into(),
                View::Float(value) => value.into(),
                View::IntOrString(IntOrString::Int(value)) => (*value).into(),
                View::List(list) => {
                    (0..list.len()).map(|index| Self::typed(list.item(index)).to_value()).collect()
                }
                View::Raw(raw) => raw.to_value().unwrap_or_default(),
                View::Opaque(value) => value.to_value().unwrap_or_default(),
                _ => self.as_str().map_or(Value::Null, |text| Value::String(text.into_owned())),
            },
        }
    }

    /// Whether both are the same JSON; numbers by value, objects in any order.
    #[must_use]
    pub fn same(self, other: Self) -> bool {
        match (self, other) {
            (Self::Typed(left), Self::Typed(right)) => same_views(left, right),
            _ => same_json(self, other),
        }
    }
}

fn same_json(left: Node<'_>, right: Node<'_>) -> bool {
    if left.is_sealed() || right.is_sealed() {
        return same_values(&left.to_value(), &right.to_value());
    }
    if let (Node::Json(left), Node::Json(right)) = (left, right) {
        return same_values(left, right);
    }
    match (left.form(), right.form()) {
        (Form::Null, Form::Null) => true,
        (Form::Bool, Form::Bool) | (Form::Number, Form::Number) => {
            same_values(&left.to_value(), &right.to_value())
        }
        (Form::Text, Form::Text) => left.as_str() == right.as_str(),
        (Form::List, Form::List) => {
            left.len() == right.len()
                && (0..left.len()).all(|index| match (left.at(index), right.at(index)) {
                    (Some(left), Some(right)) => left.same(right),
                    _ => false,
                })
        }
        (Form::Object, Form::Object) => {
            let (mut count, mut others) = (0_usize, 0_usize);
            right.each(&mut |_, _| {
                others += 1;
                true
            });
            left.each(&mut |name, left| {
                count += 1;
                right.get(name).is_some_and(|right| left.same(right))
            }) && count == others
        }
        _ => false,
    }
}

fn same_values(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::Number(left), Value::Number(right)) => {
            left == right
                || (left.is_f64() || right.is_f64())
                    && left.as_f64().zip(right.as_f64()).is_some_and(|(left, right)| left == right)
        }
        (Value::Array(left), Value::Array(right)) => {
            left.len() == right.len() && left.iter().zip(right).all(|(left, right)| same_values(left, right))
        }
        (Value::Object(left), Value::Object(right)) => {
            left.len() == right.len()
                && left
                    .iter()
                    .all(|(name, left)| right.get(name).is_some_and(|right| same_values(left, right)))
        }
        _ => left == right,
    }
}

fn same_views(left: View<'_>, right: View<'_>) -> bool {
    match (left, right) {
        (View::Absent, View::Absent) => true,
        (View::Bool(left), View::Bool(right)) => left == right,
        (View::Int(left), View::Int(right)) => left == right,
        (View::Text(left), View::Text(right)) => left == right,
        (View::Bytes(left), View::Bytes(right)) => left == right && left.is_nil() == right.is_nil(),
        (View::Time(left), View::Time(right)) => left == right,
        (View::MicroTime(left), View::MicroTime(right)) => left == right,
        // Equal amounts may be written differently.
        (View::Quantity(left), View::Quantity(right)) => {
            left == right && left.to_string() == right.to_string()
        }
        (View::IntOrString(left), View::IntOrString(right)) => left == right,
        (View::Raw(left), View::Raw(right)) if left == right => true,
        (View::List(left), View::List(right)) => {
            left.len() == right.len()
                && (0..left.len())
                    .all(|index| Node::typed(left.item(index)).same(Node::typed(right.item(index))))
        }
        (View::Message(left), View::Message(right)) if std::ptr::eq(left.schema(), right.schema()) => {
            same_messages(left, right)
        }
        _ => same_json(Node::Typed(left), Node::Typed(right)),
    }
}

/// Whether two messages of one type are the same, field by field.
fn same_messages(left: &dyn Fields, right: &dyn Fields) -> bool {
    let schema = left.schema();
    let fields = schema.keys.iter().enumerate().all(|(index, key)| {
        match (written(left.view(index), key), written(right.view(index), key)) {
            (None, None) => true,
            (Some(left), Some(right)) => left.same(right),
            _ => false,
        }
    });
    let is_empty = |message: &dyn Fields| message.extra().is_none_or(Extra::is_empty);
    fields
        && (is_empty(left) && is_empty(right) || {
            let names = |message: &dyn Fields| message.extra().map_or(0, |extra| extra.names().count());
            names(left) == names(right)
                && left.extra().into_iter().flat_map(Extra::iter).all(|(name, value)| {
                    let other = right.extra().and_then(|extra| extra.get(name));
                    other.is_some_and(|other| same_values(value, other))
                })
        })
}

/// What is written of a field, if anything is.
#[inline]
pub(crate) fn written<'a>(view: View<'a>, key: &Key) -> Option<Node<'a>> {
    if key.inline {
        return Some(Node::Typed(view));
    }
    if !key.writes(&view) {
        return None;
    }
    Some(if key.required && view.is_nil() { Node::NULL } else { Node::typed(view) })
}

/// The field of this name, and what the table says of it if it is one that the type knows. The search begins at `hint`.
pub(super) fn field<'a>(
    message: &'a dyn Fields,
    name: &str,
    hint: usize,
) -> Option<(Node<'a>, Option<&'static FieldSchema>)> {
    let schema = message.schema();
    if let Some(index) = schema.position(name, hint) {
        let node = written(message.view(index), &schema.keys[index])?;
        return Some((node, schema.fields.get(index)));
    }
    if schema.has_inline {
        for (index, _) in schema.keys.iter().enumerate().filter(|(_, key)| key.inline) {
            if let View::Message(inner) = message.view(index)
                && let Some(found) = field(inner, name, 0)
            {
                return Some(found);
            }
        }
    }
    message.extra().and_then(|extra| extra.get(name)).map(|value| (Node::Json(value), None))
}

fn each_field<'a>(message: &'a dyn Fields, each: &mut dyn FnMut(&'a str, Node<'a>) -> bool) -> bool {
    let schema = message.schema();
    for (index, key) in schema.keys.iter().enumerate() {
        let view = message.view(index);
        if let (true, View::Message(inner)) = (key.inline, view) {
            if !each_field(inner, each) {
                return false;
            }
        } else if let Some(node) = written(view, key)
            && !each(schema.fields[index].name, node)
        {
            return false;
        }
    }
    message.extra().into_iter().flat_map(Extra::iter).all(|(name, value)| each(name, Node::Json(value)))
}

fn each_json<'a>(fields: &'a Map<String, Value>, each: &mut dyn FnMut(&'a str, Node<'a>) -> bool) -> bool {
    fields.iter().all(|(name, value)| each(name, Node::Json(value)))
}

fn form_of(value: &Value) -> Form {
    match value {
        Value::Null => Form::Null,
        Value::Bool(_) => Form::Bool,
        Value::Number(_) => Form::Number,
        Value::String(_) => Form::Text,
        Value::Array(_) => Form::List,
        Value::Object(_) => Form::Object,
    }
}
