//! Changes of a pod's status by controllers other than the one that runs it.

use jiff::Timestamp;
use orlop_model::core::v1::{ConditionStatus, Pod, PodCondition, PodConditionType, PodPhase, PodStatus};
use serde_json::{Map, Value, json};

use crate::PatchChange;

/// The condition that announces that something else than the pod's owner ends it.
pub(crate) fn disruption(pod: &Pod, reason: &str, message: &str, now: Timestamp) -> PodCondition {
    PodCondition {
        type_: PodConditionType::DisruptionTarget,
        status: ConditionStatus::True,
        reason: reason.into(),
        message: message.into(),
        last_transition_time: Some(now.into()),
        observed_generation: pod.metadata.generation,
        ..PodCondition::default()
    }
}

/// A status that is to become another, and the patch that does it.
#[derive(Clone, Debug)]
pub(crate) struct StatusChange<'a> {
    pod: &'a Pod,
    status: PodStatus,
}

impl<'a> StatusChange<'a> {
    /// Nothing changes yet.
    pub(crate) fn of(pod: &'a Pod) -> Self {
        Self { pod, status: pod.status.clone() }
    }

    /// Sets the phase.
    #[must_use]
    pub(crate) fn phase(mut self, phase: PodPhase) -> Self {
        self.status.phase = phase;
        self
    }

    /// Sets a condition; its transition time changes only with its status.
    #[must_use]
    pub(crate) fn condition(mut self, mut new: PodCondition) -> Self {
        match self.status.conditions.iter_mut().find(|old| old.type_ == new.type_) {
            None => self.status.conditions.push(new),
            Some(old) => {
                if old.status == new.status {
                    new.last_transition_time = old.last_transition_time;
                }
                *old = new;
            }
        }
        self
    }

    /// The patch, valid for this very pod; `None` if nothing changes.
    #[must_use]
    pub(crate) fn patch(&self) -> Option<PatchChange> {
        let old = &self.pod.status;
        let mut status = Map::new();
        if old.phase != self.status.phase {
            status.insert("phase".into(), json!(self.status.phase));
        }
        let changed: Vec<Value> = self
            .status
            .conditions
            .iter()
            .filter_map(|new| match old.conditions.iter().find(|condition| condition.type_ == new.type_) {
                None => serde_json::to_value(new).ok(),
                Some(before) => difference(before, new),
            })
            .collect();
        if !changed.is_empty() {
            if !old.conditions.is_empty() {
                let order = self.status.conditions.iter();
                let order: Vec<_> = order.map(|found| json!({"type": found.type_})).collect();
                status.insert("$setElementOrder/conditions".into(), order.into());
            }
            status.insert("conditions".into(), changed.into());
        }
        if status.is_empty() {
            return None;
        }
        let document = json!({"metadata": {"uid": self.pod.metadata.uid}, "status": status});
        Some(PatchChange::strategic(self.pod, document).of_status())
    }
}

/// The fields of a condition that differ, with its type; `None` if none does.
fn difference(old: &PodCondition, new: &PodCondition) -> Option<Value> {
    if old == new {
        return None;
    }
    let (Ok(Value::Object(old)), Ok(Value::Object(new))) =
        (serde_json::to_value(old), serde_json::to_value(new))
    else {
        return None;
    };
    let mut fields: Map<String, Value> =
        old.keys().filter(|key| !new.contains_key(*key)).map(|key| (key.clone(), Value::Null)).collect();
    let type_ = new.get("type").cloned();
    fields.extend(new.into_iter().filter(|(key, value)| old.get(key) != Some(value)));
    fields.insert("type".into(), type_.unwrap_or_default());
    Some(Value::Object(fields))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_differs_is_sent() {
        let pod: Pod = serde_json::from_value(json!({
            "metadata": {"uid": "u"},
            "status": {"phase": "Running", "conditions": [
                {"type": "Ready", "status": "True"},
                {"type": "DisruptionTarget", "status": "True", "reason": "Other", "lastTransitionTime": "2026-03-01T11:00:00Z"},
            ]},
        }))
        .unwrap();
        let now = "2026-03-01T12:00:00Z".parse().unwrap();
        let change = StatusChange::of(&pod).condition(disruption(&pod, "Why", "so", now));
        let patch = change.patch().expect("a patch");
        assert!(patch.status);
        assert_eq!(
            patch.document,
            json!({
                "metadata": {"uid": "u"},
                "status": {
                    "$setElementOrder/conditions": [{"type": "Ready"}, {"type": "DisruptionTarget"}],
                    "conditions": [{"type": "DisruptionTarget", "reason": "Why", "message": "so"}],
                },
            })
        );
        assert_eq!(StatusChange::of(&pod).phase(PodPhase::Running).patch(), None);
    }
}
