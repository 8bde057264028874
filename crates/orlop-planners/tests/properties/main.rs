//! Properties that hold for every input.

mod rollout;
mod scaling;
mod world;
