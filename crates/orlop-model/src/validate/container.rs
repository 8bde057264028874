//! Containers: names, images, ports, environment, mounts, probes, hooks, resources, privileges.

use std::collections::{BTreeMap, BTreeSet};

use super::pod::MAX_I32;
use super::rules::Rules;
use super::subdomain;
use crate::core::v1::{
    Container, ContainerRestartPolicy, EnvVar, EnvVarSource, Lifecycle, LifecycleHandler, PodSpec, Probe,
    ResourceRequirements, SeccompProfile, SecurityContext, VolumeMount,
};
use crate::{FieldValue, IntOrString, Map, Quantity, Str, names};

const PULL_POLICIES: &[&str] = &["Always", "IfNotPresent", "Never"];
const PROTOCOLS: &[&str] = &["SCTP", "TCP", "UDP"];

/// What sort of container a rule is about.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Role {
    Init,
    Sidecar,
    Regular,
}

/// All containers of a pod, whose volumes have these names.
pub(super) fn containers(rules: &mut Rules, spec: &PodSpec, volumes: &BTreeSet<&str>) {
    if spec.containers.is_empty() {
        rules.required("containers", "");
    }
    let grace = spec.termination_grace_period_seconds.unwrap_or_default();
    let mut seen = BTreeSet::new();
    for (field, list, regular) in
        [("containers", &spec.containers, true), ("initContainers", &spec.init_containers, false)]
    {
        rules.each(field, list, |rules, container| {
            let role = match &container.restart_policy {
                _ if regular => Role::Regular,
                Some(ContainerRestartPolicy::Always) => Role::Sidecar,
                _ => Role::Init,
            };
            one(rules, container, role, volumes, grace);
            if !container.name.is_empty() && !seen.insert(container.name.clone()) {
                rules.duplicate("name", &container.name);
            }
        });
    }
    host_ports(rules, spec);
}

fn one(rules: &mut Rules, container: &Container, role: Role, volumes: &BTreeSet<&str>, grace: i64) {
    if container.name.is_empty() {
        rules.required("name", "");
    } else {
        rules.complaints("name", &container.name, names::dns1123_label(&container.name));
    }
    if container.image.is_empty() {
        rules.required("image", "");
    } else if container.image.trim() != &*container.image {
        rules.invalid("image", &container.image, "must not have leading or trailing whitespace");
    }
    rules.required_one_of("imagePullPolicy", container.image_pull_policy.as_str(), PULL_POLICIES);
    let message_policies = &["File", "FallbackToLogsOnError"];
    rules.required_one_of(
        "terminationMessagePolicy",
        container.termination_message_policy.as_str(),
        message_policies,
    );
    ports(rules, container);
    rules.each("env", &container.env, environment);
    env_from(rules, container);
    mounts(rules, &container.volume_mounts, volumes);
    resources(rules, "resources", &container.resources);
    rules.option("securityContext", container.security_context.as_deref(), security_context);
    let probes = [
        ("livenessProbe", &container.liveness_probe, true),
        ("readinessProbe", &container.readiness_probe, false),
        ("startupProbe", &container.startup_probe, true),
    ];
    for (field, probe, must_be_one) in probes {
        let Some(probe) = probe.as_deref() else {
            continue;
        };
        if role == Role::Init {
            rules.forbidden(field, "may not be set for init containers without restartPolicy=Always");
        } else {
            rules.within(field, |rules| check_probe(rules, probe, must_be_one, grace));
        }
    }
    match container.lifecycle.as_deref() {
        Some(_) if role == Role::Init => {
            rules.forbidden("lifecycle", "may not be set for init containers without restartPolicy=Always");
        }
        Some(hooks) => rules.within("lifecycle", |rules| lifecycle(rules, hooks, grace)),
        None => {}
    }
    let mut resized = BTreeSet::new();
    rules.each("resizePolicy", &container.resize_policy, |rules, policy| {
        rules.required_one_of("resourceName", &policy.resource_name, &["cpu", "memory"]);
        rules.required_one_of(
            "restartPolicy",
            policy.restart_policy.as_str(),
            &["NotRequired", "RestartContainer"],
        );
        if !resized.insert(policy.resource_name.clone()) {
            rules.duplicate("", &policy.resource_name);
        }
    });
    if let Some(policy) = &container.restart_policy {
        rules.one_of("restartPolicy", policy.as_str(), &["Always", "Never", "OnFailure"]);
    }
}

fn ports(rules: &mut Rules, container: &Container) {
    let mut seen = BTreeSet::new();
    rules.each("ports", &container.ports, |rules, port| {
        if !port.name.is_empty() {
            let complaints = names::port_name(&port.name);
            if complaints.is_empty() && !seen.insert(port.name.clone()) {
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
        rules.required_one_of("protocol", port.protocol.as_str(), PROTOCOLS);
    });
}

/// In the host's network a port is the host's; no two containers may want the same one.
fn host_ports(rules: &mut Rules, spec: &PodSpec) {
    let mut seen = BTreeSet::new();
    rules.each("containers", &spec.containers, |rules, container| {
        rules.each("ports", &container.ports, |rules, port| {
            // Templates keep 0, which is only filled in for pods.
            if spec.host_network && port.host_port != 0 && port.host_port != port.container_port {
                rules.invalid(
                    "hostPort",
                    port.host_port,
                    "must match `containerPort` when `hostNetwork` is true",
                );
            }
            let wanted = (port.protocol.clone(), port.host_ip.clone(), port.host_port);
            if port.host_port != 0 && !seen.insert(wanted) {
                let value = format!("{}/{}/{}", port.protocol, port.host_ip, port.host_port);
                rules.duplicate("hostPort", value);
            }
        });
    });
}

fn environment(rules: &mut Rules, variable: &EnvVar) {
    if variable.name.is_empty() {
        rules.required("name", "");
    } else {
        rules.complaints("name", &variable.name, names::relaxed_env_var_name(&variable.name));
    }
    let Some(source) = variable.value_from.as_deref() else {
        return;
    };
    rules.within("valueFrom", |rules| {
        let sources = [
            source.field_ref.is_some(),
            source.resource_field_ref.is_some(),
            source.config_map_key_ref.is_some(),
            source.secret_key_ref.is_some(),
            source.file_key_ref.is_some(),
        ];
        match sources.iter().filter(|source| **source).count() {
            0 => rules.invalid("", "", "must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` or `fileKeyRef`"),
            1 if !variable.value.is_empty() => {
                rules.invalid("", "", "may not be specified when `value` is not empty");
            }
            1 => {}
            _ => rules.invalid("", "", "may not have more than one field specified at a time"),
        }
        value_from(rules, source);
    });
}

fn value_from(rules: &mut Rules, source: &EnvVarSource) {
    let keys = [
        ("configMapKeyRef", source.config_map_key_ref.as_ref().map(|source| (&source.name, &source.key))),
        ("secretKeyRef", source.secret_key_ref.as_ref().map(|source| (&source.name, &source.key))),
    ];
    for (field, reference) in keys {
        let Some((name, key)) = reference else {
            continue;
        };
        rules.within(field, |rules| {
            subdomain(rules, "name", name);
            if key.is_empty() {
                rules.required("key", "");
            } else {
                rules.complaints("key", key, names::configmap_key(key));
            }
        });
    }
    rules.option("resourceFieldRef", source.resource_field_ref.as_deref(), |rules, reference| {
        let resource = reference.resource.as_str();
        if resource.is_empty() {
            return rules.required("resource", "");
        }
        let supported = [
            "limits.cpu",
            "limits.ephemeral-storage",
            "limits.memory",
            "requests.cpu",
            "requests.ephemeral-storage",
            "requests.memory",
        ];
        let huge =
            ["limits.hugepages-", "requests.hugepages-"].iter().any(|prefix| resource.starts_with(prefix));
        if !huge {
            rules.one_of("resource", resource, &supported);
        }
        divisor(rules, resource, &reference.divisor);
    });
    rules.option("fieldRef", source.field_ref.as_deref(), |rules, reference| {
        if reference.field_path.is_empty() {
            rules.required("fieldPath", "");
        }
    });
}

pub(super) fn divisor(rules: &mut Rules, resource: &str, divisor: &Quantity) {
    if divisor.is_zero() {
        return;
    }
    let text = divisor.to_string();
    let (allowed, words): (&[&str], &str) = if resource.ends_with(".cpu") {
        (&["1m", "1"], "only divisor's values 1m and 1 are supported with the cpu resource")
    } else {
        let all = &["1", "1k", "1M", "1G", "1T", "1P", "1E", "1Ki", "1Mi", "1Gi", "1Ti", "1Pi", "1Ei"];
        (
            all,
            "only divisor's values 1, 1k, 1M, 1G, 1T, 1P, 1E, 1Ki, 1Mi, 1Gi, 1Ti, 1Pi, 1Ei are supported with the memory resource",
        )
    };
    if !allowed.contains(&text.as_str()) {
        rules.invalid("divisor", FieldValue::of(divisor), words);
    }
}

fn reference_name(rules: &mut Rules, name: &str) {
    if name.is_empty() {
        rules.required("name", "");
    } else {
        subdomain(rules, "name", name);
    }
}

fn env_from(rules: &mut Rules, container: &Container) {
    rules.each("envFrom", &container.env_from, |rules, source| {
        if !source.prefix.is_empty() {
            rules.complaints("prefix", &source.prefix, names::relaxed_env_var_name(&source.prefix));
        }
        let references = [
            ("configMapRef", source.config_map_ref.as_ref().map(|source| &source.name)),
            ("secretRef", source.secret_ref.as_ref().map(|source| &source.name)),
        ];
        match references.iter().filter(|(_, name)| name.is_some()).count() {
            0 => rules.invalid("", "", "must specify one of: `configMapRef` or `secretRef`"),
            1 => {}
            _ => rules.invalid("", "", "may not have more than one field specified at a time"),
        }
        for (field, name) in references {
            if let Some(name) = name {
                rules.within(field, |rules| reference_name(rules, name));
            }
        }
    });
}

fn mounts(rules: &mut Rules, mounts: &[VolumeMount], volumes: &BTreeSet<&str>) {
    let mut paths = BTreeSet::new();
    for mount in mounts {
        // The path is Kubernetes' own: it lacks the index.
        let recursive = mount.recursive_read_only.as_ref().is_some_and(|mode| mode.as_str() != "Disabled");
        if recursive && !mount.read_only {
            rules.forbidden("volumeMounts.recursiveReadOnly", "may only be specified when readOnly is true");
        }
    }
    rules.each("volumeMounts", mounts, |rules, mount| {
        if mount.name.is_empty() {
            rules.required("name", "");
        }
        if !volumes.contains(mount.name.as_str()) {
            rules.not_found("name", &mount.name);
        }
        if mount.mount_path.is_empty() {
            rules.required("mountPath", "");
        }
        if !paths.insert(mount.mount_path.clone()) {
            rules.invalid("mountPath", &mount.mount_path, "must be unique");
        }
        if !mount.sub_path.is_empty() {
            local_path(rules, "subPath", &mount.sub_path);
        }
        if !mount.sub_path_expr.is_empty() {
            if !mount.sub_path.is_empty() {
                let detail = "subPathExpr and subPath are mutually exclusive";
                rules.invalid("subPathExpr", &mount.sub_path_expr, detail);
            }
            local_path(rules, "subPathExpr", &mount.sub_path_expr);
        }
        if let Some(propagation) = &mount.mount_propagation {
            rules.one_of(
                "mountPropagation",
                propagation.as_str(),
                &["Bidirectional", "HostToContainer", "None"],
            );
        }
    });
}

/// A path that is relative and does not leave the folder it starts in.
pub(super) fn local_path(rules: &mut Rules, field: &str, path: &str) {
    if path.starts_with('/') {
        rules.invalid(field, path, "must be a relative path");
    }
    no_parent(rules, field, path);
}

pub(super) fn no_parent(rules: &mut Rules, field: &str, path: &str) {
    if path.split('/').any(|part| part == "..") {
        rules.invalid(field, path, "must not contain '..'");
    }
}

fn check_probe(rules: &mut Rules, probe: &Probe, must_be_one: bool, grace: i64) {
    let handler = &probe.handler;
    let handlers = Handlers {
        exec: handler.exec.as_deref().map(|exec| exec.command.is_empty()),
        http: handler.http_get.as_deref().map(|http| Http {
            port: &http.port,
            path: &http.path,
            scheme: http.scheme.as_str(),
            headers: http.http_headers.iter().map(|header| header.name.as_str()).collect(),
        }),
        tcp: handler.tcp_socket.as_deref().map(|tcp| &tcp.port),
        grpc: handler.grpc.as_deref().map(|grpc| grpc.port),
        sleep: None,
    };
    check_handlers(rules, &handlers, grace);
    for (field, seconds) in [
        ("initialDelaySeconds", probe.initial_delay_seconds),
        ("timeoutSeconds", probe.timeout_seconds),
        ("periodSeconds", probe.period_seconds),
        ("successThreshold", probe.success_threshold),
        ("failureThreshold", probe.failure_threshold),
    ] {
        rules.not_negative(field, seconds);
    }
    if must_be_one && probe.success_threshold != 1 {
        rules.invalid("successThreshold", probe.success_threshold, "must be 1");
    }
    if let Some(seconds) = probe.termination_grace_period_seconds {
        if !must_be_one {
            rules.invalid("terminationGracePeriodSeconds", seconds, "must not be set for readinessProbes");
        } else if seconds <= 0 {
            rules.invalid("terminationGracePeriodSeconds", seconds, "must be greater than 0");
        }
    }
}

fn lifecycle(rules: &mut Rules, lifecycle: &Lifecycle, grace: i64) {
    for (field, hook) in [("postStart", &lifecycle.post_start), ("preStop", &lifecycle.pre_stop)] {
        rules
            .option(field, hook.as_deref(), |rules, hook| check_handlers(rules, &hook_handlers(hook), grace));
    }
}

fn hook_handlers(hook: &LifecycleHandler) -> Handlers<'_> {
    Handlers {
        exec: hook.exec.as_deref().map(|exec| exec.command.is_empty()),
        http: hook.http_get.as_deref().map(|http| Http {
            port: &http.port,
            path: &http.path,
            scheme: http.scheme.as_str(),
            headers: http.http_headers.iter().map(|header| header.name.as_str()).collect(),
        }),
        tcp: hook.tcp_socket.as_deref().map(|tcp| &tcp.port),
        grpc: None,
        sleep: hook.sleep.as_deref().map(|sleep| sleep.seconds),
    }
}

/// What probes and hooks have in common.
struct Handlers<'a> {
    /// Whether the command is empty.
    exec: Option<bool>,
    http: Option<Http<'a>>,
    tcp: Option<&'a IntOrString>,
    grpc: Option<i32>,
    sleep: Option<i64>,
}

struct Http<'a> {
    port: &'a IntOrString,
    path: &'a Str,
    scheme: &'a str,
    headers: Vec<&'a str>,
}

fn check_handlers(rules: &mut Rules, handlers: &Handlers<'_>, grace: i64) {
    let present = [
        ("exec", handlers.exec.is_some()),
        ("httpGet", handlers.http.is_some()),
        ("tcpSocket", handlers.tcp.is_some()),
        ("grpc", handlers.grpc.is_some()),
        ("sleep", handlers.sleep.is_some()),
    ];
    let mut present = present.iter().filter(|(_, present)| *present).map(|(field, _)| *field);
    let first = present.next();
    if first.is_none() {
        rules.required("", "must specify a handler type");
    }
    for field in present {
        rules.forbidden(field, "may not specify more than 1 handler type");
    }
    match first {
        Some("exec") if handlers.exec == Some(true) => rules.required("exec.command", ""),
        Some("httpGet") => {
            if let Some(http) = &handlers.http {
                rules.within("httpGet", |rules| http_get(rules, http));
            }
        }
        Some("tcpSocket") => {
            if let Some(port) = handlers.tcp {
                port_number_or_name(rules, "tcpSocket.port", port);
            }
        }
        Some("grpc") => rules.port("grpc.port", handlers.grpc.unwrap_or_default()),
        Some("sleep") => {
            let seconds = handlers.sleep.unwrap_or_default();
            if !(0..=grace).contains(&seconds) {
                let detail =
                    format!("must be non-negative and less than terminationGracePeriodSeconds ({grace})");
                rules.invalid("sleep", seconds, detail);
            }
        }
        _ => {}
    }
}

fn http_get(rules: &mut Rules, http: &Http<'_>) {
    if http.path.is_empty() {
        rules.required("path", "");
    }
    port_number_or_name(rules, "port", http.port);
    rules.one_of("scheme", http.scheme, &["HTTP", "HTTPS"]);
    for name in &http.headers {
        rules.complaints("httpHeaders", name, names::http_header_name(name));
    }
}

pub(super) fn port_number_or_name(rules: &mut Rules, field: &str, port: &IntOrString) {
    match port {
        IntOrString::Int(number) => rules.port(field, *number),
        IntOrString::String(name) => rules.complaints(field, name, names::port_name(name)),
    }
}

fn is_native(name: &str) -> bool {
    !name.contains('/')
}

fn is_huge_page(name: &str) -> bool {
    name.starts_with("hugepages-")
}

pub(super) fn amounts(rules: &mut Rules, field: &str, resources: &Map<Quantity>) {
    for (name, quantity) in resources {
        let field = format!("{field}[{name}]");
        rules.complaints(&field, name, names::label_key(name));
        let standard = ["cpu", "memory", "ephemeral-storage"];
        if names::label_key(name).is_empty()
            && is_native(name)
            && !is_huge_page(name)
            && !standard.contains(&name.as_str())
        {
            rules.invalid(&field, name, "must be a standard resource for containers");
        }
        if quantity.sign() < 0 {
            rules.invalid(&field, FieldValue::of(quantity), "must be greater than or equal to 0");
        }
        let whole = is_huge_page(name) || !is_native(name);
        if whole && quantity.milli_saturating() % 1000 != 0 {
            rules.invalid(&field, FieldValue::of(quantity), "must be an integer");
        }
    }
}

fn resources(rules: &mut Rules, field: &'static str, resources: &ResourceRequirements) {
    rules.within(field, |rules| {
        amounts(rules, "limits", &resources.limits);
        amounts(rules, "requests", &resources.requests);
        for (name, request) in &resources.requests {
            match resources.limits.get(name) {
                Some(limit) if request > limit => {
                    let detail = format!("must be less than or equal to {name} limit of {limit}");
                    rules.invalid("requests", FieldValue::of(request), detail);
                }
                Some(limit) if request != limit && !overcommits(name) => {
                    let detail = format!("must be equal to {name} limit of {limit}");
                    rules.invalid("requests", FieldValue::of(request), detail);
                }
                None if !overcommits(name) => {
                    rules.required("limits", "Limit must be set for non overcommitable resources");
                }
                _ => {}
            }
        }
    });
    let names: BTreeMap<&Str, ()> =
        resources.limits.keys().chain(resources.requests.keys()).map(|name| (name, ())).collect();
    let has = |wanted: &str| names.keys().any(|name| name.as_str() == wanted);
    if names.keys().any(|name| is_huge_page(name)) && !has("cpu") && !has("memory") {
        rules.forbidden(field, "HugePages require cpu or memory");
    }
}

fn overcommits(name: &str) -> bool {
    is_native(name) && !is_huge_page(name)
}

fn security_context(rules: &mut Rules, context: &SecurityContext) {
    for (field, id) in [("runAsUser", context.run_as_user), ("runAsGroup", context.run_as_group)] {
        if let Some(id) = id {
            rules.in_range(field, id, 0, MAX_I32);
        }
    }
    if let Some(mount) = &context.proc_mount {
        rules.one_of("procMount", mount.as_str(), &["Default", "Unmasked"]);
    }
    rules.option("seccompProfile", context.seccomp_profile.as_deref(), seccomp);
    if context.allow_privilege_escalation == Some(false) {
        if context.privileged == Some(true) {
            let detail = "cannot set `allowPrivilegeEscalation` to false and `privileged` to true";
            rules.invalid("", FieldValue::of(context), detail);
        }
        let added = context.capabilities.as_ref().map(|capabilities| &capabilities.add);
        if added.is_some_and(|added| added.iter().any(|name| name == "CAP_SYS_ADMIN")) {
            let detail =
                "cannot set `allowPrivilegeEscalation` to false and `capabilities.Add` CAP_SYS_ADMIN";
            rules.invalid("", FieldValue::of(context), detail);
        }
    }
}

pub(super) fn seccomp(rules: &mut Rules, profile: &SeccompProfile) {
    let types = &["Localhost", "RuntimeDefault", "Unconfined"];
    rules.required_one_of("type", profile.type_.as_str(), types);
    let local = profile.type_.as_str() == "Localhost";
    match &profile.localhost_profile {
        Some(path) if local => local_path(rules, "localhostProfile", path),
        Some(path) => {
            rules.invalid("localhostProfile", path, "can only be set when seccomp type is Localhost");
        }
        None if local => rules.required("localhostProfile", "must be set when seccomp type is Localhost"),
        None => {}
    }
}
