//! Options of requests.

use super::{DeletionPropagation, ResourceVersionMatch};
use crate::{Extra, List, Message, Str};

/// Query parameters of a server-side apply request.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug, api_version = "v1")]
pub struct ApplyOptions {
    /// With the single value `All`, the request is fully processed but nothing is stored; empty means a real
    /// write.
    #[wire(pb = 1)]
    pub dry_run: List<Str>,
    /// Takes ownership of fields that conflict with other managers instead of failing with a conflict.
    #[wire(pb = 2, required, needless)]
    pub force: bool,
    /// Name under which the applied fields are recorded as owned; required for apply, at most 128 characters.
    #[wire(pb = 3, required, needless)]
    pub field_manager: Str,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// Query parameters of a create request.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug, api_version = "v1")]
pub struct CreateOptions {
    /// With the single value `All`, admission and validation run but the object is not stored; empty means a
    /// real create.
    #[wire(pb = 1)]
    pub dry_run: List<Str>,
    /// Owner name recorded for the created fields; up to 128 printable characters, by default derived from
    /// the user agent.
    #[wire(pb = 3)]
    pub field_manager: Str,
    /// Handling of unknown or duplicate fields: `Ignore` drops them silently, `Warn` (default) adds warnings,
    /// `Strict` rejects the request.
    #[wire(pb = 4)]
    pub field_validation: Str,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// Options of a delete request, sent as its body or as query parameters.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug, api_version = "v1")]
pub struct DeleteOptions {
    /// Seconds granted for graceful termination; 0 deletes at once, unset uses the default of the object
    /// type.
    #[wire(pb = 1)]
    pub grace_period_seconds: Option<i64>,
    /// Checks that must hold for the stored object; a mismatch fails the request with 409 Conflict.
    #[wire(pb = 2)]
    pub preconditions: Option<Box<Preconditions>>,
    /// Deprecated predecessor of `propagationPolicy`: true orphans the dependents, false lets them be
    /// garbage-collected; never set both.
    #[wire(pb = 3)]
    pub orphan_dependents: Option<bool>,
    /// Fate of dependents: `Orphan`, `Background` or `Foreground`; unset falls back to existing finalizers
    /// and the default of the resource.
    #[wire(pb = 4)]
    pub propagation_policy: Option<DeletionPropagation>,
    /// With the single value `All`, every stage runs but nothing is removed; empty means a real delete.
    #[wire(pb = 5)]
    pub dry_run: List<Str>,
    /// Deletes an object that can no longer be read from storage, skipping finalizers and preconditions;
    /// dangerous, default false.
    #[wire(pb = 6)]
    pub ignore_store_read_error_with_cluster_breaking_potential: Option<bool>,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// Query parameters of a request that reads one object.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug, api_version = "v1")]
pub struct GetOptions {
    /// Freshness bound: empty reads the latest state, `0` accepts any cached state, other values mean at
    /// least that version.
    #[wire(pb = 1)]
    pub resource_version: Str,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// Query parameters of list and watch requests.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug, api_version = "v1")]
pub struct ListOptions {
    /// Label query in text form, such as `app=web,tier!=cache`; empty matches every object.
    #[wire(pb = 1)]
    pub label_selector: Str,
    /// Field query in text form, such as `spec.nodeName=n1`; empty matches all, and supported fields depend
    /// on the resource.
    #[wire(pb = 2)]
    pub field_selector: Str,
    /// Streams changes as watch events instead of returning a list; needs a sensible `resourceVersion`.
    #[wire(pb = 3)]
    pub watch: bool,
    /// Permits `BOOKMARK` events that only carry a newer resource version; the server chooses whether and
    /// when to send them.
    #[wire(pb = 9)]
    pub allow_watch_bookmarks: bool,
    /// Version to list at or to watch from; interpreted according to `resourceVersionMatch`, empty means the
    /// most recent.
    #[wire(pb = 4)]
    pub resource_version: Str,
    /// For lists, whether `resourceVersion` is a minimum (`NotOlderThan`) or exact (`Exact`); invalid without
    /// a version, except with `sendInitialEvents`.
    #[wire(pb = 10)]
    pub resource_version_match: ResourceVersionMatch,
    /// Upper bound in seconds for the duration of the list or watch call; unset lets the server choose.
    #[wire(pb = 5)]
    pub timeout_seconds: Option<i64>,
    /// Maximum number of items per page; 0 means no limit, and the server may return fewer.
    #[wire(pb = 7)]
    pub limit: i64,
    /// Token from the previous page's metadata; the other query parameters must stay the same, and it does
    /// not apply to watches.
    #[wire(pb = 8)]
    pub continue_: Str,
    /// Makes a watch begin with synthetic `ADDED` events for existing objects, ended by a bookmark; needs
    /// `resourceVersionMatch` `NotOlderThan`.
    #[wire(pb = 11)]
    pub send_initial_events: Option<bool>,
    /// Hash-range expression using `shardRange()` over UID or namespace that limits results to some shards;
    /// alpha, gate `ShardedListAndWatch`.
    #[wire(pb = 15)]
    pub shard_selector: Str,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// Query parameters of a patch request, including server-side apply.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug, api_version = "v1")]
pub struct PatchOptions {
    /// With the single value `All`, the patch is evaluated but not stored; empty means a real write.
    #[wire(pb = 1)]
    pub dry_run: List<Str>,
    /// Only for apply patches: seizes fields in conflict with other managers; must be unset otherwise.
    #[wire(pb = 2)]
    pub force: Option<bool>,
    /// Owner name recorded for the changed fields; mandatory for apply, otherwise derived from the user agent
    /// if empty.
    #[wire(pb = 3)]
    pub field_manager: Str,
    /// Handling of unknown or duplicate fields: `Ignore`, `Warn` (default) or `Strict`, which rejects the
    /// patch.
    #[wire(pb = 4)]
    pub field_validation: Str,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// Requirements on the stored object that must hold before an operation is carried out.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug)]
pub struct Preconditions {
    /// Required UID of the target; protects against hitting a recreated object.
    #[wire(pb = 1)]
    pub uid: Option<Str>,
    /// Required resource version of the target; protects against overwriting unseen changes.
    #[wire(pb = 2)]
    pub resource_version: Option<Str>,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}

/// Query parameters of an update (replace) request.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug, api_version = "v1")]
pub struct UpdateOptions {
    /// With the single value `All`, the update is checked but not stored; empty means a real write.
    #[wire(pb = 1)]
    pub dry_run: List<Str>,
    /// Owner name recorded for changed fields; up to 128 printable characters, by default derived from the
    /// user agent.
    #[wire(pb = 2)]
    pub field_manager: Str,
    /// Handling of unknown or duplicate fields: `Ignore`, `Warn` (default) or `Strict`, which rejects the
    /// update.
    #[wire(pb = 3)]
    pub field_validation: Str,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}
