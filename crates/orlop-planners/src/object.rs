//! [`PlannedObject`]: an object of one of the kinds that planners write.

use std::sync::Arc;

use orlop_model::apps::v1::{Deployment, ReplicaSet};
use orlop_model::batch::v1::Job;
use orlop_model::core::v1::{Node, Pod};
use orlop_model::{KindInfo, Object, ObjectKey, ObjectMeta, StaticKind};
use serde_json::Value;

/// What [`PlannedObject::visit`] calls: a function over every kind.
pub trait Visit {
    /// What comes back.
    type Output;
    /// Called with the object as the kind it is.
    fn visit<K: StaticKind>(self, object: &Arc<K>) -> Self::Output;
}

macro_rules! planned_objects {
    ($($kind:ident),* $(,)?) => {
        /// An object of one of the kinds that planners write.
        ///
        /// [`visit`](Self::visit) hands it to a function over every kind, so that a caller needs no list of them:
        ///
        /// ```
        /// use std::sync::Arc;
        /// use orlop_model::{StaticKind, core::v1::Pod};
        /// use orlop_planners::{PlannedObject, Visit};
        ///
        /// struct Encode;
        /// impl Visit for Encode {
        ///     type Output = serde_json::Result<String>;
        ///     fn visit<K: StaticKind>(self, object: &Arc<K>) -> Self::Output {
        ///         serde_json::to_string(object)
        ///     }
        /// }
        ///
        /// let object = PlannedObject::from(Pod::default());
        /// assert!(object.visit(Encode)?.contains(r#""kind":"Pod""#));
        /// # Ok::<(), serde_json::Error>(())
        /// ```
        #[derive(Clone, Debug, PartialEq)]
        #[non_exhaustive]
        pub enum PlannedObject {
            $(#[doc = concat!("A ", stringify!($kind), ".")] $kind(Arc<$kind>),)*
        }

        impl PlannedObject {
            /// Calls `visitor` with the object as the kind it is.
            pub fn visit<V: Visit>(&self, visitor: V) -> V::Output {
                match self {
                    $(Self::$kind(object) => visitor.visit(object),)*
                }
            }

            /// Its kind.
            #[must_use]
            pub fn kind(&self) -> &'static KindInfo {
                match self {
                    $(Self::$kind(_) => <$kind as StaticKind>::KIND,)*
                }
            }

            /// Its metadata.
            #[must_use]
            pub fn meta(&self) -> &ObjectMeta {
                match self {
                    $(Self::$kind(object) => object.meta(),)*
                }
            }
        }

        $(
            impl From<$kind> for PlannedObject {
                fn from(object: $kind) -> Self {
                    Self::$kind(Arc::new(object))
                }
            }
            impl From<Arc<$kind>> for PlannedObject {
                fn from(object: Arc<$kind>) -> Self {
                    Self::$kind(object)
                }
            }
        )*
    };
}

planned_objects!(Deployment, Job, Node, Pod, ReplicaSet);

impl PlannedObject {
    /// Namespace and name.
    #[must_use]
    pub fn key(&self) -> ObjectKey {
        let meta = self.meta();
        ObjectKey { namespace: meta.namespace.non_empty().cloned(), name: meta.name.clone() }
    }

    /// The object as JSON.
    ///
    /// # Errors
    /// If it cannot be written as JSON.
    pub fn to_value(&self) -> serde_json::Result<Value> {
        struct ToValue;
        impl Visit for ToValue {
            type Output = serde_json::Result<Value>;
            fn visit<K: StaticKind>(self, object: &Arc<K>) -> Self::Output {
                serde_json::to_value(&**object)
            }
        }
        self.visit(ToValue)
    }
}
