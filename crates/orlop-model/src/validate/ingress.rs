//! Ingresses and their classes.

use super::rules::Rules;
use super::{Validate, subdomain};
use crate::core::v1::TypedLocalObjectReference;
use crate::networking::v1::{
    HTTPIngressPath, Ingress, IngressBackend, IngressClass, IngressClassParametersReference, IngressRule,
    IngressSpec, PathType,
};
use crate::{FieldError, FieldValue, names};

const CLASS: &str = "kubernetes.io/ingress.class";

/// Longest name of a controller, in bytes.
const MAX_CONTROLLER: usize = 250;

impl Validate for Ingress {
    fn validate_create(&self) -> Vec<FieldError> {
        let mut rules = whole(self, Leniency::default());
        if let (Some(annotation), Some(class)) =
            (self.metadata.annotations.get(CLASS), &self.spec.ingress_class_name)
            && annotation != class
        {
            let detail = "must match `ingressClassName` when both are specified";
            // The place is Kubernetes' own.
            rules.invalid(&format!("annotations.{CLASS}"), annotation, detail);
        }
        rules.finish()
    }

    fn validate_update(&self, old: &Self) -> Vec<FieldError> {
        let mut rules = Rules::new("");
        rules.metadata_update(self, old);
        rules.extend(whole(self, Leniency::of(&old.spec)).finish());
        rules.finish()
    }

    fn warnings_on_create(&self) -> Vec<String> {
        let is_old = self.spec.ingress_class_name.is_none() && self.metadata.annotations.contains_key(CLASS);
        let warning =
            format!("annotation \"{CLASS}\" is deprecated, please use 'spec.ingressClassName' instead");
        is_old.then_some(warning).into_iter().collect()
    }
}

/// What may stay as it is since it was there already.
#[derive(Clone, Copy, Default)]
struct Leniency {
    /// Names of Secrets.
    secrets: bool,
    /// Rules for hosts with a wildcard.
    wildcards: bool,
}

impl Leniency {
    fn of(old: &IngressSpec) -> Self {
        let has_wrong_paths = |rule: &IngressRule| {
            let mut rules = Rules::new("");
            paths(&mut rules, rule);
            rules.count() > 0
        };
        Self {
            secrets: old.tls.iter().any(|tls| {
                !tls.secret_name.is_empty() && !names::dns1123_subdomain(&tls.secret_name).is_empty()
            }),
            wildcards: old.rules.iter().any(|rule| rule.host.contains('*') && has_wrong_paths(rule)),
        }
    }
}

fn whole(ingress: &Ingress, leniency: Leniency) -> Rules {
    let mut rules = Rules::new("");
    rules.metadata(ingress, Ingress::NAME_RULE);
    rules.within("spec", |rules| spec(rules, &ingress.spec, leniency));
    rules
}

fn spec(rules: &mut Rules, spec: &IngressSpec, leniency: Leniency) {
    if spec.rules.is_empty() && spec.default_backend.is_none() {
        let detail = "either `defaultBackend` or `rules` must be specified";
        rules.invalid("", FieldValue::of(&spec.rules), detail);
    }
    rules.option("defaultBackend", spec.default_backend.as_deref(), backend);
    rules.each("rules", &spec.rules, |rules, rule| {
        let host = rule.host.as_str();
        let has_wildcard = host.contains('*');
        if !host.is_empty() {
            if names::lenient_ip(host).is_some() {
                rules.invalid("host", host, "must be a DNS name, not an IP address");
            }
            host_name(rules, "host", host);
        }
        if !(has_wildcard && leniency.wildcards) {
            paths(rules, rule);
        }
    });
    rules.each("tls", &spec.tls, |rules, tls| {
        rules.each("hosts", &tls.hosts, |rules, host| host_name(rules, "", host));
        if !leniency.secrets && !tls.secret_name.is_empty() {
            subdomain(rules, "secretName", &tls.secret_name);
        }
    });
    if let Some(class) = &spec.ingress_class_name {
        subdomain(rules, "ingressClassName", class);
    }
}

fn host_name(rules: &mut Rules, field: &str, host: &str) {
    if host.contains('*') {
        rules.complaints(field, host, names::wildcard_dns1123_subdomain(host));
    } else {
        subdomain(rules, field, host);
    }
}

fn paths(rules: &mut Rules, rule: &IngressRule) {
    rules.option("http", rule.value.http.as_deref(), |rules, http| {
        if http.paths.is_empty() {
            rules.required("paths", "");
        }
        rules.each("paths", &http.paths, path);
    });
}

fn path(rules: &mut Rules, path: &HTTPIngressPath) {
    let Some(type_) = &path.path_type else {
        rules.required("pathType", "pathType must be specified");
        return;
    };
    let text = path.path.as_str();
    match type_ {
        PathType::Exact | PathType::Prefix => {
            if !text.starts_with('/') {
                rules.invalid("path", text, "must be an absolute path");
            }
            for part in ["//", "/./", "/../", "%2f", "%2F"] {
                if text.contains(part) {
                    rules.invalid("path", text, format!("must not contain '{part}'"));
                }
            }
            for end in ["/..", "/."] {
                if text.ends_with(end) {
                    rules.invalid("path", text, format!("cannot end with '{end}'"));
                }
            }
        }
        PathType::ImplementationSpecific => {
            if !text.is_empty() && !text.starts_with('/') {
                rules.invalid("path", text, "must be an absolute path");
            }
        }
        other => {
            rules.one_of("pathType", other.as_str(), &["Exact", "ImplementationSpecific", "Prefix"]);
        }
    }
    rules.within("backend", |rules| backend(rules, &path.backend));
}

fn backend(rules: &mut Rules, backend: &IngressBackend) {
    let service = match (&backend.service, &backend.resource) {
        (Some(_), Some(_)) => {
            rules.invalid("", "", "cannot set both resource and service backends");
            return;
        }
        (None, None) => {
            rules.invalid("", "", "resource or service backend is required");
            return;
        }
        (None, Some(resource)) => {
            rules.within("resource", |rules| reference(rules, resource));
            return;
        }
        (Some(service), None) => service,
    };
    if service.name.is_empty() {
        rules.required("service.name", "");
    } else {
        rules.complaints("service.name", &service.name, names::dns1123_label(&service.name));
    }
    let port = &service.port;
    match (port.name.as_str(), port.number) {
        ("", 0) => rules.required("", "port name or number is required"),
        ("", number) => rules.port("service.port.number", number),
        (name, 0) => rules.complaints("service.port.name", name, names::port_name(name)),
        _ => rules.invalid("", "", "cannot set both port name & port number"),
    }
}

/// A reference to an object of the own namespace, or of the cluster.
fn reference(rules: &mut Rules, reference: &TypedLocalObjectReference) {
    if let Some(group) = &reference.api_group {
        subdomain(rules, "apiGroup", group);
    }
    for (field, text) in [("kind", &reference.kind), ("name", &reference.name)] {
        if text.is_empty() {
            rules.required(field, "");
        } else {
            rules.complaints(field, text, names::path_segment_name(text));
        }
    }
}

impl Validate for IngressClass {
    fn validate_create(&self) -> Vec<FieldError> {
        let mut rules = Rules::new("");
        rules.metadata(self, Self::NAME_RULE);
        rules.within("spec", |rules| {
            let controller = &self.spec.controller;
            if controller.len() > MAX_CONTROLLER {
                rules.too_long("controller", MAX_CONTROLLER);
            }
            rules.check("controller", |path| names::domain_prefixed_path(path, controller));
            rules.option("parameters", self.spec.parameters.as_deref(), parameters);
        });
        rules.finish()
    }

    fn validate_update(&self, old: &Self) -> Vec<FieldError> {
        let mut rules = Rules::new("");
        rules.metadata_update(self, old);
        rules.immutable("spec.controller", &self.spec.controller, &old.spec.controller);
        rules.extend(self.validate_create());
        rules.finish()
    }
}

fn parameters(rules: &mut Rules, parameters: &IngressClassParametersReference) {
    let target = TypedLocalObjectReference {
        api_group: parameters.api_group.clone(),
        kind: parameters.kind.clone(),
        name: parameters.name.clone(),
        ..TypedLocalObjectReference::default()
    };
    reference(rules, &target);
    match (parameters.scope.as_deref(), &parameters.namespace) {
        (None, _) => rules.required("scope", ""),
        (Some("Namespace"), None) => {
            rules.required("namespace", "`parameters.scope` is set to 'Namespace'");
        }
        (Some("Namespace"), Some(namespace)) => {
            rules.complaints("namespace", namespace, names::dns1123_label(namespace));
        }
        (Some("Cluster"), Some(_)) => {
            rules.forbidden("namespace", "`parameters.scope` is set to 'Cluster'");
        }
        (Some(scope), _) => rules.one_of("scope", scope, &["Cluster", "Namespace"]),
    }
}
