//! The simulated runtime of one node.

use std::fmt;
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures::StreamExt;
use futures::stream::{self, BoxStream};
use jiff::Timestamp;
use orlop_cache::Signal;
use orlop_client::Client;
use orlop_clock::{Clock, Random};
use orlop_model::Str;
use orlop_model::core::v1::{LifecycleHandler, Probe, ResourceRequirements};
use parking_lot::{Mutex, MutexGuard};
use tokio::sync::Notify;
use tokio::time::{Instant, sleep};

use super::behaviour::{Behaviour, End, Pull, ScriptError};
use super::link::Link;
use super::options::SimOptions;
use super::state::{Ending, Instance, State};
use crate::probe::ProbeKind;
use crate::runtime::{
    ContainerConfig, ContainerStats, ExecOutput, Hook, Image, ImagePull, KnownPod, Limits, LogLine,
    LogOptions, PodRuntime, ProbeAnswer, Recover, RuntimeError, RuntimeEvent, RuntimeInfo, RuntimeResult,
    SandboxConfig, Target,
};
use crate::sandbox::network_of;
use crate::view::{ContainerState, ContainerView, Fnv, RuntimeView, SandboxState, SandboxView};
use crate::volume::read_mounted;

/// The runtime of a simulated node; see the [module](super). Clones are handles to the same node.
#[derive(Clone)]
pub struct SimRuntime {
    shared: Arc<Shared>,
}

struct Shared {
    options: Arc<SimOptions>,
    range: (Ipv4Addr, u32),
    clock: Arc<dyn Clock>,
    random: Random,
    state: Mutex<State>,
    /// Something may be due earlier, or has changed.
    wake: Notify,
    /// Some container has ended, or is to end earlier.
    ended: Notify,
    up: Arc<Signal<bool>>,
}

impl fmt::Debug for SimRuntime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SimRuntime(up: {})", self.is_up())
    }
}

fn not_found(kind: &'static str, id: &str) -> RuntimeError {
    RuntimeError::NotFound { kind, id: id.into() }
}

impl SimRuntime {
    /// A node whose pods get addresses out of the `size` ones from `range` on.
    pub fn new(
        options: Arc<SimOptions>,
        range: Ipv4Addr,
        size: u32,
        clock: Arc<dyn Clock>,
        random: Random,
    ) -> Self {
        let shared = Shared {
            options,
            range: (range, size),
            clock,
            random,
            state: Mutex::default(),
            wake: Notify::new(),
            ended: Notify::new(),
            up: Arc::new(Signal::new(true)),
        };
        Self { shared: Arc::new(shared) }
    }

    /// The client by which this node's agent is to reach the API server: it is cut off when the node is.
    pub fn link(&self, client: Arc<dyn Client>) -> Link {
        Link::new(client, Arc::clone(&self.shared.up))
    }

    /// Cuts the node off: it hears nothing, says nothing, and begins nothing. What runs on it runs on.
    pub fn disconnect(&self) {
        self.shared.up.modify(|up| *up = false);
    }

    /// Takes the node's power: it is cut off, and everything on it has ended.
    pub fn power_off(&self) {
        self.shared.up.modify(|up| *up = false);
        let time = self.shared.clock.now();
        self.shared.state.lock().power_off(time);
    }

    /// Gives power and network back.
    pub fn reconnect(&self) {
        self.shared.up.modify(|up| *up = true);
        self.shared.wake.notify_one();
        self.shared.ended.notify_waiters();
    }

    /// Whether the node has power and network.
    pub fn is_up(&self) -> bool {
        self.shared.up.with(|up| *up)
    }

    /// Ends a running container now, as if it had by itself. `false` if the pod has no such container that runs.
    pub fn crash(&self, uid: &str, container: &str, code: i32) -> bool {
        let mut state = self.state();
        let running = |instance: &&ContainerView| {
            instance.name == *container && instance.state == ContainerState::Running
        };
        let Some(id) = state.view(uid).containers.iter().find(running).map(|instance| instance.id.clone())
        else {
            return false;
        };
        state.set_ending(&id, Ending { at: Instant::now(), code, oom: false, asked: false });
        drop(state);
        self.shared.wake.notify_one();
        true
    }

    /// Adds a script to what a container of a pod does from now on. `false` if there is none, or none that runs.
    ///
    /// # Errors
    /// A script that cannot be read.
    pub fn change(&self, uid: &str, container: &str, script: &str) -> Result<bool, ScriptError> {
        Behaviour::default().apply(script)?;
        let mut state = self.state();
        let Some(id) = state.view(uid).container(container).map(|instance| instance.id.clone()) else {
            return Ok(false);
        };
        let Some(instance) = state.containers.get_mut(&id) else {
            return Ok(false);
        };
        let before = instance.behaviour.end;
        instance.behaviour.apply(script)?;
        let (began, end) = (instance.began, instance.behaviour.end);
        if let (Some(began), Some(end)) = (began, end.filter(|end| Some(*end) != before)) {
            let at = (began + end.after).max(Instant::now());
            state.set_ending(&id, Ending { at, code: end.code, oom: end.oom, asked: false });
            drop(state);
            self.shared.wake.notify_one();
        }
        Ok(true)
    }

    /// The state as it is now.
    fn state(&self) -> MutexGuard<'_, State> {
        let mut state = self.shared.state.lock();
        state.advance(Instant::now(), self.shared.clock.now());
        state
    }

    fn now(&self) -> Timestamp {
        self.shared.clock.now()
    }

    /// Nothing is answered by a node that is cut off.
    async fn up(&self) {
        self.shared.up.wait_for(|up| up.then_some(())).await;
    }

    /// Something takes about so long.
    async fn takes(&self, usual: Duration) {
        let time = self.shared.random.jitter(usual, self.shared.options.jitter);
        if !time.is_zero() {
            sleep(time).await;
        }
        self.up().await;
    }

    fn id(&self) -> Str {
        let random = &self.shared.random;
        format!("{:016x}{:016x}{:016x}{:016x}", random.u64(), random.u64(), random.u64(), random.u64()).into()
    }

    fn running<T>(&self, id: &str, read: impl FnOnce(&Instance) -> T) -> RuntimeResult<T> {
        let state = self.state();
        let instance = state.containers.get(id).ok_or_else(|| not_found("container", id))?;
        if instance.view.state != ContainerState::Running {
            return Err(RuntimeError::NotRunning { id: id.into() });
        }
        Ok(read(instance))
    }
}

fn reference(image: &str) -> Str {
    let mut digest = String::from("sha256:");
    for part in ["1", "2", "3", "4"] {
        let mut hash = Fnv::default();
        hash.text(part);
        hash.text(image);
        digest.push_str(&format!("{:016x}", hash.0));
    }
    let name = image.rsplit_once(':').filter(|(_, tag)| !tag.contains('/')).map_or(image, |(name, _)| name);
    format!("{}@{digest}", name.split('@').next().unwrap_or(name)).into()
}

/// What a probe of this kind of handler says when it fails.
fn complaint(target: &Target, probe: &Probe) -> String {
    let handler = &probe.handler;
    if handler.http_get.is_some() {
        "HTTP probe failed with statuscode: 503".to_owned()
    } else if let Some(tcp) = &handler.tcp_socket {
        format!("dial tcp {}:{}: connect: connection refused", target.ip, tcp.port)
    } else if handler.grpc.is_some() {
        "service unhealthy (responded with \"NOT_SERVING\")".to_owned()
    } else {
        "command failed".to_owned()
    }
}

#[async_trait]
impl PodRuntime for SimRuntime {
    fn info(&self) -> RuntimeInfo {
        RuntimeInfo {
            version: concat!("sim://", env!("CARGO_PKG_VERSION")).into(),
            kernel: Str::EMPTY,
            os_image: "Orlop simulation".into(),
            limits: Limits::Enforced,
        }
    }

    async fn recover(&self, mode: Recover) -> RuntimeResult<Vec<KnownPod>> {
        self.up().await;
        let mut state = self.state();
        if mode == Recover::Remove {
            state.clear();
        }
        Ok(state.known())
    }

    async fn pods(&self) -> RuntimeResult<Vec<KnownPod>> {
        self.up().await;
        Ok(self.state().known())
    }

    async fn view(&self, uid: &str) -> RuntimeResult<RuntimeView> {
        self.up().await;
        Ok(self.state().view(uid))
    }

    async fn create_sandbox(&self, config: &SandboxConfig) -> RuntimeResult<SandboxView> {
        self.takes(self.shared.options.sandbox).await;
        let (meta, id, created_at) = (&config.pod.metadata, self.id(), self.now());
        let network = network_of(&config.pod);
        let view = SandboxView {
            id: id.clone(),
            attempt: config.attempt,
            state: SandboxState::Ready,
            network,
            ip: None,
            created_at,
        };
        let known =
            KnownPod { uid: meta.uid.clone(), namespace: meta.namespace.clone(), name: meta.name.clone() };
        let mut state = self.state();
        state.add_sandbox(known, view, self.shared.range);
        let view = state
            .sandbox(&id)
            .map(|sandbox| sandbox.view.clone())
            .ok_or_else(|| not_found("sandbox", &id))?;
        if view.ip.as_ref().is_some_and(|ip| ip.is_empty()) {
            state.remove_sandbox(&id);
            return Err(RuntimeError::failed(
                "failed to allocate for range 0: no IP addresses available in range set",
            ));
        }
        Ok(view)
    }

    async fn stop_sandbox(&self, id: &str) -> RuntimeResult<()> {
        self.up().await;
        self.state().stop_sandbox(id);
        Ok(())
    }

    async fn remove_sandbox(&self, id: &str) -> RuntimeResult<()> {
        self.up().await;
        self.state().remove_sandbox(id);
        Ok(())
    }

    async fn find_image(&self, image: &str) -> RuntimeResult<Option<Image>> {
        self.up().await;
        Ok(self.state().images.get(image).cloned())
    }

    async fn pull_image(&self, pull: &ImagePull) -> RuntimeResult<Image> {
        let image = &pull.image;
        let mut behaviour = Behaviour::default();
        self.shared
            .options
            .of_image(image, &mut behaviour)
            .map_err(|error| RuntimeError::failed(error.to_string()))?;
        let usual = behaviour.pull_time.unwrap_or(self.shared.options.pull);
        // What is there already is only looked up again.
        let present = self.state().images.contains_key(image);
        self.takes(if present { usual / 20 } else { usual }).await;
        let mut state = self.state();
        let count = state.pulls.entry(image.clone()).or_default();
        *count += 1;
        let count = *count;
        let error = |message: String| RuntimeError::Image { reason: "ErrImagePull".into(), message };
        match behaviour.pull {
            Pull::Missing => {
                return Err(error(format!(
                    "failed to pull and unpack image \"{image}\": failed to resolve reference \"{image}\": {image}: not found"
                )));
            }
            Pull::Fails(first) if count <= first => {
                return Err(error(format!(
                    "failed to pull and unpack image \"{image}\": connection reset by peer"
                )));
            }
            Pull::Fails(_) | Pull::Works => {}
        }
        let found = Image {
            reference: reference(image),
            names: vec![image.clone()],
            size: self.shared.options.image_size,
        };
        state.images.insert(image.clone(), found.clone());
        Ok(found)
    }

    async fn images(&self) -> RuntimeResult<Vec<Image>> {
        self.up().await;
        Ok(self.state().images.values().cloned().collect())
    }

    async fn remove_image(&self, reference: &str) -> RuntimeResult<()> {
        self.up().await;
        self.state().images.retain(|_, image| image.reference != *reference);
        Ok(())
    }

    async fn create_container(&self, config: &ContainerConfig) -> RuntimeResult<Str> {
        self.up().await;
        let behaviour = self
            .shared
            .options
            .behaviour(&config.pod, &config.container)
            .map_err(|error| RuntimeError::Config { message: error.to_string() })?;
        let id = self.id();
        let mut state = self.state();
        let sandbox =
            state.sandbox(&config.sandbox_id).ok_or_else(|| not_found("sandbox", &config.sandbox_id))?;
        let uid = sandbox.uid.clone();
        let view = ContainerView {
            id: id.clone(),
            name: config.container.name.clone(),
            sandbox_id: config.sandbox_id.clone(),
            active: true,
            state: ContainerState::Created,
            created_at: self.now(),
            image: config.container.image.clone(),
            image_ref: config.image.reference.clone(),
            restart_count: config.restart_count,
            definition: config.definition,
            ..ContainerView::default()
        };
        let config = Arc::new(config.clone());
        state.add_container(Instance {
            uid,
            view,
            config,
            behaviour,
            began: None,
            ending: None,
            log: Default::default(),
        });
        Ok(id)
    }

    async fn start_container(&self, id: &str) -> RuntimeResult<()> {
        let (time, fails) = {
            let state = self.state();
            let instance = state.containers.get(id).ok_or_else(|| not_found("container", id))?;
            (instance.behaviour.start.unwrap_or(self.shared.options.start), instance.behaviour.start_fails)
        };
        self.takes(time).await;
        if fails {
            return Err(RuntimeError::failed(
                "failed to create containerd task: failed to start process: exec format error",
            ));
        }
        let (now, time) = (Instant::now(), self.now());
        let mut state = self.state();
        let ready = state.containers.get(id).and_then(|instance| state.sandbox(&instance.view.sandbox_id));
        if ready.is_none_or(|sandbox| sandbox.view.state != SandboxState::Ready) {
            return Err(RuntimeError::failed("the pod's sandbox is not ready"));
        }
        let instance = state.containers.get_mut(id).ok_or_else(|| not_found("container", id))?;
        let (uid, name, restarts) =
            (instance.uid.clone(), instance.view.name.clone(), instance.view.restart_count);
        instance.view.state = ContainerState::Running;
        instance.view.started_at = Some(time);
        instance.began = Some(now);
        instance.say(time, &format!("started, {restarts} instances before"));
        let (end, times) = (instance.behaviour.end, instance.behaviour.times);
        let before = state.count_start(&uid, &name);
        if let Some(End { after, code, oom }) = end.filter(|_| times.is_none_or(|times| before < times)) {
            state.set_ending(&id.into(), Ending { at: now + after, code, oom, asked: false });
        }
        drop(state);
        self.shared.wake.notify_one();
        Ok(())
    }

    async fn stop_container(&self, id: &str, grace: Duration) -> RuntimeResult<()> {
        self.up().await;
        let id = Str::from(id);
        let begin = Instant::now();
        {
            let mut state = self.state();
            let Some(instance) = state.containers.get_mut(&id) else {
                return Ok(());
            };
            if instance.view.state != ContainerState::Running {
                return Ok(());
            }
            let (usual, behaviour) = (self.shared.options.stop, &instance.behaviour);
            let needs = behaviour
                .stop
                .unwrap_or_else(|| self.shared.random.jitter(usual, self.shared.options.jitter));
            let (after, code) =
                if behaviour.stubborn || needs > grace { (grace, 137) } else { (needs, behaviour.term_code) };
            let ending = Ending { at: begin + after, code, oom: false, asked: true };
            if instance.ending.is_none_or(|before| ending.at < before.at) {
                let now = self.now();
                instance.say(now, "asked to end");
                state.set_ending(&id, ending);
            }
        }
        // Whoever waits for this container already may not need to wait so long.
        self.shared.ended.notify_waiters();
        loop {
            let mut ended = std::pin::pin!(self.shared.ended.notified());
            ended.as_mut().enable();
            let at = {
                let state = self.state();
                match state
                    .containers
                    .get(&id)
                    .filter(|instance| instance.view.state == ContainerState::Running)
                {
                    None => break,
                    Some(instance) => instance.ending.map(|ending| ending.at),
                }
            };
            tokio::select! {
                biased;
                () = ended => {}
                () = tokio::time::sleep_until(at.unwrap_or(begin + grace)) => {}
            }
        }
        self.up().await;
        self.shared.ended.notify_waiters();
        Ok(())
    }

    async fn remove_container(&self, id: &str) -> RuntimeResult<()> {
        self.up().await;
        self.state().remove_container(id);
        Ok(())
    }

    async fn resize_container(&self, id: &str, resources: &ResourceRequirements) -> RuntimeResult<()> {
        self.up().await;
        let mut state = self.state();
        let instance = state.containers.get_mut(id).ok_or_else(|| not_found("container", id))?;
        instance.view.resources = Some(Box::new(resources.clone()));
        Ok(())
    }

    /// Knows `env`, `printenv NAME`, `cat FILE` of volumes with files, `hostname`, `true`, `false`; does nothing for
    /// all others, with success.
    async fn exec(&self, id: &str, command: &[Str], _timeout: Option<Duration>) -> RuntimeResult<ExecOutput> {
        self.up().await;
        let config = self.running(id, |instance| Arc::clone(&instance.config))?;
        let words: Vec<&str> = command.iter().map(Str::as_str).collect();
        let found = |text: String| ExecOutput { stdout: text.into_bytes(), ..ExecOutput::default() };
        Ok(match words.as_slice() {
            ["env" | "printenv"] => {
                found(config.env.iter().map(|(name, value)| format!("{name}={value}\n")).collect())
            }
            ["printenv", wanted] => match config.env.iter().find(|(name, _)| *name == **wanted) {
                Some((_, value)) => found(format!("{value}\n")),
                None => ExecOutput { code: 1, ..ExecOutput::default() },
            },
            ["cat", path] => match read_mounted(&config.pod, &config.container, &config.volumes, path) {
                Some(file) => ExecOutput { stdout: file.data.to_vec(), ..ExecOutput::default() },
                None => ExecOutput {
                    code: 1,
                    stderr: format!("cat: {path}: No such file or directory\n").into_bytes(),
                    ..ExecOutput::default()
                },
            },
            ["hostname"] => found(format!("{}\n", config.pod.metadata.name)),
            ["false"] => ExecOutput { code: 1, ..ExecOutput::default() },
            _ => ExecOutput::default(),
        })
    }

    async fn probe(&self, target: &Target, kind: ProbeKind, probe: &Probe) -> RuntimeResult<ProbeAnswer> {
        self.up().await;
        let well = self.running(&target.id, |instance| {
            let (age, behaviour) = (instance.age(), &instance.behaviour);
            match kind {
                ProbeKind::Startup => !behaviour.never_up && age >= behaviour.up,
                ProbeKind::Readiness => !behaviour.never_ready && age >= behaviour.ready,
                ProbeKind::Liveness => behaviour.sick.is_none_or(|sick| age < sick),
            }
        })?;
        let output = if well { String::new() } else { complaint(target, probe) };
        Ok(ProbeAnswer { well, warning: false, output })
    }

    async fn run_hook(&self, target: &Target, _hook: Hook, _handler: &LifecycleHandler) -> RuntimeResult<()> {
        self.up().await;
        let (time, fails) =
            self.running(&target.id, |instance| (instance.behaviour.hook, instance.behaviour.hook_fails))?;
        if !time.is_zero() {
            sleep(time).await;
        }
        if fails { Err(RuntimeError::failed("command terminated with exit code 1")) } else { Ok(()) }
    }

    /// The lines there are; nothing comes later, so following ends at once.
    async fn logs(&self, id: &str, options: &LogOptions) -> RuntimeResult<BoxStream<'static, LogLine>> {
        self.up().await;
        let state = self.state();
        let instance = state.containers.get(id).ok_or_else(|| not_found("container", id))?;
        let lines = instance.log.iter().filter(|line| options.since.is_none_or(|since| line.time >= since));
        let mut lines: Vec<LogLine> = lines.cloned().collect();
        if let Some(tail) = options.tail {
            lines.drain(..lines.len().saturating_sub(tail));
        }
        Ok(stream::iter(lines).boxed())
    }

    /// Each running container uses what it requests.
    async fn stats(&self, uid: &str) -> RuntimeResult<Vec<ContainerStats>> {
        use orlop_model::core::v1::resource_name::{CPU, MEMORY};
        self.up().await;
        let state = self.state();
        let running = state
            .containers
            .values()
            .filter(|instance| instance.uid == *uid && instance.view.state == ContainerState::Running);
        let stats = running.map(|instance| {
            let requests = &instance.config.container.resources.requests;
            let millis = requests.get(CPU).map_or(0, |cpu| cpu.milli_value());
            ContainerStats {
                name: instance.view.name.clone(),
                cpu: instance.age().mul_f64(millis.max(0) as f64 / 1000.0),
                memory: requests.get(MEMORY).map_or(0, |memory| memory.value().max(0).unsigned_abs()),
            }
        });
        Ok(stats.collect())
    }

    fn events(&self) -> BoxStream<'static, RuntimeEvent> {
        let events = stream::unfold(self.clone(), |node| async move {
            loop {
                node.up().await;
                let (changed, next) = {
                    let mut state = node.state();
                    (state.take_changed(), state.next_timer())
                };
                if let Some(uid) = changed {
                    return Some((RuntimeEvent { uid }, node));
                }
                let due = async {
                    match next {
                        Some(at) => tokio::time::sleep_until(at).await,
                        None => std::future::pending().await,
                    }
                };
                tokio::select! {
                    biased;
                    () = node.shared.wake.notified() => {}
                    () = due => {}
                }
            }
        });
        events.boxed()
    }
}
