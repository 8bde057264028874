//! Layers unpacked once each, several at a time.

use std::io::BufReader;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use orlop_fs::Root;
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};

use super::{LAYERS, Store};
use crate::unpack::{Pending, unpack};
use crate::{Digest, Error, Image, LayerError, Layers, media};

/// What is written down of an unpacked layer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct LayerRecord {
    diff_id: Digest,
    /// Whether nothing below shows.
    opaque: bool,
    /// Bytes when it was decompressed.
    size: u64,
}

impl Store {
    /// Unpacks the layers of an image that aren't yet, several at once, and answers their directories.
    ///
    /// # Errors
    /// A layer is missing, wrong, or not what the configuration of the image says; or the kernel refuses. Layers below
    /// it may be unpacked then, whole.
    #[tracing::instrument(level = "debug", skip_all, fields(image = %image.display_name()))]
    pub fn unpack(&self, image: &Image) -> Result<Layers, Error> {
        let name = image.display_name();
        for layer in &image.manifest().layers {
            if !media::is_layer(&layer.media_type) {
                let (digest, media_type) = (layer.digest.clone(), layer.media_type.clone());
                return Err(Error::LayerType { image: name, digest, media_type });
            }
        }
        // In order, so that two who unpack images with common layers do not wait for each other.
        let mut missing = Vec::new();
        let mut turns = Vec::new();
        for (number, chain_id) in image.parts().chain.iter().enumerate() {
            if !self.0.content.root.exists(layer_path(chain_id))? {
                let turn = self.0.in_turn.take(chain_id);
                // Someone else may have done it meanwhile.
                if !self.0.content.root.exists(layer_path(chain_id))? {
                    missing.push(number);
                    turns.push(turn);
                }
            }
        }
        let results: Vec<Mutex<Option<Result<Half<'_>, Error>>>> =
            missing.iter().map(|_| Mutex::new(None)).collect();
        let next = AtomicUsize::new(0);
        let work = || {
            loop {
                let index = next.fetch_add(1, Ordering::Relaxed);
                let Some(number) = missing.get(index) else { break };
                let half = self.unpack_half(image, *number);
                if half.is_err() {
                    // What comes after it is of no use.
                    next.store(missing.len(), Ordering::Relaxed);
                }
                *results[index].lock() = Some(half);
            }
        };
        let threads = self.0.options.threads.clamp(1, missing.len().max(1));
        std::thread::scope(|scope| {
            for _ in 1..threads {
                scope.spawn(work);
            }
            work();
        });
        // The first failure is the one to tell; the halves that are not used remove themselves.
        let mut halves = Vec::with_capacity(missing.len());
        let mut failure = None;
        for result in results {
            match result.into_inner() {
                Some(Ok(half)) => halves.push(half),
                Some(Err(error)) if failure.is_none() => failure = Some(error),
                _ => {}
            }
        }
        if let Some(error) = failure {
            return Err(error);
        }
        for half in halves {
            self.unpack_rest(image, half)?;
        }
        drop(turns);
        Ok(Layers { image: image.clone(), lower: self.lower(&image.parts().chain)? })
    }

    /// Unpacks a layer under another name.
    fn unpack_half(&self, image: &Image, number: usize) -> Result<Half<'_>, Error> {
        let content = &self.0.content;
        let (layer, diff_id) = (&image.manifest().layers[number], &image.config().diff_ids()[number]);
        let name = image.display_name();
        if !content.contains(&layer.digest)? {
            return Err(Error::Missing { image: name, digest: layer.digest.clone() });
        }
        let wrong = |error| Error::Layer {
            image: name.clone(),
            digest: layer.digest.clone(),
            error: Box::new(error),
        };
        let path = content.temporary();
        content.step("mkdir", &path)?;
        content.root.create_dir(&path, 0o755)?;
        let mut half = Half { root: &content.root, number, path, pending: None, done: false };
        let directory = half.path.join("fs");
        content.step("mkdir", &directory)?;
        content.root.create_dir(&directory, 0o755)?;
        let root = content.root.sub(&directory)?;
        let blob = BufReader::with_capacity(128 << 10, content.open_blob(&layer.digest)?);
        let (unpacked, pending) = unpack(blob, &root, &self.0.unpack, diff_id.algorithm()).map_err(wrong)?;
        if unpacked.diff_id != *diff_id {
            let (wanted, found) = (diff_id.clone(), unpacked.diff_id);
            return Err(wrong(LayerError::DiffId { wanted, found }));
        }
        if unpacked.skipped_devices > 0 {
            tracing::info!(image = name, layer = %layer.digest, devices = unpacked.skipped_devices, "device nodes left out");
        }
        let record = LayerRecord { diff_id: diff_id.clone(), opaque: unpacked.opaque, size: unpacked.size };
        let record =
            serde_json::to_vec(&record).map_err(|error| Error::io("encode", LAYERS)(error.into()))?;
        content.step("write", &half.path)?;
        content.root.write(half.path.join("layer.json"), &record, 0o600)?;
        half.pending = Some(pending);
        Ok(half)
    }

    /// What needs the layers below; then it is there.
    fn unpack_rest(&self, image: &Image, mut half: Half<'_>) -> Result<(), Error> {
        let content = &self.0.content;
        let chain_id = &image.parts().chain[half.number];
        let layer = &image.manifest().layers[half.number];
        let below = self.directories(&image.parts().chain[..half.number])?;
        let below: Vec<Root> =
            below.iter().map(|directory| content.root.sub(directory)).collect::<Result<_, _>>()?;
        let below: Vec<&Root> = below.iter().collect();
        let root = content.root.sub(half.path.join("fs"))?;
        let pending = half.pending.take().unwrap_or_default();
        pending.finish(&root, &below, &self.0.unpack).map_err(|error| Error::Layer {
            image: image.display_name(),
            digest: layer.digest.clone(),
            error: Box::new(error),
        })?;
        content.step("syncfs", &half.path)?;
        let directory = content.root.open_file(&half.path)?;
        rustix::fs::syncfs(&directory).map_err(|error| Error::io("syncfs", &half.path)(error.into()))?;
        let path = layer_path(chain_id);
        content.step("rename", &path)?;
        content.root.rename_new(&half.path, &path)?;
        half.done = true;
        content.sync_directory(Path::new(LAYERS))
    }

    /// The directories of a chain inside the store, the top first, without those that are hidden as a whole.
    pub(super) fn directories(&self, chain: &[Digest]) -> Result<Vec<PathBuf>, Error> {
        let mut directories = Vec::with_capacity(chain.len());
        for chain_id in chain.iter().rev() {
            let path = layer_path(chain_id);
            let record = self.0.content.root.read(path.join("layer.json"), 1 << 16)?;
            let record: LayerRecord =
                serde_json::from_slice(&record).map_err(|error| Error::io("read", &path)(error.into()))?;
            directories.push(path.join("fs"));
            if record.opaque {
                break;
            }
        }
        Ok(directories)
    }

    /// The same for overlayfs, which needs one at least.
    pub(super) fn lower(&self, chain: &[Digest]) -> Result<Vec<PathBuf>, Error> {
        let mut lower: Vec<PathBuf> =
            self.directories(chain)?.iter().map(|directory| self.0.path.join(directory)).collect();
        if lower.is_empty() {
            lower.push(self.empty_layer());
        }
        Ok(lower)
    }
}

/// A layer that is unpacked under another name, and removed again if it stays so.
struct Half<'a> {
    root: &'a Root,
    number: usize,
    path: PathBuf,
    pending: Option<Pending>,
    done: bool,
}

impl Drop for Half<'_> {
    fn drop(&mut self) {
        if !self.done
            && let Err(error) = self.root.remove_all(&self.path)
        {
            tracing::warn!(path = %self.path.display(), %error, "left over");
        }
    }
}

/// Where a layer lies.
pub(super) fn layer_path(chain_id: &Digest) -> PathBuf {
    Path::new(LAYERS).join(format!("{}-{}", chain_id.algorithm().name(), chain_id.hex()))
}
