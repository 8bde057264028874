//! Deep merge of two messages of one type.

use super::{Fields, Mapping, Sequence, Slot, View};
use crate::{FieldSchema, ListType};

/// Merges `from` into `into`, which is of the same type: a field that `from` has replaces that of `into`, except that
/// structs are merged field by field, and lists and maps by their types in the [`Schema`](crate::Schema) as server-side
/// apply sees them: sets are united, items with keys are merged with the item of the same keys, maps entry by entry,
/// and the rest is replaced as a whole. Nothing is removed. Unknown JSON fields of `from` replace those of `into`.
///
/// # Panics
/// Never; messages of different types are merged as far as the forms of their fields agree.
pub fn merge(into: &mut dyn Fields, from: &dyn Fields) {
    let schema = from.schema();
    for (index, field) in schema.fields.iter().enumerate() {
        let view = from.view(index);
        if schema.keys[index].writes(&view) && !matches!(view, View::Absent) {
            assign(into.slot(index), view, Some(field));
        }
    }
    if let (Some(into), Some(from)) = (into.extra_mut(), from.extra()) {
        into.merge(from);
    }
}

/// Puts a value where it goes; with a field's schema lists and maps are merged, without one they are replaced.
pub(crate) fn assign(slot: Slot<'_>, view: View<'_>, field: Option<&FieldSchema>) {
    match (slot, view) {
        (Slot::Optional(optional), View::Absent) => optional.clear(),
        (Slot::Optional(optional), view) => {
            let replace = matches!(view, View::Message(message) if message.as_union().is_some());
            if replace {
                optional.clear();
            }
            assign(optional.fill(), view, field);
        }
        (Slot::Bool(slot), View::Bool(value)) => *slot = value,
        (Slot::Int32(slot), View::Int(value)) => *slot = i32::try_from(value).unwrap_or(*slot),
        (Slot::Uint32(slot), View::Int(value)) => *slot = u32::try_from(value).unwrap_or(*slot),
        (Slot::Int64(slot), View::Int(value)) => *slot = value,
        (Slot::Uint64(slot), View::Int(value)) => *slot = u64::try_from(value).unwrap_or(*slot),
        (Slot::Float(slot), View::Float(value)) => *slot = value,
        (Slot::Str(slot), View::Text(text)) => *slot = text.into(),
        (Slot::Text(slot), View::Text(text)) => slot.set(text),
        (Slot::Bytes(slot), View::Bytes(bytes)) => *slot = bytes.clone(),
        (Slot::Time(slot), View::Time(time)) => *slot = time,
        (Slot::MicroTime(slot), View::MicroTime(time)) => *slot = time,
        (Slot::Quantity(slot), View::Quantity(quantity)) => *slot = quantity.clone(),
        (Slot::IntOrString(slot), View::IntOrString(value)) => *slot = value.clone(),
        (Slot::Raw(slot), View::Raw(raw)) => *slot = raw.clone(),
        (Slot::Message(into), View::Message(from)) => merge(into, from),
        (Slot::List(into), View::List(from)) => {
            merge_list(into, from, field.map_or(ListType::Atomic, |field| field.list))
        }
        (Slot::Map(into), View::Map(from)) => {
            if field.is_none_or(|field| field.atomic_map) {
                into.retain_none();
            }
            merge_map(into, from);
        }
        (Slot::Opaque(slot), View::Opaque(value)) => {
            // What one value of the type was written to, another can read.
            let _ = value.to_value().and_then(|value| slot.set_value(value));
        }
        _ => {}
    }
}

fn merge_map(into: &mut dyn Mapping, from: &dyn Mapping) {
    from.each(&mut |key, value| {
        assign(into.entry(key), value, None);
        true
    });
}

fn merge_list(into: &mut dyn Sequence, from: &dyn Sequence, kind: ListType) {
    if kind == ListType::Atomic {
        into.restart(from.len());
    }
    for index in 0..from.len() {
        let item = from.item(index);
        let same = match kind {
            ListType::Atomic => None,
            ListType::Set => (0..into.len()).find(|index| same_scalar(into.item(*index), item)),
            ListType::Map(keys) => (0..into.len()).find(|index| same_keys(into.item(*index), item, keys)),
        };
        let slot = match same {
            Some(index) => into.item_mut(index),
            None => into.push(),
        };
        assign(slot, item, None);
    }
}

fn same_keys(left: View<'_>, right: View<'_>, keys: &[&str]) -> bool {
    let (View::Message(left), View::Message(right)) = (left, right) else {
        return false;
    };
    keys.iter().all(|key| {
        let index = left.schema().position(key, 0);
        index.is_some_and(|index| same_scalar(left.view(index), right.view(index)))
    })
}

/// Whether two scalars are equal, where one that is absent equals the zero value of the other.
fn same_scalar(left: View<'_>, right: View<'_>) -> bool {
    match (left, right) {
        (View::Bool(left), View::Bool(right)) => left == right,
        (View::Int(left), View::Int(right)) => left == right,
        (View::Text(left), View::Text(right)) => left == right,
        (View::IntOrString(left), View::IntOrString(right)) => left == right,
        (left, right) => left.is_empty() && right.is_empty(),
    }
}
