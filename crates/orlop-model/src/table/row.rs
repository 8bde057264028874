//! What tables are made of: [`Column`], [`Row`] and [`Cell`].

use std::fmt;

use serde_json::Value;

use crate::meta::v1::{TableColumnDefinition, TableRow, TableRowCondition};
use crate::{RawJson, Str};

/// A column of a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Column {
    /// Its header.
    pub name: &'static str,
    /// Type of its cells: `string`, `integer`, `boolean` or `date`.
    ///
    /// Kubernetes has columns whose cells are of another type than they say (`Up-to-date` of Deployments is a `string`
    /// of integers); they are the same here.
    pub type_: &'static str,
    /// `name` for the column that names the object, else empty.
    pub format: &'static str,
    /// What it shows, in a sentence.
    pub description: &'static str,
    /// 0: always shown; above: only with `-o wide`.
    pub priority: i32,
}

impl Column {
    pub(super) const NAME: Self = Self {
        format: "name",
        ..Self::text("Name", "Name of the object, unique among those of its kind and namespace.")
    };
    pub(super) const AGE: Self = Self::text("Age", "Time since the object was created.");
    pub(super) const CREATED: Self = Self::new("Created At", "date", "When the object was created.");

    const fn new(name: &'static str, type_: &'static str, description: &'static str) -> Self {
        Self { name, type_, format: "", description, priority: 0 }
    }

    pub(super) const fn text(name: &'static str, description: &'static str) -> Self {
        Self::new(name, "string", description)
    }

    pub(super) const fn integer(name: &'static str, description: &'static str) -> Self {
        Self::new(name, "integer", description)
    }

    #[cfg(any(feature = "scheduling", feature = "storage"))]
    pub(super) const fn boolean(name: &'static str, description: &'static str) -> Self {
        Self::new(name, "boolean", description)
    }

    /// The same, shown only with `-o wide`.
    pub(super) const fn wide(self) -> Self {
        Self { priority: 1, ..self }
    }
}

impl From<&Column> for TableColumnDefinition {
    fn from(column: &Column) -> Self {
        Self {
            name: column.name.into(),
            type_: column.type_.into(),
            format: column.format.into(),
            description: column.description.into(),
            priority: column.priority,
            ..Self::default()
        }
    }
}

/// A cell of a table.
#[derive(Clone, Debug, PartialEq)]
pub enum Cell {
    /// Nothing: an absent field of a custom kind.
    Null,
    /// A text.
    Text(Str),
    /// A whole number.
    Integer(i64),
    /// A number.
    Number(f64),
    /// Yes or no.
    Boolean(bool),
}

impl Cell {
    pub(super) fn count(number: impl TryInto<i64>) -> Self {
        Self::Integer(number.try_into().unwrap_or(i64::MAX))
    }
}

/// As kubectl shows it.
impl fmt::Display for Cell {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => formatter.pad("<none>"),
            Self::Text(text) => formatter.pad(text),
            Self::Integer(number) => formatter.pad(&number.to_string()),
            Self::Number(number) => formatter.pad(&number.to_string()),
            Self::Boolean(value) => formatter.pad(if *value { "true" } else { "false" }),
        }
    }
}

impl<T: Into<Str>> From<T> for Cell {
    fn from(text: T) -> Self {
        Self::Text(text.into())
    }
}

impl From<&Cell> for Value {
    fn from(cell: &Cell) -> Self {
        match cell {
            Cell::Null => Self::Null,
            Cell::Text(text) => text.as_str().into(),
            Cell::Integer(number) => (*number).into(),
            Cell::Number(number) => (*number).into(),
            Cell::Boolean(value) => (*value).into(),
        }
    }
}

/// One object's row.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Row {
    /// One for each column of the kind.
    pub cells: Vec<Cell>,
    /// What a client may mark the row by.
    pub conditions: Vec<RowCondition>,
}

impl Row {
    pub(super) fn new<const N: usize>(cells: [Cell; N]) -> Self {
        Self { cells: cells.into(), conditions: Vec::new() }
    }

    /// The row as it is sent, with what is shown of the object itself.
    #[must_use]
    pub fn to_row(&self, object: Option<RawJson>) -> TableRow {
        TableRow {
            cells: self.cells.iter().map(Value::from).collect(),
            conditions: self.conditions.iter().map(TableRowCondition::from).collect(),
            object,
            ..TableRow::default()
        }
    }
}

/// What a client may mark a row by: finished pods are `Completed`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RowCondition {
    /// `Completed`.
    pub type_: &'static str,
    /// `True`.
    pub status: &'static str,
    /// One word.
    pub reason: &'static str,
    /// One sentence.
    pub message: &'static str,
}

impl From<&RowCondition> for TableRowCondition {
    fn from(condition: &RowCondition) -> Self {
        Self {
            type_: condition.type_.into(),
            status: condition.status.into(),
            reason: condition.reason.into(),
            message: condition.message.into(),
            ..Self::default()
        }
    }
}
