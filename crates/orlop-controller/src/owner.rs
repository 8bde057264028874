use std::sync::Arc;

use orlop_client::GetOptions;
use orlop_model::core::v1::ObjectReference;
use orlop_model::{KindInfo, Object, ObjectKey, OwnerReference, StaticKind};
use serde_json::json;

use crate::{Context, Error};

/// An object of whatever kind that may own others.
pub(crate) trait Owning: Send + Sync {
    fn owner(&self) -> Owner;
}

impl<K: Object> Owning for K {
    fn owner(&self) -> Owner {
        Owner::of(self)
    }
}

/// The object that is reconciled, as its children and its events refer to it.
#[derive(Clone, Debug)]
pub(crate) struct Owner {
    pub(crate) kind: KindInfo,
    pub(crate) key: ObjectKey,
    pub(crate) deleting: bool,
    pub(crate) reference: OwnerReference,
    pub(crate) about: ObjectReference,
}

impl Owner {
    pub(crate) fn of<K: Object>(object: &K) -> Self {
        Self {
            kind: object.kind().clone(),
            key: object.key(),
            deleting: object.meta().is_deleting(),
            reference: object.controller_reference(),
            about: ObjectReference::to(object),
        }
    }

    pub(crate) fn control<C: Object>(&self, child: &mut C) -> Result<(), Error> {
        let namespaced = child.kind().is_namespaced();
        if let Some(namespace) = &self.key.namespace {
            let meta = child.meta_mut();
            if namespaced && meta.namespace.is_empty() {
                meta.namespace = namespace.clone();
            }
            if !namespaced || meta.namespace != *namespace {
                return Err(Error::CrossNamespace { owner: self.key.clone(), object: child.key() });
            }
        }
        let references = &child.meta().owner_references;
        if let Some(other) =
            references.iter().find(|other| other.controller == Some(true) && other.uid != self.reference.uid)
        {
            return Err(Error::AlreadyControlled { object: child.key(), owner: Box::new(other.clone()) });
        }
        let references = &mut child.meta_mut().owner_references;
        match references.iter_mut().find(|other| other.uid == self.reference.uid) {
            Some(reference) => *reference = self.reference.clone(),
            None => references.push(self.reference.clone()),
        }
        Ok(())
    }
}

/// Makes `owner` the controller of `child`: the one owner who looks after it, and with whom it is deleted. A child of a
/// kind with namespaces that has none gets its owner's.
///
/// # Errors
/// [`Error::AlreadyControlled`] if another owner controls it, [`Error::CrossNamespace`] if the owner is in a namespace
/// and the child is not in the same.
pub fn set_controller<K: Object, C: Object>(owner: &K, child: &mut C) -> Result<(), Error> {
    Owner::of(owner).control(child)
}

/// What becomes of an object that may belong to an owner: see [`claim`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Claim {
    /// It is the owner's and stays so.
    Keep,
    /// It is nobody's, and the owner wants it: its owner references get the owner's.
    Adopt,
    /// It is the owner's, who does not want it any more: the owner's reference is removed, and it lives on by itself.
    Release,
    /// It is no business of the owner.
    Leave,
}

/// Whether `child` belongs to `owner`, or should, or should no longer, where `wanted` says whether the owner's selector
/// selects it: Kubernetes' rule for controllers (`ControllerRefManager`). Owners are told apart by uid. What is being
/// deleted neither adopts nor is adopted, and an owner that is being deleted does not release.
pub fn claim<K: Object, C: Object>(owner: &K, child: &C, wanted: bool) -> Claim {
    Owner::of(owner).claim(child, wanted)
}

impl Owner {
    fn claim<C: Object>(&self, child: &C, wanted: bool) -> Claim {
        let meta = child.meta();
        match meta.controller() {
            Some(controller) if controller.uid != self.reference.uid => Claim::Leave,
            Some(_) if wanted => Claim::Keep,
            Some(_) if self.deleting => Claim::Leave,
            Some(_) => Claim::Release,
            None if !wanted || self.deleting || meta.is_deleting() => Claim::Leave,
            None if self.key.namespace.as_ref().is_some_and(|namespace| *namespace != meta.namespace) => {
                Claim::Leave
            }
            None => Claim::Adopt,
        }
    }
}

impl Context {
    /// Of these children, those that belong to the object that is reconciled: its own that `wanted` still wants, and what
    /// is nobody's and wanted, which is adopted. Its own that are not wanted any more are released. See [`claim`].
    ///
    /// Before the first adoption the owner is read from the server: one that was deleted meanwhile adopts nothing.
    ///
    /// # Errors
    /// Those of reading the owner and patching the children (but what is gone is no error); [`Error::OwnerGone`].
    pub async fn claim<C: StaticKind>(
        &self,
        children: impl IntoIterator<Item = Arc<C>>,
        wanted: impl Fn(&C) -> bool,
    ) -> Result<Vec<Arc<C>>, Error> {
        let owner = self.owner("claim")?;
        let mut own = Vec::new();
        let mut checked = false;
        for child in children {
            match owner.claim(&*child, wanted(&child)) {
                Claim::Keep => own.push(child),
                Claim::Leave => {}
                Claim::Release => self.release(&*child).await?,
                Claim::Adopt => {
                    if !std::mem::replace(&mut checked, true) {
                        self.may_adopt(owner).await?;
                    }
                    let references = child.meta().owner_references.iter().chain([&owner.reference]);
                    own.extend(self.set_owners(&*child, references).await?);
                }
            }
        }
        Ok(own)
    }

    /// Removes the object that is reconciled from the owners of `child`, which lives on. Nothing if it is not among them,
    /// or the child is gone.
    ///
    /// # Errors
    /// Those of patching the child; a conflict if it has changed meanwhile.
    pub async fn release<C: StaticKind>(&self, child: &C) -> Result<(), Error> {
        let owner = self.owner("release")?;
        let references = &child.meta().owner_references;
        let others = references.iter().filter(|other| other.uid != owner.reference.uid);
        if others.clone().count() < references.len() {
            self.set_owners(child, others).await?;
        }
        Ok(())
    }

    async fn may_adopt(&self, owner: &Owner) -> Result<(), Error> {
        let stored = self.client().get(&owner.kind, &owner.key, &GetOptions::default()).await;
        match stored {
            Ok(record) if record.meta().uid == owner.reference.uid && !record.meta().is_deleting() => Ok(()),
            Err(error) if !error.is_not_found() => Err(error.into()),
            _ => Err(Error::OwnerGone { owner: owner.key.clone(), uid: owner.reference.uid.clone() }),
        }
    }

    /// `None` if the child is gone.
    async fn set_owners<'a, C: StaticKind>(
        &self,
        child: &C,
        references: impl Iterator<Item = &'a OwnerReference>,
    ) -> Result<Option<Arc<C>>, Error> {
        let meta = child.meta();
        let references: Vec<&OwnerReference> = references.collect();
        let patch = json!({ "metadata": {
            "uid": meta.uid.as_str(),
            "resourceVersion": meta.resource_version.as_str(),
            "ownerReferences": references,
        } });
        match self.api::<C>().patch_merge(child.key(), patch).await {
            Ok(child) => Ok(Some(child)),
            Err(error) if error.is_not_found() => Ok(None),
            Err(error) => Err(error.into()),
        }
    }
}

/// The key of the object of kind `kind` that controls `object`, if one does. The version of the kind does not matter.
pub fn controller_of<C: Object>(object: &C, kind: &KindInfo) -> Option<ObjectKey> {
    let meta = object.meta();
    let owner = meta.controller()?;
    let group = owner.api_version.split_once('/').map_or("", |(group, _)| group);
    if group != kind.group || owner.kind != *kind.kind {
        return None;
    }
    let namespace = if kind.is_namespaced() { meta.namespace.non_empty().cloned() } else { None };
    Some(ObjectKey { namespace, name: owner.name.clone() })
}

#[cfg(test)]
mod tests {
    use orlop_model::StaticKind;
    use orlop_model::apps::v1::{Deployment, ReplicaSet};
    use orlop_model::core::v1::{Namespace, Node, Pod};

    use super::*;

    fn deployment() -> Deployment {
        let mut owner = Deployment::default();
        owner.metadata.name = "web".into();
        owner.metadata.namespace = "shop".into();
        owner.metadata.uid = "u1".into();
        owner
    }

    #[test]
    fn a_child_gets_its_owners_namespace_and_reference_once() {
        let (owner, mut child) = (deployment(), ReplicaSet::default());
        set_controller(&owner, &mut child).unwrap();
        set_controller(&owner, &mut child).unwrap();
        assert_eq!(child.metadata.namespace, "shop");
        assert_eq!(child.metadata.owner_references.len(), 1);
        let reference = &child.metadata.owner_references[0];
        assert_eq!((reference.api_version.as_str(), reference.kind.as_str()), ("apps/v1", "Deployment"));
        assert_eq!((reference.controller, reference.block_owner_deletion), (Some(true), Some(true)));
        assert_eq!(controller_of(&child, Deployment::KIND), Some(owner.key()));
        assert_eq!(controller_of(&child, ReplicaSet::KIND), None);
    }

    #[test]
    fn claims_are_by_uid() {
        let owner = deployment();
        let mut free = ReplicaSet::default();
        free.metadata.namespace = "shop".into();
        let mut own = free.clone();
        set_controller(&owner, &mut own).unwrap();
        // Of the same name, and another object.
        let mut others = own.clone();
        others.metadata.owner_references[0].uid = "u0".into();
        let claims =
            |owner: &Deployment, child: &ReplicaSet| [true, false].map(|wanted| claim(owner, child, wanted));
        assert_eq!(claims(&owner, &own), [Claim::Keep, Claim::Release]);
        assert_eq!(claims(&owner, &free), [Claim::Adopt, Claim::Leave]);
        assert_eq!(claims(&owner, &others), [Claim::Leave, Claim::Leave]);

        let mut elsewhere = free.clone();
        elsewhere.metadata.namespace = "elsewhere".into();
        assert_eq!(claims(&owner, &elsewhere), [Claim::Leave, Claim::Leave]);
        let mut dying = free.clone();
        dying.metadata.deletion_timestamp = Some(orlop_model::Time::from_seconds(1));
        assert_eq!(claims(&owner, &dying), [Claim::Leave, Claim::Leave]);
        let mut owner = owner;
        owner.metadata.deletion_timestamp = Some(orlop_model::Time::from_seconds(1));
        assert_eq!(claims(&owner, &own), [Claim::Keep, Claim::Leave]);
        assert_eq!(claims(&owner, &free), [Claim::Leave, Claim::Leave]);
    }

    #[test]
    fn another_controller_and_another_namespace_are_refused() {
        let (owner, mut child) = (deployment(), Pod::default());
        let mut other = deployment();
        other.metadata.uid = "u2".into();
        set_controller(&other, &mut child).unwrap();
        assert!(matches!(set_controller(&owner, &mut child), Err(Error::AlreadyControlled { .. })));

        let mut elsewhere = Pod::default();
        elsewhere.metadata.namespace = "elsewhere".into();
        assert!(matches!(set_controller(&owner, &mut elsewhere), Err(Error::CrossNamespace { .. })));
        assert!(matches!(set_controller(&owner, &mut Node::default()), Err(Error::CrossNamespace { .. })));
        // An owner of the cluster may own anything.
        set_controller(&Namespace::default(), &mut elsewhere).unwrap();
    }
}
