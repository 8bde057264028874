//! [`Status`], a plugin's answer with its reasons, and [`Verdict`], the answer of a filter.

use std::fmt;

use orlop_model::Str;
use smallvec::SmallVec;

/// What a plugin's answer means, as in kube-scheduler's framework.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Code {
    /// Go on.
    Success,
    /// The plugin failed; the pod is tried again after a back-off.
    Error,
    /// The pod does not fit here; evicting other pods may change that.
    Unschedulable,
    /// The pod does not fit here, and evicting pods would not help.
    UnschedulableAndUnresolvable,
    /// Wait before binding.
    Wait,
    /// The plugin has nothing to say about this pod.
    Skip,
    /// Not now; an event that this plugin waits for puts the pod back without a back-off.
    Pending,
}

impl Code {
    /// kube-scheduler's name of the code.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Success => "Success",
            Self::Error => "Error",
            Self::Unschedulable => "Unschedulable",
            Self::UnschedulableAndUnresolvable => "UnschedulableAndUnresolvable",
            Self::Wait => "Wait",
            Self::Skip => "Skip",
            Self::Pending => "Pending",
        }
    }

    /// Whether the pod was turned down (rather than accepted, or failed by an error).
    #[must_use]
    pub fn is_rejected(self) -> bool {
        matches!(self, Self::Unschedulable | Self::UnschedulableAndUnresolvable | Self::Pending)
    }
}

impl fmt::Display for Code {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// Why a node, or a pod, was turned down. Prints kube-scheduler's words; the figures behind them
/// are kept for [`Explanation`](crate::Explanation).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reason {
    /// A fixed text.
    Fixed(&'static str),
    /// A text made by the plugin.
    Text(Str),
    /// `Too many pods`: the node has no place for one more.
    TooManyPods {
        /// Pods on the node.
        placed: i64,
        /// Pods that the node may hold.
        allocatable: i64,
    },
    /// `Insufficient RESOURCE`.
    Insufficient {
        /// Name of the resource.
        resource: Str,
        /// What the pod asks for: millicores of cpu, units of all others.
        requested: i64,
        /// What the node's pods have requested.
        used: i64,
        /// What the node offers.
        allocatable: i64,
    },
}

impl Reason {
    /// How much of a resource is lacking (millicores or units), where the reason is one.
    #[must_use]
    pub fn deficit(&self) -> Option<i64> {
        match self {
            Self::TooManyPods { placed, allocatable } => {
                Some(placed.saturating_add(1).saturating_sub(*allocatable))
            }
            Self::Insufficient { requested, used, allocatable, .. } => {
                Some(requested.saturating_add(*used).saturating_sub(*allocatable))
            }
            Self::Fixed(_) | Self::Text(_) => None,
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fixed(text) => formatter.write_str(text),
            Self::Text(text) => formatter.write_str(text),
            Self::TooManyPods { .. } => formatter.write_str("Too many pods"),
            Self::Insufficient { resource, .. } => write!(formatter, "Insufficient {resource}"),
        }
    }
}

impl From<&'static str> for Reason {
    fn from(text: &'static str) -> Self {
        Self::Fixed(text)
    }
}

impl From<String> for Reason {
    fn from(text: String) -> Self {
        Self::Text(text.into())
    }
}

/// A code and its reasons.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Status {
    code: Code,
    reasons: SmallVec<[Reason; 1]>,
}

impl Status {
    /// A status of any code.
    #[must_use]
    pub fn new<R: Into<Reason>>(code: Code, reasons: impl IntoIterator<Item = R>) -> Self {
        Self { code, reasons: reasons.into_iter().map(Into::into).collect() }
    }

    /// Success, without a reason.
    #[must_use]
    pub fn success() -> Self {
        Self { code: Code::Success, reasons: SmallVec::new() }
    }

    /// Turned down; evicting other pods may help.
    #[must_use]
    pub fn unschedulable(reason: impl Into<Reason>) -> Self {
        Self::new(Code::Unschedulable, [reason])
    }

    /// Turned down; evicting other pods would not help.
    #[must_use]
    pub fn unresolvable(reason: impl Into<Reason>) -> Self {
        Self::new(Code::UnschedulableAndUnresolvable, [reason])
    }

    /// The plugin failed.
    #[must_use]
    pub fn error(reason: impl Into<Reason>) -> Self {
        Self::new(Code::Error, [reason])
    }

    /// What the answer is.
    #[must_use]
    pub fn code(&self) -> Code {
        self.code
    }

    /// Its reasons, in the plugin's order.
    #[must_use]
    pub fn reasons(&self) -> &[Reason] {
        &self.reasons
    }

    /// The reasons joined by `, `.
    #[must_use]
    pub fn message(&self) -> String {
        let mut text = String::new();
        for reason in &self.reasons {
            if !text.is_empty() {
                text.push_str(", ");
            }
            text.push_str(&reason.to_string());
        }
        text
    }
}

impl fmt::Display for Status {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.reasons.is_empty() {
            self.code.fmt(formatter)
        } else {
            write!(formatter, "{}: {}", self.code, self.message())
        }
    }
}

/// A filter's answer for one node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The pod may go there.
    Pass,
    /// It may not (or the plugin failed), and why.
    Reject(Status),
}

impl Verdict {
    /// Turned down; evicting pods from the node may help.
    #[must_use]
    pub fn unschedulable(reason: impl Into<Reason>) -> Self {
        Self::Reject(Status::unschedulable(reason))
    }

    /// Turned down; evicting pods would not help.
    #[must_use]
    pub fn unresolvable(reason: impl Into<Reason>) -> Self {
        Self::Reject(Status::unresolvable(reason))
    }

    /// Passes where `passes`, else turned down for good with `reason`.
    #[must_use]
    pub fn pass_if(passes: bool, reason: &'static str) -> Self {
        if passes { Self::Pass } else { Self::unresolvable(reason) }
    }

    /// Whether the pod may go there.
    #[must_use]
    pub fn passes(&self) -> bool {
        matches!(self, Self::Pass)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_print_kube_schedulers_words() {
        let status = Status::new(
            Code::Unschedulable,
            [
                Reason::TooManyPods { placed: 4, allocatable: 4 },
                Reason::Insufficient {
                    resource: "cpu".into(),
                    requested: 500,
                    used: 3_600,
                    allocatable: 4_000,
                },
            ],
        );
        assert_eq!(status.message(), "Too many pods, Insufficient cpu");
        assert_eq!(status.to_string(), "Unschedulable: Too many pods, Insufficient cpu");
        let deficits: Vec<_> = status.reasons().iter().map(Reason::deficit).collect();
        assert_eq!(deficits, [Some(1), Some(100)]);
    }
}
