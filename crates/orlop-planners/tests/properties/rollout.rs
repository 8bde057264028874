//! Rollouts under random readiness, in random order, with plans cut off.

use orlop_planners::Change;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::TestCaseResult;
use serde_json::{Value, json};

use super::world::{Setup, World};

/// What happens next.
#[derive(Clone, Debug)]
enum Step {
    /// The Deployment is planned; `cut`: so many of its changes are made, all if absent.
    Deployment {
        cut: Option<usize>,
        compact: bool,
    },
    /// A ReplicaSet is planned; `cut` likewise.
    Set {
        index: usize,
        cut: Option<usize>,
    },
    /// The Deployment is planned, then all ReplicaSets, those first that have too many pods.
    Everything,
    Ready(usize),
    Unready(usize),
    FinishDeletions,
    Pass(u64),
}

fn bound() -> impl Strategy<Value = Value> {
    prop_oneof![
        (0..5_i32).prop_map(|number| json!(number)),
        (0..101_i32).prop_map(|part| json!(format!("{part}%")))
    ]
}

fn setup(strategy: &'static str) -> impl Strategy<Value = Setup> {
    (0..12_i32, bound(), bound(), prop_oneof![Just(0), 1..30_i32], 0..4_i32).prop_map(
        move |(replicas, surge, unavailable, min_ready_seconds, history)| Setup {
            replicas,
            strategy,
            surge,
            unavailable,
            min_ready_seconds,
            history,
        },
    )
}

fn step() -> impl Strategy<Value = Step> {
    let cut = || prop_oneof![3 => Just(None), 1 => (0..4_usize).prop_map(Some)];
    prop_oneof![
        4 => (cut(), any::<bool>()).prop_map(|(cut, compact)| Step::Deployment { cut, compact }),
        6 => (0..4_usize, cut()).prop_map(|(index, cut)| Step::Set { index, cut }),
        2 => Just(Step::Everything),
        6 => (0..30_usize).prop_map(Step::Ready),
        1 => (0..30_usize).prop_map(Step::Unready),
        1 => Just(Step::FinishDeletions),
        2 => (0..20_u64).prop_map(Step::Pass),
    ]
}

fn apply(world: &mut World, step: &Step, steady: bool) {
    match *step {
        Step::Deployment { cut, compact } => {
            let plan = world.plan();
            let plan = if compact { plan.compact() } else { plan };
            let end = cut.unwrap_or(usize::MAX).min(plan.changes.len());
            world.apply(&plan.changes[..end]);
        }
        Step::Set { index, cut } => {
            if index < world.sets.len() {
                let plan = world.plan_set(index);
                let end = cut.unwrap_or(usize::MAX).min(plan.changes.len());
                world.apply(&plan.changes[..end]);
            }
        }
        Step::Everything => everything(world),
        Step::Ready(index) => world.set_ready(index, true),
        Step::Unready(index) => {
            if !steady {
                world.set_ready(index, false);
            }
        }
        Step::FinishDeletions => world.finish_deletions(),
        Step::Pass(seconds) => world.pass(seconds),
    }
}

fn everything(world: &mut World) {
    world.apply(&world.plan().changes.clone());
    for deleting in [true, false] {
        for index in 0..world.sets.len() {
            let plan = world.plan_set(index);
            if deleting == plan.changes.iter().any(|change| matches!(change, Change::Delete(_))) {
                world.apply(&plan.changes);
            }
        }
    }
}

/// Goes through `steps` and checks the bounds after each; `steady`: no pod that is ready gets unready.
fn roll(setup: &Setup, steps: &[Step], steady: bool) -> TestCaseResult {
    let mut world = World::new(setup);
    let fail = |error: String| TestCaseError::fail(error);
    world.settle().map_err(fail)?;
    world.check_complete().map_err(fail)?;
    world.set_image("web:2");
    let desired = setup.replicas;
    let most = desired + orlop_planners::deployment::max_surge(&world.deployment);
    let least = orlop_planners::deployment::min_available(&world.deployment);
    for (number, step) in steps.iter().enumerate() {
        if number == steps.len() / 2 {
            world.set_image("web:3");
        }
        apply(&mut world, step, steady);
        let asked_for = world.asked_for();
        prop_assert!(asked_for <= most, "step {number}: {asked_for} asked for, at most {most}");
        if steady {
            let available = world.available();
            prop_assert!(available >= least, "step {number}: {available} available, at least {least}");
        }
        if setup.strategy == "Recreate" {
            let revisions = world.revisions();
            prop_assert!(revisions.len() <= 1, "step {number}: pods of {revisions:?}");
        }
    }
    world.settle().map_err(fail)?;
    world.check_complete().map_err(fail)?;
    prop_assert!(world.plan().is_quiet(), "a rollout that is over is planned again: {:?}", world.plan());
    Ok(())
}

/// As [`roll`], with every controller in step: now the pods themselves keep the bounds.
fn roll_in_step(setup: &Setup, steps: &[Step]) -> TestCaseResult {
    let mut world = World::new(setup);
    world.settle().map_err(TestCaseError::fail)?;
    world.set_image("web:2");
    let most = setup.replicas + orlop_planners::deployment::max_surge(&world.deployment);
    for (number, step) in steps.iter().enumerate() {
        match step {
            Step::Deployment { .. } | Step::Set { .. } => everything(&mut world),
            other => apply(&mut world, other, false),
        }
        let active = world.active();
        prop_assert!(active <= most, "step {number}: {active} pods, at most {most}");
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_rolling_update_keeps_its_bounds_and_ends(
        setup in setup("RollingUpdate"),
        steps in vec(step(), 0..120),
    ) {
        roll(&setup, &steps, true)?;
    }

    #[test]
    fn a_rolling_update_over_flapping_pods_keeps_its_surge_and_ends(
        setup in setup("RollingUpdate"),
        steps in vec(step(), 0..120),
    ) {
        roll(&setup, &steps, false)?;
    }

    #[test]
    fn controllers_in_step_never_run_more_pods_than_the_surge_allows(
        setup in setup("RollingUpdate"),
        steps in vec(step(), 0..80),
    ) {
        roll_in_step(&setup, &steps)?;
    }

    #[test]
    fn recreate_never_runs_two_revisions_and_ends(
        setup in setup("Recreate"),
        steps in vec(step(), 0..120),
    ) {
        roll(&setup, &steps, false)?;
    }

    /// Leaving out writes that later ones repeat changes nothing.
    #[test]
    fn a_compact_plan_ends_where_the_whole_one_does(
        setup in prop_oneof![setup("RollingUpdate"), setup("Recreate")],
        steps in vec(step(), 0..60),
        replicas in 0..12_i32,
        paused in any::<bool>(),
    ) {
        let mut world = World::new(&setup);
        world.settle().map_err(TestCaseError::fail)?;
        world.set_image("web:2");
        for step in &steps {
            apply(&mut world, step, false);
        }
        world.resize(replicas);
        world.pause(paused);
        let (plan, mut whole, mut compact) = (world.plan(), world.clone(), world);
        whole.apply(&plan.changes);
        let events = plan.events.len();
        let plan = plan.compact();
        compact.apply(&plan.changes);
        prop_assert_eq!(events, plan.events.len());
        prop_assert_eq!(&whole.deployment.status, &compact.deployment.status);
        prop_assert_eq!(&whole.deployment.spec, &compact.deployment.spec);
        for (left, right) in whole.sets.iter().zip(&compact.sets) {
            prop_assert_eq!(&left.spec, &right.spec);
            prop_assert_eq!(&left.metadata.annotations, &right.metadata.annotations);
        }
    }
}
