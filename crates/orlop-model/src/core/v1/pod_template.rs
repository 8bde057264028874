//! The kind `PodTemplate`.

use super::PodTemplateSpec;
use crate::{Extra, Object};

/// Stored template from which Pods can be created; built-in controllers embed templates instead.
///
/// The kind `PodTemplate` of `v1`: [API reference](https://kubernetes.io/docs/reference/generated/kubernetes-api/v1.36/#podtemplate-v1-core).
#[derive(Clone, Default, PartialEq, Object)]
#[object(version = "v1")]
#[wire(debug)]
pub struct PodTemplate {
    /// Standard object metadata of the stored template itself, not of the Pods made from it.
    #[wire(pb = 1)]
    pub metadata: crate::meta::v1::ObjectMeta,
    /// Metadata and spec that Pods made from it receive.
    #[wire(pb = 2)]
    pub template: PodTemplateSpec,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}
