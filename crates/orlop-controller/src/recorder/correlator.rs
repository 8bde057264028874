//! [`Correlator`]: what becomes of an event that looks like others, in the core group.

use std::collections::BTreeSet;
use std::time::Duration;

use orlop_clock::Timestamp;
use orlop_model::Str;
use orlop_model::core::v1::{EventType, ObjectReference};

use super::bounded::Bounded;
use super::writer::EventDraft;

/// As many different messages of one reason within [`SIMILAR_WITHIN`] are told apart; more are told as one.
const SIMILAR: usize = 10;
const SIMILAR_WITHIN: Duration = Duration::from_secs(600);
const COMBINED: &str = "(combined from similar events): ";

/// So many events about one object are written at once, and one more in each [`REFILL`].
const BURST: f64 = 25.0;
const REFILL: Duration = Duration::from_secs(300);

/// client-go's rules (`tools/record`, `EventCorrelator`): equal events are counted in one Event, similar ones combined,
/// and of too many about one object some are left out.
#[derive(Debug)]
pub(super) struct Correlator {
    counted: Bounded<Subject, Counted>,
    similar: Bounded<Subject, Similar>,
}

/// What makes two events the same. Without a message: similar.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Subject {
    about: About,
    field: Str,
    type_: EventType,
    reason: Str,
    message: Option<Str>,
}

/// The object, whatever its revision.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct About {
    api_version: Str,
    kind: Str,
    namespace: Str,
    name: Str,
    uid: Str,
}

impl About {
    pub(super) fn of(reference: &ObjectReference) -> Self {
        Self {
            api_version: reference.api_version.clone(),
            kind: reference.kind.clone(),
            namespace: reference.namespace.clone(),
            name: reference.name.clone(),
            uid: reference.uid.clone(),
        }
    }
}

#[derive(Debug)]
struct Counted {
    name: Str,
    first: Timestamp,
    count: i32,
}

#[derive(Debug)]
struct Similar {
    messages: BTreeSet<Str>,
    last: Timestamp,
}

/// How an event is to be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Correlated {
    /// Name of the Event that counts it, if it was told before.
    pub(super) known: Option<Str>,
    pub(super) message: Str,
    pub(super) first: Timestamp,
    pub(super) count: i32,
}

impl Correlator {
    pub(super) fn new() -> Self {
        Self { counted: Bounded::new(), similar: Bounded::new() }
    }

    /// Counts an event; `name` is for a new one.
    pub(super) fn count(&mut self, draft: &EventDraft, name: Str) -> Correlated {
        let now = draft.at;
        let mut subject = Subject {
            about: About::of(&draft.about),
            field: draft.about.field_path.clone(),
            type_: draft.type_,
            reason: draft.reason.clone(),
            message: None,
        };
        let similar =
            self.similar.entry(subject.clone(), || Similar { messages: BTreeSet::new(), last: now });
        if since(now, similar.last) > SIMILAR_WITHIN {
            similar.messages.clear();
        }
        similar.last = now;
        similar.messages.insert(draft.message.clone());
        let message = if similar.messages.len() < SIMILAR {
            subject.message = Some(draft.message.clone());
            draft.message.clone()
        } else {
            similar.messages.pop_first();
            Str::from(format!("{COMBINED}{}", draft.message))
        };
        let fresh = || Counted { name, first: now, count: 0 };
        let counted = self.counted.entry(subject, fresh);
        counted.count = counted.count.saturating_add(1);
        let known = (counted.count > 1).then(|| counted.name.clone());
        Correlated { known, message, first: counted.first, count: counted.count }
    }
}

/// How many events about one object are written.
#[derive(Debug)]
pub(super) struct Rate {
    buckets: Bounded<About, Bucket>,
}

#[derive(Debug)]
struct Bucket {
    tokens: f64,
    at: Timestamp,
}

impl Rate {
    pub(super) fn new() -> Self {
        Self { buckets: Bounded::new() }
    }

    /// Whether one more may be written now.
    pub(super) fn allows(&mut self, about: &ObjectReference, now: Timestamp) -> bool {
        let bucket = self.buckets.entry(About::of(about), || Bucket { tokens: BURST, at: now });
        let came = since(now, bucket.at).as_secs_f64() / REFILL.as_secs_f64();
        bucket.tokens = (bucket.tokens + came).min(BURST);
        bucket.at = bucket.at.max(now);
        let allowed = bucket.tokens >= 1.0;
        if allowed {
            bucket.tokens -= 1.0;
        }
        allowed
    }
}

/// Zero if the clock was set back.
pub(super) fn since(now: Timestamp, then: Timestamp) -> Duration {
    Duration::try_from(now.duration_since(then)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn draft(message: &str, seconds: i64) -> EventDraft {
        let about = ObjectReference { name: "web".into(), ..ObjectReference::default() };
        EventDraft {
            at: Timestamp::from_second(seconds).unwrap(),
            ..EventDraft::new(about, EventType::Warning, "Failed", message)
        }
    }

    #[test]
    fn equal_events_are_counted_and_similar_ones_combined() {
        let mut correlator = Correlator::new();
        let mut take = |message: &str, seconds| {
            let done = correlator.count(&draft(message, seconds), message.into());
            (done.known.map(|name| name.to_string()), done.message.to_string(), done.count)
        };
        assert_eq!(take("0", 0), (None, "0".into(), 1));
        assert_eq!(take("0", 9), (Some("0".into()), "0".into(), 2));
        for n in 1..9 {
            assert_eq!(take(&n.to_string(), 10).2, 1);
        }
        assert_eq!(take("9", 11), (None, "(combined from similar events): 9".into(), 1));
        assert_eq!(take("10", 12), (Some("9".into()), "(combined from similar events): 10".into(), 2));
        // After ten quiet minutes they are told apart again.
        assert_eq!(take("11", 12 + 601), (None, "11".into(), 1));
    }

    #[test]
    fn of_many_events_about_one_object_25_are_written_and_one_each_five_minutes() {
        let mut rate = Rate::new();
        let [one, other] =
            ["one", "other"].map(|name| ObjectReference { name: name.into(), ..ObjectReference::default() });
        let mut allowed =
            |about: &ObjectReference, seconds| rate.allows(about, Timestamp::from_second(seconds).unwrap());
        assert_eq!((0..100).filter(|_| allowed(&one, 0)).count(), 25);
        assert!(allowed(&other, 0));
        assert!(!allowed(&one, 299) && allowed(&one, 301) && !allowed(&one, 302));
        assert_eq!((0..100).filter(|_| allowed(&one, 1_000_000)).count(), 25);
    }
}
