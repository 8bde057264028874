//! [`Printer`], which makes the tables that are sent.

use std::fmt;

use jiff::Timestamp;

use super::{Cell, CustomColumns, PLAIN, Row, Tabular, plain_row};
use crate::meta::v1::{IncludeObjectPolicy, ListMeta, PartialObjectMetadata, Table, TableColumnDefinition};
use crate::{AnyObject, RawJson, json};

/// Makes tables of objects whose type is known only at run time.
///
/// ```
/// use orlop_model::core::v1::Namespace;
/// use orlop_model::table::Printer;
/// use orlop_model::AnyObject;
///
/// let namespaces = [Namespace::default(), Namespace::default()];
/// let now = "2026-03-01T12:00:00Z".parse().unwrap();
/// let objects = namespaces.iter().map(|namespace| namespace as &dyn AnyObject);
/// let table = Printer::of::<Namespace>().table(objects, Default::default(), &"None".into(), now)?;
/// assert_eq!(table.column_definitions[2].name, "Age");
/// assert_eq!(table.rows.len(), 2);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone)]
pub struct Printer {
    columns: Vec<TableColumnDefinition>,
    rows: Rows,
}

#[derive(Clone)]
enum Rows {
    Typed(fn(&dyn AnyObject, Timestamp) -> Option<Row>),
    Custom(CustomColumns),
    Plain,
}

impl Printer {
    /// Of a kind that is known at compile time.
    #[must_use]
    pub fn of<K: Tabular>() -> Self {
        let row = |object: &dyn AnyObject, now| Some(object.as_any().downcast_ref::<K>()?.row(now));
        Self { columns: K::COLUMNS.iter().map(Into::into).collect(), rows: Rows::Typed(row) }
    }

    /// Of a custom kind.
    #[must_use]
    pub fn custom(columns: CustomColumns) -> Self {
        Self { columns: columns.definitions().to_vec(), rows: Rows::Custom(columns) }
    }

    /// Of any kind: the name and when the object was created. This is for lists of several kinds, too.
    #[must_use]
    pub fn plain() -> Self {
        Self { columns: PLAIN.iter().map(Into::into).collect(), rows: Rows::Plain }
    }

    /// The columns.
    #[must_use]
    pub fn columns(&self) -> &[TableColumnDefinition] {
        &self.columns
    }

    /// An object's row, of as many cells as there are columns. One of another kind than the printer's has only its name.
    #[must_use]
    pub fn row(&self, object: &dyn AnyObject, now: Timestamp) -> Row {
        let row = match &self.rows {
            Rows::Typed(row) => row(object, now),
            Rows::Custom(columns) => Some(columns.row(object, now)),
            Rows::Plain => Some(plain_row(object.meta())),
        };
        row.unwrap_or_else(|| {
            let cell = |column: &TableColumnDefinition| match column.format == "name" && column.name == "Name"
            {
                true => Cell::from(&object.meta().name),
                false => Cell::Null,
            };
            Row { cells: self.columns.iter().map(cell).collect(), conditions: Vec::new() }
        })
    }

    /// The table of a list, or of one object. `list` is the list's metadata; `include` says how much of each object goes
    /// with its row, the metadata if it is absent.
    ///
    /// # Errors
    /// If an object's own `Serialize` refuses.
    pub fn table<'a>(
        &self,
        objects: impl IntoIterator<Item = &'a dyn AnyObject>,
        list: ListMeta,
        include: &IncludeObjectPolicy,
        now: Timestamp,
    ) -> serde_json::Result<Table> {
        let mut table = Table {
            metadata: list,
            column_definitions: self.columns.iter().cloned().collect(),
            ..Table::default()
        };
        for object in objects {
            let shown = match include {
                IncludeObjectPolicy::None => None,
                IncludeObjectPolicy::Object => Some(raw(&object.to_json())?),
                IncludeObjectPolicy::Metadata | IncludeObjectPolicy::Other(_) => Some(metadata(object)?),
            };
            table.rows.push(self.row(object, now).to_row(shown));
        }
        Ok(table)
    }
}

impl fmt::Debug for Printer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = self.columns.iter().map(|column| &column.name);
        formatter.debug_tuple("Printer").field(&names.collect::<Vec<_>>()).finish()
    }
}

fn metadata(object: &dyn AnyObject) -> serde_json::Result<RawJson> {
    let partial =
        PartialObjectMetadata { metadata: object.meta().clone(), ..PartialObjectMetadata::default() };
    raw(&json::to_vec(&partial))
}

fn raw(json: &[u8]) -> serde_json::Result<RawJson> {
    RawJson::parse(&String::from_utf8_lossy(json))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::core::v1::{ConfigMap, LimitRange, Namespace};

    fn print(printer: &Printer, include: &str) -> Value {
        let mut namespace = Namespace::default();
        namespace.metadata.name = "n".into();
        let mut config = ConfigMap::default();
        config.metadata.name = "c".into();
        let objects: [&dyn AnyObject; 2] = [&namespace, &config];
        let list = ListMeta { resource_version: "7".into(), ..ListMeta::default() };
        let now = "2026-03-01T12:00:00Z".parse().unwrap();
        let table = printer.table(objects, list, &include.into(), now).unwrap();
        serde_json::from_slice(&json::to_vec(&table)).unwrap()
    }

    #[test]
    fn rows_have_their_objects() {
        let table = print(&Printer::of::<Namespace>(), "");
        assert_eq!(table["kind"], "Table");
        assert_eq!(table["apiVersion"], "meta.k8s.io/v1");
        assert_eq!(table["metadata"]["resourceVersion"], "7");
        let object = json!({"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": {"name": "n"}});
        assert_eq!(table["rows"][0], json!({"cells": ["n", "", "<unknown>"], "object": object}));
        assert_eq!(print(&Printer::plain(), "None")["rows"][0]["object"], Value::Null);
        assert_eq!(print(&Printer::plain(), "Object")["rows"][1]["object"]["kind"], "ConfigMap");
    }

    #[test]
    fn lists_of_several_kinds_have_rows_for_all() {
        let table = print(&Printer::of::<Namespace>(), "None");
        assert_eq!(table["rows"][1]["cells"], json!(["c", null, null]));
        let table = print(&Printer::of::<LimitRange>(), "None");
        assert_eq!(table["columnDefinitions"][1]["type"], "date");
        let table = print(&Printer::plain(), "None");
        assert_eq!(table["rows"][1]["cells"], json!(["c", "0001-01-01T00:00:00Z"]));
    }
}
