//! Claims of storage inside other objects.

use super::persistent_volume_claim::{self, Leniency};
use super::rules::Rules;
use crate::core::v1::PersistentVolumeClaimTemplate;

/// What a claim is made from: of its metadata only labels and annotations count, so nothing else may be set.
pub(super) fn template(rules: &mut Rules, template: &PersistentVolumeClaimTemplate) {
    let meta = &template.metadata;
    rules.within("metadata", |rules| {
        rules.annotations("annotations", &meta.annotations);
        rules.labels("labels", &meta.labels);
        for (field, is_set) in [
            ("name", !meta.name.is_empty()),
            ("generateName", !meta.generate_name.is_empty()),
            ("namespace", !meta.namespace.is_empty()),
            ("selfLink", !meta.self_link.is_empty()),
            // Kubernetes lowers one letter only.
            ("uID", !meta.uid.is_empty()),
            ("resourceVersion", !meta.resource_version.is_empty()),
            ("generation", meta.generation != 0),
            ("creationTimestamp", meta.creation_timestamp.is_some()),
            ("deletionTimestamp", meta.deletion_timestamp.is_some()),
            ("deletionGracePeriodSeconds", meta.deletion_grace_period_seconds.is_some()),
            ("ownerReferences", !meta.owner_references.is_empty()),
            ("finalizers", !meta.finalizers.is_empty()),
            ("managedFields", !meta.managed_fields.is_empty()),
        ] {
            if is_set {
                rules.forbidden(field, "cannot be set");
            }
        }
    });
    rules.within("spec", |rules| {
        persistent_volume_claim::spec(rules, &template.spec, Leniency::default());
    });
}
