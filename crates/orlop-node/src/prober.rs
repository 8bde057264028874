//! Runs the probes of one pod.

use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use futures::stream::FuturesUnordered;
use orlop_model::core::v1::{Container, Pod, Probe};
use tokio::time::Instant;

use crate::cell::PodCell;
use crate::context::Context;
use crate::events::EventType;
use crate::plan::PodProbes;
use crate::probe::{Next, ProbeKind, ProbeResults, Prober};
use crate::restart::is_sidecar;
use crate::runtime::{ProbeAnswer, RuntimeError, Target};

/// A probe that cannot be run is tried so often at once.
const TRIES: usize = 3;

fn probed(pod: &Pod) -> impl Iterator<Item = (&Container, ProbeKind)> {
    let sidecars = pod.spec.init_containers.iter().filter(|container| is_sidecar(container));
    let of = |container| {
        ProbeKind::ALL
            .into_iter()
            .filter(move |kind: &ProbeKind| kind.of(container).is_some())
            .map(move |kind| (container, kind))
    };
    sidecars.chain(&pod.spec.containers).flat_map(of)
}

/// Whether the pod has anything to probe.
pub(crate) fn has_probes(pod: &Pod) -> bool {
    probed(pod).next().is_some()
}

pub(crate) fn results(probes: &mut PodProbes, kind: ProbeKind) -> &mut ProbeResults {
    match kind {
        ProbeKind::Liveness => &mut probes.liveness,
        ProbeKind::Readiness => &mut probes.readiness,
        ProbeKind::Startup => &mut probes.startup,
    }
}

struct Slot {
    container: Arc<Container>,
    prober: Prober,
    due: Instant,
    running: bool,
    stopped: bool,
}

impl Slot {
    fn probe(&self) -> &Probe {
        // Slots are made for probes that are there.
        self.prober.kind().of(&self.container).unwrap_or_else(|| unreachable!("a prober without a probe"))
    }

    fn period(&self) -> Duration {
        Duration::from_secs(
            u64::try_from(self.probe().period_seconds).ok().filter(|period| *period > 0).unwrap_or(10),
        )
    }
}

/// Probes until nothing is left to probe.
pub(crate) async fn run(context: Arc<Context>, cell: Arc<PodCell>) {
    let pod = cell.pod();
    let begin = Instant::now();
    let mut slots: Vec<Slot> = probed(&pod)
        .map(|(container, kind)| {
            let mut slot = Slot {
                container: Arc::new(container.clone()),
                prober: Prober::new(kind),
                due: begin,
                running: false,
                stopped: false,
            };
            let period = slot.period();
            // Right after the agent's start the probes of all pods would come at once.
            if period > begin.saturating_duration_since(context.began) {
                slot.due += period.mul_f64(context.random.f64());
            }
            slot
        })
        .collect();
    let mut running = FuturesUnordered::new();
    loop {
        let (triggered, ending) = cell.take_triggered();
        let now = Instant::now();
        let time = context.clock.now();
        let mut news = false;
        for (index, slot) in slots.iter_mut().enumerate() {
            let kind = slot.prober.kind();
            slot.stopped |= ending && kind != ProbeKind::Readiness;
            let asked = triggered && kind == ProbeKind::Readiness;
            if slot.stopped || slot.running || slot.due > now && !asked {
                continue;
            }
            slot.due = now + slot.period();
            let next = cell.with(|pod, status, probes| {
                slot.prober.tick(pod, status, &slot.container, results(probes, kind), context.started, time)
            });
            match next {
                Next::Wait => {}
                Next::Stop => slot.stopped = true,
                Next::Probe => {
                    slot.running = true;
                    running.push(probe(
                        Arc::clone(&context),
                        Arc::clone(&cell),
                        Arc::clone(&slot.container),
                        kind,
                        slot.prober.container_id().clone(),
                        index,
                    ));
                }
            }
        }
        if running.is_empty() && slots.iter().all(|slot| slot.stopped) {
            return;
        }
        let due = slots.iter().filter(|slot| !slot.stopped && !slot.running).map(|slot| slot.due).min();
        tokio::select! {
            biased;
            Some((index, id, answer)) = running.next(), if !running.is_empty() => {
                let slot: &mut Slot = &mut slots[index];
                slot.running = false;
                // An answer about a container that has been replaced meanwhile is of no use.
                if *slot.prober.container_id() == *id {
                    let spec = slot.prober.kind().of(&slot.container).cloned().unwrap_or_default();
                    news |= cell.with(|_, _, probes| {
                        slot.prober.answered(&spec, answer, results(probes, slot.prober.kind()))
                    });
                }
            }
            () = cell.probe_wanted() => {}
            () = async { match due { Some(due) => tokio::time::sleep_until(due).await, None => std::future::pending().await } } => {}
        }
        if news {
            cell.touch();
        }
    }
}

async fn probe(
    context: Arc<Context>,
    cell: Arc<PodCell>,
    container: Arc<Container>,
    kind: ProbeKind,
    id: orlop_model::Str,
    index: usize,
) -> (usize, orlop_model::Str, Option<bool>) {
    let pod = cell.pod();
    let ip = cell.status().pod_ip.clone();
    let target = Target { pod: Arc::clone(&pod), container: Arc::clone(&container), id: id.clone(), ip };
    let probe = kind.of(&container).cloned().unwrap_or_default();
    let mut answer: Result<ProbeAnswer, RuntimeError> = Err(RuntimeError::failed("not probed"));
    for _ in 0..TRIES {
        answer = context.runtime.probe(&target, kind, &probe).await;
        if answer.is_ok() {
            break;
        }
    }
    let field = context.field(&pod, &container.name);
    let word = kind.as_str();
    let well = match answer {
        Ok(ProbeAnswer { well: true, warning: false, .. }) => Some(true),
        Ok(ProbeAnswer { well: true, output, .. }) => {
            context.events.pod(
                &pod,
                &field,
                EventType::Warning,
                "ProbeWarning",
                format!("{word} probe warning: {output}"),
            );
            Some(true)
        }
        Ok(ProbeAnswer { output, .. }) => {
            context.events.pod(
                &pod,
                &field,
                EventType::Warning,
                "Unhealthy",
                format!("{word} probe failed: {output}"),
            );
            Some(false)
        }
        Err(error) => {
            let message = format!("{word} probe errored and resulted in unknown state: {error}");
            context.events.pod(&pod, &field, EventType::Warning, "Unhealthy", message);
            None
        }
    };
    (index, id, well)
}
