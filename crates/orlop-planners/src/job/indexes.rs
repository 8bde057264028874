//! Sets of completion indexes, in the short form of a Job's status.

use std::fmt;

/// A set of completion indexes as ordered intervals, written as in `0,2,4-7`.
///
/// Intervals that a text gives out of order are kept as they are, as Kubernetes does: the text is
/// written by the controller alone.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Indexes(Vec<(i64, i64)>);

impl Indexes {
    /// Reads the form of the status. Entries that are no numbers are left out; an index of
    /// `completions` or above ends the reading, and an interval is cut off there.
    #[must_use]
    pub fn parse(text: &str, completions: i32) -> Self {
        let completions = i64::from(completions);
        let mut intervals: Vec<(i64, i64)> = Vec::new();
        for entry in text.split(',').filter(|_| !text.is_empty()) {
            let mut limits = entry.split('-');
            let Some(Ok(first)) = limits.next().map(str::parse::<i64>) else {
                continue;
            };
            if first >= completions {
                break;
            }
            let last = match limits.next().map(str::parse::<i64>) {
                None => first,
                Some(Ok(last)) => last.min(completions - 1),
                Some(Err(_)) => continue,
            };
            match intervals.last_mut() {
                Some((_, end)) if *end == first - 1 => *end = last,
                _ => intervals.push((first, last)),
            }
        }
        Self(intervals)
    }

    /// Both sets together.
    #[must_use]
    pub fn union(&self, other: &Self) -> Self {
        let mut merged: Vec<(i64, i64)> = Vec::with_capacity(self.0.len() + other.0.len());
        let mut mine = self.0.iter().copied().peekable();
        let mut theirs = other.0.iter().copied().peekable();
        loop {
            let next = match (mine.peek(), theirs.peek()) {
                (Some(a), Some(b)) if a.0 < b.0 => mine.next(),
                (_, Some(_)) => theirs.next(),
                (_, None) => mine.next(),
            };
            let Some((first, last)) = next else {
                return Self(merged);
            };
            match merged.last_mut() {
                Some((_, end)) if first <= *end + 1 => *end = last.max(*end),
                _ => merged.push((first, last)),
            }
        }
    }

    /// The set with `indexes`, which are ascending, added.
    #[must_use]
    pub fn with(&self, indexes: impl IntoIterator<Item = i32>) -> Self {
        let intervals = indexes.into_iter().map(|index| (i64::from(index), i64::from(index)));
        self.union(&Self(intervals.collect()))
    }

    /// How many indexes the set has.
    #[must_use]
    pub fn len(&self) -> i64 {
        self.0.iter().map(|(first, last)| last - first + 1).sum()
    }

    /// Whether the set has no interval.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether `index` is in the set.
    #[must_use]
    pub fn contains(&self, index: i32) -> bool {
        let index = i64::from(index);
        let place = self.0.partition_point(|(_, last)| *last < index);
        self.0.get(place).is_some_and(|(first, _)| *first <= index)
    }

    /// The `count` smallest indexes from 0 that are below `completions` and not in the set.
    #[must_use]
    pub fn first_missing(&self, count: usize, completions: i32) -> Vec<i32> {
        let completions = i64::from(completions);
        let mut missing = Vec::new();
        let mut candidate = 0;
        for &(first, last) in &self.0 {
            while candidate < first.min(completions) && missing.len() < count {
                missing.extend(i32::try_from(candidate).ok());
                candidate += 1;
            }
            candidate = candidate.max(last + 1);
        }
        while candidate < completions && missing.len() < count {
            missing.extend(i32::try_from(candidate).ok());
            candidate += 1;
        }
        missing
    }

    /// How many of the set's indexes are in `other`.
    #[must_use]
    pub fn overlap(&self, other: &Self) -> i64 {
        let mut common = 0;
        for &(first, last) in &self.0 {
            for &(from, to) in &other.0 {
                common += (last.min(to) - first.max(from) + 1).max(0);
            }
        }
        common
    }
}

impl FromIterator<i32> for Indexes {
    fn from_iter<T: IntoIterator<Item = i32>>(indexes: T) -> Self {
        let sorted: std::collections::BTreeSet<i32> = indexes.into_iter().collect();
        Self::default().with(sorted)
    }
}

impl fmt::Display for Indexes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, (first, last)) in self.0.iter().enumerate() {
            if place > 0 {
                f.write_str(",")?;
            }
            match last - first {
                ..=0 => write!(f, "{first}")?,
                1 => write!(f, "{first},{last}")?,
                _ => write!(f, "{first}-{last}")?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::collection::btree_set;
    use proptest::prelude::*;

    #[test]
    fn text_is_cut_off_at_completions_and_bad_entries_are_left_out() {
        assert_eq!(Indexes::parse("0,x,2,4-7,1-y", 6).to_string(), "0,2,4,5");
        assert_eq!(Indexes::parse("", 6), Indexes::default());
        assert_eq!(Indexes::parse("3,4,5,6,9", 100).to_string(), "3-6,9");
        assert_eq!(Indexes::parse("7", 7), Indexes::default());
    }

    proptest! {
        #[test]
        fn behaves_like_a_set(a in btree_set(0..60, 0..40), b in btree_set(0..60, 0..40), count in 0usize..70) {
            let (left, right): (Indexes, Indexes) = (a.iter().copied().collect(), b.iter().copied().collect());
            let union = left.union(&right);
            prop_assert_eq!(&union, &a.union(&b).copied().collect());
            prop_assert_eq!(union.len(), a.union(&b).count() as i64);
            prop_assert_eq!(left.overlap(&right), a.intersection(&b).count() as i64);
            prop_assert!((0..60).all(|index| left.contains(index) == a.contains(&index)));
            prop_assert_eq!(&Indexes::parse(&left.to_string(), 60), &left);
            let missing: Vec<i32> = (0..60).filter(|index| !a.contains(index)).take(count).collect();
            prop_assert_eq!(left.first_missing(count, 60), missing);
        }
    }
}
