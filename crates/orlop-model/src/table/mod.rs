//! Tables: what `kubectl get` shows of each kind, as a server prints it.
//!
//! ```
//! use orlop_model::core::v1::Namespace;
//! use orlop_model::table::Tabular;
//!
//! let mut namespace = Namespace::default();
//! namespace.metadata.name = "shop".into();
//! let now = "2026-03-01T12:00:00Z".parse().unwrap();
//! let cells: Vec<String> = namespace.row(now).cells.iter().map(ToString::to_string).collect();
//! assert_eq!(cells, ["shop", "", "<unknown>"]);
//! ```

mod age;
mod cluster;
mod pod;
mod service;
mod workload;

use std::fmt;

use jiff::Timestamp;
use serde::Serialize;

pub use self::age::human_duration;
use crate::{Object, Str, Time};

/// A column of a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Column {
    /// Its header.
    pub name: &'static str,
    /// Type of its cells: `string`, `integer` …
    #[serde(rename = "type")]
    pub type_: &'static str,
    /// `name` for the column that names the object, else empty.
    pub format: &'static str,
    /// 0: always shown; above: only with `-o wide`.
    pub priority: i32,
}

impl Column {
    const NAME: Self = Self { name: "Name", type_: "string", format: "name", priority: 0 };
    const AGE: Self = Self::text("Age");

    const fn text(name: &'static str) -> Self {
        Self { name, type_: "string", format: "", priority: 0 }
    }

    const fn integer(name: &'static str) -> Self {
        Self { name, type_: "integer", format: "", priority: 0 }
    }

    const fn wide(name: &'static str) -> Self {
        Self { name, type_: "string", format: "", priority: 1 }
    }
}

/// A cell of a table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Cell {
    /// A text.
    Text(Str),
    /// A number.
    Integer(i64),
}

impl fmt::Display for Cell {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => formatter.pad(text),
            Self::Integer(number) => formatter.pad(&number.to_string()),
        }
    }
}

impl<T: Into<Str>> From<T> for Cell {
    fn from(text: T) -> Self {
        Self::Text(text.into())
    }
}

impl Cell {
    fn count(number: impl TryInto<i64>) -> Self {
        Self::Integer(number.try_into().unwrap_or(i64::MAX))
    }
}

/// One object's row.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Row {
    /// One for each column of the kind.
    pub cells: Vec<Cell>,
    /// What a client may mark the row by.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub conditions: Vec<RowCondition>,
}

impl Row {
    fn new<const N: usize>(cells: [Cell; N]) -> Self {
        Self { cells: cells.into(), conditions: Vec::new() }
    }
}

/// What a client may mark a row by: finished pods are `Completed`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct RowCondition {
    /// `Completed`.
    #[serde(rename = "type")]
    pub type_: &'static str,
    /// `True`.
    pub status: &'static str,
    /// One word.
    pub reason: &'static str,
    /// One sentence.
    pub message: &'static str,
}

/// A kind that has a table of its own.
pub trait Tabular: Object {
    /// Its columns, those of `-o wide` included.
    const COLUMNS: &'static [Column];

    /// The object's row; ages are counted up to `now`.
    fn row(&self, now: Timestamp) -> Row;
}

const NONE: &str = "<none>";
const UNKNOWN: &str = "<unknown>";

fn or_none(text: &Str) -> Cell {
    text.non_empty().map_or_else(|| NONE.into(), Cell::from)
}

fn age(object: &impl Object, now: Timestamp) -> Cell {
    since(object.meta().creation_timestamp, now).into()
}

/// How long ago, in kubectl's short form.
fn since(time: Option<Time>, now: Timestamp) -> String {
    time.map_or_else(|| UNKNOWN.to_owned(), |time| human_duration(now.duration_since(time.timestamp())))
}

fn joined<T: AsRef<str>>(parts: impl IntoIterator<Item = T>, separator: &str) -> String {
    let mut text = String::new();
    for part in parts {
        if !text.is_empty() {
            text.push_str(separator);
        }
        text.push_str(part.as_ref());
    }
    text
}

#[cfg(all(test, feature = "test-util"))]
mod tests {
    use std::io::Read as _;

    use serde_json::{Value, json};

    use super::*;
    use crate::apps::v1::{Deployment, ReplicaSet};
    use crate::batch::v1::Job;
    use crate::coordination::v1::Lease;
    use crate::core::v1::{ConfigMap, Namespace, Node, Pod, Secret, Service};
    use crate::defaults::SetDefaults;

    fn table<K: Tabular + SetDefaults>(input: &Value, now: Timestamp) -> Value {
        let mut object: K = serde_json::from_value(input.clone()).unwrap();
        object.set_defaults();
        json!({"columns": K::COLUMNS, "rows": [object.row(now)]})
    }

    /// The cases of the family `kubectl_tables` whose kinds there are.
    #[test]
    fn as_kubernetes_does() {
        let bytes = include_bytes!("../../tests/cases/kubectl_tables.jsonl.gz");
        let mut text = String::new();
        flate2::read::GzDecoder::new(&bytes[..]).read_to_string(&mut text).unwrap();
        let mut misses = Vec::new();
        for line in text.lines() {
            let case: Value = serde_json::from_str(line).unwrap();
            let print = match case["kind"].as_str().unwrap() {
                "ConfigMap" => table::<ConfigMap>,
                "Deployment" => table::<Deployment>,
                "Job" => table::<Job>,
                "Lease" => table::<Lease>,
                "Namespace" => table::<Namespace>,
                "Node" => table::<Node>,
                "Pod" => table::<Pod>,
                "ReplicaSet" => table::<ReplicaSet>,
                "Secret" => table::<Secret>,
                "Service" => table::<Service>,
                kind => panic!("no table of {kind}"),
            };
            let got = print(&case["in"], case["now"].as_str().unwrap().parse().unwrap());
            for part in ["columns", "rows"] {
                if got[part] != case[part] {
                    misses.push(format!("{}: wanted {}\n  got {}", case["id"], case[part], got[part]));
                }
            }
        }
        assert!(misses.is_empty(), "{}", misses.join("\n"));
    }
}
