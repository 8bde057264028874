//! What all parts of one agent share.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use orlop_cache::Store;
use orlop_client::Client;
use orlop_clock::{Clock, Random};
use orlop_model::core::v1::{Pod, Service};
use orlop_model::{Map, Quantity, Str};
use tokio::sync::Semaphore;
use tokio::time::Instant;

use crate::events::Events;
use crate::materials::TokenIssuer;
use crate::runtime::{PodRuntime, Recover};

/// How an agent works; the defaults are kubelet's.
#[derive(Clone, Debug, PartialEq)]
pub struct AgentConfig {
    /// A pod of which nothing changes is looked at again after this long, up to half as long again.
    pub sync_frequency: Duration,
    /// A pod of which something failed is tried again after this long, up to half as long again.
    pub retry: Duration,
    /// The wait of a crashed container before its second restart.
    pub crash_backoff: Duration,
    /// The longest wait of a crashed container.
    pub crash_backoff_max: Duration,
    /// The wait after the first failed pull of an image.
    pub image_backoff: Duration,
    /// The longest wait between two pulls of an image.
    pub image_backoff_max: Duration,
    /// So many images are pulled at once.
    pub parallel_pulls: usize,
    /// How often the node's status is made; it is written if it differs.
    pub status_frequency: Duration,
    /// How often the node's status is written although it does not differ.
    pub report_frequency: Duration,
    /// How long the node's lease holds; it is renewed four times as often.
    pub lease: Duration,
    /// What becomes of pods that an agent before this one has left.
    pub recover: Recover,
}

impl Default for AgentConfig {
    fn default() -> Self {
        Self {
            sync_frequency: Duration::from_secs(60),
            retry: Duration::from_secs(10),
            crash_backoff: Duration::from_secs(10),
            crash_backoff_max: Duration::from_secs(300),
            image_backoff: Duration::from_secs(10),
            image_backoff_max: Duration::from_secs(300),
            parallel_pulls: 1,
            status_frequency: Duration::from_secs(10),
            report_frequency: Duration::from_secs(300),
            lease: Duration::from_secs(40),
            recover: Recover::Adopt,
        }
    }
}

pub(crate) struct Context {
    pub(crate) node: Str,
    pub(crate) client: Arc<dyn Client>,
    pub(crate) runtime: Arc<dyn PodRuntime>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) random: Random,
    pub(crate) events: Events,
    pub(crate) config: AgentConfig,
    pub(crate) host_ips: Vec<IpAddr>,
    pub(crate) allocatable: Map<Quantity>,
    /// The cluster's services, where anybody is told of them.
    pub(crate) services: Option<Store<Service>>,
    pub(crate) tokens: Option<Arc<dyn TokenIssuer>>,
    pub(crate) pulls: Semaphore,
    /// When the agent was started.
    pub(crate) started: Timestamp,
    /// The same, as an instant.
    pub(crate) began: Instant,
}

impl Context {
    /// A duration, up to half as long again, so that not everything happens at once.
    pub(crate) fn spread(&self, duration: Duration) -> Duration {
        self.random.jitter(duration, 0.5)
    }

    /// How an event names a container of the pod.
    pub(crate) fn field(&self, pod: &Pod, container: &str) -> String {
        let list = if pod.spec.init_containers.iter().any(|init| init.name == *container) {
            "initContainers"
        } else if pod.spec.ephemeral_containers.iter().any(|ephemeral| ephemeral.container.name == *container)
        {
            "ephemeralContainers"
        } else {
            "containers"
        };
        format!("spec.{list}{{{container}}}")
    }

    /// Until a moment of the agent's clock, as an instant to sleep to.
    pub(crate) fn instant(&self, at: Timestamp) -> Instant {
        let wait = Duration::try_from(at.duration_since(self.clock.now())).unwrap_or(Duration::ZERO);
        Instant::now() + wait
    }
}
