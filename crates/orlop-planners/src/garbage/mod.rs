//! Garbage collection by owner references.
//!
//! A [`Collector`] keeps the graph of owners and dependents, fed by watch events of every kind
//! ([`Collector::applied`], [`Collector::deleted`]). Whatever an event makes doubtful is listed, and
//! [`Collector::next_attempt`] hands out the objects one after another. An [`Attempt`] asks for API
//! calls and is told their answers; the graph may lag, so nothing is deleted that the API itself
//! does not show to be without a living owner. Nothing here does I/O or reads a clock: who drives
//! the attempts makes the calls and spaces the retries.
//!
//! ```
//! use orlop_model::meta::v1::{ObjectMeta, OwnerReference};
//! use orlop_planners::garbage::{Answer, Call, Collector, Step};
//!
//! let kinds = |_api_version: &str, _kind: &str| Some(true); // every kind is namespaced
//! let mut pod = ObjectMeta { name: "web-0".into(), namespace: "default".into(), uid: "2".into(), ..Default::default() };
//! pod.owner_references.push(OwnerReference {
//!     api_version: "apps/v1".into(), kind: "ReplicaSet".into(), name: "web".into(), uid: "1".into(),
//!     ..Default::default()
//! });
//! let mut collector = Collector::new();
//! collector.applied("v1", "Pod", &pod);
//!
//! // Nobody has seen the owner yet, so the API is asked; it does not exist, so the pod is next.
//! let mut deleted = Vec::new();
//! while let Some(mut attempt) = collector.next_attempt() {
//!     let mut answer = None;
//!     while let Step::Call(call) = attempt.step(&mut collector, &kinds, answer.take()) {
//!         answer = Some(match call {
//!             Call::Get { object } if object.name == "web-0" => Answer::Found(Box::new(pod.clone())),
//!             Call::Get { .. } => Answer::NotFound,
//!             Call::Delete { object, .. } => { deleted.push(object.name); Answer::Done }
//!             Call::Patch { .. } => Answer::Done,
//!         });
//!     }
//! }
//! assert_eq!(deleted, ["web-0"]);
//! ```

mod absent;
mod attempt;
mod call;
mod collector;
mod graph;
mod identity;
mod orphan;
mod task;

use orlop_model::Str;

pub use attempt::DeleteAttempt;
pub use call::{Answer, Call, Outcome, PatchBody, Propagation, Step};
pub use collector::{Attempt, Collector, FOREGROUND_FINALIZER, InvalidNamespace, ORPHAN_FINALIZER};
pub use identity::Identity;
pub use orphan::OrphanAttempt;

/// Which kinds the API serves, and whether their objects live in namespaces.
///
/// Implemented by every function of the same signature.
pub trait KindScopes {
    /// Whether objects of the kind live in namespaces; `None` for a kind that is not served.
    /// References to such kinds are neither dead nor alive: the attempt ends with
    /// [`Outcome::Retry`].
    fn namespaced(&self, api_version: &str, kind: &str) -> Option<bool>;
}

impl<F: Fn(&str, &str) -> Option<bool>> KindScopes for F {
    fn namespaced(&self, api_version: &str, kind: &str) -> Option<bool> {
        self(api_version, kind)
    }
}

/// Why an object cannot be asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Nowhere {
    /// The kind is not served, now.
    Unserved,
    /// A namespaced kind without a namespace, as a cluster-scoped dependent names it: there is no
    /// such object, and there never will be.
    NoNamespace,
}

impl Nowhere {
    fn step(self) -> Step {
        Step::Finished(match self {
            Self::Unserved => Outcome::Retry,
            Self::NoNamespace => Outcome::Settled,
        })
    }
}

/// Where to find `object`: without namespace for a cluster-scoped kind.
fn address(object: &Identity, kinds: &impl KindScopes) -> Result<Identity, Nowhere> {
    match kinds.namespaced(&object.api_version, &object.kind) {
        None => Err(Nowhere::Unserved),
        Some(true) if object.namespace.is_empty() => Err(Nowhere::NoNamespace),
        Some(true) => Ok(object.clone()),
        Some(false) => Ok(Identity { namespace: Str::EMPTY, ..object.clone() }),
    }
}

#[cfg(test)]
mod tests;
