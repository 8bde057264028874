//! The strategy of custom kinds: what their definitions say.

use std::borrow::Cow;

use orlop_client::{Error, Result};
use orlop_model::apiextensions::v1::{
    CustomResourceDefinition, CustomResourceDefinitionVersion, CustomResourceSubresourceScale,
    JSONSchemaProps, ResourceScope,
};
use orlop_model::autoscaling::v1::Scale;
use orlop_model::defaults::SetDefaults;
use orlop_model::structural::Structural;
use orlop_model::table::{CustomColumns, Printer};
use orlop_model::{DynamicObject, FieldError, KindInfo, List, Scope, Str};
use serde_json::{Map, Value};

use crate::strategy::Strategy;

/// What the definition of a custom kind says of one of its versions.
#[derive(Debug)]
pub(crate) struct Custom {
    /// `None`: nothing is known of the fields, and all are kept.
    structural: Option<Structural>,
    columns: CustomColumns,
    scale: Option<CustomResourceSubresourceScale>,
}

/// The kind of the version that is stored, and its strategy.
pub(crate) fn of_definition(definition: &CustomResourceDefinition) -> Result<(KindInfo, Custom)> {
    let mut definition = definition.clone();
    definition.set_defaults();
    let spec = &definition.spec;
    let Some(version) = spec.versions.iter().find(|version| version.storage) else {
        return Err(Error::bad_request(format!(
            "{} has no version that is stored",
            definition.metadata.name
        )));
    };
    let schema = version.schema.as_ref().and_then(|schema| schema.open_apiv3_schema.as_deref());
    let columns = CustomColumns::of(version)
        .map_err(|error| Error::bad_request(format!("{}: {error}", definition.metadata.name)))?;
    let scale = version.subresources.as_ref().and_then(|subresources| subresources.scale.as_deref());
    let strategy = Custom {
        structural: schema.filter(|_| !spec.preserve_unknown_fields).cloned().map(Structural::new),
        columns,
        scale: scale.cloned(),
    };
    Ok((kind_of(&definition, version), strategy))
}

fn kind_of(definition: &CustomResourceDefinition, version: &CustomResourceDefinitionVersion) -> KindInfo {
    let text = |text: &Str| Cow::Owned(text.to_string());
    let texts = |texts: &List<Str>| texts.iter().map(text).collect();
    let (names, subresources) = (&definition.spec.names, version.subresources.as_deref());
    KindInfo {
        group: text(&definition.spec.group),
        version: text(&version.name),
        kind: text(&names.kind),
        plural: text(&names.plural),
        singular: text(&names.singular),
        short_names: texts(&names.short_names),
        categories: texts(&names.categories),
        scope: match definition.spec.scope {
            ResourceScope::Cluster => Scope::Cluster,
            _ => Scope::Namespaced,
        },
        status: subresources.is_some_and(|subresources| subresources.status.is_some()),
        scale: subresources.is_some_and(|subresources| subresources.scale.is_some()),
        subresources: Cow::Borrowed(&[]),
        verbs: KindInfo::ALL_VERBS,
    }
}

impl Custom {
    fn validate(&self, object: &DynamicObject) -> Vec<FieldError> {
        let structural = self.structural.as_ref();
        structural
            .map(|structural| structural.validate(&Value::Object(object.body.clone())))
            .unwrap_or_default()
    }
}

impl Strategy<DynamicObject> for Custom {
    /// What the schema does not declare is taken off, too.
    fn default(&self, object: &mut DynamicObject) {
        let Some(structural) = &self.structural else {
            return;
        };
        let mut body = Value::Object(std::mem::take(&mut object.body));
        structural.prune(&mut body);
        structural.set_defaults(&mut body);
        if let Value::Object(body) = body {
            object.body = body;
        }
    }

    fn validate_create(&self, object: &DynamicObject) -> Vec<FieldError> {
        self.validate(object)
    }

    fn validate_update(&self, new: &DynamicObject, _: &DynamicObject) -> Vec<FieldError> {
        self.validate(new)
    }

    fn validate_status_update(&self, new: &DynamicObject, _: &DynamicObject) -> Vec<FieldError> {
        self.validate(new)
    }

    fn structural_schema(&self) -> Option<&JSONSchemaProps> {
        self.structural.as_ref().map(Structural::schema)
    }

    fn scale(&self, object: &DynamicObject) -> Option<Scale> {
        let paths = self.scale.as_ref()?;
        let number = |path: &str| {
            let number = at(&object.body, path).and_then(Value::as_i64);
            number.and_then(|number| number.try_into().ok()).unwrap_or(0)
        };
        let mut scale = Scale::default();
        scale.spec.replicas = number(&paths.spec_replicas_path);
        scale.status.replicas = number(&paths.status_replicas_path);
        let selector = paths.label_selector_path.as_deref().and_then(|path| at(&object.body, path));
        scale.status.selector = selector.and_then(Value::as_str).unwrap_or_default().into();
        Some(scale)
    }

    fn set_replicas(&self, object: &mut DynamicObject, replicas: i32) -> Result<()> {
        let path = self.scale.as_ref().map_or(".spec.replicas", |paths| &paths.spec_replicas_path);
        let mut steps = path.trim_start_matches('.').split('.').peekable();
        let mut fields = &mut object.body;
        while let Some(step) = steps.next() {
            let value = fields.entry(step).or_insert_with(|| Map::new().into());
            if steps.peek().is_none() {
                *value = replicas.into();
                break;
            }
            let Value::Object(inner) = value else {
                return Err(Error::internal(format!("{step} of {path} is no object")));
            };
            fields = inner;
        }
        Ok(())
    }

    fn printer(&self) -> Printer {
        Printer::custom(self.columns.clone())
    }
}

/// The value at a path of names with dots before them.
fn at<'a>(body: &'a Map<String, Value>, path: &str) -> Option<&'a Value> {
    let mut steps = path.trim_start_matches('.').split('.');
    let first = body.get(steps.next()?)?;
    steps.try_fold(first, |value, step| value.get(step))
}
