//! Server-side apply: an object and a configuration in JSON, a line each.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| orlop_model::fuzzing::apply(bytes));
