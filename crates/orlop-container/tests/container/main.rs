//! Real containers on the real kernel: needs root. What it makes carries the process's number in its name, and is gone
//! afterwards.
#![cfg(target_os = "linux")]
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "parts of tests that run as programs of their own say how it went"
)]

mod attacks;
mod failures;
mod isolation;
mod life;
mod limits;
mod sandboxes;
mod support;
mod users;
