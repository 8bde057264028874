//! A store inside one's own program: transactions, the past, a watch, a lease.
//!
//! Two workers take jobs from the store. Each claims a job by compare-and-swap, so that no job is
//! done twice, and holds its claim under a lease, so that a job comes back if its worker dies. A
//! watch sees everything in order.
//!
//! `cargo run --example embedded-store`

use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use orlop_store::{
    At, Change, Error, Expected, Format, KeyRange, MemoryStore, Page, Revision, Store, Txn, Update, Value,
};

/// A value of this text. The store does not care what it means.
fn text(text: String) -> impl FnOnce(Revision) -> Value + Send + 'static {
    move |_| Value::bytes(Format::Json, text)
}

/// Claims and does jobs until there are none without a claim.
async fn work(store: Arc<dyn Store>, worker: &'static str) -> Result<usize, Error> {
    let lease = store.lease(Duration::from_secs(10)).await?;
    let mut done = 0;
    loop {
        let jobs = store.list(&KeyRange::prefix("/jobs/"), At::Latest, Page::ALL).await?;
        let claims = store.list(&KeyRange::prefix("/claims/"), At::Exactly(jobs.revision), Page::ALL).await?;
        let claim_of = |job: &str| job.replacen("/jobs/", "/claims/", 1);
        let free = jobs
            .records
            .iter()
            .find(|job| claims.records.iter().all(|claim| claim.key != *claim_of(&job.key)));
        let Some(job) = free else { return Ok(done) };

        let claim = claim_of(&job.key);
        let txn = Txn::new()
            .expect(job.key.clone(), Expected::At(job.revision))
            .expect(claim.as_str(), Expected::Absent)
            .put_leased(claim.as_str(), lease, text(format!("{worker:?}")));
        match store.commit(txn).await {
            Ok(_) => {}
            Err(Error::Conflict(_)) => continue, // The other one was faster.
            Err(error) => return Err(error),
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
        // The job and its claim go together.
        store.commit(Txn::new().delete(job.key.clone()).delete(claim)).await?;
        done += 1;
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
    let mut start = Revision::ZERO;
    for job in ["paint", "plane", "saw", "sweep"] {
        start = store.commit(Txn::create(format!("/jobs/{job}"), text("{}".to_owned()))).await?.revision;
    }
    println!("four jobs, revision {start}");

    let (one, two) = futures::try_join!(work(store.clone(), "Ada"), work(store.clone(), "Bo"))?;
    println!("Ada did {one}, Bo did {two}");

    let then = store.list(&KeyRange::prefix("/jobs/"), At::Exactly(start), Page::ALL).await?;
    println!("there were {} jobs at revision {}", then.records.len(), then.revision);

    let mut watch = store.watch(&KeyRange::all(), start);
    watch.request_bookmark();
    while let Some(Update::Batch(batch)) = watch.next().await.transpose()? {
        for event in &*batch.events {
            let what = match event.change {
                Change::Created => "claimed by",
                Change::Updated => "now",
                Change::Deleted => "gone, last",
            };
            let value = event.record.value.encoded(Format::Json).unwrap_or_default();
            println!("{:>3}  {:<14} {what} {}", batch.revision, event.key(), String::from_utf8_lossy(&value));
        }
    }
    Ok(())
}
