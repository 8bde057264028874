//! A revisioned key-value store: what a control plane keeps its objects in.
//!
//! A [`Store`] holds [`Record`]s under [`Key`]s and knows nothing of what their [`Value`]s mean.
//! Every transaction that changes something makes a new [`Revision`] of the whole; reads can go back
//! to an earlier one, and a [`Watch`] brings every change after one, without gap or repetition.
//! Use it below an API server, or by itself wherever several parts of a program have to agree on
//! changing data.
//!
//! ```
//! use futures::StreamExt;
//! use orlop_store::{At, Format, KeyRange, MemoryStore, Page, Store, Txn, Update, Value};
//!
//! # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
//! let store = MemoryStore::new();
//! let text = |text: &'static str| move |_revision| Value::bytes(Format::Json, text);
//!
//! // Create, then change what was read; a stale change is refused with what there is.
//! let created = store.commit(Txn::create("/colours/sky", text("\"blue\""))).await?;
//! store.commit(Txn::update("/colours/sky", created.revision, text("\"red\""))).await?;
//! let stale = store.commit(Txn::update("/colours/sky", created.revision, text("\"green\""))).await;
//! let conflict = stale.unwrap_err();
//! let current = conflict.conflict().and_then(|conflict| conflict.current("/colours/sky")).unwrap();
//! assert_eq!(current.value.encoded(Format::Json).unwrap(), "\"red\"");
//!
//! // The past can be read, and watched from.
//! let past = At::Exactly(created.revision);
//! let colours = store.list(&KeyRange::prefix("/colours/"), past, Page::ALL).await?;
//! assert_eq!(colours.records[0].value.encoded(Format::Json).unwrap(), "\"blue\"");
//!
//! let mut watch = store.watch(&KeyRange::prefix("/colours/"), colours.revision);
//! let Some(Ok(Update::Batch(batch))) = watch.next().await else { panic!("a change was due") };
//! assert_eq!(batch.events[0].record.value.encoded(Format::Json).unwrap(), "\"red\"");
//! # Ok::<_, orlop_store::Error>(())
//! # }).unwrap();
//! ```
//!
//! # Backends
//! [`MemoryStore`] keeps everything in memory and the history within a bound. Other backends
//! implement [`Store`], and show with the suite in `conformance` (feature `conformance`) that they
//! do it right.
//!
//! # Invariants
//! - A record never changes; everybody shares it, and each of its value's forms (typed, JSON,
//!   protobuf) is made at most once, when it is first asked for.
//! - The store never asks what a value means. What it has to know, a value's [`Codec`] tells it.
//! - No clock but tokio's (for leases and bookmarks), no randomness: the same calls in the same
//!   order give the same revisions and events.

#[cfg(feature = "conformance")]
pub mod conformance;
mod error;
mod key;
mod lease;
mod memory;
mod read;
mod record;
mod revision;
mod store;
mod txn;
mod value;
mod watch;

pub use error::{Error, Result};
pub use key::{Key, KeyRange};
pub use lease::LeaseId;
pub use memory::{MemoryStore, Retention};
pub use read::{At, Listing, Page};
pub use record::Record;
pub use revision::Revision;
pub use store::Store;
pub use txn::{Committed, Conflict, Expected, Failed, MakeFinal, MakeValue, Txn, Write};
pub use value::{Codec, CodecError, Format, Typed, Value};
pub use watch::{Batch, Change, Event, Update, Watch, WatchSource};
