//! JSON patch: a document and operations, a line each, in both dialects.

#![no_main]

use libfuzzer_sys::fuzz_target;
use orlop_model::patch::{self, Dialect, Document, Limits};

fuzz_target!(|bytes: &[u8]| {
    let Some((document, operations)) = std::str::from_utf8(bytes).ok().and_then(|text| text.split_once('\n'))
    else {
        return;
    };
    let (Ok(document), Ok(operations)) = (document.parse::<Document>(), operations.parse::<Document>())
    else {
        return;
    };
    for dialect in [Dialect::Kubernetes, Dialect::Strict] {
        let patched = patch::operations(document.clone(), &operations, dialect, Limits::default());
        let Ok(patched) = patched else { continue };
        let text = patched.to_string();
        assert!(
            text.len() <= 8 * bytes.len() + 8 * Limits::default().copied,
            "a small patch makes no large document"
        );
        assert_eq!(
            text.parse::<Document>().as_ref(),
            Ok(&patched),
            "what was patched can be written and read"
        );
    }
});
