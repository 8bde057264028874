//! [`Requeue`]: what the queue asks about pods.

use orlop_model::Str;
use orlop_model::core::v1::Pod;

use crate::framework::{ClusterEvent, Hint, Status};

/// What the queue asks about pods; an [`Engine`](crate::Engine) knows.
pub trait Requeue {
    /// Whether the pod may be queued at all. `last` is the plugin that kept it out the last time, and
    /// the first to be asked.
    ///
    /// # Errors
    /// What keeps it out.
    fn admit(&self, pod: &Pod, last: Option<&str>) -> Result<(), Gate>;

    /// Whether `event` may let in any pod that `plugin` turned down: a quick no spares the question for
    /// each of them.
    fn concerns(&self, plugin: &str, event: &ClusterEvent) -> bool;

    /// Whether `event` may let in pods that the plugin `gate` keeps out: they are asked about again.
    fn reopens(&self, gate: &str, event: &ClusterEvent) -> bool;

    /// Whether `event` may let in `pod`, which `plugin` turned down.
    fn hint(&self, plugin: &str, pod: &Pod, event: &ClusterEvent) -> Hint;
}

/// What keeps a pod out of the queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gate {
    /// The plugin.
    pub plugin: Str,
    /// Its answer.
    pub status: Status,
}

/// A plugin that turned a pod down.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Rejector {
    /// Its name.
    pub plugin: Str,
    /// Whether it answered [`Code::Pending`](crate::Code::Pending): an event that it waits for makes the
    /// pod ready at once, without a back-off.
    pub pending: bool,
}

impl From<Str> for Rejector {
    fn from(plugin: Str) -> Self {
        Self { plugin, pending: false }
    }
}

impl From<&str> for Rejector {
    fn from(plugin: &str) -> Self {
        Self { plugin: plugin.into(), pending: false }
    }
}
