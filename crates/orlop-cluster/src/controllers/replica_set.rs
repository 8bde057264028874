//! ReplicaSets.

use orlop_controller::{Action, KeyController, controller_of};
use orlop_model::apps::v1::ReplicaSet;
use orlop_model::core::v1::Pod;
use orlop_model::{Object, ObjectKey, StaticKind};
use orlop_planners::replicaset::{self, Children, Settings};

use super::{LATE, Parts, carry_out_or, uid};

pub(super) async fn run(parts: Parts) {
    let Parts { informers, clock, stop, pods, .. } = parts;
    let sets = informers.of::<ReplicaSet>();
    let adopters = sets.clone();
    KeyController::new("replicaset-controller", &informers)
        .clock(clock)
        .stop(stop)
        .watch::<ReplicaSet, _>(|set| Some(set.key()))
        .watch::<Pod, _>(move |pod| match pod.metadata.controller() {
            Some(_) => controller_of(pod, ReplicaSet::KIND).into_iter().collect::<Vec<_>>(),
            // A pod of nobody may be adopted.
            None => adopters
                .filter(Some(&pod.metadata.namespace), |set| selects(set, pod))
                .iter()
                .map(|set| set.key())
                .collect(),
        })
        .run(move |key: ObjectKey, cx| {
            let found = sets.get(&key);
            let neighbours = sets.clone();
            let pods = pods.clone();
            async move {
                let Some(set) = found else {
                    return Ok(Action::await_change());
                };
                // Who counts pods in a cache that is late makes them twice.
                if !cx.sees_own_writes() {
                    return Ok(Action::requeue(LATE));
                }
                let controller = set.metadata.controller().map(|owner| owner.uid.clone());
                let siblings = controller.map_or_else(Vec::new, |uid| {
                    neighbours.filter(Some(key.namespace()), |other| {
                        other.metadata.controller().is_some_and(|owner| owner.uid == uid)
                    })
                });
                let uids = siblings.iter().map(|sibling| uid(&**sibling)).chain([uid(&*set)]);
                let mut uids: Vec<_> = uids.collect();
                uids.sort();
                uids.dedup();
                let pods = pods.of(key.namespace(), uids);
                let children = Children { pods: &pods, siblings: &siblings };
                let now = cx.now();
                let plan = replicaset::plan(&set, &children, &Settings::default(), now);
                carry_out_or(&cx, plan, |change, text| replicaset::failed(&set, &children, change, text, now))
                    .await
            }
        })
        .await;
}

fn selects(set: &ReplicaSet, pod: &Pod) -> bool {
    let selector = orlop_model::selector::Selector::from_object(set.spec.selector.as_deref());
    selector.is_ok_and(|selector| !selector.is_everything() && selector.matches(&pod.metadata.labels))
}
