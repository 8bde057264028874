//! What containers write over the layers of their images.

use std::path::{Path, PathBuf};

use orlop_fs::Root;
use serde::{Deserialize, Serialize};

use super::{EMPTY, SNAPSHOTS, Store};
use crate::content::Removed;
use crate::{Digest, Error, Image, Ownership, Snapshot};

/// What is written down of a snapshot.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct SnapshotRecord {
    manifest: Digest,
    /// Chain identifiers, the base first.
    pub(super) chain: Vec<Digest>,
}

impl Store {
    /// Makes the writable part of a container's file system over an image, whose layers are unpacked if they aren't yet.
    /// It stays, also when the process ends, until [`remove_snapshot`](Self::remove_snapshot).
    ///
    /// # Errors
    /// See [`unpack`](Self::unpack); the name is none, or there is one already; the kernel refuses.
    pub fn create_snapshot(&self, key: &str, image: &Image) -> Result<Snapshot, Error> {
        let path = snapshot_path(key)?;
        let layers = self.unpack(image)?;
        let content = &self.0.content;
        if content.root.exists(&path)? {
            return Err(Error::SnapshotExists { key: key.to_owned() });
        }
        let temporary = content.temporary();
        content.step("mkdir", &temporary)?;
        content.root.create_dir(&temporary, 0o700)?;
        let half = Removed { root: &content.root, path: &temporary };
        for directory in ["fs", "work"] {
            content.step("mkdir", &path)?;
            content.root.create_dir(temporary.join(directory), 0o755)?;
        }
        // The root directory of an overlay is that of the upper one.
        let like = match layers.lower.first() {
            Some(top) => Root::open(top)?.handle("", true)?.metadata()?,
            None => content.root.metadata(EMPTY)?,
        };
        let upper = content.root.handle(temporary.join("fs"), false)?;
        if self.0.unpack.ownership == Ownership::Keep {
            upper.set_owner(like.uid, like.gid)?;
        }
        upper.set_mode(like.mode)?;
        let record =
            SnapshotRecord { manifest: image.manifest_digest().clone(), chain: image.parts().chain.clone() };
        let record = serde_json::to_vec(&record).map_err(|error| Error::io("encode", &path)(error.into()))?;
        content.write(&temporary.join("snapshot.json"), &record)?;
        content.step("rename", &path)?;
        // Not while garbage is collected: the layers are held by the image now, and by the snapshot from here on.
        let images = self.0.images.lock();
        match content.root.rename_new(&temporary, &path) {
            Err(error) if error.is_exists() => {
                return Err(Error::SnapshotExists { key: key.to_owned() });
            }
            other => other?,
        }
        std::mem::forget(half);
        drop(images);
        let snapshot = self.snapshot_of(key, layers.lower.clone());
        if let Err(error) = content.sync_directory(Path::new(SNAPSHOTS)) {
            self.remove_snapshot(key)?;
            return Err(error);
        }
        Ok(snapshot)
    }

    /// The snapshot of this name, if there is one.
    ///
    /// # Errors
    /// The name is none, or the kernel refuses.
    pub fn snapshot(&self, key: &str) -> Result<Option<Snapshot>, Error> {
        let path = snapshot_path(key)?;
        // So that nobody removes it meanwhile.
        let _images = self.0.images.lock();
        if !self.0.content.root.exists(path)? {
            return Ok(None);
        }
        let lower = self.lower(&self.snapshot_record(key)?.chain)?;
        Ok(Some(self.snapshot_of(key, lower)))
    }

    /// The names of all snapshots, in order.
    ///
    /// # Errors
    /// The kernel refuses.
    pub fn snapshots(&self) -> Result<Vec<String>, Error> {
        let entries = self.0.content.root.read_dir(SNAPSHOTS, usize::MAX)?;
        Ok(entries.into_iter().map(|entry| entry.name.to_string_lossy().into_owned()).collect())
    }

    /// Removes a snapshot; answers whether there was one. It must not be mounted any more.
    ///
    /// # Errors
    /// The name is none, or the kernel refuses.
    pub fn remove_snapshot(&self, key: &str) -> Result<bool, Error> {
        let (content, path) = (&self.0.content, snapshot_path(key)?);
        let temporary = content.temporary();
        {
            let _images = self.0.images.lock();
            match content.root.rename(&path, &temporary) {
                Err(error) if error.is_not_found() => return Ok(false),
                other => other?,
            }
        }
        content.sync_directory(Path::new(SNAPSHOTS))?;
        content.root.remove_all(&temporary)?;
        Ok(true)
    }

    pub(super) fn snapshot_record(&self, key: &str) -> Result<SnapshotRecord, Error> {
        let path = snapshot_path(key)?.join("snapshot.json");
        let record = self.0.content.root.read(&path, 1 << 20)?;
        serde_json::from_slice(&record).map_err(|error| Error::io("read", &path)(error.into()))
    }

    fn snapshot_of(&self, key: &str, lower: Vec<PathBuf>) -> Snapshot {
        let path = self.0.path.join(SNAPSHOTS).join(key);
        Snapshot {
            key: key.to_owned(),
            lower,
            upper: path.join("fs"),
            work: path.join("work"),
            marks: self.0.unpack.marks,
        }
    }
}

fn snapshot_path(key: &str) -> Result<PathBuf, Error> {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
    if key.is_empty() || key.len() > 128 || key.starts_with('.') || !key.bytes().all(allowed) {
        return Err(Error::SnapshotName { key: key.to_owned() });
    }
    Ok(Path::new(SNAPSHOTS).join(key))
}
