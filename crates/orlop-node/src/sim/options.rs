//! How simulated nodes behave.

use std::collections::BTreeMap;
use std::time::Duration;

use orlop_model::Str;
use orlop_model::core::v1::{Container, Pod};

use super::behaviour::{Behaviour, ScriptError, of_tag};

/// Annotation with a script for all containers of a pod; with `.CONTAINER` behind it, for one.
const ANNOTATION: &str = "sim.orlop.dev/behaviour";

/// How simulated nodes behave; shared by all of them.
#[derive(Clone, Debug)]
pub struct SimOptions {
    /// How long it takes to make a sandbox.
    pub sandbox: Duration,
    /// How long it takes to pull an image.
    pub pull: Duration,
    /// How long it takes to start a container.
    pub start: Duration,
    /// How long a container takes to end when asked to.
    pub stop: Duration,
    /// Each of these takes up to this part longer.
    pub jitter: f64,
    /// Bytes of an image.
    pub image_size: u64,
    scripts: BTreeMap<Str, Str>,
}

impl Default for SimOptions {
    fn default() -> Self {
        Self {
            sandbox: Duration::from_millis(100),
            pull: Duration::from_secs(1),
            start: Duration::from_millis(200),
            stop: Duration::from_millis(500),
            jitter: 0.5,
            image_size: 20_000_000,
            scripts: BTreeMap::new(),
        }
    }
}

impl SimOptions {
    /// A script ([`Behaviour`]) for containers of an image, by its whole name, or by its name without tag.
    ///
    /// # Errors
    /// A script that cannot be read.
    pub fn script(mut self, image: impl Into<Str>, script: impl Into<Str>) -> Result<Self, ScriptError> {
        let script = script.into();
        Behaviour::default().apply(&script)?;
        self.scripts.insert(image.into(), script);
        Ok(self)
    }

    pub(super) fn behaviour(&self, pod: &Pod, container: &Container) -> Result<Behaviour, ScriptError> {
        let mut behaviour = Behaviour::of(pod, container);
        self.of_image(&container.image, &mut behaviour)?;
        let annotations = &pod.metadata.annotations;
        let own = format!("{ANNOTATION}.{}", container.name);
        for script in [ANNOTATION, &own].into_iter().filter_map(|name| annotations.get(name)) {
            behaviour.apply(script)?;
        }
        Ok(behaviour)
    }

    pub(super) fn of_image(&self, image: &str, behaviour: &mut Behaviour) -> Result<(), ScriptError> {
        if let Some(script) = of_tag(image) {
            behaviour.apply(script)?;
        }
        let untagged = image.rsplit_once(':').map_or(image, |(name, _)| name);
        for script in [untagged, image].into_iter().filter_map(|name| self.scripts.get(name)) {
            behaviour.apply(script)?;
        }
        Ok(())
    }
}
