//! kube-scheduler's plugins: the same rules, reasons and scores.

mod image_locality;
mod inter_pod_affinity;
mod node_affinity;
mod node_name;
mod node_ports;
mod node_resources;
mod node_unschedulable;
mod pod_topology_spread;
mod priority_sort;
mod scheduling_gates;
mod taint_toleration;
mod volumes;

pub use crate::preemption::DefaultPreemption;
pub use image_locality::ImageLocality;
pub use inter_pod_affinity::InterPodAffinity;
pub use node_affinity::NodeAffinity;
pub use node_name::NodeName;
pub use node_ports::NodePorts;
pub use node_resources::{
    FitOptions, NodeResourcesBalancedAllocation, NodeResourcesFit, ResourceWeight, ScoringError,
    ScoringStrategy, ShapePoint, StrategyKind,
};
pub use node_unschedulable::NodeUnschedulable;
pub use pod_topology_spread::PodTopologySpread;
pub use priority_sort::PrioritySort;
pub use scheduling_gates::SchedulingGates;
pub use taint_toleration::TaintToleration;
pub use volumes::{
    BindProgress, NodeVolumeLimits, PodVolumes, VolumeBinding, VolumeRestrictions, VolumeZone,
};
