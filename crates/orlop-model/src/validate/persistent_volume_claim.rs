//! PersistentVolumeClaims.

use super::persistent_volume::{BETA_CLASS, access_modes, volume_mode};
use super::rules::{IMMUTABLE, Rules};
use super::{Validate, subdomain};
use crate::core::v1::{PersistentVolumeClaim, PersistentVolumeClaimPhase, PersistentVolumeClaimSpec};
use crate::quote::quoted;
use crate::{FieldError, FieldValue, LabelSelector, Quantity, Str, names, selector};

impl Validate for PersistentVolumeClaim {
    fn validate_create(&self) -> Vec<FieldError> {
        whole(self, Leniency::default()).finish()
    }

    fn validate_update(&self, old: &Self) -> Vec<FieldError> {
        let mut rules = whole(self, Leniency::of(&old.spec));
        rules.metadata_update(self, old);
        changes(&mut rules, self, old);
        rules.finish()
    }

    fn warnings_on_create(&self) -> Vec<String> {
        spec_warnings("spec", &self.spec)
    }

    fn warnings_on_update(&self, _old: &Self) -> Vec<String> {
        spec_warnings("spec", &self.spec)
    }
}

/// What may stay as it is since it was there already.
#[derive(Clone, Copy, Default)]
pub(super) struct Leniency {
    /// API groups of data sources.
    groups: bool,
    /// Values in the selector.
    values: bool,
}

impl Leniency {
    pub(super) fn of(old: &PersistentVolumeClaimSpec) -> Self {
        let has_group = |group: Option<&Option<Str>>| group.is_some_and(Option::is_some);
        let wrong = |old: &LabelSelector| !selector::validate(old, false, "").is_empty();
        Self {
            groups: has_group(old.data_source.as_ref().map(|source| &source.api_group))
                || has_group(old.data_source_ref.as_ref().map(|source| &source.api_group)),
            values: old.selector.as_deref().is_some_and(wrong),
        }
    }
}

fn whole(claim: &PersistentVolumeClaim, leniency: Leniency) -> Rules {
    let mut rules = Rules::new("");
    rules.metadata(claim, PersistentVolumeClaim::NAME_RULE);
    rules.within("spec", |rules| spec(rules, &claim.spec, leniency));
    rules
}

/// What is at the place of `rules`: the spec of a claim or of a template of claims.
pub(super) fn spec(rules: &mut Rules, spec: &PersistentVolumeClaimSpec, leniency: Leniency) {
    access_modes(rules, &spec.access_modes, "at least 1 access mode is required");
    if let Some(selector) = &spec.selector {
        rules.selector("selector", selector, leniency.values);
    }
    match spec.resources.requests.get("storage") {
        None => rules.required("resources[storage]", ""),
        Some(amount) if amount.sign() <= 0 => {
            rules.invalid("resources[storage]", amount.to_string(), "must be greater than zero");
        }
        Some(_) => {}
    }
    if let Some(class) = spec.storage_class_name.as_ref().and_then(Str::non_empty) {
        subdomain(rules, "storageClassName", class);
    }
    if let Some(mode) = &spec.volume_mode {
        volume_mode(rules, mode);
    }
    rules.option("dataSource", spec.data_source.as_deref(), |rules, source| {
        data_source(rules, &source.api_group, &source.kind, &source.name, leniency);
    });
    rules.option("dataSourceRef", spec.data_source_ref.as_deref(), |rules, source| {
        data_source(rules, &source.api_group, &source.kind, &source.name, leniency);
        if let Some(namespace) = source.namespace.as_ref().and_then(Str::non_empty) {
            rules.complaints("namespace", namespace, names::dns1123_label(namespace));
        }
    });
    if let (Some(source), Some(reference)) = (&spec.data_source, &spec.data_source_ref) {
        let value = rules.path("dataSource");
        if reference.namespace.as_ref().is_some_and(|namespace| !namespace.is_empty()) {
            let detail = "may not be specified when dataSourceRef.namespace is specified";
            rules.invalid("", value, detail);
        } else if (&source.api_group, &source.kind, &source.name)
            != (&reference.api_group, &reference.kind, &reference.name)
        {
            rules.invalid("", value, "must match dataSourceRef");
        }
    }
    if let Some(class) = spec.volume_attributes_class_name.as_ref().and_then(Str::non_empty) {
        subdomain(rules, "volumeAttributesClassName", class);
    }
}

fn data_source(rules: &mut Rules, group: &Option<Str>, kind: &str, name: &str, leniency: Leniency) {
    rules.present("name", name);
    rules.present("kind", kind);
    match group.as_ref().and_then(Str::non_empty) {
        None if kind != "PersistentVolumeClaim" => {
            rules.invalid("", kind, "must be 'PersistentVolumeClaim' when referencing the default apiGroup");
        }
        Some(group) if !leniency.groups => subdomain(rules, "apiGroup", group),
        _ => {}
    }
}

fn changes(rules: &mut Rules, claim: &PersistentVolumeClaim, old: &PersistentVolumeClaim) {
    let mut new = claim.spec.clone();
    let mut before = old.spec.clone();
    // A volume is chosen once.
    if before.volume_name.is_empty() {
        before.volume_name = new.volume_name.clone();
    }
    let (after_class, before_class) =
        (claim.metadata.annotations.get(BETA_CLASS), old.metadata.annotations.get(BETA_CLASS));
    let is_upgrade = before_class.is_some()
        && before.storage_class_name.is_none()
        && new.storage_class_name.as_ref() == before_class
        && after_class.is_none_or(|class| Some(class) == before_class);
    if is_upgrade {
        new.storage_class_name = None;
    } else {
        let [after, previous] = [after_class, before_class].map(|class| class.cloned().unwrap_or_default());
        if after != previous {
            rules.invalid(&format!("metadata.annotations.{BETA_CLASS}"), &after, IMMUTABLE);
        }
        // A default class may be given to a claim that had none.
        if before.storage_class_name.is_none()
            && new.storage_class_name.is_some()
            && before_class.is_none_or(|class| new.storage_class_name.as_ref() == Some(class))
        {
            new.storage_class_name = None;
        }
    }
    let size = |spec: &PersistentVolumeClaimSpec| spec.resources.requests.get("storage").cloned();
    let (new_size, old_size) = (size(&new), size(&before));
    if claim.status.phase == PersistentVolumeClaimPhase::Bound {
        if !new.resources.requests.is_empty() {
            new.resources.requests.insert("storage", old_size.clone().unwrap_or_default());
        }
        if new.volume_attributes_class_name.is_some() {
            new.volume_attributes_class_name = before.volume_attributes_class_name.clone();
        }
    }
    if new != before {
        rules.forbidden(
            "spec",
            "spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims\n",
        );
    }
    let new_size = new_size.unwrap_or_default();
    if new_size < old_size.unwrap_or_default()
        && new_size <= old.status.capacity.get("storage").cloned().unwrap_or_default()
    {
        rules.forbidden("spec.resources.requests.storage", "field can not be less than status.capacity");
    }
    // The place is Kubernetes' own.
    if claim.spec.volume_mode != old.spec.volume_mode {
        rules.invalid("volumeMode", FieldValue::of(&claim.spec.volume_mode), IMMUTABLE);
    }
    let class = &claim.spec.volume_attributes_class_name;
    if *class != old.spec.volume_attributes_class_name
        && old.status.current_volume_attributes_class_name.is_some()
    {
        let to = match class {
            None => "nil",
            Some(class) if class.is_empty() => "empty string",
            Some(_) => return,
        };
        rules.forbidden(
            "spec.volumeAttributesClassName",
            format!("update to {to} is forbidden when status.currentVolumeAttributesClassName is not nil"),
        );
    }
}

/// What is to be said of the spec of a claim or a template of claims at `path`.
pub(super) fn spec_warnings(path: &str, spec: &PersistentVolumeClaimSpec) -> Vec<String> {
    [("requests", &spec.resources.requests), ("limits", &spec.resources.limits)]
        .into_iter()
        .filter_map(|(field, amounts)| amounts.get("storage").map(|amount| (field, amount)))
        .filter(|(_, amount)| is_fractional(amount))
        .map(|(field, amount)| {
            format!(
                "{path}.resources.{field}[storage]: fractional byte value {} is invalid, must be an integer",
                quoted(&amount.to_string())
            )
        })
        .collect()
}

fn is_fractional(amount: &Quantity) -> bool {
    amount.milli_value() % 1000 != 0
}
