//! Garbage collection.

use std::collections::HashSet;
use std::path::Path;

use super::layers::layer_path;
use super::{LAYERS, Store};
use crate::{Digest, Error};

/// What a garbage collection removed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Collected {
    /// Blobs.
    pub blobs: usize,
    /// Their bytes.
    pub bytes: u64,
    /// Unpacked layers.
    pub layers: usize,
}

impl Store {
    /// Removes what no named image, no snapshot, no [`Image`](crate::Image) and no [`Layers`](crate::Layers) needs.
    ///
    /// # Errors
    /// The kernel refuses. What was removed by then is whole.
    #[tracing::instrument(level = "debug", skip_all)]
    pub fn gc(&self) -> Result<Collected, Error> {
        let images = self.0.images.lock();
        let content = &self.0.content;
        let mut used: HashSet<Digest> = HashSet::new();
        for record in images.values() {
            used.extend([record.target.clone(), record.manifest.clone()]);
            let mut lease = self.0.leases.lease();
            match self.load(record, &mut lease) {
                Ok(parts) => {
                    used.insert(parts.manifest.config.digest.clone());
                    used.extend(parts.manifest.layers.iter().map(|layer| layer.digest.clone()));
                    used.extend(parts.chain);
                }
                // What cannot be read now is needed nevertheless.
                Err(Error::File(error)) if error.raw_os_error().is_some() && !error.is_not_found() => {
                    return Err(error.into());
                }
                Err(error) => tracing::warn!(image = %record.name, %error, "an image that is none"),
            }
        }
        for key in self.snapshots()? {
            used.extend(self.snapshot_record(&key)?.chain);
        }
        let mut collected = Collected::default();
        for digest in content.all()? {
            if used.contains(&digest) {
                continue;
            }
            let size = content.size(&digest)?;
            if let Some(removed) = self.0.leases.if_free(&digest, || content.remove_blob(&digest)) {
                removed?;
                collected.blobs += 1;
                collected.bytes += size;
            }
        }
        for entry in content.root.read_dir(LAYERS, usize::MAX)? {
            let name = entry.name.to_string_lossy().into_owned();
            let Some(chain_id) = name
                .split_once('-')
                .and_then(|(algorithm, hex)| Digest::parse(&format!("{algorithm}:{hex}")).ok())
            else {
                continue;
            };
            if used.contains(&chain_id) {
                continue;
            }
            // It is gone from its name while nobody can get hold of it; to remove all of it takes longer.
            let temporary = content.temporary();
            let path = layer_path(&chain_id);
            let taken = self.0.leases.if_free(&chain_id, || content.root.rename(&path, &temporary));
            if let Some(taken) = taken {
                taken?;
                content.sync_directory(Path::new(LAYERS))?;
                content.root.remove_all(&temporary)?;
                collected.layers += 1;
            }
        }
        Ok(collected)
    }
}
