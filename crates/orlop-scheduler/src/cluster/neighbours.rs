//! [`Neighbours`]: objects beside nodes and pods that plugins read.

use std::collections::BTreeMap;
use std::sync::Arc;

use orlop_model::core::v1::{Namespace, Pod, Service};
use orlop_model::selector::Selector;
use orlop_model::{LabelSelector, Map, Str};

/// The kinds of workload whose pods are spread by default.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum WorkloadKind {
    /// `v1` ReplicationController.
    ReplicationController,
    /// `apps/v1` ReplicaSet.
    ReplicaSet,
    /// `apps/v1` StatefulSet.
    StatefulSet,
}

impl WorkloadKind {
    /// The kind that an owner reference names, if it is one of these.
    #[must_use]
    pub fn named(api_version: &str, kind: &str) -> Option<Self> {
        match (api_version, kind) {
            ("v1", "ReplicationController") => Some(Self::ReplicationController),
            ("apps/v1", "ReplicaSet") => Some(Self::ReplicaSet),
            ("apps/v1", "StatefulSet") => Some(Self::StatefulSet),
            _ => None,
        }
    }

    /// The kind's name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ReplicationController => "ReplicationController",
            Self::ReplicaSet => "ReplicaSet",
            Self::StatefulSet => "StatefulSet",
        }
    }
}

/// A workload, as far as the scheduler reads it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Workload {
    /// Its kind.
    pub kind: WorkloadKind,
    /// Its namespace.
    pub namespace: Str,
    /// Its name.
    pub name: Str,
}

/// Objects beside nodes and pods that plugins read.
#[derive(Clone, Debug, Default)]
pub(crate) struct Neighbours {
    namespaces: BTreeMap<Str, Map<Str>>,
    /// Selectors of services by namespace and name; those without a selector are left out.
    services: BTreeMap<Str, BTreeMap<Str, Map<Str>>>,
    workloads: BTreeMap<Workload, Selector>,
}

impl Neighbours {
    /// Namespaces with their labels.
    pub(crate) fn namespaces(&self) -> impl Iterator<Item = (&Str, &Map<Str>)> {
        self.namespaces.iter()
    }

    pub(crate) fn namespace_labels(&self, name: &str) -> Option<&Map<Str>> {
        self.namespaces.get(name)
    }

    pub(super) fn set_namespace(&mut self, namespace: &Arc<Namespace>) -> bool {
        let labels = namespace.metadata.labels.clone();
        self.namespaces
            .insert(namespace.metadata.name.clone(), labels.clone())
            .is_none_or(|old| old != labels)
    }

    pub(super) fn remove_namespace(&mut self, name: &str) -> bool {
        self.namespaces.remove(name).is_some()
    }

    pub(super) fn set_service(&mut self, service: &Arc<Service>) -> bool {
        let (namespace, name) = (&service.metadata.namespace, &service.metadata.name);
        let selector = &service.spec.selector;
        if selector.is_empty() {
            return self.remove_service(namespace, name);
        }
        self.services
            .entry(namespace.clone())
            .or_default()
            .insert(name.clone(), selector.clone())
            .is_none_or(|old| old != *selector)
    }

    pub(super) fn remove_service(&mut self, namespace: &str, name: &str) -> bool {
        let Some(services) = self.services.get_mut(namespace) else {
            return false;
        };
        let removed = services.remove(name).is_some();
        if services.is_empty() {
            self.services.remove(namespace);
        }
        removed
    }

    pub(super) fn set_workload(&mut self, workload: Workload, selector: Option<&LabelSelector>) -> bool {
        // A selector that does not compile says nothing about pods.
        match Selector::from_object(selector) {
            Ok(labels) if !labels.is_nothing() => {
                self.workloads.insert(workload, labels.clone()).is_none_or(|old| old != labels)
            }
            _ => self.remove_workload(&workload),
        }
    }

    pub(super) fn remove_workload(&mut self, workload: &Workload) -> bool {
        self.workloads.remove(workload).is_some()
    }

    /// The pods that belong together with this one by default: those that all the services which
    /// select it and the workload which controls it select. Everything: none do.
    pub(crate) fn default_selector(
        &self,
        namespace: &Str,
        labels: &Map<Str>,
        owner: Option<&Workload>,
    ) -> Selector {
        let mut merged: Map<Str> = Map::new();
        for selector in self.services.get(namespace).into_iter().flat_map(BTreeMap::values) {
            if selector.iter().all(|(key, value)| labels.get(key) == Some(value)) {
                merged.extend(selector.iter().map(|(key, value)| (key.clone(), value.clone())));
            }
        }
        let of_owner = owner.and_then(|owner| self.workloads.get(owner));
        Selector::from_labels(&merged).and(of_owner.into_iter().flat_map(Selector::requirements).cloned())
    }
}

/// The workload that controls a pod, if it is of a kind that counts.
pub(crate) fn controller_of(pod: &Pod) -> Option<Workload> {
    let owner = pod.metadata.owner_references.iter().find(|owner| owner.controller == Some(true))?;
    Some(Workload {
        kind: WorkloadKind::named(&owner.api_version, &owner.kind)?,
        namespace: pod.metadata.namespace.clone(),
        name: owner.name.clone(),
    })
}
