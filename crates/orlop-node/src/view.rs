//! What a runtime shows of one pod: the input of every decision.

use jiff::Timestamp;
use orlop_model::Str;
use orlop_model::core::v1::{Container, ContainerUser, ResourceRequirements};

/// Whether a sandbox can hold containers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum SandboxState {
    /// It runs.
    #[default]
    Ready,
    /// It was stopped, or has died.
    NotReady,
}

/// Whose network a sandbox uses.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Network {
    /// Its own.
    #[default]
    Pod,
    /// The node's (`hostNetwork`).
    Node,
}

/// One sandbox of a pod.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SandboxView {
    /// The runtime's id.
    pub id: Str,
    /// How many sandboxes the pod had before this one.
    pub attempt: u32,
    /// Whether it can hold containers.
    pub state: SandboxState,
    /// Whose network it uses.
    pub network: Network,
    /// `None`: the runtime reports no network status; empty: it reports one without an address.
    pub ip: Option<Str>,
    /// When it was created.
    pub created_at: Timestamp,
}

/// Where a container is in its life.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum ContainerState {
    /// Made, not started.
    Created,
    /// Its process runs.
    Running,
    /// Its process has ended.
    Exited,
    /// The runtime cannot tell.
    #[default]
    Unknown,
}

impl ContainerState {
    /// The word used in messages.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Running => "running",
            Self::Exited => "exited",
            Self::Unknown => "unknown",
        }
    }
}

/// One instance of one of a pod's containers.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ContainerView {
    /// The runtime's id, without scheme.
    pub id: Str,
    /// The container's name in the pod.
    pub name: Str,
    /// The sandbox it was made in.
    pub sandbox_id: Str,
    /// It belongs to the newest sandbox, which is ready.
    pub active: bool,
    /// Where it is in its life.
    pub state: ContainerState,
    /// When it was created.
    pub created_at: Timestamp,
    /// When its process was started; `None` unless it was.
    pub started_at: Option<Timestamp>,
    /// When its process ended; `None` unless it has.
    pub finished_at: Option<Timestamp>,
    /// The exit code, meaningful once exited. A signal *n* is 128 + *n*.
    pub exit_code: i32,
    /// Why it ended, such as `Completed`, `Error`, `OOMKilled`.
    pub reason: Str,
    /// The termination message.
    pub message: Str,
    /// The image as asked for.
    pub image: Str,
    /// The image as resolved; becomes `imageID`.
    pub image_ref: Str,
    /// How many instances there were before this one.
    pub restart_count: i32,
    /// [`definition`] of the container it was started from.
    pub definition: u64,
    /// CPU and memory as the runtime applies them, where it can say.
    pub resources: Option<Box<ResourceRequirements>>,
    /// User and groups of the first process, where the runtime can say.
    pub user: Option<Box<ContainerUser>>,
}

/// All that a runtime knows of a pod. Both lists are sorted newest first.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RuntimeView {
    /// The pod's addresses, in the runtime's order.
    pub ips: Vec<Str>,
    /// Its sandboxes; the first is the current one.
    pub sandboxes: Vec<SandboxView>,
    /// The instances of its containers; the first of a name is the current one.
    pub containers: Vec<ContainerView>,
}

impl RuntimeView {
    /// The current instance of a container.
    pub fn container(&self, name: &str) -> Option<&ContainerView> {
        self.containers.iter().find(|container| container.name == *name)
    }

    /// Whether any instance of any container runs.
    pub fn is_running(&self) -> bool {
        self.containers.iter().any(|container| container.state == ContainerState::Running)
    }
}

/// A hash of what makes a running container another one when it changes in the pod's spec: name and image.
///
/// It is stable (FNV-1a), so a runtime may keep it with the container.
pub fn definition(container: &Container) -> u64 {
    let mut hash = Fnv::default();
    hash.text(&container.name);
    hash.text(&container.image);
    hash.0
}

/// FNV-1a over length-delimited texts.
pub(crate) struct Fnv(pub(crate) u64);

impl Default for Fnv {
    fn default() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }
}

impl Fnv {
    pub(crate) fn text(&mut self, text: &str) {
        for byte in text.bytes().chain([0xff]) {
            self.0 = (self.0 ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
}
