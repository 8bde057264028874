//! One object at one revision.

use std::any::Any;
use std::fmt;
use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use orlop_model::{DynamicObject, KindInfo, Object, ObjectKey, ObjectMeta, Str};
use serde::Deserialize;
use serde_json::Value;

use crate::{AnyObject, Error, IntoDraft, Result, downcast};

/// One object at one revision, shared by all who hold the `Arc<Record>`: its typed form and its JSON text, each made at
/// most once and only when asked for.
///
/// ```
/// # use orlop_client::Record;
/// # use orlop_model::core::v1::{ConfigMap, Pod};
/// let mut map = ConfigMap::default();
/// map.metadata.name = "settings".into();
/// let record = Record::new(map);
/// assert_eq!(record.get::<ConfigMap>()?.metadata.name, "settings"); // shared, not decoded
/// assert!(record.get::<Pod>().is_err());
/// # Ok::<(), orlop_client::Error>(())
/// ```
pub struct Record {
    form: Form,
    // A second typed form, of the type that was asked for first.
    other: OnceLock<Arc<dyn AnyObject>>,
    json: OnceLock<Bytes>,
}

enum Form {
    Typed(Arc<dyn AnyObject>),
    Json(Box<Undecoded>),
}

struct Undecoded {
    kind: KindInfo,
    meta: ObjectMeta,
}

impl Record {
    /// A record of a typed object: `Record::new(pod)`, `Record::new(&shared)`.
    pub fn new<K: Object>(object: impl IntoDraft<K>) -> Self {
        Self::from_object(object.into_arc())
    }

    /// A record of a typed object of any kind.
    pub fn from_object(object: Arc<dyn AnyObject>) -> Self {
        Self { form: Form::Typed(object), other: OnceLock::new(), json: OnceLock::new() }
    }

    /// A record of an object of that kind that came as JSON text; only its metadata is decoded now.
    ///
    /// # Errors
    /// [`Error::Decode`] if the text is no JSON object, or its metadata cannot be read.
    pub fn from_json(kind: &KindInfo, json: impl Into<Bytes>) -> Result<Self> {
        #[derive(Deserialize)]
        struct Partial {
            #[serde(default)]
            metadata: Option<ObjectMeta>,
        }
        let json = json.into();
        let partial: Partial =
            serde_json::from_slice(&json).map_err(|error| Error::decode(kind, "", error))?;
        let meta = partial.metadata.unwrap_or_default();
        let form = Form::Json(Box::new(Undecoded { kind: kind.clone(), meta }));
        Ok(Self { form, other: OnceLock::new(), json: OnceLock::from(json) })
    }

    /// The object's kind.
    pub fn kind(&self) -> &KindInfo {
        match &self.form {
            Form::Typed(object) => object.kind(),
            Form::Json(undecoded) => &undecoded.kind,
        }
    }

    /// The object's metadata.
    pub fn meta(&self) -> &ObjectMeta {
        match &self.form {
            Form::Typed(object) => object.meta(),
            Form::Json(undecoded) => &undecoded.meta,
        }
    }

    /// Namespace (unless cluster-scoped) and name.
    pub fn key(&self) -> ObjectKey {
        let meta = self.meta();
        ObjectKey { namespace: meta.namespace.non_empty().cloned(), name: meta.name.clone() }
    }

    /// The object's resourceVersion.
    pub fn resource_version(&self) -> Str {
        self.meta().resource_version.clone()
    }

    /// The object as a `K`: the shared typed form itself if that is a `K`, otherwise decoded once and kept.
    ///
    /// # Errors
    /// [`Error::Decode`] if the object is no valid `K`.
    pub fn get<K: Object>(&self) -> Result<Arc<K>> {
        if let Some(object) = self.typed() {
            return Ok(object);
        }
        let mut decoded = self.decode::<K>()?;
        // It can only guess its kind's plural and scope from the document.
        if let Some(dynamic) = (&mut decoded as &mut dyn Any).downcast_mut::<DynamicObject>() {
            dynamic.kind = Arc::new(self.kind().clone());
        }
        let decoded = Arc::new(decoded);
        // Of two at once the first to come stays; the other's is as good.
        drop(self.other.set(decoded.clone()));
        Ok(decoded)
    }

    /// The object as a `K` if it is there in that form already; never decodes.
    pub fn typed<K: Object>(&self) -> Option<Arc<K>> {
        if let Form::Typed(object) = &self.form
            && let Some(object) = downcast(object)
        {
            return Some(object);
        }
        self.other.get().and_then(downcast)
    }

    /// The typed form of whatever type, if there is one.
    pub fn object(&self) -> Option<&Arc<dyn AnyObject>> {
        match &self.form {
            Form::Typed(object) => Some(object),
            Form::Json(_) => self.other.get(),
        }
    }

    /// The object as JSON text, encoded once.
    ///
    /// # Errors
    /// [`Error::Internal`] if the type's own `Serialize` refuses.
    pub fn json(&self) -> Result<&Bytes> {
        if let Some(json) = self.json.get() {
            return Ok(json);
        }
        let json = match &self.form {
            Form::Typed(object) => object.to_json(),
            Form::Json(_) => Vec::new(), // never: its text is set from the start
        };
        Ok(self.json.get_or_init(|| json.into()))
    }

    /// The object as a JSON document, made anew by each call.
    ///
    /// # Errors
    /// [`Error::Internal`] if the type's own `Serialize` refuses, [`Error::Decode`] if the text is no JSON.
    pub fn to_value(&self) -> Result<Value> {
        match &self.form {
            Form::Typed(object) => object
                .to_value()
                .map_err(|error| Error::internal(format!("encoding {}: {error}", self.kind().kind))),
            Form::Json(_) => serde_json::from_slice(self.json()?)
                .map_err(|error| Error::decode(self.kind(), &self.meta().name, error)),
        }
    }

    fn decode<K: Object>(&self) -> Result<K> {
        let result = match self.json.get() {
            Some(json) => serde_json::from_slice(json),
            None => serde_json::from_value(self.to_value()?),
        };
        result.map_err(|error| Error::decode(self.kind(), &self.meta().name, error))
    }
}

impl fmt::Debug for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} @{}", self.kind().kind, self.key(), self.resource_version())
    }
}

/// The objects of a list, as they were at one revision.
#[derive(Clone, Debug, Default)]
pub struct RecordList {
    /// Sorted by the text `namespace/name`.
    pub items: Vec<Arc<Record>>,
    /// The revision of the list: a watch from here misses nothing.
    pub resource_version: Str,
    /// Goes on behind the last item, at the same revision; empty at the end.
    pub continue_: String,
    /// How many more there are, where that is known (never with selectors).
    pub remaining: Option<u64>,
}

/// What a delete came to.
#[derive(Clone, Debug)]
pub enum Deleted {
    /// The object is gone; this was its last state, with the resourceVersion of the deletion.
    Gone(Arc<Record>),
    /// The object stays for now with a deletionTimestamp, held by finalizers or a grace period.
    Pending(Arc<Record>),
}

impl Deleted {
    /// The object's last or present state.
    pub fn record(&self) -> &Arc<Record> {
        match self {
            Self::Gone(record) | Self::Pending(record) => record,
        }
    }

    /// Whether the object is gone.
    pub fn is_gone(&self) -> bool {
        matches!(self, Self::Gone(_))
    }
}

#[cfg(test)]
mod tests {
    use orlop_model::StaticKind;
    use orlop_model::core::v1::{ConfigMap, Pod};

    use super::*;

    const TEXT: &str = r#"{"kind":"ConfigMap","apiVersion":"v1","metadata":{"name":"a","namespace":"b","resourceVersion":"7"},"data":{"k":"v"}}"#;

    #[test]
    fn text_is_decoded_when_asked_and_once() {
        let record = Record::from_json(ConfigMap::KIND, TEXT).unwrap();
        assert_eq!((record.key().to_string(), &*record.resource_version()), ("b/a".to_owned(), "7"));
        assert!(record.object().is_none() && record.typed::<ConfigMap>().is_none());
        let map = record.get::<ConfigMap>().unwrap();
        assert_eq!(map.data.get("k").map(|value| &**value), Some("v"));
        assert!(Arc::ptr_eq(&map, &record.get::<ConfigMap>().unwrap()));
        assert_eq!(record.json().unwrap(), TEXT);
        assert!(matches!(record.get::<Pod>(), Err(Error::Decode { .. })));
        assert!(Record::from_json(ConfigMap::KIND, "{").is_err());
    }

    #[test]
    fn forms_are_made_of_each_other() {
        let map: ConfigMap = serde_json::from_str(TEXT).unwrap();
        let record = Record::new(map);
        assert_eq!(record.json().unwrap(), TEXT);
        let dynamic = record.get::<DynamicObject>().unwrap();
        assert_eq!((&*dynamic.kind.plural, &dynamic.body["data"]["k"]), ("configmaps", &Value::from("v")));
        assert!(Arc::ptr_eq(&dynamic, &record.get().unwrap()));
        assert!(Arc::ptr_eq(&record.get::<ConfigMap>().unwrap(), &record.get().unwrap()));
        assert_eq!(format!("{record:?}"), "ConfigMap b/a @7");
    }
}
