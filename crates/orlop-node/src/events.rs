//! Events about pods and the node, as `kubectl describe` shows them.

use std::sync::Arc;

use orlop_client::Client;
use orlop_clock::Clock;
use orlop_controller::Recorder;
pub(crate) use orlop_model::core::v1::EventType;
use orlop_model::core::v1::{Node, ObjectReference, Pod};
use orlop_model::{Object, Str};

/// Tells events in the kubelet's name, without holding anybody up.
#[derive(Debug)]
pub(crate) struct Events {
    recorder: Recorder,
}

impl Events {
    pub(crate) fn new(client: Arc<dyn Client>, host: Str, clock: Arc<dyn Clock>) -> Self {
        Self { recorder: Recorder::builder(client, "kubelet").host(host).clock(clock).build() }
    }

    /// An event about a pod, or about one of its containers (`field` such as `spec.containers{web}`).
    pub(crate) fn pod(
        &self,
        pod: &Pod,
        field: &str,
        type_: EventType,
        reason: &'static str,
        message: impl Into<Str>,
    ) {
        let meta = &pod.metadata;
        let about = ObjectReference {
            api_version: "v1".into(),
            kind: "Pod".into(),
            namespace: meta.namespace.clone(),
            name: meta.name.clone(),
            uid: meta.uid.clone(),
            resource_version: meta.resource_version.clone(),
            field_path: field.into(),
            ..ObjectReference::default()
        };
        self.recorder.event_about(&about, type_, reason, message);
    }

    /// An event about the node.
    pub(crate) fn node(&self, node: &Node, type_: EventType, reason: &'static str, message: impl Into<Str>) {
        let about = ObjectReference {
            api_version: "v1".into(),
            kind: node.kind().kind.to_string().into(),
            name: node.metadata.name.clone(),
            uid: node.metadata.uid.clone(),
            ..ObjectReference::default()
        };
        self.recorder.event_about(&about, type_, reason, message);
    }

    /// Waits until what was told is written.
    pub(crate) async fn flush(&self) {
        self.recorder.flush().await;
    }
}
