use futures::future::BoxFuture;
use orlop_cache::Store;
use orlop_model::{KindInfo, Object, Str};

/// A cache of whatever kind, as far as it matters for when a controller may go on.
pub(crate) trait View: Send + Sync {
    /// Whether an object of that kind and namespace comes into this cache.
    fn covers(&self, kind: &KindInfo, namespace: &str) -> bool;
    /// Whether the cache has come as far as `revision`, as far as that can be told.
    fn has(&self, revision: &str) -> Option<bool>;
    fn wait_for<'a>(&'a self, revision: &'a str) -> BoxFuture<'a, bool>;
    fn synced(&self) -> BoxFuture<'_, bool>;
}

pub(crate) struct StoreView<K> {
    pub(crate) store: Store<K>,
    pub(crate) kind: KindInfo,
    /// Empty for all.
    pub(crate) namespace: Str,
}

impl<K: Object> View for StoreView<K> {
    fn covers(&self, kind: &KindInfo, namespace: &str) -> bool {
        self.kind.is(kind) && (self.namespace.is_empty() || self.namespace == *namespace)
    }

    fn has(&self, revision: &str) -> Option<bool> {
        self.store.has(revision)
    }

    fn wait_for<'a>(&'a self, revision: &'a str) -> BoxFuture<'a, bool> {
        Box::pin(self.store.wait_for(revision))
    }

    fn synced(&self) -> BoxFuture<'_, bool> {
        Box::pin(self.store.synced())
    }
}
