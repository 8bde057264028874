//! The cluster as the scheduler sees it: nodes with the sums over their pods, kept up to date by an
//! ordered sequence of changes.

mod budgets;
mod change;
mod host_ports;
mod images;
mod journal;
mod log;
mod neighbours;
mod node;
mod nominations;
mod placed_pod;
mod pod_groups;
mod pod_terms;
pub(crate) mod requests;
mod resources;
mod state;
mod topology;
mod trial_node;
mod view;
mod volumes;

pub(crate) use budgets::{Account, Budgets};
pub use change::{Change, RecordError};
pub use host_ports::{HostPort, HostPorts};
pub use images::{Image, Images};
pub(crate) use log::Touched;
pub use log::{ChangeLog, Logged};
pub(crate) use neighbours::{Neighbours, controller_of};
pub use neighbours::{Workload, WorkloadKind};
pub use node::NodeView;
pub(crate) use placed_pod::{Load, priority};
pub use placed_pod::{PlacedPod, is_finished, pod_id};
pub use pod_groups::{GroupCount, PodGroup};
pub(crate) use pod_terms::{PodTerm, PodTerms};
pub use resources::{Resources, is_extended, is_scalar};
pub use state::Cluster;
pub(crate) use topology::{NO_VALUE, Topology};
pub(crate) use trial_node::TrialNode;
pub use view::ClusterView;
pub use volumes::{BindPlan, Replaced, StorageChange, StorageEvent, Volumes};
pub(crate) use volumes::{
    CapacitySlot, KnownVolume, MIGRATED_PLUGINS, SELECTED_NODE, class_of_claim, is_bound_to,
};
