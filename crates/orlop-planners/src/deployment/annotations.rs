//! What a Deployment notes on its ReplicaSets: revisions and sizes.

use orlop_model::apps::v1::{Deployment, ReplicaSet};
use orlop_model::{Map, ObjectMeta, Str};

/// Annotation with the revision of a ReplicaSet, and of the Deployment that last rolled it out.
pub const REVISION: &str = "deployment.kubernetes.io/revision";
/// Annotation with the revisions that a ReplicaSet had before, as a comma-separated list.
pub const REVISION_HISTORY: &str = "deployment.kubernetes.io/revision-history";
/// Annotation with the Deployment's size when it last scaled the ReplicaSet.
pub const DESIRED_REPLICAS: &str = "deployment.kubernetes.io/desired-replicas";
/// Annotation with that size plus the surge.
pub const MAX_REPLICAS: &str = "deployment.kubernetes.io/max-replicas";
/// Annotation of a Deployment that asks to go back to a revision; 0 is the last one.
pub const ROLLBACK_TO: &str = "deprecated.deployment.rollback.to";

const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// Longest revision history, in bytes.
const MAX_HISTORY: usize = 2000;

/// Whether an annotation belongs to one object and is not copied between a Deployment and its ReplicaSets.
fn is_own(key: &str) -> bool {
    matches!(key, LAST_APPLIED | REVISION | REVISION_HISTORY | DESIRED_REPLICAS | MAX_REPLICAS | ROLLBACK_TO)
}

/// The revision: 0 if there is none, `None` if it is no number.
pub(super) fn revision(meta: &ObjectMeta) -> Option<i64> {
    meta.annotations.get(REVISION).map_or(Some(0), |text| text.parse().ok())
}

/// The highest revision; those that are no numbers are passed over.
#[must_use]
pub fn max_revision<'a>(sets: impl IntoIterator<Item = &'a ReplicaSet>) -> i64 {
    sets.into_iter().filter_map(|set| revision(&set.metadata)).max().unwrap_or(0).max(0)
}

/// The revision before the highest; 0 if there is none.
#[must_use]
pub fn last_revision<'a>(sets: impl IntoIterator<Item = &'a ReplicaSet>) -> i64 {
    let (mut first, mut second) = (0, 0);
    for revision in sets.into_iter().filter_map(|set| revision(&set.metadata)) {
        if revision >= first {
            (first, second) = (revision, first);
        } else if revision > second {
            second = revision;
        }
    }
    second
}

/// A number of pods noted on a ReplicaSet.
pub(super) fn number(set: &ReplicaSet, key: &str) -> Option<i32> {
    let text = set.metadata.annotations.get(key)?;
    let number = text.parse().ok()?;
    (text.bytes().all(|byte| byte.is_ascii_digit())).then_some(number)
}

fn set(annotations: &mut Map<Str>, key: &str, value: &str) -> bool {
    if annotations.get(key).is_some_and(|old| *old == *value) {
        return false;
    }
    annotations.insert(key, value.into());
    true
}

/// Notes the sizes on a ReplicaSet; whether that changed it.
pub(super) fn set_sizes(annotations: &mut Map<Str>, desired: i32, max: i32) -> bool {
    let desired = set(annotations, DESIRED_REPLICAS, &desired.to_string());
    set(annotations, MAX_REPLICAS, &max.to_string()) || desired
}

/// Notes the Deployment's own revision; whether that changed it.
pub(super) fn set_revision(deployment: &mut Deployment, revision: &str) -> bool {
    set(&mut deployment.metadata.annotations, REVISION, revision)
}

/// Copies the Deployment's annotations to its new ReplicaSet and gives it the revision `new`, unless it has a higher
/// one. Whether the ReplicaSet is to be written: not if its revision is no number.
pub(super) fn update_new_set(deployment: &Deployment, annotations: &mut Map<Str>, new: i64) -> bool {
    let mut changed = false;
    for (key, value) in &deployment.metadata.annotations {
        changed |= !is_own(key) && set(annotations, key, value);
    }
    let old = annotations.get(REVISION).cloned();
    let old_number = match old.as_deref().unwrap_or_default() {
        "" => 0,
        text => match text.parse::<i64>() {
            Ok(number) => number,
            Err(_) => return false,
        },
    };
    if old_number >= new {
        return changed;
    }
    annotations.insert(REVISION, new.to_string().into());
    if let Some(old) = old {
        // It was rolled back to: what it was called before is kept.
        let history = annotations.get(REVISION_HISTORY).cloned().unwrap_or_default();
        if let Some(history) = append_history(&history, &old) {
            annotations.insert(REVISION_HISTORY, history.into());
        }
    }
    true
}

/// `history` with `revision` at its end, as many of the oldest dropped as needed to make it fit; `None` if it cannot.
fn append_history(history: &str, revision: &str) -> Option<String> {
    if history.is_empty() || history.starts_with(',') {
        return Some(revision.to_owned());
    }
    let mut kept: Vec<&str> = history.split(',').collect();
    let mut length = history.len() + revision.len() + 1;
    while length > MAX_HISTORY && !kept.is_empty() {
        length -= kept.remove(0).len() + 1;
    }
    (length <= MAX_HISTORY).then(|| {
        kept.push(revision);
        kept.join(",")
    })
}

/// The revision that a rollback is asked for.
pub(super) fn rollback_to(deployment: &Deployment) -> Option<i64> {
    deployment.metadata.annotations.get(ROLLBACK_TO)?.parse().ok()
}

/// Gives the Deployment the annotations that the ReplicaSet it goes back to got from it.
pub(super) fn restore(deployment: &mut Deployment, set: &ReplicaSet) {
    let annotations = &mut deployment.metadata.annotations;
    annotations.retain(|key, _| is_own(key));
    for (key, value) in &set.metadata.annotations {
        if !is_own(key) {
            annotations.insert(key.clone(), value.clone());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn history_keeps_its_bound() {
        assert_eq!(append_history("", "1").as_deref(), Some("1"));
        assert_eq!(append_history("1,3", "4").as_deref(), Some("1,3,4"));
        let long = vec!["1234"; 400].join(",");
        let appended = append_history(&long, "12345").expect("it fits");
        assert_eq!(appended.len(), 2000);
        assert!(appended.ends_with(",1234,12345"));
        assert_eq!(append_history("1", &"9".repeat(2001)), None);
    }

    #[test]
    fn a_higher_revision_stays() {
        let mut annotations = Map::from([(REVISION, Str::from("7"))]);
        assert!(!update_new_set(&Deployment::default(), &mut annotations, 3));
        assert!(update_new_set(&Deployment::default(), &mut annotations, 8));
        assert_eq!(annotations.get(REVISION_HISTORY).map(Str::as_str), Some("7"));
    }
}
