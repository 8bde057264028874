//! [`Plugin`], the root of all extension points, and [`Reads`], what a plugin's answer depends on.

use std::fmt;

/// What every plugin has.
///
/// A plugin is a value without inner state: what it answers follows from its configuration and its
/// arguments alone. The engine relies on that when it keeps answers.
pub trait Plugin: fmt::Debug + Send + Sync + 'static {
    /// Name in messages, explanations and profiles; constant, unique within a profile.
    fn name(&self) -> &str;
}

/// What a plugin's answer for a node depends on, beside the pod's signature and the plugin's own
/// configuration. The engine may keep an answer until something of that kind changes, so a plugin
/// must not look at more than it declares; the order is from narrow to wide.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reads {
    /// The node object: name, labels, taints, allocatable resources, images.
    Static,
    /// That, and the node's own load: requests, pods, ports.
    Local,
    /// That, and aggregates over other nodes and pods of the cluster.
    Domain,
    /// Anything; evaluated anew each time.
    Anything,
}
