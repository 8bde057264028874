//! Files inside a root, and mounts: the part of Linux that everything which handles untrusted paths stands on.
//!
//! A path that comes from an image, a pod or an archive must not be handed to the kernel as it is: a symbolic link in it
//! leads out of the directory it was meant for, and what was checked a moment ago has become something else by the time
//! it is used. A [`Root`] is a directory descriptor. Every path given to it is resolved *inside* that directory by the
//! kernel itself (`openat2` with `RESOLVE_IN_ROOT` and `RESOLVE_NO_MAGICLINKS`): `..` ends at the root, absolute links
//! begin there, and links of `/proc` that jump elsewhere are refused. What is found is held by descriptor and used
//! through it, never twice by name.
//!
//! A [`Mount`] is a mount that is attached nowhere: it is made by the new mount API, owned by a descriptor, and gone when
//! that is dropped, so that a failure halfway leaves nothing behind. [`Mount::root`] reads and writes in it without
//! attaching it; [`Mount::attach`] puts it into the tree of files.
//!
#![cfg_attr(target_os = "linux", doc = "```")]
#![cfg_attr(not(target_os = "linux"), doc = "```ignore")]
//! use std::path::Path;
//! use orlop_fs::Root;
//!
//! # fn main() -> Result<(), orlop_fs::Error> {
//! let outside = std::env::temp_dir().join(format!("orlop-fs-example-{}", std::process::id()));
//! std::fs::create_dir_all(&outside).expect("a temporary directory");
//! let root = Root::open(&outside)?;
//!
//! root.symlink("/etc", "d")?; // an image could contain this
//! root.create_dir_all("etc", 0o755)?;
//! root.write("d/passwd", b"root:x:0:0::/:/bin/sh\n", 0o644)?; // inside: the link begins at the root
//! assert_eq!(root.read("etc/passwd", 1 << 20)?, b"root:x:0:0::/:/bin/sh\n");
//! assert_eq!(root.read_link("d")?, Path::new("/etc"));
//!
//! root.clear()?;
//! # std::fs::remove_dir(&outside).expect("it is empty");
//! # Ok(())
//! # }
//! ```
//!
//! Linux 5.6 or newer is needed for [`Root`], 5.2 for [`Mount`]; several lower directories of an overlay need 6.5. On
//! other systems the crate is empty.

#[cfg(target_os = "linux")]
mod error;
#[cfg(target_os = "linux")]
mod handle;
#[cfg(target_os = "linux")]
mod mount;
#[cfg(target_os = "linux")]
mod overlay;
#[cfg(target_os = "linux")]
mod remove;
#[cfg(target_os = "linux")]
mod root;

#[cfg(target_os = "linux")]
pub use error::Error;
#[cfg(target_os = "linux")]
pub use handle::{FileKind, Handle, Metadata, Times};
#[cfg(target_os = "linux")]
pub use mount::{Flags, Mount, Tmpfs, unmount};
#[cfg(target_os = "linux")]
pub use overlay::Overlay;
#[cfg(target_os = "linux")]
pub use root::{Entry, Node, Root};
