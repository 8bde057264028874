//! What is written down of sandboxes and containers, for a process that comes after this one.

use std::path::{Path, PathBuf};

use jiff::Timestamp;
use orlop_container::{CapabilitySet, ProcessSpec, Seccomp, User};
use orlop_fs::Root;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::cgroups::Limits;
use super::seccomp;
use crate::runtime::KnownPod;
use crate::view::{ContainerState, ContainerView, Network, SandboxState, SandboxView};

/// Bytes of a record at most.
const MAX_RECORD: u64 = 1 << 20;

/// A sandbox.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct SandboxRecord {
    pub(crate) id: String,
    pub(crate) uid: String,
    pub(crate) namespace: String,
    pub(crate) name: String,
    pub(crate) attempt: u32,
    pub(crate) host_network: bool,
    pub(crate) ips: Vec<String>,
    pub(crate) created_at: Timestamp,
    /// It was made whole, and not stopped.
    pub(crate) ready: bool,
    /// The pod's control group.
    pub(crate) cgroup: String,
    /// The name that the kernel was told.
    pub(crate) hostname: String,
    /// It has namespaces of its own.
    pub(crate) own_namespaces: bool,
    /// CPU that the pod requests, in thousandths.
    pub(crate) cpu_millis: i64,
    /// The pod is of the tier between.
    pub(crate) burstable: bool,
    /// What the pod may use.
    #[serde(default)]
    pub(crate) limits: Limits,
}

impl SandboxRecord {
    pub(crate) fn known(&self) -> KnownPod {
        KnownPod {
            uid: self.uid.as_str().into(),
            namespace: self.namespace.as_str().into(),
            name: self.name.as_str().into(),
        }
    }

    pub(crate) fn view(&self) -> SandboxView {
        SandboxView {
            id: self.id.as_str().into(),
            attempt: self.attempt,
            state: if self.ready { SandboxState::Ready } else { SandboxState::NotReady },
            network: if self.host_network { Network::Node } else { Network::Pod },
            ip: (!self.host_network).then(|| self.ips.first().cloned().unwrap_or_default().into()),
            created_at: self.created_at,
        }
    }
}

/// A container.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct ContainerRecord {
    pub(crate) id: String,
    pub(crate) uid: String,
    pub(crate) name: String,
    pub(crate) sandbox: String,
    pub(crate) image: String,
    pub(crate) image_ref: String,
    pub(crate) restart_count: i32,
    pub(crate) definition: u64,
    pub(crate) created_at: Timestamp,
    pub(crate) started_at: Option<Timestamp>,
    pub(crate) end: Option<End>,
    /// The log file.
    pub(crate) log: String,
    /// The file that is mounted for the termination message; empty: none is.
    pub(crate) message_file: String,
    /// Without a message of its own, a container that failed leaves the end of its log.
    pub(crate) message_from_log: bool,
    /// The signal that ends it.
    pub(crate) stop_signal: i32,
    /// Its process, for commands in it.
    pub(crate) process: ProcessRecord,
    /// What it may use.
    #[serde(default)]
    pub(crate) limits: Limits,
}

/// What a container's process is, but for its program.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct ProcessRecord {
    pub(crate) env: Vec<(String, String)>,
    pub(crate) cwd: PathBuf,
    pub(crate) uid: u32,
    pub(crate) gid: u32,
    pub(crate) groups: Vec<u32>,
    /// The bits of its capabilities.
    pub(crate) capabilities: u64,
    pub(crate) no_new_privileges: bool,
    /// It is under the default seccomp profile, else under none.
    pub(crate) seccomp: bool,
    /// The text of the profile that it is under instead.
    #[serde(default)]
    pub(crate) profile: Option<String>,
    pub(crate) oom_score_adj: Option<i32>,
}

impl ProcessRecord {
    /// `profile`: the text of its own seccomp profile, if it has one.
    pub(crate) fn of(process: &ProcessSpec, profile: Option<String>) -> Self {
        Self {
            env: process.env.clone(),
            cwd: process.cwd.clone(),
            uid: process.user.uid,
            gid: process.user.gid,
            groups: process.user.groups.clone(),
            capabilities: process.capabilities.bounding.bits(),
            no_new_privileges: process.no_new_privileges,
            seccomp: process.seccomp == Seccomp::Default,
            profile,
            oom_score_adj: process.oom_score_adj,
        }
    }

    /// A further process like it.
    pub(crate) fn spec(&self) -> ProcessSpec {
        let mut process = ProcessSpec::new(Vec::<String>::new());
        process.env.clone_from(&self.env);
        process.cwd.clone_from(&self.cwd);
        process.user = User { uid: self.uid, gid: self.gid, groups: self.groups.clone(), umask: None };
        process.capabilities = CapabilitySet::from_bits(self.capabilities).into();
        process.no_new_privileges = self.no_new_privileges;
        let profile = self.profile.as_ref().map(|text| seccomp::parse(text.as_bytes()));
        process.seccomp = match profile {
            Some(Ok(profile)) => Seccomp::Profile(profile),
            // It was read before; without it less is allowed, not more.
            Some(Err(_)) => Seccomp::Default,
            None if self.seccomp => Seccomp::Default,
            None => Seccomp::Unconfined,
        };
        process.oom_score_adj = self.oom_score_adj;
        process
    }
}

/// How a container has ended.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct End {
    pub(crate) at: Timestamp,
    pub(crate) code: i32,
    pub(crate) reason: String,
    pub(crate) message: String,
}

impl ContainerRecord {
    pub(crate) fn view(&self) -> ContainerView {
        let state = match (&self.end, self.started_at) {
            (Some(_), _) => ContainerState::Exited,
            (None, Some(_)) => ContainerState::Running,
            (None, None) => ContainerState::Created,
        };
        let process = &self.process;
        let linux = orlop_model::core::v1::LinuxContainerUser {
            uid: i64::from(process.uid),
            gid: i64::from(process.gid),
            supplemental_groups: process.groups.iter().map(|group| i64::from(*group)).collect(),
            ..Default::default()
        };
        ContainerView {
            id: self.id.as_str().into(),
            name: self.name.as_str().into(),
            sandbox_id: self.sandbox.as_str().into(),
            active: false,
            state,
            created_at: self.created_at,
            started_at: self.started_at,
            finished_at: self.end.as_ref().map(|end| end.at),
            exit_code: self.end.as_ref().map_or(0, |end| end.code),
            reason: self.end.as_ref().map(|end| end.reason.as_str().into()).unwrap_or_default(),
            message: self.end.as_ref().map(|end| end.message.as_str().into()).unwrap_or_default(),
            image: self.image.as_str().into(),
            image_ref: self.image_ref.as_str().into(),
            restart_count: self.restart_count,
            definition: self.definition,
            resources: None,
            user: Some(Box::new(orlop_model::core::v1::ContainerUser {
                linux: Some(Box::new(linux)),
                ..Default::default()
            })),
        }
    }
}

/// Writes a record into a folder, at once.
///
/// # Errors
/// The kernel refuses.
pub(crate) fn write(dir: &Path, record: &impl Serialize) -> Result<(), String> {
    let text = serde_json::to_vec(record).map_err(|error| error.to_string())?;
    Root::open(dir)
        .and_then(|root| root.replace("record.json", &text, 0o600))
        .map_err(|error| error.to_string())
}

/// Reads the record in a folder; `None` if there is none, or none that can be read.
pub(crate) fn read<T: DeserializeOwned>(dir: &Path) -> Option<T> {
    let text = Root::open(dir).ok()?.read("record.json", MAX_RECORD).ok()?;
    serde_json::from_slice(&text).ok()
}

/// The folders inside a folder, by name; none if it is not there.
pub(crate) fn folders(dir: &Path) -> Vec<String> {
    let Ok(entries) = std::fs::read_dir(dir) else { return Vec::new() };
    let mut names: Vec<String> =
        entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok()).collect();
    names.sort();
    names
}
