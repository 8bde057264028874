//! Defaults of NetworkPolicies and IngressClasses.

use super::SetDefaults;
use crate::core::v1::Protocol;
use crate::networking::v1::{IngressClass, NetworkPolicy, PolicyType};

impl SetDefaults for NetworkPolicy {
    fn set_defaults(&mut self) {
        let spec = &mut self.spec;
        if spec.policy_types.is_empty() {
            spec.policy_types.push(PolicyType::Ingress);
            if !spec.egress.is_empty() {
                spec.policy_types.push(PolicyType::Egress);
            }
        }
        let ingress = spec.ingress.iter_mut().flat_map(|rule| &mut rule.ports);
        let egress = spec.egress.iter_mut().flat_map(|rule| &mut rule.ports);
        for port in ingress.chain(egress) {
            port.protocol.get_or_insert(Protocol::TCP);
        }
    }
}

impl SetDefaults for IngressClass {
    fn set_defaults(&mut self) {
        if let Some(parameters) = &mut self.spec.parameters {
            parameters.scope.get_or_insert_with(|| "Cluster".into());
        }
    }
}
