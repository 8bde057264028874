//! Rows of Ingresses, IngressClasses, NetworkPolicies, IPAddresses and ServiceCIDRs.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::{Cell, Column, NONE, Row, Tabular, age, joined};
use crate::LabelSelector;
use crate::networking::v1::{
    IPAddress, Ingress, IngressClass, IngressRule, IngressStatus, NetworkPolicy, ParentReference, ServiceCIDR,
};

/// How many hosts of an Ingress are shown.
const SHOWN: usize = 3;

impl Tabular for Ingress {
    const COLUMNS: &'static [Column] = &[
        Column::NAME,
        Column::text("Class", "Class of the controller that serves it."),
        Column::text("Hosts", "Hosts that its rules are for."),
        Column::text("Address", "Addresses and names of the load balancers."),
        Column::text("Ports", "Ports that are open."),
        Column::AGE,
    ];

    fn row(&self, now: Timestamp) -> Row {
        let spec = &self.spec;
        Row::new([
            (&self.metadata.name).into(),
            spec.ingress_class_name.as_deref().unwrap_or(NONE).into(),
            hosts(&spec.rules).into(),
            addresses(&self.status).into(),
            if spec.tls.is_empty() { "80" } else { "80, 443" }.into(),
            age(self, now),
        ])
    }
}

/// The first hosts. As in Kubernetes, those that are left out are counted by rules, also by rules without a host.
fn hosts(rules: &[IngressRule]) -> String {
    let mut shown: Vec<&str> = Vec::new();
    let mut more = false;
    for rule in rules {
        more |= shown.len() == SHOWN;
        if !more && !rule.host.is_empty() {
            shown.push(&rule.host);
        }
    }
    match shown.join(",") {
        _ if shown.is_empty() => "*".to_owned(),
        text if more => format!("{text} + {} more...", rules.len() - SHOWN),
        text => text,
    }
}

fn addresses(status: &IngressStatus) -> String {
    let ingress = status.load_balancer.ingress.iter();
    let addresses: BTreeSet<_> =
        ingress.filter_map(|ingress| ingress.ip.non_empty().or(ingress.hostname.non_empty())).collect();
    joined(addresses, ",")
}

impl Tabular for IngressClass {
    const COLUMNS: &'static [Column] = &[
        Column::NAME,
        Column::text("Controller", "The controller that serves the class."),
        Column::text("Parameters", "Kind, group and name of the object with the controller's settings."),
        Column::AGE,
    ];

    fn row(&self, now: Timestamp) -> Row {
        let parameters = self.spec.parameters.as_ref().map(|parameters| match &parameters.api_group {
            Some(group) => format!("{}.{group}/{}", parameters.kind, parameters.name),
            None => format!("{}/{}", parameters.kind, parameters.name),
        });
        Row::new([
            (&self.metadata.name).into(),
            (&self.spec.controller).into(),
            parameters.map_or_else(|| NONE.into(), Cell::from),
            age(self, now),
        ])
    }
}

impl Tabular for NetworkPolicy {
    const COLUMNS: &'static [Column] =
        &[Column::NAME, Column::text("Pod-Selector", "The pods that it applies to."), Column::AGE];

    fn row(&self, now: Timestamp) -> Row {
        let selector = LabelSelector::display(Some(&self.spec.pod_selector));
        Row::new([(&self.metadata.name).into(), selector.into(), age(self, now)])
    }
}

impl Tabular for IPAddress {
    const COLUMNS: &'static [Column] =
        &[Column::NAME, Column::text("ParentRef", "The object that the address was given to.")];

    fn row(&self, _: Timestamp) -> Row {
        let parent = self.spec.parent_ref.as_deref().map_or_else(|| NONE.to_owned(), parent);
        Row::new([(&self.metadata.name).into(), parent.into()])
    }
}

fn parent(parent: &ParentReference) -> String {
    let mut text = parent.resource.to_lowercase();
    if !parent.group.is_empty() {
        text.push('.');
        text.push_str(&parent.group.to_lowercase());
    }
    for part in [parent.namespace.non_empty(), Some(&parent.name)].into_iter().flatten() {
        text.push('/');
        text.push_str(part);
    }
    text
}

impl Tabular for ServiceCIDR {
    const COLUMNS: &'static [Column] =
        &[Column::NAME, Column::text("CIDRs", "Ranges of addresses for Services."), Column::AGE];

    fn row(&self, now: Timestamp) -> Row {
        Row::new([(&self.metadata.name).into(), joined(&self.spec.cidrs, ",").into(), age(self, now)])
    }
}
