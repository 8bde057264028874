//! Rows of webhook configurations and admission policies.

use jiff::Timestamp;

use super::{Cell, Column, Row, Tabular, UNSET, age};
use crate::LabelSelector;
use crate::admissionregistration::v1::{
    MutatingAdmissionPolicy, MutatingAdmissionPolicyBinding, MutatingWebhookConfiguration, ParamKind,
    ParamRef, ValidatingAdmissionPolicy, ValidatingAdmissionPolicyBinding, ValidatingWebhookConfiguration,
};

const WEBHOOKS: Column = Column::integer("Webhooks", "How many webhooks it has.");
const PARAM_KIND: Column = Column::text("ParamKind", "Version and kind of the objects with parameters.");

const BINDING: &[Column] = &[
    Column::NAME,
    Column::text("PolicyName", "The policy."),
    Column::text("ParamRef", "The objects with the policy's parameters."),
    Column::AGE,
];

impl Tabular for MutatingWebhookConfiguration {
    const COLUMNS: &'static [Column] = &[Column::NAME, WEBHOOKS, Column::AGE];

    fn row(&self, now: Timestamp) -> Row {
        Row::new([(&self.metadata.name).into(), Cell::count(self.webhooks.len()), age(self, now)])
    }
}

impl Tabular for ValidatingWebhookConfiguration {
    const COLUMNS: &'static [Column] = &[Column::NAME, WEBHOOKS, Column::AGE];

    fn row(&self, now: Timestamp) -> Row {
        Row::new([(&self.metadata.name).into(), Cell::count(self.webhooks.len()), age(self, now)])
    }
}

impl Tabular for MutatingAdmissionPolicy {
    const COLUMNS: &'static [Column] =
        &[Column::NAME, Column::integer("Mutations", "How many changes it makes."), PARAM_KIND, Column::AGE];

    fn row(&self, now: Timestamp) -> Row {
        let (name, count) = (&self.metadata.name, self.spec.mutations.len());
        Row::new([
            name.into(),
            Cell::count(count),
            param_kind(self.spec.param_kind.as_deref()),
            age(self, now),
        ])
    }
}

impl Tabular for ValidatingAdmissionPolicy {
    const COLUMNS: &'static [Column] =
        &[Column::NAME, Column::integer("Validations", "How many rules it has."), PARAM_KIND, Column::AGE];

    fn row(&self, now: Timestamp) -> Row {
        let (name, count) = (&self.metadata.name, self.spec.validations.len());
        Row::new([
            name.into(),
            Cell::count(count),
            param_kind(self.spec.param_kind.as_deref()),
            age(self, now),
        ])
    }
}

fn param_kind(kind: Option<&ParamKind>) -> Cell {
    kind.map_or_else(|| UNSET.into(), |kind| format!("{}/{}", kind.api_version, kind.kind).into())
}

impl Tabular for MutatingAdmissionPolicyBinding {
    const COLUMNS: &'static [Column] = BINDING;

    fn row(&self, now: Timestamp) -> Row {
        let params = params(self.spec.param_ref.as_deref());
        Row::new([(&self.metadata.name).into(), (&self.spec.policy_name).into(), params, age(self, now)])
    }
}

impl Tabular for ValidatingAdmissionPolicyBinding {
    const COLUMNS: &'static [Column] = BINDING;

    fn row(&self, now: Timestamp) -> Row {
        let params = params(self.spec.param_ref.as_deref());
        Row::new([(&self.metadata.name).into(), (&self.spec.policy_name).into(), params, age(self, now)])
    }
}

/// By name, in one namespace or in each; or by labels (Kubernetes shows the selector as Go prints the struct).
fn params(params: Option<&ParamRef>) -> Cell {
    match params {
        Some(params) if !params.name.is_empty() => {
            let namespace = params.namespace.non_empty().map_or("*", |namespace| namespace.as_str());
            format!("{namespace}/{}", params.name).into()
        }
        Some(ParamRef { selector: Some(selector), .. }) => LabelSelector::display(Some(selector)).into(),
        _ => UNSET.into(),
    }
}
