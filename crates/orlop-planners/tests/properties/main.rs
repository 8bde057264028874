//! Properties that hold for every input.

mod garbage;
mod jobs;
mod rollout;
mod scaling;
mod world;
