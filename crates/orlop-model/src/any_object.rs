//! [`AnyObject`], objects whose kind is known only at run time, without a change of form.

use std::any::Any;
use std::fmt;
use std::sync::Arc;

use serde_json::Value;

use crate::{KindInfo, Object, ObjectMeta, Path, Schema};

/// An [`Object`] of any kind behind a pointer: what manifests are read to, and what clients and stores hold.
///
/// Implemented for every [`Object`]; there is nothing to implement by hand. `dyn AnyObject` gives metadata, JSON and
/// comparison without knowing the type, and the type itself back by [`downcast`].
pub trait AnyObject: fmt::Debug + Send + Sync + 'static {
    /// The object's kind.
    fn kind(&self) -> &KindInfo;
    /// Its metadata.
    fn meta(&self) -> &ObjectMeta;
    /// Its metadata, to be changed; see [`Arc::get_mut`] and [`AnyObject::duplicate`].
    fn meta_mut(&mut self) -> &mut ObjectMeta;
    /// Its fields, where the type knows them.
    fn schema(&self) -> Option<&'static Schema>;
    /// Reports fields that the type does not know.
    fn unknown_fields(&self, path: &mut Path, found: &mut dyn FnMut(&Path, &str));
    /// A copy of its own.
    fn duplicate(&self) -> Arc<dyn AnyObject>;
    /// The object as a JSON document.
    ///
    /// # Errors
    /// If the type's own `Serialize` refuses.
    fn to_value(&self) -> serde_json::Result<Value>;
    /// The object as JSON text, byte for byte as Go writes it.
    fn to_json(&self) -> Vec<u8>;
    /// The object in Kubernetes' protobuf envelope; one whose type has no protobuf as JSON in it.
    fn to_protobuf(&self) -> Vec<u8>;
    /// The type itself, by reference.
    fn as_any(&self) -> &dyn Any;
    /// The type itself, to be changed.
    fn as_any_mut(&mut self) -> &mut dyn Any;
    /// The type itself, shared; see [`downcast`].
    fn into_any(self: Arc<Self>) -> Arc<dyn Any + Send + Sync>;
}

impl<K: Object> AnyObject for K {
    fn kind(&self) -> &KindInfo {
        Object::kind(self)
    }
    fn meta(&self) -> &ObjectMeta {
        Object::meta(self)
    }
    fn meta_mut(&mut self) -> &mut ObjectMeta {
        Object::meta_mut(self)
    }
    fn schema(&self) -> Option<&'static Schema> {
        Object::schema(self)
    }
    fn unknown_fields(&self, path: &mut Path, found: &mut dyn FnMut(&Path, &str)) {
        Object::unknown_fields(self, path, found);
    }
    fn duplicate(&self) -> Arc<dyn AnyObject> {
        Arc::new(self.clone())
    }
    fn to_value(&self) -> serde_json::Result<Value> {
        Object::to_value(self)
    }
    fn to_json(&self) -> Vec<u8> {
        Object::to_json(self)
    }
    fn to_protobuf(&self) -> Vec<u8> {
        Object::to_protobuf(self)
    }
    fn as_any(&self) -> &dyn Any {
        self
    }
    fn as_any_mut(&mut self) -> &mut dyn Any {
        self
    }
    fn into_any(self: Arc<Self>) -> Arc<dyn Any + Send + Sync> {
        self
    }
}

/// The object as the type it is, or `None` if it is of another type.
pub fn downcast<K: Object>(object: &Arc<dyn AnyObject>) -> Option<Arc<K>> {
    // The reference count is touched only if the type is right.
    object.as_any().downcast_ref::<K>()?;
    Arc::clone(object).into_any().downcast().ok()
}
