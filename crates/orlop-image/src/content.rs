//! Content by digest: written under another name, verified, synced, and only then there.

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use orlop_fs::Root;

use crate::digest::Hasher;
use crate::faults::Faults;
use crate::{Algorithm, Digest, Error};

/// Where what is not complete yet lies; emptied when the store is opened.
pub(crate) const INGEST: &str = "ingest";
const BLOBS: &str = "blobs";

/// The files of a store.
#[derive(Debug)]
pub(crate) struct Content {
    pub(crate) root: Root,
    pub(crate) faults: Faults,
    counter: AtomicU64,
}

impl Content {
    pub(crate) fn open(root: Root, faults: Faults) -> Result<Self, Error> {
        for directory in [INGEST, "blobs/sha256", "blobs/sha384", "blobs/sha512"] {
            root.create_dir_all(directory, 0o700)?;
        }
        root.sub(INGEST)?.clear()?;
        Ok(Self { root, faults, counter: AtomicU64::new(0) })
    }

    /// Where content of this digest lies.
    pub(crate) fn path(digest: &Digest) -> PathBuf {
        Path::new(BLOBS).join(digest.algorithm().name()).join(digest.hex())
    }

    pub(crate) fn contains(&self, digest: &Digest) -> Result<bool, Error> {
        Ok(self.root.exists(Self::path(digest))?)
    }

    pub(crate) fn open_blob(&self, digest: &Digest) -> Result<File, Error> {
        Ok(self.root.open_file(Self::path(digest))?)
    }

    pub(crate) fn remove_blob(&self, digest: &Digest) -> Result<(), Error> {
        Ok(self.root.remove_file(Self::path(digest))?)
    }

    /// The size of content that is there.
    pub(crate) fn size(&self, digest: &Digest) -> Result<u64, Error> {
        Ok(self.root.metadata(Self::path(digest))?.size)
    }

    /// All of a small content, verified once more.
    pub(crate) fn read(&self, digest: &Digest, limit: u64) -> Result<Vec<u8>, Error> {
        let bytes = self.root.read(Self::path(digest), limit)?;
        let found = Digest::of(digest.algorithm(), &bytes);
        if found == *digest { Ok(bytes) } else { Err(Error::Digest { wanted: digest.clone(), found }) }
    }

    /// Everything there is.
    pub(crate) fn all(&self) -> Result<Vec<Digest>, Error> {
        let mut all = Vec::new();
        for algorithm in [Algorithm::Sha256, Algorithm::Sha384, Algorithm::Sha512] {
            for entry in self.root.read_dir(Path::new(BLOBS).join(algorithm.name()), usize::MAX)? {
                let name = entry.name.to_string_lossy();
                if let Ok(digest) = Digest::parse(&format!("{}:{name}", algorithm.name())) {
                    all.push(digest);
                }
            }
        }
        Ok(all)
    }

    /// A name under which nothing lies.
    pub(crate) fn temporary(&self) -> PathBuf {
        let number = self.counter.fetch_add(1, Ordering::Relaxed);
        Path::new(INGEST).join(number.to_string())
    }

    /// Begins content of at most `limit` bytes.
    pub(crate) fn ingest(self: &Arc<Self>, algorithm: Algorithm, limit: u64) -> Result<Ingest, Error> {
        let temporary = self.temporary();
        self.step("create", &temporary)?;
        let file = self.root.create_new(&temporary, 0o600)?;
        Ok(Ingest {
            content: Arc::clone(self),
            temporary,
            file,
            hasher: Hasher::new(algorithm),
            bytes: 0,
            limit,
        })
    }

    /// Small content.
    pub(crate) fn put(self: &Arc<Self>, bytes: &[u8]) -> Result<Digest, Error> {
        let mut ingest = self.ingest(Algorithm::Sha256, bytes.len() as u64)?;
        ingest.write(bytes)?;
        ingest.commit(None, None)
    }

    /// Content whose digest and size are known.
    pub(crate) fn copy(
        self: &Arc<Self>,
        from: &mut impl Read,
        digest: &Digest,
        size: Option<u64>,
        limit: u64,
    ) -> Result<(), Error> {
        let mut ingest = self.ingest(digest.algorithm(), size.unwrap_or(limit).min(limit))?;
        let mut buffer = vec![0; 128 << 10];
        loop {
            match from.read(&mut buffer) {
                Ok(0) => break,
                Ok(read) => ingest.write_of(&buffer[..read], digest, size)?,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(Error::io("read", digest.as_str())(error)),
            }
        }
        ingest.commit(Some(digest), size)?;
        Ok(())
    }

    /// Writes a file that is there whole or not at all, whatever happens.
    pub(crate) fn write(&self, path: &Path, bytes: &[u8]) -> Result<(), Error> {
        let temporary = self.temporary();
        self.step("create", &temporary)?;
        let mut file = self.root.create_new(&temporary, 0o600)?;
        let kept = Removed { root: &self.root, path: &temporary };
        self.step("write", path)?;
        file.write_all(bytes).map_err(Error::io("write", path))?;
        self.step("fsync", path)?;
        file.sync_all().map_err(Error::io("fsync", path))?;
        self.step("rename", path)?;
        self.root.rename(&temporary, path)?;
        std::mem::forget(kept);
        self.sync_directory(path.parent().unwrap_or(Path::new("")))
    }

    /// Removes a file so that it stays removed. One that is gone, perhaps not for good, is fine.
    pub(crate) fn remove(&self, path: &Path) -> Result<(), Error> {
        match self.root.remove_file(path) {
            Err(error) if error.is_not_found() => {}
            other => other?,
        }
        self.sync_directory(path.parent().unwrap_or(Path::new("")))
    }

    pub(crate) fn sync_directory(&self, path: &Path) -> Result<(), Error> {
        self.step("fsync", path)?;
        let directory =
            self.root.open_file(if path.as_os_str().is_empty() { Path::new(".") } else { path })?;
        directory.sync_all().map_err(Error::io("fsync", path))
    }

    pub(crate) fn step(&self, operation: &'static str, path: &Path) -> Result<(), Error> {
        self.faults.step(operation).map_err(Error::io(operation, path))
    }
}

/// Removes what is at a path when it goes out of scope.
pub(crate) struct Removed<'a> {
    pub(crate) root: &'a Root,
    pub(crate) path: &'a Path,
}

impl Drop for Removed<'_> {
    fn drop(&mut self) {
        if let Err(error) = self.root.remove_all(self.path) {
            tracing::warn!(path = %self.path.display(), %error, "left over");
        }
    }
}

/// Content on its way in. Dropped, it leaves nothing.
#[derive(Debug)]
pub(crate) struct Ingest {
    content: Arc<Content>,
    temporary: PathBuf,
    file: File,
    hasher: Hasher,
    bytes: u64,
    limit: u64,
}

impl Ingest {
    pub(crate) fn write(&mut self, bytes: &[u8]) -> Result<(), Error> {
        self.bytes += bytes.len() as u64;
        if self.bytes > self.limit {
            let object = self.temporary.display().to_string();
            return Err(Error::Limit { object, what: "bytes", limit: self.limit });
        }
        self.content.step("write", &self.temporary)?;
        self.hasher.update(bytes);
        self.file.write_all(bytes).map_err(Error::io("write", &self.temporary))
    }

    /// The same where it is known what it should become.
    pub(crate) fn write_of(&mut self, bytes: &[u8], digest: &Digest, size: Option<u64>) -> Result<(), Error> {
        let found = self.bytes + bytes.len() as u64;
        match size {
            Some(wanted) if found > wanted => {
                Err(Error::Size { digest: digest.clone(), wanted, found: wanted + 1 })
            }
            _ if found > self.limit => {
                Err(Error::Limit { object: digest.to_string(), what: "bytes", limit: self.limit })
            }
            _ => self.write(bytes),
        }
    }

    /// The digest of what was written so far.
    pub(crate) fn digest(&self) -> Digest {
        self.hasher.clone().finish()
    }

    /// Bytes written so far.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Puts it under its name, if it is what it should be.
    pub(crate) fn commit(self, wanted: Option<&Digest>, size: Option<u64>) -> Result<Digest, Error> {
        let found = self.hasher.clone().finish();
        if let (Some(digest), Some(size)) = (wanted, size)
            && size != self.bytes
        {
            return Err(Error::Size { digest: digest.clone(), wanted: size, found: self.bytes });
        }
        if let Some(wanted) = wanted
            && *wanted != found
        {
            return Err(Error::Digest { wanted: wanted.clone(), found });
        }
        let path = Content::path(&found);
        self.content.step("fsync", &path)?;
        self.file.sync_all().map_err(Error::io("fsync", &self.temporary))?;
        self.content.step("rename", &path)?;
        self.content.root.rename(&self.temporary, &path)?;
        self.content.sync_directory(path.parent().unwrap_or(Path::new("")))?;
        Ok(found)
    }
}

impl Drop for Ingest {
    fn drop(&mut self) {
        // Nothing is there any more if it went well.
        if let Err(error) = self.content.root.remove_all(&self.temporary) {
            tracing::warn!(path = %self.temporary.display(), %error, "left over");
        }
    }
}

/// The name of a file that stands for any text.
pub(crate) fn file_name(text: &str) -> OsString {
    Digest::sha256(text).hex().into()
}
