//! [`PodTerms`]: the affinity of a pod to other pods, compiled.

use orlop_model::core::v1::{Pod, PodAffinityTerm};
use orlop_model::selector::{Selector, SelectorError};
use orlop_model::{List, Map, Str};

/// One term: pods of some namespaces with some labels, and the label of nodes that says which nodes
/// count as one place.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct PodTerm {
    pub(crate) topology_key: Str,
    pods: Selector,
    namespaces: List<Str>,
    pub(crate) namespace_selector: Selector,
}

impl PodTerm {
    fn compile(term: &PodAffinityTerm, pod: &Pod) -> Result<Self, SelectorError> {
        let namespaces = if term.namespaces.is_empty() && term.namespace_selector.is_none() {
            List::from_iter([pod.metadata.namespace.clone()])
        } else {
            term.namespaces.clone()
        };
        // matchLabelKeys and mismatchLabelKeys are merged into the selector when a pod is created;
        // the scheduler does not look at them.
        Ok(Self {
            topology_key: term.topology_key.clone(),
            pods: Selector::from_object(term.label_selector.as_deref())?,
            namespaces,
            namespace_selector: Selector::from_object(term.namespace_selector.as_deref())?,
        })
    }

    /// Whether a pod with these labels, in a namespace of this name and labels, is meant.
    pub(crate) fn matches(&self, namespace: &Str, namespace_labels: &Map<Str>, labels: &Map<Str>) -> bool {
        (self.namespaces.contains(namespace) || self.namespace_selector.matches(namespace_labels))
            && self.pods.matches(labels)
    }

    /// Names the namespaces that the selector matches, as kube-scheduler does for the pod that is
    /// to be placed.
    pub(crate) fn add_namespaces<'a>(&mut self, all: impl Iterator<Item = (&'a Str, &'a Map<Str>)>) {
        if self.namespace_selector.requirements().is_empty() {
            return;
        }
        let named =
            all.filter(|(_, labels)| self.namespace_selector.matches(*labels)).map(|(name, _)| name.clone());
        self.namespaces.extend(named);
    }
}

/// A pod's affinity to other pods; preferred terms with their weights.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct PodTerms {
    pub(crate) required: List<PodTerm>,
    pub(crate) required_anti: List<PodTerm>,
    pub(crate) preferred: List<(i64, PodTerm)>,
    pub(crate) preferred_anti: List<(i64, PodTerm)>,
}

impl PodTerms {
    /// The terms of a pod; `None` if it has no such affinity.
    ///
    /// # Errors
    /// What is wrong with a selector.
    pub(crate) fn of(pod: &Pod) -> Result<Option<Self>, SelectorError> {
        let Some(affinity) = &pod.spec.affinity else {
            return Ok(None);
        };
        if affinity.pod_affinity.is_none() && affinity.pod_anti_affinity.is_none() {
            return Ok(None);
        }
        let mut terms = Self::default();
        if let Some(affinity) = &affinity.pod_affinity {
            for term in &affinity.required_during_scheduling_ignored_during_execution {
                terms.required.push(PodTerm::compile(term, pod)?);
            }
            for term in &affinity.preferred_during_scheduling_ignored_during_execution {
                let compiled = PodTerm::compile(&term.pod_affinity_term, pod)?;
                terms.preferred.push((i64::from(term.weight), compiled));
            }
        }
        if let Some(affinity) = &affinity.pod_anti_affinity {
            for term in &affinity.required_during_scheduling_ignored_during_execution {
                terms.required_anti.push(PodTerm::compile(term, pod)?);
            }
            for term in &affinity.preferred_during_scheduling_ignored_during_execution {
                let compiled = PodTerm::compile(&term.pod_affinity_term, pod)?;
                terms.preferred_anti.push((i64::from(term.weight), compiled));
            }
        }
        Ok(Some(terms))
    }
}
