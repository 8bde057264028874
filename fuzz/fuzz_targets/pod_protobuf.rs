//! A Pod in protobuf: what is read can be written, and read again to the same.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| orlop_model::fuzzing::pod_protobuf(bytes));
