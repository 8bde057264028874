//! The table of Kubernetes' types and kinds beside the golden objects, which the crate's own tables are checked against.

use std::io::Read as _;
use std::path::Path;

use serde_json::Value;

/// The table, or `None` after saying that the check is passed over.
pub(crate) fn schema() -> Option<Value> {
    let Some(folder) = std::env::var_os("ORLOP_GOLDEN") else {
        println!("skipped: needs the folder of golden objects in ORLOP_GOLDEN");
        return None;
    };
    let file = Path::new(&folder).join("../facts/schema.json.gz");
    let Ok(bytes) = std::fs::read(&file) else {
        println!("skipped: needs {}", file.display());
        return None;
    };
    let mut text = String::new();
    flate2::read::GzDecoder::new(&bytes[..]).read_to_string(&mut text).expect("the table of types is gzip");
    Some(serde_json::from_str(&text).expect("the table of types is JSON"))
}
