//! A work queue: each key once, one worker at a time, delays, retries with back-off, priorities, and a drain at the end.
//!
//! `cargo run --example workqueue`

use std::time::Duration;

use orlop_workqueue::{Add, Error, Exponential, Priority, Queue};
use tokio::time::Instant;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let backoff = Exponential::try_new(Duration::from_millis(20), Duration::from_secs(1))?;
    let queue = Queue::builder().limit(backoff).timed().build();

    // Added three times, in once. The urgent one overtakes; the late one waits for its time.
    for key in ["web", "db", "web", "web"] {
        queue.add(key);
    }
    queue.add_after("late", Duration::from_millis(300));
    queue.add_with("urgent", Add { priority: Priority::HIGH, ..Add::default() });
    println!("{} keys are ready, {} waits", queue.len(), queue.metrics().delayed);

    let worker = tokio::spawn({
        let queue = queue.clone();
        async move {
            let begin = Instant::now();
            let after = |step: u128| begin.elapsed().as_millis() / step * step;
            while let Some(ticket) = queue.get().await {
                match *ticket.key() {
                    // Fails twice, and is tried again after 20 ms and then 40 ms.
                    "db" if ticket.failures() < 2 => {
                        let delay = ticket.retry();
                        println!("db failed: again in {delay:?}");
                    }
                    // Added again while it is worked on: handed out again, but only when this ticket is gone.
                    "web" if queue.metrics().work_duration.count() < 3 => {
                        queue.add("web");
                        println!("web: changed meanwhile");
                    }
                    "late" => println!("late: after {} ms or a little more", after(100)),
                    key => {
                        println!("{key}: done");
                        ticket.forget();
                    }
                }
            }
        }
    });
    tokio::time::sleep(Duration::from_millis(500)).await;

    // The end: what is ready is still handed out, what is not due is left over, and nothing is lost.
    queue.add("last");
    queue.add_after("tomorrow", Duration::from_secs(86_400));
    println!("all finished: {}", queue.drain().await);
    worker.await.expect("the worker does not panic");
    println!("taken after the end: {}", queue.add("too late"));
    for left in queue.take_rest() {
        println!("left over: {}, due in {} h", left.key, left.due_in.as_secs().div_ceil(3600));
    }
    let metrics = queue.metrics();
    println!(
        "{} times ready, {} retries, {} worked on",
        metrics.adds,
        metrics.retries,
        metrics.work_duration.count()
    );
    Ok(())
}
