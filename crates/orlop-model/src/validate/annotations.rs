//! Annotations that have a meaning for pods.

use super::affinity::tolerations;
use super::container;
use super::rules::Rules;
use super::volume::local_path;
use crate::core::v1::{AppArmorProfile, PodSpec, SeccompProfile, Toleration};
use crate::{Map, ObjectMeta, Str};

pub(super) const MIRROR: &str = "kubernetes.io/config.mirror";
const TOLERATIONS: &str = "scheduler.alpha.kubernetes.io/tolerations";
const DELETION_COST: &str = "controller.kubernetes.io/pod-deletion-cost";
pub(super) const SECCOMP_POD: &str = "seccomp.security.alpha.kubernetes.io/pod";
pub(super) const SECCOMP_CONTAINER: &str = "container.seccomp.security.alpha.kubernetes.io/";
pub(crate) const APP_ARMOR: &str = "container.apparmor.security.beta.kubernetes.io/";

/// The annotations of a pod or template at this place.
pub(super) fn of_pod(
    rules: &mut Rules,
    annotations: &Map<Str>,
    spec: &PodSpec,
    options: &super::options::Options,
) {
    if annotations.is_empty() {
        return;
    }
    rules.within("annotations", |rules| {
        if let Some(value) = annotations.get(MIRROR)
            && spec.node_name.is_empty()
        {
            let detail = "must set spec.nodeName if mirror pod annotation is set";
            rules.invalid(&key(MIRROR), value, detail);
        }
        if let Some(text) = annotations.get(TOLERATIONS).and_then(Str::non_empty) {
            match serde_json::from_str::<Vec<Toleration>>(text) {
                Ok(list) => tolerations(rules, TOLERATIONS, &list, options.comparing_tolerations),
                Err(error) => rules.invalid("", TOLERATIONS, error.to_string()),
            }
        }
        if !options.broken_deletion_cost
            && let Some(value) = annotations.get(DELETION_COST)
            && has_broken_deletion_cost(annotations)
        {
            rules.invalid(&key(DELETION_COST), value, "must be a 32bit integer");
        }
        if let Some(profile) = annotations.get(SECCOMP_POD) {
            seccomp_profile(rules, SECCOMP_POD, profile);
        }
        for (name, value) in annotations {
            if name.starts_with(SECCOMP_CONTAINER) {
                seccomp_profile(rules, name, value);
            }
            if let Some(container) = name.strip_prefix(APP_ARMOR) {
                if !has_container(spec, container) {
                    rules.invalid(&key(name), container, "container not found");
                }
                if !matches!(value.as_str(), "" | "runtime/default" | "unconfined")
                    && !value.starts_with("localhost/")
                {
                    let detail = format!("invalid AppArmor profile name: {}", crate::quote::quoted(value));
                    rules.invalid(&key(name), value, detail);
                }
            }
        }
    });
}

fn key(name: &str) -> String {
    format!("[{name}]")
}

fn has_container(spec: &PodSpec, name: &str) -> bool {
    let mut found = false;
    container::each(&mut Rules::new(""), spec, |_, container| found |= container.name == *name);
    found
}

/// Whether there is a cost of deletion that is no number, or one with a plus sign or zeros in front.
pub(super) fn has_broken_deletion_cost(annotations: &Map<Str>) -> bool {
    annotations.get(DELETION_COST).is_some_and(|value| {
        let first = value.bytes().next();
        let begins_well =
            first == Some(b'-') || value == "0" || first.is_some_and(|byte| matches!(byte, b'1'..=b'9'));
        !begins_well || value.parse::<i32>().is_err()
    })
}

fn seccomp_profile(rules: &mut Rules, field: &str, profile: &str) {
    if matches!(profile, "runtime/default" | "docker/default" | "unconfined") {
        return;
    }
    match profile.strip_prefix("localhost/") {
        Some(path) => local_path(rules, field, path),
        None => rules.invalid(field, profile, "must be a valid seccomp profile"),
    }
}

/// What may not be changed, of annotations that mean something to the node.
pub(super) fn update(rules: &mut Rules, new: &Map<Str>, old: &Map<Str>) {
    let mut forbid = |name: &str, verb: &str| {
        let what = if name.starts_with(APP_ARMOR) {
            "AppArmor annotations"
        } else if name == MIRROR {
            "mirror pod annotation"
        } else {
            return;
        };
        rules.forbidden(&format!("metadata.annotations[{name}]"), format!("may not {verb} {what}"));
    };
    for (name, value) in old {
        if new.get(name) != Some(value) {
            forbid(name, "remove or update");
        }
    }
    for name in new.keys().filter(|name| !old.contains_key(name)) {
        forbid(name, "add");
    }
}

/// Profiles that are named by an annotation and by the field that replaced it have to be the same.
pub(super) fn profiles(rules: &mut Rules, meta: &ObjectMeta, spec: &PodSpec) {
    let annotations = &meta.annotations;
    if annotations.is_empty() {
        return;
    }
    let of_pod = spec.security_context.as_deref();
    if let Some(profile) = of_pod.and_then(|context| context.seccomp_profile.as_deref())
        && let Some(annotation) = annotations.get(SECCOMP_POD)
    {
        rules.within("securityContext", |rules| same_seccomp(rules, profile, annotation));
    }
    let windows = container::is_windows(spec.os.as_deref());
    let of_pod = of_pod.and_then(|context| context.app_armor_profile.as_deref());
    container::each(rules, spec, |rules, container| {
        let own = container.security_context.as_deref();
        if let Some(profile) = own.and_then(|context| context.seccomp_profile.as_deref())
            && let Some(annotation) = annotations.get(&format!("{SECCOMP_CONTAINER}{}", container.name))
        {
            rules.within("securityContext", |rules| same_seccomp(rules, profile, annotation));
        }
        if windows {
            return;
        }
        if let Some(profile) = own.and_then(|context| context.app_armor_profile.as_deref()).or(of_pod)
            && let Some(annotation) = annotations.get(&format!("{APP_ARMOR}{}", container.name))
        {
            rules.within("securityContext", |rules| same_app_armor(rules, profile, annotation));
        }
    });
}

fn same_seccomp(rules: &mut Rules, profile: &SeccompProfile, annotation: &str) {
    let is_other = match profile.type_.as_str() {
        "Unconfined" => annotation != "unconfined",
        "RuntimeDefault" => !matches!(annotation, "runtime/default" | "docker/default"),
        "Localhost" => match annotation.strip_prefix("localhost/") {
            None => true,
            Some(path) => {
                if profile.localhost_profile.as_deref() != Some(path) {
                    let detail = "seccomp profile in annotation and field must match";
                    rules.forbidden("seccompProfile.localhostProfile", detail);
                }
                false
            }
        },
        _ => false,
    };
    if is_other {
        rules.forbidden("seccompProfile.type", "seccomp type in annotation and field must match");
    }
}

fn same_app_armor(rules: &mut Rules, profile: &AppArmorProfile, annotation: &str) {
    let is_other = match profile.type_.as_str() {
        "Unconfined" => annotation != "unconfined",
        "RuntimeDefault" => annotation != "runtime/default",
        "Localhost" => match annotation.strip_prefix("localhost/") {
            None => true,
            Some(name) => {
                if profile.localhost_profile.as_deref() != Some(name) {
                    let detail = "apparmor profile in annotation and field must match";
                    rules.forbidden("appArmorProfile.localhostProfile", detail);
                }
                false
            }
        },
        _ => false,
    };
    if is_other {
        rules.forbidden("appArmorProfile.type", "apparmor type in annotation and field must match");
    }
}
