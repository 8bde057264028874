//! [`Tallies`]: the counts that plans ask for, kept by node.

use crate::cluster::{Cluster, NO_VALUE, NodeView, Topology};
use crate::framework::{ABSENT, AnyPlan, Sums};

/// A label of which no more nodes than this share a value is counted by sums: when one changes, these nodes
/// are looked at again. With more, nodes are told apart by the value itself.
const FEW: usize = 4;

/// Where the nodes by a label are found.
#[derive(Clone, Copy, Debug)]
enum Place {
    /// Among the cluster's.
    Shared(usize),
    /// Made for these tallies alone.
    Own(usize),
}

#[derive(Debug)]
struct Spec {
    /// Which plan, and which of its tallies.
    plan: usize,
    tally: usize,
    topology: Place,
    by_node: bool,
    terminating: bool,
    with_domains: bool,
}

/// What a node adds to a tally.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Part {
    /// Number of the label's value, [`NO_VALUE`] where it is lacking.
    value: u32,
    sum: i32,
}

/// Marks the value of a node that does not count.
const LEFT_OUT: u32 = 1 << 31;
const NOTHING: Part = Part { value: NO_VALUE, sum: 0 };

impl Part {
    /// The value of a node that has the label, whether it counts or not.
    fn value(self) -> Option<u32> {
        (self.value != NO_VALUE).then_some(self.value & !LEFT_OUT)
    }

    /// The value of a node that counts.
    fn counted(self) -> Option<u32> {
        (self.value & LEFT_OUT == 0).then_some(self.value)
    }
}

/// The tallies of some plans, one after the other.
#[derive(Debug, Default)]
pub(super) struct Tallies {
    specs: Vec<Spec>,
    own: Vec<Topology>,
    pub(super) sums: Vec<Sums>,
    /// By tally and number of the group.
    weights: Vec<Vec<i32>>,
    /// By number of the group, whether any tally counts it.
    matters: Vec<bool>,
    /// By tally and index of the node.
    parts: Vec<Vec<Part>>,
}

impl Tallies {
    /// Counts over the whole cluster. Labels that the cluster keeps no index of are indexed for these tallies
    /// alone.
    pub(super) fn new(plans: &[&dyn AnyPlan], cluster: &Cluster) -> Self {
        let mut tallies = Self::default();
        for (plan, asked) in plans.iter().enumerate() {
            for (tally, asked) in asked.tallies().iter().enumerate() {
                let topology = match cluster.topologies().iter().position(|known| *known.key() == asked.key) {
                    Some(known) => Place::Shared(known),
                    None => {
                        tallies.own.push(Topology::new(asked.key.clone(), cluster));
                        Place::Own(tallies.own.len() - 1)
                    }
                };
                let by_value = tallies.topology(cluster, topology);
                let few = cluster.view().node_count() <= by_value.len().saturating_mul(FEW);
                let sums =
                    Sums { parts_are_sums: asked.by_node || (few && !asked.domains), ..Sums::default() };
                tallies.specs.push(Spec {
                    plan,
                    tally,
                    topology,
                    by_node: asked.by_node,
                    terminating: asked.terminating,
                    with_domains: asked.domains,
                });
                tallies.sums.push(sums);
                tallies.weights.push(Vec::new());
                tallies.parts.push(Vec::new());
            }
        }
        if !tallies.specs.is_empty() {
            for group in 0..cluster.view().groups_bound() {
                tallies.weigh(plans, cluster, group);
            }
            for node in cluster.view().nodes() {
                tallies.update(plans, cluster, node.slot_index(), Some(node), true, &mut Vec::new());
            }
        }
        tallies
    }

    fn topology<'a>(&'a self, cluster: &'a Cluster, place: Place) -> &'a Topology {
        match place {
            Place::Shared(index) => &cluster.topologies()[index],
            Place::Own(index) => &self.own[index],
        }
    }

    pub(super) fn len(&self) -> usize {
        self.specs.len()
    }

    /// Whether a tally counts pods of the group.
    #[inline]
    pub(super) fn matters(&self, group: u32) -> bool {
        self.matters.get(group as usize).copied().unwrap_or(false)
    }

    /// A number stands for another group from now on. Until [`settle`](Self::settle) it matters if either does.
    pub(super) fn weigh(&mut self, plans: &[&dyn AnyPlan], cluster: &Cluster, number: usize) {
        let mut matters = false;
        for (spec, weights) in self.specs.iter().zip(&mut self.weights) {
            if number >= weights.len() {
                weights.resize(number + 1, 0);
            }
            let group = cluster.view().group(number);
            let weight = group.and_then(|group| plans[spec.plan].weigh(spec.tally, group)).unwrap_or(0);
            weights[number] = weight;
            matters |= weight != 0;
        }
        if number >= self.matters.len() {
            self.matters.resize(number + 1, false);
        }
        self.matters[number] |= matters;
    }

    /// Every node with pods of the group that the number stood for before was looked at.
    pub(super) fn settle(&mut self, group: u32) {
        if let Some(matters) = self.matters.get_mut(group as usize) {
            *matters = self.weights.iter().any(|weights| weights[group as usize] != 0);
        }
    }

    /// Looks at a node again: at its pods, and if `object` at its labels. Answers whether
    /// [`part`](Self::part) may be another for this node; nodes at the same place for which it may are added
    /// to `others`.
    pub(super) fn update(
        &mut self,
        plans: &[&dyn AnyPlan],
        cluster: &Cluster,
        index: u32,
        node: Option<NodeView<'_>>,
        object: bool,
        others: &mut Vec<u32>,
    ) -> bool {
        let mut changed = false;
        for tally in 0..self.specs.len() {
            let spec = &self.specs[tally];
            let old = self.parts[tally].get(index as usize).copied().unwrap_or(NOTHING);
            let value = if object {
                let value = self.topology(cluster, spec.topology).value_of(index);
                match node {
                    Some(node) if value != NO_VALUE => {
                        if plans[spec.plan].includes(spec.tally, node) {
                            value
                        } else {
                            value | LEFT_OUT
                        }
                    }
                    _ => NO_VALUE,
                }
            } else {
                old.value
            };
            let mut new = Part { value, sum: 0 };
            if let (Some(node), Some(_)) = (node, new.counted()) {
                let weights = &self.weights[tally];
                for count in node.pod_groups() {
                    let weight = weights.get(count.group()).copied().unwrap_or(0);
                    if weight != 0 {
                        let pods = if spec.terminating { count.all() } else { count.running() };
                        let pods = i32::try_from(pods).unwrap_or(i32::MAX);
                        new.sum = new.sum.saturating_add(weight.saturating_mul(pods));
                    }
                }
            }
            if new == old {
                continue;
            }
            let (by_node, with_domains) = (spec.by_node, spec.with_domains);
            let topology = spec.topology;
            let parts = &mut self.parts[tally];
            if index as usize >= parts.len() {
                parts.resize(index as usize + 1, NOTHING);
            }
            parts[index as usize] = new;
            let sums = &mut self.sums[tally];
            if by_node {
                sums.total += i64::from(new.sum) - i64::from(old.sum);
                changed = true;
                continue;
            }
            if let (Some(before), Some(after)) = (old.counted(), new.counted())
                && before == after
            {
                shift(sums, after, i64::from(new.sum) - i64::from(old.sum), 0, with_domains);
            } else {
                if let Some(before) = old.counted() {
                    shift(sums, before, -i64::from(old.sum), -1, with_domains);
                }
                if let Some(after) = new.counted() {
                    shift(sums, after, i64::from(new.sum), 1, with_domains);
                }
            }
            if !sums.parts_are_sums {
                changed |= old.value() != new.value();
                continue;
            }
            changed = true;
            for value in [old.counted(), new.counted()].into_iter().flatten() {
                let topology = match topology {
                    Place::Shared(shared) => &cluster.topologies()[shared],
                    Place::Own(own) => &self.own[own],
                };
                if (value as usize) < topology.bound() {
                    others.extend(topology.nodes_of(value).iter().filter(|other| **other != index));
                }
            }
        }
        changed
    }

    /// What tells the node apart in a tally.
    #[inline]
    pub(super) fn part(&self, tally: usize, node: u32) -> i64 {
        let part = self.parts[tally].get(node as usize).copied().unwrap_or(NOTHING);
        let Some(value) = part.value() else {
            return ABSENT;
        };
        if self.specs[tally].by_node {
            i64::from(part.sum)
        } else if self.sums[tally].parts_are_sums {
            self.sums[tally].by_value.get(value as usize).copied().unwrap_or(0)
        } else {
            i64::from(value)
        }
    }

    /// Whether [`Feasibility::domains`](crate::Feasibility::domains) is asked for.
    pub(super) fn with_domains(&self, tally: usize) -> bool {
        self.specs[tally].with_domains
    }

    /// Bytes on the heap, as far as they grow with the cluster.
    pub(super) fn size(&self) -> usize {
        let parts: usize = self.parts.iter().map(|parts| parts.capacity() * size_of::<Part>()).sum();
        let sums: usize = self.sums.iter().map(|sums| sums.by_value.capacity() * 12).sum();
        let weights: usize = self.weights.iter().map(|weights| weights.capacity() * 4).sum();
        parts + sums + weights
    }
}

fn shift(sums: &mut Sums, value: u32, by: i64, nodes: i32, with_domains: bool) {
    let value = value as usize;
    if value >= sums.by_value.len() {
        sums.by_value.resize(value + 1, 0);
        sums.nodes.resize(value + 1, 0);
    }
    if with_domains && sums.nodes[value] > 0 {
        level(sums, value, false);
    }
    sums.by_value[value] += by;
    sums.total += by;
    sums.nodes[value] = sums.nodes[value].saturating_add_signed(nodes);
    if with_domains && sums.nodes[value] > 0 {
        level(sums, value, true);
    }
}

fn level(sums: &mut Sums, value: usize, more: bool) {
    let sum = sums.by_value[value];
    if more {
        sums.domains += 1;
        *sums.levels.entry(sum).or_default() += 1;
    } else {
        sums.domains -= 1;
        if let Some(count) = sums.levels.get_mut(&sum) {
            *count -= 1;
            if *count == 0 {
                sums.levels.remove(&sum);
            }
        }
    }
}
