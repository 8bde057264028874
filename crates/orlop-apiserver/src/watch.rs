//! Watching objects.

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use futures::{Stream, StreamExt};
use orlop_client::{Error, Record, Result, WatchEvent, WatchOptions, WatchStream};
use orlop_model::KindInfo;
use orlop_store::{At, Change, Event, Revision, Update, Watch};

use crate::local::LocalClient;
use crate::read::{parse_version, range};
use crate::resource::Resource;
use crate::resource::stamped;
use crate::selection::Selection;
use crate::server::{Server, store_error};

/// A watch without events tells how far it has come this often (apiserver's watch cache).
const BOOKMARKS: Duration = Duration::from_secs(60);

impl LocalClient {
    pub(crate) async fn watch_objects(
        &self,
        kind: &KindInfo,
        namespace: Option<&str>,
        options: &WatchOptions,
    ) -> Result<WatchStream> {
        let resource = self.server.scheme.resource(kind)?;
        let selection = Selection::parse(resource, &options.labels, &options.fields)?;
        let range = range(&**resource, namespace, &selection);
        let from = parse_version(&options.resource_version)?.filter(|revision| *revision > Revision::ZERO);

        let mut pending = VecDeque::new();
        let from = match from {
            Some(from) if !options.initial_events => from,
            _ => {
                self.wait_for(&options.resource_version).await?;
                let found = self.collect(&**resource, &range, At::Latest, None, 0, &selection).await?;
                pending.extend(found.items.into_iter().map(|record| Ok(WatchEvent::Added(record))));
                if options.initial_events && options.bookmarks {
                    pending.push_back(Ok(bookmark(found.revision, true)));
                }
                found.revision
            }
        };
        let mut source = self.server.store.watch(&range, from);
        if options.bookmarks {
            source = source.with_bookmarks(BOOKMARKS);
        }
        let watch = LocalWatch {
            server: Arc::clone(&self.server),
            resource: Arc::clone(resource),
            selection,
            source,
            pending,
            bookmarks: options.bookmarks,
        };
        Ok(watch.boxed())
    }
}

fn bookmark(revision: Revision, initial_events_end: bool) -> WatchEvent {
    WatchEvent::Bookmark { resource_version: revision.to_string().into(), initial_events_end }
}

/// The events of a store, as one selection sees them.
struct LocalWatch {
    server: Arc<Server>,
    resource: Arc<dyn Resource>,
    selection: Selection,
    source: Watch,
    /// What is to be delivered before the source is asked again.
    pending: VecDeque<Result<WatchEvent>>,
    bookmarks: bool,
}

impl LocalWatch {
    fn accept(&mut self, update: Result<Update, orlop_store::Error>) {
        match update {
            Ok(Update::Batch(batch)) => {
                for event in &*batch.events {
                    if let Some(event) = self.event(event).transpose() {
                        self.pending.push_back(event);
                    }
                }
            }
            Ok(Update::Bookmark(revision)) if self.bookmarks => {
                self.pending.push_back(Ok(bookmark(revision, false)))
            }
            Ok(Update::Bookmark(_)) => {}
            Err(error) => self.pending.push_back(Err(store_error(error))),
        }
    }

    /// What this selection sees of an event: an object that comes into it is added, one that leaves it deleted.
    fn event(&self, event: &Event) -> Result<Option<WatchEvent>> {
        let record = self.server.record(&*self.resource, &event.record)?;
        if self.selection.is_everything() {
            return Ok(Some(match event.change {
                Change::Created => WatchEvent::Added(record),
                Change::Updated => WatchEvent::Modified(record),
                Change::Deleted => WatchEvent::Deleted(record),
            }));
        }
        let previous =
            event.previous.as_ref().map(|stored| self.server.record(&*self.resource, stored)).transpose()?;
        let selects =
            |record: &Record| record.object().is_some_and(|object| self.selection.selects(&**object));
        let before = previous.as_deref().is_some_and(selects);
        let now = event.change != Change::Deleted && selects(&record);
        Ok(match (now, before, previous) {
            (true, true, _) => Some(WatchEvent::Modified(record)),
            (true, false, _) => Some(WatchEvent::Added(record)),
            // Of a removed object the last state is told, with what the deletion says of it.
            (false, true, _) if event.change == Change::Deleted => Some(WatchEvent::Deleted(record)),
            (false, true, Some(previous)) => {
                let object = previous
                    .object()
                    .ok_or_else(|| Error::internal(format!("{previous:?} has no typed form")))?;
                Some(WatchEvent::Deleted(Arc::new(stamped(object.duplicate(), event.revision()))))
            }
            _ => None,
        })
    }
}

impl Stream for LocalWatch {
    type Item = Result<WatchEvent>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        loop {
            if let Some(event) = self.pending.pop_front() {
                return Poll::Ready(Some(event));
            }
            match self.source.poll_next_unpin(cx) {
                Poll::Ready(Some(update)) => self.accept(update),
                Poll::Ready(None) => return Poll::Ready(None),
                Poll::Pending => return Poll::Pending,
            }
        }
    }
}
