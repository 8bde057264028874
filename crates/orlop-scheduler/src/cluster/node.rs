//! [`NodeView`]: a node as plugins see it.

use std::sync::Arc;

use orlop_model::core::v1::{Node, Taint, TaintEffect, resource_name};
use orlop_model::{Map, Str};

use super::placed_pod::Load;
use super::{Cluster, GroupCount, HostPorts, PlacedPod, Resources};

/// A node with the sums over its pods. A slot without an object holds pods whose node is unknown.
#[derive(Clone, Debug)]
pub(super) struct NodeSlot {
    pub(super) name: Str,
    pub(super) object: Option<Arc<Node>>,
    pub(super) allocatable: Resources,
    pub(super) allocatable_pods: i64,
    pub(super) requested: Resources,
    pub(super) non_zero_milli_cpu: i64,
    pub(super) non_zero_memory: i64,
    pub(super) is_unschedulable: bool,
    pub(super) has_hard_taints: bool,
    pub(super) has_soft_taints: bool,
    pub(super) ports: HostPorts,
    /// Slots of the pods.
    pub(super) pods: Vec<u32>,
    pub(super) groups: Vec<GroupCount>,
}

impl NodeSlot {
    pub(super) fn new(name: Str) -> Self {
        Self {
            name,
            object: None,
            allocatable: Resources::default(),
            allocatable_pods: 0,
            requested: Resources::default(),
            non_zero_milli_cpu: 0,
            non_zero_memory: 0,
            is_unschedulable: false,
            has_hard_taints: false,
            has_soft_taints: false,
            ports: HostPorts::default(),
            pods: Vec::new(),
            groups: Vec::new(),
        }
    }

    pub(super) fn set_object(&mut self, node: Arc<Node>) {
        let soft = |taint: &Taint| taint.effect == TaintEffect::PreferNoSchedule;
        self.allocatable = Resources::from_list(&node.status.allocatable);
        self.allocatable_pods =
            node.status.allocatable.get(resource_name::PODS).map_or(0, |pods| pods.value());
        self.has_soft_taints = node.spec.taints.iter().any(soft);
        self.has_hard_taints = node.spec.taints.iter().any(|taint| !soft(taint));
        self.is_unschedulable = node.spec.unschedulable;
        self.object = Some(node);
    }

    pub(super) fn clear_object(&mut self) {
        self.object = None;
        self.allocatable = Resources::default();
        self.allocatable_pods = 0;
        self.has_hard_taints = false;
        self.has_soft_taints = false;
    }

    /// Makes it a copy of another, in the memory that it has.
    pub(super) fn copy_from(&mut self, other: &Self) {
        self.name.clone_from(&other.name);
        self.object.clone_from(&other.object);
        self.allocatable.clone_from(&other.allocatable);
        self.allocatable_pods = other.allocatable_pods;
        self.requested.clone_from(&other.requested);
        self.non_zero_milli_cpu = other.non_zero_milli_cpu;
        self.non_zero_memory = other.non_zero_memory;
        self.is_unschedulable = other.is_unschedulable;
        self.has_hard_taints = other.has_hard_taints;
        self.has_soft_taints = other.has_soft_taints;
        self.ports.clone_from(&other.ports);
        self.pods.clone_from(&other.pods);
        self.groups.clone_from(&other.groups);
    }

    /// Counts one pod more, or one less, of a group.
    pub(super) fn count(&mut self, group: u32, terminating: bool, more: bool) {
        let position = self.groups.iter().position(|count| count.group == group).unwrap_or_else(|| {
            self.groups.push(GroupCount { group, running: 0, terminating: 0 });
            self.groups.len() - 1
        });
        let count = &mut self.groups[position];
        let field = if terminating { &mut count.terminating } else { &mut count.running };
        *field += if more { 1 } else { -1 };
        if count.running == 0 && count.terminating == 0 {
            self.groups.swap_remove(position);
        }
    }

    pub(super) fn take(&mut self, load: &Load) {
        self.requested.add(&load.requests);
        self.non_zero_milli_cpu = self.non_zero_milli_cpu.wrapping_add(load.non_zero_milli_cpu);
        self.non_zero_memory = self.non_zero_memory.wrapping_add(load.non_zero_memory);
        self.ports.take(&load.ports);
    }

    pub(super) fn give_back(&mut self, load: &Load) {
        self.requested.subtract(&load.requests);
        self.non_zero_milli_cpu = self.non_zero_milli_cpu.wrapping_sub(load.non_zero_milli_cpu);
        self.non_zero_memory = self.non_zero_memory.wrapping_sub(load.non_zero_memory);
        self.ports.give_back(&load.ports);
    }
}

/// A node with its load, as plugins see it. Cheap to copy.
#[derive(Clone, Copy, Debug)]
pub struct NodeView<'a> {
    pub(super) cluster: &'a Cluster,
    pub(super) slot: &'a NodeSlot,
    pub(super) object: &'a Arc<Node>,
    pub(super) index: u32,
}

impl<'a> NodeView<'a> {
    /// A small number that no other node of the cluster has at the same time, for tables by node
    /// ([`ClusterView::bound`](super::ClusterView::bound) is above all of them).
    #[must_use]
    pub fn index(self) -> usize {
        self.index as usize
    }

    /// The node's name.
    #[must_use]
    pub fn name(self) -> &'a Str {
        &self.slot.name
    }

    /// The object.
    #[must_use]
    pub fn object(self) -> &'a Arc<Node> {
        self.object
    }

    /// The node's labels.
    #[must_use]
    pub fn labels(self) -> &'a Map<Str> {
        &self.object.metadata.labels
    }

    /// Whether new pods are kept off.
    #[must_use]
    pub fn is_unschedulable(self) -> bool {
        self.slot.is_unschedulable
    }

    /// All taints.
    #[must_use]
    pub fn taints(self) -> &'a [Taint] {
        &self.object.spec.taints
    }

    /// Taints that keep pods off (`NoSchedule`, `NoExecute`).
    pub fn hard_taints(self) -> impl Iterator<Item = &'a Taint> {
        let taints: &[Taint] = if self.slot.has_hard_taints { self.taints() } else { &[] };
        taints.iter().filter(|taint| matches!(taint.effect, TaintEffect::NoSchedule | TaintEffect::NoExecute))
    }

    /// Taints that pods had better avoid (`PreferNoSchedule`).
    pub fn soft_taints(self) -> impl Iterator<Item = &'a Taint> {
        let taints: &[Taint] = if self.slot.has_soft_taints { self.taints() } else { &[] };
        taints.iter().filter(|taint| taint.effect == TaintEffect::PreferNoSchedule)
    }

    /// What the node offers to pods.
    #[must_use]
    pub fn allocatable(self) -> &'a Resources {
        &self.slot.allocatable
    }

    /// How many pods the node may hold.
    #[must_use]
    pub fn allocatable_pods(self) -> i64 {
        self.slot.allocatable_pods
    }

    /// What its pods request.
    #[must_use]
    pub fn requested(self) -> &'a Resources {
        &self.slot.requested
    }

    /// Millicores that its pods request, each silent container counted as 100.
    #[must_use]
    pub fn non_zero_milli_cpu(self) -> i64 {
        self.slot.non_zero_milli_cpu
    }

    /// Bytes of memory that its pods request, each silent container counted as 200 MiB.
    #[must_use]
    pub fn non_zero_memory(self) -> i64 {
        self.slot.non_zero_memory
    }

    /// Number of its pods.
    #[must_use]
    pub fn pod_count(self) -> usize {
        self.slot.pods.len()
    }

    /// Its pods, in no particular order.
    pub fn pods(self) -> impl Iterator<Item = &'a PlacedPod> {
        let cluster = self.cluster;
        self.slot.pods.iter().filter_map(move |&slot| cluster.pod_at(slot))
    }

    /// The pods that are to have room on it soon, in the order of nomination.
    pub fn nominated(self) -> impl Iterator<Item = &'a PlacedPod> {
        self.cluster.nominated(self.index)
    }

    /// Its pods, counted by [groups](super::PodGroup) that no plugin can tell apart.
    #[must_use]
    pub fn pod_groups(self) -> &'a [GroupCount] {
        &self.slot.groups
    }

    /// Bytes of the image of that exact name, if the node has it.
    #[must_use]
    pub fn image_size(self, name: &str) -> Option<i64> {
        self.cluster.images.get(name)?.size_on(self.index)
    }

    /// The ports that its pods take.
    #[must_use]
    pub fn host_ports(self) -> &'a HostPorts {
        &self.slot.ports
    }

    pub(crate) fn slot_index(self) -> u32 {
        self.index
    }

    pub(crate) fn rank(self) -> (u32, u32) {
        self.cluster.rank(self.index)
    }
}
