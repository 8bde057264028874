//! Pods and the specs of pods.

use std::collections::BTreeSet;

use super::container::{self, Scope};
use super::options::Options;
use super::rules::{Rules, Seen};
use super::security::MAX_I32;
use super::{
    Validate, affinity, annotations, env, pod_update, resources, security, subdomain, volume, warnings,
};
use crate::core::v1::{DNSPolicy, HostAlias, Pod, PodDNSConfig, PodSpec};
use crate::{FieldError, FieldValue, ObjectMeta, names};

const MAX_NAMESERVERS: usize = 3;
const MAX_SEARCHES: usize = 32;
/// Most bytes of all search domains with a blank between them.
const MAX_SEARCH_BYTES: usize = 2048;
/// Longest name of a host that Linux takes.
const MAX_HOSTNAME: usize = 64;

impl Validate for Pod {
    fn validate_create(&self) -> Vec<FieldError> {
        let mut rules = Rules::new("");
        whole(&mut rules, self, &Options::pod());
        rules.within("spec", |rules| {
            if !self.spec.ephemeral_containers.is_empty() {
                rules.forbidden("ephemeralContainers", "cannot be set on create");
            }
            if !self.spec.node_name.is_empty() && !self.spec.scheduling_gates.is_empty() {
                let detail = "cannot be set until all schedulingGates have been cleared";
                rules.forbidden("nodeName", detail);
            }
            annotations::profiles(rules, &self.metadata, &self.spec);
        });
        rules.finish()
    }

    fn validate_update(&self, old: &Self) -> Vec<FieldError> {
        let options = Options::after(&old.metadata, &old.spec, true);
        let mut rules = Rules::new("");
        rules.metadata_update(self, old);
        whole(&mut rules, self, &options);
        annotations::update(&mut rules, &self.metadata.annotations, &old.metadata.annotations);
        rules.within("metadata", |rules| {
            annotations::of_pod(rules, &self.metadata.annotations, &self.spec, &options);
        });
        rules.within("spec", |rules| pod_update::changes(rules, &self.spec, &old.spec, &options));
        rules.finish()
    }

    fn warnings_on_create(&self) -> Vec<String> {
        warnings::of_pod(self)
    }
}

/// What holds for new and for changed pods.
fn whole(rules: &mut Rules, pod: &Pod, options: &Options) {
    rules.metadata(pod, Pod::NAME_RULE);
    rules.within("metadata", |rules| {
        annotations::of_pod(rules, &pod.metadata.annotations, &pod.spec, options);
    });
    rules.within("spec", |rules| {
        spec(rules, &pod.spec, Some(&pod.metadata), &[], options);
        tokens(rules, &pod.spec);
        rules.each("containers", &pod.spec.containers, container::padded_image);
        rules.each("initContainers", &pod.spec.init_containers, container::padded_image);
    });
}

/// What holds for the spec of a pod with this metadata, or of a template, which has none. `claims` are names of volumes
/// that the pod's owner adds.
pub(super) fn spec(
    rules: &mut Rules,
    spec: &PodSpec,
    meta: Option<&ObjectMeta>,
    claims: &[&str],
    options: &Options,
) {
    if spec.termination_grace_period_seconds.is_none() {
        rules.required("terminationGracePeriodSeconds", "");
    }
    let volumes = volume::volumes(rules, spec, meta, claims, options);
    let is_mirror = meta.is_some_and(|meta| meta.annotations.contains_key(annotations::MIRROR));
    resources::pod_claims(rules, spec, is_mirror);
    let claims: BTreeSet<&str> = spec
        .resource_claims
        .iter()
        .map(|claim| claim.name.as_str())
        .filter(|name| !name.is_empty())
        .collect();
    container::containers(rules, &Scope { spec, volumes: &volumes, claims: &claims, options });
    resources::pod_level(rules, spec, &claims, options.broken_pages);
    container::host_network_ports(rules, spec, options.is_pod);
    rules.required_one_of("restartPolicy", spec.restart_policy.as_str(), &["Always", "OnFailure", "Never"]);
    dns(rules, spec);
    rules.labels("nodeSelector", &spec.node_selector);
    security::pod(rules, spec, options.host_sysctls, !options.any_se_linux_change);
    rules.option("affinity", spec.affinity.as_deref(), |rules, affinity| {
        affinity::affinity(rules, affinity, options);
    });
    affinity::spread(rules, &spec.topology_spread_constraints, options);
    affinity::tolerations(rules, "tolerations", &spec.tolerations, options.comparing_tolerations);
    gates(rules, spec);
    security::host_process(rules, spec);
    own_users(rules, spec, options);
    host_names(rules, spec);
    for (field, name) in [
        ("serviceAccountName", &spec.service_account_name),
        ("nodeName", &spec.node_name),
        ("priorityClassName", &spec.priority_class_name),
    ] {
        if !name.is_empty() {
            subdomain(rules, field, name);
        }
    }
    if let Some(name) = &spec.runtime_class_name {
        subdomain(rules, "runtimeClassName", name);
    }
    if let Some(seconds) = spec.active_deadline_seconds {
        rules.in_range("activeDeadlineSeconds", seconds, 1, MAX_I32);
    }
    if let Some(policy) = &spec.preemption_policy {
        let supported = &["PreemptLowerPriority", "Never"];
        rules.required_one_of("preemptionPolicy", policy.as_str(), supported);
    }
    host_aliases(rules, &spec.host_aliases);
    resources::overhead(rules, &spec.overhead, options.broken_pages);
    security::operating_system(rules, spec);
    env::file_volumes(rules, spec);
}

fn gates(rules: &mut Rules, spec: &PodSpec) {
    rules.each("readinessGates", &spec.readiness_gates, |rules, gate| {
        let name = gate.condition_type.as_str();
        rules.complaints("conditionType", name, names::label_key(name));
    });
    let mut seen = Seen::new();
    rules.each("schedulingGates", &spec.scheduling_gates, |rules, gate| {
        rules.complaints("", &gate.name, names::label_key(&gate.name));
        if !seen.insert(gate.name.as_str()) {
            rules.duplicate("", &gate.name);
        }
    });
}

/// Pods with users of their own share little else with the host.
fn own_users(rules: &mut Rules, spec: &PodSpec, options: &Options) {
    if spec.host_users != Some(false) {
        return;
    }
    let detail = "when `hostUsers` is false";
    if spec.host_network && !options.users_in_host_network {
        rules.forbidden("hostNetwork", detail);
    }
    // The capitals are Kubernetes' own.
    if spec.host_pid {
        rules.forbidden("HostPID", detail);
    }
    if spec.host_ipc {
        rules.forbidden("HostIPC", detail);
    }
    if !options.devices_with_users {
        container::each(rules, spec, |rules, container| {
            if !container.volume_devices.is_empty() {
                rules.forbidden("volumeDevices", detail);
            }
        });
    }
}

fn host_names(rules: &mut Rules, spec: &PodSpec) {
    for (field, name) in [("hostname", &spec.hostname), ("subdomain", &spec.subdomain)] {
        if !name.is_empty() {
            rules.complaints(field, name, names::dns1123_label(name));
        }
    }
    let Some(name) = &spec.hostname_override else {
        return;
    };
    let field = "hostnameOverride";
    if spec.set_hostname_as_fqdn == Some(true) {
        rules.forbidden(field, "may not be specified when setHostnameAsFQDN is true");
    }
    if spec.host_network {
        rules.forbidden(field, "may not be specified when hostNetwork is true");
    }
    if name.len() > MAX_HOSTNAME {
        rules.too_long(field, MAX_HOSTNAME);
    }
    subdomain(rules, field, name);
}

fn host_aliases(rules: &mut Rules, aliases: &[HostAlias]) {
    rules.each("hostAliases", aliases, |rules, alias| {
        rules.check("ip", |path| names::legacy_ip(path, &alias.ip, true));
        rules.each("hostnames", &alias.hostnames, |rules, name| {
            rules.complaints("", name, names::dns1123_subdomain(name));
        });
    });
}

/// A token is an account's; templates may leave the account to admission.
fn tokens(rules: &mut Rules, spec: &PodSpec) {
    if !spec.service_account_name.is_empty() {
        return;
    }
    rules.each("volumes", &spec.volumes, |rules, volume| {
        let Some(projected) = &volume.source.projected else {
            return;
        };
        rules.within("projected", |rules| {
            rules.each("sources", &projected.sources, |rules, source| {
                if source.service_account_token.is_some() {
                    let detail = "must not be specified when serviceAccountName is not set";
                    rules.forbidden("serviceAccountToken", detail);
                }
            });
        });
    });
}

fn dns(rules: &mut Rules, spec: &PodSpec) {
    rules.required_one_of(
        "dnsPolicy",
        spec.dns_policy.as_str(),
        &["ClusterFirstWithHostNet", "ClusterFirst", "Default", "None"],
    );
    let config = spec.dns_config.as_deref();
    if spec.dns_policy == DNSPolicy::None {
        match config {
            None => return rules.required("dnsConfig", "must provide `dnsConfig` when `dnsPolicy` is None"),
            Some(config) if config.nameservers.is_empty() => {
                let detail = "must provide at least one DNS nameserver when `dnsPolicy` is None";
                return rules.required("dnsConfig.nameservers", detail);
            }
            Some(_) => {}
        }
    }
    rules.option("dnsConfig", config, dns_config);
}

fn dns_config(rules: &mut Rules, config: &PodDNSConfig) {
    if config.nameservers.len() > MAX_NAMESERVERS {
        let detail = format!("must not have more than {MAX_NAMESERVERS} nameservers");
        rules.invalid("nameservers", FieldValue::of(&config.nameservers), detail);
    }
    rules.each("nameservers", &config.nameservers, |rules, server| {
        rules.check("", |path| names::legacy_ip(path, server, true));
    });
    if config.searches.len() > MAX_SEARCHES {
        let detail = format!("must not have more than {MAX_SEARCHES} search paths");
        rules.invalid("searches", FieldValue::of(&config.searches), detail);
    }
    let bytes: usize = config.searches.iter().map(|search| search.len() + 1).sum();
    if bytes > MAX_SEARCH_BYTES + 1 {
        let detail = format!(
            "must not have more than {MAX_SEARCH_BYTES} characters (including spaces) in the search list"
        );
        rules.invalid("searches", FieldValue::of(&config.searches), detail);
    }
    rules.each("searches", &config.searches, |rules, search| {
        if search != "." {
            let search = search.strip_suffix('.').unwrap_or(search);
            rules.complaints("", search, names::dns1123_subdomain_underscore(search));
        }
    });
    rules.each("options", &config.options, |rules, option| {
        if option.name.is_empty() {
            rules.required("", "must not be empty");
        }
    });
}
