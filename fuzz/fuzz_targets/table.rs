//! Objects of any kind: defaults are idempotent, rows have a cell for each column.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| orlop_model::fuzzing::table(bytes));
