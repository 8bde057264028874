use std::sync::Arc;
use std::time::Duration;

use orlop_client::Client;
use tokio::time::Instant;

use super::Unreliable;

/// How often it is looked whether the goal is reached.
const LOOK: Duration = Duration::from_millis(500);

/// A goal that was not reached in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not reached within {limit:?}, after {crashes} crashes and {writes} writes")]
pub struct NotReached {
    /// The time there was.
    pub limit: Duration,
    /// How often the program was started anew.
    pub crashes: u32,
    /// How many writes it asked for.
    pub writes: u64,
}

/// Runs a program, anew after each crash of `client`, until `goal` holds; the program is given a client each time. Answers
/// how often it crashed.
///
/// # Errors
/// [`NotReached`] if that takes longer than `limit`.
///
/// # Panics
/// Where the program does.
pub async fn until_crash_or_goal<F: Future>(
    client: &Unreliable,
    mut program: impl FnMut(Arc<dyn Client>) -> F,
    mut goal: impl AsyncFnMut() -> bool,
    limit: Duration,
) -> Result<u32, NotReached> {
    let end = Instant::now() + limit;
    let mut crashes = 0;
    loop {
        client.restart();
        let mut running = std::pin::pin!(program(client.client()));
        let mut ended = false;
        let reached = async {
            loop {
                if goal().await {
                    return true;
                }
                if Instant::now() >= end {
                    return false;
                }
                tokio::time::sleep(LOOK).await;
            }
        };
        let mut reached = std::pin::pin!(reached);
        let outcome = loop {
            tokio::select! {
                biased;
                () = client.crashed() => break None,
                reached = &mut reached => break Some(reached),
                _ = &mut running, if !ended => ended = true,
            }
        };
        match outcome {
            Some(true) => return Ok(crashes),
            Some(false) => return Err(NotReached { limit, crashes, writes: client.writes() }),
            None => crashes += 1,
        }
    }
}
