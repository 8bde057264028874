//! Limits that are really enforced.

use std::time::{Duration, Instant};

use orlop_container::cgroup::{Limit, Resources};
use orlop_container::{Error, ExitStatus, ProcessSpec, Stdio};

use crate::support::{Place, output, program, root_or_skip, run, sh, until};

#[test]
fn running_out_of_memory_is_reported_as_such() {
    if !root_or_skip() {
        return;
    }
    let place = Place::new();
    let spec = place.limited(program(&["tail", "/dev/zero"]), Resources::new().memory(24 << 20));
    let container = place.runtime.create(&place.id("c"), spec, Stdio::default()).expect("created");
    let watch = container.watch_oom().expect("a watch");
    assert!(!watch.wait(Duration::ZERO).expect("waited"), "not yet");
    container.start().expect("started");
    let exit = container.wait_for(Duration::from_secs(30)).expect("waited").expect("ended");
    assert_eq!(exit.status, ExitStatus::Signal(9));
    assert!(exit.oom_killed);
    assert!(watch.wait(Duration::from_secs(5)).expect("waited"), "told");
    let stats = container.stats().expect("told");
    assert_eq!(stats.oom_kills, 1);
    assert!(stats.memory_peak.is_none_or(|peak| peak > 20 << 20), "{stats:?}");
    container.delete().expect("deleted");
    place.audit();
}

#[test]
fn a_child_that_runs_out_of_memory_counts() {
    if !root_or_skip() {
        return;
    }
    let place = Place::new();
    let spec = place.limited(sh("tail /dev/zero; exit 5"), Resources::new().memory(24 << 20));
    let (exit, _) = run(&place, spec);
    assert_eq!((exit.status, exit.oom_killed), (ExitStatus::Code(5), true));
}

#[test]
fn processes_are_limited() {
    if !root_or_skip() {
        return;
    }
    let place = Place::new();
    let spec = place.limited(
        sh("for i in 1 2 3 4 5 6 7 8; do sleep 600 & done; echo unreached; wait"),
        Resources::new().pids(4),
    );
    let container = place.runtime.create(&place.id("c"), spec, Stdio::default()).expect("created");
    container.start().expect("started");
    let exit = container.wait_for(Duration::from_secs(30)).expect("waited").expect("the shell gives up");
    assert_eq!(exit.status, ExitStatus::Code(2));
    container.delete().expect("deleted");
    place.audit();
}

#[test]
fn cpu_is_limited() {
    if !root_or_skip() {
        return;
    }
    let place = Place::new();
    let spec = place.limited(sh("while :; do :; done"), Resources::new().cpu_millis(200));
    let container = place.runtime.create(&place.id("c"), spec, Stdio::default()).expect("created");
    container.start().expect("started");
    let started = Instant::now();
    let before = container.stats().expect("told").cpu;
    until("it was held back ten times", || container.stats().expect("told").throttled_periods >= 10);
    let (used, took) = (container.stats().expect("told").cpu - before, started.elapsed());
    // A fifth of a CPU, and a period more or less at both ends.
    let allowed = took.mul_f64(0.2) + Duration::from_millis(60);
    assert!(used <= allowed, "{used:?} of CPU in {took:?}");
    assert!(used >= Duration::from_millis(100), "{used:?} of CPU in {took:?}");
    container.update(&Resources { cpu_quota: Some(Limit::Max), ..Resources::default() }).expect("updated");
    let before = container.stats().expect("told").throttled_periods;
    container.kill().expect("killed");
    container.wait().expect("waited");
    assert!(container.stats().expect("told").throttled_periods <= before + 1);
    container.delete().expect("deleted");
    place.audit();
}

#[test]
fn limits_are_changed_while_it_runs() {
    if !root_or_skip() {
        return;
    }
    let place = Place::new();
    let resources = Resources { cpu_shares: Some(512), ..Resources::new().memory(64 << 20).pids(10) };
    let spec = place.limited(program(&["sleep", "600"]), resources);
    let container = place.runtime.create(&place.id("c"), spec, Stdio::default()).expect("created");
    container.start().expect("started");
    let file = |names: [&str; 2]| {
        let cgroup = container.cgroup().expect("a cgroup");
        let found = cgroup
            .directories()
            .flat_map(|dir| names.map(|name| dir.join(name)))
            .find_map(|path| std::fs::read_to_string(path).ok());
        found.expect("a file").trim().to_owned()
    };
    assert_eq!(file(["memory.limit_in_bytes", "memory.max"]), (64 << 20).to_string());
    assert!(["512", "59"].contains(&file(["cpu.shares", "cpu.weight"]).as_str()));
    container.update(&Resources::new().memory(128 << 20)).expect("raised");
    assert_eq!(file(["memory.limit_in_bytes", "memory.max"]), (128 << 20).to_string());
    container.update(&Resources::new().memory(32 << 20)).expect("lowered");
    assert_eq!(file(["memory.limit_in_bytes", "memory.max"]), (32 << 20).to_string());
    assert_eq!(file(["pids.max", "pids.max"]), "10", "what isn't given stays");
    let wrong = Resources { memory_swap: Some(Limit::Value(1)), ..Resources::default() };
    assert!(matches!(container.update(&wrong), Err(Error::Spec { .. })));
    container.delete().expect("deleted");
    place.audit();
}

#[test]
fn it_is_paused_as_a_whole() {
    if !root_or_skip() {
        return;
    }
    let place = Place::new();
    let spec = place.limited(sh("(while :; do :; done) & while :; do :; done"), Resources::new().pids(10));
    let container = place.runtime.create(&place.id("c"), spec, Stdio::default()).expect("created");
    container.start().expect("started");
    let cpu = || container.stats().expect("told").cpu;
    until("it runs", || cpu() > Duration::from_millis(20));
    container.pause().expect("paused");
    let before = cpu();
    // The time of ticks that were under way is still booked.
    std::thread::sleep(Duration::from_millis(60));
    assert!(cpu() - before < Duration::from_millis(20), "it stands still");
    container.resume().expect("resumed");
    until("it runs again", || cpu() - before > Duration::from_millis(20));
    container.pause().expect("paused");
    container.delete().expect("deleted, though paused");
    place.audit();
}

#[test]
fn further_processes_are_under_its_limits() {
    if !root_or_skip() {
        return;
    }
    let place = Place::new();
    let spec = place.limited(program(&["sleep", "600"]), Resources::new().memory(32 << 20));
    let container = place.runtime.create(&place.id("c"), spec, Stdio::default()).expect("created");
    container.start().expect("started");
    let (exit, _) = output(|stdio| {
        let mut hungry = ProcessSpec::new(["tail", "/dev/zero"]);
        hungry.oom_score_adj = None;
        container.exec(&hungry, stdio).expect("executed")
    });
    assert_eq!(exit.status, ExitStatus::Signal(9));
    assert_eq!(container.stats().expect("told").oom_kills, 1);
    assert_eq!(container.try_wait().expect("told"), None, "the first one goes on");
    container.delete().expect("deleted");
    place.audit();
}

#[test]
fn cgroups_stand_by_themselves() {
    if !root_or_skip() {
        return;
    }
    let place = Place::new();
    let cgroups = place.runtime.cgroups().expect("cgroups").clone();
    let pod = place.cgroup("pod");
    let resources = Resources { cpu_shares: Some(2), ..Resources::new().memory(64 << 20) };
    cgroups.create(&pod, &resources).expect("made");
    let inner = pod.join("inner").expect("valid");
    let cgroup = cgroups.create(&inner, &Resources::new().pids(3)).expect("made");
    assert_eq!(cgroups.children(&pod).expect("listed"), ["inner"]);
    let mut child = std::process::Command::new("sleep").arg("600").spawn().expect("a process");
    cgroup.add(child.id()).expect("moved");
    assert_eq!(cgroup.processes().expect("listed"), [child.id()]);
    assert_eq!(cgroup.stats().expect("told").pids, 1);
    cgroups.purge(&pod).expect("all of it");
    assert!(!child.wait().expect("waited").success());
    assert!(cgroups.open(&pod).expect("told").is_none());
    cgroups.purge(&pod).expect("nothing there is no error");
    place.audit();
}

/// With hybrid layout a controller may be one of version 2, which has to be passed down from cgroup to cgroup.
#[test]
fn controllers_of_version_2_are_passed_down() {
    if !root_or_skip() {
        return;
    }
    let place = Place::new();
    let cgroups = place.runtime.cgroups().expect("cgroups").clone();
    let mut version_2 = cgroups.paths().filter(|(path, _)| path.join("cgroup.controllers").exists());
    let has = version_2.next().is_some_and(|(_, all)| all.iter().any(|name| name == "hugetlb"));
    let size = "2MB";
    if !has || !std::path::Path::new("/sys/kernel/mm/hugepages/hugepages-2048kB").exists() {
        // Not of the machine's making: nothing to require.
        eprintln!("passed over: no controller hugetlb of version 2");
        return;
    }
    let resources =
        Resources { huge_pages: [(size.to_owned(), Limit::Value(4 << 20))].into(), ..Resources::new() };
    let path = place.cgroup("pod").join("inner").expect("valid");
    let cgroup = cgroups.create(&path, &resources).expect("made");
    let file = cgroup
        .directories()
        .map(|dir| dir.join(format!("hugetlb.{size}.max")))
        .find(|file| file.exists())
        .expect("a file of version 2");
    assert_eq!(std::fs::read_to_string(file).expect("readable").trim(), (4 << 20).to_string());
    let unlimited = Resources { huge_pages: [(size.to_owned(), Limit::Max)].into(), ..Resources::default() };
    cgroup.update(&unlimited).expect("updated");
    let odd = Resources { huge_pages: [("3MB".to_owned(), Limit::Max)].into(), ..Resources::default() };
    assert!(matches!(cgroup.update(&odd), Err(Error::Cgroup { .. })), "no such size");
    cgroups.purge(&place.cgroup("pod")).expect("removed");
    place.audit();
}
