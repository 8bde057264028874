//! CSIDrivers, CSINodes and CSIStorageCapacities.

use std::collections::BTreeSet;

use super::rules::{NOT_NEGATIVE, Rules, Seen};
use super::volume_plugin::csi_driver;
use super::{Validate, node_labels, subdomain};
use crate::storage::v1::{
    CSIDriver, CSIDriverSpec, CSINode, CSINodeDriver, CSIStorageCapacity, TokenRequest,
};
use crate::{FieldError, FieldValue, selector};

/// Longest identifier of a node, in bytes.
const MAX_NODE_ID: usize = 192;
/// Shortest and longest life of a token, in seconds.
const TOKEN_LIFE: (i64, i64) = (600, 1 << 32);
/// Shortest time between updates of what is allocatable, in seconds.
const MIN_PERIOD: i64 = 10;

impl Validate for CSIDriver {
    fn validate_create(&self) -> Vec<FieldError> {
        let mut rules = Rules::new("");
        // The place is Kubernetes' own.
        csi_driver(&mut rules, "name", &self.metadata.name);
        rules.within("spec", |rules| {
            let spec = &self.spec;
            for (field, is_set) in [
                ("attachedRequired", spec.attach_required.is_some()),
                ("podInfoOnMount", spec.pod_info_on_mount.is_some()),
                ("storageCapacity", spec.storage_capacity.is_some()),
                ("fsGroupPolicy", spec.fs_group_policy.is_some()),
                ("seLinuxMount", spec.se_linux_mount.is_some()),
            ] {
                if !is_set {
                    rules.required(field, "");
                }
            }
            if let Some(policy) = &spec.fs_group_policy {
                let supported = ["File", "None", "ReadWriteOnceWithFSType"];
                rules.one_of("fsGroupPolicy", policy.as_str(), &supported);
            }
            for mode in &spec.volume_lifecycle_modes {
                rules.one_of("volumeLifecycleModes", mode.as_str(), &["Ephemeral", "Persistent"]);
            }
            changeable(rules, spec);
        });
        rules.finish()
    }

    fn validate_update(&self, old: &Self) -> Vec<FieldError> {
        let mut rules = Rules::new("");
        rules.metadata_update(self, old);
        rules.within("spec", |rules| {
            let (new, old) = (&self.spec, &old.spec);
            rules.immutable("attachedRequired", &new.attach_required, &old.attach_required);
            rules.immutable("fsGroupPolicy", &new.fs_group_policy, &old.fs_group_policy);
            rules.immutable("volumeLifecycleModes", &new.volume_lifecycle_modes, &old.volume_lifecycle_modes);
            changeable(rules, new);
        });
        rules.finish()
    }
}

/// What may be changed later, too.
fn changeable(rules: &mut Rules, spec: &CSIDriverSpec) {
    let mut audiences = Seen::new();
    rules.each("tokenRequests", &spec.token_requests, |rules, request: &TokenRequest| {
        if !audiences.insert(request.audience.as_str()) {
            rules.duplicate("audience", &request.audience);
        }
        let Some(seconds) = request.expiration_seconds else {
            return;
        };
        if seconds < TOKEN_LIFE.0 {
            let detail = "may not specify a duration less than 10 minutes";
            rules.invalid("expirationSeconds", seconds, detail);
        }
        if seconds > TOKEN_LIFE.1 {
            let detail = "may not specify a duration larger than 2^32 seconds";
            rules.invalid("expirationSeconds", seconds, detail);
        }
    });
    if let Some(seconds) = spec.node_allocatable_update_period_seconds
        && seconds < MIN_PERIOD
    {
        let detail = format!("must be greater than or equal to {MIN_PERIOD} seconds");
        rules.invalid("nodeAllocatableUpdatePeriodSeconds", seconds, detail);
    }
    if spec.service_account_token_in_secrets.is_some() && spec.token_requests.is_empty() {
        let detail = "must not be set when `tokenRequests` is empty";
        rules.invalid(
            "serviceAccountTokenInSecrets",
            FieldValue::of(&spec.service_account_token_in_secrets),
            detail,
        );
    }
}

impl Validate for CSINode {
    fn validate_create(&self) -> Vec<FieldError> {
        let mut rules = Rules::new("");
        rules.metadata(self, Self::NAME_RULE);
        let mut seen = Seen::new();
        rules.within("spec", |rules| {
            rules.each("drivers", &self.spec.drivers, |rules, driver| {
                self::driver(rules, driver);
                if !seen.insert(driver.name.as_str()) {
                    rules.duplicate("name", &driver.name);
                }
            });
        });
        rules.finish()
    }

    fn validate_update(&self, old: &Self) -> Vec<FieldError> {
        let mut rules = Rules::new("");
        rules.extend(self.validate_create());
        for before in &old.spec.drivers {
            for driver in self.spec.drivers.iter().filter(|driver| driver.name == before.name) {
                // How many volumes fit may change.
                if (&driver.node_id, &driver.topology_keys) != (&before.node_id, &before.topology_keys) {
                    rules.invalid("CSINodeDriver", FieldValue::of(driver), "field is immutable");
                }
            }
        }
        rules.finish()
    }
}

fn driver(rules: &mut Rules, driver: &CSINodeDriver) {
    csi_driver(rules, "name", &driver.name);
    if driver.node_id.is_empty() {
        rules.required("nodeID", "");
    } else if driver.node_id.len() > MAX_NODE_ID {
        rules.invalid("nodeID", &driver.node_id, format!("must be {MAX_NODE_ID} characters or less"));
    }
    if let Some(count) = driver.allocatable.as_ref().and_then(|allocatable| allocatable.count) {
        rules.not_negative("allocatable.count", count);
    }
    let mut keys = BTreeSet::new();
    for key in &driver.topology_keys {
        rules.present("", key);
        if !keys.insert(key) {
            rules.duplicate("", key);
        }
        for complaint in crate::names::label_key(key) {
            rules.invalid("", FieldValue::of(&driver.topology_keys), complaint);
        }
    }
}

impl Validate for CSIStorageCapacity {
    fn validate_create(&self) -> Vec<FieldError> {
        whole(self, false).finish()
    }

    fn validate_update(&self, old: &Self) -> Vec<FieldError> {
        let was_wrong = old
            .node_topology
            .as_deref()
            .is_some_and(|topology| !selector::validate(topology, false, "").is_empty());
        let mut rules = whole(self, was_wrong);
        rules.metadata_update(self, old);
        rules.immutable("nodeTopology", &self.node_topology, &old.node_topology);
        rules.immutable("storageClassName", &self.storage_class_name, &old.storage_class_name);
        rules.finish()
    }

    fn warnings_on_create(&self) -> Vec<String> {
        let mut warnings = Vec::new();
        if let Some(topology) = &self.node_topology {
            node_labels::selector_warnings(&mut warnings, "nodeTopology", topology);
        }
        warnings
    }

    fn warnings_on_update(&self, _old: &Self) -> Vec<String> {
        self.warnings_on_create()
    }
}

fn whole(capacity: &CSIStorageCapacity, loose: bool) -> Rules {
    let mut rules = Rules::new("");
    rules.metadata(capacity, CSIStorageCapacity::NAME_RULE);
    if let Some(topology) = &capacity.node_topology {
        rules.selector("nodeTopology", topology, loose);
    }
    subdomain(&mut rules, "storageClassName", &capacity.storage_class_name);
    for (field, amount) in
        [("capacity", &capacity.capacity), ("maximumVolumeSize", &capacity.maximum_volume_size)]
    {
        if let Some(amount) = amount
            && amount.sign() < 0
        {
            rules.invalid(field, amount.to_string(), NOT_NEGATIVE);
        }
    }
    rules
}
