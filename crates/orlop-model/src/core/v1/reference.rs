//! References to objects.

use crate::{Extra, Message, Object, Str};

/// Points to an object of known kind in the same namespace.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug, atomic)]
pub struct LocalObjectReference {
    /// Name of the object, effectively required; defaults to the empty string only for old clients.
    #[wire(pb = 1, default = "\"\"")]
    pub name: Str,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// Points to any object, or part of one; its fields are filled in to varying degree.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug, atomic)]
pub struct ObjectReference {
    /// Kind of the object, such as `Pod`.
    #[wire(pb = 1)]
    pub kind: Str,
    /// Namespace of the object, empty for cluster-wide ones.
    #[wire(pb = 2)]
    pub namespace: Str,
    /// Name of the object within its namespace.
    #[wire(pb = 3)]
    pub name: Str,
    /// UID of the object, telling apart successive objects of the same name.
    #[wire(pb = 4)]
    pub uid: Str,
    /// API group and version of the kind, such as `apps/v1`.
    #[wire(pb = 5)]
    pub api_version: Str,
    /// Particular version of the object that is meant, if any.
    #[wire(pb = 6)]
    pub resource_version: Str,
    /// Part of the object that is meant, such as `spec.containers{name}` in events about a container.
    #[wire(pb = 7)]
    pub field_path: Str,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

impl ObjectReference {
    /// A reference to an object at its revision, as events carry it.
    pub fn to<K: Object>(object: &K) -> Self {
        let (kind, meta) = (object.kind(), object.meta());
        Self {
            kind: (&*kind.kind).into(),
            api_version: (&*kind.api_version()).into(),
            namespace: meta.namespace.clone(),
            name: meta.name.clone(),
            uid: meta.uid.clone(),
            resource_version: meta.resource_version.clone(),
            ..Self::default()
        }
    }
}

/// Names a Secret in any namespace, for cluster-scoped objects such as persistent volumes.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug, atomic)]
pub struct SecretReference {
    /// Name of the Secret within `namespace`.
    #[wire(pb = 1)]
    pub name: Str,
    /// Namespace in which the Secret lies.
    #[wire(pb = 2)]
    pub namespace: Str,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// Object reference with its own type metadata, as once stored in a `created-by` annotation.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug, api_version = "v1")]
pub struct SerializedReference {
    /// The object pointed to, by kind, namespace, name and UID.
    #[wire(pb = 1, map = "atomic")]
    pub reference: ObjectReference,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// Names an object of any kind in the same namespace.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug, atomic)]
pub struct TypedLocalObjectReference {
    /// API group of the object without version; unset means the core group.
    #[wire(pb = 1, required, needless)]
    pub api_group: Option<Str>,
    /// Kind of the object, e.g. `VolumeSnapshot`; required.
    #[wire(pb = 2, required)]
    pub kind: Str,
    /// Name of the object in the referrer's namespace; required.
    #[wire(pb = 3, required)]
    pub name: Str,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// Names an object of any kind, possibly in another namespace.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct TypedObjectReference {
    /// API group of the object without version; unset means the core group.
    #[wire(pb = 1, required, needless)]
    pub api_group: Option<Str>,
    /// Kind of the object, e.g. `PersistentVolumeClaim`; required.
    #[wire(pb = 2, required)]
    pub kind: Str,
    /// Name of the object; required.
    #[wire(pb = 3, required)]
    pub name: Str,
    /// Namespace of the object; unset means the own one, another one needs a `ReferenceGrant` there.
    #[wire(pb = 4)]
    pub namespace: Option<Str>,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}
