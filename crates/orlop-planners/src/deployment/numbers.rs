//! The arithmetic of a rollout.

use orlop_model::apps::v1::{Deployment, DeploymentStrategyType, ReplicaSet};
use orlop_model::{IntOrString, NotAPercentage};

use super::annotations;
use crate::PlanError;
use crate::replicaset::replicas as set_replicas;

/// How far a rollout may go above and below the number of pods asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Fenceposts {
    /// Pods above.
    pub surge: i32,
    /// Pods below.
    pub unavailable: i32,
}

/// Resolves percentages of `desired` pods: the surge is rounded up, the pods unavailable down. An absent bound is 0; if
/// both are 0 one pod may be unavailable, since the rollout could not move otherwise.
///
/// # Errors
/// If one of them is a text that is not a percentage.
pub fn resolve_fenceposts(
    max_surge: Option<&IntOrString>,
    max_unavailable: Option<&IntOrString>,
    desired: i32,
) -> Result<Fenceposts, NotAPercentage> {
    let scaled = |bound: Option<&IntOrString>, up| bound.map_or(Ok(0), |bound| bound.scaled(desired, up));
    let surge = scaled(max_surge, true)?;
    let unavailable = scaled(max_unavailable, false)?;
    let stuck = surge == 0 && unavailable == 0;
    Ok(Fenceposts { surge, unavailable: if stuck { 1 } else { unavailable } })
}

/// Pods asked for.
pub(super) fn replicas(deployment: &Deployment) -> i32 {
    deployment.spec.replicas.unwrap_or(1)
}

pub(super) fn is_rolling_update(deployment: &Deployment) -> bool {
    deployment.spec.strategy.type_ == DeploymentStrategyType::RollingUpdate
}

/// Zero bounds where they cannot be read: validation lets none of these through.
fn fenceposts(deployment: &Deployment) -> Fenceposts {
    let bounds = deployment.spec.strategy.rolling_update.as_deref();
    resolve_fenceposts(
        bounds.and_then(|bounds| bounds.max_surge.as_ref()),
        bounds.and_then(|bounds| bounds.max_unavailable.as_ref()),
        replicas(deployment),
    )
    .unwrap_or_default()
}

/// Pods that there may be above the number asked for; 0 for the strategy Recreate. Not bounded by that number.
#[must_use]
pub fn max_surge(deployment: &Deployment) -> i32 {
    if is_rolling_update(deployment) { fenceposts(deployment).surge } else { 0 }
}

/// Pods that may be unavailable: at most all; 0 for the strategy Recreate.
#[must_use]
pub fn max_unavailable(deployment: &Deployment) -> i32 {
    let desired = replicas(deployment);
    if is_rolling_update(deployment) && desired != 0 {
        fenceposts(deployment).unavailable.min(desired)
    } else {
        0
    }
}

/// Pods that must stay available; 0 for the strategy Recreate.
#[must_use]
pub fn min_available(deployment: &Deployment) -> i32 {
    if is_rolling_update(deployment) {
        replicas(deployment).wrapping_sub(max_unavailable(deployment))
    } else {
        0
    }
}

/// Sum of what `number` says of each set. Wraps around where Kubernetes' 32-bit sums do.
pub(super) fn sum<'a>(
    sets: impl IntoIterator<Item = &'a ReplicaSet>,
    number: impl Fn(&ReplicaSet) -> i32,
) -> i32 {
    sets.into_iter().fold(0, |sum, set| sum.wrapping_add(number(set)))
}

/// Pods that the ReplicaSets ask for.
#[must_use]
pub fn total_replicas<'a>(sets: impl IntoIterator<Item = &'a ReplicaSet>) -> i32 {
    sum(sets, set_replicas)
}

/// Pods that the new ReplicaSet is to ask for, when all sets together (the new one among them) ask for `total` and the
/// new one for `current`: as many as the surge leaves room for.
///
/// # Errors
/// If the strategy is unknown or its surge is not a percentage.
pub fn new_set_replicas(deployment: &Deployment, total: i32, current: i32) -> Result<i32, PlanError> {
    let desired = replicas(deployment);
    match &deployment.spec.strategy.type_ {
        DeploymentStrategyType::Recreate => Ok(desired),
        DeploymentStrategyType::RollingUpdate => {
            let bounds = deployment.spec.strategy.rolling_update.as_deref();
            let surge = match bounds.and_then(|bounds| bounds.max_surge.as_ref()) {
                None => 0,
                Some(bound) => bound.scaled(desired, true).map_err(|error| {
                    let field = "spec.strategy.rollingUpdate.maxSurge";
                    PlanError::invalid(deployment, field, format!("{bound:?}: {error}"))
                })?,
            };
            let most = desired.wrapping_add(surge);
            if total >= most {
                return Ok(current);
            }
            let room = most.wrapping_sub(total).min(desired.wrapping_sub(current));
            Ok(current.wrapping_add(room))
        }
        DeploymentStrategyType::Other(other) => Err(unknown_strategy(deployment, other)),
    }
}

pub(super) fn unknown_strategy(deployment: &Deployment, type_: &str) -> PlanError {
    PlanError::invalid(
        deployment,
        "spec.strategy.type",
        format!("unexpected deployment strategy type: {type_}"),
    )
}

/// Whether the new set has all pods, all available, and no scaling of the Deployment is under way.
#[must_use]
pub fn is_saturated(deployment: &Deployment, set: &ReplicaSet) -> bool {
    let desired = replicas(deployment);
    set_replicas(set) == desired
        && set
            .metadata
            .annotations
            .get(annotations::DESIRED_REPLICAS)
            .and_then(|text| text.parse::<i64>().ok())
            == Some(i64::from(desired))
        && set.status.available_replicas == desired
}

/// The share of `set` in scaling the Deployment by `to_add` pods (negative: down), `added` of which other sets have
/// taken: in proportion to the set's part of the largest size before.
#[must_use]
pub fn proportion(set: &ReplicaSet, deployment: &Deployment, to_add: i32, added: i32) -> i32 {
    if set_replicas(set) == 0 || to_add == 0 || to_add == added {
        return 0;
    }
    let fraction = fraction(set, deployment);
    let left = to_add.wrapping_sub(added);
    if to_add > 0 { fraction.min(left) } else { fraction.max(left) }
}

/// How many pods more (or fewer, negative) keep the set's part of the whole.
fn fraction(set: &ReplicaSet, deployment: &Deployment) -> i32 {
    let size = set_replicas(set);
    if replicas(deployment) == 0 {
        return size.wrapping_neg();
    }
    let most = replicas(deployment).wrapping_add(max_surge(deployment));
    // Without the annotation the best guess is that the Deployment had its size of now.
    let before = annotations::number(set, annotations::MAX_REPLICAS)
        .filter(|before| *before != 0)
        .unwrap_or(deployment.status.replicas);
    if before == 0 {
        return 0;
    }
    // The product wraps in 32 bits, the quotient is rounded half away from zero: as Kubernetes computes it.
    let size_after = f64::from(size.wrapping_mul(most)) / f64::from(before);
    (size_after.round() as i32).wrapping_sub(size)
}
