//! Whether an object is to be deleted for want of an owner, and the calls that take.

use std::collections::VecDeque;
use std::ops::ControlFlow;

use orlop_model::Str;
use orlop_model::meta::v1::{ObjectMeta, OwnerReference};

use super::collector::{Collector, FOREGROUND_FINALIZER, Item, ORPHAN_FINALIZER, has_finalizer};
use super::task::{Edit, EditOwners, RemoveFinalizer, Written};
use super::{Answer, Call, Identity, KindScopes, Outcome, Propagation, Step, address};

/// One try to delete an object: its live state is read, its owners are looked up one by one, and
/// then it is left alone, freed from dead references, or deleted.
#[derive(Debug)]
pub struct DeleteAttempt {
    pub(crate) item: Item,
    state: State,
}

#[derive(Debug)]
enum State {
    Start,
    Reading,
    Classifying(Classification),
    Editing {
        task: EditOwners,
        then: Option<Deletion>,
    },
    RemovingFinalizer(RemoveFinalizer),
    Deleting(Deletion),
    /// The delete met a conflict: has the object changed in what matters?
    Rereading(Deletion),
    Finished,
}

/// The owner references of an object, as far as they have been looked up.
#[derive(Debug)]
struct Classification {
    latest: Box<ObjectMeta>,
    /// References not looked up yet.
    open: VecDeque<OwnerReference>,
    solid: bool,
    dangling: Vec<Str>,
    /// Owners that wait for their dependents to go.
    waiting: Vec<Str>,
    /// The owner asked for, as it would be remembered if it were absent.
    asked: Identity,
}

#[derive(Clone, Debug)]
struct Deletion {
    propagation: Propagation,
    resource_version: Option<Str>,
    owners: Vec<OwnerReference>,
}

impl DeleteAttempt {
    pub(crate) fn new(item: Item) -> Self {
        Self { item, state: State::Start }
    }

    pub(crate) fn step(
        &mut self,
        collector: &mut Collector,
        kinds: &impl KindScopes,
        answer: Option<Answer>,
    ) -> Step {
        let state = std::mem::replace(&mut self.state, State::Finished);
        match (state, answer) {
            (State::Start, _) => self.start(collector, kinds),
            (State::Reading, Some(answer)) => self.read(collector, kinds, answer),
            (State::Classifying(found), Some(answer)) => self.classified(collector, kinds, found, answer),
            (State::Editing { mut task, mut then }, Some(answer)) => {
                if let (Answer::Found(meta), Some(deletion), false) = (&answer, &mut then, task.is_reading())
                {
                    deletion.resource_version = meta.resource_version.non_empty().cloned();
                }
                match task.step(answer) {
                    ControlFlow::Continue(call) => {
                        self.state = State::Editing { task, then };
                        Step::Call(call)
                    }
                    ControlFlow::Break(Written::Yes) => match then {
                        Some(deletion) => self.delete(kinds, deletion),
                        None => self.settle(collector),
                    },
                    ControlFlow::Break(Written::NotFound | Written::Failed) => retry(),
                }
            }
            (State::RemovingFinalizer(mut task), Some(answer)) => match task.step(answer) {
                ControlFlow::Continue(call) => {
                    self.state = State::RemovingFinalizer(task);
                    Step::Call(call)
                }
                ControlFlow::Break(Written::Failed) => retry(),
                ControlFlow::Break(_) => self.settle(collector),
            },
            (State::Deleting(deletion), Some(answer)) => match answer {
                Answer::Done => self.settle(collector),
                Answer::NotFound => self.absent(collector),
                Answer::Conflict if deletion.resource_version.is_some() => {
                    self.state = State::Rereading(deletion);
                    self.get_item(kinds)
                }
                _ => retry(),
            },
            (State::Rereading(deletion), Some(answer)) => match answer {
                Answer::NotFound => self.settle(collector),
                Answer::Found(meta) if meta.uid != self.item.identity.uid => self.settle(collector),
                Answer::Found(meta)
                    if Some(&meta.resource_version) != deletion.resource_version.as_ref()
                        && meta.owner_references[..] == deletion.owners[..] =>
                {
                    self.delete(kinds, Deletion { resource_version: None, ..deletion })
                }
                _ => retry(),
            },
            (State::Finished, _) => settled(),
            // Asked to go on without the answer: begin again.
            (_, None) => retry(),
        }
    }

    fn start(&mut self, collector: &mut Collector, kinds: &impl KindScopes) -> Step {
        let node = collector.node(&self.item);
        if node.being_deleted && !node.deleting_dependents {
            return self.settle(collector);
        }
        self.state = State::Reading;
        self.get_item(kinds)
    }

    fn get_item(&mut self, kinds: &impl KindScopes) -> Step {
        match address(&self.item.identity, kinds) {
            Ok(object) => Step::Call(Call::Get { object }),
            Err(nowhere) => nowhere.step(),
        }
    }

    fn read(&mut self, collector: &mut Collector, kinds: &impl KindScopes, answer: Answer) -> Step {
        let latest = match answer {
            Answer::Found(meta) if meta.uid == self.item.identity.uid => meta,
            Answer::Found(_) | Answer::NotFound => return self.absent(collector),
            _ => return retry(),
        };
        if collector.node(&self.item).deleting_dependents {
            return self.wait_for_dependents(collector, kinds);
        }
        if latest.owner_references.is_empty() {
            return self.settle(collector);
        }
        let open = latest.owner_references.iter().cloned().collect();
        self.classify(
            collector,
            kinds,
            Classification {
                latest,
                open,
                solid: false,
                dangling: Vec::new(),
                waiting: Vec::new(),
                asked: Identity::default(),
            },
        )
    }

    /// An object that waits for its dependents goes when none blocks it; until then each of those
    /// is looked after.
    fn wait_for_dependents(&mut self, collector: &mut Collector, kinds: &impl KindScopes) -> Step {
        let uid = &self.item.identity.uid;
        let mut blocked = false;
        let mut to_check = Vec::new();
        for (index, dependent) in collector.graph_dependents(&self.item) {
            if dependent.blocks(uid) {
                blocked = true;
                if !dependent.deleting_dependents && !dependent.queued {
                    to_check.push((dependent.identity.clone(), index));
                }
            }
        }
        to_check.sort();
        for (_, dependent) in to_check {
            collector.check(dependent);
        }
        if blocked {
            return self.settle(collector);
        }
        let object = match address(&self.item.identity, kinds) {
            Ok(object) => object,
            Err(nowhere) => return nowhere.step(),
        };
        let task = RemoveFinalizer::new(object, FOREGROUND_FINALIZER);
        let call = task.start();
        self.state = State::RemovingFinalizer(task);
        Step::Call(call)
    }

    /// Looks up owners until an answer is needed or all are known.
    fn classify(
        &mut self,
        collector: &mut Collector,
        kinds: &impl KindScopes,
        mut found: Classification,
    ) -> Step {
        let namespace = &self.item.identity.namespace;
        while let Some(reference) = found.open.front() {
            let claimed = Identity::of_owner(reference, namespace);
            let of_cluster = Identity { namespace: Str::EMPTY, ..claimed.clone() };
            if collector.absent.has(&of_cluster) || collector.absent.has(&claimed) {
                found.dangling.push(claimed.uid);
                found.open.pop_front();
                continue;
            }
            let Some(namespaced) = kinds.namespaced(&reference.api_version, &reference.kind) else {
                return retry();
            };
            if namespaced && namespace.is_empty() {
                // Such an owner cannot be found, now or later: the object is left alone for good.
                return settled();
            }
            found.asked = if namespaced { claimed } else { of_cluster };
            let call = Call::Get { object: found.asked.clone() };
            self.state = State::Classifying(found);
            return Step::Call(call);
        }
        self.decide(collector, kinds, found)
    }

    fn classified(
        &mut self,
        collector: &mut Collector,
        kinds: &impl KindScopes,
        mut found: Classification,
        answer: Answer,
    ) -> Step {
        found.open.pop_front();
        let uid = found.asked.uid.clone();
        match answer {
            Answer::Found(owner) if owner.uid == uid => {
                if owner.deletion_timestamp.is_some() && has_finalizer(&owner, FOREGROUND_FINALIZER) {
                    found.waiting.push(uid);
                } else {
                    found.solid = true;
                }
            }
            Answer::Found(_) | Answer::NotFound => {
                collector.absent.add(std::mem::take(&mut found.asked));
                found.dangling.push(uid);
            }
            _ => return retry(),
        }
        self.classify(collector, kinds, found)
    }

    fn decide(&mut self, collector: &mut Collector, kinds: &impl KindScopes, found: Classification) -> Step {
        let object = match address(&self.item.identity, kinds) {
            Ok(object) => object,
            Err(nowhere) => return nowhere.step(),
        };
        if found.solid {
            let mut dead = found.dangling;
            dead.extend(found.waiting);
            if dead.is_empty() {
                return self.settle(collector);
            }
            return self.edit(EditOwners::new(object, Edit::Drop(dead)), None);
        }
        let latest = found.latest;
        let deletion = |propagation| Deletion {
            propagation,
            resource_version: latest.resource_version.non_empty().cloned(),
            owners: latest.owner_references.to_vec(),
        };
        if !found.waiting.is_empty() && collector.has_dependents(&self.item) {
            let deletion = deletion(Propagation::Foreground);
            let circle =
                collector.graph_dependents(&self.item).any(|(_, dependent)| dependent.deleting_dependents);
            if circle {
                // Owner and dependent may wait for each other through this object.
                let owners = collector.node(&self.item).owners.clone();
                let task = EditOwners::new(object, Edit::Unblock(owners));
                let mut deletion = deletion;
                for owner in &mut deletion.owners {
                    if owner.block_owner_deletion == Some(true) {
                        owner.block_owner_deletion = Some(false);
                    }
                }
                return self.edit(task, Some(deletion));
            }
            return self.delete(kinds, deletion);
        }
        let propagation = if has_finalizer(&latest, ORPHAN_FINALIZER) {
            Propagation::Orphan
        } else if has_finalizer(&latest, FOREGROUND_FINALIZER) {
            Propagation::Foreground
        } else {
            Propagation::Background
        };
        let deletion = deletion(propagation);
        self.delete(kinds, deletion)
    }

    fn edit(&mut self, task: EditOwners, then: Option<Deletion>) -> Step {
        let call = task.start();
        self.state = State::Editing { task, then };
        Step::Call(call)
    }

    fn delete(&mut self, kinds: &impl KindScopes, deletion: Deletion) -> Step {
        let object = match address(&self.item.identity, kinds) {
            Ok(object) => object,
            Err(nowhere) => return nowhere.step(),
        };
        let call = Call::Delete {
            object,
            resource_version: deletion.resource_version.clone(),
            propagation: deletion.propagation,
        };
        self.state = State::Deleting(deletion);
        Step::Call(call)
    }

    fn absent(&self, collector: &mut Collector) -> Step {
        if collector.found_absent(&self.item.identity) {
            return retry();
        }
        settled()
    }

    /// Nothing to do now; an object that is known only from references is asked for again, until an
    /// event shows it or the API denies it.
    fn settle(&self, collector: &Collector) -> Step {
        if collector.node(&self.item).is_virtual { retry() } else { settled() }
    }
}

fn retry() -> Step {
    Step::Finished(Outcome::Retry)
}

fn settled() -> Step {
    Step::Finished(Outcome::Settled)
}
