//! What a caller may ask for with each verb.

use std::fmt;

use orlop_model::Str;

use crate::Subresource;

/// How a given resourceVersion is meant in a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ResourceVersionMatch {
    /// Any state at least as new.
    NotOlderThan,
    /// Exactly the state of that revision; [`Expired`](crate::Error::Expired) if it is compacted.
    Exact,
}

impl ResourceVersionMatch {
    /// The value of the query parameter `resourceVersionMatch`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NotOlderThan => "NotOlderThan",
            Self::Exact => "Exact",
        }
    }
}

impl fmt::Display for ResourceVersionMatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Options of [`Client::get`](crate::Client::get).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GetOptions {
    /// Empty: the most recent state. `"0"`: any state. Else a state not older than this revision.
    pub resource_version: String,
    /// The object itself, or `Status` (the same object) or `Scale`.
    pub subresource: Subresource,
}

/// Options of [`Client::list`](crate::Client::list).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ListOptions {
    /// A label selector as in `kubectl -l`, such as `app=web,tier in (front, back)`; empty selects all.
    pub labels: String,
    /// A field selector as in `kubectl --field-selector`, such as `spec.nodeName=n1`; empty selects all.
    pub fields: String,
    /// The most objects in one answer; 0 is no limit.
    pub limit: usize,
    /// The token of the answer before; empty begins at the first object.
    pub continue_: String,
    /// Empty: the most recent state. `"0"`: any state. Else as [`match_`](Self::match_) says.
    pub resource_version: String,
    /// Needs a `resource_version`. Without it a revision means `NotOlderThan`, or `Exact` when a limit is given.
    pub match_: Option<ResourceVersionMatch>,
}

impl ListOptions {
    /// Everything, in its most recent state.
    pub fn new() -> Self {
        Self::default()
    }

    /// Selects by labels.
    #[must_use]
    pub fn labels(mut self, selector: impl ToString) -> Self {
        self.labels = selector.to_string();
        self
    }

    /// Selects by fields.
    #[must_use]
    pub fn fields(mut self, selector: impl ToString) -> Self {
        self.fields = selector.to_string();
        self
    }

    /// At most so many objects in one answer.
    #[must_use]
    pub fn limit(mut self, limit: usize) -> Self {
        self.limit = limit;
        self
    }

    /// Goes on behind the answer that gave this token.
    #[must_use]
    pub fn continue_from(mut self, token: impl Into<String>) -> Self {
        self.continue_ = token.into();
        self
    }

    /// A state not older than `resource_version`.
    #[must_use]
    pub fn not_older_than(mut self, resource_version: impl Into<String>) -> Self {
        self.resource_version = resource_version.into();
        self.match_ = Some(ResourceVersionMatch::NotOlderThan);
        self
    }

    /// Exactly the state at `resource_version`.
    #[must_use]
    pub fn exactly(mut self, resource_version: impl Into<String>) -> Self {
        self.resource_version = resource_version.into();
        self.match_ = Some(ResourceVersionMatch::Exact);
        self
    }
}

/// Options of [`Client::watch`](crate::Client::watch).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WatchOptions {
    /// A label selector; objects that come to match are `Added`, those that no longer match `Deleted`.
    pub labels: String,
    /// A field selector, likewise.
    pub fields: String,
    /// Empty or `"0"`: `Added` for every object there is, then changes. Else only the changes after this revision.
    pub resource_version: String,
    /// Whether [`WatchEvent::Bookmark`](crate::WatchEvent::Bookmark)s are wanted.
    pub bookmarks: bool,
    /// Begin with `Added` for the objects there are (at least as new as `resource_version`), then a bookmark that says
    /// that they are complete (if bookmarks are wanted), then changes.
    pub initial_events: bool,
}

impl WatchOptions {
    /// The present state as `Added` events, then changes.
    pub fn new() -> Self {
        Self::default()
    }

    /// Changes after this revision only.
    pub fn from(resource_version: impl Into<String>) -> Self {
        Self { resource_version: resource_version.into(), ..Self::default() }
    }

    /// Selects by labels.
    #[must_use]
    pub fn labels(mut self, selector: impl ToString) -> Self {
        self.labels = selector.to_string();
        self
    }

    /// Selects by fields.
    #[must_use]
    pub fn fields(mut self, selector: impl ToString) -> Self {
        self.fields = selector.to_string();
        self
    }

    /// Asks for bookmarks.
    #[must_use]
    pub fn bookmarks(mut self) -> Self {
        self.bookmarks = true;
        self
    }

    /// Asks for the present state first, ended by a bookmark if bookmarks are wanted.
    #[must_use]
    pub fn initial_events(mut self) -> Self {
        self.initial_events = true;
        self
    }
}

/// Options of the writing verbs but delete.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WriteOptions {
    /// Who writes, for `metadata.managedFields`; at most 128 printable characters.
    pub field_manager: String,
    /// Do everything but store.
    pub dry_run: bool,
    /// Refuse drafts with unknown fields, instead of keeping them.
    pub strict: bool,
    /// When something is applied: take over fields that others manage.
    pub force: bool,
}

impl WriteOptions {
    /// Plain options in the name of a field manager.
    pub fn by(field_manager: impl Into<String>) -> Self {
        Self { field_manager: field_manager.into(), ..Self::default() }
    }

    /// Do everything but store.
    #[must_use]
    pub fn dry_run(mut self) -> Self {
        self.dry_run = true;
        self
    }

    /// Take over fields that others manage.
    #[must_use]
    pub fn force(mut self) -> Self {
        self.force = true;
        self
    }

    /// Refuse unknown fields.
    #[must_use]
    pub fn strict(mut self) -> Self {
        self.strict = true;
        self
    }
}

/// What happens to the objects that a deleted object owns.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Propagation {
    /// They are deleted later by the garbage collector.
    Background,
    /// The object stays, being deleted, until they are gone (finalizer `foregroundDeletion`).
    Foreground,
    /// They stay without owner (finalizer `orphan`).
    Orphan,
}

impl Propagation {
    /// The value of `propagationPolicy`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Background => "Background",
            Self::Foreground => "Foreground",
            Self::Orphan => "Orphan",
        }
    }
}

/// What must hold for a delete to happen; otherwise it is a conflict.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Preconditions {
    /// The object's uid.
    pub uid: Option<Str>,
    /// The object's resourceVersion.
    pub resource_version: Option<Str>,
}

/// Options of [`Client::delete`](crate::Client::delete).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DeleteOptions {
    /// Seconds until the object may be removed, for kinds that are deleted gracefully (pods). `None`: the kind's own
    /// (`terminationGracePeriodSeconds`); 0: at once; negative: 1.
    pub grace: Option<i64>,
    /// `None`: as the kind and the object's finalizers say, mostly `Background`.
    pub propagation: Option<Propagation>,
    /// What must hold.
    pub preconditions: Preconditions,
    /// Do everything but delete.
    pub dry_run: bool,
}

impl DeleteOptions {
    /// The kind's usual deletion.
    pub fn new() -> Self {
        Self::default()
    }

    /// Seconds until the object may be removed; 0 removes it at once.
    #[must_use]
    pub fn grace(mut self, seconds: i64) -> Self {
        self.grace = Some(seconds);
        self
    }

    /// What happens to owned objects.
    #[must_use]
    pub fn propagation(mut self, propagation: Propagation) -> Self {
        self.propagation = Some(propagation);
        self
    }

    /// Only if the object still has this uid.
    #[must_use]
    pub fn uid(mut self, uid: impl Into<Str>) -> Self {
        self.preconditions.uid = Some(uid.into());
        self
    }

    /// Only if the object still has this resourceVersion.
    #[must_use]
    pub fn resource_version(mut self, resource_version: impl Into<Str>) -> Self {
        self.preconditions.resource_version = Some(resource_version.into());
        self
    }

    /// Do everything but delete.
    #[must_use]
    pub fn dry_run(mut self) -> Self {
        self.dry_run = true;
        self
    }
}
