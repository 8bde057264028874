//! [`Budgets`]: how many pods may be evicted.

use std::collections::BTreeMap;
use std::sync::Arc;

use orlop_model::Str;
use orlop_model::core::v1::Pod;
use orlop_model::policy::v1::PodDisruptionBudget;
use orlop_model::selector::Selector;

/// A PodDisruptionBudget that selects pods.
#[derive(Clone, Debug)]
struct Budget {
    object: Arc<PodDisruptionBudget>,
    selector: Selector,
}

/// The PodDisruptionBudgets, by namespace and name.
#[derive(Clone, Debug, Default)]
pub(crate) struct Budgets {
    by_namespace: BTreeMap<Str, BTreeMap<Str, Budget>>,
    version: u64,
}

impl Budgets {
    /// Changes whenever a budget does.
    pub(crate) fn version(&self) -> u64 {
        self.version
    }

    /// Says whether anything differs that evictions follow from.
    pub(super) fn set(&mut self, object: &Arc<PodDisruptionBudget>) -> bool {
        let (namespace, name) = (&object.metadata.namespace, &object.metadata.name);
        // One that selects nothing, or everything by saying nothing, or cannot be read, protects no pod.
        let selector = match Selector::from_object(object.spec.selector.as_deref()) {
            Ok(selector) if !selector.is_everything() && !selector.is_nothing() => selector,
            _ => return self.remove(namespace, name),
        };
        let budget = Budget { object: Arc::clone(object), selector };
        let budgets = self.by_namespace.entry(namespace.clone()).or_default();
        let old = budgets.insert(name.clone(), budget);
        let changed = old.is_none_or(|old| {
            let (old, new) = (&old.object, object);
            old.spec.selector != new.spec.selector
                || old.status.disruptions_allowed != new.status.disruptions_allowed
                || old.status.disrupted_pods != new.status.disrupted_pods
        });
        self.version += u64::from(changed);
        changed
    }

    pub(super) fn remove(&mut self, namespace: &str, name: &str) -> bool {
        let Some(budgets) = self.by_namespace.get_mut(namespace) else {
            return false;
        };
        let removed = budgets.remove(name).is_some();
        if budgets.is_empty() {
            self.by_namespace.remove(namespace);
        }
        self.version += u64::from(removed);
        removed
    }

    /// What was found at this version must not be taken for valid.
    pub(super) fn outdate(&mut self, version: u64) {
        self.version = self.version.max(version) + 1;
    }

    pub(super) fn fingerprint(&self) -> String {
        let budgets = self.by_namespace.values().flat_map(BTreeMap::values);
        let told: Vec<_> = budgets
            .map(|budget| {
                let object = &budget.object;
                (&object.metadata.namespace, &object.metadata.name, &object.spec.selector, &object.status)
            })
            .collect();
        if told.is_empty() { String::new() } else { format!("{told:?}") }
    }

    /// What is left of each budget while evictions are thought through.
    pub(crate) fn account(&self) -> Account<'_> {
        Account { budgets: self, left: BTreeMap::new() }
    }
}

/// The budgets, less what was taken.
#[derive(Debug)]
pub(crate) struct Account<'a> {
    budgets: &'a Budgets,
    left: BTreeMap<(&'a str, &'a str), i32>,
}

impl Account<'_> {
    /// Takes one eviction from each budget of the pod. Says whether one of them does not allow it. A
    /// pod that the API server has counted already costs nothing.
    pub(crate) fn overdraws(&mut self, pod: &Pod) -> bool {
        let labels = &pod.metadata.labels;
        if labels.is_empty() {
            return false;
        }
        let Some(budgets) = self.budgets.by_namespace.get(&pod.metadata.namespace) else {
            return false;
        };
        let mut overdrawn = false;
        for (name, budget) in budgets {
            let status = &budget.object.status;
            if !budget.selector.matches(labels) || status.disrupted_pods.contains_key(&pod.metadata.name) {
                continue;
            }
            let key = (budget.object.metadata.namespace.as_str(), name.as_str());
            let left = self.left.entry(key).or_insert(status.disruptions_allowed);
            *left = left.saturating_sub(1);
            overdrawn |= *left < 0;
        }
        overdrawn
    }

    /// Whether there is no budget at all.
    pub(crate) fn is_empty(&self) -> bool {
        self.budgets.by_namespace.is_empty()
    }

    /// Gives back what was taken.
    pub(crate) fn reset(&mut self) {
        self.left.clear();
    }
}
