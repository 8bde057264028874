//! OCI images: from a name to the file system of a container.
//!
//! A [`Store`] is a directory with the images of one machine. Content gets into it by its digest, verified while it
//! comes, and is there under its name only when it is complete and on disk. Each layer is unpacked once, inside a root by
//! descriptor, in the form that overlayfs takes; a [`Snapshot`] is what a container writes over the layers of its
//! [`Image`]. What nobody needs any more is collected, and what somebody holds is not.
//!
//! Images come from registries (feature `registry`), from archives and layouts on disk
//! ([`Store::import_archive`], [`Store::import_layout`]), or are made of files of this machine:
//!
#![cfg_attr(target_os = "linux", doc = "```no_run")]
#![cfg_attr(not(target_os = "linux"), doc = "```ignore")]
//! use orlop_fs::Flags;
//! use orlop_image::{Builder, Reference, Store, StoreOptions};
//!
//! # fn main() -> Result<(), orlop_image::Error> {
//! let store = Store::open("/var/lib/example/images", StoreOptions::default())?;
//! let name = Reference::parse("example/env:1")?;
//! let image = match store.get(&name)? {
//!     Some(image) => image,
//!     None => Builder::new().executable("/usr/bin/env", "/bin/env")?.cmd(["/bin/env"]).build(&store, &name)?,
//! };
//! let snapshot = store.create_snapshot("container-1", &image)?; // needs root, or a user namespace
//! let mount = snapshot.mount(Flags::default())?; // the container's root, attached nowhere yet
//! let arguments = image.config().command_line(&[], &[]);
//! # drop((mount, arguments));
//! store.remove_snapshot("container-1")?;
//! store.remove(&name)?;
//! store.gc()?;
//! # Ok(())
//! # }
//! ```
//!
//! Nothing in an archive is believed: paths are resolved inside the layer's own directory by the kernel, and sizes,
//! names, numbers and ratios are bounded ([`Limits`]). Documents are kept byte for byte. Reading names
//! ([`Reference`]), credentials ([`Keyring`]), manifests and configurations ([`Config`]) works on any system; the store
//! is Linux'.

#![cfg_attr(not(target_os = "linux"), allow(dead_code, unused_imports, reason = "what only the store needs"))]

#[cfg(target_os = "linux")]
mod archive;
#[cfg(target_os = "linux")]
mod builder;
mod compression;
mod config;
#[cfg(target_os = "linux")]
mod content;
mod credentials;
mod digest;
#[cfg(target_os = "linux")]
mod elf;
#[cfg(target_os = "linux")]
mod error;
#[cfg(target_os = "linux")]
mod faults;
#[cfg(target_os = "linux")]
mod image;
mod json;
#[cfg(target_os = "linux")]
mod lease;
mod limits;
mod location;
mod manifest;
mod media;
mod platform;
mod reference;
#[cfg(all(target_os = "linux", feature = "registry"))]
mod registry;
#[cfg(target_os = "linux")]
mod store;
mod tar;
#[cfg(target_os = "linux")]
mod unpack;
mod user;

#[cfg(target_os = "linux")]
pub use builder::Builder;
pub use compression::Compression;
pub use config::{Config, ConfigError, ExposedPort, Protocol};
pub use credentials::{Credential, CredentialError, Keyring};
pub use digest::{Algorithm, Digest, DigestError};
#[cfg(target_os = "linux")]
pub use error::Error;
#[cfg(all(target_os = "linux", feature = "test-util"))]
#[doc(hidden)]
pub use faults::Faults;
#[cfg(target_os = "linux")]
pub use image::{Image, Layers, Snapshot};
pub use limits::Limits;
pub use location::{LocationError, location_matches};
pub use manifest::{Descriptor, DocumentError, Manifest};
pub use platform::{Platform, PlatformError};
pub use reference::{Reference, ReferenceError, ReferenceProblem, with_default_tag};
#[cfg(all(target_os = "linux", feature = "registry"))]
pub use registry::{Registry, RegistryAuth, RegistryError, RegistryOptions};
#[cfg(target_os = "linux")]
pub use store::{Collected, Store, StoreOptions};
pub use tar::TarError;
#[cfg(target_os = "linux")]
pub use unpack::{Devices, EntryError, LayerError, Marks, Ownership, UnpackOptions, Unpacked, unpack_layer};
pub use user::{User, UserError};
