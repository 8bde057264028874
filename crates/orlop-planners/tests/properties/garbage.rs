//! Garbage collection over random objects, with events that lag, calls that fail, and users who go on working between
//! any two calls.

use std::collections::{BTreeMap, VecDeque};

use orlop_model::meta::v1::{ObjectMeta, OwnerReference};
use orlop_model::{Str, Time};
use orlop_planners::garbage::{
    Answer, Attempt, Call, Collector, FOREGROUND_FINALIZER, Identity, ORPHAN_FINALIZER, Outcome, PatchBody,
    Propagation, Step,
};
use proptest::prelude::*;
use serde_json::Value;

const KIND: &str = "Thing";
const API_VERSION: &str = "v1";
const HOLD: &str = "example.dev/hold";

#[derive(Clone, Debug)]
enum Op {
    /// Creates an object in one of two namespaces with owners among those that exist (or existed), by number.
    Create { other_namespace: bool, owners: Vec<Owner> },
    /// Adds an owner to an object: cycles come from here.
    AddOwner { object: usize, owner: Owner },
    /// A user deletes an object.
    Delete { object: usize, propagation: Propagation, hold: bool },
    /// So many events reach the collector.
    Deliver(usize),
    /// So many calls are made; several attempts run side by side, and this chooses among them.
    Work(usize, usize),
    /// One of the next calls fails.
    Fail(usize),
}

#[derive(Clone, Debug)]
struct Owner {
    number: usize,
    block: bool,
    /// The reference has a UID that nobody has.
    stale: bool,
}

fn owner() -> impl Strategy<Value = Owner> {
    (0..20usize, any::<bool>(), prop::bool::weighted(0.1)).prop_map(|(number, block, stale)| Owner {
        number,
        block,
        stale,
    })
}

fn op() -> impl Strategy<Value = Op> {
    let propagation =
        prop_oneof![Just(Propagation::Background), Just(Propagation::Foreground), Just(Propagation::Orphan)];
    prop_oneof![
        4 => (prop::bool::weighted(0.1), prop::collection::vec(owner(), 0..3))
            .prop_map(|(other_namespace, owners)| Op::Create { other_namespace, owners }),
        2 => (0..20usize, owner()).prop_map(|(object, owner)| Op::AddOwner { object, owner }),
        3 => (0..20usize, propagation, prop::bool::weighted(0.1))
            .prop_map(|(object, propagation, hold)| Op::Delete { object, propagation, hold }),
        3 => (0..6usize).prop_map(Op::Deliver),
        3 => (0..12usize, 0..6usize).prop_map(|(count, choice)| Op::Work(count, choice)),
        1 => (0..4usize).prop_map(Op::Fail),
    ]
}

#[derive(Clone, Debug)]
enum Event {
    Applied(ObjectMeta),
    Deleted(ObjectMeta),
}

/// An API with objects of one kind.
#[derive(Debug, Default)]
struct World {
    objects: BTreeMap<(Str, Str), ObjectMeta>,
    /// Everything that was ever created, to be named as owner.
    created: Vec<(Str, Str, Str)>,
    events: VecDeque<Event>,
    version: u64,
    collector: Collector,
    running: Vec<(Attempt, Option<Answer>)>,
    retries: Vec<Attempt>,
    fail_in: Option<usize>,
    orphaned: Vec<(Str, Str)>,
}

impl World {
    fn reference(&self, owner: &Owner) -> Option<OwnerReference> {
        let (_, name, uid) = self.created.get(owner.number)?;
        Some(OwnerReference {
            api_version: API_VERSION.into(),
            kind: KIND.into(),
            name: name.clone(),
            uid: if owner.stale { format!("not-{uid}").into() } else { uid.clone() },
            block_owner_deletion: owner.block.then_some(true),
            ..OwnerReference::default()
        })
    }

    fn place(&self, number: usize) -> Option<(Str, Str)> {
        let (namespace, name, _) = self.created.get(number)?;
        Some((namespace.clone(), name.clone()))
    }

    fn create(&mut self, other_namespace: bool, owners: &[Owner]) {
        let number = self.created.len();
        let name: Str = format!("o{number}").into();
        let uid: Str = format!("u{number}").into();
        let namespace: Str = if other_namespace { "other" } else { "default" }.into();
        let owner_references = owners.iter().filter_map(|owner| self.reference(owner)).collect();
        self.created.push((namespace.clone(), name.clone(), uid.clone()));
        self.write(ObjectMeta { name, namespace, uid, owner_references, ..ObjectMeta::default() });
    }

    /// Stores an object; one that is being deleted goes with its last finalizer.
    fn write(&mut self, mut meta: ObjectMeta) {
        let place = (meta.namespace.clone(), meta.name.clone());
        if meta.deletion_timestamp.is_some() && meta.finalizers.is_empty() {
            self.objects.remove(&place);
            self.events.push_back(Event::Deleted(meta));
            return;
        }
        if self.objects.get(&place) == Some(&meta) {
            return;
        }
        self.version += 1;
        meta.resource_version = self.version.to_string().into();
        self.objects.insert(place, meta.clone());
        self.events.push_back(Event::Applied(meta));
    }

    fn delete(&mut self, place: &(Str, Str), propagation: Propagation) {
        let Some(mut meta) = self.objects.get(place).cloned() else {
            return;
        };
        meta.finalizers.retain(|finalizer| *finalizer == *HOLD);
        match propagation {
            Propagation::Background => {}
            Propagation::Foreground => meta.finalizers.push(FOREGROUND_FINALIZER.into()),
            Propagation::Orphan => meta.finalizers.push(ORPHAN_FINALIZER.into()),
        }
        meta.deletion_timestamp.get_or_insert(Time::from_seconds(1));
        self.write(meta);
    }

    /// Whether an object has an owner that lives, or that goes and leaves it behind.
    fn is_kept(&self, meta: &ObjectMeta) -> bool {
        meta.owner_references.iter().any(|reference| {
            self.objects.get(&(meta.namespace.clone(), reference.name.clone())).is_some_and(|owner| {
                owner.uid == reference.uid
                    && (owner.deletion_timestamp.is_none()
                        || owner.finalizers.iter().any(|found| *found == *ORPHAN_FINALIZER))
            })
        })
    }

    fn deliver(&mut self) -> bool {
        match self.events.pop_front() {
            None => return false,
            Some(Event::Applied(meta)) => self.collector.applied(API_VERSION, KIND, &meta),
            Some(Event::Deleted(meta)) => self.collector.deleted(API_VERSION, KIND, &meta),
        }
        true
    }

    /// Makes a call of one of the attempts, or begins the next.
    fn work(&mut self, choice: usize) -> bool {
        let kinds = |_: &str, kind: &str| (kind == KIND).then_some(true);
        if self.running.len() < 3
            && let Some(attempt) = self.collector.next_attempt()
        {
            self.running.push((attempt, None));
        }
        if self.running.is_empty() {
            return false;
        }
        let (mut attempt, answer) = self.running.swap_remove(choice % self.running.len());
        match attempt.step(&mut self.collector, &kinds, answer) {
            Step::Call(call) => {
                let fails = match &mut self.fail_in {
                    Some(0) => true,
                    Some(left) => {
                        *left -= 1;
                        false
                    }
                    None => false,
                };
                let answer = if fails {
                    self.fail_in = None;
                    Answer::Failed
                } else {
                    self.call(call)
                };
                self.running.push((attempt, Some(answer)));
            }
            Step::Finished(Outcome::Retry) => self.retries.push(attempt),
            Step::Finished(Outcome::Settled) => {}
        }
        true
    }

    fn call(&mut self, call: Call) -> Answer {
        let (Call::Get { object } | Call::Patch { object, .. } | Call::Delete { object, .. }) = &call;
        let place = (object.namespace.clone(), object.name.clone());
        let Some(meta) = self.objects.get(&place).cloned() else {
            return Answer::NotFound;
        };
        match &call {
            Call::Get { .. } => Answer::Found(Box::new(meta)),
            Call::Patch { patch, .. } => self.patch(meta, patch),
            Call::Delete { resource_version, propagation, .. } => {
                let stale = resource_version.as_ref().is_some_and(|wanted| *wanted != meta.resource_version);
                if meta.uid != object.uid || stale {
                    return Answer::Conflict;
                }
                self.check_deletion(object, &meta);
                self.delete(&place, *propagation);
                Answer::Done
            }
        }
    }

    /// Nothing is deleted that has an owner which stays.
    fn check_deletion(&self, object: &Identity, meta: &ObjectMeta) {
        assert!(!meta.owner_references.is_empty(), "{object} has no owner and was deleted");
        assert!(!self.is_kept(meta), "{object} has a living owner and was deleted");
    }

    fn patch(&mut self, mut meta: ObjectMeta, patch: &PatchBody) -> Answer {
        let (PatchBody::Strategic(document) | PatchBody::Merge(document)) = patch;
        let wanted = &document["metadata"];
        let differs = |key: &str, have: &str| wanted[key].as_str().is_some_and(|want| want != have);
        if differs("uid", &meta.uid) || differs("resourceVersion", &meta.resource_version) {
            return Answer::Conflict;
        }
        for reference in wanted["ownerReferences"].as_array().into_iter().flatten() {
            let uid = reference["uid"].as_str().unwrap_or_default();
            if reference["$patch"] == "delete" {
                meta.owner_references.retain(|owner| owner.uid != *uid);
                self.orphaned.push((meta.namespace.clone(), meta.name.clone()));
            } else {
                for owner in meta.owner_references.iter_mut().filter(|owner| owner.uid == *uid) {
                    owner.block_owner_deletion = reference["blockOwnerDeletion"].as_bool();
                }
            }
        }
        match wanted.get("finalizers") {
            Some(Value::Null) => meta.finalizers.clear(),
            Some(finalizers) => {
                meta.finalizers = serde_json::from_value(finalizers.clone()).expect("finalizers");
            }
            None => {}
        }
        self.write(meta.clone());
        Answer::Found(Box::new(meta))
    }

    fn apply(&mut self, op: &Op) {
        match op {
            Op::Create { other_namespace, owners } => self.create(*other_namespace, owners),
            Op::AddOwner { object, owner } => {
                let Some(place) = self.place(*object) else { return };
                let Some(reference) = self.reference(owner) else {
                    return;
                };
                let Some(mut meta) = self.objects.get(&place).cloned() else {
                    return;
                };
                // An object that blocks its own deletion is never collected, as in Kubernetes.
                if reference.name != meta.name
                    && meta.owner_references.iter().all(|owner| owner.uid != reference.uid)
                {
                    meta.owner_references.push(reference);
                    self.write(meta);
                }
            }
            Op::Delete { object, propagation, hold } => {
                let Some(place) = self.place(*object) else { return };
                // Who asks for orphans after asking for a foreground deletion may be too late.
                if self.objects.get(&place).is_some_and(|meta| meta.deletion_timestamp.is_some()) {
                    return;
                }
                if *hold && let Some(mut meta) = self.objects.get(&place).cloned() {
                    meta.finalizers.push(HOLD.into());
                    self.write(meta);
                }
                self.delete(&place, *propagation);
            }
            Op::Deliver(count) => {
                for _ in 0..*count {
                    self.deliver();
                }
            }
            Op::Work(count, choice) => {
                for step in 0..*count {
                    self.work(choice * step);
                }
            }
            Op::Fail(calls) => self.fail_in = Some(*calls),
        }
    }

    /// Lets everything come to rest: events arrive, what failed is tried again, and who holds an object lets go.
    fn settle(&mut self) {
        self.fail_in = None;
        let places: Vec<_> = self.objects.keys().cloned().collect();
        for place in places {
            let Some(mut meta) = self.objects.get(&place).cloned() else {
                continue;
            };
            meta.finalizers.retain(|finalizer| *finalizer != *HOLD);
            self.write(meta);
        }
        for _ in 0..200 {
            let mut busy = false;
            while self.deliver() || self.work(0) {
                busy = true;
            }
            for attempt in std::mem::take(&mut self.retries) {
                self.collector.retry(&attempt);
            }
            if !busy && self.collector.is_idle() {
                return;
            }
        }
        panic!("garbage collection does not come to rest: {:?}", self.objects);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_has_an_owner_stays_and_what_has_lost_all_goes(ops in prop::collection::vec(op(), 1..60)) {
        let mut world = World::default();
        for op in &ops {
            world.apply(op);
        }
        world.settle();
        for (place, meta) in &world.objects {
            prop_assert!(meta.deletion_timestamp.is_none(), "{place:?} is being deleted for ever: {meta:?}");
            prop_assert!(
                meta.owner_references.is_empty() || world.is_kept(meta),
                "{place:?} has only dead owners and stays: {meta:?}",
            );
        }
        // The graph knows exactly what is there.
        prop_assert_eq!(world.collector.len(), world.objects.len());
        prop_assert!(world.objects.values().all(|meta| world.collector.contains(&meta.uid)));
    }
}

#[test]
fn a_dead_owner_costs_one_lookup_for_all_its_dependents() {
    let mut world = World::default();
    world.create(false, &[]);
    let owner = Owner { number: 0, block: true, stale: false };
    for _ in 0..100 {
        world.create(false, std::slice::from_ref(&owner));
    }
    while world.deliver() {}
    world.delete(&("default".into(), "o0".into()), Propagation::Background);
    while world.deliver() {}
    let mut calls = 0;
    while world.work(0) {
        calls += 1;
    }
    assert!(world.objects.is_empty());
    // A read, a deletion and the end of the attempt for each.
    assert_eq!(calls, 300);
}
