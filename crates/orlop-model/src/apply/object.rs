//! Server-side apply of objects: typed, dynamic, or plain JSON.

use std::any::Any;

use serde_json::Value;

use super::compare::Comparison;
use super::managed::{Managed, is_same};
use super::remove::extract;
use super::updater::Updater;
use super::walk::field_set;
use super::{ApplyError, Conflicts, FieldSet, KeyDefaults, last_applied};
use crate::meta::v1::ManagedFieldsEntry;
use crate::tree::{Node, NodeMut, Shape};
use crate::{DynamicObject, List, Object, Schema, Time};

/// What objects of one kind are like: the version in which they are applied, and the shape it gives them.
#[derive(Clone, Copy, Debug)]
pub struct Target<'a> {
    /// Group and version, such as `apps/v1`.
    pub api_version: &'a str,
    /// The kind.
    pub kind: &'a str,
    /// What is known of its fields.
    pub shape: Shape<'a>,
    /// Other versions of the same group that have the same fields, and their shapes: managers may own fields in them. The
    /// managers of versions that are not named here are dropped.
    pub others: &'a [(&'a str, Shape<'a>)],
}

impl<'a> Target<'a> {
    /// A kind with one version.
    #[must_use]
    pub const fn new(api_version: &'a str, kind: &'a str, shape: Shape<'a>) -> Self {
        Self { api_version, kind, shape, others: &[] }
    }

    pub(super) fn shape_of(&self, api_version: &str) -> Option<Shape<'a>> {
        self.version(api_version).map(|(_, shape)| shape)
    }

    pub(super) fn version(&self, api_version: &str) -> Option<(&'a str, Shape<'a>)> {
        if api_version == self.api_version {
            return Some((self.api_version, self.shape));
        }
        self.others.iter().find(|(version, _)| *version == api_version).copied()
    }

    /// An object for messages: `default/web; apps/v1, Kind=Deployment`.
    pub(super) fn describe(&self, node: Node<'_>) -> String {
        let meta = |name: &str| {
            let text = node.get("metadata").and_then(|meta| meta.get(name)).and_then(Node::as_str);
            text.unwrap_or_default().into_owned()
        };
        let slash = if self.api_version.contains('/') { "" } else { "/" };
        format!("{}/{}; {slash}{}, Kind={}", meta("namespace"), meta("name"), self.api_version, self.kind)
    }
}

/// Who applies or writes an object, and how.
#[derive(Clone, Copy, Debug)]
pub struct Options<'a> {
    /// Name of the field manager; `unknown` if it is empty.
    pub manager: &'a str,
    /// The subresource through which the object is written, such as `status`; empty for the object itself.
    pub subresource: &'a str,
    /// Whether fields are taken from others that own them.
    pub force: bool,
    /// The time that entries get that change.
    pub time: Option<Time>,
    /// Fields that one has no say in, with all below them, such as the status of what is written as a whole: nobody gets
    /// to own them.
    pub ignored: &'a FieldSet,
    /// How items without a key are told apart.
    pub key_defaults: KeyDefaults,
}

impl<'a> Options<'a> {
    /// Options of a manager that forces nothing and has a say in everything.
    #[must_use]
    pub const fn by(manager: &'a str) -> Self {
        const NOTHING: &FieldSet = &FieldSet::new();
        Self {
            manager,
            subresource: "",
            force: false,
            time: None,
            ignored: NOTHING,
            key_defaults: KeyDefaults::Apply,
        }
    }

    /// The same by force.
    #[must_use]
    pub const fn forced(self) -> Self {
        Self { force: true, ..self }
    }

    /// The same at a time.
    #[must_use]
    pub const fn at(self, time: Time) -> Self {
        Self { time: Some(time), ..self }
    }
}

/// Applies a configuration to an object, of which it says some fields: what it has is set, what the manager applied before
/// and has no more is removed unless somebody else owns it, and who owns what is kept in `metadata.managedFields`.
/// `None`: the object is as it should be.
///
/// The object is that of a store, or an empty one if there is none. Nothing is defaulted and nothing validated but that
/// the configuration fits the schema of the kind.
///
/// ```
/// use orlop_model::apply::{self, Options};
/// use orlop_model::apps::v1::Deployment;
/// use serde_json::json;
///
/// let config = json!({"apiVersion": "apps/v1", "kind": "Deployment", "spec": {"replicas": 2}});
/// let object = apply::apply(&Deployment::default(), &config, &Options::by("me"))?.expect("a change");
/// assert_eq!(object.spec.replicas, Some(2));
/// assert_eq!(object.metadata.managed_fields[0].fields_v1.as_ref().unwrap().as_json(), r#"{"f:spec":{"f:replicas":{}}}"#);
///
/// let other = json!({"apiVersion": "apps/v1", "kind": "Deployment", "spec": {"replicas": 3}});
/// let error = apply::apply(&object, &other, &Options::by("you")).unwrap_err();
/// assert_eq!(error.to_string(), r#"Apply failed with 1 conflict: conflict with "me": .spec.replicas"#);
/// # Ok::<(), apply::ApplyError>(())
/// ```
///
/// # Errors
/// [`ApplyError::Conflicts`] unless forced; the others if the configuration is no configuration of the kind, or the
/// managed fields of the object cannot be understood.
pub fn apply<K: Object>(live: &K, config: &Value, options: &Options<'_>) -> Result<Option<K>, ApplyError> {
    let kind = live.kind().clone();
    let version = kind.api_version();
    apply_to(live, config, &Target::new(&version, &kind.kind, shape_of(live)), options)
}

/// The same for an object of which more is known than its type says: of custom kinds, or with several versions.
///
/// # Errors
/// As [`apply`].
pub fn apply_to<K: Object>(
    live: &K,
    config: &Value,
    target: &Target<'_>,
    options: &Options<'_>,
) -> Result<Option<K>, ApplyError> {
    let mut new = live.clone();
    let entries = &live.meta().managed_fields;
    let applied = with_nodes(live, &mut new, |live, new| {
        apply_nodes(live, new, entries, config, &|| zero_of(target), target, options)
    })?;
    Ok(applied.map(|entries| {
        new.meta_mut().managed_fields = entries;
        new
    }))
}

/// The same for JSON.
///
/// # Errors
/// As [`apply`].
pub fn apply_value(
    live: &Value,
    config: &Value,
    target: &Target<'_>,
    options: &Options<'_>,
) -> Result<Option<Value>, ApplyError> {
    let mut new = live.clone();
    let entries = entries_of(live);
    let kind = || serde_json::json!({"apiVersion": target.api_version, "kind": target.kind});
    let mut node = NodeMut::from(&mut new);
    let applied = apply_nodes(Node::from(live), &mut node, &entries, config, &kind, target, options)?;
    Ok(applied.map(|entries| {
        set_entries(&mut new, &entries);
        new
    }))
}

/// Gives what `new` has changed of `live` to the manager that writes it: sets `metadata.managedFields` of `new`.
///
/// The managed fields that `new` came with replace those of `live`, unless there are none or they cannot be understood,
/// or the object is written through a subresource; one empty entry alone resets them. An object that exists and has none
/// gets none: nobody has applied it yet. `live` is an empty object if there is none.
///
/// # Errors
/// If one of the objects does not fit the schema of the kind, which only JSON can fail to.
pub fn update<K: Object>(live: &K, new: &mut K, options: &Options<'_>) -> Result<(), ApplyError> {
    let kind = live.kind().clone();
    let version = kind.api_version();
    update_to(Some(live), new, &Target::new(&version, &kind.kind, shape_of(live)), options)
}

/// The same for an object of which more is known than its type says; `None`: it is created.
///
/// # Errors
/// As [`update`].
pub fn update_to<K: Object>(
    live: Option<&K>,
    new: &mut K,
    target: &Target<'_>,
    options: &Options<'_>,
) -> Result<(), ApplyError> {
    let sent = std::mem::take(&mut new.meta_mut().managed_fields);
    let zero;
    let (node, stored, is_new);
    let live_value;
    match live {
        Some(live) => {
            live_value = fallback(live);
            node = node_of(live, live_value.as_ref());
            stored = &live.meta().managed_fields[..];
            is_new = live.meta().uid.is_empty();
        }
        None => {
            zero = zero_of(target);
            node = Node::from(&zero);
            (stored, is_new) = (&[][..], true);
        }
    }
    let new_value = fallback(new);
    let updated =
        update_nodes(node, node_of(new, new_value.as_ref()), stored, &sent, is_new, target, options)?;
    new.meta_mut().managed_fields = updated;
    Ok(())
}

/// The same for JSON.
///
/// # Errors
/// As [`update`].
pub fn update_value(
    live: &Value,
    new: &Value,
    target: &Target<'_>,
    options: &Options<'_>,
) -> Result<Value, ApplyError> {
    let (stored, sent) = (entries_of(live), entries_of(new));
    let is_new = live["metadata"]["uid"].as_str().is_none_or(str::is_empty);
    let mut updated = new.clone();
    set_entries(&mut updated, &[]);
    let entries =
        update_nodes(Node::from(live), Node::from(&updated), &stored, &sent, is_new, target, options)?;
    set_entries(&mut updated, &entries);
    Ok(updated)
}

/// What a manager has applied to an object: the fields that it owns, with what tells items of lists apart, as a
/// configuration that can be changed and applied again. `None`: it owns nothing.
///
/// # Errors
/// If the managed fields of the object cannot be understood.
pub fn applied_by<K: Object>(
    object: &K,
    manager: &str,
    subresource: &str,
) -> Result<Option<Value>, ApplyError> {
    let mut managed = Managed::decode(&object.meta().managed_fields)?;
    let owner = managed.0.iter_mut().find(|owner| {
        owner.is_apply() && owner.entry.manager == *manager && owner.entry.subresource == *subresource
    });
    let Some(owner) = owner else { return Ok(None) };
    let value = fallback(object);
    let node = node_of(object, value.as_ref());
    let mut config = extract(node, owner.set(), shape_of(object), KeyDefaults::Apply);
    let meta = object.meta();
    config["kind"] = object.kind().kind.as_ref().into();
    config["apiVersion"] = object.kind().api_version().as_ref().into();
    config["metadata"]["name"] = meta.name.as_str().into();
    if !meta.namespace.is_empty() {
        config["metadata"]["namespace"] = meta.namespace.as_str().into();
    }
    Ok(Some(config))
}

/// An object as a configuration: what it has, without the values that its type makes it have: lists that are not there,
/// structs without any field, and what only an API server sets.
///
/// # Errors
/// If the type's own `Serialize` refuses.
pub fn configuration<K: Object>(object: &K) -> serde_json::Result<Value> {
    let mut config = object.to_value()?;
    if let Some(schema) = object.schema() {
        drop_zeros(&mut config, schema);
    }
    if let Some(meta) = config.get_mut("metadata").and_then(Value::as_object_mut) {
        for name in [
            "uid",
            "creationTimestamp",
            "deletionTimestamp",
            "deletionGracePeriodSeconds",
            "generation",
            "managedFields",
            "selfLink",
        ] {
            meta.remove(name);
        }
    }
    Ok(config)
}

fn drop_zeros(value: &mut Value, schema: &Schema) {
    match value {
        Value::Object(fields) => fields.retain(|name, value| {
            let Some(field) = schema.field(name) else { return true };
            if let Some(schema) = field.message() {
                drop_zeros(value, schema);
            }
            let is_zero = value.is_null() || value.as_object().is_some_and(serde_json::Map::is_empty);
            field.optional || !is_zero
        }),
        Value::Array(items) => items.iter_mut().for_each(|item| drop_zeros(item, schema)),
        _ => {}
    }
}

/// The fields that an object has.
#[must_use]
pub fn fields_of(node: Node<'_>, shape: Shape<'_>) -> FieldSet {
    field_set(node, shape, None, KeyDefaults::Apply)
}

/// What differs between two objects of one shape.
#[must_use]
pub fn compare(left: Node<'_>, right: Node<'_>, shape: Shape<'_>) -> Comparison {
    Comparison::of(left, right, shape, KeyDefaults::Apply)
}

fn apply_nodes(
    live: Node<'_>,
    new: &mut NodeMut<'_>,
    entries: &[ManagedFieldsEntry],
    config: &Value,
    zero: &dyn Fn() -> Value,
    target: &Target<'_>,
    options: &Options<'_>,
) -> Result<Option<List<ManagedFieldsEntry>>, ApplyError> {
    let mut managed = Managed::known(entries)?;
    let (version, kind) = (config["apiVersion"].as_str(), config["kind"].as_str());
    if version != Some(target.api_version) || kind != Some(target.kind) {
        let (version, kind) = (version.unwrap_or_default(), kind.unwrap_or_default());
        let slash = if version.contains('/') { "" } else { "/" };
        return Err(ApplyError::WrongKind { found: format!("{slash}{version}, Kind={kind}") });
    }
    let updater = Updater { target, options };
    if managed.is_empty() {
        updater.own_existing(Node::from(&zero()), live, &mut managed)?;
    }
    let node = Node::from(config);
    // What kubectl applied before is no conflict.
    let before = (options.manager == last_applied::MANAGER && !options.force).then(|| managed.clone());
    let differs = match (updater.apply(live, new, node, &mut managed, options.force), before) {
        (Err(ApplyError::Conflicts(conflicts)), Some(before)) => {
            let contested = last_applied::contested(conflicts, live, target, options);
            if !contested.is_empty() {
                return Err(ApplyError::Conflicts(Conflicts(contested)));
            }
            managed = before;
            new.assign(live).map_err(|error| whole(error.message))?;
            updater.apply(live, new, node, &mut managed, true)?
        }
        (result, _) => result?,
    };
    let annotated = options.manager == last_applied::MANAGER && last_applied::sync(new, config);
    let encoded = managed.encode();
    if !differs && !annotated && is_same(&encoded, entries) {
        return Ok(None);
    }
    Ok(Some(encoded))
}

fn update_nodes(
    live: Node<'_>,
    new: Node<'_>,
    stored: &[ManagedFieldsEntry],
    sent: &[ManagedFieldsEntry],
    is_new: bool,
    target: &Target<'_>,
    options: &Options<'_>,
) -> Result<List<ManagedFieldsEntry>, ApplyError> {
    let is_reset = matches!(sent, [entry] if *entry == ManagedFieldsEntry::default());
    let known = || (Managed::known(stored).unwrap_or_default(), true);
    let (mut managed, is_stored) = if !options.subresource.is_empty() || sent == stored && !is_reset {
        // Mostly they are sent back as they came.
        known()
    } else if is_reset {
        (Managed::default(), false)
    } else {
        match Managed::decode(sent) {
            Ok(managed) if !managed.is_empty() => (managed, false),
            _ => known(),
        }
    };
    if managed.is_empty() && !is_new {
        return Ok(List::new());
    }
    let updater = Updater { target, options };
    updater.update(live, new, &mut managed, options.manager)?;
    let entries = managed.encode();
    Ok(if is_stored && entries.as_slice() == stored { stored.into() } else { entries })
}

/// An error that is about the whole object.
fn whole(message: String) -> ApplyError {
    ApplyError::Merge(super::Misfit { path: String::new(), message })
}

/// What is known of the fields of an object by its type.
fn shape_of<K: Object>(object: &K) -> Shape<'static> {
    object.schema().map_or_else(|| Shape::custom(None, false), Shape::Message)
}

/// JSON of an object that is neither a message nor dynamic.
fn fallback<K: Object>(object: &K) -> Option<Value> {
    let is_dynamic = (object as &dyn Any).is::<DynamicObject>();
    (object.message().is_none() && !is_dynamic).then(|| object.to_value().unwrap_or_default())
}

fn node_of<'a, K: Object>(object: &'a K, fallback: Option<&'a Value>) -> Node<'a> {
    if let Some(message) = object.message() {
        return Node::from(message);
    }
    match (object as &dyn Any).downcast_ref::<DynamicObject>() {
        Some(object) => Node::from(object),
        None => fallback.map_or(Node::NULL, Node::from),
    }
}

/// Calls `with` with both objects, the second of which may be changed.
fn with_nodes<K: Object, R>(
    live: &K,
    new: &mut K,
    with: impl FnOnce(Node<'_>, &mut NodeMut<'_>) -> Result<R, ApplyError>,
) -> Result<R, ApplyError> {
    let value = fallback(live);
    let node = node_of(live, value.as_ref());
    if let Some(mut changed) = value.clone() {
        let result = with(node, &mut NodeMut::from(&mut changed))?;
        *new = serde_json::from_value(changed).map_err(|error| whole(error.to_string()))?;
        return Ok(result);
    }
    if new.message().is_some() {
        return match new.message_mut() {
            Some(message) => with(node, &mut NodeMut::from(message)),
            None => Err(whole("the type cannot be changed as a message".to_owned())),
        };
    }
    match (new as &mut dyn Any).downcast_mut::<DynamicObject>() {
        Some(object) => with(node, &mut NodeMut::from(object)),
        None => with(node, &mut NodeMut::from(&mut Value::Null)),
    }
}

/// An object of the kind in which nothing is set.
fn zero_of(target: &Target<'_>) -> Value {
    match target.shape.table() {
        Some(schema) => zero(schema),
        None => serde_json::json!({"metadata": {}}),
    }
}

fn zero(schema: &Schema) -> Value {
    use crate::FieldType;
    let mut fields = serde_json::Map::new();
    for field in schema.fields {
        let value = match field.ty {
            FieldType::Message(inner) if field.inline => match zero(inner()) {
                Value::Object(inner) => {
                    fields.extend(inner);
                    continue;
                }
                _ => continue,
            },
            FieldType::Message(inner) if !field.optional => zero(inner()),
            _ if !field.required => continue,
            _ if field.optional => Value::Null,
            FieldType::Bool => false.into(),
            FieldType::Int32
            | FieldType::Uint32
            | FieldType::Int64
            | FieldType::Uint64
            | FieldType::Double
            | FieldType::IntOrString => 0.into(),
            FieldType::String | FieldType::Enum(_) => "".into(),
            FieldType::Quantity => "0".into(),
            _ => Value::Null,
        };
        fields.insert(field.name.to_owned(), value);
    }
    Value::Object(fields)
}

fn entries_of(value: &Value) -> List<ManagedFieldsEntry> {
    let entries = value.get("metadata").and_then(|meta| meta.get("managedFields"));
    entries.and_then(|entries| serde_json::from_value(entries.clone()).ok()).unwrap_or_default()
}

fn set_entries(value: &mut Value, entries: &[ManagedFieldsEntry]) {
    let Some(fields) = value.as_object_mut() else { return };
    if entries.is_empty() {
        if let Some(meta) = fields.get_mut("metadata").and_then(Value::as_object_mut) {
            meta.remove("managedFields");
        }
        return;
    }
    let entries = serde_json::to_value(entries).unwrap_or_default();
    let meta = fields.entry("metadata").or_insert_with(|| Value::Object(serde_json::Map::new()));
    if let Some(meta) = meta.as_object_mut() {
        meta.insert("managedFields".to_owned(), entries);
    }
}
