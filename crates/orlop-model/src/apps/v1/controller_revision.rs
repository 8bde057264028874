//! The kind `ControllerRevision`.

use crate::{Extra, Object, RawJson};

/// Immutable snapshot of state, used by `DaemonSet` and `StatefulSet` controllers for updates and rollbacks.
///
/// The kind `ControllerRevision` of `apps/v1`: [API reference](https://kubernetes.io/docs/reference/generated/kubernetes-api/v1.36/#controllerrevision-v1-apps).
#[derive(Clone, Default, PartialEq, Object)]
#[object(group = "apps", version = "v1")]
#[wire(debug)]
pub struct ControllerRevision {
    /// Identity and ownership; the owner reference ties the snapshot to its workload.
    #[wire(pb = 1)]
    pub metadata: crate::meta::v1::ObjectMeta,
    /// Serialized state, for the built-in controllers a patch holding the pod template; cannot be changed.
    #[wire(pb = 2, required, plain, needless)]
    pub data: Option<RawJson>,
    /// Ordering number of the snapshot; larger is newer, and a rollback raises it.
    #[wire(pb = 3, required)]
    pub revision: i64,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}
