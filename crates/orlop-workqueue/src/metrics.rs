use std::time::Duration;

/// What a queue has done so far and holds now. The fields carry client-go's names for the same figures.
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
    /// From the moment when a key became due until it was handed out.
    pub queue_latency: Histogram,
    /// From handing out until finishing.
    pub work_duration: Histogram,
    /// Time for which the keys in progress have been worked on, summed up.
    pub unfinished: Duration,
    /// Time for which the longest of them has been worked on.
    pub longest_running: Duration,
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
