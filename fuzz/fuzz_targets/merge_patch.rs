//! JSON merge patch: two documents, a line each, as document and patch and as two states of an object.

#![no_main]

use libfuzzer_sys::fuzz_target;
use orlop_model::Message;
use orlop_model::core::v1::Pod;
use orlop_model::patch::{self, Document};
use serde_json::Value;

fuzz_target!(|bytes: &[u8]| {
    let Some((left, right)) = std::str::from_utf8(bytes).ok().and_then(|text| text.split_once('\n')) else {
        return;
    };
    let (Ok(left), Ok(right)) = (left.parse::<Document>(), right.parse::<Document>()) else {
        return;
    };
    if let Ok(patched) = patch::merge(left.clone(), right.clone()) {
        let written = patched.to_string().parse::<Document>();
        assert_eq!(written, Ok(patched), "what was patched can be written and read");
    }
    let (Ok(old), Ok(new)) = (left.to_value(), right.to_value()) else {
        return;
    };
    if !(old.is_object() && new.is_object()) {
        return;
    }
    for schema in [None, Some(Pod::SCHEMA)] {
        let patch = patch::diff(&old, &new, schema);
        if let Ok(patched) = patch.apply(old.clone(), schema) {
            assert_eq!(patched, new, "the difference makes of one the other");
        } else {
            // Only a patch that is too large to be applied.
            assert!(patch.document().as_array().is_some_and(|operations| operations.len() > 10_000));
        }
    }
    if let Ok(mut pod) = serde_json::from_value::<Pod>(old) {
        let _ = patch::apply_merge(&mut pod as &mut dyn orlop_model::message::Fields, &new);
        let _: Value = serde_json::to_value(&pod).expect("what was patched can be written");
    }
});
