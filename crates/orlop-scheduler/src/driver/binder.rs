//! [`Binder`]: makes a decision come true.

use std::sync::Arc;

use async_trait::async_trait;
use orlop_client::{Client, Draft, Result, Subresource, WriteOptions};
use orlop_model::core::v1::{Binding, ObjectReference, Pod};
use orlop_model::{ObjectKey, StaticKind};

/// Binds pods to nodes.
#[async_trait]
pub trait Binder: Send + Sync + 'static {
    /// Binds the pod to the node, once and for all.
    ///
    /// # Errors
    /// Those of the client; the decision is undone then and repeated after a back-off, unless the
    /// pod turns out to be gone or bound.
    async fn bind(&self, pod: &Pod, node: &str) -> Result<()>;
}

/// Binds through the pod's subresource `binding`, and only the very pod that was decided about.
pub struct PodBinding(Arc<dyn Client>);

impl PodBinding {
    /// Through this client.
    #[must_use]
    pub fn new(client: Arc<dyn Client>) -> Self {
        Self(client)
    }
}

impl std::fmt::Debug for PodBinding {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("PodBinding")
    }
}

#[async_trait]
impl Binder for PodBinding {
    async fn bind(&self, pod: &Pod, node: &str) -> Result<()> {
        let meta = &pod.metadata;
        let mut binding = Binding::default();
        binding.metadata.name = meta.name.clone();
        binding.metadata.namespace = meta.namespace.clone();
        // Another pod may have the name by now.
        binding.metadata.uid = meta.uid.clone();
        binding.target =
            ObjectReference { kind: "Node".into(), name: node.into(), ..ObjectReference::default() };
        let key = ObjectKey { namespace: Some(meta.namespace.clone()), name: meta.name.clone() };
        let options = WriteOptions::default();
        self.0.post(Pod::KIND, &key, Subresource::Binding, Draft::of(binding), &options).await.map(drop)
    }
}
