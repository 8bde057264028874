//! The semantics of a Kubernetes API server over any [`Store`](orlop_store::Store), without a socket: [`LocalClient`].
//!
//! It is a [`Client`](orlop_client::Client) like any other, so that controllers, scheduler and node agents cannot tell
//! it from a remote server; but objects are shared between the store, its watchers and the caller instead of being
//! encoded and decoded.
//!
//! - When to default, admit, validate, count generations, wait for finalizers is decided here, once for all kinds.
//! - What is particular to a kind is its [`Strategy`]; most kinds need none: [`Builder::register`].
//! - What is particular to an installation is the [`Admission`] chain.
//!
//! ```
//! use std::sync::Arc;
//!
//! use orlop_apiserver::LocalClient;
//! use orlop_client::Api;
//! use orlop_clock::{ManualClock, Random};
//! use orlop_model::{Message, Object, ObjectMeta, Str};
//! use orlop_store::MemoryStore;
//!
//! #[derive(Clone, Debug, Default, PartialEq, Object)]
//! #[object(group = "example.dev", version = "v1", status)]
//! struct Website {
//!     metadata: ObjectMeta,
//!     spec: WebsiteSpec,
//! }
//!
//! #[derive(Clone, Debug, Default, PartialEq, Message)]
//! struct WebsiteSpec {
//!     host: Str,
//! }
//!
//! # async fn run() -> orlop_client::Result<()> {
//! let store = Arc::new(MemoryStore::new());
//! let client = LocalClient::builder(store, Arc::new(ManualClock::default()), Random::new(1))
//!     .register::<Website>()
//!     .build()
//!     .await?;
//!
//! let sites = Api::<Website>::namespaced(Arc::new(client), "default");
//! let mut site = Website::default();
//! site.metadata.generate_name = "site-".into();
//! let site = sites.create(site).await?;
//! assert_eq!(site.metadata.generation, 1);
//! # Ok(())
//! # }
//! # futures::executor::block_on(run())?;
//! # Ok::<(), orlop_client::Error>(())
//! ```

mod admission;
mod create;
mod custom;
mod delete;
mod kinds;
mod local;
mod managers;
mod namespace;
mod patch;
mod pod;
mod read;
mod resource;
mod scheme;
mod selection;
mod server;
mod service;
mod strategy;
mod update;
mod watch;

pub use admission::{Admission, DefaultTolerations, Operation, Request};
pub use local::{Builder, LocalClient};
pub use scheme::Scheme;
pub use strategy::{Plain, Strategy};
