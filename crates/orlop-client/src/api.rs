//! The typed handle [`Api`].

use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

use futures::StreamExt;
use orlop_model::autoscaling::v1::Scale;
use orlop_model::core::v1::{Binding, ObjectReference, Pod};
use orlop_model::policy::v1::Eviction;
use orlop_model::{DynamicObject, KindInfo, Object, ObjectKey, StaticKind, Str};
use serde_json::{Value, json};

use crate::apply::ATTEMPTS;
use crate::{
    Applied, Client, DeleteOptions, Deleted, Draft, Error, GetOptions, IntoDraft, ListOptions, Patch,
    RecordList, Result, Subresource, WatchOptions, WatchStream, WriteOptions, apply,
};

/// The verbs of one kind, in one namespace or in all, over any [`Client`]. Cheap to clone.
///
/// ```
/// # use std::sync::Arc;
/// # use orlop_client::{Api, Client, ListOptions, Result};
/// # use orlop_model::core::v1::Pod;
/// async fn names(client: Arc<dyn Client>) -> Result<Vec<String>> {
///     let pods = Api::<Pod>::namespaced(client, "default");
///     let listed = pods.list(&ListOptions::new().labels("app=web")).await?;
///     Ok(listed.items.iter().map(|pod| pod.metadata.name.to_string()).collect())
/// }
/// ```
pub struct Api<K> {
    client: Arc<dyn Client>,
    kind: Arc<KindInfo>,
    namespace: Option<Str>,
    // Neither holds nor gives a `K` by value: always Send, Sync and Unpin.
    object: PhantomData<fn() -> K>,
}

/// How an object is named to an [`Api`]: by its name in the handle's namespace (`"web"`), or by its [`ObjectKey`].
pub trait Named {
    /// Name, and namespace if it is part of the naming.
    fn to_key(&self) -> ObjectKey;
}

impl Named for str {
    fn to_key(&self) -> ObjectKey {
        ObjectKey::cluster(self)
    }
}

impl Named for Str {
    fn to_key(&self) -> ObjectKey {
        ObjectKey::cluster(self)
    }
}

impl Named for String {
    fn to_key(&self) -> ObjectKey {
        ObjectKey::cluster(self)
    }
}

impl Named for ObjectKey {
    fn to_key(&self) -> ObjectKey {
        self.clone()
    }
}

impl<N: Named + ?Sized> Named for &N {
    fn to_key(&self) -> ObjectKey {
        (**self).to_key()
    }
}

/// Typed objects of a list, as they were at one revision.
#[derive(Clone, Debug)]
pub struct ObjectList<K> {
    /// Sorted by the text `namespace/name`.
    pub items: Vec<Arc<K>>,
    /// The revision of the list: a watch from here misses nothing.
    pub resource_version: Str,
    /// Goes on behind the last item, at the same revision; empty at the end.
    pub continue_: String,
    /// How many more there are, where that is known (never with selectors).
    pub remaining: Option<u64>,
}

impl<K: StaticKind> Api<K> {
    /// The objects of all namespaces, or those of a cluster-scoped kind.
    pub fn all(client: Arc<dyn Client>) -> Self {
        Self::of(client, K::KIND)
    }

    /// The objects of one namespace.
    pub fn namespaced(client: Arc<dyn Client>, namespace: impl Into<Str>) -> Self {
        Self::of(client, K::KIND).within(namespace)
    }
}

impl Api<DynamicObject> {
    /// The objects of a kind that is known only at run time; see [`within`](Self::within) for one namespace of it.
    pub fn dynamic(client: Arc<dyn Client>, kind: &KindInfo) -> Self {
        Self::of(client, kind)
    }
}

impl<K: Object> Api<K> {
    fn of(client: Arc<dyn Client>, kind: &KindInfo) -> Self {
        Self { client, kind: Arc::new(kind.clone()), namespace: None, object: PhantomData }
    }

    /// The same kind in one namespace. For a cluster-scoped kind nothing changes.
    #[must_use]
    pub fn within(&self, namespace: impl Into<Str>) -> Self {
        let namespace = namespace.into();
        let namespace = (self.kind.is_namespaced() && !namespace.is_empty()).then_some(namespace);
        Self { namespace, ..self.clone() }
    }

    /// The client behind the handle.
    pub fn client(&self) -> &Arc<dyn Client> {
        &self.client
    }

    /// The kind.
    pub fn kind(&self) -> &KindInfo {
        &self.kind
    }

    /// The namespace, `None` for all of them.
    pub fn namespace(&self) -> Option<&str> {
        self.namespace.as_deref()
    }

    fn key(&self, named: impl Named) -> Result<ObjectKey> {
        let mut key = named.to_key();
        if key.name.is_empty() {
            return Err(Error::bad_request("resource name may not be empty"));
        }
        if !self.kind.is_namespaced() {
            key.namespace = None;
        } else if key.namespace.is_none() {
            let namespace = self.namespace.clone();
            key.namespace = Some(namespace.ok_or_else(|| {
                Error::bad_request("an empty namespace may not be set when a resource name is provided")
            })?);
        }
        Ok(key)
    }

    /// The namespace that an object without one of its own goes to.
    fn home<'a>(&'a self, object: &'a K) -> Option<&'a str> {
        object.meta().namespace.non_empty().map(Str::as_str).or(self.namespace())
    }

    fn key_of(&self, object: &K) -> Result<ObjectKey> {
        self.key(ObjectKey { namespace: self.home(object).map(Str::from), name: object.meta().name.clone() })
    }

    /// One object by name or key.
    ///
    /// # Errors
    /// [`Error::NotFound`] among others.
    pub async fn get(&self, name: impl Named) -> Result<Arc<K>> {
        let key = self.key(name)?;
        self.client.get(&self.kind, &key, &GetOptions::default()).await?.get()
    }

    /// One object by name or key, or `None` if there is none.
    ///
    /// # Errors
    /// All but [`Error::NotFound`].
    pub async fn get_opt(&self, name: impl Named) -> Result<Option<Arc<K>>> {
        match self.get(name).await {
            Err(error) if error.is_not_found() => Ok(None),
            result => result.map(Some),
        }
    }

    /// The objects that the options select.
    ///
    /// # Errors
    /// [`Error::Expired`] if the revision or the continue token asked for is compacted, among others.
    pub async fn list(&self, options: &ListOptions) -> Result<ObjectList<K>> {
        let RecordList { items, resource_version, continue_, remaining } =
            self.client.list(&self.kind, self.namespace(), options).await?;
        let items = items.iter().map(|record| record.get()).collect::<Result<_>>()?;
        Ok(ObjectList { items, resource_version, continue_, remaining })
    }

    /// The changes that the options select.
    ///
    /// # Errors
    /// [`Error::Expired`] from here or in the stream if the revision asked for is compacted: list again.
    pub async fn watch(&self, options: &WatchOptions) -> Result<WatchStream<K>> {
        let events = self.client.watch(&self.kind, self.namespace(), options).await?;
        Ok(events.map(|event| event?.try_map(|record| record.get())).boxed())
    }

    /// Stores a new object; answers it as stored.
    ///
    /// # Errors
    /// [`Error::AlreadyExists`], [`Error::Invalid`] among others.
    pub async fn create(&self, object: impl IntoDraft<K>) -> Result<Arc<K>> {
        self.create_with(object, &WriteOptions::default()).await
    }

    /// [`create`](Self::create) with options.
    ///
    /// # Errors
    /// As [`create`](Self::create).
    pub async fn create_with(&self, object: impl IntoDraft<K>, options: &WriteOptions) -> Result<Arc<K>> {
        let object = object.into_arc();
        let namespace = self.home(&object).map(Str::from);
        self.client.create(&self.kind, namespace.as_deref(), Draft::Typed(object), options).await?.get()
    }

    /// Replaces an object but for its status. With a resourceVersion in it only if the stored one is the same.
    ///
    /// # Errors
    /// [`Error::Conflict`], [`Error::Invalid`], [`Error::NotFound`] among others.
    pub async fn update(&self, object: impl IntoDraft<K>) -> Result<Arc<K>> {
        self.update_with(object, Subresource::Main, &WriteOptions::default()).await
    }

    /// Replaces an object's status and leaves the rest.
    ///
    /// # Errors
    /// As [`update`](Self::update).
    pub async fn update_status(&self, object: impl IntoDraft<K>) -> Result<Arc<K>> {
        self.update_with(object, Subresource::Status, &WriteOptions::default()).await
    }

    /// [`update`](Self::update) of a subresource that has the form of the object, with options.
    ///
    /// # Errors
    /// As [`update`](Self::update).
    pub async fn update_with(
        &self,
        object: impl IntoDraft<K>,
        subresource: Subresource,
        options: &WriteOptions,
    ) -> Result<Arc<K>> {
        let object = object.into_arc();
        let key = self.key_of(&object)?;
        self.client.update(&self.kind, &key, subresource, Draft::Typed(object), options).await?.get()
    }

    /// Reads an object, changes a copy and writes it back, again and again while others get in between.
    ///
    /// `change` may be called several times, each time on the latest state. What equals the stored object is not
    /// written.
    ///
    /// # Errors
    /// As [`update`](Self::update); [`Error::Conflict`] only after many attempts.
    pub async fn modify(&self, name: impl Named, change: impl FnMut(&mut K) + Send) -> Result<Arc<K>> {
        self.modify_with(name, Subresource::Main, change).await
    }

    /// [`modify`](Self::modify) of the status.
    ///
    /// # Errors
    /// As [`modify`](Self::modify).
    pub async fn modify_status(&self, name: impl Named, change: impl FnMut(&mut K) + Send) -> Result<Arc<K>> {
        self.modify_with(name, Subresource::Status, change).await
    }

    async fn modify_with(
        &self,
        name: impl Named,
        subresource: Subresource,
        mut change: impl FnMut(&mut K) + Send,
    ) -> Result<Arc<K>> {
        let key = self.key(name)?;
        let mut attempt = 1;
        loop {
            let mut object = K::clone(&*self.get(&key).await?);
            change(&mut object);
            match self.update_with(object, subresource.clone(), &WriteOptions::default()).await {
                Err(error) if error.is_conflict() && attempt < ATTEMPTS => attempt += 1,
                result => return result,
            }
        }
    }

    /// Changes an object by a JSON merge patch.
    ///
    /// # Errors
    /// As [`update`](Self::update).
    pub async fn patch_merge(&self, name: impl Named, patch: Value) -> Result<Arc<K>> {
        self.patch(name, Subresource::Main, Patch::Merge(patch), &WriteOptions::default()).await
    }

    /// Changes an object's status by a JSON merge patch (`{"status": {…}}`).
    ///
    /// # Errors
    /// As [`update`](Self::update).
    pub async fn patch_status(&self, name: impl Named, patch: Value) -> Result<Arc<K>> {
        self.patch(name, Subresource::Status, Patch::Merge(patch), &WriteOptions::default()).await
    }

    /// Makes of `old`, which was read, `new`, by a patch that says no more than what differs between them: what others
    /// change elsewhere stays, and so do fields of a newer server, which an update by a type that does not know them would
    /// erase. Answers `new` as the server has it then; nothing is sent if nothing differs.
    ///
    /// The stored object may have changed since; to insist on the version read, set `new`'s resourceVersion and clear that
    /// of `old`.
    ///
    /// # Errors
    /// As [`patch`](Self::patch).
    pub async fn patch_between(&self, old: &K, new: &K, subresource: Subresource) -> Result<Arc<K>> {
        let patch = orlop_model::patch::between(old, new)
            .map_err(|error| Error::decode(&self.kind, &new.meta().name, error))?;
        let key = self.key_of(new)?;
        if patch.is_empty() {
            return self.get(key).await;
        }
        self.client.patch(&self.kind, &key, subresource, patch.into(), &WriteOptions::default()).await?.get()
    }

    /// Changes an object, or a subresource that has its form, by any patch.
    ///
    /// # Errors
    /// As [`update`](Self::update); [`Error::UnsupportedMediaType`] if the client or the kind does not know this type of patch.
    pub async fn patch(
        &self,
        name: impl Named,
        subresource: Subresource,
        patch: Patch,
        options: &WriteOptions,
    ) -> Result<Arc<K>> {
        let key = self.key(name)?;
        self.client.patch(&self.kind, &key, subresource, patch, options).await?.get()
    }

    /// Makes the stored object what `object` says: creates it if there is none; otherwise sets what `object` has,
    /// removes what `manager` applied before and has no more, and leaves alone what others added. Lists whose elements
    /// have a key (containers, ports, …) are merged by it. Writes nothing if nothing differs.
    ///
    /// `manager` is the field manager's name; it takes over the fields that others own
    /// ([`apply_with`](Self::apply_with) asks whether to). Which it owns is kept in `metadata.managedFields` by the
    /// server. Where a server has no [`Patch::Apply`] the same is done from here, with the applied configuration in the
    /// annotation `kubectl.kubernetes.io/last-applied-configuration`. The status is not applied.
    ///
    /// # Errors
    /// [`Error::Invalid`] among others; [`Error::Conflict`] only after many attempts.
    pub async fn apply(&self, object: impl IntoDraft<K>, manager: &str) -> Result<Arc<K>> {
        Ok(self.apply_with(object, &WriteOptions::by(manager).force()).await?.object)
    }

    /// [`apply`](Self::apply) with options, by force only if they say so; says what was done.
    ///
    /// # Errors
    /// As [`apply`](Self::apply); [`Error::ApplyConflict`] if others own fields that would get another value.
    pub async fn apply_with(&self, object: impl IntoDraft<K>, options: &WriteOptions) -> Result<Applied<K>> {
        let object = object.into_arc();
        let key = self.key_of(&object)?;
        let schema = object.schema();
        let wanted = Draft::Typed(object).into_value()?;
        let Applied { object, outcome } =
            apply(&*self.client, &self.kind, &key, wanted, schema, options).await?;
        Ok(Applied { object: object.get()?, outcome })
    }

    /// Deletes an object, as its kind does by itself (pods with their grace period).
    ///
    /// # Errors
    /// [`Error::NotFound`] among others.
    pub async fn delete(&self, name: impl Named) -> Result<Deleted> {
        self.delete_with(name, &DeleteOptions::default()).await
    }

    /// [`delete`](Self::delete) with options.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::Conflict`] if a precondition does not hold.
    pub async fn delete_with(&self, name: impl Named, options: &DeleteOptions) -> Result<Deleted> {
        let key = self.key(name)?;
        self.client.delete(&self.kind, &key, options).await
    }

    /// Deletes the objects that the list options select, each as [`delete_with`](Self::delete_with) does.
    ///
    /// # Errors
    /// The first failure; what was deleted before stays so.
    pub async fn delete_all(&self, select: &ListOptions, options: &DeleteOptions) -> Result<Vec<Deleted>> {
        self.client.delete_collection(&self.kind, self.namespace(), select, options).await
    }

    /// The number of replicas wanted and seen, and the selector.
    ///
    /// # Errors
    /// [`Error::Unsupported`] if the kind has no scale.
    pub async fn get_scale(&self, name: impl Named) -> Result<Arc<Scale>> {
        let key = self.key(name)?;
        let options = GetOptions { subresource: Subresource::Scale, ..GetOptions::default() };
        self.client.get(&self.kind, &key, &options).await?.get()
    }

    /// Sets the number of replicas wanted.
    ///
    /// # Errors
    /// [`Error::Unsupported`] if the kind has no scale, [`Error::Invalid`] if `replicas` is negative.
    pub async fn scale(&self, name: impl Named, replicas: i32) -> Result<Arc<Scale>> {
        let key = self.key(name)?;
        let patch = Patch::Merge(json!({ "spec": { "replicas": replicas } }));
        self.client.patch(&self.kind, &key, Subresource::Scale, patch, &WriteOptions::default()).await?.get()
    }
}

impl Api<Pod> {
    /// Deletes a pod unless something, such as a disruption budget, holds it back.
    ///
    /// # Errors
    /// [`Error::TooManyRequests`] if it is held back: try again later.
    pub async fn evict(&self, name: impl Named) -> Result<()> {
        let key = self.key(name)?;
        let mut eviction = Eviction::default();
        eviction.metadata.name = key.name.clone();
        eviction.metadata.namespace = key.namespace.clone().unwrap_or_default();
        self.client
            .post(&self.kind, &key, Subresource::Eviction, Draft::of(eviction), &WriteOptions::default())
            .await
            .map(drop)
    }

    /// Assigns a pod to a node, once and for all.
    ///
    /// # Errors
    /// [`Error::Conflict`] if it is assigned already or being deleted.
    pub async fn bind(&self, name: impl Named, node: &str) -> Result<()> {
        let key = self.key(name)?;
        let mut binding = Binding {
            target: ObjectReference { kind: "Node".into(), name: node.into(), ..ObjectReference::default() },
            ..Binding::default()
        };
        binding.metadata.name = key.name.clone();
        binding.metadata.namespace = key.namespace.clone().unwrap_or_default();
        self.client
            .post(&self.kind, &key, Subresource::Binding, Draft::of(binding), &WriteOptions::default())
            .await
            .map(drop)
    }
}

impl<K> Clone for Api<K> {
    fn clone(&self) -> Self {
        Self {
            client: Arc::clone(&self.client),
            kind: Arc::clone(&self.kind),
            namespace: self.namespace.clone(),
            object: PhantomData,
        }
    }
}

impl<K> fmt::Debug for Api<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Api({}", self.kind.resource())?;
        if let Some(namespace) = &self.namespace {
            write!(f, " in {namespace}")?;
        }
        f.write_str(")")
    }
}
