//! Sorting by relations that are no orders.

/// A stable sort that holds for relations that are not transitive, where the library's may panic.
pub(crate) fn merge_sort<T>(mut items: Vec<T>, before: &impl Fn(&T, &T) -> bool) -> Vec<T> {
    if items.len() < 2 {
        return items;
    }
    let right = merge_sort(items.split_off(items.len() / 2), before);
    let left = merge_sort(items, before);
    let mut merged = Vec::with_capacity(left.len() + right.len());
    let (mut left, mut right) = (left.into_iter().peekable(), right.into_iter().peekable());
    while let (Some(first), Some(second)) = (left.peek(), right.peek()) {
        let next = if before(second, first) { right.next() } else { left.next() };
        merged.extend(next);
    }
    merged.extend(left);
    merged.extend(right);
    merged
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_items_stay_in_order_and_cycles_do_not_stop_it() {
        let sorted =
            merge_sort(vec![(2, 'a'), (1, 'b'), (2, 'c'), (1, 'd')], &|left, right| left.0 < right.0);
        assert_eq!(sorted, [(1, 'b'), (1, 'd'), (2, 'a'), (2, 'c')]);
        // 0 before 1, 1 before 2, 2 before 0.
        let sorted = merge_sort((0..9).collect(), &|left: &i32, right| (left + 1) % 3 == right % 3);
        assert_eq!(sorted.len(), 9);
    }
}
