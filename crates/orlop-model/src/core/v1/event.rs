//! Events.

use super::ObjectReference;
use crate::{Extra, Message, MicroTime, Object, Str, Time};

/// Report of something that happened to an object, kept for one hour by default.
///
/// The kind `Event` of `v1`: [API reference](https://kubernetes.io/docs/reference/generated/kubernetes-api/v1.36/#event-v1-core).
#[derive(Clone, Default, PartialEq, Object)]
#[object(version = "v1", short = "ev")]
#[wire(debug)]
pub struct Event {
    /// Standard object metadata; events reside in the namespace of their object, or in `default` for
    /// cluster-wide ones.
    #[wire(pb = 1, needed)]
    pub metadata: crate::meta::v1::ObjectMeta,
    /// Object the event is about.
    #[wire(pb = 2, needed, map = "atomic")]
    pub involved_object: ObjectReference,
    /// Brief cause in CamelCase fit for programs, such as `FailedScheduling`; clients of the newer events API
    /// are held to 128 characters.
    #[wire(pb = 3)]
    pub reason: Str,
    /// Human-readable description of what happened; clients of the newer events API are held to 1024
    /// characters.
    #[wire(pb = 4)]
    pub message: Str,
    /// Component that reported the event, in the older form; see also `reportingComponent`.
    #[wire(pb = 5)]
    pub source: EventSource,
    /// Time of the first occurrence, in whole seconds; left unset by clients of the newer events API.
    #[wire(pb = 6, required, plain, needless)]
    pub first_timestamp: Option<Time>,
    /// Time of the latest occurrence, in whole seconds; left unset by clients of the newer events API.
    #[wire(pb = 7, required, plain, needless)]
    pub last_timestamp: Option<Time>,
    /// How many times the event has occurred, in the older way of counting.
    #[wire(pb = 8)]
    pub count: i32,
    /// Severity class, `Normal` or `Warning`; more classes may come.
    #[wire(pb = 9)]
    pub type_: Str,
    /// Time of the first occurrence in microseconds, as recorded by clients of the newer events API.
    #[wire(pb = 10, required, plain, needless)]
    pub event_time: Option<MicroTime>,
    /// Repetition data when the event belongs to a series, unset for a single one.
    #[wire(pb = 11)]
    pub series: Option<Box<EventSeries>>,
    /// What the reporter did or tried to do, in CamelCase, such as `Binding`; at most 128 characters.
    #[wire(pb = 12)]
    pub action: Str,
    /// Second object taking part in the action, if any.
    #[wire(pb = 13, map = "atomic")]
    pub related: Option<Box<ObjectReference>>,
    /// Name of the controller that emitted the event, such as `kubernetes.io/kubelet`.
    #[wire(pb = 14, required, needless)]
    pub reporting_component: Str,
    /// Instance of the controller, such as its pod name or host; at most 128 characters.
    #[wire(pb = 15, required, needless)]
    pub reporting_instance: Str,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// Counter of an event that keeps recurring.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct EventSeries {
    /// Number of occurrences in the series up to `lastObservedTime`.
    #[wire(pb = 1)]
    pub count: i32,
    /// Time of the latest recorded occurrence, in microseconds.
    #[wire(pb = 2, required, plain, needless)]
    pub last_observed_time: Option<MicroTime>,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// Reporter of an event, in the older form.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct EventSource {
    /// Name of the reporting component, such as `kubelet` or `default-scheduler`.
    #[wire(pb = 1)]
    pub component: Str,
    /// Node from which the event was reported, empty for cluster-wide components.
    #[wire(pb = 2)]
    pub host: Str,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// Whether what an event tells is as it should be: the values of its `type`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EventType {
    /// It is.
    Normal,
    /// Something is wrong.
    Warning,
}

impl EventType {
    /// `Normal` or `Warning`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Normal => "Normal",
            Self::Warning => "Warning",
        }
    }
}
