//! What containers and pods ask for.

use std::collections::BTreeSet;

use super::resource_name::{self, may_overcommit};
use super::rules::{Rules, Seen};
use crate::core::v1::{OSName, Pod, PodSpec, ResourceClaim, ResourceRequirements};
use crate::pod_resources::{self, Counting};
use crate::{FieldError, Map, Quantity, Str, names};

const HUGE_PAGES: &str = "hugepages-";

fn pod_resource_name(rules: &mut Rules, field: &str, name: &str) {
    let before = rules.count();
    resource_name::resource(rules, field, name);
    if rules.count() == before && !pod_resources::is_pod_level_resource(name) {
        rules.not_supported(field, name, &["cpu", HUGE_PAGES, "memory"]);
    }
}

/// Whether huge pages are asked for in whole pages.
pub(super) fn is_whole_pages(name: &str, quantity: &Quantity) -> bool {
    let Some(size) = name.strip_prefix(HUGE_PAGES).and_then(|size| size.parse::<Quantity>().ok()) else {
        return false;
    };
    if size.sign() <= 0 || size.milli_value() % 1000 != 0 {
        return false;
    }
    quantity.value().checked_rem(size.value()) == Some(0)
}

/// Whose resources are checked.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Level {
    Container,
    Pod,
}

/// How an amount is asked for.
struct Check {
    level: Level,
    /// Huge pages need not be whole: they were not before.
    broken_pages: bool,
}

impl Check {
    fn one(&self, rules: &mut Rules, field: &str, name: &str, quantity: &Quantity) {
        // The path is made for errors only: what is in order is passed over without it.
        let in_order = match self.level {
            Level::Container => matches!(name, "cpu" | "memory" | "ephemeral-storage"),
            Level::Pod => matches!(name, "cpu" | "memory"),
        };
        if in_order && quantity.sign() >= 0 {
            return;
        }
        let field = format!("{field}[{name}]");
        match self.level {
            Level::Container => resource_name::of_container(rules, &field, name),
            Level::Pod => pod_resource_name(rules, &field, name),
        }
        resource_name::amount(rules, &field, name, quantity);
        if name.starts_with(HUGE_PAGES) && !self.broken_pages && !is_whole_pages(name, quantity) {
            let detail = format!("{quantity} is not positive integer multiple of {name}");
            rules.invalid(&field, quantity.to_string(), detail);
        }
    }
}

/// The requests, limits and claims at this place; claims have to be among `claims`, those of the pod.
pub(super) fn requirements(
    rules: &mut Rules,
    resources: &ResourceRequirements,
    level: Level,
    claims: &BTreeSet<&str>,
    broken_pages: bool,
) {
    let check = Check { level, broken_pages };
    for (name, quantity) in &resources.limits {
        check.one(rules, "limits", name, quantity);
    }
    for (name, quantity) in &resources.requests {
        check.one(rules, "requests", name, quantity);
        match resources.limits.get(name) {
            Some(limit) if quantity != limit && !may_overcommit(name) => {
                let detail = format!("must be equal to {name} limit of {limit}");
                rules.invalid("requests", quantity.to_string(), detail);
            }
            Some(limit) if quantity > limit => {
                let detail = format!("must be less than or equal to {name} limit of {limit}");
                rules.invalid("requests", quantity.to_string(), detail);
            }
            None if !may_overcommit(name) => {
                rules.required("limits", "Limit must be set for non overcommitable resources");
            }
            _ => {}
        }
    }
    let has = |wanted: fn(&str) -> bool| {
        resources.limits.keys().chain(resources.requests.keys()).any(|name| wanted(name))
    };
    if has(|name| name.starts_with(HUGE_PAGES)) && !has(|name| matches!(name, "cpu" | "memory")) {
        rules.forbidden("", "HugePages require cpu or memory");
    }
    claim_names(rules, &resources.claims, claims);
}

/// The claims that a container uses, each once, and either whole or request by request.
fn claim_names(rules: &mut Rules, used: &[ResourceClaim], claims: &BTreeSet<&str>) {
    let mut seen = BTreeSet::<String>::new();
    rules.each("claims", used, |rules, claim| {
        let name = claim.name.as_str();
        if name.is_empty() {
            return rules.required("", "");
        }
        if seen.contains(name) {
            rules.duplicate("", name);
        } else {
            let mut key = name.to_owned();
            if !claim.request.is_empty() {
                rules.complaints("request", &claim.request, names::dns1123_label(&claim.request));
                key = format!("{name}/{}", claim.request);
            }
            if seen.contains(&key) {
                rules.duplicate("", key.as_str());
            } else if claim.request.is_empty() {
                let prefix = format!("{name}/");
                for _ in seen.iter().filter(|other| other.starts_with(&prefix)) {
                    rules.duplicate("", name);
                }
            }
            seen.insert(key);
        }
        if !claims.contains(name) {
            let mut detail = "must be one of the names in pod.spec.resourceClaims".to_owned();
            if claims.is_empty() {
                detail.push_str(" which is empty");
            } else {
                let all: Vec<&str> = claims.iter().copied().collect();
                detail = format!("{detail}: {}", all.join(", "));
            }
            let path = rules.path("");
            rules.push(FieldError { detail, ..FieldError::not_found(path, name) });
        }
    });
}

/// The claims of a pod itself.
pub(super) fn pod_claims(rules: &mut Rules, spec: &PodSpec, is_mirror: bool) {
    let mut seen = Seen::new();
    rules.each("resourceClaims", &spec.resource_claims, |rules, claim| {
        if is_mirror {
            // Kubernetes names no field here.
            return rules.push(FieldError::forbidden("", "static pods do not support resource claims"));
        }
        if claim.name.is_empty() {
            rules.required("name", "");
        } else if !seen.insert(claim.name.as_str()) {
            rules.duplicate("name", &claim.name);
        } else {
            rules.complaints("name", &claim.name, names::dns1123_label(&claim.name));
        }
        let sources = [
            ("resourceClaimName", claim.resource_claim_name.as_ref()),
            ("resourceClaimTemplateName", claim.resource_claim_template_name.as_ref()),
        ];
        match sources.iter().filter(|(_, name)| name.is_some()).count() {
            0 => rules.invalid(
                "",
                crate::FieldValue::of(claim),
                "must specify one of: `resourceClaimName`, `resourceClaimTemplateName`",
            ),
            1 => {}
            _ => rules.invalid(
                "",
                crate::FieldValue::of(claim),
                "at most one of `resourceClaimName` or `resourceClaimTemplateName` may be specified",
            ),
        }
        for (field, name) in sources {
            if let Some(name) = name {
                rules.complaints(field, name, names::dns1123_subdomain(name));
            }
        }
    });
}

/// Resources of the pod as a whole: at least what its containers ask for together, and no container may have more.
pub(super) fn pod_level(rules: &mut Rules, spec: &PodSpec, claims: &BTreeSet<&str>, broken_pages: bool) {
    let Some(whole) = spec.resources.as_deref() else {
        return;
    };
    if spec.os.as_ref().is_some_and(|os| os.name == OSName::Windows) {
        return rules.forbidden("resources", "may not be set for a windows pod");
    }
    rules.within("resources", |rules| {
        if !whole.claims.is_empty() {
            rules.forbidden("claims", "claims may not be set for Resources at pod-level");
        }
        requirements(rules, whole, Level::Pod, claims, broken_pages);
        let pod = Pod { spec: spec.clone(), ..Pod::default() };
        let counting = Counting { without_overhead: true, without_pod_level: true, ..Counting::default() };
        for (name, sum) in &pod_resources::container_requests(&pod, &counting) {
            if let Some(request) = whole.requests.get(name)
                && sum > request
            {
                let detail =
                    format!("must be greater than or equal to aggregate container requests of {sum}");
                rules.invalid(&format!("requests[{name}]"), request.to_string(), detail);
            }
        }
        for (name, sum) in &pod_resources::limits(&pod, &counting) {
            if let Some(limit) = whole.limits.get(name)
                && name.starts_with(HUGE_PAGES)
                && sum > limit
            {
                let detail = format!("must be greater than or equal to aggregate container limits of {sum}");
                rules.invalid(&format!("limits[{name}]"), limit.to_string(), detail);
            }
        }
        rules.each("containers", &spec.containers, |rules, container| {
            for (name, limit) in &container.resources.limits {
                if let Some(most) = whole.limits.get(name)
                    && limit > most
                {
                    let detail = format!("must be less than or equal to pod limits of {most}");
                    rules.invalid(&format!("[{name}].limits"), limit.to_string(), detail);
                }
            }
        });
    });
}

/// What a pod costs beside its containers.
pub(super) fn overhead(rules: &mut Rules, overhead: &Map<Quantity>, broken_pages: bool) {
    if overhead.is_empty() {
        return;
    }
    let limits = ResourceRequirements { limits: overhead.clone(), ..ResourceRequirements::default() };
    rules.within("overhead", |rules| {
        requirements(rules, &limits, Level::Container, &BTreeSet::new(), broken_pages);
    });
}

/// Whether any huge pages of a spec are not whole.
pub(super) fn has_broken_pages(spec: &PodSpec) -> bool {
    let broken = |amounts: &Map<Quantity>| {
        amounts.iter().any(|(name, quantity): (&Str, _)| {
            name.starts_with(HUGE_PAGES) && !is_whole_pages(name, quantity)
        })
    };
    let containers = spec.containers.iter().chain(&spec.init_containers);
    containers
        .into_iter()
        .any(|container| broken(&container.resources.limits) || broken(&container.resources.requests))
        || broken(&spec.overhead)
}
