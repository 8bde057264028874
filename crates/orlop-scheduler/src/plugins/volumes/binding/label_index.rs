//! [`LabelIndex`]: which of many conditions on labels can hold for a node.

use std::collections::HashMap;

use orlop_model::{Map, Str};

/// Numbers of conditions on labels, by the value that a label must have for the condition to hold.
/// With it a node is compared with the few conditions that name it, not with those of all others.
#[derive(Clone, Debug, Default)]
pub(super) struct LabelIndex {
    /// By label and value.
    named: Vec<(Str, HashMap<Str, Vec<u32>>)>,
    /// Conditions of another shape.
    others: Vec<u32>,
}

impl LabelIndex {
    /// Adds a condition, whose number is above all before it. `label`: a label and the values of it
    /// that alone can fulfil the condition.
    pub(super) fn push<'a>(&mut self, number: u32, label: Option<(&Str, impl IntoIterator<Item = &'a Str>)>) {
        let Some((key, values)) = label else {
            self.others.push(number);
            return;
        };
        let position = self.named.iter().position(|(known, _)| known == key).unwrap_or_else(|| {
            self.named.push((key.clone(), HashMap::new()));
            self.named.len() - 1
        });
        for value in values {
            let numbers = self.named[position].1.entry(value.clone()).or_default();
            if numbers.last() != Some(&number) {
                numbers.push(number);
            }
        }
    }

    /// The smallest number of a condition that holds for labels, as `holds` says.
    pub(super) fn first(&self, labels: &Map<Str>, holds: impl Fn(u32) -> bool) -> Option<u32> {
        let named = self.named.iter().filter_map(|(key, values)| values.get(labels.get(key)?));
        let mut first = None;
        for numbers in named.chain([&self.others]) {
            for &number in numbers {
                if first.is_some_and(|first| number >= first) {
                    break;
                }
                if holds(number) {
                    first = Some(number);
                    break;
                }
            }
        }
        first
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_smallest_number_that_holds_is_found() {
        let host = Str::from("host");
        let mut index = LabelIndex::default();
        let values = |names: &[&str]| names.iter().map(|name| Str::from(*name)).collect::<Vec<_>>();
        let (a, both) = (values(&["a"]), values(&["a", "b", "b"]));
        index.push(0, Some((&host, &a)));
        index.push(1, None::<(&Str, &Vec<Str>)>);
        index.push(2, Some((&host, &both)));
        let labels = |value: &str| Map::from([("host", Str::from(value))]);
        assert_eq!(index.first(&labels("a"), |_| true), Some(0));
        assert_eq!(index.first(&labels("b"), |_| true), Some(1));
        assert_eq!(index.first(&labels("b"), |number| number != 1), Some(2));
        assert_eq!(index.first(&labels("c"), |number| number != 1), None);
        assert_eq!(index.first(&Map::new(), |_| true), Some(1));
    }
}
