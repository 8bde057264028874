//! Deleting an object with what it owns.

use std::sync::Arc;
use std::time::Duration;

use orlop_client::{Api, Client, DeleteOptions, Named, Propagation, Result};
use orlop_model::{Object, StaticKind};

use super::wait::{self, WaitError};

/// What becomes of the objects that a deleted one owns.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Cascade {
    /// They are deleted after it, in the background.
    #[default]
    Background,
    /// They are deleted before it: it is gone when they are.
    Foreground,
    /// They stay, without an owner.
    Orphan,
}

impl From<Cascade> for Propagation {
    fn from(cascade: Cascade) -> Self {
        match cascade {
            Cascade::Background => Self::Background,
            Cascade::Foreground => Self::Foreground,
            Cascade::Orphan => Self::Orphan,
        }
    }
}

/// Asks for an object to be deleted, and gives it as it was.
///
/// # Errors
/// Not found, or whatever else the client says.
pub async fn start<K: Object>(api: &Api<K>, name: impl Named, cascade: Cascade) -> Result<Arc<K>> {
    let options = DeleteOptions::new().propagation(cascade.into());
    api.delete_with(name, &options).await?.record().get()
}

/// Deletes an object and waits until it is gone.
///
/// # Errors
/// [`WaitError::TimedOut`] after `limit`; not found, or whatever else the client says.
pub async fn run<K: StaticKind>(
    client: &Arc<dyn Client>,
    namespace: &str,
    name: &str,
    cascade: Cascade,
    limit: Duration,
) -> Result<(), WaitError> {
    let api = Api::<K>::namespaced(Arc::clone(client), namespace);
    let object = start(&api, name, cascade).await?;
    wait::gone(&api, &*object, limit).await
}
