//! A pod's own name and the file `hosts` of its containers.

use orlop_model::Str;
use orlop_model::core::v1::{HostAlias, Pod};
use orlop_model::names;
use orlop_model::quote::quoted;

/// Most bytes of a host name in the kernel (`__NEW_UTS_LEN`, and one less for names that programs take).
const MAX_HOSTNAME: usize = 63;
/// Most bytes of a fully qualified name as host name in the kernel.
const MAX_FQDN: usize = 64;

/// Why a pod cannot have the name that it asks for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HostnameError {
    /// `hostnameOverride` is no DNS subdomain.
    #[error("pod HostnameOverride {} is not a valid DNS subdomain: {complaint}", quoted(value))]
    Override {
        /// The value.
        value: Str,
        /// What is wrong with it.
        complaint: String,
    },
    /// `hostname` is no DNS label.
    #[error("pod Hostname {} is not a valid DNS label: {complaint}", quoted(value))]
    Hostname {
        /// The value.
        value: Str,
        /// What is wrong with it.
        complaint: String,
    },
    /// `subdomain` is no DNS label.
    #[error("pod Subdomain {} is not a valid DNS label: {complaint}", quoted(value))]
    Subdomain {
        /// The value.
        value: Str,
        /// What is wrong with it.
        complaint: String,
    },
    /// Nothing is left of the name after it was cut.
    #[error("hostname for pod {} was invalid: {}", quoted(pod), quoted(value))]
    Empty {
        /// The pod's name.
        pod: Str,
        /// The name before it was cut.
        value: Str,
    },
    /// With `setHostnameAsFQDN` the name is too long for the kernel.
    #[error(
        "failed to construct FQDN from pod hostname and cluster domain, FQDN {fqdn} is too long ({MAX_FQDN} characters is the max, {} characters requested)",
        fqdn.len()
    )]
    TooLong {
        /// The name.
        fqdn: String,
    },
}

/// A pod's name in the network.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Hostname {
    /// Its host name.
    pub name: String,
    /// The domain that it is in; empty if it is in none.
    pub domain: String,
}

impl Hostname {
    /// The name of a pod, in a cluster of this domain.
    ///
    /// # Errors
    /// A name that is asked for and cannot be one.
    pub fn of(pod: &Pod, cluster_domain: &str) -> Result<Self, HostnameError> {
        let spec = &pod.spec;
        let complaint = |complaints: Vec<String>| (!complaints.is_empty()).then(|| complaints.join(";"));
        if let Some(value) = &spec.hostname_override {
            if let Some(complaint) = complaint(names::dns1123_subdomain(value)) {
                return Err(HostnameError::Override { value: value.clone(), complaint });
            }
            return Ok(Self { name: cut(pod, value)?, domain: String::new() });
        }
        let mut name = &pod.metadata.name;
        if !spec.hostname.is_empty() {
            if let Some(complaint) = complaint(names::dns1123_label(&spec.hostname)) {
                return Err(HostnameError::Hostname { value: spec.hostname.clone(), complaint });
            }
            name = &spec.hostname;
        }
        let name = cut(pod, name)?;
        let mut domain = String::new();
        if !spec.subdomain.is_empty() {
            if let Some(complaint) = complaint(names::dns1123_label(&spec.subdomain)) {
                return Err(HostnameError::Subdomain { value: spec.subdomain.clone(), complaint });
            }
            domain = format!("{}.{}.svc.{cluster_domain}", spec.subdomain, pod.metadata.namespace);
        }
        Ok(Self { name, domain })
    }

    /// The name that the kernel is told: with the domain if the pod asks for it.
    ///
    /// # Errors
    /// That name is longer than 64 bytes.
    pub fn of_kernel(&self, pod: &Pod) -> Result<String, HostnameError> {
        if self.domain.is_empty() || pod.spec.set_hostname_as_fqdn != Some(true) {
            return Ok(self.name.clone());
        }
        let fqdn = format!("{}.{}", self.name, self.domain);
        if fqdn.len() > MAX_FQDN { Err(HostnameError::TooLong { fqdn }) } else { Ok(fqdn) }
    }
}

/// A name cut to what the kernel takes.
fn cut(pod: &Pod, name: &Str) -> Result<String, HostnameError> {
    if name.len() <= MAX_HOSTNAME {
        return Ok(name.to_string());
    }
    let mut end = MAX_HOSTNAME;
    while !name.is_char_boundary(end) {
        end -= 1;
    }
    let short = name[..end].trim_end_matches(['-', '.']);
    if short.is_empty() {
        return Err(HostnameError::Empty { pod: pod.metadata.name.clone(), value: name.clone() });
    }
    Ok(short.to_owned())
}

/// The text of a container's file `hosts`. `of_node` is the text of the node's own file, for pods that share its
/// network.
pub fn hosts_file(hostname: &Hostname, ips: &[Str], aliases: &[HostAlias], of_node: Option<&str>) -> String {
    let mut text = match of_node {
        Some(of_node) => format!("# Kubernetes-managed hosts file (host network).\n{of_node}"),
        None => {
            let mut text = concat!(
                "# Kubernetes-managed hosts file.\n",
                "127.0.0.1\tlocalhost\n",
                "::1\tlocalhost ip6-localhost ip6-loopback\n",
                "fe00::0\tip6-localnet\n",
                "fe00::0\tip6-mcastprefix\n",
                "fe00::1\tip6-allnodes\n",
                "fe00::2\tip6-allrouters\n",
            )
            .to_owned();
            let Hostname { name, domain } = hostname;
            for ip in ips {
                if domain.is_empty() {
                    text.push_str(&format!("{ip}\t{name}\n"));
                } else {
                    text.push_str(&format!("{ip}\t{name}.{domain}\t{name}\n"));
                }
            }
            text
        }
    };
    if !aliases.is_empty() {
        text.push_str("\n# Entries added by HostAliases.\n");
        for alias in aliases {
            text.push_str(&alias.ip);
            text.push('\t');
            text.push_str(&alias.hostnames.join("\t"));
            text.push('\n');
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn named(name: &str, spec: serde_json::Value) -> Pod {
        serde_json::from_value(json!({"metadata": {"name": name, "namespace": "shop"}, "spec": spec}))
            .unwrap()
    }

    #[test]
    fn names_are_cut_and_joined() {
        let long = format!("{}-.x", "a".repeat(61));
        let pod = named(&long, json!({"subdomain": "db", "setHostnameAsFQDN": true}));
        let name = Hostname::of(&pod, "cluster.local").unwrap();
        assert_eq!((name.name.len(), name.domain.as_str()), (61, "db.shop.svc.cluster.local"));
        assert!(matches!(name.of_kernel(&pod), Err(HostnameError::TooLong { .. })));
        let pod = named("web", json!({"subdomain": "db", "setHostnameAsFQDN": true}));
        let name = Hostname::of(&pod, "c").unwrap();
        assert_eq!(name.of_kernel(&pod).unwrap(), "web.db.shop.svc.c");
        assert!(Hostname::of(&named("web", json!({"hostname": "A"})), "c").is_err());
    }

    #[test]
    fn hosts_of_pod_and_node() {
        let name = Hostname { name: "web".to_owned(), domain: "db.shop.svc.c".to_owned() };
        let aliases: Vec<HostAlias> =
            serde_json::from_value(json!([{"ip": "10.0.0.9", "hostnames": ["a", "b"]}])).unwrap();
        let text = hosts_file(&name, &["10.0.0.7".into()], &aliases, None);
        assert!(text.ends_with(
            "allrouters\n10.0.0.7\tweb.db.shop.svc.c\tweb\n\n# Entries added by HostAliases.\n10.0.0.9\ta\tb\n"
        ));
        let text = hosts_file(&name, &["10.0.0.7".into()], &[], Some("127.0.0.1 localhost\n"));
        assert_eq!(text, "# Kubernetes-managed hosts file (host network).\n127.0.0.1 localhost\n");
    }
}
