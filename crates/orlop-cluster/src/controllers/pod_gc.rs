//! Pods that nothing else would delete.

use std::collections::BTreeSet;

use orlop_client::Api;
use orlop_controller::Recorder;
use orlop_model::Str;
use orlop_model::core::v1::{Node, Pod};
use orlop_planners::pod_gc::{Memory, PERIOD, Settings, orphaned, sweep};
use orlop_planners::{Change, Plan};

use super::{Parts, tick};
use crate::carry_out::carry_out;

const NAME: &str = "pod-garbage-collector";

pub(super) async fn run(parts: Parts) {
    let Parts { informers, clock, stop, .. } = parts;
    let (pods, nodes) = (informers.of::<Pod>(), informers.of::<Node>());
    let node_api = Api::<Node>::all(informers.client().clone());
    let recorder = Recorder::new(informers.client().clone(), clock.clone(), NAME);
    let mut memory = Memory::default();
    while tick(PERIOD, &stop).await {
        let all = pods.list();
        let now = clock.now();
        let found = sweep(&all, &nodes.list(), &Settings::default(), &mut memory, now);
        let mut gone = BTreeSet::<Str>::new();
        for name in &found.nodes {
            match node_api.get_opt(name.as_str()).await {
                Ok(None) => {
                    gone.insert(name.clone());
                }
                Ok(Some(_)) => {}
                Err(error) => tracing::warn!(%error, node = %name, "cannot tell whether a node is gone"),
            }
        }
        let orphans = orphaned(&all, &gone, now);
        for changes in
            found.ended.into_iter().chain(found.out_of_service).chain(orphans).chain(found.unscheduled)
        {
            let plan: Plan = Plan { changes, ..Plan::default() };
            if let Err((place, error)) = carry_out(&**informers.client(), &recorder, &plan, NAME).await {
                report(&plan.changes[place], &error);
            }
        }
    }
}

fn report(change: &Change, error: &orlop_client::Error) {
    tracing::warn!(%error, ?change, "a pod could not be collected");
}
