//! A label selector and a field selector: the canonical text means the same.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| orlop_model::fuzzing::selectors(bytes));
