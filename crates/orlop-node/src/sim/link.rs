//! The network between a simulated node and the API server.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use orlop_cache::Signal;
use orlop_client::{Client, Forward, Request, Result};

/// A client that answers only while its node is connected; calls made meanwhile wait.
///
/// [`SimRuntime::link`](super::SimRuntime::link) makes one for a node.
pub struct Link {
    client: Arc<dyn Client>,
    up: Arc<Signal<bool>>,
}

impl Link {
    pub(crate) fn new(client: Arc<dyn Client>, up: Arc<Signal<bool>>) -> Self {
        Self { client, up }
    }
}

impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Link(up: {})", self.up.with(|up| *up))
    }
}

#[async_trait]
impl Forward for Link {
    fn inner(&self) -> &dyn Client {
        &*self.client
    }

    async fn before(&self, _: &Request<'_>) -> Result<()> {
        self.up.wait_for(|up| up.then_some(())).await;
        Ok(())
    }
}
