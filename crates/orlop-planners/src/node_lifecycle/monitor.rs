//! The round over all nodes.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use orlop_model::core::v1::{
    ConditionStatus, Node, NodeConditionType, Pod, PodConditionType, Taint, TaintEffect,
};
use orlop_model::{List, MicroTime, Str};
use serde::{Deserialize, Serialize};

use super::health::{self, Health, Looked, MONITOR_GRACE, STARTUP_GRACE};
use super::taints::{Edit, NOT_READY, UNREACHABLE, exists, new};
use super::zone::{Queue, ZoneState, zone_key};
use crate::{Change, EventDraft, EventType, Plan};

/// Label of nodes that do not count when the state of a zone is found.
const EXCLUDED: &str = "node.kubernetes.io/exclude-disruption";
/// After this time a node is tried again that could not be tainted.
const RETRY: SignedDuration = SignedDuration::from_millis(50);

/// Knobs of the node lifecycle; the default values are Kubernetes' own.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Settings {
    /// Nodes tainted per second in a zone, normally.
    pub eviction_rate: f32,
    /// The same in a large zone that is partly down; in a smaller one no node is.
    pub secondary_eviction_rate: f32,
    /// A zone is large if it has more nodes than this.
    pub large_zone: usize,
    /// Share of nodes, 0 to 1, from which on a zone is partly down.
    pub unhealthy_share: f32,
    /// A node without sign of life for longer than this is dead.
    pub monitor_grace: SignedDuration,
    /// The same for one that never reported.
    pub startup_grace: SignedDuration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            eviction_rate: 0.1,
            secondary_eviction_rate: 0.01,
            large_zone: 50,
            unhealthy_share: 0.55,
            monitor_grace: MONITOR_GRACE,
            startup_grace: STARTUP_GRACE,
        }
    }
}

/// What is seen of the cluster.
#[derive(Clone, Copy)]
pub struct Cluster<'a> {
    /// All nodes.
    pub nodes: &'a [Arc<Node>],
    /// The renew time of the lease of a node (in the namespace `kube-node-lease`); `None` if there is no lease.
    pub lease: &'a dyn Fn(&str) -> Option<Option<MicroTime>>,
    /// The pods bound to a node; asked for only when the node has just died.
    pub pods: &'a dyn Fn(&str) -> Vec<Arc<Pod>>,
}

impl std::fmt::Debug for Cluster<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Cluster").field("nodes", &self.nodes.len()).finish_non_exhaustive()
    }
}

/// What the node lifecycle remembers from call to call. If it is lost, every node gets a new grace period.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Memory {
    known: BTreeMap<Str, Str>,
    health: BTreeMap<Str, Health>,
    zones: BTreeMap<Str, Zone>,
    /// Nodes whose pods could not be marked.
    pods_again: BTreeSet<Str>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Zone {
    /// `None` while no node of it counts.
    state: Option<ZoneState>,
    queue: Queue,
}

impl Memory {
    /// The zones and their states.
    pub fn zones(&self) -> impl Iterator<Item = (&str, ZoneState)> {
        self.zones.iter().filter_map(|(key, zone)| Some((key.as_str(), zone.state?)))
    }

    /// To be called when a pod of a node that has died could not be written: the next round tries again.
    pub fn mark_pods_again(&mut self, node: &str) {
        self.pods_again.insert(node.into());
    }

    /// Whether nodes wait to be tainted: then [`taint`] is to be called again.
    #[must_use]
    pub fn awaits_taint(&self) -> bool {
        self.zones.values().any(|zone| !zone.queue.is_empty())
    }

    fn queue(&mut self, zone: &Str, settings: &Settings, now: Timestamp) -> &mut Queue {
        let new = || Zone { state: None, queue: Queue::new(settings.eviction_rate, now) };
        &mut self.zones.entry(zone.clone()).or_insert_with(new).queue
    }
}

/// One round over all nodes, in the order of their names: a plan for each node that needs anything. The plans do not
/// depend on one another, so that a failure in one does not keep the others.
///
/// Each plan holds, in this order: the conditions of a dead node, its taints, its pods.
pub fn monitor(cluster: &Cluster<'_>, settings: &Settings, memory: &mut Memory, now: Timestamp) -> Vec<Plan> {
    let mut nodes: Vec<&Node> = cluster.nodes.iter().map(|node| &**node).collect();
    nodes.sort_by(|a, b| a.metadata.name.cmp(&b.metadata.name));
    let mut round = Round { settings, memory, now, plans: Vec::new(), taints: BTreeMap::new() };
    round.register(&nodes);
    let mut zones: BTreeMap<Str, Vec<bool>> = BTreeMap::new();
    for &node in &nodes {
        let ready = round.look(node, cluster);
        if !node.metadata.labels.contains_key(EXCLUDED) {
            zones.entry(zone_key(node)).or_default().push(ready);
        }
    }
    round.weigh(&zones, &nodes);
    let plans = round.plans;
    plans.into_iter().filter(|plan| !plan.is_quiet()).collect()
}

struct Round<'a> {
    settings: &'a Settings,
    memory: &'a mut Memory,
    now: Timestamp,
    plans: Vec<Plan>,
    /// Taints of nodes that earlier changes of this round left.
    taints: BTreeMap<Str, List<Taint>>,
}

impl Round<'_> {
    /// Takes note of nodes that have come and gone, and of new zones.
    fn register(&mut self, nodes: &[&Node]) {
        let mut added = Vec::new();
        for &node in nodes {
            let zone = zone_key(node);
            let unseen = self.memory.zones.get(&zone).is_none_or(|zone| zone.state.is_none());
            if unseen {
                let queue = Queue::new(self.settings.eviction_rate, self.now);
                let state = Some(ZoneState::Initial);
                self.memory.zones.insert(zone, Zone { state, queue });
            }
            let name = &node.metadata.name;
            if !self.memory.known.contains_key(name) {
                self.memory.known.insert(name.clone(), node.metadata.uid.clone());
                added.push(node);
            }
        }
        for node in added {
            let message = format!("Registered Node {} in Controller", node.metadata.name);
            let mut plan = Plan::default();
            plan.events.push(node_event(&node.metadata.name, &node.metadata.uid, "RegisteredNode", message));
            self.free(node, &mut plan);
            self.plans.push(plan);
        }
        let names: BTreeSet<&Str> = nodes.iter().map(|node| &node.metadata.name).collect();
        let known = std::mem::take(&mut self.memory.known);
        let (here, gone): (BTreeMap<_, _>, BTreeMap<_, _>) =
            known.into_iter().partition(|(name, _)| names.contains(name));
        self.memory.known = here;
        for (name, uid) in gone {
            let message = format!("Removing Node {name} from Controller");
            let mut plan = Plan::default();
            plan.events.push(node_event(&name, &uid, "RemovingNode", message));
            self.plans.push(plan);
            self.memory.health.remove(&name);
            self.memory.pods_again.remove(&name);
            for zone in self.memory.zones.values_mut() {
                zone.queue.remove(&name);
            }
        }
    }

    /// Looks at one node. Says whether it is ready.
    fn look(&mut self, node: &Node, cluster: &Cluster<'_>) -> bool {
        let name = &node.metadata.name;
        let before = self.memory.health.remove(name);
        let lease = (cluster.lease)(name);
        let Looked { health, before, dead, ready } =
            health::look(node, lease, before, self.settings, self.now);
        self.memory.health.insert(name.clone(), health);
        let mut plan = Plan::default();
        if let Some(dead) = dead {
            plan.push(Change::update_status(dead));
        }
        let Some(ready) = ready else {
            self.memory.pods_again.remove(name);
            return false;
        };
        self.taint_by(node, &ready, &mut plan);
        let died = ready != ConditionStatus::True && before == ConditionStatus::True;
        if died {
            let message = format!("Node {name} status is now: NodeNotReady");
            plan.events.push(node_event(name, &node.metadata.uid, "NodeNotReady", message));
        }
        let again = self.memory.pods_again.remove(name) && before != ConditionStatus::True;
        if died || again {
            for pod in (cluster.pods)(name) {
                mark_not_ready(&pod, name, self.now, &mut plan);
            }
        }
        self.plans.push(plan);
        ready == ConditionStatus::True
    }

    /// Brings the `NoExecute` taints of a node in line with the status of Ready that it has now: the wrong one of the
    /// two is swapped at once, a missing one waits for its turn.
    fn taint_by(&mut self, node: &Node, ready: &ConditionStatus, plan: &mut Plan) {
        let (right, wrong) = match ready {
            ConditionStatus::False => (NOT_READY, UNREACHABLE),
            ConditionStatus::Unknown => (UNREACHABLE, NOT_READY),
            ConditionStatus::True => return self.free(node, plan),
            ConditionStatus::Other(_) => return,
        };
        let has = |key| exists(&node.spec.taints, key, &TaintEffect::NoExecute);
        if has(wrong) {
            return self.edit(node, plan, |edit, now| {
                edit.add([new(right, TaintEffect::NoExecute, now)]);
                edit.remove(&[wrong], &TaintEffect::NoExecute);
            });
        }
        let name = &node.metadata.name;
        let queue = self.memory.queue(&zone_key(node), self.settings, self.now);
        if !has(right) {
            queue.remove(name);
        }
        queue.add(name, self.now);
    }

    /// Takes both `NoExecute` taints off a node, and the node out of its queue.
    fn free(&mut self, node: &Node, plan: &mut Plan) {
        self.edit(node, plan, |edit, _| {
            edit.remove(&[UNREACHABLE], &TaintEffect::NoExecute);
            edit.remove(&[NOT_READY], &TaintEffect::NoExecute);
        });
        self.memory.queue(&zone_key(node), self.settings, self.now).remove(&node.metadata.name);
    }

    fn edit(&mut self, node: &Node, plan: &mut Plan, change: impl FnOnce(&mut Edit<'_>, Timestamp)) {
        let mut edit = Edit::of(node);
        if let Some(taints) = self.taints.get(&node.metadata.name) {
            edit = edit.after(taints);
        }
        change(&mut edit, self.now);
        if !edit.changes.is_empty() {
            self.taints.insert(node.metadata.name.clone(), edit.taints().clone());
        }
        plan.changes.append(&mut edit.changes);
    }

    /// Finds the state of each zone and sets the rates. When everything is down the fault is more likely here than
    /// there: then all taints go and none is added.
    fn weigh(&mut self, zones: &BTreeMap<Str, Vec<bool>>, nodes: &[&Node]) {
        let states: BTreeMap<&Str, (usize, ZoneState)> = zones
            .iter()
            .map(|(key, nodes)| {
                let ready = nodes.iter().filter(|ready| **ready).count();
                let not_ready = nodes.len() - ready;
                let state = ZoneState::of(ready, not_ready, self.settings.unhealthy_share);
                (key, (nodes.len(), state))
            })
            .collect();
        let all_down = states.values().all(|(_, state)| *state == ZoneState::FullDisruption);
        for (key, zone) in &mut self.memory.zones {
            match states.contains_key(key) {
                true => zone.state = zone.state.or(Some(ZoneState::Initial)),
                false => zone.state = None,
            }
        }
        let all_were_down = self.memory.zones().all(|(_, state)| state == ZoneState::FullDisruption);
        if all_down && all_were_down {
            return;
        }
        if all_down {
            for node in nodes {
                let mut plan = Plan::default();
                self.free(node, &mut plan);
                self.plans.push(plan);
            }
            for zone in self.memory.zones.values_mut().filter(|zone| zone.state.is_some()) {
                zone.queue.set_rate(0.0, self.now);
                zone.state = Some(ZoneState::FullDisruption);
            }
            return;
        }
        if all_were_down {
            // Nobody is declared dead for a silence that was ours.
            for health in self.memory.health.values_mut() {
                health.probe = self.now;
            }
        }
        for (key, (size, state)) in states {
            let Some(zone) = self.memory.zones.get_mut(key) else {
                continue;
            };
            if !all_were_down && zone.state == Some(state) {
                continue;
            }
            let rate = match state {
                ZoneState::PartialDisruption if size > self.settings.large_zone => {
                    self.settings.secondary_eviction_rate
                }
                ZoneState::PartialDisruption => 0.0,
                _ => self.settings.eviction_rate,
            };
            zone.queue.set_rate(rate, self.now);
            zone.state = Some(state);
        }
    }
}

/// Adds the `NoExecute` taints whose turn it is. `node` finds a node by name; the patches carry all of its taints, so
/// the node should be as fresh as can be. If it is ready again it is left alone.
pub fn taint(node: impl Fn(&str) -> Option<Arc<Node>>, memory: &mut Memory, now: Timestamp) -> Vec<Plan> {
    let mut plans = Vec::new();
    for zone in memory.zones.values_mut() {
        zone.queue.serve(now, |name| {
            let node = node(name)?;
            let Some(ready) = health::find(&node.status, &NodeConditionType::Ready) else {
                return Some(RETRY);
            };
            let (right, wrong) = match ready.status {
                ConditionStatus::False => (NOT_READY, UNREACHABLE),
                ConditionStatus::Unknown => (UNREACHABLE, NOT_READY),
                // It has come back while it waited.
                _ => return None,
            };
            let mut edit = Edit::of(&node);
            edit.add([new(right, TaintEffect::NoExecute, now)]);
            edit.remove(&[wrong], &TaintEffect::NoExecute);
            plans.push(Plan { changes: edit.changes, ..Plan::default() });
            None
        });
    }
    plans
}

/// A pod was bound to a node, or was seen for the first time: if the node is down, the pod is not ready.
pub fn assigned(pod: &Pod, memory: &Memory, now: Timestamp) -> Plan {
    let mut plan = Plan::default();
    let node = &pod.spec.node_name;
    if memory.health.get(node).is_some_and(Health::is_down) {
        mark_not_ready(pod, node, now, &mut plan);
    }
    plan
}

fn mark_not_ready(pod: &Pod, node: &Str, now: Timestamp, plan: &mut Plan) {
    if pod.spec.node_name != *node {
        return;
    }
    let mut marked = pod.clone();
    let mut conditions = marked.status.conditions.iter_mut();
    let Some(ready) = conditions.find(|found| found.type_ == PodConditionType::Ready) else {
        return;
    };
    if ready.status == ConditionStatus::False {
        return;
    }
    ready.status = ConditionStatus::False;
    ready.last_transition_time = Some(now.into());
    ready.observed_generation = pod.metadata.generation;
    plan.push(Change::update_status(marked));
    plan.events.push(EventDraft::warning(pod, "NodeNotReady", "Node is not ready"));
}

fn node_event(name: &Str, uid: &Str, reason: &str, message: String) -> EventDraft {
    let mut node = Node::default();
    node.metadata.name = name.clone();
    node.metadata.uid = uid.clone();
    EventDraft::new(&node, EventType::Normal, reason, message)
}
