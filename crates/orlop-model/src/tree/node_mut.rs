//! [`NodeMut`], a value that is changed.

use serde_json::{Map, Value};

use super::node::field as field_of;
use super::{Form, Node};
use crate::message::{self, Fields, Form as UnionForm, Sequence, Slot, View};
use crate::{DynamicObject, Extra, Str};

/// A value of an object, to be changed in its place.
#[derive(Debug)]
pub enum NodeMut<'a> {
    /// A value of a typed object, or where one goes.
    Typed(Slot<'a>),
    /// JSON.
    Json(&'a mut Value),
    /// An object of which the metadata is typed and the rest JSON.
    Dynamic(&'a mut DynamicObject),
}

/// A value that does not fit where it should go.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Mismatch {
    /// What is wrong.
    pub message: String,
}

impl Mismatch {
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self { message: message.into() }
    }
}

impl<'a> From<&'a mut dyn Fields> for NodeMut<'a> {
    fn from(message: &'a mut dyn Fields) -> Self {
        Self::Typed(Slot::Message(message))
    }
}

impl<'a> From<&'a mut Value> for NodeMut<'a> {
    fn from(value: &'a mut Value) -> Self {
        Self::Json(value)
    }
}

impl<'a> From<&'a mut DynamicObject> for NodeMut<'a> {
    fn from(object: &'a mut DynamicObject) -> Self {
        Self::Dynamic(object)
    }
}

impl<'a> NodeMut<'a> {
    /// The same value, for a while.
    pub fn reborrow(&mut self) -> NodeMut<'_> {
        match self {
            Self::Json(value) => NodeMut::Json(value),
            Self::Dynamic(object) => NodeMut::Dynamic(object),
            Self::Typed(slot) => NodeMut::Typed(slot.reborrow()),
        }
    }

    /// What is there. [`Node::NULL`] for the few typed places that can only be written: texts of other types than
    /// [`Str`], and values that may be absent before they are set; look at them by their parent's
    /// [`get`](Self::get) or [`at`](Self::at).
    #[must_use]
    pub fn node(&self) -> Node<'_> {
        match self {
            Self::Json(value) => Node::Json(value),
            Self::Dynamic(object) => Node::Dynamic(object),
            Self::Typed(slot) => match slot {
                Slot::Bool(value) => Node::Typed(View::Bool(**value)),
                Slot::Int32(value) => Node::Typed(View::Int(i64::from(**value))),
                Slot::Uint32(value) => Node::Typed(View::Int(i64::from(**value))),
                Slot::Int64(value) => Node::Typed(View::Int(**value)),
                Slot::Uint64(value) => Node::Typed(View::Int(i64::try_from(**value).unwrap_or(i64::MAX))),
                Slot::Float(value) => Node::Typed(View::Float(**value)),
                Slot::Str(text) => Node::Typed(View::Text(text)),
                Slot::Bytes(bytes) => Node::Typed(View::Bytes(bytes)),
                Slot::Time(time) => Node::Typed(View::Time(**time)),
                Slot::MicroTime(time) => Node::Typed(View::MicroTime(**time)),
                Slot::Quantity(quantity) => Node::Typed(View::Quantity(quantity)),
                Slot::IntOrString(value) => Node::Typed(View::IntOrString(value)),
                Slot::Raw(raw) => Node::Typed(View::Raw(raw)),
                Slot::Message(message) => Node::from(&**message as &dyn Fields),
                Slot::List(list) => Node::Typed(View::List(&**list)),
                Slot::Map(map) => Node::Typed(View::Map(&**map)),
                Slot::Opaque(value) => Node::Typed(View::Opaque(&**value)),
                Slot::Ignored | Slot::Text(_) | Slot::Optional(_) => Node::NULL,
            },
        }
    }

    /// The field or entry of this name, if there is one.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<Node<'_>> {
        self.node().get(name)
    }

    /// An item of a list.
    #[must_use]
    pub fn at(&self, index: usize) -> Option<Node<'_>> {
        self.node().at(index)
    }

    /// Number of items of a list.
    #[must_use]
    pub fn len(&self) -> usize {
        self.node().len()
    }

    /// Whether it has no field, entry or item.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.node().is_empty()
    }

    /// The field or entry of this name, to be changed, if there is one.
    #[must_use]
    pub fn into_field(self, name: &str) -> Option<Self> {
        match self {
            Self::Json(value) => value.as_object_mut()?.get_mut(name).map(NodeMut::Json),
            Self::Dynamic(object) if name == "metadata" => {
                Some(Self::from(&mut object.metadata as &mut dyn Fields))
            }
            Self::Dynamic(object) => object.body.get_mut(name).map(NodeMut::Json),
            Self::Typed(slot) => match open(slot) {
                Slot::Message(message) => {
                    field_of(message, name, 0)?;
                    slot_of(message, name, false)
                }
                Slot::Map(map) => map.has(name).then(|| Self::open(map.entry(name))),
                _ => None,
            },
        }
    }

    /// The field or entry of this name, which is made if there is none: a typed one with its zero value, JSON as
    /// `null`. What is no object becomes one if it is JSON.
    ///
    /// # Errors
    /// If it is a typed value that has no such field and keeps none, or is no object.
    pub fn into_entry(self, name: &str) -> Result<Self, Mismatch> {
        match self {
            Self::Json(value) => {
                if !value.is_object() {
                    *value = Value::Object(Map::new());
                }
                match value {
                    Value::Object(fields) => Ok(Self::Json(fields.entry(name).or_insert(Value::Null))),
                    _ => Err(Mismatch::new("expected an object")),
                }
            }
            Self::Dynamic(object) if name == "metadata" => {
                Ok(Self::from(&mut object.metadata as &mut dyn Fields))
            }
            Self::Dynamic(object) => Ok(Self::Json(object.body.entry(name).or_insert(Value::Null))),
            Self::Typed(slot) => match open(slot) {
                Slot::Message(message) => {
                    let message = object_form(message)?;
                    let kind = message.schema().name;
                    slot_of(message, name, true)
                        .ok_or_else(|| Mismatch::new(format!("{kind} has no field {name:?}")))
                }
                Slot::Map(map) => Ok(Self::Typed(map.entry(name))),
                slot => Err(Mismatch::new(format!("expected {}", slot.expects()))),
            },
        }
    }

    /// Removes a field or entry; a typed field that is always written gets its zero value. Answers whether there was one.
    pub fn remove(&mut self, name: &str) -> bool {
        match self {
            Self::Json(value) => value.as_object_mut().is_some_and(|fields| fields.remove(name).is_some()),
            Self::Dynamic(object) if name == "metadata" => {
                clear_message(&mut object.metadata);
                true
            }
            Self::Dynamic(object) => object.body.remove(name).is_some(),
            Self::Typed(slot) => match open(slot.reborrow()) {
                Slot::Message(message) => {
                    let is_there = field_of(message, name, 0).is_some();
                    if is_there {
                        remove_field(message, name);
                    }
                    is_there
                }
                Slot::Map(map) => {
                    let is_there = map.has(name);
                    map.remove(name);
                    is_there
                }
                _ => false,
            },
        }
    }

    /// An item of a list, to be changed.
    #[must_use]
    pub fn into_item(self, index: usize) -> Option<Self> {
        match self {
            Self::Json(value) => value.as_array_mut()?.get_mut(index).map(NodeMut::Json),
            Self::Dynamic(_) => None,
            Self::Typed(slot) => match open(slot) {
                Slot::List(list) if index < list.len() => Some(Self::open(list.item_mut(index))),
                _ => None,
            },
        }
    }

    /// Adds an item to the end of a list: a typed one with its zero value, JSON as `null`. What is no list becomes one if
    /// it is JSON.
    ///
    /// # Errors
    /// If it is a typed value and no list.
    pub fn into_pushed(self) -> Result<Self, Mismatch> {
        match self {
            Self::Json(value) => {
                if !value.is_array() {
                    *value = Value::Array(Vec::new());
                }
                if let Value::Array(items) = value {
                    items.push(Value::Null);
                    if let Some(last) = items.last_mut() {
                        return Ok(Self::Json(last));
                    }
                }
                Err(Mismatch::new("expected a list"))
            }
            Self::Dynamic(_) => Err(Mismatch::new("expected an object")),
            Self::Typed(slot) => match open(slot) {
                Slot::List(list) => Ok(Self::Typed(list.push())),
                Slot::Message(message) => match list_form(message) {
                    Some(list) => Ok(Self::Typed(list.push())),
                    None => Err(Mismatch::new("expected an object")),
                },
                slot => Err(Mismatch::new(format!("expected {}", slot.expects()))),
            },
        }
    }

    /// Exchanges two items of a list; nothing happens where there are none.
    pub fn swap(&mut self, left: usize, right: usize) {
        match self {
            Self::Json(Value::Array(items)) if left.max(right) < items.len() => items.swap(left, right),
            Self::Typed(slot) => {
                if let Slot::List(list) = open(slot.reborrow()) {
                    list.swap(left, right);
                }
            }
            _ => {}
        }
    }

    /// Removes the items of a list from `length` on.
    pub fn truncate(&mut self, length: usize) {
        match self {
            Self::Json(Value::Array(items)) => items.truncate(length),
            Self::Typed(slot) => {
                if let Slot::List(list) = open(slot.reborrow()) {
                    list.truncate(length);
                }
            }
            _ => {}
        }
    }

    /// Puts the items of a list into another order: to place `n` comes the item that was at `order[n]`; items that are not
    /// named are removed. What is named twice or is not there is passed over.
    pub fn permute(&mut self, order: &[usize]) {
        let count = self.len();
        // Where each item is by now, and which item is at each place.
        let mut places: Vec<usize> = (0..count).collect();
        let mut items: Vec<usize> = (0..count).collect();
        let mut next = 0;
        for item in order.iter().copied().filter(|item| *item < count) {
            let place = places[item];
            if place < next {
                continue;
            }
            if place != next {
                self.swap(place, next);
                let moved = items[next];
                items.swap(place, next);
                places[moved] = place;
                places[item] = next;
            }
            next += 1;
        }
        if next < count {
            self.truncate(next);
        }
    }

    /// Takes the value away: a typed value gets its zero value, one that may be absent is absent, JSON is `null`.
    pub fn clear(&mut self) {
        match self {
            Self::Json(value) => **value = Value::Null,
            Self::Dynamic(object) => {
                clear_message(&mut object.metadata);
                object.body.clear();
            }
            Self::Typed(slot) => clear(slot.reborrow()),
        }
    }

    /// Sets the value to an empty list or object; see [`clear`](Self::clear) for typed structs.
    ///
    /// # Errors
    /// If a typed value is of another form.
    pub fn make_empty(&mut self, form: Form) -> Result<(), Mismatch> {
        let empty = match form {
            Form::List => Value::Array(Vec::new()),
            _ => Value::Object(Map::new()),
        };
        self.set(&empty)
    }

    /// Sets the value, all of it.
    ///
    /// # Errors
    /// If it does not fit the type; the value is undefined then.
    pub fn set(&mut self, value: &Value) -> Result<(), Mismatch> {
        match self {
            Self::Json(slot) => {
                value.clone_into(slot);
                Ok(())
            }
            Self::Dynamic(object) => {
                let Value::Object(fields) = value else { return Err(Mismatch::new("expected an object")) };
                object.body.clear();
                clear_message(&mut object.metadata);
                for (name, value) in fields {
                    match name.as_str() {
                        "metadata" => set(Slot::Message(&mut object.metadata), value)?,
                        "kind" | "apiVersion" => {}
                        _ => {
                            object.body.insert(name.clone(), value.clone());
                        }
                    }
                }
                Ok(())
            }
            Self::Typed(slot) => set(slot.reborrow(), value),
        }
    }

    /// Sets the value to that of another place.
    ///
    /// # Errors
    /// If it does not fit the type; the value is undefined then.
    pub fn assign(&mut self, node: Node<'_>) -> Result<(), Mismatch> {
        match (&mut *self, node) {
            (Self::Typed(slot), Node::Typed(view)) if !matches!(view, View::Opaque(_)) => {
                // The type may have another form of the same JSON.
                if is_alike(slot, &view) {
                    clear(slot.reborrow());
                    message::assign(slot.reborrow(), view, None);
                    return Ok(());
                }
                set(slot.reborrow(), &node.to_value())
            }
            (_, Node::Json(value)) => self.set(value),
            (_, node) => self.set(&node.to_value()),
        }
    }

    /// Changes the value as JSON, whatever it is; what is typed is converted and back.
    ///
    /// # Errors
    /// If what becomes of it does not fit the type.
    pub fn with_value<R>(&mut self, change: impl FnOnce(&mut Value) -> R) -> Result<R, Mismatch> {
        if let Self::Json(value) = self {
            return Ok(change(value));
        }
        let mut value = self.node().to_value();
        let result = change(&mut value);
        self.set(&value)?;
        Ok(result)
    }

    fn open(slot: Slot<'a>) -> Self {
        Self::Typed(open(slot))
    }
}

/// The place of a value that is there.
fn open(slot: Slot<'_>) -> Slot<'_> {
    match slot {
        Slot::Optional(optional) => open(optional.fill()),
        Slot::Message(message) if message.as_union().is_some() => active(message),
        slot => slot,
    }
}

/// The place of the form that a union has.
fn active(message: &mut dyn Fields) -> Slot<'_> {
    let form = match message.as_union().map(|union| Node::typed(union.active()).form()) {
        Some(Form::Bool) => UnionForm::Bool,
        Some(Form::List) => UnionForm::List,
        _ => UnionForm::Object,
    };
    // To ask for the boolean form resets it.
    if form == UnionForm::Bool {
        return Slot::Message(message);
    }
    message.as_union_mut().and_then(|union| union.slot_of(form)).unwrap_or(Slot::Ignored)
}

fn object_form(message: &mut dyn Fields) -> Result<&mut dyn Fields, Mismatch> {
    if message.as_union().is_none() {
        return Ok(message);
    }
    match message.as_union_mut().and_then(|union| union.slot_of(UnionForm::Object)) {
        Some(Slot::Message(message)) => Ok(message),
        _ => Err(Mismatch::new("expected another form than an object")),
    }
}

fn list_form(message: &mut dyn Fields) -> Option<&mut dyn Sequence> {
    match message.as_union_mut()?.slot_of(UnionForm::List)? {
        Slot::List(list) => Some(list),
        _ => None,
    }
}

/// Index of a field, or of the embedded struct that has it.
fn index_of(message: &dyn Fields, name: &str) -> Option<usize> {
    let schema = message.schema();
    schema.position(name, 0).or_else(|| {
        let inline = schema.fields.iter().position(|field| {
            field.inline && field.message().is_some_and(|inner| inner.field(name).is_some())
        });
        inline.filter(|_| schema.has_inline)
    })
}

/// The place of a field; unknown ones are made only if asked for.
fn slot_of<'a>(message: &'a mut dyn Fields, name: &str, makes: bool) -> Option<NodeMut<'a>> {
    match index_of(message, name) {
        Some(index) if message.schema().keys[index].inline => match message.slot(index) {
            Slot::Message(inner) => slot_of(inner, name, makes),
            _ => None,
        },
        // What is there is opened, what is not stays a place to be filled.
        Some(index) if makes && matches!(message.view(index), View::Absent) => {
            Some(NodeMut::Typed(message.slot(index)))
        }
        Some(index) => Some(NodeMut::open(message.slot(index))),
        None if makes => message.extra_mut().map(|extra| NodeMut::Json(extra.entry(name))),
        None => message.extra_mut()?.get_mut(name).map(NodeMut::Json),
    }
}

fn remove_field(message: &mut dyn Fields, name: &str) {
    match index_of(message, name) {
        Some(index) if message.schema().keys[index].inline => {
            if let Slot::Message(inner) = message.slot(index) {
                remove_field(inner, name);
            }
        }
        Some(index) => clear(message.slot(index)),
        None => {
            if let Some(extra) = message.extra_mut() {
                extra.remove(name);
            }
        }
    }
}

/// Gives every field its zero value.
fn clear_message(message: &mut dyn Fields) {
    if let Some(union) = message.as_union_mut() {
        // The forms that there are begin empty.
        for form in [UnionForm::List, UnionForm::Bool, UnionForm::Object] {
            if let Some(slot) = union.slot_of(form) {
                return clear(slot);
            }
        }
        return;
    }
    let schema = message.schema();
    for (index, key) in schema.keys.iter().enumerate() {
        let is_cleared = match message.view(index) {
            View::Absent => true,
            View::Message(inner) => !key.optional && inner.as_union().is_none() && inner.is_default(),
            view @ (View::List(_) | View::Map(_) | View::Bytes(_)) => !key.optional && view.is_nil(),
            view => !key.optional && view.is_empty(),
        };
        if !is_cleared {
            clear(message.slot(index));
        }
    }
    if let Some(extra) = message.extra_mut() {
        *extra = Extra::new();
    }
}

fn clear(slot: Slot<'_>) {
    match slot {
        Slot::Ignored => {}
        Slot::Bool(slot) => *slot = false,
        Slot::Int32(slot) => *slot = 0,
        Slot::Uint32(slot) => *slot = 0,
        Slot::Int64(slot) => *slot = 0,
        Slot::Uint64(slot) => *slot = 0,
        Slot::Float(slot) => *slot = 0.0,
        Slot::Str(slot) => *slot = Str::EMPTY,
        Slot::Text(slot) => slot.set(""),
        Slot::Bytes(slot) => *slot = Default::default(),
        Slot::Time(slot) => *slot = Default::default(),
        Slot::MicroTime(slot) => *slot = Default::default(),
        Slot::Quantity(slot) => *slot = Default::default(),
        Slot::IntOrString(slot) => *slot = Default::default(),
        Slot::Raw(slot) => *slot = Default::default(),
        Slot::Message(message) => clear_message(message),
        Slot::List(list) => list.clear(),
        Slot::Map(map) => map.clear(),
        Slot::Optional(optional) => optional.clear(),
        Slot::Opaque(slot) => {
            // Where the type has no `null`, its value stays.
            let _ = slot.set_value(Value::Null);
        }
    }
}

fn set(slot: Slot<'_>, value: &Value) -> Result<(), Mismatch> {
    match (slot, value) {
        (Slot::Str(slot), Value::String(text)) => *slot = text.into(),
        (Slot::Bool(slot), Value::Bool(value)) => *slot = *value,
        (mut slot, value) => {
            clear(slot.reborrow());
            if !value.is_null() {
                message::read_slot(slot, value).map_err(|error| Mismatch::new(error.to_string()))?;
            }
        }
    }
    Ok(())
}

/// Whether a typed value can be taken over by a place as it is.
fn is_alike(slot: &Slot<'_>, view: &View<'_>) -> bool {
    match (slot, view) {
        (Slot::Message(into), View::Message(from)) => std::ptr::eq(into.schema(), from.schema()),
        // What is in them is not known here.
        (Slot::Raw(_), View::Raw(_))
        | (Slot::Str(_) | Slot::Text(_), View::Text(_))
        | (Slot::Bool(_), View::Bool(_))
        | (Slot::Int32(_) | Slot::Int64(_), View::Int(_))
        | (Slot::Quantity(_), View::Quantity(_))
        | (Slot::Time(_), View::Time(_))
        | (Slot::IntOrString(_), View::IntOrString(_)) => true,
        _ => false,
    }
}
