//! The volumes of a pod, on the node's disk and in its memory.

use std::path::{Path, PathBuf};

use orlop_container::{MountOptions, Propagation, Source};
use orlop_fs::{FileKind, Flags, Root, Tmpfs};
use orlop_model::core::v1::{
    EmptyDirVolumeSource, HostPathType, HostPathVolumeSource, MountPropagationMode, Pod, StorageMedium,
    Volume, VolumeMount, VolumeSource, resource_name,
};
use orlop_model::{Quantity, Str};

use super::atomic;
use super::faults::Faults;
use super::ownership::{Ownership, apply, mode_for_group};
use crate::runtime::{RuntimeError, VolumeContent, Volumes};
use crate::volume::VolumeError;

/// Most bytes of a volume in memory that shows objects of the API.
const MOST_OBJECT_BYTES: u64 = 64 << 20;

/// The folder of volumes that begin empty.
const EMPTY_DIR: &str = "kubernetes.io~empty-dir";

/// How the volumes of a node's pods are made.
#[derive(Clone, Copy, Debug)]
pub(crate) struct VolumeLimits {
    /// Bytes of memory that pods may use in all.
    pub(crate) memory: u64,
}

/// Where a pod's volumes are: `volumes` in the pod's directory.
#[derive(Debug)]
pub(crate) struct PodVolumes<'a> {
    dir: PathBuf,
    pod: &'a Pod,
}

fn plugin(source: &VolumeSource) -> Option<&'static str> {
    Some(if source.config_map.is_some() {
        "kubernetes.io~configmap"
    } else if source.secret.is_some() {
        "kubernetes.io~secret"
    } else if source.downward_api.is_some() {
        "kubernetes.io~downward-api"
    } else if source.projected.is_some() {
        "kubernetes.io~projected"
    } else if source.empty_dir.is_some() {
        EMPTY_DIR
    } else if source.host_path.is_some() {
        "kubernetes.io~host-path"
    } else {
        return None;
    })
}

/// What is wrong, with the volume's name.
fn failed(volume: &Str, problem: impl ToString) -> VolumeError {
    VolumeError { volume: volume.clone(), message: problem.to_string() }
}

impl<'a> PodVolumes<'a> {
    /// Those of a pod with this directory.
    pub(crate) fn new(pod_dir: &Path, pod: &'a Pod) -> Self {
        Self { dir: pod_dir.join("volumes"), pod }
    }

    pub(crate) fn volume(&self, name: &str) -> Option<&'a Volume> {
        self.pod.spec.volumes.iter().find(|volume| volume.name == *name)
    }

    /// Where a volume is on the node; `None` if it is none that has a place.
    pub(crate) fn place(&self, name: &str) -> Option<PathBuf> {
        let volume = self.volume(name)?;
        match &volume.source.host_path {
            Some(host) => Some(PathBuf::from(host.path.as_str())),
            None => Some(self.dir.join(plugin(&volume.source)?).join(name)),
        }
    }

    /// Makes the volumes, or brings those that show objects up to date. `stamp` must be new.
    ///
    /// # Errors
    /// The first one that cannot be made.
    pub(crate) fn set_up(
        &self,
        volumes: &Volumes,
        limits: VolumeLimits,
        stamp: &str,
        faults: &Faults,
    ) -> Result<(), VolumeError> {
        for (name, content) in volumes {
            let volume = self.volume(name).ok_or_else(|| failed(name, "the pod has no such volume"))?;
            match content {
                VolumeContent::Files(files) => {
                    let in_memory = volume.source.config_map.is_none();
                    let (root, _) = self.directory(volume, in_memory.then_some(MOST_OBJECT_BYTES), faults)?;
                    faults.step("files of a volume").map_err(|error| failed(name, error))?;
                    let ownership = Ownership { group: self.group(), read_only: true };
                    atomic::write(&root, files, stamp, &ownership).map_err(|error| failed(name, error))?;
                    if let Some(group) = ownership.group {
                        own(&root, group, true).map_err(|error| failed(name, error))?;
                    }
                }
                VolumeContent::ByRuntime => self.make(volume, limits, faults)?,
            }
        }
        Ok(())
    }

    fn group(&self) -> Option<u32> {
        let group = self.pod.spec.security_context.as_ref()?.fs_group?;
        u32::try_from(group).ok()
    }

    /// The volume's directory, made if it is not there; on a file system in memory of so many bytes if asked for. And
    /// whether that was mounted just now.
    fn directory(
        &self,
        volume: &Volume,
        memory: Option<u64>,
        faults: &Faults,
    ) -> Result<(Root, bool), VolumeError> {
        let name = &volume.name;
        let plugin = plugin(&volume.source).ok_or_else(|| failed(name, "no volume plugin matched"))?;
        let parent = self.dir.join(plugin);
        faults.step("folder of a volume").map_err(|error| failed(name, error))?;
        std::fs::create_dir_all(&parent).map_err(|error| failed(name, error))?;
        faults.step("mount of a volume").map_err(|error| failed(name, error))?;
        let done = || {
            let parent = Root::open(&parent)?;
            let root = parent.create_dir_all(name.as_str(), 0o755)?;
            let mounted = parent.metadata(name.as_str())?.device != parent.metadata(".")?.device;
            match memory {
                Some(size) if !mounted => {
                    let flags = Flags { no_suid: true, no_dev: true, ..Flags::default() };
                    let tmpfs = orlop_fs::Mount::tmpfs(Tmpfs { size: Some(size), mode: 0o755, flags })?;
                    tmpfs.attach(&parent.handle(name.as_str(), false)?)?;
                    Ok((parent.sub(name.as_str())?, true))
                }
                _ => Ok((root, false)),
            }
        };
        done().map_err(|error: orlop_fs::Error| failed(name, error))
    }

    fn make(&self, volume: &Volume, limits: VolumeLimits, faults: &Faults) -> Result<(), VolumeError> {
        let source = &volume.source;
        if let Some(empty) = &source.empty_dir {
            self.make_empty(volume, empty, limits, faults)
        } else if let Some(host) = &source.host_path {
            check_host_path(host).map_err(|problem| failed(&volume.name, problem))
        } else if source.image.is_some() {
            // It is mounted for each container by itself.
            Ok(())
        } else {
            Err(failed(&volume.name, "no volume plugin matched: this node has no such volumes"))
        }
    }

    fn make_empty(
        &self,
        volume: &Volume,
        empty: &EmptyDirVolumeSource,
        limits: VolumeLimits,
        faults: &Faults,
    ) -> Result<(), VolumeError> {
        let name = &volume.name;
        let memory = match &empty.medium {
            medium if medium.is_empty() => None,
            StorageMedium::Memory => Some(self.memory_size(empty, limits)),
            other => return Err(failed(name, format!("unknown storage medium {:?}", other.as_str()))),
        };
        let (root, fresh) = self.directory(volume, memory, faults)?;
        faults.step("owner of a volume").map_err(|error| failed(name, error))?;
        let own = || {
            // What containers do to it once it was whole is their own affair.
            let parent = Root::open(self.dir.join(EMPTY_DIR))?;
            let mark = format!(".{name}.whole");
            if !fresh && parent.exists(&mark)? {
                return Ok(());
            }
            root.set_mode(".", 0o777)?;
            apply(&root, &Ownership { group: self.group(), read_only: false })?;
            parent.write(&mark, b"", 0o600)
        };
        own().map_err(|error: orlop_fs::Error| failed(name, error))
    }

    /// The least of what the node has, the pod may use, and the volume asks for.
    fn memory_size(&self, empty: &EmptyDirVolumeSource, limits: VolumeLimits) -> u64 {
        let bytes = |quantity: &Quantity| u64::try_from(quantity.value()).ok().filter(|bytes| *bytes > 0);
        let counting = orlop_model::pod_resources::Counting::default();
        let of_pod = orlop_model::pod_resources::limits(self.pod, &counting)
            .get(resource_name::MEMORY)
            .and_then(bytes);
        let of_volume = empty.size_limit.as_ref().and_then(bytes);
        [of_pod, of_volume].into_iter().flatten().fold(limits.memory, u64::min)
    }

    /// What a container mounts of a volume. `sub_path` is a path in the volume, empty for all of it.
    ///
    /// # Errors
    /// There is no such volume, or no such path in it.
    pub(crate) fn mount(
        &self,
        mount: &VolumeMount,
        sub_path: &str,
    ) -> Result<orlop_container::Mount, RuntimeError> {
        let config = |message: String| RuntimeError::Config { message };
        let volume = self
            .volume(&mount.name)
            .ok_or_else(|| config(format!("the pod has no volume {:?}", mount.name.as_str())))?;
        let place = self
            .place(&mount.name)
            .ok_or_else(|| config(format!("volume {:?} has no place on this node", mount.name.as_str())))?;
        let source = &volume.source;
        // What shows objects cannot be written by whom it is shown to.
        let shown = source.empty_dir.is_none() && source.host_path.is_none();
        let propagation = match &mount.mount_propagation {
            Some(MountPropagationMode::HostToContainer) => Propagation::FromHost,
            Some(MountPropagationMode::Bidirectional) => Propagation::Both,
            _ => Propagation::Private,
        };
        if let Some(host) = &source.host_path
            && host.type_.as_ref().is_none_or(|type_| *type_ == HostPathType::default())
            && !place.exists()
        {
            // Whoever says nothing of its type gets a directory, as containerd has it.
            std::fs::create_dir_all(&place)
                .map_err(|error| RuntimeError::failed(format!("failed to mkdir {:?}: {error}", host.path)))?;
        }
        let tree = if sub_path.is_empty() {
            Source::Bind { path: place, recursive: true }
        } else {
            let found = inside(&place, sub_path).and_then(|file| orlop_fs::Mount::bind_handle(&file, true));
            let found = found.map_err(|error| {
                config(format!(
                    "failed to prepare subPath for volumeMount {:?}: {error}",
                    mount.name.as_str()
                ))
            })?;
            Source::Tree(found)
        };
        Ok(orlop_container::Mount {
            target: PathBuf::from(mount.mount_path.as_str()),
            source: tree,
            options: MountOptions {
                read_only: mount.read_only || shown,
                no_dev: source.host_path.is_none(),
                ..MountOptions::default()
            },
            propagation,
        })
    }
}

/// The group and its bits for the directory itself.
fn own(root: &Root, group: u32, read_only: bool) -> Result<(), orlop_fs::Error> {
    let dir = root.handle(".", true)?;
    dir.set_owner(u32::MAX, group)?;
    dir.set_mode(mode_for_group(dir.metadata()?.mode, true, read_only))
}

/// A mount of an image for a container, or of a path in it. Nothing is written on it and nothing executed.
///
/// # Errors
/// There is no such path in it, or the kernel refuses.
pub(crate) fn image_mount(
    mount: &VolumeMount,
    sub_path: &str,
    image: orlop_fs::Mount,
) -> Result<orlop_container::Mount, RuntimeError> {
    let tree = if sub_path.is_empty() {
        image
    } else {
        let found = image.root().and_then(|root| root.handle(sub_path, true));
        found.and_then(|file| orlop_fs::Mount::bind_handle(&file, true)).map_err(|error| {
            let volume = mount.name.as_str();
            RuntimeError::failed(format!(
                "failed to mount subPath {sub_path:?} of image volume {volume:?}: {error}"
            ))
        })?
    };
    let mut made = orlop_container::Mount::tree(tree, PathBuf::from(mount.mount_path.as_str()));
    made.options = MountOptions { read_only: true, no_dev: true, no_suid: true, no_exec: true };
    Ok(made)
}

/// What a path in a volume names; links lead nowhere but inside. A directory is made if nothing is there.
fn inside(volume: &Path, path: &str) -> Result<orlop_fs::Handle, orlop_fs::Error> {
    let root = Root::open(volume)?;
    match root.handle(path, true) {
        Err(error) if error.is_not_found() => {
            root.create_dir_all(path, root.metadata(".")?.mode & 0o777)?;
            root.handle(path, true)
        }
        found => found,
    }
}

/// Whether there is at a path of the node what the volume says; what it asks to be made is made.
///
/// # Errors
/// With the text that people know.
fn check_host_path(host: &HostPathVolumeSource) -> Result<(), String> {
    let path = Path::new(host.path.as_str());
    if path.components().any(|part| part == std::path::Component::ParentDir) {
        return Err("invalid HostPath: path must not contain '..'".to_owned());
    }
    let failed = |what: &str| Err(format!("hostPath type check failed: {} {what}", host.path));
    let kind = || {
        let root = Root::open("/").ok()?;
        root.handle(path, true).and_then(|file| file.metadata()).ok().map(|found| found.kind)
    };
    let told = |error: std::io::Error| format!("hostPath type check failed: {}: {error}", host.path);
    match host.type_.as_ref().unwrap_or(&HostPathType::default()) {
        HostPathType::DirectoryOrCreate => match kind() {
            None => std::fs::create_dir_all(path).map_err(told),
            Some(FileKind::Directory) => Ok(()),
            Some(_) => failed("is not a directory"),
        },
        HostPathType::Directory if kind() != Some(FileKind::Directory) => failed("is not a directory"),
        HostPathType::FileOrCreate => match kind() {
            None => std::fs::File::create_new(path).map(drop).map_err(told),
            Some(FileKind::File) => Ok(()),
            Some(_) => failed("is not a file"),
        },
        HostPathType::File if kind() != Some(FileKind::File) => failed("is not a file"),
        HostPathType::Socket if kind() != Some(FileKind::Socket) => failed("is not a socket file"),
        HostPathType::CharDevice if kind() != Some(FileKind::CharDevice) => {
            failed("is not a character device")
        }
        HostPathType::BlockDevice if kind() != Some(FileKind::BlockDevice) => failed("is not a block device"),
        HostPathType::Other(other) if !other.is_empty() => Err(format!("{other} is an invalid volume type")),
        _ => Ok(()),
    }
}

/// Unmounts what is mounted below a pod's directory and removes the directory. What is gone already is no error.
///
/// # Errors
/// If the kernel refuses.
pub(crate) fn tear_down(pod_dir: &Path) -> Result<(), String> {
    super::mounts::unmount_below(pod_dir)?;
    match std::fs::symlink_metadata(pod_dir) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        _ => {}
    }
    let (Some(parent), Some(name)) = (pod_dir.parent(), pod_dir.file_name()) else {
        return Err(format!("{}: no directory of a pod", pod_dir.display()));
    };
    Root::open(parent).and_then(|parent| parent.remove_all(name)).map_err(|error| error.to_string())
}
