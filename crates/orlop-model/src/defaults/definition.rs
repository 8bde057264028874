//! Defaults of CustomResourceDefinitions.

use super::SetDefaults;
use crate::apiextensions::v1::{ConversionStrategyType, CustomResourceConversion, CustomResourceDefinition};
use crate::list;

impl SetDefaults for CustomResourceDefinition {
    fn set_defaults(&mut self) {
        let spec = &mut self.spec;
        let names = &mut spec.names;
        if names.singular.is_empty() {
            names.singular = names.kind.to_lowercase().into();
        }
        if names.list_kind.is_empty() && !names.kind.is_empty() {
            names.list_kind = format!("{}List", names.kind).into();
        }
        let conversion = spec.conversion.get_or_insert_with(|| {
            Box::new(CustomResourceConversion {
                strategy: ConversionStrategyType::None,
                ..Default::default()
            })
        });
        let client = conversion.webhook.as_mut().and_then(|webhook| webhook.client_config.as_mut());
        if let Some(service) = client.and_then(|client| client.service.as_mut()) {
            service.port.get_or_insert(443);
        }
        if self.status.stored_versions.is_empty()
            && let Some(stored) = spec.versions.iter().find(|version| version.storage)
        {
            self.status.stored_versions = list![stored.name.clone()];
        }
    }
}
