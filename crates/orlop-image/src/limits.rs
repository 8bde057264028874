//! How much of an image is taken before it is refused.

/// Bounds on what an image may hold. Each is checked while reading, before the amount is spent, but for manifests that a
/// registry sends.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// Bytes of one index, manifest or configuration.
    pub document: u64,
    /// Bytes of one blob as it is stored, that is, compressed.
    pub blob: u64,
    /// Layers of one image.
    pub layers: usize,
    /// Bytes of one layer when it is decompressed.
    pub layer: u64,
    /// Entries of one layer, or of one archive of images.
    pub entries: u64,
    /// Bytes of a path, and of the target of a link.
    pub path: usize,
    /// Bytes of one name in a path.
    pub name: usize,
    /// Bytes of the records that stand in front of an entry: long names, extended attributes.
    pub records: u64,
    /// How many times as large as its compressed form a layer may be, once it is over 64 MiB.
    pub ratio: u64,
    /// Bytes of the window that a zstd stream may ask for.
    pub window: u64,
    /// Indexes inside of indexes.
    pub depth: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            document: 8 << 20,
            blob: 32 << 30,
            layers: 500,
            layer: 64 << 30,
            entries: 2_000_000,
            path: 4096,
            name: 255,
            records: 1 << 20,
            // Zeros shrink to a thousandth at best with gzip; text of logs and databases to a fortieth.
            ratio: 400,
            window: 128 << 20,
            depth: 4,
        }
    }
}

/// Up to this size no ratio is too large: small layers of zeros are common.
pub(crate) const RATIO_FROM: u64 = 64 << 20;
