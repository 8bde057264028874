//! [`ScoringStrategy`]: how full a node should be.

use orlop_model::Str;
use thiserror::Error;

use crate::framework::MAX_SCORE;

/// A resource and how much it counts.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ResourceWeight {
    /// Name of the resource.
    pub name: Str,
    /// From 1 to 100.
    pub weight: i64,
}

impl ResourceWeight {
    /// A resource and its weight; a weight of 0 becomes 1, as in kube-scheduler's configuration.
    #[must_use]
    pub fn new(name: impl Into<Str>, weight: i64) -> Self {
        Self { name: name.into(), weight: if weight == 0 { 1 } else { weight } }
    }
}

/// A point of a [`StrategyKind::RequestedToCapacityRatio`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ShapePoint {
    /// Per cent of the resource requested, 0 to 100.
    pub utilization: i64,
    /// Score there, 0 to 10.
    pub score: i64,
}

/// Which nodes are better.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum StrategyKind {
    /// Those with more left over.
    LeastAllocated,
    /// Those that are fuller.
    MostAllocated,
    /// As a broken line says, by per cent requested.
    RequestedToCapacityRatio(Vec<ShapePoint>),
}

/// A scoring strategy with the resources that it looks at.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ScoringStrategy {
    kind: StrategyKind,
    resources: Vec<ResourceWeight>,
}

/// A strategy that cannot be.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum ScoringError {
    /// A weight out of range.
    #[error("resource {resource:?}: weight {weight} is not from 1 to 100")]
    Weight {
        /// Name of the resource.
        resource: Str,
        /// The weight given.
        weight: i64,
    },
    /// A resource twice.
    #[error("resource {resource:?} is there twice")]
    Twice {
        /// Name of the resource.
        resource: Str,
    },
    /// A shape without points.
    #[error("shape has no points")]
    NoShape,
    /// A point out of range.
    #[error(
        "shape[{index}]: utilization {utilization} is not from 0 to 100, or score {score} not from 0 to 10"
    )]
    Point {
        /// Place of the point in the shape.
        index: usize,
        /// Its utilization.
        utilization: i64,
        /// Its score.
        score: i64,
    },
    /// Points out of order.
    #[error("shape[{index}]: utilization {utilization} is not above the one before it")]
    Order {
        /// Place of the point in the shape.
        index: usize,
        /// Its utilization.
        utilization: i64,
    },
}

impl ScoringStrategy {
    /// A strategy over some resources.
    ///
    /// # Errors
    /// [`ScoringError`] for weights outside 1 to 100, a resource given twice, or a shape whose
    /// points are missing, out of range or not ascending.
    pub fn new(
        kind: StrategyKind,
        resources: impl IntoIterator<Item = ResourceWeight>,
    ) -> Result<Self, ScoringError> {
        let resources: Vec<_> = resources.into_iter().collect();
        for (index, ResourceWeight { name, weight }) in resources.iter().enumerate() {
            if !(1..=100).contains(weight) {
                return Err(ScoringError::Weight { resource: name.clone(), weight: *weight });
            }
            if resources[..index].iter().any(|other| other.name == *name) {
                return Err(ScoringError::Twice { resource: name.clone() });
            }
        }
        if let StrategyKind::RequestedToCapacityRatio(shape) = &kind {
            if shape.is_empty() {
                return Err(ScoringError::NoShape);
            }
            for (index, &ShapePoint { utilization, score }) in shape.iter().enumerate() {
                if !(0..=100).contains(&utilization) || !(0..=10).contains(&score) {
                    return Err(ScoringError::Point { index, utilization, score });
                }
                if index > 0 && shape[index - 1].utilization >= utilization {
                    return Err(ScoringError::Order { index, utilization });
                }
            }
        }
        Ok(Self { kind, resources })
    }

    /// One of the kinds without parameters over cpu and memory, weight 1 each.
    pub(super) fn of_cpu_and_memory(kind: StrategyKind) -> Self {
        Self { kind, resources: vec![ResourceWeight::new("cpu", 1), ResourceWeight::new("memory", 1)] }
    }

    /// The resources and their weights.
    #[must_use]
    pub fn resources(&self) -> &[ResourceWeight] {
        &self.resources
    }

    /// The score of a node from `(offered, requested with the pod, weight)` of each resource that
    /// the node has.
    #[inline]
    pub(super) fn score(&self, resources: impl Iterator<Item = (i64, i64, i64)>) -> i64 {
        let mut sum = 0_i64;
        let mut weights = 0_i64;
        for (offered, requested, weight) in resources {
            let score = match &self.kind {
                StrategyKind::LeastAllocated if requested > offered => 0,
                StrategyKind::LeastAllocated => percent(offered.wrapping_sub(requested), offered),
                StrategyKind::MostAllocated => percent(requested.min(offered), offered),
                StrategyKind::RequestedToCapacityRatio(shape) => {
                    let utilization = if requested > offered { 100 } else { percent(requested, offered) };
                    match on_line(shape, utilization) {
                        // A resource that scores nothing does not count at all.
                        ..=0 => continue,
                        score => score,
                    }
                }
            };
            sum = sum.wrapping_add(score.wrapping_mul(weight));
            weights = weights.wrapping_add(weight);
        }
        if weights == 0 {
            return 0;
        }
        if matches!(self.kind, StrategyKind::RequestedToCapacityRatio(_)) {
            (sum as f64 / weights as f64).round() as i64
        } else {
            sum.wrapping_div(weights)
        }
    }
}

#[inline]
fn percent(part: i64, whole: i64) -> i64 {
    part.wrapping_mul(MAX_SCORE).wrapping_div(whole)
}

/// The broken line through `shape` at `x`, scores stretched to 0 to 100; integer division, which
/// truncates also where the line falls.
fn on_line(shape: &[ShapePoint], x: i64) -> i64 {
    let stretch = MAX_SCORE / 10;
    let Some(after) = shape.iter().position(|point| x <= point.utilization) else {
        return shape.last().map_or(0, |point| point.score * stretch);
    };
    let right = shape[after];
    let Some(left) = after.checked_sub(1).map(|before| shape[before]) else {
        return right.score * stretch;
    };
    left.score * stretch
        + (right.score - left.score) * stretch * (x - left.utilization)
            / (right.utilization - left.utilization)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_is_truncated_where_it_falls() {
        let shape = [ShapePoint { utilization: 0, score: 10 }, ShapePoint { utilization: 70, score: 0 }];
        assert_eq!(on_line(&shape, 0), 100);
        assert_eq!(on_line(&shape, 1), 99);
        assert_eq!(on_line(&shape, 69), 2);
        assert_eq!(on_line(&shape, 100), 0);
    }

    #[test]
    fn impossible_strategies_are_refused() {
        let point = |utilization, score| ShapePoint { utilization, score };
        let shape = |points| ScoringStrategy::new(StrategyKind::RequestedToCapacityRatio(points), []);
        assert_eq!(shape(vec![]).unwrap_err(), ScoringError::NoShape);
        assert_eq!(
            shape(vec![point(0, 11)]).unwrap_err(),
            ScoringError::Point { index: 0, utilization: 0, score: 11 }
        );
        assert_eq!(
            shape(vec![point(5, 1), point(5, 2)]).unwrap_err(),
            ScoringError::Order { index: 1, utilization: 5 }
        );
        let weights = [ResourceWeight::new("cpu", 1), ResourceWeight::new("cpu", 0)];
        assert_eq!(
            ScoringStrategy::new(StrategyKind::LeastAllocated, weights).unwrap_err(),
            ScoringError::Twice { resource: "cpu".into() }
        );
    }
}
