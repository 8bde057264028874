//! Fields that types do not know.

use super::{Fields, View};
use crate::Path;

/// Reports the JSON fields in the message and below that their types do not know, with the path of the struct.
pub fn unknown_fields(message: &dyn Fields, path: &mut Path, found: &mut dyn FnMut(&Path, &str)) {
    let schema = message.schema();
    for (index, field) in schema.fields.iter().enumerate() {
        let view = message.view(index);
        if field.inline {
            if let View::Message(message) = view {
                unknown_fields(message, path, found);
            }
        } else if field.message().is_some() {
            path.push_field(field.name);
            in_value(view, path, found);
            path.pop();
        }
    }
    if let Some(extra) = message.extra() {
        // A nested object may name its kind, as roots do.
        let is_kind = |name: &str| !schema.kind.is_empty() && matches!(name, "kind" | "apiVersion");
        extra.names().filter(|name| !is_kind(name)).for_each(|name| found(path, name));
    }
}

fn in_value(view: View<'_>, path: &mut Path, found: &mut dyn FnMut(&Path, &str)) {
    match view {
        View::Message(message) => match message.as_union() {
            Some(union) => in_value(union.active(), path, found),
            None => unknown_fields(message, path, found),
        },
        View::List(list) => {
            for index in 0..list.len() {
                path.push_index(index);
                in_value(list.item(index), path, found);
                path.pop();
            }
        }
        View::Map(map) => map.each(&mut |key, value| {
            path.push_field(key);
            in_value(value, path, found);
            path.pop();
            true
        }),
        _ => {}
    }
}
