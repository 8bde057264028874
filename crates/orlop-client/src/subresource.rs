//! Parts of an object with a path of their own.

use std::{borrow::Cow, fmt};

/// What of an object a verb is about.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub enum Subresource {
    /// The object itself.
    #[default]
    Main,
    /// Its status.
    Status,
    /// Its number of replicas, as a `Scale` of `autoscaling/v1`.
    Scale,
    /// Binding a pod to a node.
    Binding,
    /// Evicting a pod.
    Eviction,
    /// Resizing a pod's containers in place.
    Resize,
    /// A pod's ephemeral containers.
    EphemeralContainers,
    /// A namespace's finalizers (`finalize`).
    Finalize,
    /// Any other, by its name in the path.
    Other(Cow<'static, str>),
}

impl Subresource {
    /// The last segment of the path, empty for the object itself.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Main => "",
            Self::Status => "status",
            Self::Scale => "scale",
            Self::Binding => "binding",
            Self::Eviction => "eviction",
            Self::Resize => "resize",
            Self::EphemeralContainers => "ephemeralcontainers",
            Self::Finalize => "finalize",
            Self::Other(name) => name,
        }
    }

    /// Whether this is the object itself.
    pub fn is_main(&self) -> bool {
        matches!(self, Self::Main)
    }
}

impl fmt::Display for Subresource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
