//! Time and randomness as arguments.
//!
//! Code that decides something never asks the system for the time or for a random number: it is
//! given a [`Clock`] or a [`Timestamp`], and a [`Random`]. The same inputs then give the same
//! decision, a test can move time at will, and a whole cluster can be replayed from one seed.
//!
//! ```
//! use std::time::Duration;
//! use orlop_clock::{Clock, ManualClock, Random, Timestamp};
//!
//! fn is_stale(renewed: Timestamp, clock: &dyn Clock) -> bool {
//!     clock.now().duration_since(renewed).as_secs() >= 15
//! }
//!
//! let clock = ManualClock::default();
//! let renewed = clock.now();
//! assert!(!is_stale(renewed, &clock));
//! clock.advance(Duration::from_secs(15));
//! assert!(is_stale(renewed, &clock));
//!
//! // Two streams of one seed: reproducible, and independent of each other.
//! let (names, uids) = (Random::new(7).fork("names"), Random::new(7).fork("uids"));
//! let name = format!("web-{}", names.name_suffix());
//! assert_eq!(name.len(), "web-".len() + 5);
//! assert_eq!(uids.uid(), Random::new(7).fork("uids").uid());
//! ```
//!
//! At the edge of a program stand [`SystemClock`] and [`Random::from_entropy`]; nothing below asks
//! for them itself.

mod clock;
mod manual;
mod random;
#[cfg(feature = "tokio")]
mod tokio;

pub use clock::{Clock, SystemClock};
pub use jiff::Timestamp;
pub use manual::ManualClock;
pub use random::Random;

#[cfg(feature = "tokio")]
pub use crate::tokio::TokioClock;
