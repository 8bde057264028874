//! [`Plugin`]: what a plugin has to be, and [`Call`]: what it is given.

use std::path::Path;

use orlop_netlink::Netns;
use serde::de::{Deserialize as _, DeserializeOwned};
use serde_json::Value;

use crate::error::code;
use crate::fault::Faults;
use crate::{CniError, CniResult, Owned, Owner};

/// A plugin that runs in the runtime's own process.
///
/// It is called on a thread that is in the host's network namespace, so that sockets opened there are the host's. No
/// two calls for one attachment overlap; calls for different ones do.
///
/// Whatever it makes carries the [`Owner`], in an alias, a comment or a file, so that [`owned`](Self::owned) can find it
/// without any record. An ADD that fails leaves nothing. DEL succeeds when there is nothing left to remove, with or
/// without the container's namespace and the result of ADD.
pub trait Plugin: Send + Sync + std::fmt::Debug + 'static {
    /// What of the configuration it reads.
    type Config: DeserializeOwned;

    /// Its name in configurations.
    fn plugin_type(&self) -> &'static str;

    /// Attaches the container, and answers the result so far with its own additions.
    ///
    /// # Errors
    /// Nothing is left then.
    fn add(&self, call: &Call<'_>, config: &Self::Config) -> Result<CniResult, CniError>;

    /// Removes what ADD made.
    ///
    /// # Errors
    /// If something is left.
    fn del(&self, call: &Call<'_>, config: &Self::Config) -> Result<(), CniError>;

    /// Whether everything is as ADD left it.
    ///
    /// # Errors
    /// What is not.
    fn check(&self, call: &Call<'_>, config: &Self::Config) -> Result<(), CniError>;

    /// All that was made for attachments of the network, and, without an owner, what they share.
    ///
    /// # Errors
    /// If the kernel or a folder cannot be read.
    fn owned(&self, network: &NetworkCall<'_>, config: &Self::Config) -> Result<Vec<Owned>, CniError>;

    /// Removes what belongs to an attachment of the network, whatever its call was.
    ///
    /// # Errors
    /// If something is left.
    fn release(
        &self,
        network: &NetworkCall<'_>,
        config: &Self::Config,
        owner: &Owner,
    ) -> Result<(), CniError>;

    /// Removes what the attachments of the network share, now that there is none any more.
    ///
    /// # Errors
    /// If something is left.
    fn remove(&self, network: &NetworkCall<'_>, config: &Self::Config) -> Result<(), CniError> {
        let _ = (network, config);
        Ok(())
    }

    /// Whether ADD could be served.
    ///
    /// # Errors
    /// Code 50 if not.
    fn status(&self, network: &NetworkCall<'_>, config: &Self::Config) -> Result<(), CniError> {
        let _ = (network, config);
        Ok(())
    }
}

/// What a plugin is told about a network.
#[derive(Clone, Copy)]
pub struct NetworkCall<'a> {
    /// The network's name.
    pub network: &'a str,
    /// The whole configuration of the plugin.
    pub config: &'a Value,
    /// A folder of the runtime's in which state can be kept.
    pub state: &'a Path,
    /// The plugin that hands out addresses, if the configuration names one.
    pub(crate) ipam: Option<&'a dyn ErasedPlugin>,
    pub(crate) faults: &'a Faults,
}

/// What a plugin is told about an attachment.
#[derive(Clone, Copy)]
pub struct Call<'a> {
    /// About its network.
    pub network: NetworkCall<'a>,
    /// Which attachment.
    pub owner: &'a Owner,
    /// The container's network namespace; none on DEL when it is gone.
    pub netns: Option<&'a Netns>,
    /// Its path, for results.
    pub netns_path: &'a str,
    /// `CNI_ARGS`.
    pub args: &'a str,
    /// The result of the plugin before; on DEL and CHECK the result of ADD.
    pub previous: Option<&'a CniResult>,
}

impl std::fmt::Debug for NetworkCall<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NetworkCall").field("network", &self.network).finish_non_exhaustive()
    }
}

impl std::fmt::Debug for Call<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Call")
            .field("owner", &self.owner)
            .field("netns", &self.netns_path)
            .finish_non_exhaustive()
    }
}

impl<'a> NetworkCall<'a> {
    /// The plugin that hands out addresses.
    pub(crate) fn ipam(&self) -> Option<&'a dyn ErasedPlugin> {
        self.ipam
    }
}

impl<'a> Call<'a> {
    /// The container's namespace.
    ///
    /// # Errors
    /// Code 4 if there is none.
    pub fn netns(&self) -> Result<&'a Netns, CniError> {
        self.netns.ok_or_else(|| CniError::new(code::INVALID_ENVIRONMENT, "no network namespace"))
    }
}

/// A plugin whatever its configuration is.
pub(crate) trait ErasedPlugin: Send + Sync + std::fmt::Debug {
    /// Whether it can be called at all, and reads the configuration: else DEL could not undo what ADD began.
    fn ready(&self, config: &Value) -> Result<(), CniError>;
    fn add(&self, call: &Call<'_>) -> Result<CniResult, CniError>;
    fn del(&self, call: &Call<'_>) -> Result<(), CniError>;
    fn check(&self, call: &Call<'_>) -> Result<(), CniError>;
    fn owned(&self, network: &NetworkCall<'_>) -> Result<Vec<Owned>, CniError>;
    fn release(&self, network: &NetworkCall<'_>, owner: &Owner) -> Result<(), CniError>;
    fn remove(&self, network: &NetworkCall<'_>) -> Result<(), CniError>;
    fn status(&self, network: &NetworkCall<'_>) -> Result<(), CniError>;
    /// Releases what belongs to none of the valid attachments.
    fn gc(&self, network: &NetworkCall<'_>, valid: &[Owner]) -> Result<(), CniError>;
}

fn read<P: Plugin>(plugin: &P, config: &Value) -> Result<P::Config, CniError> {
    P::Config::deserialize(config)
        .map_err(|error| CniError::config(format!("{}: {error}", plugin.plugin_type())))
}

impl<P: Plugin> ErasedPlugin for P {
    fn ready(&self, config: &Value) -> Result<(), CniError> {
        read(self, config).map(drop)
    }

    fn add(&self, call: &Call<'_>) -> Result<CniResult, CniError> {
        Plugin::add(self, call, &read(self, call.network.config)?)
    }

    fn del(&self, call: &Call<'_>) -> Result<(), CniError> {
        Plugin::del(self, call, &read(self, call.network.config)?)
    }

    fn check(&self, call: &Call<'_>) -> Result<(), CniError> {
        Plugin::check(self, call, &read(self, call.network.config)?)
    }

    fn owned(&self, network: &NetworkCall<'_>) -> Result<Vec<Owned>, CniError> {
        Plugin::owned(self, network, &read(self, network.config)?)
    }

    fn release(&self, network: &NetworkCall<'_>, owner: &Owner) -> Result<(), CniError> {
        Plugin::release(self, network, &read(self, network.config)?, owner)
    }

    fn remove(&self, network: &NetworkCall<'_>) -> Result<(), CniError> {
        Plugin::remove(self, network, &read(self, network.config)?)
    }

    fn status(&self, network: &NetworkCall<'_>) -> Result<(), CniError> {
        Plugin::status(self, network, &read(self, network.config)?)
    }

    fn gc(&self, network: &NetworkCall<'_>, valid: &[Owner]) -> Result<(), CniError> {
        let config = read(self, network.config)?;
        let mut stale: Vec<Owner> = Plugin::owned(self, network, &config)?
            .into_iter()
            .filter_map(|owned| owned.owner)
            .filter(|owner| {
                owner.network == network.network && !valid.iter().any(|valid| owner.may_be(valid))
            })
            .collect();
        stale.sort();
        stale.dedup();
        let results = stale.iter().map(|owner| Plugin::release(self, network, &config, owner));
        first_error(results)
    }
}

/// Does all, and answers the first error.
pub(crate) fn first_error(results: impl IntoIterator<Item = Result<(), CniError>>) -> Result<(), CniError> {
    let mut first = Ok(());
    for result in results {
        first = first.and(result);
    }
    first
}
