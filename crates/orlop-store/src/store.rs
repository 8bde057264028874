use std::fmt::Debug;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use crate::{At, Committed, Key, KeyRange, LeaseId, Listing, Page, Record, Result, Revision, Txn, Watch};

/// A store of records with a history.
///
/// What every implementation has to keep:
/// - Transactions are strictly serializable: they happen one after the other, each between its
///   call and its answer, and a read [`At::Latest`] sees all that were answered before it began.
/// - Revisions are store-wide, strictly increasing, never used twice and never taken back.
/// - An event reaches a watch only after reads can see its revision.
/// - Dropping the future of an operation leaves it done or not done, never half.
///
/// The suite `conformance` (behind the feature of that name) checks an implementation against all
/// of this.
#[async_trait]
pub trait Store: Debug + Send + Sync + 'static {
    /// The record of a key, or `None` if the key does not exist in the state asked for.
    ///
    /// # Errors
    /// [`Future`](crate::Error::Future), [`Expired`](crate::Error::Expired).
    async fn get(&self, key: &Key, at: At) -> Result<Option<Arc<Record>>>;

    /// The records of a range, all of one revision, in the order of their keys.
    ///
    /// # Errors
    /// [`Future`](crate::Error::Future), [`Expired`](crate::Error::Expired).
    async fn list(&self, range: &KeyRange, at: At, page: Page) -> Result<Listing>;

    /// Does a transaction as a whole or not at all.
    ///
    /// # Errors
    /// [`Conflict`](crate::Error::Conflict) with the present records,
    /// [`DuplicateKey`](crate::Error::DuplicateKey), [`UnknownLease`](crate::Error::UnknownLease).
    async fn commit(&self, txn: Txn) -> Result<Committed>;

    /// Every change of the range after revision `from`, see [`Watch`]. A `from` that the store has
    /// not reached waits for it; the changes up to it are not delivered.
    fn watch(&self, range: &KeyRange, from: Revision) -> Watch;

    /// The revision of the last transaction that changed something.
    ///
    /// # Errors
    /// Only those of the backend.
    async fn revision(&self) -> Result<Revision>;

    /// Waits until the store has come to this revision, and answers where it is then.
    ///
    /// # Errors
    /// Only those of the backend, and [`Closed`](crate::Error::Closed).
    async fn reached(&self, revision: Revision) -> Result<Revision>;

    /// Drops the history before `up_to`. The state at `up_to` and the changes after it stay.
    /// Compacting what is compacted already does nothing. It is done in small steps and never
    /// holds up writers for long; if the future is dropped, it may have been done in part.
    ///
    /// # Errors
    /// [`Future`](crate::Error::Future) if `up_to` is not reached yet.
    async fn compact(&self, up_to: Revision) -> Result<()>;

    /// A new lease that ends after `ttl` unless it is kept alive.
    ///
    /// # Errors
    /// [`InvalidTtl`](crate::Error::InvalidTtl).
    async fn lease(&self, ttl: Duration) -> Result<LeaseId>;

    /// Lets the lease's time begin anew.
    ///
    /// # Errors
    /// [`UnknownLease`](crate::Error::UnknownLease) if it has ended.
    async fn keep_alive(&self, lease: LeaseId) -> Result<()>;

    /// Ends the lease and deletes its keys, all in one revision.
    ///
    /// # Errors
    /// [`UnknownLease`](crate::Error::UnknownLease) if it has ended.
    async fn revoke(&self, lease: LeaseId) -> Result<Committed>;
}
