use std::fmt;
use std::sync::Arc;

use orlop_model::{Object, ObjectKey, Str};

use crate::table::View;

/// The objects of a store at one moment. Clones are handles to the same.
pub struct Snapshot<K> {
    view: View<K>,
    revision: Str,
}

impl<K: Object> Snapshot<K> {
    pub(crate) const fn new(view: View<K>, revision: Str) -> Self {
        Self { view, revision }
    }

    /// The resourceVersion up to which the store had come.
    #[must_use]
    pub const fn revision(&self) -> &Str {
        &self.revision
    }

    /// The object with this key.
    #[must_use]
    pub fn get(&self, key: &ObjectKey) -> Option<&Arc<K>> {
        self.view.get(key.namespace(), &key.name)
    }

    /// All objects, in the order of their keys.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<K>> {
        self.view.iter()
    }

    /// The objects of a namespace, by name.
    pub fn iter_in<'a>(&'a self, namespace: &str) -> impl Iterator<Item = &'a Arc<K>> + use<'a, K> {
        self.view.iter_in(namespace)
    }

    /// How many objects there are.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.view.len()
    }

    /// Whether there are no objects.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl<K> Clone for Snapshot<K> {
    fn clone(&self) -> Self {
        Self { view: self.view.clone(), revision: self.revision.clone() }
    }
}

impl<K: Object> fmt::Debug for Snapshot<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Snapshot").field("objects", &self.len()).field("revision", &self.revision).finish()
    }
}
