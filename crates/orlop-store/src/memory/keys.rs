use std::collections::{BTreeMap, VecDeque};
use std::ops::Bound;
use std::sync::Arc;

use hashbrown::HashMap;

use crate::{Key, Record, Revision};

/// All keys with their versions: by hash for single ones, which most operations are about, and in
/// order for lists. The order changes only when a key comes or goes.
#[derive(Debug, Default)]
pub(crate) struct Keys {
    /// Never iterated: its order is no order.
    places: HashMap<Key, usize>,
    order: BTreeMap<Key, usize>,
    versions: Vec<Versions>,
    free: Vec<usize>,
}

/// What one key was, in the order of revisions. The newest version is kept apart because nearly all
/// reads want it, and most keys have nothing else.
#[derive(Debug)]
pub(crate) struct Versions {
    pub(crate) newest: Version,
    pub(crate) older: VecDeque<Version>,
}

#[derive(Debug)]
pub(crate) struct Version {
    pub(crate) revision: Revision,
    /// `None` from a deletion on.
    pub(crate) record: Option<Arc<Record>>,
}

impl Versions {
    pub(crate) fn at(&self, revision: Revision) -> Option<&Arc<Record>> {
        if self.newest.revision <= revision {
            return self.newest.record.as_ref();
        }
        let above = self.older.partition_point(|version| version.revision <= revision);
        self.older.get(above.checked_sub(1)?)?.record.as_ref()
    }
}

impl Keys {
    pub(crate) fn get(&self, key: &str) -> Option<&Versions> {
        self.places.get(key).map(|place| &self.versions[*place])
    }

    pub(crate) fn get_mut(&mut self, key: &str) -> Option<&mut Versions> {
        self.places.get(key).map(|place| &mut self.versions[*place])
    }

    /// Adds the newest version of a key.
    pub(crate) fn push(&mut self, key: &Key, version: Version) {
        if let Some(versions) = self.get_mut(key) {
            let before = std::mem::replace(&mut versions.newest, version);
            versions.older.push_back(before);
            return;
        }
        let versions = Versions { newest: version, older: VecDeque::new() };
        let place = match self.free.pop() {
            Some(place) => {
                self.versions[place] = versions;
                place
            }
            None => {
                self.versions.push(versions);
                self.versions.len() - 1
            }
        };
        self.places.insert(key.clone(), place);
        self.order.insert(key.clone(), place);
    }

    /// Takes out a key whose only version is a deletion.
    pub(crate) fn remove(&mut self, key: &str) {
        if let Some(place) = self.places.remove(key) {
            self.order.remove(key);
            self.free.push(place);
        }
    }

    /// The keys between two ends that do not cross, in order.
    pub(crate) fn range(
        &self,
        from: Bound<&Key>,
        to: Bound<&Key>,
    ) -> impl Iterator<Item = (&Key, &Versions)> + use<'_> {
        self.order.range::<Key, _>((from, to)).map(|(key, place)| (key, &self.versions[*place]))
    }
}
