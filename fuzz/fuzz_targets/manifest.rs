//! Manifests in YAML or JSON: strict and lenient reading agree on what is there.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| orlop_model::fuzzing::manifest(bytes));
