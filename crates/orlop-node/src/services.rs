//! Variables that tell a container of services.

use std::collections::BTreeMap;
use std::sync::Arc;

use orlop_model::Str;
use orlop_model::core::v1::{Protocol, Service};

/// What is known of the cluster's services.
#[derive(Clone, Copy, Debug, Default)]
pub enum Services<'a> {
    /// Nobody asks: containers are told of none.
    #[default]
    Ignored,
    /// They have not been read yet; a container has to wait until they are.
    Unread,
    /// These are all.
    Known(&'a [Arc<Service>]),
}

/// The variables of the services that a pod of `namespace` is told of, sorted by name: `kubernetes` of the namespace
/// `default` always, those of the pod's own namespace where `links` says so.
///
/// Of services of equal name the last one counts, but `kubernetes` of `default` only where no other came first.
pub(crate) fn service_variables(
    services: &[Arc<Service>],
    namespace: &str,
    links: bool,
) -> BTreeMap<String, String> {
    let mut chosen: BTreeMap<&str, &Service> = BTreeMap::new();
    for service in services.iter().filter(|service| has_address(service)) {
        let meta = &service.metadata;
        if meta.namespace == *"default" && meta.name == *"kubernetes" {
            chosen.entry(meta.name.as_str()).or_insert(service);
        } else if links && meta.namespace == *namespace {
            chosen.insert(meta.name.as_str(), service);
        }
    }
    let mut all = BTreeMap::new();
    for service in chosen.values() {
        add(service, &mut all);
    }
    all
}

fn has_address(service: &Service) -> bool {
    !service.spec.cluster_ip.is_empty() && service.spec.cluster_ip != *"None"
}

fn variable(name: &Str) -> String {
    name.to_uppercase().replace('-', "_")
}

fn add(service: &Service, all: &mut BTreeMap<String, String>) {
    let prefix = variable(&service.metadata.name);
    let ip = &service.spec.cluster_ip;
    let host = if ip.contains(':') { format!("[{ip}]") } else { ip.to_string() };
    all.insert(format!("{prefix}_SERVICE_HOST"), ip.to_string());
    for (index, port) in service.spec.ports.iter().enumerate() {
        let number = port.port;
        if index == 0 {
            all.insert(format!("{prefix}_SERVICE_PORT"), number.to_string());
        }
        if !port.name.is_empty() {
            all.insert(format!("{prefix}_SERVICE_PORT_{}", variable(&port.name)), number.to_string());
        }
    }
    for (index, port) in service.spec.ports.iter().enumerate() {
        let number = port.port;
        let protocol = if port.protocol.is_empty() { &Protocol::TCP } else { &port.protocol };
        let lower = protocol.as_str().to_lowercase();
        let url = format!("{lower}://{host}:{number}");
        if index == 0 {
            all.insert(format!("{prefix}_PORT"), url.clone());
        }
        let one = format!("{prefix}_PORT_{number}_{}", protocol.as_str().to_uppercase());
        all.insert(format!("{one}_PROTO"), lower);
        all.insert(format!("{one}_PORT"), number.to_string());
        all.insert(format!("{one}_ADDR"), ip.to_string());
        all.insert(one, url);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_own_namespace_and_kubernetes() {
        let service = |namespace: &str, name: &str, ip: &str| {
            let service = json!({
                "metadata": {"namespace": namespace, "name": name},
                "spec": {"clusterIP": ip, "ports": [{"name": "web-ui", "port": 80}]},
            });
            Arc::new(serde_json::from_value::<Service>(service).unwrap())
        };
        let services = [
            service("default", "kubernetes", "10.0.0.1"),
            service("default", "other", "10.0.0.2"),
            service("shop", "my-db", "fd00::3"),
            service("shop", "headless", "None"),
        ];
        let told = service_variables(&services, "shop", true);
        assert_eq!(told["KUBERNETES_SERVICE_HOST"], "10.0.0.1");
        assert_eq!(told["MY_DB_SERVICE_PORT_WEB_UI"], "80");
        assert_eq!(told["MY_DB_PORT_80_TCP"], "tcp://[fd00::3]:80");
        assert_eq!(told["MY_DB_PORT_80_TCP_ADDR"], "fd00::3");
        assert_eq!(told.len(), 16);
        assert!(
            service_variables(&services, "shop", false).keys().all(|name| name.starts_with("KUBERNETES"))
        );
    }
}
