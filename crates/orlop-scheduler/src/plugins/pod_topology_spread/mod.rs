//! [`PodTopologySpread`]: pods that belong together are spread over nodes, zones and the like.

mod constraint;
mod filter;
mod ln;
mod score;

use orlop_model::core::v1::{Pod, TopologySpreadConstraint, UnsatisfiableConstraintAction};
use orlop_model::{List, Map, Str, list};

use self::constraint::Constraint;
use super::node_affinity::RequiredAffinity;
use super::taint_toleration::Tolerations;
use crate::cluster::{ClusterView, NodeView, PodGroup, Workload, controller_of};
use crate::framework::{Plan, Plugin, Status, Tally};

const HOSTNAME: &str = "kubernetes.io/hostname";
const ZONE: &str = "topology.kubernetes.io/zone";

/// Turns down nodes where one more pod would make its group too uneven (`DoNotSchedule`); rates nodes
/// by how even the group would be (`ScheduleAnyway`).
#[derive(Clone, Debug)]
pub struct PodTopologySpread {
    /// Of pods that have none of their own; without selectors.
    defaults: List<TopologySpreadConstraint>,
    /// Whether nodes that lack a label take part all the same.
    lenient: bool,
}

impl Default for PodTopologySpread {
    /// With kube-scheduler's own default constraints: hosts with skew 3, zones with skew 5, both
    /// `ScheduleAnyway`.
    fn default() -> Self {
        let constraint = |key: &str, max_skew| TopologySpreadConstraint {
            topology_key: key.into(),
            max_skew,
            when_unsatisfiable: UnsatisfiableConstraintAction::ScheduleAnyway,
            ..TopologySpreadConstraint::default()
        };
        Self { defaults: list![constraint(HOSTNAME, 3), constraint(ZONE, 5)], lenient: true }
    }
}

impl PodTopologySpread {
    /// With default constraints of one's own. Their selectors play no part: pods that belong
    /// together are found by services and workloads.
    #[must_use]
    pub fn with_defaults(defaults: impl IntoIterator<Item = TopologySpreadConstraint>) -> Self {
        Self { defaults: defaults.into_iter().collect(), lenient: false }
    }

    fn signature(&self, pod: &Pod, action: &UnsatisfiableConstraintAction) -> Spread {
        let spec = &pod.spec;
        let labels = &pod.metadata.labels;
        let by_default = spec.topology_spread_constraints.is_empty();
        let source = if by_default { &self.defaults } else { &spec.topology_spread_constraints };
        let constraints: Result<List<Constraint>, _> = source
            .iter()
            .filter(|constraint| constraint.when_unsatisfiable == *action)
            .map(|constraint| Constraint::compile(constraint, labels))
            .collect();
        let (constraints, error) = match constraints {
            // Nothing to look at: equal signatures for all such pods.
            Ok(constraints) if constraints.is_empty() => return Spread::default(),
            Ok(constraints) => (constraints, None),
            Err(error) => (List::new(), Some(error.to_string())),
        };
        Spread {
            lenient: by_default && self.lenient,
            constraints,
            error,
            by_default,
            namespace: pod.metadata.namespace.clone(),
            labels: labels.clone(),
            owner: if by_default { controller_of(pod) } else { None },
            affinity: RequiredAffinity::of(pod),
            tolerations: Tolerations::of(pod, |_| true),
        }
    }
}

impl Plugin for PodTopologySpread {
    fn name(&self) -> &str {
        "PodTopologySpread"
    }
}

/// What spreading looks at of a pod.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Spread {
    constraints: List<Constraint>,
    /// What is wrong with a constraint.
    error: Option<String>,
    by_default: bool,
    lenient: bool,
    namespace: Str,
    labels: Map<Str>,
    owner: Option<Workload>,
    affinity: RequiredAffinity,
    tolerations: Tolerations,
}

impl Spread {
    /// The constraints, those by default with the selector that the cluster's services and workloads
    /// give; none where nothing says which pods belong together.
    fn constraints(&self, cluster: ClusterView<'_>) -> List<Constraint> {
        if !self.by_default || self.constraints.is_empty() {
            return self.constraints.clone();
        }
        let selector =
            cluster.neighbours().default_selector(&self.namespace, &self.labels, self.owner.as_ref());
        if selector.is_everything() {
            return List::new();
        }
        let mut constraints = self.constraints.clone();
        for constraint in &mut constraints {
            constraint.selector = selector.clone();
        }
        constraints
    }

    /// Whether pods on the node count for the constraint.
    fn includes(&self, constraint: &Constraint, node: NodeView<'_>) -> bool {
        (!constraint.honor_affinity || self.affinity.matches(node.name(), node.labels()))
            && (!constraint.honor_taints || node.hard_taints().all(|taint| self.tolerations.tolerate(taint)))
    }
}

/// The constraints of a signature, with the selector of those by default filled in, and what is counted for
/// them.
#[derive(Debug)]
pub struct SpreadPlan {
    spread: Spread,
    constraints: List<Constraint>,
    tallies: Vec<Tally>,
    /// Whether nodes that lack a label do not take part.
    strict: bool,
    /// Whether a node's own pods count by node for the host name.
    hosts_by_node: bool,
}

impl SpreadPlan {
    fn new(
        spread: &Spread,
        cluster: ClusterView<'_>,
        strict: bool,
        hosts_by_node: bool,
    ) -> Result<Self, Status> {
        if let Some(error) = &spread.error {
            return Err(Status::error(error.clone()));
        }
        let constraints = spread.constraints(cluster);
        let tallies = constraints
            .iter()
            .map(|constraint| {
                if constraint.is_hostname && hosts_by_node {
                    Tally::by_node(constraint.key.clone()).without_terminating()
                } else {
                    Tally::by_label(constraint.key.clone()).without_terminating().with_domains()
                }
            })
            .collect();
        Ok(Self { spread: spread.clone(), constraints, tallies, strict, hosts_by_node })
    }
}

impl Plan for SpreadPlan {
    fn tallies(&self) -> &[Tally] {
        &self.tallies
    }

    fn weigh(&self, tally: usize, group: &PodGroup) -> Option<i32> {
        // An empty selector is taken to select no pod.
        let selector = &self.constraints[tally].selector;
        let counts = !selector.is_everything()
            && !selector.is_nothing()
            && *group.namespace() == self.spread.namespace
            && selector.matches(group.labels());
        counts.then_some(1)
    }

    fn includes(&self, tally: usize, node: NodeView<'_>) -> bool {
        let constraint = &self.constraints[tally];
        if constraint.is_hostname && self.hosts_by_node {
            return true;
        }
        (!self.strict || Constraint::all_on(&self.constraints, node))
            && self.spread.includes(constraint, node)
    }
}
