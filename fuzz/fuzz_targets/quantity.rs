//! Two quantities, a line each: canonical text, rounding, sums and order hold together.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| orlop_model::fuzzing::quantity(bytes));
