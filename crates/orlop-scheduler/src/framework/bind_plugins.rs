//! [`BindPlugins`]: what a profile does once a pod is decided about.

use std::sync::Arc;

use super::{Bind, PostBind, PreBind, ProfileBuilder};

/// The plugins around the binding, each in the order of addition. Shared, as they run beside the
/// scheduler.
#[derive(Clone, Debug, Default)]
pub(crate) struct BindPlugins {
    pub(crate) pre_bind: Vec<Arc<dyn PreBind>>,
    pub(crate) bind: Vec<Arc<dyn Bind>>,
    pub(crate) post_bind: Vec<Arc<dyn PostBind>>,
}

impl BindPlugins {
    #[cfg(feature = "driver")]
    pub(crate) fn is_empty(&self) -> bool {
        self.pre_bind.is_empty() && self.bind.is_empty() && self.post_bind.is_empty()
    }

    /// The names, by extension point.
    pub(super) fn names(&self) -> [(&'static str, Vec<&str>); 3] {
        [
            ("preBind", self.pre_bind.iter().map(|plugin| plugin.name()).collect()),
            ("bind", self.bind.iter().map(|plugin| plugin.name()).collect()),
            ("postBind", self.post_bind.iter().map(|plugin| plugin.name()).collect()),
        ]
    }

    pub(super) fn without(&mut self, name: &str) {
        self.pre_bind.retain(|plugin| plugin.name() != name);
        self.bind.retain(|plugin| plugin.name() != name);
        self.post_bind.retain(|plugin| plugin.name() != name);
    }
}

impl ProfileBuilder {
    /// Adds a plugin that prepares bindings.
    #[must_use]
    pub fn pre_bind(mut self, plugin: impl PreBind) -> Self {
        self.profile.binding.pre_bind.push(Arc::new(plugin));
        self
    }

    /// Adds a plugin that binds pods in place of the actuator.
    #[must_use]
    pub fn bind(mut self, plugin: impl Bind) -> Self {
        self.profile.binding.bind.push(Arc::new(plugin));
        self
    }

    /// Adds a plugin that is told of pods that were bound.
    #[must_use]
    pub fn post_bind(mut self, plugin: impl PostBind) -> Self {
        self.profile.binding.post_bind.push(Arc::new(plugin));
        self
    }
}
