//! Leases.

use super::Validate;
use super::rules::Rules;
use crate::coordination::v1::{CoordinatedLeaseStrategy, Lease, LeaseSpec};
use crate::quote::quoted;
use crate::{FieldError, names};

impl Validate for Lease {
    fn validate_create(&self) -> Vec<FieldError> {
        let mut rules = Rules::new("");
        rules.metadata(self, Self::NAME_RULE);
        rules.within("spec", |rules| spec(rules, &self.spec));
        rules.finish()
    }

    fn validate_update(&self, old: &Self) -> Vec<FieldError> {
        let mut rules = Rules::new("");
        rules.metadata_update(self, old);
        rules.within("spec", |rules| spec(rules, &self.spec));
        rules.finish()
    }
}

fn spec(rules: &mut Rules, spec: &LeaseSpec) {
    if let Some(seconds) = spec.lease_duration_seconds
        && seconds <= 0
    {
        rules.invalid("leaseDurationSeconds", seconds, "must be greater than 0");
    }
    if let Some(transitions) = spec.lease_transitions {
        rules.not_negative("leaseTransitions", transitions);
    }
    match &spec.strategy {
        Some(strategy) => self::strategy(rules, strategy.as_str()),
        None if spec.preferred_holder.as_ref().is_some_and(|holder| !holder.is_empty()) => {
            rules.forbidden("preferredHolder", "may only be specified when `strategy` is defined");
        }
        None => {}
    }
}

fn strategy(rules: &mut Rules, strategy: &str) {
    let parts: Vec<&str> = strategy.split('/').collect();
    match parts.as_slice() {
        [_] => {
            rules.one_of("strategy", strategy, &[CoordinatedLeaseStrategy::OldestEmulationVersion.as_str()])
        }
        [prefix, _] => {
            for complaint in names::dns1123_subdomain(prefix) {
                rules.invalid("strategy", strategy, format!("prefix part {} {complaint}", quoted(prefix)));
            }
        }
        _ => {
            rules.invalid("strategy", strategy, "must be a name, with a domain and '/' before it or without")
        }
    }
}
