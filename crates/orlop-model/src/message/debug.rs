//! `Debug` of messages: the fields that are there, without the content of secret ones.

use std::fmt;

use super::{Fields, View};

/// Writes a message as Rust's `Debug` does, but only the fields that have a value; fields marked as secret only by the
/// size of their content.
///
/// # Errors
/// Those of the formatter.
pub fn debug(message: &dyn Fields, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
    let mut shown = formatter.debug_struct(message.schema().name);
    fields(message, &mut shown);
    shown.finish()
}

fn fields(message: &dyn Fields, shown: &mut fmt::DebugStruct<'_, '_>) {
    let schema = message.schema();
    for (index, field) in schema.fields.iter().enumerate() {
        match message.view(index) {
            View::Message(inner) if field.inline => fields(inner, shown),
            View::Message(inner) if !field.optional && inner.is_default() => {}
            view if !schema.keys[index].writes(&view) || matches!(view, View::Absent) => {}
            view if field.secret => {
                shown.field(field.name, &Hidden(view));
            }
            view => {
                shown.field(field.name, &view);
            }
        }
    }
    for name in message.extra().iter().flat_map(|extra| extra.names()) {
        shown.field(name, &format_args!("(unknown)"));
    }
}

impl dyn Fields + '_ {
    /// Whether nothing in the message has a value.
    pub(crate) fn is_default(&self) -> bool {
        let empty = |view: View<'_>| match view {
            View::Message(message) => message.is_default(),
            view => view.is_empty(),
        };
        let count = self.schema().fields.len();
        (0..count).all(|index| empty(self.view(index))) && self.extra().is_none_or(crate::Extra::is_empty)
    }
}

pub(super) fn value(view: View<'_>, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
    match view {
        View::Absent => formatter.write_str("None"),
        View::Bool(value) => fmt::Debug::fmt(&value, formatter),
        View::Int(value) => fmt::Debug::fmt(&value, formatter),
        View::Float(value) => fmt::Debug::fmt(&value, formatter),
        View::Text(value) => fmt::Debug::fmt(value, formatter),
        View::Bytes(value) => fmt::Debug::fmt(value, formatter),
        View::Time(value) => fmt::Debug::fmt(&value, formatter),
        View::MicroTime(value) => fmt::Debug::fmt(&value, formatter),
        View::Quantity(value) => fmt::Debug::fmt(value, formatter),
        View::IntOrString(value) => fmt::Debug::fmt(value, formatter),
        View::Raw(value) => fmt::Debug::fmt(value, formatter),
        View::Message(message) => debug(message, formatter),
        View::List(list) => formatter.debug_list().entries((0..list.len()).map(|at| list.item(at))).finish(),
        View::Map(map) => {
            let mut shown = formatter.debug_map();
            map.each(&mut |key, value| {
                shown.entry(&key, &value);
                true
            });
            shown.finish()
        }
        View::Opaque(value) => match value.to_value() {
            Ok(value) => fmt::Debug::fmt(&value, formatter),
            Err(_) => formatter.write_str("(unwritable)"),
        },
    }
}

/// A secret: keys and sizes, no content.
struct Hidden<'a>(View<'a>);

impl fmt::Debug for Hidden<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let size = match self.0 {
            View::Text(text) => text.len(),
            View::Bytes(bytes) => bytes.len(),
            View::Map(map) => {
                let mut shown = formatter.debug_map();
                map.each(&mut |key, value| {
                    shown.entry(&key, &Hidden(value));
                    true
                });
                return shown.finish();
            }
            _ => return formatter.write_str("(hidden)"),
        };
        write!(formatter, "<{size} bytes>")
    }
}
