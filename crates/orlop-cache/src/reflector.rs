use std::time::Duration;

use orlop_client::{Error, ListOptions, WatchOptions};
use orlop_clock::Random;
use orlop_model::Str;

use crate::backoff::Attempts;
use crate::{Backoff, revision};

/// A watch that ends sooner, and brings nothing, counts as a failure.
const SHORT: Duration = Duration::from_secs(1);

/// After so many such watches in a row the state that they began from is not trusted any more.
const SHORT_WATCHES: u32 = 3;

/// How a [`Reflector`] asks.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// Label selector of the objects wanted; empty selects all.
    pub labels: String,
    /// Field selector of the objects wanted; empty selects all.
    pub fields: String,
    /// Whether to list by a watch that begins with what there is, which costs a server least. A source that cannot do
    /// that is asked for lists.
    pub streaming: bool,
    /// Objects in one page of a list that does not come from the source's cache; 0 for no pages.
    pub page: usize,
    /// How long a page of a list, or the next object of a streaming list, may take.
    pub list_timeout: Duration,
    /// A watch is renewed after a random time between this and twice as long, so that one that hangs is noticed and many
    /// are not renewed together.
    pub watch_timeout: Duration,
    /// How long a watch that fails by [`Error::Internal`] is tried again before there is another list.
    pub internal_error_retry: Duration,
    /// How long to wait between attempts that fail.
    pub backoff: Backoff,
}

impl Default for Settings {
    /// Everything, by streaming lists, or pages of 500; 60 s for each; watches of 5 to 10 minutes; another list after an
    /// internal error: client-go's values.
    fn default() -> Self {
        Self {
            labels: String::new(),
            fields: String::new(),
            streaming: true,
            page: 500,
            list_timeout: Duration::from_secs(60),
            watch_timeout: Duration::from_secs(300),
            internal_error_retry: Duration::ZERO,
            backoff: Backoff::default(),
        }
    }
}

/// What a [`Reflector`] wants to be done next.
#[derive(Clone, Debug, PartialEq)]
pub enum Step {
    /// List, and tell [`Reflector::listed`] or [`Reflector::list_failed`].
    List {
        /// What to ask for.
        options: ListOptions,
        /// When to give up, with an [`Error::Timeout`].
        timeout: Duration,
    },
    /// Watch, beginning with what there is. Tell [`Reflector::streamed`] when that is complete. From then on this is as
    /// the watch of `Watch`.
    Stream {
        /// What to ask for.
        options: WatchOptions,
        /// When to end it.
        timeout: Duration,
        /// Until what there is is complete: when to give up waiting for the next event, with an [`Error::Timeout`].
        idle: Duration,
    },
    /// Watch for at most `timeout`. Tell [`Reflector::saw`] of each event, and [`Reflector::watch_ended`].
    Watch {
        /// What to ask for.
        options: WatchOptions,
        /// When to end it.
        timeout: Duration,
    },
    /// Wait, and tell [`Reflector::waited`].
    Wait(Duration),
}

/// What to do with the objects of a list's answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Page {
    /// Keep them: there are more to come.
    Partial,
    /// Together with those kept they are what there is.
    Complete,
    /// Drop them and those kept: they are older than what was seen already.
    Stale,
}

/// The protocol by which a copy of a source's objects is made and kept up to date: list, then watch from there, and so
/// on through everything that can go wrong. It does nothing itself: it says what to ask and is told what came.
///
/// The rules are those of client-go's reflector:
/// - A streaming list, and every list but the first, must not be older than what was seen, so the copy never goes back
///   in time. Only if the source no longer has, or does not have yet, what was seen is its most recent state asked for.
///   The first list in pages may come from anywhere (resourceVersion `"0"`).
/// - A streaming list that fails is tried again if it was not the source's fault that it failed; else a list in pages
///   takes its place.
/// - A watch goes on where the last one ended. Only if that is [`Error::Expired`], or the failure is none that passes by
///   itself, is listed again.
/// - Failures are followed by waits that double. Those of many reflectors are spread by jitter.
#[derive(Clone, Debug)]
pub struct Reflector {
    settings: Settings,
    random: Random,
    state: State,
    /// Up to here everything was seen. Empty before the first list.
    seen: Str,
    /// The last list that asked for `seen` was told that this cannot be had.
    unavailable: bool,
    /// The source answers `"0"` in pages, so it has no cache to serve whole lists from.
    paging: bool,
    /// Lists are asked for instead of streams.
    instead: Instead,
    attempts: Attempts,
    short_watches: u32,
    /// The first of the internal errors in a row.
    internal: Option<Duration>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Instead {
    Not,
    ThisTime,
    Always,
}

#[derive(Clone, Debug, PartialEq)]
enum State {
    List { continue_: String, whole: bool },
    Stream { timeout: Duration },
    Watch { timeout: Duration },
    Wait { wait: Duration, then: Then },
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Then {
    Begin,
    Watch,
}

impl Reflector {
    /// Begins with a list.
    #[must_use]
    pub fn new(settings: Settings, random: Random) -> Self {
        let instead = if settings.streaming { Instead::Not } else { Instead::Always };
        let mut reflector = Self {
            settings,
            random,
            state: State::Wait { wait: Duration::ZERO, then: Then::Begin },
            seen: Str::EMPTY,
            unavailable: false,
            paging: false,
            instead,
            attempts: Attempts::default(),
            short_watches: 0,
            internal: None,
        };
        reflector.begin();
        reflector
    }

    /// Up to which resourceVersion everything was seen.
    #[must_use]
    pub const fn seen(&self) -> &Str {
        &self.seen
    }

    /// What to do next. Asking again gives the same answer.
    #[must_use]
    pub fn next(&self) -> Step {
        let Settings { labels, fields, list_timeout, .. } = &self.settings;
        match &self.state {
            State::Wait { wait, .. } => Step::Wait(*wait),
            State::Watch { timeout } => Step::Watch {
                options: WatchOptions::from(self.seen.as_str()).labels(labels).fields(fields).bookmarks(),
                timeout: *timeout,
            },
            State::Stream { timeout } => {
                // Empty is the most recent state.
                let from = if self.unavailable { "" } else { self.seen.as_str() };
                let options = WatchOptions::from(from).labels(labels).fields(fields);
                let options = options.bookmarks().initial_events();
                Step::Stream { options, timeout: *timeout, idle: *list_timeout }
            }
            State::List { continue_, whole } => {
                let mut options = ListOptions::new().labels(labels).fields(fields);
                if self.seen.is_empty() && !self.unavailable {
                    options.resource_version = "0".into();
                } else if !self.unavailable {
                    options = options.not_older_than(self.seen.as_str());
                }
                // A source with a cache answers from it only if it is not asked for pages.
                let from_cache = !self.seen.is_empty() && !self.unavailable && !self.paging;
                if !whole && !from_cache {
                    options.limit = self.settings.page;
                }
                if !continue_.is_empty() {
                    options.continue_.clone_from(continue_);
                    // The token stands for the revision.
                    options.resource_version.clear();
                    options.match_ = None;
                }
                Step::List { options, timeout: *list_timeout }
            }
        }
    }

    /// A list was answered, with the list's resourceVersion and the token to go on with.
    pub fn listed(&mut self, resource_version: &str, continue_: &str, now: Duration) -> Page {
        let State::List { continue_: token, .. } = &mut self.state else {
            return Page::Stale;
        };
        let is_stale = !self.unavailable && revision::is_before(resource_version, &self.seen);
        if !continue_.is_empty() && !is_stale {
            self.paging |= self.seen.is_empty() && !self.unavailable;
            *token = continue_.to_owned();
            return Page::Partial;
        }
        self.complete(resource_version, is_stale, now)
    }

    /// A streaming list is complete, with the bookmark's resourceVersion. The same watch goes on.
    pub fn streamed(&mut self, resource_version: &str, now: Duration) -> Page {
        let State::Stream { timeout } = self.state else {
            return Page::Stale;
        };
        let is_stale = !self.unavailable && revision::is_before(resource_version, &self.seen);
        let page = self.complete(resource_version, is_stale, now);
        if page == Page::Complete {
            self.state = State::Watch { timeout };
        }
        page
    }

    fn complete(&mut self, resource_version: &str, is_stale: bool, now: Duration) -> Page {
        // What was asked for is at least as new; a source that answers otherwise lags behind. The most recent state is
        // taken as it is, even if the source itself was set back.
        if is_stale {
            self.wait(now, Then::Begin, Duration::ZERO);
            return Page::Stale;
        }
        self.unavailable = false;
        if self.instead == Instead::ThisTime {
            self.instead = Instead::Not;
        }
        self.seen = resource_version.into();
        self.start_watch();
        Page::Complete
    }

    /// A list failed. What was kept of its pages is void.
    pub fn list_failed(&mut self, error: &Error, now: Duration) {
        let State::List { continue_, .. } = &self.state else {
            return;
        };
        if is_gone(error) && !continue_.is_empty() {
            // It took too long to turn the pages: all in one.
            self.state = State::List { continue_: String::new(), whole: true };
        } else if is_gone(error) && !self.unavailable {
            self.unavailable = true;
            self.state = State::List { continue_: String::new(), whole: false };
        } else {
            self.wait(now, Then::Begin, told(error));
        }
    }

    /// The wait is over.
    pub fn waited(&mut self) {
        match self.state {
            State::Wait { then: Then::Begin, .. } => self.begin(),
            State::Wait { then: Then::Watch, .. } => self.start_watch(),
            _ => {}
        }
    }

    /// A watch brought an event with this resourceVersion. (Not before a streaming list is complete: what it brings is
    /// in no order.)
    pub fn saw(&mut self, resource_version: &Str) {
        if matches!(self.state, State::Watch { .. })
            && !resource_version.is_empty()
            && !revision::is_before(resource_version, &self.seen)
        {
            self.seen = resource_version.clone();
        }
    }

    /// A watch, or a streaming list, ended or could not be begun: after how long, whether it brought anything, and why
    /// if it did not just end.
    pub fn watch_ended(&mut self, error: Option<&Error>, lasted: Duration, brought: bool, now: Duration) {
        match self.state {
            State::Stream { .. } => self.stream_ended(error, now),
            State::Watch { .. } => self.ended(error, lasted, brought, now),
            State::List { .. } | State::Wait { .. } => {}
        }
    }

    fn ended(&mut self, error: Option<&Error>, lasted: Duration, brought: bool, now: Duration) {
        // A source that hangs up at once would be called again and again.
        let is_short = error.is_none() && lasted < SHORT && !brought;
        self.short_watches = if is_short { self.short_watches + 1 } else { 0 };
        if !matches!(error, Some(Error::Internal { .. })) {
            self.internal = None;
        }
        match error {
            None if self.short_watches >= SHORT_WATCHES => {
                self.short_watches = 0;
                self.wait(now, Then::Begin, Duration::ZERO);
            }
            None if is_short => self.wait(now, Then::Watch, Duration::ZERO),
            None => self.start_watch(),
            Some(error) if passes(error) => self.wait(now, Then::Watch, told(error)),
            Some(Error::Internal { .. }) if !self.settings.internal_error_retry.is_zero() => {
                let first = *self.internal.get_or_insert(now);
                let go_on = now.saturating_sub(first) < self.settings.internal_error_retry;
                self.wait(now, if go_on { Then::Watch } else { Then::Begin }, Duration::ZERO);
            }
            // The wait spreads the lists of all those to whom the same happened.
            Some(_) => self.wait(now, Then::Begin, Duration::ZERO),
        }
    }

    fn stream_ended(&mut self, error: Option<&Error>, now: Duration) {
        match error {
            Some(error) if is_gone(error) && !self.unavailable => {
                self.unavailable = true;
                self.begin();
            }
            Some(Error::Unsupported { .. } | Error::BadRequest { .. } | Error::Invalid { .. }) => {
                self.instead = Instead::Always;
                self.begin();
            }
            Some(error @ (Error::Transport { .. } | Error::TooManyRequests { .. })) => {
                self.wait(now, Then::Begin, told(error));
            }
            // It ended, hung or broke. A source that always does that still answers lists, perhaps.
            Some(_) | None => {
                self.instead = Instead::ThisTime;
                self.wait(now, Then::Begin, Duration::ZERO);
            }
        }
    }

    fn begin(&mut self) {
        self.state = match self.instead {
            Instead::Not => State::Stream { timeout: self.watch_timeout() },
            Instead::ThisTime | Instead::Always => State::List { continue_: String::new(), whole: false },
        };
    }

    fn start_watch(&mut self) {
        self.state = State::Watch { timeout: self.watch_timeout() };
    }

    fn watch_timeout(&self) -> Duration {
        self.random.jitter(self.settings.watch_timeout, 1.0)
    }

    fn wait(&mut self, now: Duration, then: Then, at_least: Duration) {
        let wait = self.attempts.failed(&self.settings.backoff, now, &self.random).max(at_least);
        self.state = State::Wait { wait, then };
    }
}

/// The revision asked for cannot be had.
const fn is_gone(error: &Error) -> bool {
    matches!(error, Error::Expired { .. } | Error::TooLargeResourceVersion { .. })
}

/// The source is out of reach or busy: nothing was missed that another watch would not bring.
const fn passes(error: &Error) -> bool {
    matches!(error, Error::Transport { .. } | Error::Timeout { .. } | Error::TooManyRequests { .. })
}

/// How long the source wants to be left alone.
fn told(error: &Error) -> Duration {
    match error {
        Error::TooManyRequests { retry_after, .. } => retry_after.unwrap_or_default(),
        _ => Duration::ZERO,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Duration = Duration::ZERO;

    fn paged() -> Reflector {
        Reflector::new(Settings { streaming: false, ..Settings::default() }, Random::new(1))
    }

    fn streaming() -> Reflector {
        Reflector::new(Settings::default(), Random::new(1))
    }

    /// What comes from the source.
    #[derive(Clone)]
    enum Answer {
        Listed(&'static str, &'static str),
        Streamed(&'static str),
        Saw(&'static str),
        /// Lasted so many milliseconds, brought something.
        Ended(u64, bool),
        Failed(Error),
        /// The wait is over; it was at least so long.
        Waited(u64),
    }
    use Answer::{Ended, Failed, Listed, Saw, Streamed, Waited};

    /// What is asked, in short.
    fn asked(reflector: &Reflector) -> String {
        match reflector.next() {
            Step::List { options, timeout } => {
                assert_eq!(timeout, Duration::from_secs(60));
                assert_eq!((&*options.labels, &*options.fields), ("", ""));
                let not_older = options.match_ == Some(orlop_client::ResourceVersionMatch::NotOlderThan);
                assert_eq!(options.match_.is_some(), not_older);
                let rule = if not_older { " or later" } else { "" };
                let token = if options.continue_.is_empty() {
                    String::new()
                } else {
                    format!(" {}", options.continue_)
                };
                format!("list {:?}{rule} limit {}{token}", options.resource_version, options.limit)
            }
            Step::Stream { options, timeout, idle } => {
                assert!(options.bookmarks && options.initial_events, "{options:?}");
                assert_eq!(idle, Duration::from_secs(60));
                in_range(timeout);
                format!("stream {:?}", options.resource_version)
            }
            Step::Watch { options, timeout } => {
                assert!(options.bookmarks && !options.initial_events, "{options:?}");
                in_range(timeout);
                format!("watch {:?}", options.resource_version)
            }
            Step::Wait(_) => "wait".to_owned(),
        }
    }

    fn in_range(timeout: Duration) {
        assert!(timeout >= Duration::from_secs(300) && timeout < Duration::from_secs(600), "{timeout:?}");
    }

    fn transport() -> Error {
        Error::Transport { message: "connection refused".into(), source: None }
    }

    fn expired() -> Error {
        Error::expired("too old resource version")
    }

    fn too_large() -> Error {
        Error::TooLargeResourceVersion { wanted: "7".into(), current: "5".into() }
    }

    fn busy(retry_after: Option<u64>) -> Error {
        let retry_after = retry_after.map(Duration::from_secs);
        Error::TooManyRequests { object: Box::default(), message: "busy".into(), retry_after }
    }

    /// Each line: what is asked, and what is answered. The last answer is followed by what is asked then.
    #[track_caller]
    fn script(mut reflector: Reflector, lines: &[(&str, Answer)], last: &str) {
        for (number, (wanted, answer)) in lines.iter().enumerate() {
            assert_eq!(asked(&reflector), *wanted, "line {number}");
            assert_eq!(asked(&reflector), *wanted, "asking again changes nothing");
            match answer.clone() {
                Listed(version, token) => drop(reflector.listed(version, token, NOW)),
                Streamed(version) => drop(reflector.streamed(version, NOW)),
                Saw(version) => reflector.saw(&version.into()),
                Ended(ms, brought) => reflector.watch_ended(None, Duration::from_millis(ms), brought, NOW),
                Failed(error) => {
                    reflector.list_failed(&error, NOW);
                    reflector.watch_ended(Some(&error), Duration::from_secs(5), false, NOW);
                }
                Waited(at_least) => {
                    let Step::Wait(wait) = reflector.next() else { panic!("line {number}: no wait") };
                    assert!(wait >= Duration::from_millis(at_least), "line {number}: {wait:?}");
                    reflector.waited();
                }
            }
        }
        assert_eq!(asked(&reflector), last);
    }

    /// The table of facts: paged lists.
    #[test]
    fn paged_lists_ask_as_client_go_does() {
        // First any state, then a watch from there; repetitions do not set back.
        script(
            paged(),
            &[
                (r#"list "0" limit 500"#, Listed("7", "")),
                (r#"watch "7""#, Saw("9")),
                (r#"watch "9""#, Saw("8")),
                (r#"watch "9""#, Ended(400_000, true)),
            ],
            r#"watch "9""#,
        );
        // A source that answers "0" from a cache is asked for all at once later on.
        let again = [
            (r#"list "0" limit 500"#, Listed("7", "")),
            (r#"watch "7""#, Failed(expired())),
            ("wait", Waited(800)),
        ];
        script(paged(), &again, r#"list "7" or later limit 0"#);
        // One that answers it in pages has none, and is always asked for pages.
        script(
            paged(),
            &[
                (r#"list "0" limit 500"#, Listed("7", "more")),
                (r#"list "" limit 500 more"#, Listed("7", "")),
                (r#"watch "7""#, Failed(expired())),
                ("wait", Waited(800)),
            ],
            r#"list "7" or later limit 500"#,
        );
        // 410 of a watch alone does not make it ask for the most recent state; 410 of the list does, at once.
        let then = [
            (r#"list "7" or later limit 0"#, Failed(expired())),
            (r#"list "" limit 500"#, Listed("9", "")),
            (r#"watch "9""#, Failed(expired())),
            ("wait", Waited(1600)),
        ];
        script(paged(), &[&again[..], &then].concat(), r#"list "9" or later limit 0"#);
        // Restored from a backup: what is there now counts.
        let then = [
            (r#"list "7" or later limit 0"#, Failed(too_large())),
            (r#"list "" limit 500"#, Listed("5", "")),
        ];
        script(paged(), &[&again[..], &then].concat(), r#"watch "5""#);
        // And if that cannot be had either, it is waited out.
        script(
            paged(),
            &[
                (r#"list "0" limit 500"#, Failed(expired())),
                (r#"list "" limit 500"#, Failed(expired())),
                ("wait", Waited(800)),
            ],
            r#"list "" limit 500"#,
        );
        // A token that expires makes it one whole list of the state that was asked for.
        script(
            paged(),
            &[
                (r#"list "0" limit 500"#, Listed("7", "more")),
                (r#"list "" limit 500 more"#, Failed(expired())),
                (r#"list "0" limit 0"#, Listed("9", "")),
            ],
            r#"watch "9""#,
        );
        // A list that fails begins at its first page again.
        script(
            paged(),
            &[
                (r#"list "0" limit 500"#, Listed("7", "more")),
                (r#"list "" limit 500 more"#, Failed(transport())),
                ("wait", Waited(800)),
            ],
            r#"list "0" limit 500"#,
        );
    }

    #[test]
    fn never_back_in_time() {
        // Nor by the first of its pages.
        for token in ["", "more"] {
            script(
                paged(),
                &[
                    (r#"list "0" limit 500"#, Listed("7", "")),
                    (r#"watch "7""#, Saw("9")),
                    (r#"watch "9""#, Failed(expired())),
                    ("wait", Waited(800)),
                    (r#"list "9" or later limit 0"#, Listed("8", token)),
                    ("wait", Waited(1600)),
                    (r#"list "9" or later limit 0"#, Listed("9", "")),
                ],
                r#"watch "9""#,
            );
        }
        script(
            streaming(),
            &[
                (r#"stream """#, Streamed("7")),
                (r#"watch "7""#, Failed(expired())),
                ("wait", Waited(800)),
                (r#"stream "7""#, Streamed("6")),
                ("wait", Waited(1600)),
                (r#"stream "7""#, Streamed("7")),
            ],
            r#"watch "7""#,
        );
    }

    #[test]
    fn streaming_lists_ask_as_client_go_does() {
        // The same watch goes on, then others from what was seen.
        script(
            streaming(),
            &[
                (r#"stream """#, Saw("3")), // in no order: does not count
                (r#"stream """#, Streamed("7")),
                (r#"watch "7""#, Saw("9")),
                (r#"watch "9""#, Ended(400_000, true)),
                (r#"watch "9""#, Failed(expired())),
                ("wait", Waited(800)),
                (r#"stream "9""#, Failed(expired())),
                (r#"stream """#, Streamed("12")),
            ],
            r#"watch "12""#,
        );
        // Out of reach or busy: again, when the source wants it.
        script(
            streaming(),
            &[
                (r#"stream """#, Failed(transport())),
                ("wait", Waited(800)),
                (r#"stream """#, Failed(busy(Some(70)))),
                ("wait", Waited(70_000)),
            ],
            r#"stream """#,
        );
        // A source that does not know streaming lists is not asked for them any more.
        script(
            streaming(),
            &[
                (r#"stream """#, Failed(Error::unsupported("sendInitialEvents"))),
                (r#"list "0" limit 500"#, Listed("7", "")),
                (r#"watch "7""#, Failed(expired())),
                ("wait", Waited(800)),
            ],
            r#"list "7" or later limit 0"#,
        );
        // One that hangs or breaks is helped out by a list for once.
        let late = || Error::Timeout { message: "no answer".into() };
        for broken in [Failed(late()), Failed(Error::internal("broken")), Ended(5_000, true)] {
            script(
                streaming(),
                &[
                    (r#"stream """#, broken),
                    ("wait", Waited(800)),
                    (r#"list "0" limit 500"#, Listed("7", "")),
                    (r#"watch "7""#, Failed(expired())),
                    ("wait", Waited(1600)),
                ],
                r#"stream "7""#,
            );
        }
    }

    #[test]
    fn what_passes_by_itself_is_waited_out_without_a_list() {
        for error in [transport(), busy(None), Error::Timeout { message: "slow".into() }] {
            script(
                paged(),
                &[
                    (r#"list "0" limit 500"#, Listed("7", "")),
                    (r#"watch "7""#, Failed(error.clone())),
                    ("wait", Waited(800)),
                    (r#"watch "7""#, Failed(error.clone())),
                    ("wait", Waited(1600)),
                ],
                r#"watch "7""#,
            );
        }
        script(
            paged(),
            &[
                (r#"list "0" limit 500"#, Listed("7", "")),
                (r#"watch "7""#, Failed(busy(Some(90)))),
                ("wait", Waited(90_000)),
            ],
            r#"watch "7""#,
        );
    }

    #[test]
    fn any_other_failure_of_a_watch_lists_again_after_a_wait() {
        let forbidden = Error::bad_request("no");
        for error in [Error::internal("broken"), forbidden] {
            script(
                paged(),
                &[
                    (r#"list "0" limit 500"#, Listed("7", "")),
                    (r#"watch "7""#, Failed(error)),
                    ("wait", Waited(800)),
                ],
                r#"list "7" or later limit 0"#,
            );
        }
    }

    #[test]
    fn internal_errors_are_borne_as_long_as_is_said() {
        let retry = Duration::from_secs(30);
        let settings = Settings { streaming: false, internal_error_retry: retry, ..Settings::default() };
        let mut reflector = Reflector::new(settings, Random::new(1));
        reflector.listed("7", "", NOW);
        for (second, wanted) in
            [(100, "watch \"7\""), (110, "watch \"7\""), (131, "list \"7\" or later limit 0")]
        {
            let now = Duration::from_secs(second);
            reflector.watch_ended(Some(&Error::internal("broken")), Duration::from_secs(5), false, now);
            reflector.waited();
            assert_eq!(asked(&reflector), wanted, "after {second} s");
        }
    }

    #[test]
    fn a_watch_that_ends_at_once_is_not_repeated_at_once_nor_for_ever() {
        script(
            paged(),
            &[
                (r#"list "0" limit 500"#, Listed("7", "")),
                (r#"watch "7""#, Ended(10, false)),
                ("wait", Waited(800)),
                (r#"watch "7""#, Ended(10, true)), // it brought something
                (r#"watch "7""#, Ended(10, false)),
                ("wait", Waited(1600)),
                (r#"watch "7""#, Ended(10, false)),
                ("wait", Waited(3200)),
                (r#"watch "7""#, Ended(10, false)),
                ("wait", Waited(6400)),
            ],
            r#"list "7" or later limit 0"#,
        );
    }

    #[test]
    fn waits_are_spread() {
        let wait = |seed| {
            let mut reflector = Reflector::new(Settings::default(), Random::new(seed));
            reflector.streamed("7", NOW);
            reflector.watch_ended(Some(&expired()), NOW, true, NOW);
            match reflector.next() {
                Step::Wait(wait) => wait,
                step => panic!("{step:?}"),
            }
        };
        let mut waits: Vec<_> = (0..100).map(wait).collect();
        waits.sort_unstable();
        waits.dedup();
        assert!(waits.len() > 90, "{waits:?}");
        assert!(waits[waits.len() - 1] - waits[0] > Duration::from_millis(600), "{waits:?}");
    }
}
