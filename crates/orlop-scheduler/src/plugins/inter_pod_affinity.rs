//! [`InterPodAffinity`]: pods near to, or far from, other pods.

use std::collections::{BTreeMap, HashMap};

use orlop_model::core::v1::{Node, Pod};
use orlop_model::{Map, Str};

use crate::cluster::{ClusterView, NodeView, PlacedPod, PodTerm, PodTerms};
use crate::framework::{
    ClusterEvent, DomainFilter, DomainScore, Feasible, Hint, Normalize, Plugin, PreFilter, PreScore, Status,
    Verdict,
};

/// Turns down nodes that the required affinity and anti-affinity between pods forbid, that of pods
/// already placed included; rates nodes by preferred ones.
#[derive(Clone, Copy, Debug)]
pub struct InterPodAffinity {
    /// What a required affinity of a placed pod to this one is worth, 0 to 100.
    pub hard_pod_affinity_weight: i64,
    /// Whether what placed pods prefer plays no part for pods that prefer nothing themselves.
    pub ignore_preferred_terms_of_existing_pods: bool,
}

impl Default for InterPodAffinity {
    /// Weight 1, and placed pods' preferences count.
    fn default() -> Self {
        Self { hard_pod_affinity_weight: 1, ignore_preferred_terms_of_existing_pods: false }
    }
}

/// What affinity between pods looks at of a pod.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Affinity {
    namespace: Str,
    labels: Map<Str>,
    terms: Result<Option<Box<PodTerms>>, String>,
}

impl Affinity {
    fn of(pod: &Pod) -> Self {
        Self {
            namespace: pod.metadata.namespace.clone(),
            labels: pod.metadata.labels.clone(),
            terms: PodTerms::of(pod).map(|terms| terms.map(Box::new)).map_err(|error| error.to_string()),
        }
    }

    /// Whether a placed pod's term means this pod.
    fn is_meant_by(&self, term: &PodTerm, namespace_labels: &Map<Str>) -> bool {
        term.matches(&self.namespace, namespace_labels, &self.labels)
    }
}

fn namespace_labels(cluster: ClusterView<'_>, namespace: &str) -> Map<Str> {
    cluster.neighbours().namespace_labels(namespace).cloned().unwrap_or_default()
}

/// Pods by label of their node.
type Places = HashMap<(Str, Str), i64>;

fn add(places: &mut Places, key: &Str, node: NodeView<'_>, by: i64) {
    if by == 0 {
        return;
    }
    if let Some(value) = node.labels().get(key) {
        let place = (key.clone(), value.clone());
        let count = places.entry(place.clone()).or_default();
        *count += by;
        // What is counted down to nothing must look as if it never was.
        if *count == 0 {
            places.remove(&place);
        }
    }
}

fn count(places: &Places, key: &Str, value: &Str) -> i64 {
    places.get(&(key.clone(), value.clone())).copied().unwrap_or(0)
}

/// Whether a placed pod with these labels matches each of the terms (there must be one).
fn matches_all(terms: &[PodTerm], namespace: &Str, labels: &Map<Str>) -> bool {
    // The namespaces that a term selects are named in it already; the selector itself sees a
    // namespace without labels, which makes negative selectors match in every namespace.
    !terms.is_empty() && terms.iter().all(|term| term.matches(namespace, &Map::new(), labels))
}

/// Where the pods are that matter.
#[derive(Clone, Debug, Default)]
pub struct Occupied {
    terms: PodTerms,
    namespace_labels: Map<Str>,
    /// Pods that all required terms mean.
    wanted: Places,
    /// Pods that a required anti-affinity term means.
    unwanted: Places,
    /// Pods whose required anti-affinity means this pod.
    unwelcome: Places,
    /// Whether the pod satisfies its own required terms.
    suits_itself: bool,
}

impl Occupied {
    fn change(&mut self, affinity: &Affinity, pod: &PlacedPod, node: NodeView<'_>, by: i64) {
        let meta = &pod.object().metadata;
        for term in pod.terms().into_iter().flat_map(|terms| &terms.required_anti) {
            if affinity.is_meant_by(term, &self.namespace_labels) {
                add(&mut self.unwelcome, &term.topology_key, node, by);
            }
        }
        if matches_all(&self.terms.required, &meta.namespace, &meta.labels) {
            for term in &self.terms.required {
                add(&mut self.wanted, &term.topology_key, node, by);
            }
        }
        for term in &self.terms.required_anti {
            if term.matches(&meta.namespace, &Map::new(), &meta.labels) {
                add(&mut self.unwanted, &term.topology_key, node, by);
            }
        }
    }
}

impl Plugin for InterPodAffinity {
    fn name(&self) -> &str {
        "InterPodAffinity"
    }
}

impl DomainFilter for InterPodAffinity {
    type Signature = Affinity;
    type State = Occupied;

    fn sign(&self, pod: &Pod) -> Affinity {
        Affinity::of(pod)
    }

    fn pre_filter(&self, affinity: &Affinity, cluster: ClusterView<'_>) -> PreFilter<Occupied> {
        let terms = match &affinity.terms {
            Ok(terms) => terms.as_deref(),
            Err(error) => return PreFilter::Reject(Status::unresolvable(format!("parsing pod: {error}"))),
        };
        let asks = terms.is_some_and(|terms| !terms.required.is_empty() || !terms.required_anti.is_empty());
        if !asks && cluster.nodes_with_terms().next().is_none() {
            return PreFilter::Skip;
        }
        let mut occupied = Occupied {
            terms: terms.cloned().unwrap_or_default(),
            namespace_labels: namespace_labels(cluster, &affinity.namespace),
            ..Occupied::default()
        };
        let Occupied { terms, .. } = &mut occupied;
        for term in terms.required.iter_mut().chain(&mut terms.required_anti) {
            term.add_namespaces(cluster.neighbours().namespaces());
        }
        for node in cluster.nodes_with_terms() {
            for pod in node.pods_with_terms() {
                for term in pod.terms().into_iter().flat_map(|terms| &terms.required_anti) {
                    if affinity.is_meant_by(term, &occupied.namespace_labels) {
                        add(&mut occupied.unwelcome, &term.topology_key, node, 1);
                    }
                }
            }
        }
        if !asks && occupied.unwelcome.is_empty() {
            return PreFilter::Skip;
        }
        if asks {
            let terms = &occupied.terms;
            let wanted =
                cluster.each_group(|group| matches_all(&terms.required, group.namespace(), group.labels()));
            let unwanted: Vec<Vec<bool>> = terms
                .required_anti
                .iter()
                .map(|term| {
                    cluster.each_group(|group| term.matches(group.namespace(), &Map::new(), group.labels()))
                })
                .collect();
            for node in cluster.nodes() {
                let pods = on(node, &wanted);
                for term in &terms.required {
                    add(&mut occupied.wanted, &term.topology_key, node, pods);
                }
                for (term, unwanted) in terms.required_anti.iter().zip(&unwanted) {
                    add(&mut occupied.unwanted, &term.topology_key, node, on(node, unwanted));
                }
            }
            occupied.suits_itself = matches_all(&terms.required, &affinity.namespace, &affinity.labels);
        }
        PreFilter::Run(occupied)
    }

    fn add_pod(&self, affinity: &Affinity, state: &mut Occupied, pod: &PlacedPod, node: NodeView<'_>) {
        state.change(affinity, pod, node, 1);
    }

    fn remove_pod(&self, affinity: &Affinity, state: &mut Occupied, pod: &PlacedPod, node: NodeView<'_>) {
        state.change(affinity, pod, node, -1);
    }

    fn filter(&self, _: &Affinity, state: &Occupied, node: NodeView<'_>) -> Verdict {
        let labels = node.labels();
        let mut near = true;
        for term in &state.terms.required {
            match labels.get(&term.topology_key) {
                Some(value) => near &= count(&state.wanted, &term.topology_key, value) > 0,
                None => return Verdict::unresolvable("node(s) didn't match pod affinity rules"),
            }
        }
        // The first of a series of pods that want to be near each other may go anywhere.
        let first = state.wanted.is_empty() && state.suits_itself;
        if !near && !first {
            return Verdict::unresolvable("node(s) didn't match pod affinity rules");
        }
        let meets = |term: &PodTerm| {
            labels
                .get(&term.topology_key)
                .is_some_and(|value| count(&state.unwanted, &term.topology_key, value) > 0)
        };
        if !state.unwanted.is_empty() && state.terms.required_anti.iter().any(meets) {
            return Verdict::unschedulable("node(s) didn't match pod anti-affinity rules");
        }
        if !state.unwelcome.is_empty()
            && labels.iter().any(|(key, value)| count(&state.unwelcome, key, value) > 0)
        {
            return Verdict::unschedulable("node(s) didn't satisfy existing pods anti-affinity rules");
        }
        Verdict::Pass
    }

    fn hint(&self, pod: &Pod, event: &ClusterEvent) -> Hint {
        let Ok(terms) = PodTerms::of(pod) else {
            return Hint::queue_if(matches!(event, ClusterEvent::PendingUpdated { .. }));
        };
        let terms = terms.unwrap_or_default();
        let keys = |old: &Node, new: &Node| {
            let all = terms.required.iter().chain(&terms.required_anti);
            all.map(|term| &term.topology_key)
                .any(|key| old.metadata.labels.get(key) != new.metadata.labels.get(key))
        };
        // A term with a namespace selector may mean any namespace: labels alone decide then.
        let means = |term: &PodTerm, other: &Pod| {
            !term.namespace_selector.is_nothing()
                || term.matches(&other.metadata.namespace, &Map::new(), &other.metadata.labels)
        };
        let wanted = |other: &Pod| terms.required.iter().any(|term| means(term, other));
        let in_the_way = |other: &Pod| {
            terms.required_anti.iter().any(|term| means(term, other))
                || PodTerms::of(other).ok().flatten().is_some_and(|theirs| !theirs.required_anti.is_empty())
        };
        Hint::queue_if(match event {
            ClusterEvent::PodPlaced(other) => wanted(other),
            // Without the last pod that it wants to be near, it may be the first of a series.
            ClusterEvent::PodGone(other) => in_the_way(other) || wanted(other),
            ClusterEvent::PodUpdated { old, new } => {
                old.metadata.labels != new.metadata.labels && (wanted(new) || wanted(old) || in_the_way(old))
            }
            // Its pods leave with it.
            ClusterEvent::NodeAdded(_) | ClusterEvent::NodeRemoved(_) => true,
            ClusterEvent::NodeUpdated { old, new } => {
                keys(old, new) || old.metadata.labels != new.metadata.labels
            }
            ClusterEvent::PendingUpdated { old, new } => {
                new.metadata.uid == pod.metadata.uid && old.metadata.labels != new.metadata.labels
            }
            ClusterEvent::Other { kind } => kind == "Namespace",
            ClusterEvent::Storage(_) => false,
        })
    }
}

fn on(node: NodeView<'_>, matching: &[bool]) -> i64 {
    node.pod_groups()
        .iter()
        .filter(|count| matching.get(count.group()).is_some_and(|matches| *matches))
        .map(crate::cluster::GroupCount::all)
        .sum()
}

/// What being at a place is worth: by label, then by its value.
type Worth = BTreeMap<Str, HashMap<Str, i64>>;

fn add_worth(worth: &mut Worth, key: &Str, node: NodeView<'_>, by: i64) {
    if let Some(value) = node.labels().get(key) {
        let values = match worth.get_mut(key) {
            Some(values) => values,
            None => worth.entry(key.clone()).or_default(),
        };
        match values.get_mut(value) {
            Some(known) => *known += by,
            None => {
                values.insert(value.clone(), by);
            }
        }
    }
}

impl DomainScore for InterPodAffinity {
    type Signature = Affinity;
    type State = Worth;
    const NORMALIZE: Normalize = Normalize::MinMax;

    fn sign(&self, pod: &Pod) -> Affinity {
        Affinity::of(pod)
    }

    fn pre_score(&self, affinity: &Affinity, cluster: ClusterView<'_>, _: Feasible<'_>) -> PreScore<Worth> {
        let mut terms = match &affinity.terms {
            Ok(terms) => terms.as_deref().cloned().unwrap_or_default(),
            Err(error) => return PreScore::Fail(Status::error(format!("parsing pod: {error}"))),
        };
        let prefers = !terms.preferred.is_empty() || !terms.preferred_anti.is_empty();
        if self.ignore_preferred_terms_of_existing_pods && !prefers {
            return PreScore::Skip;
        }
        let mut worth = Worth::new();
        if prefers {
            for (_, term) in terms.preferred.iter_mut().chain(&mut terms.preferred_anti) {
                term.add_namespaces(cluster.neighbours().namespaces());
            }
            let weighted: Vec<(i64, &PodTerm, Vec<bool>)> = terms
                .preferred
                .iter()
                .map(|(weight, term)| (*weight, term))
                .chain(terms.preferred_anti.iter().map(|(weight, term)| (-*weight, term)))
                .map(|(weight, term)| {
                    let meant = cluster
                        .each_group(|group| term.matches(group.namespace(), &Map::new(), group.labels()));
                    (weight, term, meant)
                })
                .collect();
            for node in cluster.nodes() {
                for (weight, term, meant) in &weighted {
                    let pods = on(node, meant);
                    if pods > 0 {
                        add_worth(&mut worth, &term.topology_key, node, weight * pods);
                    }
                }
            }
        }
        let namespace_labels = namespace_labels(cluster, &affinity.namespace);
        for node in cluster.nodes_with_terms() {
            for theirs in node.pods_with_terms().filter_map(PlacedPod::terms) {
                let required = theirs.required.iter().map(|term| (self.hard_pod_affinity_weight, term));
                let preferred = theirs.preferred.iter().map(|(weight, term)| (*weight, term));
                let anti = theirs.preferred_anti.iter().map(|(weight, term)| (-*weight, term));
                for (weight, term) in required.filter(|(weight, _)| *weight > 0).chain(preferred).chain(anti)
                {
                    if affinity.is_meant_by(term, &namespace_labels) {
                        add_worth(&mut worth, &term.topology_key, node, weight);
                    }
                }
            }
        }
        if worth.is_empty() { PreScore::Skip } else { PreScore::Run(worth) }
    }

    fn score(&self, _: &Affinity, worth: &Worth, node: NodeView<'_>) -> Option<i64> {
        let places = worth.iter().filter_map(|(key, values)| values.get(node.labels().get(key)?));
        Some(places.sum())
    }
}
