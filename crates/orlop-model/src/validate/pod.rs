//! Pods and the specs of pods.

use std::collections::BTreeSet;

use super::rules::Rules;
use super::{Validate, affinity, container, pod_update, subdomain, volume};
use crate::core::v1::{DNSPolicy, Pod, PodSecurityContext, PodSpec};
use crate::{FieldError, metadata, names};

/// Highest uid, gid and number of seconds.
pub(super) const MAX_I32: i64 = i32::MAX as i64;

impl Validate for Pod {
    fn validate_create(&self) -> Vec<FieldError> {
        let mut rules = Rules::new("spec");
        rules.metadata(self, Self::NAME_RULE);
        spec(&mut rules, &self.spec);
        tokens(&mut rules, &self.spec);
        if !self.spec.ephemeral_containers.is_empty() {
            rules.forbidden("ephemeralContainers", "cannot be set on create");
        }
        if !self.spec.node_name.is_empty() && !self.spec.scheduling_gates.is_empty() {
            rules.forbidden("nodeName", "cannot be set until all schedulingGates have been cleared");
        }
        rules.finish()
    }

    fn validate_update(&self, old: &Self) -> Vec<FieldError> {
        let mut rules = Rules::new("spec");
        rules.metadata_update(self, old);
        spec(&mut rules, &self.spec);
        tokens(&mut rules, &self.spec);
        pod_update::changes(&mut rules, &self.spec, &old.spec);
        rules.finish()
    }
}

/// What holds for the spec of a pod and of a template.
pub(super) fn spec(rules: &mut Rules, spec: &PodSpec) {
    let volumes = volume::volumes(rules, spec);
    container::containers(rules, spec, &volumes);
    rules.required_one_of("restartPolicy", spec.restart_policy.as_str(), &["Always", "OnFailure", "Never"]);
    dns(rules, spec);
    let node_selector = rules.path("nodeSelector");
    rules.extend(metadata::validate_labels(&spec.node_selector, &node_selector));
    rules.option("securityContext", spec.security_context.as_deref(), security_context);
    rules.option("affinity", spec.affinity.as_deref(), affinity::affinity);
    affinity::tolerations(rules, &spec.tolerations);
    affinity::spread(rules, &spec.topology_spread_constraints);
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
    for (field, name) in [("hostname", &spec.hostname), ("subdomain", &spec.subdomain)] {
        if !name.is_empty() {
            rules.complaints(field, name, names::dns1123_label(name));
        }
    }
    if let Some(policy) = &spec.preemption_policy {
        rules.one_of("preemptionPolicy", policy.as_str(), &["Never", "PreemptLowerPriority"]);
    }
    rules.each("readinessGates", &spec.readiness_gates, |rules, gate| {
        let name = gate.condition_type.as_str();
        rules.complaints("conditionType", name, names::label_key(name));
    });
    let mut gates = BTreeSet::new();
    rules.each("schedulingGates", &spec.scheduling_gates, |rules, gate| {
        rules.complaints("name", &gate.name, names::label_key(&gate.name));
        if !gates.insert(gate.name.clone()) {
            rules.duplicate("", &gate.name);
        }
    });
    rules.each("hostAliases", &spec.host_aliases, |rules, alias| {
        let ip = rules.path("ip");
        rules.extend(names::legacy_ip(&ip, &alias.ip, true));
        rules.each("hostnames", &alias.hostnames, |rules, name| {
            rules.complaints("", name, names::dns1123_subdomain(name));
        });
    });
    if !spec.overhead.is_empty() {
        container::amounts(rules, "overhead", &spec.overhead);
    }
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
        rules.each("projected.sources", &projected.sources, |rules, source| {
            if source.service_account_token.is_some() {
                rules.forbidden(
                    "serviceAccountToken",
                    "must not be specified when serviceAccountName is not set",
                );
            }
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
            None => {
                let detail = format!("must provide `dnsConfig` when `dnsPolicy` is {}", DNSPolicy::None);
                rules.required("dnsConfig", detail);
            }
            Some(config) if config.nameservers.is_empty() => {
                rules.required(
                    "dnsConfig.nameservers",
                    "must provide at least one DNS nameserver when `dnsPolicy` is None",
                );
            }
            Some(_) => {}
        }
    }
    rules.option("dnsConfig", config, |rules, config| {
        if config.nameservers.len() > 3 {
            let value = crate::FieldValue::of(&config.nameservers);
            rules.invalid("nameservers", value, "must not have more than 3 nameservers");
        }
        rules.each("nameservers", &config.nameservers, |rules, server| {
            let path = rules.path("");
            rules.extend(names::legacy_ip(&path, server, true));
        });
        if config.searches.len() > 32 {
            let value = crate::FieldValue::of(&config.searches);
            rules.invalid("searches", value, "must not have more than 32 search paths");
        }
        rules.each("searches", &config.searches, |rules, search| {
            let search = search.strip_suffix('.').unwrap_or(search);
            if !search.is_empty() {
                rules.complaints("", search, names::dns1123_subdomain_underscore(search));
            }
        });
        rules.each("options", &config.options, |rules, option| {
            if option.name.is_empty() {
                rules.required("", "must not be empty");
            }
        });
    });
}

fn security_context(rules: &mut Rules, context: &PodSecurityContext) {
    for (field, id) in [
        ("fsGroup", context.fs_group),
        ("runAsUser", context.run_as_user),
        ("runAsGroup", context.run_as_group),
    ] {
        if let Some(id) = id {
            rules.in_range(field, id, 0, MAX_I32);
        }
    }
    rules.each("supplementalGroups", &context.supplemental_groups, |rules, id| {
        rules.in_range("", *id, 0, MAX_I32)
    });
    if let Some(policy) = &context.supplemental_groups_policy {
        rules.one_of("supplementalGroupsPolicy", policy.as_str(), &["Merge", "Strict"]);
    }
    if let Some(policy) = &context.fs_group_change_policy {
        rules.one_of("fsGroupChangePolicy", policy.as_str(), &["Always", "OnRootMismatch"]);
    }
    rules.option("seccompProfile", context.seccomp_profile.as_deref(), container::seccomp);
    let mut seen = BTreeSet::new();
    rules.each("sysctls", &context.sysctls, |rules, sysctl| {
        if sysctl.name.is_empty() {
            rules.required("name", "");
        } else if !is_sysctl(&sysctl.name) {
            let detail = "must have at most 253 characters and match regex ^([a-z0-9]([-_a-z0-9]*[a-z0-9])?[\\./])*[a-z0-9]([-_a-z0-9]*[a-z0-9])?$";
            rules.invalid("name", &sysctl.name, detail);
        } else if !seen.insert(sysctl.name.clone()) {
            rules.duplicate("name", &sysctl.name);
        }
    });
}

fn is_sysctl(name: &str) -> bool {
    let is_word = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    name.len() <= 253
        && name.split(['.', '/']).all(|part| {
            part.bytes().all(|byte| is_word(byte) || matches!(byte, b'-' | b'_'))
                && part.bytes().next().is_some_and(is_word)
                && part.bytes().last().is_some_and(is_word)
        })
}
