//! Rows of Services.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::{Column, NONE, Row, Tabular, UNKNOWN, age, joined};
use crate::core::v1::{Service, ServicePort, ServiceType};
use crate::{Map, Str};

impl Tabular for Service {
    const COLUMNS: &'static [Column] = &[
        Column::NAME,
        Column::text("Type"),
        Column::text("Cluster-IP"),
        Column::text("External-IP"),
        Column::text("Port(s)"),
        Column::AGE,
        Column::wide("Selector"),
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
        ServiceType::ClusterIP | ServiceType::NodePort => fallback(joined(&spec.external_ips, ","), NONE),
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

fn labels(labels: &Map<Str>) -> String {
    if labels.is_empty() {
        NONE.to_owned()
    } else {
        joined(labels.iter().map(|(key, value)| format!("{key}={value}")), ",")
    }
}
