use proptest::prelude::*;
use serde_json::json;

use super::*;

struct Rules;

impl Requeue for Rules {
    fn admit(&self, pod: &Pod) -> Result<(), Status> {
        if pod.spec.scheduling_gates.is_empty() { Ok(()) } else { Err(Status::unresolvable("gated")) }
    }

    fn hint(&self, plugin: &str, _: &Pod, event: &ClusterEvent) -> Hint {
        Hint::queue_if(plugin == "Ports" && matches!(event, ClusterEvent::PodGone(_)))
    }
}

fn pod(name: &str, priority: i32, gated: bool) -> Arc<Pod> {
    let gates = if gated { json!([{"name": "g"}]) } else { json!([]) };
    Arc::new(
        serde_json::from_value(json!({
            "metadata": {"name": name, "namespace": "default", "uid": name},
            "spec": {"priority": priority, "schedulingGates": gates},
        }))
        .unwrap(),
    )
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_772_366_400 + seconds).unwrap()
}

fn by(plugin: &str) -> BTreeSet<Str> {
    BTreeSet::from([plugin.into()])
}

fn gone() -> ClusterEvent {
    ClusterEvent::PodGone(pod("gone", 0, false))
}

fn popped(queue: &mut SchedulingQueue, seconds: i64) -> Option<String> {
    queue.pop(at(seconds)).map(|queued| queued.id().to_string())
}

#[test]
fn important_pods_come_first_then_those_that_came_first() {
    let mut queue = SchedulingQueue::<PrioritySort>::default();
    for (name, priority, seconds) in [("late", 0, 2), ("early", 0, 1), ("big", 5, 3), ("twin", 0, 1)] {
        queue.add(pod(name, priority, false), &Rules, at(seconds));
    }
    let order: Vec<_> = std::iter::from_fn(|| popped(&mut queue, 4)).collect();
    assert_eq!(order, ["big", "early", "twin", "late"]);
}

#[test]
fn gates_hold_a_pod_until_they_are_gone() {
    let mut queue = SchedulingQueue::<PrioritySort>::default();
    assert!(queue.add(pod("a", 0, true), &Rules, at(0)).is_some());
    assert_eq!(popped(&mut queue, 1_000), None);
    assert_eq!(queue.next_wake(), None);
    assert!(queue.update(pod("a", 0, false), &Rules, at(1)).is_none());
    assert_eq!(popped(&mut queue, 1).as_deref(), Some("a"));
}

#[test]
fn an_event_that_the_plugin_waits_for_wakes_after_the_back_off() {
    let options = QueueOptions { pop_from_backoff: false, ..QueueOptions::default() };
    let mut queue = SchedulingQueue::new(PrioritySort, options);
    queue.add(pod("a", 0, false), &Rules, at(0));
    queue.pop(at(0)).unwrap();
    queue.reject("a", by("Ports"), &Rules, at(0));
    assert_eq!(queue.on_event(&ClusterEvent::PodPlaced(pod("x", 0, false)), &Rules, at(0)), 0);
    assert_eq!(queue.counts().unschedulable, 1);
    assert_eq!(queue.on_event(&gone(), &Rules, at(0)), 1);
    assert_eq!(queue.next_wake(), Some(at(1)));
    assert_eq!(popped(&mut queue, 0), None);
    assert_eq!(popped(&mut queue, 1).as_deref(), Some("a"));
    // The second time it waits two seconds.
    queue.reject("a", by("Ports"), &Rules, at(1));
    queue.on_event(&gone(), &Rules, at(1));
    assert_eq!(queue.next_wake(), Some(at(3)));
    // An idle scheduler need not wait, unless it was an error.
    queue.options.pop_from_backoff = true;
    assert_eq!(popped(&mut queue, 1).as_deref(), Some("a"));
    queue.fail("a", at(1));
    assert_eq!(popped(&mut queue, 1), None);
    assert_eq!(popped(&mut queue, 2).as_deref(), Some("a"));
}

#[test]
fn an_event_during_the_try_is_not_missed() {
    let mut queue = SchedulingQueue::<PrioritySort>::default();
    queue.add(pod("a", 0, false), &Rules, at(0));
    queue.add(pod("b", 0, false), &Rules, at(0));
    queue.pop(at(0)).unwrap();
    queue.on_event(&gone(), &Rules, at(0));
    queue.pop(at(0)).unwrap();
    queue.reject("a", by("Ports"), &Rules, at(0));
    queue.reject("b", by("Ports"), &Rules, at(0));
    assert_eq!(queue.counts(), QueueCounts { backoff: 1, unschedulable: 1, ..QueueCounts::default() });
    assert!(queue.events.is_empty());
}

#[test]
fn nobody_waits_longer_than_five_minutes() {
    let mut queue = SchedulingQueue::<PrioritySort>::default();
    queue.add(pod("a", 0, false), &Rules, at(0));
    queue.pop(at(0)).unwrap();
    queue.reject("a", by("Other"), &Rules, at(0));
    assert_eq!(popped(&mut queue, 299), None);
    assert_eq!(popped(&mut queue, 300).as_deref(), Some("a"));
}

#[derive(Clone, Debug)]
enum Step {
    Add(u8, bool),
    Update(u8, bool),
    Remove(u8),
    Pop,
    Done,
    Reject(bool),
    Fail,
    Event,
    Wait(u16),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let pods = || 0..12_u8;
    prop::collection::vec(
        prop_oneof![
            3 => (pods(), any::<bool>()).prop_map(|(pod, gated)| Step::Add(pod, gated)),
            1 => (pods(), any::<bool>()).prop_map(|(pod, gated)| Step::Update(pod, gated)),
            1 => pods().prop_map(Step::Remove),
            4 => Just(Step::Pop),
            1 => Just(Step::Done),
            2 => any::<bool>().prop_map(Step::Reject),
            1 => Just(Step::Fail),
            1 => Just(Step::Event),
            1 => (0..20_u16).prop_map(Step::Wait),
        ],
        0..120,
    )
}

proptest! {
    /// Whatever happens, a pod that was added and neither removed nor done is somewhere, and is
    /// handed out again within five minutes and a back-off, unless it is gated or in flight.
    #[test]
    fn no_pod_is_lost(steps in steps()) {
        let mut queue = SchedulingQueue::<PrioritySort>::default();
        let mut known: BTreeMap<String, bool> = BTreeMap::new();
        let mut flying: Vec<String> = Vec::new();
        let mut now = 0;
        for step in steps {
            match step {
                Step::Add(number, gated) | Step::Update(number, gated) => {
                    let name = format!("p{number}");
                    // A pod once admitted stays so: gates cannot be added.
                    let gated = gated && known.get(&name).copied().unwrap_or(true);
                    queue.add(pod(&name, i32::from(number % 3), gated), &Rules, at(now));
                    known.insert(name, gated);
                }
                Step::Remove(number) => {
                    let name = format!("p{number}");
                    queue.remove(&name);
                    known.remove(&name);
                    flying.retain(|other| *other != name);
                }
                Step::Pop => {
                    if let Some(name) = popped(&mut queue, now) {
                        prop_assert!(!flying.contains(&name), "{name} was handed out twice");
                        prop_assert_eq!(known.get(&name), Some(&false));
                        flying.push(name);
                    }
                }
                Step::Done => if let Some(name) = flying.pop() {
                    queue.done(&name);
                    known.remove(&name);
                },
                Step::Reject(ports) => if let Some(name) = flying.pop() {
                    queue.reject(&name, by(if ports { "Ports" } else { "Other" }), &Rules, at(now));
                },
                Step::Fail => if let Some(name) = flying.pop() {
                    queue.fail(&name, at(now));
                },
                Step::Event => {
                    queue.on_event(&gone(), &Rules, at(now));
                }
                Step::Wait(seconds) => now += i64::from(seconds),
            }
            let counts = queue.counts();
            prop_assert_eq!(counts.in_flight, flying.len());
            prop_assert_eq!(
                counts.active + counts.backoff + counts.unschedulable + counts.gated + counts.in_flight,
                known.len()
            );
        }
        let handed: BTreeSet<String> = std::iter::from_fn(|| popped(&mut queue, now + 311)).collect();
        for (name, gated) in &known {
            prop_assert_eq!(handed.contains(name) || flying.contains(name), !gated, "{}", name);
        }
    }
}
