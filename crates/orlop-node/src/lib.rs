//! The node agent: runs the pods that are assigned to a node and reports what becomes of them.
//!
//! The decisions are pure functions, equal to those of Kubernetes' kubelet:
//! - [`plan`] says what to do for a pod now: what to kill, to create, to start ([`pod_actions`] without back-off);
//! - [`pod_status`] makes its status: phase, conditions, container statuses; [`merge`] what is to be written of it;
//! - [`Prober`] says when to probe and what answers mean, [`Backoff`] how long what crashed waits.
//!
//! The [`Agent`] carries them out on a [`PodRuntime`]. One is in this crate: [`sim`] runs pods that are merely
//! simulated, thousands of nodes in one process, faults included.
//!
//! ```
//! use orlop_model::core::v1::Pod;
//! use orlop_node::{Backoff, PodProbes, RuntimeView, plan};
//!
//! let mut pod = Pod::default();
//! pod.spec.containers.push(Default::default());
//! // Nothing of the pod is there yet: it needs a sandbox, then its only container.
//! let now = "2026-03-01T12:00:00Z".parse()?;
//! let plan = plan(&pod, &RuntimeView::default(), &PodProbes::default(), false, None, &Backoff::default(), now);
//! assert!(plan.actions.create_sandbox);
//! assert_eq!(plan.actions.start, [0]);
//! # Ok::<(), jiff::Error>(())
//! ```

mod actions;
mod agent;
mod backoff;
mod cell;
mod context;
mod dns;
mod end;
mod env;
mod env_file;
mod events;
mod expand;
mod field;
mod hosts;
#[cfg(all(feature = "linux", target_os = "linux"))]
pub mod linux;
mod materials;
mod merge;
mod node;
mod plan;
mod probe;
mod prober;
mod pull;
mod restart;
mod runtime;
mod sandbox;
mod services;
pub mod sim;
mod start;
mod status;
mod stop;
mod termination;
mod view;
mod volume;
mod worker;

pub use actions::{ActionsInput, Actuated, Kill, KillReason, PodActions, Reset, Resize, pod_actions};
pub use agent::{Agent, AgentError};
pub use backoff::{Backoff, go_duration};
pub use context::AgentConfig;
pub use dns::{DnsConfig, DnsError, DnsSettings, DnsWarning, ResolvConfError, check_resolv_conf, pod_dns};
pub use env::{EnvError, SubPathError, Surroundings, command, environment, sub_path};
pub use env_file::{EnvFileError, EnvFiles, env_file_value};
pub use field::{FieldPathError, ResourceFieldError};
pub use hosts::{Hostname, HostnameError, hosts_file};
pub use materials::{Materials, Missing, TokenIssuer, TokenRequest};
pub use merge::{finish, merge};
pub use node::NodeConfig;
pub use plan::{Held, PodPlan, PodProbes, backoff_key, plan, pod_text};
pub use probe::{Next, ProbeKind, ProbeOutcome, ProbeResults, Prober};
pub use pull::{PullCheckError, inspects, pull_check};
pub use restart::{is_sidecar, is_static, restart_rule, restarts_after, should_start};
pub use runtime::{
    ContainerConfig, ContainerStats, ExecOutput, Hook, Image, ImagePull, KnownPod, Limits, LogLine,
    LogOptions, PodRuntime, ProbeAnswer, Recover, RuntimeError, RuntimeEvent, RuntimeHealth, RuntimeInfo,
    RuntimeResult, SandboxConfig, Target, VolumeContent, VolumeFile, Volumes,
};
pub use sandbox::{SandboxNeed, network_of, sandbox_need};
pub use services::Services;
pub use status::{Evict, StartError, StatusInput, host_ips, pod_status, restarting_all, sorted_ips};
pub use termination::{container_grace, ends_after, pod_grace};
pub use view::{ContainerState, ContainerView, Network, RuntimeView, SandboxState, SandboxView, definition};
pub use volume::{
    VolumeError, VolumeFiles, VolumeOwner, read_mounted, token_requests, volume_files, volumes,
};
