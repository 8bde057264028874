//! How a pod's containers resolve names: the contents of their `resolv.conf`.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use orlop_model::core::v1::{DNSPolicy, Pod};
use orlop_model::names::MAX_SUBDOMAIN;
use orlop_model::quote::quoted;

use crate::plan::pod_text;

/// Most name servers in a `resolv.conf` (glibc, `MAXNS`).
const MAX_SERVERS: usize = 3;
/// Most search domains.
const MAX_SEARCHES: usize = 32;
/// Most characters of all search domains with a blank between.
const MAX_SEARCH_CHARACTERS: usize = 2048;
/// Bytes of a `resolv.conf` that are looked at.
const MAX_FILE: usize = 10 << 20;

/// The names of a cluster and how the node's own are resolved.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DnsSettings {
    /// Servers that know the cluster's names; without any, pods get the node's.
    pub servers: Vec<IpAddr>,
    /// The domain of the cluster's names, such as `cluster.local`; empty: none.
    pub domain: String,
    /// Text of the node's `resolv.conf`; `None`: pods of policy `Default` ask the node itself.
    pub host: Option<String>,
}

/// What goes into a `resolv.conf`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DnsConfig {
    /// Name servers.
    pub servers: Vec<String>,
    /// Domains that names are searched in.
    pub searches: Vec<String>,
    /// Options such as `ndots:5`.
    pub options: Vec<String>,
}

impl DnsConfig {
    /// The text of the `resolv.conf`.
    pub fn to_text(&self) -> String {
        let mut text = String::new();
        if !self.searches.is_empty() {
            text.push_str(&format!("search {}\n", self.searches.join(" ")));
        }
        for server in &self.servers {
            text.push_str(&format!("nameserver {server}\n"));
        }
        if !self.options.is_empty() {
            text.push_str(&format!("options {}\n", self.options.join(" ")));
        }
        text
    }
}

/// Something odd that people should be told of, as a warning.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DnsWarning {
    /// It is about the node, else about the pod.
    pub node: bool,
    /// The event's reason.
    pub reason: &'static str,
    /// The event's text.
    pub message: String,
}

/// Why a `resolv.conf` cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ResolvConfError {
    /// A line `nameserver` without an address.
    #[error("nameserver list is empty ")]
    NoServer,
    /// It is longer than 10 MiB.
    #[error("limit {MAX_FILE} exceeded")]
    TooLong,
}

/// Why a pod has no name servers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("Encountered error while parsing resolv conf file. Error: {0}")]
pub struct DnsError(#[from] pub ResolvConfError);

impl DnsConfig {
    /// Reads a `resolv.conf`. The last line of search domains counts, options are merged by name.
    ///
    /// # Errors
    /// A line `nameserver` without an address.
    pub fn parse(text: &str) -> Result<Self, ResolvConfError> {
        if text.len() > MAX_FILE {
            return Err(ResolvConfError::TooLong);
        }
        let mut config = Self::default();
        let mut options = Options::default();
        let mut lacking = false;
        for line in text.split('\n').map(str::trim).filter(|line| !line.starts_with('#')) {
            let mut words = line.split_whitespace();
            match words.next() {
                Some("nameserver") => match words.next() {
                    Some(server) => config.servers.push(server.to_owned()),
                    None => lacking = true,
                },
                Some("search") => {
                    let domains = words.filter(|word| *word != ".");
                    config.searches =
                        domains.map(|word| word.strip_suffix('.').unwrap_or(word).to_owned()).collect();
                }
                Some("options") => {
                    for word in words {
                        let (name, value) = word.split_once(':').unwrap_or((word, ""));
                        options.set(name, value);
                    }
                }
                _ => {}
            }
        }
        if lacking {
            return Err(ResolvConfError::NoServer);
        }
        config.options = options.list();
        Ok(config)
    }
}

/// Options by name, in the order of their first appearance.
#[derive(Default)]
struct Options {
    order: Vec<String>,
    values: BTreeMap<String, String>,
}

impl Options {
    fn set(&mut self, name: &str, value: &str) {
        if self.values.insert(name.to_owned(), value.to_owned()).is_none() {
            self.order.push(name.to_owned());
        }
    }

    fn list(&self) -> Vec<String> {
        let text = |name: &String| match self.values[name].as_str() {
            "" => name.clone(),
            value => format!("{name}:{value}"),
        };
        self.order.iter().map(text).collect()
    }
}

/// Whose names a pod is to know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Source {
    Cluster,
    Host,
    Nobody,
}

fn source_of(pod: &Pod) -> Source {
    match &pod.spec.dns_policy {
        DNSPolicy::None => Source::Nobody,
        DNSPolicy::Default => Source::Host,
        DNSPolicy::ClusterFirst if pod.spec.host_network => Source::Host,
        // What is unknown counts as ClusterFirst.
        DNSPolicy::ClusterFirst | DNSPolicy::ClusterFirstWithHostNet | DNSPolicy::Other(_) => Source::Cluster,
    }
}

/// How a pod's containers resolve names, by its policy and its own settings, cut to what resolvers can take; and what
/// is odd about it. The node's addresses say of which families its own server is.
///
/// # Errors
/// The node's `resolv.conf` cannot be read.
pub fn pod_dns(
    pod: &Pod,
    settings: &DnsSettings,
    node_ips: &[IpAddr],
) -> Result<(DnsConfig, Vec<DnsWarning>), DnsError> {
    let host = settings.host.as_deref().map(DnsConfig::parse).transpose()?;
    let mut warnings = Vec::new();
    let mut source = source_of(pod);
    if source == Source::Cluster && settings.servers.is_empty() {
        let message = "kubelet does not have ClusterDNS IP configured and cannot create Pod using \"ClusterFirst\" policy. Falling back to \"Default\" policy.";
        let reason = "MissingClusterDNS";
        warnings.push(DnsWarning { node: true, reason, message: message.to_owned() });
        let of_pod = format!("pod: {}. {message}", quoted(&pod_text(pod)));
        warnings.push(DnsWarning { node: false, reason, message: of_pod });
        source = Source::Host;
    }
    let mut config = match (source, host) {
        (Source::Nobody, _) => DnsConfig::default(),
        (Source::Cluster, host) => {
            let of_host = host.unwrap_or_default().searches;
            DnsConfig {
                servers: settings.servers.iter().map(ToString::to_string).collect(),
                searches: cluster_searches(&pod.metadata.namespace, &settings.domain, of_host),
                options: vec!["ndots:5".to_owned()],
            }
        }
        (Source::Host, Some(host)) => host,
        (Source::Host, None) => {
            let own = |ip: &IpAddr| if ip.is_ipv6() { "::1" } else { "127.0.0.1" }.to_owned();
            let mut servers: Vec<String> = node_ips.iter().map(own).collect();
            if servers.is_empty() {
                servers.push("127.0.0.1".to_owned());
            }
            DnsConfig { servers, searches: vec![".".to_owned()], options: Vec::new() }
        }
    };
    if let Some(own) = pod.spec.dns_config.as_deref() {
        config.servers.extend(own.nameservers.iter().map(ToString::to_string));
        config.servers = unique(config.servers);
        config.searches.extend(own.searches.iter().map(ToString::to_string));
        config.searches = unique(config.searches);
        let mut options = Options::default();
        for option in &config.options {
            let (name, value) = option.split_once(':').unwrap_or((option, ""));
            options.set(name, value);
        }
        for option in &own.options {
            options.set(&option.name, option.value.as_deref().unwrap_or_default());
        }
        config.options = options.list();
    }
    let forming = |message| DnsWarning { node: false, reason: "DNSConfigForming", message };
    warnings.extend(fit_servers(&mut config.servers).map(forming));
    warnings.extend(fit_searches(&mut config.searches).map(forming));
    Ok((config, warnings))
}

fn cluster_searches(namespace: &str, domain: &str, of_host: Vec<String>) -> Vec<String> {
    if domain.is_empty() {
        return of_host;
    }
    let own = [format!("{namespace}.svc.{domain}"), format!("svc.{domain}"), domain.to_owned()];
    unique(own.into_iter().chain(of_host).collect())
}

/// Each once, at its first place.
fn unique(list: Vec<String>) -> Vec<String> {
    let mut seen = BTreeSet::new();
    list.into_iter().filter(|text| seen.insert(text.clone())).collect()
}

fn fit_servers(servers: &mut Vec<String>) -> Option<String> {
    if servers.len() <= MAX_SERVERS {
        return None;
    }
    servers.truncate(MAX_SERVERS);
    Some(format!(
        "Nameserver limits were exceeded, some nameservers have been omitted, the applied nameserver line is: {}",
        servers.join(" ")
    ))
}

fn line_length(searches: &[String]) -> usize {
    searches.iter().map(|search| search.len() + 1).sum::<usize>().saturating_sub(1)
}

fn fit_searches(searches: &mut Vec<String>) -> Option<String> {
    let before = searches.len();
    searches.truncate(MAX_SEARCHES);
    // Some resolvers abort at longer ones.
    searches.retain(|search| search.len() <= MAX_SUBDOMAIN);
    while line_length(searches) > MAX_SEARCH_CHARACTERS {
        searches.pop();
    }
    (searches.len() < before).then(|| {
        format!(
            "Search Line limits were exceeded, some search paths have been omitted, the applied search line is: {}",
            searches.join(" ")
        )
    })
}

/// What is odd about the node's `resolv.conf`: it leaves no room for the cluster's own search domains. `path` is its
/// name in the message.
pub fn check_resolv_conf(path: &str, settings: &DnsSettings) -> Option<DnsWarning> {
    let text = settings.host.as_deref()?;
    let warning = |message| Some(DnsWarning { node: true, reason: "CheckLimitsForResolvConf", message });
    let searches = match DnsConfig::parse(text) {
        Ok(config) => config.searches,
        Err(error) => return warning(error.to_string()),
    };
    let most = if settings.domain.is_empty() { MAX_SEARCHES } else { MAX_SEARCHES - 3 };
    if searches.len() > most {
        return warning(format!(
            "Resolv.conf file '{path}' contains search line consisting of more than {most} domains!"
        ));
    }
    if searches.iter().any(|search| search.len() > MAX_SUBDOMAIN) {
        return warning(format!(
            "Resolv.conf file {} contains a search path which length is more than allowed {MAX_SUBDOMAIN} chars!",
            quoted(path)
        ));
    }
    if line_length(&searches) > MAX_SEARCH_CHARACTERS {
        return warning(format!(
            "Resolv.conf file '{path}' contains search line which length is more than allowed {MAX_SEARCH_CHARACTERS} chars!"
        ));
    }
    None
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn pod(spec: serde_json::Value) -> Pod {
        serde_json::from_value(
            json!({"metadata": {"name": "web", "namespace": "shop", "uid": "u"}, "spec": spec}),
        )
        .unwrap()
    }

    fn settings(host: &str) -> DnsSettings {
        DnsSettings {
            servers: vec!["10.96.0.10".parse().unwrap()],
            domain: "cluster.local".to_owned(),
            host: Some(host.to_owned()),
        }
    }

    #[test]
    fn cluster_first() {
        let host =
            "# here\nnameserver 9.9.9.9\nsearch a.example. . b\noptions rotate ndots:1\noptions ndots:2\n";
        let pod = pod(
            json!({"dnsPolicy": "ClusterFirst", "dnsConfig": {"options": [{"name": "ndots", "value": "7"}]}}),
        );
        let (config, warnings) = pod_dns(&pod, &settings(host), &[]).unwrap();
        assert_eq!(
            config.to_text(),
            "search shop.svc.cluster.local svc.cluster.local cluster.local a.example b\nnameserver 10.96.0.10\noptions ndots:7\n"
        );
        assert!(warnings.is_empty());
        assert_eq!(DnsConfig::parse(host).unwrap().options, ["rotate", "ndots:2"]);
    }

    #[test]
    fn surplus_is_cut_and_told() {
        let searches: Vec<String> = (0..40).map(|n| format!("s{n}.{}", "x".repeat(60))).collect();
        let pod = pod(json!({"dnsPolicy": "None", "dnsConfig": {
            "nameservers": ["1.1.1.1", "2.2.2.2", "3.3.3.3", "4.4.4.4"],
            "searches": searches,
        }}));
        let (config, warnings) = pod_dns(&pod, &settings(""), &[]).unwrap();
        assert_eq!(config.servers.len(), 3);
        assert!(line_length(&config.searches) <= MAX_SEARCH_CHARACTERS && config.searches.len() < 32);
        assert_eq!(warnings.len(), 2);
    }

    #[test]
    fn a_broken_file_is_told() {
        let settings = settings("nameserver\n");
        assert_eq!(pod_dns(&pod(json!({})), &settings, &[]).unwrap_err().0, ResolvConfError::NoServer);
        assert_eq!(
            check_resolv_conf("/etc/resolv.conf", &settings).unwrap().message,
            "nameserver list is empty "
        );
    }
}
