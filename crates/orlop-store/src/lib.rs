//! A revisioned key-value store.

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
