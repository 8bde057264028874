//! The loop that connects a [`Scheduler`](crate::Scheduler) to informers and a client.
//!
//! ```
//! # use std::sync::Arc;
//! # use orlop_cache::Informer;
//! # use orlop_client::{Api, Client};
//! # use orlop_clock::Clock;
//! # use orlop_controller::Recorder;
//! # use orlop_model::core::v1::{Node, Pod};
//! # use orlop_scheduler::driver::{ClientActuator, Driver, Sources};
//! # use orlop_scheduler::{Engine, Profile, ProfileError, Scheduler, SchedulingQueue};
//! # use tokio_util::sync::CancellationToken;
//! # async fn run(client: Arc<dyn Client>, clock: Arc<dyn Clock>) -> Result<(), ProfileError> {
//! let stop = CancellationToken::new();
//! let pods = Informer::builder(Api::<Pod>::all(Arc::clone(&client))).build();
//! let nodes = Informer::builder(Api::<Node>::all(Arc::clone(&client))).build();
//! let sources = Sources::new(pods.store().clone(), nodes.store().clone());
//! let _running = (pods.spawn(stop.clone()), nodes.spawn(stop.clone()));
//!
//! let engine = Engine::new([Profile::kubernetes()], 1)?;
//! let scheduler: Scheduler = Scheduler::new(engine, SchedulingQueue::default());
//! let events = Recorder::new(Arc::clone(&client), Arc::clone(&clock), "default-scheduler");
//! let actuator = ClientActuator::new(client).events(events);
//! Driver::new(scheduler, sources, actuator, clock).run(stop).await;
//! # Ok(())
//! # }
//! ```

mod actuator;
mod cycle;
mod metrics;
mod report;
mod run;
mod sources;
mod storage;
mod volumes;

pub use actuator::{Actuator, ClientActuator, EventSink, Eviction, Note, Unscheduled};
pub use metrics::{AttemptResult, Durations, SchedulerMetrics};
pub use run::{Driver, DriverOptions, SchedulerHandle};
pub use sources::Sources;
pub use storage::StorageSources;
