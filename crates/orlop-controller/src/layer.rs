//! [`Layered`]: a client with something around its writes.

use std::sync::Arc;

use async_trait::async_trait;
use orlop_client::{
    Client, DeleteOptions, Deleted, Draft, GetOptions, ListOptions, Patch, Record, RecordList, Result,
    Subresource, WatchOptions, WatchStream, WriteOptions,
};
use orlop_model::{KindInfo, ObjectKey};

/// A write that is about to be sent.
#[derive(Debug)]
pub(crate) struct Request<'a> {
    pub(crate) kind: &'a KindInfo,
    pub(crate) namespace: Option<&'a str>,
    pub(crate) dry_run: bool,
    /// Whether the answer is of the request's kind, and its resourceVersion that of the object.
    pub(crate) answers_object: bool,
}

/// What is done around each write of a client.
#[async_trait]
pub(crate) trait Layer: Send + Sync + 'static {
    /// Before it is sent. An error is its answer, and nothing is sent.
    async fn before(&self, request: &Request<'_>) -> Result<()>;

    /// After it was answered. An error takes the place of the answer.
    async fn after(
        &self,
        request: &Request<'_>,
        answer: std::result::Result<Option<&Arc<Record>>, &orlop_client::Error>,
    ) -> Result<()>;
}

/// A client with a layer around its writes. Reads pass through.
pub(crate) struct Layered<L> {
    pub(crate) client: Arc<dyn Client>,
    pub(crate) layer: L,
}

impl<L: Layer> Layered<L> {
    async fn around<T: Send>(
        &self,
        request: Request<'_>,
        write: impl Future<Output = Result<T>> + Send,
        record: impl for<'t> Fn(&'t T) -> Option<&'t Arc<Record>> + Send,
    ) -> Result<T> {
        self.layer.before(&request).await?;
        let result = write.await;
        self.layer.after(&request, result.as_ref().map(record)).await?;
        result
    }
}

const fn request<'a>(kind: &'a KindInfo, namespace: Option<&'a str>, dry_run: bool) -> Request<'a> {
    Request { kind, namespace, dry_run, answers_object: true }
}

#[async_trait]
impl<L: Layer> Client for Layered<L> {
    async fn get(&self, kind: &KindInfo, key: &ObjectKey, options: &GetOptions) -> Result<Arc<Record>> {
        self.client.get(kind, key, options).await
    }

    async fn list(
        &self,
        kind: &KindInfo,
        namespace: Option<&str>,
        options: &ListOptions,
    ) -> Result<RecordList> {
        self.client.list(kind, namespace, options).await
    }

    async fn watch(
        &self,
        kind: &KindInfo,
        namespace: Option<&str>,
        options: &WatchOptions,
    ) -> Result<WatchStream> {
        self.client.watch(kind, namespace, options).await
    }

    async fn create(
        &self,
        kind: &KindInfo,
        namespace: Option<&str>,
        draft: Draft,
        options: &WriteOptions,
    ) -> Result<Arc<Record>> {
        let write = self.client.create(kind, namespace, draft, options);
        self.around(request(kind, namespace, options.dry_run), write, |record| Some(record)).await
    }

    async fn update(
        &self,
        kind: &KindInfo,
        key: &ObjectKey,
        subresource: Subresource,
        draft: Draft,
        options: &WriteOptions,
    ) -> Result<Arc<Record>> {
        let write = self.client.update(kind, key, subresource, draft, options);
        let request = request(kind, key.namespace.as_deref(), options.dry_run);
        self.around(request, write, |record| Some(record)).await
    }

    async fn patch(
        &self,
        kind: &KindInfo,
        key: &ObjectKey,
        subresource: Subresource,
        patch: Patch,
        options: &WriteOptions,
    ) -> Result<Arc<Record>> {
        let write = self.client.patch(kind, key, subresource, patch, options);
        let request = request(kind, key.namespace.as_deref(), options.dry_run);
        self.around(request, write, |record| Some(record)).await
    }

    async fn post(
        &self,
        kind: &KindInfo,
        key: &ObjectKey,
        subresource: Subresource,
        draft: Draft,
        options: &WriteOptions,
    ) -> Result<Option<Arc<Record>>> {
        let write = self.client.post(kind, key, subresource, draft, options);
        let mut request = request(kind, key.namespace.as_deref(), options.dry_run);
        request.answers_object = false;
        self.around(request, write, Option::as_ref).await
    }

    async fn delete(&self, kind: &KindInfo, key: &ObjectKey, options: &DeleteOptions) -> Result<Deleted> {
        let write = self.client.delete(kind, key, options);
        let request = request(kind, key.namespace.as_deref(), options.dry_run);
        self.around(request, write, |deleted| Some(deleted.record())).await
    }
}
