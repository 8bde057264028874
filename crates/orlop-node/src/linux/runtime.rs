//! The runtime of one Linux node.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures::StreamExt;
use futures::stream::{self, BoxStream};
use orlop_clock::{Clock, Random};
use orlop_cni::Cni;
use orlop_container::cgroup::Base;
use orlop_image::{Reference, Store};
use orlop_model::Str;
use orlop_model::core::v1::{LifecycleHandler, Pod, Probe, ResourceRequirements};
use parking_lot::{Mutex, RwLock};
use tokio::sync::Notify;

use super::config::LinuxConfig;
use super::faults::Faults;
use super::gates::Gates;
use super::handlers::{self, Exec};
use super::images;
use super::log_read::Follower;
use super::state::State;
use crate::dns::{DnsWarning, pod_dns};
use crate::probe::ProbeKind;
use crate::runtime::{
    ContainerConfig, ContainerStats, ExecOutput, Hook, Image, ImagePull, KnownPod, Limits, LogLine,
    LogOptions, PodRuntime, ProbeAnswer, Recover, RuntimeError, RuntimeEvent, RuntimeHealth, RuntimeInfo,
    RuntimeResult, SandboxConfig, Target, Volumes,
};
use crate::view::{ContainerState, RuntimeView, SandboxView};
use crate::volume::VolumeError;

/// What is said to whoever asks for something when everything is removed.
const CLOSED: &str = "this runtime is closed";
/// Bytes of each output of a command that are kept.
const MAX_OUTPUT: usize = 16 << 20;
/// Bytes of an env file that are read.
const MAX_ENV_FILE: u64 = 1 << 20;

/// Why a Linux node's runtime cannot work here.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LinuxError {
    /// A folder could not be made.
    #[error("{}: {source}", path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// There is no way to isolate processes.
    #[error(transparent)]
    Container(#[from] orlop_container::Error),
    /// There is no way to make networks.
    #[error(transparent)]
    Network(#[from] orlop_cni::Error),
}

/// Pods as processes of this machine; see the [module](super). Clones are handles to the same node.
#[derive(Clone)]
pub struct LinuxRuntime {
    pub(super) shared: Arc<Shared>,
}

pub(super) struct Shared {
    pub(super) config: LinuxConfig,
    pub(super) store: Store,
    #[cfg(feature = "registry")]
    pub(super) registry: orlop_image::Registry,
    pub(super) cni: Cni,
    pub(super) containers: orlop_container::Runtime,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) random: Random,
    pub(super) state: Mutex<State>,
    pub(super) gates: Gates,
    pub(super) faults: Faults,
    /// A pod has changed on its own.
    pub(super) wake: Notify,
    /// Held by whatever makes or removes something; true once everything is removed, and nothing is to be made any more.
    pub(super) closed: RwLock<bool>,
}

impl fmt::Debug for LinuxRuntime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LinuxRuntime").field("node", &self.shared.config.node).finish_non_exhaustive()
    }
}

pub(super) fn not_found(kind: &'static str, id: &str) -> RuntimeError {
    RuntimeError::NotFound { kind, id: id.into() }
}

pub(super) fn failed(error: impl fmt::Display) -> RuntimeError {
    RuntimeError::failed(error.to_string())
}

/// Whether a text can be the name of a folder: ids and names of the API can, what is made up need not.
pub(super) fn is_name(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= 253
        && !text.starts_with('.')
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
}

/// What makes processes and what makes networks.
#[cfg_attr(
    not(feature = "test-util"),
    allow(unused_variables, reason = "nothing fails on purpose but in tests")
)]
fn makers(config: &LinuxConfig, faults: &Faults) -> Result<(orlop_container::Runtime, Cni), LinuxError> {
    let network = Cni::builder(config.root.join("cni"));
    let state = config.root.join("runtime");
    #[cfg(feature = "test-util")]
    let network = network.faults(faults.network.clone());
    #[cfg(feature = "test-util")]
    let containers =
        orlop_container::Runtime::open_with_faults(state, Base::Permitted, faults.containers.clone())?;
    #[cfg(not(feature = "test-util"))]
    let containers = orlop_container::Runtime::open_with(state, Base::Permitted)?;
    Ok((containers, network.build()?))
}

impl LinuxRuntime {
    /// A runtime with images from `store`, which several nodes of a process may share. Nothing is done before
    /// [`PodRuntime::recover`].
    ///
    /// # Errors
    /// See [`LinuxError`].
    pub fn new(
        mut config: LinuxConfig,
        store: Store,
        clock: Arc<dyn Clock>,
        random: Random,
    ) -> Result<Self, LinuxError> {
        for name in ["pods", "sandboxes", "containers", "cni", "runtime"] {
            let path = config.root.join(name);
            std::fs::create_dir_all(&path).map_err(|source| LinuxError::Folder { path, source })?;
        }
        // The kernel's list of mounts, by which ours are found, has no links in its paths.
        config.root = config
            .root
            .canonicalize()
            .map_err(|source| LinuxError::Folder { path: config.root.clone(), source })?;
        #[cfg(feature = "test-util")]
        let faults = config.faults.clone();
        #[cfg(not(feature = "test-util"))]
        let faults = Faults::default();
        let (containers, cni) = makers(&config, &faults)?;
        if let Some(why) = containers.no_cgroups() {
            tracing::warn!(node = %config.node, %why, "containers run without limits: there are no cgroups");
        }
        let random = random.fork(&format!("linux {}", config.node));
        let shared = Shared {
            #[cfg(feature = "registry")]
            registry: orlop_image::Registry::new(config.registry.clone()),
            config,
            store,
            cni,
            containers,
            clock,
            random,
            state: Mutex::default(),
            gates: Gates::default(),
            faults,
            wake: Notify::new(),
            closed: RwLock::new(false),
        };
        Ok(Self { shared: Arc::new(shared) })
    }

    /// The images.
    pub fn store(&self) -> &Store {
        &self.shared.store
    }

    /// Runs something that blocks on a thread for that. It is done to its end also if nobody waits for it any more.
    pub(super) async fn blocking<T, F>(&self, work: F) -> RuntimeResult<T>
    where
        T: Send + 'static,
        F: FnOnce(&Arc<Shared>) -> RuntimeResult<T> + Send + 'static,
    {
        self.on_thread(move |shared| {
            let closed = shared.closed.read();
            if *closed { Err(failed(CLOSED)) } else { work(shared) }
        })
        .await
    }

    /// The same for a pod, when nothing else is being done to it. Without a pod it is at once.
    pub(super) async fn in_turn<T, F>(&self, uid: Option<Str>, work: F) -> RuntimeResult<T>
    where
        T: Send + 'static,
        F: FnOnce(&Arc<Shared>) -> RuntimeResult<T> + Send + 'static,
    {
        let turn = match &uid {
            Some(uid) => Some(self.shared.gates.enter(uid).await),
            None => None,
        };
        self.blocking(move |shared| {
            let _turn = turn;
            work(shared)
        })
        .await
    }

    /// The pod of a container.
    fn pod_of_container(&self, id: &str) -> Option<Str> {
        let state = self.shared.state.lock();
        state.containers.get(id).map(|instance| Str::from(&instance.record.uid))
    }

    /// The pod of a sandbox.
    fn pod_of_sandbox(&self, id: &str) -> Option<Str> {
        let state = self.shared.state.lock();
        state.sandboxes.get(id).map(|sandbox| Str::from(&sandbox.record.uid))
    }

    /// The same as [`blocking`](Self::blocking), also when everything is removed.
    pub(super) async fn on_thread<T, F>(&self, work: F) -> RuntimeResult<T>
    where
        T: Send + 'static,
        F: FnOnce(&Arc<Shared>) -> RuntimeResult<T> + Send + 'static,
    {
        let shared = Arc::clone(&self.shared);
        let span = tracing::Span::current();
        tokio::task::spawn_blocking(move || span.in_scope(|| work(&shared)))
            .await
            .unwrap_or_else(|error| Err(failed(error)))
    }
}

impl Shared {
    pub(super) fn new_id(&self) -> String {
        let random = &self.random;
        format!("{:016x}{:016x}", random.u64(), random.u64())
    }

    /// A name that no other call gets.
    pub(super) fn stamp(&self) -> String {
        let time = jiff::fmt::strtime::format("%Y_%m_%d_%H_%M_%S", self.clock.now()).unwrap_or_default();
        format!("{time}.{:08x}", self.random.u64() & 0xffff_ffff)
    }

    pub(super) fn pod_dir(&self, uid: &str) -> PathBuf {
        self.config.root.join("pods").join(uid)
    }

    pub(super) fn sandbox_dir(&self, id: &str) -> PathBuf {
        self.config.root.join("sandboxes").join(id)
    }

    pub(super) fn container_dir(&self, id: &str) -> PathBuf {
        self.config.root.join("containers").join(id)
    }

    /// The folder of a pod's logs.
    pub(super) fn log_dir(&self, namespace: &str, name: &str, uid: &str) -> PathBuf {
        self.config.logs.join(format!("{namespace}_{name}_{uid}"))
    }

    /// A running container.
    fn running(
        &self,
        id: &str,
    ) -> RuntimeResult<(Arc<orlop_container::Container>, orlop_container::ProcessSpec)> {
        let state = self.state.lock();
        let instance = state.containers.get(id).ok_or_else(|| not_found("container", id))?;
        if instance.record.view().state != ContainerState::Running {
            return Err(RuntimeError::NotRunning { id: id.into() });
        }
        let container =
            instance.container.clone().ok_or_else(|| RuntimeError::NotRunning { id: id.into() })?;
        Ok((container, instance.process.clone()))
    }
}

#[async_trait]
impl Exec for LinuxRuntime {
    async fn exec(&self, id: &str, command: &[Str], limit: Option<Duration>) -> RuntimeResult<ExecOutput> {
        let (container, process) = self.shared.running(id)?;
        self.shared.faults.step("pipes of a command").map_err(failed)?;
        super::exec::run(container, process, command, limit, handlers::MAX_OUTPUT).await
    }
}

#[async_trait]
impl PodRuntime for LinuxRuntime {
    fn info(&self) -> RuntimeInfo {
        let uname = rustix::system::uname();
        RuntimeInfo {
            version: concat!("orlop://", env!("CARGO_PKG_VERSION")).into(),
            kernel: uname.release().to_string_lossy().as_ref().into(),
            os_image: os_image().into(),
            limits: match self.shared.containers.no_cgroups() {
                None => Limits::Enforced,
                Some(why) => Limits::Ignored { why: why.to_string().into() },
            },
        }
    }

    async fn health(&self) -> RuntimeHealth {
        let network = self
            .blocking(|shared| shared.cni.status(&shared.config.network).map_err(failed))
            .await
            .err()
            .map(|error| error.to_string());
        RuntimeHealth { runtime: None, network }
    }

    async fn recover(&self, mode: Recover) -> RuntimeResult<Vec<KnownPod>> {
        let handle = tokio::runtime::Handle::current();
        self.on_thread(move |shared| {
            // Whatever somebody before has begun is waited for.
            let closed = shared.closed.write();
            if *closed { Err(failed(CLOSED)) } else { shared.recover(mode, &handle) }
        })
        .await
    }

    async fn pods(&self) -> RuntimeResult<Vec<KnownPod>> {
        Ok(self.shared.state.lock().known())
    }

    async fn view(&self, uid: &str) -> RuntimeResult<RuntimeView> {
        // What was begun shows, also if nobody waits for it any more.
        let _turn = self.shared.gates.enter(uid).await;
        Ok(self.shared.state.lock().view(uid))
    }

    fn dns_warnings(&self, pod: &Pod) -> Vec<DnsWarning> {
        pod_dns(pod, &self.shared.config.dns, &[]).map(|(_, warnings)| warnings).unwrap_or_default()
    }

    async fn set_up_volumes(&self, pod: &Arc<Pod>, volumes: &Arc<Volumes>) -> Result<(), VolumeError> {
        let (pod, volumes) = (Arc::clone(pod), Arc::clone(volumes));
        let shared = Arc::clone(&self.shared);
        let turn = shared.gates.enter(&pod.metadata.uid).await;
        let set_up = move || {
            let _turn = turn;
            let closed = shared.closed.read();
            if *closed {
                return Err(VolumeError { volume: Str::EMPTY, message: CLOSED.to_owned() });
            }
            shared.set_up_volumes(&pod, &volumes)
        };
        let done = tokio::task::spawn_blocking(set_up).await;
        done.unwrap_or_else(|error| Err(VolumeError { volume: Str::EMPTY, message: error.to_string() }))
    }

    async fn remove_pod(&self, uid: &str) -> RuntimeResult<()> {
        let uid = uid.to_owned();
        self.in_turn(Some(uid.as_str().into()), move |shared| shared.remove_pod(&uid)).await
    }

    async fn create_sandbox(&self, config: &SandboxConfig) -> RuntimeResult<SandboxView> {
        let config = config.clone();
        let uid = config.pod.metadata.uid.clone();
        self.in_turn(Some(uid), move |shared| shared.create_sandbox(&config)).await
    }

    async fn stop_sandbox(&self, id: &str) -> RuntimeResult<()> {
        let id = id.to_owned();
        self.in_turn(self.pod_of_sandbox(&id), move |shared| shared.stop_sandbox(&id)).await
    }

    async fn remove_sandbox(&self, id: &str) -> RuntimeResult<()> {
        let id = id.to_owned();
        self.in_turn(self.pod_of_sandbox(&id), move |shared| shared.remove_sandbox(&id)).await
    }

    async fn find_image(&self, image: &str) -> RuntimeResult<Option<Image>> {
        let name = Reference::parse(image).map_err(failed)?;
        self.blocking(move |shared| Ok(shared.store.get(&name).map_err(failed)?.as_ref().map(images::told)))
            .await
    }

    async fn pull_image(&self, pull: &ImagePull) -> RuntimeResult<Image> {
        images::pull(self, pull).await
    }

    async fn images(&self) -> RuntimeResult<Vec<Image>> {
        self.blocking(|shared| Ok(shared.store.images().map_err(failed)?.iter().map(images::told).collect()))
            .await
    }

    async fn remove_image(&self, reference: &str) -> RuntimeResult<()> {
        let reference = reference.to_owned();
        self.blocking(move |shared| images::remove(shared, &reference)).await
    }

    async fn create_container(&self, config: &ContainerConfig) -> RuntimeResult<Str> {
        let config = config.clone();
        let handle = tokio::runtime::Handle::current();
        let uid = config.pod.metadata.uid.clone();
        self.in_turn(Some(uid), move |shared| shared.create_container(&config, &handle)).await
    }

    async fn start_container(&self, id: &str) -> RuntimeResult<()> {
        let id = id.to_owned();
        let handle = tokio::runtime::Handle::current();
        self.in_turn(self.pod_of_container(&id), move |shared| shared.start_container(&id, &handle)).await
    }

    async fn stop_container(&self, id: &str, grace: Duration) -> RuntimeResult<()> {
        self.stop(id, grace).await
    }

    async fn remove_container(&self, id: &str) -> RuntimeResult<()> {
        let id = id.to_owned();
        self.in_turn(self.pod_of_container(&id), move |shared| shared.remove_container(&id)).await
    }

    async fn resize_container(&self, id: &str, resources: &ResourceRequirements) -> RuntimeResult<()> {
        let (id, resources) = (id.to_owned(), resources.clone());
        self.in_turn(self.pod_of_container(&id), move |shared| shared.resize(&id, &resources)).await
    }

    async fn read_volume_file(&self, pod: &Pod, volume: &str, path: &str) -> RuntimeResult<Vec<u8>> {
        let dir = self.shared.pod_dir(&pod.metadata.uid);
        let place = super::volumes::PodVolumes::new(&dir, pod)
            .place(volume)
            .ok_or_else(|| not_found("volume", volume))?;
        let path = path.to_owned();
        self.blocking(move |_| {
            orlop_fs::Root::open(&place).and_then(|root| root.read(&path, MAX_ENV_FILE)).map_err(failed)
        })
        .await
    }

    async fn exec(&self, id: &str, command: &[Str], timeout: Option<Duration>) -> RuntimeResult<ExecOutput> {
        let (container, process) = self.shared.running(id)?;
        self.shared.faults.step("pipes of a command").map_err(failed)?;
        super::exec::run(container, process, command, timeout, MAX_OUTPUT).await
    }

    async fn probe(&self, target: &Target, _kind: ProbeKind, probe: &Probe) -> RuntimeResult<ProbeAnswer> {
        handlers::probe(self, target, probe).await
    }

    async fn run_hook(&self, target: &Target, _hook: Hook, handler: &LifecycleHandler) -> RuntimeResult<()> {
        handlers::hook(self, target, handler).await
    }

    async fn logs(&self, id: &str, options: &LogOptions) -> RuntimeResult<BoxStream<'static, LogLine>> {
        let (path, progress) = {
            let state = self.shared.state.lock();
            let instance = state.containers.get(id).ok_or_else(|| not_found("container", id))?;
            (PathBuf::from(&instance.record.log), instance.progress.clone())
        };
        let follower = Follower::new(path, progress, options.clone());
        let lines = stream::unfold(follower, |mut follower| async move {
            follower.next().await.map(|line| (line, follower))
        });
        Ok(lines.boxed())
    }

    async fn stats(&self, uid: &str) -> RuntimeResult<Vec<ContainerStats>> {
        let uid = uid.to_owned();
        self.blocking(move |shared| Ok(shared.stats(&uid))).await
    }

    fn events(&self) -> BoxStream<'static, RuntimeEvent> {
        let events = stream::unfold(Arc::clone(&self.shared), |shared| async move {
            loop {
                let changed = shared.state.lock().take_changed();
                if let Some(uid) = changed {
                    return Some((RuntimeEvent { uid }, shared));
                }
                shared.wake.notified().await;
            }
        });
        events.boxed()
    }
}

/// The name that the system gives itself.
fn os_image() -> String {
    let text = std::fs::read_to_string("/etc/os-release").unwrap_or_default();
    let name = text.lines().find_map(|line| line.strip_prefix("PRETTY_NAME="));
    name.map_or("Linux", |name| name.trim_matches('"')).to_owned()
}
