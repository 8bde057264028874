//! Events as they are written.

use orlop_clock::Timestamp;
use orlop_model::core::v1::{self as core, EventSource};
use orlop_model::events::v1 as events;
use orlop_model::{MicroTime, Str, Time};

use super::correlator::Correlated;
use super::writer::EventDraft;

/// Longest text of an event of `events.k8s.io`, in bytes.
const NOTE: usize = 1024;

/// In which of Kubernetes' two forms events are written. `kubectl` shows both.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum EventFormat {
    /// `v1`, as most of Kubernetes' components: events of one text are counted, similar ones combined, each is written.
    #[default]
    Core,
    /// `events.k8s.io/v1`, as kube-scheduler: the first is written, then the second, then their number now and then.
    Series,
}

/// Who tells events.
#[derive(Clone, Debug)]
pub(super) struct Reporter {
    pub(super) component: Str,
    pub(super) host: Str,
}

/// Where an event about that object lives: events about objects of the cluster are where people look for them.
pub(super) fn namespace(draft: &EventDraft) -> Str {
    draft.about.namespace.non_empty().cloned().unwrap_or_else(|| "default".into())
}

pub(super) fn core(reporter: &Reporter, draft: &EventDraft, name: Str, counted: &Correlated) -> core::Event {
    let mut event = core::Event {
        involved_object: draft.about.clone(),
        related: draft.related.clone().map(Box::new),
        reason: draft.reason.clone(),
        action: draft.action.clone(),
        message: counted.message.clone(),
        source: EventSource {
            component: reporter.component.clone(),
            host: reporter.host.clone(),
            ..EventSource::default()
        },
        first_timestamp: Some(Time::from(counted.first)),
        last_timestamp: Some(Time::from(draft.at)),
        count: counted.count,
        type_: draft.type_.as_str().into(),
        reporting_component: reporter.component.clone(),
        reporting_instance: reporter.host.clone(),
        ..core::Event::default()
    };
    event.metadata.name = name;
    event.metadata.namespace = namespace(draft);
    event
}

pub(super) fn event(
    reporter: &Reporter,
    draft: &EventDraft,
    name: Str,
    series: Option<(i32, Timestamp)>,
) -> events::Event {
    let instance = if reporter.host.is_empty() { &reporter.component } else { &reporter.host };
    let mut event = events::Event {
        event_time: Some(MicroTime::from(draft.at)),
        series: series.map(|(count, last)| {
            Box::new(events::EventSeries {
                count,
                last_observed_time: Some(MicroTime::from(last)),
                ..events::EventSeries::default()
            })
        }),
        reporting_controller: reporter.component.clone(),
        reporting_instance: instance.clone(),
        action: draft.action.non_empty().unwrap_or(&draft.reason).clone(),
        reason: draft.reason.clone(),
        regarding: draft.about.clone(),
        related: draft.related.clone().map(Box::new),
        note: cut(&draft.message),
        type_: draft.type_.as_str().into(),
        ..events::Event::default()
    };
    event.metadata.name = name;
    event.metadata.namespace = namespace(draft);
    event
}

/// At most [`NOTE`] bytes, ending in ` ...` where something was left out.
fn cut(message: &Str) -> Str {
    const DOTS: &str = " ...";
    if message.len() <= NOTE {
        return message.clone();
    }
    let end = (0..=NOTE - DOTS.len()).rev().find(|&end| message.is_char_boundary(end)).unwrap_or(0);
    format!("{}{DOTS}", &message[..end]).into()
}
