//! [`Topology`]: which nodes share a value of a label.

use hashbrown::HashMap;
use orlop_model::Str;

use super::Cluster;

/// Stands for a node without the label.
pub(crate) const NO_VALUE: u32 = u32::MAX;

/// The nodes by their value of one label; values have small numbers.
#[derive(Clone, Debug)]
pub(crate) struct Topology {
    key: Str,
    /// By index of the node.
    value_of: Vec<u32>,
    by_value: HashMap<Str, u32>,
    /// By number of the value: itself, and the nodes that have it.
    values: Vec<(Str, Vec<u32>)>,
    free: Vec<u32>,
}

impl Topology {
    /// Of a cluster as it is now.
    pub(crate) fn new(key: Str, cluster: &Cluster) -> Self {
        let mut topology = Self {
            key,
            value_of: Vec::with_capacity(cluster.nodes.len()),
            by_value: HashMap::new(),
            values: Vec::new(),
            free: Vec::new(),
        };
        for &node in &cluster.active {
            topology.update(node, cluster.label(node, &topology.key).cloned());
        }
        topology
    }

    pub(crate) fn key(&self) -> &Str {
        &self.key
    }

    /// The number of the node's value, or [`NO_VALUE`].
    #[inline]
    pub(crate) fn value_of(&self, node: u32) -> u32 {
        self.value_of.get(node as usize).copied().unwrap_or(NO_VALUE)
    }

    /// The nodes that have a value.
    pub(crate) fn nodes_of(&self, value: u32) -> &[u32] {
        &self.values[value as usize].1
    }

    /// A bound above the numbers of all values.
    pub(crate) fn bound(&self) -> usize {
        self.values.len()
    }

    /// How many values there are.
    pub(crate) fn len(&self) -> usize {
        self.by_value.len()
    }

    /// The node has this value now.
    pub(super) fn update(&mut self, node: u32, value: Option<Str>) {
        let index = node as usize;
        if index >= self.value_of.len() {
            self.value_of.resize(index + 1, NO_VALUE);
        }
        let new = value.map_or(NO_VALUE, |value| match self.by_value.get(&value) {
            Some(&number) => number,
            None => {
                let number = self.free.pop().unwrap_or_else(|| {
                    self.values.push((Str::EMPTY, Vec::new()));
                    u32::try_from(self.values.len() - 1).expect("fewer than 2^32 values")
                });
                self.values[number as usize].0 = value.clone();
                self.by_value.insert(value, number);
                number
            }
        });
        let old = std::mem::replace(&mut self.value_of[index], new);
        if old == new {
            return;
        }
        if new != NO_VALUE {
            self.values[new as usize].1.push(node);
        }
        if old != NO_VALUE {
            let (value, nodes) = &mut self.values[old as usize];
            nodes.retain(|&other| other != node);
            if nodes.is_empty() {
                self.by_value.remove(value);
                self.free.push(old);
            }
        }
    }
}
