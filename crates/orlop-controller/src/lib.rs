//! Control loops: one async function is called with each object whenever it, or something that belongs to it, has
//! changed, and makes the world as the object says.
//!
//! ```
//! use std::sync::Arc;
//! use orlop_client::{Api, Client};
//! use orlop_controller::{Action, Context, Controller, Error};
//! use orlop_model::{Message, Object, ObjectMeta, Str, core::v1::ConfigMap};
//!
//! #[derive(Clone, Debug, Default, PartialEq, Object)]
//! #[object(group = "example.dev", version = "v1", status)]
//! struct Website { metadata: ObjectMeta, spec: WebsiteSpec, status: WebsiteStatus }
//!
//! #[derive(Clone, Debug, Default, PartialEq, Message)]
//! struct WebsiteSpec { host: Str }
//!
//! #[derive(Clone, Debug, Default, PartialEq, Message)]
//! struct WebsiteStatus { published: bool }
//!
//! async fn publish(site: Arc<Website>, cx: Context) -> Result<Action, Error> {
//!     let mut config = ConfigMap::default();
//!     config.metadata.name = site.metadata.name.clone();
//!     config.data.insert("host", site.spec.host.clone());
//!     cx.apply(&config).await?; // created or updated, owned by the site, deleted with it
//!     cx.modify_status(&*site, |site| site.status.published = true).await?;
//!     Ok(Action::await_change())
//! }
//!
//! async fn run(client: Arc<dyn Client>) {
//!     Controller::new("website", Api::<Website>::all(client.clone()))
//!         .owns(Api::<ConfigMap>::all(client))
//!         .run(publish)
//!         .await;
//! }
//! # use orlop_apiserver::LocalClient;
//! # use orlop_clock::{ManualClock, Random};
//! # #[tokio::main(flavor = "current_thread", start_paused = true)]
//! # async fn main() -> Result<(), Error> {
//! # let store = Arc::new(orlop_store::MemoryStore::new());
//! # let client = LocalClient::builder(store, Arc::new(ManualClock::default()), Random::new(1));
//! # let client: Arc<dyn Client> = Arc::new(client.register::<Website>().build().await?);
//! # let controller = tokio::spawn(run(client.clone()));
//! # let mut site = Website::default();
//! # site.metadata.name = "home".into();
//! # site.spec.host = "example.dev".into();
//! # let sites = Api::<Website>::namespaced(client.clone(), "default");
//! # sites.create(site).await?;
//! # while !sites.get("home").await?.status.published {
//! #     tokio::time::sleep(std::time::Duration::from_millis(1)).await;
//! # }
//! # let config = Api::<ConfigMap>::namespaced(client, "default").get("home").await?;
//! # assert_eq!(config.data["host"], "example.dev");
//! # controller.abort();
//! # Ok(())
//! # }
//! ```
//!
//! - [`Controller`] is the loop for the objects of one kind; [`KeyController`] for keys of any sort, fed from several
//!   kinds or from elsewhere. [`Informers`] lets the controllers of a process share one cache for each kind;
//!   [`predicate`] says which changes matter.
//! - [`Context`] is what a reconciler has at hand: client, clock, [`Context::apply`] and [`Context::claim`] for owned
//!   objects, [`Context::finalize`] for what has to be cleaned up, [`Context::modify_status`] with
//!   [`orlop_model::conditions`] for what is observed, [`Context::event`] for what people should know.
//! - [`Error::retry`] says when a failure is tried again. A key that wrote something waits until its caches have it, so
//!   a reconciler reads its own writes.
//! - [`Election`] picks one of several processes; what the others do is keep their caches warm.
//! - [`Handle`] shows how a controller is: [`Phase`], [`Metrics`] under controller-runtime's names, its queue.
//! - Feature `test-util`: a server whose answers are lost or late and processes that crash at any write, in virtual time.

mod action;
mod context;
mod controller;
mod election;
mod engine;
mod error;
mod expectations;
mod finalizer;
mod handle;
mod informers;
mod key_controller;
mod metrics;
mod owner;
mod parked;
pub mod predicate;
mod recorder;
#[cfg(feature = "test-util")]
pub mod test_util;
mod view;
mod writes;

pub use action::Action;
pub use context::Context;
pub use controller::Controller;
pub use election::{Election, Ended, Fence, Leadership, LeadershipLost, Timing, TimingError};
pub use error::{Error, Retry};
pub use expectations::Expectations;
pub use finalizer::Life;
pub use handle::{Handle, Phase};
pub use informers::Informers;
pub use key_controller::KeyController;
pub use metrics::Metrics;
pub use orlop_model::core::v1::EventType;
pub use owner::{Claim, claim, controller_of, set_controller};
pub use recorder::{Builder as RecorderBuilder, EventDraft, EventFormat, Recorder};
