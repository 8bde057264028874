//! [`Sources`]: where the driver hears what happens.

use orlop_cache::Store;
use orlop_model::apps::v1::ReplicaSet;
use orlop_model::core::v1::{Namespace, Node, Pod, Service};
use orlop_model::policy::v1::PodDisruptionBudget;

use super::StorageSources;

/// The caches that a scheduler listens to. Whoever makes them runs their informers, and may share
/// them with others.
#[derive(Clone, Debug)]
pub struct Sources {
    pub(super) pods: Store<Pod>,
    pub(super) nodes: Store<Node>,
    pub(super) namespaces: Option<Store<Namespace>>,
    pub(super) services: Option<Store<Service>>,
    pub(super) replica_sets: Option<Store<ReplicaSet>>,
    pub(super) budgets: Option<Store<PodDisruptionBudget>>,
    pub(super) storage: Option<Box<StorageSources>>,
}

impl Sources {
    /// All pods and all nodes: nothing can be decided without.
    #[must_use]
    pub fn new(pods: Store<Pod>, nodes: Store<Node>) -> Self {
        Self {
            pods,
            nodes,
            namespaces: None,
            services: None,
            replica_sets: None,
            budgets: None,
            storage: None,
        }
    }

    /// Namespaces too, which affinity between pods may select by label.
    #[must_use]
    pub fn namespaces(mut self, namespaces: Store<Namespace>) -> Self {
        self.namespaces = Some(namespaces);
        self
    }

    /// Services too, whose pods are spread by default.
    #[must_use]
    pub fn services(mut self, services: Store<Service>) -> Self {
        self.services = Some(services);
        self
    }

    /// Volumes too. Without, no claim is known: pods that have some are not scheduled, unless the
    /// profile is without the plugins of volumes.
    #[must_use]
    pub fn storage(mut self, storage: StorageSources) -> Self {
        self.storage = Some(Box::new(storage));
        self
    }

    /// ReplicaSets too, whose pods are spread by default.
    #[must_use]
    pub fn replica_sets(mut self, replica_sets: Store<ReplicaSet>) -> Self {
        self.replica_sets = Some(replica_sets);
        self
    }

    /// PodDisruptionBudgets too: pods that they protect are evicted last.
    #[must_use]
    pub fn budgets(mut self, budgets: Store<PodDisruptionBudget>) -> Self {
        self.budgets = Some(budgets);
        self
    }
}
