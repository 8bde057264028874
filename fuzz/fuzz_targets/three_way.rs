//! Three-way merges: what was applied last, what is wanted, what is there, a line each.

#![no_main]

use libfuzzer_sys::fuzz_target;
use orlop_model::Message;
use orlop_model::core::v1::Pod;
use orlop_model::patch::{self, Document};

fuzz_target!(|bytes: &[u8]| {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    let mut lines = text.splitn(3, '\n').map(str::parse::<Document>);
    let (Some(Ok(last)), Some(Ok(wanted)), Some(Ok(current))) = (lines.next(), lines.next(), lines.next())
    else {
        return;
    };
    if let Ok(patch) = patch::merge_three_way(&last, &wanted, &current) {
        let _ = patch::merge(current.clone(), patch);
    }
    let (Ok(last), Ok(wanted), Ok(current)) = (last.to_value(), wanted.to_value(), current.to_value()) else {
        return;
    };
    for overwrite in [true, false] {
        let schema = Some(Pod::SCHEMA);
        let made = patch::strategic_three_way(&last, &wanted, &current, schema, overwrite);
        let again = patch::strategic_three_way(&last, &wanted, &current, schema, overwrite);
        assert_eq!(made, again, "the same documents give the same patch");
        if let Ok(made) = made {
            let _ = patch::strategic(current.clone(), made, schema);
        }
    }
});
