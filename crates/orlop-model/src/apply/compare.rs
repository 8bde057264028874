//! What differs between two objects.

use super::walk::{Kind, Way, deduce, element, first};
use super::{Element, FieldSet, KeyDefaults};
use crate::message::{Fields, View};
use crate::tree::{Form, Listing, Node, Shape};

/// What differs between two objects. No field is in two of the sets.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Comparison {
    /// Fields that the first has alone.
    pub removed: FieldSet,
    /// Fields that both have, with another value.
    pub modified: FieldSet,
    /// Fields that the second has alone.
    pub added: FieldSet,
}

impl Comparison {
    /// What differs between two objects of one shape.
    #[must_use]
    pub fn of(left: Node<'_>, right: Node<'_>, shape: Shape<'_>, defaults: KeyDefaults) -> Self {
        let mut walk = Walk { found: Self::default(), defaults };
        walk.compare(Some(left), Some(right), shape, &Way::ROOT);
        walk.found
    }

    /// Whether nothing differs.
    #[must_use]
    pub fn is_same(&self) -> bool {
        self.removed.is_empty() && self.modified.is_empty() && self.added.is_empty()
    }

    /// Without the fields of a set and all below them.
    #[must_use]
    pub(super) fn excluding(self, fields: &FieldSet) -> Self {
        if fields.is_empty() {
            return self;
        }
        Self {
            removed: self.removed.recursive_difference(fields),
            modified: self.modified.recursive_difference(fields),
            added: self.added.recursive_difference(fields),
        }
    }
}

struct Walk {
    found: Comparison,
    defaults: KeyDefaults,
}

impl Walk {
    fn compare(&mut self, left: Option<Node<'_>>, right: Option<Node<'_>>, shape: Shape<'_>, way: &Way<'_>) {
        let forms = shape.forms();
        let is_leaf = match (left, right) {
            (None, None) => return,
            (Some(_), None) => {
                let kind = deduce(forms, left).unwrap_or_else(|| first(forms));
                self.of_kind(kind, left, right, shape, way)
            }
            (None, Some(_)) => {
                let kind = deduce(forms, right).unwrap_or_else(|| first(forms));
                self.of_kind(kind, left, right, shape, way)
            }
            (Some(_), Some(_)) => {
                let (before, after) = (deduce(forms, left), deduce(forms, right));
                if before != after {
                    // Of another form than before: both forms say what they had.
                    self.of_kind(before.unwrap_or_else(|| first(forms)), left, right, shape, way);
                }
                self.of_kind(after.unwrap_or_else(|| first(forms)), left, right, shape, way)
            }
        };
        if !is_leaf {
            match (left, right) {
                (None, _) => self.found.added.insert(&way.path()),
                (_, None) => self.found.removed.insert(&way.path()),
                _ => {}
            }
        }
    }

    /// Answers whether the value is a leaf.
    fn of_kind(
        &mut self,
        kind: Kind,
        left: Option<Node<'_>>,
        right: Option<Node<'_>>,
        shape: Shape<'_>,
        way: &Way<'_>,
    ) -> bool {
        let is_atomic = match kind {
            Kind::Scalar => true,
            Kind::List => matches!(shape.listing(), Listing::Atomic),
            Kind::Object => shape.is_atomic_object(),
        };
        let wanted = if kind == Kind::List { Form::List } else { Form::Object };
        let has_parts = |node: &Node<'_>| node.form() == wanted && !node.is_empty();
        let sealed = [left, right].into_iter().flatten().any(Node::is_sealed);
        if is_atomic
            || sealed
            || !left.as_ref().is_some_and(has_parts) && !right.as_ref().is_some_and(has_parts)
        {
            match (left, right) {
                (None, _) => self.found.added.insert(&way.path()),
                (_, None) => self.found.removed.insert(&way.path()),
                (Some(left), Some(right)) if !left.same(right) => self.found.modified.insert(&way.path()),
                _ => {}
            }
            return true;
        }
        let (left, right) = (left.filter(has_parts), right.filter(has_parts));
        if kind == Kind::List {
            self.items(left, right, shape, way)
        } else {
            self.fields(left, right, shape, way)
        }
        false
    }

    fn fields(&mut self, left: Option<Node<'_>>, right: Option<Node<'_>>, shape: Shape<'_>, way: &Way<'_>) {
        if let (Some(Node::Typed(View::Message(left))), Some(Node::Typed(View::Message(right)))) =
            (left, right)
            && std::ptr::eq(left.schema(), right.schema())
            && shape.table().is_some_and(|table| std::ptr::eq(table, left.schema()))
        {
            return self.messages(left, right, shape, way);
        }
        let below = |name: &str| shape.member(name).shape().unwrap_or(Shape::Deduced);
        if let Some(left) = left {
            left.each(&mut |name, value| {
                let other = right.and_then(|right| right.get(name));
                self.compare(Some(value), other, below(name), &way.field(name));
                true
            });
        }
        if let Some(right) = right {
            right.each(&mut |name, value| {
                if left.and_then(|left| left.get(name)).is_none() {
                    self.compare(None, Some(value), below(name), &way.field(name));
                }
                true
            });
        }
    }

    /// Two structs of one type, without looking for their fields by name.
    fn messages(&mut self, left: &dyn Fields, right: &dyn Fields, shape: Shape<'_>, way: &Way<'_>) {
        let schema = left.schema();
        for (index, key) in schema.keys.iter().enumerate() {
            let (before, after) = (left.view(index), right.view(index));
            if key.inline {
                if let (View::Message(before), View::Message(after)) = (before, after) {
                    self.messages(before, after, shape, way);
                }
                continue;
            }
            let field = &schema.fields[index];
            let written = |view| crate::tree::written(view, key);
            self.compare(written(before), written(after), Shape::Field(field), &way.field(field.name));
        }
        let unknown = |message: &dyn Fields| message.extra().is_some_and(|extra| !extra.is_empty());
        if unknown(left) || unknown(right) {
            let extra = |message: &'_ dyn Fields| message.extra().cloned().unwrap_or_default();
            let (before, after) = (extra(left), extra(right));
            for (name, value) in before.iter() {
                let other = after.get(name).map(Node::Json);
                self.compare(Some(Node::Json(value)), other, unknown_shape(shape, name), &way.field(name));
            }
            for (name, value) in after.iter().filter(|(name, _)| before.get(name).is_none()) {
                self.compare(None, Some(Node::Json(value)), unknown_shape(shape, name), &way.field(name));
            }
        }
    }

    fn items(&mut self, left: Option<Node<'_>>, right: Option<Node<'_>>, shape: Shape<'_>, way: &Way<'_>) {
        if let (Some(left), Some(right)) = (left, right)
            && left.same(right)
        {
            return;
        }
        let (listing, item) = (shape.listing(), shape.item());
        let (left, right) = (self.grouped(left, listing), self.grouped(right, listing));
        let (mut left, mut right) = (left.as_slice(), right.as_slice());
        loop {
            let (mine, theirs) = (left.first().map(|first| &first.0), right.first().map(|first| &first.0));
            let element = match (mine, theirs) {
                (None, None) => return,
                (Some(mine), None) => mine,
                (None, Some(theirs)) => theirs,
                (Some(mine), Some(theirs)) => mine.min(theirs),
            };
            let (before, after) = (take(&mut left, element), take(&mut right, element));
            let way = way.item(element);
            let only = |items: &[(Element, Node<'_>)]| items.len();
            match (only(before), only(after)) {
                (0 | 1, 0 | 1) => self.compare(
                    before.first().map(|(_, node)| *node),
                    after.first().map(|(_, node)| *node),
                    item,
                    &way,
                ),
                // Several of one key are one value.
                (2.., 2..) => {
                    let is_same = before.len() == after.len()
                        && before.iter().zip(after).all(|(before, after)| before.1.same(after.1));
                    if !is_same {
                        self.found.modified.insert(&way.path());
                    }
                }
                (2.., _) => {
                    if let Some((_, node)) = after.first() {
                        self.compare(None, Some(*node), item, &way);
                    }
                    self.found.removed.insert(&way.path());
                }
                (_, _) => {
                    if let Some((_, node)) = before.first() {
                        self.compare(Some(*node), None, item, &way);
                    }
                    self.found.added.insert(&way.path());
                }
            }
        }
    }

    /// Items by what tells them apart, in its order; those that nothing tells apart are left out.
    fn grouped<'a>(&self, list: Option<Node<'a>>, listing: Listing<'_>) -> Vec<(Element, Node<'a>)> {
        let Some(list) = list else { return Vec::new() };
        let items = (0..list.len()).filter_map(|index| list.at(index));
        let mut items: Vec<_> =
            items.filter_map(|item| Some((element(item, listing, self.defaults).ok()?, item))).collect();
        items.sort_by(|left, right| left.0.cmp(&right.0));
        items
    }
}

fn unknown_shape<'a>(shape: Shape<'a>, name: &str) -> Shape<'a> {
    shape.member(name).shape().unwrap_or(Shape::Deduced)
}

/// The items of this key, which are taken off the front.
fn take<'s, 'a>(items: &mut &'s [(Element, Node<'a>)], element: &Element) -> &'s [(Element, Node<'a>)] {
    let count = items.iter().take_while(|(other, _)| other == element).count();
    let (taken, rest) = items.split_at(count);
    *items = rest;
    taken
}
