//! [`Stats`]: what a cgroup has used.

use std::time::Duration;

/// What a cgroup has used, as far as its hierarchies tell.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// CPU time of all its processes, also of those that have ended.
    pub cpu: Duration,
    /// How many periods its processes were held back in, because their quota was used up.
    pub throttled_periods: u64,
    /// How long they were held back.
    pub throttled: Duration,
    /// Memory in bytes, with the page cache that was charged.
    pub memory: u64,
    /// The same without what could be reclaimed first (the inactive page cache): what counts for eviction.
    pub memory_working_set: u64,
    /// Most memory at any moment, where the kernel tells.
    pub memory_peak: Option<u64>,
    /// Processes and threads.
    pub pids: u64,
    /// How many processes the kernel has killed because memory ran out.
    pub oom_kills: u64,
}

/// A value of a file with lines `key value`.
pub(crate) fn keyed(text: &str, key: &str) -> Option<u64> {
    text.lines().find_map(|line| {
        let (name, value) = line.split_once(' ')?;
        (name == key).then(|| value.trim().parse().ok())?
    })
}

/// A file with one number; `max` counts as the largest.
pub(crate) fn number(text: &str) -> Option<u64> {
    match text.trim() {
        "max" => Some(u64::MAX),
        other => other.parse().ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_read() {
        let text = "oom_kill_disable 0\nunder_oom 0\noom_kill 2\n";
        assert_eq!(keyed(text, "oom_kill"), Some(2));
        assert_eq!(keyed(text, "oom"), None);
        assert_eq!(keyed("oom_kill x", "oom_kill"), None);
        assert_eq!(number("12\n"), Some(12));
        assert_eq!(number("max\n"), Some(u64::MAX));
        assert_eq!(number(""), None);
    }
}
