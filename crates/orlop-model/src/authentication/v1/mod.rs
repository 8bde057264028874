//! API group `authentication`, version `v1`.

mod parts;
mod self_subject_review;
mod token_request;
mod token_review;

pub use self::parts::*;
pub use self::self_subject_review::*;
pub use self::token_request::*;
pub use self::token_review::*;
