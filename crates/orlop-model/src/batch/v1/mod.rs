//! API group `batch`, version `v1`.

mod cron_job;
mod enums;
mod job;
mod parts;

pub use self::cron_job::*;
pub use self::enums::*;
pub use self::job::*;
pub use self::parts::*;
