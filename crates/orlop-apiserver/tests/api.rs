//! The server against the suite of all clients, and what is its own.

use std::sync::Arc;

use orlop_apiserver::LocalClient;
use orlop_client::conformance::{self, Subject};
use orlop_clock::{Random, TokioClock};
use orlop_model::Time;
use orlop_store::MemoryStore;

async fn server(seed: u64) -> LocalClient {
    let clock = TokioClock::new(Time::from_seconds(1_772_366_400).timestamp());
    let client = LocalClient::builder(Arc::new(MemoryStore::new()), Arc::new(clock), Random::new(seed));
    client.build().await.expect("an empty store can be set up")
}

#[tokio::test(start_paused = true)]
async fn passes_the_suite_of_clients() {
    let subject = async || {
        let client = server(1).await;
        let store = Arc::clone(client.store());
        let compact = move || -> futures::future::BoxFuture<'static, ()> {
            let store = Arc::clone(&store);
            Box::pin(async move {
                let revision = store.revision().await.expect("the store is open");
                store
                    .compact(revision)
                    .await
                    .expect("the present can be compacted to");
            })
        };
        Subject::new(Arc::new(client))
            .with_compaction(compact)
            .keeps_unknown_fields()
    };
    let report = conformance::run(subject).await;
    report.assert_passed();
    assert!(report.passed.len() > 70, "{report}");
}
