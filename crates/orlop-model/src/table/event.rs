//! Rows of Events, of either API group.

use jiff::Timestamp;

use super::{Cell, Column, Row, Tabular, since};
use crate::core::v1::{Event, EventSource, ObjectReference};
use crate::{MicroTime, Str, Time};

const COLUMNS: &[Column] = &[
    Column::text("Last Seen", "Time since it was last observed."),
    Column::text("Type", "`Normal` or `Warning`."),
    Column::text("Reason", "Why it happened, in a word."),
    Column::text("Object", "What it is about."),
    Column::text("Subobject", "Which part of the object it is about.").wide(),
    Column::text("Source", "Who reported it, and where.").wide(),
    Column::text("Message", "What happened."),
    Column::text("First Seen", "Time since it was first observed.").wide(),
    Column::text("Count", "How often it was observed.").wide(),
    Column::NAME.wide(),
];

/// What the two kinds have in common.
struct Seen<'a> {
    name: &'a Str,
    first: Option<Time>,
    last: Option<Time>,
    at: Option<MicroTime>,
    series: Option<(Option<MicroTime>, i32)>,
    count: i32,
    type_: &'a Str,
    reason: &'a Str,
    about: &'a ObjectReference,
    source: &'a EventSource,
    controller: &'a Str,
    instance: &'a Str,
    message: &'a Str,
}

impl Tabular for Event {
    const COLUMNS: &'static [Column] = COLUMNS;

    fn row(&self, now: Timestamp) -> Row {
        row(
            &Seen {
                name: &self.metadata.name,
                first: self.first_timestamp,
                last: self.last_timestamp,
                at: self.event_time,
                series: self.series.as_ref().map(|series| (series.last_observed_time, series.count)),
                count: self.count,
                type_: &self.type_,
                reason: &self.reason,
                about: &self.involved_object,
                source: &self.source,
                controller: &self.reporting_component,
                instance: &self.reporting_instance,
                message: &self.message,
            },
            now,
        )
    }
}

#[cfg(feature = "events")]
impl Tabular for crate::events::v1::Event {
    const COLUMNS: &'static [Column] = COLUMNS;

    fn row(&self, now: Timestamp) -> Row {
        row(
            &Seen {
                name: &self.metadata.name,
                first: self.deprecated_first_timestamp,
                last: self.deprecated_last_timestamp,
                at: self.event_time,
                series: self.series.as_ref().map(|series| (series.last_observed_time, series.count)),
                count: self.deprecated_count,
                type_: &self.type_,
                reason: &self.reason,
                about: &self.regarding,
                source: &self.deprecated_source,
                controller: &self.reporting_controller,
                instance: &self.reporting_instance,
                message: &self.note,
            },
            now,
        )
    }
}

fn row(event: &Seen<'_>, now: Timestamp) -> Row {
    let whole = |time: MicroTime| Time::from(time.timestamp());
    let first = event.first.or_else(|| event.at.map(whole));
    let (last, count) = match event.series {
        Some((last, count)) => (last.map(whole), count),
        // Events that happened once have no count in the newer group.
        None => (event.last.or(first), if event.count == 0 { 1 } else { event.count }),
    };
    let kind = event.about.kind.to_lowercase();
    let object = match event.about.name.non_empty() {
        Some(name) => format!("{kind}/{name}"),
        None => kind,
    };
    let component = event.source.component.non_empty().unwrap_or(event.controller);
    let source = match event.source.host.non_empty().unwrap_or(event.instance).non_empty() {
        Some(host) => format!("{component}, {host}"),
        None => component.to_string(),
    };
    Row::new([
        since(last, now).into(),
        event.type_.into(),
        event.reason.into(),
        object.into(),
        (&event.about.field_path).into(),
        source.into(),
        event.message.trim().into(),
        since(first, now).into(),
        Cell::count(count),
        event.name.into(),
    ])
}
