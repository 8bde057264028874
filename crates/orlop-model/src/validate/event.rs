//! Events of the core group: their rules differ for those that have a time of their own.

use super::Validate;
use super::rules::Rules;
use crate::core::v1::{Event, ObjectReference};
use crate::{FieldError, FieldValue, Str, names};

/// Most characters of the reporting instance, the action and the reason.
const MAX_WORD: usize = 128;
/// Most characters of the message.
const MAX_MESSAGE: usize = 1024;

impl Validate for Event {
    fn validate_create(&self) -> Vec<FieldError> {
        let mut rules = Rules::new("");
        if self.event_time.is_none() {
            let same = |event: &Str, object: &ObjectReference| match object.namespace.as_str() {
                "" => matches!(event.as_str(), "" | "default"),
                namespace => *event == *namespace,
            };
            if !same(&self.metadata.namespace, &self.involved_object) {
                foreign(&mut rules, "involvedObject.namespace", &self.involved_object);
            }
            namespace(&mut rules, &self.metadata.namespace);
        } else {
            timed(
                &mut rules,
                &Timed {
                    namespace: &self.metadata.namespace,
                    object: &self.involved_object,
                    controller: ("reportingComponent", &self.reporting_component),
                    instance: &self.reporting_instance,
                    action: &self.action,
                    reason: &self.reason,
                    message: &self.message,
                },
            );
        }
        rules.finish()
    }

    fn validate_update(&self, _old: &Self) -> Vec<FieldError> {
        self.validate_create()
    }
}

/// What an event with a time of its own has to have, whatever the fields are called.
pub(super) struct Timed<'a> {
    pub(super) namespace: &'a str,
    pub(super) object: &'a ObjectReference,
    /// The field's name and its value.
    pub(super) controller: (&'static str, &'a str),
    pub(super) instance: &'a str,
    pub(super) action: &'a str,
    pub(super) reason: &'a str,
    pub(super) message: &'a str,
}

pub(super) fn timed(rules: &mut Rules, event: &Timed<'_>) {
    if event.object.namespace.is_empty() && !matches!(event.namespace, "default" | "kube-system") {
        foreign(rules, "involvedObject.namespace", event.object);
    }
    let (field, controller) = event.controller;
    rules.present(field, controller);
    rules.complaints(field, controller, names::label_key(controller));
    for (field, text) in
        [("reportingInstance", event.instance), ("action", event.action), ("reason", event.reason)]
    {
        rules.present(field, text);
        if text.len() > MAX_WORD {
            rules.invalid(field, "", format!("can have at most {MAX_WORD} characters"));
        }
    }
    if event.message.len() > MAX_MESSAGE {
        rules.invalid("message", "", format!("can have at most {MAX_MESSAGE} characters"));
    }
    namespace(rules, event.namespace);
}

pub(super) fn foreign(rules: &mut Rules, field: &str, object: &ObjectReference) {
    rules.invalid(field, FieldValue::from(&object.namespace), "does not match event.namespace");
}

fn namespace(rules: &mut Rules, namespace: &str) {
    rules.complaints("namespace", namespace, names::dns1123_subdomain(namespace));
}
