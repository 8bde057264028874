//! The trait [`Client`].

use std::sync::Arc;

use async_trait::async_trait;
use orlop_model::{KindInfo, ObjectKey};

use crate::{
    DeleteOptions, Deleted, Draft, GetOptions, ListOptions, Patch, Record, RecordList, Result, Subresource,
    WatchOptions, WatchStream, WriteOptions,
};

/// The verbs of a Kubernetes API over any kind, object-safe: local over a store, remote over HTTP, recording, faulty.
///
/// Callers mostly hold an [`Api<K>`](crate::Api) instead, the typed handle over an `Arc<dyn Client>`.
///
/// # Contract
/// - `namespace: None` means every namespace of a namespaced kind (list, watch, delete_collection), and is the only
///   valid value for a cluster-scoped kind.
/// - An answer is an `Arc<Record>` which the caller shares with everybody else: nobody changes it.
/// - Each write is one revision. It is refused with [`Error::Conflict`](crate::Error::Conflict) if the draft carries a
///   resourceVersion that is not the stored one; a draft without one overwrites whatever is there.
/// - A write that changes nothing succeeds, leaves the resourceVersion alone and wakes no watcher.
/// - Dropping a future at any await leaves the object as it was or with the write done as a whole.
/// - A watch from resourceVersion *r* gives every later change exactly once and in order, or ends with
///   [`Error::Expired`](crate::Error::Expired): then list again.
///
/// Every implementation passes the suite in `orlop_client::conformance` (feature `conformance`).
#[async_trait]
pub trait Client: Send + Sync + 'static {
    /// One object, or one of its subresources ([`GetOptions::subresource`]).
    async fn get(&self, kind: &KindInfo, key: &ObjectKey, options: &GetOptions) -> Result<Arc<Record>>;

    /// The objects of one namespace or of all, sorted by the text `namespace/name`, as they were at one revision.
    async fn list(
        &self,
        kind: &KindInfo,
        namespace: Option<&str>,
        options: &ListOptions,
    ) -> Result<RecordList>;

    /// Changes of the objects of one namespace or of all.
    ///
    /// Errors that are known at once (bad selectors, an expired revision) may come from this call or as first item of
    /// the stream; a caller treats both alike.
    async fn watch(
        &self,
        kind: &KindInfo,
        namespace: Option<&str>,
        options: &WatchOptions,
    ) -> Result<WatchStream>;

    /// Stores a new object and answers it as stored: defaulted, with uid, creationTimestamp, resourceVersion, and a
    /// name made from `generateName` where none is given.
    async fn create(
        &self,
        kind: &KindInfo,
        namespace: Option<&str>,
        draft: Draft,
        options: &WriteOptions,
    ) -> Result<Arc<Record>>;

    /// Replaces an object, or what its subresource covers.
    ///
    /// [`Subresource::Main`] leaves the status as it is, [`Subresource::Status`] everything but the status and the
    /// metadata that users own; [`Subresource::Scale`] takes and answers a `Scale` of `autoscaling/v1`.
    async fn update(
        &self,
        kind: &KindInfo,
        key: &ObjectKey,
        subresource: Subresource,
        draft: Draft,
        options: &WriteOptions,
    ) -> Result<Arc<Record>>;

    /// Changes an object, or what its subresource covers, as the patch says.
    async fn patch(
        &self,
        kind: &KindInfo,
        key: &ObjectKey,
        subresource: Subresource,
        patch: Patch,
        options: &WriteOptions,
    ) -> Result<Arc<Record>>;

    /// Posts to a subresource: a `Binding` to [`Subresource::Binding`], an `Eviction` to [`Subresource::Eviction`].
    ///
    /// Answers the object the server answers, or `None` where that is a mere success.
    async fn post(
        &self,
        kind: &KindInfo,
        key: &ObjectKey,
        subresource: Subresource,
        draft: Draft,
        options: &WriteOptions,
    ) -> Result<Option<Arc<Record>>>;

    /// Removes an object, or marks it as being deleted where finalizers or a grace period hold it.
    async fn delete(&self, kind: &KindInfo, key: &ObjectKey, options: &DeleteOptions) -> Result<Deleted>;

    /// Deletes what a list with these options would give, one by one; answers what was deleted.
    ///
    /// Objects that vanish meanwhile are passed over. A failure ends the call; what was deleted stays so.
    async fn delete_collection(
        &self,
        kind: &KindInfo,
        namespace: Option<&str>,
        list: &ListOptions,
        options: &DeleteOptions,
    ) -> Result<Vec<Deleted>> {
        let mut deleted = Vec::new();
        let mut page = list.clone();
        loop {
            let listed = self.list(kind, namespace, &page).await?;
            for record in &listed.items {
                match self.delete(kind, &record.key(), options).await {
                    Ok(one) => deleted.push(one),
                    Err(error) if error.is_not_found() => {}
                    Err(error) => return Err(error),
                }
            }
            if listed.continue_.is_empty() {
                return Ok(deleted);
            }
            page = ListOptions {
                continue_: listed.continue_,
                resource_version: String::new(),
                match_: None,
                ..page
            };
        }
    }
}
