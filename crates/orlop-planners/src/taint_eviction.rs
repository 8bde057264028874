//! Eviction of pods from nodes with `NoExecute` taints they do not tolerate.
//!
//! [`decide`] says whether and when a pod must go; who asks keeps the [`Scheduled`] evictions and carries one out with
//! [`evict`] when its time has come. The time at which a taint was added plays no part: after a restart, or when a taint
//! goes and comes back, the full time runs anew.
//!
//! ```
//! use orlop_model::core::v1::{Pod, Taint, TaintEffect};
//! use orlop_planners::taint_eviction::{Decision, decide};
//!
//! let taint = Taint { key: "broken".into(), effect: TaintEffect::NoExecute, ..Taint::default() };
//! let now = "2026-03-01T12:00:00Z".parse()?;
//! assert_eq!(decide(&Pod::default(), &[taint], None, now), Decision::Now);
//! assert_eq!(decide(&Pod::default(), &[], None, now), Decision::Never);
//! # Ok::<(), jiff::Error>(())
//! ```

use jiff::{SignedDuration, Timestamp};
use orlop_model::Object;
use orlop_model::core::v1::{Pod, Taint, TaintEffect, Toleration, TolerationOperator};
use serde::{Deserialize, Serialize};

use crate::pod_status::{StatusChange, disruption};
use crate::{Delete, EventDraft, Plan};

/// An eviction that is to be carried out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Scheduled {
    /// When it was scheduled first; a later decision about the same pod counts from here.
    pub since: Timestamp,
    /// When the pod is to be evicted.
    pub at: Timestamp,
}

/// What is to become of a pod on a tainted node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// It stays; an eviction that is scheduled is cancelled ([`cancelled`]).
    Never,
    /// It goes at once; an eviction that is scheduled is overtaken.
    Now,
    /// It goes later. This takes the place of an eviction that is scheduled; it may be the same one.
    At(Scheduled),
}

/// Decides about a pod that is bound to a node with these taints. `scheduled` is its eviction that is scheduled already.
///
/// Of the `NoExecute` taints each must be tolerated; the shortest `tolerationSeconds` of the tolerations that do so counts,
/// the first matching toleration of each taint being the one. An eviction that is scheduled is never brought forward by a
/// shorter toleration.
#[must_use]
pub fn decide(pod: &Pod, taints: &[Taint], scheduled: Option<Scheduled>, now: Timestamp) -> Decision {
    let mut shortest: Option<SignedDuration> = None;
    for taint in taints.iter().filter(|taint| taint.effect == TaintEffect::NoExecute) {
        let mut tolerations = pod.spec.tolerations.iter();
        let Some(used) = tolerations.find(|toleration| tolerates(toleration, taint)) else {
            return Decision::Now;
        };
        if let Some(seconds) = used.toleration_seconds {
            let time = SignedDuration::from_secs(seconds.max(0));
            shortest = Some(shortest.map_or(time, |other| other.min(time)));
        }
    }
    let Some(time) = shortest else {
        return Decision::Never;
    };
    if let Some(earlier) = scheduled.filter(|earlier| earlier.since < now) {
        return Decision::At(earlier);
    }
    let at = now.checked_add(time).unwrap_or(Timestamp::MAX);
    if at <= now {
        return Decision::Now;
    }
    let since = scheduled.map_or(now, |earlier| earlier.since);
    Decision::At(Scheduled { since, at })
}

/// Whether a toleration covers a taint. `Lt` and `Gt` tolerate nothing.
fn tolerates(toleration: &Toleration, taint: &Taint) -> bool {
    (toleration.effect.is_empty() || toleration.effect == taint.effect)
        && (toleration.key.is_empty() || toleration.key == taint.key)
        && match &toleration.operator {
            TolerationOperator::Exists => true,
            TolerationOperator::Equal => toleration.value == taint.value,
            operator => operator.is_empty() && toleration.value == taint.value,
        }
}

/// Evicts a pod: its status says why, then it is deleted.
pub fn evict(pod: &Pod, now: Timestamp) -> Plan {
    let mut plan = Plan::default();
    let message = format!("Marking for deletion Pod {}", pod.key());
    plan.events.push(EventDraft::normal(pod, "TaintManagerEviction", message));
    let condition =
        disruption(pod, "DeletionByTaintManager", "Taint manager: deleting due to NoExecute taint", now);
    if let Some(patch) = StatusChange::of(pod).condition(condition).patch() {
        plan.push(patch);
    }
    plan.push(Delete::new(pod));
    plan
}

/// What to tell when the eviction of a pod was cancelled.
#[must_use]
pub fn cancelled(pod: &Pod) -> EventDraft {
    let message = format!("Cancelling deletion of Pod {}", pod.key());
    EventDraft::normal(pod, "TaintManagerEviction", message)
}
