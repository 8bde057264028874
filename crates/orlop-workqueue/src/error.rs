use std::time::Duration;

/// Why a queue's setting was refused.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A priority level outside `0..Priority::LEVELS`.
    #[error("priority: level {level} is not below {}", crate::Priority::LEVELS)]
    Priority {
        /// The level asked for.
        level: u8,
    },
    /// An exponential limit whose first delay is longer than its longest.
    #[error("exponential limit: the first delay {first:?} is longer than the longest {longest:?}")]
    Exponential {
        /// The delay after the first failure.
        first: Duration,
        /// The longest delay.
        longest: Duration,
    },
    /// A token bucket that never hands out a token.
    #[error(
        "bucket limit: rate {per_second}/s with burst {burst} lets nothing through (rate above 0, burst above 0)"
    )]
    Bucket {
        /// Tokens per second.
        per_second: f64,
        /// Tokens that may be saved up.
        burst: u32,
    },
}
