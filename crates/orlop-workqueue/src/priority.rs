use crate::Error;

/// How urgent a key is. Higher levels are handed out first; within a level the order is first in, first out.
///
/// There are [`Priority::LEVELS`] levels. A key that waits climbs (see
/// [`Builder::ageing`](crate::Builder::ageing)), so that no level starves.
///
/// ```
/// use orlop_workqueue::Priority;
/// assert!(Priority::HIGH > Priority::NORMAL);
/// assert_eq!(Priority::try_new(8), Ok(Priority::NORMAL));
/// assert!(Priority::try_new(16).is_err());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Priority(Level);

/// Sixteen values and no more, so that a priority that may be absent takes no more than a byte either.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
#[rustfmt::skip]
enum Level {
    L0, L1, L2, L3, L4, L5, L6, L7, L8, L9, L10, L11, L12, L13, L14, L15,
}

#[rustfmt::skip]
const LEVELS: [Level; Priority::LEVELS as usize] = {
    use Level::*;
    [L0, L1, L2, L3, L4, L5, L6, L7, L8, L9, L10, L11, L12, L13, L14, L15]
};

impl Priority {
    /// How many levels there are.
    pub const LEVELS: u8 = 16;
    /// The least urgent level.
    pub const LOWEST: Self = Self(Level::L0);
    /// For work that may wait behind fresh changes, such as the objects of an initial list.
    pub const LOW: Self = Self(Level::L4);
    /// What [`Queue::add`](crate::Queue::add) uses.
    pub const NORMAL: Self = Self(Level::L8);
    /// For work that should overtake.
    pub const HIGH: Self = Self(Level::L12);
    /// The most urgent level.
    pub const HIGHEST: Self = Self(Level::L15);

    /// The priority of a level.
    ///
    /// # Errors
    /// [`Error::Priority`] if `level` is not below [`Priority::LEVELS`].
    pub const fn try_new(level: u8) -> Result<Self, Error> {
        if level < Self::LEVELS { Ok(Self(LEVELS[level as usize])) } else { Err(Error::Priority { level }) }
    }

    /// The level, from 0 to `LEVELS - 1`.
    #[must_use]
    pub const fn level(self) -> u8 {
        self.0 as u8
    }
}

impl Default for Priority {
    fn default() -> Self {
        Self::NORMAL
    }
}
