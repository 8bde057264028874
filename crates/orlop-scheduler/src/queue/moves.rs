//! [`Moves`]: how often pods came to which place of the queue, and why.

use std::fmt;

use crate::framework::ClusterEvent;

macro_rules! labels {
    ($(#[$meta:meta])* $name:ident { $($(#[$doc:meta])* $variant:ident = $text:literal,)* }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum $name {
            $($(#[$doc])* $variant,)*
        }

        impl $name {
            /// All there are.
            pub const ALL: &[Self] = &[$(Self::$variant),*];

            /// kube-scheduler's label.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $text,)*
                }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str(self.as_str())
            }
        }
    };
}

labels! {
    /// A place where a pod waits.
    QueuePlace {
        /// Ready to be tried.
        Active = "active",
        /// Waiting for its back-off to pass.
        Backoff = "backoff",
        /// Waiting for an event.
        Unschedulable = "unschedulable",
        /// Kept out.
        Gated = "gated",
    }
}

labels! {
    /// Why a pod came to where it waits.
    Cause {
        /// It is new.
        PodAdd = "PodAdd",
        /// It changed.
        PodUpdate = "PodUpdate",
        /// A try came to nothing.
        AttemptFailure = "ScheduleAttemptFailure",
        /// Its back-off has passed.
        BackoffComplete = "BackoffComplete",
        /// It has waited for an event for too long.
        UnschedulableTimeout = "UnschedulableTimeout",
        /// Somebody asked for it.
        Activate = "ForceActivate",
        /// A node appeared.
        NodeAdd = "NodeAdd",
        /// A node changed.
        NodeUpdate = "NodeUpdate",
        /// A node disappeared.
        NodeDelete = "NodeDelete",
        /// A pod was placed.
        AssignedPodAdd = "AssignedPodAdd",
        /// A placed pod changed.
        AssignedPodUpdate = "AssignedPodUpdate",
        /// A pod left its node.
        AssignedPodDelete = "AssignedPodDelete",
        /// Another object changed.
        Other = "Other",
    }
}

impl Cause {
    pub(super) fn of(event: &ClusterEvent) -> Self {
        match event {
            ClusterEvent::NodeAdded(_) => Self::NodeAdd,
            ClusterEvent::NodeUpdated { .. } => Self::NodeUpdate,
            ClusterEvent::NodeRemoved(_) => Self::NodeDelete,
            ClusterEvent::PodPlaced(_) => Self::AssignedPodAdd,
            ClusterEvent::PodUpdated { .. } => Self::AssignedPodUpdate,
            ClusterEvent::PodGone(_) => Self::AssignedPodDelete,
            ClusterEvent::PendingUpdated { .. } => Self::PodUpdate,
            ClusterEvent::Storage(_) | ClusterEvent::Other { .. } => Self::Other,
        }
    }
}

/// How often pods came to which place of the queue, and why: kube-scheduler's
/// `scheduler_queue_incoming_pods_total`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Moves([[u64; Cause::ALL.len()]; QueuePlace::ALL.len()]);

impl Moves {
    pub(crate) fn count(&mut self, place: QueuePlace, cause: Cause) {
        self.0[place as usize][cause as usize] += 1;
    }

    /// How often pods came to `place` because of `cause`.
    #[must_use]
    pub fn get(&self, place: QueuePlace, cause: Cause) -> u64 {
        self.0[place as usize][cause as usize]
    }

    /// All that happened at least once.
    pub fn iter(&self) -> impl Iterator<Item = (QueuePlace, Cause, u64)> + '_ {
        let all =
            QueuePlace::ALL.iter().flat_map(|&place| Cause::ALL.iter().map(move |&cause| (place, cause)));
        all.map(|(place, cause)| (place, cause, self.get(place, cause))).filter(|(.., times)| *times > 0)
    }
}
