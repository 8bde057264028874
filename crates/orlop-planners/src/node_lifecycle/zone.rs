//! Zones: how much of each is down, and how fast its nodes may be tainted.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use orlop_model::core::v1::Node;
use orlop_model::{Map, Str};
use serde::{Deserialize, Serialize};

/// How much of a zone is down.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ZoneState {
    /// Not looked at yet.
    Initial,
    /// Most nodes are ready.
    Normal,
    /// More than two nodes are not ready, and they are a large share.
    PartialDisruption,
    /// No node is ready.
    FullDisruption,
}

impl ZoneState {
    /// The name of the state.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Initial => "Initial",
            Self::Normal => "Normal",
            Self::PartialDisruption => "PartialDisruption",
            Self::FullDisruption => "FullDisruption",
        }
    }

    /// The state of a zone with so many nodes; `threshold` is the share of nodes from which on too many are not ready.
    pub(super) fn of(ready: usize, not_ready: usize, threshold: f32) -> Self {
        let share = not_ready as f32 / (ready + not_ready) as f32;
        match (ready, not_ready) {
            (0, 1..) => Self::FullDisruption,
            (_, 3..) if share >= threshold => Self::PartialDisruption,
            _ => Self::Normal,
        }
    }
}

/// The zone of a node: region and zone of its labels, joined by `:`, NUL and `:`; empty without either. The older
/// labels come first.
#[must_use]
pub fn zone_key(node: &Node) -> Str {
    let labels: &Map<Str> = &node.metadata.labels;
    let label = |part: &str| {
        labels
            .get(&format!("failure-domain.beta.kubernetes.io/{part}"))
            .or_else(|| labels.get(&format!("topology.kubernetes.io/{part}")))
            .map_or("", Str::as_str)
    };
    match (label("region"), label("zone")) {
        ("", "") => Str::EMPTY,
        (region, zone) => format!("{region}:\0:{zone}").into(),
    }
}

/// A token bucket that holds one token at most. A rate of 0 gives none.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Bucket {
    /// Tokens per second.
    rate: f64,
    tokens: f64,
    at: Timestamp,
}

impl Bucket {
    pub(super) fn full(rate: f32, now: Timestamp) -> Self {
        Self { rate: rate.into(), tokens: 1.0, at: now }
    }

    /// Takes a token, if there is one.
    fn take(&mut self, now: Timestamp) -> bool {
        if self.rate <= 0.0 {
            return false;
        }
        let passed = now.duration_since(self.at).as_secs_f64().max(0.0);
        self.tokens = (self.tokens + passed * self.rate).min(1.0);
        self.at = now;
        let taken = self.tokens >= 1.0;
        if taken {
            self.tokens -= 1.0;
        }
        taken
    }
}

/// Nodes of one zone that are to be tainted, served at a limited rate.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Queue {
    /// When each waiting node is due.
    waiting: BTreeMap<Str, Timestamp>,
    /// Nodes that were added and not taken back; they stay when they are served, so that a node is tainted once.
    known: BTreeSet<Str>,
    bucket: Bucket,
}

impl Queue {
    pub(super) fn new(rate: f32, now: Timestamp) -> Self {
        Self { waiting: BTreeMap::new(), known: BTreeSet::new(), bucket: Bucket::full(rate, now) }
    }

    /// Adds a node, unless it is known.
    pub(super) fn add(&mut self, node: &Str, now: Timestamp) {
        if self.known.insert(node.clone()) {
            self.waiting.insert(node.clone(), now);
        }
    }

    /// Whether no node waits.
    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Takes a node back.
    pub(super) fn remove(&mut self, node: &str) {
        self.waiting.remove(node);
        self.known.remove(node);
    }

    /// Sets another rate. It starts with a token only if the bucket before had one.
    pub(super) fn set_rate(&mut self, rate: f32, now: Timestamp) {
        let had = self.bucket.take(now);
        self.bucket = Bucket::full(rate, now);
        if !had {
            self.bucket.take(now);
        }
    }

    /// Serves nodes, those that wait longest first (then by name), as long as there are tokens. Where `serve` gives a
    /// time, the node is tried again after it.
    pub(super) fn serve(&mut self, now: Timestamp, mut serve: impl FnMut(&Str) -> Option<SignedDuration>) {
        while let Some((due, node)) = self.next() {
            if !self.bucket.take(now) || due > now {
                return;
            }
            let later =
                serve(&node).and_then(|wait| now.checked_add(wait + SignedDuration::from_nanos(1)).ok());
            match later {
                Some(later) => self.waiting.insert(node, later),
                None => self.waiting.remove(&node),
            };
        }
    }

    fn next(&self) -> Option<(Timestamp, Str)> {
        self.waiting.iter().map(|(node, due)| (*due, node.clone())).min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(seconds).unwrap()
    }

    fn served(queue: &mut Queue, seconds: i64) -> Vec<Str> {
        let mut served = Vec::new();
        queue.serve(at(seconds), |node| {
            served.push(node.clone());
            None
        });
        served
    }

    #[test]
    fn nodes_are_served_at_the_rate_of_the_zone() {
        let mut queue = Queue::new(0.1, at(0));
        for node in ["c", "a", "b"] {
            queue.add(&node.into(), at(0));
        }
        assert_eq!(served(&mut queue, 0), ["a"]);
        assert!(served(&mut queue, 9).is_empty());
        assert_eq!(served(&mut queue, 10), ["b"]);
        queue.add(&"a".into(), at(11));
        assert_eq!(served(&mut queue, 20), ["c"], "a was served already");
        queue.remove("a");
        queue.add(&"a".into(), at(21));
        assert!(served(&mut queue, 21).is_empty());
        queue.set_rate(0.0, at(40));
        assert!(served(&mut queue, 100).is_empty());
        queue.set_rate(0.1, at(100));
        assert!(served(&mut queue, 100).is_empty(), "a new bucket is empty after a stop");
        assert_eq!(served(&mut queue, 110), ["a"]);
    }

    #[test]
    fn states() {
        let state = |ready, not_ready| ZoneState::of(ready, not_ready, 0.55);
        assert_eq!(state(0, 0), ZoneState::Normal);
        assert_eq!(state(0, 1), ZoneState::FullDisruption);
        assert_eq!(state(1, 2), ZoneState::Normal);
        assert_eq!(state(2, 3), ZoneState::PartialDisruption);
        assert_eq!(state(3, 3), ZoneState::Normal);
    }
}
