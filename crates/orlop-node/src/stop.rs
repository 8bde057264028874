//! Stops containers: preStop hook, order, grace.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use orlop_model::Str;
use orlop_model::core::v1::{Container, LifecycleHandler, Pod};
use tokio::time::Instant;

use orlop_cache::Signal;

use crate::actions::KillReason;
use crate::context::Context;
use crate::events::EventType::{Normal, Warning};
use crate::runtime::{Hook, RuntimeError, Target};
use crate::termination::{LEAST_GRACE, container_grace, ends_after};
use crate::view::{ContainerState, ContainerView, RuntimeView};

/// Stops containers of one pod, each in its turn.
pub(crate) struct Stop<'a> {
    context: &'a Arc<Context>,
    pod: &'a Arc<Pod>,
    ip: Str,
    /// Names of the containers that run or are being stopped.
    left: Signal<BTreeSet<Str>>,
}

/// The pod's container of this name; one that is not in the spec any more has nothing but its name.
pub(crate) fn container_of(pod: &Pod, name: &str) -> Container {
    let ephemeral = pod.spec.ephemeral_containers.iter().map(|ephemeral| &ephemeral.container);
    let mut all = pod.spec.containers.iter().chain(&pod.spec.init_containers).chain(ephemeral);
    all.find(|container| container.name == *name)
        .cloned()
        .unwrap_or_else(|| Container { name: name.into(), ..Container::default() })
}

/// Runs a lifecycle hook to its end.
pub(crate) async fn run_hook(
    context: &Context,
    target: &Target,
    hook: Hook,
    handler: &LifecycleHandler,
) -> Result<(), RuntimeError> {
    if let Some(sleep) = &handler.sleep {
        tokio::time::sleep(Duration::from_secs(u64::try_from(sleep.seconds).unwrap_or(0))).await;
        return Ok(());
    }
    if handler.exec.is_none() && handler.http_get.is_none() {
        return Err(RuntimeError::failed("invalid handler"));
    }
    context.runtime.run_hook(target, hook, handler).await
}

impl<'a> Stop<'a> {
    pub(crate) fn new(context: &'a Arc<Context>, pod: &'a Arc<Pod>, seen: &RuntimeView) -> Self {
        let lives = |instance: &&ContainerView| {
            matches!(instance.state, ContainerState::Running | ContainerState::Unknown)
        };
        let names = seen.containers.iter().filter(lives).map(|instance| instance.name.clone()).collect();
        Self { context, pod, ip: seen.ips.first().cloned().unwrap_or_default(), left: Signal::new(names) }
    }

    /// Stops one container. Without a message the usual one is told. A grace given takes the place of the container's
    /// own, and makes it wait for its turn in the order of the pod's end.
    pub(crate) async fn one(
        &self,
        instance: &ContainerView,
        message: &str,
        reason: KillReason,
        grace: Option<Duration>,
    ) -> Result<(), RuntimeError> {
        let (context, pod) = (self.context, self.pod);
        let container = Arc::new(container_of(pod, &instance.name));
        let mut left = grace.unwrap_or_else(|| container_grace(pod, &container, reason));
        let usual = format!("Stopping container {}", instance.name);
        let message = if message.is_empty() { &usual } else { message };
        context.events.pod(pod, &context.field(pod, &instance.name), Normal, "Killing", message);

        let hook = container.lifecycle.as_ref().and_then(|lifecycle| lifecycle.pre_stop.as_deref());
        if let Some(handler) = hook.filter(|_| !left.is_zero() && instance.state == ContainerState::Running) {
            let target = Target {
                pod: Arc::clone(pod),
                container: Arc::clone(&container),
                id: instance.id.clone(),
                ip: self.ip.clone(),
            };
            let begin = Instant::now();
            let done = tokio::time::timeout(left, run_hook(context, &target, Hook::PreStop, handler)).await;
            if matches!(done, Ok(Err(_))) {
                let field = context.field(pod, &instance.name);
                context.events.pod(pod, &field, Warning, "FailedPreStopHook", "PreStopHook failed");
            }
            left = left.saturating_sub(whole_seconds(begin.elapsed()));
        }
        if grace.is_some() && !left.is_zero() {
            let begin = Instant::now();
            let before = ends_after(pod, &instance.name);
            if !before.is_empty() {
                let turn = self.left.wait_for(|left| {
                    let waits = before.iter().any(|name| left.contains(*name));
                    (!waits).then_some(())
                });
                // Whoever's own grace is used up does not wait any longer.
                drop(tokio::time::timeout(left, turn).await);
            }
            left = left.saturating_sub(whole_seconds(begin.elapsed()));
        }
        let stopped = context.runtime.stop_container(&instance.id, left.max(LEAST_GRACE)).await;
        self.left.modify(|left| {
            left.remove(&instance.name);
        });
        match stopped {
            Err(error) if error.is_not_found() => Ok(()),
            result => result,
        }
    }
}

fn whole_seconds(duration: Duration) -> Duration {
    Duration::from_secs(duration.as_secs())
}
