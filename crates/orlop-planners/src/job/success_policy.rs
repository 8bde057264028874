//! When enough indexes have succeeded: the success policy.

use orlop_model::batch::v1::SuccessPolicy;

use super::Indexes;

/// The message of the rule that `succeeded` meets first, if any.
///
/// A rule with indexes wants all of them, or as many of them as its count says; a rule with a count
/// alone wants that many. Indexes from `completions` on are left out. Nothing is met before an index
/// has succeeded.
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
                reached >= count.unwrap_or(wanted.len())
            }
            None => count.is_some_and(|count| succeeded.len() >= count),
        };
        enough.then(|| format!("Matched rules at index {index}"))
    })
}
