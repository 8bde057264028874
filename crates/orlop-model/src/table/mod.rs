//! Tables: what `kubectl get` shows of each kind, as a server prints it.
//!
//! [`Tabular`] has the columns of a kind and the row of an object; [`Printer`] makes the
//! [`Table`](crate::meta::v1::Table) that is sent, also of objects whose type is known only at run time and of custom
//! kinds with [columns of their own](CustomColumns).
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
//!
//! Objects are printed after [defaulting](crate::defaults). Where Kubernetes' own code gives up on an object (a
//! certificate signing request with a condition it does not know, a metric whose source is missing), the row says what
//! it can.

#[cfg(any(feature = "certificates", feature = "rbac"))]
mod access;
#[cfg(feature = "admissionregistration")]
mod admission;
mod age;
#[cfg(feature = "autoscaling")]
mod autoscaling;
mod cluster;
mod config;
mod custom;
mod event;
mod job;
mod json_path;
#[cfg(feature = "networking")]
mod network;
mod persistent_volume;
mod pod;
mod policy;
mod printer;
mod row;
mod service;
#[cfg(feature = "storage")]
mod storage;
mod workload;

use jiff::Timestamp;

pub use self::age::human_duration;
pub use self::custom::{ColumnError, CustomColumns};
pub use self::json_path::{JsonPath, JsonPathError};
pub use self::printer::Printer;
pub use self::row::{Cell, Column, Row, RowCondition};
use crate::{KindInfo, Object, ObjectMeta, Str, Time};

/// A kind that can be shown as a table. Those without columns of their own show the name and when they were created.
pub trait Tabular: Object {
    /// Its columns, those of `-o wide` included.
    const COLUMNS: &'static [Column] = PLAIN;

    /// The object's row; ages are counted up to `now`.
    fn row(&self, now: Timestamp) -> Row {
        let _ = now;
        plain_row(self.meta())
    }
}

/// The columns of objects of any kind.
const PLAIN: &[Column] = &[Column::NAME, Column::CREATED];

/// A kind that has no columns of its own, as Kubernetes' printer of tables says it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no table handler registered for this type *{}.{kind}", if group.is_empty() { "core" } else { group.as_str() })]
pub struct NoColumns {
    /// First part of the name of the API group, empty for the core group.
    pub group: String,
    /// Name of the kind.
    pub kind: String,
}

/// The columns that a kind has of its own.
///
/// # Errors
/// If it has none. A server then shows [`Tabular::COLUMNS`], the name and when the object was created.
pub fn own_columns<K: Tabular>(kind: &KindInfo) -> Result<&'static [Column], NoColumns> {
    if K::COLUMNS == PLAIN {
        let group = kind.group.split('.').next().unwrap_or_default().to_owned();
        return Err(NoColumns { group, kind: kind.kind.to_string() });
    }
    Ok(K::COLUMNS)
}

/// The kinds that have no columns of their own.
macro_rules! without_columns {
    ($($(#[$feature:meta])? $group:ident::$version:ident { $($kind:ident),* })*) => {$(
        $(#[$feature])?
        const _: () = {
            $(impl Tabular for crate::$group::$version::$kind {})*
        };
    )*};
}

without_columns! {
    core::v1 { LimitRange }
    #[cfg(feature = "apiextensions")]
    apiextensions::v1 { CustomResourceDefinition }
    #[cfg(feature = "rbac")]
    rbac::v1 { ClusterRole, Role }
}

const NONE: &str = "<none>";
const UNKNOWN: &str = "<unknown>";
const UNSET: &str = "<unset>";

/// What Go's zero time is in seconds since 1970: the first second of year 1.
const ZERO_TIME: i64 = -62_135_596_800;

fn plain_row(meta: &ObjectMeta) -> Row {
    let created = meta.creation_timestamp.unwrap_or(Time::from_seconds(ZERO_TIME));
    Row::new([(&meta.name).into(), created.to_string().into()])
}

fn or_none(text: &Str) -> Cell {
    text.non_empty().map_or_else(|| NONE.into(), Cell::from)
}

/// The text of a field that may be absent.
fn or_unset(text: Option<&str>) -> Cell {
    text.unwrap_or(UNSET).into()
}

fn age(object: &impl Object, now: Timestamp) -> Cell {
    since(object.meta().creation_timestamp, now).into()
}

/// How long ago, in kubectl's short form.
fn since(time: Option<Time>, now: Timestamp) -> String {
    match time.filter(|time| time.seconds() != ZERO_TIME) {
        Some(time) => human_duration(now.duration_since(time.timestamp())),
        None => UNKNOWN.to_owned(),
    }
}

fn joined<T: AsRef<str>>(parts: impl IntoIterator<Item = T>, separator: &str) -> String {
    let mut text = String::new();
    for (index, part) in parts.into_iter().enumerate() {
        if index > 0 {
            text.push_str(separator);
        }
        text.push_str(part.as_ref());
    }
    text
}

/// The first of many, and how many more there are.
fn first_of(all: impl Iterator<Item = String>, shown: usize) -> String {
    let mut list: Vec<String> = all.collect();
    let more = list.len().saturating_sub(shown);
    list.truncate(shown);
    let text = list.join(",");
    if more > 0 { format!("{text} + {more} more...") } else { text }
}

/// Labels as people write them: `a=b,c=d`.
fn labels(labels: &crate::Map<Str>) -> String {
    if labels.is_empty() {
        NONE.to_owned()
    } else {
        joined(labels.iter().map(|(key, value)| format!("{key}={value}")), ",")
    }
}
