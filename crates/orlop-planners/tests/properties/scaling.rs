//! Scaling: a Deployment in the middle of a rollout, and a ReplicaSet.

use std::collections::BTreeSet;

use orlop_planners::{Change, PlannedObject, deployment};
use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::json;

use super::world::{Setup, World};

/// A Deployment of `replicas` pods with active sets of these sizes.
fn rollout(sizes: &[i32], replicas: i32, surge: i32) -> World {
    let mut world = World::new(&Setup {
        replicas,
        strategy: "RollingUpdate",
        surge: json!(surge),
        unavailable: json!(1),
        min_ready_seconds: 0,
        history: 10,
    });
    for (number, size) in sizes.iter().enumerate() {
        world.set_image(&format!("web:{number}"));
        let plan = world.plan();
        let create = plan.changes.iter().find_map(|change| match change {
            Change::Create(create) => Some(create.clone()),
            _ => None,
        });
        let Some(create) = create else { panic!("a new template needs a new set") };
        let PlannedObject::ReplicaSet(set) = &create.object else { panic!("a ReplicaSet") };
        let mut set = orlop_model::apps::v1::ReplicaSet::clone(set);
        set.spec.replicas = Some(*size);
        world.apply(&[Change::from(orlop_planners::Create::new(set))]);
    }
    world
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn shares_add_up_to_the_new_size(sizes in vec(1..40_i32, 2..6), surge in 1..5_i32, replicas in 0..150_i32) {
        let before: i32 = sizes.iter().sum();
        // In the middle of a rollout all sets together ask for the size and its surge.
        let mut world = rollout(&sizes, before.saturating_sub(surge).max(1), surge);
        let full = world.deployment.spec.replicas.unwrap_or(1) + surge;
        for index in 0..world.sets.len() {
            let mut set = orlop_model::apps::v1::ReplicaSet::clone(&world.sets[index]);
            set.metadata.annotations.insert(deployment::MAX_REPLICAS, full.max(before).to_string().into());
            set.status.replicas = set.spec.replicas.unwrap_or(0);
            world.sets[index] = set.into();
        }
        world.resize(replicas);
        let plan = world.plan();
        prop_assert!(plan.error.is_none());
        world.apply(&plan.changes);
        let wanted = if replicas > 0 { replicas + surge } else { 0 };
        let resized = replicas != full - surge;
        if resized {
            prop_assert_eq!(world.asked_for(), wanted);
        }
        prop_assert!(world.sets.iter().all(|set| set.spec.replicas >= Some(0)));

        // Once scaled, the same size is no reason to scale again.
        let active = world.sets.iter().filter(|set| set.spec.replicas != Some(0)).count();
        if resized && active > 1 {
            world.pause(true);
            let again = world.plan();
            prop_assert!(!again.changes.iter().any(|change| matches!(change, Change::Update(_))), "{again:?}");
        }
    }

    #[test]
    fn scaling_a_quiet_deployment_ends_quiet(sizes in vec(0..15_i32, 1..5)) {
        let mut world = World::new(&Setup {
            replicas: 3,
            strategy: "RollingUpdate",
            surge: json!(1),
            unavailable: json!("25%"),
            min_ready_seconds: 0,
            history: 2,
        });
        world.settle().map_err(TestCaseError::fail)?;
        for size in sizes {
            world.resize(size);
            world.settle().map_err(TestCaseError::fail)?;
            world.check_complete().map_err(TestCaseError::fail)?;
            prop_assert_eq!(world.sets.len(), 1);
            prop_assert!(world.plan().is_quiet());
            prop_assert!(world.plan_set(0).is_quiet());
        }
    }

    #[test]
    fn the_order_of_deletion_names_every_pod_once_and_does_not_depend_on_the_input(
        ready in vec(prop_oneof![Just(None), (0..100_u64).prop_map(Some)], 0..20),
        order in any::<prop::sample::Index>(),
    ) {
        let mut world = World::new(&Setup {
            replicas: ready.len() as i32,
            strategy: "Recreate",
            surge: json!(0),
            unavailable: json!(0),
            min_ready_seconds: 0,
            history: 2,
        });
        world.apply(&world.plan().changes.clone());
        world.apply(&world.plan_set(0).changes.clone());
        for (index, since) in ready.iter().enumerate() {
            if let Some(seconds) = since {
                world.pass(*seconds);
                world.set_ready(index, true);
            }
        }
        world.pass(1);
        let names = |world: &World| -> Vec<String> {
            let children = orlop_planners::replicaset::Children { pods: &world.pods, siblings: &world.sets };
            let order = orlop_planners::replicaset::deletion_order(&world.sets[0], &children, world.now);
            order.iter().map(|pod| pod.metadata.name.to_string()).collect()
        };
        let first = names(&world);
        prop_assert_eq!(first.iter().collect::<BTreeSet<_>>().len(), ready.len());
        if !world.pods.is_empty() {
            let middle = order.index(world.pods.len());
            world.pods.rotate_left(middle);
        }
        prop_assert_eq!(first, names(&world));
    }
}
