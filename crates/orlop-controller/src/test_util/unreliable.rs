use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use orlop_cache::Signal;
use orlop_client::{Answer, Client, Error, Forward, Request, Result};
use orlop_clock::Random;
use orlop_model::ObjectKey;
use parking_lot::Mutex;
use tokio::time::Instant;

/// How often what goes wrong with writes: shares of them, from 0 to 1.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct WriteFaults {
    /// Refused with a conflict, and not done.
    pub conflicts: f64,
    /// Not done.
    pub fails_before: f64,
    /// Done, and the answer lost.
    pub fails_after: f64,
    /// Late,
    pub delays: f64,
    /// by at most this time.
    pub delay: Duration,
}

impl WriteFaults {
    /// Some of everything: one write in five is not answered as it should be.
    #[must_use]
    pub const fn some() -> Self {
        Self {
            conflicts: 0.08,
            fails_before: 0.08,
            fails_after: 0.05,
            delays: 0.3,
            delay: Duration::from_secs(2),
        }
    }
}

/// When a process crashes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// Before the write was done.
    Before,
    /// When it was done, and before it was answered.
    After,
}

/// Makes the writes of a client go wrong. Clones share their state.
#[derive(Clone)]
pub struct Unreliable {
    client: Arc<dyn Client>,
    state: Arc<State>,
}

struct State {
    random: Random,
    plan: Mutex<Plan>,
    progress: Signal<Progress>,
}

#[derive(Default)]
struct Plan {
    faults: WriteFaults,
    crash: Option<(u64, Moment)>,
}

#[derive(Clone, Copy, Debug)]
struct Progress {
    writes: u64,
    last: Instant,
    crashed: bool,
}

impl Unreliable {
    /// Without faults as yet.
    #[must_use]
    pub fn new(client: Arc<dyn Client>, random: Random) -> Self {
        let progress = Signal::new(Progress { writes: 0, last: Instant::now(), crashed: false });
        Self { client, state: Arc::new(State { random, plan: Mutex::default(), progress }) }
    }

    /// From now on these.
    pub fn set(&self, faults: WriteFaults) {
        self.state.plan.lock().faults = faults;
    }

    /// The process crashes at the `write`th write from now on, 0 being the next one: that write and all that comes after
    /// it are never answered, and [`Unreliable::crashed`] tells.
    pub fn crash_at(&self, write: u64, moment: Moment) {
        let at = self.writes() + write;
        self.state.plan.lock().crash = Some((at, moment));
    }

    /// How many writes were asked for so far.
    #[must_use]
    pub fn writes(&self) -> u64 {
        self.state.progress.with(|progress| progress.writes)
    }

    /// The client of a process. It is good until the next crash.
    #[must_use]
    pub fn client(&self) -> Arc<dyn Client> {
        Arc::new(Faults { client: Arc::clone(&self.client), state: Arc::clone(&self.state) })
    }

    /// Waits until the process has crashed.
    pub async fn crashed(&self) {
        self.state.progress.wait_for(|progress| progress.crashed.then_some(())).await;
    }

    /// The process is started anew.
    pub fn restart(&self) {
        self.state.progress.modify(|progress| progress.crashed = false);
    }

    /// Waits until nothing was written for the time `quiet`. `false` if that does not come about within `limit`.
    pub async fn idle(&self, quiet: Duration, limit: Duration) -> bool {
        let end = Instant::now() + limit;
        loop {
            let at = self.state.progress.with(|progress| progress.last) + quiet;
            let now = Instant::now();
            if at <= now {
                return true;
            }
            if now >= end {
                return false;
            }
            tokio::time::sleep_until(at.min(end)).await;
        }
    }
}

struct Faults {
    client: Arc<dyn Client>,
    state: Arc<State>,
}

#[async_trait]
impl Forward for Faults {
    fn inner(&self) -> &dyn Client {
        &*self.client
    }

    async fn before(&self, request: &Request<'_>) -> Result<()> {
        if !request.verb.writes() {
            return Ok(());
        }
        let State { random, plan, progress } = &*self.state;
        let mut number = 0;
        progress.modify(|progress| {
            number = progress.writes;
            progress.writes += 1;
            progress.last = Instant::now();
        });
        let (faults, crash) = {
            let plan = plan.lock();
            (plan.faults, plan.crash)
        };
        if crash.is_some_and(|(at, moment)| at <= number && moment == Moment::Before) {
            self.crash().await;
        }
        if random.chance(faults.delays) {
            tokio::time::sleep(faults.delay.mul_f64(random.f64())).await;
        }
        let key = || ObjectKey { namespace: request.namespace.map(Into::into), name: Default::default() };
        if random.chance(faults.conflicts) {
            return Err(Error::conflict(request.kind, &key(), "somebody else was faster"));
        }
        if random.chance(faults.fails_before) {
            return Err(Error::internal("out of reach"));
        }
        Ok(())
    }

    async fn after(&self, request: &Request<'_>, answer: Answer<'_>) -> Result<()> {
        if !request.verb.writes() {
            return Ok(());
        }
        let State { random, plan, progress } = &*self.state;
        let (faults, crash) = {
            let plan = plan.lock();
            (plan.faults, plan.crash)
        };
        let writes = progress.with(|progress| progress.writes);
        progress.modify(|progress| progress.last = Instant::now());
        if crash.is_some_and(|(at, moment)| at < writes && moment == Moment::After) {
            self.crash().await;
        }
        if random.chance(faults.delays) {
            tokio::time::sleep(faults.delay.mul_f64(random.f64())).await;
        }
        if answer.is_ok() && random.chance(faults.fails_after) {
            return Err(Error::Timeout { message: "the answer is lost".into() });
        }
        Ok(())
    }
}

impl Faults {
    /// Nobody hears of this process any more.
    async fn crash(&self) {
        self.state.plan.lock().crash = None;
        self.state.progress.modify(|progress| progress.crashed = true);
        std::future::pending().await
    }
}

impl fmt::Debug for Unreliable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plan = self.state.plan.lock();
        f.debug_struct("Unreliable")
            .field("faults", &plan.faults)
            .field("crash", &plan.crash)
            .field("progress", &self.state.progress)
            .finish_non_exhaustive()
    }
}
