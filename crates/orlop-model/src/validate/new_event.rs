//! Events of their own group: they have a time, and no old fields.

use super::Validate;
use super::event::{Timed, foreign, timed};
use super::rules::Rules;
use crate::FieldError;
use crate::events::v1::Event;

impl Validate for Event {
    fn validate_create(&self) -> Vec<FieldError> {
        let mut rules = Rules::new("");
        old_rules(&mut rules, self);
        rules.metadata(self, Self::NAME_RULE);
        series(&mut rules, self);
        if self.event_time.is_none() {
            rules.required("eventTime", "");
        }
        if !matches!(self.type_.as_str(), "Normal" | "Warning") {
            rules.invalid("type", "", format!("has invalid value: {}", self.type_));
        }
        for (field, is_set) in [
            ("firstTimestamp", self.deprecated_first_timestamp.is_some()),
            ("lastTimestamp", self.deprecated_last_timestamp.is_some()),
            ("count", self.deprecated_count != 0),
            (
                "source",
                !self.deprecated_source.component.is_empty() || !self.deprecated_source.host.is_empty(),
            ),
        ] {
            if is_set {
                rules.invalid(field, "", "needs to be unset");
            }
        }
        rules.finish()
    }

    fn validate_update(&self, old: &Self) -> Vec<FieldError> {
        let mut rules = Rules::new("");
        old_rules(&mut rules, self);
        rules.metadata_update(self, old);
        if self.series != old.series {
            series(&mut rules, self);
        }
        rules.immutable("involvedObject", &self.regarding, &old.regarding);
        rules.immutable("reason", &self.reason, &old.reason);
        rules.immutable("message", &self.note, &old.note);
        rules.immutable("source", &self.deprecated_source, &old.deprecated_source);
        rules.immutable("firstTimestamp", &self.deprecated_first_timestamp, &old.deprecated_first_timestamp);
        rules.immutable("lastTimestamp", &self.deprecated_last_timestamp, &old.deprecated_last_timestamp);
        rules.immutable("count", &self.deprecated_count, &old.deprecated_count);
        rules.immutable("eventTime", &self.event_time, &old.event_time);
        rules.immutable("action", &self.action, &old.action);
        rules.immutable("related", &self.related, &old.related);
        rules.immutable("reportingController", &self.reporting_controller, &old.reporting_controller);
        rules.immutable("reportingInstance", &self.reporting_instance, &old.reporting_instance);
        rules.immutable("type", &self.type_, &old.type_);
        rules.finish()
    }
}

/// The rules that the older kind has too, with its names of fields.
fn old_rules(rules: &mut Rules, event: &Event) {
    let namespace = &event.metadata.namespace;
    if event.event_time.is_some() {
        timed(
            rules,
            &Timed {
                namespace,
                object: &event.regarding,
                controller: ("reportingController", &event.reporting_controller),
                instance: &event.reporting_instance,
                action: &event.action,
                reason: &event.reason,
                message: &event.note,
            },
        );
    } else if (event.regarding.namespace.is_empty() && !matches!(namespace.as_str(), "" | "default"))
        || (!event.regarding.namespace.is_empty() && event.regarding.namespace != *namespace)
    {
        foreign(rules, "involvedObject.namespace", &event.regarding);
    }
}

fn series(rules: &mut Rules, event: &Event) {
    if let Some(series) = &event.series {
        if series.count < 2 {
            rules.invalid("series.count", "", "should be at least 2");
        }
        if series.last_observed_time.is_none() {
            rules.required("series.lastObservedTime", "");
        }
    }
}
