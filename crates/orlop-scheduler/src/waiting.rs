//! [`WaitingPods`]: pods that are decided about, and wait for a plugin's leave to be bound.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use orlop_clock::Timestamp;
use orlop_model::Str;
use orlop_model::core::v1::Pod;

use crate::framework::Status;
use crate::queue::{VirtualTime, later};

/// The longest that a plugin may let a pod wait, as in kube-scheduler.
const MAX_WAIT: Duration = Duration::from_secs(15 * 60);

/// A pod that waits for leave to be bound.
#[derive(Clone, Debug, PartialEq)]
pub struct WaitingPod {
    pod: Arc<Pod>,
    id: Str,
    node: Str,
    since: Timestamp,
    plugins: Vec<Leave>,
}

/// A plugin that has not given its leave.
#[derive(Clone, Debug, PartialEq)]
struct Leave {
    plugin: Str,
    wait: Duration,
    until: Timestamp,
}

impl WaitingPod {
    /// The pod.
    #[must_use]
    pub fn pod(&self) -> &Arc<Pod> {
        &self.pod
    }

    /// Its identity, as [`pod_id`](crate::pod_id) gives it.
    #[must_use]
    pub fn id(&self) -> &Str {
        &self.id
    }

    /// The node that it is to go to, and where it counts already.
    #[must_use]
    pub fn node(&self) -> &Str {
        &self.node
    }

    /// The plugins that it waits for.
    pub fn waits_for(&self) -> impl Iterator<Item = &Str> {
        self.plugins.iter().map(|leave| &leave.plugin)
    }

    /// When it is turned down if nothing happens.
    #[must_use]
    pub fn until(&self) -> Timestamp {
        self.plugins.iter().map(|leave| leave.until).min().unwrap_or(self.since)
    }
}

/// What became of a pod that waited.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Settled {
    Allowed,
    Rejected(Str, Status),
}

/// Pods that are decided about and wait for leave to be bound, by [`pod_id`](crate::pod_id).
///
/// What is said here takes effect at the scheduler's next step. Times never go back, even if the
/// caller's clock does: nobody waits longer for it.
#[derive(Debug, Default)]
pub struct WaitingPods {
    time: VirtualTime,
    pods: BTreeMap<Str, WaitingPod>,
    deadlines: BTreeSet<(Timestamp, Str)>,
    /// In the order in which it was said.
    settled: VecDeque<(WaitingPod, Settled)>,
}

impl WaitingPods {
    /// The pods, in the order of their ids.
    pub fn iter(&self) -> impl Iterator<Item = &WaitingPod> {
        self.pods.values()
    }

    /// The pod of this id.
    #[must_use]
    pub fn get(&self, id: &str) -> Option<&WaitingPod> {
        self.pods.get(id)
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.pods.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.pods.is_empty()
    }

    /// Lets the pod be bound as far as `plugin` is concerned. Says whether it waited for that.
    pub fn allow(&mut self, id: &str, plugin: &str) -> bool {
        let Some(mut waiting) = self.take(id) else {
            return false;
        };
        let before = waiting.plugins.len();
        waiting.plugins.retain(|leave| leave.plugin != *plugin);
        let waited = waiting.plugins.len() < before;
        if waiting.plugins.is_empty() {
            self.settled.push_back((waiting, Settled::Allowed));
        } else {
            self.put(waiting);
        }
        waited
    }

    /// Turns the pod down in the name of `plugin`. Says whether it waited at all.
    pub fn reject(&mut self, id: &str, plugin: &str, status: Status) -> bool {
        let Some(waiting) = self.take(id) else {
            return false;
        };
        self.settled.push_back((waiting, Settled::Rejected(plugin.into(), status)));
        true
    }

    /// The pod waits for at least one plugin from now on. Answers until when.
    pub(crate) fn wait(
        &mut self,
        pod: Arc<Pod>,
        id: Str,
        node: Str,
        plugins: impl IntoIterator<Item = (Str, Duration)>,
        now: Timestamp,
    ) -> Timestamp {
        let now = self.time.at(now);
        let plugins = plugins.into_iter().map(|(plugin, wait)| {
            let wait = wait.min(MAX_WAIT);
            Leave { plugin, wait, until: later(now, wait) }
        });
        let waiting = WaitingPod { pod, id, node, since: now, plugins: plugins.collect() };
        let until = self.time.outside(waiting.until());
        self.put(waiting);
        until
    }

    /// Takes a pod out of which nothing becomes any more.
    pub(crate) fn remove(&mut self, id: &str) -> Option<WaitingPod> {
        self.take(id).or_else(|| {
            let index = self.settled.iter().position(|(waiting, _)| waiting.id == *id)?;
            self.settled.remove(index).map(|(waiting, _)| waiting)
        })
    }

    /// Turns down those that have waited for too long, and hands over one of which is known what
    /// becomes of it.
    pub(crate) fn settle(&mut self, now: Timestamp) -> Option<(WaitingPod, Settled)> {
        if self.settled.is_empty() && self.pods.is_empty() {
            return None;
        }
        let now = self.time.at(now);
        while let Some((until, id)) = self.deadlines.first()
            && *until <= now
        {
            let id = id.clone();
            let Some(waiting) = self.take(&id) else { break };
            let Some(leave) = waiting.plugins.iter().min_by_key(|leave| leave.until) else { continue };
            let plugin = leave.plugin.clone();
            let waited = GoDuration(leave.wait);
            let why = format!("rejected due to timeout after waiting {waited} at plugin {plugin}");
            self.settled.push_back((waiting, Settled::Rejected(plugin, Status::unschedulable(why))));
        }
        self.settled.pop_front()
    }

    /// When a pod is turned down if nothing happens.
    pub(crate) fn next_wake(&self) -> Option<Timestamp> {
        let next = match self.settled.front() {
            Some(_) => self.time.now(),
            None => self.deadlines.first()?.0,
        };
        Some(self.time.outside(next))
    }

    fn take(&mut self, id: &str) -> Option<WaitingPod> {
        let waiting = self.pods.remove(id)?;
        self.deadlines.remove(&(waiting.until(), waiting.id.clone()));
        Some(waiting)
    }

    fn put(&mut self, waiting: WaitingPod) {
        self.deadlines.insert((waiting.until(), waiting.id.clone()));
        self.pods.insert(waiting.id.clone(), waiting);
    }
}

/// Prints a span of time as Go does, to the millisecond: `1m30s`.
struct GoDuration(Duration);

impl fmt::Display for GoDuration {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(wait) = self;
        let (hours, minutes) = (wait.as_secs() / 3_600, wait.as_secs() / 60 % 60);
        if hours > 0 {
            write!(formatter, "{hours}h")?;
        }
        if hours > 0 || minutes > 0 {
            write!(formatter, "{minutes}m")?;
        }
        match u64::try_from(wait.as_millis() % 60_000).unwrap_or_default() {
            0 => formatter.write_str("0s"),
            rest => write!(formatter, "{:?}", Duration::from_millis(rest)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_772_366_400 + seconds).unwrap()
    }

    fn wait(pods: &mut WaitingPods, id: &str, plugins: &[(&str, u64)], now: i64) -> Timestamp {
        let plugins = plugins.iter().map(|(plugin, wait)| ((*plugin).into(), Duration::from_secs(*wait)));
        pods.wait(Arc::default(), id.into(), "n".into(), plugins, at(now))
    }

    fn settled(pods: &mut WaitingPods, now: i64) -> Option<(String, Settled)> {
        pods.settle(at(now)).map(|(waiting, settled)| (waiting.id.to_string(), settled))
    }

    #[test]
    fn every_plugin_has_to_allow() {
        let mut pods = WaitingPods::default();
        assert_eq!(wait(&mut pods, "a", &[("P", 10), ("Q", 5)], 0), at(5));
        assert!(!pods.allow("a", "R"));
        assert!(pods.allow("a", "Q"));
        assert_eq!(pods.next_wake(), Some(at(10)));
        assert_eq!(pods.get("a").unwrap().waits_for().collect::<Vec<_>>(), ["P"]);
        assert_eq!(settled(&mut pods, 7), None);
        assert!(pods.allow("a", "P"));
        assert!(pods.is_empty());
        assert_eq!(settled(&mut pods, 7), Some(("a".into(), Settled::Allowed)));
        assert_eq!(pods.next_wake(), None);
    }

    #[test]
    fn nobody_waits_longer_than_was_said() {
        let mut pods = WaitingPods::default();
        wait(&mut pods, "a", &[("P", 10)], 0);
        wait(&mut pods, "b", &[("P", 10_000)], 0);
        // The clock is set back: no matter.
        assert_eq!(settled(&mut pods, -100), None);
        let Some((id, Settled::Rejected(plugin, why))) = settled(&mut pods, -90) else { panic!("late") };
        assert_eq!((id.as_str(), plugin.as_str()), ("a", "P"));
        assert_eq!(why.message(), "rejected due to timeout after waiting 10s at plugin P");
        let Some((_, Settled::Rejected(_, why))) = settled(&mut pods, 800) else { panic!("late") };
        assert_eq!(why.message(), "rejected due to timeout after waiting 15m0s at plugin P");
    }

    #[test]
    fn a_pod_turned_down_or_gone_waits_no_more() {
        let mut pods = WaitingPods::default();
        wait(&mut pods, "a", &[("P", 10)], 0);
        wait(&mut pods, "b", &[("P", 10)], 0);
        assert!(pods.reject("a", "P", Status::unschedulable("no")));
        assert!(!pods.reject("a", "P", Status::unschedulable("no")));
        assert!(pods.remove("a").is_some());
        assert!(pods.remove("b").is_some());
        assert_eq!(settled(&mut pods, 100), None);
    }
}
