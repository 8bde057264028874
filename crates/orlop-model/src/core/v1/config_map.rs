//! ConfigMaps.

use crate::{ByteString, Extra, Map, Message, Object, Str};

/// The kind `ConfigMap` of `v1`.
#[derive(Clone, Debug, Default, PartialEq, Object)]
#[object(version = "v1", short = "cm")]
pub struct ConfigMap {
    #[wire(pb = 1)]
    pub metadata: crate::meta::v1::ObjectMeta,
    #[wire(pb = 4)]
    pub immutable: Option<bool>,
    #[wire(pb = 2)]
    pub data: Map<Str>,
    #[wire(pb = 3)]
    pub binary_data: Map<ByteString>,
    #[wire(extra)]
    pub extra: Extra,
}

/// `ConfigMapNodeConfigSource` of `core/v1`.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct ConfigMapNodeConfigSource {
    #[wire(pb = 1, required)]
    pub namespace: Str,
    #[wire(pb = 2, required)]
    pub name: Str,
    #[wire(pb = 3)]
    pub uid: Str,
    #[wire(pb = 4)]
    pub resource_version: Str,
    #[wire(pb = 5, required)]
    pub kubelet_config_key: Str,
    #[wire(extra)]
    pub extra: Extra,
}
