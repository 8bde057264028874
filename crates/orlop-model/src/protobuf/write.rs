//! Writing messages, from the last field to the first.

use super::wire::{Backward, FIXED64, VARINT};
use crate::message::{Fields, View};
use crate::{FieldSchema, IntOrString};

/// Writes the fields of a message.
pub(super) fn message(out: &mut Backward, message: &dyn Fields) {
    let schema = message.schema();
    if let Some(extra) = message.extra() {
        out.bytes(extra.protobuf());
    }
    let mut numbers = schema.numbers;
    while let Some((last, before)) = numbers.split_last() {
        let index = usize::from(last.field);
        if !last.hoisted {
            write(out, &schema.fields[index], message.view(index));
            numbers = before;
            continue;
        }
        // Fields that belong to one message here and to another in protobuf.
        let first =
            numbers.iter().rposition(|other| other.number != last.number).map_or(0, |index| index + 1);
        out.nested(last.number, |out| {
            for number in numbers[first..].iter().rev() {
                let index = usize::from(number.field);
                write(out, &schema.fields[index], message.view(index));
            }
        });
        numbers = &numbers[..first];
    }
}

fn write(out: &mut Backward, field: &FieldSchema, view: View<'_>) {
    match view {
        View::List(list) if field.wrapped => {
            if !list.is_nil() {
                out.nested(field.number, |out| value(out, 1, view));
            }
        }
        // A time or JSON that is not there, where Go has a struct and no pointer.
        View::Absent if !field.optional => out.field(field.number, b""),
        view => value(out, field.number, view),
    }
}

fn value(out: &mut Backward, number: u32, view: View<'_>) {
    match view {
        View::Absent => {}
        View::Bool(value) => varint(out, number, u64::from(value)),
        View::Int(value) => varint(out, number, value as u64),
        View::Float(value) => {
            out.bytes(&value.to_bits().to_le_bytes());
            out.tag(number, FIXED64);
        }
        View::Text(text) => out.field(number, text.as_bytes()),
        View::Bytes(bytes) if bytes.is_nil() => {}
        View::Bytes(bytes) => out.field(number, bytes),
        View::Time(time) => out.nested(number, |out| {
            varint(out, 2, 0);
            varint(out, 1, time.seconds() as u64);
        }),
        View::MicroTime(time) => out.nested(number, |out| {
            let microseconds = time.microseconds();
            varint(out, 2, microseconds.rem_euclid(1_000_000) as u64 * 1000);
            varint(out, 1, microseconds.div_euclid(1_000_000) as u64);
        }),
        View::Quantity(quantity) => out.nested(number, |out| out.field(1, quantity.to_string().as_bytes())),
        View::IntOrString(value) => out.nested(number, |out| {
            let (kind, int, text) = match value {
                IntOrString::Int(value) => (0, *value, ""),
                IntOrString::String(text) => (1, 0, text.as_str()),
            };
            out.field(3, text.as_bytes());
            varint(out, 2, i64::from(int) as u64);
            varint(out, 1, kind);
        }),
        View::Raw(raw) => out.nested(number, |out| out.field(1, raw.as_str().as_bytes())),
        View::Message(inner) => out.nested(number, |out| message(out, inner)),
        View::List(list) => (0..list.len()).rev().for_each(|index| item(out, number, list.item(index))),
        View::Map(map) => map.each_back(&mut |key, entry| {
            out.nested(number, |out| {
                item(out, 2, entry);
                out.field(1, key.as_bytes());
            });
            true
        }),
        View::Opaque(opaque) => {
            let json = opaque.to_value().unwrap_or_default();
            out.nested(number, |out| out.field(1, json.to_string().as_bytes()));
        }
    }
}

/// An element: a list in a list or a map is a message of its own.
fn item(out: &mut Backward, number: u32, view: View<'_>) {
    match view {
        View::List(_) => out.nested(number, |out| value(out, 1, view)),
        View::Absent => out.field(number, b""),
        view => value(out, number, view),
    }
}

fn varint(out: &mut Backward, number: u32, value: u64) {
    out.varint(value);
    out.tag(number, VARINT);
}
