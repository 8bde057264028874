//! [`Options`]: what an update lets pass because it was there before.

use super::affinity::match_label_keys;
use super::rules::Rules;
use super::volume::is_inside_volume;
use super::{annotations, container, resources, security};
use crate::core::v1::{NodeSelectorTerm, PodAffinityTerm, PodSpec, PodTemplateSpec, TolerationOperator};
use crate::{ObjectMeta, names, selector};

/// What differs between pods and templates, and what is let pass because the object had it before the rule came. The
/// default is a new template.
#[derive(Clone, Debug, Default)]
pub(super) struct Options {
    /// A pod itself, not a template.
    pub(super) is_pod: bool,
    /// A cost of deletion that is not a number.
    pub(super) broken_deletion_cost: bool,
    /// Huge pages that are not whole.
    pub(super) broken_pages: bool,
    /// Values of labels in selectors of pod affinity.
    pub(super) broken_affinity_values: bool,
    /// Values of labels in required node affinity.
    pub(super) broken_node_values: bool,
    /// Selectors of spread constraints.
    pub(super) broken_spread_selectors: bool,
    /// Keys of spread constraints that are in the selector too.
    pub(super) broken_spread_keys: bool,
    /// Paths of tokens that lead out of their volume.
    pub(super) token_paths_outside: bool,
    /// Sysctls of namespaces that are the host's.
    pub(super) host_sysctls: bool,
    /// Devices in pods with users of their own.
    pub(super) devices_with_users: bool,
    /// Pods with users of their own in the host's network.
    pub(super) users_in_host_network: bool,
    /// Tolerations that compare numbers.
    pub(super) comparing_tolerations: bool,
    /// SELinux labels given by mount options.
    pub(super) any_se_linux_change: bool,
}

impl Options {
    /// Of a new pod.
    pub(super) fn pod() -> Self {
        Self { is_pod: true, ..Self::default() }
    }

    /// Of an object with this pod or template before.
    pub(super) fn after(meta: &ObjectMeta, spec: &PodSpec, is_pod: bool) -> Self {
        let affinity = spec.affinity.as_deref();
        let spread = &spec.topology_spread_constraints;
        let own_users = spec.host_users == Some(false);
        let se_linux =
            spec.security_context.as_ref().and_then(|context| context.se_linux_change_policy.as_ref());
        let mut has_devices = false;
        container::each(&mut Rules::new(""), spec, |_, container| {
            has_devices |= !container.volume_devices.is_empty();
        });
        Self {
            is_pod,
            broken_deletion_cost: annotations::has_broken_deletion_cost(&meta.annotations),
            broken_pages: resources::has_broken_pages(spec),
            broken_affinity_values: affinity.is_some_and(|affinity| {
                let terms = affinity
                    .pod_affinity
                    .iter()
                    .flat_map(|affinity| {
                        let preferred = &affinity.preferred_during_scheduling_ignored_during_execution;
                        let required = &affinity.required_during_scheduling_ignored_during_execution;
                        required.iter().chain(preferred.iter().map(|term| &term.pod_affinity_term))
                    })
                    .chain(affinity.pod_anti_affinity.iter().flat_map(|affinity| {
                        let preferred = &affinity.preferred_during_scheduling_ignored_during_execution;
                        let required = &affinity.required_during_scheduling_ignored_during_execution;
                        required.iter().chain(preferred.iter().map(|term| &term.pod_affinity_term))
                    }));
                terms.into_iter().any(has_broken_selector)
            }),
            broken_node_values: affinity
                .and_then(|affinity| affinity.node_affinity.as_ref())
                .and_then(|affinity| affinity.required_during_scheduling_ignored_during_execution.as_ref())
                .is_some_and(|selector| selector.node_selector_terms.iter().any(has_broken_values)),
            broken_spread_selectors: spread.iter().any(|constraint| {
                let broken = |selector: &_| !selector::validate(selector, false, "").is_empty();
                constraint.label_selector.as_deref().is_some_and(broken)
            }),
            broken_spread_keys: spread.iter().any(|constraint| {
                let mut rules = Rules::new("");
                let keys = &constraint.match_label_keys;
                match_label_keys(&mut rules, keys, &[], constraint.label_selector.as_deref());
                rules.count() > 0
            }),
            token_paths_outside: spec
                .volumes
                .iter()
                .filter_map(|volume| volume.source.projected.as_ref())
                .flat_map(|projected| &projected.sources)
                .filter_map(|source| source.service_account_token.as_ref())
                .any(|token| !is_inside_volume(&token.path)),
            host_sysctls: spec
                .security_context
                .iter()
                .flat_map(|context| &context.sysctls)
                .any(|sysctl| security::host_sysctl(&sysctl.name, spec).is_some()),
            devices_with_users: own_users && has_devices,
            users_in_host_network: own_users && spec.host_network,
            comparing_tolerations: spec.tolerations.iter().any(|toleration| {
                matches!(toleration.operator, TolerationOperator::Lt | TolerationOperator::Gt)
            }),
            any_se_linux_change: se_linux.is_some_and(|policy| policy.as_str() != "Recursive"),
        }
    }

    /// Of an object with this template before.
    pub(super) fn after_template(old: &PodTemplateSpec) -> Self {
        Self::after(&old.metadata, &old.spec, false)
    }
}

fn has_broken_selector(term: &PodAffinityTerm) -> bool {
    [&term.label_selector, &term.namespace_selector]
        .into_iter()
        .flatten()
        .any(|selector| !selector::validate(selector, false, "").is_empty())
}

fn has_broken_values(term: &NodeSelectorTerm) -> bool {
    term.match_expressions
        .iter()
        .flat_map(|requirement| &requirement.values)
        .any(|value| !names::label_value(value).is_empty())
}
