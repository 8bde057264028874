//! What is done to a Secret when it is written.

use super::Secret;
use crate::ByteString;

impl Secret {
    /// Moves `stringData` into `data`, as every write does; it wins over keys already there.
    pub fn merge_string_data(&mut self) {
        for (key, text) in std::mem::take(&mut self.string_data) {
            self.data.insert(key, ByteString::from(String::from(text)));
        }
    }
}
