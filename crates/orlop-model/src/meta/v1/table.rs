//! Objects as tables for people.

use super::{ConditionStatus, IncludeObjectPolicy, ListMeta, RowConditionType};
use crate::{Extra, List, Message, RawJson, Str};

/// Objects rendered by the server as rows and columns for display.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug, api_version = "meta.k8s.io/v1")]
pub struct Table {
    /// Resource version and paging data, as in an ordinary list.
    pub metadata: ListMeta,
    /// Columns in display order; their number equals the number of cells in every row.
    #[wire(required, needless)]
    pub column_definitions: List<TableColumnDefinition>,
    /// One row for each listed object, in list order.
    #[wire(required, needless)]
    pub rows: List<TableRow>,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// Heading, type and importance of one table column.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct TableColumnDefinition {
    /// Heading of the column for people.
    #[wire(required, needless)]
    pub name: Str,
    /// OpenAPI type of the cells, such as `string`, `integer`, `number`, `boolean` or `date`.
    #[wire(required, needless)]
    pub type_: Str,
    /// OpenAPI format refining the type; `name` marks the column that identifies the object.
    #[wire(required, needless)]
    pub format: Str,
    /// Longer explanation of what the column shows.
    #[wire(required, needless)]
    pub description: Str,
    /// Display rank: 0 appears in the standard view, higher numbers only where space permits, as in wide
    /// output.
    #[wire(required, needless)]
    pub priority: i32,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// Query parameters for responses requested as tables.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug, api_version = "meta.k8s.io/v1")]
pub struct TableOptions {
    /// Part of each object sent along with its row: `None`, `Metadata` (default) or `Object`.
    #[wire(pb = 1)]
    pub include_object: IncludeObjectPolicy,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// One table line with its cells and, optionally, the object behind it.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct TableRow {
    /// Values in column order; each is a string, number, boolean, simple map or list, or null.
    #[wire(required, needless)]
    pub cells: List<serde_json::Value>,
    /// Remarks on the row's object, such as `Completed`; absent conditions are taken as not holding.
    pub conditions: List<TableRowCondition>,
    /// Object behind the row, complete or metadata only depending on `includeObject`; may be missing.
    #[wire(required, plain, needless)]
    pub object: Option<RawJson>,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// Remark on a table row that clients may use for filtering or styling.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct TableRowCondition {
    /// Kind of remark; `Completed` is the only one defined.
    #[wire(required, needless)]
    pub type_: RowConditionType,
    /// Whether the remark applies: `True`, `False` or `Unknown`.
    #[wire(required, needless)]
    pub status: ConditionStatus,
    /// Short machine-readable cause of the remark.
    pub reason: Str,
    /// Explanation of the remark for people.
    pub message: Str,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}
