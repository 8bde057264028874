//! A work queue for control loops: it says which key to look at next.
//!
//! A control loop is told over and over that something about an object changed, and wants to look at each object once,
//! later again if that failed, and never in two places at the same time. [`Queue`] keeps those promises: a key is in it
//! at most once, waits for its delay, is handed to one worker at a time and comes back if it was added meanwhile. It
//! knows nothing about what a key means.
//!
//! ```
//! use std::time::Duration;
//! use orlop_workqueue::Queue;
//!
//! # #[tokio::main(flavor = "current_thread", start_paused = true)]
//! # async fn main() {
//! let queue = Queue::new();
//! queue.add("web");
//! queue.add("web"); // already in
//! queue.add_after("nightly", Duration::from_secs(3600));
//!
//! let ticket = queue.get().await.expect("not shut down");
//! assert_eq!(*ticket.key(), "web");
//! queue.add("web"); // while it is worked on: comes back when the ticket is gone
//! assert!(queue.try_get().is_none());
//! ticket.retry(); // it failed: back-off, and the add above wants it at once
//!
//! let ticket = queue.get().await.expect("not shut down");
//! assert_eq!((*ticket.key(), ticket.failures()), ("web", 1));
//! ticket.forget();
//!
//! queue.drain().await;
//! let rest = queue.take_rest();
//! assert_eq!((rest[0].key, rest[0].due_in), ("nightly", Duration::from_secs(3600)));
//! # }
//! ```
//!
//! On request ([`Queue::builder`]) groups of keys take turns, the queue is bounded and refuses or drops what is beyond (or
//! who adds waits: [`Queue::add_wait`]), and it measures durations for [`Metrics`], which are client-go's. Threads wait as
//! well as futures ([`Queue::get_blocking`]), and several keys are added or taken together ([`Queue::add_many`],
//! [`Queue::get_many`]).
//!
//! # Cost
//!
//! An entry is 32 bytes besides the key, and some 20 in the index; a delay adds some 10. A key that is added, taken and
//! finished looks at the clock once, with delays or several priorities about two times, and copies the key once. Adding a
//! key that is in already copies nothing ([`Queue::add_ref`]).
//!
//! # Structure
//!
//! The rules are in one state machine without locks or waiting, which a specification model is checked against; the
//! queue puts a mutex around it and the waiting. That part is run under a schedule explorer
//! (`RUSTFLAGS='--cfg shuttle' cargo test -p orlop-workqueue --test shuttle`).

mod bound;
mod builder;
mod entry;
mod error;
mod inbox;
mod index;
mod limit;
mod metrics;
mod priority;
mod queue;
mod ready;
mod state;
mod sync;
mod ticket;
mod timers;
mod wait;
mod waiters;

pub use bound::Overflow;
pub use builder::Builder;
pub use error::Error;
pub use limit::{Bucket, Exponential, Fixed, Limit};
pub use metrics::{Histogram, Metrics};
pub use priority::Priority;
pub use queue::{Add, Pending, Queue};
pub use ticket::Ticket;
pub use wait::Get;

// The specification, and queues that count as long with few keys.
#[cfg(test)]
extern crate self as orlop_workqueue;
#[cfg(test)]
#[path = "../tests/queue/model.rs"]
mod model;
