//! [`Fork`]: trying things out.

use std::ops::{Deref, DerefMut};

use super::Engine;

/// An engine in which changes can be tried out: what is recorded is undone when the fork is dropped, unless
/// it is [committed](Self::commit). Forks nest.
///
/// Nothing is copied: a fork costs what is done in it, however large the cluster.
///
/// ```
/// # use std::sync::Arc;
/// # use orlop_model::core::v1::{Node, Pod};
/// # use orlop_scheduler::{Change, Engine, Profile};
/// # let node: Node = serde_json::from_value(serde_json::json!({
/// #     "metadata": {"name": "n1"},
/// #     "status": {"allocatable": {"cpu": "4", "memory": "8Gi", "pods": "110"}},
/// # }))?;
/// # let pod: Arc<Pod> = serde_json::from_value(serde_json::json!({
/// #     "metadata": {"name": "web", "namespace": "default"},
/// #     "spec": {"containers": [{"name": "c", "resources": {"requests": {"cpu": "6"}}}]},
/// # }))?;
/// let mut engine = Engine::new([Profile::kubernetes()], 7)?;
/// engine.record(Change::NodeAdded(Arc::new(node.clone())))?;
/// assert_eq!(engine.schedule(&pod).node(), None);
///
/// // Would it fit a node twice the size?
/// let mut bigger = node;
/// bigger.metadata.name = "n2".into();
/// bigger.status.allocatable.insert("cpu", "8".parse()?);
/// let mut what_if = engine.fork();
/// what_if.record(Change::NodeAdded(Arc::new(bigger)))?;
/// assert_eq!(what_if.schedule(&pod).node().unwrap(), "n2");
/// drop(what_if);
/// assert_eq!(engine.schedule(&pod).node(), None);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Fork<'a>(&'a mut Engine);

impl Fork<'_> {
    /// Keeps what was recorded (as part of the outer fork, if there is one).
    pub fn commit(self) {
        self.0.cluster.commit();
        std::mem::forget(self);
    }
}

impl Deref for Fork<'_> {
    type Target = Engine;

    fn deref(&self) -> &Engine {
        self.0
    }
}

impl DerefMut for Fork<'_> {
    fn deref_mut(&mut self) -> &mut Engine {
        self.0
    }
}

impl Drop for Fork<'_> {
    fn drop(&mut self) {
        self.0.cluster.revert();
    }
}

impl Engine {
    /// Begins to try things out.
    #[must_use]
    pub fn fork(&mut self) -> Fork<'_> {
        self.cluster.begin();
        Fork(self)
    }
}
