//! What a Linux node runs at the moment.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use orlop_container::{Container, ProcessSpec};
use orlop_model::Str;
use tokio::sync::watch;

use super::log_read::Progress;
use super::record::{ContainerRecord, SandboxRecord};
use crate::runtime::KnownPod;
use crate::view::RuntimeView;

/// A sandbox.
#[derive(Debug)]
pub(super) struct Sandbox {
    pub(super) record: SandboxRecord,
    /// None if it has none of its own, or is stopped.
    pub(super) namespaces: Option<Arc<orlop_container::Sandbox>>,
}

/// A container.
#[derive(Debug)]
pub(super) struct Instance {
    pub(super) record: ContainerRecord,
    pub(super) container: Option<Arc<Container>>,
    /// Why its program cannot be executed, if that is known already.
    pub(super) broken: Option<String>,
    /// How commands in it are run.
    pub(super) process: ProcessSpec,
    /// Whether its process has ended.
    pub(super) ended: watch::Sender<bool>,
    /// What has come into its log.
    pub(super) progress: watch::Receiver<Progress>,
    /// It was asked to end.
    pub(super) asked: bool,
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
    /// What an agent before has left is taken over or removed.
    pub(super) recovered: bool,
    pods: BTreeMap<Str, Pod>,
    pub(super) sandboxes: BTreeMap<Str, Sandbox>,
    pub(super) containers: BTreeMap<Str, Instance>,
    /// Pods that have changed on their own.
    changed: VecDeque<Str>,
    /// Pods of which there is a folder, perhaps nothing else, by uid.
    pub(super) folders: BTreeMap<Str, KnownPod>,
}

impl State {
    pub(super) fn mark(&mut self, uid: &Str) {
        if !self.changed.contains(uid) {
            self.changed.push_back(uid.clone());
        }
    }

    pub(super) fn take_changed(&mut self) -> Option<Str> {
        self.changed.pop_front()
    }

    pub(super) fn known(&self) -> Vec<KnownPod> {
        let named = self.pods.values().map(|pod| pod.known.clone());
        let others = self.folders.values().filter(|known| !self.pods.contains_key(&known.uid)).cloned();
        let mut known: Vec<KnownPod> = named.chain(others).collect();
        known.sort();
        known
    }

    pub(super) fn view(&self, uid: &str) -> RuntimeView {
        let Some(pod) = self.pods.get(uid) else {
            return RuntimeView::default();
        };
        let sandboxes: Vec<_> = pod.sandboxes.iter().filter_map(|id| self.sandboxes.get(id)).collect();
        let current = sandboxes.first().filter(|sandbox| sandbox.record.ready);
        let ips =
            current.map(|sandbox| sandbox.record.ips.iter().map(Str::from).collect()).unwrap_or_default();
        let active = current.map(|sandbox| sandbox.record.id.clone());
        let containers = pod.containers.iter().filter_map(|id| self.containers.get(id)).map(|instance| {
            let mut view = instance.record.view();
            view.active = active.as_deref() == Some(view.sandbox_id.as_str());
            view
        });
        RuntimeView {
            ips,
            containers: containers.collect(),
            sandboxes: sandboxes.iter().map(|sandbox| sandbox.record.view()).collect(),
        }
    }

    pub(super) fn add_sandbox(&mut self, sandbox: Sandbox) {
        let known = sandbox.record.known();
        let id = Str::from(&sandbox.record.id);
        let pod = self.pods.entry(known.uid.clone()).or_insert_with(|| Pod { known, ..Pod::default() });
        pod.sandboxes.insert(0, id.clone());
        self.sandboxes.insert(id, sandbox);
    }

    pub(super) fn add_container(&mut self, instance: Instance) {
        let uid = Str::from(&instance.record.uid);
        let id = Str::from(&instance.record.id);
        let pod = self
            .pods
            .entry(uid.clone())
            .or_insert_with(|| Pod { known: KnownPod { uid, ..KnownPod::default() }, ..Pod::default() });
        pod.containers.insert(0, id.clone());
        self.containers.insert(id, instance);
    }

    pub(super) fn remove_sandbox(&mut self, id: &str) {
        if let Some(sandbox) = self.sandboxes.remove(id) {
            self.forget(&sandbox.record.uid, |pod| pod.sandboxes.retain(|other| *other != *id));
        }
    }

    pub(super) fn remove_container(&mut self, id: &str) {
        if let Some(instance) = self.containers.remove(id) {
            self.forget(&instance.record.uid, |pod| pod.containers.retain(|other| *other != *id));
        }
    }

    fn forget(&mut self, uid: &str, change: impl FnOnce(&mut Pod)) {
        let Some(pod) = self.pods.get_mut(uid) else { return };
        change(pod);
        if pod.containers.is_empty() && pod.sandboxes.is_empty() {
            self.pods.remove(uid);
        }
    }

    /// Whether anything of a pod is there besides its folder.
    pub(super) fn has(&self, uid: &str) -> bool {
        self.pods.contains_key(uid)
    }

    /// CPU that all pods of the tier between request, in thousandths.
    pub(super) fn burstable_millis(&self) -> i64 {
        let ready = self.sandboxes.values().map(|sandbox| &sandbox.record);
        let ready = ready.filter(|record| record.burstable && record.ready);
        ready.map(|record| record.cpu_millis).fold(0, i64::saturating_add)
    }
}
