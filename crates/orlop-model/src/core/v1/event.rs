//! Events.

use super::ObjectReference;
use crate::{Extra, Message, MicroTime, Object, Str, Time};

/// The kind `Event` of `v1`.
#[derive(Clone, Debug, Default, PartialEq, Object)]
#[object(version = "v1", short = "ev")]
pub struct Event {
    #[wire(pb = 1)]
    pub metadata: crate::meta::v1::ObjectMeta,
    #[wire(pb = 2, map = "atomic")]
    pub involved_object: ObjectReference,
    #[wire(pb = 3)]
    pub reason: Str,
    #[wire(pb = 4)]
    pub message: Str,
    #[wire(pb = 5)]
    pub source: EventSource,
    #[wire(pb = 6, required)]
    pub first_timestamp: Option<Time>,
    #[wire(pb = 7, required)]
    pub last_timestamp: Option<Time>,
    #[wire(pb = 8)]
    pub count: i32,
    #[wire(pb = 9)]
    pub type_: Str,
    #[wire(pb = 10, required)]
    pub event_time: Option<MicroTime>,
    #[wire(pb = 11)]
    pub series: Option<Box<EventSeries>>,
    #[wire(pb = 12)]
    pub action: Str,
    #[wire(pb = 13, map = "atomic")]
    pub related: Option<Box<ObjectReference>>,
    #[wire(pb = 14, required)]
    pub reporting_component: Str,
    #[wire(pb = 15, required)]
    pub reporting_instance: Str,
    #[wire(extra)]
    pub extra: Extra,
}

/// `EventSeries` of `core/v1`.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct EventSeries {
    #[wire(pb = 1)]
    pub count: i32,
    #[wire(pb = 2, required)]
    pub last_observed_time: Option<MicroTime>,
    #[wire(extra)]
    pub extra: Extra,
}

/// `EventSource` of `core/v1`.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct EventSource {
    #[wire(pb = 1)]
    pub component: Str,
    #[wire(pb = 2)]
    pub host: Str,
    #[wire(extra)]
    pub extra: Extra,
}
