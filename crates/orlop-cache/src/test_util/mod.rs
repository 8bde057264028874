//! Sources for tests (feature `test-util`): [`Source`] has a history that a test writes, and [`Faulty`] makes any client
//! do wrong what a client can do wrong. Both draw from a [`Random`](orlop_clock::Random): one seed, one course of events.
//! Under tokio's paused clock waits and time-outs take no time.

mod faulty;
mod source;

pub use faulty::{Faults, Faulty};
pub use source::Source;
