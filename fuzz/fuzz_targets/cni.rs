//! CNI's configurations, results, names and calls: what is understood survives being written and read, in every version.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| orlop_cni::fuzzing::cni(bytes));
