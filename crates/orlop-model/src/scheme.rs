//! [`Scheme`], the kinds that a program knows: by name, by resource, and how to read each.

#[cfg(feature = "builtin")]
mod builtin;
#[cfg(feature = "documents")]
mod discovery;

use std::fmt;
use std::sync::Arc;

use serde_json::Value;

use crate::{AnyObject, DynamicObject, KindInfo, Message, Path, StaticKind, Step, json, protobuf};

/// The kinds that a program knows.
///
/// ```
/// use orlop_model::core::v1::Pod;
/// use orlop_model::scheme::Scheme;
///
/// let scheme = Scheme::builtin();
/// assert_eq!(scheme.resource("deploy").unwrap().kind, "Deployment");
/// assert_eq!(scheme.resource("deployments.v1.apps").unwrap().kind, "Deployment");
///
/// let object = scheme.decode(serde_json::json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}}))?;
/// assert!(object.as_any().is::<Pod>());
/// # Ok::<(), orlop_model::scheme::DecodeError>(())
/// ```
#[derive(Clone, Default)]
pub struct Scheme {
    kinds: Vec<Entry>,
    accepts_unknown: bool,
}

#[derive(Clone)]
struct Entry {
    kind: Arc<KindInfo>,
    decode: fn(Value, &Arc<KindInfo>) -> Decoded,
    /// `None`: the kind has no protobuf.
    decode_protobuf: Option<DecodeProtobuf>,
    /// The fields of the kind and of lists of it, where there is a type.
    #[cfg(feature = "documents")]
    schemas: Option<[&'static crate::Schema; 2]>,
}

type DecodeProtobuf = fn(&[u8]) -> Result<Arc<dyn AnyObject>, protobuf::Error>;

type Decoded = Result<Arc<dyn AnyObject>, DecodeError>;

impl Scheme {
    /// No kind at all.
    #[must_use]
    pub fn empty() -> Self {
        Self::default()
    }

    /// All kinds of this crate's features.
    #[cfg(feature = "builtin")]
    #[must_use]
    pub fn builtin() -> Self {
        let mut scheme = Self::empty();
        builtin::register(&mut scheme);
        scheme
    }

    /// Adds a kind; one of the same names that is known already is replaced.
    pub fn register<K: StaticKind>(&mut self) -> &mut Self {
        self.insert(Entry {
            kind: Arc::new(K::KIND.clone()),
            decode: |value, _| Ok(Arc::new(decode::<K>(&value)?)),
            decode_protobuf: Some(|bytes| Ok(Arc::new(protobuf::from_slice::<K>(bytes)?))),
            #[cfg(feature = "documents")]
            schemas: Some([K::SCHEMA, <crate::ListOf<K> as Message>::SCHEMA]),
        })
    }

    /// Adds a kind that is known only at run time; its objects are read as [`DynamicObject`]s.
    pub fn register_dynamic(&mut self, kind: KindInfo) -> &mut Self {
        self.insert(Entry {
            kind: Arc::new(kind),
            decode: decode_dynamic,
            decode_protobuf: None,
            #[cfg(feature = "documents")]
            schemas: None,
        })
    }

    fn insert(&mut self, entry: Entry) -> &mut Self {
        match self.kinds.iter_mut().find(|other| other.kind.is(&entry.kind)) {
            Some(other) => *other = entry,
            None => self.kinds.push(entry),
        }
        self
    }

    /// Reads objects of kinds it does not know as [`DynamicObject`]s, instead of refusing them.
    pub fn accept_unknown(&mut self) -> &mut Self {
        self.accepts_unknown = true;
        self
    }

    /// All kinds, in the order in which they were added.
    pub fn kinds(&self) -> impl Iterator<Item = &Arc<KindInfo>> {
        self.kinds.iter().map(|entry| &entry.kind)
    }

    /// The kind of these names.
    #[must_use]
    pub fn kind(&self, api_version: &str, kind: &str) -> Option<&Arc<KindInfo>> {
        self.entry(api_version, kind).map(|entry| &entry.kind)
    }

    fn entry(&self, api_version: &str, kind: &str) -> Option<&Entry> {
        self.kinds.iter().find(|entry| entry.kind.kind == kind && entry.kind.api_version() == api_version)
    }

    /// The kind that people mean by a resource: plural, singular, short name or kind, in any case,
    /// alone or with the group (`deploy.apps`), or with version and group (`deployments.v1.apps`).
    /// Where several kinds fit, plurals go before singulars before short names, then the one that
    /// was added first.
    #[must_use]
    pub fn resource(&self, name: &str) -> Option<&Arc<KindInfo>> {
        let name = name.to_lowercase();
        let (resource, rest) =
            name.split_once('.').map_or((name.as_str(), None), |(name, rest)| (name, Some(rest)));
        let in_group = |kind: &KindInfo| {
            rest.is_none_or(|rest| {
                rest == kind.group
                    || rest
                        .split_once('.')
                        .is_some_and(|(version, group)| version == kind.version && group == kind.group)
                    || (kind.group.is_empty() && rest == kind.version)
            })
        };
        let rank = |kind: &KindInfo| {
            if kind.plural == resource {
                Some(0)
            } else if kind.singular == resource || kind.kind.eq_ignore_ascii_case(resource) {
                Some(1)
            } else {
                kind.short_names.iter().any(|short| short == resource).then_some(2)
            }
        };
        self.kinds()
            .filter(|kind| in_group(kind))
            .filter_map(|kind| Some((rank(kind)?, kind)))
            .min_by_key(|(rank, _)| *rank)
            .map(|(_, kind)| kind)
    }

    /// Reads an object to the type of its kind.
    ///
    /// # Errors
    /// If it has no `apiVersion` or `kind`, its kind is unknown, or a field is of another type.
    pub fn decode(&self, value: Value) -> Result<Arc<dyn AnyObject>, DecodeError> {
        let text = |name: &'static str| match &value[name] {
            Value::String(text) if !text.is_empty() => Ok(text.as_str()),
            Value::Null | Value::String(_) => Err(DecodeError::new(DecodeErrorKind::Missing(name))),
            other => Err(DecodeError {
                path: vec![Step::Key(name.to_owned())],
                kind: DecodeErrorKind::WrongType(format!(
                    "invalid type: {}, expected a string",
                    type_name(other)
                )),
            }),
        };
        if !value.is_object() {
            return Err(DecodeError::new(DecodeErrorKind::NotAnObject));
        }
        let (kind, api_version) = (text("kind")?, text("apiVersion")?);
        match self.entry(api_version, kind) {
            Some(entry) => (entry.decode)(value, &entry.kind),
            None if self.accepts_unknown => {
                let kind = Arc::new(KindInfo::guess(api_version, kind));
                decode_dynamic(value, &kind)
            }
            None => Err(DecodeError::new(DecodeErrorKind::UnknownKind {
                api_version: api_version.to_owned(),
                kind: kind.to_owned(),
            })),
        }
    }
}

impl Scheme {
    /// Reads an object in Kubernetes' protobuf envelope to the type of its kind. An envelope may have JSON in it, as
    /// objects have whose types have no protobuf.
    ///
    /// # Errors
    /// If the envelope or the object is malformed, or its kind is unknown or has no protobuf.
    pub fn decode_protobuf(&self, bytes: &[u8]) -> Result<Arc<dyn AnyObject>, DecodeError> {
        let wrong = |error: protobuf::Error| DecodeError::new(DecodeErrorKind::Protobuf(error));
        let envelope = protobuf::Envelope::parse(bytes).map_err(wrong)?;
        if envelope.is_json() {
            let wrong =
                |error: &dyn fmt::Display| DecodeError::new(DecodeErrorKind::WrongType(error.to_string()));
            let text = std::str::from_utf8(envelope.raw).map_err(|error| wrong(&error))?;
            let value = serde_json::from_str(text).map_err(|error| wrong(&error))?;
            return self.decode(value);
        }
        let entry = self.entry(&envelope.api_version, &envelope.kind);
        match entry.and_then(|entry| entry.decode_protobuf) {
            Some(decode) => decode(bytes).map_err(wrong),
            None => Err(DecodeError::new(DecodeErrorKind::UnknownKind {
                api_version: envelope.api_version.to_string(),
                kind: envelope.kind.to_string(),
            })),
        }
    }
}

impl fmt::Debug for Scheme {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_set().entries(self.kinds().map(ToString::to_string)).finish()
    }
}

fn type_name(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "list",
        Value::Object(_) => "map",
    }
}

fn decode_dynamic(value: Value, kind: &Arc<KindInfo>) -> Decoded {
    let mut object = DynamicObject::new(Arc::clone(kind));
    let Value::Object(body) = value else { return Err(DecodeError::new(DecodeErrorKind::NotAnObject)) };
    object.body = body;
    for name in ["apiVersion", "kind"] {
        object.body.remove(name);
    }
    match object.body.remove("metadata") {
        None | Some(Value::Null) => {}
        Some(metadata) => {
            json::read_value(&metadata, &mut object.metadata).map_err(|(mut path, message)| {
                path.insert(0, Step::Key("metadata".to_owned()));
                DecodeError { path, kind: DecodeErrorKind::WrongType(message) }
            })?
        }
    }
    Ok(Arc::new(object))
}

/// Reads an object, so that an error knows its place.
pub(crate) fn decode<K: Message>(value: &Value) -> Result<K, DecodeError> {
    let mut object = K::default();
    match json::read_value(value, &mut object) {
        Ok(()) => Ok(object),
        Err((path, message)) => Err(DecodeError { path, kind: DecodeErrorKind::WrongType(message) }),
    }
}

/// Why a document cannot be read to an object.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}{kind}", prefix(path))]
pub struct DecodeError {
    /// The field, from the document inwards.
    pub path: Vec<Step>,
    /// What is wrong.
    pub kind: DecodeErrorKind,
}

impl DecodeError {
    fn new(kind: DecodeErrorKind) -> Self {
        Self { path: Vec::new(), kind }
    }
}

/// What is wrong with a document.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DecodeErrorKind {
    /// It is no object, but a list or a single value.
    #[error("not an object")]
    NotAnObject,
    /// A field is not there.
    #[error("missing field {0:?}")]
    Missing(&'static str),
    /// Nobody has registered its kind.
    #[error("no matches for kind {kind:?} in version {api_version:?}")]
    UnknownKind {
        /// Its `apiVersion`.
        api_version: String,
        /// Its `kind`.
        kind: String,
    },
    /// A value is of another type than its field.
    #[error("{0}")]
    WrongType(String),
    /// The protobuf of it is wrong.
    #[error(transparent)]
    Protobuf(protobuf::Error),
}

fn prefix(path: &[Step]) -> String {
    if path.is_empty() { String::new() } else { format!("{}: ", path.iter().collect::<Path>()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Object;
    use serde_json::json;

    #[test]
    fn resources_have_many_names() {
        let scheme = Scheme::builtin();
        for (name, kind) in [
            ("pods", "Pod"),
            ("po", "Pod"),
            ("Pod", "Pod"),
            ("pods.v1", "Pod"),
            ("rs", "ReplicaSet"),
            ("rs.apps", "ReplicaSet"),
            ("deployment.v1.apps", "Deployment"),
            ("cm", "ConfigMap"),
            ("leases.coordination.k8s.io", "Lease"),
        ] {
            assert_eq!(scheme.resource(name).map(|kind| &*kind.kind), Some(kind), "{name}");
        }
        for name in ["", "pod.apps", "deployments.v2.apps", "widgets"] {
            assert_eq!(scheme.resource(name), None, "{name}");
        }
    }

    #[test]
    fn errors_name_the_field() {
        let scheme = Scheme::builtin();
        let error = |value| scheme.decode(value).unwrap_err().to_string();
        let deployment =
            json!({"apiVersion": "apps/v1", "kind": "Deployment", "spec": {"replicas": "three"}});
        assert_eq!(error(deployment), "spec.replicas: invalid type: string \"three\", expected i32");
        let pod = json!({"apiVersion": "v1", "kind": "Pod", "spec": {"containers": [{}, {"name": 1}]}});
        assert_eq!(error(pod), "spec.containers[1].name: invalid type: integer `1`, expected a string");
        assert_eq!(error(json!({"kind": "Pod"})), "missing field \"apiVersion\"");
        assert_eq!(error(json!({"kind": 5})), "kind: invalid type: number, expected a string");
        assert_eq!(error(json!([])), "not an object");
        assert_eq!(
            error(json!({"apiVersion": "v2", "kind": "Pod"})),
            "no matches for kind \"Pod\" in version \"v2\""
        );
    }

    #[test]
    fn protobuf_is_read_by_kind() {
        let scheme = Scheme::builtin();
        let map = crate::core::v1::ConfigMap { metadata: named("m"), ..Default::default() };
        let read = scheme.decode_protobuf(&Object::to_protobuf(&map)).unwrap();
        assert_eq!(*crate::downcast::<crate::core::v1::ConfigMap>(&read).unwrap(), map);

        let kind = Arc::new(KindInfo::guess("example.dev/v1", "Website"));
        let site = DynamicObject { metadata: named("s"), ..DynamicObject::new(kind) };
        let bytes = Object::to_protobuf(&site);
        assert!(scheme.decode_protobuf(&bytes).is_err());
        let read = Scheme::empty().accept_unknown().decode_protobuf(&bytes).unwrap();
        assert_eq!(*crate::downcast::<DynamicObject>(&read).unwrap(), site);
    }

    fn named(name: &str) -> crate::ObjectMeta {
        crate::ObjectMeta { name: name.into(), ..Default::default() }
    }

    #[test]
    fn unknown_kinds_are_read_if_asked_for() {
        let mut scheme = Scheme::empty();
        let value = json!({"apiVersion": "example.dev/v1", "kind": "Website", "spec": {"host": "h"}});
        assert!(scheme.decode(value.clone()).is_err());
        let object = scheme.accept_unknown().decode(value.clone()).unwrap();
        assert_eq!(object.kind().plural, "websites");
        let mut kind = KindInfo::guess("example.dev/v1", "Website");
        kind.plural = "webpages".into();
        let object = scheme.register_dynamic(kind).decode(value).unwrap();
        assert_eq!(object.kind().plural, "webpages");
    }
}
