//! Freeing the dependents of an object that is deleted without them.

use std::collections::VecDeque;
use std::ops::ControlFlow;

use super::collector::ORPHAN_FINALIZER;
use super::task::{Edit, EditOwners, RemoveFinalizer, Written};
use super::{Answer, Identity, KindScopes, Outcome, Step, address};

/// One try to take an owner's reference out of all its dependents and then its finalizer `orphan`.
#[derive(Debug)]
pub struct OrphanAttempt {
    pub(crate) owner: Identity,
    dependents: VecDeque<Identity>,
    /// Dependents that could not be freed.
    pub(crate) failed: Vec<Identity>,
    state: State,
}

#[derive(Debug)]
enum State {
    Next,
    Freeing(EditOwners, Identity),
    RemovingFinalizer(RemoveFinalizer),
}

impl OrphanAttempt {
    pub(crate) fn new(owner: Identity, dependents: Vec<Identity>) -> Self {
        Self { owner, dependents: dependents.into(), failed: Vec::new(), state: State::Next }
    }

    pub(crate) fn step(&mut self, kinds: &impl KindScopes, answer: Option<Answer>) -> Step {
        match (std::mem::replace(&mut self.state, State::Next), answer) {
            (State::Freeing(mut task, dependent), Some(answer)) => match task.step(answer) {
                ControlFlow::Continue(call) => {
                    self.state = State::Freeing(task, dependent);
                    return Step::Call(call);
                }
                ControlFlow::Break(Written::Failed) => self.failed.push(dependent),
                ControlFlow::Break(_) => {}
            },
            (State::RemovingFinalizer(mut task), Some(answer)) => {
                return match task.step(answer) {
                    ControlFlow::Continue(call) => {
                        self.state = State::RemovingFinalizer(task);
                        Step::Call(call)
                    }
                    ControlFlow::Break(Written::Failed) => Step::Finished(Outcome::Retry),
                    ControlFlow::Break(_) => Step::Finished(Outcome::Settled),
                };
            }
            (State::Next, _) => {}
            // Asked to go on without the answer: begin again.
            (_, None) => return Step::Finished(Outcome::Retry),
        }
        self.next(kinds)
    }

    /// Goes on with the next dependent; one that cannot be freed does not keep the others.
    fn next(&mut self, kinds: &impl KindScopes) -> Step {
        while let Some(dependent) = self.dependents.pop_front() {
            let Ok(object) = address(&dependent, kinds) else {
                self.failed.push(dependent);
                continue;
            };
            let task = EditOwners::new(object, Edit::Drop(vec![self.owner.uid.clone()]));
            let call = task.start();
            self.state = State::Freeing(task, dependent);
            return Step::Call(call);
        }
        if !self.failed.is_empty() {
            return Step::Finished(Outcome::Retry);
        }
        let object = match address(&self.owner, kinds) {
            Ok(object) => object,
            Err(nowhere) => return nowhere.step(),
        };
        let task = RemoveFinalizer::new(object, ORPHAN_FINALIZER);
        let call = task.start();
        self.state = State::RemovingFinalizer(task);
        Step::Call(call)
    }
}
