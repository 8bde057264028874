//! The loop that connects a [`Scheduler`](crate::Scheduler) to informers and a client.

mod binder;
mod report;
mod run;
mod sources;

pub use binder::{Binder, PodBinding};
pub use report::{EventSink, NoEvents};
pub use run::{Driver, DriverOptions, SchedulerHandle};
pub use sources::Sources;
