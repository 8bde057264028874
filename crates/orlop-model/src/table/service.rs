//! Rows of Services, Endpoints and EndpointSlices.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::{Column, NONE, Row, Tabular, UNKNOWN, age, first_of, joined, labels};
use crate::Str;
use crate::core::v1::{EndpointSubset, Endpoints, Service, ServicePort, ServiceType};

/// How many endpoints are shown.
const SHOWN: usize = 3;

impl Tabular for Service {
    const COLUMNS: &'static [Column] = &[
        Column::NAME,
        Column::text("Type", "How it is exposed."),
        Column::text("Cluster-IP", "Address inside the cluster."),
        Column::text("External-IP", "Addresses and names outside the cluster."),
        Column::text("Port(s)", "Ports, those of the nodes and protocols."),
        Column::AGE,
        Column::text("Selector", "Labels of the pods that it leads to.").wide(),
    ];

    fn row(&self, now: Timestamp) -> Row {
        let spec = &self.spec;
        let ports = joined(spec.ports.iter().map(port), ",");
        Row::new([
            (&self.metadata.name).into(),
            spec.type_.as_str().into(),
            spec.cluster_ips.first().map_or_else(|| NONE.into(), Into::into),
            external(self).into(),
            if ports.is_empty() { NONE.into() } else { ports.into() },
            age(self, now),
            labels(&spec.selector).into(),
        ])
    }
}

fn port(port: &ServicePort) -> String {
    match port.node_port {
        ..=0 => format!("{}/{}", port.port, port.protocol),
        node_port => format!("{}:{node_port}/{}", port.port, port.protocol),
    }
}

fn external(service: &Service) -> String {
    let spec = &service.spec;
    let fallback = |text: String, fallback: &str| {
        if text.is_empty() { fallback.to_owned() } else { text }
    };
    match spec.type_ {
        ServiceType::ClusterIP | ServiceType::NodePort => match spec.external_ips.is_empty() {
            true => NONE.to_owned(),
            false => joined(&spec.external_ips, ","),
        },
        ServiceType::LoadBalancer => {
            let ingress = service.status.load_balancer.ingress.iter();
            let balancers: BTreeSet<&Str> = ingress
                .filter_map(|ingress| ingress.ip.non_empty().or(ingress.hostname.non_empty()))
                .collect();
            fallback(joined(balancers.into_iter().chain(&spec.external_ips), ","), "<pending>")
        }
        ServiceType::ExternalName => spec.external_name.to_string(),
        ServiceType::Other(_) => UNKNOWN.to_owned(),
    }
}

impl Tabular for Endpoints {
    const COLUMNS: &'static [Column] =
        &[Column::NAME, Column::text("Endpoints", "Addresses and ports that are ready."), Column::AGE];

    fn row(&self, now: Timestamp) -> Row {
        let endpoints = match self.subsets.is_empty() {
            true => NONE.to_owned(),
            false => first_of(self.subsets.iter().flat_map(endpoints), SHOWN),
        };
        Row::new([(&self.metadata.name).into(), endpoints.into(), age(self, now)])
    }
}

/// Each address with each port; alone if there is no port.
fn endpoints(subset: &EndpointSubset) -> impl Iterator<Item = String> {
    let bare =
        subset.addresses.iter().filter(|_| subset.ports.is_empty()).map(|address| address.ip.to_string());
    let with_ports = subset.ports.iter().flat_map(|port| {
        subset.addresses.iter().map(move |address| match address.ip.contains([':', '%']) {
            true => format!("[{}]:{}", address.ip, port.port),
            false => format!("{}:{}", address.ip, port.port),
        })
    });
    bare.chain(with_ports)
}

#[cfg(feature = "discovery")]
impl Tabular for crate::discovery::v1::EndpointSlice {
    const COLUMNS: &'static [Column] = &[
        Column::NAME,
        Column::text("AddressType", "What the addresses are."),
        Column::text("Ports", "Ports of every endpoint."),
        Column::text("Endpoints", "Addresses of the endpoints."),
        Column::AGE,
    ];

    fn row(&self, now: Timestamp) -> Row {
        let ports = self.ports.iter();
        let ports = ports.map(|port| port.port.map_or_else(|| "*".to_owned(), |port| port.to_string()));
        let addresses =
            self.endpoints.iter().flat_map(|endpoint| &endpoint.addresses).map(ToString::to_string);
        let or_unset = |text: String| if text.is_empty() { super::UNSET.to_owned() } else { text };
        Row::new([
            (&self.metadata.name).into(),
            self.address_type.as_str().into(),
            or_unset(first_of(ports, SHOWN)).into(),
            or_unset(first_of(addresses, SHOWN)).into(),
            age(self, now),
        ])
    }
}
