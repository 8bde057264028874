//! The object with what is applied to it.

use std::collections::BTreeMap;

use super::walk::{Kind, Misfit, Way, deduce, element, first};
use super::{Element, KeyDefaults};
use crate::message::View;
use crate::tree::{Form, Listing, Mismatch, Node, NodeMut, Shape};

/// Puts into `target` what `config` has. Nothing is removed.
pub(super) fn merge(
    target: NodeMut<'_>,
    config: Node<'_>,
    shape: Shape<'_>,
    defaults: KeyDefaults,
) -> Result<(), Misfit> {
    fields(target, config, shape, defaults, &Way::ROOT)
}

/// What becomes of a value that is there.
enum Plan {
    Keep,
    Replace,
    Fields,
    Items,
}

fn plan(there: Node<'_>, config: Node<'_>, shape: Shape<'_>) -> Plan {
    let forms = shape.forms();
    let kind = deduce(forms, Some(config)).unwrap_or_else(|| first(forms));
    let (is_atomic, wanted, granular) = match kind {
        Kind::Scalar => return Plan::Replace,
        Kind::List => (matches!(shape.listing(), Listing::Atomic), Form::List, Plan::Items),
        Kind::Object => (shape.is_atomic_object(), Form::Object, Plan::Fields),
    };
    let has_parts = |node: Node<'_>| node.form() == wanted && !node.is_empty();
    match (has_parts(there), has_parts(config)) {
        _ if is_atomic || there.is_sealed() || config.is_sealed() => Plan::Replace,
        (false, _) => Plan::Replace,
        (true, false) => Plan::Keep,
        (true, true) => granular,
    }
}

fn misfit(way: &Way<'_>) -> impl FnOnce(Mismatch) -> Misfit {
    let path = way.text();
    move |mismatch| Misfit { path, message: mismatch.message }
}

fn fields(
    mut target: NodeMut<'_>,
    config: Node<'_>,
    shape: Shape<'_>,
    defaults: KeyDefaults,
    way: &Way<'_>,
) -> Result<(), Misfit> {
    let is_typed_root = match &target.node() {
        Node::Dynamic(_) => true,
        Node::Typed(View::Message(message)) => way.is_root() && !message.schema().kind.is_empty(),
        _ => false,
    };
    let mut result = Ok(());
    config.each(&mut |name, value| {
        if is_typed_root && matches!(name, "kind" | "apiVersion") {
            return true;
        }
        let way = way.field(name);
        let shape = shape.member(name).shape().unwrap_or(Shape::Deduced);
        let plan = target.get(name).map_or(Plan::Replace, |there| plan(there, value, shape));
        let target = target.reborrow();
        result = match plan {
            Plan::Keep => Ok(()),
            Plan::Replace => {
                let place = target.into_entry(name);
                place.and_then(|mut place| place.assign(value)).map_err(|error| misfit(&way)(error))
            }
            Plan::Fields => match target.into_field(name) {
                Some(target) => fields(target, value, shape, defaults, &way),
                None => Ok(()),
            },
            Plan::Items => match target.into_field(name) {
                Some(target) => items(target, value, shape, defaults, &way),
                None => Ok(()),
            },
        };
        result.is_ok()
    });
    result
}

/// Lists of which the items are told apart: what is applied comes in its own order, what is not stays behind what it
/// followed.
fn items(
    mut target: NodeMut<'_>,
    config: Node<'_>,
    shape: Shape<'_>,
    defaults: KeyDefaults,
    way: &Way<'_>,
) -> Result<(), Misfit> {
    let (listing, item) = (shape.listing(), shape.item());
    let elements = |list: Node<'_>| -> Result<Vec<Element>, Misfit> {
        let items = (0..list.len()).filter_map(|index| list.at(index)).enumerate();
        let element = |(index, item)| {
            element(item, listing, defaults)
                .map_err(|error| Misfit { path: way.text(), message: format!("element {index}: {error}") })
        };
        items.map(element).collect()
    };
    let (before, wanted) = (elements(target.node())?, elements(config)?);
    // The place of each, `None` where several have the same key.
    let mut there: BTreeMap<&Element, Option<usize>> = BTreeMap::new();
    for (index, element) in before.iter().enumerate() {
        there.entry(element).and_modify(|place| *place = None).or_insert(Some(index));
    }
    let applied: BTreeMap<&Element, usize> = wanted.iter().zip(0..).collect();
    let (order, merged) = order(&before, &wanted, &there, &applied);
    let mut places = Vec::with_capacity(order.len());
    for place in order {
        match place {
            Place::Kept(index) => places.push(index),
            Place::Applied(index) => {
                let (element, Some(value)) = (&wanted[index], config.at(index)) else { continue };
                let way = way.item(element);
                match there.get(element).copied().flatten() {
                    Some(index) => {
                        let plan = target.at(index).map_or(Plan::Keep, |there| plan(there, value, item));
                        if let Some(mut target) = target.reborrow().into_item(index) {
                            match plan {
                                Plan::Keep => {}
                                Plan::Replace => target.assign(value).map_err(|error| misfit(&way)(error))?,
                                Plan::Fields => fields(target, value, item, defaults, &way)?,
                                Plan::Items => items(target, value, item, defaults, &way)?,
                            }
                        }
                        places.push(index);
                    }
                    // New, or instead of several.
                    None => {
                        places.push(target.len());
                        let pushed = target.reborrow().into_pushed();
                        pushed
                            .and_then(|mut place| place.assign(value))
                            .map_err(|error| misfit(&way)(error))?;
                    }
                }
            }
        }
    }
    debug_assert_eq!(merged, wanted.len());
    let is_in_order = places.len() == target.len() && places.iter().zip(0..).all(|(place, at)| *place == at);
    if !is_in_order {
        target.permute(&places);
    }
    Ok(())
}

/// Where an item of the merged list comes from.
enum Place {
    Kept(usize),
    Applied(usize),
}

/// The order of the merged list, and how many of the applied items are in it.
fn order(
    before: &[Element],
    wanted: &[Element],
    there: &BTreeMap<&Element, Option<usize>>,
    applied: &BTreeMap<&Element, usize>,
) -> (Vec<Place>, usize) {
    let mut order = Vec::with_capacity(before.len().max(wanted.len()));
    let mut merged = std::collections::BTreeSet::new();
    // Items of both, in the order in which they are applied.
    let mut shared = wanted.iter().filter(|element| there.contains_key(element)).peekable();
    let (mut left, mut right) = (0, 0);
    while left < before.len() || right < wanted.len() {
        if let (Some(mine), Some(theirs)) = (before.get(left), wanted.get(right)) {
            if mine == theirs {
                order.push(Place::Applied(right));
                merged.insert(theirs);
                (left, right) = (left + 1, right + 1);
                shared.next();
                continue;
            }
            let is_next = shared.peek().is_none_or(|next| *next == mine);
            if applied.contains_key(mine) && !is_next {
                // In both, but its turn comes later.
                left += 1;
                continue;
            }
        }
        if let Some(mine) = before.get(left) {
            if !applied.contains_key(mine) {
                order.push(Place::Kept(left));
                left += 1;
                continue;
            }
            if merged.contains(mine) {
                left += 1;
            }
        }
        if let Some(theirs) = wanted.get(right) {
            order.push(Place::Applied(right));
            merged.insert(theirs);
            right += 1;
            shared.next_if(|next| *next == theirs);
        }
    }
    (order, merged.len())
}
