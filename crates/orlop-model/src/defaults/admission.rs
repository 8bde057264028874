//! Defaults of webhook configurations and admission policies.

use super::SetDefaults;
use crate::LabelSelector;
use crate::admissionregistration::v1::{
    FailurePolicyType, MatchPolicyType, MatchResources, MutatingAdmissionPolicy,
    MutatingAdmissionPolicyBinding, MutatingWebhookConfiguration, ReinvocationPolicyType, Rule, ScopeType,
    ValidatingAdmissionPolicy, ValidatingAdmissionPolicyBinding, ValidatingWebhookConfiguration,
    WebhookClientConfig,
};

type Selector = Option<Box<LabelSelector>>;

/// How long a webhook may take, in seconds.
const TIMEOUT: i32 = 10;

impl SetDefaults for MutatingWebhookConfiguration {
    fn set_defaults(&mut self) {
        for webhook in &mut self.webhooks {
            matching(
                &mut webhook.match_policy,
                &mut webhook.namespace_selector,
                &mut webhook.object_selector,
            );
            webhook.failure_policy.get_or_insert(FailurePolicyType::Fail);
            webhook.timeout_seconds.get_or_insert(TIMEOUT);
            webhook.reinvocation_policy.get_or_insert(ReinvocationPolicyType::Never);
            webhook.rules.iter_mut().for_each(|rule| scope(&mut rule.rule));
            port(&mut webhook.client_config);
        }
    }
}

impl SetDefaults for ValidatingWebhookConfiguration {
    fn set_defaults(&mut self) {
        for webhook in &mut self.webhooks {
            matching(
                &mut webhook.match_policy,
                &mut webhook.namespace_selector,
                &mut webhook.object_selector,
            );
            webhook.failure_policy.get_or_insert(FailurePolicyType::Fail);
            webhook.timeout_seconds.get_or_insert(TIMEOUT);
            webhook.rules.iter_mut().for_each(|rule| scope(&mut rule.rule));
            port(&mut webhook.client_config);
        }
    }
}

impl SetDefaults for MutatingAdmissionPolicy {
    fn set_defaults(&mut self) {
        self.spec.failure_policy.get_or_insert(FailurePolicyType::Fail);
        resources(&mut self.spec.match_constraints);
    }
}

impl SetDefaults for ValidatingAdmissionPolicy {
    fn set_defaults(&mut self) {
        self.spec.failure_policy.get_or_insert(FailurePolicyType::Fail);
        resources(&mut self.spec.match_constraints);
    }
}

impl SetDefaults for MutatingAdmissionPolicyBinding {
    fn set_defaults(&mut self) {
        resources(&mut self.spec.match_resources);
    }
}

impl SetDefaults for ValidatingAdmissionPolicyBinding {
    fn set_defaults(&mut self) {
        resources(&mut self.spec.match_resources);
    }
}

fn resources(resources: &mut Option<Box<MatchResources>>) {
    let Some(resources) = resources else {
        return;
    };
    matching(&mut resources.match_policy, &mut resources.namespace_selector, &mut resources.object_selector);
    let rules = resources.resource_rules.iter_mut().chain(&mut resources.exclude_resource_rules);
    rules.for_each(|rule| scope(&mut rule.rule_with_operations.rule));
}

fn matching(policy: &mut Option<MatchPolicyType>, namespaces: &mut Selector, objects: &mut Selector) {
    policy.get_or_insert(MatchPolicyType::Equivalent);
    namespaces.get_or_insert_default();
    objects.get_or_insert_default();
}

fn scope(rule: &mut Rule) {
    rule.scope.get_or_insert(ScopeType::All);
}

fn port(client: &mut WebhookClientConfig) {
    if let Some(service) = &mut client.service {
        service.port.get_or_insert(443);
    }
}
