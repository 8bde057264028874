//! Containers: names, images, ports, mounts, devices, restarts, and what only some kinds of containers may have.

use std::collections::{BTreeMap, BTreeSet};

use super::options::Options;
use super::probe::{lifecycle, probe};
use super::resources::{self, Level};
use super::rules::{Rules, Seen};
use super::volume::{Volumes, backsteps, local_path};
use super::{env, security};
use crate::core::v1::{
    Container, ContainerPort, ContainerResizePolicy, ContainerRestartPolicy, EphemeralContainer, OSName,
    PodSpec, RestartPolicy, VolumeDevice, VolumeMount,
};
use crate::names;

const MAX_RESTART_RULES: usize = 20;
const MAX_EXIT_CODES: usize = 255;

/// What containers are checked against.
pub(super) struct Scope<'a> {
    pub(super) spec: &'a PodSpec,
    pub(super) volumes: &'a Volumes<'a>,
    /// Names of the pod's resource claims.
    pub(super) claims: &'a BTreeSet<&'a str>,
    pub(super) options: &'a Options,
}

/// Calls for each container of a pod, at its place: init containers, containers, ephemeral containers.
pub(super) fn each<'a>(
    rules: &mut Rules,
    spec: &'a PodSpec,
    mut check: impl FnMut(&mut Rules, &'a Container),
) {
    rules.each("initContainers", &spec.init_containers, &mut check);
    rules.each("containers", &spec.containers, &mut check);
    rules.each("ephemeralContainers", &spec.ephemeral_containers, |rules, container| {
        check(rules, &container.container);
    });
}

/// All containers of a pod.
pub(super) fn containers(rules: &mut Rules, scope: &Scope<'_>) {
    let spec = scope.spec;
    regular(rules, scope);
    init(rules, scope);
    if !spec.ephemeral_containers.is_empty() {
        ephemeral(rules, scope);
    }
}

fn regular(rules: &mut Rules, scope: &Scope<'_>) {
    let spec = scope.spec;
    if spec.containers.is_empty() {
        return rules.required("containers", "");
    }
    let grace = spec.termination_grace_period_seconds;
    let mut seen = Seen::new();
    let mut host_ports = Seen::new();
    rules.each("containers", &spec.containers, |rules, container| {
        common(rules, scope, container);
        if !seen.insert(container.name.as_str()) {
            rules.duplicate("name", &container.name);
        }
        rules.option("lifecycle", container.lifecycle.as_deref(), |rules, hooks| {
            lifecycle(rules, hooks, grace, spec.os.as_deref());
        });
        probes(rules, container, grace);
        restarts(rules, container);
        unique_host_ports(rules, &container.ports, &mut host_ports);
    });
}

fn init(rules: &mut Rules, scope: &Scope<'_>) {
    let spec = scope.spec;
    if spec.init_containers.is_empty() {
        return;
    }
    let grace = spec.termination_grace_period_seconds;
    let mut seen = Seen::new();
    for container in &spec.containers {
        seen.insert(container.name.as_str());
    }
    rules.each("initContainers", &spec.init_containers, |rules, container| {
        common(rules, scope, container);
        if container.restart_policy.is_some() || !container.restart_policy_rules.is_empty() {
            restarts(rules, container);
        }
        if container.name.is_empty() {
            if seen.contains("") {
                rules.duplicate("name", "");
            }
        } else if !seen.insert(container.name.as_str()) {
            rules.duplicate("name", &container.name);
        }
        if container.restart_policy == Some(ContainerRestartPolicy::Always) {
            rules.option("lifecycle", container.lifecycle.as_deref(), |rules, hooks| {
                lifecycle(rules, hooks, grace, spec.os.as_deref());
            });
            probes(rules, container, grace);
        } else {
            for (field, is_set) in [
                ("lifecycle", container.lifecycle.is_some()),
                ("livenessProbe", container.liveness_probe.is_some()),
                ("readinessProbe", container.readiness_probe.is_some()),
                ("startupProbe", container.startup_probe.is_some()),
            ] {
                if is_set {
                    let detail = "may not be set for init containers without restartPolicy=Always";
                    rules.forbidden(field, detail);
                }
            }
        }
    });
    // One runs after the other: only the ports of one container can be in each other's way. Kubernetes names the
    // first init container, whichever it is.
    for container in &spec.init_containers {
        rules.within("initContainers", |rules| {
            rules.within_index(0, |rules| unique_host_ports(rules, &container.ports, &mut Seen::new()));
        });
    }
}

/// Containers that are added to look into a running pod.
fn ephemeral(rules: &mut Rules, scope: &Scope<'_>) {
    let spec = scope.spec;
    let mut others = BTreeSet::new();
    others
        .extend(spec.containers.iter().chain(&spec.init_containers).map(|container| container.name.as_str()));
    let mut all = others.clone();
    rules.each("ephemeralContainers", &spec.ephemeral_containers, |rules, container| {
        common(rules, scope, &container.container);
        padded_image(rules, &container.container);
        if !all.insert(container.container.name.as_str()) {
            rules.duplicate("name", &container.container.name);
        }
        let target = container.target_container_name.as_str();
        if !target.is_empty() && !others.contains(target) {
            rules.not_found("targetContainerName", target);
        }
        never_of_ephemeral(rules, container);
    });
}

fn never_of_ephemeral(rules: &mut Rules, container: &EphemeralContainer) {
    let detail = "cannot be set for an Ephemeral Container";
    let inner = &container.container;
    let resources = &inner.resources;
    for (field, is_set) in [
        ("ports", !inner.ports.is_empty()),
        (
            "resources",
            !resources.limits.is_empty() || !resources.requests.is_empty() || !resources.claims.is_empty(),
        ),
        ("resizePolicy", !inner.resize_policy.is_empty()),
        ("restartPolicy", inner.restart_policy.is_some()),
        ("restartPolicyRules", !inner.restart_policy_rules.is_empty()),
        ("livenessProbe", inner.liveness_probe.is_some()),
        ("readinessProbe", inner.readiness_probe.is_some()),
        ("startupProbe", inner.startup_probe.is_some()),
        ("lifecycle", inner.lifecycle.is_some()),
    ] {
        if is_set {
            rules.forbidden(field, detail);
        }
    }
    rules.each("volumeMounts", &inner.volume_mounts, |rules, mount| {
        if !mount.sub_path.is_empty() {
            rules.forbidden("subPath", detail);
        }
        if !mount.sub_path_expr.is_empty() {
            rules.forbidden("subPathExpr", detail);
        }
    });
}

/// Templates may hold images with blanks around them, pods may not.
pub(super) fn padded_image(rules: &mut Rules, container: &Container) {
    if container.image.trim().len() != container.image.len() {
        rules.invalid("image", &container.image, "must not have leading or trailing whitespace");
    }
}

/// What holds for containers of all kinds.
fn common(rules: &mut Rules, scope: &Scope<'_>, container: &Container) {
    if container.name.is_empty() {
        rules.required("name", "");
    } else {
        rules.complaints("name", &container.name, names::dns1123_label(&container.name));
    }
    rules.present("image", &container.image);
    let policies = &["File", "FallbackToLogsOnError"];
    rules.required_one_of(
        "terminationMessagePolicy",
        container.termination_message_policy.as_str(),
        policies,
    );
    ports(rules, &container.ports);
    env::variables(rules, &container.env);
    env::sources(rules, &container.env_from);
    mounts(rules, container, scope.volumes);
    devices(rules, container, scope.volumes);
    pull_policy(rules, "imagePullPolicy", container.image_pull_policy.as_str());
    let broken_pages = scope.options.broken_pages;
    rules.within("resources", |rules| {
        resources::requirements(rules, &container.resources, Level::Container, scope.claims, broken_pages);
    });
    resize_policies(rules, &container.resize_policy, &scope.spec.restart_policy);
    let host_users = scope.spec.host_users != Some(false);
    rules.option("securityContext", container.security_context.as_deref(), |rules, context| {
        security::container(rules, context, host_users);
    });
}

pub(super) fn pull_policy(rules: &mut Rules, field: &str, policy: &str) {
    rules.required_one_of(field, policy, &["Always", "IfNotPresent", "Never"]);
}

fn probes(rules: &mut Rules, container: &Container, grace: Option<i64>) {
    let liveness_like = |rules: &mut Rules, check: &_| {
        probe(rules, check, grace);
        if check.success_threshold != 1 {
            rules.invalid("successThreshold", check.success_threshold, "must be 1");
        }
    };
    rules.option("livenessProbe", container.liveness_probe.as_deref(), liveness_like);
    rules.option("readinessProbe", container.readiness_probe.as_deref(), |rules, check| {
        probe(rules, check, grace);
        if let Some(seconds) = check.termination_grace_period_seconds {
            rules.invalid("terminationGracePeriodSeconds", seconds, "must not be set for readinessProbes");
        }
    });
    rules.option("startupProbe", container.startup_probe.as_deref(), liveness_like);
}

/// A container's own restart policy and its rules by exit codes.
fn restarts(rules: &mut Rules, container: &Container) {
    match &container.restart_policy {
        Some(policy) => {
            rules.one_of("restartPolicy", policy.as_str(), &["Always", "Never", "OnFailure"]);
        }
        None if container.restart_policy_rules.is_empty() => return,
        None => {
            rules.required("restartPolicy", "must specify restartPolicy when restart rules are used");
        }
    }
    let count = container.restart_policy_rules.len();
    if count > MAX_RESTART_RULES {
        rules.too_many("restartPolicyRules", count, MAX_RESTART_RULES);
    }
    rules.each("restartPolicyRules", &container.restart_policy_rules, |rules, rule| {
        let action = rule.action.as_str();
        if !matches!(action, "Restart" | "RestartAllContainers") {
            rules.not_supported("action", action, &["Restart", "RestartAllContainers"]);
        }
        let Some(codes) = rule.exit_codes.as_deref() else {
            return rules.required("exitCodes", "must be specified");
        };
        rules.within("exitCodes", |rules| {
            rules.one_of("operator", codes.operator.as_str(), &["In", "NotIn"]);
            if codes.values.len() > MAX_EXIT_CODES {
                rules.too_many("values", codes.values.len(), MAX_EXIT_CODES);
            }
        });
    });
}

fn ports(rules: &mut Rules, ports: &[ContainerPort]) {
    let mut seen = Seen::new();
    rules.each("ports", ports, |rules, port| {
        if !port.name.is_empty() {
            let complaints = names::port_name(&port.name);
            if complaints.is_empty() && !seen.insert(port.name.as_str()) {
                rules.duplicate("name", &port.name);
            }
            rules.complaints("name", &port.name, complaints);
        }
        if port.container_port == 0 {
            rules.required("containerPort", "");
        } else {
            rules.port("containerPort", port.container_port);
        }
        if port.host_port != 0 {
            rules.port("hostPort", port.host_port);
        }
        rules.required_one_of("protocol", port.protocol.as_str(), &["SCTP", "TCP", "UDP"]);
    });
}

/// No two ports of the host may be the same.
fn unique_host_ports<'a>(
    rules: &mut Rules,
    ports: &'a [ContainerPort],
    seen: &mut Seen<(&'a str, &'a str, i32)>,
) {
    rules.each("ports", ports, |rules, port| {
        let wanted = (port.protocol.as_str(), port.host_ip.as_str(), port.host_port);
        if port.host_port != 0 && !seen.insert(wanted) {
            rules.duplicate("hostPort", format!("{}/{}/{}", wanted.0, wanted.1, wanted.2));
        }
    });
}

/// In the host's network a port of a container is one of the host. Templates may leave it open.
pub(super) fn host_network_ports(rules: &mut Rules, spec: &PodSpec, is_pod: bool) {
    if !spec.host_network {
        return;
    }
    rules.each("containers", &spec.containers, |rules, container| {
        rules.each("ports", &container.ports, |rules, port| {
            if (is_pod || port.host_port != 0) && port.host_port != port.container_port {
                let detail = "must match `containerPort` when `hostNetwork` is true";
                rules.invalid("hostPort", port.host_port, detail);
            }
        });
    });
}

fn mounts(rules: &mut Rules, container: &Container, volumes: &Volumes<'_>) {
    if container.volume_mounts.is_empty() {
        return;
    }
    let devices = Overlap::new(
        container.volume_devices.iter().map(|device| (device.name.as_str(), device.device_path.as_str())),
    );
    let mut paths = Seen::new();
    rules.within("volumeMounts", |rules| {
        for (index, mount) in container.volume_mounts.iter().enumerate() {
            rules.within_index(index, |rules| mount_place(rules, mount, volumes, &devices, &mut paths));
            mount_manner(rules, mount, container);
        }
    });
}

/// Names and paths that the other list of a container uses already.
struct Overlap<'a> {
    names: BTreeSet<&'a str>,
    paths: BTreeSet<&'a str>,
}

impl<'a> Overlap<'a> {
    /// Of several with one name the last counts.
    fn new(uses: impl Iterator<Item = (&'a str, &'a str)>) -> Self {
        let by_name: BTreeMap<&str, &str> = uses.collect();
        Self { names: by_name.keys().copied().collect(), paths: by_name.into_values().collect() }
    }
}

fn mount_place<'a>(
    rules: &mut Rules,
    mount: &'a VolumeMount,
    volumes: &Volumes<'_>,
    devices: &Overlap<'_>,
    paths: &mut Seen<&'a str>,
) {
    rules.present("name", &mount.name);
    if volumes.get(&mount.name).is_none() {
        rules.not_found("name", &mount.name);
    }
    rules.present("mountPath", &mount.mount_path);
    if !paths.insert(mount.mount_path.as_str()) {
        rules.invalid("mountPath", &mount.mount_path, "must be unique");
    }
    if devices.names.contains(mount.name.as_str()) {
        rules.invalid("name", &mount.name, "must not already exist in volumeDevices");
    }
    if devices.paths.contains(mount.mount_path.as_str()) {
        rules.invalid("mountPath", &mount.mount_path, "must not already exist as a path in volumeDevices");
    }
    if !mount.sub_path_expr.is_empty() && !mount.sub_path.is_empty() {
        let detail = "subPathExpr and subPath are mutually exclusive";
        rules.invalid("subPathExpr", &mount.sub_path_expr, detail);
    }
}

/// The fields whose paths lack the index in Kubernetes' errors.
fn mount_manner(rules: &mut Rules, mount: &VolumeMount, container: &Container) {
    if !mount.sub_path.is_empty() {
        local_path(rules, "subPath", &mount.sub_path);
    }
    if !mount.sub_path_expr.is_empty() {
        local_path(rules, "subPathExpr", &mount.sub_path_expr);
    }
    let propagation = mount.mount_propagation.as_ref().map(|mode| mode.as_str());
    if let Some(mode) = propagation {
        rules.one_of("mountPropagation", mode, &["Bidirectional", "HostToContainer", "None"]);
        let privileged =
            container.security_context.as_ref().is_some_and(|context| context.privileged == Some(true));
        if mode == "Bidirectional" && !privileged {
            let detail = "Bidirectional mount propagation is available only to privileged containers";
            rules.forbidden("mountPropagation", detail);
        }
    }
    match mount.recursive_read_only.as_ref().map(|mode| mode.as_str()) {
        None | Some("Disabled") => {}
        Some("Enabled" | "IfPossible") => {
            if !mount.read_only {
                rules.forbidden("recursiveReadOnly", "may only be specified when readOnly is true");
            }
            if propagation.is_some_and(|mode| mode != "None") {
                let detail = "may only be specified when mountPropagation is None or not specified";
                rules.forbidden("recursiveReadOnly", detail);
            }
        }
        Some(other) => {
            rules.not_supported("recursiveReadOnly", other, &["Disabled", "Enabled", "IfPossible"]);
        }
    }
}

fn devices(rules: &mut Rules, container: &Container, volumes: &Volumes<'_>) {
    if container.volume_devices.is_empty() {
        return;
    }
    let mounts = Overlap::new(
        container.volume_mounts.iter().map(|mount| (mount.name.as_str(), mount.mount_path.as_str())),
    );
    let (mut seen_names, mut seen_paths) = (BTreeSet::new(), BTreeSet::new());
    rules.each("volumeDevices", &container.volume_devices, |rules, device: &VolumeDevice| {
        let (name, path) = (device.name.as_str(), device.device_path.as_str());
        rules.present("name", name);
        if seen_names.contains(name) {
            rules.invalid("name", name, "must be unique");
        }
        match volumes.get(name) {
            None => rules.not_found("name", name),
            Some(source)
                if source.is_some_and(|source| {
                    source.persistent_volume_claim.is_none() && source.ephemeral.is_none()
                }) =>
            {
                let detail =
                    "can only use volume source type of PersistentVolumeClaim or Ephemeral for block mode";
                rules.invalid("name", name, detail);
            }
            Some(_) => {}
        }
        rules.present("devicePath", path);
        if seen_paths.contains(path) {
            rules.invalid("devicePath", path, "must be unique");
        }
        if backsteps(path) {
            rules.invalid("devicePath", path, "can not contain backsteps ('..')");
        } else {
            seen_paths.insert(path);
        }
        if mounts.names.contains(name) {
            rules.invalid("name", name, "must not already exist in volumeMounts");
        }
        if mounts.paths.contains(path) {
            rules.invalid("devicePath", path, "must not already exist as a path in volumeMounts");
        }
        if !name.is_empty() {
            seen_names.insert(name);
        }
    });
}

fn resize_policies(rules: &mut Rules, policies: &[ContainerResizePolicy], of_pod: &RestartPolicy) {
    let mut seen = Seen::new();
    rules.each("resizePolicy", policies, |rules, policy| {
        if !seen.insert(policy.resource_name.as_str()) {
            rules.duplicate("", &policy.resource_name);
        }
    });
    if policies.is_empty() {
        return;
    }
    // The paths of these are Kubernetes' own: they lack the index.
    rules.within("resizePolicy", |rules| {
        for policy in policies {
            rules.required_one_of("", &policy.resource_name, &["cpu", "memory"]);
            let restart = policy.restart_policy.as_str();
            rules.required_one_of("", restart, &["NotRequired", "RestartContainer"]);
            if *of_pod == RestartPolicy::Never && restart != "NotRequired" {
                rules.invalid("", restart, "must be 'NotRequired' when `restartPolicy` is 'Never'");
            }
        }
    });
}

/// Whether a pod's containers are those of a Windows host's kernel.
pub(super) fn is_windows(os: Option<&crate::core::v1::PodOS>) -> bool {
    os.is_some_and(|os| os.name == OSName::Windows)
}
