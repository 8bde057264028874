//! Parts of core/v1.

use crate::{ByteString, Extra, Message, Str};

/// Internal record of used cluster IPs or node ports in etcd; not served by the API.
#[derive(Clone, Default, PartialEq, Message)]
#[wire(debug, api_version = "v1")]
pub struct RangeAllocation {
    /// Standard object metadata; its resource version guards concurrent allocations.
    #[wire(pb = 1)]
    pub metadata: crate::meta::v1::ObjectMeta,
    /// Span being allocated from, as a CIDR such as `10.0.0.0/24` or ports such as `30000-32767`.
    #[wire(pb = 2, required, needless)]
    pub range: Str,
    /// Bitmap with one bit per member of the range, set when it is taken.
    #[wire(pb = 3, required, needless)]
    pub data: ByteString,
    /// Fields that this version does not know.
    #[wire(extra)]
    pub extra: Extra,
}
