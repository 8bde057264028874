//! [`Plan`]: what a plugin wants counted over the places of a cluster, and the counts that it gets.

use std::collections::BTreeMap;
use std::fmt::Debug;

use orlop_model::Str;

use crate::cluster::{NodeView, PodGroup};

/// Something to be counted for pods of one signature: pods by the value that their node's label has.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Tally {
    pub(crate) key: Str,
    pub(crate) by_node: bool,
    pub(crate) terminating: bool,
    pub(crate) domains: bool,
}

impl Tally {
    /// Nodes with the same value of the label `key` are one place.
    #[must_use]
    pub fn by_label(key: impl Into<Str>) -> Self {
        Self { key: key.into(), by_node: false, terminating: true, domains: false }
    }

    /// Each node that has the label `key` is a place of its own.
    #[must_use]
    pub fn by_node(key: impl Into<Str>) -> Self {
        Self { by_node: true, ..Self::by_label(key) }
    }

    /// Pods that are being deleted do not count.
    #[must_use]
    pub fn without_terminating(mut self) -> Self {
        self.terminating = false;
        self
    }

    /// [`Totals::lowest`], [`Totals::domains`] and [`Feasibility::domains`] will be asked for.
    #[must_use]
    pub fn with_domains(mut self) -> Self {
        self.domains = true;
        self
    }
}

/// What is counted for pods of one signature, and how. A plan stays as it is while pods and nodes come
/// and go; it is made anew where a namespace, service or workload changes, or where
/// [`is_outgrown_by`](Self::is_outgrown_by) says so.
pub trait Plan: Debug + Send + Sync + 'static {
    /// What is counted.
    fn tallies(&self) -> &[Tally];

    /// What each pod of `group` counts for in a tally; `None`: not at all. All weights of one tally have
    /// the same sign, so that a sum of 0 means that nothing counted.
    fn weigh(&self, tally: usize, group: &PodGroup) -> Option<i32>;

    /// Whether pods on `node` count in a tally (where the node has the label). Looks at the node object
    /// alone.
    fn includes(&self, tally: usize, node: NodeView<'_>) -> bool {
        let _ = (tally, node);
        true
    }

    /// How many [keys](Self::key) there are.
    fn keys(&self) -> usize {
        0
    }

    /// Something of the node object that answers depend on, beside the counts.
    fn key(&self, key: usize, node: NodeView<'_>) -> i64 {
        let _ = (key, node);
        0
    }

    /// Whether pods of a new group call for tallies that the plan does not have.
    fn is_outgrown_by(&self, group: &PodGroup) -> bool {
        let _ = group;
        false
    }
}

/// Stands for a node that lacks the label.
pub(crate) const ABSENT: i64 = i64::MIN;

/// What a tally holds over the whole cluster.
#[derive(Debug, Default)]
pub(crate) struct Sums {
    /// By number of the value, 0 beyond the end; of tallies by node: empty.
    pub(crate) by_value: Vec<i64>,
    /// Nodes that count, by number of the value.
    pub(crate) nodes: Vec<u32>,
    /// How many values have a node that counts; kept where asked for.
    pub(crate) domains: u32,
    /// How many values with a node that counts have each sum; kept where asked for.
    pub(crate) levels: BTreeMap<i64, u32>,
    /// Of all pods on nodes that have the label and count.
    pub(crate) total: i64,
    /// Whether the parts of nodes are sums rather than numbers of values.
    pub(crate) parts_are_sums: bool,
}

/// The counts where a node is.
#[derive(Clone, Copy, Debug)]
pub struct Counts<'a> {
    pub(crate) sums: &'a [Sums],
    /// By tally: the sum, or the number of the value, or [`ABSENT`].
    pub(crate) parts: &'a [i64],
    pub(crate) keys: &'a [i64],
}

impl Counts<'_> {
    /// The count of a tally at the node's place, or `None` where the node lacks the label.
    #[inline]
    #[must_use]
    pub fn get(&self, tally: usize) -> Option<i64> {
        match self.parts[tally] {
            ABSENT => None,
            sum if self.sums[tally].parts_are_sums => Some(sum),
            value => Some(self.sums[tally].by_value.get(value as usize).copied().unwrap_or(0)),
        }
    }

    /// A [key](Plan::key) of the node.
    #[must_use]
    pub fn key(&self, key: usize) -> i64 {
        self.keys[key]
    }
}

/// The counts over all places.
#[derive(Clone, Copy, Debug)]
pub struct Totals<'a> {
    pub(crate) sums: &'a [Sums],
}

impl Totals<'_> {
    /// The sum over all places.
    #[must_use]
    pub fn total(&self, tally: usize) -> i64 {
        self.sums[tally].total
    }

    /// How many places there are; of tallies [with domains](Tally::with_domains).
    #[must_use]
    pub fn domains(&self, tally: usize) -> usize {
        self.sums[tally].domains as usize
    }

    /// The least count of any place, 0 where there is none; of tallies
    /// [with domains](Tally::with_domains).
    #[must_use]
    pub fn lowest(&self, tally: usize) -> i64 {
        self.sums[tally].levels.first_key_value().map_or(0, |(count, _)| *count)
    }
}

/// The nodes that passed all filters, in numbers.
#[derive(Clone, Debug, Default)]
pub struct Feasibility {
    pub(crate) nodes: usize,
    pub(crate) complete: usize,
    /// By tally: among all, among complete ones.
    pub(crate) domains: Vec<(u32, u32)>,
}

impl Feasibility {
    /// How many there are.
    #[must_use]
    pub fn nodes(&self) -> usize {
        self.nodes
    }

    /// How many of them have the labels of all tallies.
    #[must_use]
    pub fn complete(&self) -> usize {
        self.complete
    }

    /// At how many places they are, nodes without the label taken as one place; of tallies
    /// [with domains](Tally::with_domains).
    #[must_use]
    pub fn domains(&self, tally: usize) -> usize {
        self.domains[tally].0 as usize
    }

    /// At how many places those are that have the labels of all tallies; of tallies
    /// [with domains](Tally::with_domains).
    #[must_use]
    pub fn complete_domains(&self, tally: usize) -> usize {
        self.domains[tally].1 as usize
    }
}
