//! Node agent.
mod actions;
mod backoff;
mod probe;
mod restart;
mod sandbox;
mod status;
mod view;

pub use actions::{ActionsInput, Actuated, Kill, KillReason, PodActions, Reset, Resize, pod_actions};
pub use backoff::{Backoff, go_duration};
pub use probe::{Next, ProbeKind, ProbeOutcome, ProbeResults, Prober};
pub use restart::{is_sidecar, is_static, restart_rule, restarts_after, should_start};
pub use sandbox::{SandboxNeed, network_of, sandbox_need};
pub use status::{Evict, StartError, StatusInput, host_ips, pod_status, restarting_all};
pub use view::{ContainerState, ContainerView, Network, RuntimeView, SandboxState, SandboxView, definition};
