//! [`Series`]: what becomes of an event that comes again, in `events.k8s.io`.

use std::time::Duration;

use orlop_clock::Timestamp;
use orlop_model::Str;
use orlop_model::core::v1::EventType;

use super::bounded::Bounded;
use super::correlator::{About, since};
use super::writer::EventDraft;

/// A series that has been quiet for so long is finished.
const FINISH: Duration = Duration::from_secs(6 * 60);
/// So often the count of a series is written while it goes on.
const REFRESH: Duration = Duration::from_secs(30 * 60);

/// client-go's rules (`tools/events`): the first event is written at once, the second begins a series, the others are
/// counted; the count is written every 30 min and when the series has been quiet for 6 min. The text does not matter for
/// what is the same.
#[derive(Debug)]
pub(super) struct Series {
    known: Bounded<Subject, Known>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Subject {
    about: About,
    field: Str,
    related: Option<About>,
    type_: EventType,
    action: Str,
    reason: Str,
}

#[derive(Debug)]
struct Known {
    draft: EventDraft,
    name: Str,
    count: i32,
    last: Timestamp,
    /// When the count was last written.
    written: Timestamp,
    /// Whether all was written.
    clean: bool,
}

/// What to write about an event.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Told {
    /// A new Event of this name.
    First(Str),
    /// The count and the last time of the Event of this name, which began like this.
    Series { name: Str, count: i32, last: Timestamp, first: Box<EventDraft> },
    /// Nothing now.
    Counted,
}

impl Known {
    fn told(&mut self, now: Timestamp) -> Told {
        self.written = now;
        self.clean = true;
        let first = Box::new(self.draft.clone());
        Told::Series { name: self.name.clone(), count: self.count, last: self.last, first }
    }
}

impl Series {
    pub(super) fn new() -> Self {
        Self { known: Bounded::new() }
    }

    pub(super) fn take(&mut self, draft: &EventDraft, name: Str) -> Told {
        let subject = Subject {
            about: About::of(&draft.about),
            field: draft.about.field_path.clone(),
            related: draft.related.as_ref().map(About::of),
            type_: draft.type_,
            action: draft.action.clone(),
            reason: draft.reason.clone(),
        };
        let now = draft.at;
        let known = self.known.entry(subject, || Known {
            draft: draft.clone(),
            name: name.clone(),
            count: 0,
            last: now,
            written: now,
            clean: true,
        });
        if known.count > 0 && since(now, known.last) >= FINISH {
            *known = Known { draft: draft.clone(), name, count: 0, last: now, written: now, clean: true };
        }
        known.count = known.count.saturating_add(1);
        known.last = known.last.max(now);
        match known.count {
            1 => Told::First(known.name.clone()),
            2 => known.told(now),
            _ => {
                known.clean = false;
                Told::Counted
            }
        }
    }

    /// What is due to be written by now; finished series are forgotten.
    pub(super) fn due(&mut self, now: Timestamp) -> Vec<Told> {
        let mut due = Vec::new();
        self.known.retain(|_, known| {
            let finished = since(now, known.last) >= FINISH;
            if !known.clean && (finished || since(now, known.written) >= REFRESH) {
                due.push(known.told(now));
            }
            !finished
        });
        due
    }

    /// When to ask again for what is due; `None` if nothing is known.
    pub(super) fn next(&mut self, now: Timestamp) -> Option<Duration> {
        let wait = |known: &mut Known| {
            let finish = FINISH.saturating_sub(since(now, known.last));
            let refresh = REFRESH.saturating_sub(since(now, known.written));
            if known.clean { finish } else { finish.min(refresh) }
        };
        self.known.values_mut().map(wait).min()
    }

    /// The Event of this name is another one now.
    pub(super) fn renamed(&mut self, from: &Str, to: &Str) {
        for known in self.known.values_mut().filter(|known| known.name == *from) {
            known.name = to.clone();
        }
    }
}

#[cfg(test)]
mod tests {
    use orlop_model::core::v1::ObjectReference;

    use super::*;

    fn draft(message: &str, seconds: i64) -> EventDraft {
        let about = ObjectReference { name: "web".into(), ..ObjectReference::default() };
        EventDraft { at: at(seconds), ..EventDraft::new(about, EventType::Normal, "Pulling", message) }
    }

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(seconds).unwrap()
    }

    fn count(told: &Told) -> Option<i32> {
        if let Told::Series { count, .. } = told { Some(*count) } else { None }
    }

    #[test]
    fn the_second_begins_a_series_the_others_are_counted_and_written_at_its_end() {
        let mut series = Series::new();
        assert_eq!(series.take(&draft("a", 0), "one".into()), Told::First("one".into()));
        assert_eq!(count(&series.take(&draft("b", 1), "two".into())), Some(2));
        for second in 2..10 {
            assert_eq!(series.take(&draft("c", second), "other".into()), Told::Counted);
        }
        assert_eq!(series.next(at(9)), Some(Duration::from_secs(360)));
        assert!(series.due(at(9 + 359)).is_empty());
        let due = series.due(at(9 + 360));
        assert!(
            matches!(&due[..], [Told::Series { name, count: 10, last, .. }] if name == "one" && *last == at(9))
        );
        assert_eq!(series.next(at(400)), None);
        assert_eq!(series.take(&draft("a", 400), "three".into()), Told::First("three".into()));
    }

    #[test]
    fn a_series_that_goes_on_is_written_each_half_hour() {
        let mut series = Series::new();
        let mut written = Vec::new();
        for second in (0..7_200).step_by(60) {
            written
                .extend(count(&series.take(&draft("a", second), "one".into())).map(|count| (second, count)));
            written.extend(series.due(at(second)).iter().filter_map(count).map(|count| (second, count)));
        }
        assert_eq!(written, [(60, 2), (1860, 32), (3660, 62), (5460, 92)]);
    }

    #[test]
    fn one_event_alone_is_forgotten_after_six_minutes() {
        let mut series = Series::new();
        series.take(&draft("a", 0), "one".into());
        assert!(series.due(at(360)).is_empty());
        assert_eq!(series.next(at(360)), None);
    }
}
