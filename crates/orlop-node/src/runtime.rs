//! [`PodRuntime`]: what the agent asks of whatever runs pods.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures::stream::BoxStream;
use jiff::Timestamp;
use orlop_model::Str;
use orlop_model::core::v1::{Container, LifecycleHandler, Pod, Probe, ResourceRequirements, Secret};

use crate::dns::DnsWarning;
use crate::probe::ProbeKind;
use crate::view::{RuntimeView, SandboxView};
use crate::volume::VolumeError;

/// Why a runtime could not do what it was asked for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RuntimeError {
    /// There is no such sandbox, container or image.
    #[error("{kind} {id:?} not found")]
    NotFound {
        /// `sandbox`, `container`, `image`.
        kind: &'static str,
        /// Its id or name.
        id: Str,
    },
    /// An image could not be had.
    #[error("{message}")]
    Image {
        /// The waiting reason: `ErrImagePull`, `RegistryUnavailable`, `SignatureValidationFailed`, `InvalidImageName`,
        /// `ImageInspectError`.
        reason: Str,
        /// What went wrong, for people.
        message: String,
    },
    /// The container cannot be made as it is described: a user that does not exist, a file that is missing.
    #[error("{message}")]
    Config {
        /// What is wrong, for people.
        message: String,
    },
    /// It did not end in time.
    #[error("timed out after {after:?}")]
    Timeout {
        /// The time it was given.
        after: Duration,
    },
    /// The container does not run.
    #[error("container {id:?} is not running")]
    NotRunning {
        /// The container.
        id: Str,
    },
    /// This runtime cannot do that.
    #[error("{what} is not supported by this runtime")]
    Unsupported {
        /// What it cannot do.
        what: &'static str,
    },
    /// Anything else.
    #[error("{message}")]
    Failed {
        /// What went wrong, for people.
        message: String,
    },
}

impl RuntimeError {
    /// [`RuntimeError::Failed`].
    pub fn failed(message: impl Into<String>) -> Self {
        Self::Failed { message: message.into() }
    }

    /// Whether this is [`RuntimeError::NotFound`].
    pub fn is_not_found(&self) -> bool {
        matches!(self, Self::NotFound { .. })
    }
}

/// The answer of a runtime.
pub type RuntimeResult<T> = Result<T, RuntimeError>;

/// What the runtime is, for the node's status.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RuntimeInfo {
    /// `NAME://VERSION`.
    pub version: Str,
    /// Version of the kernel, where known.
    pub kernel: Str,
    /// Name of the operating system's image, where known.
    pub os_image: Str,
    /// Whether containers are held to their limits.
    pub limits: Limits,
}

/// Whether a runtime holds containers to their limits.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Limits {
    /// It does.
    #[default]
    Enforced,
    /// It cannot, and has no statistics either: containers use what they want. The node says so in a condition of type
    /// `LimitsIgnored`.
    Ignored {
        /// Why it cannot.
        why: Str,
    },
}

/// Whether the runtime can work; a text says why not.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RuntimeHealth {
    /// Why no pod can be run.
    pub runtime: Option<String>,
    /// Why no pod with a network of its own can be run.
    pub network: Option<String>,
}

/// What becomes of the pods that an agent before this one has left behind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Recover {
    /// They run on, as pods of this agent.
    Adopt,
    /// They and everything of theirs is removed.
    Remove,
}

/// A pod that the runtime has something of.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct KnownPod {
    /// The pod's uid.
    pub uid: Str,
    /// Its namespace.
    pub namespace: Str,
    /// Its name.
    pub name: Str,
}

/// A sandbox to make.
#[derive(Clone, Debug)]
pub struct SandboxConfig {
    /// The pod.
    pub pod: Arc<Pod>,
    /// How many sandboxes it had before.
    pub attempt: u32,
}

/// An image that the runtime has.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Image {
    /// What the image is by its contents, such as `sha256:…`.
    pub reference: Str,
    /// Names it goes by.
    pub names: Vec<Str>,
    /// Bytes it takes, unpacked.
    pub size: u64,
}

/// An image to pull.
#[derive(Clone, Debug, Default)]
pub struct ImagePull {
    /// The image as the container names it.
    pub image: Str,
    /// Secrets with credentials, in order of trial.
    pub secrets: Vec<Arc<Secret>>,
}

/// A file of a volume.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VolumeFile {
    /// Permission bits.
    pub mode: u32,
    /// Contents.
    pub data: Arc<[u8]>,
    /// Whose it is; `None`: the runtime's user.
    pub user: Option<i64>,
}

/// A volume of a pod, as far as the agent has resolved it.
#[derive(Clone, Debug, PartialEq)]
pub enum VolumeContent {
    /// Files made by the agent (configMap, secret, downwardAPI, projected), by path relative to the volume.
    Files(BTreeMap<Str, VolumeFile>),
    /// The runtime makes it from the pod's own description (emptyDir, hostPath, claims, …).
    ByRuntime,
}

/// The volumes of a pod by name.
pub type Volumes = BTreeMap<Str, VolumeContent>;

/// A container to make.
#[derive(Clone, Debug)]
pub struct ContainerConfig {
    /// The pod it belongs to.
    pub pod: Arc<Pod>,
    /// The sandbox to make it in.
    pub sandbox_id: Str,
    /// Its description.
    pub container: Arc<Container>,
    /// How many instances there were before.
    pub restart_count: i32,
    /// The image to run.
    pub image: Image,
    /// The environment, resolved, in order; names are unique.
    pub env: Vec<(Str, Str)>,
    /// The command with its variables replaced; empty: the image's.
    pub command: Vec<Str>,
    /// The arguments with their variables replaced; empty: the image's.
    pub args: Vec<Str>,
    /// The pod's volumes.
    pub volumes: Arc<Volumes>,
    /// [`crate::definition`] of the description; the runtime keeps it with the container.
    pub definition: u64,
}

/// A running container that something is asked of.
#[derive(Clone, Debug)]
pub struct Target {
    /// Its pod.
    pub pod: Arc<Pod>,
    /// Its description.
    pub container: Arc<Container>,
    /// Its id.
    pub id: Str,
    /// The pod's primary address, empty if it has none.
    pub ip: Str,
}

/// What a probe saw.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProbeAnswer {
    /// The container is well.
    pub well: bool,
    /// It is, but something is odd, such as a redirect to another host.
    pub warning: bool,
    /// What was seen, for people.
    pub output: String,
}

/// When a hook runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Hook {
    /// Right after the container was started.
    PostStart,
    /// Before it is stopped.
    PreStop,
}

/// What a command left.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ExecOutput {
    /// Exit code.
    pub code: i32,
    /// Standard output.
    pub stdout: Vec<u8>,
    /// Standard error.
    pub stderr: Vec<u8>,
}

/// Which log lines are wanted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LogOptions {
    /// Go on with lines to come, until the container ends.
    pub follow: bool,
    /// Only the last so many.
    pub tail: Option<usize>,
    /// Only those not older.
    pub since: Option<Timestamp>,
}

/// One line of a container's log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogLine {
    /// When it was written.
    pub time: Timestamp,
    /// To standard error, else to standard output.
    pub stderr: bool,
    /// The line without its end.
    pub text: Vec<u8>,
}

/// CPU and memory used by one container.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ContainerStats {
    /// The container's name.
    pub name: Str,
    /// CPU time used so far.
    pub cpu: Duration,
    /// Bytes in the working set.
    pub memory: u64,
}

/// Something changed in a pod.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuntimeEvent {
    /// The pod's uid.
    pub uid: Str,
}

/// What runs pods on a node: the Linux kernel, a simulation, …
///
/// # Contract
/// - It is used by one agent, from many tasks at once; calls for one pod come one after the other, but for probes,
///   [`exec`](Self::exec), [`logs`](Self::logs) and stops, which come at any time.
/// - Dropping a call's future at any await leaves nothing half made: the effect is there, and
///   [`view`](Self::view) shows it, or it is not.
/// - Ids are unique for ever. Stopping or removing what is gone already succeeds.
/// - A change that no call of the agent has made (a process ended, a sandbox died) shows in [`view`](Self::view) and
///   afterwards as an event. Events of one pod may be merged; none may be lost.
/// - Nothing here decides about restarts, order or time limits: that is the agent's.
#[async_trait]
pub trait PodRuntime: Send + Sync + 'static {
    /// What this runtime is.
    fn info(&self) -> RuntimeInfo;

    /// Whether it can work at present.
    async fn health(&self) -> RuntimeHealth {
        RuntimeHealth::default()
    }

    /// Called once, before anything else: adopts or removes what an agent before has left, whatever step it was
    /// interrupted at, and answers the pods that are there afterwards. After [`Recover::Remove`] nothing is left.
    async fn recover(&self, mode: Recover) -> RuntimeResult<Vec<KnownPod>>;

    /// All pods of which anything is left, sorted.
    async fn pods(&self) -> RuntimeResult<Vec<KnownPod>>;

    /// What there is of one pod; empty if nothing is.
    async fn view(&self, uid: &str) -> RuntimeResult<RuntimeView>;

    /// What is odd about how a pod's containers would resolve names, to be told when its sandbox is made.
    fn dns_warnings(&self, _pod: &Pod) -> Vec<DnsWarning> {
        Vec::new()
    }

    /// Makes the volumes of a pod, or brings those that are there up to date. Called before a sandbox or a container is
    /// made, and from time to time afterwards. A failure is tried again later.
    async fn set_up_volumes(&self, _pod: &Arc<Pod>, _volumes: &Arc<Volumes>) -> Result<(), VolumeError> {
        Ok(())
    }

    /// Removes what is left of a pod when its sandboxes and containers are removed: volumes, logs.
    async fn remove_pod(&self, _uid: &str) -> RuntimeResult<()> {
        Ok(())
    }

    /// Makes a sandbox with its network.
    async fn create_sandbox(&self, config: &SandboxConfig) -> RuntimeResult<SandboxView>;

    /// Ends a sandbox and releases its network. Its containers have ended before.
    async fn stop_sandbox(&self, id: &str) -> RuntimeResult<()>;

    /// Removes a stopped sandbox with all that is left of it.
    async fn remove_sandbox(&self, id: &str) -> RuntimeResult<()>;

    /// An image that is present, by the name a container gives it.
    async fn find_image(&self, image: &str) -> RuntimeResult<Option<Image>>;

    /// Fetches an image.
    async fn pull_image(&self, pull: &ImagePull) -> RuntimeResult<Image>;

    /// All images that are present.
    async fn images(&self) -> RuntimeResult<Vec<Image>>;

    /// Removes an image that no container uses.
    async fn remove_image(&self, reference: &str) -> RuntimeResult<()>;

    /// Makes a container and answers its id.
    async fn create_container(&self, config: &ContainerConfig) -> RuntimeResult<Str>;

    /// Starts the process of a container made before.
    async fn start_container(&self, id: &str) -> RuntimeResult<()>;

    /// Asks the process to end, and ends it by force after `grace`. Returns when it has ended. A second call while the
    /// first still waits may shorten the grace.
    async fn stop_container(&self, id: &str, grace: Duration) -> RuntimeResult<()>;

    /// Removes an ended container with its file system and log.
    async fn remove_container(&self, id: &str) -> RuntimeResult<()>;

    /// Changes the resources of a running container.
    async fn resize_container(&self, id: &str, resources: &ResourceRequirements) -> RuntimeResult<()>;

    /// A file of one of a pod's volumes by its path in the volume, which cannot lead out of it.
    ///
    /// Asked for the variables that come from files (`fileKeyRef`) before the container that has them is made. Runtimes
    /// without volumes need not have it.
    async fn read_volume_file(&self, _pod: &Pod, _volume: &str, _path: &str) -> RuntimeResult<Vec<u8>> {
        Err(RuntimeError::Unsupported { what: "reading files of volumes" })
    }

    /// Runs a command in a container to its end; with a timeout it is killed then and answered as
    /// [`RuntimeError::Timeout`].
    async fn exec(&self, id: &str, command: &[Str], timeout: Option<Duration>) -> RuntimeResult<ExecOutput>;

    /// Runs a probe once, within its `timeoutSeconds`. An error says nothing about the container.
    async fn probe(&self, target: &Target, kind: ProbeKind, probe: &Probe) -> RuntimeResult<ProbeAnswer>;

    /// Runs a lifecycle hook to its end.
    async fn run_hook(&self, target: &Target, hook: Hook, handler: &LifecycleHandler) -> RuntimeResult<()>;

    /// The log of a container, of which the process may have ended.
    async fn logs(&self, id: &str, options: &LogOptions) -> RuntimeResult<BoxStream<'static, LogLine>>;

    /// What the pod's running containers use.
    async fn stats(&self, uid: &str) -> RuntimeResult<Vec<ContainerStats>>;

    /// Changes that no call of the agent has made, from now on. There is one listener at most.
    fn events(&self) -> BoxStream<'static, RuntimeEvent>;
}

impl fmt::Debug for dyn PodRuntime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PodRuntime({})", self.info().version)
    }
}
