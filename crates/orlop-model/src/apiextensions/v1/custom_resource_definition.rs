//! The kind `CustomResourceDefinition`.

use super::{
    ConditionStatus, ConversionStrategyType, CustomResourceDefinitionConditionType, JSONSchemaProps,
    ResourceScope,
};
use crate::{ByteString, Extra, List, Message, Object, Str, Time};

/// Cluster-scoped definition of a new resource type served by the API server.
///
/// The kind `CustomResourceDefinition` of `apiextensions.k8s.io/v1`: [API reference](https://kubernetes.io/docs/reference/generated/kubernetes-api/v1.36/#customresourcedefinition-v1-apiextensions).
#[derive(Clone, Default, PartialEq, Object)]
#[object(
    group = "apiextensions.k8s.io",
    version = "v1",
    short = "crd,crds",
    categories = "api-extensions",
    cluster,
    status
)]
#[wire(debug)]
pub struct CustomResourceDefinition {
    /// Object metadata; `name` must be the plural name, a dot and the group.
    #[wire(pb = 1)]
    pub metadata: crate::meta::v1::ObjectMeta,
    /// Names, scope, versions and conversion of the new resource.
    #[wire(pb = 2, needed)]
    pub spec: CustomResourceDefinitionSpec,
    /// Accepted names, stored versions and conditions, as seen by the API server.
    #[wire(pb = 3)]
    pub status: CustomResourceDefinitionStatus,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// Extra column of the table that the server renders for `kubectl get`.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct CustomResourceColumnDefinition {
    /// Heading of the column, as shown to users.
    #[wire(pb = 1, required)]
    pub name: Str,
    /// OpenAPI type of the values: `integer`, `number`, `string`, `boolean` or `date`.
    #[wire(pb = 2, required)]
    pub type_: Str,
    /// Optional OpenAPI format; `name` marks the primary identifier column for clients.
    #[wire(pb = 3)]
    pub format: Str,
    /// Human-readable explanation of the column.
    #[wire(pb = 4)]
    pub description: Str,
    /// Importance of the column: 0, the default, is always shown, larger values only in wide output.
    #[wire(pb = 5)]
    pub priority: i32,
    /// Simple JSON path into the custom resource that yields the cell value.
    #[wire(pb = 6, required)]
    pub json_path: Str,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// How objects of a custom resource are converted between its versions.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct CustomResourceConversion {
    /// `None`, the default, rewrites only `apiVersion`; `Webhook` calls the service in `webhook`.
    #[wire(pb = 1, required)]
    pub strategy: ConversionStrategyType,
    /// How to call the conversion webhook; required exactly when `strategy` is `Webhook`.
    #[wire(pb = 2)]
    pub webhook: Option<Box<WebhookConversion>>,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// One observed aspect of a `CustomResourceDefinition`.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct CustomResourceDefinitionCondition {
    /// Which aspect is described, such as `Established` or `NamesAccepted`.
    #[wire(pb = 1, required)]
    pub type_: CustomResourceDefinitionConditionType,
    /// Whether the condition holds: `True`, `False` or `Unknown`.
    #[wire(pb = 2, required)]
    pub status: ConditionStatus,
    /// When the condition last went from one `status` to another.
    #[wire(pb = 3, required, plain, needless)]
    pub last_transition_time: Option<Time>,
    /// One-word CamelCase cause of the last change.
    #[wire(pb = 4)]
    pub reason: Str,
    /// Human-readable details of the last change.
    #[wire(pb = 5)]
    pub message: Str,
    /// Value of `metadata.generation` for which the condition was set; needs the gate
    /// `CRDObservedGenerationTracking`.
    #[wire(pb = 6)]
    pub observed_generation: i64,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// Names under which a custom resource appears in URLs, manifests and `kubectl`.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct CustomResourceDefinitionNames {
    /// Lowercase plural name used in URLs; the first part of the definition's `metadata.name`.
    #[wire(pb = 1, required)]
    pub plural: Str,
    /// Lowercase singular name; the lowercased `kind` by default.
    #[wire(pb = 2)]
    pub singular: Str,
    /// Lowercase abbreviations accepted by `kubectl`.
    #[wire(pb = 3)]
    pub short_names: List<Str>,
    /// CamelCase singular kind of the objects.
    #[wire(pb = 4, required)]
    pub kind: Str,
    /// Kind of the list object; `kind` with the suffix `List` by default.
    #[wire(pb = 5)]
    pub list_kind: Str,
    /// Groups of resources, such as `all`, through which `kubectl get` also finds this resource.
    #[wire(pb = 6)]
    pub categories: List<Str>,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// Wanted shape of a custom resource type.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct CustomResourceDefinitionSpec {
    /// API group of the resource, served below `/apis`; immutable.
    #[wire(pb = 1, required)]
    pub group: Str,
    /// Resource and kind names of the type.
    #[wire(pb = 3, needed)]
    pub names: CustomResourceDefinitionNames,
    /// `Namespaced` or `Cluster`, for the objects of the type; immutable once established.
    #[wire(pb = 4, required)]
    pub scope: ResourceScope,
    /// All versions of the type, exactly one with `storage` set; discovery sorts them by version name.
    #[wire(pb = 7, required)]
    pub versions: List<CustomResourceDefinitionVersion>,
    /// How objects move between versions; strategy `None` by default.
    #[wire(pb = 9)]
    pub conversion: Option<Box<CustomResourceConversion>>,
    /// Legacy switch that keeps fields unknown to the schema; must be false for new `v1` definitions.
    #[wire(pb = 10)]
    pub preserve_unknown_fields: bool,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// Observed state of a `CustomResourceDefinition`.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct CustomResourceDefinitionStatus {
    /// Conditions by type, among them `Established` when the resource is served.
    #[wire(pb = 1, required, needless, list = "map", keys = "type")]
    pub conditions: List<CustomResourceDefinitionCondition>,
    /// Names in actual use; differ from `spec.names` while there are conflicts.
    #[wire(pb = 2)]
    pub accepted_names: CustomResourceDefinitionNames,
    /// Every version ever persisted in etcd; an entry must be removed here before it leaves `spec.versions`.
    #[wire(pb = 3, required, needless)]
    pub stored_versions: List<Str>,
    /// Latest `metadata.generation` that the definition's controllers have processed.
    #[wire(pb = 4)]
    pub observed_generation: i64,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// One version of a custom resource type.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct CustomResourceDefinitionVersion {
    /// Version name such as `v1` or `v2beta1`, part of the URL.
    #[wire(pb = 1, required)]
    pub name: Str,
    /// Whether the version is available through the REST API.
    #[wire(pb = 2, required)]
    pub served: bool,
    /// Whether objects are written to etcd in this version; true for exactly one version.
    #[wire(pb = 3, required)]
    pub storage: bool,
    /// Whether clients of this version get a warning header; false by default.
    #[wire(pb = 7)]
    pub deprecated: bool,
    /// Own text of the warning, at most 256 characters, only with `deprecated`; otherwise a standard text is
    /// sent.
    #[wire(pb = 8)]
    pub deprecation_warning: Option<Str>,
    /// Structural schema that validates, prunes and defaults the objects; required in `v1`.
    #[wire(pb = 4)]
    pub schema: Option<Box<CustomResourceValidation>>,
    /// Subresources that the version serves; none by default.
    #[wire(pb = 5)]
    pub subresources: Option<Box<CustomResourceSubresources>>,
    /// Columns of the table output; without any, only the age is shown next to the name.
    #[wire(pb = 6)]
    pub additional_printer_columns: List<CustomResourceColumnDefinition>,
    /// Fields usable in field selectors besides name and namespace, at most 8.
    #[wire(pb = 9)]
    pub selectable_fields: List<SelectableField>,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// Where the `scale` subresource finds its values inside the custom resource.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct CustomResourceSubresourceScale {
    /// JSON path below `.spec` of the wanted replica count, without array notation; reading fails when the
    /// value is missing.
    #[wire(pb = 1, required)]
    pub spec_replicas_path: Str,
    /// JSON path below `.status` of the current replica count; a missing value counts as 0.
    #[wire(pb = 2, required)]
    pub status_replicas_path: Str,
    /// JSON path, below `.status` or `.spec`, of the serialized label selector string; necessary for a
    /// `HorizontalPodAutoscaler`.
    #[wire(pb = 3)]
    pub label_selector_path: Option<Str>,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// Empty marker that switches on the `/status` subresource, separating writes of status from those of the
/// rest.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct CustomResourceSubresourceStatus {
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// Subresources offered for one version of a custom resource.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct CustomResourceSubresources {
    /// Presence turns on `/status`; ordinary writes then ignore changes to the status.
    #[wire(pb = 1)]
    pub status: Option<Box<CustomResourceSubresourceStatus>>,
    /// Presence turns on `/scale`, with the paths to the replica counts.
    #[wire(pb = 2)]
    pub scale: Option<Box<CustomResourceSubresourceScale>>,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// Validation of the objects of one custom resource version.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct CustomResourceValidation {
    /// Structural OpenAPI v3 schema of the whole object, including validation rules.
    #[wire(name = "openAPIV3Schema", pb = 1)]
    pub open_apiv3_schema: Option<Box<JSONSchemaProps>>,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// A field of a custom resource that field selectors may use.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct SelectableField {
    /// Simple path, without array notation, to a string, boolean or integer field outside `metadata`;
    /// required.
    #[wire(pb = 1, required)]
    pub json_path: Str,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// In-cluster `Service` under which a conversion webhook runs.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct ServiceReference {
    /// Namespace of the `Service`; required.
    #[wire(pb = 1, required)]
    pub namespace: Str,
    /// Name of the `Service`; required.
    #[wire(pb = 2, required)]
    pub name: Str,
    /// URL path of the requests to the webhook; optional.
    #[wire(pb = 3)]
    pub path: Option<Str>,
    /// Port of the `Service`, 1 to 65535; 443 by default.
    #[wire(pb = 4)]
    pub port: Option<i32>,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// How the API server reaches a conversion webhook; exactly one of `url` and `service` is set.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct WebhookClientConfig {
    /// Location outside the cluster, with scheme `https` and no user, query or fragment.
    #[wire(pb = 3)]
    pub url: Option<Str>,
    /// `Service` of the cluster that fronts the webhook.
    #[wire(pb = 1)]
    pub service: Option<Box<ServiceReference>>,
    /// PEM certificates, as bytes, to verify the webhook's server certificate; the system roots when unset.
    #[wire(pb = 2)]
    pub ca_bundle: ByteString,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// Settings for conversion by webhook.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct WebhookConversion {
    /// How to reach the webhook; required when the strategy is `Webhook`.
    #[wire(pb = 2)]
    pub client_config: Option<Box<WebhookClientConfig>>,
    /// `ConversionReview` versions the webhook understands, in order of preference; the first one known to
    /// the server is sent.
    #[wire(pb = 3, required)]
    pub conversion_review_versions: List<Str>,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}
