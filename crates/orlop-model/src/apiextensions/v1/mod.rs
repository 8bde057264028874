//! API group `apiextensions`, version `v1`.

mod conversion_review;
mod custom_resource_definition;
mod enums;
mod schema;
mod schema_unions;

pub use self::conversion_review::*;
pub use self::custom_resource_definition::*;
pub use self::enums::*;
pub use self::schema::*;
pub use self::schema_unions::*;
pub use crate::meta::v1::ConditionStatus;
