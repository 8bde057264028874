//! Which pods make way: needed and sufficient, and the same as if each eviction were made for real.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::sync::Arc;

use orlop_model::Str;
use orlop_model::core::v1::Pod;
use orlop_model::policy::v1::PodDisruptionBudget;
use orlop_model::selector::Selector;
use orlop_scheduler::{Change, Code, Decision, Engine, pod_id};
use proptest::prelude::*;

use crate::ranking::{KINDS, Known, Step, play, pod, profile, steps};

/// A pod on a node, as the API server knows it.
fn bound(pod: &Pod, node: &str) -> Arc<Pod> {
    let mut pod = pod.clone();
    pod.spec.node_name = node.into();
    Arc::new(pod)
}

fn priority(pod: &Pod) -> i32 {
    pod.spec.priority.unwrap_or(0)
}

/// Pods with an earlier start are more important, those that have not started the least.
fn start(pod: &Pod) -> i64 {
    pod.status.start_time.map_or(i64::MAX, |time| time.seconds())
}

/// By importance, and of equally important ones by id.
fn sort(pods: &mut [Arc<Pod>]) {
    pods.sort_by_key(|pod| (Reverse(priority(pod)), start(pod), pod_id(pod)));
}

fn fits(engine: &Engine, pod: &Pod, node: &str) -> bool {
    engine.explain(pod).node(node).is_some_and(|node| node.is_feasible())
}

#[derive(Debug, PartialEq)]
struct Wanted {
    victims: Vec<Str>,
    violations: usize,
    /// The five criteria; less is better.
    cost: (usize, i32, i64, usize, Reverse<i64>),
}

/// Really evicts pods, in a clone of the engine, and puts them back one by one.
fn brute_force(
    engine: &Engine,
    pod: &Pod,
    node: &str,
    budgets: &[Arc<PodDisruptionBudget>],
) -> Option<Wanted> {
    let mut engine = engine.clone();
    let mut less: Vec<Arc<Pod>> = engine
        .cluster()
        .view()
        .node(node)?
        .pods()
        .filter(|other| other.priority() < priority(pod))
        .map(|other| bound(other.object(), node))
        .collect();
    for other in &less {
        engine.record(Change::PodRemoved(pod_id(other))).unwrap();
    }
    if less.is_empty() || !fits(&engine, pod, node) {
        return None;
    }
    sort(&mut less);
    let mut left: Vec<i32> = budgets.iter().map(|budget| budget.status.disruptions_allowed).collect();
    let (mut protected, mut others) = (Vec::new(), Vec::new());
    for other in less {
        let mut violates = false;
        for (budget, left) in budgets.iter().zip(&mut left) {
            let selector = Selector::from_object(budget.spec.selector.as_deref()).unwrap();
            if budget.metadata.namespace == other.metadata.namespace
                && selector.matches(&other.metadata.labels)
            {
                *left -= 1;
                violates |= *left < 0;
            }
        }
        if violates { protected.push(other) } else { others.push(other) }
    }
    let mut victims = Vec::new();
    let mut spare = |pods: &[Arc<Pod>]| {
        for other in pods {
            engine.record(Change::PodAdded(Arc::clone(other))).unwrap();
            if !fits(&engine, pod, node) {
                engine.record(Change::PodRemoved(pod_id(other))).unwrap();
                victims.push(Arc::clone(other));
            }
        }
        victims.len()
    };
    let violations = spare(&protected);
    spare(&others);
    sort(&mut victims);
    let most = priority(victims.first()?);
    let earliest =
        victims.iter().filter(|victim| priority(victim) == most).map(|victim| start(victim)).min()?;
    let sum = victims.iter().map(|victim| i64::from(priority(victim)) + (1 << 31)).sum();
    Some(Wanted {
        cost: (violations, most, sum, victims.len(), Reverse(earliest)),
        victims: victims.iter().map(|victim| pod_id(victim)).collect(),
        violations,
    })
}

/// With more pods around, no filter lets pods of these kinds pass that did not with fewer.
fn is_monotone(kind: u8) -> bool {
    matches!(kind, 0..=2 | 7 | 8 | 13..=17 | 19..)
}

fn check(steps: &[Step], number: u8, seed: u64, kind: u8, status: bool) -> Result<(), TestCaseError> {
    let mut engine = Engine::new([profile(number)], seed).unwrap();
    let mut known = Known::default();
    let mut budgets: BTreeMap<Str, Arc<PodDisruptionBudget>> = BTreeMap::new();
    play(steps, &mut engine, &mut known)?;
    for step in steps {
        if let Step::Budget { number, allowed } = step {
            let name = Str::from(format!("b{number}"));
            match Step::budget(*number, *allowed) {
                Change::BudgetSet(budget) => budgets.insert(name, budget),
                _ => budgets.remove(&name),
            };
        }
    }
    let budgets: Vec<_> = budgets.into_values().collect();
    // Of the greatest priority: 20.
    let number = known.pods - known.pods % 5 + 9;
    let mut pod = pod(number, kind);
    let nodes: Vec<Str> = engine.cluster().view().nodes().map(|node| node.name().clone()).collect();
    if status && let Some(node) = nodes.first() {
        Arc::make_mut(&mut pod).status.nominated_node_name = node.clone();
    }
    let Decision::Unschedulable(why) = engine.evaluate(&pod) else {
        return Ok(());
    };
    let candidates: BTreeMap<Str, Wanted> = why
        .rejections()
        .filter(|(.., status)| status.code() == Code::Unschedulable)
        .filter_map(|(node, ..)| Some((node.clone(), brute_force(&engine, &pod, node, &budgets)?)))
        .collect();
    let found = engine.dry_run(&pod, |run| {
        run.candidates
            .iter()
            .map(|candidate| {
                let victims = candidate.victims().iter().map(|victim| victim.id().clone());
                let told = (victims.collect::<Vec<_>>(), candidate.violations());
                (candidate.node().name().clone(), told)
            })
            .collect::<BTreeMap<_, _>>()
    });
    let wanted: BTreeMap<Str, (Vec<Str>, usize)> = candidates
        .iter()
        .map(|(node, wanted)| (node.clone(), (wanted.victims.clone(), wanted.violations)))
        .collect();
    prop_assert_eq!(found, Some(wanted), "kind {}", kind);

    let Some(nomination) = why.nomination() else {
        prop_assert!(candidates.is_empty());
        return Ok(());
    };
    let best = candidates.values().map(|candidate| candidate.cost).min();
    prop_assert_eq!(Some(candidates[&nomination.node].cost), best);

    // Once they are gone the pod fits there, and goes there.
    for victim in &nomination.victims {
        engine.record(Change::PodRemoved(pod_id(victim))).unwrap();
    }
    let node = nomination.node.clone();
    engine.record(Change::PodNominated { pod: Arc::clone(&pod), node: node.clone() }).unwrap();
    Arc::make_mut(&mut pod).status.nominated_node_name = node.clone();
    let decision = engine.schedule(&pod);
    prop_assert_eq!(decision.node(), Some(&node));
    // None of them could have stayed.
    for victim in nomination.victims.iter().filter(|_| is_monotone(kind)) {
        engine.record(Change::PodAdded(bound(victim, &node))).unwrap();
        prop_assert!(!fits(&engine, &pod, &node), "{} could have stayed", pod_id(victim));
        engine.record(Change::PodRemoved(pod_id(victim))).unwrap();
    }
    Ok(())
}

/// What plugins are told in a trial differs from what they would see in two cases, both
/// kube-scheduler's: a pod that is being deleted and goes is counted as if it had not been, and a port
/// that two pods of a node have is free once one of them goes.
fn is_exact(step: &Step) -> bool {
    !matches!(step, Step::Terminate(_) | Step::Foreign { kind: 1, .. } | Step::Fork(..))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(
        std::env::var("ORLOP_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(300)
    ))]

    #[test]
    fn victims_are_those_of_real_evictions(
        steps in steps(), number in 0..4_u8, seed in any::<u64>(), kind in 0..KINDS, status in any::<bool>(),
    ) {
        let steps: Vec<Step> = steps.into_iter().filter(is_exact).collect();
        check(&steps, number, seed, kind, status)?;
    }
}
