//! [`Change`]: one call of the API that a planner asks for.

use std::borrow::Cow;

use orlop_model::meta::v1::{DeletionPropagation, Preconditions};
use orlop_model::{KindInfo, ObjectKey, StaticKind, Str};
use serde_json::{Value, json};

use crate::PlannedObject;

/// One call of the API.
#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    /// Creates an object.
    Create(Create),
    /// Replaces an object. It carries the resourceVersion it was read with: a conflict means to plan again.
    Update(PlannedObject),
    /// Replaces an object's status, under the same rule. As in Kubernetes the metadata's annotations are written too
    /// where the kind allows it (a Deployment does).
    UpdateStatus(PlannedObject),
    /// Patches an object.
    Patch(PatchChange),
    /// Deletes an object. One that is gone already counts as success, without an event.
    Delete(Delete),
}

/// Creation of an object.
#[derive(Clone, Debug, PartialEq)]
pub struct Create {
    /// The namespace to create it in, `None` for objects of the cluster; the object's own metadata may leave it out.
    pub namespace: Option<Str>,
    /// The object. Without a name it has a `generateName`.
    pub object: PlannedObject,
    /// What to do if there is an object of that name.
    pub on_exists: OnExists,
}

/// What to do if an object that is to be created exists.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum OnExists {
    /// It is an error like any other: the cache lags behind, plan again.
    #[default]
    Fail,
    /// It is as good.
    Ignore,
    /// The name is taken: make these changes instead of the rest of the plan, then plan again.
    Instead(Vec<Change>),
}

/// A patch of an object.
#[derive(Clone, Debug, PartialEq)]
pub struct PatchChange {
    /// Its kind.
    pub kind: Cow<'static, KindInfo>,
    /// Its namespace and name.
    pub key: ObjectKey,
    /// Whether the patch goes to the subresource `status`.
    pub status: bool,
    /// How the document is meant.
    pub type_: PatchType,
    /// The document.
    pub document: Value,
    /// Whether a "not found" is as good as success.
    pub ignore_missing: bool,
}

/// How a patch's document is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PatchType {
    /// JSON merge patch (RFC 7396).
    Merge,
    /// Strategic merge patch.
    Strategic,
}

impl PatchType {
    /// Content type of the request.
    #[must_use]
    pub fn content_type(self) -> &'static str {
        match self {
            Self::Merge => "application/merge-patch+json",
            Self::Strategic => "application/strategic-merge-patch+json",
        }
    }
}

/// Deletion of an object.
#[derive(Clone, Debug, PartialEq)]
pub struct Delete {
    /// Its kind.
    pub kind: Cow<'static, KindInfo>,
    /// Its namespace and name.
    pub key: ObjectKey,
    /// UID and resourceVersion it must have.
    pub preconditions: Option<Preconditions>,
    /// What becomes of its dependents; `None`: as the server does.
    pub propagation: Option<DeletionPropagation>,
    /// Grace period in seconds; `None`: the object's own, 0: at once.
    pub grace_period_seconds: Option<i64>,
}

impl Create {
    /// Creates `object` in its namespace.
    pub fn new(object: impl Into<PlannedObject>) -> Self {
        let object = object.into();
        Self { namespace: object.meta().namespace.non_empty().cloned(), object, on_exists: OnExists::Fail }
    }

    /// Creates it in that namespace.
    #[must_use]
    pub fn in_namespace(mut self, namespace: &Str) -> Self {
        self.namespace = namespace.non_empty().cloned();
        self
    }

    /// Sets what to do if it exists.
    #[must_use]
    pub fn on_exists(mut self, on_exists: OnExists) -> Self {
        self.on_exists = on_exists;
        self
    }
}

impl Delete {
    /// Deletes `object` by name.
    pub fn new<K: StaticKind>(object: &K) -> Self {
        Self {
            kind: Cow::Borrowed(K::KIND),
            key: object.key(),
            preconditions: None,
            propagation: None,
            grace_period_seconds: None,
        }
    }
}

impl PatchChange {
    /// A strategic merge patch of `object`.
    pub fn strategic<K: StaticKind>(object: &K, document: Value) -> Self {
        Self {
            kind: Cow::Borrowed(K::KIND),
            key: object.key(),
            status: false,
            type_: PatchType::Strategic,
            document,
            ignore_missing: false,
        }
    }

    /// Goes to the subresource `status`.
    #[must_use]
    pub fn of_status(mut self) -> Self {
        self.status = true;
        self
    }

    /// An object that is gone counts as success.
    #[must_use]
    pub fn or_missing(mut self) -> Self {
        self.ignore_missing = true;
        self
    }
}

impl From<Create> for Change {
    fn from(create: Create) -> Self {
        Self::Create(create)
    }
}

impl From<PatchChange> for Change {
    fn from(patch: PatchChange) -> Self {
        Self::Patch(patch)
    }
}

impl From<Delete> for Change {
    fn from(delete: Delete) -> Self {
        Self::Delete(delete)
    }
}

/// Kind, key and subresource of a whole-object write.
pub(crate) type Overwrite = (KindInfo, ObjectKey, bool);

impl Change {
    /// Replaces an object.
    pub fn update(object: impl Into<PlannedObject>) -> Self {
        Self::Update(object.into())
    }

    /// Replaces an object's status.
    pub fn update_status(object: impl Into<PlannedObject>) -> Self {
        Self::UpdateStatus(object.into())
    }

    /// The kind of the object.
    #[must_use]
    pub fn kind(&self) -> &KindInfo {
        match self {
            Self::Create(create) => create.object.kind(),
            Self::Update(object) | Self::UpdateStatus(object) => object.kind(),
            Self::Patch(patch) => &patch.kind,
            Self::Delete(delete) => &delete.kind,
        }
    }

    /// Namespace and name of the object; the name of a create may be empty (`generateName`).
    #[must_use]
    pub fn key(&self) -> ObjectKey {
        match self {
            Self::Create(create) => {
                ObjectKey { namespace: create.namespace.clone(), name: create.object.meta().name.clone() }
            }
            Self::Update(object) | Self::UpdateStatus(object) => object.key(),
            Self::Patch(patch) => patch.key.clone(),
            Self::Delete(delete) => delete.key.clone(),
        }
    }

    pub(crate) fn overwrites(&self) -> Option<Overwrite> {
        match self {
            Self::Update(object) => Some((object.kind().clone(), object.key(), false)),
            Self::UpdateStatus(object) => Some((object.kind().clone(), object.key(), true)),
            Self::Create(_) | Self::Patch(_) | Self::Delete(_) => None,
        }
    }

    /// The call as a JSON document, for logs and records:
    /// `{verb, resource, subresource?, name?, object?, patch?, patchType?, options?}`.
    ///
    /// # Errors
    /// If the object cannot be written as JSON.
    pub fn to_action(&self) -> serde_json::Result<Value> {
        let resource = &self.kind().plural;
        Ok(match self {
            Self::Create(create) => {
                json!({"verb": "create", "resource": resource, "object": create.object.to_value()?})
            }
            Self::Update(object) => {
                json!({"verb": "update", "resource": resource, "object": object.to_value()?})
            }
            Self::UpdateStatus(object) => {
                json!({"verb": "update", "resource": resource, "subresource": "status", "object": object.to_value()?})
            }
            Self::Patch(patch) => {
                let mut action = json!({
                    "verb": "patch",
                    "resource": resource,
                    "name": patch.key.name,
                    "patchType": patch.type_.content_type(),
                    "patch": patch.document,
                });
                if patch.status {
                    action["subresource"] = "status".into();
                }
                action
            }
            Self::Delete(delete) => {
                let mut action = json!({"verb": "delete", "resource": resource, "name": delete.key.name});
                let mut options = serde_json::Map::new();
                if let Some(preconditions) = &delete.preconditions {
                    options.insert("preconditions".into(), serde_json::to_value(preconditions)?);
                }
                if let Some(propagation) = &delete.propagation {
                    options.insert("propagationPolicy".into(), propagation.as_str().into());
                }
                if let Some(seconds) = delete.grace_period_seconds {
                    options.insert("gracePeriodSeconds".into(), seconds.into());
                }
                if !options.is_empty() {
                    action["options"] = options.into();
                }
                action
            }
        })
    }
}
