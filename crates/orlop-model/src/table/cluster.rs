//! Rows of Namespaces, Nodes, ConfigMaps, Secrets, Leases and Events.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::{Cell, Column, NONE, Row, Tabular, UNKNOWN, age, joined, since};
use crate::coordination::v1::Lease;
use crate::core::v1::{
    ConditionStatus, ConfigMap, Event, Namespace, Node, NodeAddressType, NodeConditionType, Secret,
};
use crate::{MicroTime, Str, Time};

impl Tabular for Namespace {
    const COLUMNS: &'static [Column] = &[Column::NAME, Column::text("Status"), Column::AGE];

    fn row(&self, now: Timestamp) -> Row {
        let name = &self.metadata.name;
        Row::new([name.into(), self.status.phase.as_str().into(), age(self, now)])
    }
}

impl Tabular for ConfigMap {
    const COLUMNS: &'static [Column] = &[Column::NAME, Column::text("Data"), Column::AGE];

    fn row(&self, now: Timestamp) -> Row {
        let count = Cell::count(self.data.len() + self.binary_data.len());
        Row::new([(&self.metadata.name).into(), count, age(self, now)])
    }
}

impl Tabular for Secret {
    const COLUMNS: &'static [Column] =
        &[Column::NAME, Column::text("Type"), Column::text("Data"), Column::AGE];

    fn row(&self, now: Timestamp) -> Row {
        let type_ = self.type_.as_str().into();
        // What is still in stringData is merged into data when the object is written.
        let unmerged = self.string_data.keys().filter(|key| !self.data.contains_key(key)).count();
        Row::new([
            (&self.metadata.name).into(),
            type_,
            Cell::count(self.data.len() + unmerged),
            age(self, now),
        ])
    }
}

impl Tabular for Lease {
    const COLUMNS: &'static [Column] = &[Column::NAME, Column::text("Holder"), Column::AGE];

    fn row(&self, now: Timestamp) -> Row {
        let holder = self.spec.holder_identity.clone().unwrap_or_default();
        Row::new([(&self.metadata.name).into(), holder.into(), age(self, now)])
    }
}

impl Tabular for Node {
    const COLUMNS: &'static [Column] = &[
        Column::NAME,
        Column::text("Status"),
        Column::text("Roles"),
        Column::AGE,
        Column::text("Version"),
        Column::wide("Internal-IP"),
        Column::wide("External-IP"),
        Column::wide("OS-Image"),
        Column::wide("Kernel-Version"),
        Column::wide("Container-Runtime"),
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

impl Tabular for Event {
    const COLUMNS: &'static [Column] = &[
        Column::text("Last Seen"),
        Column::text("Type"),
        Column::text("Reason"),
        Column::text("Object"),
        Column::wide("Subobject"),
        Column::wide("Source"),
        Column::text("Message"),
        Column::wide("First Seen"),
        Column::wide("Count"),
        Column { name: "Name", type_: "string", format: "name", priority: 1 },
    ];

    fn row(&self, now: Timestamp) -> Row {
        let whole = |time: MicroTime| Time::from(time.timestamp());
        let first = self.first_timestamp.or_else(|| self.event_time.map(whole));
        let (last, count) = match &self.series {
            Some(series) => (series.last_observed_time.map(whole), series.count),
            None => (self.last_timestamp.or(first), self.count.max(1)),
        };
        let regarding = &self.involved_object;
        let kind = regarding.kind.to_lowercase();
        let object = regarding.name.non_empty().map_or_else(|| kind.clone(), |name| format!("{kind}/{name}"));
        let component = self.source.component.non_empty().unwrap_or(&self.reporting_component);
        let host = self.source.host.non_empty().unwrap_or(&self.reporting_instance);
        Row::new([
            since(last, now).into(),
            (&self.type_).into(),
            (&self.reason).into(),
            object.into(),
            (&regarding.field_path).into(),
            joined([component, host].into_iter().filter(|part| !part.is_empty()), ", ").into(),
            self.message.trim().into(),
            since(first, now).into(),
            Cell::count(count),
            (&self.metadata.name).into(),
        ])
    }
}
