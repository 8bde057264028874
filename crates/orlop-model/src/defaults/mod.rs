//! Defaulting: the values that Kubernetes fills in when an object is written or read.
//!
//! [`Default`] values of Rust's types mean *absent*; [`SetDefaults::set_defaults`] turns absent fields into the
//! values that the API documents (`SetDefaults_*` of Kubernetes 1.36). It is idempotent.

mod container;
mod image;
mod pod;
mod service;
mod volume;
mod workload;

use crate::coordination::v1::Lease;
use crate::core::v1::{ConfigMap, Event, Namespace, NamespacePhase, Node, Secret};
use crate::{Map, Quantity};

/// A kind whose absent fields have default values.
pub trait SetDefaults {
    /// Fills absent fields with their defaults.
    fn set_defaults(&mut self);
}

impl SetDefaults for ConfigMap {
    fn set_defaults(&mut self) {}
}

impl SetDefaults for Event {
    fn set_defaults(&mut self) {}
}

impl SetDefaults for Lease {
    fn set_defaults(&mut self) {}
}

impl SetDefaults for Secret {
    fn set_defaults(&mut self) {
        if self.type_.is_empty() {
            self.type_ = "Opaque".into();
        }
    }
}

impl SetDefaults for Namespace {
    fn set_defaults(&mut self) {
        if self.status.phase.is_empty() {
            self.status.phase = NamespacePhase::Active;
        }
        if !self.metadata.name.is_empty() {
            self.metadata.labels.insert("kubernetes.io/metadata.name", self.metadata.name.clone());
        }
    }
}

impl SetDefaults for Node {
    fn set_defaults(&mut self) {
        round_up_to_milli(&mut self.status.capacity);
        round_up_to_milli(&mut self.status.allocatable);
        if self.status.allocatable.is_empty() {
            self.status.allocatable = self.status.capacity.clone();
        }
    }
}

/// Amounts finer than a thousandth are rounded up to one.
fn round_up_to_milli(resources: &mut Map<Quantity>) {
    for (_, quantity) in resources.iter_mut() {
        quantity.round_up(-3);
    }
}

#[cfg(all(test, feature = "test-util"))]
mod tests {
    use std::io::Read as _;

    use serde_json::Value;

    use super::*;
    use crate::Object;
    use crate::apps::v1::{Deployment, ReplicaSet};
    use crate::batch::v1::Job;
    use crate::core::v1::{Pod, Service};
    use crate::vectors::Check;

    fn defaulted<K: Object + SetDefaults>(input: &Value) -> Value {
        let mut object: K = serde_json::from_value(input.clone()).unwrap();
        object.set_defaults();
        let once = object.clone();
        object.set_defaults();
        assert_eq!(
            serde_json::to_value(&once).unwrap(),
            serde_json::to_value(&object).unwrap(),
            "idempotent"
        );
        serde_json::to_value(&object).unwrap()
    }

    /// The cases of the family `defaults` whose kinds there are.
    #[test]
    fn as_kubernetes_does() {
        let bytes = include_bytes!("../../tests/cases/defaults.jsonl.gz");
        let mut text = String::new();
        flate2::read::GzDecoder::new(&bytes[..]).read_to_string(&mut text).unwrap();
        let mut misses = Vec::new();
        for line in text.lines() {
            let case: Value = serde_json::from_str(line).unwrap();
            let default = match case["kind"].as_str().unwrap() {
                "ConfigMap" => defaulted::<ConfigMap>,
                "Deployment" => defaulted::<Deployment>,
                "Job" => defaulted::<Job>,
                "Lease" => defaulted::<Lease>,
                "Namespace" => defaulted::<Namespace>,
                "Node" => defaulted::<Node>,
                "Pod" => defaulted::<Pod>,
                "ReplicaSet" => defaulted::<ReplicaSet>,
                "Secret" => defaulted::<Secret>,
                "Service" => defaulted::<Service>,
                kind => panic!("no defaults of {kind}"),
            };
            let mut check = Check::new();
            check.object("out", &case["out"], &default(&case["in"]));
            if let Err(text) = check.finish() {
                misses.push(format!("{}: {text}", case["id"]));
            }
        }
        assert!(misses.is_empty(), "{}", misses.join("\n"));
    }
}
