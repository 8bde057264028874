//! CustomResourceDefinitions; see [`super::structural_schema`] for their schemas.

use std::collections::BTreeSet;

use super::rules::{Rules, Seen};
use super::structural_schema;
use super::{Validate, webhook_client};
use crate::apiextensions::v1::{
    ConversionStrategyType, CustomResourceColumnDefinition, CustomResourceConversion,
    CustomResourceDefinition, CustomResourceDefinitionNames, CustomResourceDefinitionSpec,
    CustomResourceDefinitionVersion, CustomResourceSubresources, JSONSchemaProps, ResourceScope,
    SelectableField,
};
use crate::quote::is_printable;
use crate::{FieldError, FieldValue, Str, names};

const MAX_WARNING: usize = 256;
const MAX_SELECTABLE: usize = 8;

impl Validate for CustomResourceDefinition {
    fn validate_create(&self) -> Vec<FieldError> {
        let mut rules = Rules::new("");
        whole(&mut rules, self);
        if is_protected(&self.spec.group) {
            approval(&mut rules, self);
        }
        rules.finish()
    }

    fn validate_update(&self, old: &Self) -> Vec<FieldError> {
        let mut rules = Rules::new("");
        whole(&mut rules, self);
        rules.metadata_update(self, old);
        let is_established = old.status.conditions.iter().any(|condition| {
            condition.type_.as_str() == "Established" && condition.status.as_str() == "True"
        });
        if is_established {
            rules.immutable("spec.group", &self.spec.group, &old.spec.group);
            rules.immutable("spec.scope", &self.spec.scope, &old.spec.scope);
            rules.immutable("spec.names.kind", &self.spec.names.kind, &old.spec.names.kind);
            rules.immutable("spec.names.listKind", &self.spec.names.list_kind, &old.spec.names.list_kind);
            rules.immutable("spec.names.plural", &self.spec.names.plural, &old.spec.names.plural);
            rules.immutable("spec.names.singular", &self.spec.names.singular, &old.spec.names.singular);
        }
        if is_protected(&self.spec.group)
            && self.metadata.annotations.get(APPROVED) != old.metadata.annotations.get(APPROVED)
        {
            approval(&mut rules, self);
        }
        rules.finish()
    }
}

const APPROVED: &str = "api-approved.kubernetes.io";

/// Groups of the community's own need its approval.
fn is_protected(group: &str) -> bool {
    ["k8s.io", "kubernetes.io"]
        .iter()
        .any(|domain| group == *domain || group.strip_suffix(domain).is_some_and(|rest| rest.ends_with('.')))
}

fn approval(rules: &mut Rules, definition: &CustomResourceDefinition) {
    let field = format!("metadata.annotations[{APPROVED}]");
    match definition.metadata.annotations.get(APPROVED).map(Str::as_str) {
        None | Some("") => rules.required(
            &field,
            "protected groups must have approval annotation \"api-approved.kubernetes.io\", see https://github.com/kubernetes/enhancements/pull/1111",
        ),
        Some(text) if text.starts_with("unapproved") || text.contains("://") => {}
        Some(text) => {
            let detail = "protected groups must have approval annotation \"api-approved.kubernetes.io\" with either a URL or a reason starting with \"unapproved\", see https://github.com/kubernetes/enhancements/pull/1111";
            rules.invalid(&field, text, detail);
        }
    }
}

fn whole(rules: &mut Rules, definition: &CustomResourceDefinition) {
    let spec = &definition.spec;
    rules.metadata(definition, CustomResourceDefinition::NAME_RULE);
    let name = &definition.metadata.name;
    if !name.is_empty() && *name != format!("{}.{}", spec.names.plural, spec.group) {
        rules.invalid("metadata.name", name, "must be spec.names.plural+\".\"+spec.group");
    }
    rules.within("spec", |rules| self::spec(rules, spec));
    rules.within("status", |rules| {
        let stored = &definition.status.stored_versions;
        if stored.is_empty() {
            let detail = "must have at least one stored version";
            rules.invalid("storedVersions", FieldValue::of(stored), detail);
        }
        rules.each("storedVersions", stored, |rules, version| {
            if !spec.versions.iter().any(|other| other.name == *version) {
                rules.invalid("", version, "missing from spec.versions; v1 was previously a storage version, and must remain in spec.versions until a storage migration ensures no data remains persisted in v1 and removes v1 from status.storedVersions".replace("v1", version));
            }
        });
    });
}

fn joined(rules: &mut Rules, field: &str, value: &str, complaints: names::Complaints) {
    if !complaints.is_empty() {
        rules.invalid(field, value, complaints.join(","));
    }
}

fn spec(rules: &mut Rules, spec: &CustomResourceDefinitionSpec) {
    if spec.group.is_empty() {
        rules.required("group", "");
    } else {
        let complaints = names::dns1123_subdomain(&spec.group);
        if complaints.is_empty() && !spec.group.contains('.') {
            rules.invalid("group", &spec.group, "should be a domain with at least one dot");
        }
        joined(rules, "group", &spec.group, complaints);
    }
    rules.required_one_of(
        "scope",
        spec.scope.as_str(),
        &[ResourceScope::Cluster.as_str(), ResourceScope::Namespaced.as_str()],
    );
    if spec.preserve_unknown_fields {
        let detail = "must be false in order to use defaults in the schema";
        rules.invalid("preserveUnknownFields", true, detail);
    }
    rules.each("versions", &spec.versions, |rules, version| {
        joined(rules, "name", &version.name, names::dns1035_label(&version.name));
        self::version(rules, version);
    });
    let names: BTreeSet<&Str> = spec.versions.iter().map(|version| &version.name).collect();
    let versions = || FieldValue::Json(format!("{} versions", spec.versions.len()));
    if names.len() != spec.versions.len() {
        rules.invalid("versions", versions(), "must contain unique version names");
    }
    if spec.versions.iter().filter(|version| version.storage).count() != 1 {
        let detail = "must have exactly one version marked as storage version";
        rules.invalid("versions", versions(), detail);
    }
    for (field, text) in [
        ("names.plural", &spec.names.plural),
        ("names.singular", &spec.names.singular),
        ("names.kind", &spec.names.kind),
        ("names.listKind", &spec.names.list_kind),
    ] {
        rules.present(field, text);
    }
    rules.within("names", |rules| resource_names(rules, &spec.names));
    match &spec.conversion {
        None => rules.required("conversion", ""),
        Some(conversion) => rules.within("conversion", |rules| self::conversion(rules, conversion)),
    }
}

fn resource_names(rules: &mut Rules, given: &CustomResourceDefinitionNames) {
    for (field, text) in [("plural", &given.plural), ("singular", &given.singular)] {
        if !text.is_empty() {
            joined(rules, field, text, names::dns1035_label(text));
        }
    }
    for (field, text) in [("kind", &given.kind), ("listKind", &given.list_kind)] {
        let complaints = names::dns1035_label(&text.to_lowercase());
        if !text.is_empty() && !complaints.is_empty() {
            let detail = format!("may have mixed case, but should otherwise match: {}", complaints.join(","));
            rules.invalid(field, text, detail);
        }
    }
    if !given.kind.is_empty() && given.kind == given.list_kind {
        rules.invalid("listKind", &given.list_kind, "kind and listKind may not be the same");
    }
    for (field, list) in [("shortNames", &given.short_names), ("categories", &given.categories)] {
        rules.each(field, list, |rules, text| joined(rules, "", text, names::dns1035_label(text)));
    }
}

fn version(rules: &mut Rules, version: &CustomResourceDefinitionVersion) {
    if let Some(warning) = &version.deprecation_warning {
        let mut wrong = |detail: String| rules.invalid("deprecationWarning", warning, detail);
        if !version.deprecated {
            wrong("can only be set for deprecated versions".to_owned());
        }
        if warning.len() > MAX_WARNING {
            wrong(format!("must be <= {MAX_WARNING} bytes"));
        }
        if warning.is_empty() {
            wrong("must not be an empty string".to_owned());
        }
        if let Some((index, _)) = warning.char_indices().find(|(_, character)| !is_printable(*character)) {
            wrong(format!(
                "must only contain printable UTF-8 characters; non-printable character found at index {index}"
            ));
        }
    }
    let schema = version.schema.as_ref().and_then(|schema| schema.open_apiv3_schema.as_deref());
    match schema {
        None => rules.required("schema.openAPIV3Schema", "schemas are required"),
        Some(schema) => rules.within("schema", |rules| {
            rules.within("openAPIV3Schema", |rules| structural_schema::root(rules, schema));
        }),
    }
    rules.option("subresources", version.subresources.as_deref(), subresources);
    rules.each("additionalPrinterColumns", &version.additional_printer_columns, column);
    selectable(rules, &version.selectable_fields, schema);
}

/// A path that begins with a dot, without brackets and the like.
fn simple_path(rules: &mut Rules, field: &str, path: &str) -> bool {
    let detail = if path.is_empty() {
        "must not be empty"
    } else if !path.starts_with('.') {
        "must be a simple json path starting with ."
    } else {
        return true;
    };
    rules.invalid(field, path, detail);
    false
}

fn subresources(rules: &mut Rules, subresources: &CustomResourceSubresources) {
    let Some(scale) = &subresources.scale else {
        return;
    };
    for (field, path, root) in [
        ("scale.specReplicasPath", &scale.spec_replicas_path, "spec"),
        ("scale.statusReplicasPath", &scale.status_replicas_path, "status"),
    ] {
        if path.is_empty() {
            rules.required(field, "");
        } else if simple_path(rules, field, path) && !path.starts_with(&format!(".{root}.")) {
            rules.invalid(field, path, format!("should be a json path under .{root}"));
        }
    }
    if let Some(path) = scale.label_selector_path.as_ref().and_then(Str::non_empty) {
        let field = "scale.labelSelectorPath";
        if simple_path(rules, field, path) && !path.starts_with(".spec.") && !path.starts_with(".status.") {
            rules.invalid(field, path, "should be a json path under either .status or .spec");
        }
    }
}

fn column(rules: &mut Rules, column: &CustomResourceColumnDefinition) {
    const TYPES: [&str; 5] = ["boolean", "date", "integer", "number", "string"];
    const FORMATS: [&str; 8] = ["byte", "date", "date-time", "double", "float", "int32", "int64", "password"];
    rules.present("name", &column.name);
    let types = || format!("must be one of {}", TYPES.join(","));
    if column.type_.is_empty() {
        rules.required("type", types());
    } else if !TYPES.contains(&column.type_.as_str()) {
        rules.invalid("type", &column.type_, types());
    }
    if !column.format.is_empty() && !FORMATS.contains(&column.format.as_str()) {
        rules.invalid("format", &column.format, format!("must be one of {}", FORMATS.join(",")));
    }
    // The name with capitals is Kubernetes' own.
    if column.json_path.is_empty() {
        rules.required("JSONPath", "");
    } else {
        simple_path(rules, "JSONPath", &column.json_path);
    }
}

/// Fields that lists can be selected by: simple values outside of lists and metadata.
fn selectable(rules: &mut Rules, fields: &[SelectableField], schema: Option<&JSONSchemaProps>) {
    if fields.len() > MAX_SELECTABLE {
        rules.too_many("selectableFields", fields.len(), MAX_SELECTABLE);
    }
    let mut seen = Seen::new();
    rules.each("selectableFields", fields, |rules, field| {
        let path = field.json_path.as_str();
        if path.is_empty() {
            rules.required("jsonPath", "");
            return;
        }
        if !simple_path(rules, "jsonPath", path) {
            return;
        }
        if path == ".metadata" || path.starts_with(".metadata.") {
            rules.invalid("jsonPath", path, "must not point to fields in metadata");
        } else if let Some(schema) = schema {
            let place = path[1..].split('.').try_fold(schema, |schema, name| schema.properties.get(name));
            match place {
                None => {
                    let detail = "is an invalid path: does not refer to a valid field";
                    rules.invalid("jsonPath", path, detail);
                }
                Some(found) if !matches!(found.type_.as_str(), "string" | "boolean" | "integer") => {
                    let detail = "must point to a field of type string, boolean or integer. Enum string fields and strings with formats are allowed.";
                    rules.invalid("jsonPath", path, detail);
                }
                Some(_) => {}
            }
        }
        if !seen.insert(path) {
            rules.duplicate("jsonPath", path);
        }
    });
}

fn conversion(rules: &mut Rules, conversion: &CustomResourceConversion) {
    const NEEDED: &str = "required when strategy is set to Webhook";
    const NOT_NEEDED: &str = "should not be set when strategy is not set to Webhook";
    rules.required_one_of("strategy", conversion.strategy.as_str(), &["None", "Webhook"]);
    let client = conversion.webhook.as_ref().and_then(|webhook| webhook.client_config.as_deref());
    let versions: &[Str] =
        conversion.webhook.as_ref().map_or(&[], |webhook| &webhook.conversion_review_versions);
    // The names of the fields are those of an older version.
    if conversion.strategy != ConversionStrategyType::Webhook {
        if client.is_some() {
            rules.forbidden("webhookClientConfig", NOT_NEEDED);
        }
        if !versions.is_empty() {
            rules.forbidden("conversionReviewVersions", NOT_NEEDED);
        }
        return;
    }
    match client {
        None => rules.required("webhookClientConfig", NEEDED),
        Some(client) => rules.within("webhookClientConfig", |rules| match (&client.url, &client.service) {
            (Some(url), None) => webhook_client::url(rules, "url", url),
            (None, Some(target)) => rules.within("service", |rules| {
                webhook_client::service(
                    rules,
                    &target.name,
                    &target.namespace,
                    target.path.as_deref(),
                    target.port,
                );
            }),
            _ => rules.required("", "exactly one of url or service is required"),
        }),
    }
    if versions.is_empty() {
        rules.required("conversionReviewVersions", "");
        return;
    }
    for (index, version) in versions.iter().enumerate() {
        let field = format!("conversionReviewVersions[{index}]");
        if versions[..index].contains(version) {
            rules.invalid(&field, version, "duplicate version");
            continue;
        }
        rules.complaints(&field, version, names::dns1035_label(version));
    }
    if !versions.iter().any(|version| matches!(version.as_str(), "v1" | "v1beta1")) {
        let detail = "must include at least one of v1, v1beta1";
        rules.invalid("conversionReviewVersions", FieldValue::of(versions), detail);
    }
}
