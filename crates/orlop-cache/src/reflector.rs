use std::time::Duration;

use orlop_client::{Error, ListOptions, WatchOptions};
use orlop_clock::Random;
use orlop_model::Str;

use crate::backoff::Attempts;
use crate::{Backoff, revision};

/// How a [`Reflector`] asks.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// Label selector of the objects wanted; empty selects all.
    pub labels: String,
    /// Field selector of the objects wanted; empty selects all.
    pub fields: String,
    /// Objects in one page of a list that does not come from the source's cache; 0 for no pages.
    pub page: usize,
    /// A watch is renewed after a random time between this and twice as long, so that one that hangs is noticed and many
    /// are not renewed together.
    pub watch_timeout: Duration,
    /// How long to wait between attempts that fail.
    pub backoff: Backoff,
}

impl Default for Settings {
    /// Everything, in pages of 500; watches of 5 to 10 minutes: client-go's values.
    fn default() -> Self {
        Self {
            labels: String::new(),
            fields: String::new(),
            page: 500,
            watch_timeout: Duration::from_secs(300),
            backoff: Backoff::default(),
        }
    }
}

/// What a [`Reflector`] wants to be done next.
#[derive(Clone, Debug, PartialEq)]
pub enum Step {
    /// List, and tell [`Reflector::listed`] or [`Reflector::list_failed`].
    List(ListOptions),
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
/// - The first list may come from anywhere (resourceVersion `"0"`); later ones must not be older than what was seen, so
///   the copy never goes back in time. Only if the source no longer has, or does not have yet, what was seen is its most
///   recent state asked for.
/// - A watch goes on where the last one ended. Only if that is [`Error::Expired`], or the failure is none that passes by
///   itself, is listed again.
/// - Failures are followed by waits that double.
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
    attempts: Attempts,
}

#[derive(Clone, Debug, PartialEq)]
enum State {
    List { continue_: String, whole: bool },
    Watch { timeout: Duration },
    Wait { wait: Duration, then_list: bool },
}

const FROM_THE_START: State = State::List { continue_: String::new(), whole: false };

impl Reflector {
    /// Begins with a list.
    #[must_use]
    pub fn new(settings: Settings, random: Random) -> Self {
        Self {
            settings,
            random,
            state: FROM_THE_START,
            seen: Str::EMPTY,
            unavailable: false,
            paging: false,
            attempts: Attempts::default(),
        }
    }

    /// Up to which resourceVersion everything was seen.
    #[must_use]
    pub const fn seen(&self) -> &Str {
        &self.seen
    }

    /// What to do next. Asking again gives the same answer.
    #[must_use]
    pub fn next(&self) -> Step {
        let Settings { labels, fields, .. } = &self.settings;
        match &self.state {
            State::Wait { wait, .. } => Step::Wait(*wait),
            State::Watch { timeout } => Step::Watch {
                options: WatchOptions::from(self.seen.as_str()).labels(labels).fields(fields).bookmarks(),
                timeout: *timeout,
            },
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
                Step::List(options)
            }
        }
    }

    /// A list was answered, with the list's resourceVersion and the token to go on with.
    pub fn listed(&mut self, resource_version: &str, continue_: &str, now: Duration) -> Page {
        let State::List { continue_: token, .. } = &mut self.state else {
            return Page::Stale;
        };
        if !continue_.is_empty() {
            self.paging |= self.seen.is_empty() && !self.unavailable;
            *token = continue_.to_owned();
            return Page::Partial;
        }
        // What was asked for is at least as new; a source that answers otherwise lags behind. The most recent state is
        // taken as it is, even if the source itself was set back.
        if !self.unavailable && revision::is_before(resource_version, &self.seen) {
            self.wait(now, true);
            return Page::Stale;
        }
        self.unavailable = false;
        self.seen = resource_version.into();
        self.start_watch();
        Page::Complete
    }

    /// A list failed. What was kept of its pages is void.
    pub fn list_failed(&mut self, error: &Error, now: Duration) {
        let State::List { continue_, .. } = &self.state else {
            return;
        };
        let gone = matches!(error, Error::Expired { .. } | Error::TooLargeResourceVersion { .. });
        if gone && !continue_.is_empty() {
            // It took too long to turn the pages: all in one.
            self.state = State::List { continue_: String::new(), whole: true };
        } else if gone && !self.unavailable {
            self.unavailable = true;
            self.state = FROM_THE_START;
        } else {
            self.wait(now, true);
        }
    }

    /// The wait is over.
    pub fn waited(&mut self) {
        if let State::Wait { then_list, .. } = self.state {
            if then_list {
                self.state = FROM_THE_START;
            } else {
                self.start_watch();
            }
        }
    }

    /// A watch brought an event with this resourceVersion.
    pub fn saw(&mut self, resource_version: &Str) {
        if !resource_version.is_empty() && !revision::is_before(resource_version, &self.seen) {
            self.seen = resource_version.clone();
        }
    }

    /// A watch ended, or could not be begun: after how long, whether it brought anything, and why if it did not just
    /// end.
    pub fn watch_ended(&mut self, error: Option<&Error>, lasted: Duration, brought: bool, now: Duration) {
        if !matches!(self.state, State::Watch { .. }) {
            return;
        }
        match error {
            // A source that hangs up at once would be called again and again.
            None if lasted < Duration::from_secs(1) && !brought => self.wait(now, false),
            None => self.start_watch(),
            Some(Error::Expired { .. }) => self.state = FROM_THE_START,
            Some(Error::Transport { .. } | Error::Timeout { .. } | Error::TooManyRequests { .. }) => {
                self.wait(now, false)
            }
            Some(_) => self.wait(now, true),
        }
    }

    fn start_watch(&mut self) {
        self.state = State::Watch { timeout: self.random.jitter(self.settings.watch_timeout, 1.0) };
    }

    fn wait(&mut self, now: Duration, then_list: bool) {
        let wait = self.attempts.failed(&self.settings.backoff, now, &self.random);
        self.state = State::Wait { wait, then_list };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Duration = Duration::ZERO;

    fn reflector() -> Reflector {
        Reflector::new(Settings::default(), Random::new(1))
    }

    /// Resource version, limit and continue token of the list that is wanted.
    #[track_caller]
    fn list(reflector: &Reflector) -> (String, usize, String) {
        match reflector.next() {
            Step::List(options) => (options.resource_version, options.limit, options.continue_),
            step => panic!("{step:?}"),
        }
    }

    #[track_caller]
    fn watch(reflector: &Reflector) -> String {
        match reflector.next() {
            Step::Watch { options, timeout } => {
                assert!(options.bookmarks && !options.initial_events);
                assert!(
                    timeout >= Duration::from_secs(300) && timeout < Duration::from_secs(600),
                    "{timeout:?}"
                );
                options.resource_version
            }
            step => panic!("{step:?}"),
        }
    }

    #[track_caller]
    fn wait(reflector: &mut Reflector) -> Duration {
        let Step::Wait(wait) = reflector.next() else { panic!("{:?}", reflector.next()) };
        reflector.waited();
        wait
    }

    fn synced(at: &str) -> Reflector {
        let mut reflector = reflector();
        assert_eq!(reflector.listed(at, "", NOW), Page::Complete);
        reflector
    }

    fn wanted(version: &str, limit: usize) -> (String, usize, String) {
        (version.into(), limit, String::new())
    }

    fn transport() -> Error {
        Error::Transport { message: "connection refused".into(), source: None }
    }

    #[test]
    fn first_any_state_then_a_watch_from_there() {
        let mut reflector = reflector();
        assert_eq!(list(&reflector), wanted("0", 500));
        assert_eq!(reflector.listed("7", "", NOW), Page::Complete);
        assert_eq!(watch(&reflector), "7");
        reflector.saw(&"9".into());
        reflector.saw(&"8".into()); // repeated: does not set back
        reflector.watch_ended(None, Duration::from_secs(400), true, NOW);
        assert_eq!(watch(&reflector), "9");
    }

    #[test]
    fn pages_are_turned_and_a_source_without_a_cache_is_remembered() {
        let mut reflector = reflector();
        assert_eq!(reflector.listed("7", "more", NOW), Page::Partial);
        assert_eq!(list(&reflector), (String::new(), 500, "more".into()));
        assert_eq!(reflector.listed("7", "", NOW), Page::Complete);
        reflector.watch_ended(Some(&Error::expired("too old")), NOW, false, NOW);
        assert_eq!(list(&reflector), wanted("7", 500));

        let mut cached = synced("7");
        cached.watch_ended(Some(&Error::expired("too old")), NOW, false, NOW);
        assert_eq!(list(&cached), wanted("7", 0), "from the source's cache, whole");
    }

    #[test]
    fn expired_lists_again_not_older_and_only_then_the_most_recent() {
        let mut reflector = synced("7");
        reflector.watch_ended(Some(&Error::expired("too old")), NOW, false, NOW);
        let Step::List(options) = reflector.next() else { panic!() };
        assert_eq!(options.match_, Some(orlop_client::ResourceVersionMatch::NotOlderThan));
        let too_large = Error::TooLargeResourceVersion { wanted: "7".into(), current: "5".into() };
        reflector.list_failed(&too_large, NOW);
        assert_eq!(list(&reflector), wanted("", 500), "no wait between them");
        // Set back from a backup: what is there now counts.
        assert_eq!(reflector.listed("5", "", NOW), Page::Complete);
        assert_eq!(watch(&reflector), "5");
        // And the next time the usual way again.
        reflector.watch_ended(Some(&Error::expired("too old")), NOW, false, NOW);
        assert_eq!(list(&reflector), wanted("5", 0));
    }

    #[test]
    fn a_list_that_is_older_than_what_was_seen_is_not_taken() {
        let mut reflector = synced("7");
        reflector.saw(&"9".into());
        reflector.watch_ended(Some(&Error::expired("too old")), NOW, true, NOW);
        assert_eq!(reflector.listed("8", "", NOW), Page::Stale);
        assert!(wait(&mut reflector) >= Duration::from_millis(800));
        assert_eq!(list(&reflector), wanted("9", 0));
        assert_eq!(reflector.listed("9", "", NOW), Page::Complete);
    }

    #[test]
    fn a_token_that_expires_makes_it_one_whole_list() {
        let mut reflector = reflector();
        reflector.listed("7", "more", NOW);
        reflector.list_failed(&Error::expired("the token is too old"), NOW);
        assert_eq!(list(&reflector), wanted("0", 0));
        assert_eq!(reflector.listed("9", "", NOW), Page::Complete);
    }

    #[test]
    fn what_passes_by_itself_is_waited_out_without_a_list() {
        let too_many =
            Error::TooManyRequests { object: Box::default(), message: "busy".into(), retry_after: None };
        for error in [transport(), too_many, Error::Timeout { message: "slow".into() }] {
            let mut reflector = synced("7");
            let first = {
                reflector.watch_ended(Some(&error), NOW, false, NOW);
                wait(&mut reflector)
            };
            assert_eq!(watch(&reflector), "7", "{error}");
            let second = {
                reflector.watch_ended(Some(&error), NOW, false, NOW);
                wait(&mut reflector)
            };
            assert!(
                first >= Duration::from_millis(800) && second >= Duration::from_millis(1600),
                "{first:?} {second:?}"
            );
        }
    }

    #[test]
    fn any_other_failure_of_a_watch_lists_again_after_a_wait() {
        let mut reflector = synced("7");
        reflector.watch_ended(Some(&Error::internal("broken")), NOW, false, NOW);
        wait(&mut reflector);
        assert_eq!(list(&reflector), wanted("7", 0));
    }

    #[test]
    fn a_list_that_fails_is_tried_again_after_a_wait() {
        let mut reflector = reflector();
        reflector.listed("7", "more", NOW);
        reflector.list_failed(&transport(), NOW);
        wait(&mut reflector);
        assert_eq!(list(&reflector), wanted("0", 500), "from the first page");
    }

    #[test]
    fn a_watch_that_ends_at_once_is_not_repeated_at_once() {
        let mut reflector = synced("7");
        reflector.watch_ended(None, Duration::from_millis(10), false, NOW);
        assert!(wait(&mut reflector) >= Duration::from_millis(800));
        reflector.watch_ended(None, Duration::from_millis(10), true, NOW);
        assert_eq!(watch(&reflector), "7", "it brought something");
    }

    #[test]
    fn expired_with_the_most_recent_state_too_is_waited_out() {
        let mut reflector = synced("7");
        reflector.watch_ended(Some(&Error::expired("too old")), NOW, false, NOW);
        reflector.list_failed(&Error::expired("too old"), NOW);
        reflector.list_failed(&Error::expired("too old"), NOW);
        wait(&mut reflector);
        assert_eq!(list(&reflector), wanted("", 500));
    }
}
