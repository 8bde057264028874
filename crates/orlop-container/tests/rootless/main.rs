//! Programs of ordinary users that become root of their own namespaces: copies of this program run as one. They must have
//! one thread, which rules out the usual harness.
#![cfg_attr(
    target_os = "linux",
    expect(
        clippy::print_stdout,
        clippy::print_stderr,
        reason = "a test program, and parts of it, say how it went"
    )
)]

#[cfg(target_os = "linux")]
mod cases;
#[cfg(target_os = "linux")]
#[path = "../container/support.rs"]
#[expect(dead_code, reason = "the other test program needs more of it")]
mod support;

#[cfg(not(target_os = "linux"))]
fn main() {}

/// The tests whose names contain one of the arguments, one after the other; all without arguments.
#[cfg(target_os = "linux")]
fn main() {
    const TESTS: [(&str, fn()); 6] = [
        ("whoever_is_root_stays_it", cases::whoever_is_root_stays_it),
        ("an_ordinary_user_has_a_runtime", cases::an_ordinary_user_has_a_runtime),
        ("delegated_cgroups_are_used", cases::delegated_cgroups_are_used),
        ("signals_go_in_and_ends_come_out", cases::signals_go_in_and_ends_come_out),
        ("what_cannot_be_is_said", cases::what_cannot_be_is_said),
        ("granted_ids_are_used", cases::granted_ids_are_used),
    ];
    let wanted: Vec<String> =
        std::env::args().skip(1).filter(|argument| !argument.starts_with('-')).collect();
    let tests: Vec<_> = TESTS
        .into_iter()
        .filter(|(name, _)| wanted.is_empty() || wanted.iter().any(|wanted| name.contains(wanted.as_str())))
        .collect();
    println!("\nrunning {} tests", tests.len());
    for (name, test) in &tests {
        test();
        println!("test {name} ... ok");
    }
    println!("\ntest result: ok. {} passed; 0 failed\n", tests.len());
}
