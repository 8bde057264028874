use std::fmt;
use std::future::Future;
use std::sync::Arc;

use orlop_client::{Api, Client, WriteOptions};
use orlop_clock::{Clock, Timestamp};
use orlop_model::{Object, StaticKind, Str};
use parking_lot::Mutex;
use serde_json::json;

use crate::owner::Owner;
use crate::writes::{Tracked, Writes};
use crate::{Error, EventType, Recorder};

/// What a reconciler has at hand. Cheap to clone.
///
/// What is written through [`Context::client`] and the other methods is waited for: the key is not handed out again
/// before the controller's caches have it.
#[derive(Clone)]
pub struct Context {
    shared: Arc<Shared>,
    client: Arc<dyn Client>,
    writes: Arc<Writes>,
    owner: Option<Arc<Owner>>,
    failures: u32,
    /// What became of an object that the reconciler holds, by its own writes alone: its uid, and the resourceVersions
    /// before and after. Nobody else came in between, so the later one may be sent for the earlier one.
    advanced: Arc<Mutex<Option<Advanced>>>,
}

#[derive(Debug)]
struct Advanced {
    uid: Str,
    from: Str,
    to: Str,
}

/// What is the same for all keys of a controller.
pub(crate) struct Shared {
    pub(crate) name: Str,
    pub(crate) client: Arc<dyn Client>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) recorder: Recorder,
}

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
    pub(crate) fn new(shared: &Arc<Shared>, failures: u32) -> Self {
        let writes = Arc::new(Writes::default());
        let client = Arc::new(Tracked { client: Arc::clone(&shared.client), writes: Arc::clone(&writes) });
        Self { shared: Arc::clone(shared), client, writes, owner: None, failures, advanced: Arc::default() }
    }

    pub(crate) fn owned_by<K: Object>(mut self, owner: &K) -> Self {
        self.owner = Some(Arc::new(Owner::of(owner)));
        self
    }

    pub(crate) const fn writes(&self) -> &Arc<Writes> {
        &self.writes
    }

    /// The controller's name, which is also the field manager of what [`Context::apply`] writes.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.shared.name
    }

    /// The client.
    #[must_use]
    pub const fn client(&self) -> &Arc<dyn Client> {
        &self.client
    }

    /// The verbs of a kind, in all namespaces.
    #[must_use]
    pub fn api<K: StaticKind>(&self) -> Api<K> {
        Api::all(Arc::clone(&self.client))
    }

    /// The clock.
    #[must_use]
    pub fn clock(&self) -> &Arc<dyn Clock> {
        &self.shared.clock
    }

    /// The time.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.shared.clock.now()
    }

    /// Writes Events about any object.
    #[must_use]
    pub fn recorder(&self) -> &Recorder {
        &self.shared.recorder
    }

    /// How often the key has failed since it last succeeded.
    #[must_use]
    pub const fn failures(&self) -> u32 {
        self.failures
    }

    fn owner(&self, wanted: &'static str) -> Result<&Owner, Error> {
        self.owner.as_deref().ok_or(Error::NoOwner { wanted })
    }

    /// Makes `child` as it is here, creating it if there is none, and makes the object that is reconciled its controller:
    /// it is deleted with it. What others have set in it stays (see [`Api::apply`]). A child without a namespace gets
    /// its owner's.
    ///
    /// # Errors
    /// Those of [`Api::apply`] and of [`set_controller`](crate::set_controller).
    pub async fn apply<C: StaticKind>(&self, child: &C) -> Result<Arc<C>, Error> {
        let owner = self.owner("apply")?;
        let mut child = child.clone();
        owner.control(&mut child)?;
        Ok(self
            .api::<C>()
            .apply_with(child, &WriteOptions::by(self.shared.name.as_str()).force())
            .await?
            .object)
    }

    /// Changes the status of an object, if that changes anything: `change` gets a copy of it. Refused with a conflict
    /// (and so tried again soon) if somebody else has written the object meanwhile.
    ///
    /// # Errors
    /// Those of [`Api::update_status`].
    pub async fn modify_status<K: StaticKind + PartialEq>(
        &self,
        object: &K,
        change: impl FnOnce(&mut K) + Send,
    ) -> Result<(), Error> {
        let mut changed = object.clone();
        change(&mut changed);
        if changed != *object {
            changed.meta_mut().resource_version = self.latest(object);
            let written = self.api::<K>().update_status(changed).await?;
            self.advance(object, &*written);
        }
        Ok(())
    }

    /// The resourceVersion to send for an object that was looked at.
    fn latest<K: Object>(&self, object: &K) -> Str {
        let meta = object.meta();
        match &*self.advanced.lock() {
            Some(Advanced { uid, from, to }) if *uid == meta.uid && *from == meta.resource_version => {
                to.clone()
            }
            _ => meta.resource_version.clone(),
        }
    }

    fn advance<K: Object>(&self, object: &K, written: &K) {
        *self.advanced.lock() = Some(Advanced {
            uid: object.meta().uid.clone(),
            from: object.meta().resource_version.clone(),
            to: written.meta().resource_version.clone(),
        });
    }

    /// Sees to it that `cleanup` is run before `object` is gone.
    ///
    /// As long as the object lives, the first call puts the finalizer on it; only then is it safe to make things that
    /// have to be cleaned up. When it is being deleted, `cleanup` is run (otherwise it is dropped), and once it succeeds
    /// the finalizer is removed. It may be run more than once: if it succeeds and the finalizer cannot be removed, it is
    /// run again later.
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
    /// Those of `cleanup` and of patching the object.
    pub async fn finalize<K: StaticKind>(
        &self,
        object: &K,
        finalizer: &str,
        cleanup: impl Future<Output = Result<(), Error>>,
    ) -> Result<Life, Error> {
        let meta = object.meta();
        let ours = meta.finalizers.iter().any(|other| *other == *finalizer);
        match (meta.is_deleting(), ours) {
            (false, true) => Ok(Life::Alive),
            (true, false) => Ok(Life::Ended),
            (false, false) => {
                let finalizers = meta.finalizers.iter().map(Str::as_str).chain([finalizer]);
                self.set_finalizers(object, finalizers.collect()).await?;
                Ok(Life::Alive)
            }
            (true, true) => {
                cleanup.await?;
                let finalizers = meta.finalizers.iter().map(Str::as_str).filter(|other| *other != finalizer);
                match self.set_finalizers(object, finalizers.collect()).await {
                    Err(error) if error.is_not_found() => {}
                    result => result?,
                }
                Ok(Life::Ended)
            }
        }
    }

    /// Only if the object is still the one that was looked at: nobody else's finalizer is lost.
    async fn set_finalizers<K: StaticKind>(
        &self,
        object: &K,
        finalizers: Vec<&str>,
    ) -> orlop_client::Result<()> {
        let meta = object.meta();
        let patch = json!({ "metadata": {
            "uid": meta.uid.as_str(),
            "resourceVersion": self.latest(object).as_str(),
            "finalizers": finalizers,
        } });
        let written = self.api::<K>().patch_merge(object.key(), patch).await?;
        self.advance(object, &*written);
        Ok(())
    }

    /// Writes an Event about the object that is reconciled. A failure is logged and otherwise ignored.
    pub async fn event(&self, type_: EventType, reason: &str, message: impl Into<Str>) {
        let Ok(owner) = self.owner("event") else {
            tracing::warn!(controller = %self.shared.name, reason, "an event without an object");
            return;
        };
        if let Err(error) = self.shared.recorder.event_about(&owner.about, type_, reason, message).await {
            tracing::warn!(controller = %self.shared.name, reason, %error, "event not written");
        }
    }
}

impl fmt::Debug for Context {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Context")
            .field("name", &self.shared.name)
            .field("owner", &self.owner.as_ref().map(|owner| &owner.key))
            .field("failures", &self.failures)
            .finish_non_exhaustive()
    }
}
