//! Whether one node is alive.

use jiff::{SignedDuration, Timestamp};
use orlop_model::core::v1::{ConditionStatus, Node, NodeCondition, NodeConditionType, NodeStatus};
use orlop_model::{MicroTime, Time};
use serde::{Deserialize, Serialize};

use super::Settings;

/// What was seen of a node.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Health {
    /// The condition Ready, if it was there.
    ready: Option<Seen>,
    /// When the last sign of life was seen.
    pub probe: Timestamp,
    /// The lease, if it was there, by its renew time.
    lease: Option<Option<MicroTime>>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Seen {
    ready: bool,
    heartbeat: Option<Time>,
}

/// What a look at a node showed.
#[derive(Debug)]
pub(super) struct Looked {
    pub health: Health,
    /// The status of Ready before this look; `Unknown` where the condition was missing.
    pub before: ConditionStatus,
    /// The node with the conditions of a dead node, if that is to be written.
    pub dead: Option<Node>,
    /// The status of Ready now, if there is such a condition.
    pub ready: Option<ConditionStatus>,
}

/// Conditions that nobody vouches for when a node is silent. `NetworkUnavailable` is the control plane's own.
const BY_NODE: [NodeConditionType; 4] = [
    NodeConditionType::Ready,
    NodeConditionType::MemoryPressure,
    NodeConditionType::DiskPressure,
    NodeConditionType::PIDPressure,
];

pub(super) fn find<'a>(status: &'a NodeStatus, type_: &NodeConditionType) -> Option<&'a NodeCondition> {
    status.conditions.iter().find(|condition| condition.type_ == *type_)
}

impl Health {
    fn new(status: &NodeStatus, probe: Timestamp) -> Self {
        Self { ready: seen(status), probe, lease: None }
    }

    /// Whether the node has a condition Ready that is not True.
    pub(super) fn is_down(&self) -> bool {
        self.ready.as_ref().is_some_and(|seen| !seen.ready)
    }
}

fn seen(status: &NodeStatus) -> Option<Seen> {
    let ready = find(status, &NodeConditionType::Ready)?;
    Some(Seen { ready: ready.status == ConditionStatus::True, heartbeat: ready.last_heartbeat_time })
}

/// Looks at a node. `lease` is the renew time of its lease, if it has one.
pub(super) fn look(
    node: &Node,
    lease: Option<Option<MicroTime>>,
    before: Option<Health>,
    settings: &Settings,
    now: Timestamp,
) -> Looked {
    let current = find(&node.status, &NodeConditionType::Ready);
    let known_lease = before.as_ref().and_then(|health| health.lease);
    // Whether what is remembered of the condition is to be that of this look.
    let mut renewed = true;
    let mut health = match (before, current) {
        (Some(health), None) => Health { ready: None, ..health },
        (None, None) => {
            let created = node.metadata.creation_timestamp;
            Health::new(&node.status, created.map_or(Timestamp::UNIX_EPOCH, Time::timestamp))
        }
        (Some(health), Some(current))
            if health.ready.as_ref().is_some_and(|ready| ready.heartbeat == current.last_heartbeat_time) =>
        {
            renewed = false;
            health
        }
        (_, Some(_)) => Health::new(&node.status, now),
    };
    if let Some(renewal) = lease {
        let newer = match (known_lease, renewal) {
            (None, _) => true,
            (Some(Some(known)), Some(renewal)) => known < renewal,
            (Some(_), _) => false,
        };
        if newer {
            health.lease = Some(renewal);
            health.probe = now;
        }
    }

    let status = current.map(|condition| condition.status.clone());
    let mut looked = Looked {
        health,
        before: status.clone().unwrap_or(ConditionStatus::Unknown),
        dead: None,
        ready: status,
    };
    let grace = if current.is_some() { settings.monitor_grace } else { settings.startup_grace };
    let dead_from = looked.health.probe.checked_add(grace).unwrap_or(Timestamp::MAX);
    if now <= dead_from {
        return looked;
    }
    let dead = declare_dead(node, now);
    looked.ready = Some(ConditionStatus::Unknown);
    let changed = looked.before != ConditionStatus::Unknown || current.is_none();
    if changed {
        looked.health.lease = lease;
    }
    if changed || renewed {
        looked.health.ready = seen(&dead.status);
    }
    looked.dead = changed.then_some(dead);
    looked
}

/// The node with the conditions it would report itself set to `Unknown`.
fn declare_dead(node: &Node, now: Timestamp) -> Node {
    let mut dead = node.clone();
    for type_ in BY_NODE {
        let conditions = &mut dead.status.conditions;
        match conditions.iter_mut().find(|condition| condition.type_ == type_) {
            None => conditions.push(NodeCondition {
                type_,
                status: ConditionStatus::Unknown,
                reason: "NodeStatusNeverUpdated".into(),
                message: "Kubelet never posted node status.".into(),
                last_heartbeat_time: node.metadata.creation_timestamp,
                last_transition_time: Some(now.into()),
                ..NodeCondition::default()
            }),
            Some(condition) if condition.status != ConditionStatus::Unknown => {
                condition.status = ConditionStatus::Unknown;
                condition.reason = "NodeStatusUnknown".into();
                condition.message = "Kubelet stopped posting node status.".into();
                condition.last_transition_time = Some(now.into());
            }
            Some(_) => {}
        }
    }
    dead
}

/// Grace periods after which a silent node counts as dead.
pub(super) const MONITOR_GRACE: SignedDuration = SignedDuration::from_secs(50);
pub(super) const STARTUP_GRACE: SignedDuration = SignedDuration::from_secs(60);
