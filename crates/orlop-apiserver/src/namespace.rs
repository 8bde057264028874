//! The life of namespaces: those that are always there, and the end of the others.

use std::collections::BTreeSet;

use futures::StreamExt;
use orlop_client::{Client, DeleteOptions, Draft, Error, Record, Result, Subresource, WriteOptions};
use orlop_model::core::v1::Namespace;
use orlop_model::{ObjectKey, StaticKind};
use orlop_store::{At, Change, KeyRange, Page, Update};

use crate::local::LocalClient;
use crate::server::store_error;

/// Namespaces that are there from the start.
pub(crate) const ALWAYS: [&str; 4] = ["default", "kube-node-lease", "kube-public", "kube-system"];

impl LocalClient {
    /// Creates the namespaces that are always there, if the server has namespaces.
    pub(crate) async fn make_namespaces(&self) -> Result<()> {
        if self.server.scheme.resource(Namespace::KIND).is_err() {
            return Ok(());
        }
        for name in ALWAYS {
            let mut namespace = Namespace::default();
            namespace.metadata.name = name.into();
            match self.create(Namespace::KIND, None, Draft::of(namespace), &WriteOptions::default()).await {
                Err(error) if !error.is_already_exists() => return Err(error),
                _ => {}
            }
        }
        Ok(())
    }

    /// Deletes what is in a namespace whose deletion has begun, and the namespace itself once nothing is left.
    ///
    /// Deleting a namespace does one such pass by itself; objects held by finalizers or a grace period need more.
    /// [`run_namespaces`](Self::run_namespaces) makes them when they are due. Answers whether the namespace is gone.
    ///
    /// # Errors
    /// Those of deleting; what was deleted stays so.
    pub async fn finish_namespace(&self, name: &str) -> Result<bool> {
        let key = ObjectKey::cluster(name);
        let namespaces = self.server.scheme.resource(Namespace::KIND)?;
        let namespace = match self.server.load(&**namespaces, &key).await {
            Ok(stored) if stored.record.meta().is_deleting() => stored.record.get::<Namespace>()?,
            Ok(_) => return Ok(false),
            Err(error) if error.is_not_found() => return Ok(true),
            Err(error) => return Err(error),
        };
        let mut left = 0;
        for resource in self.server.scheme.resources().filter(|resource| resource.kind().is_namespaced()) {
            let listing = self
                .server
                .store
                .list(&resource.store_range(Some(name)), At::Latest, Page::ALL)
                .await
                .map_err(store_error)?;
            for stored in &listing.records {
                let object = self.server.record(&**resource, stored)?;
                match self.delete(resource.kind(), &object.key(), &DeleteOptions::default()).await {
                    Ok(deleted) => left += usize::from(!deleted.is_gone()),
                    Err(error) if error.is_not_found() => {}
                    Err(error) => return Err(error),
                }
            }
        }
        if left > 0 {
            return Ok(false);
        }
        let mut namespace = Namespace::clone(&namespace);
        namespace.metadata.resource_version = "".into();
        namespace.spec.finalizers.retain(|finalizer| *finalizer != "kubernetes");
        let held = !namespace.spec.finalizers.is_empty() || !namespace.metadata.finalizers.is_empty();
        match self
            .update(
                Namespace::KIND,
                &key,
                Subresource::Finalize,
                Draft::of(namespace),
                &WriteOptions::default(),
            )
            .await
        {
            Err(error) if !error.is_not_found() => Err(error),
            _ => Ok(!held),
        }
    }

    /// Finishes namespaces whose deletion has begun, until the future is dropped or the store is closed: the namespace
    /// controller.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn run_namespaces(&self) -> Result<()> {
        let namespaces = self.server.scheme.resource(Namespace::KIND)?;
        loop {
            let listing = self
                .server
                .store
                .list(&namespaces.store_range(None), At::Latest, Page::ALL)
                .await
                .map_err(store_error)?;
            let mut ending = BTreeSet::new();
            for stored in &listing.records {
                let namespace = self.server.record(&**namespaces, stored)?;
                if namespace.meta().is_deleting() && !self.finish_namespace(&namespace.meta().name).await? {
                    ending.insert(namespace.meta().name.clone());
                }
            }
            let mut changes = self.server.store.watch(&KeyRange::prefix("/registry/"), listing.revision);
            loop {
                let batch = match changes.next().await {
                    Some(Ok(Update::Batch(batch))) => batch,
                    Some(Ok(Update::Bookmark(_))) => continue,
                    Some(Err(orlop_store::Error::Expired { .. })) => break,
                    Some(Err(error)) => return Err(store_error(error)),
                    None => return Ok(()),
                };
                for event in &*batch.events {
                    let Some(record) = event.record.get::<Record>() else {
                        continue;
                    };
                    let name = match record.kind().is(Namespace::KIND) {
                        true if event.change == Change::Deleted || !record.meta().is_deleting() => {
                            ending.remove(&record.meta().name);
                            continue;
                        }
                        true => record.meta().name.clone(),
                        false
                            if event.change == Change::Deleted
                                && ending.contains(&record.meta().namespace) =>
                        {
                            record.meta().namespace.clone()
                        }
                        false => continue,
                    };
                    match self.finish_namespace(&name).await {
                        Ok(true) => ending.remove(&name),
                        Ok(false) => ending.insert(name),
                        // What cannot be deleted now is tried again when something else of the namespace goes.
                        Err(error @ Error::Internal { .. }) => return Err(error),
                        Err(error) => {
                            tracing::warn!(namespace = %name, %error, "contents of a namespace cannot be deleted");
                            ending.insert(name)
                        }
                    };
                }
            }
        }
    }
}
