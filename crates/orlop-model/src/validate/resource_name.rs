//! Names and amounts of resources.

use super::rules::{NOT_NEGATIVE, Rules};
use crate::{Quantity, names};

const OF_CONTAINERS: [&str; 3] = ["cpu", "memory", "ephemeral-storage"];

/// What a quota can count without a domain; the last of [`STANDARD`] it cannot.
const STANDARD: [&str; 20] = [
    "cpu",
    "memory",
    "ephemeral-storage",
    "requests.cpu",
    "requests.memory",
    "requests.storage",
    "requests.ephemeral-storage",
    "limits.cpu",
    "limits.memory",
    "limits.ephemeral-storage",
    "pods",
    "resourcequotas",
    "services",
    "replicationcontrollers",
    "secrets",
    "persistentvolumeclaims",
    "configmaps",
    "services.nodeports",
    "services.loadbalancers",
    "storage",
];

/// What is counted in whole numbers.
const WHOLE: [&str; 9] = [
    "pods",
    "resourcequotas",
    "services",
    "replicationcontrollers",
    "secrets",
    "configmaps",
    "persistentvolumeclaims",
    "services.nodeports",
    "services.loadbalancers",
];

pub(super) fn is_huge_pages(name: &str) -> bool {
    name.starts_with("hugepages-")
}

fn is_quota_of_huge_pages(name: &str) -> bool {
    is_huge_pages(name) || name.starts_with("requests.hugepages-")
}

pub(super) fn is_standard_for_quota(name: &str) -> bool {
    (name != "storage" && STANDARD.contains(&name)) || is_quota_of_huge_pages(name)
}

pub(super) fn is_native(name: &str) -> bool {
    !name.contains('/') || name.contains("kubernetes.io/")
}

pub(super) fn is_extended(name: &str) -> bool {
    !is_native(name)
        && !name.starts_with("requests.")
        && names::label_key(&format!("requests.{name}")).is_empty()
}

/// Whether limits may exceed requests.
pub(super) fn may_overcommit(name: &str) -> bool {
    is_native(name) && !is_huge_pages(name)
}

/// The name of any resource.
pub(super) fn resource(rules: &mut Rules, field: &str, name: &str) {
    let complaints = names::label_key(name);
    if !complaints.is_empty() {
        rules.complaints(field, name, complaints);
    } else if !name.contains('/') && !STANDARD.contains(&name) && !is_quota_of_huge_pages(name) {
        rules.invalid(field, name, "must be a standard resource type or fully qualified");
    }
}

/// The name of a resource of a quota.
pub(super) fn of_quota(rules: &mut Rules, field: &str, name: &str) {
    resource(rules, field, name);
    if !name.contains('/') && !is_standard_for_quota(name) {
        rules.invalid(field, name, "must be a standard resource for quota");
    }
}

/// The name of a resource of a container.
pub(super) fn of_container(rules: &mut Rules, field: &str, name: &str) {
    resource(rules, field, name);
    if !name.contains('/') {
        if !OF_CONTAINERS.contains(&name) && !is_huge_pages(name) {
            rules.invalid(field, name, "must be a standard resource for containers");
        }
    } else if !is_native(name) && !is_extended(name) {
        rules.invalid(field, name, "doesn't follow extended resource name standard");
    }
}

/// An amount of a resource.
pub(super) fn amount(rules: &mut Rules, field: &str, name: &str, amount: &Quantity) {
    if amount.sign() < 0 {
        rules.invalid(field, amount.to_string(), NOT_NEGATIVE);
    }
    if (WHOLE.contains(&name) || is_extended(name)) && amount.milli_value() % 1000 != 0 {
        rules.invalid(field, amount.to_string(), "must be an integer");
    }
}
