//! [`FieldsV1`]: which fields a manager owns, as it came.

use std::fmt;

use crate::RawJson;

/// A set of fields in the format `FieldsV1`, kept as the JSON text it came as.
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FieldsV1(RawJson);

impl FieldsV1 {
    /// The JSON text.
    #[must_use]
    pub fn as_json(&self) -> &str {
        self.0.as_str()
    }

    pub(crate) fn raw(&self) -> &RawJson {
        &self.0
    }

    pub(crate) fn raw_mut(&mut self) -> &mut RawJson {
        &mut self.0
    }
}

impl From<RawJson> for FieldsV1 {
    fn from(raw: RawJson) -> Self {
        Self(raw)
    }
}

impl fmt::Debug for FieldsV1 {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_json())
    }
}
