//! When enough indexes have succeeded: the success policy.

use orlop_model::batch::v1::SuccessPolicy;

use super::Indexes;

/// The message of the rule that `succeeded` meets first, if any.
///
/// A rule with indexes wants all of them, or as many of them as its count says; a rule with a count
/// alone wants that many. Indexes from `completions` on are left out, and a rule that has no others
/// is never met; neither is any before an index has succeeded.
pub(super) fn met(policy: &SuccessPolicy, completions: i32, succeeded: &Indexes) -> Option<String> {
    if succeeded.is_empty() {
        return None;
    }
    policy.rules.iter().enumerate().find_map(|(index, rule)| {
        let count = rule.succeeded_count.map(i64::from);
        let enough = match &rule.succeeded_indexes {
            Some(indexes) => {
                let wanted = Indexes::parse(indexes, completions);
                let reached = wanted.overlap(succeeded);
                !wanted.is_empty() && (reached == wanted.len() || count.is_some_and(|count| reached >= count))
            }
            None => count.is_some_and(|count| succeeded.len() >= count),
        };
        enough.then(|| format!("Matched rules at index {index}"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn rules_are_met_by_indexes_and_counts() {
        let met = |rule: serde_json::Value, completions: i32, succeeded: &str| {
            let policy = serde_json::from_value(json!({"rules": [{"succeededCount": 100}, rule]})).unwrap();
            super::met(&policy, completions, &Indexes::parse(succeeded, 100)).is_some()
        };
        assert!(met(json!({"succeededIndexes": "1,3-4"}), 10, "1-5"));
        assert!(!met(json!({"succeededIndexes": "1,3-4"}), 10, "1-3"));
        assert!(met(json!({"succeededIndexes": "1,3-4"}), 4, "1-3"), "index 4 is cut off");
        assert!(!met(json!({"succeededIndexes": "5-6"}), 4, "1-3"), "nothing is left of the rule");
        assert!(met(json!({"succeededIndexes": "1,3-4", "succeededCount": 2}), 10, "1-3"));
        assert!(!met(json!({"succeededIndexes": "1,3-4", "succeededCount": 2}), 10, "0-2"));
        assert!(met(json!({"succeededCount": 2}), 10, "0,9"));
        assert!(!met(json!({"succeededCount": 0}), 10, ""), "nothing has succeeded");
    }
}
