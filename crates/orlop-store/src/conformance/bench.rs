use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures::StreamExt;
use tokio::time::timeout;

use crate::{
    At, Batch, Change, Codec, CodecError, Committed, Error, Event, Format, Key, KeyRange, LeaseId, Listing,
    Page, Record, Result, Revision, Store, Txn, Typed, Update, Value, Watch,
};

/// How long a case waits for what has to come.
const DEADLINE: Duration = Duration::from_secs(30);

/// A store under test, and where it was before the case began.
#[derive(Debug)]
pub(super) struct Bench {
    pub(super) store: Arc<dyn Store>,
    pub(super) base: Revision,
}

/// The key of this name below the suite's own path.
pub(super) fn key(name: &str) -> Key {
    Key::new(format!("/conformance/{name}"))
}

/// All of the suite's keys below a name.
pub(super) fn below(name: &str) -> KeyRange {
    KeyRange::prefix(key(name))
}

/// Makes a value of this text.
pub(super) fn text(text: &str) -> impl FnOnce(Revision) -> Value + Send + 'static {
    let bytes = Bytes::copy_from_slice(text.as_bytes());
    move |_| Value::bytes(Format::Json, bytes)
}

/// The text of a record.
#[track_caller]
pub(super) fn said(record: &Record) -> String {
    let bytes = record.value.encoded(Format::Json).expect("the value was put as JSON");
    String::from_utf8(bytes.into()).expect("the value was put as text")
}

/// Key (less the suite's path), change, text and revision of an event, as text.
#[track_caller]
pub(super) fn told(event: &Event) -> String {
    let name = event.key().strip_prefix("/conformance/").unwrap_or(event.key());
    let change = match event.change {
        Change::Created => '+',
        Change::Updated => '~',
        Change::Deleted => '-',
    };
    assert_eq!(event.previous.is_none(), event.change == Change::Created, "{event:?}");
    format!("{change}{name}={}", said(&event.record))
}

impl Bench {
    pub(super) async fn new(store: Arc<dyn Store>) -> Self {
        let base = store.revision().await.expect("the store's revision");
        Self { store, base }
    }

    pub(super) async fn commit(&self, txn: Txn) -> Committed {
        self.store.commit(txn).await.expect("the transaction is done")
    }

    pub(super) async fn put(&self, name: &str, value: &str) -> Revision {
        self.commit(Txn::new().put(key(name), text(value))).await.revision
    }

    pub(super) async fn put_leased(&self, name: &str, lease: LeaseId, value: &str) -> Revision {
        self.commit(Txn::new().put_leased(key(name), lease, text(value))).await.revision
    }

    pub(super) async fn delete(&self, name: &str) -> Revision {
        self.commit(Txn::new().delete(key(name))).await.revision
    }

    pub(super) async fn get(&self, name: &str, at: At) -> Result<Option<Arc<Record>>> {
        self.store.get(&key(name), at).await
    }

    /// The text of a key that has to be readable.
    pub(super) async fn text(&self, name: &str, at: At) -> Option<String> {
        self.get(name, at).await.expect("the key can be read").map(|record| said(&record))
    }

    pub(super) async fn list(&self, range: &KeyRange, at: At, page: Page) -> Listing {
        self.store.list(range, at, page).await.expect("the range can be listed")
    }

    /// Names and texts of the suite's keys in a range.
    pub(super) async fn all(&self, at: At) -> Vec<String> {
        names(&self.list(&below(""), at, Page::ALL).await)
    }

    pub(super) async fn revision(&self) -> Revision {
        self.store.revision().await.expect("the store's revision")
    }
}

/// Names and texts of a list.
pub(super) fn names(listing: &Listing) -> Vec<String> {
    let one = |record: &Arc<Record>| {
        format!("{}={}", record.key.strip_prefix("/conformance/").unwrap_or(&record.key), said(record))
    };
    listing.records.iter().map(one).collect()
}

/// The next thing that a watch brings, which has to come before the deadline.
pub(super) async fn next(watch: &mut Watch) -> Option<Result<Update>> {
    timeout(DEADLINE, watch.next()).await.expect("the watch brings something before the deadline")
}

/// The next batch.
pub(super) async fn batch(watch: &mut Watch) -> Batch {
    match next(watch).await {
        Some(Ok(Update::Batch(batch))) => {
            assert!(!batch.events.is_empty(), "a batch has events");
            for event in &*batch.events {
                assert_eq!(event.revision(), batch.revision, "the events of a batch have its revision");
            }
            batch
        }
        other => panic!("a batch was due, not {other:?}"),
    }
}

/// The next batch's events as text, after its revision was compared.
pub(super) async fn events(watch: &mut Watch, revision: Revision) -> Vec<String> {
    let batch = batch(watch).await;
    assert_eq!(batch.revision, revision, "the revision of {batch:?}");
    batch.events.iter().map(told).collect()
}

/// Asks for a bookmark, which has to come before anything else: there is nothing to deliver.
pub(super) async fn quiet(watch: &mut Watch) -> Revision {
    watch.request_bookmark();
    match next(watch).await {
        Some(Ok(Update::Bookmark(revision))) => revision,
        other => panic!("nothing but a bookmark was due, not {other:?}"),
    }
}

/// Whether an answer is that history is gone, from the right revision on.
pub(super) fn expired<T: std::fmt::Debug>(answer: Result<T>, requested: Revision) {
    match answer {
        Err(Error::Expired { requested: told, compacted }) => {
            assert_eq!(told, requested);
            assert!(compacted > requested, "{compacted} > {requested}");
        }
        other => panic!("expired was due, not {other:?}"),
    }
}

/// A value that has its revision inside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Dated {
    pub(super) revision: u64,
    pub(super) text: String,
}

impl Dated {
    pub(super) fn value(revision: Revision, text: &str) -> Value {
        Value::typed(Arc::new(Self { revision: revision.0, text: text.to_owned() }), Arc::new(DatedCodec))
    }

    /// Whatever form the store keeps, the value has to be readable.
    pub(super) fn of(record: &Record) -> Arc<Self> {
        record.value.decode(&DatedCodec).expect("a dated value")
    }
}

/// Writes `revision:text`.
#[derive(Debug)]
pub(super) struct DatedCodec;

impl Codec for DatedCodec {
    fn encode(&self, value: &(dyn std::any::Any + Send + Sync), _: Format) -> Result<Bytes, CodecError> {
        let dated = value.downcast_ref::<Dated>().ok_or(CodecError::WrongType { expected: "Dated" })?;
        Ok(format!("{}:{}", dated.revision, dated.text).into())
    }

    fn decode(&self, bytes: &Bytes, format: Format) -> Result<Typed, CodecError> {
        let text = std::str::from_utf8(bytes).map_err(|error| CodecError::failed(format, error))?;
        let (revision, text) = text.split_once(':').ok_or_else(|| CodecError::failed(format, "no colon"))?;
        let revision = revision.parse().map_err(|error| CodecError::failed(format, error))?;
        Ok(Arc::new(Dated { revision, text: text.to_owned() }))
    }

    fn stamp(&self, value: &Typed, revision: Revision) -> Option<Typed> {
        let dated = value.downcast_ref::<Dated>()?;
        Some(Arc::new(Dated { revision: revision.0, ..dated.clone() }))
    }
}
