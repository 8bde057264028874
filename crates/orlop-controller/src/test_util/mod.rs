//! A server that cannot be relied on, and a process that ends at the worst moment: what controllers have to bear. In
//! virtual time (tokio's, paused), so that a test of hours takes milliseconds and a seed gives the same run again.
//!
//! - [`Unreliable`] is a client whose writes conflict, fail before or after they were done, come late; and that crashes
//!   at the *n*th write: before it, or when it was done and before it was answered.
//! - For caches that are stale, and events that are late, repeated, or lost until the next list, put it around the
//!   client of `orlop_cache::test_util`.
//! - [`until_crash_or_goal`] runs a program over and over, as something that is restarted when it crashes, until it
//!   reaches its goal.
//!
//! ```
//! use std::sync::Arc;
//! use std::time::Duration;
//! use orlop_apiserver::LocalClient;
//! use orlop_client::{Api, Client};
//! use orlop_clock::{ManualClock, Random};
//! use orlop_controller::test_util::{Moment, Unreliable, WriteFaults, until_crash_or_goal};
//! use orlop_controller::{Action, Context, Controller, Error};
//! use orlop_model::core::v1::{ConfigMap, Secret};
//!
//! async fn reconcile(map: Arc<ConfigMap>, cx: Context) -> Result<Action, Error> {
//!     let mut secret = Secret::default();
//!     secret.metadata.name = map.metadata.name.clone();
//!     cx.apply(&secret).await?;
//!     Ok(Action::await_change())
//! }
//!
//! # #[tokio::main(flavor = "current_thread", start_paused = true)]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let store = Arc::new(orlop_store::MemoryStore::new());
//! let server = LocalClient::builder(store, Arc::new(ManualClock::default()), Random::new(1)).build().await?;
//! let server: Arc<dyn Client> = Arc::new(server);
//! let maps = Api::<ConfigMap>::namespaced(server.clone(), "default");
//! let mut map = ConfigMap::default();
//! map.metadata.name = "home".into();
//! maps.create(map).await?;
//!
//! let client = Unreliable::new(server.clone(), Random::new(7));
//! client.set(WriteFaults::some());
//! client.crash_at(1, Moment::After);
//! let secrets = Api::<Secret>::namespaced(server, "default");
//! let run = |client: Arc<dyn Client>| {
//!     Controller::new("copy", Api::<ConfigMap>::all(client)).run(reconcile)
//! };
//! let goal = async || secrets.get_opt("home").await.is_ok_and(|found| found.is_some());
//! until_crash_or_goal(&client, run, goal, Duration::from_secs(600)).await?;
//! # Ok(())
//! # }
//! ```

mod restart;
mod unreliable;

pub use restart::{NotReached, until_crash_or_goal};
pub use unreliable::{Moment, Unreliable, WriteFaults};
