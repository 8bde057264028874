//! Objects of any kind in Kubernetes' protobuf envelope.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| orlop_model::fuzzing::any_protobuf(bytes));
