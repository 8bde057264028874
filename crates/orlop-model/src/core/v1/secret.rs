//! Secrets.

use super::SecretType;
use crate::{ByteString, Extra, Map, Object, Str};

/// Small amount of confidential data, such as passwords or keys; at most 1 MiB in total.
///
/// The kind `Secret` of `v1`: [API reference](https://kubernetes.io/docs/reference/generated/kubernetes-api/v1.36/#secret-v1-core).
#[derive(Clone, Default, PartialEq, Object)]
#[object(version = "v1")]
#[wire(debug)]
pub struct Secret {
    /// Standard object metadata; the name is what Pods and service accounts refer to.
    #[wire(pb = 1)]
    pub metadata: crate::meta::v1::ObjectMeta,
    /// If `true`, the data can no longer be changed and this flag not be taken back; default `false`.
    #[wire(pb = 5)]
    pub immutable: Option<bool>,
    /// Values as bytes, base64 in JSON; keys consist of letters, digits, `-`, `_` and `.`.
    #[wire(pb = 2, secret)]
    pub data: Map<ByteString>,
    /// Write-only values as plain text, merged over `data` by the API server and never returned.
    #[wire(pb = 4, secret)]
    pub string_data: Map<Str>,
    /// Kind of content, which may require certain keys; default `Opaque`, immutable.
    #[wire(pb = 3)]
    pub type_: SecretType,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}
