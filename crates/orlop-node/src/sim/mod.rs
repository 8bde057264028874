//! Simulated nodes: a [`PodRuntime`](crate::PodRuntime) that runs nothing, and does with it whatever real ones do.
//!
//! Containers take time to start and to stop, end, crash, run out of memory, fail their probes; images take time to come
//! or do not exist; nodes lose their network ([`SimRuntime::disconnect`]) or their power ([`SimRuntime::power_off`]).
//! All of it follows from a seed and from scripts ([`Behaviour`]), and happens in tokio's time, which may be paused. A
//! container costs a few kilobytes and no task.
//!
//! What a container does is decided in this order, later words beating earlier ones:
//! 1. Its place: plain init containers end well after a second or so, containers of pods that are not restarted always
//!    (jobs) after some three; all others run until they are stopped.
//! 2. Its command, where it is `true`, `false`, `sleep N`, or a plain `sh -c` of `sleep N` and `exit N`.
//! 3. Its image's tag, by the built-in words:
//!
//!    | tag | script |
//!    | --- | --- |
//!    | `crash` | `exit=1@1s` |
//!    | `fail` | `exit=1@0s` |
//!    | `done` | `exit=0@1s` |
//!    | `oom` | `oom@2s` |
//!    | `slow` | `start=5s,ready=10s` |
//!    | `unready` | `ready=never` |
//!    | `sick` | `live=10s` |
//!    | `stubborn` | `stop=never` |
//!    | `missing`, `does-not-exist`, `nonexistent` | `pull=missing` |
//!    | `flaky` | `pull=fail*2` |
//! 4. The caller's own scripts by image ([`SimOptions::script`]).
//! 5. The pod's annotations `sim.orlop.dev/behaviour` and `sim.orlop.dev/behaviour.CONTAINER`.
//!
//! ```
//! use orlop_node::sim::Behaviour;
//!
//! let mut behaviour = Behaviour::default();
//! behaviour.apply("start=2s,exit=1@5s,times=3,ready=1s")?;
//! assert!(behaviour.apply("exit=often").is_err());
//! # Ok::<(), orlop_node::sim::ScriptError>(())
//! ```

mod behaviour;
mod link;
mod options;
mod runtime;
mod state;

pub use behaviour::{Behaviour, End, Pull, ScriptError};
pub use link::Link;
pub use options::SimOptions;
pub use runtime::SimRuntime;
