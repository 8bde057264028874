//! The collector: the graph, what is to be checked, and what is known to be absent.

use std::collections::VecDeque;

use orlop_model::Str;
use orlop_model::meta::v1::{ObjectMeta, OwnerReference};
use petgraph::stable_graph::NodeIndex;

use super::absent::AbsentOwners;
use super::attempt::DeleteAttempt;
use super::graph::{Graph, Node};
use super::orphan::OrphanAttempt;
use super::{Answer, KindScopes};
use super::{Identity, Step};

/// Finalizer of an object whose dependents are to be orphaned before it goes.
pub const ORPHAN_FINALIZER: &str = "orphan";
/// Finalizer of an object that waits for its blocking dependents.
pub const FOREGROUND_FINALIZER: &str = "foregroundDeletion";

pub(crate) fn has_finalizer(meta: &ObjectMeta, finalizer: &str) -> bool {
    meta.finalizers.iter().any(|found| *found == *finalizer)
}

/// An object whose owner reference points into another namespace, where owners cannot be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidNamespace {
    /// The dependent.
    pub dependent: Identity,
    /// The owner as the dependent names it.
    pub owner: Identity,
}

impl InvalidNamespace {
    /// Reason of the warning event on the dependent.
    pub const REASON: &'static str = "OwnerRefInvalidNamespace";

    /// Text of the warning event on the dependent.
    #[must_use]
    pub fn message(&self) -> String {
        format!("ownerRef {} does not exist in namespace {:?}", self.owner, self.dependent.namespace.as_str())
    }
}

/// One object to work on: taken from the collector, advanced by [`step`](Self::step) until it is
/// finished.
#[derive(Debug)]
pub enum Attempt {
    /// Is anything left that owns the object? If not, delete it.
    Delete(DeleteAttempt),
    /// The object goes and its dependents stay.
    Orphan(OrphanAttempt),
}

impl Attempt {
    /// The object worked on.
    #[must_use]
    pub fn object(&self) -> &Identity {
        match self {
            Self::Delete(attempt) => &attempt.item.identity,
            Self::Orphan(attempt) => &attempt.owner,
        }
    }

    /// Goes on: with `None` at first, then with the answer to the call of the last step.
    pub fn step(
        &mut self,
        collector: &mut Collector,
        kinds: &impl KindScopes,
        answer: Option<Answer>,
    ) -> Step {
        match self {
            Self::Delete(attempt) => attempt.step(collector, kinds, answer),
            Self::Orphan(attempt) => attempt.step(kinds, answer),
        }
    }
}

/// A node at the time its turn came, and where to find its present state.
#[derive(Clone, Debug)]
pub(crate) struct Item {
    index: NodeIndex,
    serial: u64,
    pub identity: Identity,
    snapshot: Node,
}

/// An object whose dependents are to be freed.
#[derive(Clone, Debug)]
struct Orphaning {
    owner: Identity,
    /// The dependents it had when it went; they are freed all the same.
    gone: Option<Vec<Identity>>,
}

/// The state of owner garbage collection; see the [module](super).
#[derive(Clone, Debug, Default)]
pub struct Collector {
    pub(crate) graph: Graph,
    pub(crate) absent: AbsentOwners,
    deletions: VecDeque<NodeIndex>,
    orphanings: VecDeque<Orphaning>,
    warnings: Vec<InvalidNamespace>,
}

impl Collector {
    /// An empty graph.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Number of objects in the graph, those known only from references included.
    #[must_use]
    pub fn len(&self) -> usize {
        self.graph.len()
    }

    /// Whether the graph is empty.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether an object with this UID is in the graph.
    #[must_use]
    pub fn contains(&self, uid: &str) -> bool {
        self.graph.find(uid).is_some()
    }

    /// Whether nothing waits to be worked on.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.deletions.is_empty() && self.orphanings.is_empty()
    }

    /// References into other namespaces found since the last call, for warning events.
    pub fn take_warnings(&mut self) -> Vec<InvalidNamespace> {
        std::mem::take(&mut self.warnings)
    }

    /// An object was added or changed.
    pub fn applied(&mut self, api_version: &str, kind: &str, meta: &ObjectMeta) {
        let observed = Identity::of(api_version, kind, meta);
        let being_deleted = meta.deletion_timestamp.is_some();
        let foreground = being_deleted && has_finalizer(meta, FOREGROUND_FINALIZER);
        let orphan = being_deleted && has_finalizer(meta, ORPHAN_FINALIZER);
        let found = self.graph.find(&meta.uid);

        let Some(index) = found else {
            let index = self.graph.insert(Node {
                identity: observed,
                owners: meta.owner_references.to_vec(),
                being_deleted,
                ..Node::default()
            });
            self.link_owners(index, &meta.owner_references);
            self.deletion_started(index, orphan, foreground);
            return;
        };

        let index = self.observe_virtual(index, observed);
        let before = self.graph.get(index).map(|node| node.owners.clone()).unwrap_or_default();
        let difference = Difference::between(&before, &meta.owner_references);
        if !difference.is_empty() {
            for unblocked in &difference.unblocked {
                if let Some(owner) = self.graph.find(unblocked) {
                    self.check(owner);
                }
            }
            if let Some(node) = self.graph.get_mut(index) {
                node.owners = meta.owner_references.to_vec();
            }
            self.link_owners(index, &difference.added);
            for removed in &difference.removed {
                self.graph.unlink(index, removed);
            }
        }
        if being_deleted && let Some(node) = self.graph.get_mut(index) {
            node.being_deleted = true;
        }
        self.deletion_started(index, orphan, foreground);
    }

    /// An object is gone.
    pub fn deleted(&mut self, api_version: &str, kind: &str, meta: &ObjectMeta) {
        let identity = Identity::of(api_version, kind, meta);
        if let Some(index) = self.graph.find(&identity.uid) {
            let index = self.observe_virtual(index, identity.clone());
            self.remove(index, identity);
        }
    }

    /// The API says that no object has this identity, which a reference or an older event claimed. Says whether there
    /// are other coordinates to try: dependents may disagree about those of an owner that nobody has seen.
    pub(crate) fn found_absent(&mut self, absent: &Identity) -> bool {
        let Some(index) = self.graph.find(&absent.uid) else {
            return false;
        };
        let Some(node) = self.graph.get(index) else {
            return false;
        };
        let (is_virtual, known_as) = (node.is_virtual, node.identity.clone());
        let (agreeing, disagreeing) = self.graph.partition(index, absent);
        if is_virtual && disagreeing.is_empty() || !is_virtual && known_as == *absent {
            self.remove(index, absent.clone());
            return false;
        }
        if !agreeing.is_empty() {
            self.absent.add(absent.clone());
            for dependent in agreeing {
                self.check(dependent);
            }
        }
        if is_virtual
            && known_as == *absent
            && let Some(other) = self.graph.alternative(&disagreeing, absent)
        {
            self.graph.replace_identity(index, other);
            return true;
        }
        false
    }

    /// The next object to work on: checks come before orphaning. Attempts on different objects may
    /// run side by side.
    pub fn next_attempt(&mut self) -> Option<Attempt> {
        while let Some(index) = self.deletions.pop_front() {
            let Some(node) = self.graph.get_mut(index) else {
                continue;
            };
            node.queued = false;
            let snapshot = node.clone();
            self.graph.release(index);
            // What a reference claimed was seen, or seen to be gone, since it was queued.
            if snapshot.is_virtual {
                let now = self.graph.find(&snapshot.identity.uid);
                if now.and_then(|now| self.graph.get(now)).is_none_or(|now| !now.is_virtual) {
                    continue;
                }
            }
            let item = Item { index, serial: snapshot.serial, identity: snapshot.identity.clone(), snapshot };
            return Some(Attempt::Delete(DeleteAttempt::new(item)));
        }
        let Orphaning { owner, gone } = self.orphanings.pop_front()?;
        let dependents = match gone {
            Some(dependents) => dependents,
            None => self.identities_of_dependents(&owner.uid),
        };
        Some(Attempt::Orphan(OrphanAttempt::new(owner, dependents)))
    }

    /// Puts an object back whose attempt ended with [`Outcome::Retry`](super::Outcome::Retry); to be called
    /// after the back-off. Nothing happens if the object has left the graph, but its dependents are freed all the same.
    pub fn retry(&mut self, attempt: &Attempt) {
        match attempt {
            Attempt::Delete(attempt) => {
                let uid = &attempt.item.identity.uid;
                let index = match self.graph.get(attempt.item.index) {
                    Some(node) if node.serial == attempt.item.serial => Some(attempt.item.index),
                    _ => self.graph.find(uid),
                };
                if let Some(index) = index {
                    self.check(index);
                }
            }
            Attempt::Orphan(attempt) if self.contains(&attempt.owner.uid) => {
                self.orphan(attempt.owner.clone());
            }
            Attempt::Orphan(attempt) => {
                self.orphanings.push_back(Orphaning {
                    owner: attempt.owner.clone(),
                    gone: Some(attempt.failed.clone()),
                });
            }
        }
    }

    /// The present state of an item; its last known one if it has left the graph.
    pub(crate) fn node<'a>(&'a self, item: &'a Item) -> &'a Node {
        self.present(item).unwrap_or(&item.snapshot)
    }

    fn present(&self, item: &Item) -> Option<&Node> {
        self.graph.get(item.index).filter(|node| node.serial == item.serial)
    }

    /// The dependents of an item, in no order that means anything.
    pub(crate) fn graph_dependents<'a>(
        &'a self,
        item: &'a Item,
    ) -> impl Iterator<Item = (NodeIndex, &'a Node)> {
        let present = self.present(item).is_some();
        present.then(|| self.graph.each_dependent(item.index)).into_iter().flatten()
    }

    pub(crate) fn has_dependents(&self, item: &Item) -> bool {
        self.present(item).is_some() && self.graph.has_dependents(item.index)
    }

    /// Lists an object to be checked, once.
    pub(crate) fn check(&mut self, index: NodeIndex) {
        if let Some(node) = self.graph.get_mut(index)
            && !std::mem::replace(&mut node.queued, true)
        {
            self.deletions.push_back(index);
        }
    }

    fn orphan(&mut self, owner: Identity) {
        if self.orphanings.iter().all(|listed| listed.owner != owner) {
            self.orphanings.push_back(Orphaning { owner, gone: None });
        }
    }

    fn identities_of_dependents(&self, owner: &str) -> Vec<Identity> {
        let dependents = self.graph.find(owner).map(|index| self.graph.dependents(index));
        dependents
            .unwrap_or_default()
            .into_iter()
            .filter_map(|index| self.graph.get(index))
            .map(|node| node.identity.clone())
            .collect()
    }

    fn deletion_started(&mut self, index: NodeIndex, orphan: bool, foreground: bool) {
        let Some(node) = self.graph.get_mut(index) else {
            return;
        };
        let starts_orphaning = orphan && !node.seen_orphaning;
        let starts_foreground = foreground && !node.seen_foreground;
        node.seen_orphaning = orphan;
        node.seen_foreground = foreground;
        node.deleting_dependents |= foreground;
        let identity = node.identity.clone();
        if starts_orphaning {
            self.orphan(identity);
        } else if starts_foreground {
            for dependent in self.graph.dependents(index) {
                self.check(dependent);
            }
            self.check(index);
        }
    }

    /// Marks a node as seen, under the identity that it really has.
    fn observe_virtual(&mut self, index: NodeIndex, observed: Identity) -> NodeIndex {
        let Some(node) = self.graph.get(index).filter(|node| node.is_virtual) else {
            return index;
        };
        let index = if node.identity == observed {
            index
        } else {
            let (_, disagreeing) = self.graph.partition(index, &observed);
            for dependent in disagreeing {
                self.warn_of_namespace(dependent, &observed);
                self.check(dependent);
            }
            self.graph.replace_identity(index, observed)
        };
        if let Some(node) = self.graph.get_mut(index) {
            node.is_virtual = false;
        }
        index
    }

    fn warn_of_namespace(&mut self, dependent: NodeIndex, owner: &Identity) {
        let Some(node) = self.graph.get(dependent) else {
            return;
        };
        let namespace = &node.identity.namespace;
        if owner.namespace.is_empty() || owner.namespace == *namespace {
            return;
        }
        if let Some(reference) = node.owners.iter().find(|reference| reference.uid == owner.uid) {
            self.warnings.push(InvalidNamespace {
                dependent: node.identity.clone(),
                owner: Identity::of_owner(reference, namespace),
            });
        }
    }

    /// Adds the edges of `index` to `owners`. An owner never heard of gets a virtual node, to be
    /// checked; an owner known by other coordinates is a reason to check the dependent.
    fn link_owners(&mut self, index: NodeIndex, owners: &[OwnerReference]) {
        let Some(namespace) = self.graph.get(index).map(|node| node.identity.namespace.clone()) else {
            return;
        };
        let mut suspicious = false;
        for reference in owners {
            let Some(owner) = self.graph.find(&reference.uid) else {
                let owner = self.graph.insert(Node {
                    identity: Identity::of_owner(reference, &namespace),
                    is_virtual: true,
                    ..Node::default()
                });
                self.graph.link(index, owner);
                self.check(owner);
                continue;
            };
            self.graph.link(index, owner);
            if suspicious {
                continue;
            }
            let Some(node) = self.graph.get(owner) else {
                continue;
            };
            let (identity, is_virtual) = (node.identity.clone(), node.is_virtual);
            let elsewhere = identity.namespace != namespace;
            if elsewhere && !identity.namespace.is_empty() {
                if !is_virtual {
                    self.warn_of_namespace(index, &identity);
                }
                suspicious = true;
            } else {
                // A virtual owner without namespace may be a namespaced kind that was named by a
                // cluster-scoped dependent.
                suspicious = !identity.matches(reference) || elsewhere && is_virtual;
            }
        }
        if suspicious {
            self.check(index);
        }
    }

    fn remove(&mut self, index: NodeIndex, gone: Identity) {
        let dependents = self.graph.dependents(index);
        let owners = self.graph.get(index).map(|node| node.owners.clone()).unwrap_or_default();
        if !dependents.is_empty() {
            self.absent.add(gone);
        }
        for dependent in dependents {
            self.check(dependent);
        }
        let uid = self.graph.get(index).map(|node| node.identity.uid.clone()).unwrap_or_default();
        if self.orphanings.iter().any(|listed| listed.owner.uid == uid) {
            let dependents = self.identities_of_dependents(&uid);
            for listed in self.orphanings.iter_mut().filter(|listed| listed.owner.uid == uid) {
                listed.gone = Some(dependents.clone());
            }
        }
        self.graph.remove(index);
        for reference in owners {
            if let Some(owner) = self.graph.find(&reference.uid)
                && self.graph.get(owner).is_some_and(|owner| owner.deleting_dependents)
            {
                self.check(owner);
            }
        }
    }
}

/// What changed in the owner references of an object.
#[derive(Debug, Default)]
struct Difference {
    added: Vec<OwnerReference>,
    removed: Vec<Str>,
    /// Owners whose deletion the object blocked and blocks no longer.
    unblocked: Vec<Str>,
    changed: bool,
}

impl Difference {
    fn between(before: &[OwnerReference], after: &[OwnerReference]) -> Self {
        let blocks = |reference: &OwnerReference| reference.block_owner_deletion == Some(true);
        let mut difference = Self::default();
        // Of several references to one UID the last one counts.
        let mut open: Vec<&OwnerReference> = Vec::with_capacity(before.len());
        for reference in before {
            open.retain(|other| other.uid != reference.uid);
            open.push(reference);
        }
        for reference in after {
            let Some(place) = open.iter().position(|old| old.uid == reference.uid) else {
                difference.added.push(reference.clone());
                continue;
            };
            let old = open.remove(place);
            difference.changed |= old != reference;
            if blocks(old) && !blocks(reference) {
                difference.unblocked.push(reference.uid.clone());
            }
        }
        for old in open {
            if after.iter().any(|reference| reference.uid == old.uid) {
                continue;
            }
            difference.removed.push(old.uid.clone());
            if blocks(old) {
                difference.unblocked.push(old.uid.clone());
            }
        }
        difference
    }

    fn is_empty(&self) -> bool {
        self.added.is_empty() && self.removed.is_empty() && !self.changed
    }
}
