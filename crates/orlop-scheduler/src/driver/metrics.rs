//! [`SchedulerMetrics`]: what a scheduler has done, under kube-scheduler's names.

use std::fmt;
use std::time::Duration;

use orlop_model::Str;

use crate::queue::{Moves, QueueCounts};

/// How an attempt ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AttemptResult {
    /// The pod is bound.
    Scheduled,
    /// It fits nowhere.
    Unschedulable,
    /// Deciding or binding failed.
    Error,
}

impl AttemptResult {
    const ALL: [Self; 3] = [Self::Error, Self::Scheduled, Self::Unschedulable];

    /// kube-scheduler's label.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Scheduled => "scheduled",
            Self::Unschedulable => "unschedulable",
            Self::Error => "error",
        }
    }
}

/// Durations by size; the bounds double from one to the next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Durations {
    first: Duration,
    counts: Vec<u64>,
    beyond: u64,
    sum: Duration,
}

impl Durations {
    fn new(first: Duration, buckets: usize) -> Self {
        Self { first, counts: vec![0; buckets], beyond: 0, sum: Duration::ZERO }
    }

    fn bounds(&self) -> impl Iterator<Item = Duration> {
        std::iter::successors(Some(self.first), |bound| Some(*bound * 2)).take(self.counts.len())
    }

    fn add(&mut self, took: Duration) {
        self.sum = self.sum.saturating_add(took);
        let bucket = self.bounds().zip(0..).find(|(bound, _)| took <= *bound).map(|(_, index)| index);
        match bucket.and_then(|index: usize| self.counts.get_mut(index)) {
            Some(count) => *count += 1,
            None => self.beyond += 1,
        }
    }

    /// How many there were.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.counts.iter().sum::<u64>() + self.beyond
    }

    /// Their sum.
    #[must_use]
    pub fn sum(&self) -> Duration {
        self.sum
    }

    fn write(&self, name: &str, labels: &str, to: &mut impl fmt::Write) -> fmt::Result {
        let (open, comma) = if labels.is_empty() { ("", "") } else { (labels, ",") };
        let mut below = 0;
        for (bound, count) in self.bounds().zip(&self.counts) {
            below += count;
            writeln!(to, "{name}_bucket{{{open}{comma}le=\"{}\"}} {below}", bound.as_secs_f64())?;
        }
        let all = below + self.beyond;
        writeln!(to, "{name}_bucket{{{open}{comma}le=\"+Inf\"}} {all}")?;
        let braces = if labels.is_empty() { String::new() } else { format!("{{{labels}}}") };
        writeln!(to, "{name}_sum{braces} {}\n{name}_count{braces} {all}", self.sum.as_secs_f64())
    }
}

/// Upper bounds of the number of attempts that a pod took.
const ATTEMPTS: [u32; 5] = [1, 2, 4, 8, 16];

/// What a scheduler has done so far, and how its queue is. [`write`](Self::write) gives it
/// kube-scheduler's names.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct SchedulerMetrics {
    /// Time of all attempts from taking the pod to its being bound or put back, by profile and result.
    pub attempts: Vec<(Str, AttemptResult, Durations)>,
    /// Time of deciding alone.
    pub algorithm: Durations,
    /// Time from a pod's first arrival to its being bound.
    pub sli: Durations,
    /// How many pods took how many attempts, up to each of 1, 2, 4, 8, 16, and beyond.
    pub attempts_per_pod: [u64; ATTEMPTS.len() + 1],
    pub(super) attempts_sum: u64,
    /// Attempts to make room by evicting pods.
    pub preemption_attempts: u64,
    /// Pods evicted.
    pub preemption_victims: u64,
    /// Pods that wait for a plugin's leave to be bound.
    pub waiting: usize,
    /// How many pods are where in the queue.
    pub pending: QueueCounts,
    /// How often pods came to which place of the queue, and why.
    pub moves: Moves,
    /// Nodes known.
    pub nodes: usize,
    /// Pods on nodes, assumed ones included.
    pub pods: usize,
}

impl Default for SchedulerMetrics {
    fn default() -> Self {
        Self {
            attempts: Vec::new(),
            algorithm: Durations::new(Duration::from_millis(1), 15),
            sli: Durations::new(Duration::from_millis(10), 20),
            attempts_per_pod: [0; ATTEMPTS.len() + 1],
            attempts_sum: 0,
            preemption_attempts: 0,
            preemption_victims: 0,
            waiting: 0,
            pending: QueueCounts::default(),
            moves: Moves::default(),
            nodes: 0,
            pods: 0,
        }
    }
}

impl SchedulerMetrics {
    pub(super) fn attempt(&mut self, profile: &str, result: AttemptResult, took: Duration) {
        let known = self.attempts.iter().position(|(name, of, _)| name == profile && *of == result);
        let index = known.unwrap_or_else(|| {
            for result in AttemptResult::ALL {
                self.attempts.push((profile.into(), result, Durations::new(Duration::from_millis(1), 15)));
            }
            self.attempts.len() - AttemptResult::ALL.len()
                + AttemptResult::ALL.iter().position(|of| *of == result).unwrap_or(0)
        });
        self.attempts[index].2.add(took);
    }

    pub(super) fn decided(&mut self, took: Duration) {
        self.algorithm.add(took);
    }

    pub(super) fn bound(&mut self, attempts: u32, took: Duration) {
        let index = ATTEMPTS.iter().position(|bound| attempts <= *bound).unwrap_or(ATTEMPTS.len());
        self.attempts_per_pod[index] += 1;
        self.attempts_sum += u64::from(attempts);
        self.sli.add(took);
    }

    /// How many attempts ended so.
    #[must_use]
    pub fn attempts_total(&self, result: AttemptResult) -> u64 {
        self.attempts.iter().filter(|(_, of, _)| *of == result).map(|(.., times)| times.count()).sum()
    }

    /// Writes them as text, as Prometheus reads it.
    ///
    /// # Errors
    /// Those of `to`.
    pub fn write(&self, to: &mut impl fmt::Write) -> fmt::Result {
        writeln!(to, "# TYPE scheduler_schedule_attempts_total counter")?;
        let label = |profile: &Str, result: AttemptResult| {
            format!("profile={:?},result={:?}", profile.as_str(), result.as_str())
        };
        for (profile, result, times) in &self.attempts {
            let label = label(profile, *result);
            writeln!(to, "scheduler_schedule_attempts_total{{{label}}} {}", times.count())?;
        }
        const ATTEMPT: &str = "scheduler_scheduling_attempt_duration_seconds";
        writeln!(to, "# TYPE {ATTEMPT} histogram")?;
        for (profile, result, times) in &self.attempts {
            times.write(ATTEMPT, &label(profile, *result), to)?;
        }
        const ALGORITHM: &str = "scheduler_scheduling_algorithm_duration_seconds";
        writeln!(to, "# TYPE {ALGORITHM} histogram")?;
        self.algorithm.write(ALGORITHM, "", to)?;
        const SLI: &str = "scheduler_pod_scheduling_sli_duration_seconds";
        writeln!(to, "# TYPE {SLI} histogram")?;
        self.sli.write(SLI, "", to)?;

        const TRIES: &str = "scheduler_pod_scheduling_attempts";
        writeln!(to, "# TYPE {TRIES} histogram")?;
        let mut below = 0;
        for (bound, count) in ATTEMPTS.iter().zip(&self.attempts_per_pod) {
            below += count;
            writeln!(to, "{TRIES}_bucket{{le=\"{bound}\"}} {below}")?;
        }
        let all: u64 = self.attempts_per_pod.iter().sum();
        writeln!(to, "{TRIES}_bucket{{le=\"+Inf\"}} {all}")?;
        writeln!(to, "{TRIES}_sum {}\n{TRIES}_count {all}", self.attempts_sum)?;

        writeln!(to, "# TYPE scheduler_pending_pods gauge")?;
        let QueueCounts { active, backoff, unschedulable, gated, in_flight: _ } = self.pending;
        for (queue, pods) in
            [("active", active), ("backoff", backoff), ("gated", gated), ("unschedulable", unschedulable)]
        {
            writeln!(to, "scheduler_pending_pods{{queue=\"{queue}\"}} {pods}")?;
        }
        writeln!(to, "# TYPE scheduler_queue_incoming_pods_total counter")?;
        for (queue, event, times) in self.moves.iter() {
            writeln!(
                to,
                "scheduler_queue_incoming_pods_total{{event=\"{event}\",queue=\"{queue}\"}} {times}"
            )?;
        }
        writeln!(to, "# TYPE scheduler_cache_size gauge")?;
        for (kind, size) in [("nodes", self.nodes), ("pods", self.pods)] {
            writeln!(to, "scheduler_cache_size{{type=\"{kind}\"}} {size}")?;
        }
        for (name, count) in [
            ("preemption_attempts_total", self.preemption_attempts),
            ("preemption_victims_total", self.preemption_victims),
        ] {
            writeln!(to, "# TYPE scheduler_{name} counter\nscheduler_{name} {count}")?;
        }
        writeln!(to, "# TYPE scheduler_waiting_pods gauge\nscheduler_waiting_pods {}", self.waiting)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::queue::{Cause, QueuePlace};

    #[test]
    fn they_are_written_under_kube_schedulers_names() {
        let mut metrics = SchedulerMetrics::default();
        metrics.attempt("default-scheduler", AttemptResult::Scheduled, Duration::from_micros(1_500));
        metrics.attempt("default-scheduler", AttemptResult::Scheduled, Duration::from_secs(60));
        metrics.bound(3, Duration::from_secs(1));
        metrics.pending.gated = 4;
        metrics.moves.count(QueuePlace::Active, Cause::PodAdd);
        let mut text = String::new();
        metrics.write(&mut text).unwrap();
        for line in [
            "scheduler_schedule_attempts_total{profile=\"default-scheduler\",result=\"scheduled\"} 2",
            "scheduler_schedule_attempts_total{profile=\"default-scheduler\",result=\"error\"} 0",
            "scheduler_scheduling_attempt_duration_seconds_bucket{profile=\"default-scheduler\",result=\"scheduled\",le=\"0.001\"} 0",
            "scheduler_scheduling_attempt_duration_seconds_bucket{profile=\"default-scheduler\",result=\"scheduled\",le=\"0.002\"} 1",
            "scheduler_scheduling_attempt_duration_seconds_bucket{profile=\"default-scheduler\",result=\"scheduled\",le=\"16.384\"} 1",
            "scheduler_scheduling_attempt_duration_seconds_count{profile=\"default-scheduler\",result=\"scheduled\"} 2",
            "scheduler_pod_scheduling_attempts_bucket{le=\"2\"} 0",
            "scheduler_pod_scheduling_attempts_bucket{le=\"4\"} 1",
            "scheduler_pod_scheduling_sli_duration_seconds_sum 1",
            "scheduler_pending_pods{queue=\"gated\"} 4",
            "scheduler_queue_incoming_pods_total{event=\"PodAdd\",queue=\"active\"} 1",
        ] {
            assert!(text.lines().any(|other| other == line), "{line} is not in\n{text}");
        }
        assert_eq!(metrics.attempts_total(AttemptResult::Scheduled), 2);
    }
}
