//! Tables of objects, as `kubectl get` prints them.

use std::fmt::Write;
use std::sync::Arc;

use jiff::Timestamp;
use orlop_client::{Api, Client, ListOptions, Result};
use orlop_model::Str;
use orlop_model::table::{Column, Row, Tabular};

/// Which columns and rows a table has.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Only this namespace; otherwise all, in a column of their own.
    pub namespace: Option<Str>,
    /// The columns of `-o wide`, too.
    pub wide: bool,
    /// Only objects with these labels, in the notation of `kubectl get -l`.
    pub labels: String,
}

/// Lists the objects of a kind as a table; empty if there are none.
///
/// # Errors
/// Those of the client.
pub async fn table<K: Tabular + orlop_model::StaticKind>(
    client: &Arc<dyn Client>,
    options: &Options,
    now: Timestamp,
) -> Result<String> {
    let api = match &options.namespace {
        Some(namespace) => Api::<K>::namespaced(Arc::clone(client), namespace.clone()),
        None => Api::<K>::all(Arc::clone(client)),
    };
    let listed = api.list(&ListOptions::new().labels(&options.labels)).await?;
    let with_namespace = options.namespace.is_none() && K::KIND.is_namespaced();
    let rows = listed.items.iter().map(|object| {
        let namespace = with_namespace.then(|| object.meta().namespace.clone());
        (namespace, object.row(now))
    });
    Ok(render(K::COLUMNS, rows, options.wide))
}

/// Prints rows under their headers, three spaces between columns; empty without rows.
pub fn render(columns: &[Column], rows: impl Iterator<Item = (Option<Str>, Row)>, wide: bool) -> String {
    let shown: Vec<usize> =
        (0..columns.len()).filter(|&index| wide || columns[index].priority == 0).collect();
    let mut lines: Vec<Vec<String>> = Vec::new();
    for (namespace, row) in rows {
        if lines.is_empty() {
            let header = namespace.iter().map(|_| "NAMESPACE".to_owned());
            lines.push(header.chain(shown.iter().map(|&index| columns[index].name.to_uppercase())).collect());
        }
        let cells = shown.iter().filter_map(|&index| row.cells.get(index)).map(ToString::to_string);
        lines.push(namespace.iter().map(ToString::to_string).chain(cells).collect());
    }
    let count = lines.first().map_or(0, Vec::len);
    let width = |column: usize| {
        lines.iter().filter_map(|line| line.get(column)).map(|cell| cell.chars().count()).max()
    };
    let widths: Vec<usize> = (0..count).map(|column| width(column).unwrap_or_default()).collect();
    let mut text = String::new();
    for line in &lines {
        let mut printed = String::new();
        for (cell, width) in line.iter().zip(&widths) {
            let _ = write!(printed, "{cell:<width$}   ");
        }
        text.push_str(printed.trim_end());
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use orlop_model::core::v1::Namespace;

    use super::*;

    #[test]
    fn columns_are_aligned() {
        let now = "2026-03-01T12:00:00Z".parse().unwrap();
        let row = |name: &str| {
            let mut namespace = Namespace::default();
            namespace.metadata.name = name.into();
            namespace.status.phase = "Active".into();
            (None, namespace.row(now))
        };
        let text = render(Namespace::COLUMNS, [row("a"), row("kube-system")].into_iter(), false);
        assert_eq!(
            text,
            "NAME          STATUS   AGE\na             Active   <unknown>\nkube-system   Active   <unknown>\n"
        );
    }
}
