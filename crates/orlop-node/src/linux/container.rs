//! Containers: made, started, stopped, removed.

use std::os::fd::OwnedFd;
use std::os::unix::fs::FileTypeExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use orlop_container::cgroup::Limit;
use orlop_container::seccomp::Profile;
use orlop_container::{
    Capability, CapabilitySet, CgroupSpec, Container, Device, ExitStatus, Id, Ids, Mount, Namespace,
    ProcessSpec, Rootfs, Seccomp, Source, Spec, Stdio, Stream, User,
};
use orlop_fs::{Flags, Root};
use orlop_model::Str;
use orlop_model::core::v1::{Pod, ResourceRequirements, TerminationMessagePolicy};
use tokio::runtime::Handle;
use tokio::sync::watch;

use super::cgroups;
use super::log::LogFile;
use super::log_read::{Progress, tail_text};
use super::output::{Pipes, copy};
use super::record::{self, ContainerRecord, End, ProcessRecord};
use super::runtime::{LinuxRuntime, Shared, failed, is_name, not_found};
use super::sandbox::private_dir;
use super::seccomp;
use super::security::{self, SeccompChoice, SecurityError, rights, user};
use super::state::Instance;
use super::undo::{Undo, told};
use super::volumes::{PodVolumes, image_mount};
use crate::env::sub_path;
use crate::hosts::{Hostname, hosts_file};
use crate::runtime::{ContainerConfig, ContainerStats, RuntimeError, RuntimeResult};
use crate::view::ContainerState;

/// Bytes of the image's lists of users and groups that are read.
const MAX_ACCOUNTS: u64 = 4 << 20;
/// Bytes of a termination message that count: the last ones.
const MAX_MESSAGE: u64 = 4096;
/// Lines and bytes of a log that stand in for a termination message.
const MESSAGE_LINES: usize = 80;
const MESSAGE_BYTES: usize = 2048;
/// Where programs are looked for if neither image nor container says.
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
/// Exit code of a container whose program could not be executed, as containerd has it.
const START_ERROR: i32 = 128;
/// Exit code of a container of which nobody knows how it ended.
const UNKNOWN: i32 = 255;

fn config(error: impl std::fmt::Display) -> RuntimeError {
    RuntimeError::Config { message: error.to_string() }
}

/// What kubelet verifies is a matter of the configuration; what others look up fails when the container is made.
fn insecure(error: SecurityError) -> RuntimeError {
    match error {
        SecurityError::User(_) | SecurityError::Capability { .. } => failed(error),
        error => config(error),
    }
}

/// A signal by name or number, as images write it.
fn signal(text: &str) -> Option<i32> {
    const NAMES: &[(&str, i32)] = &[
        ("HUP", 1),
        ("INT", 2),
        ("QUIT", 3),
        ("ABRT", 6),
        ("KILL", 9),
        ("USR1", 10),
        ("USR2", 12),
        ("ALRM", 14),
        ("TERM", 15),
        ("CHLD", 17),
        ("CONT", 18),
        ("STOP", 19),
        ("TSTP", 20),
        ("WINCH", 28),
        ("IO", 29),
        ("PWR", 30),
    ];
    if let Ok(number) = text.parse() {
        return (1..=64).contains(&number).then_some(number);
    }
    let name = text.strip_prefix("SIG").unwrap_or(text);
    if let Some(offset) = name.strip_prefix("RTMIN") {
        let offset = if offset.is_empty() { 0 } else { offset.strip_prefix('+')?.parse::<i32>().ok()? };
        return (0..=30).contains(&offset).then_some(34 + offset);
    }
    NAMES.iter().find(|(known, _)| *known == name).map(|(_, number)| *number)
}

/// Sets a variable, in place of one of the same name.
fn set(env: &mut Vec<(String, String)>, name: &str, value: &str) {
    match env.iter_mut().find(|(known, _)| known == name) {
        Some(known) => value.clone_into(&mut known.1),
        None => env.push((name.to_owned(), value.to_owned())),
    }
}

/// The capabilities of this process: what containers may have at most.
fn own_capabilities() -> CapabilitySet {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let bits = status.lines().find_map(|line| line.strip_prefix("CapEff:"));
    CapabilitySet::from_bits(bits.and_then(|bits| u64::from_str_radix(bits.trim(), 16).ok()).unwrap_or(0))
}

/// The least `oom_score_adj` that this process may give to others. The privilege counts only where the users are the
/// machine's.
fn least_score(own: CapabilitySet, ids: &Ids) -> i32 {
    if ids.are_the_machines() && own.contains(Capability::SysResource) {
        return -1000;
    }
    let own = std::fs::read_to_string("/proc/self/oom_score_adj").unwrap_or_default();
    own.trim().parse().unwrap_or(0)
}

/// The machine's devices, but for terminals and those that are there already.
fn host_devices(present: &[Device]) -> Vec<Device> {
    /// Folders of file systems, and links into the process's own descriptors.
    const OTHERS: &[&str] = &["pts", "shm", "fd", "mqueue", "console", "hugepages"];
    const MOST: usize = 4096;
    let mut found = Vec::new();
    let mut folders = vec![PathBuf::from("/dev")];
    while let Some(folder) = folders.pop() {
        for name in record::folders(&folder) {
            let path = folder.join(&name);
            let Ok(kind) = path.symlink_metadata().map(|metadata| metadata.file_type()) else { continue };
            if OTHERS.contains(&name.as_str()) || present.iter().any(|device| device.path == path) {
                continue;
            }
            if kind.is_dir() {
                folders.push(path);
            } else if (kind.is_char_device() || kind.is_block_device()) && found.len() < MOST {
                found.push(Device::new(path));
            }
        }
    }
    found
}

impl Shared {
    /// A file of the pod that is mounted into its containers, unless they mount something there themselves.
    fn pod_file(&self, config: &ContainerConfig, file: &str, target: &str) -> Option<Mount> {
        let taken = config.container.volume_mounts.iter().any(|mount| mount.mount_path == *target);
        let path = self.pod_dir(&config.pod.metadata.uid).join(file);
        (!taken && path.exists()).then(|| Mount::bind(path, target))
    }

    /// Volumes and files of the pod, parents before what is mounted in them. Volumes that are images are snapshots whose
    /// names begin with that of the container.
    fn mounts(&self, config: &ContainerConfig, id: &str) -> RuntimeResult<Vec<Mount>> {
        let pod_dir = self.pod_dir(&config.pod.metadata.uid);
        let volumes = PodVolumes::new(&pod_dir, &config.pod);
        let mut mounts = Vec::new();
        for (number, mount) in config.container.volume_mounts.iter().enumerate() {
            let sub_path = sub_path(mount, &config.env).map_err(self::config)?;
            let image = volumes.volume(&mount.name).and_then(|volume| volume.source.image.as_deref());
            mounts.push(match image {
                Some(source) => {
                    let image = self.image(&source.reference)?;
                    let snapshot = self.store.create_snapshot(&format!("{id}.{number}"), &image);
                    let tree =
                        snapshot.and_then(|snapshot| snapshot.mount(Flags::default())).map_err(failed)?;
                    image_mount(mount, &sub_path, tree)?
                }
                None => volumes.mount(mount, &sub_path)?,
            });
        }
        for (file, target) in
            [("etc-hosts", "/etc/hosts"), ("resolv.conf", "/etc/resolv.conf"), ("hostname", "/etc/hostname")]
        {
            mounts.extend(self.pod_file(config, file, target));
        }
        mounts.sort_by_key(|mount| mount.target.components().count());
        Ok(mounts)
    }

    fn write_hosts(&self, pod: &Pod, ips: &[Str]) -> RuntimeResult<()> {
        let name = Hostname::of(pod, &self.config.dns.domain).map_err(config)?;
        let of_node =
            pod.spec.host_network.then(|| std::fs::read_to_string("/etc/hosts").unwrap_or_default());
        let text = hosts_file(&name, ips, &pod.spec.host_aliases, of_node.as_deref());
        Root::open(self.pod_dir(&pod.metadata.uid))
            .and_then(|dir| dir.replace("etc-hosts", text.as_bytes(), 0o644))
            .map_err(failed)
    }

    /// The file for the container's termination message, mounted where the container wants it.
    fn message_file(&self, config: &ContainerConfig) -> RuntimeResult<Option<(PathBuf, Mount)>> {
        let target = &config.container.termination_message_path;
        if target.is_empty() {
            return Ok(None);
        }
        let dir =
            self.pod_dir(&config.pod.metadata.uid).join("containers").join(config.container.name.as_str());
        private_dir(&dir)?;
        let name = format!("{:08x}", self.random.u64() & 0xffff_ffff);
        Root::open(&dir).and_then(|dir| dir.create_new(&name, 0o666)).map_err(failed)?;
        let path = dir.join(name);
        let mount = Mount::bind(&path, target.as_str());
        Ok(Some((path, mount)))
    }

    /// The process of a container.
    fn process(
        &self,
        config: &ContainerConfig,
        image: &orlop_image::Image,
        root: &Root,
        hostname: &str,
    ) -> RuntimeResult<ProcessSpec> {
        let (pod, container) = (&config.pod, &config.container);
        let read = |path: &str| match root.read(path, MAX_ACCOUNTS) {
            Ok(text) => Ok(text),
            Err(error) if error.is_not_found() => Ok(Vec::new()),
            Err(error) => Err(failed(error)),
        };
        let settings = image.config();
        let (passwd, group) = (read("etc/passwd")?, read("etc/group")?);
        let who = user(pod, container, settings.user(), &passwd, &group, self.containers.ids())
            .map_err(insecure)?;
        let owned = |list: &[Str]| list.iter().map(ToString::to_string).collect::<Vec<_>>();
        let args = settings.command_line(&owned(&config.command), &owned(&config.args));
        if args.is_empty() {
            return Err(RuntimeError::failed("no command specified"));
        }
        let mut env =
            vec![("HOSTNAME".to_owned(), hostname.to_owned()), ("PATH".to_owned(), PATH.to_owned())];
        for variable in settings.env() {
            if let Some((name, value)) = variable.split_once('=') {
                set(&mut env, name, value);
            }
        }
        for (name, value) in &config.env {
            set(&mut env, name, value);
        }
        if env.iter().all(|(name, _)| name != "HOME") {
            set(&mut env, "HOME", who.home.as_deref().unwrap_or("/"));
        }
        let rights =
            rights(pod, container, self.config.seccomp_default, own_capabilities()).map_err(insecure)?;
        let mut process = ProcessSpec::new(args);
        process.env = env;
        process.cwd = match container.working_dir.as_str() {
            "" => PathBuf::from(settings.working_dir()),
            dir => PathBuf::from(dir),
        };
        process.user = User { uid: who.uid, gid: who.gid, groups: who.groups, umask: None };
        process.capabilities = rights.capabilities.into();
        process.no_new_privileges = rights.no_new_privileges;
        process.seccomp = match rights.seccomp {
            SeccompChoice::Default => Seccomp::Default,
            SeccompChoice::Unconfined => Seccomp::Unconfined,
            SeccompChoice::File(file) => Seccomp::Profile(self.profile(&file)?.0),
        };
        Ok(process)
    }

    /// A seccomp profile in the node's folder of profiles, and its text.
    fn profile(&self, file: &str) -> RuntimeResult<(Profile, String)> {
        if file.is_empty() {
            return Err(config("localhostProfile must be set if seccompProfile type is Localhost."));
        }
        let told = |error: &dyn std::fmt::Display| {
            let path = self.config.seccomp.join(file);
            failed(format!("cannot load seccomp profile {:?}: {error}", path.display()))
        };
        let text = Root::open(&self.config.seccomp)
            .and_then(|profiles| profiles.read(file, seccomp::MAX_FILE))
            .map_err(|error| told(&error))?;
        let profile = seccomp::parse(&text).map_err(|error| told(&error))?;
        Ok((profile, String::from_utf8_lossy(&text).into_owned()))
    }

    /// The pid namespace of the container that an ephemeral one looks into.
    fn target_namespace(&self, config: &ContainerConfig) -> RuntimeResult<Option<Namespace>> {
        let mut ephemeral = config.pod.spec.ephemeral_containers.iter();
        let target = ephemeral
            .find(|ephemeral| ephemeral.container.name == config.container.name)
            .map(|ephemeral| ephemeral.target_container_name.clone())
            .filter(|target| !target.is_empty());
        let Some(target) = target else { return Ok(None) };
        let gone = || self::config(format!("unable to find target container {target}"));
        let container = {
            let state = self.state.lock();
            let view = state.view(&config.pod.metadata.uid);
            let found = view.container(&target).filter(|found| found.state == ContainerState::Running);
            let instance = found.and_then(|found| state.containers.get(&found.id));
            instance.and_then(|instance| instance.container.clone()).ok_or_else(gone)?
        };
        let pid = container.pid();
        let file = std::fs::File::open(format!("/proc/{pid}/ns/pid")).map_err(failed)?;
        // Only if it still runs the number was its own until now.
        if container.status().map_err(failed)? != orlop_container::Status::Running {
            return Err(gone());
        }
        Ok(Some(Namespace::Join(Arc::new(OwnedFd::from(file)))))
    }

    /// Makes a container, up to the moment before its program is executed; after an error nothing of it is left.
    #[tracing::instrument(level = "debug", skip_all, fields(container = %config.container.name))]
    pub(super) fn create_container(&self, config: &ContainerConfig, handle: &Handle) -> RuntimeResult<Str> {
        let (pod, container) = (&config.pod, &config.container);
        let meta = &pod.metadata;
        for name in [&meta.uid, &meta.name, &meta.namespace, &container.name] {
            if !is_name(name) {
                return Err(RuntimeError::failed(format!("{name:?} cannot be the name of a folder")));
            }
        }
        if !container.volume_devices.is_empty() {
            return Err(RuntimeError::Unsupported { what: "a raw block volume" });
        }
        security::app_armor(pod, container, security::kernel_has_app_armor()).map_err(insecure)?;
        let (mut namespaces, sandbox) = {
            let state = self.state.lock();
            let sandbox = state
                .sandboxes
                .get(&config.sandbox_id)
                .filter(|sandbox| sandbox.record.ready)
                .ok_or_else(|| not_found("sandbox", &config.sandbox_id))?;
            let namespaces = match &sandbox.namespaces {
                Some(held) => held.namespaces(),
                None => super::sandbox::host_namespaces(),
            };
            (namespaces, sandbox.record.clone())
        };
        if pod.spec.host_pid {
            namespaces.pid = Namespace::Host;
        } else if let Some(target) = self.target_namespace(config)? {
            namespaces.pid = target;
        }
        let image = self.image(&config.container.image)?;
        let id = self.new_id();
        let mut undo = Undo::new();
        let dir = self.container_dir(&id);
        self.faults.step("folder of a container").map_err(failed)?;
        private_dir(&dir)?;
        undo.push(|| told("folder of a container", std::fs::remove_dir_all(self.container_dir(&id))));

        self.faults.step("snapshot of a container").map_err(failed)?;
        let snapshot = self.store.create_snapshot(&id, &image).map_err(failed)?;
        undo.push(|| told("snapshots of a container", self.remove_snapshots(&id)));
        self.faults.step("files of an image").map_err(failed)?;
        let overlay = snapshot.mount(Flags::default()).map_err(failed)?;
        let mut process =
            self.process(config, &image, &overlay.root().map_err(failed)?, &sandbox.hostname)?;

        let ips: Vec<Str> = sandbox.ips.iter().map(Str::from).collect();
        self.faults.step("file of hosts").map_err(failed)?;
        self.write_hosts(pod, &ips)?;
        let rights =
            rights(pod, container, self.config.seccomp_default, own_capabilities()).map_err(insecure)?;
        let profile = match &rights.seccomp {
            SeccompChoice::File(file) => Some(self.profile(file)?.1),
            _ => None,
        };
        let mut rootfs = Rootfs::mount(overlay);
        rootfs.read_only = rights.read_only_root;
        let mut spec = Spec::new(rootfs, Vec::<String>::new());
        for mount in &mut spec.mounts {
            let kernels = matches!(mount.source, Source::Sysfs | Source::Cgroup);
            if rights.privileged && kernels {
                mount.options.read_only = false;
            }
            if mount.target == Path::new("/dev/shm") {
                let path = if pod.spec.host_ipc {
                    PathBuf::from("/dev/shm")
                } else {
                    self.sandbox_dir(&sandbox.id).join("shm")
                };
                mount.source = Source::Bind { path, recursive: false };
            }
        }
        if rights.privileged {
            spec.root.no_dev = false;
            spec.devices.extend(host_devices(&spec.devices));
        }
        spec.mounts.extend(self.mounts(config, &id)?);
        self.faults.step("file of a termination message").map_err(failed)?;
        let message = self.message_file(config)?;
        let message_path = message.as_ref().map(|(path, _)| path.clone());
        if let Some(path) = message_path.clone() {
            undo.push(move || told("file of a termination message", std::fs::remove_file(path)));
        }
        spec.mounts.extend(message.map(|(_, mount)| mount));
        if !rights.masked {
            spec.masked_paths.clear();
            spec.read_only_paths.clear();
        }
        spec.namespaces = namespaces;
        let (mut resources, limits, score) = cgroups::container_resources(pod, container, self.config.memory);
        // The pod's limit holds for those that are in its hierarchy.
        resources.pids = self.config.pod_pids_limit.map(Limit::Value);
        process.oom_score_adj = Some(score.max(least_score(own_capabilities(), self.containers.ids())));
        spec.process = process.clone();
        if self.containers.cgroups().is_some() {
            let path =
                cgroups::below(&self.config.cgroup, &format!("{}/{id}", sandbox.cgroup)).map_err(failed)?;
            spec.cgroup = Some(CgroupSpec { path, resources });
        }

        let log_dir = self.log_dir(&meta.namespace, &meta.name, &meta.uid).join(container.name.as_str());
        self.faults.step("folder of logs").map_err(failed)?;
        std::fs::create_dir_all(&log_dir).map_err(failed)?;
        let log = log_dir.join(format!("{}.log", config.restart_count));
        if !log.exists() {
            let log = log.clone();
            undo.push(move || told("log of a container", remove_file(&log)));
        }
        self.faults.step("log of a container").map_err(failed)?;
        let log_file = LogFile::open(&log, self.config.log)
            .map_err(|error| failed(format!("{}: {error}", log.display())))?;
        let pipes = Pipes::of(&dir);
        self.faults.step("pipes of a container").map_err(failed)?;
        pipes.make().map_err(failed)?;
        self.faults.step("ends of pipes").map_err(failed)?;
        let (stdout, stderr) = pipes.open_for_writing().map_err(failed)?;
        let stdio = Stdio { stdin: Stream::Null, stdout: Stream::Fd(stdout), stderr: Stream::Fd(stderr) };
        self.faults.step("our ends of pipes").map_err(failed)?;
        let ours = {
            // The pipes belong to the runtime's reactor.
            let _entered = handle.enter();
            pipes.open_for_reading().map_err(failed)?
        };
        let made = ContainerRecord {
            id: id.clone(),
            uid: meta.uid.to_string(),
            name: container.name.to_string(),
            sandbox: config.sandbox_id.to_string(),
            image: container.image.to_string(),
            image_ref: super::images::told(&image).reference.to_string(),
            restart_count: config.restart_count,
            definition: config.definition,
            created_at: self.clock.now(),
            started_at: None,
            end: None,
            log: log.display().to_string(),
            message_file: message_path.map(|path| path.display().to_string()).unwrap_or_default(),
            message_from_log: container.termination_message_policy
                == TerminationMessagePolicy::FallbackToLogsOnError,
            stop_signal: image.config().stop_signal().and_then(signal).unwrap_or(15),
            process: ProcessRecord::of(&process, profile),
            limits,
        };
        self.faults.step("record of a container").map_err(failed)?;
        record::write(&dir, &made).map_err(failed)?;
        self.faults.step("process of a container").map_err(failed)?;
        let name = Id::new(&id).map_err(failed)?;
        use orlop_container::Error as E;
        let (container, broken) = match self.containers.create(&name, spec, stdio) {
            Ok(container) => (Some(Arc::new(container)), None),
            // The container is there; it is its start that fails.
            Err(
                error @ (E::ExecutableNotFound { .. }
                | E::NotExecutable { .. }
                | E::InterpreterNotFound { .. }),
            ) => (None, Some(error.to_string())),
            Err(error) => return Err(create_error(error)),
        };
        undo.forget();
        let (progress, told_progress) = watch::channel(Progress::default());
        handle.spawn(copy(ours, log_file, Arc::clone(&self.clock), progress));
        self.state.lock().add_container(Instance {
            record: made,
            container,
            broken,
            process,
            ended: watch::channel(false).0,
            progress: told_progress,
            asked: false,
        });
        Ok(id.into())
    }

    /// An image as the agent has found it.
    fn image(&self, name: &str) -> RuntimeResult<orlop_image::Image> {
        let parsed = orlop_image::Reference::parse(name).map_err(failed)?;
        self.store.get(&parsed).map_err(failed)?.ok_or_else(|| not_found("image", name))
    }

    /// Removes the root of a container and the images that it mounted.
    pub(super) fn remove_snapshots(&self, id: &str) -> RuntimeResult<()> {
        let of_volume = |key: &String| key.strip_prefix(id).is_some_and(|rest| rest.starts_with('.'));
        for key in self.store.snapshots().map_err(failed)?.iter().filter(|key| of_volume(key)) {
            self.store.remove_snapshot(key).map_err(failed)?;
        }
        self.store.remove_snapshot(id).map(drop).map_err(failed)
    }

    pub(super) fn start_container(self: &Arc<Self>, id: &str, handle: &Handle) -> RuntimeResult<()> {
        let container = {
            let state = self.state.lock();
            let instance = state.containers.get(id).ok_or_else(|| not_found("container", id))?;
            if instance.record.started_at.is_some() {
                return Err(RuntimeError::failed(format!("container {id} was started already")));
            }
            match (&instance.container, &instance.broken) {
                (Some(container), _) => Ok(Arc::clone(container)),
                (None, Some(broken)) => Err(broken.clone()),
                (None, None) => return Err(not_found("container", id)),
            }
        };
        let now = self.clock.now();
        let started = container.and_then(|container| {
            container.start().map_err(|error| error.to_string())?;
            let noted = self.change(id, |record| record.started_at = Some(now));
            if let Err(error) = noted {
                // Whoever comes later would not know that it runs.
                told("process of a container", container.kill());
                return Err(error.to_string());
            }
            Ok(container)
        });
        let message = match started {
            Ok(container) => {
                self.watch(id, container, handle);
                return Ok(());
            }
            Err(message) => message,
        };
        let noted = self.change(id, |record| {
            record.started_at = Some(now);
            record.end = Some(End {
                at: now,
                code: START_ERROR,
                reason: "StartError".to_owned(),
                message: message.clone(),
            });
        });
        told("record of a container that could not be started", noted);
        if let Some(instance) = self.state.lock().containers.get(id) {
            instance.ended.send_replace(true);
        }
        Err(RuntimeError::failed(message))
    }

    /// Changes what is known of a container, in memory and on disk.
    fn change(&self, id: &str, change: impl FnOnce(&mut ContainerRecord)) -> RuntimeResult<()> {
        let record = {
            let mut state = self.state.lock();
            let instance = state.containers.get_mut(id).ok_or_else(|| not_found("container", id))?;
            change(&mut instance.record);
            instance.record.clone()
        };
        self.faults.step("record of a container").map_err(failed)?;
        record::write(&self.container_dir(id), &record).map_err(failed)
    }

    /// Waits for the end of a container's process in a task of its own.
    pub(super) fn watch(self: &Arc<Self>, id: &str, container: Arc<Container>, handle: &Handle) {
        let (shared, id) = (Arc::clone(self), id.to_owned());
        handle.spawn(async move {
            let exit = container.exited().await;
            let work = move || {
                // What the process has left behind ends with it.
                told("processes of a container", container.kill());
                let (code, oom) = match &exit {
                    Ok(exit) => (exit.status.code().unwrap_or(UNKNOWN), exit.oom_killed),
                    Err(error) => {
                        tracing::error!(container = %id, %error, "the end of a container is unknown");
                        (UNKNOWN, false)
                    }
                };
                let unknown =
                    matches!(&exit, Ok(exit) if exit.status == ExitStatus::Unknown) || exit.is_err();
                shared.ended(&id, code, oom, unknown);
            };
            if let Err(error) = tokio::task::spawn_blocking(work).await {
                tracing::error!(%error, "the end of a container was not noted");
            }
        });
    }

    fn ended(&self, id: &str, code: i32, oom: bool, unknown: bool) {
        let Some(record) = self.state.lock().containers.get(id).map(|instance| instance.record.clone())
        else {
            return;
        };
        let reason = match (oom && code != 0, code) {
            _ if unknown => "ContainerStatusUnknown",
            (true, _) => "OOMKilled",
            (false, 0) => "Completed",
            (false, _) => "Error",
        };
        let message = message(&record, code);
        let end = End { at: self.clock.now(), code, reason: reason.to_owned(), message };
        let noted = self.change(id, |record| record.end = Some(end));
        told("record of an ended container", noted);
        let mut state = self.state.lock();
        let asked = state.containers.get(id).is_none_or(|instance| {
            instance.ended.send_replace(true);
            instance.asked
        });
        if !asked {
            state.mark(&Str::from(&record.uid));
            drop(state);
            self.wake.notify_one();
        }
    }

    pub(super) fn remove_container(&self, id: &str) -> RuntimeResult<()> {
        let (record, container) = {
            let state = self.state.lock();
            let Some(instance) = state.containers.get(id) else { return Ok(()) };
            (instance.record.clone(), instance.container.clone())
        };
        if let Some(container) = container {
            container.delete().map_err(failed)?;
        }
        self.remove_files(&record)?;
        self.state.lock().remove_container(id);
        Ok(())
    }

    /// Removes the files of a container that is no more.
    pub(super) fn remove_files(&self, record: &ContainerRecord) -> RuntimeResult<()> {
        self.remove_snapshots(&record.id)?;
        if !record.message_file.is_empty() {
            remove_file(Path::new(&record.message_file))?;
        }
        let log = Path::new(&record.log);
        if let (Some(dir), Some(name)) = (log.parent(), log.file_name().and_then(|name| name.to_str())) {
            for file in record::folders(dir).iter().filter(|file| file.starts_with(name)) {
                remove_file(&dir.join(file))?;
            }
            // The folders go with the last log in them.
            for dir in [Some(dir), dir.parent()].into_iter().flatten() {
                drop(std::fs::remove_dir(dir));
            }
        }
        Root::open(self.config.root.join("containers"))
            .and_then(|root| root.remove_all(&record.id))
            .map_err(failed)
    }

    /// Changes the limits of a container and those of its pod, which grow before and shrink after it.
    pub(super) fn resize(&self, id: &str, to: &ResourceRequirements) -> RuntimeResult<()> {
        let (container, before, sandbox) = {
            let state = self.state.lock();
            let instance = state.containers.get(id).ok_or_else(|| not_found("container", id))?;
            let container = instance.container.clone().filter(|_| instance.record.end.is_none());
            let container = container.ok_or_else(|| RuntimeError::NotRunning { id: id.into() })?;
            let sandbox = state.sandboxes.get(instance.record.sandbox.as_str());
            (container, instance.record.limits, sandbox.map(|sandbox| sandbox.record.clone()))
        };
        let (resources, after) = cgroups::resized(to, before, self.config.memory);
        let pod = match (self.containers.cgroups(), &sandbox) {
            (Some(groups), Some(sandbox)) => {
                let path = cgroups::below(&self.config.cgroup, &sandbox.cgroup).map_err(failed)?;
                groups.open(&path).map_err(failed)?.map(|group| (group, sandbox.limits))
            }
            _ => None,
        };
        let Some((group, of_pod)) = pod else {
            return container.update(&resources).map_err(failed);
        };
        let wanted = of_pod.changed(before, after);
        group.update(&of_pod.larger(wanted).of_pod()).map_err(failed)?;
        if let Err(error) = container.update(&resources) {
            told("limits of a pod", group.update(&of_pod.of_pod()));
            return Err(failed(error));
        }
        self.change(id, |record| record.limits = after)?;
        let record = {
            let mut state = self.state.lock();
            let sandbox = sandbox.and_then(|sandbox| state.sandboxes.get_mut(sandbox.id.as_str()));
            sandbox.map(|sandbox| {
                sandbox.record.limits = wanted;
                sandbox.record.clone()
            })
        };
        if let Some(record) = record {
            record::write(&self.sandbox_dir(&record.id), &record).map_err(failed)?;
        }
        group.update(&wanted.of_pod()).map_err(failed)
    }

    pub(super) fn stats(&self, uid: &str) -> Vec<ContainerStats> {
        let running: Vec<(Str, Arc<Container>)> = {
            let state = self.state.lock();
            let of_pod = state.containers.values().filter(|instance| {
                instance.record.uid == uid && instance.record.view().state == ContainerState::Running
            });
            of_pod
                .filter_map(|instance| Some((Str::from(&instance.record.name), instance.container.clone()?)))
                .collect()
        };
        let used = |(name, container): (Str, Arc<Container>)| {
            let stats = container.stats().ok()?;
            Some(ContainerStats { name, cpu: stats.cpu, memory: stats.memory_working_set })
        };
        running.into_iter().filter_map(used).collect()
    }
}

/// Removes a file; one that is not there is no error.
fn remove_file(path: &Path) -> RuntimeResult<()> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(failed(format!("{}: {error}", path.display())))
        }
        _ => Ok(()),
    }
}

/// What the agent is told of a container that could not be made.
fn create_error(error: orlop_container::Error) -> RuntimeError {
    match error {
        orlop_container::Error::Spec { .. } | orlop_container::Error::User { .. } => config(error),
        error => failed(error),
    }
}

/// The message that a container has left, or the end of its log.
fn message(record: &ContainerRecord, code: i32) -> String {
    let path = Path::new(&record.message_file);
    let own = if record.message_file.is_empty() { Ok(Vec::new()) } else { last_bytes(path, MAX_MESSAGE) };
    let text = match own {
        Ok(text) if text.is_empty() && record.message_from_log && code != 0 => {
            tail_text(Path::new(&record.log), MESSAGE_LINES, MESSAGE_BYTES).unwrap_or_default()
        }
        Ok(text) => text,
        Err(error) => format!("Error on reading termination log {}: {error}", path.display()).into_bytes(),
    };
    String::from_utf8_lossy(&text).into_owned()
}

fn last_bytes(path: &Path, count: u64) -> std::io::Result<Vec<u8>> {
    use std::io::{Read as _, Seek as _};
    let mut file = std::fs::File::open(path)?;
    let length = file.metadata()?.len();
    file.seek(std::io::SeekFrom::Start(length.saturating_sub(count)))?;
    let mut text = Vec::new();
    file.take(count).read_to_end(&mut text)?;
    Ok(text)
}

impl LinuxRuntime {
    /// Asks a container to end, ends it by force after the grace, and waits until it has.
    pub(super) async fn stop(&self, id: &str, grace: Duration) -> RuntimeResult<()> {
        let (container, mut ended, signal) = {
            let mut state = self.shared.state.lock();
            let Some(instance) = state.containers.get_mut(id) else { return Ok(()) };
            if instance.record.end.is_some() || instance.record.started_at.is_none() {
                return Ok(());
            }
            let Some(container) = instance.container.clone() else { return Ok(()) };
            // Whoever asks a second time only has less patience.
            let first = !std::mem::replace(&mut instance.asked, true);
            (container, instance.ended.subscribe(), first.then_some(instance.record.stop_signal))
        };
        if let Some(signal) = signal {
            // Whom the signal does not reach is killed in the end.
            told("signal to a container", container.signal(signal));
        }
        let has_ended = |ended: &bool| *ended;
        if tokio::time::timeout(grace, ended.wait_for(has_ended)).await.is_ok() {
            return Ok(());
        }
        self.blocking(move |_| container.kill().map_err(failed)).await?;
        // The watcher tells when it has seen the end.
        drop(ended.wait_for(has_ended).await);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signals() {
        assert_eq!(signal("SIGTERM"), Some(15));
        assert_eq!(signal("QUIT"), Some(3));
        assert_eq!(signal("9"), Some(9));
        assert_eq!(signal("SIGRTMIN+3"), Some(37));
        assert_eq!(signal("SIGNOPE"), None);
        assert_eq!(signal("0"), None);
    }
}
