//! One isolated Linux process: its namespaces, its cgroup, its files, its privileges.
//!
//! What container runtimes are programs for, as a library: a process of its own namespaces and root file system, under
//! limits, with no more rights than it needs, is made from a program with any number of threads. No helper program is
//! executed, no `main` is hooked, no signal is handled, and nobody has to wait for children that are not theirs: between
//! clone3 and exec the new process does nothing but system calls over memory that was prepared before
//! (`compile`, `child`), and its end is seen through a descriptor.
//!
#![cfg_attr(target_os = "linux", doc = "```no_run")]
#![cfg_attr(not(target_os = "linux"), doc = "```ignore")]
//! use orlop_container::cgroup::{CgroupPath, Resources};
//! use orlop_container::{CgroupSpec, Id, Mount, Rootfs, Runtime, Spec, Stdio};
//!
//! # fn main() -> Result<(), orlop_container::Error> {
//! let runtime = Runtime::open("/run/example")?;
//! let mut spec = Spec::new(Rootfs::directory("/images/busybox").read_only(), ["sh", "-c", "echo $$; hostname"]);
//! spec.hostname = Some("inside".to_owned());
//! spec.mounts.push(Mount::tmpfs("/tmp", Some(16 << 20)));
//! spec.cgroup = Some(CgroupSpec {
//!     path: CgroupPath::new("/example/one")?,
//!     resources: Resources::new().memory(64 << 20).cpu_millis(500).pids(20),
//! });
//!
//! let container = runtime.create(&Id::new("one")?, spec, Stdio::inherit())?;
//! container.start()?; // "1" and "inside"
//! let exit = container.wait()?;
//! println!("{}, out of memory: {}", exit.status, exit.oom_killed);
//! container.delete()?;
//! # Ok(())
//! # }
//! ```
//!
//! - [`Spec`] says what a container is to be; [`Runtime::create`] makes it up to the moment before its program is executed;
//!   [`Container::start`] executes it. [`Container::exec`] runs further processes in it.
//! - [`Sandbox`] holds namespaces that several containers share, without a process.
//! - [`Cgroups`](cgroup::Cgroups) and [`Cgroup`](cgroup::Cgroup) can be used by themselves.
//! - [`Runtime::recover`] finds what an earlier run has left, and removes what isn't whole.
//! - [`rootless`] gives a program of an ordinary user namespaces in which it is root, so that it can do all of this. It has to
//!   be asked for, first of all in `main`.
//!
//! Device files are governed by mounts: none can be opened in the root file system and on whatever is mounted, but for those
//! that the specification names, which are mounted one by one. That holds on cgroup v1 and v2 alike, and without privileges.
//!
//! Linux 5.14 or newer is needed, 6.15 for the exit status of containers of an earlier run. On other systems the crate is
//! empty.

#[cfg(target_os = "linux")]
mod capability;
#[cfg(target_os = "linux")]
pub mod cgroup;
#[cfg(target_os = "linux")]
mod child;
#[cfg(target_os = "linux")]
mod compile;
#[cfg(target_os = "linux")]
mod container;
#[cfg(target_os = "linux")]
mod error;
#[cfg(target_os = "linux")]
mod faults;
#[cfg(target_os = "linux")]
mod id;
#[cfg(target_os = "linux")]
mod ids;
#[cfg(target_os = "linux")]
mod own;
#[cfg(target_os = "linux")]
mod process;
#[cfg(target_os = "linux")]
mod program;
#[cfg(target_os = "linux")]
pub mod rootless;
#[cfg(target_os = "linux")]
mod runtime;
#[cfg(target_os = "linux")]
mod sandbox;
#[cfg(target_os = "linux")]
pub mod seccomp;
#[cfg(target_os = "linux")]
mod spawn;
#[cfg(target_os = "linux")]
mod spec;
#[cfg(target_os = "linux")]
mod state;
#[cfg(target_os = "linux")]
mod sys;

#[cfg(target_os = "linux")]
pub use self::{
    capability::{Capabilities, Capability, CapabilitySet, UnknownCapability},
    container::{Container, Status},
    error::Error,
    id::Id,
    ids::Ids,
    process::{Exit, ExitStatus, Process},
    runtime::{Recovered, Runtime},
    sandbox::{Sandbox, SandboxSpec},
    seccomp::Seccomp,
    spec::{
        CgroupSpec, DEFAULT_PATH, Device, IdMap, MASKED_PATHS, Mount, MountOptions, Namespace, Namespaces,
        ProcessSpec, Propagation, READ_ONLY_PATHS, Rlimit, RlimitResource, RootSource, Rootfs, Source, Spec,
        Stdio, Stream, User, UserNamespace,
    },
};
#[cfg(all(target_os = "linux", any(test, feature = "test-util")))]
pub use faults::Faults;
