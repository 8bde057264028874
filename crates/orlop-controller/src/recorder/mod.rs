//! Events about objects, as `kubectl describe` shows them.

mod bounded;
mod correlator;
mod format;
mod series;
mod writer;

pub use format::EventFormat;
pub use writer::{Builder, EventDraft, Recorder};
