//! OCI images.

mod compression;
mod credentials;
mod digest;
mod json;
mod limits;
mod location;
mod manifest;
mod media;
mod platform;
mod reference;
mod tar;

pub use compression::Compression;
pub use credentials::{Credential, CredentialError, Keyring};
pub use digest::{Algorithm, Digest, DigestError};
pub use limits::Limits;
pub use location::{LocationError, location_matches};
pub use manifest::{Descriptor, DocumentError, Manifest};
pub use platform::{Platform, PlatformError};
pub use reference::{Reference, ReferenceError, ReferenceProblem, with_default_tag};
pub use tar::TarError;
