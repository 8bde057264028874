use std::sync::Arc;

use async_trait::async_trait;
use orlop_client::{
    Client, DeleteOptions, Deleted, Draft, Error, GetOptions, ListOptions, Patch, Record, RecordList, Result,
    Subresource, WatchOptions, WatchStream, WriteOptions,
};
use orlop_model::{KindInfo, ObjectKey, Str};
use parking_lot::Mutex;

/// What a reconciler has written, so that its key can wait until its caches have it.
#[derive(Debug, Default)]
pub(crate) struct Writes {
    /// The last of each kind and namespace.
    last: Mutex<Vec<Write>>,
}

#[derive(Clone, Debug)]
pub(crate) struct Write {
    pub(crate) kind: KindInfo,
    pub(crate) namespace: Str,
    pub(crate) revision: Str,
}

impl Writes {
    fn note(&self, kind: &KindInfo, namespace: Option<&str>, revision: Str) {
        let namespace = namespace.unwrap_or_default();
        let mut last = self.last.lock();
        match last.iter_mut().find(|write| write.kind.is(kind) && write.namespace == *namespace) {
            // Writes at the same time may be answered in any order.
            Some(write) => match (write.revision.parse::<u64>(), revision.parse::<u64>()) {
                (Ok(old), Ok(new)) if new < old => {}
                _ => write.revision = revision,
            },
            None => last.push(Write { kind: kind.clone(), namespace: namespace.into(), revision }),
        }
    }

    fn note_record(&self, record: &Record) {
        let meta = record.meta();
        self.note(record.kind(), Some(&meta.namespace), meta.resource_version.clone());
    }

    /// What was in the way of a write is a reason to wait too: trying again without seeing it fails again.
    fn note_error(&self, kind: &KindInfo, namespace: Option<&str>, error: &Error) {
        if let Error::Conflict { stored: Some(stored), sent: Some(sent), .. } = error
            && [stored, sent].iter().all(|version| version.parse::<u64>().is_ok())
        {
            self.note(kind, namespace, stored.clone());
        }
    }

    pub(crate) fn take(&self) -> Vec<Write> {
        std::mem::take(&mut self.last.lock())
    }
}

/// A client that remembers what it wrote.
pub(crate) struct Tracked {
    pub(crate) client: Arc<dyn Client>,
    pub(crate) writes: Arc<Writes>,
}

impl Tracked {
    fn wrote(
        &self,
        kind: &KindInfo,
        namespace: Option<&str>,
        result: Result<Arc<Record>>,
        dry_run: bool,
    ) -> Result<Arc<Record>> {
        match &result {
            Ok(_) if dry_run => {}
            // A subresource of another kind (`Scale`) stands for its object.
            Ok(record) => self.writes.note(kind, Some(&record.meta().namespace), record.resource_version()),
            Err(error) => self.writes.note_error(kind, namespace, error),
        }
        result
    }
}

#[async_trait]
impl Client for Tracked {
    async fn get(&self, kind: &KindInfo, key: &ObjectKey, options: &GetOptions) -> Result<Arc<Record>> {
        self.client.get(kind, key, options).await
    }

    async fn list(
        &self,
        kind: &KindInfo,
        namespace: Option<&str>,
        options: &ListOptions,
    ) -> Result<RecordList> {
        self.client.list(kind, namespace, options).await
    }

    async fn watch(
        &self,
        kind: &KindInfo,
        namespace: Option<&str>,
        options: &WatchOptions,
    ) -> Result<WatchStream> {
        self.client.watch(kind, namespace, options).await
    }

    async fn create(
        &self,
        kind: &KindInfo,
        namespace: Option<&str>,
        draft: Draft,
        options: &WriteOptions,
    ) -> Result<Arc<Record>> {
        let result = self.client.create(kind, namespace, draft, options).await;
        self.wrote(kind, namespace, result, options.dry_run)
    }

    async fn update(
        &self,
        kind: &KindInfo,
        key: &ObjectKey,
        subresource: Subresource,
        draft: Draft,
        options: &WriteOptions,
    ) -> Result<Arc<Record>> {
        let result = self.client.update(kind, key, subresource, draft, options).await;
        self.wrote(kind, key.namespace.as_deref(), result, options.dry_run)
    }

    async fn patch(
        &self,
        kind: &KindInfo,
        key: &ObjectKey,
        subresource: Subresource,
        patch: Patch,
        options: &WriteOptions,
    ) -> Result<Arc<Record>> {
        let result = self.client.patch(kind, key, subresource, patch, options).await;
        self.wrote(kind, key.namespace.as_deref(), result, options.dry_run)
    }

    async fn post(
        &self,
        kind: &KindInfo,
        key: &ObjectKey,
        subresource: Subresource,
        draft: Draft,
        options: &WriteOptions,
    ) -> Result<Option<Arc<Record>>> {
        let result = self.client.post(kind, key, subresource, draft, options).await;
        match &result {
            Ok(Some(record)) if !options.dry_run && record.kind().is(kind) => self.writes.note_record(record),
            Err(error) => self.writes.note_error(kind, key.namespace.as_deref(), error),
            Ok(_) => {}
        }
        result
    }

    async fn delete(&self, kind: &KindInfo, key: &ObjectKey, options: &DeleteOptions) -> Result<Deleted> {
        let result = self.client.delete(kind, key, options).await;
        match &result {
            Ok(deleted) if !options.dry_run => self.writes.note_record(deleted.record()),
            Err(error) => self.writes.note_error(kind, key.namespace.as_deref(), error),
            Ok(_) => {}
        }
        result
    }
}
