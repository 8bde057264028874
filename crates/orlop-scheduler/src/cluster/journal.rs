//! [`Journal`]: how to undo what was done since a fork.

use std::sync::Arc;

use orlop_model::Str;
use orlop_model::core::v1::{Node, Pod};

use super::{Budgets, Cluster, Neighbours, PlacedPod, PodGroup, Volumes, pod_id};

/// A step back.
#[derive(Clone, Debug)]
pub(super) enum Undo {
    /// The pod was placed.
    Placed(Str),
    /// The pod, of this group, was taken away from the node of this name.
    Taken { pod: Box<PlacedPod>, group: Arc<PodGroup>, node: Str },
    /// The object of a pod was another one, and perhaps assumed.
    Pod { was: Arc<Pod>, assumed: bool },
    /// The node was not there.
    NodeAdded(Str),
    /// The object of a node was another one.
    Node(Arc<Node>),
    /// The pod was nominated.
    Nominated(Str),
    /// The pod was nominated to this node, at this place in the order.
    Denominated { pod: Arc<Pod>, node: Str, place: usize },
    /// Whether a pod was being evicted.
    Leaving(Str, bool),
    /// The node was at this place in the order of addition.
    NodeRemoved(Arc<Node>, usize),
}

/// The state at a fork of what is small, or shared until it is written to.
#[derive(Clone, Debug)]
struct Mark {
    steps: usize,
    neighbours: Arc<Neighbours>,
    neighbours_version: u64,
    volumes: Arc<Volumes>,
    budgets: Arc<Budgets>,
    logged: u64,
}

/// The steps back to the last forks; empty where there is none.
#[derive(Clone, Debug, Default)]
pub(super) struct Journal {
    steps: Vec<Undo>,
    marks: Vec<Mark>,
}

impl Journal {
    #[inline]
    pub(super) fn note(&mut self, step: impl FnOnce() -> Undo) {
        if !self.marks.is_empty() {
            self.steps.push(step());
        }
    }
}

impl Cluster {
    /// From now on changes can be [reverted](Self::revert). Forks nest.
    pub(crate) fn begin(&mut self) {
        self.journal.marks.push(Mark {
            steps: self.journal.steps.len(),
            neighbours: Arc::clone(&self.neighbours),
            neighbours_version: self.neighbours_version,
            volumes: Arc::clone(&self.volumes),
            budgets: Arc::clone(&self.budgets),
            logged: self.log.next(),
        });
    }

    /// Ends the last fork; what was done since stays.
    pub(crate) fn commit(&mut self) {
        self.journal.marks.pop();
        if self.journal.marks.is_empty() {
            self.journal.steps.clear();
        }
    }

    /// Ends the last fork, and undoes what was done since.
    pub(crate) fn revert(&mut self) {
        let Some(mark) = self.journal.marks.pop() else {
            return;
        };
        let steps = self.journal.steps.split_off(mark.steps);
        // What undoes is not noted itself.
        let outer = std::mem::take(&mut self.journal);
        for step in steps.into_iter().rev() {
            self.undo(step);
        }
        self.journal = outer;
        if self.neighbours_version != mark.neighbours_version {
            self.neighbours = mark.neighbours;
            // Not the version of the mark: what was found in between must not be taken for valid.
            self.neighbours_version += 1;
        }
        self.volumes = mark.volumes;
        if !Arc::ptr_eq(&self.budgets, &mark.budgets) {
            let version = self.budgets.version();
            self.budgets = mark.budgets;
            Arc::make_mut(&mut self.budgets).outdate(version);
        }
        self.log.truncate(mark.logged);
    }

    fn undo(&mut self, step: Undo) {
        match step {
            Undo::Placed(id) => {
                self.take_away(&id);
            }
            Undo::Taken { pod, group, node } => {
                self.place(pod.pod, pod.id.clone(), &node, pod.assumed, &group, pod.load);
                self.set_leaving(&pod.id, pod.leaving);
            }
            Undo::Pod { was, assumed } => self.set_object(&pod_id(&was), was, assumed),
            Undo::Nominated(id) => {
                self.denominate(&id);
            }
            Undo::Denominated { pod, node, place } => self.nominate_at(pod, &node, place),
            Undo::Leaving(id, leaving) => self.set_leaving(&id, leaving),
            Undo::NodeAdded(name) => {
                // It is there: the steps after this one were undone before it.
                let _ = self.remove_node(&name);
            }
            Undo::Node(node) => {
                self.set_node(node);
            }
            Undo::NodeRemoved(node, place) => {
                self.set_node(node);
                if let Some(index) = self.active.pop() {
                    self.active.insert(place.min(self.active.len()), index);
                }
            }
        }
    }
}
