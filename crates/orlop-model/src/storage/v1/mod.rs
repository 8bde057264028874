//! API group `storage`, version `v1`.

mod csi_driver;
mod csi_node;
mod csi_storage_capacity;
mod enums;
mod storage_class;
mod volume_attachment;
mod volume_attributes_class;

pub use self::csi_driver::*;
pub use self::csi_node::*;
pub use self::csi_storage_capacity::*;
pub use self::enums::*;
pub use self::storage_class::*;
pub use self::volume_attachment::*;
pub use self::volume_attributes_class::*;
