//! Real containers on the real kernel: needs root. What it makes carries the process's number in its name, and is gone
//! afterwards.
#![cfg(target_os = "linux")]

mod support;

use std::io::Read;
use std::time::Duration;

use orlop_container::{Error, ExitStatus, Status, Stdio};
use support::{Place, root_or_skip, run, sh};

#[test]
fn a_process_is_isolated() {
    if !root_or_skip() {
        return;
    }
    let place = Place::new();
    let mut spec =
        sh("echo pid $$; hostname; pwd; ls /; cat /proc/mounts | wc -l; ls /proc | grep -c '^[0-9]*$'");
    spec.hostname = Some("inside".to_owned());
    spec.process.cwd = "/work/dir".into();
    let (exit, out) = run(&place, spec);
    assert_eq!(exit.status, ExitStatus::Code(0), "{out}");
    let lines: Vec<_> = out.lines().collect();
    assert_eq!(lines[..3], ["pid 1", "inside", "/work/dir"], "{out}");
    assert!(out.contains("\nproc\n") && out.contains("\nsys\n") && out.contains("\ndev\n"), "{out}");
}

#[test]
fn it_is_created_then_started() {
    if !root_or_skip() {
        return;
    }
    let place = Place::new();
    let (mut read, stdout) = support::pipe();
    let stdio = Stdio { stdout, ..Stdio::default() };
    let container = place.runtime.create(&place.id("c"), sh("echo hello; exit 7"), stdio).expect("created");
    assert_eq!(container.status().expect("told"), Status::Created);
    assert!(matches!(
        place.runtime.create(&place.id("c"), sh("true"), Stdio::default()),
        Err(Error::Exists { .. })
    ));
    assert_eq!(container.wait_for(Duration::from_millis(50)).expect("waited"), None);
    container.start().expect("started");
    assert!(matches!(container.start(), Err(Error::State { needed: "created", .. })));
    let exit = container.wait().expect("waited");
    assert_eq!(exit.status, ExitStatus::Code(7));
    assert_eq!(container.status().expect("told"), Status::Stopped);
    let mut out = String::new();
    read.read_to_string(&mut out).expect("read");
    assert_eq!(out, "hello\n");
    container.delete().expect("deleted");
    container.delete().expect("a second time does nothing");
    assert_eq!(container.status().expect("told"), Status::Deleted);
}
