//! [`priority_of`]: how important a pod is, from its PriorityClass.

use orlop_model::Str;
use orlop_model::core::v1::{Pod, PreemptionPolicy};
use orlop_model::scheduling::v1::PriorityClass;
use thiserror::Error;

/// Name and value of the class for what a cluster cannot do without; there even without an object.
pub const SYSTEM_CLUSTER_CRITICAL: (&str, i32) = ("system-cluster-critical", 2_000_000_000);

/// Name and value of the class for what a node cannot do without; there even without an object.
pub const SYSTEM_NODE_CRITICAL: (&str, i32) = ("system-node-critical", 2_000_001_000);

/// What a pod gets from its PriorityClass.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Priority {
    /// `spec.priority`: the greater, the more important.
    pub value: i32,
    /// `spec.priorityClassName`; empty where neither the pod names a class nor one is the default.
    pub class: Str,
    /// `spec.preemptionPolicy`.
    pub preemption: PreemptionPolicy,
}

/// Why a pod has no priority.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum PriorityError {
    /// The class that the pod names does not exist.
    #[error("no PriorityClass with name {class} was found")]
    UnknownClass {
        /// The pod's `spec.priorityClassName`.
        class: Str,
    },
    /// The pod brings a number of its own, and it is another one.
    #[error(
        "the integer value of priority ({given}) must not be provided in pod spec; priority admission controller computed {computed} from the given PriorityClass name"
    )]
    OtherValue {
        /// The pod's `spec.priority`.
        given: i32,
        /// That of its class.
        computed: i32,
    },
    /// The pod brings a preemption policy of its own, and it is another one.
    #[error(
        "the string value of PreemptionPolicy ({given}) must not be provided in pod spec; priority admission controller computed {computed} from the given PriorityClass name"
    )]
    OtherPreemptionPolicy {
        /// The pod's `spec.preemptionPolicy`.
        given: PreemptionPolicy,
        /// That of its class.
        computed: PreemptionPolicy,
    },
}

/// The priority that Kubernetes' admission gives a new pod, from the PriorityClasses of the cluster.
///
/// A pod that names no class gets the global default (the least important one, should there be
/// several), or 0 and [`PreemptionPolicy::PreemptLowerPriority`].
///
/// ```
/// use orlop_model::core::v1::Pod;
/// use orlop_scheduler::{SYSTEM_NODE_CRITICAL, priority_of};
///
/// let mut pod = Pod::default();
/// assert_eq!(priority_of(&pod, &[])?.value, 0);
/// pod.spec.priority_class_name = SYSTEM_NODE_CRITICAL.0.into();
/// assert_eq!(priority_of(&pod, &[])?.value, 2_000_001_000);
/// # Ok::<(), orlop_scheduler::PriorityError>(())
/// ```
///
/// # Errors
/// [`PriorityError`] where the class does not exist, or says otherwise than the pod itself.
pub fn priority_of(pod: &Pod, classes: &[PriorityClass]) -> Result<Priority, PriorityError> {
    let from = |class: &PriorityClass| Priority {
        value: class.value,
        class: class.metadata.name.clone(),
        preemption: class.preemption_policy.clone().unwrap_or(PreemptionPolicy::PreemptLowerPriority),
    };
    let built_in = |(name, value): (&str, i32)| Priority {
        value,
        class: name.into(),
        preemption: PreemptionPolicy::PreemptLowerPriority,
    };
    let named = &pod.spec.priority_class_name;
    let priority = if named.is_empty() {
        let default = classes.iter().filter(|class| class.global_default).min_by_key(|class| class.value);
        default.map_or_else(|| built_in(("", 0)), from)
    } else if let Some(class) = classes.iter().find(|class| class.metadata.name == *named) {
        from(class)
    } else if let Some(system) =
        [SYSTEM_CLUSTER_CRITICAL, SYSTEM_NODE_CRITICAL].into_iter().find(|(name, _)| named == name)
    {
        built_in(system)
    } else {
        return Err(PriorityError::UnknownClass { class: named.clone() });
    };
    if let Some(given) = pod.spec.priority
        && given != priority.value
    {
        return Err(PriorityError::OtherValue { given, computed: priority.value });
    }
    if let Some(given) = &pod.spec.preemption_policy
        && *given != priority.preemption
    {
        return Err(PriorityError::OtherPreemptionPolicy {
            given: given.clone(),
            computed: priority.preemption,
        });
    }
    Ok(priority)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn class(name: &str, value: i32, global_default: bool) -> PriorityClass {
        let mut class = PriorityClass { value, global_default, ..PriorityClass::default() };
        class.metadata.name = name.into();
        class
    }

    fn pod(class: &str) -> Pod {
        let mut pod = Pod::default();
        pod.spec.priority_class_name = class.into();
        pod
    }

    #[test]
    fn a_class_is_looked_up_or_the_default_taken() {
        let mut batch = class("batch", -5, false);
        batch.preemption_policy = Some(PreemptionPolicy::Never);
        let classes = [class("high", 1_000, true), class("usual", 7, true), batch];
        let value = |name| priority_of(&pod(name), &classes).map(|priority| priority.value);
        assert_eq!(value(""), Ok(7));
        assert_eq!(value("high"), Ok(1_000));
        assert_eq!(value("system-cluster-critical"), Ok(2_000_000_000));
        assert_eq!(value("none"), Err(PriorityError::UnknownClass { class: "none".into() }));
        assert_eq!(priority_of(&pod("batch"), &classes).unwrap().preemption, PreemptionPolicy::Never);
        assert_eq!(priority_of(&pod(""), &[]).unwrap().class, "");
    }

    #[test]
    fn a_pod_may_not_say_otherwise() {
        let classes = [class("high", 1_000, false)];
        let mut high = pod("high");
        high.spec.priority = Some(1_000);
        high.spec.preemption_policy = Some(PreemptionPolicy::PreemptLowerPriority);
        assert!(priority_of(&high, &classes).is_ok());
        high.spec.preemption_policy = Some(PreemptionPolicy::Never);
        assert!(priority_of(&high, &classes).unwrap_err().to_string().contains("PreemptionPolicy (Never)"));
        high.spec.priority = Some(1);
        assert_eq!(
            priority_of(&high, &classes),
            Err(PriorityError::OtherValue { given: 1, computed: 1_000 })
        );
    }
}
