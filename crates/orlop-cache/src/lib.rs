//! Caches of what an API server holds: always there, indexed, shared, and up to date within moments.
//!
//! - [`Informer`] lists and watches the objects behind an [`Api`](orlop_client::Api) and keeps a [`Store`] up to date,
//!   through lost connections, expired watches and missed deletions. The protocol itself is [`Reflector`], a state
//!   machine without input or output.
//! - [`Store`] answers by key, by namespace, by label selector and by any number of typed [`Index`]es;
//!   [`Store::snapshot`] is everything at one moment, and copies nothing; [`Store::wait_for`] waits until one's own
//!   writes can be seen.
//! - [`Store::subscribe`] and [`Index::subscribe`] tell what changes, as a stream of [`Delta`]s, beginning with the
//!   present state. A slow subscriber stops nobody, and costs bounded memory; what it is told when it has fallen behind is
//!   up to its [`Lag`].
//! - A [`Writer`] feeds a store from any other source; a [`Relist`] is applied as a difference.
//!
//! Objects are never copied: with a control plane in the same process the store, all caches and all readers share them.
//!
//! ```
//! use std::sync::Arc;
//! use orlop_cache::{Change, Delta, Store};
//! use orlop_model::{Str, core::v1::Pod};
//!
//! // Usually an `Informer` holds the writer and feeds the store from an API server.
//! let (pods, mut writer) = Store::<Pod>::new();
//! let by_node = pods.index(|pod: &Pod| pod.spec.node_name.clone());
//! let mut changes = pods.subscribe();
//!
//! let mut pod = Pod::default();
//! pod.metadata.name = "web".into();
//! pod.metadata.resource_version = "7".into();
//! pod.spec.node_name = "node-1".into();
//! writer.apply([Change::Put(Arc::new(pod))]);
//!
//! assert_eq!(pods.by(&by_node, &Str::from("node-1")).len(), 1);
//! assert!(matches!(changes.try_next(), Some(Delta::Added { .. })));
//! assert_eq!(pods.has("7"), Some(true));
//! ```

mod backoff;
mod budget;
mod delta;
mod difference;
mod free;
mod hub;
mod index;
mod informer;
mod radix;
mod reflector;
mod resync;
mod revision;
mod signal;
mod slots;
mod snapshot;
mod store;
mod subscription;
mod table;
#[cfg(feature = "test-util")]
pub mod test_util;
mod writer;

pub use backoff::Backoff;
pub use budget::Budget;
pub use delta::Delta;
pub use index::Index;
pub use informer::{Builder, Informer, Running};
pub use reflector::{Page, Reflector, Settings, Step};
pub use resync::Resync;
pub use signal::Signal;
pub use snapshot::Snapshot;
pub use store::Store;
pub use subscription::{Batch, Lag, Subscription};
pub use writer::{Change, Relist, Writer};
