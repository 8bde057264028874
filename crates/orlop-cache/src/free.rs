//! [`Free`]: slots that are free, neighbours together.

use std::ops::Range;

use crate::radix::LEAF;

/// Blocks are of 1, 2, 4, … slots, up to a leaf.
const SIZES: usize = LEAF.ilog2() as usize + 1;

/// Slots that nothing is in, in blocks of neighbours, and how many there are at all.
///
/// What is read together is to lie together: a namespace takes a block at a time, so that a list of its objects finds
/// many of them in a cache line, instead of each in one of its own.
#[derive(Default)]
pub(crate) struct Free {
    /// The first slots of the blocks, by size. A block does not cross a leaf.
    blocks: [Vec<u32>; SIZES],
    /// Above every slot there is.
    end: u32,
}

impl Free {
    /// Takes a block of up to `wanted` slots, at least one. There are new slots only when none is free: rather a block is
    /// smaller.
    pub(crate) fn take(&mut self, wanted: usize) -> Range<u32> {
        let size = wanted.clamp(1, LEAF).ilog2() as usize;
        let larger = (size..SIZES).find_map(|size| Some((size, self.blocks[size].pop()?)));
        let smaller =
            |free: &mut Self| (0..size).rev().find_map(|size| Some((size, free.blocks[size].pop()?)));
        let (mut has, first) = larger.or_else(|| smaller(self)).unwrap_or_else(|| {
            let first = self.end;
            self.end += LEAF as u32;
            (SIZES - 1, first)
        });
        while has > size {
            has -= 1;
            self.blocks[has].push(first + (1 << has));
        }
        first..first + (1 << has)
    }

    /// Takes slots back.
    pub(crate) fn give(&mut self, mut slots: Vec<u32>) {
        slots.sort_unstable();
        let mut rest = &*slots;
        while let Some(first) = rest.first() {
            let fits = |size: &usize| {
                let slots = 1 << size;
                first % slots == 0 && rest.get(slots as usize - 1) == Some(&(first + slots - 1))
            };
            let size = (0..SIZES).rev().find(fits).unwrap_or(0);
            self.blocks[size].push(*first);
            rest = &rest[1 << size..];
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// No slot is given twice, none is lost, and there are no more than were once in use, but for the last leaf.
        #[test]
        fn every_slot_is_somewhere_once(ops in prop::collection::vec((0_usize..100, any::<u16>()), 0..300)) {
            let mut free = Free::default();
            let (mut used, mut most) = (BTreeSet::new(), 0);
            for (wanted, which) in ops {
                if which % 3 == 0 {
                    let which = usize::from(which) % (used.len() + 1);
                    let given: Vec<u32> = used.iter().copied().skip(which).take(wanted).collect();
                    given.iter().for_each(|slot| assert!(used.remove(slot)));
                    free.give(given);
                } else {
                    let block = free.take(wanted);
                    prop_assert!(!block.is_empty() && block.len() <= wanted.max(1));
                    prop_assert_eq!(block.start / LEAF as u32, (block.end - 1) / LEAF as u32);
                    prop_assert!(block.clone().all(|slot| used.insert(slot)));
                }
                most = most.max(used.len());
                prop_assert!((free.end as usize) < most + LEAF);
                let blocks = free.blocks.iter().enumerate();
                let left: BTreeSet<u32> =
                    blocks.flat_map(|(size, firsts)| firsts.iter().flat_map(move |at| *at..at + (1 << size))).collect();
                prop_assert!(left.is_disjoint(&used));
                prop_assert_eq!(left.len() + used.len(), free.end as usize);
            }
        }
    }
}
