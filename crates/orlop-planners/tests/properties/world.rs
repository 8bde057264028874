//! A small cluster without I/O: one Deployment, its ReplicaSets and pods, and an API that takes every change.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use orlop_model::apps::v1::{Deployment, ReplicaSet};
use orlop_model::core::v1::{ConditionStatus, Pod, PodCondition, PodConditionType, PodPhase};
use orlop_model::{ObjectMeta, Time};
use orlop_planners::replicaset::Settings;
use orlop_planners::{Change, OnExists, Plan, PlannedObject, deployment, pod, replicaset, template};
use serde_json::json;

#[derive(Clone, Debug)]
pub(crate) struct World {
    pub(crate) deployment: Deployment,
    pub(crate) sets: Vec<Arc<ReplicaSet>>,
    pub(crate) pods: Vec<Arc<Pod>>,
    pub(crate) now: Timestamp,
    /// Number of the next object.
    serial: u32,
}

/// How a rollout is set up.
#[derive(Clone, Debug)]
pub(crate) struct Setup {
    pub(crate) replicas: i32,
    pub(crate) strategy: &'static str,
    pub(crate) surge: serde_json::Value,
    pub(crate) unavailable: serde_json::Value,
    pub(crate) min_ready_seconds: i32,
    pub(crate) history: i32,
}

impl World {
    pub(crate) fn new(setup: &Setup) -> Self {
        let bounds = (setup.strategy == "RollingUpdate")
            .then(|| json!({"maxSurge": setup.surge, "maxUnavailable": setup.unavailable}));
        let deployment = json!({
            "metadata": {"name": "web", "namespace": "default", "uid": "deployment", "generation": 1},
            "spec": {
                "replicas": setup.replicas,
                "selector": {"matchLabels": {"app": "web"}},
                "strategy": {"type": setup.strategy, "rollingUpdate": bounds},
                "minReadySeconds": setup.min_ready_seconds,
                "revisionHistoryLimit": setup.history,
                "progressDeadlineSeconds": 600,
                "template": {
                    "metadata": {"labels": {"app": "web"}},
                    "spec": {"containers": [{"name": "c", "image": "web:1"}]},
                },
            },
        });
        Self {
            deployment: serde_json::from_value(deployment).expect("a Deployment"),
            sets: Vec::new(),
            pods: Vec::new(),
            now: "2026-03-01T12:00:00Z".parse().expect("a time"),
            serial: 0,
        }
    }

    // === what users and nodes do ===

    pub(crate) fn set_image(&mut self, image: &str) {
        self.deployment.spec.template.spec.containers[0].image = image.into();
        self.deployment.metadata.generation += 1;
    }

    pub(crate) fn resize(&mut self, replicas: i32) {
        self.deployment.spec.replicas = Some(replicas);
        self.deployment.metadata.generation += 1;
    }

    pub(crate) fn pause(&mut self, paused: bool) {
        self.deployment.spec.paused = paused;
        self.deployment.metadata.generation += 1;
    }

    pub(crate) fn pass(&mut self, seconds: u64) {
        self.now = self.now.checked_add(Duration::from_secs(seconds)).expect("a time");
    }

    pub(crate) fn set_ready(&mut self, index: usize, ready: bool) {
        let now = self.now;
        let Some(pod) = self.pods.get_mut(index) else {
            return;
        };
        if pod.metadata.deletion_timestamp.is_some() || pod::is_ready(pod) == ready {
            return;
        }
        let pod = Arc::make_mut(pod);
        pod.spec.node_name = "n1".into();
        pod.status.phase = PodPhase::Running;
        pod.status.conditions.clear();
        pod.status.conditions.push(PodCondition {
            type_: PodConditionType::Ready,
            status: if ready { ConditionStatus::True } else { ConditionStatus::False },
            last_transition_time: Some(Time::from(now)),
            ..PodCondition::default()
        });
    }

    /// Removes the pods that are being deleted.
    pub(crate) fn finish_deletions(&mut self) {
        self.pods.retain(|pod| pod.metadata.deletion_timestamp.is_none());
    }

    // === what controllers do ===

    pub(crate) fn plan(&self) -> Plan {
        let children = deployment::Children { replica_sets: &self.sets, pods: &self.pods };
        deployment::plan(&self.deployment, &children, self.now)
    }

    pub(crate) fn plan_set(&self, index: usize) -> Plan {
        let children = replicaset::Children { pods: &self.pods, siblings: &self.sets };
        replicaset::plan(&self.sets[index], &children, &Settings::default(), self.now)
    }

    pub(crate) fn apply(&mut self, changes: &[Change]) {
        for change in changes {
            if !self.apply_one(change) {
                return;
            }
        }
    }

    /// Whether the changes after this one are to be made too.
    fn apply_one(&mut self, change: &Change) -> bool {
        match change {
            Change::Create(create) => {
                let mut meta = create.object.meta().clone();
                if meta.name.is_empty() {
                    meta.name = format!("{}{}", meta.generate_name, self.serial).into();
                }
                let exists = self.sets.iter().any(|set| set.metadata.name == meta.name);
                match (&create.on_exists, exists) {
                    (_, false) => {}
                    (OnExists::Fail, true) => return false,
                    (OnExists::Ignore, true) => return true,
                    (OnExists::Instead(instead), true) => {
                        self.apply(instead);
                        return false;
                    }
                }
                self.serial += 1;
                let metadata = ObjectMeta {
                    namespace: create.namespace.clone().unwrap_or_default(),
                    uid: format!("uid-{}", self.serial).into(),
                    creation_timestamp: Some(Time::from(self.now)),
                    generation: 1,
                    ..meta
                };
                match &create.object {
                    PlannedObject::ReplicaSet(set) => {
                        self.sets.push(Arc::new(ReplicaSet { metadata, ..ReplicaSet::clone(set) }));
                    }
                    PlannedObject::Pod(pod) => {
                        let mut pod = Pod { metadata, ..Pod::clone(pod) };
                        pod.status.phase = PodPhase::Pending;
                        self.pods.push(Arc::new(pod));
                    }
                    other => panic!("not expected to be created: {other:?}"),
                }
            }
            Change::Update(PlannedObject::ReplicaSet(new)) => {
                let place = self.set(&new.metadata.name);
                let old = Arc::make_mut(&mut self.sets[place]);
                old.metadata.generation += i64::from(old.spec != new.spec);
                old.metadata.annotations = new.metadata.annotations.clone();
                old.spec = new.spec.clone();
            }
            Change::Update(PlannedObject::Deployment(new)) => {
                let old = &mut self.deployment;
                old.metadata.generation += i64::from(old.spec != new.spec);
                old.metadata.annotations = new.metadata.annotations.clone();
                old.spec = new.spec.clone();
            }
            Change::UpdateStatus(PlannedObject::ReplicaSet(new)) => {
                let place = self.set(&new.metadata.name);
                Arc::make_mut(&mut self.sets[place]).status = new.status.clone();
            }
            Change::UpdateStatus(PlannedObject::Deployment(new)) => {
                self.deployment.metadata.annotations = new.metadata.annotations.clone();
                self.deployment.status = new.status.clone();
            }
            Change::Delete(delete) if delete.kind.kind == "Pod" => {
                let now = self.now;
                let pod = self.pods.iter_mut().find(|pod| pod.metadata.name == delete.key.name);
                Arc::make_mut(pod.expect("the pod")).metadata.deletion_timestamp = Some(Time::from(now));
            }
            Change::Delete(delete) => {
                let place = self.set(&delete.key.name);
                let uid = self.sets.remove(place).metadata.uid.clone();
                self.pods
                    .retain(|pod| pod.metadata.controller().is_none_or(|controller| controller.uid != uid));
            }
            other => panic!("not expected: {other:?}"),
        }
        true
    }

    fn set(&self, name: &str) -> usize {
        self.sets.iter().position(|set| set.metadata.name == *name).expect("the ReplicaSet")
    }

    // === what is to hold ===

    /// Pods that the sets ask for.
    pub(crate) fn asked_for(&self) -> i32 {
        deployment::total_replicas(self.sets.iter().map(|set| &**set))
    }

    pub(crate) fn active(&self) -> i32 {
        self.pods.iter().filter(|pod| pod::is_active(pod)).count() as i32
    }

    pub(crate) fn available(&self) -> i32 {
        let seconds = self.deployment.spec.min_ready_seconds;
        let available = |pod: &&Arc<Pod>| pod::is_active(pod) && pod::is_available(pod, seconds, self.now);
        self.pods.iter().filter(available).count() as i32
    }

    /// Hashes of the templates of which pods run.
    pub(crate) fn revisions(&self) -> BTreeSet<&str> {
        let running = self.pods.iter().filter(|pod| !pod::is_terminal(pod));
        running
            .filter_map(|pod| pod.metadata.labels.get(template::POD_TEMPLATE_HASH))
            .map(|hash| hash.as_str())
            .collect()
    }

    /// Everything gets ready and every controller runs until nothing changes; the number of rounds.
    pub(crate) fn settle(&mut self) -> Result<usize, String> {
        let mut quiet_rounds = 0;
        for round in 0..2000 {
            let before = self.clone();
            let mut quiet = true;
            let plan = self.plan();
            quiet &= plan.changes.is_empty();
            self.apply(&plan.compact().changes);
            for index in 0..self.sets.len() {
                let plan = self.plan_set(index);
                quiet &= plan.changes.is_empty();
                self.apply(&plan.changes);
            }
            for index in 0..self.pods.len() {
                self.set_ready(index, true);
            }
            self.finish_deletions();
            self.pass(self.deployment.spec.min_ready_seconds.max(0) as u64 + 1);
            // A second quiet round, since pods may become available as time passes.
            quiet_rounds = if quiet && before.pods == self.pods { quiet_rounds + 1 } else { 0 };
            if quiet_rounds == 2 {
                return Ok(round);
            }
        }
        Err(format!("no end: {:?}", self.deployment.status))
    }

    /// Whether the rollout is over: one set with all pods.
    pub(crate) fn check_complete(&self) -> Result<(), String> {
        let desired = self.deployment.spec.replicas.unwrap_or(1);
        let status = &self.deployment.status;
        let active = self.sets.iter().filter(|set| set.spec.replicas != Some(0)).count();
        let history = self.deployment.spec.revision_history_limit.unwrap_or(0).max(0) as usize;
        if !deployment::is_complete(&self.deployment, status)
            || self.available() != desired
            || self.active() != desired
            || active > 1
            || self.sets.len() > history + 1
        {
            return Err(format!("{} sets, {status:?}", self.sets.len()));
        }
        Ok(())
    }
}
