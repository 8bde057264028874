//! Sets of fields of managed fields: reading, writing, and the algebra of sets.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| orlop_model::fuzzing::managed_fields(bytes));
