use std::fmt;
use std::sync::{Arc, OnceLock};

use indexmap::IndexSet;
use orlop_client::{Api, Client, WriteOptions};
use orlop_clock::{Clock, Timestamp};
use orlop_model::{Object, StaticKind, Str};
use parking_lot::Mutex;

use crate::owner::{Owner, Owning};
use crate::writes::{Tracked, Write, Writes};
use crate::{Error, EventType, Fence, Leadership, Recorder};

/// So many finished cleanups are remembered.
const CLEANED: usize = 4096;

/// What a reconciler has at hand. Cheap to clone.
///
/// What is written through [`Context::client`] and the other methods is waited for: the key is not handed out again
/// before the controller's caches have it.
#[derive(Clone)]
pub struct Context {
    pub(crate) inner: Arc<Inner>,
}

/// Made for each reconcile: what not every reconciler needs is made when it is asked for.
pub(crate) struct Inner {
    shared: Arc<Shared>,
    tracked: OnceLock<(Arc<dyn Client>, Arc<Writes>)>,
    object: OnceLock<Arc<dyn Owning>>,
    owner: OnceLock<Owner>,
    failures: u32,
    behind: bool,
    /// What became of an object that the reconciler holds, by its own writes alone: its uid, and the resourceVersions
    /// before and after. Nobody else came in between, so the later one may be sent for the earlier one.
    advanced: Mutex<Option<Advanced>>,
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
    pub(crate) leadership: Option<Leadership>,
    pub(crate) cleaned: Cleaned,
}

/// Cleanups that have succeeded, by uid and finalizer: they are not run again if the finalizer could not be removed, or
/// the cache still shows it.
#[derive(Debug, Default)]
pub(crate) struct Cleaned(Mutex<IndexSet<(Str, Str)>>);

impl Cleaned {
    pub(crate) fn contains(&self, uid: &Str, finalizer: &str) -> bool {
        self.0.lock().contains(&(uid.clone(), Str::from(finalizer)))
    }

    pub(crate) fn insert(&self, uid: &Str, finalizer: &str) {
        let mut cleaned = self.0.lock();
        cleaned.insert((uid.clone(), Str::from(finalizer)));
        if cleaned.len() > CLEANED {
            cleaned.drain(..CLEANED / 2);
        }
    }
}

impl Context {
    pub(crate) fn new(shared: &Arc<Shared>, failures: u32, behind: bool) -> Self {
        let inner = Inner {
            shared: Arc::clone(shared),
            tracked: OnceLock::new(),
            object: OnceLock::new(),
            owner: OnceLock::new(),
            failures,
            behind,
            advanced: Mutex::new(None),
        };
        Self { inner: Arc::new(inner) }
    }

    pub(crate) fn about<K: Object>(&self, object: &Arc<K>) {
        let object: Arc<dyn Owning> = Arc::clone(object) as Arc<dyn Owning>;
        // There is one, set once.
        let _ = self.inner.object.set(object);
    }

    /// What was written, the last of each kind and namespace.
    pub(crate) fn take_writes(&self) -> Vec<Write> {
        self.inner.tracked.get().map(|(_, writes)| writes.take()).unwrap_or_default()
    }

    pub(crate) fn shared(&self) -> &Shared {
        &self.inner.shared
    }

    /// The controller's name, which is also the field manager of what [`Context::apply`] writes.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.inner.shared.name
    }

    /// The client.
    #[must_use]
    pub fn client(&self) -> &Arc<dyn Client> {
        let (client, _) = self.inner.tracked.get_or_init(|| {
            let writes = Arc::new(Writes::default());
            let client = Arc::clone(&self.inner.shared.client);
            (Arc::new(Tracked { client, writes: Arc::clone(&writes) }), writes)
        });
        client
    }

    /// The verbs of a kind, in all namespaces.
    #[must_use]
    pub fn api<K: StaticKind>(&self) -> Api<K> {
        Api::all(Arc::clone(self.client()))
    }

    /// The clock.
    #[must_use]
    pub fn clock(&self) -> &Arc<dyn Clock> {
        &self.inner.shared.clock
    }

    /// The time.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.inner.shared.clock.now()
    }

    /// Tells events about any object.
    #[must_use]
    pub fn recorder(&self) -> &Recorder {
        &self.inner.shared.recorder
    }

    /// How often the key has failed since it last succeeded.
    #[must_use]
    pub fn failures(&self) -> u32 {
        self.inner.failures
    }

    /// Whether the controller's caches have what was written for this key before. They do, unless a cache was so late
    /// (5 s) that the key went on without: then what is counted in caches may be counted twice, and what seems to be
    /// missing may be there. After 5 min it is not waited for any more.
    #[must_use]
    pub fn sees_own_writes(&self) -> bool {
        !self.inner.behind
    }

    /// Proof of the leadership under which this runs, to be passed on with what is written elsewhere. `None` if the
    /// controller has no [`Leadership`](crate::Controller::leadership), or has it no longer.
    #[must_use]
    pub fn fence(&self) -> Option<Fence> {
        self.inner.shared.leadership.as_ref().and_then(Leadership::fence)
    }

    pub(crate) fn owner(&self, wanted: &'static str) -> Result<&Owner, Error> {
        let object = self.inner.object.get().ok_or(Error::NoOwner { wanted })?;
        Ok(self.inner.owner.get_or_init(|| object.owner()))
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
        Ok(self.api::<C>().apply_with(child, &WriteOptions::by(self.name()).force()).await?.object)
    }

    /// Changes the status of an object, if that changes anything: `change` gets a copy of it. Refused with a conflict
    /// (and so tried again soon) if somebody else has written the object meanwhile.
    ///
    /// ```
    /// # use orlop_controller::{Context, Error};
    /// # use orlop_model::meta::v1::{Condition, ConditionStatus};
    /// # use orlop_model::{List, StaticKind, Time, conditions};
    /// # use orlop_model::policy::v1::PodDisruptionBudget;
    /// async fn ready(budget: &PodDisruptionBudget, cx: &Context) -> Result<(), Error> {
    ///     let ready = Condition { type_: "Ready".into(), status: ConditionStatus::True, ..Condition::default() };
    ///     let now = Time::from(cx.now());
    ///     cx.modify_status(budget, |budget| drop(conditions::set(&mut budget.status.conditions, ready, now))).await
    /// }
    /// ```
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
    pub(crate) fn latest<K: Object>(&self, object: &K) -> Str {
        let meta = object.meta();
        match &*self.inner.advanced.lock() {
            Some(Advanced { uid, from, to }) if *uid == meta.uid && *from == meta.resource_version => {
                to.clone()
            }
            _ => meta.resource_version.clone(),
        }
    }

    pub(crate) fn advance<K: Object>(&self, object: &K, written: &K) {
        *self.inner.advanced.lock() = Some(Advanced {
            uid: object.meta().uid.clone(),
            from: object.meta().resource_version.clone(),
            to: written.meta().resource_version.clone(),
        });
    }

    /// Tells an event about the object that is reconciled. It is written by and by; see [`Recorder`].
    pub fn event(&self, type_: EventType, reason: &str, message: impl Into<Str>) {
        let Ok(owner) = self.owner("event") else {
            tracing::warn!(controller = %self.name(), reason, "an event without an object");
            return;
        };
        self.recorder().event_about(&owner.about, type_, reason, message);
    }
}

impl fmt::Debug for Context {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Context")
            .field("name", &self.inner.shared.name)
            .field("owner", &self.owner("").ok().map(|owner| &owner.key))
            .field("failures", &self.inner.failures)
            .finish_non_exhaustive()
    }
}
