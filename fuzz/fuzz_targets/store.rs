//! The store in memory against the plainest model: every state that there ever was, whole.
//!
//! The bytes are a program: one for the operation, then its operands.

#![no_main]

use std::collections::BTreeMap;
use std::task::{Context, Poll, Waker};

use futures::StreamExt;
use futures::executor::block_on;
use libfuzzer_sys::fuzz_target;
use orlop_store::{
    At, Change, Error, Expected, Format, Key, KeyRange, MemoryStore, Page, Record, Retention, Revision,
    Store, Txn, Update, Value, Watch,
};

const KEYS: [&str; 7] = ["", "a", "a/b", "a/c", "a0", "b", "\u{10ffff}"];

/// Value, revision of the creation, revision of the last change.
type Entry = (u8, u64, u64);
type State = BTreeMap<&'static str, Entry>;

/// The operands, as long as there are some.
struct Program<'a>(std::slice::Iter<'a, u8>);

impl Program<'_> {
    fn next(&mut self) -> Option<u8> {
        self.0.next().copied()
    }

    fn key(&mut self) -> Option<&'static str> {
        Some(KEYS[usize::from(self.next()?) % KEYS.len()])
    }

    fn range(&mut self) -> Option<KeyRange> {
        Some(match self.next()? % 5 {
            0 => KeyRange::all(),
            1 => KeyRange::prefix(self.key()?),
            2 => KeyRange::single(self.key()?),
            3 => KeyRange::from(self.key()?),
            _ => KeyRange::between(self.key()?, self.key()?),
        })
    }

    /// A revision from zero to a little beyond the present.
    fn revision(&mut self, present: usize) -> Option<u64> {
        Some(u64::from(self.next()?) % (present as u64 + 3))
    }
}

fn entry(record: &Record) -> Entry {
    let bytes = record.value.encoded(Format::Json).expect("it was put as JSON");
    (bytes[0], record.created.0, record.revision.0)
}

struct Follower {
    watch: Watch,
    range: KeyRange,
    at: u64,
    /// What it could not have been told any more when it began.
    too_old: bool,
}

struct Model {
    /// One state for each revision, from zero on.
    states: Vec<State>,
    retention: u64,
    compacted: u64,
}

impl Model {
    fn present(&self) -> usize {
        self.states.len() - 1
    }

    fn push(&mut self, state: State) {
        self.states.push(state);
        self.compacted = self.compacted.max((self.present() as u64).saturating_sub(self.retention));
    }

    /// The state that a read has to see, or whether it is refused because it is too new.
    fn read(&self, kind: u8, revision: u64) -> (At, Result<usize, bool>) {
        let present = self.present();
        let future = revision > present as u64;
        match kind % 3 {
            0 => (At::Latest, Ok(present)),
            1 if future => (At::NotOlderThan(Revision(revision)), Err(true)),
            1 => (At::NotOlderThan(Revision(revision)), Ok(present)),
            _ if future => (At::Exactly(Revision(revision)), Err(true)),
            _ if revision < self.compacted => (At::Exactly(Revision(revision)), Err(false)),
            _ => (At::Exactly(Revision(revision)), Ok(revision as usize)),
        }
    }

    /// What changed in the range with this revision.
    fn changes(&self, range: &KeyRange, revision: u64) -> BTreeMap<&'static str, Change> {
        let (before, after) = (&self.states[revision as usize - 1], &self.states[revision as usize]);
        let mut keys = KEYS.to_vec();
        keys.retain(|key| range.contains(key) && before.get(key) != after.get(key));
        let change = |key: &&'static str| match (before.contains_key(key), after.contains_key(key)) {
            (false, _) => Change::Created,
            (true, true) => Change::Updated,
            (true, false) => Change::Deleted,
        };
        keys.into_iter().map(|key| (key, change(&key))).collect()
    }
}

fn refused<T: std::fmt::Debug>(answer: Result<T, Error>, future: bool) {
    match answer {
        Err(Error::Future { .. }) => assert!(future, "the future was not asked for"),
        Err(Error::Expired { .. }) => assert!(!future, "the past was not asked for"),
        other => panic!("a refusal was due, not {other:?}"),
    }
}

/// Takes what the watch has; answers whether it goes on.
fn follow(follower: &mut Follower, model: &Model) -> bool {
    loop {
        let due = (follower.at + 1..=model.present() as u64)
            .find(|revision| !model.changes(&follower.range, *revision).is_empty());
        match follower.watch.poll_next_unpin(&mut Context::from_waker(Waker::noop())) {
            Poll::Pending => {
                assert!(!follower.too_old, "it began in the compacted past");
                assert_eq!(due, None, "a change was due");
                return true;
            }
            Poll::Ready(Some(Ok(Update::Bookmark(revision)))) => {
                assert!(due.is_none_or(|due| revision.0 < due), "the bookmark overtakes a change");
                assert!(revision.0 >= follower.at, "the bookmark lies before the start");
                follower.at = revision.0;
            }
            Poll::Ready(Some(Ok(Update::Batch(batch)))) => {
                assert!(!follower.too_old, "it began in the compacted past");
                assert_eq!(Some(batch.revision.0), due);
                let told: BTreeMap<&str, Change> =
                    batch.events.iter().map(|event| (&**event.key(), event.change)).collect();
                assert_eq!(told.len(), batch.events.len(), "each key once");
                assert_eq!(told, model.changes(&follower.range, batch.revision.0));
                for event in &*batch.events {
                    let before = &model.states[batch.revision.0 as usize - 1];
                    assert_eq!(event.previous.as_deref().map(entry), before.get(&**event.key()).copied());
                    if let Some(now) = event.current() {
                        assert_eq!(
                            model.states[batch.revision.0 as usize].get(&**event.key()),
                            Some(&entry(now))
                        );
                    }
                }
                follower.at = batch.revision.0;
            }
            Poll::Ready(Some(Err(Error::Expired { .. }))) => {
                let lost = due.is_some_and(|due| due <= model.compacted);
                assert!(follower.too_old || lost, "nothing is lost");
                return false;
            }
            Poll::Ready(other) => panic!("{other:?}"),
        }
    }
}

fn run(bytes: &[u8]) -> Option<()> {
    let mut program = Program(bytes.iter());
    let retention = program.next()? % 16 + 1;
    let store = MemoryStore::with_retention(Retention { revisions: usize::from(retention) });
    let mut model = Model { states: vec![State::new()], retention: u64::from(retention), compacted: 0 };
    let mut followers: Vec<Follower> = Vec::new();
    loop {
        match program.next()? % 8 {
            // A transaction: conditions, then writes.
            operation @ 0..=2 => {
                let (mut txn, mut holds) = (Txn::new(), true);
                let now = model.states[model.present()].clone();
                for _ in 0..operation {
                    let key = program.key()?;
                    let revision = now.get(key).map(|entry| entry.2);
                    let expected = match program.next()? % 4 {
                        0 => Expected::Absent,
                        1 => Expected::Present,
                        2 => revision.map_or(Expected::Absent, |revision| Expected::At(Revision(revision))),
                        _ => Expected::At(Revision(program.revision(model.present())?)),
                    };
                    holds &= match expected {
                        Expected::Absent => revision.is_none(),
                        Expected::Present => revision.is_some(),
                        Expected::At(wanted) => revision == Some(wanted.0),
                    };
                    txn = txn.expect(key, expected);
                }
                let (mut next, mut keys) = (now.clone(), Vec::new());
                let revision = model.present() as u64 + 1;
                for _ in 0..program.next()? % 4 {
                    let (key, value) = (program.key()?, program.next()?);
                    keys.push(key);
                    if value % 4 == 0 {
                        txn = txn.delete(key);
                        next.remove(key);
                    } else {
                        txn = txn.put(key, move |_| Value::bytes(Format::Json, vec![value]));
                        let created = now.get(key).map_or(revision, |entry| entry.1);
                        next.insert(key, (value, created, revision));
                    }
                }
                keys.sort_unstable();
                let twice = keys.windows(2).any(|pair| pair[0] == pair[1]);
                match block_on(store.commit(txn)) {
                    Ok(done) => {
                        assert!(holds && !twice);
                        if next != now {
                            model.push(next);
                        }
                        assert_eq!(done.revision.0, model.present() as u64);
                    }
                    Err(Error::Conflict(conflict)) => {
                        assert!(!holds);
                        for failed in &conflict.failed {
                            assert_eq!(failed.current.as_deref().map(entry), now.get(&*failed.key).copied());
                        }
                    }
                    Err(Error::DuplicateKey { .. }) => assert!(twice),
                    Err(error) => panic!("{error}"),
                }
            }
            3 => {
                let key = program.key()?;
                let (at, due) = model.read(program.next()?, program.revision(model.present())?);
                let found = block_on(store.get(&Key::from(key), at));
                match due {
                    Ok(state) => assert_eq!(
                        found.unwrap().as_deref().map(entry),
                        model.states[state].get(key).copied()
                    ),
                    Err(future) => refused(found, future),
                }
            }
            4 => {
                let range = program.range()?;
                let (at, due) = model.read(program.next()?, program.revision(model.present())?);
                let limit = program.next()? % 8;
                let after = program.next()?;
                let page = Page {
                    limit: (limit < 7).then_some(usize::from(limit)),
                    after: (after % 2 == 1).then(|| Key::from(KEYS[usize::from(after / 2) % KEYS.len()])),
                };
                let found = block_on(store.list(&range, at, page.clone()));
                match due {
                    Ok(state) => {
                        let found = found.unwrap();
                        let behind = |key: &str| page.after.as_ref().is_none_or(|after| key > &**after);
                        let all =
                            model.states[state].iter().filter(|(key, _)| range.contains(key) && behind(key));
                        let all: Vec<(String, Entry)> =
                            all.map(|(key, entry)| ((*key).to_owned(), *entry)).collect();
                        let shown = all.len().min(page.limit.unwrap_or(usize::MAX));
                        let told = found.records.iter().map(|record| (record.key.to_string(), entry(record)));
                        assert_eq!(told.collect::<Vec<_>>(), all[..shown]);
                        assert_eq!(found.remaining, (all.len() - shown) as u64);
                        assert_eq!(found.revision.0, state as u64);
                    }
                    Err(future) => refused(found, future),
                }
            }
            5 => {
                let up_to = program.revision(model.present())?;
                let done = block_on(store.compact(Revision(up_to)));
                if up_to > model.present() as u64 {
                    refused(done, true);
                } else {
                    done.unwrap();
                    model.compacted = model.compacted.max(up_to);
                }
                assert_eq!(store.compacted().0, model.compacted);
            }
            6 if followers.len() < 8 => {
                let range = program.range()?;
                let at = program.revision(model.present())?;
                let watch = store.watch(&range, Revision(at));
                followers.push(Follower { watch, range, at, too_old: at < model.compacted });
            }
            _ => {
                let which = program.next()?;
                let Some(number) = usize::from(which / 2).checked_rem(followers.len()) else {
                    continue;
                };
                if which % 2 == 1 {
                    followers[number].watch.request_bookmark();
                }
                if !follow(&mut followers[number], &model) {
                    followers.swap_remove(number);
                }
            }
        }
    }
}

fuzz_target!(|bytes: &[u8]| {
    run(bytes);
});
