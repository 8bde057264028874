//! Gives the claims of a pod what was decided, before the pod is bound.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt as _;
use orlop_client::Error;
use tokio::time::{Instant, sleep};

use super::Actuator;
use super::cycle::BindError;
use crate::cluster::BindPlan;
use crate::framework::{Plugin as _, panic_message};
use crate::plugins::{BindProgress, VolumeBinding};

/// Time between two looks at what has become of the claims.
const INTERVAL: Duration = Duration::from_secs(1);

fn failed(message: String) -> BindError {
    BindError::Plugin { point: "PreBind", plugin: VolumeBinding.name().into(), message }
}

/// Writes what was decided about the volumes of a pod, and waits until `progress` says that all claims
/// are bound, for `limit` at most.
pub(super) async fn bind(
    plan: &BindPlan,
    actuator: &dyn Actuator,
    limit: Duration,
    progress: impl Fn(&BindPlan) -> BindProgress,
) -> Result<(), BindError> {
    let written = match AssertUnwindSafe(write(plan, actuator)).catch_unwind().await {
        Ok(written) => written.map_err(|error| failed(error.to_string()))?,
        Err(panic) => return Err(failed(panic_message(&*panic))),
    };
    let deadline = Instant::now() + limit;
    loop {
        match progress(&written) {
            BindProgress::Done => return Ok(()),
            BindProgress::Failed(why) => return Err(failed(format!("binding volumes: {why}"))),
            BindProgress::Wait if Instant::now() >= deadline => {
                return Err(failed("binding volumes: context deadline exceeded".to_owned()));
            }
            BindProgress::Wait => sleep(INTERVAL).await,
        }
    }
}

/// The plan with its objects as the server has stored them. What was written before a failure stays:
/// the control plane takes care of it.
async fn write(plan: &BindPlan, actuator: &dyn Actuator) -> Result<BindPlan, Error> {
    let mut written = BindPlan::default();
    for volume in &plan.volumes {
        written.volumes.push(actuator.bind_volume(Arc::clone(volume)).await?);
    }
    for claim in &plan.claims {
        written.claims.push(actuator.provision(Arc::clone(claim)).await?);
    }
    Ok(written)
}
