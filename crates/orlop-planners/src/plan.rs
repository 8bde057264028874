//! [`Plan`]: what a planner wants done.

use std::time::Duration;

use orlop_model::core::v1::{EventType, ObjectReference};
use orlop_model::{Object, Str};

use crate::Change;

/// What a planner wants done: changes to make in order, events to tell, when to plan again.
///
/// A plan is made from a cache that may lag behind. Whoever carries it out stops at the first change
/// that fails (a conflict included) and plans again from newer objects; planners are written so that
/// a plan cut off at any point is taken up again by the next one.
#[derive(Clone, Debug, PartialEq)]
#[must_use]
pub struct Plan<M = ()> {
    /// The changes, in order. Writes of a status are among them, at the place where they belong.
    pub changes: Vec<Change>,
    /// What to tell about them.
    pub events: Vec<EventDraft>,
    /// Plan again after this time at the latest, even if nothing changes. `None`: only after a change.
    pub requeue: Option<Duration>,
    /// What the next call wants to be given back.
    pub memory: M,
    /// Why the plan is not whole. What is in it stands and is to be carried out; then the owner is to be planned
    /// again with back-off.
    pub error: Option<PlanError>,
}

impl<M: Default> Default for Plan<M> {
    fn default() -> Self {
        Self { changes: Vec::new(), events: Vec::new(), requeue: None, memory: M::default(), error: None }
    }
}

impl<M> Plan<M> {
    /// Whether there is nothing to do now: no change, no event, no error.
    #[must_use]
    pub fn is_quiet(&self) -> bool {
        self.changes.is_empty() && self.events.is_empty() && self.error.is_none()
    }

    /// Appends a change and returns its place, for [`Occasion`].
    pub fn push(&mut self, change: impl Into<Change>) -> usize {
        self.changes.push(change.into());
        self.changes.len() - 1
    }

    /// Merges writes of one object into the last of them.
    ///
    /// Kubernetes' controllers write some objects (a Deployment's status, a ReplicaSet's annotations) several times in
    /// one sync, each write holding all of the one before; the plan shows each of them, as the vectors do. Of writes
    /// of one object and one subresource only the last is kept, and its events with it: fewer calls, and no
    /// conflict of the second write with the first.
    pub fn compact(mut self) -> Self {
        let targets: Vec<_> = self.changes.iter().map(Change::overwrites).collect();
        let last_of = |index: usize| match &targets[index] {
            None => index,
            Some(target) => targets.iter().rposition(|other| other.as_ref() == Some(target)).unwrap_or(index),
        };
        let last: Vec<usize> = (0..targets.len()).map(last_of).collect();
        let mut place = vec![0; last.len()];
        let mut kept = 0;
        for (index, last) in last.iter().enumerate() {
            place[index] = kept;
            kept += usize::from(*last == index);
        }
        for event in &mut self.events {
            if let Occasion::Success(index) | Occasion::Created(index) | Occasion::Failure(index) =
                &mut event.occasion
                && let Some(target) = last.get(*index)
            {
                *index = place[*target];
            }
        }
        let mut index = 0;
        self.changes.retain(|_| {
            index += 1;
            last[index - 1] == index - 1
        });
        self
    }

    /// The changes in groups that may be carried out at once: neighbouring creates of one kind
    /// ([`Group::SlowStart`]), neighbouring deletes of one kind ([`Group::Parallel`]), anything else alone.
    pub fn groups(&self) -> impl Iterator<Item = (Group, &[Change])> {
        self.changes
            .chunk_by(|left, right| match (left, right) {
                (Change::Create(left), Change::Create(right)) => left.object.kind().is(right.object.kind()),
                (Change::Delete(left), Change::Delete(right)) => left.kind.is(&right.kind),
                _ => false,
            })
            .map(|run| {
                let group = match (&run[0], run.len()) {
                    (_, 1) => Group::One,
                    (Change::Create(_), _) => Group::SlowStart,
                    _ => Group::Parallel,
                };
                (group, run)
            })
    }
}

/// How the changes of a run may be carried out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Group {
    /// There is one change.
    One,
    /// In the batches of [`slow_start`]: if one fails the rest is left out, so that a quota that is used up costs few
    /// calls.
    SlowStart,
    /// All at once.
    Parallel,
}

/// Sizes of the batches in which `count` equal creates are sent: 1, 2, 4 … and what is left.
///
/// ```
/// assert_eq!(orlop_planners::slow_start(11).collect::<Vec<_>>(), [1, 2, 4, 4]);
/// ```
pub fn slow_start(count: usize) -> impl Iterator<Item = usize> {
    let mut left = count;
    let mut next = 1;
    std::iter::from_fn(move || {
        let batch = next.min(left);
        left -= batch;
        next *= 2;
        (batch > 0).then_some(batch)
    })
}

/// Why a plan is not whole.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    /// A field of the owner has a value nothing can be planned with.
    #[error("{object}: {field}: {reason}")]
    Invalid {
        /// Kind, namespace and name of the owner.
        object: String,
        /// Path of the field.
        field: &'static str,
        /// The value and what is wrong with it.
        reason: String,
    },
    /// The name of an object to create is taken by one that is not the owner's.
    #[error("{resource} {name:?} already exists")]
    NameTaken {
        /// Plural and group, as in `replicasets.apps`.
        resource: String,
        /// The name.
        name: Str,
    },
}

impl PlanError {
    /// A field of `object` that nothing can be planned with.
    pub(crate) fn invalid(object: &impl Object, field: &'static str, reason: impl Into<String>) -> Self {
        Self::Invalid {
            object: format!("{} {}", object.kind().kind, object.key()),
            field,
            reason: reason.into(),
        }
    }
}

/// An event to tell about an object.
#[derive(Clone, Debug, PartialEq)]
pub struct EventDraft {
    /// Whether it is a warning.
    pub type_: EventType,
    /// Reason in one word, in CamelCase.
    pub reason: Str,
    /// Text for people; [`Occasion`] says what is appended to it.
    pub message: String,
    /// The object it is about.
    pub regarding: ObjectReference,
    /// When to tell it.
    pub occasion: Occasion,
}

/// When an event is to be told. Numbers are places in [`Plan::changes`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Occasion {
    /// In any case.
    Planned,
    /// After this change succeeded.
    Success(usize),
    /// After this create succeeded; the name of the object created is appended to the message.
    Created(usize),
    /// After this change failed; the error's text is appended to the message.
    Failure(usize),
}

impl EventDraft {
    /// An event about `object`, to be told in any case.
    pub fn new(
        object: &impl Object,
        type_: EventType,
        reason: impl Into<Str>,
        message: impl Into<String>,
    ) -> Self {
        Self {
            type_,
            reason: reason.into(),
            message: message.into(),
            regarding: ObjectReference::to(object),
            occasion: Occasion::Planned,
        }
    }

    /// A normal event about `object`.
    pub fn normal(object: &impl Object, reason: impl Into<Str>, message: impl Into<String>) -> Self {
        Self::new(object, EventType::Normal, reason, message)
    }

    /// A warning about `object`.
    pub fn warning(object: &impl Object, reason: impl Into<Str>, message: impl Into<String>) -> Self {
        Self::new(object, EventType::Warning, reason, message)
    }

    /// Told on that occasion only.
    #[must_use]
    pub fn on(mut self, occasion: Occasion) -> Self {
        self.occasion = occasion;
        self
    }

    /// The text to tell; `detail` is the name or the error of [`Occasion::Created`] and [`Occasion::Failure`].
    #[must_use]
    pub fn text(&self, detail: &str) -> String {
        match self.occasion {
            Occasion::Planned | Occasion::Success(_) => self.message.clone(),
            Occasion::Created(_) | Occasion::Failure(_) => format!("{}{detail}", self.message),
        }
    }
}

#[cfg(test)]
mod tests {
    use orlop_model::apps::v1::ReplicaSet;
    use orlop_model::core::v1::Pod;

    use super::*;
    use crate::{Create, Delete};

    #[test]
    fn neighbours_of_one_kind_form_groups() {
        let mut plan: Plan = Plan::default();
        let (pod, set) = (Pod::default(), ReplicaSet::default());
        plan.push(Create::new(set.clone()));
        plan.push(Create::new(pod.clone()));
        plan.push(Create::new(pod.clone()));
        plan.push(Delete::new(&pod));
        plan.push(Delete::new(&pod));
        plan.push(Delete::new(&set));
        plan.push(Change::update_status(set));
        let groups: Vec<_> = plan.groups().map(|(group, run)| (group, run.len())).collect();
        let (one, slow, parallel) = (Group::One, Group::SlowStart, Group::Parallel);
        assert_eq!(groups, [(one, 1), (slow, 2), (parallel, 2), (one, 1), (one, 1)]);
    }

    #[test]
    fn events_follow_their_changes_when_writes_are_merged() {
        let mut plan: Plan = Plan::default();
        let (mut set, pod) = (ReplicaSet::default(), Pod::default());
        set.metadata.name = "web".into();
        plan.push(Change::update(set.clone()));
        let first = EventDraft::normal(&set, "First", "").on(Occasion::Success(0));
        let place = plan.push(Delete::new(&pod));
        let second = EventDraft::normal(&set, "Second", "").on(Occasion::Failure(place));
        set.spec.replicas = Some(3);
        plan.push(Change::update(set.clone()));
        plan.events = vec![first, second];
        let plan = plan.compact();
        assert_eq!(plan.changes, [Change::from(Delete::new(&pod)), Change::update(set)]);
        let occasions: Vec<_> = plan.events.iter().map(|event| event.occasion).collect();
        assert_eq!(occasions, [Occasion::Success(1), Occasion::Failure(0)]);
    }
}
