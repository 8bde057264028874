//! placeholder, being replaced
/// Quantity.
#[derive(Clone, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Quantity(String);
