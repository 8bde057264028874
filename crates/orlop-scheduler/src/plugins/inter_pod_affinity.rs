//! [`InterPodAffinity`]: pods near to, or far from, other pods.

use orlop_model::core::v1::{Node, Pod};
use orlop_model::{Map, Str};

use crate::cluster::{ClusterView, PodGroup, PodTerm, PodTerms};
use crate::framework::{
    ClusterEvent, Counts, DomainFilter, DomainScore, Feasibility, Hint, Normalize, Plan, Plugin, PodTemplate,
    PreFilter, PreScore, Status, Tally, Totals, Verdict,
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

/// Whether a placed pod with these labels matches each of the terms (there must be one).
fn matches_all(terms: &[PodTerm], namespace: &Str, labels: &Map<Str>) -> bool {
    !terms.is_empty() && terms.iter().all(|term| means(term, namespace, labels))
}

/// Whether a term of the pod that is to be placed means a pod. The namespaces that the term selects are
/// named in it already; the selector itself sees a namespace without labels, which makes negative selectors
/// match in every namespace.
fn means(term: &PodTerm, namespace: &Str, labels: &Map<Str>) -> bool {
    term.matches(namespace, &Map::new(), labels)
}

/// Where the pods are that required terms are about: those that all required terms mean, by the key of each
/// term; those that each anti-affinity term means; those whose own anti-affinity means this pod, by key.
#[derive(Debug)]
pub struct RequiredPlan {
    affinity: Affinity,
    namespace_labels: Map<Str>,
    terms: PodTerms,
    tallies: Vec<Tally>,
    /// Whether the pod satisfies its own required terms.
    suits_itself: bool,
}

impl RequiredPlan {
    /// The key of a term by which pods of a group keep this pod away, for each such term.
    fn unwelcome<'a>(
        affinity: &'a Affinity,
        namespace_labels: &'a Map<Str>,
        group: &'a PodGroup,
    ) -> impl Iterator<Item = &'a Str> {
        let terms = group.terms().into_iter().flat_map(|terms| &terms.required_anti);
        terms.filter(|term| affinity.is_meant_by(term, namespace_labels)).map(|term| &term.topology_key)
    }

    /// Tallies before this one are about the pod's own terms.
    fn own(&self) -> usize {
        self.terms.required.len() + self.terms.required_anti.len()
    }
}

impl Plan for RequiredPlan {
    fn tallies(&self) -> &[Tally] {
        &self.tallies
    }

    fn weigh(&self, tally: usize, group: &PodGroup) -> Option<i32> {
        let (near, own) = (self.terms.required.len(), self.own());
        let count = if tally < near {
            i32::from(matches_all(&self.terms.required, group.namespace(), group.labels()))
        } else if tally < own {
            i32::from(means(&self.terms.required_anti[tally - near], group.namespace(), group.labels()))
        } else {
            let key = &self.tallies[tally].key;
            let terms = Self::unwelcome(&self.affinity, &self.namespace_labels, group);
            i32::try_from(terms.filter(|other| *other == key).count()).unwrap_or(i32::MAX)
        };
        (count > 0).then_some(count)
    }

    fn is_outgrown_by(&self, group: &PodGroup) -> bool {
        let known = &self.tallies[self.own()..];
        Self::unwelcome(&self.affinity, &self.namespace_labels, group)
            .any(|key| known.iter().all(|tally| tally.key != *key))
    }
}

impl Plugin for InterPodAffinity {
    fn name(&self) -> &str {
        "InterPodAffinity"
    }
}

impl DomainFilter for InterPodAffinity {
    type Signature = Affinity;
    type Plan = RequiredPlan;

    fn sign(&self, pod: PodTemplate<'_>) -> Affinity {
        Affinity::of(pod.pod())
    }

    fn plan(&self, affinity: &Affinity, cluster: ClusterView<'_>) -> Result<RequiredPlan, Status> {
        let terms = match &affinity.terms {
            Ok(terms) => terms.as_deref(),
            Err(error) => return Err(Status::unresolvable(format!("parsing pod: {error}"))),
        };
        let mut terms = terms.cloned().unwrap_or_default();
        for term in terms.required.iter_mut().chain(&mut terms.required_anti) {
            term.add_namespaces(cluster.neighbours().namespaces());
        }
        let namespace_labels = namespace_labels(cluster, &affinity.namespace);
        let own = terms.required.iter().chain(&terms.required_anti);
        let mut tallies: Vec<Tally> = own.map(|term| Tally::by_label(term.topology_key.clone())).collect();
        let own = tallies.len();
        for (_, group) in cluster.groups() {
            for key in RequiredPlan::unwelcome(affinity, &namespace_labels, group) {
                if tallies[own..].iter().all(|tally| tally.key != *key) {
                    tallies.push(Tally::by_label(key.clone()));
                }
            }
        }
        Ok(RequiredPlan {
            suits_itself: matches_all(&terms.required, &affinity.namespace, &affinity.labels),
            affinity: affinity.clone(),
            namespace_labels,
            terms,
            tallies,
        })
    }

    fn pre_filter(&self, plan: &RequiredPlan, totals: Totals<'_>) -> PreFilter {
        let asks = plan.own() > 0;
        let welcome = || (0..plan.tallies.len()).all(|tally| totals.total(tally) == 0);
        if !asks && welcome() { PreFilter::Skip } else { PreFilter::Run(()) }
    }

    fn filter(&self, plan: &RequiredPlan, totals: Totals<'_>, counts: Counts<'_>) -> Verdict {
        let (required, own) = (plan.terms.required.len(), plan.own());
        let mut near = true;
        for tally in 0..required {
            match counts.get(tally) {
                Some(pods) => near &= pods > 0,
                None => return Verdict::unresolvable("node(s) didn't match pod affinity rules"),
            }
        }
        // The first of a series of pods that want to be near each other may go anywhere.
        let first = || plan.suits_itself && (0..required).all(|tally| totals.total(tally) == 0);
        if !near && !first() {
            return Verdict::unresolvable("node(s) didn't match pod affinity rules");
        }
        let meets = |tally: usize| counts.get(tally).is_some_and(|pods| pods > 0);
        if (required..own).any(meets) {
            return Verdict::unschedulable("node(s) didn't match pod anti-affinity rules");
        }
        if (own..plan.tallies.len()).any(meets) {
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
        let may_mean = |term: &PodTerm, other: &Pod| {
            !term.namespace_selector.is_nothing()
                || term.matches(&other.metadata.namespace, &Map::new(), &other.metadata.labels)
        };
        let wanted = |other: &Pod| terms.required.iter().any(|term| may_mean(term, other));
        let in_the_way = |other: &Pod| {
            terms.required_anti.iter().any(|term| may_mean(term, other))
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

/// What being near to pods is worth: by key, what attracts and what repels apart.
#[derive(Debug)]
pub struct PreferredPlan {
    affinity: Affinity,
    namespace_labels: Map<Str>,
    hard_weight: i64,
    /// With the namespaces that they select; preferred terms alone.
    terms: PodTerms,
    /// By tally, whether it repels.
    repels: Vec<bool>,
    tallies: Vec<Tally>,
    /// Whether nothing is worth anything to this pod.
    indifferent: bool,
}

impl PreferredPlan {
    /// What one pod of a group is worth, by key: of the pod's own terms and of the group's.
    fn worth<'a>(&'a self, group: &'a PodGroup) -> impl Iterator<Item = (&'a Str, i64)> {
        let own = self.terms.preferred.iter().map(|(weight, term)| (*weight, term));
        let own_anti = self.terms.preferred_anti.iter().map(|(weight, term)| (-*weight, term));
        let own = own.chain(own_anti).filter(|(_, term)| means(term, group.namespace(), group.labels()));
        let theirs = group.terms().into_iter().flat_map(|terms| {
            let required = terms.required.iter().map(|term| (self.hard_weight, term));
            let preferred = terms.preferred.iter().map(|(weight, term)| (*weight, term));
            let anti = terms.preferred_anti.iter().map(|(weight, term)| (-*weight, term));
            required.chain(preferred).chain(anti)
        });
        let theirs = theirs.filter(|(_, term)| self.affinity.is_meant_by(term, &self.namespace_labels));
        own.chain(theirs)
            .filter(|(weight, _)| *weight != 0)
            .map(|(weight, term)| (&term.topology_key, weight))
    }

    fn place(&self, key: &Str, repels: bool) -> Option<usize> {
        let mut known = self.tallies.iter().zip(&self.repels);
        known.position(|(tally, known)| tally.key == *key && *known == repels)
    }

    fn count(&mut self, key: Str, repels: bool) {
        if self.place(&key, repels).is_none() {
            self.tallies.push(Tally::by_label(key));
            self.repels.push(repels);
        }
    }
}

impl Plan for PreferredPlan {
    fn tallies(&self) -> &[Tally] {
        &self.tallies
    }

    fn weigh(&self, tally: usize, group: &PodGroup) -> Option<i32> {
        let (key, repels) = (&self.tallies[tally].key, self.repels[tally]);
        let worth = self.worth(group).filter(|(other, weight)| *other == key && (*weight < 0) == repels);
        let sum: i64 = worth.map(|(_, weight)| weight).sum();
        (sum != 0).then(|| i32::try_from(sum).unwrap_or(if repels { i32::MIN } else { i32::MAX }))
    }

    fn is_outgrown_by(&self, group: &PodGroup) -> bool {
        !self.indifferent && self.worth(group).any(|(key, weight)| self.place(key, weight < 0).is_none())
    }
}

impl DomainScore for InterPodAffinity {
    type Signature = Affinity;
    type Plan = PreferredPlan;
    type State = ();
    const NORMALIZE: Normalize = Normalize::MinMax;

    fn sign(&self, pod: PodTemplate<'_>) -> Affinity {
        Affinity::of(pod.pod())
    }

    fn plan(&self, affinity: &Affinity, cluster: ClusterView<'_>) -> Result<PreferredPlan, Status> {
        let mut terms = match &affinity.terms {
            Ok(terms) => terms.as_deref().cloned().unwrap_or_default(),
            Err(error) => return Err(Status::error(format!("parsing pod: {error}"))),
        };
        for (_, term) in terms.preferred.iter_mut().chain(&mut terms.preferred_anti) {
            term.add_namespaces(cluster.neighbours().namespaces());
        }
        let prefers = !terms.preferred.is_empty() || !terms.preferred_anti.is_empty();
        let mut plan = PreferredPlan {
            affinity: affinity.clone(),
            namespace_labels: namespace_labels(cluster, &affinity.namespace),
            hard_weight: self.hard_pod_affinity_weight.max(0),
            terms,
            repels: Vec::new(),
            tallies: Vec::new(),
            indifferent: self.ignore_preferred_terms_of_existing_pods && !prefers,
        };
        if plan.indifferent {
            return Ok(plan);
        }
        let own = |terms: &[(i64, PodTerm)], repels| -> Vec<(Str, bool)> {
            terms.iter().map(|(_, term)| (term.topology_key.clone(), repels)).collect()
        };
        let (near, far) = (own(&plan.terms.preferred, false), own(&plan.terms.preferred_anti, true));
        for (key, repels) in near.into_iter().chain(far) {
            plan.count(key, repels);
        }
        for (_, group) in cluster.groups() {
            let missing: Vec<(Str, bool)> = plan
                .worth(group)
                .map(|(key, weight)| (key, weight < 0))
                .filter(|(key, repels)| plan.place(key, *repels).is_none())
                .map(|(key, repels)| (key.clone(), repels))
                .collect();
            for (key, repels) in missing {
                plan.count(key, repels);
            }
        }
        Ok(plan)
    }

    fn pre_score(
        &self,
        plan: &PreferredPlan,
        totals: Totals<'_>,
        _: &Feasibility,
        _: ClusterView<'_>,
    ) -> PreScore {
        let worthless = (0..plan.tallies.len()).all(|tally| totals.total(tally) == 0);
        if worthless { PreScore::Skip } else { PreScore::Run(()) }
    }

    fn score(&self, plan: &PreferredPlan, (): &(), counts: Counts<'_>) -> Option<i64> {
        Some((0..plan.tallies.len()).filter_map(|tally| counts.get(tally)).sum())
    }
}
