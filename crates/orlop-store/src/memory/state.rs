use std::collections::VecDeque;
use std::ops::Bound;
use std::sync::Arc;

use super::keys::{Keys, Version};
use crate::{At, Batch, Change, Error, Key, KeyRange, Listing, Page, Record, Result, Revision};

/// What reads see: every key's versions, and the log of changes.
///
/// The states from `compacted` to `revision` can be told, and the changes after `compacted` are in
/// the log: one batch for each revision, so that a revision's place in the log is its distance from
/// `compacted`.
#[derive(Debug, Default)]
pub(crate) struct State {
    pub(crate) revision: Revision,
    pub(crate) compacted: Revision,
    keys: Keys,
    log: VecDeque<Batch>,
}

/// What compaction took out, to be dropped where no lock is held.
#[derive(Debug, Default)]
pub(crate) struct Garbage {
    records: Vec<Arc<Record>>,
    batches: Vec<Batch>,
}

/// A list in the making, which may let go of the lock between its steps.
#[derive(Debug)]
pub(crate) struct Listed {
    revision: Revision,
    limit: usize,
    rest: (Bound<Key>, Bound<Key>),
    records: Vec<Arc<Record>>,
    remaining: u64,
}

impl Listed {
    /// A list of which nothing has been looked at yet.
    pub(crate) fn begin(range: &KeyRange, page: Page, revision: Revision) -> Self {
        let start = range.start();
        let from = match page.after {
            Some(after) if after >= *start => Bound::Excluded(after),
            _ => Bound::Included(start.clone()),
        };
        let to = range.end().map_or(Bound::Unbounded, |end| Bound::Excluded(end.clone()));
        Self {
            revision,
            limit: page.limit.unwrap_or(usize::MAX),
            rest: (from, to),
            records: Vec::new(),
            remaining: 0,
        }
    }

    pub(crate) fn revision(&self) -> Revision {
        self.revision
    }

    pub(crate) fn finish(self) -> Listing {
        Listing { records: self.records, revision: self.revision, remaining: self.remaining }
    }

    /// A range whose ends cross is empty; the map would not accept it.
    fn is_empty(&self) -> bool {
        match &self.rest {
            (Bound::Included(from), Bound::Excluded(to)) | (Bound::Excluded(from), Bound::Excluded(to)) => {
                from >= to
            }
            _ => false,
        }
    }
}

impl State {
    /// The revision that a read is about.
    pub(crate) fn resolve(&self, at: At) -> Result<Revision> {
        match at {
            At::Latest => Ok(self.revision),
            At::NotOlderThan(requested) | At::Exactly(requested) if requested > self.revision => {
                Err(Error::Future { requested, current: self.revision })
            }
            At::NotOlderThan(_) => Ok(self.revision),
            At::Exactly(requested) => self.kept(requested).map(|()| requested),
        }
    }

    /// Whether the state at this revision, and what came after it, is still there.
    pub(crate) fn kept(&self, requested: Revision) -> Result<()> {
        if requested < self.compacted {
            return Err(Error::Expired { requested, compacted: self.compacted });
        }
        Ok(())
    }

    pub(crate) fn current(&self, key: &str) -> Option<&Arc<Record>> {
        self.keys.get(key)?.newest.record.as_ref()
    }

    pub(crate) fn get(&self, key: &str, at: At) -> Result<Option<&Arc<Record>>> {
        let revision = self.resolve(at)?;
        Ok(self.keys.get(key).and_then(|versions| versions.at(revision)))
    }

    /// Looks at up to `steps` keys more; answers whether the list is complete. The list's revision
    /// has to be [kept](Self::kept).
    pub(crate) fn list(&self, list: &mut Listed, mut steps: usize) -> bool {
        if list.is_empty() {
            return true;
        }
        for (key, versions) in self.keys.range(list.rest.0.as_ref(), list.rest.1.as_ref()) {
            steps = steps.saturating_sub(1);
            if let Some(record) = versions.at(list.revision) {
                if list.records.len() < list.limit {
                    list.records.push(record.clone());
                } else {
                    list.remaining += 1;
                }
            }
            if steps == 0 {
                list.rest.0 = Bound::Excluded(key.clone());
                return false;
            }
        }
        true
    }

    /// Adds the next revision.
    pub(crate) fn apply(&mut self, batch: Batch) {
        debug_assert_eq!(batch.revision, self.revision.next(), "revisions follow one another");
        self.revision = batch.revision;
        for event in &*batch.events {
            let version = Version { revision: batch.revision, record: event.current().cloned() };
            self.keys.push(event.key(), version);
        }
        self.log.push_back(batch);
    }

    /// How many revisions the log holds.
    pub(crate) fn log_len(&self) -> usize {
        self.log.len()
    }

    /// The changes after a revision, which has to be [kept](Self::kept).
    pub(crate) fn log_after(&self, revision: Revision) -> impl Iterator<Item = &Batch> {
        let passed = usize::try_from(revision.0 - self.compacted.0).unwrap_or(usize::MAX);
        self.log.range(passed.min(self.log.len())..)
    }

    /// Drops the oldest revision of the log, and of the keys it changed whatever was before.
    pub(crate) fn compact_one(&mut self, garbage: &mut Garbage) -> Option<Batch> {
        let batch = self.log.pop_front()?;
        self.compacted = batch.revision;
        for event in &*batch.events {
            let Some(versions) = self.keys.get_mut(event.key()) else {
                continue;
            };
            while versions.older.front().is_some_and(|version| version.revision < batch.revision) {
                garbage.records.extend(versions.older.pop_front().and_then(|version| version.record));
            }
            if event.change != Change::Deleted {
                continue;
            }
            // The deletion itself says no more than the key's absence does.
            if versions.newest.revision == batch.revision {
                self.keys.remove(event.key());
            } else if versions.older.front().is_some_and(|version| version.revision == batch.revision) {
                versions.older.pop_front();
            }
        }
        garbage.batches.push(batch.clone());
        Some(batch)
    }
}
