//! A registered kind without its type: [`Resource`].

use std::any::Any;
use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

use bytes::Bytes;
use orlop_client::{AnyObject, Cause, Draft, Error, ObjectRef, Patch, Record, Result, downcast};
use orlop_model::apply;
use orlop_model::autoscaling::v1::Scale;
use orlop_model::table::Printer;
use orlop_model::tree::Shape;
use orlop_model::{DynamicObject, FieldError, KindInfo, Object, ObjectMeta, Path, Str, Time};
use orlop_store::{Codec, CodecError, Format, Key, KeyRange, Revision, Typed};
use serde_json::Value;

use crate::patch::patched;
use crate::strategy::{Strategy, validate_metadata};

/// What the verbs need of a kind: its [`Strategy`] over objects whose type is not known, and how they are stored.
pub(crate) trait Resource: Send + Sync + 'static {
    fn kind(&self) -> &Arc<KindInfo>;
    fn codec(&self) -> &Arc<dyn Codec>;
    /// The draft as an object that nobody else holds.
    fn open(&self, draft: Draft, strict: bool) -> Result<Arc<dyn AnyObject>>;
    /// What a patch makes of the stored object, as an object that nobody else holds.
    fn patch(&self, old: &dyn AnyObject, patch: &Patch, strict: bool) -> Result<Arc<dyn AnyObject>>;
    /// The object with a configuration applied to it; `None`: it stays as it is.
    fn apply(
        &self,
        live: Option<&dyn AnyObject>,
        config: &Value,
        options: &apply::Options<'_>,
    ) -> Result<Option<Arc<dyn AnyObject>>>;
    /// Gives what `new` has changed of `live` to the manager that writes it.
    fn track(
        &self,
        live: Option<&dyn AnyObject>,
        new: &mut dyn AnyObject,
        options: &apply::Options<'_>,
    ) -> Result<()>;
    fn default(&self, object: &mut dyn AnyObject) -> Result<()>;
    fn prepare_create(&self, object: &mut dyn AnyObject) -> Result<()>;
    fn prepare_update(&self, new: &mut dyn AnyObject, old: &dyn AnyObject) -> Result<()>;
    fn validate_create(&self, object: &dyn AnyObject) -> Result<Vec<FieldError>>;
    fn validate_update(&self, new: &dyn AnyObject, old: &dyn AnyObject) -> Result<Vec<FieldError>>;
    fn validate_status_update(&self, new: &dyn AnyObject, old: &dyn AnyObject) -> Result<Vec<FieldError>>;
    fn validate_metadata_update(&self, new: &dyn AnyObject, old: &dyn AnyObject) -> Result<Vec<FieldError>>;
    fn copy_status(&self, from: &dyn AnyObject, to: &mut dyn AnyObject) -> Result<()>;
    fn copy_status_metadata(&self, from: &ObjectMeta, to: &mut ObjectMeta);
    fn counts_generations(&self) -> bool;
    fn differs(&self, new: &dyn AnyObject, old: &dyn AnyObject) -> Result<bool>;
    fn equal(&self, left: &dyn AnyObject, right: &dyn AnyObject) -> Result<bool>;
    fn fields(&self) -> &'static [&'static str];
    fn field<'a>(&self, object: &'a dyn AnyObject, name: &str) -> Cow<'a, str>;
    fn grace(&self, object: &dyn AnyObject, asked: Option<i64>) -> Result<Option<i64>>;
    fn scale(&self, object: &dyn AnyObject) -> Result<Option<Scale>>;
    fn set_replicas(&self, object: &mut dyn AnyObject, replicas: i32) -> Result<()>;
    fn printer(&self) -> Printer;
    fn begin_deletion(&self, object: &mut dyn AnyObject, at: Time) -> Result<()>;
    fn is_held(&self, object: &dyn AnyObject) -> Result<bool>;
}

impl dyn Resource {
    /// The key of an object; for cluster-scoped kinds the namespace is not looked at.
    pub(crate) fn store_key(&self, namespace: &str, name: &str) -> Key {
        let prefix = self.prefix();
        Key::from(if self.kind().is_namespaced() {
            format!("{prefix}{namespace}/{name}")
        } else {
            format!("{prefix}{name}")
        })
    }

    /// The keys of the objects of a namespace, or of all.
    pub(crate) fn store_range(&self, namespace: Option<&str>) -> KeyRange {
        let prefix = self.prefix();
        KeyRange::prefix(match namespace {
            Some(namespace) if self.kind().is_namespaced() => format!("{prefix}{namespace}/"),
            _ => prefix,
        })
    }

    /// Kubernetes' own groups share one level; all others have a level of their own, so that plurals cannot clash.
    pub(crate) fn prefix(&self) -> String {
        let KindInfo { group, plural, .. } = &**self.kind();
        if !group.contains('.') || group.ends_with(".k8s.io") {
            format!("/registry/{plural}/")
        } else {
            format!("/registry/{group}/{plural}/")
        }
    }
}

impl fmt::Debug for dyn Resource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Resource({})", self.kind())
    }
}

/// A kind with its type and strategy.
pub(crate) struct Registered<K, S> {
    kind: Arc<KindInfo>,
    strategy: S,
    codec: Arc<dyn Codec>,
    object: PhantomData<fn() -> K>,
}

impl<K: Object, S: Strategy<K>> Registered<K, S> {
    pub(crate) fn new(kind: &KindInfo, strategy: S) -> Self {
        let kind = Arc::new(kind.clone());
        let codec = Arc::new(RecordCodec::<K> { kind: Arc::clone(&kind), object: PhantomData });
        Self { kind, strategy, codec, object: PhantomData }
    }

    fn read(&self, value: Value) -> Result<K> {
        read(&self.kind, value).map_err(|error| self.unreadable(&error))
    }

    fn unreadable(&self, error: &dyn fmt::Display) -> Error {
        let KindInfo { version, kind, .. } = &*self.kind;
        Error::bad_request(format!("{kind} in version {version:?} cannot be handled as a {kind}: {error}"))
    }

    fn refuse_unknown_fields(&self, object: &K) -> Result<()> {
        let mut unknown = Vec::new();
        object.unknown_fields(&mut Path::new(), &mut |path, name| {
            unknown.push(format!("unknown field {:?}", path.child(name)))
        });
        if unknown.is_empty() {
            Ok(())
        } else {
            Err(self.unreadable(&format_args!("strict decoding error: {}", unknown.join(", "))))
        }
    }

    fn typed<'a>(&self, object: &'a dyn AnyObject) -> Result<&'a K> {
        object.as_any().downcast_ref().ok_or_else(|| self.mistyped())
    }

    fn typed_mut<'a>(&self, object: &'a mut dyn AnyObject) -> Result<&'a mut K> {
        object.as_any_mut().downcast_mut().ok_or_else(|| self.mistyped())
    }

    /// What objects of the kind are like: as their type says, or nothing is known.
    fn target<'a>(&'a self, version: &'a str, object: &K) -> apply::Target<'a> {
        let unknown = || Shape::custom(self.strategy.structural_schema(), false);
        let shape = object.schema().map_or_else(unknown, Shape::Message);
        apply::Target::new(version, &self.kind.kind, shape)
    }

    fn refused(&self, error: apply::ApplyError, object: &K) -> Error {
        let apply::ApplyError::Conflicts(conflicts) = &error else {
            return Error::bad_request(error.to_string());
        };
        let cause = |conflict: &apply::Conflict| Cause {
            reason: Str::from_static("FieldManagerConflict"),
            field: conflict.field().into(),
            message: conflict.message().into(),
        };
        Error::ApplyConflict {
            object: Box::new(ObjectRef::new(&self.kind, &object.key())),
            causes: conflicts.iter().map(cause).collect(),
            message: error.to_string(),
        }
    }

    // Objects come from `open` or from the store's codec, both of which make a `K`.
    fn mistyped(&self) -> Error {
        Error::internal(format!("an object of {} is not a {}", self.kind, std::any::type_name::<K>()))
    }
}

impl<K: Object, S: Strategy<K>> Resource for Registered<K, S> {
    fn kind(&self) -> &Arc<KindInfo> {
        &self.kind
    }

    fn codec(&self) -> &Arc<dyn Codec> {
        &self.codec
    }

    fn apply(
        &self,
        live: Option<&dyn AnyObject>,
        config: &Value,
        options: &apply::Options<'_>,
    ) -> Result<Option<Arc<dyn AnyObject>>> {
        let empty;
        let live = match live {
            Some(live) => self.typed(live)?,
            None => {
                empty = self.read(Value::Object(serde_json::Map::new()))?;
                &empty
            }
        };
        let version = self.kind.api_version();
        let target = self.target(&version, live);
        let applied =
            apply::apply_to(live, config, &target, options).map_err(|error| self.refused(error, live))?;
        Ok(applied.map(|object| Arc::new(object) as Arc<dyn AnyObject>))
    }

    fn track(
        &self,
        live: Option<&dyn AnyObject>,
        new: &mut dyn AnyObject,
        options: &apply::Options<'_>,
    ) -> Result<()> {
        let live = live.map(|live| self.typed(live)).transpose()?;
        let new = self.typed_mut(new)?;
        let version = self.kind.api_version();
        let target = self.target(&version, new);
        // As in Kubernetes, an object of which nobody knows any more who owns what is stored all the same.
        if apply::update_to(live, new, &target, options).is_err() {
            new.meta_mut().managed_fields.clear();
        }
        Ok(())
    }

    fn open(&self, draft: Draft, strict: bool) -> Result<Arc<dyn AnyObject>> {
        let mut object: Arc<K> = match draft {
            Draft::Typed(object) => match downcast(&object) {
                Some(typed) => typed,
                None => Arc::new(self.read(Draft::Typed(object).into_value()?)?),
            },
            Draft::Json(value) => Arc::new(self.read(value)?),
        };
        if strict {
            self.refuse_unknown_fields(&object)?;
        }
        Arc::make_mut(&mut object);
        Ok(object)
    }

    fn patch(&self, old: &dyn AnyObject, patch: &Patch, strict: bool) -> Result<Arc<dyn AnyObject>> {
        let mut new = patched(self.typed(old)?, patch, strict)?;
        set_dynamic_kind(&mut new, || Arc::clone(&self.kind));
        Ok(Arc::new(new))
    }

    fn default(&self, object: &mut dyn AnyObject) -> Result<()> {
        self.strategy.default(self.typed_mut(object)?);
        Ok(())
    }

    fn prepare_create(&self, object: &mut dyn AnyObject) -> Result<()> {
        let object = self.typed_mut(object)?;
        self.strategy.clear_status(object)?;
        self.strategy.prepare_create(object);
        Ok(())
    }

    fn prepare_update(&self, new: &mut dyn AnyObject, old: &dyn AnyObject) -> Result<()> {
        self.strategy.prepare_update(self.typed_mut(new)?, self.typed(old)?);
        Ok(())
    }

    fn validate_create(&self, object: &dyn AnyObject) -> Result<Vec<FieldError>> {
        let object = self.typed(object)?;
        let mut errors = self.strategy.validate_metadata(object, None);
        errors.extend(self.strategy.validate_create(object));
        Ok(errors)
    }

    fn validate_update(&self, new: &dyn AnyObject, old: &dyn AnyObject) -> Result<Vec<FieldError>> {
        let (new, old) = (self.typed(new)?, self.typed(old)?);
        let mut errors = self.strategy.validate_metadata(new, Some(old));
        errors.extend(self.strategy.validate_update(new, old));
        Ok(errors)
    }

    fn validate_status_update(&self, new: &dyn AnyObject, old: &dyn AnyObject) -> Result<Vec<FieldError>> {
        let mut errors = self.validate_metadata_update(new, old)?;
        errors.extend(self.strategy.validate_status_update(self.typed(new)?, self.typed(old)?));
        Ok(errors)
    }

    fn validate_metadata_update(&self, new: &dyn AnyObject, old: &dyn AnyObject) -> Result<Vec<FieldError>> {
        Ok(validate_metadata(self.typed(new)?, Some(self.typed(old)?), self.strategy.name_rule()))
    }

    fn copy_status(&self, from: &dyn AnyObject, to: &mut dyn AnyObject) -> Result<()> {
        self.strategy.copy_status(self.typed(from)?, self.typed_mut(to)?)
    }

    fn copy_status_metadata(&self, from: &ObjectMeta, to: &mut ObjectMeta) {
        self.strategy.copy_status_metadata(from, to);
    }

    fn counts_generations(&self) -> bool {
        self.strategy.counts_generations()
    }

    fn differs(&self, new: &dyn AnyObject, old: &dyn AnyObject) -> Result<bool> {
        Ok(self.strategy.differs(self.typed(new)?, self.typed(old)?))
    }

    fn equal(&self, left: &dyn AnyObject, right: &dyn AnyObject) -> Result<bool> {
        Ok(self.strategy.equal(self.typed(left)?, self.typed(right)?))
    }

    fn fields(&self) -> &'static [&'static str] {
        self.strategy.fields()
    }

    fn field<'a>(&self, object: &'a dyn AnyObject, name: &str) -> Cow<'a, str> {
        match object.as_any().downcast_ref() {
            Some(object) => self.strategy.field(object, name),
            None => Cow::Borrowed(""),
        }
    }

    fn grace(&self, object: &dyn AnyObject, asked: Option<i64>) -> Result<Option<i64>> {
        Ok(self.strategy.grace(self.typed(object)?, asked))
    }

    fn scale(&self, object: &dyn AnyObject) -> Result<Option<Scale>> {
        Ok(self.strategy.scale(self.typed(object)?))
    }

    fn set_replicas(&self, object: &mut dyn AnyObject, replicas: i32) -> Result<()> {
        self.strategy.set_replicas(self.typed_mut(object)?, replicas)
    }

    fn printer(&self) -> Printer {
        self.strategy.printer()
    }

    fn begin_deletion(&self, object: &mut dyn AnyObject, at: Time) -> Result<()> {
        self.strategy.begin_deletion(self.typed_mut(object)?, at);
        Ok(())
    }

    fn is_held(&self, object: &dyn AnyObject) -> Result<bool> {
        Ok(self.strategy.is_held(self.typed(object)?))
    }
}

/// Brings an [`orlop_client::Record`], which is the typed form of every stored value, into bytes and back.
struct RecordCodec<K> {
    kind: Arc<KindInfo>,
    object: PhantomData<fn() -> K>,
}

impl<K: Object> Codec for RecordCodec<K> {
    fn encode(&self, value: &(dyn Any + Send + Sync), format: Format) -> Result<Bytes, CodecError> {
        let record = value.downcast_ref::<Record>().ok_or(CodecError::WrongType { expected: "Record" })?;
        match format {
            Format::Json => record.json().cloned().map_err(|error| CodecError::failed(format, error)),
            Format::Protobuf => Err(CodecError::failed(format, "objects are stored as JSON")),
        }
    }

    fn decode(&self, bytes: &Bytes, format: Format) -> Result<Typed, CodecError> {
        let Format::Json = format else {
            return Err(CodecError::failed(format, "objects are stored as JSON"));
        };
        let mut object: K =
            serde_json::from_slice(bytes).map_err(|error| CodecError::failed(format, error))?;
        set_dynamic_kind(&mut object, || Arc::clone(&self.kind));
        Ok(Arc::new(Record::new(object)))
    }

    fn stamp(&self, value: &Typed, revision: Revision) -> Option<Typed> {
        let object = value.downcast_ref::<Record>()?.object()?;
        Some(Arc::new(stamped(object.duplicate(), revision)))
    }
}

impl<K> fmt::Debug for RecordCodec<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RecordCodec({})", self.kind)
    }
}

/// The object as it is at that revision; it is copied only if somebody else holds it too.
pub(crate) fn stamped(mut object: Arc<dyn AnyObject>, revision: Revision) -> Record {
    if Arc::get_mut(&mut object).is_none() {
        object = object.duplicate();
    }
    if let Some(object) = Arc::get_mut(&mut object) {
        object.meta_mut().resource_version = revision.to_string().into();
    }
    Record::from_object(object)
}

/// Reads an object of a kind; the document may leave out apiVersion and kind.
fn read<K: Object>(kind: &Arc<KindInfo>, mut value: Value) -> serde_json::Result<K> {
    if let Value::Object(fields) = &mut value {
        for (name, wanted) in [("apiVersion", kind.api_version()), ("kind", Cow::Borrowed(&*kind.kind))] {
            match fields.get(name).and_then(Value::as_str) {
                None | Some("") => drop(fields.insert(name.to_owned(), Value::from(&*wanted))),
                Some(found) if found != wanted => {
                    return Err(serde::de::Error::custom(format_args!(
                        "{name} is {found:?}, expected {wanted:?}"
                    )));
                }
                Some(_) => {}
            }
        }
    }
    let mut object = serde_json::from_value(value)?;
    set_dynamic_kind(&mut object, || Arc::clone(kind));
    Ok(object)
}

/// A [`DynamicObject`] read from a document can only guess its plural and scope: sets what is known.
pub(crate) fn set_dynamic_kind<K: Object>(object: &mut K, kind: impl FnOnce() -> Arc<KindInfo>) {
    if let Some(object) = (object as &mut dyn Any).downcast_mut::<DynamicObject>() {
        object.kind = kind();
    }
}
