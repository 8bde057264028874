//! What the benchmarks have in common: CPU time as criterion's measure, the pods that every peer
//! was measured with, and the table at the end.
//!
//! A benchmark run in full takes minutes; `ORLOP_BENCH=quick`, `--quick` or `--test` make it a
//! matter of seconds, on smaller inputs, which the names of the workloads then say.

mod bench;
mod cpu;
mod plot;
pub mod pods;
mod summary;

pub use bench::Bench;
pub use cpu::{CpuClock, CpuTime};
pub use plot::Plot;
pub use summary::{Peer, Row};
