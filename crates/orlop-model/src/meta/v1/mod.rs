//! API group `meta`, version `v1`.

mod discovery;
mod enums;
mod object_meta;
mod options;
mod selector;
mod status;
mod table;
mod watch;

pub use self::discovery::*;
pub use self::enums::*;
pub use self::object_meta::*;
pub use self::options::*;
pub use self::selector::*;
pub use self::status::*;
pub use self::table::*;
pub use self::watch::*;
