//! Clients of a Kubernetes-style API: the object-safe trait [`Client`], and [`Api<K>`](Api), the typed handle that
//! programs use.
//!
//! Controllers, caches, the scheduler and node agents know only these, so that the same code runs against a control
//! plane in the same process, against a Kubernetes server, or against a client that records or breaks things.
//!
//! - [`Record`] is one object at one revision, shared by everybody in the process: its typed form is made once.
//! - [`Error`] says why a verb failed, in Kubernetes' words and with the object, the versions, the fields.
//! - [`WatchEvent`]s come exactly once and in order, or the watch ends with [`Error::Expired`].
//! - The feature `conformance` brings the suite that every [`Client`] has to pass.
//!
//! ```
//! use std::sync::Arc;
//!
//! use orlop_client::{Api, Client, Result};
//! use orlop_model::core::v1::ConfigMap;
//!
//! /// Counts in a ConfigMap; no increment is lost, however many do this at once.
//! async fn increment(client: Arc<dyn Client>) -> Result<()> {
//!     let maps = Api::<ConfigMap>::namespaced(client, "default");
//!     maps.modify("counter", |map| {
//!         let count = map.data.get("count").and_then(|text| text.parse::<u64>().ok()).unwrap_or(0);
//!         map.data.insert("count", (count + 1).to_string().into());
//!     })
//!     .await?;
//!     Ok(())
//! }
//! ```

mod api;
mod apply;
mod client;
#[cfg(feature = "conformance")]
pub mod conformance;
mod draft;
mod error;
mod forward;
mod options;
mod patch;
mod record;
mod subresource;
mod watch;

pub use api::{Api, Named, ObjectList};
pub use apply::{Applied, LAST_APPLIED, Outcome, apply};
pub use client::Client;
pub use draft::{Draft, IntoDraft};
pub use error::{Cause, Error, ObjectRef, Result};
pub use forward::{Answer, Forward, Request, Verb};
pub use options::{
    DeleteOptions, GetOptions, ListOptions, Preconditions, Propagation, ResourceVersionMatch, WatchOptions,
    WriteOptions,
};
pub use orlop_model::{AnyObject, downcast};
pub use patch::Patch;
pub use record::{Deleted, Record, RecordList};
pub use subresource::Subresource;
pub use watch::{WatchEvent, WatchStream};
