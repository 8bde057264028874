//! The store from outside: images made, imported, pulled, unpacked, mounted, collected.

#![cfg(target_os = "linux")]

mod build;
mod failure;
mod import;
mod registry;
mod server;
mod support;
