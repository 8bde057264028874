//! Reviews: requests that are answered and not stored.

use super::Validate;
use super::rules::Rules;
use crate::{FieldError, ObjectMeta};

/// Reviews have no metadata of their own, or a namespace at most.
fn metadata(rules: &mut Rules, meta: &ObjectMeta, may_have_namespace: bool) {
    let mut rest = meta.clone();
    rest.managed_fields.clear();
    if may_have_namespace {
        rest.namespace = Default::default();
    }
    if rest != ObjectMeta::default() {
        let except = if may_have_namespace { " except for namespace" } else { "" };
        rules.invalid("metadata", "", format!("must be empty{except}"));
    }
}

#[cfg(feature = "authentication")]
mod authentication {
    use super::*;
    use crate::authentication::v1::{SelfSubjectReview, TokenRequest, TokenReview};

    impl Validate for TokenReview {
        const IS_STORED: bool = false;

        fn validate_create(&self) -> Vec<FieldError> {
            let mut rules = Rules::new("");
            if self.spec.token.is_empty() {
                rules.required("spec.token", "token is required for TokenReview in authentication");
            }
            rules.finish()
        }

        fn validate_update(&self, _old: &Self) -> Vec<FieldError> {
            self.validate_create()
        }
    }

    impl Validate for SelfSubjectReview {
        const IS_STORED: bool = false;

        fn validate_create(&self) -> Vec<FieldError> {
            Vec::new()
        }

        fn validate_update(&self, _old: &Self) -> Vec<FieldError> {
            Vec::new()
        }
    }

    impl Validate for TokenRequest {
        const IS_STORED: bool = false;

        fn validate_create(&self) -> Vec<FieldError> {
            let mut rules = Rules::new("spec");
            let seconds = self.spec.expiration_seconds.unwrap_or_default();
            if seconds < 600 {
                let detail = "may not specify a duration less than 10 minutes";
                rules.invalid("expirationSeconds", seconds, detail);
            }
            if seconds > 1 << 32 {
                let detail = "may not specify a duration larger than 2^32 seconds";
                rules.invalid("expirationSeconds", seconds, detail);
            }
            rules.finish()
        }

        fn validate_update(&self, _old: &Self) -> Vec<FieldError> {
            self.validate_create()
        }
    }
}

#[cfg(feature = "authorization")]
mod authorization {
    use super::*;
    use crate::FieldValue;
    use crate::authorization::v1::{
        LocalSubjectAccessReview, NonResourceAttributes, ResourceAttributes, SelfSubjectAccessReview,
        SelfSubjectRulesReview, SubjectAccessReview, SubjectAccessReviewSpec,
    };

    fn attributes(
        rules: &mut Rules,
        resource: Option<&ResourceAttributes>,
        other: Option<&NonResourceAttributes>,
    ) {
        match (resource, other) {
            (Some(_), Some(other)) => rules.invalid(
                "nonResourceAttributes",
                FieldValue::of(other),
                "cannot be specified in combination with resourceAttributes",
            ),
            (None, None) => rules.invalid(
                "resourceAttributes",
                FieldValue::null(),
                "exactly one of nonResourceAttributes or resourceAttributes must be specified",
            ),
            _ => {}
        }
        let Some(resource) = resource else {
            return;
        };
        rules.within("resourceAttributes", |rules| {
            let both = "may not specified at the same time as requirements";
            let empty = "when specified, requirements or rawSelector is required";
            let fields = resource.field_selector.as_ref();
            let fields = fields.map(|one| (&one.raw_selector, one.requirements.is_empty()));
            let labels = resource.label_selector.as_ref();
            let labels = labels.map(|one| (&one.raw_selector, one.requirements.is_empty()));
            for (field, selector) in [("fieldSelector", fields), ("labelSelector", labels)] {
                match selector {
                    Some((raw, false)) if !raw.is_empty() => {
                        rules.invalid(&format!("{field}.rawSelector"), raw, both);
                    }
                    Some((raw, true)) if raw.is_empty() => {
                        rules.required(&format!("{field}.requirements"), empty);
                    }
                    _ => {}
                }
            }
        });
    }

    fn of_subject(rules: &mut Rules, spec: &SubjectAccessReviewSpec) {
        attributes(rules, spec.resource_attributes.as_deref(), spec.non_resource_attributes.as_deref());
        if spec.user.is_empty() && spec.groups.is_empty() {
            rules.invalid("user", "", "at least one of user or group must be specified");
        }
    }

    impl Validate for SubjectAccessReview {
        const IS_STORED: bool = false;

        fn validate_create(&self) -> Vec<FieldError> {
            let mut rules = Rules::new("");
            rules.within("spec", |rules| of_subject(rules, &self.spec));
            metadata(&mut rules, &self.metadata, false);
            rules.finish()
        }

        fn validate_update(&self, _old: &Self) -> Vec<FieldError> {
            self.validate_create()
        }
    }

    impl Validate for SelfSubjectAccessReview {
        const IS_STORED: bool = false;

        fn validate_create(&self) -> Vec<FieldError> {
            let mut rules = Rules::new("");
            rules.within("spec", |rules| {
                attributes(
                    rules,
                    self.spec.resource_attributes.as_deref(),
                    self.spec.non_resource_attributes.as_deref(),
                );
            });
            metadata(&mut rules, &self.metadata, false);
            rules.finish()
        }

        fn validate_update(&self, _old: &Self) -> Vec<FieldError> {
            self.validate_create()
        }
    }

    impl Validate for LocalSubjectAccessReview {
        const IS_STORED: bool = false;

        fn validate_create(&self) -> Vec<FieldError> {
            let mut rules = Rules::new("");
            rules.within("spec", |rules| of_subject(rules, &self.spec));
            metadata(&mut rules, &self.metadata, true);
            if let Some(resource) = &self.spec.resource_attributes
                && resource.namespace != self.metadata.namespace
            {
                let detail = "must match metadata.namespace";
                rules.invalid("spec.resourceAttributes.namespace", &resource.namespace, detail);
            }
            if let Some(other) = &self.spec.non_resource_attributes {
                let detail = "disallowed on this kind of request";
                rules.invalid("spec.nonResourceAttributes", FieldValue::of(other), detail);
            }
            rules.finish()
        }

        fn validate_update(&self, _old: &Self) -> Vec<FieldError> {
            self.validate_create()
        }
    }

    impl Validate for SelfSubjectRulesReview {
        const IS_STORED: bool = false;

        fn validate_create(&self) -> Vec<FieldError> {
            Vec::new()
        }

        fn validate_update(&self, _old: &Self) -> Vec<FieldError> {
            Vec::new()
        }
    }
}
