//! Properties that hold for every input.

mod garbage;
mod rollout;
mod scaling;
mod world;
