//! Objects on their way to the server.

use std::sync::Arc;

use orlop_model::Object;
use serde_json::Value;

use crate::{AnyObject, Error, Result};

/// An object as a caller writes it.
#[derive(Clone, Debug)]
pub enum Draft {
    /// A typed object. A local client stores this very object where nobody else holds it, and a copy otherwise; nothing
    /// is encoded.
    Typed(Arc<dyn AnyObject>),
    /// A JSON document; `apiVersion` and `kind` may be left out.
    Json(Value),
}

impl Draft {
    /// A draft of a typed object: `Draft::of(pod)`, `Draft::of(&shared)`.
    pub fn of<K: Object>(object: impl IntoDraft<K>) -> Self {
        Self::Typed(object.into_arc())
    }

    /// The draft as a JSON document.
    ///
    /// # Errors
    /// [`Error::Internal`] if the type's own `Serialize` refuses.
    pub fn into_value(self) -> Result<Value> {
        match self {
            Self::Typed(object) => object
                .to_value()
                .map_err(|error| Error::internal(format!("encoding {}: {error}", object.kind().kind))),
            Self::Json(value) => Ok(value),
        }
    }
}

impl From<Value> for Draft {
    fn from(value: Value) -> Self {
        Self::Json(value)
    }
}

impl From<Arc<dyn AnyObject>> for Draft {
    fn from(object: Arc<dyn AnyObject>) -> Self {
        Self::Typed(object)
    }
}

/// What is taken as an object: a `K` (moved in, never copied by a local client), an `Arc<K>`, a `&K`, a `&Arc<K>`.
pub trait IntoDraft<K> {
    /// The object, shared.
    fn into_arc(self) -> Arc<K>;
}

impl<K: Object> IntoDraft<K> for K {
    fn into_arc(self) -> Arc<K> {
        Arc::new(self)
    }
}

impl<K: Object> IntoDraft<K> for &K {
    fn into_arc(self) -> Arc<K> {
        Arc::new(self.clone())
    }
}

impl<K: Object> IntoDraft<K> for Arc<K> {
    fn into_arc(self) -> Self {
        self
    }
}

impl<K: Object> IntoDraft<K> for &Arc<K> {
    fn into_arc(self) -> Arc<K> {
        Arc::clone(self)
    }
}
