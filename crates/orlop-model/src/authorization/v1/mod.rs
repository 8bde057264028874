//! API group `authorization`, version `v1`.

mod local_subject_access_review;
mod parts;
mod self_subject_access_review;
mod self_subject_rules_review;
mod subject_access_review;

pub use self::local_subject_access_review::*;
pub use self::parts::*;
pub use self::self_subject_access_review::*;
pub use self::self_subject_rules_review::*;
pub use self::subject_access_review::*;
