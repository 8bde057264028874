/// What happens to a new key when the queue is full: see [`Builder::bound`](crate::Builder::bound).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Overflow {
    /// It is refused.
    Refuse,
    /// It takes the place of the last ready key of the lowest priority, if that is lower than its own; else it is
    /// refused.
    DropLowest,
    /// It takes the place of the key that has been ready for the longest time. If none is ready it is refused.
    DropOldest,
}

/// How many keys may be queued.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bound {
    pub(crate) keys: usize,
    pub(crate) overflow: Overflow,
}
