//! Which children an owner has: adoption and release.

use std::sync::Arc;

use orlop_model::{Object, OwnerReference, StaticKind};
use serde_json::json;

use crate::PatchChange;

/// What [`claim`] made of one candidate.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Claim {
    /// It is the owner's.
    Kept,
    /// It is the owner's once it is patched.
    Adopted(PatchChange),
    /// It is no longer the owner's once it is patched.
    Released(PatchChange),
    /// It is none of the owner's business.
    Ignored,
}

/// Whether `child` belongs to `owner`, whose selector it `matches` or not: a child of the owner that no longer matches
/// is released, an orphan that matches is adopted (the owner's controller must be sure that the owner still exists:
/// the patch goes through only if the child's UID is as seen). An owner that is being deleted does neither.
pub(crate) fn claim<K: StaticKind>(owner: &impl Object, child: &K, matches: bool) -> Claim {
    let deleting = owner.meta().is_deleting();
    match child.meta().controller() {
        Some(controller) if controller.uid != owner.meta().uid => Claim::Ignored,
        Some(_) if matches => Claim::Kept,
        Some(_) if deleting => Claim::Ignored,
        Some(_) => Claim::Released(release(owner, child)),
        None if deleting || !matches || child.meta().is_deleting() => Claim::Ignored,
        None if child.meta().namespace != owner.meta().namespace => Claim::Ignored,
        None => Claim::Adopted(adopt(owner, child)),
    }
}

fn release<K: StaticKind>(owner: &impl Object, child: &K) -> PatchChange {
    let metadata = json!({
        "ownerReferences": [{"$patch": "delete", "uid": owner.meta().uid}],
        "uid": child.meta().uid,
    });
    // One that is gone needs no release.
    PatchChange::strategic(child, json!({"metadata": metadata})).or_missing()
}

fn adopt<K: StaticKind>(owner: &impl Object, child: &K) -> PatchChange {
    let OwnerReference { api_version, kind, name, uid, .. } = owner.controller_reference();
    let metadata = json!({
        "ownerReferences": [{
            "apiVersion": api_version,
            "kind": kind,
            "name": name,
            "uid": uid,
            "controller": true,
            "blockOwnerDeletion": true,
        }],
        "uid": child.meta().uid,
    });
    PatchChange::strategic(child, json!({"metadata": metadata})).or_missing()
}

/// Claims each of `candidates` in order: those that are the owner's, and the patches that make them so.
pub(crate) fn claim_all<K: StaticKind>(
    owner: &impl Object,
    candidates: impl IntoIterator<Item = Arc<K>>,
    matches: impl Fn(&K) -> bool,
) -> (Vec<Arc<K>>, Vec<PatchChange>) {
    let (mut claimed, mut patches) = (Vec::new(), Vec::new());
    for candidate in candidates {
        match claim(owner, &*candidate, matches(&candidate)) {
            Claim::Kept => claimed.push(candidate),
            Claim::Adopted(patch) => {
                patches.push(patch);
                claimed.push(candidate);
            }
            Claim::Released(patch) => patches.push(patch),
            Claim::Ignored => {}
        }
    }
    (claimed, patches)
}
