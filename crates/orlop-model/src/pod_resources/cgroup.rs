//! What the kernel is told by control groups.

use crate::core::v1::{Container, Pod, PodQOSClass, ResourceRequirements, resource_name};
use crate::{Map, Quantity};

use super::{
    Counting, hugepages, limits_visiting, milli_value, nonzero, oom_score_adj, qos_class, requests, value,
};

/// Limits of huge pages: the size of a page in bytes, ascending, and the limit of all of that size in bytes.
pub type HugepageLimits = Vec<(i64, i64)>;

/// The limit of pages of this size.
fn limit_of(limits: &mut HugepageLimits, size: i64) -> &mut i64 {
    let place = match limits.binary_search_by_key(&size, |(size, _)| *size) {
        Ok(place) => place,
        Err(place) => {
            limits.insert(place, (size, 0));
            place
        }
    };
    &mut limits[place].1
}

const MIN_SHARES: u64 = 2;
const MAX_SHARES: u64 = 262_144;
/// The least quota that the kernel takes, in µs.
const MIN_QUOTA: i64 = 1000;

/// cpu.shares (cgroup v1) of a request in thousandths of a cpu: 1024 per cpu, from 2 to 262144.
#[must_use]
pub fn cpu_shares(milli_cpu: i64) -> u64 {
    let shares = milli_cpu.wrapping_mul(1024) / 1000;
    u64::try_from(shares).unwrap_or(0).clamp(MIN_SHARES, MAX_SHARES)
}

/// CFS quota in µs per `period` µs of a limit in thousandths of a cpu; 0: none. At least 1000.
#[must_use]
pub fn cpu_quota(milli_cpu: i64, period: i64) -> i64 {
    match milli_cpu {
        0 => 0,
        _ => (milli_cpu.wrapping_mul(period) / 1000).max(MIN_QUOTA),
    }
}

/// cpu.weight (cgroup v2) of a pod's cpu.shares, as Kubernetes computes it: linear, so that 1024
/// shares are 39.
#[must_use]
pub fn pod_cpu_weight(shares: u64) -> u64 {
    1 + (shares.clamp(MIN_SHARES, MAX_SHARES) - MIN_SHARES) * 9999 / (MAX_SHARES - MIN_SHARES)
}

/// cpu.weight (cgroup v2) of a container's cpu.shares, as OCI runtimes compute it: quadratic in the
/// logarithm, so that 1024 shares are the default of 100.
#[must_use]
pub fn runtime_cpu_weight(shares: u64) -> u64 {
    match shares {
        0 => 0,
        1..=MIN_SHARES => 1,
        MAX_SHARES.. => 10_000,
        _ => {
            #[expect(clippy::cast_precision_loss, reason = "at most 18 bits")]
            let logarithm = (shares as f64).log2();
            let exponent = (logarithm * logarithm + 125.0 * logarithm) / 612.0 - 7.0 / 34.0;
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "between 1 and 10000"
            )]
            let weight = 10.0_f64.powf(exponent).ceil() as u64;
            weight
        }
    }
}

/// What the kernel is told about one container.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContainerCgroup {
    /// cpu.shares; [`runtime_cpu_weight`] makes a cpu.weight of it.
    pub cpu_shares: u64,
    /// CFS quota in µs per period; 0: none.
    pub cpu_quota: i64,
    /// CFS period in µs.
    pub cpu_period: i64,
    /// Memory limit in bytes; 0: none.
    pub memory_limit: i64,
    /// Limits of huge pages that the container, or else its pod, declares.
    pub hugepage_limits: HugepageLimits,
    /// `oom_score_adj`.
    pub oom_score_adj: i64,
}

impl ContainerCgroup {
    /// The values of a container of a pod, on a node with `memory_capacity` bytes and CFS periods of
    /// `cpu_period` µs.
    #[must_use]
    pub fn new(pod: &Pod, container: &Container, memory_capacity: i64, cpu_period: i64) -> Self {
        let own = &container.resources;
        let whole = pod.spec.resources.as_deref();
        let cpu_limit = limit(own, whole, resource_name::CPU).map_or(0, Quantity::milli_value);
        let memory_limit = limit(own, whole, resource_name::MEMORY).map_or(0, Quantity::value);
        let cpu_request = match own.requests.get(resource_name::CPU) {
            Some(request) => request.milli_value(),
            None => cpu_limit,
        };
        let mut hugepage_limits = HugepageLimits::new();
        for limits in whole.map(|whole| &whole.limits).into_iter().chain([&own.limits]) {
            for (size, limit) in hugepages(limits) {
                *limit_of(&mut hugepage_limits, size) = limit.value();
            }
        }
        Self {
            cpu_shares: cpu_shares(cpu_request),
            cpu_quota: cpu_quota(cpu_limit, cpu_period),
            cpu_period,
            memory_limit,
            hugepage_limits,
            oom_score_adj: oom_score_adj(pod, container, memory_capacity),
        }
    }
}

/// A container's own limit, or else that of its pod as a whole.
fn limit<'a>(
    own: &'a ResourceRequirements,
    whole: Option<&'a ResourceRequirements>,
    name: &str,
) -> Option<&'a Quantity> {
    nonzero(&own.limits, name).or_else(|| whole?.limits.get(name))
}

/// What the kernel is told about a pod as a whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PodCgroup {
    /// cpu.shares; [`pod_cpu_weight`] makes a cpu.weight of it.
    pub cpu_shares: u64,
    /// CFS quota in µs per period, 0: unlimited; `None` unless every container has a limit.
    pub cpu_quota: Option<i64>,
    /// CFS period in µs, where there is a quota.
    pub cpu_period: Option<i64>,
    /// Memory limit in bytes; `None` unless every container has one.
    pub memory_limit: Option<i64>,
    /// Limits of huge pages: what the pod requests.
    pub hugepage_limits: HugepageLimits,
}

impl PodCgroup {
    /// The values of a pod, with CFS periods of `cpu_period` µs.
    #[must_use]
    pub fn new(pod: &Pod, cpu_period: i64) -> Self {
        let counting = Counting::default();
        let requests = requests(pod, &counting);
        let (mut cpu_limited, mut memory_limited) = (true, true);
        let limits = limits_visiting(pod, &counting, &mut |limits: &Map<Quantity>| {
            cpu_limited &= nonzero(limits, resource_name::CPU).is_some();
            memory_limited &= nonzero(limits, resource_name::MEMORY).is_some();
        });
        if let Some(whole) = &pod.spec.resources {
            cpu_limited |= nonzero(&whole.limits, resource_name::CPU).is_some();
            memory_limited |= nonzero(&whole.limits, resource_name::MEMORY).is_some();
        }
        let (cpu_shares, cpu_limited, memory_limited) = match qos_class(pod) {
            PodQOSClass::Guaranteed => (true, true, true),
            PodQOSClass::Burstable => (true, cpu_limited, memory_limited),
            _ => (false, false, false),
        };
        let mut hugepage_limits = HugepageLimits::new();
        for (size, request) in hugepages(&requests) {
            *limit_of(&mut hugepage_limits, size) += request.value();
        }
        let quota = cpu_quota(milli_value(&limits, resource_name::CPU), cpu_period);
        Self {
            cpu_shares: match cpu_shares {
                true => self::cpu_shares(milli_value(&requests, resource_name::CPU)),
                false => MIN_SHARES,
            },
            cpu_quota: cpu_limited.then_some(quota),
            cpu_period: cpu_limited.then_some(cpu_period),
            memory_limit: memory_limited.then(|| value(&limits, resource_name::MEMORY)),
            hugepage_limits,
        }
    }
}
