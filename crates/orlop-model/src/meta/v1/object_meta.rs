//! Metadata of objects.

use super::ManagedFieldsOperationType;
use crate::{Extra, FieldsV1, List, Map, Message, Str, Time};

/// `ManagedFieldsEntry` of `meta/v1`.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct ManagedFieldsEntry {
    #[wire(pb = 1)]
    pub manager: Str,
    #[wire(pb = 2)]
    pub operation: ManagedFieldsOperationType,
    #[wire(pb = 3)]
    pub api_version: Str,
    #[wire(pb = 4)]
    pub time: Option<Time>,
    #[wire(pb = 6)]
    pub fields_type: Str,
    #[wire(pb = 7)]
    pub fields_v1: Option<FieldsV1>,
    #[wire(pb = 8)]
    pub subresource: Str,
    #[wire(extra)]
    pub extra: Extra,
}

/// `ObjectMeta` of `meta/v1`.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct ObjectMeta {
    #[wire(pb = 1)]
    pub name: Str,
    #[wire(pb = 2)]
    pub generate_name: Str,
    #[wire(pb = 3)]
    pub namespace: Str,
    #[wire(pb = 4)]
    pub self_link: Str,
    #[wire(pb = 5)]
    pub uid: Str,
    #[wire(pb = 6)]
    pub resource_version: Str,
    #[wire(pb = 7)]
    pub generation: i64,
    #[wire(pb = 8)]
    pub creation_timestamp: Option<Time>,
    #[wire(pb = 9)]
    pub deletion_timestamp: Option<Time>,
    #[wire(pb = 10)]
    pub deletion_grace_period_seconds: Option<i64>,
    #[wire(pb = 11)]
    pub labels: Map<Str>,
    #[wire(pb = 12)]
    pub annotations: Map<Str>,
    #[wire(pb = 13, list = "map", keys = "uid", patch = "merge", merge_key = "uid")]
    pub owner_references: List<OwnerReference>,
    #[wire(pb = 14, list = "set", patch = "merge")]
    pub finalizers: List<Str>,
    #[wire(pb = 17)]
    pub managed_fields: List<ManagedFieldsEntry>,
    #[wire(extra)]
    pub extra: Extra,
}

/// `OwnerReference` of `meta/v1`.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct OwnerReference {
    #[wire(pb = 5, required)]
    pub api_version: Str,
    #[wire(pb = 1, required)]
    pub kind: Str,
    #[wire(pb = 3, required)]
    pub name: Str,
    #[wire(pb = 4, required)]
    pub uid: Str,
    #[wire(pb = 6)]
    pub controller: Option<bool>,
    #[wire(pb = 7)]
    pub block_owner_deletion: Option<bool>,
    #[wire(extra)]
    pub extra: Extra,
}
