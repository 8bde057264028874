//! Pods that nothing else would delete.

use std::collections::BTreeSet;
use std::sync::Arc;

use futures::stream;
use orlop_client::Api;
use orlop_controller::{Action, Context, Error, KeyController};
use orlop_model::Str;
use orlop_model::core::v1::{Node, Pod};
use orlop_planners::Plan;
use orlop_planners::pod_gc::{Memory, PERIOD, Settings, orphaned, sweep};
use parking_lot::Mutex;

use super::{Parts, carry_out_or, nothing};

const NAME: &str = "pod-garbage-collector";

/// The one thing that there is to do: to look at all pods.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Sweep;

pub(super) async fn run(parts: Parts) {
    let Parts { informers, clock, stop, .. } = parts;
    let (pods, nodes) = (informers.of::<Pod>(), informers.of::<Node>());
    let first = async {
        tokio::time::sleep(PERIOD).await;
        Sweep
    };
    let memory = Arc::new(Mutex::new(Memory::default()));
    KeyController::new(NAME, &informers)
        .clock(clock)
        .stop(stop)
        .sees::<Pod>()
        .sees::<Node>()
        .stream(stream::once(first))
        .run(move |Sweep, cx| {
            let (pods, nodes, memory) = (pods.list(), nodes.list(), Arc::clone(&memory));
            async move {
                let now = cx.now();
                let found = sweep(&pods, &nodes, &Settings::default(), &mut memory.lock(), now);
                let gone = gone(&cx, &found.nodes).await;
                let orphans = orphaned(&pods, &gone, now);
                let groups = found.ended.into_iter().chain(found.out_of_service).chain(orphans);
                for changes in groups.chain(found.unscheduled) {
                    let plan: Plan = Plan { changes, ..Plan::default() };
                    // One pod must not keep the others; the next sweep finds it again.
                    if let Err(error) = carry_out_or(&cx, plan, nothing).await {
                        tracing::warn!(%error, "a pod could not be collected");
                    }
                }
                Ok::<_, Error>(Action::requeue(PERIOD))
            }
        })
        .await;
}

/// Which of these nodes the API server does not have either.
async fn gone(cx: &Context, names: &[Str]) -> BTreeSet<Str> {
    let api = Api::<Node>::all(Arc::clone(cx.client()));
    let mut gone = BTreeSet::new();
    for name in names {
        match api.get_opt(name.as_str()).await {
            Ok(None) => _ = gone.insert(name.clone()),
            Ok(Some(_)) => {}
            Err(error) => tracing::warn!(%error, node = %name, "cannot tell whether a node is gone"),
        }
    }
    gone
}
