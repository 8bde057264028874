//! What an agent before has left: taken over or removed; and the look for anything that is left.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;
use std::sync::Arc;

use orlop_cni::OwnedKind;
use orlop_container::{Container, Recovered};
use orlop_fs::Root;
use orlop_model::Str;
use tokio::net::unix::pipe;
use tokio::runtime::Handle;
use tokio::sync::watch;

use super::cgroups;
use super::log::LogFile;
use super::log_read::Progress;
use super::mounts;
use super::output::{Pipes, copy};
use super::record::{self, ContainerRecord, End, SandboxRecord};
use super::runtime::{LinuxRuntime, Shared, failed};
use super::state::{Instance, Sandbox, State};
use crate::runtime::{KnownPod, Recover, RuntimeResult};

/// Exit code of a container that ended while nobody looked.
const UNKNOWN: i32 = 255;

/// Something that a runtime has made and that is still there.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Left {
    /// What it is: `process`, `mount`, `cgroup`, `folder`, `network`, `pod`, `snapshot`.
    pub kind: &'static str,
    /// Its name or path.
    pub name: String,
}

impl fmt::Display for Left {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.kind, self.name)
    }
}

/// A container that runs and is to be looked after again.
struct Adopted {
    id: String,
    container: Arc<Container>,
    pipes: (pipe::Receiver, pipe::Receiver),
    log: LogFile,
    progress: watch::Sender<Progress>,
}

impl Shared {
    /// Nothing else must be done meanwhile. A second time there is nothing to adopt: all is known.
    pub(super) fn recover(self: &Arc<Self>, mode: Recover, handle: &Handle) -> RuntimeResult<Vec<KnownPod>> {
        let again = self.state.lock().recovered;
        match mode {
            Recover::Adopt if again => {}
            Recover::Adopt => {
                let found = self.containers.recover().map_err(failed)?;
                self.adopt(found, handle)?;
            }
            Recover::Remove => {
                self.end_known()?;
                if !again {
                    let found = self.containers.recover().map_err(failed)?;
                    for container in found.containers {
                        container.delete().map_err(failed)?;
                    }
                    for sandbox in found.sandboxes {
                        sandbox.delete().map_err(failed)?;
                    }
                }
                self.remove_rest()?;
            }
        }
        let mut state = self.state.lock();
        state.recovered = true;
        Ok(state.known())
    }

    /// Ends all processes that are known, and lets go of all namespaces.
    fn end_known(&self) -> RuntimeResult<()> {
        let (containers, sandboxes): (Vec<_>, Vec<_>) = {
            let state = self.state.lock();
            let containers = state.containers.values().filter_map(|instance| instance.container.clone());
            let sandboxes = state.sandboxes.values().filter_map(|sandbox| sandbox.namespaces.clone());
            (containers.collect(), sandboxes.collect())
        };
        for container in containers {
            container.delete().map_err(failed)?;
        }
        for sandbox in sandboxes {
            sandbox.delete().map_err(failed)?;
        }
        Ok(())
    }

    /// Removes everything but the processes and the namespaces, which are gone already.
    fn remove_rest(&self) -> RuntimeResult<()> {
        self.cni.gc(&self.config.network, &[]).map_err(failed)?;
        if let Some(groups) = self.containers.cgroups() {
            let parent = cgroups::top(&self.config.cgroup).map_err(failed)?;
            groups.purge(&parent).map_err(failed)?;
        }
        let containers = self.config.root.join("containers");
        for id in record::folders(&containers) {
            self.remove_snapshots(&id)?;
        }
        for name in ["containers", "sandboxes", "pods"] {
            let dir = self.config.root.join(name);
            mounts::unmount_below(&dir).map_err(failed)?;
            Root::open(&dir).and_then(|dir| dir.clear()).map_err(failed)?;
        }
        if self.config.logs.exists() {
            Root::open(&self.config.logs).and_then(|logs| logs.clear()).map_err(failed)?;
        }
        let mut state = self.state.lock();
        let recovered = state.recovered;
        *state = State::default();
        state.recovered = recovered;
        Ok(())
    }

    fn adopt(self: &Arc<Self>, found: Recovered, handle: &Handle) -> RuntimeResult<()> {
        let mut state = State::default();
        let mut held: BTreeMap<String, orlop_container::Sandbox> =
            found.sandboxes.into_iter().map(|sandbox| (sandbox.id().to_string(), sandbox)).collect();
        let mut running: BTreeMap<String, Container> =
            found.containers.into_iter().map(|container| (container.id().to_string(), container)).collect();

        let mut sandboxes: Vec<SandboxRecord> = Vec::new();
        for id in record::folders(&self.config.root.join("sandboxes")) {
            match record::read::<SandboxRecord>(&self.sandbox_dir(&id)).filter(|record| record.id == id) {
                Some(record) => sandboxes.push(record),
                None => self.remove_folder("sandboxes", &id)?,
            }
        }
        sandboxes
            .sort_by(|one, other| one.created_at.cmp(&other.created_at).then_with(|| one.id.cmp(&other.id)));
        for mut record in sandboxes {
            let namespaces = held.remove(&record.id).map(Arc::new);
            if record.ready && namespaces.is_none() && record.own_namespaces {
                // Its namespaces have gone with the machine.
                self.end_sandbox(&record)?;
                record.ready = false;
                record::write(&self.sandbox_dir(&record.id), &record).map_err(failed)?;
            } else if !record.ready {
                if let Some(namespaces) = &namespaces {
                    namespaces.delete().map_err(failed)?;
                }
                self.end_sandbox(&record)?;
            }
            let namespaces = namespaces.filter(|_| record.ready);
            state.add_sandbox(Sandbox { namespaces, record });
        }
        for sandbox in held.into_values() {
            sandbox.delete().map_err(failed)?;
        }

        let mut containers: Vec<ContainerRecord> = Vec::new();
        for id in record::folders(&self.config.root.join("containers")) {
            let record =
                record::read::<ContainerRecord>(&self.container_dir(&id)).filter(|record| record.id == id);
            match record {
                // One that was never started went with whoever made it.
                Some(record) if record.started_at.is_some() => containers.push(record),
                Some(record) => {
                    if let Some(container) = running.remove(&id) {
                        container.delete().map_err(failed)?;
                    }
                    self.remove_files(&record)?;
                }
                None => {
                    self.remove_snapshots(&id)?;
                    self.remove_folder("containers", &id)?;
                }
            }
        }
        containers
            .sort_by(|one, other| one.created_at.cmp(&other.created_at).then_with(|| one.id.cmp(&other.id)));
        let mut lively = Vec::new();
        for record in containers {
            let container = running.remove(&record.id);
            let (instance, adopted) = self.adopt_container(record, container, handle)?;
            state.add_container(instance);
            lively.extend(adopted);
        }
        for container in running.into_values() {
            container.delete().map_err(failed)?;
        }
        // Of a pod with nothing but its folder nobody has written down the name; its uid stands for it.
        state.folders = record::folders(&self.config.root.join("pods"))
            .iter()
            .map(|uid| {
                let uid = Str::from(uid);
                let known = KnownPod { name: uid.clone(), namespace: "unknown".into(), uid: uid.clone() };
                (uid, known)
            })
            .collect();
        let ready = state.sandboxes.iter().filter(|(_, sandbox)| sandbox.record.ready);
        let valid: Vec<(&str, &str)> =
            ready.map(|(id, _)| (id.as_str(), super::sandbox::INTERFACE)).collect();
        self.cni.gc(&self.config.network, &valid).map_err(failed)?;
        // From here on nothing fails, so that nobody is looked after twice.
        *self.state.lock() = state;
        for Adopted { id, container, pipes, log, progress } in lively {
            handle.spawn(copy(pipes, log, Arc::clone(&self.clock), progress));
            self.watch(&id, container, handle);
        }
        Ok(())
    }

    fn adopt_container(
        &self,
        mut record: ContainerRecord,
        container: Option<Container>,
        handle: &Handle,
    ) -> RuntimeResult<(Instance, Option<Adopted>)> {
        let dir = self.container_dir(&record.id);
        let (progress, told) = watch::channel(Progress::default());
        let container = container.map(Arc::new);
        if record.end.is_none() && container.is_none() {
            record.end = Some(End {
                at: self.clock.now(),
                code: UNKNOWN,
                reason: "ContainerStatusUnknown".to_owned(),
                message: "The container ended while nobody was there to see how".to_owned(),
            });
            record::write(&dir, &record).map_err(failed)?;
        }
        let lives = record.end.is_none();
        let adopted = match container.clone().filter(|_| lives) {
            Some(container) => {
                let pipes = {
                    let _entered = handle.enter();
                    Pipes::of(&dir).open_for_reading().map_err(failed)?
                };
                let log = LogFile::new(Path::new(&record.log), self.config.log);
                Some(Adopted { id: record.id.clone(), container, pipes, log, progress })
            }
            None => {
                progress.send_modify(|progress| progress.ended = true);
                None
            }
        };
        let instance = Instance {
            process: record.process.spec(),
            container,
            broken: None,
            ended: watch::channel(!lives).0,
            progress: told,
            asked: false,
            record,
        };
        Ok((instance, adopted))
    }

    fn remove_folder(&self, kind: &str, id: &str) -> RuntimeResult<()> {
        let parent = self.config.root.join(kind);
        mounts::unmount_below(&parent.join(id)).map_err(failed)?;
        Root::open(&parent).and_then(|parent| parent.remove_all(id)).map_err(failed)
    }
}

impl LinuxRuntime {
    /// Ends and removes everything this runtime has made, its network and its control groups too. Images stay. Nothing
    /// must be asked of it afterwards.
    ///
    /// # Errors
    /// The first thing that cannot be removed.
    pub async fn remove_all(&self) -> RuntimeResult<()> {
        self.on_thread(|shared| {
            // Whatever is being made is waited for.
            let mut closed = shared.closed.write();
            *closed = true;
            shared.end_known()?;
            shared.remove_rest()?;
            shared.cni.remove_network(&shared.config.network).map_err(failed)
        })
        .await
    }

    /// Everything of this runtime that is there, found in the kernel and on disk, sorted: pods, processes, mounts, control
    /// groups, links, addresses, packet rules, folders, snapshots. After [`remove_all`](Self::remove_all) there is nothing.
    ///
    /// # Errors
    /// The kernel does not tell.
    pub async fn audit(&self) -> RuntimeResult<Vec<Left>> {
        self.on_thread(|shared| {
            let mut left = Vec::new();
            let mut add = |kind: &'static str, name: String| left.push(Left { kind, name });
            let config = &shared.config;
            for pod in shared.state.lock().known() {
                add("pod", format!("{}/{} ({})", pod.namespace, pod.name, pod.uid));
            }
            for kind in ["pods", "sandboxes", "containers", "runtime"] {
                for name in record::folders(&config.root.join(kind)) {
                    if name != ".lock" {
                        add("folder", format!("{kind}/{name}"));
                    }
                }
            }
            for mount in mounts::below(&config.root).map_err(failed)? {
                add("mount", mount.display().to_string());
            }
            let mine = record::folders(&config.root.join("containers"));
            for snapshot in shared.store.snapshots().map_err(failed)? {
                if mine.iter().any(|id| snapshot.split('.').next() == Some(id)) {
                    add("snapshot", snapshot);
                }
            }
            if let Some(groups) = shared.containers.cgroups() {
                let parent = cgroups::top(&config.cgroup).map_err(failed)?;
                if groups.open(&parent).map_err(failed)?.is_some() {
                    add("cgroup", parent.to_string());
                }
            }
            let processes = match shared.containers.cgroups() {
                Some(_) => processes_in(&config.cgroup),
                None => mounts::users_of(&config.root).map_err(failed)?.into_iter().map(named).collect(),
            };
            for process in processes {
                add("process", process);
            }
            // The table of packet rules is that of all networks of the machine, and goes with the last of them.
            let owned = shared.cni.owned(&config.network).map_err(failed)?;
            for owned in owned.iter().filter(|owned| owned.kind != OwnedKind::Table) {
                add("network", owned.to_string());
            }
            left.sort();
            Ok(left)
        })
        .await
    }
}

fn named(pid: u32) -> String {
    let name = std::fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default();
    format!("{pid} ({})", name.trim())
}

/// Processes in the control group or below it, wherever that begins, as `PID (NAME)`. Those that have ended and wait for a parent that is not
/// this process are passed over.
fn processes_in(cgroup: &str) -> Vec<String> {
    let below = format!("{}/", cgroup.trim_end_matches('/'));
    let mut found = Vec::new();
    for pid in record::folders(Path::new("/proc")).iter().filter(|name| name.parse::<u32>().is_ok()) {
        let read = |file: &str| std::fs::read_to_string(format!("/proc/{pid}/{file}")).unwrap_or_default();
        let inside = read("cgroup").lines().any(|line| {
            let path = line.splitn(3, ':').nth(2).unwrap_or_default();
            path.ends_with(cgroup) || path.contains(&below)
        });
        let stat = read("stat");
        let mut fields = stat.rsplit(')').next().unwrap_or_default().split_whitespace();
        let has_ended = fields.next().is_none_or(|state| state == "Z" || state == "X");
        let is_ours = fields.next().is_some_and(|parent| parent == std::process::id().to_string());
        if inside && (!has_ended || is_ours) {
            found.push(format!("{pid} ({})", read("comm").trim()));
        }
    }
    found
}
