//! The network between a simulated node and the API server.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use orlop_cache::Signal;
use orlop_client::{
    Client, DeleteOptions, Deleted, Draft, GetOptions, ListOptions, Patch, Record, RecordList, Result,
    Subresource, WatchOptions, WatchStream, WriteOptions,
};
use orlop_model::{KindInfo, ObjectKey};

/// A client that answers only while its node is connected; calls made meanwhile wait.
///
/// [`SimRuntime::link`](super::SimRuntime::link) makes one for a node.
pub struct Link {
    client: Arc<dyn Client>,
    up: Arc<Signal<bool>>,
}

impl Link {
    pub(crate) fn new(client: Arc<dyn Client>, up: Arc<Signal<bool>>) -> Self {
        Self { client, up }
    }

    async fn up(&self) -> &dyn Client {
        self.up.wait_for(|up| up.then_some(())).await;
        &*self.client
    }
}

impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Link(up: {})", self.up.with(|up| *up))
    }
}

#[async_trait]
impl Client for Link {
    async fn get(&self, kind: &KindInfo, key: &ObjectKey, options: &GetOptions) -> Result<Arc<Record>> {
        self.up().await.get(kind, key, options).await
    }

    async fn list(
        &self,
        kind: &KindInfo,
        namespace: Option<&str>,
        options: &ListOptions,
    ) -> Result<RecordList> {
        self.up().await.list(kind, namespace, options).await
    }

    async fn watch(
        &self,
        kind: &KindInfo,
        namespace: Option<&str>,
        options: &WatchOptions,
    ) -> Result<WatchStream> {
        self.up().await.watch(kind, namespace, options).await
    }

    async fn create(
        &self,
        kind: &KindInfo,
        namespace: Option<&str>,
        draft: Draft,
        options: &WriteOptions,
    ) -> Result<Arc<Record>> {
        self.up().await.create(kind, namespace, draft, options).await
    }

    async fn update(
        &self,
        kind: &KindInfo,
        key: &ObjectKey,
        subresource: Subresource,
        draft: Draft,
        options: &WriteOptions,
    ) -> Result<Arc<Record>> {
        self.up().await.update(kind, key, subresource, draft, options).await
    }

    async fn patch(
        &self,
        kind: &KindInfo,
        key: &ObjectKey,
        subresource: Subresource,
        patch: Patch,
        options: &WriteOptions,
    ) -> Result<Arc<Record>> {
        self.up().await.patch(kind, key, subresource, patch, options).await
    }

    async fn post(
        &self,
        kind: &KindInfo,
        key: &ObjectKey,
        subresource: Subresource,
        draft: Draft,
        options: &WriteOptions,
    ) -> Result<Option<Arc<Record>>> {
        self.up().await.post(kind, key, subresource, draft, options).await
    }

    async fn delete(&self, kind: &KindInfo, key: &ObjectKey, options: &DeleteOptions) -> Result<Deleted> {
        self.up().await.delete(kind, key, options).await
    }
}
