//! Patches of an object.

use serde_json::Value;

/// A change of an object by document.
#[derive(Clone, Debug, PartialEq)]
pub enum Patch {
    /// JSON merge patch (RFC 7396): members replace, `null` removes, lists are replaced as a whole.
    Merge(Value),
    /// JSON patch (RFC 6902): a list of operations, all or none.
    Json(Value),
    /// Strategic merge patch: like a merge patch, with lists merged by the keys that the kind's schema names.
    Strategic(Value),
    /// Server-side apply: the fields that the field manager wants to own.
    Apply(Value),
}

/// What [`orlop_model::patch::between`] and [`diff`](orlop_model::patch::diff) found.
impl From<orlop_model::patch::Patch> for Patch {
    fn from(patch: orlop_model::patch::Patch) -> Self {
        match patch {
            orlop_model::patch::Patch::Merge(document) => Self::Merge(document),
            orlop_model::patch::Patch::Json(operations) => Self::Json(operations),
            orlop_model::patch::Patch::Strategic(document) => Self::Strategic(document),
        }
    }
}

impl Patch {
    /// The content type of the request.
    pub fn content_type(&self) -> &'static str {
        match self {
            Self::Merge(_) => "application/merge-patch+json",
            Self::Json(_) => "application/json-patch+json",
            Self::Strategic(_) => "application/strategic-merge-patch+json",
            Self::Apply(_) => "application/apply-patch+yaml",
        }
    }

    /// The document.
    pub fn document(&self) -> &Value {
        match self {
            Self::Merge(value) | Self::Json(value) | Self::Strategic(value) | Self::Apply(value) => value,
        }
    }
}
