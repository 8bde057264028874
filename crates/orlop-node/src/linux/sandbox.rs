//! Sandboxes: the control group, the namespaces and the network that the containers of a pod share.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;
use std::sync::Arc;

use orlop_cni::Attachment;
use orlop_cni::capability::{PortMapping, Protocol};
use orlop_container::cgroup::{Resources, WeightFormula};
use orlop_container::{Id, Namespace, Namespaces, SandboxSpec, UserNamespace};
use orlop_fs::{Flags, Root, Tmpfs};
use orlop_model::Str;
use orlop_model::core::v1::{Pod, PodQOSClass, resource_name};
use orlop_model::pod_resources::{Counting, cpu_shares, qos_class, requests};
use orlop_netlink::Netns;

use super::cgroups;
use super::mounts;
use super::record::{self, SandboxRecord};
use super::runtime::{Shared, failed, is_name};
use super::state::Sandbox;
use super::undo::{Undo, told};
use super::volumes::{PodVolumes, VolumeLimits, tear_down};
use crate::dns::pod_dns;
use crate::hosts::Hostname;
use crate::runtime::{KnownPod, RuntimeError, RuntimeResult, SandboxConfig, Volumes};
use crate::view::SandboxView;
use crate::volume::VolumeError;

/// The interface of a pod.
pub(super) const INTERFACE: &str = "eth0";
/// Bytes of the memory that a pod's containers share as files (`/dev/shm`).
const SHM: u64 = 64 << 20;

/// Kernel parameters that any pod may set: those that are the pod's own and cannot harm others.
const SAFE_SYSCTLS: &[&str] = &[
    "kernel.shm_rmid_forced",
    "net.ipv4.ip_local_port_range",
    "net.ipv4.tcp_syncookies",
    "net.ipv4.ping_group_range",
    "net.ipv4.ip_unprivileged_port_start",
    "net.ipv4.ip_local_reserved_ports",
    "net.ipv4.tcp_keepalive_time",
    "net.ipv4.tcp_keepalive_intvl",
    "net.ipv4.tcp_keepalive_probes",
    "net.ipv4.tcp_fin_timeout",
    "net.ipv4.tcp_rmem",
    "net.ipv4.tcp_wmem",
];

/// Makes a folder that only we look into.
pub(super) fn private_dir(path: &Path) -> RuntimeResult<()> {
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o750)
        .create(path)
        .map_err(|error| failed(format!("{}: {error}", path.display())))
}

fn sysctls(pod: &Pod) -> RuntimeResult<BTreeMap<String, String>> {
    let asked = pod.spec.security_context.iter().flat_map(|context| &context.sysctls);
    let mut all = BTreeMap::new();
    for sysctl in asked {
        let name = sysctl.name.replace('/', ".");
        let of_host = name.starts_with("net.") && pod.spec.host_network
            || name.starts_with("kernel.") && pod.spec.host_ipc;
        if of_host || !SAFE_SYSCTLS.contains(&name.as_str()) {
            return Err(RuntimeError::failed(format!("forbidden sysctl: {name:?} not allowlisted")));
        }
        all.insert(name, sysctl.value.to_string());
    }
    Ok(all)
}

/// Ports of the node that lead to the pod, each once.
fn ports(pod: &Pod) -> Vec<PortMapping> {
    let mut mappings: Vec<PortMapping> = Vec::new();
    for port in pod.spec.containers.iter().flat_map(|container| &container.ports) {
        let (Ok(host_port), Ok(container_port)) =
            (u16::try_from(port.host_port), u16::try_from(port.container_port))
        else {
            continue;
        };
        let protocol = match port.protocol.as_str() {
            "UDP" => Protocol::Udp,
            "SCTP" => Protocol::Sctp,
            _ => Protocol::Tcp,
        };
        let host_ip = port.host_ip.parse::<IpAddr>().ok();
        let mapping = PortMapping { host_port, container_port, protocol, host_ip };
        if host_port != 0 && !mappings.contains(&mapping) {
            mappings.push(mapping);
        }
    }
    mappings
}

impl Shared {
    /// How the network knows a sandbox.
    fn attachment(&self, id: &str) -> Attachment {
        Attachment::new(id, INTERFACE)
    }

    /// Makes the control groups above those of pods, and shares the processor between the tiers.
    fn update_tiers(&self) -> Result<(), orlop_container::Error> {
        let shares = |shares: u64| {
            let mut resources = Resources::new();
            resources.cpu_shares = Some(shares);
            resources.cpu_weight_formula = WeightFormula::Linear;
            resources
        };
        let millis = self.state.lock().burstable_millis();
        let Some(groups) = self.containers.cgroups() else { return Ok(()) };
        for (tier, shares) in [("besteffort", shares(2)), ("burstable", shares(cpu_shares(millis)))] {
            let path = cgroups::below(&self.config.cgroup, &format!("kubepods/{tier}"))?;
            groups.create(&path, &shares)?.update(&shares)?;
        }
        Ok(())
    }

    /// There is a folder of this pod from now on.
    fn note_folder(&self, pod: &Pod) {
        let meta = &pod.metadata;
        let known =
            KnownPod { uid: meta.uid.clone(), namespace: meta.namespace.clone(), name: meta.name.clone() };
        self.state.lock().folders.insert(meta.uid.clone(), known);
    }

    pub(super) fn set_up_volumes(&self, pod: &Pod, volumes: &Volumes) -> Result<(), VolumeError> {
        let fail = |message: String| VolumeError { volume: Str::EMPTY, message };
        let uid = &pod.metadata.uid;
        if !is_name(uid) {
            return Err(fail(format!("uid {uid:?} cannot be the name of a folder")));
        }
        if volumes.is_empty() {
            return Ok(());
        }
        let dir = self.pod_dir(uid);
        private_dir(&dir).map_err(|error| fail(error.to_string()))?;
        self.note_folder(pod);
        let limits = VolumeLimits { memory: u64::try_from(self.config.memory).unwrap_or(u64::MAX) };
        PodVolumes::new(&dir, pod).set_up(volumes, limits, &self.stamp(), &self.faults)
    }

    pub(super) fn remove_pod(&self, uid: &str) -> RuntimeResult<()> {
        if !is_name(uid) {
            return Ok(());
        }
        let known = {
            let state = self.state.lock();
            if state.has(uid) {
                return Err(RuntimeError::failed(format!("pod {uid} still has a sandbox or a container")));
            }
            state.folders.contains_key(uid)
        };
        if known {
            tear_down(&self.pod_dir(uid)).map_err(failed)?;
            self.state.lock().folders.remove(uid);
        }
        // The folder of its logs ends with its uid.
        for folder in record::folders(&self.config.logs) {
            if folder.rsplit('_').next() == Some(uid) {
                Root::open(&self.config.logs).and_then(|logs| logs.remove_all(&folder)).map_err(failed)?;
            }
        }
        Ok(())
    }

    /// Makes a sandbox; after an error nothing of it is left.
    #[tracing::instrument(level = "debug", skip_all, fields(pod = %config.pod.metadata.name))]
    pub(super) fn create_sandbox(&self, config: &SandboxConfig) -> RuntimeResult<SandboxView> {
        let pod = &*config.pod;
        let meta = &pod.metadata;
        for name in [&meta.uid, &meta.name, &meta.namespace] {
            if !is_name(name) {
                return Err(RuntimeError::failed(format!("{name:?} cannot be the name of a folder")));
            }
        }
        if pod.spec.host_users == Some(false) {
            return Err(RuntimeError::Unsupported { what: "a user namespace of a pod" });
        }
        let domain = &self.config.dns.domain;
        let hostname = Hostname::of(pod, domain).and_then(|name| name.of_kernel(pod)).map_err(failed)?;
        let (dns, _) = pod_dns(pod, &self.config.dns, &[]).map_err(failed)?;
        let sysctls = sysctls(pod)?;
        let id = self.new_id();
        let mut undo = Undo::new();

        let (pod_dir, dir) = (self.pod_dir(&meta.uid), self.sandbox_dir(&id));
        self.faults.step("folder of a pod").map_err(failed)?;
        private_dir(&pod_dir)?;
        self.note_folder(pod);
        self.faults.step("folder of a sandbox").map_err(failed)?;
        private_dir(&dir)?;
        undo.push(|| told("folder of a sandbox", std::fs::remove_dir_all(self.sandbox_dir(&id))));
        let path = cgroups::pod_path(pod, &meta.uid);
        let mut made = SandboxRecord {
            id: id.clone(),
            uid: meta.uid.to_string(),
            namespace: meta.namespace.to_string(),
            name: meta.name.to_string(),
            attempt: config.attempt,
            host_network: pod.spec.host_network,
            ips: Vec::new(),
            created_at: self.clock.now(),
            ready: false,
            cgroup: path.clone(),
            hostname: hostname.clone(),
            own_namespaces: false,
            cpu_millis: requests(pod, &Counting::default())
                .get(resource_name::CPU)
                .map_or(0, |cpu| cpu.milli_value()),
            burstable: qos_class(pod) == PodQOSClass::Burstable,
            limits: cgroups::Limits::new(pod),
        };
        self.faults.step("record of a sandbox").map_err(failed)?;
        record::write(&dir, &made).map_err(failed)?;

        self.faults.step("control groups of the tiers").map_err(failed)?;
        self.update_tiers().map_err(failed)?;
        if let Some(groups) = self.containers.cgroups() {
            let cgroup = cgroups::below(&self.config.cgroup, &path).map_err(failed)?;
            let was_there = groups.open(&cgroup).map_err(failed)?.is_some();
            self.faults.step("control group of a pod").map_err(failed)?;
            groups
                .create(&cgroup, &cgroups::pod_resources(pod, self.config.pod_pids_limit))
                .map_err(failed)?;
            if !was_there {
                undo.push(move || told("control group of a pod", groups.purge(&cgroup)));
            }
        }

        let spec = SandboxSpec {
            network: !pod.spec.host_network,
            ipc: !pod.spec.host_ipc,
            uts: !pod.spec.host_network,
            shared_pid: pod.spec.share_process_namespace == Some(true) && !pod.spec.host_pid,
            hostname: (!pod.spec.host_network).then(|| hostname.clone()),
            sysctls,
            ..SandboxSpec::default()
        };
        self.faults.step("namespaces of a sandbox").map_err(failed)?;
        let namespaces = if spec.network || spec.ipc || spec.uts || spec.shared_pid {
            let name = Id::new(&id).map_err(failed)?;
            Some(Arc::new(self.containers.sandbox(&name, &spec).map_err(failed)?))
        } else {
            None
        };
        if let Some(namespaces) = namespaces.clone() {
            undo.push(move || told("namespaces of a sandbox", namespaces.delete()));
        }

        made.own_namespaces = namespaces.is_some();
        if let Some(network) = namespaces.as_ref().and_then(|namespaces| namespaces.network()) {
            let netns = network.try_clone().map_err(failed)?;
            let netns = Arc::new(Netns::from_fd(netns).map_err(failed)?);
            let attachment = self.attachment(&id).in_namespace(netns).port_mappings(&ports(pod));
            self.faults.step("network of a sandbox").map_err(failed)?;
            let result = self.cni.add(&self.config.network, &attachment).map_err(failed)?;
            undo.push(|| {
                told("network of a sandbox", self.cni.del(&self.config.network, &self.attachment(&id)));
            });
            made.ips = result.addresses().map(|address| address.addr().to_string()).collect();
        }

        let shm = dir.join("shm");
        self.faults.step("folder of shared memory").map_err(failed)?;
        private_dir(&shm)?;
        let flags = Flags { no_suid: true, no_dev: true, no_exec: true, ..Flags::default() };
        let attach = || {
            let tmpfs = orlop_fs::Mount::tmpfs(Tmpfs { size: Some(SHM), mode: 0o1777, flags })?;
            tmpfs.attach(&Root::open(&dir)?.handle("shm", false)?)
        };
        self.faults.step("shared memory of a sandbox").map_err(failed)?;
        attach().map_err(failed)?;
        undo.push(|| told("shared memory of a sandbox", mounts::unmount_below(&self.sandbox_dir(&id))));

        let files = Root::open(&pod_dir).map_err(failed)?;
        self.faults.step("file of name servers").map_err(failed)?;
        files.replace("resolv.conf", dns.to_text().as_bytes(), 0o644).map_err(failed)?;
        self.faults.step("file of the host name").map_err(failed)?;
        files.replace("hostname", format!("{hostname}\n").as_bytes(), 0o644).map_err(failed)?;

        made.ready = true;
        self.faults.step("record of a whole sandbox").map_err(failed)?;
        record::write(&dir, &made).map_err(failed)?;
        undo.forget();
        let view = made.view();
        self.state.lock().add_sandbox(Sandbox { record: made, namespaces });
        // A tier that is short of its share for a while is no reason to fail.
        told("shares of the tiers", self.update_tiers());
        Ok(view)
    }

    pub(super) fn stop_sandbox(&self, id: &str) -> RuntimeResult<()> {
        let (record, namespaces) = match self.state.lock().sandboxes.get(id) {
            Some(sandbox) if sandbox.record.ready => (sandbox.record.clone(), sandbox.namespaces.clone()),
            _ => return Ok(()),
        };
        self.end_sandbox(&record)?;
        if let Some(namespaces) = namespaces {
            namespaces.delete().map_err(failed)?;
        }
        let stopped = SandboxRecord { ready: false, ..record };
        record::write(&self.sandbox_dir(id), &stopped).map_err(failed)?;
        if let Some(sandbox) = self.state.lock().sandboxes.get_mut(id) {
            sandbox.record = stopped;
            sandbox.namespaces = None;
        }
        Ok(())
    }

    /// Releases the network and the shared memory of a sandbox; done as often as wanted.
    pub(super) fn end_sandbox(&self, record: &SandboxRecord) -> RuntimeResult<()> {
        if !record.host_network {
            self.cni.del(&self.config.network, &self.attachment(&record.id)).map_err(failed)?;
        }
        mounts::unmount_below(&self.sandbox_dir(&record.id)).map_err(failed)
    }

    pub(super) fn remove_sandbox(&self, id: &str) -> RuntimeResult<()> {
        self.stop_sandbox(id)?;
        let (record, last) = {
            let state = self.state.lock();
            let Some(sandbox) = state.sandboxes.get(id) else { return Ok(()) };
            let same = |other: &&Sandbox| other.record.uid == sandbox.record.uid;
            (sandbox.record.clone(), state.sandboxes.values().filter(same).count() == 1)
        };
        if last && let Some(groups) = self.containers.cgroups() {
            let cgroup = cgroups::below(&self.config.cgroup, &record.cgroup).map_err(failed)?;
            groups.purge(&cgroup).map_err(failed)?;
        }
        let parent = Root::open(self.config.root.join("sandboxes")).map_err(failed)?;
        parent.remove_all(id).map_err(failed)?;
        self.state.lock().remove_sandbox(id);
        told("shares of the tiers", self.update_tiers());
        Ok(())
    }
}

/// The namespaces of the node, for containers of a pod that shares all of them.
pub(super) fn host_namespaces() -> Namespaces {
    Namespaces {
        pid: Namespace::New,
        network: Namespace::Host,
        ipc: Namespace::Host,
        uts: Namespace::Host,
        cgroup: Namespace::New,
        user: UserNamespace::Host,
    }
}
