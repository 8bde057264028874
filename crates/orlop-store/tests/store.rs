//! The memory backend against the suite that all backends have to pass.

use std::sync::Arc;

use orlop_store::{MemoryStore, Store, conformance};

#[tokio::test(start_paused = true)]
async fn conformance_on_one_thread() {
    let report = conformance::run(async || Arc::new(MemoryStore::new()) as Arc<dyn Store>).await;
    report.assert_passed();
}
