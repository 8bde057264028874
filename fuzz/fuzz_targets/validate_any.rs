//! Objects of built-in kinds: what validates is in order as its own successor and after it was written and read.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| orlop_model::fuzzing::validate_any(bytes));
