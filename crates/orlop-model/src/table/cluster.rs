//! Rows of Namespaces, Nodes and ComponentStatuses.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::{Cell, Column, NONE, Row, Tabular, UNKNOWN, age, joined};
use crate::Str;
use crate::core::v1::{
    ComponentConditionType, ComponentStatus, ConditionStatus, Namespace, Node, NodeAddressType,
    NodeConditionType,
};

impl Tabular for Namespace {
    const COLUMNS: &'static [Column] =
        &[Column::NAME, Column::text("Status", "Whether it is in use or going away."), Column::AGE];

    fn row(&self, now: Timestamp) -> Row {
        Row::new([(&self.metadata.name).into(), self.status.phase.as_str().into(), age(self, now)])
    }
}

impl Tabular for ComponentStatus {
    const COLUMNS: &'static [Column] = &[
        Column::NAME,
        Column::text("Status", "Whether the component is healthy."),
        Column::text("Message", "What the component answered."),
        Column::text("Error", "What went wrong when it was asked."),
    ];

    fn row(&self, _: Timestamp) -> Row {
        let mut conditions = self.conditions.iter();
        let health = conditions.find(|condition| condition.type_ == ComponentConditionType::Healthy);
        let status = match health.map(|condition| &condition.status) {
            Some(ConditionStatus::True) => "Healthy",
            Some(_) => "Unhealthy",
            None => "Unknown",
        };
        let text = |text: Option<&Str>| text.cloned().unwrap_or_default().into();
        Row::new([
            (&self.metadata.name).into(),
            status.into(),
            text(health.map(|condition| &condition.message)),
            text(health.map(|condition| &condition.error)),
        ])
    }
}

impl Tabular for Node {
    const COLUMNS: &'static [Column] = &[
        Column::NAME,
        Column::text("Status", "Whether the node is ready, and whether pods may be put there."),
        Column::text("Roles", "What the node is for, by its labels."),
        Column::AGE,
        Column::text("Version", "Version of the node's agent."),
        Column::text("Internal-IP", "Address inside the cluster.").wide(),
        Column::text("External-IP", "Address outside the cluster.").wide(),
        Column::text("OS-Image", "Operating system, as it names itself.").wide(),
        Column::text("Kernel-Version", "Version of the kernel, and the processors' architecture.").wide(),
        Column::text("Container-Runtime", "Name and version of the container runtime.").wide(),
    ];

    fn row(&self, now: Timestamp) -> Row {
        let info = &self.status.node_info;
        let known = |text: &Str| text.non_empty().map_or_else(|| UNKNOWN.to_owned(), ToString::to_string);
        let mut kernel = known(&info.kernel_version);
        if let Some(architecture) = info.architecture.non_empty() {
            kernel.push_str(&format!(" ({architecture})"));
        }
        Row::new([
            (&self.metadata.name).into(),
            node_status(self).into(),
            node_roles(self).into(),
            age(self, now),
            (&info.kubelet_version).into(),
            node_address(self, &NodeAddressType::InternalIP),
            node_address(self, &NodeAddressType::ExternalIP),
            known(&info.os_image).into(),
            kernel.into(),
            known(&info.container_runtime_version).into(),
        ])
    }
}

fn node_status(node: &Node) -> String {
    let ready = node.status.conditions.iter().find(|condition| condition.type_ == NodeConditionType::Ready);
    let mut status = match ready.map(|condition| &condition.status) {
        Some(ConditionStatus::True) => "Ready",
        Some(_) => "NotReady",
        None => "Unknown",
    }
    .to_owned();
    if node.spec.unschedulable {
        status.push_str(",SchedulingDisabled");
    }
    status
}

fn node_roles(node: &Node) -> String {
    let labels = node.metadata.labels.iter();
    let roles: BTreeSet<&str> = labels
        .filter_map(|(key, value)| match key.strip_prefix("node-role.kubernetes.io/") {
            Some(role) => Some(role),
            None => (key == "kubernetes.io/role").then_some(value.as_str()),
        })
        .filter(|role| !role.is_empty())
        .collect();
    if roles.is_empty() { NONE.to_owned() } else { joined(roles, ",") }
}

fn node_address(node: &Node, type_: &NodeAddressType) -> Cell {
    let address = node.status.addresses.iter().find(|address| address.type_ == *type_);
    address.map_or_else(|| NONE.into(), |address| (&address.address).into())
}
