use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use orlop_client::{Api, Client, Error};
use orlop_clock::{Clock, Random, SystemClock};
use orlop_model::Str;
use orlop_model::coordination::v1::Lease;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::candidate::{Answer, Ask, Candidate, JITTER, Step};
use super::{Leadership, Timing};

/// How long giving back the lease may take.
const RELEASE: Duration = Duration::from_secs(5);

/// A candidate for the leadership that a Lease (`coordination.k8s.io/v1`) stands for. Of all processes that run one for
/// the same Lease at most one leads.
///
/// ```
/// # use std::sync::Arc;
/// # use orlop_client::{Api, Client};
/// # use orlop_controller::{Action, Controller, Election, Error};
/// # use orlop_model::core::v1::ConfigMap;
/// # use tokio_util::sync::CancellationToken;
/// # async fn example(client: Arc<dyn Client>, stop: CancellationToken) {
/// let election = Election::new(client.clone(), "kube-system", "website", "host-1_5f0c");
/// let controller = Controller::new("website", Api::<ConfigMap>::all(client))
///     .leadership(election.leadership()) // caches fill up at once, but nothing is reconciled before it leads
///     .stop(stop);
/// let done = CancellationToken::new();
/// let campaign = tokio::spawn(election.run(done.clone()));
/// controller.run(async |_, _| Ok::<_, Error>(Action::await_change())).await; // until stopped, or no leader any more
/// done.cancel();
/// campaign.await.expect("does not panic"); // the lease is given back
/// # }
/// ```
pub struct Election {
    leases: Api<Lease>,
    name: Str,
    identity: Str,
    timing: Timing,
    clock: Arc<dyn Clock>,
    random: Random,
    release: bool,
    leadership: Leadership,
}

/// How a campaign ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// It was told to stop.
    Stopped,
    /// The leadership was acquired, and lost again.
    Lost,
}

/// The leadership was lost, and what was done under it was cut off.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{identity} has lost the leadership of {lease}{}", now_held(holder.as_deref()))]
pub struct LeadershipLost {
    /// Namespace and name of the Lease.
    pub lease: String,
    /// Who lost it.
    pub identity: Str,
    /// Who has it now, if that is known.
    pub holder: Option<Str>,
}

fn now_held(holder: Option<&str>) -> String {
    holder.map(|holder| format!(", which {holder} holds now")).unwrap_or_default()
}

impl Election {
    /// A candidate for the Lease of that namespace and name, which is made if there is none.
    ///
    /// `identity` must be of this process alone, and another one after a restart: who finds its own name in the lease
    /// takes it to have the leadership still. Host name and a random number will do.
    pub fn new(
        client: Arc<dyn Client>,
        namespace: impl Into<Str>,
        name: impl Into<Str>,
        identity: impl Into<Str>,
    ) -> Self {
        let identity = identity.into();
        Self {
            leases: Api::namespaced(client, namespace),
            name: name.into(),
            random: Random::new(0).fork(&identity),
            identity,
            timing: Timing::default(),
            clock: Arc::new(SystemClock),
            release: true,
            leadership: Leadership::new(),
        }
    }

    /// See [`Timing`]. Default: 15 s, 10 s, 2 s.
    #[must_use]
    pub fn timing(mut self, timing: Timing) -> Self {
        self.timing = timing;
        self
    }

    /// The clock for the timestamps in the Lease, which are for people: nothing is decided by them.
    #[must_use]
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// Where the jitter of waits comes from. Default: a stream that depends on the identity.
    #[must_use]
    pub fn random(mut self, random: Random) -> Self {
        self.random = random;
        self
    }

    /// Whether to give the Lease back at the end, so that the next leader need not wait. Default: yes.
    #[must_use]
    pub fn release(mut self, release: bool) -> Self {
        self.release = release;
        self
    }

    /// Whether this process leads; to be asked by whoever works under it.
    #[must_use]
    pub fn leadership(&self) -> &Leadership {
        &self.leadership
    }

    /// Campaigns and, once leader, renews, until told to stop or the leadership is lost. Dropping the future ends the
    /// leadership without giving the Lease back.
    pub async fn run(self, stop: CancellationToken) -> Ended {
        let Self { leases, name, identity, timing, clock, random, release, leadership } = self;
        let ended = EndWith(leadership.clone());
        let start = Instant::now();
        let mut candidate = Candidate::new(timing, identity.clone());
        let campaign = async {
            let mut led = false;
            loop {
                let now = start.elapsed();
                let step = candidate.step(now, clock.now());
                let held = candidate.held(now);
                if led && held.is_none() {
                    return;
                }
                // A leader that is not heard learns so no later than the others.
                let deadline = held.map_or(now + timing.renew_deadline(), |(_, until)| until);
                match step {
                    Step::Wait(until) => tokio::time::sleep_until(start + until.min(deadline)).await,
                    Step::Ask(ask) => {
                        let answer =
                            tokio::time::timeout_at(start + deadline, send(&leases, &name, &ask)).await;
                        let (answer, now) = (answer.unwrap_or(Answer::Failed), start.elapsed());
                        candidate
                            .answered(&ask, answer, now, clock.now(), |retry| random.jitter(retry, JITTER));
                        let held = candidate.held(now);
                        if !led && let Some((fence, _)) = held {
                            tracing::info!(%identity, lease = %name, %fence, "leads");
                        }
                        led |= held.is_some();
                        let held = held.map(|(fence, until)| (fence, start + until));
                        leadership.set(held, candidate.holder());
                    }
                }
            }
        };
        let outcome = tokio::select! {
            biased;
            () = stop.cancelled() => Ended::Stopped,
            () = campaign => Ended::Lost,
        };
        // Nobody works under it any more before it is given back.
        drop(ended);
        match outcome {
            Ended::Lost => tracing::warn!(%identity, lease = %name, "has lost the leadership"),
            Ended::Stopped if release => {
                let given_back = give_back(&leases, &name, &mut candidate, clock.now());
                if let Ok(Err(error)) = tokio::time::timeout(RELEASE, given_back).await {
                    tracing::warn!(%identity, lease = %name, %error, "could not give back the lease");
                }
            }
            Ended::Stopped => {}
        }
        outcome
    }

    /// Does `work` once this process leads, and gives the Lease back when the work has ended. Answers `None` if told to
    /// stop before it led; after that, stopping is up to the work.
    ///
    /// # Errors
    /// [`LeadershipLost`]: the work was dropped where it was.
    pub async fn lead<F, W>(
        self,
        stop: CancellationToken,
        work: F,
    ) -> Result<Option<W::Output>, LeadershipLost>
    where
        F: FnOnce(Leadership) -> W,
        W: Future,
    {
        let leadership = self.leadership.clone();
        let lease = format!("{}/{}", self.leases.namespace().unwrap_or_default(), self.name);
        let identity = self.identity.clone();
        let lost = || LeadershipLost { lease, identity, holder: leadership.leader() };
        let done = CancellationToken::new();
        let mut campaign = std::pin::pin!(self.run(done.clone()));
        let output = tokio::select! {
            biased;
            () = stop.cancelled() => None,
            _ = &mut campaign => return Err(lost()),
            fence = leadership.acquired() => match fence {
                None => return Err(lost()),
                Some(_) => tokio::select! {
                    biased;
                    _ = &mut campaign => return Err(lost()),
                    output = work(leadership.clone()) => Some(output),
                },
            },
        };
        done.cancel();
        campaign.await;
        Ok(output)
    }
}

/// Tells that nobody leads here any more, in whatever way the campaign ends.
struct EndWith(Leadership);

impl Drop for EndWith {
    fn drop(&mut self) {
        self.0.end();
    }
}

async fn give_back(
    leases: &Api<Lease>,
    name: &Str,
    candidate: &mut Candidate,
    now: orlop_clock::Timestamp,
) -> Result<(), Error> {
    let Some(lease) = candidate.release(now) else { return Ok(()) };
    match leases.update(lease.clone()).await {
        // A renewal that was on its way when the end came.
        Err(error) if error.is_conflict() => {
            let stored = leases.get(name).await?;
            match candidate.released(&stored, now) {
                Some(lease) => leases.update(lease).await.map(drop),
                None => Ok(()),
            }
        }
        result => result.map(drop),
    }
}

async fn send(leases: &Api<Lease>, name: &Str, ask: &Ask) -> Answer {
    let result = match ask {
        Ask::Get => leases.get(name).await,
        Ask::Create(lease) => {
            let mut lease = Lease::clone(lease);
            lease.metadata.name = name.clone();
            leases.create(lease).await
        }
        Ask::Update(lease) => leases.update(Lease::clone(lease)).await,
    };
    match result {
        Ok(lease) => Answer::Lease(lease),
        Err(Error::NotFound { .. }) => Answer::NotFound,
        Err(Error::Conflict { .. } | Error::AlreadyExists { .. }) => Answer::Conflict,
        Err(error) => {
            tracing::debug!(lease = %name, %error, "the lease could not be read or written");
            Answer::Failed
        }
    }
}

impl fmt::Debug for Election {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Election")
            .field("lease", &self.name)
            .field("identity", &self.identity)
            .field("timing", &self.timing)
            .finish_non_exhaustive()
    }
}
