use std::future::Future;

use orlop_model::{ObjectMeta, StaticKind, Str};
use serde_json::json;

use crate::{Context, Error};

/// How often a finalizer is added or removed while others get in between.
const ATTEMPTS: u32 = 16;

/// Where an object with a finalizer of ours is in its life: see [`Context::finalize`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Life {
    /// It lives, and our finalizer holds it: whatever is made for it now will be cleaned up.
    Alive,
    /// It is being deleted, and nothing of ours holds it any more: nothing is to be done.
    Ended,
}

impl Life {
    /// Whether nothing is to be done any more.
    #[must_use]
    pub const fn is_ended(self) -> bool {
        matches!(self, Self::Ended)
    }
}

impl Context {
    /// Sees to it that `cleanup` is run before `object` is gone.
    ///
    /// As long as the object lives, the first call puts the finalizer on it; only then is it safe to make things that
    /// have to be cleaned up. When it is being deleted, `cleanup` is run (otherwise it is dropped), and once it succeeds
    /// the finalizer is removed.
    ///
    /// A cleanup that has succeeded is not run again by this process: neither if the finalizer cannot be removed at
    /// once, nor if the cache still shows it. Only if the process ends in between does the next one run it again.
    ///
    /// ```
    /// # use orlop_controller::{Action, Context, Error};
    /// # use orlop_model::core::v1::ConfigMap;
    /// # async fn unpublish(_: &ConfigMap) -> Result<(), Error> { Ok(()) }
    /// async fn reconcile(site: &ConfigMap, cx: &Context) -> Result<Action, Error> {
    ///     if cx.finalize(site, "example.dev/dns", unpublish(site)).await?.is_ended() {
    ///         return Ok(Action::await_change());
    ///     }
    ///     // … publish it …
    ///     Ok(Action::await_change())
    /// }
    /// ```
    ///
    /// # Errors
    /// Those of `cleanup`, of patching the object, and of reading it where somebody else has changed it meanwhile.
    pub async fn finalize<K: StaticKind>(
        &self,
        object: &K,
        finalizer: &str,
        cleanup: impl Future<Output = Result<(), Error>>,
    ) -> Result<Life, Error> {
        let meta = object.meta();
        if !has(meta, finalizer) {
            return if meta.is_deleting() { Ok(Life::Ended) } else { self.hold(object, finalizer).await };
        }
        if !meta.is_deleting() {
            return Ok(Life::Alive);
        }
        let cleaned = &self.shared().cleaned;
        if !cleaned.contains(&meta.uid, finalizer) {
            cleanup.await?;
            cleaned.insert(&meta.uid, finalizer);
        }
        self.let_go(object, finalizer).await
    }

    async fn hold<K: StaticKind>(&self, object: &K, finalizer: &str) -> Result<Life, Error> {
        let add = |meta: &ObjectMeta| {
            meta.finalizers.iter().cloned().chain([Str::from(finalizer)]).collect::<Vec<_>>()
        };
        self.set_finalizers(object, add, |meta| match (meta.is_deleting(), has(meta, finalizer)) {
            (_, true) => Some(Life::Alive),
            (true, false) => Some(Life::Ended),
            (false, false) => None,
        })
        .await
        .map(|life| life.unwrap_or(Life::Alive))
    }

    async fn let_go<K: StaticKind>(&self, object: &K, finalizer: &str) -> Result<Life, Error> {
        let remove = |meta: &ObjectMeta| {
            meta.finalizers.iter().filter(|other| **other != *finalizer).cloned().collect::<Vec<_>>()
        };
        let done = |meta: &ObjectMeta| (!has(meta, finalizer)).then_some(Life::Ended);
        self.set_finalizers(object, remove, done).await?;
        Ok(Life::Ended)
    }

    /// Changes the finalizers of what is stored, unless `done` finds that there is nothing to do; of this object only, and
    /// losing nobody else's finalizer. An object that is gone has ended.
    async fn set_finalizers<K: StaticKind>(
        &self,
        object: &K,
        finalizers: impl Fn(&ObjectMeta) -> Vec<Str>,
        done: impl Fn(&ObjectMeta) -> Option<Life>,
    ) -> Result<Option<Life>, Error> {
        let api = self.api::<K>();
        let (key, uid) = (object.key(), &object.meta().uid);
        let mut version = self.latest(object);
        let mut wanted = finalizers(object.meta());
        for attempt in 1.. {
            let finalizers_text: Vec<&str> = wanted.iter().map(Str::as_str).collect();
            let patch = json!({ "metadata": {
                "uid": uid.as_str(), "resourceVersion": version.as_str(), "finalizers": finalizers_text,
            } });
            let refused = match api.patch_merge(&key, patch).await {
                Ok(written) => {
                    if attempt == 1 {
                        self.advance(object, &*written);
                    }
                    return Ok(None);
                }
                Err(error) if error.is_not_found() => return Ok(Some(Life::Ended)),
                Err(error) if error.is_conflict() && attempt < ATTEMPTS => error,
                Err(error) => return Err(error.into()),
            };
            tracing::debug!(controller = %self.name(), %key, error = %refused, "finalizers are read again");
            let Some(stored) = api.get_opt(&key).await? else { return Ok(Some(Life::Ended)) };
            let meta = stored.meta();
            if meta.uid != *uid {
                return Ok(Some(Life::Ended));
            }
            if let Some(life) = done(meta) {
                return Ok(Some(life));
            }
            version = meta.resource_version.clone();
            wanted = finalizers(meta);
        }
        Ok(None)
    }
}

fn has(meta: &ObjectMeta, finalizer: &str) -> bool {
    meta.finalizers.iter().any(|other| *other == *finalizer)
}
