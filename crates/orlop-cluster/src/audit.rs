//! What is left behind on nodes.

use std::fmt;

use orlop_model::{ObjectKey, Str};

/// A pod that a node still has although the API has it no more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leftover {
    /// The node.
    pub node: Str,
    /// Namespace and name of the pod.
    pub pod: ObjectKey,
    /// Its UID.
    pub uid: Str,
}

impl fmt::Display for Leftover {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "pod {} ({}) on node {}", self.pod, self.uid, self.node)
    }
}
