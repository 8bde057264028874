//! The end of a pod: stopped within its grace, told, deleted, removed.

use std::sync::Arc;

use orlop_client::DeleteOptions;
use orlop_model::core::v1::PodStatus;

use crate::events::EventType::Warning;
use crate::merge::finish;
use crate::runtime::RuntimeResult;
use crate::termination::pod_grace;
use crate::worker::{RETRY, Worker};

impl Worker {
    /// Stops everything, within the pod's grace period, and writes the last status.
    pub(crate) async fn terminate(&mut self) {
        let cell = Arc::clone(&self.cell);
        let mut grace = None;
        cell.stop_probes();
        loop {
            let pod = cell.pod();
            let given = pod_grace(&pod, grace);
            grace = Some(given);
            let Ok(seen) = self.view().await else {
                tokio::time::sleep(RETRY).await;
                continue;
            };
            if !cell.is_gone() {
                self.generate(&seen, false);
                self.write(true).await;
            }
            let stopped = tokio::select! {
                biased;
                () = cell.sooner_than(given) => continue,
                stopped = Box::pin(self.stop_all(&pod, &seen, Some(given))) => stopped,
            };
            match stopped {
                Ok(()) => break,
                Err(error) => {
                    self.event(Warning, "FailedKillPod", format!("error killing pod: {error}"));
                    tokio::time::sleep(RETRY).await;
                }
            }
        }
        while !cell.is_gone() {
            if let Ok(seen) = self.view().await {
                self.generate(&seen, true);
                let mut status = PodStatus::clone(&cell.status());
                finish(&cell.pod(), &mut status);
                if status != *cell.status() {
                    self.set(status);
                }
                if self.write(false).await {
                    break;
                }
            }
            tokio::time::sleep(RETRY).await;
        }
    }

    /// Removes the finished pod from the API server if somebody has deleted it, when nothing of it is left on the node.
    /// `false`: that must be tried again.
    pub(crate) async fn delete_if_asked(&self) -> bool {
        let pod = self.cell.pod();
        if pod.metadata.deletion_timestamp.is_none() {
            return true;
        }
        if let Err(error) = self.clean().await {
            self.event(Warning, "FailedKillPod", format!("error removing pod: {error}"));
            return false;
        }
        let (api, key) = self.api();
        match api.delete_with(&key, &DeleteOptions::new().grace(0).uid(self.cell.uid.clone())).await {
            Ok(_) => true,
            // Gone, or another pod of the same name.
            Err(error) if error.is_not_found() || error.is_conflict() => true,
            Err(error) => {
                tracing::warn!(pod = %key, %error, "the finished pod could not be deleted");
                false
            }
        }
    }

    /// Removes what is left of the pod on the node.
    pub(crate) async fn clean(&self) -> RuntimeResult<()> {
        let runtime = &self.context.runtime;
        let seen = self.view().await?;
        for instance in &seen.containers {
            runtime.remove_container(&instance.id).await?;
        }
        for sandbox in &seen.sandboxes {
            runtime.remove_sandbox(&sandbox.id).await?;
        }
        runtime.remove_pod(&self.cell.uid).await
    }
}
