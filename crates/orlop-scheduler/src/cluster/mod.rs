//! The cluster as the scheduler sees it: nodes with the sums over their pods, kept up to date by an
//! ordered sequence of changes.

mod change;
mod host_ports;
mod images;
mod log;
mod node;
mod placed_pod;
pub(crate) mod requests;
mod resources;
mod state;
mod view;

pub use change::{Change, RecordError};
pub use host_ports::{HostPort, HostPorts};
pub use images::{Image, Images};
pub use log::{ChangeLog, Logged};
pub use node::NodeView;
pub use placed_pod::{PlacedPod, is_finished, pod_id};
pub use resources::{Resources, is_extended, is_scalar};
pub use state::Cluster;
pub use view::ClusterView;
