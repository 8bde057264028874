//! Pods and workloads: defaulted, prepared and validated.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| orlop_model::fuzzing::validate_pod(bytes));
