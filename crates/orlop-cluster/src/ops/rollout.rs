//! Rollouts of Deployments: how far, back to an earlier one, once more.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use orlop_client::{Api, Client, Error, ListOptions};
use orlop_model::apps::v1::{Deployment, DeploymentConditionType, ReplicaSet};
use orlop_model::{Object, Time};
use orlop_planners::deployment::{REVISION, Revisions};
use orlop_planners::template::POD_TEMPLATE_HASH;
use serde_json::json;

use super::wait::{self, WaitError};

/// How far a rollout is, with kubectl's words for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Progress {
    /// Not there yet.
    Waiting(String),
    /// All pods are of the newest template and available.
    Done(String),
    /// It made no progress for longer than it may.
    Stuck(String),
}

/// Why something about a rollout could not be done.
#[derive(Debug, thiserror::Error)]
pub enum RolloutError {
    /// It made no progress for longer than it may.
    #[error("{0}")]
    Stuck(String),
    /// There is only one revision.
    #[error("no rollout history found for deployment {0:?}")]
    NoHistory(String),
    /// There is no such revision.
    #[error("unable to find specified revision {0} in history")]
    NoRevision(i64),
    /// It is paused.
    #[error("deployments.apps {name:?} can't {verb} paused deployment (run rollout resume first)")]
    Paused {
        /// The Deployment.
        name: String,
        /// What was asked for.
        verb: &'static str,
    },
    /// It is not done in time, or could not be watched.
    #[error(transparent)]
    Wait(#[from] WaitError),
    /// The API refused something.
    #[error(transparent)]
    Client(#[from] Error),
}

/// How far the rollout of a Deployment is, judged by its status.
#[must_use]
pub fn progress(deployment: &Deployment) -> Progress {
    let (name, spec, status) = (&deployment.metadata.name, &deployment.spec, &deployment.status);
    let wanted = spec.replicas.unwrap_or(1);
    if deployment.metadata.generation > status.observed_generation {
        return Progress::Waiting("Waiting for deployment spec update to be observed...".to_owned());
    }
    let mut conditions = status.conditions.iter();
    let progressing = conditions.find(|condition| condition.type_ == DeploymentConditionType::Progressing);
    if progressing.is_some_and(|condition| condition.reason == "ProgressDeadlineExceeded") {
        return Progress::Stuck(format!("deployment {:?} exceeded its progress deadline", name.as_str()));
    }
    let waiting = |what: String| {
        Progress::Waiting(format!("Waiting for deployment {:?} rollout to finish: {what}...", name.as_str()))
    };
    if status.updated_replicas < wanted {
        return waiting(format!(
            "{} out of {wanted} new replicas have been updated",
            status.updated_replicas
        ));
    }
    if status.replicas > status.updated_replicas {
        let old = status.replicas - status.updated_replicas;
        return waiting(format!("{old} old replicas are pending termination"));
    }
    if status.available_replicas < status.updated_replicas {
        let (available, updated) = (status.available_replicas, status.updated_replicas);
        return waiting(format!("{available} of {updated} updated replicas are available"));
    }
    Progress::Done(format!("deployment {:?} successfully rolled out", name.as_str()))
}

/// Follows a rollout to its end; `tell` is called with each new line that kubectl would print.
///
/// # Errors
/// [`RolloutError::Stuck`] if it exceeds its progress deadline, a timeout after `limit`.
pub async fn status(
    client: &Arc<dyn Client>,
    namespace: &str,
    name: &str,
    limit: Duration,
    mut tell: impl FnMut(&str),
) -> Result<Arc<Deployment>, RolloutError> {
    let api = Api::<Deployment>::namespaced(Arc::clone(client), namespace);
    let mut last = String::new();
    let mut stuck = None;
    let found = wait::until(&api, name, limit, |deployment| {
        let Some(deployment) = deployment else { return true };
        let (text, ended) = match progress(deployment) {
            Progress::Waiting(text) => (text, false),
            Progress::Done(text) => (text, true),
            Progress::Stuck(text) => {
                stuck = Some(text.clone());
                (text, true)
            }
        };
        if text != last {
            tell(&text);
            last = text;
        }
        ended
    })
    .await?;
    match (stuck, found) {
        (Some(text), _) => Err(RolloutError::Stuck(text)),
        (None, Some(deployment)) => Ok(deployment),
        // The object went while we were looking: say so as a get would.
        (None, None) => Ok(api.get(name).await?),
    }
}

/// A revision of a Deployment.
#[derive(Clone, Debug, PartialEq)]
pub struct Revision {
    /// Its number, counted from 1.
    pub number: i64,
    /// The ReplicaSet that holds its template.
    pub set: Arc<ReplicaSet>,
}

/// The revisions of a Deployment that are kept, the oldest first.
///
/// # Errors
/// Those of the client.
pub async fn history(client: &Arc<dyn Client>, namespace: &str, name: &str) -> Result<Vec<Revision>, Error> {
    let deployment = Api::<Deployment>::namespaced(Arc::clone(client), namespace).get(name).await?;
    let sets = Api::<ReplicaSet>::namespaced(Arc::clone(client), namespace).list(&ListOptions::new()).await?;
    let owned = sets
        .items
        .into_iter()
        .filter(|set| set.metadata.controller().is_some_and(|owner| owner.uid == deployment.metadata.uid));
    let number = |set: &ReplicaSet| set.metadata.annotations.get(REVISION)?.parse().ok();
    let mut revisions: Vec<Revision> =
        owned.filter_map(|set| Some(Revision { number: number(&set)?, set })).collect();
    revisions.sort_by_key(|revision| revision.number);
    Ok(revisions)
}

/// What came of going back.
#[derive(Clone, Debug, PartialEq)]
pub enum Undone {
    /// The Deployment has the template of this revision again.
    RolledBack(i64),
    /// It had that template already.
    Skipped(i64),
}

/// Goes back to revision `to`, or to the one before the present one.
///
/// # Errors
/// No such revision, no history, a paused Deployment; those of the client.
pub async fn undo(
    client: &Arc<dyn Client>,
    namespace: &str,
    name: &str,
    to: Option<i64>,
) -> Result<Undone, RolloutError> {
    let api = Api::<Deployment>::namespaced(Arc::clone(client), namespace);
    let deployment = api.get(name).await?;
    if deployment.spec.paused {
        return Err(RolloutError::Paused { name: name.to_owned(), verb: "roll back" });
    }
    let revisions = history(client, namespace, name).await?;
    let found = match to {
        Some(number) => revisions
            .iter()
            .find(|revision| revision.number == number)
            .ok_or(RolloutError::NoRevision(number))?,
        None => {
            let before = revisions.len().checked_sub(2);
            before.map(|index| &revisions[index]).ok_or_else(|| RolloutError::NoHistory(name.to_owned()))?
        }
    };
    let sets: Vec<Arc<ReplicaSet>> = revisions.iter().map(|revision| Arc::clone(&revision.set)).collect();
    let current = Revisions::of(&deployment, &sets).new;
    if current.is_some_and(|set| set.metadata.uid == found.set.metadata.uid) {
        return Ok(Undone::Skipped(found.number));
    }
    let mut template = found.set.spec.template.clone();
    template.metadata.labels.remove(POD_TEMPLATE_HASH);
    api.modify(name, |deployment| deployment.spec.template = template.clone()).await?;
    Ok(Undone::RolledBack(found.number))
}

/// Rolls all pods over, with the same template.
///
/// # Errors
/// A paused Deployment; those of the client.
pub async fn restart(
    client: &Arc<dyn Client>,
    namespace: &str,
    name: &str,
    now: Timestamp,
) -> Result<Arc<Deployment>, RolloutError> {
    let api = Api::<Deployment>::namespaced(Arc::clone(client), namespace);
    if api.get(name).await?.spec.paused {
        return Err(RolloutError::Paused { name: name.to_owned(), verb: "restart" });
    }
    let at = Time::from(now).to_string();
    let annotations = json!({"kubectl.kubernetes.io/restartedAt": at});
    let patch = json!({"spec": {"template": {"metadata": {"annotations": annotations}}}});
    Ok(api.patch_merge(name, patch).await?)
}

/// Holds a rollout where it is (`true`), or lets it go on.
///
/// # Errors
/// Those of the client.
pub async fn pause(
    client: &Arc<dyn Client>,
    namespace: &str,
    name: &str,
    paused: bool,
) -> Result<Arc<Deployment>, Error> {
    let paused = paused.then_some(true);
    let api = Api::<Deployment>::namespaced(Arc::clone(client), namespace);
    api.patch_merge(name, json!({"spec": {"paused": paused}})).await
}

/// Sets the image of one container.
///
/// # Errors
/// Not found if there is no such container; those of the client.
pub async fn set_image(
    client: &Arc<dyn Client>,
    namespace: &str,
    name: &str,
    container: &str,
    image: &str,
) -> Result<Arc<Deployment>, Error> {
    let api = Api::<Deployment>::namespaced(Arc::clone(client), namespace);
    let deployment = api.get(name).await?;
    let containers = &deployment.spec.template.spec.containers;
    if !containers.iter().any(|found| found.name == *container) {
        let message = format!("unable to find container named {container:?} in {}", deployment.key());
        return Err(Error::bad_request(message));
    }
    api.modify(name, |deployment| {
        let containers = deployment.spec.template.spec.containers.iter_mut();
        containers.filter(|found| found.name == *container).for_each(|found| found.image = image.into());
    })
    .await
}

#[cfg(test)]
mod tests {
    use super::*;

    fn deployment(status: serde_json::Value) -> Deployment {
        serde_json::from_value(json!({
            "metadata": {"name": "web", "generation": 2},
            "spec": {"replicas": 3},
            "status": status,
        }))
        .unwrap()
    }

    #[test]
    fn progress_in_kubectls_words() {
        for (status, wanted) in [
            (json!({"observedGeneration": 1}), "Waiting for deployment spec update to be observed..."),
            (
                json!({"observedGeneration": 2, "updatedReplicas": 1}),
                "Waiting for deployment \"web\" rollout to finish: 1 out of 3 new replicas have been updated...",
            ),
            (
                json!({"observedGeneration": 2, "replicas": 4, "updatedReplicas": 3}),
                "Waiting for deployment \"web\" rollout to finish: 1 old replicas are pending termination...",
            ),
            (
                json!({"observedGeneration": 2, "replicas": 3, "updatedReplicas": 3, "availableReplicas": 2}),
                "Waiting for deployment \"web\" rollout to finish: 2 of 3 updated replicas are available...",
            ),
        ] {
            assert_eq!(progress(&deployment(status)), Progress::Waiting(wanted.to_owned()));
        }
        let done =
            json!({"observedGeneration": 2, "replicas": 3, "updatedReplicas": 3, "availableReplicas": 3});
        assert!(matches!(progress(&deployment(done)), Progress::Done(_)));
        let late = json!({"observedGeneration": 2, "conditions": [
            {"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded"}]});
        assert!(matches!(progress(&deployment(late)), Progress::Stuck(_)));
    }
}
