//! What a simulated node holds, and how time changes it.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use orlop_model::Str;
use tokio::time::Instant;

use super::behaviour::Behaviour;
use crate::runtime::{ContainerConfig, Image, KnownPod, LogLine};
use crate::view::{ContainerState, ContainerView, Network, RuntimeView, SandboxState, SandboxView};

/// So many lines of a container's log are kept.
const LOG: usize = 100;

/// How an instance will end.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ending {
    pub(super) at: Instant,
    pub(super) code: i32,
    pub(super) oom: bool,
    /// Somebody asked for it.
    pub(super) asked: bool,
}

#[derive(Debug)]
pub(super) struct Instance {
    pub(super) uid: Str,
    pub(super) view: ContainerView,
    pub(super) config: Arc<ContainerConfig>,
    pub(super) behaviour: Behaviour,
    pub(super) began: Option<Instant>,
    pub(super) ending: Option<Ending>,
    pub(super) log: VecDeque<LogLine>,
}

impl Instance {
    pub(super) fn say(&mut self, time: Timestamp, text: &str) {
        if self.log.len() >= LOG {
            self.log.pop_front();
        }
        self.log.push_back(LogLine { time, stderr: false, text: text.as_bytes().to_vec() });
    }

    /// How long it has run.
    pub(super) fn age(&self) -> Duration {
        self.began.map_or(Duration::ZERO, |began| began.elapsed())
    }
}

#[derive(Debug)]
pub(super) struct Sandbox {
    pub(super) uid: Str,
    pub(super) view: SandboxView,
    address: Option<u32>,
}

#[derive(Debug, Default)]
struct Pod {
    known: KnownPod,
    /// Newest first.
    sandboxes: Vec<Str>,
    /// Newest first.
    containers: Vec<Str>,
}

#[derive(Debug, Default)]
pub(super) struct State {
    pods: BTreeMap<Str, Pod>,
    sandboxes: BTreeMap<Str, Sandbox>,
    pub(super) containers: BTreeMap<Str, Instance>,
    timers: BTreeSet<(Instant, Str)>,
    pub(super) images: BTreeMap<Str, Image>,
    /// Pulls that were made, by image.
    pub(super) pulls: BTreeMap<Str, u32>,
    /// Instances that were started, by pod and container.
    starts: BTreeMap<(Str, Str), u32>,
    /// Pods that have changed on their own.
    changed: VecDeque<Str>,
    addresses: BTreeSet<u32>,
}

impl State {
    /// Lets everything happen that was due.
    pub(super) fn advance(&mut self, now: Instant, time: Timestamp) {
        while let Some((at, id)) = self.timers.first().cloned().filter(|(at, _)| *at <= now) {
            self.timers.remove(&(at, id.clone()));
            let Some(instance) = self.containers.get_mut(&id) else {
                continue;
            };
            let Some(ending) = instance.ending.filter(|ending| ending.at == at) else {
                continue;
            };
            if instance.view.state == ContainerState::Running {
                end(instance, ending.code, ending.oom, time);
                if !ending.asked {
                    let uid = instance.uid.clone();
                    self.mark(uid);
                }
            }
        }
    }

    pub(super) fn mark(&mut self, uid: Str) {
        if !self.changed.contains(&uid) {
            self.changed.push_back(uid);
        }
    }

    pub(super) fn take_changed(&mut self) -> Option<Str> {
        self.changed.pop_front()
    }

    /// When something happens next.
    pub(super) fn next_timer(&self) -> Option<Instant> {
        self.timers.first().map(|(at, _)| *at)
    }

    pub(super) fn set_ending(&mut self, id: &Str, ending: Ending) {
        let Some(instance) = self.containers.get_mut(id) else {
            return;
        };
        if let Some(before) = instance.ending.replace(ending) {
            self.timers.remove(&(before.at, id.clone()));
        }
        self.timers.insert((ending.at, id.clone()));
    }

    pub(super) fn known(&self) -> Vec<KnownPod> {
        let mut known: Vec<KnownPod> = self.pods.values().map(|pod| pod.known.clone()).collect();
        known.sort();
        known
    }

    pub(super) fn view(&self, uid: &str) -> RuntimeView {
        let Some(pod) = self.pods.get(uid) else {
            return RuntimeView::default();
        };
        let sandboxes: Vec<SandboxView> = pod
            .sandboxes
            .iter()
            .filter_map(|id| self.sandboxes.get(id))
            .map(|sandbox| sandbox.view.clone())
            .collect();
        let active = sandboxes
            .first()
            .filter(|sandbox| sandbox.state == SandboxState::Ready)
            .map(|sandbox| sandbox.id.clone());
        let ips = sandboxes.first().filter(|sandbox| sandbox.state == SandboxState::Ready);
        let ips =
            ips.and_then(|sandbox| sandbox.ip.clone()).filter(|ip| !ip.is_empty()).into_iter().collect();
        let containers = pod.containers.iter().filter_map(|id| self.containers.get(id)).map(|instance| {
            let mut view = instance.view.clone();
            view.active = active.as_ref() == Some(&view.sandbox_id);
            view
        });
        RuntimeView { ips, containers: containers.collect(), sandboxes }
    }

    /// Adds a sandbox; one with a network of its own gets a free address of the node's range.
    pub(super) fn add_sandbox(&mut self, known: KnownPod, mut view: SandboxView, range: (Ipv4Addr, u32)) {
        let mut address = None;
        if view.network == Network::Pod {
            // The first and the last address of a range are nobody's.
            address = (2..range.1.saturating_sub(1)).find(|offset| !self.addresses.contains(offset));
            let ip =
                address.map(|offset| Ipv4Addr::from(u32::from(range.0).wrapping_add(offset)).to_string());
            self.addresses.extend(address);
            view.ip = Some(ip.unwrap_or_default().into());
        }
        let uid = known.uid.clone();
        let pod = self.pods.entry(uid.clone()).or_insert_with(|| Pod { known, ..Pod::default() });
        pod.sandboxes.insert(0, view.id.clone());
        self.sandboxes.insert(view.id.clone(), Sandbox { uid, view, address });
    }

    pub(super) fn sandbox(&self, id: &str) -> Option<&Sandbox> {
        self.sandboxes.get(id)
    }

    pub(super) fn stop_sandbox(&mut self, id: &str) {
        if let Some(sandbox) = self.sandboxes.get_mut(id) {
            sandbox.view.state = SandboxState::NotReady;
            if let Some(address) = sandbox.address.take() {
                self.addresses.remove(&address);
            }
        }
    }

    pub(super) fn remove_sandbox(&mut self, id: &str) {
        self.stop_sandbox(id);
        if let Some(sandbox) = self.sandboxes.remove(id) {
            self.forget(&sandbox.uid, |pod| pod.sandboxes.retain(|other| *other != *id));
        }
    }

    pub(super) fn add_container(&mut self, instance: Instance) {
        let id = instance.view.id.clone();
        if let Some(pod) = self.pods.get_mut(&instance.uid) {
            pod.containers.insert(0, id.clone());
        }
        self.containers.insert(id, instance);
    }

    pub(super) fn remove_container(&mut self, id: &str) {
        let Some(instance) = self.containers.remove(id) else {
            return;
        };
        if let Some(ending) = instance.ending {
            self.timers.remove(&(ending.at, id.into()));
        }
        self.forget(&instance.uid, |pod| pod.containers.retain(|other| *other != *id));
    }

    fn forget(&mut self, uid: &Str, change: impl FnOnce(&mut Pod)) {
        let Some(pod) = self.pods.get_mut(uid) else { return };
        change(pod);
        if pod.containers.is_empty() && pod.sandboxes.is_empty() {
            self.pods.remove(uid);
            self.starts.retain(|(pod, _), _| pod != uid);
        }
    }

    /// Counts the start of an instance; answers how many there were before.
    pub(super) fn count_start(&mut self, uid: &Str, container: &Str) -> u32 {
        let count = self.starts.entry((uid.clone(), container.clone())).or_default();
        *count += 1;
        *count - 1
    }

    /// The power fails: whatever ran has ended, and nobody knows how.
    pub(super) fn power_off(&mut self, time: Timestamp) {
        self.timers.clear();
        let mut ended = Vec::new();
        for instance in self.containers.values_mut() {
            instance.ending = None;
            if instance.view.state == ContainerState::Running {
                end(instance, 255, false, time);
                instance.view.reason = "Unknown".into();
                ended.push(instance.uid.clone());
            }
        }
        let ids: Vec<Str> = self.sandboxes.keys().cloned().collect();
        for id in ids {
            self.stop_sandbox(&id);
        }
        for uid in ended {
            self.mark(uid);
        }
    }

    /// Removes everything but images.
    pub(super) fn clear(&mut self) {
        let images = std::mem::take(&mut self.images);
        *self = Self { images, ..Self::default() };
    }
}

fn end(instance: &mut Instance, code: i32, oom: bool, time: Timestamp) {
    let view = &mut instance.view;
    view.state = ContainerState::Exited;
    view.exit_code = code;
    view.finished_at = Some(time);
    view.reason = if oom {
        "OOMKilled"
    } else if code == 0 {
        "Completed"
    } else {
        "Error"
    }
    .into();
    instance.say(time, &format!("ended with code {code}"));
}
