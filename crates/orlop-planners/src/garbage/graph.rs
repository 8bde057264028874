//! The graph of owners and dependents.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use orlop_model::Str;
use orlop_model::meta::v1::OwnerReference;
use petgraph::Direction;
use petgraph::stable_graph::{NodeIndex, StableDiGraph};

use super::Identity;

/// One object as the graph knows it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Node {
    /// Number of this node, never used twice; a [`NodeIndex`] may be.
    pub serial: u64,
    pub identity: Identity,
    pub owners: Vec<OwnerReference>,
    /// Known only from a dependent's reference, not from a watch event.
    pub is_virtual: bool,
    pub being_deleted: bool,
    /// Being deleted in the foreground: it waits for its dependents.
    pub deleting_dependents: bool,
    /// Seen last with the finalizer of a foreground deletion.
    pub seen_foreground: bool,
    /// Seen last being deleted with the finalizer that asks for its dependents to be orphaned.
    pub seen_orphaning: bool,
    /// No longer what its UID stands for, and kept only until the work list has let go of it.
    pub retired: bool,
    /// Stands in the list of objects to check.
    pub queued: bool,
}

impl Node {
    /// Whether one of the references to `owner` blocks the deletion of that owner.
    pub(crate) fn blocks(&self, owner: &Str) -> bool {
        self.owners
            .iter()
            .any(|reference| reference.uid == *owner && reference.block_owner_deletion == Some(true))
    }
}

/// Objects by UID, with an edge from each dependent to each of its owners.
#[derive(Clone, Debug, Default)]
pub(crate) struct Graph {
    nodes: StableDiGraph<Node, ()>,
    by_uid: HashMap<Str, NodeIndex>,
    /// UIDs of owners that have no node, with the dependents that name them: so that an owner which
    /// comes (back) later finds its dependents.
    unresolved: BTreeMap<Str, BTreeSet<NodeIndex>>,
    serial: u64,
}

impl Graph {
    pub(crate) fn find(&self, uid: &str) -> Option<NodeIndex> {
        self.by_uid.get(uid).copied()
    }

    pub(crate) fn get(&self, index: NodeIndex) -> Option<&Node> {
        self.nodes.node_weight(index)
    }

    pub(crate) fn get_mut(&mut self, index: NodeIndex) -> Option<&mut Node> {
        self.nodes.node_weight_mut(index)
    }

    pub(crate) fn len(&self) -> usize {
        self.by_uid.len()
    }

    /// Adds a node without edges to owners and makes it what its UID stands for.
    pub(crate) fn insert(&mut self, mut node: Node) -> NodeIndex {
        self.serial += 1;
        node.serial = self.serial;
        let uid = node.identity.uid.clone();
        let index = self.nodes.add_node(node);
        for dependent in self.unresolved.remove(&uid).unwrap_or_default() {
            self.nodes.update_edge(dependent, index, ());
        }
        self.by_uid.insert(uid, index);
        index
    }

    /// Records that `dependent` names `owner`.
    pub(crate) fn link(&mut self, dependent: NodeIndex, owner: NodeIndex) {
        self.nodes.update_edge(dependent, owner, ());
    }

    /// Takes back that `dependent` names the object with UID `owner`.
    pub(crate) fn unlink(&mut self, dependent: NodeIndex, owner: &Str) {
        if let Some(index) = self.find(owner) {
            if let Some(edge) = self.nodes.find_edge(dependent, index) {
                self.nodes.remove_edge(edge);
            }
        } else if let Some(waiting) = self.unresolved.get_mut(owner) {
            waiting.remove(&dependent);
            if waiting.is_empty() {
                self.unresolved.remove(owner);
            }
        }
    }

    /// Puts a copy of the node under another identity in its place, edges included. The old node
    /// is retired, so that work begun for the old identity can be told apart.
    pub(crate) fn replace_identity(&mut self, index: NodeIndex, identity: Identity) -> NodeIndex {
        let Some(node) = self.nodes.node_weight(index) else {
            return index;
        };
        self.serial += 1;
        let copy = Node { serial: self.serial, identity, queued: false, ..node.clone() };
        let uid = copy.identity.uid.clone();
        let new = self.nodes.add_node(copy);
        let dependents: Vec<_> = self.nodes.neighbors_directed(index, Direction::Incoming).collect();
        let owners: Vec<_> = self.nodes.neighbors_directed(index, Direction::Outgoing).collect();
        for dependent in dependents {
            let dependent = if dependent == index { new } else { dependent };
            self.nodes.update_edge(dependent, new, ());
        }
        for owner in owners.into_iter().filter(|&owner| owner != index) {
            self.nodes.update_edge(new, owner, ());
        }
        self.by_uid.insert(uid, new);
        self.retire(index);
        new
    }

    /// Removes what stands for the node's UID. Its dependents wait for an object of this UID.
    pub(crate) fn remove(&mut self, index: NodeIndex) {
        let Some(node) = self.nodes.node_weight(index) else {
            return;
        };
        let uid = node.identity.uid.clone();
        let owners: Vec<Str> = node.owners.iter().map(|owner| owner.uid.clone()).collect();
        for owner in &owners {
            self.unlink(index, owner);
        }
        let dependents: BTreeSet<_> = self
            .nodes
            .neighbors_directed(index, Direction::Incoming)
            .filter(|&dependent| dependent != index)
            .collect();
        if !dependents.is_empty() {
            self.unresolved.insert(uid.clone(), dependents);
        }
        self.by_uid.remove(&uid);
        self.retire(index);
    }

    fn retire(&mut self, index: NodeIndex) {
        let Some(node) = self.nodes.node_weight_mut(index) else {
            return;
        };
        if !node.queued {
            self.nodes.remove_node(index);
            return;
        }
        node.retired = true;
        let edges: Vec<_> = self
            .nodes
            .edges_directed(index, Direction::Incoming)
            .chain(self.nodes.edges_directed(index, Direction::Outgoing))
            .map(|edge| petgraph::visit::EdgeRef::id(&edge))
            .collect();
        for edge in edges {
            self.nodes.remove_edge(edge);
        }
    }

    /// Lets go of a retired node whose turn in the work list has come.
    pub(crate) fn release(&mut self, index: NodeIndex) {
        if self.nodes.node_weight(index).is_some_and(|node| node.retired) {
            self.nodes.remove_node(index);
        }
    }

    /// The dependents of a node, in the order of their identities.
    pub(crate) fn dependents(&self, index: NodeIndex) -> Vec<NodeIndex> {
        let mut dependents: Vec<_> = self.nodes.neighbors_directed(index, Direction::Incoming).collect();
        dependents.sort_by(|&a, &b| self.nodes[a].identity.cmp(&self.nodes[b].identity));
        dependents
    }

    /// The dependents of a node, in no order that means anything.
    pub(crate) fn each_dependent(&self, index: NodeIndex) -> impl Iterator<Item = (NodeIndex, &Node)> {
        let dependents = self.nodes.neighbors_directed(index, Direction::Incoming);
        dependents.map(|dependent| (dependent, &self.nodes[dependent]))
    }

    pub(crate) fn has_dependents(&self, index: NodeIndex) -> bool {
        self.nodes.neighbors_directed(index, Direction::Incoming).next().is_some()
    }

    /// The dependents that agree with `owner` about who it is, and those that do not. A dependent
    /// with several references to one UID may be in both lists.
    pub(crate) fn partition(&self, index: NodeIndex, owner: &Identity) -> (Vec<NodeIndex>, Vec<NodeIndex>) {
        let (mut agreeing, mut disagreeing) = (Vec::new(), Vec::new());
        for dependent in self.dependents(index) {
            let node = &self.nodes[dependent];
            let (mut agrees, mut disagrees) = (false, false);
            if !owner.namespace.is_empty() && owner.namespace != node.identity.namespace {
                disagrees = true;
            } else {
                for reference in node.owners.iter().filter(|found| found.uid == owner.uid) {
                    if owner.matches(reference) {
                        agrees = true;
                    } else {
                        disagrees = true;
                    }
                }
            }
            if agrees {
                agreeing.push(dependent);
            }
            if disagrees {
                disagreeing.push(dependent);
            }
        }
        (agreeing, disagreeing)
    }

    /// Other coordinates under which `dependents` know the owner that does not exist as `absent`:
    /// the first that follow `absent` in the order of [`Identity`], else the very first.
    pub(crate) fn alternative(&self, dependents: &[NodeIndex], absent: &Identity) -> Option<Identity> {
        let cluster_scoped = absent.namespace.is_empty();
        let mut candidates = BTreeSet::new();
        for &dependent in dependents {
            let node = &self.nodes[dependent];
            let namespace = &node.identity.namespace;
            for reference in node.owners.iter().filter(|owner| owner.uid == absent.uid) {
                if absent.matches(reference) && (cluster_scoped || absent.namespace == *namespace) {
                    continue;
                }
                let mut candidate = Identity::of_owner(reference, namespace);
                if cluster_scoped
                    && candidate.kind == absent.kind
                    && candidate.api_version == absent.api_version
                {
                    candidate.namespace = Str::EMPTY;
                }
                candidates.insert(candidate);
            }
        }
        candidates.remove(absent);
        let following = candidates.range(absent.clone()..).next();
        following.or_else(|| candidates.first()).cloned()
    }
}
