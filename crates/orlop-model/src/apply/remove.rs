//! Objects without some of their fields, and with some of them only.

use serde_json::{Map, Value};

use super::walk::{Kind, element, kind};
use super::{Element, FieldSet, KeyDefaults};
use crate::tree::{Form, Listing, Member, Node, NodeMut, Shape};

/// Removes the fields of a set with all below them. What has members below but is one value goes as a whole; what
/// nothing is left of stays, empty.
pub(super) fn remove(target: &mut NodeMut<'_>, set: &FieldSet, shape: Shape<'_>, defaults: KeyDefaults) {
    if set.is_empty() {
        return;
    }
    for entry in &set.0 {
        let Element::Field(name) = &entry.element else { continue };
        if entry.is_member {
            target.remove(name);
            continue;
        }
        let shape = shape.member(name).shape().unwrap_or(Shape::Deduced);
        remove_within(target.reborrow().into_field(name), &entry.below, shape, defaults);
    }
}

/// Removes fields of a value that stays itself, be it empty.
fn remove_within(place: Option<NodeMut<'_>>, set: &FieldSet, shape: Shape<'_>, defaults: KeyDefaults) {
    let Some(mut place) = place else { return };
    let form = place.node().form();
    match within(place.node(), shape) {
        Within::Nothing => {}
        Within::Whole if matches!(form, Form::List | Form::Object) => {
            // Every place has room for nothing in its form.
            let _ = place.make_empty(form);
        }
        Within::Whole => place.clear(),
        Within::Items => remove_items(&mut place, set, shape, defaults),
        Within::Fields => remove(&mut place, set, shape, defaults),
    }
}

/// What a set of fields below a value can remove of it.
enum Within {
    Nothing,
    Whole,
    Fields,
    Items,
}

fn within(node: Node<'_>, shape: Shape<'_>) -> Within {
    let form = node.form();
    match kind(shape.forms(), node) {
        Kind::Scalar => Within::Nothing,
        _ if node.is_sealed() => Within::Whole,
        Kind::List if form != Form::List || matches!(shape.listing(), Listing::Atomic) => Within::Whole,
        Kind::List => Within::Items,
        Kind::Object if form != Form::Object || shape.is_atomic_object() => Within::Whole,
        Kind::Object => Within::Fields,
    }
}

fn remove_items(list: &mut NodeMut<'_>, set: &FieldSet, shape: Shape<'_>, defaults: KeyDefaults) {
    let (listing, item) = (shape.listing(), shape.item());
    let mut kept = Vec::with_capacity(list.len());
    for index in 0..list.len() {
        let Some(node) = list.at(index) else { continue };
        let entry = element(node, listing, defaults).ok().and_then(|element| set.find(&element));
        match entry {
            Some(entry) if entry.is_member => continue,
            Some(entry) if !entry.below.is_empty() => {
                remove_within(list.reborrow().into_item(index), &entry.below, item, defaults);
            }
            _ => {}
        }
        kept.push(index);
    }
    if kept.len() < list.len() {
        list.permute(&kept);
    }
}

/// The fields of a set, with what tells items apart.
pub(super) fn extract(node: Node<'_>, set: &FieldSet, shape: Shape<'_>, defaults: KeyDefaults) -> Value {
    let form = node.form();
    match kind(shape.forms(), node) {
        Kind::List if form == Form::List && !matches!(shape.listing(), Listing::Atomic) => {
            let (listing, item) = (shape.listing(), shape.item());
            let items = (0..node.len()).filter_map(|index| node.at(index));
            let owned = items.filter_map(|value| {
                let element = element(value, listing, defaults).ok()?;
                let entry = set.find(&element)?;
                let Element::Key(keys) = &element else { return Some(value.to_value()) };
                let mut below = entry.below.clone();
                for (name, _) in keys {
                    below.insert(&[Element::Field(name.clone())]);
                }
                Some(extract(value, &below, item, defaults))
            });
            Value::Array(owned.collect())
        }
        Kind::Object if form == Form::Object && !shape.is_atomic_object() && !node.is_sealed() => {
            let mut fields = Map::new();
            node.each(&mut |name, value| {
                if let Some(entry) = set.field(name) {
                    let shape = match shape.member(name) {
                        Member::Field(shape) | Member::Entry(shape) => shape,
                        Member::Undeclared => Shape::Deduced,
                    };
                    fields.insert(name.to_owned(), extract(value, &entry.below, shape, defaults));
                }
                true
            });
            Value::Object(fields)
        }
        _ => node.to_value(),
    }
}
