//! Who owns what after something was applied or written.

use std::sync::LazyLock;

use super::compare::Comparison;
use super::managed::{MAX_UPDATE_MANAGERS, Managed, Owner, identity, is_same_manager};
use super::merge::merge;
use super::remove::remove;
use super::walk::{Validation, Way, field_set};
use super::{ApplyError, Conflict, Conflicts, Element, FieldSet, KeyDefaults, Options, Target};
use crate::Str;
use crate::meta::v1::{ManagedFieldsEntry, ManagedFieldsOperationType as Operation};
use crate::tree::{Form, Listing, Member, Node, NodeMut, Shape};

/// The manager that owns what was there before something was applied first.
const BEFORE_FIRST_APPLY: &str = "before-first-apply";

/// Fields that nobody owns.
pub(super) static NOBODYS: LazyLock<FieldSet> = LazyLock::new(|| {
    FieldSet::of_fields(&[
        &["apiVersion"],
        &["kind"],
        &["metadata"],
        &["metadata", "name"],
        &["metadata", "namespace"],
        &["metadata", "creationTimestamp"],
        &["metadata", "selfLink"],
        &["metadata", "uid"],
        &["metadata", "clusterName"],
        &["metadata", "generation"],
        &["metadata", "managedFields"],
        &["metadata", "resourceVersion"],
    ])
});

/// One object and how it is seen.
#[derive(Clone, Copy)]
pub(super) struct Updater<'a> {
    pub(super) target: &'a Target<'a>,
    pub(super) options: &'a Options<'a>,
}

impl Updater<'_> {
    fn defaults(&self) -> KeyDefaults {
        self.options.key_defaults
    }

    fn entry(&self, manager: &str, operation: Operation) -> ManagedFieldsEntry {
        ManagedFieldsEntry {
            manager: if manager.is_empty() { "unknown" } else { manager }.into(),
            operation,
            api_version: self.target.api_version.into(),
            subresource: self.options.subresource.into(),
            ..ManagedFieldsEntry::default()
        }
    }

    /// What is wrong with an object, if anything is.
    pub(super) fn check(
        &self,
        node: Node<'_>,
        allows_duplicates: bool,
        (operation, operand): (&'static str, &'static str),
    ) -> Result<(), ApplyError> {
        let mut validation = Validation { allows_duplicates, defaults: self.defaults(), misfits: Vec::new() };
        validation.check(node, self.target.shape, &Way::ROOT);
        if validation.misfits.is_empty() {
            return Ok(());
        }
        let object = self.target.describe(node);
        Err(ApplyError::Invalid { operation, object, operand, misfits: validation.misfits })
    }

    /// Sets as the schemas of today have them; owners by a version that is no more own nothing.
    fn reconcile(&self, owner: &mut Owner) {
        if let Some(shape) = self.target.shape_of(&owner.entry.api_version)
            && let Some(set) = reconciled(owner.set(), shape)
        {
            owner.replace(set);
        }
    }

    /// Without the owners by a version that is no more.
    fn drop_ancient(&self, managed: &mut Managed) {
        managed.0.retain(|owner| self.target.shape_of(&owner.entry.api_version).is_some());
    }

    /// What differs, as each of the versions in use sees it.
    fn compare(&self, live: Node<'_>, new: Node<'_>, shape: Shape<'_>) -> Comparison {
        Comparison::of(live, new, shape, self.defaults()).excluding(self.options.ignored)
    }

    /// Takes from all but `own` what has changed, and answers it; conflicts if that is not what one wants. `writer` is
    /// about to own it.
    fn take(
        &self,
        live: Node<'_>,
        new: Node<'_>,
        managed: &mut Managed,
        own: Option<&ManagedFieldsEntry>,
        writer: Option<&ManagedFieldsEntry>,
        forces: bool,
    ) -> Result<FieldSet, ApplyError> {
        let compared = self.compare(live, new, self.target.shape);
        let mut seen = vec![(self.target.api_version, Changes::of(&compared))];
        let mut conflicts = Vec::new();
        let mut changes: Vec<(usize, FieldSet)> = Vec::new();
        for (index, owner) in managed.0.iter_mut().enumerate() {
            if own.is_some_and(|own| is_same_manager(&owner.entry, own)) {
                continue;
            }
            let version = owner.entry.api_version.clone();
            let place = seen.iter().position(|(other, _)| version == **other).or_else(|| {
                let (known, shape) = self.target.version(&version)?;
                seen.push((known, Changes::of(&self.compare(live, new, shape))));
                Some(seen.len() - 1)
            });
            let Some((_, changed)) = place.and_then(|place| seen.get(place)) else { continue };
            if !owner.touches(&changed.all) {
                continue;
            }
            self.reconcile(owner);
            let contested = owner.set().intersection(&changed.values);
            if !contested.is_empty() && !forces {
                contested.each(&mut |path| {
                    conflicts.push((identity(&owner.entry), Conflict::new(&owner.entry, path)));
                });
            }
            changes.push((index, owner.set().difference(&changed.all)));
        }
        if !conflicts.is_empty() {
            conflicts.sort_by(|left, right| left.0.cmp(&right.0));
            let conflicts = conflicts.into_iter().map(|(_, conflict)| conflict).collect();
            return Err(ApplyError::Conflicts(Conflicts(conflicts)));
        }
        let taken = compared.modified.union(&compared.added).difference(&NOBODYS);
        for (index, set) in changes {
            let owner = &mut managed.0[index];
            // Who writes gets back what it lost.
            let is_writer = writer.is_some_and(|writer| is_same_manager(&owner.entry, writer));
            owner.replace(if is_writer { set.union(&taken) } else { set });
        }
        managed.retain_owners();
        Ok(taken)
    }

    /// Gives what has changed to the manager of an update.
    pub(super) fn update(
        &self,
        live: Node<'_>,
        new: Node<'_>,
        managed: &mut Managed,
        manager: &str,
    ) -> Result<(), ApplyError> {
        self.check(new, true, ("failed to convert new object", " to smd typed"))?;
        self.check(live, true, ("failed to convert live object", " to smd typed"))?;
        self.drop_ancient(managed);
        let entry = self.entry(manager, Operation::Update);
        let taken = self.take(live, new, managed, None, Some(&entry), true)?;
        if !taken.is_empty() {
            let owner = managed.owner(entry);
            let all = owner.set().union(&taken);
            owner.replace(all);
            owner.entry.time = self.options.time;
        }
        managed.cap_updates(MAX_UPDATE_MANAGERS);
        Ok(())
    }

    /// Gives what is there to a manager of its own.
    pub(super) fn own_existing(
        &self,
        empty: Node<'_>,
        live: Node<'_>,
        managed: &mut Managed,
    ) -> Result<(), ApplyError> {
        self.update(empty, live, managed, BEFORE_FIRST_APPLY)
    }

    /// Applies `config` to `new`, which is a copy of `live`. Answers whether `new` differs from it then.
    pub(super) fn apply(
        &self,
        live: Node<'_>,
        new: &mut NodeMut<'_>,
        config: Node<'_>,
        managed: &mut Managed,
        forces: bool,
    ) -> Result<bool, ApplyError> {
        if config
            .get("metadata")
            .and_then(|meta| meta.get("managedFields"))
            .is_some_and(|fields| fields.form() == Form::List)
        {
            return Err(ApplyError::OwnsManagedFields);
        }
        self.check(config, false, ("failed to create typed patch object", ""))?;
        self.check(live, true, ("failed to create typed live object", ""))?;
        self.drop_ancient(managed);
        let (shape, defaults) = (self.target.shape, self.defaults());
        merge(new.reborrow(), config, shape, defaults).map_err(ApplyError::Merge)?;
        let set = field_set(config, shape, None, defaults).recursive_difference(self.options.ignored);
        let entry = self.entry(self.options.manager, Operation::Apply);
        let owner = managed.owner(entry.clone());
        self.reconcile(owner);
        let last = owner.set().clone();
        let last_version = std::mem::replace(&mut owner.entry.api_version, entry.api_version.clone());
        owner.replace(set);
        self.prune(new, managed, &entry, &last, &last_version);
        let taken = self.take(live, new.node(), managed, Some(&entry), None, forces)?;
        let differs = !taken.is_empty() || !live.same(new.node());
        // Who applies nothing owns nothing.
        if let Some(place) = managed.position(&entry) {
            let owner = &mut managed.0[place];
            let own = owner.set().difference(&NOBODYS);
            owner.replace(own);
            if differs || *owner.set() != last || last_version != entry.api_version {
                owner.entry.time = self.options.time;
            }
        }
        managed.retain_owners();
        Ok(differs)
    }

    /// Removes what the manager applied last and no more, and nobody else owns.
    fn prune(
        &self,
        new: &mut NodeMut<'_>,
        managed: &mut Managed,
        own: &ManagedFieldsEntry,
        last: &FieldSet,
        last_version: &str,
    ) {
        let Some(shape) = self.target.shape_of(last_version) else { return };
        let applied = managed.position(own).map(|place| &*managed.0[place].set());
        // What is owned still, with all that is around it, stays.
        if applied.is_some_and(|applied| last.is_within(applied)) {
            return;
        }
        let defaults = self.defaults();
        managed.0.iter_mut().for_each(|owner| self.reconcile(owner));
        let last = last.with_parents(shape);
        let there = field_set(new.node(), shape, None, defaults).with_parents(shape);
        // By version: what is owned in each of them is put back.
        let mut versions: Vec<Str> = managed.0.iter().map(|owner| owner.entry.api_version.clone()).collect();
        versions.sort_unstable();
        versions.dedup();
        versions.sort_by_key(|version| *version != *last_version);
        let mut left = field_set(new.node(), shape, Some(&last), defaults);
        for version in versions {
            let Some(shape) = self.target.shape_of(&version) else { continue };
            let owners = managed.0.iter_mut().filter(|owner| owner.entry.api_version == version);
            let owned = owners.fold(FieldSet::new(), |owned, owner| owned.union(owner.set()));
            let owned = owned.with_parents(shape);
            let gone = there.difference(&left.with_parents(shape).union(&owned));
            left = field_set(new.node(), shape, Some(&gone), defaults);
        }
        let gone = there.difference(&left.with_parents(shape)).intersection(&last);
        remove(new, &gone, shape, defaults);
    }
}

/// What has changed, as one version sees it.
struct Changes {
    /// Fields with other values than before.
    values: FieldSet,
    /// Those, and the fields that are no more.
    all: FieldSet,
}

impl Changes {
    fn of(compared: &Comparison) -> Self {
        let values = compared.modified.union(&compared.added);
        let all = values.union(&compared.removed);
        Self { values, all }
    }
}

/// A set whose owner saw parts where there is one value now; `None`: it is as the schema has it.
pub(super) fn reconciled(set: &FieldSet, shape: Shape<'_>) -> Option<FieldSet> {
    let mut wholes = FieldSet::new();
    find_wholes(set, shape, &Way::ROOT, &mut wholes);
    (!wholes.is_empty()).then(|| set.recursive_difference(&wholes).union(&wholes))
}

/// Finds the places that have members below them, though they are one value.
fn find_wholes(set: &FieldSet, shape: Shape<'_>, way: &Way<'_>, wholes: &mut FieldSet) {
    for entry in set.0.iter().filter(|entry| !entry.below.is_empty()) {
        let way = way.item(&entry.element);
        let below = match &entry.element {
            Element::Field(name) => match shape.member(name) {
                Member::Field(below) | Member::Entry(below) => below,
                Member::Undeclared => continue,
            },
            _ => shape.item(),
        };
        // What can be anything has been taken for what it was.
        let is_whole = match (below.forms().list, below.forms().object, below.forms().scalar) {
            (true, false, None) => matches!(below.listing(), Listing::Atomic),
            (false, true, None) => below.is_atomic_object(),
            _ => false,
        };
        if is_whole {
            wholes.insert(&way.path());
        } else {
            find_wholes(&entry.below, below, &way, wholes);
        }
    }
}
