//! Deployments.

use std::sync::Arc;

use orlop_cache::Delta;
use orlop_client::Api;
use orlop_controller::{Action, KeyController, controller_of};
use orlop_model::apps::v1::{Deployment, ReplicaSet};
use orlop_model::core::v1::Pod;
use orlop_model::{Object, StaticKind};
use orlop_planners::deployment::{self, Children};

use super::{Parts, carry_out_or, uid};

pub(super) async fn run(parts: Parts) {
    let Parts { informers, clock, stop, pods, .. } = parts;
    let (deployments, sets) = (informers.of::<Deployment>(), informers.of::<ReplicaSet>());
    let sets_of_pods = sets.clone();
    let pod_api = Api::<Pod>::all(Arc::clone(informers.client()));
    KeyController::new("deployment-controller", &informers)
        .clock(clock)
        .stop(stop)
        .watch::<Deployment, _>(|deployment| Some(deployment.key()))
        .watch::<ReplicaSet, _>(|set| controller_of(set, Deployment::KIND))
        // The strategy Recreate goes on when the last pod has gone.
        .watch_deltas(&pod_api, move |delta| {
            let Delta::Deleted { last, .. } = delta else {
                return None;
            };
            let set = sets_of_pods.get(&controller_of(&**last, ReplicaSet::KIND)?)?;
            controller_of(&*set, Deployment::KIND)
        })
        .run(move |key, cx| {
            let found = deployments.get(&key);
            let replica_sets = sets.list_in(key.namespace());
            let pods = pods.clone();
            async move {
                let Some(deployment) = found else {
                    return Ok(Action::await_change());
                };
                let owned = replica_sets.iter().filter(|set| {
                    set.metadata.controller().is_some_and(|owner| owner.uid == deployment.metadata.uid)
                });
                let pods = pods.of(key.namespace(), owned.map(|set| uid(&**set)));
                let children = Children { replica_sets: &replica_sets, pods: &pods };
                let now = cx.now();
                let plan = deployment::plan(&deployment, &children, now);
                carry_out_or(&cx, plan, |change, text| deployment::failed(&deployment, change, text, now))
                    .await
            }
        })
        .await;
}
