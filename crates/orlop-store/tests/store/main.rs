//! The memory backend: against the suite that all backends have to pass, against a model, and what
//! it promises beyond.

mod memory;
mod model;

use std::sync::Arc;

use orlop_store::{MemoryStore, Store, conformance};

#[tokio::test(start_paused = true)]
async fn conformance_on_one_thread() {
    let report = conformance::run(async || Arc::new(MemoryStore::new()) as Arc<dyn Store>).await;
    report.assert_passed();
}

/// The same on a store that has a past and other keys, and forgets soon.
#[tokio::test(start_paused = true)]
async fn conformance_with_a_past() {
    use orlop_store::{Format, Retention, Txn, Value};
    let factory = async || {
        let store = MemoryStore::with_retention(Retention { revisions: 600 });
        for number in 0..2000 {
            let key = format!("/other/{}", number % 300);
            let txn = Txn::new().put(key, move |revision| Value::bytes(Format::Json, revision.to_string()));
            store.commit(txn).await.unwrap();
        }
        Arc::new(store) as Arc<dyn Store>
    };
    conformance::run(factory).await.assert_passed();
}
