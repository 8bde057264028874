//! Waiting for an object to come to be as wanted.

use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use orlop_client::{Api, Error, ListOptions, Named, Result, WatchEvent, WatchOptions};
use orlop_model::{Object, ObjectKey};

/// An object did not come to be as wanted in time.
#[derive(Debug, thiserror::Error)]
pub enum WaitError {
    /// Time is up.
    #[error("timed out waiting for the condition on {resource}/{key} after {limit:?}")]
    TimedOut {
        /// Plural and group.
        resource: String,
        /// Namespace and name.
        key: ObjectKey,
        /// The time allowed.
        limit: Duration,
    },
    /// The object could not be watched.
    #[error(transparent)]
    Client(#[from] Error),
}

/// Waits until `condition` holds of the object, which is `None` while there is none, and gives the object of that
/// moment. It follows a watch: nothing is asked for twice, and no change is missed.
///
/// # Errors
/// [`WaitError::TimedOut`] after `limit`; errors of the client that trying again does not help.
pub async fn until<K: Object>(
    api: &Api<K>,
    name: impl Named,
    limit: Duration,
    condition: impl FnMut(Option<&K>) -> bool,
) -> Result<Option<Arc<K>>, WaitError> {
    let name = name.to_key().name;
    let key = ObjectKey { namespace: api.namespace().map(Into::into), name };
    match tokio::time::timeout(limit, follow(api, &key, condition)).await {
        Ok(found) => Ok(found?),
        Err(_) => Err(WaitError::TimedOut { resource: api.kind().resource().into_owned(), key, limit }),
    }
}

/// Waits until there is no such object any more, or another one of the same name.
///
/// # Errors
/// As [`until`].
pub async fn gone<K: Object>(api: &Api<K>, object: &K, limit: Duration) -> Result<(), WaitError> {
    let uid = object.meta().uid.clone();
    until(api, object.key(), limit, |found| found.is_none_or(|found| found.meta().uid != uid)).await.map(drop)
}

async fn follow<K: Object>(
    api: &Api<K>,
    key: &ObjectKey,
    mut condition: impl FnMut(Option<&K>) -> bool,
) -> Result<Option<Arc<K>>> {
    let only = format!("metadata.name={}", key.name);
    loop {
        let listed = api.list(&ListOptions::new().fields(&only)).await?;
        let mut object = listed.items.into_iter().next();
        if condition(object.as_deref()) {
            return Ok(object);
        }
        let mut changes = api.watch(&WatchOptions::from(&*listed.resource_version).fields(&only)).await?;
        while let Some(change) = changes.next().await {
            object = match change {
                Ok(WatchEvent::Added(found) | WatchEvent::Modified(found)) => Some(found),
                Ok(WatchEvent::Deleted(_)) => None,
                Ok(WatchEvent::Bookmark { .. }) => continue,
                // The revision is gone: look again and go on from there.
                Err(Error::Expired { .. }) => break,
                Err(error) => return Err(error),
            };
            if condition(object.as_deref()) {
                return Ok(object);
            }
        }
    }
}
