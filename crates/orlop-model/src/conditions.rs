//! Conditions of objects: finding, setting and removing those of a type.
//!
//! ```
//! use orlop_model::meta::v1::{Condition, ConditionStatus};
//! use orlop_model::{List, Time, conditions};
//!
//! let now = Time::from_seconds(1_772_366_400);
//! let mut list = List::new();
//! let ready = Condition { type_: "Ready".into(), status: ConditionStatus::True, ..Condition::default() };
//! assert!(conditions::set(&mut list, ready.clone(), now));
//! assert!(!conditions::set(&mut list, ready, Time::from_seconds(1_772_366_460)), "nothing has changed");
//! assert!(conditions::is_true(&list, "Ready"));
//! assert_eq!(list[0].last_transition_time, Some(now));
//! ```

use crate::meta::v1::{Condition, ConditionStatus};
use crate::{List, Time};

/// What the conditions of all kinds have in common.
pub trait AnyCondition {
    /// Its type.
    fn type_name(&self) -> &str;
    /// Whether it holds.
    fn status(&self) -> &ConditionStatus;
}

/// The condition of a type.
#[must_use]
pub fn find<'a, C: AnyCondition>(conditions: &'a [C], type_name: &str) -> Option<&'a C> {
    conditions.iter().find(|condition| condition.type_name() == type_name)
}

/// Whether there is a condition of the type, and it is `True`.
#[must_use]
pub fn is_true<C: AnyCondition>(conditions: &[C], type_name: &str) -> bool {
    is(conditions, type_name, &ConditionStatus::True)
}

/// Whether there is a condition of the type, and it is `False`.
#[must_use]
pub fn is_false<C: AnyCondition>(conditions: &[C], type_name: &str) -> bool {
    is(conditions, type_name, &ConditionStatus::False)
}

/// Whether there is a condition of the type, and it has this status.
#[must_use]
pub fn is<C: AnyCondition>(conditions: &[C], type_name: &str, status: &ConditionStatus) -> bool {
    find(conditions, type_name).is_some_and(|condition| condition.status() == status)
}

/// Adds a condition, or changes that of its type, and tells whether anything is different then.
///
/// The time of the last transition is that of `new`, or `now` where it has none; it stays as it is while the status does
/// (`meta.SetStatusCondition` of Kubernetes' apimachinery).
pub fn set(conditions: &mut List<Condition>, new: Condition, now: Time) -> bool {
    let Some(old) = conditions.iter_mut().find(|old| old.type_ == new.type_) else {
        let last_transition_time = new.last_transition_time.or(Some(now));
        conditions.push(Condition { last_transition_time, ..new });
        return true;
    };
    let last_transition_time = match old.status == new.status {
        true => old.last_transition_time,
        false => new.last_transition_time.or(Some(now)),
    };
    let new = Condition { last_transition_time, ..new };
    let is_other = *old != new;
    *old = new;
    is_other
}

/// Removes the conditions of a type, and tells whether there were any.
pub fn remove<C: AnyCondition>(conditions: &mut List<C>, type_name: &str) -> bool {
    let before = conditions.len();
    conditions.retain(|condition| condition.type_name() != type_name);
    conditions.len() < before
}

macro_rules! any_condition {
    ($($feature:literal: $($path:ident)::+;)*) => {$(
        #[cfg(feature = $feature)]
        impl AnyCondition for crate::$($path)::+ {
            fn type_name(&self) -> &str {
                self.type_.as_str()
            }
            fn status(&self) -> &ConditionStatus {
                &self.status
            }
        }
    )*};
}

any_condition! {
    "apiextensions": apiextensions::v1::CustomResourceDefinitionCondition;
    "apps": apps::v1::DaemonSetCondition;
    "apps": apps::v1::DeploymentCondition;
    "apps": apps::v1::ReplicaSetCondition;
    "apps": apps::v1::StatefulSetCondition;
    "autoscaling": autoscaling::v2::HorizontalPodAutoscalerCondition;
    "batch": batch::v1::JobCondition;
    "certificates": certificates::v1::CertificateSigningRequestCondition;
    "core": core::v1::NamespaceCondition;
    "core": core::v1::NodeCondition;
    "core": core::v1::PersistentVolumeClaimCondition;
    "core": core::v1::PodCondition;
    "core": core::v1::ReplicationControllerCondition;
}

impl AnyCondition for Condition {
    fn type_name(&self) -> &str {
        &self.type_
    }
    fn status(&self) -> &ConditionStatus {
        &self.status
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Time {
        Time::from_seconds(seconds)
    }

    fn condition(status: ConditionStatus, message: &str) -> Condition {
        Condition { type_: "Ready".into(), status, message: message.into(), ..Condition::default() }
    }

    #[test]
    fn the_time_of_the_transition_changes_with_the_status() {
        let mut list = List::new();
        assert!(set(&mut list, condition(ConditionStatus::False, "a"), at(1)));
        assert!(set(&mut list, condition(ConditionStatus::False, "b"), at(2)));
        assert_eq!(list[0].last_transition_time, Some(at(1)));
        assert!(set(&mut list, condition(ConditionStatus::True, "b"), at(3)));
        assert_eq!(list[0].last_transition_time, Some(at(3)));
        assert!(!set(&mut list, condition(ConditionStatus::True, "b"), at(4)));
        let dated = Condition { last_transition_time: Some(at(9)), ..condition(ConditionStatus::False, "b") };
        assert!(set(&mut list, dated, at(5)));
        assert_eq!((list.len(), list[0].last_transition_time), (1, Some(at(9))));
        assert!(is_false(&list, "Ready") && !is_true(&list, "Ready") && !is_true(&list, "Other"));
        assert!(remove(&mut list, "Ready") && !remove(&mut list, "Ready"));
        assert!(find(&list, "Ready").is_none());
    }
}
