use orlop_model::core::v1::ObjectReference;
use orlop_model::{KindInfo, Object, ObjectKey, OwnerReference, Str};

use crate::Error;

/// The object that is reconciled, as its children and its events refer to it.
#[derive(Clone, Debug)]
pub(crate) struct Owner {
    pub(crate) key: ObjectKey,
    pub(crate) reference: OwnerReference,
    pub(crate) about: ObjectReference,
}

impl Owner {
    pub(crate) fn of<K: Object>(object: &K) -> Self {
        Self { key: object.key(), reference: object.controller_reference(), about: reference_to(object) }
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

/// How an event refers to an object.
pub fn reference_to<K: Object>(object: &K) -> ObjectReference {
    let meta = object.meta();
    ObjectReference {
        kind: Str::from(&*object.kind().kind),
        namespace: meta.namespace.clone(),
        name: meta.name.clone(),
        uid: meta.uid.clone(),
        api_version: Str::from(&*object.kind().api_version()),
        resource_version: meta.resource_version.clone(),
        ..ObjectReference::default()
    }
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
