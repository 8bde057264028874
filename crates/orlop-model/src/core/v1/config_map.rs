//! ConfigMaps.

use crate::{ByteString, Extra, Map, Message, Object, Str};

/// Non-secret configuration data, kept as keys and values of at most 1 MiB in total.
///
/// The kind `ConfigMap` of `v1`: [API reference](https://kubernetes.io/docs/reference/generated/kubernetes-api/v1.36/#configmap-v1-core).
#[derive(Clone, Default, PartialEq, Object)]
#[object(version = "v1", short = "cm")]
#[wire(debug)]
pub struct ConfigMap {
    /// Standard object metadata with name, namespace, labels and annotations.
    #[wire(pb = 1)]
    pub metadata: crate::meta::v1::ObjectMeta,
    /// When true, the data can no longer be changed nor the flag unset; false by default.
    #[wire(pb = 4)]
    pub immutable: Option<bool>,
    /// Text values in UTF-8 by key; keys use letters, digits, `-`, `_` and `.`, and are absent from
    /// `binaryData`.
    #[wire(pb = 2)]
    pub data: Map<Str>,
    /// Arbitrary byte values by key, base64 in JSON; keys must not also occur in `data`.
    #[wire(pb = 3)]
    pub binary_data: Map<ByteString>,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// Config map from which a kubelet took its configuration; unused since dynamic kubelet configuration was
/// removed in 1.24.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct ConfigMapNodeConfigSource {
    /// Namespace of the config map; required.
    #[wire(pb = 1, required)]
    pub namespace: Str,
    /// Name of the config map; required.
    #[wire(pb = 2, required)]
    pub name: Str,
    /// UID of the config map; forbidden in the node spec and required in the node status.
    #[wire(pb = 3)]
    pub uid: Str,
    /// Resource version of the config map; forbidden in the node spec and required in the node status.
    #[wire(pb = 4)]
    pub resource_version: Str,
    /// Key of the config map under which the `KubeletConfiguration` document is stored; required.
    #[wire(pb = 5, required)]
    pub kubelet_config_key: Str,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}
