//! Properties that hold for every input.

mod garbage;
mod jobs;
mod nodes;
mod rollout;
mod scaling;
mod world;
