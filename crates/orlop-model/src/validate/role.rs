//! Roles and their bindings.

use super::Validate;
use super::rules::Rules;
use crate::names::{self, NameRule};
use crate::rbac::v1::{ClusterRole, ClusterRoleBinding, PolicyRule, Role, RoleBinding, RoleRef, Subject};
use crate::{FieldError, FieldValue, Object, selector};

const GROUP: &str = "rbac.authorization.k8s.io";

impl Validate for Role {
    const NAME_RULE: NameRule = NameRule::PathSegment;

    fn validate_create(&self) -> Vec<FieldError> {
        let mut rules = Rules::new("");
        rules.metadata(self, Self::NAME_RULE);
        rules.each("rules", &self.rules, |rules, rule| policy_rule(rules, rule, true));
        rules.finish()
    }

    fn validate_update(&self, old: &Self) -> Vec<FieldError> {
        let mut rules = Rules::new("");
        rules.extend(self.validate_create());
        rules.metadata_update(self, old);
        rules.finish()
    }
}

impl Validate for ClusterRole {
    const NAME_RULE: NameRule = NameRule::PathSegment;

    fn validate_create(&self) -> Vec<FieldError> {
        cluster_role(self, false).finish()
    }

    fn validate_update(&self, old: &Self) -> Vec<FieldError> {
        let selectors = old.aggregation_rule.iter().flat_map(|rule| &rule.cluster_role_selectors);
        let was_wrong =
            selectors.into_iter().any(|selector| !selector::validate(selector, false, "").is_empty());
        let mut rules = cluster_role(self, was_wrong);
        rules.metadata_update(self, old);
        rules.finish()
    }
}

fn cluster_role(role: &ClusterRole, loose: bool) -> Rules {
    let mut rules = Rules::new("");
    rules.metadata(role, ClusterRole::NAME_RULE);
    rules.each("rules", &role.rules, |rules, rule| policy_rule(rules, rule, false));
    rules.option("aggregationRule", role.aggregation_rule.as_deref(), |rules, rule| {
        if rule.cluster_role_selectors.is_empty() {
            let detail = "at least one clusterRoleSelector required if aggregationRule is non-nil";
            rules.required("clusterRoleSelectors", detail);
        }
        rules.each("clusterRoleSelectors", &rule.cluster_role_selectors, |rules, selector| {
            rules.selector("", selector, loose);
            if selector::Selector::from_object(Some(selector)).is_err() {
                rules.invalid("", FieldValue::of(selector), "invalid label selector");
            }
        });
    });
    rules
}

fn policy_rule(rules: &mut Rules, rule: &PolicyRule, is_namespaced: bool) {
    if rule.verbs.is_empty() {
        rules.required("verbs", "verbs must contain at least one value");
    }
    if !rule.non_resource_urls.is_empty() {
        let value = || FieldValue::of(&rule.non_resource_urls);
        if is_namespaced {
            let detail = "namespaced rules cannot apply to non-resource URLs";
            rules.invalid("nonResourceURLs", value(), detail);
        }
        if !(rule.api_groups.is_empty() && rule.resources.is_empty() && rule.resource_names.is_empty()) {
            let detail = "rules cannot apply to both regular resources and non-resource URLs";
            rules.invalid("nonResourceURLs", value(), detail);
        }
        return;
    }
    if rule.api_groups.is_empty() {
        rules.required("apiGroups", "resource rules must supply at least one api group");
    }
    if rule.resources.is_empty() {
        rules.required("resources", "resource rules must supply at least one resource");
    }
}

impl Validate for RoleBinding {
    const NAME_RULE: NameRule = NameRule::PathSegment;

    fn validate_create(&self) -> Vec<FieldError> {
        binding(self, &self.role_ref, &self.subjects, &["Role", "ClusterRole"])
    }

    fn validate_update(&self, old: &Self) -> Vec<FieldError> {
        let mut rules = Rules::new("");
        rules.extend(self.validate_create());
        rules.metadata_update(self, old);
        role_ref(&mut rules, &self.role_ref, &old.role_ref);
        rules.finish()
    }
}

impl Validate for ClusterRoleBinding {
    const NAME_RULE: NameRule = NameRule::PathSegment;

    fn validate_create(&self) -> Vec<FieldError> {
        binding(self, &self.role_ref, &self.subjects, &["ClusterRole"])
    }

    fn validate_update(&self, old: &Self) -> Vec<FieldError> {
        let mut rules = Rules::new("");
        rules.extend(self.validate_create());
        rules.metadata_update(self, old);
        role_ref(&mut rules, &self.role_ref, &old.role_ref);
        rules.finish()
    }
}

fn role_ref(rules: &mut Rules, new: &RoleRef, old: &RoleRef) {
    if new != old {
        rules.invalid("roleRef", FieldValue::of(new), "cannot change roleRef");
    }
}

fn binding<K: Validate + Object>(
    binding: &K,
    role: &RoleRef,
    subjects: &[Subject],
    kinds: &[&str],
) -> Vec<FieldError> {
    let mut rules = Rules::new("");
    rules.metadata(binding, K::NAME_RULE);
    rules.within("roleRef", |rules| {
        rules.one_of("apiGroup", &role.api_group, &[GROUP]);
        rules.one_of("kind", &role.kind, kinds);
        if role.name.is_empty() {
            rules.required("name", "");
        } else {
            rules.complaints("name", &role.name, names::path_segment_name(&role.name));
        }
    });
    let is_namespaced = binding.kind().is_namespaced();
    rules.each("subjects", subjects, |rules, subject| {
        rules.present("name", &subject.name);
        match subject.kind.as_str() {
            "ServiceAccount" => {
                if !subject.name.is_empty() {
                    rules.complaints("name", &subject.name, names::dns1123_subdomain(&subject.name));
                }
                rules.one_of("apiGroup", &subject.api_group, &[""]);
                if !is_namespaced {
                    rules.present("namespace", &subject.namespace);
                }
            }
            "User" | "Group" => rules.one_of("apiGroup", &subject.api_group, &[GROUP]),
            other => rules.one_of("kind", other, &["ServiceAccount", "User", "Group"]),
        }
    });
    rules.finish()
}
