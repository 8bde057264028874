//! Strategic merge patch: an original and a patch in JSON, a line each, with the schema of a Pod.

#![no_main]

use libfuzzer_sys::fuzz_target;
use orlop_model::core::v1::Pod;
use orlop_model::{Message, patch};
use serde_json::{Value, json};

fuzz_target!(|bytes: &[u8]| {
    let Some(end) = bytes.iter().position(|byte| *byte == b'\n') else {
        return;
    };
    let Ok(original) = serde_json::from_slice::<Value>(&bytes[..end]) else {
        return;
    };
    let Ok(change) = serde_json::from_slice::<Value>(&bytes[end + 1..]) else {
        return;
    };
    for schema in [Some(Pod::SCHEMA), None] {
        let patched = patch::strategic(original.clone(), change.clone(), schema);
        let Ok(patched) = patched else { continue };
        assert!(patched.is_object(), "objects stay objects");
        let again = patch::strategic(original.clone(), change.clone(), schema);
        assert_eq!(again.as_ref(), Ok(&patched), "the same patch gives the same");
        let unchanged = patch::strategic(patched.clone(), json!({}), schema);
        assert_eq!(unchanged, Ok(patched), "an empty patch changes nothing");
    }
});
