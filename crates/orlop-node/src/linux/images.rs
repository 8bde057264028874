//! Images for containers: found in the store, pulled into it.

use orlop_image::{Digest, Reference};

use super::runtime::{LinuxRuntime, Shared, failed};
use crate::runtime::{Image, ImagePull, RuntimeError, RuntimeResult};

/// An image as the agent is told of it.
pub(super) fn told(image: &orlop_image::Image) -> Image {
    Image {
        reference: image.repo_digest().unwrap_or_else(|| image.id().to_string()).into(),
        names: image.name().iter().map(|name| name.to_string().into()).collect(),
        size: image.size(),
    }
}

fn refused(reason: &str, message: String) -> RuntimeError {
    RuntimeError::Image { reason: reason.into(), message }
}

/// Fetches an image.
pub(super) async fn pull(runtime: &LinuxRuntime, pull: &ImagePull) -> RuntimeResult<Image> {
    let name =
        Reference::parse(&pull.image).map_err(|error| refused("InvalidImageName", error.to_string()))?;
    if runtime.shared.config.local_images {
        let local = name.clone();
        let found = runtime.blocking(move |shared| shared.store.get(&local).map_err(failed)).await?;
        if let Some(image) = found {
            return Ok(told(&image));
        }
    }
    fetch(runtime, &name, pull).await
}

/// Asks the registry, with the credentials of the pod's secrets that fit.
#[cfg(feature = "registry")]
async fn fetch(runtime: &LinuxRuntime, name: &Reference, pull: &ImagePull) -> RuntimeResult<Image> {
    use orlop_image::{Error, Keyring, RegistryError};
    let mut keyring = Keyring::new();
    for secret in &pull.secrets {
        let data = secret.data.iter().map(|(key, value)| (key.to_string(), value.to_vec())).collect();
        keyring
            .add_secret(&secret.metadata.name, secret.type_.as_str(), &data)
            .map_err(|error| refused("ErrImagePull", error.to_string()))?;
    }
    let repository = name.repository();
    let pulled =
        runtime.shared.registry.pull_with(&runtime.shared.store, name, &keyring.lookup(&repository)).await;
    match pulled {
        Ok(image) => Ok(told(&image)),
        Err(error) => {
            let down = matches!(&error, Error::Registry { error: RegistryError::Unavailable { .. }, .. });
            let reason = if down { "RegistryUnavailable" } else { "ErrImagePull" };
            Err(refused(reason, format!("failed to pull and unpack image \"{name}\": {error}")))
        }
    }
}

#[cfg(not(feature = "registry"))]
async fn fetch(_: &LinuxRuntime, name: &Reference, _: &ImagePull) -> RuntimeResult<Image> {
    Err(refused(
        "ErrImagePull",
        format!("failed to pull and unpack image \"{name}\": not found: this node asks no registry"),
    ))
}

/// Removes an image that no container uses, by what it is.
pub(super) fn remove(shared: &Shared, reference: &str) -> RuntimeResult<()> {
    let images = shared.store.images().map_err(failed)?;
    let by_id = reference.parse::<Digest>().ok();
    for image in images {
        let same = told(&image).reference == *reference || by_id.as_ref() == Some(image.id());
        if let (true, Some(name)) = (same, image.name()) {
            shared.store.remove(name).map_err(failed)?;
        }
    }
    shared.store.gc().map_err(failed)?;
    Ok(())
}
