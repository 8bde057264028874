//! The two writes that attempts have in common, each a small exchange of calls.

use std::ops::ControlFlow;

use orlop_model::Str;
use orlop_model::meta::v1::OwnerReference;
use serde_json::{Value, json};

use super::collector::has_finalizer;
use super::{Answer, Call, Identity, PatchBody};

/// How a task ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Written {
    Yes,
    NotFound,
    Failed,
}

/// A task goes on with a call or breaks with its end.
pub(crate) type Progress = ControlFlow<Written, Call>;

/// What to do to the owner references of an object.
#[derive(Clone, Debug)]
pub(crate) enum Edit {
    /// Drops the references to these UIDs.
    Drop(Vec<Str>),
    /// Makes every reference non-blocking.
    Unblock(Vec<OwnerReference>),
}

/// Edits owner references: by strategic merge, or by JSON merge where that is not supported.
#[derive(Clone, Debug)]
pub(crate) struct EditOwners {
    object: Identity,
    edit: Edit,
    /// The answer awaited is to a read, not to a patch.
    reading: bool,
}

impl EditOwners {
    /// `object` is the address to patch.
    pub(crate) fn new(object: Identity, edit: Edit) -> Self {
        Self { object, edit, reading: false }
    }

    pub(crate) fn start(&self) -> Call {
        let references: Vec<Value> = match &self.edit {
            Edit::Drop(owners) => owners.iter().map(|uid| json!({"$patch": "delete", "uid": uid})).collect(),
            Edit::Unblock(owners) => owners
                .iter()
                .filter(|owner| owner.block_owner_deletion == Some(true))
                .map(|owner| {
                    let unblocked = OwnerReference { block_owner_deletion: Some(false), ..owner.clone() };
                    serde_json::to_value(unblocked).unwrap_or_default()
                })
                .collect(),
        };
        let mut metadata = json!({"uid": self.object.uid});
        if !references.is_empty() {
            metadata["ownerReferences"] = Value::Array(references);
        }
        self.patch(PatchBody::Strategic(json!({ "metadata": metadata })))
    }

    /// Whether the next answer is to a read.
    pub(crate) fn is_reading(&self) -> bool {
        self.reading
    }

    pub(crate) fn step(&mut self, answer: Answer) -> Progress {
        let reading = std::mem::take(&mut self.reading);
        match answer {
            Answer::Done => Progress::Break(Written::Yes),
            Answer::Found(_) if !reading => Progress::Break(Written::Yes),
            Answer::NotFound => Progress::Break(Written::NotFound),
            Answer::Unsupported => {
                self.reading = true;
                Progress::Continue(Call::Get { object: self.object.clone() })
            }
            Answer::Found(meta) => {
                let mut owners = meta.owner_references.to_vec();
                match &self.edit {
                    Edit::Drop(dropped) => owners.retain(|owner| !dropped.contains(&owner.uid)),
                    Edit::Unblock(_) => {
                        for owner in &mut owners {
                            if owner.block_owner_deletion == Some(true) {
                                owner.block_owner_deletion = Some(false);
                            }
                        }
                    }
                }
                let owners = if owners.is_empty() { Value::Null } else { json!(owners) };
                Progress::Continue(self.patch(PatchBody::Merge(json!({
                    "metadata": {
                        "resourceVersion": meta.resource_version,
                        "ownerReferences": owners,
                    }
                }))))
            }
            Answer::Conflict | Answer::Failed => Progress::Break(Written::Failed),
        }
    }

    fn patch(&self, patch: PatchBody) -> Call {
        Call::Patch { object: self.object.clone(), patch }
    }
}

/// How often the removal of a finalizer is begun anew after a conflict, in one attempt.
const CONFLICTS: u32 = 4;

/// Removes a finalizer from an object as it is now.
#[derive(Clone, Debug)]
pub(crate) struct RemoveFinalizer {
    object: Identity,
    finalizer: &'static str,
    conflicts: u32,
    /// The answer awaited is to the patch.
    patching: bool,
}

impl RemoveFinalizer {
    /// `object` is the address to patch.
    pub(crate) fn new(object: Identity, finalizer: &'static str) -> Self {
        Self { object, finalizer, conflicts: 0, patching: false }
    }

    pub(crate) fn start(&self) -> Call {
        Call::Get { object: self.object.clone() }
    }

    pub(crate) fn step(&mut self, answer: Answer) -> Progress {
        let patching = std::mem::take(&mut self.patching);
        match answer {
            Answer::Found(meta) if !patching && has_finalizer(&meta, self.finalizer) => {
                self.patching = true;
                let left: Vec<&Str> =
                    meta.finalizers.iter().filter(|found| **found != *self.finalizer).collect();
                let left = if left.is_empty() { Value::Null } else { json!(left) };
                Progress::Continue(Call::Patch {
                    object: self.object.clone(),
                    patch: PatchBody::Merge(json!({
                        "metadata": {"resourceVersion": meta.resource_version, "finalizers": left}
                    })),
                })
            }
            Answer::Found(_) | Answer::Done | Answer::NotFound => Progress::Break(Written::Yes),
            Answer::Conflict if self.conflicts < CONFLICTS => {
                self.conflicts += 1;
                Progress::Continue(self.start())
            }
            Answer::Conflict | Answer::Unsupported | Answer::Failed => Progress::Break(Written::Failed),
        }
    }
}
