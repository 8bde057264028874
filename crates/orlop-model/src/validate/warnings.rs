//! What writers of pods and workloads are warned about.

use std::collections::BTreeMap;

use super::annotations::{APP_ARMOR, SECCOMP_CONTAINER, SECCOMP_POD};
use super::container;
use super::node_labels::{deprecation, term_warnings};
use super::persistent_volume_claim::spec_warnings;
use super::rules::Rules;
use crate::apps::v1::StatefulSet;
use crate::batch::v1::{CompletionMode, JobSpec};
use crate::core::v1::{
    Container, ContainerPort, Pod, PodAffinityTerm, PodSpec, PodTemplateSpec, Volume, WeightedPodAffinityTerm,
};
use crate::quote::quoted;
use crate::{Map, ObjectMeta, Quantity, names};

/// Above so many completions and pods at a time, indexes that fail cannot all be noted.
const MANY_COMPLETIONS: i32 = 100_000;
const MANY_PODS: i32 = 10_000;

/// Names of which host names are made.
fn label_is_better(what: &str, name: &str) -> Vec<String> {
    let complaints = names::dns1123_label(name);
    if complaints.is_empty() {
        return Vec::new();
    }
    vec![format!(
        "metadata.name: this is used in {what}, which can result in surprising behavior; a DNS label is recommended: [{}]",
        complaints.join(" ")
    )]
}

/// The name of a workload, of which its pods' names are made.
pub(super) fn host_name(name: &str) -> Vec<String> {
    label_is_better("Pod names and hostnames", name)
}

/// A new pod.
pub(super) fn of_pod(pod: &Pod) -> Vec<String> {
    let mut warnings = label_is_better("the Pod's hostname", &pod.metadata.name);
    warnings.extend(collect("", &pod.spec, &pod.metadata));
    warnings
}

/// A template of pods at `path`.
pub(super) fn of_template(path: &str, template: &PodTemplateSpec) -> Vec<String> {
    collect(path, &template.spec, &template.metadata)
}

/// The spec of a Job at `path`.
pub(super) fn of_job(path: &str, spec: &JobSpec) -> Vec<String> {
    let mut warnings = Vec::new();
    if spec.completion_mode == Some(CompletionMode::Indexed)
        && spec.completions.unwrap_or_default() > MANY_COMPLETIONS
        && spec.parallelism.unwrap_or_default() > MANY_PODS
    {
        warnings.push(format!("{path}: In Indexed Jobs with a number of completions higher than 10^5 and a parallelism higher than 10^4, Kubernetes might not be able to track completedIndexes when a big number of indexes fail"));
    }
    warnings.extend(of_template(&format!("{path}.template"), &spec.template));
    warnings
}

/// A StatefulSet with its claims.
pub(super) fn of_stateful_set(set: &StatefulSet) -> Vec<String> {
    let mut warnings = of_template("spec.template", &set.spec.template);
    for (index, claim) in set.spec.volume_claim_templates.iter().enumerate() {
        warnings.extend(spec_warnings(&format!("spec.volumeClaimTemplates[{index}]"), &claim.spec));
    }
    if set.spec.revision_history_limit.is_some_and(|limit| limit < 0) {
        warnings.push("spec.revisionHistoryLimit: a negative value retains all historical revisions; a value >= 0 is recommended".to_owned());
    }
    warnings
}

/// Bytes of which there is a fraction.
fn fraction(amounts: &Map<Quantity>, name: &str) -> Option<String> {
    let amount = amounts.get(name).filter(|amount| amount.milli_value() % 1000 != 0)?;
    Some(format!("fractional byte value {} is invalid, must be an integer", quoted(&amount.to_string())))
}

fn collect(root: &str, spec: &PodSpec, meta: &ObjectMeta) -> Vec<String> {
    let mut warnings = Vec::new();
    let mut places = Rules::new(root.to_owned());
    placement(&mut warnings, &places, spec);
    for (key, text) in [
        (
            "scheduler.alpha.kubernetes.io/critical-pod",
            "non-functional in v1.16+; use the \"priorityClassName\" field instead",
        ),
        (
            "security.alpha.kubernetes.io/sysctls",
            "non-functional in v1.11+; use the \"sysctls\" field instead",
        ),
        (
            "security.alpha.kubernetes.io/unsafe-sysctls",
            "non-functional in v1.11+; use the \"sysctls\" field instead",
        ),
    ] {
        if meta.annotations.contains_key(key) {
            warnings.push(format!("{}: {text}", places.path(&format!("metadata.annotations[{key}]"))));
        }
    }
    for (index, volume) in spec.volumes.iter().enumerate() {
        of_volume(&mut warnings, &places, index, volume);
    }
    token_paths(&mut warnings, &places, spec);
    repeated_names(&mut warnings, &places, spec);
    for name in ["memory", "ephemeral-storage"] {
        if let Some(text) = fraction(&spec.overhead, name) {
            warnings.push(format!("{}: {text}", places.path(&format!("spec.overhead[{name}]"))));
        }
    }
    profiles(&mut warnings, &places, spec, meta, root);
    places.within("spec", |places| {
        container::each(places, spec, |place, container| of_container(&mut warnings, place, container));
    });
    ports(&mut warnings, &mut places, spec);
    if spec.termination_grace_period_seconds.is_some_and(|seconds| seconds < 0) {
        let path = places.path("spec.terminationGracePeriodSeconds");
        warnings.push(format!("{path}: must be >= 0; negative values are invalid and will be treated as 1"));
    }
    pod_affinity(&mut warnings, &places, spec);
    warnings
}

fn placement(warnings: &mut Vec<String>, places: &Rules, spec: &PodSpec) {
    for key in spec.node_selector.keys() {
        if let Some(text) = deprecation(key) {
            warnings.push(format!("{}: {text}", places.path(&format!("spec.nodeSelector[{key}]"))));
        }
    }
    if let Some(affinity) = spec.affinity.as_ref().and_then(|affinity| affinity.node_affinity.as_ref()) {
        let required = affinity.required_during_scheduling_ignored_during_execution.as_ref();
        for (index, term) in required.iter().flat_map(|selector| &selector.node_selector_terms).enumerate() {
            let path = format!(
                "spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms[{index}]"
            );
            term_warnings(warnings, &places.path(&path), term);
        }
        let preferred = &affinity.preferred_during_scheduling_ignored_during_execution;
        for (index, term) in preferred.iter().enumerate() {
            let path = format!(
                "spec.affinity.nodeAffinity.preferredDuringSchedulingIgnoredDuringExecution[{index}].preference"
            );
            term_warnings(warnings, &places.path(&path), &term.preference);
        }
    }
    for (index, constraint) in spec.topology_spread_constraints.iter().enumerate() {
        let path = |field: &str| places.path(&format!("spec.topologySpreadConstraints[{index}].{field}"));
        let key = &constraint.topology_key;
        if let Some(text) = deprecation(key) {
            warnings.push(format!("{}: {key} is {text}", path("topologyKey")));
        }
        if constraint.label_selector.is_none() {
            warnings.push(format!("{}: {NULL_SELECTOR}", path("labelSelector")));
        }
    }
}

const NULL_SELECTOR: &str = "a null labelSelector results in matching no pod";

fn of_volume(warnings: &mut Vec<String>, places: &Rules, index: usize, volume: &Volume) {
    let source = &volume.source;
    for (field, is_set, text) in [
        (
            "photonPersistentDisk",
            source.photon_persistent_disk.is_some(),
            "deprecated in v1.11, non-functional in v1.16+",
        ),
        ("gitRepo", source.git_repo.is_some(), "deprecated in v1.11, and disabled by default in v1.33+"),
        ("scaleIO", source.scale_io.is_some(), "deprecated in v1.16, non-functional in v1.22+"),
        ("flocker", source.flocker.is_some(), "deprecated in v1.22, non-functional in v1.25+"),
        ("storageos", source.storageos.is_some(), "deprecated in v1.22, non-functional in v1.25+"),
        ("quobyte", source.quobyte.is_some(), "deprecated in v1.22, non-functional in v1.25+"),
        ("glusterfs", source.glusterfs.is_some(), "deprecated in v1.25, non-functional in v1.26+"),
        ("cephfs", source.cephfs.is_some(), "deprecated in v1.28, non-functional in v1.31+"),
        ("rbd", source.rbd.is_some(), "deprecated in v1.28, non-functional in v1.31+"),
    ] {
        if is_set {
            // Kubernetes' own spelling.
            let field = if field == "storageos" { "storageOS" } else { field };
            warnings.push(format!("{}: {text}", places.path(&format!("spec.volumes[{index}].{field}"))));
        }
    }
    if let Some(template) = source.ephemeral.as_ref().and_then(|source| source.volume_claim_template.as_ref())
    {
        let path = format!("spec.volumes[{index}].ephemeral.volumeClaimTemplate.spec");
        warnings.extend(spec_warnings(&places.path(&path), &template.spec));
    }
}

/// Files of other sources at the path of a token.
fn token_paths(warnings: &mut Vec<String>, places: &Rules, spec: &PodSpec) {
    let projected = || {
        spec.volumes.iter().enumerate().filter_map(|(index, volume)| {
            volume.source.projected.as_ref().map(|projected| (index, projected))
        })
    };
    let tokens: Vec<&str> = projected()
        .flat_map(|(_, projected)| &projected.sources)
        .filter_map(|source| source.service_account_token.as_ref())
        .map(|token| token.path.as_str())
        .collect();
    if tokens.is_empty() {
        return;
    }
    let mut check = |volume: usize, place: String, path: &str| {
        if tokens.contains(&path) {
            let place = places.path(&format!("spec.volumes[{volume}].projected.sources.{place}"));
            warnings.push(format!("{place}: has duplicated path with ServiceAccountToken {}", quoted(path)));
        }
    };
    for (volume, projected) in projected() {
        for source in &projected.sources {
            for (index, item) in source.config_map.iter().flat_map(|source| &source.items).enumerate() {
                check(volume, format!("configMap[{index}]"), &item.path);
            }
            for (index, item) in source.secret.iter().flat_map(|source| &source.items).enumerate() {
                check(volume, format!("secrets[{index}]"), &item.path);
            }
            for (index, item) in source.downward_api.iter().flat_map(|source| &source.items).enumerate() {
                check(volume, format!("downwardAPI[{index}]"), &item.path);
            }
            if let Some(bundle) = &source.cluster_trust_bundle {
                check(volume, "ClusterTrustBundle".to_owned(), &bundle.path);
            }
        }
    }
}

fn repeated_names(warnings: &mut Vec<String>, places: &Rules, spec: &PodSpec) {
    let mut seen = std::collections::BTreeSet::new();
    for (index, alias) in spec.host_aliases.iter().enumerate() {
        let path = || places.path(&format!("spec.hostAliases[{index}].ip"));
        if !seen.insert(&alias.ip) {
            warnings.push(format!("{}: duplicate ip {}", path(), quoted(&alias.ip)));
        }
    }
    let mut seen = std::collections::BTreeSet::new();
    for (index, secret) in spec.image_pull_secrets.iter().enumerate() {
        if !seen.insert(&secret.name) {
            let path = places.path(&format!("spec.imagePullSecrets[{index}].name"));
            warnings.push(format!("{path}: duplicate name {}", quoted(&secret.name)));
        }
    }
    for (index, secret) in spec.image_pull_secrets.iter().enumerate() {
        if secret.name.is_empty() {
            let path = places.path(&format!("spec.imagePullSecrets[{index}].name"));
            warnings.push(format!("{path}: invalid empty name \"\""));
        }
    }
}

/// Annotations whose fields are not set.
fn profiles(warnings: &mut Vec<String>, places: &Rules, spec: &PodSpec, meta: &ObjectMeta, root: &str) {
    if meta.annotations.is_empty() {
        return;
    }
    let mut warn = |key: String, text: &str| {
        if meta.annotations.contains_key(&key) {
            warnings.push(format!("{}: {text}", places.path(&format!("metadata.annotations[{key}]"))));
        }
    };
    // The backslashes are Kubernetes' own.
    let seccomp = r#"non-functional in v1.27+; use the \"seccompProfile\" field instead"#;
    let app_armor = r#"deprecated since v1.30; use the \"appArmorProfile\" field instead"#;
    let of_pod = spec.security_context.as_deref();
    if of_pod.is_none_or(|context| context.seccomp_profile.is_none()) {
        warn(SECCOMP_POD.to_owned(), seccomp);
    }
    let pod_has_profile = of_pod.is_some_and(|context| context.app_armor_profile.is_some());
    container::each(&mut Rules::new(""), spec, |_, container| {
        let own = container.security_context.as_deref();
        if own.is_none_or(|context| context.seccomp_profile.is_none()) {
            warn(format!("{SECCOMP_CONTAINER}{}", container.name), seccomp);
        }
        // For pods themselves the annotation is turned into the field.
        let has_profile = pod_has_profile || own.is_some_and(|context| context.app_armor_profile.is_some());
        if !root.is_empty() && !has_profile {
            warn(format!("{APP_ARMOR}{}", container.name), app_armor);
        }
    });
}

fn of_container(warnings: &mut Vec<String>, place: &Rules, container: &Container) {
    for name in ["memory", "ephemeral-storage"] {
        for (field, amounts) in
            [("limits", &container.resources.limits), ("requests", &container.resources.requests)]
        {
            if let Some(text) = fraction(amounts, name) {
                warnings.push(format!("{}: {text}", place.path(&format!("resources.{field}[{name}]"))));
            }
        }
    }
    let mut seen = std::collections::BTreeSet::new();
    for (index, variable) in container.env.iter().enumerate() {
        if seen.insert(&variable.name) {
            continue;
        }
        // It may build upon the one before: X=abc, X=$(X)123.
        let reference = format!("$({})", variable.name);
        let builds_upon = variable.value_from.is_none()
            && variable.value != *reference
            && variable.value.contains(&reference);
        if !builds_upon {
            let path = place.path(&format!("env[{index}]"));
            let name = quoted(&variable.name);
            warnings.push(format!(
                "{path}: hides previous definition of {name}, which may be dropped when using apply"
            ));
        }
    }
}

fn ports(warnings: &mut Vec<String>, places: &mut Rules, spec: &PodSpec) {
    type Use<'a> = (String, &'a ContainerPort);
    let mut uses = BTreeMap::<(i32, &str), Vec<Use<'_>>>::new();
    let mut named = BTreeMap::<&str, String>::new();
    let mut by_name = Vec::new();
    places.within("spec", |places| {
        container::each(places, spec, |place, container| {
            for (index, port) in container.ports.iter().enumerate() {
                let path = place.path(&format!("ports[{index}]"));
                if !port.host_ip.is_empty() && port.host_port == 0 {
                    // The port as Go shows it.
                    warnings.push(format!(
                        "{path}: hostIP set without hostPort: {{Name:{} HostPort:{} ContainerPort:{} Protocol:{} HostIP:{}}}",
                        port.name, port.host_port, port.container_port, port.protocol, port.host_ip
                    ));
                }
                let others = uses.entry((port.container_port, port.protocol.as_str())).or_default();
                for (other_path, other) in others.iter() {
                    let same_host_port = port.host_port == other.host_port;
                    let how = if port.host_ip == other.host_ip && same_host_port {
                        "duplicate"
                    } else if port.host_port == 0 || other.host_port == 0 {
                        "overlapping"
                    } else if same_host_port && (port.host_ip.is_empty() != other.host_ip.is_empty()) {
                        "dangerously ambiguous"
                    } else {
                        continue;
                    };
                    warnings.push(format!("{path}: {how} port definition with {other_path}"));
                }
                others.push((path.clone(), port));
                if port.name.is_empty() {
                    continue;
                }
                match named.get(port.name.as_str()) {
                    None => {
                        named.insert(&port.name, path);
                    }
                    Some(first) => by_name.push(format!(
                        "{path}: duplicate port name {} with {first}, services and probes that select ports by name will use {first}",
                        quoted(&port.name)
                    )),
                }
            }
        });
    });
    warnings.extend(by_name);
}

fn pod_affinity(warnings: &mut Vec<String>, places: &Rules, spec: &PodSpec) {
    let Some(affinity) = spec.affinity.as_deref() else {
        return;
    };
    let mut of_terms = |field: &str, required: &[PodAffinityTerm], preferred: &[WeightedPodAffinityTerm]| {
        for (index, term) in required.iter().enumerate() {
            if term.label_selector.is_none() {
                let path = format!(
                    "spec.affinity.{field}.requiredDuringSchedulingIgnoredDuringExecution[{index}].labelSelector"
                );
                warnings.push(format!("{}: {NULL_SELECTOR}", places.path(&path)));
            }
        }
        for (index, term) in preferred.iter().enumerate() {
            if term.pod_affinity_term.label_selector.is_none() {
                let path = format!(
                    "spec.affinity.{field}.preferredDuringSchedulingIgnoredDuringExecution[{index}].podAffinityTerm.labelSelector"
                );
                warnings.push(format!("{}: {NULL_SELECTOR}", places.path(&path)));
            }
        }
    };
    if let Some(affinity) = &affinity.pod_affinity {
        of_terms(
            "podAffinity",
            &affinity.required_during_scheduling_ignored_during_execution,
            &affinity.preferred_during_scheduling_ignored_during_execution,
        );
    }
    if let Some(affinity) = &affinity.pod_anti_affinity {
        of_terms(
            "podAntiAffinity",
            &affinity.required_during_scheduling_ignored_during_execution,
            &affinity.preferred_during_scheduling_ignored_during_execution,
        );
    }
}
