//! The plugins of a node's resources.

mod balanced;
mod fit;
mod strategy;

pub use balanced::NodeResourcesBalancedAllocation;
pub use fit::{FitOptions, NodeResourcesFit};
pub use strategy::{ResourceWeight, ScoringError, ScoringStrategy, ShapePoint, StrategyKind};

use orlop_model::Str;
use orlop_model::core::v1::resource_name;

use crate::cluster::{NodeView, is_scalar};

/// The resources of a node that a scorer looks at: which, and how their names are looked up.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Kind {
    Cpu,
    Memory,
    EphemeralStorage,
    Scalar(Str),
    /// A name that no node offers to the scheduler.
    Unknown,
}

impl Kind {
    fn of(name: &Str) -> Self {
        match name.as_str() {
            resource_name::CPU => Self::Cpu,
            resource_name::MEMORY => Self::Memory,
            resource_name::EPHEMERAL_STORAGE => Self::EphemeralStorage,
            other if is_scalar(other) => Self::Scalar(name.clone()),
            _ => Self::Unknown,
        }
    }

    /// What the node offers and what its pods request of it, or `None` where there is nothing to
    /// rate: the node does not have it, or it is a scalar that the pod does not ask for.
    #[inline]
    fn on(&self, node: NodeView<'_>, pod: i64, non_zero: bool) -> Option<(i64, i64)> {
        let (offered, used) = match self {
            Self::Cpu => (
                node.allocatable().milli_cpu,
                if non_zero { node.non_zero_milli_cpu() } else { node.requested().milli_cpu },
            ),
            Self::Memory => (
                node.allocatable().memory,
                if non_zero { node.non_zero_memory() } else { node.requested().memory },
            ),
            Self::EphemeralStorage => {
                (node.allocatable().ephemeral_storage, node.requested().ephemeral_storage)
            }
            Self::Scalar(_) if pod == 0 => return None,
            Self::Scalar(name) => {
                (node.allocatable().scalar(name)?, node.requested().scalar(name).unwrap_or(0))
            }
            Self::Unknown => return None,
        };
        (offered != 0).then_some((offered, used))
    }
}
