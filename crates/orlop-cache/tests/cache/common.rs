//! Objects, and what a subscriber makes of the changes that it is told.

use std::collections::BTreeMap;
use std::sync::Arc;

use futures::{FutureExt, StreamExt};
use orlop_cache::test_util::Source;
use orlop_cache::{Change, Delta, Informer, Subscription};
use orlop_client::{Api, Client};
use orlop_clock::Random;
use orlop_model::core::v1::ConfigMap;
use orlop_model::{Object, ObjectKey, Str};

/// Fails the history with what did not hold.
macro_rules! ensure {
    ($condition:expr, $($message:tt)+) => {
        if !$condition {
            return Err(format!($($message)+));
        }
    };
}
pub(crate) use ensure;

pub(crate) type Objects = BTreeMap<ObjectKey, Arc<ConfigMap>>;

pub(crate) fn key(namespace: &str, name: &str) -> ObjectKey {
    ObjectKey::namespaced(namespace, name)
}

/// A map of a group, in a namespace.
pub(crate) fn map(namespace: &str, name: &str, group: &str) -> ConfigMap {
    let mut map = ConfigMap::default();
    map.metadata.namespace = namespace.into();
    map.metadata.name = name.into();
    map.metadata.labels.insert("group", group.into());
    map.data.insert("group", group.into());
    map
}

/// The same as it is stored: with a uid and a resourceVersion.
pub(crate) fn stored(namespace: &str, name: &str, revision: u64) -> Arc<ConfigMap> {
    let mut map = map(namespace, name, "");
    map.metadata.uid = format!("uid-{namespace}-{name}").into();
    map.metadata.resource_version = revision.to_string().into();
    Arc::new(map)
}

pub(crate) fn put(object: &Arc<ConfigMap>) -> Change<ConfigMap> {
    Change::Put(Arc::clone(object))
}

pub(crate) fn group_of(object: &ConfigMap) -> Str {
    object.data.get("group").cloned().unwrap_or_default()
}

pub(crate) fn source() -> Arc<Source<ConfigMap>> {
    Source::new(Random::new(1))
}

pub(crate) fn informer(source: &Arc<Source<ConfigMap>>) -> Informer<ConfigMap> {
    let client: Arc<dyn Client> = source.clone();
    Informer::builder(Api::<ConfigMap>::all(client)).build()
}

/// All that is told at once, in short.
pub(crate) fn told(changes: &mut Subscription<ConfigMap>) -> Vec<String> {
    std::iter::from_fn(|| changes.try_next()).map(|delta| format!("{delta:?}")).collect()
}

pub(crate) fn number(object: &ConfigMap) -> u64 {
    object.metadata.resource_version.parse().unwrap_or(0)
}

/// Sums up what it is told, and complains where that makes no sense.
#[derive(Default)]
pub(crate) struct View {
    pub(crate) objects: Objects,
    pub(crate) synced: bool,
    /// Last heard of, by uid: is it there, and at which revision?
    told: BTreeMap<Str, (bool, u64)>,
    pub(crate) resets: usize,
}

impl View {
    pub(crate) fn hear(&mut self, delta: Delta<ConfigMap>) -> Result<(), String> {
        match delta {
            Delta::Added { object, initial } => {
                ensure!(
                    !(initial && self.synced),
                    "{}: initial after the end of the initial ones",
                    object.key()
                );
                self.came(&object, true)?;
                let known = self.objects.insert(object.key(), object);
                ensure!(known.is_none(), "added twice: {known:?}");
            }
            Delta::Modified { old, new } => {
                ensure!(old.metadata.uid == new.metadata.uid, "{}: another object", new.key());
                ensure!(
                    Arc::ptr_eq(&old, &new) || number(&old) < number(&new),
                    "{} went back from {} to {}",
                    new.key(),
                    number(&old),
                    number(&new)
                );
                self.came(&new, true)?;
                let known = self.objects.insert(new.key(), new);
                ensure!(
                    known.as_ref() == Some(&old),
                    "not the state that was told before: {known:?}, {old:?}"
                );
            }
            Delta::Deleted { last, exact } => {
                let known = self.objects.remove(&last.key());
                let Some(known) = known else {
                    return Err(format!("{} deleted, but never added", last.key()));
                };
                ensure!(known.metadata.uid == last.metadata.uid, "{}: another object", last.key());
                ensure!(
                    exact || known == last,
                    "{}: a missed deletion tells the last known state",
                    last.key()
                );
                self.came(&last, false)?;
            }
            Delta::Synced => {
                ensure!(!self.synced, "synced twice");
                self.synced = true;
            }
            Delta::Reset => {
                let (told, resets) = (std::mem::take(&mut self.told), self.resets + 1);
                *self = Self { told, resets, ..Self::default() };
                self.told.values_mut().for_each(|(there, _)| *there = false);
            }
        }
        Ok(())
    }

    fn came(&mut self, object: &ConfigMap, there: bool) -> Result<(), String> {
        let now = number(object);
        let before = self.told.insert(object.metadata.uid.clone(), (there, now));
        // A missed deletion may come with the state that was told before.
        ensure!(before.is_none_or(|(_, before)| before <= now), "{} went back to {now}", object.key());
        Ok(())
    }

    pub(crate) fn hear_all(&mut self, changes: &mut Subscription<ConfigMap>) -> Result<(), String> {
        while let Some(Some(delta)) = changes.next().now_or_never() {
            self.hear(delta)?;
        }
        Ok(())
    }

    /// Whether the sum is what there is, and whoever is gone was told to be.
    pub(crate) fn equals(&self, truth: &Objects) -> Result<(), String> {
        ensure!(&self.objects == truth, "told {:?}, there is {:?}", self.objects.keys(), truth.keys());
        for (uid, (there, _)) in &self.told {
            let really = truth.values().any(|object| object.metadata.uid == *uid);
            ensure!(*there == really, "the deletion of {uid} was missed");
        }
        Ok(())
    }
}

pub(crate) fn paused() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().expect("a runtime")
}
