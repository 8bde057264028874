//! [`Cni`]: attaching containers to networks.

mod attachment;
mod error;
mod external;
mod locks;
mod record;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use orlop_netlink::Netns;
use serde_json::{Map, Value};
use tracing::instrument;

use crate::error::code;
use crate::fault::Faults;
use crate::plugin::{Call, ErasedPlugin, NetworkCall};
use crate::skel::Command;
use crate::version::{CHECK_SINCE, GC_SINCE, Version};
use crate::{
    CniError, CniResult, NetworkList, Owned, OwnedKind, Owner, Plugin, PluginConfig, VersionedResult, name,
};

pub use attachment::{Attachment, NetnsRef};
pub use error::Error;
use external::External;
pub use external::{Executables, Invocation, Invoker};
use locks::Locks;
use record::{Record, Records};

/// Attaches containers to networks, and detaches them.
///
/// Plugins run in this process; those that are not built in or given to the [`Builder`] are executed only if it has an
/// [`Invoker`]. All methods block, for some milliseconds: call them where that is allowed. They may be called from any
/// number of threads: those for one attachment wait for each other, and [`gc`](Self::gc) waits for those of its network.
///
/// Each attachment is recorded before anything is done for it, so that whatever a process left that was killed in the
/// middle is found by the next: [`recorded`](Self::recorded) lists attachments, [`owned`](Self::owned) everything that
/// was made for them.
#[derive(Debug)]
pub struct Cni {
    host: Arc<Netns>,
    state: PathBuf,
    plugins: HashMap<String, Arc<dyn ErasedPlugin>>,
    invoker: Option<Arc<dyn Invoker>>,
    records: Records,
    locks: Locks,
    faults: Faults,
}

/// Makes a [`Cni`].
#[derive(Debug)]
pub struct Builder {
    host: Option<Arc<Netns>>,
    state: PathBuf,
    plugins: HashMap<String, Arc<dyn ErasedPlugin>>,
    invoker: Option<Arc<dyn Invoker>>,
    faults: Faults,
}

impl Builder {
    /// The network namespace that is the host's: bridges and packet rules are made there. Without it, that of the
    /// thread that builds.
    #[must_use]
    pub fn host(mut self, netns: Arc<Netns>) -> Self {
        self.host = Some(netns);
        self
    }

    /// A plugin beside those built in, or in place of one.
    #[must_use]
    pub fn plugin(mut self, plugin: impl Plugin) -> Self {
        self.plugins.insert(plugin.plugin_type().to_owned(), Arc::new(plugin));
        self
    }

    /// How plugins are called that are not in this process: [`Executables`] runs them.
    #[must_use]
    pub fn invoker(mut self, invoker: impl Invoker) -> Self {
        self.invoker = Some(Arc::new(invoker));
        self
    }

    /// Makes a step fail, for tests.
    #[must_use]
    pub fn faults(mut self, faults: Faults) -> Self {
        self.faults = faults;
        self
    }

    /// Done.
    ///
    /// # Errors
    /// If the host's namespace cannot be opened.
    pub fn build(self) -> Result<Cni, Error> {
        let host = match self.host {
            Some(host) => host,
            None => Arc::new(Netns::current().map_err(|error| Error::Invalid { source: error.into() })?),
        };
        Ok(Cni {
            host,
            records: Records::new(&self.state),
            state: self.state,
            plugins: self.plugins,
            invoker: self.invoker,
            locks: Locks::default(),
            faults: self.faults,
        })
    }
}

/// A network with its plugins found, as one operation needs them.
struct Chain<'a> {
    list: &'a NetworkList,
    links: Vec<Link<'a>>,
    version: Version,
}

struct Link<'a> {
    config: &'a PluginConfig,
    plugin: Arc<dyn ErasedPlugin>,
    ipam: Option<Arc<dyn ErasedPlugin>>,
}

impl Link<'_> {
    /// The plugin, and the one that it asks for addresses.
    fn plugins(&self) -> impl Iterator<Item = &Arc<dyn ErasedPlugin>> {
        [Some(&self.plugin), self.ipam.as_ref()].into_iter().flatten()
    }
}

impl Cni {
    /// With the plugins that are built in, and a folder for records and reservations.
    pub fn builder(state: impl Into<PathBuf>) -> Builder {
        let builder = Builder {
            host: None,
            state: state.into(),
            plugins: HashMap::new(),
            invoker: None,
            faults: Faults::default(),
        };
        builder
            .plugin(crate::plugins::Loopback)
            .plugin(crate::plugins::Bridge)
            .plugin(crate::plugins::HostLocal)
            .plugin(crate::plugins::PortMap)
    }

    /// The folder for records and reservations.
    #[must_use]
    pub fn state(&self) -> &Path {
        &self.state
    }

    /// Attaches a container: calls the plugins in order, each with the result of the one before, and answers the last
    /// result. When one fails, those before it are undone.
    ///
    /// # Errors
    /// If a name is invalid, the namespace cannot be opened, a plugin is missing or fails, or the attachment is there
    /// already. Nothing is left then; what could not be undone is in [`Error::Plugin`], and [`gc`](Self::gc) tries again.
    #[instrument(level = "debug", skip_all, fields(network = list.name, container = attachment.container_id))]
    pub fn add(&self, list: &NetworkList, attachment: &Attachment) -> Result<CniResult, Error> {
        let owner = self.validated(list, attachment)?;
        let chain = self.chain(list)?;
        let netns = self.netns_of(attachment).map_err(|source| Error::Invalid { source })?;
        let config = |link: &Link<'_>| list.config_for(link.config, &attachment.capabilities, None);
        let configs: Vec<Value> = chain.links.iter().map(config).collect();
        for (link, config) in chain.links.iter().zip(&configs) {
            for plugin in link.plugins() {
                plugin.ready(config).map_err(|source| Error::Invalid { source })?;
            }
        }
        let shared = self.locks.network(&list.name);
        let _shared = shared.read();
        let _busy = self.locks.attachment(&owner);
        match self.records.read(&owner)? {
            Some(record) if record.result.is_some() => return Err(Error::AlreadyAttached { owner }),
            // What a process left that was killed.
            Some(_) => self.del_held(list, attachment, &owner)?,
            None => {}
        }
        let mut record = Record::of(list, attachment);
        self.faults.step("write intent").map_err(|source| Error::Invalid { source })?;
        self.records.write(&owner, &record)?;
        self.inside(|| {
            let mut result: Option<CniResult> = None;
            for (link, config) in chain.links.iter().zip(&configs) {
                let call = self.call(&chain, link, config, &owner, attachment, Some(&netns), result.as_ref());
                match link.plugin.add(&call) {
                    Ok(next) => result = Some(next),
                    Err(source) => {
                        return Err(self.failed(&chain, link, Command::Add, attachment, &owner, source));
                    }
                }
            }
            let mut result = result.unwrap_or_default();
            result.cni_version = crate::version::CURRENT.to_owned();
            record.result = Some(VersionedResult::from(result.clone()).to_json());
            let written = self
                .faults
                .step("write result")
                .map_err(|source| Error::Invalid { source })
                .and_then(|()| self.records.write(&owner, &record));
            if let Err(error) = written {
                // Nobody would know of the attachment.
                return Err(self.undo(&chain, attachment, &owner).err().unwrap_or(error));
            }
            Ok(result)
        })
    }

    /// After a failed ADD: undoes what the plugins up to the failed one did.
    fn failed(
        &self,
        chain: &Chain<'_>,
        link: &Link<'_>,
        command: Command,
        attachment: &Attachment,
        owner: &Owner,
        source: CniError,
    ) -> Error {
        let left = match self.undo(chain, attachment, owner) {
            Ok(()) => Vec::new(),
            Err(Error::Plugins { errors, .. }) => errors,
            Err(other) => vec![("records".to_owned(), CniError::internal(other.to_string()))],
        };
        Error::Plugin {
            owner: Box::new(owner.clone()),
            plugin: link.config.plugin_type.clone(),
            command,
            source,
            left,
        }
    }

    /// DEL of all plugins, in reverse, whatever became of ADD, and then of the record.
    fn undo(&self, chain: &Chain<'_>, attachment: &Attachment, owner: &Owner) -> Result<(), Error> {
        let netns = self.netns_of(attachment).ok();
        self.inside(|| self.del_all(chain, attachment, owner, netns.as_deref(), None))?;
        self.records.remove(owner)?;
        if self.records.of_network(&owner.network)?.is_empty() {
            // Nor what was made for the first container of the network. Others that are being attached keep what they
            // use already, and make again what they do not find.
            self.inside(|| self.remove_shared(chain))?;
        }
        Ok(())
    }

    fn del_all(
        &self,
        chain: &Chain<'_>,
        attachment: &Attachment,
        owner: &Owner,
        netns: Option<&Netns>,
        result: Option<&CniResult>,
    ) -> Result<(), Error> {
        let mut errors = Vec::new();
        for link in chain.links.iter().rev() {
            let config = chain.list.config_for(link.config, &attachment.capabilities, None);
            let call = self.call(chain, link, &config, owner, attachment, netns, result);
            if let Err(error) = link.plugin.del(&call) {
                errors.push((link.config.plugin_type.clone(), error));
            }
        }
        if errors.is_empty() {
            return Ok(());
        }
        Err(Error::Plugins { network: owner.network.clone(), command: Command::Del, errors })
    }

    /// Detaches a container, by the configuration that it was attached with where that is recorded. Succeeds as often as
    /// it is called, whether or not the namespace still exists. Goes on after a plugin's error.
    ///
    /// # Errors
    /// If a plugin is missing or leaves something; the record stays then, for [`gc`](Self::gc) or another DEL.
    #[instrument(level = "debug", skip_all, fields(network = list.name, container = attachment.container_id))]
    pub fn del(&self, list: &NetworkList, attachment: &Attachment) -> Result<(), Error> {
        let owner = self.validated(list, attachment)?;
        let shared = self.locks.network(&list.name);
        let _shared = shared.read();
        self.del_one(list, attachment, &owner)
    }

    fn del_one(&self, list: &NetworkList, attachment: &Attachment, owner: &Owner) -> Result<(), Error> {
        let _busy = self.locks.attachment(owner);
        self.del_held(list, attachment, owner)
    }

    /// DEL of an attachment that is held already.
    fn del_held(&self, list: &NetworkList, attachment: &Attachment, owner: &Owner) -> Result<(), Error> {
        // One that cannot be read is as good as none.
        let record = self.records.read(owner).ok().flatten();
        let recorded = record.as_ref().and_then(Record::list);
        let list = recorded.as_ref().unwrap_or(list);
        let chain = self.chain(list)?;
        let result = record.as_ref().and_then(Record::result);
        let mut attachment = attachment.clone();
        if let Some(record) = &record {
            record.complete(&mut attachment);
        }
        let netns = self.netns_of(&attachment).ok();
        self.inside(|| self.del_all(&chain, &attachment, owner, netns.as_deref(), result.as_ref()))?;
        self.records.remove(owner)
    }

    /// Whether an attachment is as ADD left it.
    ///
    /// # Errors
    /// The first plugin's that finds something missing; or if the configuration is older than 0.4.0, which had no CHECK,
    /// or the recorded result cannot be read.
    pub fn check(&self, list: &NetworkList, attachment: &Attachment) -> Result<(), Error> {
        let owner = self.validated(list, attachment)?;
        let chain = self.chain(list)?;
        if chain.version < CHECK_SINCE {
            return Err(Error::CheckTooOld { network: list.name.clone(), version: list.cni_version.clone() });
        }
        if list.disable_check {
            return Ok(());
        }
        let _busy = self.locks.attachment(&owner);
        let record = self.records.read(&owner)?;
        let result = record.as_ref().and_then(Record::result);
        let netns = self.netns_of(attachment).map_err(|source| Error::Invalid { source })?;
        self.inside(|| {
            for link in &chain.links {
                let config = list.config_for(link.config, &attachment.capabilities, None);
                let call =
                    self.call(&chain, link, &config, &owner, attachment, Some(&netns), result.as_ref());
                link.plugin.check(&call).map_err(|source| Error::Plugin {
                    owner: Box::new(owner.clone()),
                    plugin: link.config.plugin_type.clone(),
                    command: Command::Check,
                    source,
                    left: Vec::new(),
                })?;
            }
            Ok(())
        })
    }

    /// Whether ADD could be served by all plugins of a network.
    ///
    /// # Errors
    /// The first plugin's that could not.
    pub fn status(&self, list: &NetworkList) -> Result<(), Error> {
        name::network(&list.name).map_err(|source| Error::Invalid { source })?;
        let chain = self.chain(list)?;
        self.inside(|| {
            for link in &chain.links {
                let config = list.config_for(link.config, &Map::new(), None);
                let call = self.network_call(&chain, link, &config);
                for plugin in link.plugins() {
                    plugin.status(&call).map_err(|source| Error::Plugins {
                        network: list.name.clone(),
                        command: Command::Status,
                        errors: vec![(link.config.plugin_type.clone(), source)],
                    })?;
                }
            }
            Ok(())
        })
    }

    /// Releases whatever belongs to no valid attachment of the network: detaches those that are recorded and not valid,
    /// then lets each plugin look for what belongs to none. Waits for calls for this network and keeps new ones waiting.
    ///
    /// # Errors
    /// All errors; it goes on after each.
    #[instrument(level = "debug", skip_all, fields(network = list.name, valid = valid.len()))]
    pub fn gc(&self, list: &NetworkList, valid: &[(&str, &str)]) -> Result<(), Error> {
        name::network(&list.name).map_err(|source| Error::Invalid { source })?;
        if list.disable_gc {
            return Ok(());
        }
        let exclusive = self.locks.network(&list.name);
        let _exclusive = exclusive.write();
        self.gc_locked(list, valid)
    }

    fn gc_locked(&self, list: &NetworkList, valid: &[(&str, &str)]) -> Result<(), Error> {
        let chain = self.chain(list)?;
        let valid: Vec<Owner> = valid
            .iter()
            .map(|(container_id, ifname)| Owner {
                network: list.name.clone(),
                container_id: (*container_id).to_owned(),
                ifname: (*ifname).to_owned(),
            })
            .collect();
        let mut errors = Vec::new();
        for owner in self.records.of_network(&list.name)? {
            if valid.contains(&owner) {
                continue;
            }
            let attachment = Attachment::new(&owner.container_id, &owner.ifname);
            match self.del_one(list, &attachment, &owner) {
                Ok(()) => {}
                Err(Error::Plugins { errors: more, .. }) => errors.extend(more),
                Err(other) => errors.push((owner.to_string(), CniError::internal(other.to_string()))),
            }
        }
        self.inside(|| {
            for link in &chain.links {
                let config = list.config_for(link.config, &Map::new(), None);
                let call = self.network_call(&chain, link, &config);
                for plugin in link.plugins() {
                    if let Err(error) = plugin.gc(&call, &valid) {
                        errors.push((link.config.plugin_type.clone(), error));
                    }
                }
            }
            Ok::<_, Error>(())
        })?;
        if errors.is_empty() {
            return Ok(());
        }
        Err(Error::Plugins { network: list.name.clone(), command: Command::Gc, errors })
    }

    /// Removes a network: all of its attachments, and then what they shared: the bridge, packet rules, folders.
    ///
    /// # Errors
    /// All errors; it goes on after each.
    pub fn remove_network(&self, list: &NetworkList) -> Result<(), Error> {
        name::network(&list.name).map_err(|source| Error::Invalid { source })?;
        let exclusive = self.locks.network(&list.name);
        let _exclusive = exclusive.write();
        self.gc_locked(list, &[])?;
        let chain = self.chain(list)?;
        self.inside(|| self.remove_shared(&chain))
    }

    /// Removes what the attachments of a network share, as far as nothing uses it.
    fn remove_shared(&self, chain: &Chain<'_>) -> Result<(), Error> {
        let mut errors = Vec::new();
        for link in chain.links.iter().rev() {
            let config = chain.list.config_for(link.config, &Map::new(), None);
            let call = self.network_call(chain, link, &config);
            for plugin in link.plugins() {
                if let Err(error) = plugin.remove(&call) {
                    errors.push((link.config.plugin_type.clone(), error));
                }
            }
        }
        if errors.is_empty() {
            return Ok(());
        }
        Err(Error::Plugins { network: chain.list.name.clone(), command: Command::Gc, errors })
    }

    /// Everything that exists for attachments of a network, and what they share. Found in the kernel and on disk, not
    /// taken from memory.
    ///
    /// # Errors
    /// If the kernel or a folder cannot be read.
    pub fn owned(&self, list: &NetworkList) -> Result<Vec<Owned>, Error> {
        name::network(&list.name).map_err(|source| Error::Invalid { source })?;
        let chain = self.chain(list)?;
        let mut all: Vec<Owned> = self
            .records
            .of_network(&list.name)?
            .into_iter()
            .map(|owner| Owned { name: owner.to_string(), owner: Some(owner), kind: OwnedKind::Record })
            .collect();
        self.inside(|| {
            for link in &chain.links {
                let config = list.config_for(link.config, &Map::new(), None);
                let call = self.network_call(&chain, link, &config);
                for plugin in link.plugins() {
                    all.extend(plugin.owned(&call).map_err(|source| Error::Plugins {
                        network: list.name.clone(),
                        command: Command::Gc,
                        errors: vec![(link.config.plugin_type.clone(), source)],
                    })?);
                }
            }
            Ok::<_, Error>(())
        })?;
        all.sort();
        all.dedup();
        Ok(all)
    }

    /// Attachments of all networks that are recorded: attached, or left by a process that was killed in the middle.
    ///
    /// # Errors
    /// If the folder cannot be read.
    pub fn recorded(&self) -> Result<Vec<Owner>, Error> {
        self.records.all()
    }

    /// What ADD answered for an attachment; none if it is not attached.
    ///
    /// # Errors
    /// If the record is there and cannot be read.
    pub fn result(&self, owner: &Owner) -> Result<Option<CniResult>, Error> {
        Ok(self.records.read(owner)?.as_ref().and_then(Record::result))
    }

    /// The versions that a plugin supports; asks executables.
    ///
    /// # Errors
    /// If there is no such plugin, or its answer cannot be read.
    pub fn versions(&self, plugin_type: &str) -> Result<Vec<String>, Error> {
        if self.plugins.contains_key(plugin_type) {
            return Ok(crate::version::ALL.map(ToOwned::to_owned).to_vec());
        }
        let plugin = self.external(plugin_type)?;
        self.inside(|| plugin.versions().map_err(|source| Error::Invalid { source }))
    }

    fn external(&self, plugin_type: &str) -> Result<External, Error> {
        match &self.invoker {
            Some(invoker) => Ok(External::new(plugin_type, Arc::clone(invoker))),
            None => Err(Error::UnknownPlugin { plugin: plugin_type.to_owned() }),
        }
    }

    fn find(&self, plugin_type: &str) -> Result<Arc<dyn ErasedPlugin>, Error> {
        match self.plugins.get(plugin_type) {
            Some(plugin) => Ok(Arc::clone(plugin)),
            None => Ok(Arc::new(self.external(plugin_type)?)),
        }
    }

    fn chain<'a>(&self, list: &'a NetworkList) -> Result<Chain<'a>, Error> {
        let version = Version::parse(&list.cni_version)
            .map_err(|error| Error::Invalid { source: CniError::config(error.to_string()) })?;
        if list.plugins.is_empty() {
            return Err(Error::Invalid { source: CniError::config("no plugins in the network") });
        }
        let link = |config: &'a PluginConfig| {
            let ipam = match config.ipam_type.as_str() {
                // A plugin that is not in this process asks for addresses itself.
                ipam if !ipam.is_empty() && self.plugins.contains_key(&config.plugin_type) => {
                    Some(self.find(ipam)?)
                }
                _ => None,
            };
            Ok::<_, Error>(Link { config, plugin: self.find(&config.plugin_type)?, ipam })
        };
        let links = list.plugins.iter().map(link).collect::<Result<_, _>>()?;
        Ok(Chain { list, links, version })
    }

    fn validated(&self, list: &NetworkList, attachment: &Attachment) -> Result<Owner, Error> {
        name::network(&list.name)
            .and_then(|()| name::container_id(&attachment.container_id))
            .and_then(|()| name::interface(&attachment.ifname))
            .map_err(|source| Error::Invalid { source })?;
        let owner = Owner {
            network: list.name.clone(),
            container_id: attachment.container_id.clone(),
            ifname: attachment.ifname.clone(),
        };
        owner.tag().map_err(|source| Error::Invalid { source })?;
        Ok(owner)
    }

    /// The container's namespace, which must not be the host's: a path may lead there when it names a process that is
    /// another one by now, and plugins would take the host's links for the container's.
    fn netns_of(&self, attachment: &Attachment) -> Result<Arc<Netns>, CniError> {
        let netns = attachment.open_netns()?;
        if netns.id() == self.host.id() {
            let msg = "the container's network namespace is the host's";
            return Err(CniError::new(code::INVALID_NETNS, msg));
        }
        Ok(netns)
    }

    /// Runs something in the host's network namespace.
    fn inside<T: Send>(&self, run: impl FnOnce() -> Result<T, Error> + Send) -> Result<T, Error> {
        self.host.run(run)
    }

    fn network_call<'a>(
        &'a self,
        chain: &Chain<'a>,
        link: &'a Link<'_>,
        config: &'a Value,
    ) -> NetworkCall<'a> {
        NetworkCall {
            network: &chain.list.name,
            config,
            state: &self.state,
            ipam: link.ipam.as_deref(),
            faults: &self.faults,
        }
    }

    #[expect(clippy::too_many_arguments, reason = "what a call consists of")]
    fn call<'a>(
        &'a self,
        chain: &Chain<'a>,
        link: &'a Link<'_>,
        config: &'a Value,
        owner: &'a Owner,
        attachment: &'a Attachment,
        netns: Option<&'a Netns>,
        previous: Option<&'a CniResult>,
    ) -> Call<'a> {
        Call {
            network: self.network_call(chain, link, config),
            owner,
            netns,
            netns_path: &attachment.netns_path,
            args: &attachment.args,
            previous,
        }
    }
}

/// Whether a configuration is new enough for GC and STATUS.
pub(crate) fn knows_gc(version: &str) -> bool {
    Version::parse(version).is_ok_and(|version| version >= GC_SINCE)
}
