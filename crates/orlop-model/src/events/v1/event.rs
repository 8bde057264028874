//! Events.

use crate::{Extra, Message, MicroTime, Object, Str, Time};

/// Report of something that happened in the cluster; informational, best effort and kept only for a limited
/// time.
///
/// The kind `Event` of `events.k8s.io/v1`: [API reference](https://kubernetes.io/docs/reference/generated/kubernetes-api/v1.36/#event-v1-events).
#[derive(Clone, Default, PartialEq, Object)]
#[object(group = "events.k8s.io", version = "v1", short = "ev")]
#[wire(debug)]
pub struct Event {
    /// Identity of the event; its namespace is normally that of the object concerned.
    #[wire(pb = 1)]
    pub metadata: crate::meta::v1::ObjectMeta,
    /// When the event was first observed, with microsecond precision; required for new events.
    #[wire(pb = 2, required, plain)]
    pub event_time: Option<MicroTime>,
    /// Repetition data if the event continues a series; unset for a single occurrence.
    #[wire(pb = 3)]
    pub series: Option<Box<EventSeries>>,
    /// Name of the reporting component, such as `kubernetes.io/kubelet`; required for new events.
    #[wire(pb = 4)]
    pub reporting_controller: Str,
    /// Identifies the reporting process, such as `kubelet-xyz`; required for new events, at most 128
    /// characters.
    #[wire(pb = 5)]
    pub reporting_instance: Str,
    /// What was done or went wrong with the regarded object, machine-readable; at most 128 characters.
    #[wire(pb = 6)]
    pub action: Str,
    /// Machine-readable word for why the action was taken; at most 128 characters, required for new events.
    #[wire(pb = 7)]
    pub reason: Str,
    /// Object the event is about, mostly the one the reporting controller looks after.
    #[wire(pb = 8, map = "atomic")]
    pub regarding: crate::core::v1::ObjectReference,
    /// Second object involved in a more complex action, such as one that was created or removed.
    #[wire(pb = 9, map = "atomic")]
    pub related: Option<Box<crate::core::v1::ObjectReference>>,
    /// Description for people, at most 1 KiB.
    #[wire(pb = 10)]
    pub note: Str,
    /// Severity class: `Normal` or `Warning`; others may be added in future.
    #[wire(pb = 11)]
    pub type_: Str,
    /// Reporter in the form of the core event type, kept for compatibility.
    #[wire(pb = 12)]
    pub deprecated_source: crate::core::v1::EventSource,
    /// First occurrence in the form of the core event type, kept for compatibility.
    #[wire(pb = 13, required, plain, needless)]
    pub deprecated_first_timestamp: Option<Time>,
    /// Most recent occurrence in the form of the core event type, kept for compatibility.
    #[wire(pb = 14, required, plain, needless)]
    pub deprecated_last_timestamp: Option<Time>,
    /// Number of occurrences in the form of the core event type, kept for compatibility.
    #[wire(pb = 15)]
    pub deprecated_count: i32,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// Count and time of an event that has occurred repeatedly.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct EventSeries {
    /// Occurrences in the series so far, at least 2.
    #[wire(pb = 1, required)]
    pub count: i32,
    /// Most recent occurrence in the series, with microsecond precision.
    #[wire(pb = 2, required, plain)]
    pub last_observed_time: Option<MicroTime>,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}
