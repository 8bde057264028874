//! `DoNotSchedule`.

use std::collections::HashMap;

use orlop_model::Str;
use orlop_model::core::v1::{Node, Pod, UnsatisfiableConstraintAction};

use super::constraint::Constraint;
use super::{PodTopologySpread, Spread, count, matching};
use crate::cluster::{ClusterView, NodeView, PlacedPod};
use crate::framework::{ClusterEvent, DomainFilter, Hint, PreFilter, Status, Verdict};
use crate::plugins::taint_toleration::Tolerations;

/// The domains of each constraint.
#[derive(Clone, Debug)]
pub struct Domains(Vec<Domain>);

#[derive(Clone, Debug)]
struct Domain {
    constraint: Constraint,
    /// Whether the pod itself counts.
    own: i64,
    /// Pods that count, by value of the label.
    counts: HashMap<Str, i64>,
    /// What the emptiest domain has, or 0 where there are too few.
    min: i64,
}

impl Domain {
    fn find_min(&mut self) {
        let enough = i64::try_from(self.counts.len()).unwrap_or(i64::MAX) >= self.constraint.min_domains;
        self.min = if enough { self.counts.values().copied().min().unwrap_or(0) } else { 0 };
    }
}

impl Domains {
    fn change(&mut self, spread: &Spread, pod: &PlacedPod, node: NodeView<'_>, by: i64) {
        let object = pod.object();
        if object.metadata.namespace != spread.namespace
            || !self.0.iter().all(|domain| node.labels().contains_key(&domain.constraint.key))
        {
            return;
        }
        for domain in &mut self.0 {
            let matches = |domain: &Domain| domain.constraint.selector.matches(&object.metadata.labels);
            if matches(domain)
                && spread.includes(&domain.constraint, node)
                && let Some(value) = node.labels().get(&domain.constraint.key)
            {
                *domain.counts.entry(value.clone()).or_default() += by;
                domain.find_min();
            }
        }
    }
}

impl DomainFilter for PodTopologySpread {
    type Signature = Spread;
    type State = Domains;

    fn sign(&self, pod: &Pod) -> Spread {
        self.signature(pod, &UnsatisfiableConstraintAction::DoNotSchedule)
    }

    fn pre_filter(&self, spread: &Spread, cluster: ClusterView<'_>) -> PreFilter<Domains> {
        if let Some(error) = &spread.error {
            return PreFilter::Reject(Status::error(error.clone()));
        }
        let constraints = spread.constraints(cluster);
        if constraints.is_empty() {
            return PreFilter::Skip;
        }
        let matching = matching(cluster, &spread.namespace, &constraints);
        let mut domains: Vec<Domain> = constraints
            .iter()
            .map(|constraint| Domain {
                own: i64::from(constraint.selector.matches(&spread.labels)),
                counts: HashMap::new(),
                min: 0,
                constraint: constraint.clone(),
            })
            .collect();
        for node in cluster.nodes().filter(|node| Constraint::all_on(&constraints, *node)) {
            for (domain, matching) in domains.iter_mut().zip(&matching) {
                if spread.includes(&domain.constraint, node)
                    && let Some(value) = node.labels().get(&domain.constraint.key)
                {
                    let pods = count(node, matching);
                    match domain.counts.get_mut(value) {
                        Some(known) => *known += pods,
                        None => {
                            domain.counts.insert(value.clone(), pods);
                        }
                    }
                }
            }
        }
        domains.iter_mut().for_each(Domain::find_min);
        PreFilter::Run(Domains(domains))
    }

    fn add_pod(&self, spread: &Spread, state: &mut Domains, pod: &PlacedPod, node: NodeView<'_>) {
        state.change(spread, pod, node, 1);
    }

    fn remove_pod(&self, spread: &Spread, state: &mut Domains, pod: &PlacedPod, node: NodeView<'_>) {
        state.change(spread, pod, node, -1);
    }

    fn filter(&self, _: &Spread, state: &Domains, node: NodeView<'_>) -> Verdict {
        for domain in &state.0 {
            let Some(value) = node.labels().get(&domain.constraint.key) else {
                return Verdict::unresolvable(
                    "node(s) didn't match pod topology spread constraints (missing required label)",
                );
            };
            let pods = domain.counts.get(value).copied().unwrap_or(0);
            if pods + domain.own - domain.min > domain.constraint.max_skew {
                return Verdict::unschedulable("node(s) didn't match pod topology spread constraints");
            }
        }
        Verdict::Pass
    }

    fn hint(&self, pod: &Pod, event: &ClusterEvent) -> Hint {
        let action = UnsatisfiableConstraintAction::DoNotSchedule;
        let spread = self.signature(pod, &action);
        // Which pods belong together by default follows from objects that are not at hand here.
        let counts = |other: &Pod| {
            other.metadata.namespace == spread.namespace
                && (spread.by_default
                    || spread
                        .constraints
                        .iter()
                        .any(|constraint| constraint.selector.matches(&other.metadata.labels)))
        };
        let has_labels = |node: &Node| {
            spread.constraints.iter().all(|constraint| node.metadata.labels.contains_key(&constraint.key))
        };
        Hint::queue_if(match event {
            ClusterEvent::NodeAdded(node) | ClusterEvent::NodeRemoved(node) => has_labels(node),
            ClusterEvent::NodeUpdated { old, new } => {
                (has_labels(old) || has_labels(new))
                    && (old.spec.taints != new.spec.taints || old.metadata.labels != new.metadata.labels)
            }
            ClusterEvent::PodPlaced(other) | ClusterEvent::PodGone(other) => counts(other),
            ClusterEvent::PodUpdated { old, new } => {
                counts(old) != counts(new)
                    || (counts(new)
                        && old.metadata.deletion_timestamp.is_some()
                            != new.metadata.deletion_timestamp.is_some())
            }
            ClusterEvent::PendingUpdated { old, new } => {
                new.metadata.uid == pod.metadata.uid
                    && (old.metadata.labels != new.metadata.labels
                        || Tolerations::of(old, |_| true) != Tolerations::of(new, |_| true))
            }
            ClusterEvent::Other { .. } => spread.by_default,
            ClusterEvent::Storage(_) => false,
        })
    }
}
