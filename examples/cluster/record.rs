//! [`Record`]: everything that happens, as one number.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::sync::Arc;

use futures::StreamExt;
use futures::stream::{BoxStream, SelectAll};
use orlop_cache::Delta;
use orlop_cluster::Cluster;
use orlop_model::StaticKind;
use orlop_model::apps::v1::{Deployment, ReplicaSet};
use orlop_model::batch::v1::Job;
use orlop_model::core::v1::{Event, Node, Pod};
use parking_lot::Mutex;
use tokio::task::JoinHandle;

/// Follows every change of the kinds that the story is about: their number, and a digest over kind, time, key and
/// content of each, in the order in which they happened. Two runs with one seed give the same.
pub(crate) struct Record {
    seen: Arc<Mutex<Seen>>,
    follower: JoinHandle<()>,
}

#[derive(Clone, Copy, Default)]
struct Seen {
    changes: u64,
    digest: u64,
}

impl Record {
    /// Also writes each change as a line to `file`.
    pub(crate) fn start(cluster: &Cluster, mut file: Option<BufWriter<File>>) -> Self {
        let seen = Arc::new(Mutex::new(Seen { changes: 0, digest: 0xcbf2_9ce4_8422_2325 }));
        let mut changes = SelectAll::new();
        changes.push(lines::<Pod>(cluster));
        changes.push(lines::<ReplicaSet>(cluster));
        changes.push(lines::<Deployment>(cluster));
        changes.push(lines::<Job>(cluster));
        changes.push(lines::<Node>(cluster));
        changes.push(lines::<Event>(cluster));
        let writer = Arc::clone(&seen);
        let start = tokio::time::Instant::now();
        let follower = tokio::spawn(async move {
            while let Some(line) = changes.next().await {
                let mut seen = writer.lock();
                seen.changes += 1;
                let at = start.elapsed().as_nanos();
                let line = format!("{at} {line}\n");
                if let Some(writer) = &mut file
                    && let Err(error) = writer.write_all(line.as_bytes())
                {
                    eprintln!("error: the record cannot be written: {error}");
                    file = None;
                }
                for byte in line.bytes() {
                    // FNV-1a
                    seen.digest = (seen.digest ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
                }
            }
        });
        Self { seen, follower }
    }

    pub(crate) fn summary(&self) -> String {
        let seen = *self.seen.lock();
        format!("\n{} changes seen, digest {:016x}", seen.changes, seen.digest)
    }
}

impl Drop for Record {
    fn drop(&mut self) {
        self.follower.abort();
    }
}

fn lines<K: StaticKind>(cluster: &Cluster) -> BoxStream<'static, String> {
    let line = |delta: Delta<K>| {
        let (what, object) = match &delta {
            Delta::Added { object, .. } => ("added", object),
            Delta::Modified { new, .. } => ("modified", new),
            Delta::Deleted { last, .. } => ("deleted", last),
            Delta::Synced | Delta::Reset => return String::new(),
        };
        let json = serde_json::to_string(&**object).unwrap_or_default();
        format!("{what} {json}")
    };
    cluster.informers().of::<K>().subscribe().map(line).boxed()
}
