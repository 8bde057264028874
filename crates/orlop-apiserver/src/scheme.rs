//! The kinds that a server serves.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use orlop_client::{Error, Result};
use orlop_model::apiextensions::v1::CustomResourceDefinition;
use orlop_model::table::Printer;
use orlop_model::{DynamicObject, KindInfo, Object, StaticKind};

use crate::resource::{Registered, Resource};
use crate::strategy::{Plain, Strategy};
use crate::{custom, kinds};

/// The kinds that a server serves, each with its [`Strategy`].
#[derive(Clone)]
pub struct Scheme {
    // By kind, group, version.
    kinds: BTreeMap<(String, String, String), Arc<dyn Resource>>,
}

impl Scheme {
    /// No kind at all.
    pub fn empty() -> Self {
        Self { kinds: BTreeMap::new() }
    }

    /// The built-in kinds: those of Kubernetes that are stored and have rules in the model.
    ///
    /// Left out are kinds whose answer is computed (reviews, bindings, component states), and the second versions of
    /// kinds that are stored in another one: Events of `events.k8s.io`, HorizontalPodAutoscalers of `autoscaling/v1`.
    pub fn builtin() -> Self {
        let mut scheme = Self::empty();
        kinds::register(&mut scheme);
        scheme
    }

    /// Adds a kind with the strategy that suits most kinds; one registered before is replaced.
    pub fn register<K: StaticKind>(&mut self) -> &mut Self {
        self.register_with::<K>(Plain)
    }

    /// Adds a kind with a strategy of its own.
    pub fn register_with<K: StaticKind>(&mut self, strategy: impl Strategy<K>) -> &mut Self {
        self.insert::<K>(K::KIND, strategy)
    }

    /// Adds a kind that is known only at run time.
    pub fn register_dynamic(&mut self, kind: &KindInfo) -> &mut Self {
        self.insert::<DynamicObject>(kind, Plain)
    }

    /// Adds a custom kind by its definition: in the version that is stored, with its schema, columns and subresources.
    ///
    /// Further versions are not served, nor are the selectors that the definition may name; changes of definitions that
    /// are stored in the server change nothing by themselves.
    ///
    /// # Errors
    /// [`Error::BadRequest`] if no version is stored, or the path of a column cannot be read.
    pub fn register_custom(&mut self, definition: &CustomResourceDefinition) -> Result<&mut Self> {
        let (kind, strategy) = custom::of_definition(definition)?;
        Ok(self.insert::<DynamicObject>(&kind, strategy))
    }

    fn insert<K: Object>(&mut self, kind: &KindInfo, strategy: impl Strategy<K>) -> &mut Self {
        let name = (kind.kind.to_string(), kind.group.to_string(), kind.version.to_string());
        self.kinds.insert(name, Arc::new(Registered::<K, _>::new(kind, strategy)));
        self
    }

    /// The kinds, by name.
    pub fn kinds(&self) -> impl Iterator<Item = &KindInfo> {
        self.kinds.values().map(|resource| &**resource.kind())
    }

    /// The kind of that apiVersion and name, if it is served.
    pub fn kind(&self, api_version: &str, kind: &str) -> Option<&KindInfo> {
        let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
        self.kinds
            .get(&(kind.to_owned(), group.to_owned(), version.to_owned()))
            .map(|resource| &**resource.kind())
    }

    /// What prints the objects of a kind as tables.
    ///
    /// # Errors
    /// If the kind is not served.
    pub fn printer(&self, kind: &KindInfo) -> Result<Printer> {
        Ok(self.resource(kind)?.printer())
    }

    pub(crate) fn resources(&self) -> impl Iterator<Item = &Arc<dyn Resource>> {
        self.kinds.values()
    }

    pub(crate) fn resource(&self, kind: &KindInfo) -> Result<&Arc<dyn Resource>> {
        // A few dozen kinds: comparing beats building a key of three strings.
        let found = self.kinds.values().find(|resource| resource.kind().is(kind));
        found.ok_or_else(|| Error::unknown_kind(kind))
    }
}

impl Default for Scheme {
    fn default() -> Self {
        Self::builtin()
    }
}

impl fmt::Debug for Scheme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.kinds().map(ToString::to_string)).finish()
    }
}
