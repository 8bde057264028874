//! [`Forward`]: a client around another one.

use std::sync::Arc;

use async_trait::async_trait;
use orlop_model::{KindInfo, ObjectKey};

use crate::{
    Client, DeleteOptions, Deleted, Draft, Error, GetOptions, ListOptions, Patch, Record, RecordList, Result,
    Subresource, WatchOptions, WatchStream, WriteOptions,
};

/// What is asked of a [`Client`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Verb {
    /// [`Client::get`].
    Get,
    /// [`Client::list`].
    List,
    /// [`Client::watch`].
    Watch,
    /// [`Client::create`].
    Create,
    /// [`Client::update`].
    Update,
    /// [`Client::patch`].
    Patch,
    /// [`Client::post`].
    Post,
    /// [`Client::delete`].
    Delete,
}

impl Verb {
    /// Whether it changes something.
    #[must_use]
    pub const fn writes(self) -> bool {
        !matches!(self, Self::Get | Self::List | Self::Watch)
    }
}

/// A request on its way through a [`Forward`].
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Request<'a> {
    /// What is asked.
    pub verb: Verb,
    /// Of which kind.
    pub kind: &'a KindInfo,
    /// In which namespace, if in one.
    pub namespace: Option<&'a str>,
    /// For which object, if it is known: not for lists, watches and what is created.
    pub name: Option<&'a str>,
    /// Whether nothing is to be stored.
    pub dry_run: bool,
}

impl<'a> Request<'a> {
    const fn of_kind(verb: Verb, kind: &'a KindInfo, namespace: Option<&'a str>) -> Self {
        Self { verb, kind, namespace, name: None, dry_run: false }
    }

    fn of_object(verb: Verb, kind: &'a KindInfo, key: &'a ObjectKey) -> Self {
        let (namespace, name) = (key.namespace.as_deref(), Some(&*key.name));
        Self { verb, kind, namespace, name, dry_run: false }
    }

    const fn dry(self, dry_run: bool) -> Self {
        Self { dry_run, ..self }
    }
}

/// The answer to a request, as far as it is of interest: the object, if it was answered by one.
pub type Answer<'a> = std::result::Result<Option<&'a Arc<Record>>, &'a Error>;

/// A client that passes on to another one what it is asked, and does something before and after. Whatever implements
/// this is a [`Client`].
///
/// ```
/// use std::sync::Arc;
/// use std::sync::atomic::{AtomicUsize, Ordering};
/// use async_trait::async_trait;
/// use orlop_client::{Client, Forward, Request, Result};
///
/// /// Counts writes.
/// struct Counting { client: Arc<dyn Client>, writes: AtomicUsize }
///
/// #[async_trait]
/// impl Forward for Counting {
///     fn inner(&self) -> &dyn Client {
///         &*self.client
///     }
///
///     async fn before(&self, request: &Request<'_>) -> Result<()> {
///         self.writes.fetch_add(usize::from(request.verb.writes()), Ordering::Relaxed);
///         Ok(())
///     }
/// }
///
/// fn counting(client: Arc<dyn Client>) -> Arc<dyn Client> {
///     Arc::new(Counting { client, writes: AtomicUsize::new(0) })
/// }
/// ```
#[async_trait]
pub trait Forward: Send + Sync + 'static {
    /// The client that is asked in the end.
    fn inner(&self) -> &dyn Client;

    /// Is called before a request is passed on. An error is its answer, and nothing is passed on.
    async fn before(&self, request: &Request<'_>) -> Result<()> {
        let _ = request;
        Ok(())
    }

    /// Is called after a request was answered. An error takes the place of the answer.
    async fn after(&self, request: &Request<'_>, answer: Answer<'_>) -> Result<()> {
        let _ = (request, answer);
        Ok(())
    }

    /// Passes on a list.
    async fn pass_list(
        &self,
        kind: &KindInfo,
        namespace: Option<&str>,
        options: &ListOptions,
    ) -> Result<RecordList> {
        self.inner().list(kind, namespace, options).await
    }

    /// Passes on a watch.
    async fn pass_watch(
        &self,
        kind: &KindInfo,
        namespace: Option<&str>,
        options: &WatchOptions,
    ) -> Result<WatchStream> {
        self.inner().watch(kind, namespace, options).await
    }
}

async fn around<F: Forward, T: Send + Sync>(
    forward: &F,
    request: Request<'_>,
    passed: impl Future<Output = Result<T>> + Send,
    record: impl for<'t> Fn(&'t T) -> Option<&'t Arc<Record>> + Send,
) -> Result<T> {
    forward.before(&request).await?;
    let result = passed.await;
    forward.after(&request, result.as_ref().map(record)).await?;
    result
}

#[async_trait]
impl<F: Forward> Client for F {
    async fn get(&self, kind: &KindInfo, key: &ObjectKey, options: &GetOptions) -> Result<Arc<Record>> {
        let request = Request::of_object(Verb::Get, kind, key);
        around(self, request, self.inner().get(kind, key, options), |record| Some(record)).await
    }

    async fn list(
        &self,
        kind: &KindInfo,
        namespace: Option<&str>,
        options: &ListOptions,
    ) -> Result<RecordList> {
        let request = Request::of_kind(Verb::List, kind, namespace);
        around(self, request, self.pass_list(kind, namespace, options), |_| None).await
    }

    async fn watch(
        &self,
        kind: &KindInfo,
        namespace: Option<&str>,
        options: &WatchOptions,
    ) -> Result<WatchStream> {
        let request = Request::of_kind(Verb::Watch, kind, namespace);
        self.before(&request).await?;
        let result = self.pass_watch(kind, namespace, options).await;
        self.after(&request, result.as_ref().map(|_| None)).await?;
        result
    }

    async fn create(
        &self,
        kind: &KindInfo,
        namespace: Option<&str>,
        draft: Draft,
        options: &WriteOptions,
    ) -> Result<Arc<Record>> {
        let request = Request::of_kind(Verb::Create, kind, namespace).dry(options.dry_run);
        let passed = self.inner().create(kind, namespace, draft, options);
        around(self, request, passed, |record| Some(record)).await
    }

    async fn update(
        &self,
        kind: &KindInfo,
        key: &ObjectKey,
        subresource: Subresource,
        draft: Draft,
        options: &WriteOptions,
    ) -> Result<Arc<Record>> {
        let request = Request::of_object(Verb::Update, kind, key).dry(options.dry_run);
        let passed = self.inner().update(kind, key, subresource, draft, options);
        around(self, request, passed, |record| Some(record)).await
    }

    async fn patch(
        &self,
        kind: &KindInfo,
        key: &ObjectKey,
        subresource: Subresource,
        patch: Patch,
        options: &WriteOptions,
    ) -> Result<Arc<Record>> {
        let request = Request::of_object(Verb::Patch, kind, key).dry(options.dry_run);
        let passed = self.inner().patch(kind, key, subresource, patch, options);
        around(self, request, passed, |record| Some(record)).await
    }

    async fn post(
        &self,
        kind: &KindInfo,
        key: &ObjectKey,
        subresource: Subresource,
        draft: Draft,
        options: &WriteOptions,
    ) -> Result<Option<Arc<Record>>> {
        let request = Request::of_object(Verb::Post, kind, key).dry(options.dry_run);
        let passed = self.inner().post(kind, key, subresource, draft, options);
        around(self, request, passed, Option::as_ref).await
    }

    async fn delete(&self, kind: &KindInfo, key: &ObjectKey, options: &DeleteOptions) -> Result<Deleted> {
        let request = Request::of_object(Verb::Delete, kind, key).dry(options.dry_run);
        around(self, request, self.inner().delete(kind, key, options), |deleted| Some(deleted.record())).await
    }
}
