//! The life of one pod on the node: look, decide, act, tell; and its end.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use futures::future::join_all;
use jiff::{SignedDuration, Timestamp};
use orlop_cache::Store;
use orlop_client::Api;
use orlop_model::core::v1::{Container, Pod, PodPhase, PodStatus, Service};
use orlop_model::{ObjectKey, Str};
use tokio::time::Instant;

use crate::actions::PodActions;
use crate::backoff::Backoff;
use crate::cell::PodCell;
use crate::context::Context;
use crate::env::Surroundings;
use crate::env_file::EnvFiles;
use crate::events::EventType::{Normal, Warning};
use crate::materials::Materials;
use crate::merge::merge;
use crate::plan::{backoff_key, last_end, plan, pod_text};
use crate::prober;
use crate::restart::is_sidecar;
use crate::runtime::{RuntimeError, SandboxConfig, Volumes};
use crate::services::Services;
use crate::start::Start;
use crate::status::{Evict, StartError, StatusInput, pod_status, restarting_all};
use crate::stop::Stop;
use crate::view::{ContainerState, ContainerView, RuntimeView, SandboxState};
use crate::volume::volumes;

/// How often a status is tried to be written on top of what others wrote meanwhile.
const WRITE_ATTEMPTS: usize = 5;
/// What cannot be written or stopped is tried again after this long.
pub(crate) const RETRY: Duration = Duration::from_secs(1);

/// What a look at the pod led to.
enum Step {
    /// The pod is finished: what still runs is to be stopped.
    Finished,
    /// Something was done: look again at once.
    Again,
    /// Nothing to do before this moment, unless something happens.
    Wait(Instant),
}

pub(crate) struct Worker {
    pub(crate) context: Arc<Context>,
    pub(crate) cell: Arc<PodCell>,
    pub(crate) start_errors: BTreeMap<Str, StartError>,
    pub(crate) crashes: Backoff,
    pub(crate) pulls: Backoff,
    /// The last failure to pull an image, by the image.
    pub(crate) pull_errors: BTreeMap<Str, StartError>,
    pub(crate) volumes: Arc<Volumes>,
    /// The last generated status.
    previous: Option<Arc<PodStatus>>,
    started: Timestamp,
    mount_attempts: u32,
    /// When the volumes were last brought up to date.
    refreshed: Instant,
    evicted: Option<Evict>,
}

impl Worker {
    pub(crate) fn new(context: Arc<Context>, cell: Arc<PodCell>) -> Self {
        let config = &context.config;
        Self {
            crashes: Backoff::new(config.crash_backoff, config.crash_backoff_max),
            pulls: Backoff::new(config.image_backoff, config.image_backoff_max),
            started: context.clock.now(),
            start_errors: BTreeMap::new(),
            pull_errors: BTreeMap::new(),
            volumes: Arc::default(),
            previous: None,
            mount_attempts: 0,
            refreshed: Instant::now(),
            evicted: None,
            context,
            cell,
        }
    }

    /// Serves the pod until it is gone from the API server and nothing of it is left on the node.
    pub(crate) async fn run(mut self) {
        let cell = Arc::clone(&self.cell);
        if prober::has_probes(&cell.pod()) {
            let probing = Box::pin(prober::run(Arc::clone(&self.context), cell));
            let living = Box::pin(self.live());
            // The probers may be done long before the pod is.
            if let futures::future::Either::Left((_, living)) = futures::future::select(probing, living).await
            {
                living.await;
            }
        } else {
            self.live().await;
        }
    }

    async fn live(&mut self) {
        let cell = Arc::clone(&self.cell);
        while !cell.is_ending() {
            cell.take_dirty();
            // A pod that is to end does not wait for an image to come. What was begun shows in the runtime's view.
            let step = tokio::select! {
                biased;
                () = cell.ending() => break,
                step = Box::pin(self.sync()) => step,
            };
            match step {
                Step::Finished => break,
                Step::Again => {}
                Step::Wait(until) => tokio::select! {
                    biased;
                    () = cell.ending() => break,
                    () = cell.dirty() => {}
                    () = tokio::time::sleep_until(until) => {}
                },
            }
        }
        Box::pin(self.terminate()).await;
        loop {
            cell.take_dirty();
            if cell.is_gone() {
                break;
            }
            let retry = !Box::pin(self.delete_if_asked()).await;
            tokio::select! {
                biased;
                () = cell.dirty() => {}
                () = tokio::time::sleep(RETRY), if retry => {}
            }
        }
        while let Err(error) = Box::pin(self.clean()).await {
            tracing::warn!(pod = %self.cell.uid, %error, "a pod that is gone could not be removed");
            tokio::time::sleep(RETRY).await;
        }
    }

    /// One look at the pod, what it asks for, and what that led to.
    async fn sync(&mut self) -> Step {
        let context = Arc::clone(&self.context);
        let Ok(seen) = self.view().await else {
            return self.retry();
        };
        self.update_eviction();
        let pod = self.cell.pod();
        self.generate(&seen, false);
        self.write(true).await;
        if matches!(self.cell.status().phase, PodPhase::Failed | PodPhase::Succeeded) {
            return Step::Finished;
        }
        let health = context.runtime.health().await;
        if let Some(why) = health.runtime {
            self.event(Warning, "FailedSync", format!("error determining status: {why}"));
            return self.retry();
        }
        if let Some(why) = health.network.filter(|_| !pod.spec.host_network) {
            self.event(Warning, "NetworkNotReady", format!("network is not ready: {why}"));
            return Step::Wait(Instant::now() + context.spread(Duration::from_secs(1)));
        }

        let restarting = restarting_all(&pod, &seen, &self.cell.status());
        let now = context.clock.now();
        let plan =
            self.cell.plan(|pod, probes| plan(pod, &seen, probes, restarting, None, &self.crashes, now));
        for held in &plan.held {
            let field = context.field(&pod, &held.name);
            let message =
                format!("Back-off restarting failed container {} in pod {}", held.name, pod_text(&pod));
            let error =
                StartError { reason: "CrashLoopBackOff".into(), message: held.message.clone().into() };
            if self.start_errors.insert(held.name.clone(), error.clone()).as_ref() != Some(&error) {
                context.events.pod(&pod, &field, Warning, "BackOff", message);
            }
        }
        let mut wake = plan.wake.map(|wake| context.instant(wake));
        let acted = if plan.actions.is_empty() {
            self.refresh_volumes(&pod).await;
            Acted::default()
        } else {
            self.act(&pod, &seen, &plan.actions).await
        };
        if let Some(retry) = acted.retry {
            wake = Some(wake.map_or(retry, |wake| wake.min(retry)));
        }
        if acted.changed {
            return Step::Again;
        }
        if (acted.failed || !plan.held.is_empty())
            && let Ok(seen) = self.view().await
        {
            self.generate(&seen, false);
            self.write(true).await;
        }
        let deadline = pod.spec.active_deadline_seconds.zip(pod.status.start_time).map(|(seconds, start)| {
            context.instant(
                start
                    .timestamp()
                    .saturating_add(SignedDuration::from_secs(seconds))
                    .unwrap_or(Timestamp::MAX),
            )
        });
        let usual = Instant::now() + context.spread(context.config.sync_frequency);
        Step::Wait([wake, deadline].into_iter().flatten().fold(usual, Instant::min))
    }

    fn retry(&self) -> Step {
        Step::Wait(Instant::now() + self.context.spread(self.context.config.retry))
    }

    pub(crate) fn event(
        &self,
        type_: crate::events::EventType,
        reason: &'static str,
        message: impl Into<Str>,
    ) {
        self.context.events.pod(&self.cell.pod(), "", type_, reason, message);
    }

    pub(crate) async fn view(&self) -> Result<RuntimeView, RuntimeError> {
        let seen = self.context.runtime.view(&self.cell.uid).await;
        if let Err(error) = &seen {
            self.event(Warning, "FailedSync", format!("error determining status: {error}"));
        }
        seen
    }

    fn update_eviction(&mut self) {
        let pod = self.cell.pod();
        let Some(seconds) = pod.spec.active_deadline_seconds else {
            return;
        };
        let start = pod.status.start_time.map_or(self.started, |time| time.timestamp());
        if self.evicted.is_none() && self.context.clock.now().duration_since(start).as_secs() >= seconds {
            let message = "Pod was active on the node longer than the specified deadline";
            self.evicted = Some(Evict { reason: "DeadlineExceeded".into(), message: message.into() });
            self.event(Normal, "DeadlineExceeded", message);
        }
    }

    /// Makes the pod's status from what is seen.
    pub(crate) fn generate(&mut self, seen: &RuntimeView, terminal: bool) {
        let context = &self.context;
        let previous = self.previous.as_deref();
        let mut status = self.cell.with(|pod, _, probes| {
            pod_status(&StatusInput {
                pod,
                previous,
                seen,
                host_ips: &context.host_ips,
                node_ips: &context.host_ips,
                readiness: &probes.readiness,
                startup: &probes.startup,
                probing: true,
                agent_started: context.started,
                start_errors: &self.start_errors,
                resize: &[],
                evict: self.evicted.as_ref(),
                terminal,
            })
        });
        if let Some(previous) = previous.filter(|_| status.pod_ips.is_empty()) {
            // A sandbox that has ended has no address any more; the pod had one.
            status.pod_ip = previous.pod_ip.clone();
            status.pod_ips = previous.pod_ips.clone();
        }
        self.set(status);
    }

    pub(crate) fn set(&mut self, status: PodStatus) {
        self.cell.set_status(status);
        self.previous = Some(self.cell.status());
    }

    pub(crate) fn api(&self) -> (Api<Pod>, ObjectKey) {
        let pod = self.cell.pod();
        let key = ObjectKey::namespaced(pod.metadata.namespace.clone(), pod.metadata.name.clone());
        (Api::all(Arc::clone(&self.context.client)), key)
    }

    /// Writes the status where it says something new. Answers whether the API server has it now.
    pub(crate) async fn write(&self, may_run: bool) -> bool {
        let (api, key) = self.api();
        let generated = self.cell.status();
        let mut pod = self.cell.pod();
        for _ in 0..WRITE_ATTEMPTS {
            if pod.metadata.uid != self.cell.uid {
                return true;
            }
            let Some(status) = merge(&pod, &generated, may_run, self.context.clock.now()) else {
                return true;
            };
            let mut next = Pod::clone(&pod);
            next.status = status;
            match api.update_status(next).await {
                Ok(stored) => {
                    self.cell.set_pod(stored);
                    return true;
                }
                Err(error) if error.is_not_found() => return true,
                Err(error) if error.is_conflict() => match api.get(&key).await {
                    Ok(stored) => pod = stored,
                    Err(error) if error.is_not_found() => return true,
                    Err(_) => return false,
                },
                Err(error) => {
                    tracing::warn!(pod = %key, %error, "the pod's status could not be written");
                    return false;
                }
            }
        }
        false
    }

    /// Brings volumes up to date that show objects which may have changed.
    async fn refresh_volumes(&mut self, pod: &Arc<Pod>) {
        let context = Arc::clone(&self.context);
        let shows = pod.spec.volumes.iter().any(|volume| {
            let source = &volume.source;
            source.config_map.is_some()
                || source.secret.is_some()
                || source.downward_api.is_some()
                || source.projected.is_some()
        });
        if !shows || self.volumes.is_empty() || self.refreshed.elapsed() < context.config.sync_frequency {
            return;
        }
        self.refreshed = Instant::now();
        let materials = Materials::read(&context.client, context.tokens.as_deref(), pod).await;
        let around = Surroundings {
            pod,
            materials: &materials,
            pod_ips: &[],
            host_ips: &context.host_ips,
            allocatable: &context.allocatable,
            services: Services::Ignored,
            files: &EnvFiles::new(),
        };
        let volumes = match volumes(&around).map(Arc::new) {
            Ok(volumes) if volumes == self.volumes => return,
            Ok(volumes) => volumes,
            Err(error) => {
                self.event(Warning, "FailedMount", error.to_string());
                return;
            }
        };
        match context.runtime.set_up_volumes(pod, &volumes).await {
            Ok(()) => self.volumes = volumes,
            Err(error) => self.event(Warning, "FailedMount", error.to_string()),
        }
    }

    /// Carries a plan out, in kubelet's order.
    async fn act(&mut self, pod: &Arc<Pod>, seen: &RuntimeView, actions: &PodActions) -> Acted {
        let context = Arc::clone(&self.context);
        let mut acted = Acted::default();
        if actions.kill_pod {
            if actions.create_sandbox && !seen.sandboxes.is_empty() {
                self.event(
                    Normal,
                    "SandboxChanged",
                    "Pod sandbox changed, it will be killed and re-created.",
                );
            }
            let lives = seen.is_running()
                || seen.sandboxes.iter().any(|sandbox| sandbox.state == SandboxState::Ready);
            if lives {
                if let Err(error) = self.stop_all(pod, seen, None).await {
                    self.event(Warning, "FailedKillPod", format!("error killing pod: {error}"));
                    return acted.failed_until(Instant::now() + context.spread(context.config.retry));
                }
                acted.changed = true;
            }
            if !actions.create_sandbox {
                if !lives {
                    acted.retry = None;
                }
                return acted;
            }
        } else {
            let stop = Stop::new(&context, pod, seen);
            for kill in &actions.kill {
                let Some(instance) = seen.containers.iter().find(|instance| instance.id == kill.id) else {
                    continue;
                };
                if let Err(error) = stop.one(instance, &kill.message, kill.reason, None).await {
                    self.event(Warning, "FailedSync", format!("error killing container: {error}"));
                    return acted.failed_until(Instant::now() + context.spread(context.config.retry));
                }
                acted.changed = true;
            }
        }
        for reset in &actions.reset {
            if reset.kill {
                drop(context.runtime.stop_container(&reset.id, Duration::ZERO).await);
            }
            drop(context.runtime.remove_container(&reset.id).await);
            acted.changed = true;
        }
        self.prune(pod, seen).await;

        let starts = !(actions.start.is_empty()
            && actions.start_init.is_empty()
            && actions.start_ephemeral.is_empty());
        if !starts && !actions.create_sandbox {
            return acted;
        }
        let ips: Vec<Str> = self.cell.status().pod_ips.iter().map(|ip| ip.ip.clone()).collect();
        let materials = Materials::read(&context.client, context.tokens.as_deref(), pod).await;
        let services = context.services.as_ref().filter(|services| services.is_synced());
        let services = services.map(|services| services_of(services, &pod.metadata.namespace));
        let no_files = EnvFiles::new();
        let around = Surroundings {
            pod,
            materials: &materials,
            pod_ips: &ips,
            host_ips: &context.host_ips,
            allocatable: &context.allocatable,
            services: match (&services, &context.services) {
                (Some(known), _) => Services::Known(known),
                (None, Some(_)) => Services::Unread,
                (None, None) => Services::Ignored,
            },
            files: &no_files,
        };
        let set_up = match volumes(&around).map(Arc::new) {
            Ok(volumes) => context.runtime.set_up_volumes(pod, &volumes).await.map(|()| volumes),
            Err(error) => Err(error),
        };
        match set_up {
            Ok(volumes) => {
                self.mount_attempts = 0;
                self.volumes = volumes;
                self.refreshed = Instant::now();
            }
            Err(error) => {
                self.event(Warning, "FailedMount", error.to_string());
                // 0.5 s, doubling to 2 min 2 s.
                let wait = Duration::from_millis(500)
                    .saturating_mul(1 << self.mount_attempts.min(8))
                    .min(Duration::from_secs(122));
                self.mount_attempts += 1;
                return acted.failed_until(Instant::now() + wait);
            }
        }

        let mut sandbox_id = actions.sandbox_id.clone();
        let mut ips = ips.clone();
        if actions.create_sandbox {
            let config = SandboxConfig { pod: Arc::clone(pod), attempt: actions.attempt };
            match context.runtime.create_sandbox(&config).await {
                Ok(sandbox) => {
                    sandbox_id = sandbox.id;
                    acted.changed = true;
                    for warning in context.runtime.dns_warnings(pod).into_iter().filter(|about| !about.node) {
                        self.event(Warning, warning.reason, warning.message);
                    }
                }
                Err(error) => {
                    self.event(
                        Warning,
                        "FailedCreatePodSandBox",
                        format!("Failed to create pod sandbox: {error}"),
                    );
                    return acted.failed_until(Instant::now() + context.spread(context.config.retry));
                }
            }
            if let Ok(seen) = self.view().await {
                ips = seen.ips.clone();
                self.generate(&seen, false);
                self.write(true).await;
            }
        }
        let around = Surroundings { pod_ips: &ips, ..around };
        for &index in &actions.start_ephemeral {
            let container = &pod.spec.ephemeral_containers[index].container;
            self.start_one(&around, container, seen, &sandbox_id, &mut acted).await;
        }
        for &index in &actions.start_init {
            let container = &pod.spec.init_containers[index];
            let started = self.start_one(&around, container, seen, &sandbox_id, &mut acted).await;
            if !started && !is_sidecar(container) {
                return acted;
            }
        }
        for &index in &actions.start {
            self.start_one(&around, &pod.spec.containers[index], seen, &sandbox_id, &mut acted).await;
        }
        acted
    }

    async fn start_one(
        &mut self,
        around: &Surroundings<'_>,
        container: &Container,
        seen: &RuntimeView,
        sandbox_id: &Str,
        acted: &mut Acted,
    ) -> bool {
        let pod = around.pod;
        let now = self.context.clock.now();
        if let Some(ended) = last_end(seen, &container.name) {
            self.crashes.next(&backoff_key(pod, container), ended, now);
        }
        match Start::new(self, around, container, seen, sandbox_id).run().await {
            Ok(()) => {
                self.start_errors.remove(&container.name);
                acted.changed = true;
                true
            }
            Err(failure) => {
                self.start_errors.insert(container.name.clone(), failure.error);
                acted.failed = true;
                acted.changed |= failure.changed;
                let at = match failure.until {
                    Some(until) => self.context.instant(until),
                    None => Instant::now() + self.context.spread(self.context.config.retry),
                };
                acted.retry = Some(acted.retry.map_or(at, |retry| retry.min(at)));
                false
            }
        }
    }

    /// Removes ended instances but for the newest of each container, and empty sandboxes of before.
    async fn prune(&self, pod: &Pod, seen: &RuntimeView) {
        let ephemeral = pod.spec.ephemeral_containers.iter().map(|ephemeral| &ephemeral.container);
        for container in pod.spec.init_containers.iter().chain(&pod.spec.containers).chain(ephemeral) {
            let ended = seen.containers.iter().filter(|instance| {
                instance.name == container.name && instance.state == ContainerState::Exited
            });
            for instance in ended.skip(1) {
                drop(self.context.runtime.remove_container(&instance.id).await);
            }
        }
        for sandbox in seen.sandboxes.iter().skip(1).filter(|sandbox| sandbox.state == SandboxState::NotReady)
        {
            if seen.containers.iter().all(|instance| instance.sandbox_id != sandbox.id) {
                drop(self.context.runtime.remove_sandbox(&sandbox.id).await);
            }
        }
    }

    pub(crate) async fn stop_all(
        &self,
        pod: &Arc<Pod>,
        seen: &RuntimeView,
        grace: Option<Duration>,
    ) -> Result<(), RuntimeError> {
        let runtime = &self.context.runtime;
        let stop = Stop::new(&self.context, pod, seen);
        let lives = |instance: &&ContainerView| {
            matches!(instance.state, ContainerState::Running | ContainerState::Unknown)
        };
        let kills = seen
            .containers
            .iter()
            .filter(lives)
            .map(|instance| stop.one(instance, "", Default::default(), grace));
        for result in join_all(kills).await {
            result?;
        }
        for sandbox in seen.sandboxes.iter().filter(|sandbox| sandbox.state == SandboxState::Ready) {
            runtime.stop_sandbox(&sandbox.id).await?;
        }
        Ok(())
    }
}

/// The services that a pod of this namespace may be told of.
fn services_of(services: &Store<Service>, namespace: &str) -> Vec<Arc<Service>> {
    let mut list = services.list_in(namespace);
    if namespace != "default" {
        list.extend(services.get(&ObjectKey::namespaced("default", "kubernetes")));
    }
    list
}

/// What came of carrying out a plan.
#[derive(Debug, Default)]
struct Acted {
    /// The runtime shows something else now.
    changed: bool,
    /// Something failed.
    failed: bool,
    /// When to try again.
    retry: Option<Instant>,
}

impl Acted {
    fn failed_until(mut self, at: Instant) -> Self {
        self.failed = true;
        self.retry = Some(at);
        self
    }
}
