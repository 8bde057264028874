//! [`CustomColumns`], the columns of custom kinds.

use jiff::Timestamp;
use serde_json::Value;

use super::{Cell, Column, JsonPath, JsonPathError, Row, UNKNOWN, since};
use crate::meta::v1::TableColumnDefinition;
use crate::{AnyObject, DynamicObject, Str, Time, json};

/// The columns that the definition of a custom kind gives it (`additionalPrinterColumns`), after the one of the name;
/// the age if it gives none.
#[derive(Clone, Debug)]
pub struct CustomColumns {
    definitions: Vec<TableColumnDefinition>,
    /// One for each definition after the first, which is the name.
    paths: Vec<(JsonPath, CellType)>,
}

/// A column whose path cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("column {name:?}: {source}")]
pub struct ColumnError {
    /// Name of the column.
    pub name: Str,
    /// What is wrong with its path.
    pub source: JsonPathError,
}

/// How a value becomes a cell.
#[derive(Clone, Copy, Debug, PartialEq)]
enum CellType {
    Text,
    Integer,
    Number,
    Boolean,
    Date,
    Other,
}

impl CustomColumns {
    /// Columns from definitions and the paths of their values.
    ///
    /// # Errors
    /// If a path cannot be read.
    pub fn new<'a>(
        columns: impl IntoIterator<Item = (TableColumnDefinition, &'a str)>,
    ) -> Result<Self, ColumnError> {
        let mut custom = Self { definitions: vec![(&Column::NAME).into()], paths: Vec::new() };
        for (mut definition, path) in columns {
            if definition.description.is_empty() {
                definition.description = format!("What is at {path} of the object.").into();
            }
            custom.push(definition, path)?;
        }
        if custom.paths.is_empty() {
            let age = TableColumnDefinition { type_: "date".into(), ..(&Column::AGE).into() };
            custom.push(age, ".metadata.creationTimestamp")?;
        }
        Ok(custom)
    }

    /// The columns of a version of a custom kind.
    ///
    /// # Errors
    /// If a path cannot be read.
    #[cfg(feature = "apiextensions")]
    pub fn of(
        version: &crate::apiextensions::v1::CustomResourceDefinitionVersion,
    ) -> Result<Self, ColumnError> {
        Self::new(version.additional_printer_columns.iter().map(|column| {
            let definition = TableColumnDefinition {
                name: column.name.clone(),
                type_: column.type_.clone(),
                format: column.format.clone(),
                description: column.description.clone(),
                priority: column.priority,
                ..TableColumnDefinition::default()
            };
            (definition, column.json_path.as_str())
        }))
    }

    fn push(&mut self, definition: TableColumnDefinition, path: &str) -> Result<(), ColumnError> {
        let path =
            JsonPath::parse(path).map_err(|source| ColumnError { name: definition.name.clone(), source })?;
        let cells = match definition.type_.as_str() {
            "string" => CellType::Text,
            "integer" => CellType::Integer,
            "number" => CellType::Number,
            "boolean" => CellType::Boolean,
            "date" => CellType::Date,
            _ => CellType::Other,
        };
        self.definitions.push(definition);
        self.paths.push((path, cells));
        Ok(())
    }

    /// The columns, the one of the name first.
    #[must_use]
    pub fn definitions(&self) -> &[TableColumnDefinition] {
        &self.definitions
    }

    /// An object's row. Where a path leads nowhere, or to a value of another type than the column's, the cell is
    /// [`Cell::Null`].
    #[must_use]
    pub fn row(&self, object: &dyn AnyObject, now: Timestamp) -> Row {
        let mut document = Document::new(object);
        let mut row = Row { cells: vec![(&object.meta().name).into()], conditions: Vec::new() };
        for (path, cells) in &self.paths {
            let cell = document.first(path).map_or(Cell::Null, |value| cells.cell(value, now));
            row.cells.push(cell);
        }
        row
    }
}

/// An object whose parts become JSON when a path asks for them.
struct Document<'a> {
    object: &'a dyn AnyObject,
    body: Option<&'a serde_json::Map<String, Value>>,
    metadata: Option<Value>,
    whole: Option<Value>,
}

impl<'a> Document<'a> {
    fn new(object: &'a dyn AnyObject) -> Self {
        let body = object.as_any().downcast_ref::<DynamicObject>().map(|object| &object.body);
        Self { object, body, metadata: None, whole: None }
    }

    /// The first value that the path leads to.
    fn first<'b>(&'b mut self, path: &'b JsonPath) -> Option<&'b Value> {
        let found = match (self.body, path.first_field()) {
            (Some(_), Some("metadata")) => {
                let metadata = self.metadata.get_or_insert_with(|| {
                    serde_json::from_slice(&json::to_vec(self.object.meta())).unwrap_or_default()
                });
                path.find_rest(metadata)
            }
            (Some(body), Some(field)) if !matches!(field, "apiVersion" | "kind") => {
                path.find_rest(body.get(field)?)
            }
            _ => {
                let object = self.object;
                path.find(self.whole.get_or_insert_with(|| object.to_value().unwrap_or_default()))
            }
        };
        found.ok()?.first().copied()
    }
}

impl CellType {
    fn cell(self, value: &Value, now: Timestamp) -> Cell {
        match (self, value) {
            (Self::Text, value) => text(value).into(),
            (Self::Integer, Value::Number(number)) => {
                // Fractions are cut.
                #[expect(clippy::cast_possible_truncation, reason = "cut on purpose")]
                let whole = number.as_i64().or(number.as_f64().map(|number| number as i64));
                whole.map_or(Cell::Null, Cell::Integer)
            }
            (Self::Number, Value::Number(number)) => number.as_f64().map_or(Cell::Null, Cell::Number),
            (Self::Boolean, Value::Bool(value)) => Cell::Boolean(*value),
            (Self::Date, Value::String(text)) => match text.as_str() {
                "" | "null" => UNKNOWN.into(),
                text => text
                    .parse::<Time>()
                    .map_or_else(|_| "<invalid>".into(), |time| since(Some(time), now).into()),
            },
            _ => Cell::Null,
        }
    }
}

/// A value as Go prints it: objects and lists as JSON.
fn text(value: &Value) -> String {
    match value {
        Value::Null => "<no value>".to_owned(),
        Value::Bool(value) => value.to_string(),
        Value::String(text) => text.clone(),
        Value::Number(number) => match (number.as_i64(), number.as_f64()) {
            (Some(number), _) => number.to_string(),
            (None, Some(number)) => float(number),
            (None, None) => number.to_string(),
        },
        Value::Array(_) | Value::Object(_) => {
            let mut out = Vec::new();
            json::any(&mut out, value);
            String::from_utf8_lossy(&out).into_owned()
        }
    }
}

/// A number as Go's `%v` prints it: shortest, with an exponent of two digits at least outside of 1e-4 to 1e21.
fn float(number: f64) -> String {
    let scientific = format!("{number:e}");
    let Some((mantissa, exponent)) = scientific.split_once('e') else {
        return scientific;
    };
    match exponent.parse::<i32>() {
        Ok(-4..21) => number.to_string(),
        Ok(exponent) => {
            let sign = if exponent < 0 { '-' } else { '+' };
            format!("{mantissa}e{sign}{:02}", exponent.unsigned_abs())
        }
        Err(_) => scientific,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn columns(columns: &[(&str, &str)]) -> CustomColumns {
        let definition = |type_: &str| TableColumnDefinition { type_: type_.into(), ..Default::default() };
        CustomColumns::new(columns.iter().map(|(type_, path)| (definition(type_), *path))).unwrap()
    }

    #[test]
    fn cells_have_the_columns_types() {
        let site: DynamicObject = serde_json::from_value(json!({
            "apiVersion": "example.dev/v1", "kind": "Website",
            "metadata": {"name": "home", "creationTimestamp": "2026-03-01T11:00:00Z"},
            "spec": {"n": 3, "f": 1.5, "big": 1e21, "on": true, "at": "2026-03-01T11:59:00Z", "o": {"a": [1]}, "none": null},
        }))
        .unwrap();
        let now = "2026-03-01T12:00:00Z".parse().unwrap();
        for (type_, path, wanted) in [
            ("string", ".spec.n", Cell::from("3")),
            ("string", ".spec.big", Cell::from("1e+21")),
            ("string", ".spec.f", Cell::from("1.5")),
            ("string", ".spec.o", Cell::from(r#"{"a":[1]}"#)),
            ("string", ".spec.none", Cell::from("<no value>")),
            ("string", ".kind", Cell::from("Website")),
            ("string", ".absent", Cell::Null),
            ("integer", ".spec.n", Cell::Integer(3)),
            ("integer", ".spec.f", Cell::Integer(1)),
            ("integer", ".spec.on", Cell::Null),
            ("number", ".spec.n", Cell::Number(3.0)),
            ("boolean", ".spec.on", Cell::Boolean(true)),
            ("boolean", ".spec.n", Cell::Null),
            ("date", ".spec.at", Cell::from("60s")),
            ("date", ".metadata.creationTimestamp", Cell::from("60m")),
            ("date", ".metadata.name", Cell::from("<invalid>")),
            ("other", ".spec.n", Cell::Null),
        ] {
            let row = columns(&[(type_, path)]).row(&site, now);
            assert_eq!(row.cells, [Cell::from("home"), wanted], "{type_} {path}");
        }
        assert_eq!(columns(&[]).row(&site, now).cells, [Cell::from("home"), Cell::from("60m")]);
    }
}
