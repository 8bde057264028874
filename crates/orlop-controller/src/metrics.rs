use std::fmt;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::time::Duration;

use orlop_model::Str;

use crate::{Action, Error};

/// Upper bounds of [`Metrics::reconcile_time`] in milliseconds: those of controller-runtime.
const BOUNDS: [u64; 39] = [
    5, 10, 25, 50, 100, 150, 200, 250, 300, 350, 400, 450, 500, 600, 700, 800, 900, 1000, 1250, 1500, 1750,
    2000, 2500, 3000, 3500, 4000, 4500, 5000, 6000, 7000, 8000, 9000, 10000, 15000, 20000, 25000, 30000,
    40000, 60000,
];

/// What a controller has done so far. The names in [`Metrics::write`] are those of controller-runtime.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Metrics {
    /// Reconciles that succeeded and asked for nothing more.
    pub success: u64,
    /// Reconciles that succeeded and asked to be called again.
    pub requeue_after: u64,
    /// Reconciles that failed.
    pub errors: u64,
    /// Those of them that are not tried again before something changes.
    pub terminal_errors: u64,
    /// Those of them that panicked.
    pub panics: u64,
    /// Those of them that took too long.
    pub timeouts: u64,
    /// How many keys waited for the caches to have what was written for them.
    pub waited_for_cache: u64,
    /// How many of those went on without.
    pub gave_up_on_cache: u64,
    /// Time that reconciles took, added up.
    pub reconcile_time: Duration,
    /// Reconciles that took at most as long as each bound, and longer than the one before; the last has none.
    pub reconcile_times: Vec<(Option<Duration>, u64)>,
    /// Reconciles that run now.
    pub active_workers: usize,
    /// How many may run at once.
    pub max_concurrent_reconciles: usize,
}

impl Metrics {
    /// Writes them as text, as Prometheus reads it.
    ///
    /// # Errors
    /// Those of `to`.
    pub fn write(&self, controller: &str, to: &mut impl fmt::Write) -> fmt::Result {
        let label = format!("controller={controller:?}");
        const NAME: &str = "controller_runtime";
        writeln!(to, "# TYPE {NAME}_reconcile_total counter")?;
        let results = [
            ("error", self.errors),
            ("requeue_after", self.requeue_after),
            ("requeue", 0),
            ("success", self.success),
        ];
        for (result, count) in results {
            writeln!(to, "{NAME}_reconcile_total{{{label},result=\"{result}\"}} {count}")?;
        }
        for (name, count) in [
            ("reconcile_errors_total", self.errors),
            ("terminal_reconcile_errors_total", self.terminal_errors),
            ("reconcile_panics_total", self.panics),
            ("reconcile_timeouts_total", self.timeouts),
        ] {
            writeln!(to, "# TYPE {NAME}_{name} counter\n{NAME}_{name}{{{label}}} {count}")?;
        }
        for (name, count) in [
            ("max_concurrent_reconciles", self.max_concurrent_reconciles),
            ("active_workers", self.active_workers),
        ] {
            writeln!(to, "# TYPE {NAME}_{name} gauge\n{NAME}_{name}{{{label}}} {count}")?;
        }
        writeln!(to, "# TYPE {NAME}_reconcile_time_seconds histogram")?;
        let mut sum = 0;
        for (bound, count) in &self.reconcile_times {
            sum += count;
            let bound = bound.map_or_else(|| "+Inf".to_owned(), |bound| bound.as_secs_f64().to_string());
            writeln!(to, "{NAME}_reconcile_time_seconds_bucket{{{label},le=\"{bound}\"}} {sum}")?;
        }
        let seconds = self.reconcile_time.as_secs_f64();
        writeln!(to, "{NAME}_reconcile_time_seconds_sum{{{label}}} {seconds}")?;
        writeln!(to, "{NAME}_reconcile_time_seconds_count{{{label}}} {sum}")
    }
}

/// The same while it is counted.
#[derive(Debug)]
pub(crate) struct Counters {
    pub(crate) name: Str,
    success: AtomicU64,
    requeue_after: AtomicU64,
    errors: AtomicU64,
    terminal: AtomicU64,
    panics: AtomicU64,
    timeouts: AtomicU64,
    pub(crate) waited: AtomicU64,
    pub(crate) gave_up: AtomicU64,
    nanos: AtomicU64,
    times: [AtomicU64; BOUNDS.len() + 1],
    pub(crate) active: AtomicUsize,
    pub(crate) most: AtomicUsize,
}

impl Counters {
    pub(crate) fn new(name: Str) -> Self {
        Self {
            name,
            success: AtomicU64::new(0),
            requeue_after: AtomicU64::new(0),
            errors: AtomicU64::new(0),
            terminal: AtomicU64::new(0),
            panics: AtomicU64::new(0),
            timeouts: AtomicU64::new(0),
            waited: AtomicU64::new(0),
            gave_up: AtomicU64::new(0),
            nanos: AtomicU64::new(0),
            times: [const { AtomicU64::new(0) }; BOUNDS.len() + 1],
            active: AtomicUsize::new(0),
            most: AtomicUsize::new(0),
        }
    }

    pub(crate) fn count(&self, outcome: &Result<Action, Error>, took: Duration) {
        let counter = match outcome {
            Ok(action) if action.requeue_after().is_none() => &self.success,
            Ok(_) => &self.requeue_after,
            Err(error) => {
                match error {
                    Error::Panic { .. } => _ = self.panics.fetch_add(1, Relaxed),
                    Error::Timeout { .. } => _ = self.timeouts.fetch_add(1, Relaxed),
                    _ => {}
                }
                if error.retry(0) == crate::Retry::Never {
                    self.terminal.fetch_add(1, Relaxed);
                }
                &self.errors
            }
        };
        counter.fetch_add(1, Relaxed);
        self.nanos.fetch_add(u64::try_from(took.as_nanos()).unwrap_or(u64::MAX), Relaxed);
        // Nearly all are short.
        let place = BOUNDS.iter().position(|bound| took <= Duration::from_millis(*bound));
        self.times[place.unwrap_or(BOUNDS.len())].fetch_add(1, Relaxed);
    }

    pub(crate) fn read(&self) -> Metrics {
        let bounds = BOUNDS.iter().map(|bound| Some(Duration::from_millis(*bound))).chain([None]);
        Metrics {
            success: self.success.load(Relaxed),
            requeue_after: self.requeue_after.load(Relaxed),
            errors: self.errors.load(Relaxed),
            terminal_errors: self.terminal.load(Relaxed),
            panics: self.panics.load(Relaxed),
            timeouts: self.timeouts.load(Relaxed),
            waited_for_cache: self.waited.load(Relaxed),
            gave_up_on_cache: self.gave_up.load(Relaxed),
            reconcile_time: Duration::from_nanos(self.nanos.load(Relaxed)),
            reconcile_times: bounds.zip(self.times.iter().map(|count| count.load(Relaxed))).collect(),
            active_workers: self.active.load(Relaxed),
            max_concurrent_reconciles: self.most.load(Relaxed),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_and_writes_under_the_names_of_controller_runtime() {
        let counters = Counters::new("web".into());
        counters.most.store(4, Relaxed);
        counters.count(&Ok(Action::await_change()), Duration::from_millis(5));
        counters.count(&Ok(Action::requeue(Duration::ZERO)), Duration::from_secs(61));
        counters.count(&Err(Error::permanent("no")), Duration::from_millis(6));
        counters.count(&Err(Error::Panic { message: String::new() }), Duration::ZERO);
        let mut text = String::new();
        counters.read().write("web", &mut text).unwrap();
        for line in [
            "controller_runtime_reconcile_total{controller=\"web\",result=\"success\"} 1",
            "controller_runtime_reconcile_total{controller=\"web\",result=\"error\"} 2",
            "controller_runtime_reconcile_total{controller=\"web\",result=\"requeue_after\"} 1",
            "controller_runtime_terminal_reconcile_errors_total{controller=\"web\"} 1",
            "controller_runtime_reconcile_panics_total{controller=\"web\"} 1",
            "controller_runtime_max_concurrent_reconciles{controller=\"web\"} 4",
            "controller_runtime_reconcile_time_seconds_bucket{controller=\"web\",le=\"0.005\"} 2",
            "controller_runtime_reconcile_time_seconds_bucket{controller=\"web\",le=\"0.01\"} 3",
            "controller_runtime_reconcile_time_seconds_bucket{controller=\"web\",le=\"60\"} 3",
            "controller_runtime_reconcile_time_seconds_bucket{controller=\"web\",le=\"+Inf\"} 4",
            "controller_runtime_reconcile_time_seconds_count{controller=\"web\"} 4",
        ] {
            assert!(text.lines().any(|found| found == line), "{line} in {text}");
        }
    }
}
