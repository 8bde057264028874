use std::fmt;
use std::time::Duration;

/// What a queue has done so far and holds now.
///
/// The fields are those that client-go counts, and more; [`Metrics::write`] gives them client-go's names. Durations are
/// measured only in a queue that was [told to](crate::Builder::timed), and are zero in others.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Metrics {
    /// Keys ready to be handed out.
    pub depth: usize,
    /// Keys that wait for their time.
    pub delayed: usize,
    /// Keys that are being worked on.
    pub processing: usize,
    /// How often a key became ready to be handed out.
    pub adds: u64,
    /// How often a key was put back after a failure.
    pub retries: u64,
    /// Keys that were not taken because the queue was full.
    pub refused: u64,
    /// Keys that had to make room for others.
    pub dropped: u64,
    /// From the moment when a key became due until it was handed out.
    pub queue_duration: Histogram,
    /// From handing out until finishing.
    pub work_duration: Histogram,
    /// Time for which the keys in progress have been worked on, summed up.
    pub unfinished_work: Duration,
    /// Time for which the longest of them has been worked on.
    pub longest_running: Duration,
}

impl Metrics {
    /// Writes them in Prometheus' text format (version 0.0.4), under the names that client-go's queues have them by,
    /// for the queue `name`: `workqueue_depth`, `workqueue_adds_total`, `workqueue_queue_duration_seconds`,
    /// `workqueue_work_duration_seconds`, `workqueue_unfinished_work_seconds`,
    /// `workqueue_longest_running_processor_seconds`, `workqueue_retries_total`; and under names of the same kind what
    /// client-go does not count.
    ///
    /// ```
    /// # let queue = orlop_workqueue::Queue::new();
    /// queue.add("web");
    /// let mut text = String::new();
    /// queue.metrics().write("deployment", &mut text)?;
    /// assert!(text.contains("workqueue_depth{name=\"deployment\"} 1\n"));
    /// # Ok::<(), std::fmt::Error>(())
    /// ```
    ///
    /// # Errors
    /// Those of `to`.
    pub fn write(&self, name: &str, to: &mut impl fmt::Write) -> fmt::Result {
        let name = name.replace('\\', r"\\").replace('"', r#"\""#).replace('\n', r"\n");
        let mut single = |what: &str, kind: &str, value: f64| {
            writeln!(to, "# TYPE workqueue_{what} {kind}\nworkqueue_{what}{{name=\"{name}\"}} {value}")
        };
        single("depth", "gauge", self.depth as f64)?;
        single("delayed", "gauge", self.delayed as f64)?;
        single("processing", "gauge", self.processing as f64)?;
        single("adds_total", "counter", self.adds as f64)?;
        single("retries_total", "counter", self.retries as f64)?;
        single("refused_total", "counter", self.refused as f64)?;
        single("dropped_total", "counter", self.dropped as f64)?;
        single("unfinished_work_seconds", "gauge", self.unfinished_work.as_secs_f64())?;
        single("longest_running_processor_seconds", "gauge", self.longest_running.as_secs_f64())?;
        for (what, histogram) in
            [("queue_duration_seconds", &self.queue_duration), ("work_duration_seconds", &self.work_duration)]
        {
            writeln!(to, "# TYPE workqueue_{what} histogram")?;
            let mut below = 0;
            for (bound, count) in histogram.buckets() {
                below += count;
                let bound = bound.map_or("+Inf".to_owned(), |bound| bound.as_secs_f64().to_string());
                writeln!(to, "workqueue_{what}_bucket{{name=\"{name}\",le=\"{bound}\"}} {below}")?;
            }
            writeln!(to, "workqueue_{what}_sum{{name=\"{name}\"}} {}", histogram.sum().as_secs_f64())?;
            writeln!(to, "workqueue_{what}_count{{name=\"{name}\"}} {}", histogram.count())?;
        }
        Ok(())
    }
}

/// Durations counted in the buckets that client-go uses: upper bounds of 10 ns, 100 ns … 1,000 s.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Histogram {
    counts: [u64; BOUNDS.len() + 1],
    sum: Duration,
    longest: Duration,
}

const BOUNDS: [Duration; 12] = {
    let mut bounds = [Duration::ZERO; 12];
    let mut nanos = 10;
    let mut i = 0;
    while i < bounds.len() {
        bounds[i] = Duration::from_nanos(nanos);
        nanos *= 10;
        i += 1;
    }
    bounds
};

impl Histogram {
    pub(crate) fn observe(&mut self, value: Duration) {
        self.counts[BOUNDS.partition_point(|bound| *bound < value)] += 1;
        self.sum = self.sum.saturating_add(value);
        self.longest = self.longest.max(value);
    }

    /// How many durations were counted.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// All durations added up.
    #[must_use]
    pub const fn sum(&self) -> Duration {
        self.sum
    }

    /// The longest duration.
    #[must_use]
    pub const fn longest(&self) -> Duration {
        self.longest
    }

    /// `(upper bound, durations up to it and above the bound before)`; the last has no bound.
    pub fn buckets(&self) -> impl Iterator<Item = (Option<Duration>, u64)> + '_ {
        BOUNDS.iter().copied().map(Some).chain([None]).zip(self.counts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_cannot_break_out_of_its_label() {
        let mut text = String::new();
        Metrics::default().write("a\"b\\\nc", &mut text).unwrap();
        assert!(text.contains(r#"workqueue_depth{name="a\"b\\\nc"} 0"#), "{text}");
        assert!(text.contains("workqueue_work_duration_seconds_bucket{name=\"a"));
    }

    #[test]
    fn a_duration_falls_into_the_first_bucket_that_holds_it() {
        let mut histogram = Histogram::default();
        for nanos in [0, 10, 11, 1_000_000_000_000, 1_000_000_000_001] {
            histogram.observe(Duration::from_nanos(nanos));
        }
        let filled: Vec<_> = histogram.buckets().filter(|(_, n)| *n > 0).collect();
        let nanos = Duration::from_nanos;
        assert_eq!(
            filled,
            [(Some(nanos(10)), 2), (Some(nanos(100)), 1), (Some(Duration::from_secs(1000)), 1), (None, 1)]
        );
        assert_eq!((histogram.count(), histogram.longest()), (5, nanos(1_000_000_000_001)));
    }
}
