//! [`Bench`]: one bench target.

use std::hint::black_box;
use std::time::Duration;

use criterion::Criterion;

use crate::summary::{Peer, Row, finish};
use crate::{CpuClock, CpuTime};

/// One bench target: measures workloads, and ends with a table of them.
pub struct Bench {
    name: &'static str,
    criterion: Criterion<CpuTime>,
    rows: Vec<Row>,
    quick: bool,
}

impl std::fmt::Debug for Bench {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Bench").field("name", &self.name).field("quick", &self.quick).finish_non_exhaustive()
    }
}

impl Bench {
    /// A bench target of this name, quick or in full as the environment and the arguments say.
    #[must_use]
    pub fn new(name: &'static str) -> Self {
        let quick = std::env::var("ORLOP_BENCH").is_ok_and(|mode| mode == "quick")
            || std::env::args().any(|argument| argument == "--quick" || argument == "--test");
        let (warm_up, measured, samples) = if quick { (20, 100, 10) } else { (1_000, 3_000, 30) };
        let criterion = Criterion::default()
            .with_measurement(CpuTime)
            .without_plots()
            .sample_size(samples)
            .warm_up_time(Duration::from_millis(warm_up))
            .measurement_time(Duration::from_millis(measured))
            .configure_from_args();
        Self { name, criterion, rows: Vec::new(), quick }
    }

    /// Whether it is to take seconds rather than minutes.
    #[must_use]
    pub fn quick(&self) -> bool {
        self.quick
    }

    /// One of two sizes: for a quick run, and in full.
    #[must_use]
    pub fn size(&self, quick: usize, full: usize) -> usize {
        if self.quick { quick } else { full }
    }

    /// Measures something small, over and over, with criterion. The figure is the median CPU time of
    /// one call over `per` items, in nanoseconds or in microseconds, as `unit` says.
    ///
    /// # Panics
    /// If the unit is neither `ns` nor `µs`.
    pub fn each<R>(
        &mut self,
        workload: &str,
        unit: &'static str,
        per: usize,
        peers: &[Peer],
        mut run: impl FnMut() -> R,
    ) {
        let mut samples = Vec::new();
        self.criterion.bench_function(workload, |bencher| {
            bencher.iter_custom(|times| {
                let start = CpuClock::now();
                for _ in 0..times {
                    black_box(run());
                }
                let took = start.elapsed();
                #[expect(clippy::cast_precision_loss, reason = "far below what a float can tell apart")]
                samples.push((times, took.as_nanos() as f64 / times as f64));
                took
            });
        });
        // Warming up begins with single calls, which say little.
        let enough = samples.iter().map(|(times, _)| times / 4).max().unwrap_or(0);
        samples.retain(|(times, _)| *times > enough || enough == 0);
        let samples = samples.into_iter().map(|(_, each)| each).collect();
        let scale = match unit {
            "ns" => 1.0,
            "µs" => 1e-3,
            other => panic!("no such unit: {other}"),
        };
        #[expect(clippy::cast_precision_loss, reason = "far below what a float can tell apart")]
        let value = median(samples) * scale / per as f64;
        self.row(workload, value, unit, peers);
    }

    /// Measures a workload as a whole, three times, or once in a quick run: `run` takes the time
    /// itself, where it begins and ends, and answers the figure. The median counts.
    pub fn whole(
        &mut self,
        workload: &str,
        unit: &'static str,
        peers: &[Peer],
        mut run: impl FnMut() -> f64,
    ) {
        let times = self.size(1, 3);
        let value = median((0..times).map(|_| run()).collect());
        self.row(workload, value, unit, peers);
    }

    /// Adds a figure that was found on the way.
    pub fn row(&mut self, workload: &str, value: f64, unit: &'static str, peers: &[Peer]) {
        let row = |peer: Option<Peer>| Row { workload: workload.to_owned(), value, unit, peer };
        if peers.is_empty() {
            self.rows.push(row(None));
        }
        self.rows.extend(peers.iter().map(|peer| row(Some(*peer))));
    }

    /// Prints the table and writes `bench-summary/NAME.json` into the target folder.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn finish(self) -> std::io::Result<()> {
        finish(self.name, &self.rows)
    }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_in_the_middle() {
        assert!((median(vec![5.0, 1.0, 3.0]) - 3.0).abs() < f64::EPSILON);
        assert!(median(vec![]).is_nan());
    }
}
