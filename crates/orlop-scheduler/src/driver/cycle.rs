//! The binding cycle: PreBind, Bind, PostBind.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use futures::FutureExt as _;
use orlop_client::Error;
use orlop_model::Str;
use orlop_model::core::v1::Pod;
use thiserror::Error as ThisError;

use super::Actuator;
use crate::framework::{BindPlugins, BindVerdict, panic_message};

/// Why a pod could not be bound.
#[derive(Debug, ThisError)]
pub(super) enum BindError {
    /// A plugin failed.
    #[error("{}running {point} plugin {plugin:?}: {message}", if *point == "Bind" { "binding rejected: " } else { "" })]
    Plugin {
        /// Extension point.
        point: &'static str,
        /// Name of the plugin.
        plugin: Str,
        /// What it said.
        message: String,
    },
    /// The actuator failed.
    #[error("binding rejected: running Bind plugin \"DefaultBinder\": {0}")]
    Actuator(Error),
    /// The actuator panicked.
    #[error("binding rejected: running Bind plugin \"DefaultBinder\": {0}")]
    Panicked(String),
}

impl BindError {
    /// Whether there is no such pod any more.
    pub(super) fn is_pod_gone(&self) -> bool {
        matches!(self, Self::Actuator(error) if error.is_not_found())
    }
}

/// Binds the pod to the node: all that a profile's plugins and the actuator have to do for it. What
/// panics fails.
pub(super) async fn bind(
    plugins: Option<BindPlugins>,
    actuator: &dyn Actuator,
    pod: &Arc<Pod>,
    node: &Str,
) -> Result<(), BindError> {
    let Some(plugins) = plugins else {
        return act(actuator, pod, node).await;
    };
    for plugin in &plugins.pre_bind {
        let failed = |message| BindError::Plugin { point: "PreBind", plugin: plugin.name().into(), message };
        let answer = AssertUnwindSafe(plugin.pre_bind(pod, node)).catch_unwind().await;
        answer.map_err(|panic| failed(panic_message(&*panic)))?.map_err(|status| failed(status.message()))?;
    }
    let mut bound = false;
    for plugin in &plugins.bind {
        let failed = |message| BindError::Plugin { point: "Bind", plugin: plugin.name().into(), message };
        let answer = AssertUnwindSafe(plugin.bind(pod, node)).catch_unwind().await;
        match answer.map_err(|panic| failed(panic_message(&*panic)))? {
            BindVerdict::Bound => {
                bound = true;
                break;
            }
            BindVerdict::Skip => {}
            BindVerdict::Failed(status) => return Err(failed(status.message())),
        }
    }
    if !bound {
        act(actuator, pod, node).await?;
    }
    for plugin in &plugins.post_bind {
        // The pod is bound, whatever these make of it.
        let _ = AssertUnwindSafe(plugin.post_bind(pod, node)).catch_unwind().await;
    }
    Ok(())
}

async fn act(actuator: &dyn Actuator, pod: &Arc<Pod>, node: &Str) -> Result<(), BindError> {
    let acting = async {
        actuator.pre_bind(pod, node).await?;
        actuator.bind(pod, node).await
    };
    match AssertUnwindSafe(acting).catch_unwind().await {
        Ok(result) => result.map_err(BindError::Actuator),
        Err(panic) => Err(BindError::Panicked(panic_message(&*panic))),
    }
}

#[cfg(test)]
mod tests {
    use async_trait::async_trait;
    use orlop_clock::Timestamp;
    use parking_lot::Mutex;

    use super::super::{Eviction, Note, Unscheduled};
    use super::*;
    use crate::framework::{Bind, Plugin, PostBind, PreBind, Status};

    #[derive(Clone, Debug)]
    struct Teller(&'static str, Arc<Mutex<Vec<&'static str>>>);

    impl Teller {
        fn tell(&self, verdict: &'static str) -> &'static str {
            assert_ne!(self.0, "panic");
            self.1.lock().push(self.0);
            verdict
        }
    }

    impl Plugin for Teller {
        fn name(&self) -> &str {
            self.0
        }
    }

    #[async_trait]
    impl PreBind for Teller {
        async fn pre_bind(&self, _: &Arc<Pod>, _: &Str) -> Result<(), Status> {
            if self.tell(self.0) == "fails" { Err(Status::error("no volume")) } else { Ok(()) }
        }
    }

    #[async_trait]
    impl Bind for Teller {
        async fn bind(&self, _: &Arc<Pod>, _: &Str) -> BindVerdict {
            match self.tell(self.0) {
                "skips" => BindVerdict::Skip,
                "fails" => BindVerdict::Failed(Status::error("no way")),
                _ => BindVerdict::Bound,
            }
        }
    }

    #[async_trait]
    impl PostBind for Teller {
        async fn post_bind(&self, _: &Arc<Pod>, _: &Str) {
            self.tell(self.0);
        }
    }

    #[async_trait]
    impl Actuator for Teller {
        async fn bind(&self, _: &Arc<Pod>, _: &Str) -> orlop_client::Result<()> {
            self.tell(self.0);
            Ok(())
        }

        async fn evict(&self, _: &Eviction, _: Timestamp) -> orlop_client::Result<()> {
            Ok(())
        }

        async fn unscheduled(&self, _: &Arc<Pod>, _: &Unscheduled, _: Timestamp) -> orlop_client::Result<()> {
            Ok(())
        }

        fn record(&self, _: &Arc<Pod>, _: Note) {}
    }

    async fn run(
        pre_bind: &[&'static str],
        bind: &[&'static str],
        post_bind: &[&'static str],
    ) -> (Vec<&'static str>, Option<String>) {
        let told = Arc::new(Mutex::new(Vec::new()));
        let teller = |name: &&'static str| Teller(name, Arc::clone(&told));
        let plugins = BindPlugins {
            pre_bind: pre_bind.iter().map(|name| Arc::new(teller(name)) as _).collect(),
            bind: bind.iter().map(|name| Arc::new(teller(name)) as _).collect(),
            post_bind: post_bind.iter().map(|name| Arc::new(teller(name)) as _).collect(),
        };
        let result = super::bind(Some(plugins), &teller(&"actuator"), &Arc::default(), &"n".into()).await;
        (told.lock().clone(), result.err().map(|error| error.to_string()))
    }

    #[tokio::test]
    async fn the_first_that_does_not_skip_binds() {
        let (told, error) = run(&["pre"], &["skips"], &["panic", "post"]).await;
        assert_eq!((told, error), (vec!["pre", "skips", "actuator", "post"], None));
        let (told, error) = run(&[], &["skips", "binds", "late"], &[]).await;
        assert_eq!((told, error), (vec!["skips", "binds"], None));
    }

    #[tokio::test]
    async fn a_failure_ends_it_and_names_the_plugin() {
        let (told, error) = run(&["fails", "late"], &["late"], &["late"]).await;
        assert_eq!(told, ["fails"]);
        assert_eq!(error.unwrap(), "running PreBind plugin \"fails\": no volume");
        let (told, error) = run(&["pre"], &["fails"], &["late"]).await;
        assert_eq!(told, ["pre", "fails"]);
        assert_eq!(error.unwrap(), "binding rejected: running Bind plugin \"fails\": no way");
        let (told, error) = run(&["panic"], &["late"], &[]).await;
        assert!(told.is_empty());
        assert!(error.unwrap().starts_with("running PreBind plugin \"panic\": panicked: "));
    }
}
