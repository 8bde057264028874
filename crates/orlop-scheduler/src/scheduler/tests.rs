use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use orlop_model::core::v1::Node;
use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::framework::{
    ClusterEvent, ClusterFilter, Hint, Permit, Plugin, PreEnqueue, PreFilter, Profile, ProfileBuilder,
    Reserve, Verdict,
};
use crate::queue::{QueueOptions, QueuePlace};
use crate::{ClusterView, NodeView, PlacedPod};

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_772_366_400 + seconds).unwrap()
}

fn with(profile: ProfileBuilder) -> Scheduler {
    let engine = Engine::new([profile.build().unwrap()], 3).unwrap();
    let options = QueueOptions { pop_from_backoff: false, ..QueueOptions::default() };
    let mut scheduler = Scheduler::new(engine, SchedulingQueue::new(PrioritySort, options));
    scheduler.record(Change::NodeAdded(node("n", "1")), at(0)).unwrap();
    scheduler
}

fn scheduler() -> Scheduler {
    with(Profile::kubernetes_builder())
}

fn node(name: &str, cpu: &str) -> Arc<Node> {
    Arc::new(
        serde_json::from_value(json!({
            "metadata": {"name": name},
            "status": {"allocatable": {"cpu": cpu, "memory": "1Gi", "pods": "10"}},
        }))
        .unwrap(),
    )
}

fn pod(name: &str, cpu: &str, node: &str) -> Arc<Pod> {
    Arc::new(
        serde_json::from_value(json!({
            "metadata": {"name": name, "namespace": "default", "uid": name},
            "spec": {"nodeName": node, "containers": [{"name": "c", "resources": {"requests": {"cpu": cpu}}}]},
        }))
        .unwrap(),
    )
}

fn bind(step: Option<Step>) -> (Arc<Pod>, Str) {
    match step {
        Some(Step::Bind { pod, node }) => (pod, node),
        other => panic!("not bound: {other:?}"),
    }
}

/// Without panics on the terminal.
fn quietly<T>(call: impl FnOnce() -> T) -> T {
    static ONE: Mutex<()> = Mutex::new(());
    let _one = ONE.lock();
    let hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(|_| {}));
    let result = catch_unwind(AssertUnwindSafe(call));
    std::panic::set_hook(hook);
    result.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

#[test]
fn a_pod_that_leaves_lets_the_next_one_in() {
    let mut scheduler = scheduler();
    scheduler.pod_seen(pod("a", "800m", ""), at(0));
    scheduler.pod_seen(pod("b", "800m", ""), at(0));
    let (first, node) = bind(scheduler.next(at(0)));
    assert_eq!((first.metadata.name.as_str(), node.as_str()), ("a", "n"));
    scheduler.bound(&pod_id(&first));
    scheduler.pod_seen(pod("a", "800m", "n"), at(0));
    let Some(Step::Unschedulable { why, .. }) = scheduler.next(at(0)) else { panic!("b does not fit") };
    let told = "0/1 nodes are available: 1 Insufficient cpu. \
                preemption: 0/1 nodes are available: 1 No preemption victims found for incoming pod.";
    assert_eq!(why.to_string(), told);
    assert_eq!(scheduler.next(at(60)), None);
    scheduler.pod_gone(&"a".into(), at(60));
    assert_eq!(bind(scheduler.next(at(60))).0.metadata.name, "b");
}

#[test]
fn a_failed_binding_is_undone_and_repeated() {
    let mut scheduler = scheduler();
    let before = scheduler.engine().cluster().fingerprint();
    scheduler.pod_seen(pod("a", "800m", ""), at(0));
    let (first, node) = bind(scheduler.next(at(0)));
    // An update of the pod that was under way is for the next try.
    scheduler.pod_seen(pod("a", "700m", ""), at(0));
    assert_eq!(scheduler.next(at(0)), None);
    scheduler.bind_failed(&first, &node, at(0));
    assert_eq!(scheduler.engine().cluster().fingerprint(), before);
    assert_eq!(scheduler.next(at(0)), None);
    assert_eq!(scheduler.next_wake(), Some(at(2)));
    let (again, _) = bind(scheduler.next(at(2)));
    assert_eq!(*again, *pod("a", "700m", ""));
}

#[test]
fn pods_of_other_schedulers_are_left_alone_but_counted() {
    let mut scheduler = scheduler();
    let mut other = Pod::clone(&pod("a", "800m", ""));
    other.spec.scheduler_name = "somebody".into();
    scheduler.pod_seen(Arc::new(other.clone()), at(0));
    assert_eq!(scheduler.next(at(0)), None);
    other.spec.node_name = "n".into();
    scheduler.pod_seen(Arc::new(other), at(0));
    scheduler.pod_seen(pod("b", "800m", ""), at(0));
    assert!(matches!(scheduler.next(at(0)), Some(Step::Unschedulable { .. })));
}

#[test]
fn a_pod_bound_elsewhere_leaves_room() {
    let mut scheduler = scheduler();
    scheduler.pod_seen(pod("a", "800m", ""), at(0));
    scheduler.pod_seen(pod("b", "800m", ""), at(0));
    bind(scheduler.next(at(0)));
    assert!(matches!(scheduler.next(at(0)), Some(Step::Unschedulable { .. })));
    scheduler.record(Change::NodeAdded(node("small", "100m")), at(0)).unwrap();
    assert_eq!(scheduler.queue().place("b"), Some(QueuePlace::Unschedulable));
    scheduler.pod_seen(pod("a", "800m", "x"), at(0));
    assert_eq!(scheduler.queue().place("b"), Some(QueuePlace::Backoff));
}

/// Writes down what it is told, in a list that several share.
#[derive(Clone, Debug, Default)]
struct Diary {
    name: &'static str,
    lines: Arc<Mutex<Vec<String>>>,
    fails: Arc<AtomicBool>,
}

impl Diary {
    fn named(&self, name: &'static str) -> Self {
        Self { name, ..self.clone() }
    }

    fn write(&self, what: &str) {
        self.lines.lock().unwrap().push(format!("{} {what}", self.name));
    }

    fn read(&self) -> Vec<String> {
        std::mem::take(&mut self.lines.lock().unwrap())
    }
}

impl Plugin for Diary {
    fn name(&self) -> &str {
        self.name
    }
}

impl Reserve for Diary {
    fn reserve(&self, pod: &Pod, node: &str) -> Result<(), Status> {
        self.write(&format!("+{}@{node}", pod.metadata.name));
        if self.name == "last" && self.fails.load(Ordering::Relaxed) {
            return Err(Status::unschedulable("no room in the books"));
        }
        Ok(())
    }

    fn unreserve(&self, pod: &Pod, node: &str) {
        self.write(&format!("-{}@{node}", pod.metadata.name));
        assert_ne!(pod.metadata.name, "panics", "unreserve");
    }
}

#[test]
fn reservations_are_undone_in_reverse_order() {
    let diary = Diary::default();
    let profile = Profile::kubernetes_builder().reserve(diary.named("first")).reserve(diary.named("last"));
    let mut scheduler = with(profile);
    let before = scheduler.engine().cluster().fingerprint();
    diary.fails.store(true, Ordering::Relaxed);
    scheduler.pod_seen(pod("a", "1", ""), at(0));
    let Some(Step::Refused { plugin, status, .. }) = scheduler.next(at(0)) else { panic!("refused") };
    assert_eq!((plugin.as_str(), status.message().as_str()), ("last", "no room in the books"));
    assert_eq!(diary.read(), ["first +a@n", "last +a@n", "last -a@n", "first -a@n"]);
    assert_eq!(scheduler.engine().cluster().fingerprint(), before);
    // It waits for an event, which its own leaving is not.
    assert_eq!(scheduler.queue().place("a"), Some(QueuePlace::Unschedulable));
    diary.fails.store(false, Ordering::Relaxed);
    scheduler.record(Change::NodeAdded(node("m", "1")), at(5)).unwrap();
    let (a, on) = bind(scheduler.next(at(5)));
    diary.read();
    scheduler.bind_failed(&a, &on, at(5));
    assert_eq!(diary.read(), [format!("last -a@{on}"), format!("first -a@{on}")]);
}

/// Pods of the label `gang` are bound once there are three; a gang named `nobody` is turned down.
#[derive(Debug)]
struct Gang(Duration);

impl Plugin for Gang {
    fn name(&self) -> &str {
        "Gang"
    }
}

impl Permit for Gang {
    fn permit(&self, pod: &Pod, _: &str, waiting: &mut WaitingPods) -> PermitVerdict {
        let Some(gang) = pod.metadata.labels.get("gang") else {
            return PermitVerdict::Allow;
        };
        match gang.as_str() {
            "nobody" => return PermitVerdict::Reject(Status::unschedulable("nobody is let in")),
            "error" => return PermitVerdict::Reject(Status::error("out of order")),
            "panic" => panic!("out of order"),
            _ => {}
        }
        let members = waiting.iter().filter(|other| other.pod().metadata.labels.get("gang") == Some(gang));
        let members: Vec<Str> = members.map(|other| other.id().clone()).collect();
        if members.len() < 2 {
            return PermitVerdict::Wait(self.0);
        }
        for id in members {
            waiting.allow(&id, "Gang");
        }
        PermitVerdict::Allow
    }
}

fn member(name: &str, gang: &str) -> Arc<Pod> {
    let mut pod = Pod::clone(&pod(name, "100m", ""));
    pod.metadata.labels.insert("gang", gang.into());
    Arc::new(pod)
}

fn gangs() -> Scheduler {
    with(Profile::kubernetes_builder().permit(Gang(Duration::from_secs(30))))
}

#[test]
fn a_gang_waits_for_its_last_member() {
    let mut scheduler = gangs();
    for name in ["a", "b", "c"] {
        scheduler.pod_seen(member(name, "g"), at(0));
    }
    for name in ["a", "b"] {
        let Some(Step::Wait { pod, node, until }) = scheduler.next(at(0)) else { panic!("{name} waits") };
        assert_eq!((pod.metadata.name.as_str(), node.as_str(), until), (name, "n", at(30)));
    }
    assert_eq!(scheduler.next_wake(), Some(at(30)));
    let waiting: Vec<_> = scheduler.waiting().iter().map(|waiting| waiting.id().as_str()).collect();
    assert_eq!(waiting, ["a", "b"]);
    let bound: Vec<_> = std::iter::from_fn(|| scheduler.next(at(1)).map(|step| bind(Some(step)).0)).collect();
    let names: Vec<_> = bound.iter().map(|pod| pod.metadata.name.as_str()).collect();
    assert_eq!(names, ["c", "a", "b"]);
    for pod in bound {
        scheduler.bound(&pod_id(&pod));
    }
    assert_eq!(scheduler.queue().counts().total(), 0);
}

#[test]
fn who_waits_in_vain_is_turned_down() {
    let mut scheduler = gangs();
    let before = scheduler.engine().cluster().fingerprint();
    scheduler.pod_seen(member("a", "g"), at(0));
    assert!(matches!(scheduler.next(at(0)), Some(Step::Wait { .. })));
    assert_eq!(scheduler.next(at(29)), None);
    let Some(Step::Refused { plugin, status, .. }) = scheduler.next(at(30)) else { panic!("too late") };
    assert_eq!(plugin, "Gang");
    assert_eq!(status.message(), "rejected due to timeout after waiting 30s at plugin Gang");
    assert_eq!(scheduler.engine().cluster().fingerprint(), before);
    assert_eq!(scheduler.queue().place("a"), Some(QueuePlace::Unschedulable));

    scheduler.pod_seen(member("b", "nobody"), at(30));
    assert!(matches!(scheduler.next(at(30)), Some(Step::Refused { .. })));
    scheduler.pod_seen(member("c", "error"), at(30));
    let Some(Step::Failed { error, .. }) = scheduler.next(at(30)) else { panic!("an error") };
    assert_eq!(error.to_string(), "running Permit plugin \"Gang\": out of order");
    assert_eq!(scheduler.queue().place("c"), Some(QueuePlace::Backoff));

    scheduler.pod_seen(member("d", "h"), at(30));
    assert!(matches!(scheduler.next(at(30)), Some(Step::Wait { .. })));
    scheduler.waiting_mut().reject("d", "Somebody", Status::unschedulable("for some reason"));
    let Some(Step::Refused { plugin, .. }) = scheduler.next(at(30)) else { panic!("turned down") };
    assert_eq!(plugin, "Somebody");
    assert_eq!(scheduler.engine().cluster().fingerprint(), before);
}

#[test]
fn what_happens_while_a_pod_waits_is_heard() {
    let diary = Diary::default();
    let gang = Gang(Duration::from_secs(30));
    let mut scheduler = with(Profile::kubernetes_builder().reserve(diary.named("books")).permit(gang));
    let before = scheduler.engine().cluster().fingerprint();
    // Deleted.
    scheduler.pod_seen(member("a", "g"), at(0));
    assert!(matches!(scheduler.next(at(0)), Some(Step::Wait { .. })));
    scheduler.pod_gone(&"a".into(), at(0));
    assert_eq!(diary.read(), ["books +a@n", "books -a@n"]);
    assert_eq!(scheduler.engine().cluster().fingerprint(), before);
    // Bound by somebody else, here and elsewhere.
    for (name, node, told) in [("b", "n", vec!["books +b@n"]), ("c", "x", vec!["books +c@n", "books -c@n"])] {
        scheduler.pod_seen(member(name, name), at(0));
        assert!(matches!(scheduler.next(at(0)), Some(Step::Wait { .. })));
        let mut bound = Pod::clone(&member(name, name));
        bound.spec.node_name = node.into();
        scheduler.pod_seen(Arc::new(bound), at(0));
        assert_eq!(diary.read(), told);
        scheduler.pod_gone(&name.into(), at(0));
    }
    // Its node disappears.
    scheduler.pod_seen(member("d", "d"), at(0));
    assert!(matches!(scheduler.next(at(0)), Some(Step::Wait { .. })));
    scheduler.record(Change::NodeRemoved("n".into()), at(0)).unwrap();
    scheduler.waiting_mut().allow("d", "Gang");
    let Some(Step::Failed { error, .. }) = scheduler.next(at(0)) else { panic!("no node") };
    assert_eq!(error, ScheduleError::NodeGone { node: "n".into() });
    assert_eq!(scheduler.engine().cluster().pod_count(), 0);
    assert_eq!(
        scheduler.next(at(1_000)),
        Some(Step::Failed { pod: member("d", "d"), error: ScheduleError::NoNodes })
    );
    assert_eq!(scheduler.queue().counts().total(), 1);
    assert!(scheduler.waiting().is_empty());
}

/// Panics wherever it is asked about a pod of that name.
#[derive(Clone, Copy, Debug)]
struct Bomb(&'static str);

impl Bomb {
    fn tick(self, pod: &Str) {
        assert_ne!(*pod, self.0, "boom");
    }
}

impl Plugin for Bomb {
    fn name(&self) -> &str {
        "Bomb"
    }
}

impl PreEnqueue for Bomb {
    fn pre_enqueue(&self, pod: &Pod) -> Result<(), Status> {
        self.tick(&pod.metadata.name);
        Ok(())
    }
}

impl ClusterFilter for Bomb {
    type Signature = Str;
    type State = ();

    fn sign(&self, pod: &Pod) -> Str {
        pod.metadata.name.clone()
    }

    fn pre_filter(&self, _: &Str, _: ClusterView<'_>) -> PreFilter {
        PreFilter::Run(())
    }

    fn filter(&self, name: &Str, (): &(), _: NodeView<'_>) -> Verdict {
        self.tick(name);
        Verdict::pass_if(*name != "hinted", "no")
    }

    fn hint(&self, _: &Pod, _: &ClusterEvent) -> Hint {
        panic!("boom");
    }
}

impl Reserve for Bomb {
    fn reserve(&self, pod: &Pod, _: &str) -> Result<(), Status> {
        self.tick(&pod.metadata.name);
        Ok(())
    }

    fn unreserve(&self, pod: &Pod, _: &str) {
        self.tick(&pod.metadata.name);
    }
}

#[test]
fn a_plugin_that_panics_stops_nobody_else() {
    let profile = Profile::kubernetes_builder()
        .pre_enqueue(Bomb("gate"))
        .cluster_filter(Bomb("filter"))
        .reserve(Bomb("reserve"))
        .permit(Gang(Duration::ZERO));
    let mut scheduler = with(profile);
    let before = scheduler.engine().cluster().fingerprint();
    quietly(|| {
        let status = scheduler.pod_seen(pod("gate", "1", ""), at(0)).unwrap();
        assert_eq!(
            status.message(),
            "running PreEnqueue plugin \"Bomb\": panicked: assertion `left != right` failed: boom\n  left: \"gate\"\n right: \"gate\""
        );
        for (name, said) in [("filter", "boom"), ("reserve", "Reserve plugin \"Bomb\": panicked")] {
            scheduler.pod_seen(pod(name, "1", ""), at(0));
            let Some(Step::Failed { error, .. }) = scheduler.next(at(0)) else { panic!("{name} fails") };
            assert!(error.to_string().contains(said), "{error}");
            assert_eq!(scheduler.queue().place(name), Some(QueuePlace::Backoff));
        }
        scheduler.pod_seen(member("permit", "panic"), at(0));
        let Some(Step::Failed { error, .. }) = scheduler.next(at(0)) else { panic!("permit fails") };
        assert_eq!(error.to_string(), "running Permit plugin \"Gang\": panicked: out of order");
        assert_eq!(scheduler.engine().cluster().fingerprint(), before);
        // A hint that fails wakes.
        scheduler.pod_seen(pod("hinted", "100m", ""), at(0));
        assert!(matches!(scheduler.next(at(0)), Some(Step::Unschedulable { .. })));
        scheduler.record(Change::NodeAdded(node("m", "1")), at(0)).unwrap();
        assert_eq!(scheduler.queue().place("hinted"), Some(QueuePlace::Backoff));
        scheduler.pod_seen(pod("fine", "1", ""), at(0));
        assert_eq!(bind(scheduler.next(at(0))).0.metadata.name, "fine");
    });
}

/// What happens between a scheduler, those who bind for it, and somebody else who binds pods too.
#[derive(Clone, Debug)]
enum Race {
    Pod(u8, u8),
    Node(u8, u8),
    RemoveNode(u8),
    Decide,
    /// The n-th binding under way ends: well or not, as the API server sees it.
    End(u8, bool),
    /// Somebody else binds a pod, or deletes it.
    Rival(u8, u8),
    Delete(u8),
    /// The scheduler hears of the oldest changes that it has not heard of.
    Hear(u8),
    Wait(i16),
}

fn races() -> impl Strategy<Value = Vec<Race>> {
    let step = prop_oneof![
        6 => (0..12_u8, 1..6_u8).prop_map(|(pod, cpu)| Race::Pod(pod, cpu)),
        2 => (0..3_u8, 1..6_u8).prop_map(|(node, cpu)| Race::Node(node, cpu)),
        1 => (0..3_u8).prop_map(Race::RemoveNode),
        8 => Just(Race::Decide),
        6 => (0..4_u8, prop::bool::weighted(0.7)).prop_map(|(which, well)| Race::End(which, well)),
        1 => (0..12_u8, 0..3_u8).prop_map(|(pod, node)| Race::Rival(pod, node)),
        1 => (0..12_u8).prop_map(Race::Delete),
        6 => (1..6_u8).prop_map(Race::Hear),
        2 => (-20..40_i16).prop_map(Race::Wait),
    ];
    prop::collection::vec(step, 1..80)
}

/// What an API server knows, and what it has to tell.
#[derive(Default)]
struct World {
    nodes: BTreeMap<Str, Arc<Node>>,
    pods: BTreeMap<Str, Arc<Pod>>,
    news: std::collections::VecDeque<News>,
    incarnation: u32,
}

enum News {
    Node(Arc<Node>),
    NoNode(Str),
    Pod(Arc<Pod>),
    NoPod(Str),
}

impl World {
    fn bind(&mut self, id: &str, node: &Str) -> bool {
        let Some(pod) = self.pods.get_mut(id).filter(|pod| pod.spec.node_name.is_empty()) else {
            return false;
        };
        Arc::make_mut(pod).spec.node_name = node.clone();
        let pod = Arc::clone(pod);
        self.news.push_back(News::Pod(pod));
        true
    }

    fn named(&self, number: u8) -> Option<Str> {
        let name = format!("p{number}");
        self.pods.iter().find(|(_, pod)| pod.metadata.name == *name).map(|(id, _)| id.clone())
    }

    fn hear(&mut self, scheduler: &mut Scheduler, now: Timestamp) -> bool {
        match self.news.pop_front() {
            Some(News::Node(node)) => scheduler.record(Change::NodeUpdated(node), now).unwrap(),
            Some(News::NoNode(name)) => scheduler.record(Change::NodeRemoved(name), now).unwrap(),
            Some(News::Pod(pod)) => drop(scheduler.pod_seen(pod, now)),
            Some(News::NoPod(id)) => scheduler.pod_gone(&id, now),
            None => return false,
        }
        true
    }
}

fn milli_cpu(pod: &Pod) -> i64 {
    pod.spec.containers[0].resources.requests["cpu"].milli_value()
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 2_000,
        // The default is ten times as slow without optimisation.
        rng_algorithm: prop::test_runner::RngAlgorithm::XorShift,
        ..ProptestConfig::default()
    })]

    /// However late news and confirmations come: the scheduler's own decisions, together with what it
    /// has heard of, never ask more of a node than it has; and at the end every pod is bound, or waits.
    #[test]
    fn races_overcommit_no_node_and_lose_no_pod(races in races()) {
        let mut scheduler = with(Profile::kubernetes_builder().reserve(Diary::default().named("books")));
        let mut world = World::default();
        world.nodes.insert("n".into(), node("n", "1"));
        let mut binding: Vec<(Arc<Pod>, Str)> = Vec::new();
        let mut now = 0;
        for race in races {
            match race {
                Race::Pod(number, cpu) => if world.named(number).is_none() {
                    world.incarnation += 1;
                    let mut new = Pod::clone(&pod(&format!("p{number}"), &format!("{}m", 200 * u32::from(cpu)), ""));
                    new.metadata.uid = format!("u{}", world.incarnation).into();
                    let new = Arc::new(new);
                    world.pods.insert(pod_id(&new), Arc::clone(&new));
                    world.news.push_back(News::Pod(new));
                },
                Race::Node(number, cpu) => {
                    let new = node(&format!("n{number}"), &cpu.to_string());
                    world.nodes.insert(new.metadata.name.clone(), Arc::clone(&new));
                    world.news.push_back(News::Node(new));
                }
                Race::RemoveNode(number) => {
                    let name = Str::from(format!("n{number}"));
                    if world.nodes.remove(&name).is_some() {
                        world.news.push_back(News::NoNode(name));
                    }
                }
                Race::Decide => match scheduler.next(at(now)) {
                    Some(Step::Bind { pod, node }) => {
                        let fits = room(&scheduler, &node);
                        prop_assert!(fits >= 0, "{node} lacks {fits} after {}", pod.metadata.name);
                        binding.push((pod, node));
                    }
                    Some(Step::Failed { error, .. }) => prop_assert_eq!(error, ScheduleError::NoNodes),
                    _ => {}
                },
                Race::End(which, well) => if usize::from(which) < binding.len() {
                    let (pod, node) = binding.remove(usize::from(which));
                    let id = pod_id(&pod);
                    if well && world.bind(&id, &node) {
                        scheduler.bound(&id);
                    } else {
                        scheduler.bind_failed(&pod, &node, at(now));
                    }
                },
                Race::Rival(pod, node) => if let Some(id) = world.named(pod) {
                    world.bind(&id, &format!("n{node}").into());
                },
                Race::Delete(pod) => if let Some(id) = world.named(pod) {
                    world.pods.remove(&id);
                    world.news.push_back(News::NoPod(id));
                },
                Race::Hear(count) => for _ in 0..count {
                    world.hear(&mut scheduler, at(now));
                },
                Race::Wait(seconds) => now += i64::from(seconds),
            }
        }
        // Everything ends, and everything is heard of.
        for (pod, node) in binding {
            if world.bind(&pod_id(&pod), &node) {
                scheduler.bound(&pod_id(&pod));
            } else {
                scheduler.bind_failed(&pod, &node, at(now));
            }
        }
        while world.hear(&mut scheduler, at(now)) {}
        for (id, pod) in &world.pods {
            let placed = scheduler.engine().cluster().pod(id).map(|(_, node)| node.clone());
            prop_assert_eq!(placed.as_ref(), pod.spec.node_name.non_empty(), "{}", pod.metadata.name);
            let queued = scheduler.queue().get(id).is_some();
            prop_assert_eq!(queued, placed.is_none(), "{}", pod.metadata.name);
        }
        let unbound = world.pods.values().filter(|pod| pod.spec.node_name.is_empty()).count();
        prop_assert_eq!(scheduler.queue().counts().total(), unbound);
        prop_assert_eq!(scheduler.engine().cluster().pod_count() + unbound, world.pods.len());
        prop_assert_eq!(scheduler.queue().counts().in_flight, 0);
    }
}

/// What is left of a node's cpu, by what the scheduler knows; only its own decisions are its fault.
fn room(scheduler: &Scheduler, name: &str) -> i64 {
    let cluster = scheduler.engine().cluster().view();
    let node = cluster.node(name).expect("a pod goes to a node that is there");
    let taken: i64 = node.pods().map(PlacedPod::object).map(|pod| milli_cpu(pod)).sum();
    node.object().status.allocatable["cpu"].milli_value() - taken
}

/// A pod of some priority.
fn important(name: &str, cpu: &str, node: &str, priority: i32) -> Arc<Pod> {
    let mut pod = Pod::clone(&pod(name, cpu, node));
    pod.spec.priority = Some(priority);
    Arc::new(pod)
}

fn nominated(step: Option<Step>) -> (Str, Vec<Str>, Vec<Str>) {
    let Some(Step::Unschedulable { why, withdrawn, .. }) = step else { panic!("{step:?}") };
    let nomination = why.nomination().unwrap_or_else(|| panic!("{why}"));
    let names = |pods: &[Arc<Pod>]| pods.iter().map(|pod| pod.metadata.name.clone()).collect();
    (nomination.node.clone(), names(&nomination.victims), names(&withdrawn))
}

#[test]
fn room_is_made_once_and_kept() {
    let mut scheduler = scheduler();
    scheduler.pod_seen(important("small", "700m", "n", 0), at(0));
    scheduler.pod_seen(important("urgent", "600m", "", 10), at(0));
    assert_eq!(nominated(scheduler.next(at(0))), ("n".into(), vec!["small".into()], vec![]));
    // Whatever happens before the victim is gone: it is not evicted once more.
    assert!(scheduler.activate(&"urgent".into(), at(5)));
    let Some(Step::Unschedulable { why, .. }) = scheduler.next(at(5)) else { panic!("not yet") };
    assert!(
        why.to_string().ends_with("preemption: not eligible due to a terminating pod on the nominated node.")
    );
    // Unless that failed.
    scheduler.eviction_failed(&important("small", "700m", "n", 0), &"urgent".into(), at(10));
    assert_eq!(nominated(scheduler.next(at(10))).1, ["small"]);
    scheduler.pod_gone(&"small".into(), at(20));
    // The less important pod is first in time, but the room is not for it.
    scheduler.pod_seen(important("late", "500m", "", 0), at(20));
    let steps: Vec<_> = std::iter::from_fn(|| scheduler.next(at(40))).collect();
    let bound = steps.iter().filter_map(|step| match step {
        Step::Bind { pod, .. } => Some(pod.metadata.name.as_str()),
        _ => None,
    });
    assert_eq!(bound.collect::<Vec<_>>(), ["urgent"]);
}

#[test]
fn a_more_important_pod_takes_the_nomination() {
    let mut scheduler = scheduler();
    scheduler.pod_seen(important("small", "700m", "n", 0), at(0));
    scheduler.pod_seen(important("urgent", "600m", "", 10), at(0));
    assert_eq!(nominated(scheduler.next(at(0))).0, "n");
    let mut told = Pod::clone(&important("urgent", "600m", "", 10));
    told.status.nominated_node_name = "n".into();
    scheduler.pod_seen(Arc::new(told), at(1));
    scheduler.pod_seen(important("vital", "800m", "", 20), at(1));
    let (node, victims, withdrawn) = nominated(scheduler.next(at(1)));
    assert_eq!((node.as_str(), victims.len()), ("n", 1));
    assert_eq!(withdrawn, ["urgent"]);
    assert_eq!(scheduler.engine().cluster().nominated_to("urgent"), None);
    assert_eq!(scheduler.engine().cluster().nominated_to("vital").map(Str::as_str), Some("n"));
    // What is said again of old is no nomination.
    scheduler.pod_gone(&"vital".into(), at(2));
    assert_eq!(scheduler.engine().cluster().nominated_to("vital"), None);
}
