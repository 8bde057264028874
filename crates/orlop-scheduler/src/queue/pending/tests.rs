use std::cell::Cell;

use orlop_model::core::v1::PodSchedulingGate;
use proptest::prelude::*;

use super::super::{Gate, Hold};
use super::*;

/// Gates by the pod's own, and by a valve; events that `Ports`, `Device` and `Any` wait for.
struct Rules {
    closed: Cell<bool>,
}

const RULES: fn() -> Rules = || Rules { closed: Cell::new(false) };

impl Requeue for Rules {
    fn admit(&self, pod: &Pod, last: Option<&str>) -> Result<(), Gate> {
        let gate = |plugin: &str| Err(Gate { plugin: plugin.into(), status: Status::unresolvable("gated") });
        let gated = !pod.spec.scheduling_gates.is_empty();
        match last {
            Some("Valve") if self.closed.get() => gate("Valve"),
            _ if gated => gate("Gates"),
            _ if self.closed.get() => gate("Valve"),
            _ => Ok(()),
        }
    }

    fn concerns(&self, plugin: &str, event: &ClusterEvent) -> bool {
        match plugin {
            "Ports" => matches!(event, ClusterEvent::PodGone(_)),
            "Device" => matches!(event, ClusterEvent::NodeAdded(_)),
            "Never" => false,
            _ => true,
        }
    }

    fn reopens(&self, gate: &str, event: &ClusterEvent) -> bool {
        gate == "Valve" && matches!(event, ClusterEvent::Other { .. })
    }

    fn hint(&self, plugin: &str, pod: &Pod, event: &ClusterEvent) -> Hint {
        Hint::queue_if(match event {
            ClusterEvent::PendingUpdated { new, .. } => pod_id(new) == pod_id(pod),
            _ => self.concerns(plugin, event),
        })
    }
}

fn pod(name: &str, priority: i32, gated: bool) -> Arc<Pod> {
    labelled(name, priority, gated, 0)
}

fn labelled(name: &str, priority: i32, gated: bool, version: u8) -> Arc<Pod> {
    let mut pod = Pod::default();
    pod.metadata.name = name.into();
    pod.metadata.uid = name.into();
    pod.metadata.labels.insert("v", format!("{version}").into());
    pod.spec.priority = Some(priority);
    if gated {
        pod.spec.scheduling_gates.push(PodSchedulingGate { name: "g".into(), ..Default::default() });
    }
    Arc::new(pod)
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_772_366_400 + seconds).unwrap()
}

fn millis(millis: i64) -> Timestamp {
    Timestamp::from_millisecond(1_772_366_400_000 + millis).unwrap()
}

fn gone() -> ClusterEvent {
    ClusterEvent::PodGone(pod("gone", 0, false))
}

fn node() -> ClusterEvent {
    ClusterEvent::NodeAdded(Arc::default())
}

fn other() -> ClusterEvent {
    ClusterEvent::Other { kind: "Service".into() }
}

fn popped(queue: &mut SchedulingQueue, seconds: i64) -> Option<String> {
    queue.pop(&RULES(), at(seconds)).map(|queued| queued.id().to_string())
}

fn patient() -> SchedulingQueue {
    SchedulingQueue::new(PrioritySort, QueueOptions { pop_from_backoff: false, ..QueueOptions::default() })
}

#[test]
fn important_pods_come_first_then_those_that_came_first() {
    let mut queue = SchedulingQueue::<PrioritySort>::default();
    for (name, priority, seconds) in [("early", 0, 1), ("twin", 0, 1), ("late", 0, 2), ("big", 5, 3)] {
        queue.add(pod(name, priority, false), &RULES(), at(seconds));
    }
    let order: Vec<_> = std::iter::from_fn(|| popped(&mut queue, 4)).collect();
    assert_eq!(order, ["big", "early", "twin", "late"]);
}

#[test]
fn a_pod_that_becomes_important_moves_up() {
    let mut queue = SchedulingQueue::<PrioritySort>::default();
    queue.add(pod("a", 0, false), &RULES(), at(0));
    queue.add(pod("b", 0, false), &RULES(), at(0));
    queue.update(pod("b", 9, false), &RULES(), at(1));
    assert_eq!(popped(&mut queue, 1).as_deref(), Some("b"));
}

#[test]
fn gates_hold_a_pod_until_they_are_gone() {
    let mut queue = SchedulingQueue::<PrioritySort>::default();
    assert!(queue.add(pod("a", 0, true), &RULES(), at(0)).is_some());
    assert_eq!(queue.get("a").unwrap().gated_by().unwrap(), "Gates");
    assert_eq!(popped(&mut queue, 1_000), None);
    assert!(queue.update(pod("a", 0, false), &RULES(), at(1_001)).is_none());
    assert_eq!(popped(&mut queue, 1_001).as_deref(), Some("a"));
}

#[test]
fn a_plugin_that_keeps_pods_out_is_asked_again_when_it_may_have_changed_its_mind() {
    let rules = RULES();
    rules.closed.set(true);
    let mut queue = SchedulingQueue::<PrioritySort>::default();
    assert!(queue.add(pod("a", 0, false), &rules, at(0)).is_some());
    assert!(queue.add(pod("b", 0, false), &rules, at(0)).is_some());
    rules.closed.set(false);
    assert_eq!(queue.on_event(&gone(), &rules, at(1)), 0);
    assert_eq!(queue.on_event(&other(), &rules, at(1)), 2);
    // Without any event it takes five minutes.
    rules.closed.set(true);
    queue.add(pod("c", 0, false), &rules, at(1));
    rules.closed.set(false);
    assert_eq!(queue.next_wake(), Some(at(301)));
    let order: Vec<_> = std::iter::from_fn(|| popped(&mut queue, 301)).collect();
    assert_eq!(order, ["a", "b", "c"]);
    // A pod that was let in once may be kept out when it comes back.
    rules.closed.set(true);
    queue.fail("a", &rules, at(301));
    assert_eq!(queue.place("a"), Some(QueuePlace::Gated));
}

#[test]
fn an_event_that_the_plugin_waits_for_wakes_after_the_back_off() {
    let rules = RULES();
    let mut queue = patient();
    queue.add(pod("a", 0, false), &rules, at(0));
    queue.pop(&rules, at(0)).unwrap();
    queue.reject("a", ["Ports"], &rules, millis(500));
    assert_eq!(queue.on_event(&ClusterEvent::PodPlaced(pod("x", 0, false)), &rules, millis(500)), 0);
    assert_eq!(queue.counts().unschedulable, 1);
    assert_eq!(queue.on_event(&gone(), &rules, millis(500)), 1);
    // Until 1.5 s: with all others of that second.
    assert_eq!(queue.next_wake(), Some(at(2)));
    assert_eq!(popped(&mut queue, 1), None);
    assert_eq!(popped(&mut queue, 2).as_deref(), Some("a"));
    // The second time it waits two seconds.
    queue.reject("a", ["Ports"], &rules, millis(2_500));
    queue.on_event(&gone(), &rules, millis(2_500));
    assert_eq!(queue.next_wake(), Some(at(5)));
    // An idle scheduler need not wait, unless it was an error.
    queue.options.pop_from_backoff = true;
    assert_eq!(popped(&mut queue, 3).as_deref(), Some("a"));
    queue.fail("a", &rules, millis(3_500));
    assert_eq!(popped(&mut queue, 4), None);
    assert_eq!(popped(&mut queue, 5).as_deref(), Some("a"));
    // Errors are counted apart, and forgotten with the next answer.
    queue.fail("a", &rules, millis(5_500));
    assert_eq!(queue.next_wake(), Some(at(8)));
    assert_eq!(popped(&mut queue, 8).as_deref(), Some("a"));
    queue.reject("a", ["Ports"], &rules, millis(8_500));
    queue.on_event(&gone(), &rules, millis(8_500));
    assert_eq!(queue.next_wake(), Some(at(13)));
    assert_eq!(queue.moves().get(QueuePlace::Backoff, Cause::AssignedPodDelete), 3);
    assert_eq!(queue.moves().get(QueuePlace::Backoff, Cause::AttemptFailure), 2);
}

#[test]
fn who_waits_at_a_plugins_wish_is_ready_at_once() {
    let rules = RULES();
    let mut queue = patient();
    queue.add(pod("a", 0, false), &rules, at(0));
    queue.pop(&rules, at(0)).unwrap();
    let device = Rejector { plugin: "Device".into(), pending: true };
    queue.reject("a", [device.clone(), "Ports".into()], &rules, at(0));
    assert_eq!(queue.on_event(&node(), &rules, at(0)), 1);
    assert_eq!(popped(&mut queue, 0).as_deref(), Some("a"));
    // And so if the event comes during the try.
    queue.on_event(&gone(), &rules, at(0));
    queue.on_event(&node(), &rules, at(0));
    queue.reject("a", ["Ports".into(), device], &rules, at(0));
    assert_eq!(popped(&mut queue, 0).as_deref(), Some("a"));
}

#[test]
fn an_event_during_the_try_is_not_missed() {
    let rules = RULES();
    let mut queue = SchedulingQueue::<PrioritySort>::default();
    for name in ["a", "b", "c"] {
        queue.add(pod(name, 0, false), &rules, at(0));
    }
    queue.pop(&rules, at(0)).unwrap();
    queue.on_event(&gone(), &rules, at(0));
    queue.pop(&rules, at(0)).unwrap();
    queue.pop(&rules, at(0)).unwrap();
    // Its own coming and going is no news.
    queue.on_event(&ClusterEvent::PodGone(pod("c", 0, false)), &rules, at(0));
    queue.reject("c", ["Ports"], &rules, at(0));
    assert_eq!(queue.place("c"), Some(QueuePlace::Unschedulable));
    queue.decided("b");
    queue.reject("a", ["Ports"], &rules, at(0));
    assert_eq!(queue.place("a"), Some(QueuePlace::Backoff));
    assert_eq!(queue.flight.kept(), 0);
    queue.fail("b", &rules, at(0));
    assert_eq!(queue.counts(), QueueCounts { backoff: 2, unschedulable: 1, ..QueueCounts::default() });
}

#[test]
fn nobody_waits_longer_than_five_minutes_by_any_clock() {
    let rules = RULES();
    let mut queue = SchedulingQueue::<PrioritySort>::default();
    queue.add(pod("a", 0, false), &rules, at(0));
    queue.pop(&rules, at(0)).unwrap();
    queue.reject("a", ["Never"], &rules, at(0));
    assert_eq!(popped(&mut queue, 299), None);
    assert_eq!(popped(&mut queue, 300).as_deref(), Some("a"));
    queue.reject("a", ["Never"], &rules, at(10_000));
    // The clock is set right again.
    assert_eq!(popped(&mut queue, 400), None);
    assert_eq!(queue.next_wake(), Some(at(700)));
    assert_eq!(popped(&mut queue, 699), None);
    assert_eq!(popped(&mut queue, 700).as_deref(), Some("a"));
}

#[test]
fn a_pod_asked_for_is_ready_at_once() {
    let rules = RULES();
    let mut queue = patient();
    for name in ["a", "b", "c"] {
        queue.add(pod(name, 0, false), &rules, at(0));
        queue.pop(&rules, at(0)).unwrap();
    }
    queue.fail("a", &rules, at(0));
    queue.reject("b", ["Never"], &rules, at(0));
    assert!(["a", "b", "c"].iter().all(|id| queue.activate(id, &rules, at(0))));
    assert!(!queue.activate("d", &rules, at(0)));
    queue.reject("c", ["Never"], &rules, at(0));
    let order: Vec<_> = std::iter::from_fn(|| popped(&mut queue, 0)).collect();
    assert_eq!(order, ["a", "b", "c"]);
}

#[test]
fn groups_take_turns_among_equals() {
    let rules = RULES();
    let group = |pod: &Pod| Some(Str::from(&pod.metadata.name[..1]));
    let mut queue = SchedulingQueue::<PrioritySort>::default().grouped(group, true);
    for name in ["a1", "a2", "a3", "a4", "b1", "b2"] {
        queue.add(pod(name, 0, false), &rules, at(0));
    }
    queue.add(pod("a5", 1, false), &rules, at(0));
    assert_eq!((queue.group_size("a"), queue.group_size("b")), (5, 2));
    assert_eq!(popped(&mut queue, 0).as_deref(), Some("a5"));
    // One that comes late does not make up for what it has missed.
    let order: Vec<_> = (0..3).filter_map(|_| popped(&mut queue, 0)).collect();
    assert_eq!(order, ["a1", "b1", "a2"]);
    queue.add(pod("c1", 0, false), &rules, at(1));
    queue.add(pod("c2", 0, false), &rules, at(1));
    let order: Vec<_> = std::iter::from_fn(|| popped(&mut queue, 1)).collect();
    assert_eq!(order, ["b2", "c1", "a3", "c2", "a4"]);
    queue.done("b1");
    queue.remove("b2");
    assert_eq!(queue.group_size("b"), 0);
}

#[test]
fn waiting_counts_with_ageing() {
    let rules = RULES();
    let options = QueueOptions { ageing: Some(Duration::from_secs(10)), ..QueueOptions::default() };
    let mut queue = SchedulingQueue::new(PrioritySort, options);
    queue.add(pod("old", 0, false), &rules, at(0));
    queue.add(pod("higher", 3, false), &rules, at(20));
    queue.add(pod("later", 3, false), &rules, at(40));
    queue.add(pod("critical", 2_000_000_000, false), &rules, at(50));
    let order: Vec<_> = std::iter::from_fn(|| popped(&mut queue, 50)).collect();
    assert_eq!(order, ["critical", "higher", "old", "later"]);
}

#[test]
fn others_stand_back_for_one_that_has_waited_long() {
    let rules = RULES();
    let hold = Hold { after: Duration::from_secs(60), at_most: Duration::from_secs(120) };
    let options = QueueOptions { hold: Some(hold), ..QueueOptions::default() };
    let mut queue = SchedulingQueue::new(PrioritySort, options);
    queue.add(pod("big", 0, false), &rules, at(0));
    queue.pop(&rules, at(0)).unwrap();
    queue.reject("big", ["Ports"], &rules, at(0));
    queue.add(pod("small", 0, false), &rules, at(1));
    assert_eq!(popped(&mut queue, 59).as_deref(), Some("small"));
    queue.done("small");
    queue.add(pod("small", 0, false), &rules, at(60));
    queue.add(pod("urgent", 1, false), &rules, at(60));
    assert_eq!(popped(&mut queue, 60).as_deref(), Some("urgent"));
    assert_eq!(popped(&mut queue, 61), None);
    // What becomes free is for the one that has waited.
    queue.on_event(&gone(), &rules, at(62));
    assert_eq!(popped(&mut queue, 62).as_deref(), Some("big"));
    queue.reject("big", ["Ports"], &rules, at(62));
    assert_eq!(popped(&mut queue, 63), None);
    // But not for ever.
    assert_eq!(queue.next_wake(), Some(at(180) + Duration::from_nanos(1)));
    assert_eq!(popped(&mut queue, 181).as_deref(), Some("small"));
}

/// Sorts, but for pods of one name.
#[derive(Debug, Default)]
struct Picky;

impl crate::framework::Plugin for Picky {
    fn name(&self) -> &str {
        "Picky"
    }
}

impl QueueSort for Picky {
    type Key = i32;

    fn key(&self, pod: &QueuedPod) -> i32 {
        assert_ne!(pod.pod().metadata.name, "odd", "cannot be sorted");
        pod.pod().spec.priority.unwrap_or(0)
    }
}

#[test]
fn a_sorting_plugin_that_panics_keeps_one_pod_out() {
    let rules = RULES();
    let mut queue = SchedulingQueue::<Picky>::default();
    queue.add(pod("a", 0, false), &rules, at(0));
    let status = queue.add(pod("odd", 0, false), &rules, at(0)).unwrap();
    assert!(status.message().contains("QueueSort plugin \"Picky\": panicked"), "{status}");
    assert_eq!(queue.pop(&rules, at(0)).unwrap().id(), "a");
    assert!(queue.pop(&rules, at(1_000)).is_none());
    assert_eq!(queue.place("odd"), Some(QueuePlace::Gated));
}

/// Every pod is in one place, and that place knows it.
fn check(queue: &SchedulingQueue) {
    let mut counted = QueueCounts::default();
    let mut with_cursor = 0;
    for (slot, entry) in queue.slots.iter() {
        assert_eq!(queue.slots.find(&entry.queued.id), Some(slot));
        let number = entry.number;
        match &entry.place {
            Place::Nowhere => panic!("{} is nowhere", entry.queued.id),
            Place::Active(order) => {
                counted.active += 1;
                assert!(queue.active.contains(&(order.clone(), slot)));
            }
            Place::Backoff(ready, order) => {
                counted.backoff += 1;
                assert!(queue.backoff.contains(&(*ready, order.clone(), slot)));
            }
            Place::Failed(ready, order) => {
                counted.backoff += 1;
                assert!(queue.failed.contains(&(*ready, order.clone(), slot)));
            }
            Place::Unschedulable(deadline, index) => {
                counted.unschedulable += 1;
                assert!(queue.deadlines.contains(&(*deadline, number, slot)));
                let by = entry.queued.rejected_by.as_ref().unwrap();
                assert!(queue.pool.slots().any(|place| place == (by, *index as usize, slot)));
            }
            Place::Gated(deadline) => {
                counted.gated += 1;
                assert!(queue.deadlines.contains(&(*deadline, number, slot)));
                assert!(queue.gated[entry.queued.gated_by.as_ref().unwrap()].contains(&(number, slot)));
            }
            Place::InFlight { cursor, .. } => {
                counted.in_flight += 1;
                with_cursor += usize::from(cursor.is_some());
            }
        }
    }
    assert_eq!(queue.counts(), counted);
    assert_eq!(queue.pool.slots().count(), counted.unschedulable);
    assert_eq!(queue.flight.is_empty(), with_cursor == 0);
    assert!(with_cursor > 0 || queue.flight.kept() == 0);
    assert!(queue.options.hold.is_some() || queue.turned_down.is_empty());
}

#[derive(Clone, Debug)]
enum Step {
    /// A pod of this number is added, or updated: priority, gated, labels.
    Add(u8, u8, bool, u8),
    Remove(u8),
    Pop,
    Decided,
    Done,
    Reject(u8),
    Fail,
    Activate(u8),
    Event(u8),
    Valve(bool),
    /// Seconds, forth or back.
    Wait(i16),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let pods = || 0..8_u8;
    prop::collection::vec(
        prop_oneof![
            6 => (pods(), 0..3_u8, prop::bool::weighted(0.2), 0..3_u8)
                .prop_map(|(pod, priority, gated, version)| Step::Add(pod, priority, gated, version)),
            1 => pods().prop_map(Step::Remove),
            8 => Just(Step::Pop),
            1 => Just(Step::Decided),
            1 => Just(Step::Done),
            5 => (0..5_u8).prop_map(Step::Reject),
            2 => Just(Step::Fail),
            1 => pods().prop_map(Step::Activate),
            3 => (0..3_u8).prop_map(Step::Event),
            1 => any::<bool>().prop_map(Step::Valve),
            3 => (-400..400_i16).prop_map(Step::Wait),
            2 => (0..3_i16).prop_map(Step::Wait),
        ],
        0..60,
    )
}

fn events() -> [ClusterEvent; 3] {
    [gone(), node(), other()]
}

fn rejectors(kind: u8) -> Vec<Rejector> {
    match kind {
        0 => vec!["Ports".into()],
        1 => vec!["Never".into()],
        2 => vec![Rejector { plugin: "Device".into(), pending: true }, "Never".into()],
        3 => vec!["Ports".into(), "Device".into()],
        _ => Vec::new(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 10_000,
        // The default is ten times as slow without optimisation.
        rng_algorithm: prop::test_runner::RngAlgorithm::XorShift,
        ..ProptestConfig::default()
    })]

    /// Whatever happens, a pod that was added and neither removed nor done is in one place; no event
    /// that a plugin waits for leaves it waiting there; and it is handed out again within five minutes
    /// and a back-off, however the clock jumps, unless it is gated or in flight.
    #[test]
    fn no_pod_is_lost(steps in steps(), idle in any::<bool>(), fair in any::<bool>(), aged in any::<bool>()) {
        let options = QueueOptions {
            pop_from_backoff: idle,
            ageing: aged.then_some(Duration::from_secs(7)),
            ..QueueOptions::default()
        };
        let mut queue = SchedulingQueue::new(PrioritySort, options);
        if fair {
            queue = queue.grouped(|pod| pod.metadata.uid.ends_with('1').then(|| "one".into()), true);
        }
        let rules = RULES();
        let mut known: BTreeSet<String> = BTreeSet::new();
        // Those in flight, with the events since; none once they are decided about.
        let mut flying: Vec<(String, Option<Vec<ClusterEvent>>)> = Vec::new();
        let mut now = 0;
        for step in steps {
            match step {
                Step::Add(number, priority, gated, version) => {
                    let name = format!("p{number}");
                    let new = labelled(&name, priority.into(), gated, version);
                    let old = queue.get(&name).map(|queued| Arc::clone(queued.pod()));
                    if let Some(old) = old && old != new {
                        for events in flying.iter_mut().filter_map(|(_, events)| events.as_mut()) {
                            events.push(ClusterEvent::PendingUpdated { old: Arc::clone(&old), new: Arc::clone(&new) });
                        }
                    }
                    queue.add(new, &rules, at(now));
                    known.insert(name);
                }
                Step::Remove(number) => {
                    let name = format!("p{number}");
                    prop_assert_eq!(queue.remove(&name), known.remove(&name));
                    flying.retain(|(other, _)| *other != name);
                }
                Step::Pop => {
                    if let Some(name) = queue.pop(&rules, at(now)).map(|queued| queued.id().to_string()) {
                        prop_assert!(flying.iter().all(|(other, _)| *other != name), "{} was handed out twice", name);
                        prop_assert!(known.contains(&name));
                        flying.push((name, Some(Vec::new())));
                    }
                }
                Step::Decided => if let Some((name, events)) = flying.first_mut() {
                    queue.decided(name);
                    *events = None;
                },
                Step::Done => if let Some((name, _)) = flying.pop() {
                    queue.done(&name);
                    known.remove(&name);
                },
                Step::Reject(kind) => if let Some((name, events)) = flying.pop() {
                    queue.reject(&name, rejectors(kind), &rules, at(now));
                    let queued = queue.get(&name).unwrap();
                    let woken = events.is_none_or(|events| events.iter().any(|event| {
                        rejectors(kind).iter().any(|by| rules.hint(&by.plugin, queued.pod(), event) == Hint::Queue)
                    }));
                    if woken || kind == 4 {
                        prop_assert_ne!(queue.place(&name), Some(QueuePlace::Unschedulable));
                    }
                },
                Step::Fail => if let Some((name, _)) = flying.pop() {
                    queue.fail(&name, &rules, at(now));
                },
                Step::Activate(number) => {
                    let name = format!("p{number}");
                    if queue.activate(&name, &rules, at(now)) {
                        let place = queue.place(&name);
                        prop_assert!(matches!(place, None | Some(QueuePlace::Active)), "{:?}", place);
                    }
                }
                Step::Event(kind) => {
                    let event = &events()[usize::from(kind)];
                    queue.on_event(event, &rules, at(now));
                    for (_, events) in &mut flying {
                        events.iter_mut().for_each(|events| events.push(event.clone()));
                    }
                    for queued in queue.iter() {
                        let waits = queue.place(queued.id()) == Some(QueuePlace::Unschedulable);
                        let wanted = queued.rejected_by().iter()
                            .any(|by| rules.hint(&by.plugin, queued.pod(), event) == Hint::Queue);
                        prop_assert!(!waits || !wanted, "{} was not woken", queued.id());
                    }
                }
                Step::Valve(closed) => rules.closed.set(closed),
                Step::Wait(seconds) => now += i64::from(seconds),
            }
            check(&queue);
            prop_assert_eq!(queue.counts().total(), known.len());
            prop_assert_eq!(queue.counts().in_flight, flying.len());
            queue.flush(&rules, at(now));
            if let Some(wake) = queue.next_wake() {
                prop_assert!(wake <= at(now + 311), "{wake} is late");
            }
        }
        rules.closed.set(false);
        let mut handed: BTreeSet<String> = BTreeSet::new();
        // The first look at the clock may find that it was set back.
        for moment in [now, now + 300, now + 311] {
            handed.extend(std::iter::from_fn(|| queue.pop(&rules, at(moment)).map(|queued| queued.id().to_string())));
        }
        for name in &known {
            let gated = !queue.get(name).unwrap().pod().spec.scheduling_gates.is_empty();
            let out = handed.contains(name) || flying.iter().any(|(other, _)| other == name);
            prop_assert!(out || gated, "{} is lost", name);
        }
        check(&queue);
    }
}
