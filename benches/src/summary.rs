//! The table at the end of a bench target.

use std::fs;
use std::path::PathBuf;

use serde::Serialize;

/// What somebody else needs for the same work.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Peer {
    /// Who, and whether the figure was recorded before or measured in the same run.
    pub name: &'static str,
    /// The figure, in the row's unit.
    pub value: f64,
}

impl Peer {
    /// A figure recorded earlier, on quiet cores.
    #[must_use]
    pub const fn recorded(name: &'static str, value: f64) -> Self {
        Self { name, value }
    }
}

/// One line of the table.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// What was done.
    pub workload: String,
    /// The figure.
    pub value: f64,
    /// Its unit. Of units that end in `/s` or `/CPU-s` more is better, of others less.
    pub unit: &'static str,
    /// Whom to compare with.
    pub peer: Option<Peer>,
}

impl Row {
    /// How many times better than the peer.
    #[must_use]
    pub fn ratio(&self) -> Option<f64> {
        let peer = self.peer?.value;
        Some(if self.unit.ends_with("/s") || self.unit.ends_with("/CPU-s") {
            self.value / peer
        } else {
            peer / self.value
        })
    }
}

#[derive(Serialize)]
struct Line<'a> {
    workload: &'a str,
    value: f64,
    unit: &'a str,
    peer: Option<String>,
    peer_value: Option<f64>,
}

pub(crate) fn finish(name: &str, rows: &[Row]) -> std::io::Result<()> {
    print(rows);
    let lines: Vec<Line<'_>> = rows
        .iter()
        .map(|row| Line {
            workload: &row.workload,
            value: row.value,
            unit: row.unit,
            peer: row.peer.map(said),
            peer_value: row.peer.map(|peer| peer.value),
        })
        .collect();
    let folder = target().join("bench-summary");
    fs::create_dir_all(&folder)?;
    fs::write(folder.join(format!("{name}.json")), serde_json::to_vec_pretty(&lines)?)
}

fn said(peer: Peer) -> String {
    format!("{} (recorded)", peer.name)
}

fn target() -> PathBuf {
    match std::env::var_os("CARGO_TARGET_DIR") {
        Some(folder) => folder.into(),
        None => concat!(env!("CARGO_MANIFEST_DIR"), "/../target").into(),
    }
}

#[expect(clippy::print_stdout, reason = "the table is what a bench target is for")]
fn print(rows: &[Row]) {
    let widest = rows.iter().map(|row| row.workload.chars().count()).max().unwrap_or(0).max(8);
    println!(
        "\n{:<widest$}  {:>12}  {:<6}  {:<38}  {:>12}  {:>7}",
        "workload", "value", "unit", "peer", "peer's value", "ratio"
    );
    for row in rows {
        let (peer, value) = match row.peer {
            Some(peer) => (said(peer), figure(peer.value)),
            None => ("-".to_owned(), "-".to_owned()),
        };
        let ratio = row.ratio().map_or("-".to_owned(), |ratio| format!("{ratio:.1}x"));
        println!(
            "{:<widest$}  {:>12}  {:<6}  {peer:<38}  {value:>12}  {ratio:>7}",
            row.workload,
            figure(row.value),
            row.unit
        );
    }
}

/// Three digits that count.
fn figure(value: f64) -> String {
    match value.abs() {
        ..10.0 => format!("{value:.2}"),
        ..100.0 => format!("{value:.1}"),
        _ => format!("{value:.0}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ratio_above_one_is_better() {
        let row =
            |unit, value| Row { workload: "w".into(), value, unit, peer: Some(Peer::recorded("p", 10.0)) };
        assert_eq!(row("µs", 5.0).ratio(), Some(2.0));
        assert_eq!(row("adds/s", 5.0).ratio(), Some(0.5));
        assert_eq!(
            (figure(1.234), figure(12.34), figure(1234.5)),
            ("1.23".into(), "12.3".into(), "1234".into())
        );
    }
}
