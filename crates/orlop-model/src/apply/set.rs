//! [`FieldSet`], which fields of an object somebody owns.

use std::cmp::Ordering;
use std::fmt;

use super::Element;
use crate::tree::{Member, Shape};

/// A set of fields of an object. A field in the set does not bring those below it along, nor those above.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FieldSet(pub(super) Vec<Entry>);

/// A step into a set. Sorted by the element; it is a member, or there are members below, or both.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) element: Element,
    pub(super) is_member: bool,
    pub(super) below: FieldSet,
}

impl Entry {
    fn is_empty(&self) -> bool {
        !self.is_member && self.below.is_empty()
    }
}

impl FieldSet {
    /// The empty set.
    #[must_use]
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// Whether it has no member.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Number of its members.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.iter().map(|entry| usize::from(entry.is_member) + entry.below.len()).sum()
    }

    /// Adds a field. The object itself, an empty path, is nobody's.
    pub fn insert(&mut self, path: &[Element]) {
        let Some((first, rest)) = path.split_first() else { return };
        let entry = self.entry(first);
        if rest.is_empty() {
            entry.is_member = true;
        } else {
            entry.below.insert(rest);
        }
    }

    /// The step, which may be empty until something is added.
    pub(super) fn entry(&mut self, element: &Element) -> &mut Entry {
        // Fields mostly come in order.
        let place = match self.0.last() {
            Some(last) if last.element >= *element => {
                self.0.binary_search_by(|entry| entry.element.cmp(element))
            }
            _ => Err(self.0.len()),
        };
        let place = place.unwrap_or_else(|place| {
            let entry = Entry { element: element.clone(), is_member: false, below: Self::new() };
            self.0.insert(place, entry);
            place
        });
        &mut self.0[place]
    }

    /// Adds what is below one step, and the step itself if it is a member.
    pub(super) fn put(&mut self, element: Element, is_member: bool, below: Self) {
        if !is_member && below.is_empty() {
            return;
        }
        match self.0.last() {
            Some(last) if last.element >= element => {
                let entry = self.entry(&element);
                entry.is_member |= is_member;
                entry.below = if entry.below.is_empty() { below } else { entry.below.union(&below) };
            }
            _ => self.0.push(Entry { element, is_member, below }),
        }
    }

    pub(super) fn find(&self, element: &Element) -> Option<&Entry> {
        let place = self.0.binary_search_by(|entry| entry.element.cmp(element)).ok()?;
        self.0.get(place)
    }

    /// The step to a field, without a path element of its own.
    pub(super) fn field(&self, name: &str) -> Option<&Entry> {
        let place = self.0.binary_search_by(|entry| match &entry.element {
            Element::Field(other) => other.as_str().cmp(name),
            _ => Ordering::Greater,
        });
        self.0.get(place.ok()?)
    }

    /// Whether the field is in the set.
    #[must_use]
    pub fn has(&self, path: &[Element]) -> bool {
        match path {
            [] => false,
            [last] => self.find(last).is_some_and(|entry| entry.is_member),
            [first, rest @ ..] => self.find(first).is_some_and(|entry| entry.below.has(rest)),
        }
    }

    /// Whether all its members are in `other` too.
    #[must_use]
    pub fn is_within(&self, other: &Self) -> bool {
        let mut rest = other.0.as_slice();
        self.0.iter().all(|entry| {
            let skipped = rest.iter().position(|other| other.element >= entry.element).unwrap_or(rest.len());
            rest = &rest[skipped..];
            match rest.first() {
                Some(found) if found.element == entry.element => {
                    (found.is_member || !entry.is_member) && entry.below.is_within(&found.below)
                }
                _ => false,
            }
        })
    }

    /// Calls `each` with the path of every member: those of a step before those below it.
    pub fn each(&self, each: &mut dyn FnMut(&[Element])) {
        self.each_below(&mut Vec::new(), each);
    }

    fn each_below(&self, path: &mut Vec<Element>, each: &mut dyn FnMut(&[Element])) {
        for entry in self.0.iter().filter(|entry| entry.is_member) {
            path.push(entry.element.clone());
            each(path);
            path.pop();
        }
        for entry in self.0.iter().filter(|entry| !entry.below.is_empty()) {
            path.push(entry.element.clone());
            entry.below.each_below(path, each);
            path.pop();
        }
    }

    /// Walks both sets in order. `both` makes an entry of those that both have; `left` and `right` say whether those
    /// stay that only one of them has.
    fn zip(&self, other: &Self, (left, right): (bool, bool), both: &dyn Fn(&Entry, &Entry) -> Entry) -> Self {
        let (mut mine, mut theirs) = (self.0.as_slice(), other.0.as_slice());
        let mut all = Vec::with_capacity(if right { mine.len().max(theirs.len()) } else { mine.len() });
        while let ([first, mine_rest @ ..], [second, their_rest @ ..]) = (mine, theirs) {
            match first.element.cmp(&second.element) {
                Ordering::Less => {
                    if left {
                        all.push(first.clone());
                    }
                    mine = mine_rest;
                }
                Ordering::Greater => {
                    if right {
                        all.push(second.clone());
                    }
                    theirs = their_rest;
                }
                Ordering::Equal => {
                    let entry = both(first, second);
                    if !entry.is_empty() {
                        all.push(entry);
                    }
                    (mine, theirs) = (mine_rest, their_rest);
                }
            }
        }
        if left {
            all.extend_from_slice(mine);
        }
        if right {
            all.extend_from_slice(theirs);
        }
        Self(all)
    }

    /// What is in one of both.
    #[must_use]
    pub fn union(&self, other: &Self) -> Self {
        self.zip(other, (true, true), &|left, right| Entry {
            element: left.element.clone(),
            is_member: left.is_member || right.is_member,
            below: left.below.union(&right.below),
        })
    }

    /// What is in both.
    #[must_use]
    pub fn intersection(&self, other: &Self) -> Self {
        self.zip(other, (false, false), &|left, right| Entry {
            element: left.element.clone(),
            is_member: left.is_member && right.is_member,
            below: left.below.intersection(&right.below),
        })
    }

    /// What is not in the other.
    #[must_use]
    pub fn difference(&self, other: &Self) -> Self {
        self.zip(other, (true, false), &|left, right| Entry {
            element: left.element.clone(),
            is_member: left.is_member && !right.is_member,
            below: left.below.difference(&right.below),
        })
    }

    /// What is neither in the other nor below a member of it.
    #[must_use]
    pub fn recursive_difference(&self, other: &Self) -> Self {
        self.zip(other, (true, false), &|left, right| Entry {
            element: left.element.clone(),
            is_member: left.is_member && !right.is_member,
            below: if right.is_member { Self::new() } else { left.below.recursive_difference(&right.below) },
        })
    }

    /// The members below which there are none.
    #[must_use]
    pub fn leaves(&self) -> Self {
        let leaf = |entry: &Entry| Entry {
            element: entry.element.clone(),
            is_member: entry.is_member && entry.below.is_empty(),
            below: entry.below.leaves(),
        };
        Self(self.0.iter().map(leaf).collect())
    }

    /// With the declared fields too below which there are members.
    pub(super) fn with_parents(&self, shape: Shape<'_>) -> Self {
        let with = |entry: &Entry| {
            let (is_declared, below) = match &entry.element {
                _ if entry.below.is_empty() => (false, shape),
                Element::Field(name) => match shape.member(name) {
                    Member::Field(below) => (true, below),
                    Member::Entry(below) => (false, below),
                    Member::Undeclared => (false, Shape::Untyped),
                },
                _ => (false, shape.item()),
            };
            Entry {
                element: entry.element.clone(),
                is_member: entry.is_member || is_declared,
                below: entry.below.with_parents(below),
            }
        };
        Self(self.0.iter().map(with).collect())
    }
}

impl<'a> FromIterator<&'a [Element]> for FieldSet {
    fn from_iter<I: IntoIterator<Item = &'a [Element]>>(paths: I) -> Self {
        let mut set = Self::new();
        paths.into_iter().for_each(|path| set.insert(path));
        set
    }
}

impl FieldSet {
    /// A set of fields by their names, such as `["metadata", "name"]`.
    #[must_use]
    pub fn of_fields(paths: &[&[&'static str]]) -> Self {
        let mut set = Self::new();
        for path in paths {
            let path: Vec<_> =
                path.iter().map(|name| Element::Field(crate::Str::from_static(name))).collect();
            set.insert(&path);
        }
        set
    }
}

/// The paths of its members, one to a line.
impl fmt::Display for FieldSet {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (mut result, mut is_first) = (Ok(()), true);
        self.each(&mut |path| {
            let line = if std::mem::take(&mut is_first) { "" } else { "\n" };
            result = result.and_then(|()| write!(formatter, "{line}{}", FieldPath(path)));
        });
        result
    }
}

/// A path as messages show it: `.spec.containers[name="a"].image`.
#[derive(Clone, Copy, Debug)]
pub struct FieldPath<'a>(pub &'a [Element]);

impl fmt::Display for FieldPath<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|element| fmt::Display::fmt(element, formatter))
    }
}
