//! A store in a directory of its own.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use orlop_image::{Store, StoreOptions};

/// A directory that is removed at the end.
pub(crate) struct Place(PathBuf);

impl Place {
    pub(crate) fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("orlop-image-store-{}-{count}", std::process::id()));
        std::fs::create_dir_all(&path).expect("a directory");
        Self(path)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    pub(crate) fn store(&self) -> Store {
        self.store_with(StoreOptions::default())
    }

    pub(crate) fn store_with(&self, options: StoreOptions) -> Store {
        Store::open(self.0.join("store"), options).expect("a store")
    }

    /// What lies below a directory of the store.
    pub(crate) fn names(&self, below: &str) -> Vec<String> {
        let mut names: Vec<String> = std::fs::read_dir(self.0.join("store").join(below))
            .expect("a directory")
            .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
            .collect();
        names.sort();
        names
    }

    /// Nothing half-made lies around.
    pub(crate) fn assert_clean(&self) {
        assert_eq!(self.names("ingest"), Vec::<String>::new());
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Whether this process may mount, change owners and make devices; said aloud if not.
#[allow(clippy::print_stdout, reason = "what is passed over is said aloud")]
pub(crate) fn is_root(what: &str) -> bool {
    let root = rustix::process::geteuid().is_root();
    if !root {
        assert_ne!(std::env::var("ORLOP_REQUIRE").as_deref(), Ok("all"), "{what} needs root");
        println!("skipped: needs root ({what})");
    }
    root
}
