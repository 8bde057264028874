//! Which changes matter: conditions for [`Controller::when`](crate::Controller::when) and its like.
//!
//! A predicate is any `Fn(&Delta<K>) -> bool`. Those here look at modifications; what is added or deleted always matters
//! to them, so that nothing is missed.
//!
//! ```
//! # use std::sync::Arc;
//! # use orlop_client::{Api, Client};
//! # use orlop_controller::{Controller, predicate};
//! # use orlop_model::{apps::v1::Deployment, core::v1::ConfigMap};
//! # fn example(client: Arc<dyn Client>) -> Controller<Deployment> {
//! Controller::new("rollout", Api::<Deployment>::all(client.clone()))
//!     .when(predicate::or(predicate::generation_changed, predicate::labels_changed))
//!     .owns_when(Api::<ConfigMap>::all(client), predicate::resource_version_changed)
//! # }
//! ```

use orlop_cache::Delta;
use orlop_model::Object;

/// Not when only the status or metadata changed: when the generation did, which also marks the begin of a deletion. For
/// kinds that count generations; see [`resource_version_changed`] for others.
pub fn generation_changed<K: Object>(delta: &Delta<K>) -> bool {
    changed(delta, |old, new| old.meta().generation != new.meta().generation)
}

/// When a label did.
pub fn labels_changed<K: Object>(delta: &Delta<K>) -> bool {
    changed(delta, |old, new| old.meta().labels != new.meta().labels)
}

/// When an annotation did.
pub fn annotations_changed<K: Object>(delta: &Delta<K>) -> bool {
    changed(delta, |old, new| old.meta().annotations != new.meta().annotations)
}

/// When anything did: not at a resync.
pub fn resource_version_changed<K: Object>(delta: &Delta<K>) -> bool {
    changed(delta, |old, new| old.meta().resource_version != new.meta().resource_version)
}

fn changed<K>(delta: &Delta<K>, differs: impl FnOnce(&K, &K) -> bool) -> bool {
    match delta {
        Delta::Modified { old, new } => differs(old, new),
        _ => true,
    }
}

/// When both hold.
pub fn and<K>(
    one: impl Fn(&Delta<K>) -> bool + Send + Sync + 'static,
    other: impl Fn(&Delta<K>) -> bool + Send + Sync + 'static,
) -> impl Fn(&Delta<K>) -> bool + Send + Sync + 'static {
    move |delta| one(delta) && other(delta)
}

/// When one holds at least.
pub fn or<K>(
    one: impl Fn(&Delta<K>) -> bool + Send + Sync + 'static,
    other: impl Fn(&Delta<K>) -> bool + Send + Sync + 'static,
) -> impl Fn(&Delta<K>) -> bool + Send + Sync + 'static {
    move |delta| one(delta) || other(delta)
}

/// When it does not hold.
pub fn not<K>(
    one: impl Fn(&Delta<K>) -> bool + Send + Sync + 'static,
) -> impl Fn(&Delta<K>) -> bool + Send + Sync + 'static {
    move |delta| !one(delta)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use orlop_model::core::v1::ConfigMap;

    use super::*;

    fn modified(change: impl FnOnce(&mut ConfigMap)) -> Delta<ConfigMap> {
        let mut new = ConfigMap::default();
        change(&mut new);
        Delta::Modified { old: Arc::default(), new: Arc::new(new) }
    }

    #[test]
    fn each_looks_at_its_part() {
        type Predicate = fn(&Delta<ConfigMap>) -> bool;
        let all: [Predicate; 4] =
            [generation_changed, labels_changed, annotations_changed, resource_version_changed];
        let held = |delta: &Delta<ConfigMap>| all.map(|predicate| predicate(delta));
        assert_eq!(held(&modified(|_| {})), [false; 4]);
        assert_eq!(held(&modified(|map| map.metadata.generation = 2)), [true, false, false, false]);
        let labelled = modified(|map| drop(map.metadata.labels.insert("a", "b".into())));
        assert_eq!(held(&labelled), [false, true, false, false]);
        let annotated = modified(|map| drop(map.metadata.annotations.insert("a", "b".into())));
        assert_eq!(held(&annotated), [false, false, true, false]);
        let written = modified(|map| map.metadata.resource_version = "2".into());
        assert_eq!(held(&written), [false, false, false, true]);
        for always in [
            Delta::Added { object: Arc::default(), initial: false },
            Delta::Deleted { last: Arc::default(), exact: true },
        ] {
            assert_eq!(held(&always), [true; 4]);
        }
        assert!(or(labels_changed, annotations_changed)(&labelled));
        assert!(!and(labels_changed, annotations_changed)(&labelled));
        assert!(not(annotations_changed)(&labelled));
    }
}
