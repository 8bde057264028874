//! The subresource `scale`.

use crate::{Extra, Message, Object, Str};

/// The kind `Scale` of `autoscaling/v1`.
#[derive(Clone, Debug, Default, PartialEq, Object)]
#[object(group = "autoscaling", version = "v1")]
pub struct Scale {
    #[wire(pb = 1)]
    pub metadata: crate::meta::v1::ObjectMeta,
    #[wire(pb = 2)]
    pub spec: ScaleSpec,
    #[wire(pb = 3)]
    pub status: ScaleStatus,
    #[wire(extra)]
    pub extra: Extra,
}

/// `ScaleSpec` of `autoscaling/v1`.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct ScaleSpec {
    #[wire(pb = 1)]
    pub replicas: i32,
    #[wire(extra)]
    pub extra: Extra,
}

/// `ScaleStatus` of `autoscaling/v1`.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct ScaleStatus {
    #[wire(pb = 1, required)]
    pub replicas: i32,
    #[wire(pb = 2)]
    pub selector: Str,
    #[wire(extra)]
    pub extra: Extra,
}
