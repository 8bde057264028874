//! Networks of real namespaces: a host, containers and an outside, all made by the test itself.

#![cfg(target_os = "linux")]

mod audit;
mod chain;
mod fixture;
mod leaks;
mod reach;
mod records;
