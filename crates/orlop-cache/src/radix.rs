//! [`Radix`]: a vector whose clones share what has not changed.

use std::sync::Arc;

/// Elements of a leaf. Small, because a shared leaf is copied element by element when it changes.
pub(crate) const LEAF: usize = 32;
const LEAF_BITS: u32 = LEAF.trailing_zeros();
/// Children of a node above the leaves.
const INNER: usize = 64;
const INNER_BITS: u32 = INNER.trailing_zeros();

/// A sparse vector that is cloned at once, whatever its length: clones share their nodes, and who changes an element
/// copies the path to it, unless nobody else has it. Without clones that is a look at a few reference counts.
pub(crate) struct Radix<T> {
    root: Option<Node<T>>,
    /// Levels above the leaves.
    height: u32,
}

/// A look at a vector that remembers where it looked last.
pub(crate) struct Near<'a, T> {
    of: &'a Radix<T>,
    /// A leaf and its number.
    leaf: Option<(u32, &'a Leaf<T>)>,
}

enum Node<T> {
    Leaf(Arc<Leaf<T>>),
    Inner(Arc<[Option<Node<T>>; INNER]>),
}

type Leaf<T> = [Option<T>; LEAF];

impl<T: Clone> Radix<T> {
    pub(crate) const fn new() -> Self {
        Self { root: None, height: 0 }
    }

    /// Below which index elements can be without another level.
    const fn capacity(&self) -> u64 {
        1 << (LEAF_BITS + INNER_BITS * self.height)
    }

    fn leaf(&self, index: u32) -> Option<&Arc<Leaf<T>>> {
        if u64::from(index) >= self.capacity() {
            return None;
        }
        let mut node = self.root.as_ref()?;
        let mut height = self.height;
        loop {
            match node {
                Node::Leaf(leaf) => return Some(leaf),
                Node::Inner(children) => {
                    height -= 1;
                    node = children[child(index, height)].as_ref()?;
                }
            }
        }
    }

    pub(crate) fn get(&self, index: u32) -> Option<&T> {
        self.leaf(index)?[index as usize % LEAF].as_ref()
    }

    /// For looking at many elements of which some are neighbours.
    pub(crate) const fn near(&self) -> Near<'_, T> {
        Near { of: self, leaf: None }
    }

    /// The place of an element, to put one there, or to change or take the one that is there.
    pub(crate) fn place(&mut self, index: u32) -> &mut Option<T> {
        while u64::from(index) >= self.capacity() {
            if let Some(root) = self.root.take() {
                let mut children = [const { None }; INNER];
                children[0] = Some(root);
                self.root = Some(Node::Inner(Arc::new(children)));
            }
            self.height += 1;
        }
        let mut height = self.height;
        let mut node = self.root.get_or_insert_with(|| Node::empty(height));
        loop {
            match node {
                Node::Leaf(leaf) => return &mut Arc::make_mut(leaf)[index as usize % LEAF],
                Node::Inner(children) => {
                    height -= 1;
                    let children = Arc::make_mut(children);
                    node = children[child(index, height)].get_or_insert_with(|| Node::empty(height));
                }
            }
        }
    }

    /// The next index, from `from` on and below `end`, at which this vector and another may differ. Passes over what
    /// they share without looking at it.
    pub(crate) fn next_difference(&self, other: &Self, from: u32, end: u32) -> Option<u32> {
        let mut index = from;
        while index < end {
            let same = match (self.leaf(index), other.leaf(index)) {
                (Some(ours), Some(theirs)) => Arc::ptr_eq(ours, theirs),
                (None, None) => true,
                _ => false,
            };
            if !same {
                return Some(index);
            }
            index = (index / LEAF as u32 + 1).checked_mul(LEAF as u32)?;
        }
        None
    }
}

impl<'a, T: Clone> Near<'a, T> {
    pub(crate) fn get(&mut self, index: u32) -> Option<&'a T> {
        let number = index / LEAF as u32;
        let leaf = match self.leaf {
            Some((last, leaf)) if last == number => leaf,
            _ => {
                let leaf = &**self.of.leaf(index)?;
                self.leaf = Some((number, leaf));
                leaf
            }
        };
        leaf[index as usize % LEAF].as_ref()
    }
}

const fn child(index: u32, height: u32) -> usize {
    (index >> (LEAF_BITS + INNER_BITS * height)) as usize % INNER
}

impl<T> Node<T> {
    fn empty(height: u32) -> Self {
        match height {
            0 => Self::Leaf(Arc::new([const { None }; LEAF])),
            _ => Self::Inner(Arc::new([const { None }; INNER])),
        }
    }
}

impl<T> Clone for Radix<T> {
    fn clone(&self) -> Self {
        Self { root: self.root.clone(), height: self.height }
    }
}

impl<T> Clone for Node<T> {
    fn clone(&self) -> Self {
        match self {
            Self::Leaf(leaf) => Self::Leaf(Arc::clone(leaf)),
            Self::Inner(children) => Self::Inner(Arc::clone(children)),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// A clone stays as it was, and the differences found are those there are.
        #[test]
        fn clones_do_not_change(ops in prop::collection::vec((0u32..200_000, any::<Option<u8>>(), 0u8..20), 0..300)) {
            let (mut vector, mut model) = (Radix::new(), BTreeMap::new());
            let mut kept = Vec::new();
            for (index, value, keep) in ops {
                *vector.place(index) = value;
                match value {
                    Some(value) => drop(model.insert(index, value)),
                    None => drop(model.remove(&index)),
                }
                prop_assert_eq!(vector.get(index).copied(), value);
                let mut near = vector.near();
                for index in [index ^ 1, index, index ^ 32] {
                    prop_assert_eq!(near.get(index), model.get(&index));
                }
                if keep == 0 {
                    kept.push((vector.clone(), model.clone()));
                }
            }
            for (clone, then) in &kept {
                for index in model.keys().chain(then.keys()) {
                    prop_assert_eq!(clone.get(*index), then.get(index));
                }
                let (mut different, mut from) = (Vec::new(), 0);
                while let Some(index) = vector.next_difference(clone, from, 200_000) {
                    if vector.get(index) != clone.get(index) {
                        different.push(index);
                    }
                    from = index + 1;
                }
                let expected: Vec<u32> = model
                    .keys()
                    .chain(then.keys())
                    .filter(|index| model.get(index) != then.get(index))
                    .copied()
                    .collect::<std::collections::BTreeSet<_>>()
                    .into_iter()
                    .collect();
                prop_assert_eq!(different, expected);
            }
        }
    }
}
