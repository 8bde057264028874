//! [`Resources`]: limits, and what is written into which file for them.

use std::collections::BTreeMap;
use std::fmt;

use crate::Error;

/// A limit, or none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Limit {
    /// This much.
    Value(u64),
    /// No limit.
    Max,
}

impl From<u64> for Limit {
    fn from(value: u64) -> Self {
        Self::Value(value)
    }
}

/// How CPU shares (cgroup v1) become a weight (v2).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum WeightFormula {
    /// As kubelet does for the cgroups of pods, and older runtimes for all.
    Linear,
    /// As current container runtimes do for containers: 1024 shares are a weight of 100.
    #[default]
    Quadratic,
}

impl WeightFormula {
    /// The weight for so many shares: 1 to 10,000; 0 if no shares are given.
    #[must_use]
    pub fn weight(self, shares: u64) -> u64 {
        if shares == 0 {
            return 0;
        }
        if shares >= 262_144 {
            return 10_000;
        }
        match self {
            Self::Linear => 1 + shares.saturating_sub(2) * 9_999 / 262_142,
            Self::Quadratic if shares <= 2 => 1,
            Self::Quadratic => {
                let log = (shares as f64).log2();
                let exponent = (log * log + 125.0 * log) / 612.0 - 7.0 / 34.0;
                10_f64.powf(exponent).ceil() as u64
            }
        }
    }
}

/// Limits of a cgroup. What isn't given isn't written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Resources {
    /// Memory in bytes, beyond which the kernel reclaims and, if that isn't enough, kills.
    pub memory: Option<Limit>,
    /// Memory and swap together, in bytes; at least `memory`, which must be given too.
    pub memory_swap: Option<Limit>,
    /// Memory in bytes that is left alone as long as there is other memory to reclaim (v1: soft limit, v2: `memory.low`).
    pub memory_reservation: Option<u64>,
    /// Memory in bytes that is never reclaimed. Only v2.
    pub memory_min: Option<u64>,
    /// Memory in bytes beyond which the processes are slowed down. Only v2.
    pub memory_high: Option<Limit>,
    /// Whether the kernel kills all of the cgroup if it has to kill one. Only v2; passed over on v1.
    pub oom_group: Option<bool>,
    /// Share of the CPU in relation to others: 2 to 262,144; 1,024 is usual.
    pub cpu_shares: Option<u64>,
    /// How shares become a weight on v2.
    pub cpu_weight_formula: WeightFormula,
    /// CPU time in microseconds in each period.
    pub cpu_quota: Option<Limit>,
    /// The period in microseconds: 1,000 to 1,000,000. 100,000 if there is a quota only.
    pub cpu_period: Option<u64>,
    /// On which CPUs, as `0-3,7`.
    pub cpus: Option<String>,
    /// On which memory nodes.
    pub memory_nodes: Option<String>,
    /// How many processes and threads.
    pub pids: Option<Limit>,
    /// Huge pages in bytes, by size as the kernel names it (`2MB`).
    pub huge_pages: BTreeMap<String, Limit>,
    /// Further files of v2 and what to write into them, last.
    pub unified: BTreeMap<String, String>,
}

impl Resources {
    /// No limits.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// As many bytes of memory, and no swap beyond.
    #[must_use]
    pub fn memory(mut self, bytes: u64) -> Self {
        self.memory = Some(Limit::Value(bytes));
        self.memory_swap = Some(Limit::Value(bytes));
        self
    }

    /// So many thousandths of a CPU at most: a quota in periods of 100 ms, at least 1 ms.
    #[must_use]
    pub fn cpu_millis(mut self, millis: u64) -> Self {
        self.cpu_period = Some(100_000);
        self.cpu_quota = Some(Limit::Value(millis.saturating_mul(100).max(1_000)));
        self
    }

    /// As many processes and threads.
    #[must_use]
    pub fn pids(mut self, count: u64) -> Self {
        self.pids = Some(Limit::Value(count));
        self
    }

    /// # Errors
    /// If values contradict each other.
    pub(crate) fn check(&self) -> Result<(), Error> {
        let wrong = |field: &str, message: &str| Err(Error::spec(format!("resources.{field}"), message));
        if let Some(swap) = self.memory_swap {
            match self.memory {
                None => return wrong("memory_swap", "needs a memory limit"),
                Some(memory) if swap < memory => return wrong("memory_swap", "less than the memory limit"),
                Some(_) => {}
            }
        }
        if self.cpu_period.is_some_and(|period| !(1_000..=1_000_000).contains(&period)) {
            return wrong("cpu_period", "must be 1,000 to 1,000,000 µs");
        }
        if matches!(self.cpu_quota, Some(Limit::Value(quota)) if quota < 1_000) {
            return wrong("cpu_quota", "must be at least 1,000 µs");
        }
        let list = |text: &str| {
            !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit() || b",-".contains(&byte))
        };
        for (field, value) in [("cpus", &self.cpus), ("memory_nodes", &self.memory_nodes)] {
            if value.as_ref().is_some_and(|value| !list(value)) {
                return wrong(field, "must be a list such as 0-3,7");
            }
        }
        for (field, name) in self
            .huge_pages
            .keys()
            .map(|size| ("huge_pages", size))
            .chain(self.unified.keys().map(|file| ("unified", file)))
        {
            let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
            if name.is_empty() || name.starts_with('.') || !name.bytes().all(plain) {
                return wrong(field, &format!("{name:?} is not the name of a file"));
            }
        }
        Ok(())
    }

    /// What to write on v1: controller, file, value; in this order.
    pub(crate) fn v1(&self) -> Result<Vec<Write>, Error> {
        self.check()?;
        for (field, given) in [
            ("memory_min", self.memory_min.is_some()),
            ("memory_high", self.memory_high.is_some()),
            ("unified", !self.unified.is_empty()),
        ] {
            if given {
                return Err(Error::NoController { what: format!("{field} (it needs cgroup v2)") });
            }
        }
        let mut writes = Writes::default();
        let minus_one = |limit: Limit| match limit {
            Limit::Value(value) => value.to_string(),
            Limit::Max => "-1".to_owned(),
        };
        writes.add("memory", "memory.limit_in_bytes", self.memory.map(minus_one));
        // Where the kernel doesn't account for swap there is no file, and no swap beyond the limit to speak of.
        writes.add_if_there("memory", "memory.memsw.limit_in_bytes", self.memory_swap.map(minus_one));
        writes.add("memory", "memory.soft_limit_in_bytes", self.memory_reservation);
        writes.add("cpu", "cpu.shares", self.cpu_shares.filter(|shares| *shares > 0));
        writes.add("cpu", "cpu.cfs_period_us", self.cpu_period);
        writes.add("cpu", "cpu.cfs_quota_us", self.cpu_quota.map(minus_one));
        writes.add("cpuset", "cpuset.cpus", self.cpus.clone());
        writes.add("cpuset", "cpuset.mems", self.memory_nodes.clone());
        writes.add("pids", "pids.max", self.pids.map(max));
        for (size, limit) in &self.huge_pages {
            writes.add("hugetlb", format!("hugetlb.{size}.limit_in_bytes"), Some(minus_one(*limit)));
        }
        Ok(writes.0)
    }

    /// What to write on v2: controller, file, value; in this order.
    pub(crate) fn v2(&self) -> Result<Vec<Write>, Error> {
        self.check()?;
        let mut writes = Writes::default();
        writes.add("memory", "memory.max", self.memory.map(max));
        let swap = match (self.memory_swap, self.memory) {
            (Some(Limit::Value(both)), Some(Limit::Value(memory))) => Some(Limit::Value(both - memory)),
            (swap, _) => swap,
        };
        writes.add_if_there("memory", "memory.swap.max", swap.map(max));
        writes.add("memory", "memory.low", self.memory_reservation);
        writes.add("memory", "memory.min", self.memory_min);
        writes.add("memory", "memory.high", self.memory_high.map(max));
        writes.add("memory", "memory.oom.group", self.oom_group.map(u8::from));
        let weight = self.cpu_shares.map(|shares| self.cpu_weight_formula.weight(shares));
        writes.add("cpu", "cpu.weight", weight.filter(|weight| *weight > 0));
        if self.cpu_quota.is_some() || self.cpu_period.is_some() {
            let quota = max(self.cpu_quota.unwrap_or(Limit::Max));
            let period = self.cpu_period.unwrap_or(100_000);
            writes.add("cpu", "cpu.max", Some(format!("{quota} {period}")));
        }
        writes.add("cpuset", "cpuset.cpus", self.cpus.clone());
        writes.add("cpuset", "cpuset.mems", self.memory_nodes.clone());
        // Zero is what systemd cannot set; the process itself needs one anyway.
        let pids = self.pids.map(|limit| match limit {
            Limit::Value(0) => Limit::Value(1),
            other => other,
        });
        writes.add("pids", "pids.max", pids.map(max));
        for (size, limit) in &self.huge_pages {
            writes.add("hugetlb", format!("hugetlb.{size}.max"), Some(max(*limit)));
        }
        for (file, value) in &self.unified {
            writes.add(controller(file), file.clone(), Some(value));
        }
        Ok(writes.0)
    }

    /// The controllers that are needed.
    pub(crate) fn controllers(&self) -> Vec<&str> {
        let given = [
            (
                "memory",
                self.memory.is_some()
                    || self.memory_reservation.is_some()
                    || self.memory_min.is_some()
                    || self.memory_high.is_some(),
            ),
            ("cpu", self.cpu_shares.is_some() || self.cpu_quota.is_some() || self.cpu_period.is_some()),
            ("cpuset", self.cpus.is_some() || self.memory_nodes.is_some()),
            ("pids", self.pids.is_some()),
            ("hugetlb", !self.huge_pages.is_empty()),
        ];
        let named = given.into_iter().filter(|(_, given)| *given).map(|(name, _)| name);
        named.chain(self.unified.keys().map(|file| controller(file))).collect()
    }
}

/// The controller that a file of v2 belongs to.
fn controller(file: &str) -> &str {
    file.split('.').next().unwrap_or_default()
}

fn max(limit: Limit) -> String {
    match limit {
        Limit::Value(value) => value.to_string(),
        Limit::Max => "max".to_owned(),
    }
}

/// One value to be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Write {
    pub(crate) controller: String,
    pub(crate) file: String,
    pub(crate) value: String,
    /// No error if there is no such file.
    pub(crate) if_there: bool,
}

#[derive(Default)]
struct Writes(Vec<Write>);

impl Writes {
    fn add(&mut self, controller: &str, file: impl Into<String>, value: Option<impl fmt::Display>) {
        self.push(controller, file.into(), value, false);
    }

    fn add_if_there(&mut self, controller: &str, file: &str, value: Option<impl fmt::Display>) {
        self.push(controller, file.to_owned(), value, true);
    }

    fn push(&mut self, controller: &str, file: String, value: Option<impl fmt::Display>, if_there: bool) {
        if let Some(value) = value {
            let (controller, value) = (controller.to_owned(), value.to_string());
            self.0.push(Write { controller, file, value, if_there });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_follow_both_formulas() {
        let table = [
            (2, 1, 1),
            (3, 1, 2),
            (10, 1, 4),
            (51, 2, 11),
            (102, 4, 17),
            (256, 10, 35),
            (512, 20, 59),
            (1_024, 39, 100),
            (2_048, 79, 174),
            (4_096, 157, 303),
            (8_192, 313, 532),
            (65_536, 2_500, 3_023),
            (262_143, 9_999, 10_000),
            (262_144, 10_000, 10_000),
            (u64::MAX, 10_000, 10_000),
            (1, 1, 1),
            (0, 0, 0),
        ];
        for (shares, linear, quadratic) in table {
            assert_eq!(WeightFormula::Linear.weight(shares), linear, "{shares} shares");
            assert_eq!(WeightFormula::Quadratic.weight(shares), quadratic, "{shares} shares");
        }
    }

    fn pairs(writes: Result<Vec<Write>, Error>) -> Vec<(String, String)> {
        writes.expect("valid").into_iter().map(|write| (write.file, write.value)).collect()
    }

    fn strings(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs.iter().map(|(file, value)| ((*file).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn values_go_into_the_files_of_each_version() {
        let resources = Resources {
            memory: Some(Limit::Value(256 << 20)),
            memory_swap: Some(Limit::Value(300 << 20)),
            memory_reservation: Some(1 << 20),
            oom_group: Some(true),
            cpu_shares: Some(512),
            cpus: Some("0-1".to_owned()),
            pids: Some(Limit::Value(0)),
            ..Resources::new().cpu_millis(500)
        };
        assert_eq!(
            pairs(resources.v1()),
            strings(&[
                ("memory.limit_in_bytes", "268435456"),
                ("memory.memsw.limit_in_bytes", "314572800"),
                ("memory.soft_limit_in_bytes", "1048576"),
                ("cpu.shares", "512"),
                ("cpu.cfs_period_us", "100000"),
                ("cpu.cfs_quota_us", "50000"),
                ("cpuset.cpus", "0-1"),
                ("pids.max", "0"),
            ])
        );
        assert_eq!(
            pairs(resources.v2()),
            strings(&[
                ("memory.max", "268435456"),
                ("memory.swap.max", "46137344"),
                ("memory.low", "1048576"),
                ("memory.oom.group", "1"),
                ("cpu.weight", "59"),
                ("cpu.max", "50000 100000"),
                ("cpuset.cpus", "0-1"),
                ("pids.max", "1"),
            ])
        );
        assert_eq!(resources.controllers(), ["memory", "cpu", "cpuset", "pids"]);
        let unified = BTreeMap::from([("io.max".to_owned(), "8:0 rbps=1".to_owned())]);
        assert_eq!(Resources { unified, ..Resources::default() }.controllers(), ["io"]);
        assert_eq!(Resources::new().cpu_millis(u64::MAX).cpu_quota, Some(Limit::Value(u64::MAX)));
        let unlimited = Resources {
            memory: Some(Limit::Max),
            memory_swap: Some(Limit::Max),
            cpu_quota: Some(Limit::Max),
            ..Resources::default()
        };
        assert_eq!(
            pairs(unlimited.v2()),
            strings(&[("memory.max", "max"), ("memory.swap.max", "max"), ("cpu.max", "max 100000")])
        );
        assert_eq!(pairs(unlimited.v1())[2], ("cpu.cfs_quota_us".to_owned(), "-1".to_owned()));
    }

    #[test]
    fn what_contradicts_itself_is_refused() {
        let refused = [
            Resources { memory_swap: Some(Limit::Value(1)), ..Resources::default() },
            Resources { memory_swap: Some(Limit::Value(1)), ..Resources::new().memory(2) },
            Resources { cpu_period: Some(999), ..Resources::default() },
            Resources { cpu_quota: Some(Limit::Value(1)), ..Resources::default() },
            Resources { cpus: Some("0\n1".to_owned()), ..Resources::default() },
            Resources {
                unified: BTreeMap::from([("../x".to_owned(), "1".to_owned())]),
                ..Resources::default()
            },
            Resources {
                unified: BTreeMap::from([("a/b".to_owned(), "1".to_owned())]),
                ..Resources::default()
            },
        ];
        for resources in refused {
            assert!(matches!(resources.v2(), Err(Error::Spec { .. })), "{resources:?}");
        }
        let v2_only = Resources { memory_min: Some(1), ..Resources::default() };
        assert!(matches!(v2_only.v1(), Err(Error::NoController { .. })));
    }
}
