//! Enumerations of this version.

crate::open_enum! {
    /// Ways to convert custom resources between versions: change only `apiVersion`, or call a webhook.
    pub enum ConversionStrategyType {
        None = "None",
        Webhook = "Webhook",
    }

    /// Aspects reported for a `CustomResourceDefinition`: serving, names, schema, deletion, API approval and
    /// storage migration.
    pub enum CustomResourceDefinitionConditionType {
        Established = "Established",
        NamesAccepted = "NamesAccepted",
        NonStructuralSchema = "NonStructuralSchema",
        Terminating = "Terminating",
        KubernetesAPIApprovalPolicyConformant = "KubernetesAPIApprovalPolicyConformant",
        StorageMigrating = "StorageMigrating",
    }

    /// Machine-readable causes that a failed validation rule may report to the client.
    pub enum FieldValueErrorReason: closed {
        FieldValueRequired = "FieldValueRequired",
        FieldValueDuplicate = "FieldValueDuplicate",
        FieldValueInvalid = "FieldValueInvalid",
        FieldValueForbidden = "FieldValueForbidden",
    }

    /// Scopes of a custom resource: one set per cluster or one per namespace.
    pub enum ResourceScope {
        Cluster = "Cluster",
        Namespaced = "Namespaced",
    }
}
