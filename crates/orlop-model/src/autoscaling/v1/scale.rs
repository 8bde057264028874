//! The subresource `scale`.

use crate::{Extra, Message, Object, Str};

/// View of a workload reduced to its replica count, served by the `scale` subresource.
///
/// The kind `Scale` of `autoscaling/v1`: [API reference](https://kubernetes.io/docs/reference/generated/kubernetes-api/v1.36/#scale-v1-autoscaling).
#[derive(Clone, Default, PartialEq, Object)]
#[object(group = "autoscaling", version = "v1")]
#[wire(debug)]
pub struct Scale {
    /// Identity of the scaled object; its resource version protects against concurrent scaling.
    #[wire(pb = 1)]
    pub metadata: crate::meta::v1::ObjectMeta,
    /// Replica count that is wanted.
    #[wire(pb = 2)]
    pub spec: ScaleSpec,
    /// Replica count that is observed, with the pod selector.
    #[wire(pb = 3)]
    pub status: ScaleStatus,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// Desired part of a scale view.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct ScaleSpec {
    /// Number of pods wanted, not negative; default 0 when left out.
    #[wire(pb = 1, default = "0")]
    pub replicas: i32,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// Observed part of a scale view.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct ScaleStatus {
    /// Number of pods that the controller currently observes.
    #[wire(pb = 1, required)]
    pub replicas: i32,
    /// Label query for the pods in text form, as used in `labelSelector` parameters; autoscalers need it.
    #[wire(pb = 2)]
    pub selector: Str,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}
