use std::fmt;

/// The name of a lease: keys put under it are deleted when it ends.
///
/// A lease bounds how long something stays, it is no mutual exclusion: a holder may learn late
/// that its lease has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LeaseId(pub u64);

impl fmt::Display for LeaseId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
