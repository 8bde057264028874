//! [`Object`], what every kind of object has, and [`ObjectKey`], how it is found.

use std::fmt;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::message::{self, Fields};
use crate::{Field, KindInfo, Message, ObjectMeta, OwnerReference, Path, Schema, Str, json, protobuf};

/// An object: a kind, metadata and a body that goes over the wire.
///
/// Derive it for own kinds; [`DynamicObject`](crate::DynamicObject) is for kinds that are known
/// only at run time.
pub trait Object: Clone + fmt::Debug + Serialize + DeserializeOwned + Send + Sync + 'static {
    /// Its kind.
    fn kind(&self) -> &KindInfo;
    /// Its metadata.
    fn meta(&self) -> &ObjectMeta;
    /// Its metadata, to be changed.
    fn meta_mut(&mut self) -> &mut ObjectMeta;
    /// The object as a message: its fields and their schema, where the type knows them.
    fn message(&self) -> Option<&dyn Fields> {
        None
    }
    /// The same, to be changed; of every type that has [`message`](Self::message).
    fn message_mut(&mut self) -> Option<&mut dyn Fields> {
        None
    }
    /// Its fields, where the type knows them: how lists are merged, among others.
    fn schema(&self) -> Option<&'static Schema> {
        self.message().map(Fields::schema)
    }
    /// Reports JSON fields that the type does not know, with the path of the struct that has them.
    fn unknown_fields(&self, path: &mut Path, found: &mut dyn FnMut(&Path, &str)) {
        if let Some(message) = self.message() {
            message::unknown_fields(message, path, found);
        }
    }
    /// The object as JSON text, byte for byte as Go writes it, without a line break at the end.
    fn to_json(&self) -> Vec<u8> {
        match self.message() {
            Some(message) => json::to_vec(message),
            None => serde_json::to_vec(self).unwrap_or_default(),
        }
    }
    /// The object as a JSON document.
    ///
    /// # Errors
    /// If the type's own `Serialize` refuses.
    fn to_value(&self) -> serde_json::Result<serde_json::Value> {
        serde_json::to_value(self)
    }
    /// The object in Kubernetes' protobuf envelope; one that is no [`Message`](crate::Message) as JSON in it.
    fn to_protobuf(&self) -> Vec<u8> {
        match self.message() {
            Some(message) => protobuf::to_vec(message),
            None => protobuf::around_json(&self.kind().api_version(), &self.kind().kind, &self.to_json()),
        }
    }

    /// Namespace and name.
    fn key(&self) -> ObjectKey {
        let meta = self.meta();
        ObjectKey { namespace: meta.namespace.non_empty().cloned(), name: meta.name.clone() }
    }

    /// A reference by which another object names this one as its controller.
    fn controller_reference(&self) -> OwnerReference {
        OwnerReference {
            api_version: Str::from(&*self.kind().api_version()),
            kind: Str::from(&*self.kind().kind),
            name: self.meta().name.clone(),
            uid: self.meta().uid.clone(),
            controller: Some(true),
            block_owner_deletion: Some(true),
            ..OwnerReference::default()
        }
    }
}

/// A kind that is known at compile time.
pub trait StaticKind: Object + Message + Field {
    /// The kind.
    const KIND: &'static KindInfo;
    /// The kind of lists of it, such as `PodList`; see [`ListOf`](crate::ListOf).
    const LIST_KIND: &'static str;
}

/// Namespace and name of an object.
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectKey {
    /// Its namespace; `None` for objects of the cluster.
    pub namespace: Option<Str>,
    /// Its name.
    pub name: Str,
}

impl ObjectKey {
    /// Key of an object in a namespace.
    pub fn namespaced(namespace: impl Into<Str>, name: impl Into<Str>) -> Self {
        Self { namespace: Some(namespace.into()), name: name.into() }
    }

    /// Key of an object of the cluster.
    pub fn cluster(name: impl Into<Str>) -> Self {
        Self { namespace: None, name: name.into() }
    }

    /// The namespace, empty for objects of the cluster.
    #[must_use]
    pub fn namespace(&self) -> &str {
        self.namespace.as_deref().unwrap_or_default()
    }
}

impl fmt::Display for ObjectKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.namespace {
            Some(namespace) => write!(formatter, "{namespace}/{}", self.name),
            None => fmt::Display::fmt(&self.name, formatter),
        }
    }
}

impl fmt::Debug for ObjectKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

impl ObjectMeta {
    /// The owner that controls the object, if any.
    #[must_use]
    pub fn controller(&self) -> Option<&OwnerReference> {
        self.owner_references.iter().find(|owner| owner.controller == Some(true))
    }

    /// Whether deletion has begun.
    #[must_use]
    pub fn is_deleting(&self) -> bool {
        self.deletion_timestamp.is_some()
    }
}
