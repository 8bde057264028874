//! Starts one container: image, configuration, creation, start, postStart hook.

use std::sync::Arc;

use jiff::Timestamp;
use orlop_client::Api;
use orlop_model::Str;
use orlop_model::core::v1::{Container, PullPolicy, Secret};
use tokio::time::Instant;

use crate::actions::KillReason;
use crate::backoff::go_duration;
use crate::context::Context;
use crate::env::{Surroundings, command, environment};
use crate::env_file::EnvFiles;
use crate::events::EventType::{Normal, Warning};
use crate::pull::{inspects, pull_check};
use crate::runtime::{ContainerConfig, Hook, Image, ImagePull, RuntimeError, Target};
use crate::status::StartError;
use crate::stop::{Stop, run_hook};
use crate::view::{RuntimeView, definition};
use crate::worker::Worker;

/// Why a container could not be started.
pub(crate) struct Failure {
    pub(crate) error: StartError,
    /// When to try again, where that is known.
    pub(crate) until: Option<Timestamp>,
    /// The runtime shows something else than before all the same.
    pub(crate) changed: bool,
}

impl Failure {
    fn new(reason: &str, message: impl ToString) -> Self {
        let error = StartError { reason: reason.into(), message: message.to_string().into() };
        Self { error, until: None, changed: false }
    }
}

pub(crate) struct Start<'a, 'b> {
    context: Arc<Context>,
    worker: &'a mut Worker,
    around: &'a Surroundings<'b>,
    container: &'a Container,
    seen: &'a RuntimeView,
    sandbox_id: &'a Str,
    field: String,
}

impl<'a, 'b> Start<'a, 'b> {
    pub(crate) fn new(
        worker: &'a mut Worker,
        around: &'a Surroundings<'b>,
        container: &'a Container,
        seen: &'a RuntimeView,
        sandbox_id: &'a Str,
    ) -> Self {
        let context = Arc::clone(&worker.context);
        let field = context.field(around.pod, &container.name);
        Self { context, worker, around, container, seen, sandbox_id, field }
    }

    fn event(&self, type_: crate::events::EventType, reason: &'static str, message: impl Into<Str>) {
        self.context.events.pod(self.around.pod, &self.field, type_, reason, message);
    }

    pub(crate) async fn run(mut self) -> Result<(), Failure> {
        let image = match self.images().await {
            Ok(image) => image,
            Err(failure) => {
                self.event(Warning, "Failed", format!("Error: {}", failure.error.reason));
                return Err(failure);
            }
        };
        let runtime = Arc::clone(&self.context.runtime);
        let pod = self.worker.cell.pod();
        let files = self.env_files().await;
        let around = Surroundings { files: &files, ..*self.around };
        let env = environment(self.container, &around)
            .map_err(|error| self.failed("CreateContainerConfigError", error))?;
        let (command, args) = command(self.container, &env);
        let container = Arc::new(self.container.clone());
        let config = ContainerConfig {
            pod: Arc::clone(&pod),
            sandbox_id: self.sandbox_id.clone(),
            container: Arc::clone(&container),
            restart_count: self.restart_count(),
            image,
            env,
            command,
            args,
            volumes: Arc::clone(&self.worker.volumes),
            definition: definition(self.container),
        };
        let id = runtime.create_container(&config).await.map_err(|error| match error {
            RuntimeError::Config { .. } => self.failed("CreateContainerConfigError", error),
            _ => self.failed("CreateContainerError", error),
        })?;
        self.event(Normal, "Created", "Container created");
        if let Err(error) = runtime.start_container(&id).await {
            let failure = self.failed("RunContainerError", error);
            return Err(Failure { changed: false, ..failure });
        }
        self.event(Normal, "Started", "Container started");

        let hook = container.lifecycle.as_ref().and_then(|lifecycle| lifecycle.post_start.clone());
        if let Some(handler) = hook {
            let ip = self.around.pod_ips.first().cloned().unwrap_or_default();
            let target = Target { pod: Arc::clone(&pod), container, id: id.clone(), ip };
            if let Err(error) = run_hook(&self.context, &target, Hook::PostStart, &handler).await {
                self.event(Warning, "FailedPostStartHook", "PostStartHook failed");
                if let Ok(seen) = runtime.view(&pod.metadata.uid).await
                    && let Some(instance) = seen.containers.iter().find(|instance| instance.id == id)
                {
                    let stop = Stop::new(&self.context, &pod, &seen);
                    drop(stop.one(instance, "FailedPostStartHook", KillReason::None, None).await);
                }
                let failure = self.failed("PostStartHookError", error);
                return Err(Failure { changed: true, ..failure });
            }
        }
        Ok(())
    }

    fn failed(&self, reason: &str, error: impl ToString) -> Failure {
        let failure = Failure::new(reason, error);
        self.event(Warning, "Failed", format!("Error: {}", failure.error.message));
        failure
    }

    /// The files that the container's variables come from.
    async fn env_files(&self) -> EnvFiles {
        let mut files = EnvFiles::new();
        for volume in self.worker.volumes.keys() {
            files = files.with_volume(volume.clone(), "");
        }
        let sources = self.container.env.iter().filter_map(|variable| variable.value_from.as_deref());
        for source in sources.filter_map(|source| source.file_key_ref.as_deref()) {
            let read =
                self.context.runtime.read_volume_file(self.around.pod, &source.volume_name, &source.path);
            // One that cannot be read is told as one that cannot be understood.
            if let Ok(contents) = read.await {
                files = files.with_file(source.volume_name.clone(), &source.path, contents);
            }
        }
        files
    }

    /// One more than the newest instance's; what the runtime has lost shows in the pod's status.
    fn restart_count(&self) -> i32 {
        let of_runtime = self.seen.container(&self.container.name).map(|instance| instance.restart_count + 1);
        let status = &self.around.pod.status;
        let mut known = status
            .container_statuses
            .iter()
            .chain(&status.init_container_statuses)
            .chain(&status.ephemeral_container_statuses);
        let of_status = known.find(|known| known.name == self.container.name).map(|known| {
            known.restart_count + i32::from(of_runtime.is_none() && !known.container_id.is_empty())
        });
        of_runtime.max(of_status).unwrap_or(0)
    }

    /// The container's image; those of the volumes it mounts are there, too.
    async fn images(&mut self) -> Result<Image, Failure> {
        let (pod, container) = (self.around.pod, self.container);
        for volume in &pod.spec.volumes {
            let is_mounted = container.volume_mounts.iter().any(|mount| mount.name == volume.name);
            if let Some(source) = volume.source.image.as_deref().filter(|_| is_mounted) {
                self.image(&source.reference, &source.pull_policy).await?;
            }
        }
        self.image(&container.image, &container.image_pull_policy).await
    }

    /// An image, pulled if the policy says so.
    async fn image(&mut self, image: &Str, policy: &PullPolicy) -> Result<Image, Failure> {
        let runtime = Arc::clone(&self.context.runtime);
        if !is_image_name(image) {
            let message = format!(
                "Failed to apply default image tag \"{image}\": couldn't parse image name \"{image}\": invalid reference format"
            );
            self.event(Warning, "InspectFailed", message.clone());
            return Err(Failure::new("InvalidImageName", message));
        }
        let found = if inspects(policy) { runtime.find_image(image).await } else { Ok(None) };
        match pull_check(image, policy, found.map_err(|error| error.to_string())) {
            Ok(Some(found)) => {
                let message = format!(
                    "Container image \"{image}\" already present on machine and can be accessed by the pod"
                );
                self.event(Normal, "Pulled", message);
                Ok(found)
            }
            Ok(None) => self.pull(image.clone()).await,
            Err(error) => {
                self.event(Warning, error.event(), error.to_string());
                Err(Failure::new(error.reason(), error))
            }
        }
    }

    async fn pull(&mut self, image: Str) -> Result<Image, Failure> {
        let context = Arc::clone(&self.context);
        let now = context.clock.now();
        if let Some(until) = self.worker.pulls.until_last(&image, now) {
            let mut message = format!("Back-off pulling image \"{image}\"");
            self.event(Normal, "BackOff", message.clone());
            if let Some(before) = self.worker.pull_errors.get(&image) {
                message.push_str(&format!(": {}: {}", before.reason, before.message));
            }
            return Err(Failure { until: Some(until), ..Failure::new("ImagePullBackOff", message) });
        }
        let secrets = self.secrets().await;
        let begin = Instant::now();
        // The semaphore lives as long as the agent and is never closed.
        let _turn = context.pulls.acquire().await;
        self.event(Normal, "Pulling", format!("Pulling image \"{image}\""));
        let pulling = Instant::now();
        let pulled = context.runtime.pull_image(&ImagePull { image: image.clone(), secrets }).await;
        let now = context.clock.now();
        match pulled {
            Ok(found) => {
                let (alone, whole) =
                    (go_duration(round(pulling.elapsed())), go_duration(round(begin.elapsed())));
                let message = format!(
                    "Successfully pulled image \"{image}\" in {alone} ({whole} including waiting). Image size: {} bytes.",
                    found.size
                );
                self.event(Normal, "Pulled", message);
                self.worker.pull_errors.remove(&image);
                self.worker.pulls.collect(now);
                Ok(found)
            }
            Err(error) => {
                self.event(Warning, "Failed", format!("Failed to pull image \"{image}\": {error}"));
                let reason = match &error {
                    RuntimeError::Image { reason, .. } => reason.as_str(),
                    _ => "ErrImagePull",
                };
                self.worker.pulls.next(&image, now, now);
                let mut failure = Failure::new(reason, &error);
                failure.until = self.worker.pulls.until_last(&image, now);
                self.worker.pull_errors.insert(image, failure.error.clone());
                Err(failure)
            }
        }
    }

    /// The pod's pull secrets; missing ones are told and left out.
    async fn secrets(&self) -> Vec<Arc<Secret>> {
        let pod = self.around.pod;
        let api = Api::<Secret>::namespaced(Arc::clone(&self.context.client), pod.metadata.namespace.clone());
        let (mut found, mut missing) = (Vec::new(), Vec::new());
        for reference in &pod.spec.image_pull_secrets {
            match api.get(&reference.name).await {
                Ok(secret) => found.push(secret),
                Err(_) => missing.push(reference.name.as_str()),
            }
        }
        if !missing.is_empty() {
            let message = format!(
                "Unable to retrieve some image pull secrets ({}); attempting to pull the image may not succeed.",
                missing.join(", ")
            );
            self.context.events.pod(pod, "", Warning, "FailedToRetrieveImagePullSecret", message);
        }
        found
    }
}

fn round(duration: std::time::Duration) -> std::time::Duration {
    std::time::Duration::from_millis(u64::try_from(duration.as_millis()).unwrap_or(u64::MAX))
}

/// Whether this can be the name of an image: a lower-case path, a tag, a digest.
pub(crate) fn is_image_name(image: &str) -> bool {
    let (name, digest) = image.split_once('@').map_or((image, None), |(name, digest)| (name, Some(digest)));
    let (path, tag) = match name.rsplit_once(':') {
        Some((path, tag)) if !tag.contains('/') => (path, Some(tag)),
        _ => (name, None),
    };
    let component = |part: &str, first: bool| {
        let word = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "._-".contains(c);
        let host = |c: char| c.is_ascii_alphanumeric() || ".-:[]".contains(c);
        let ends = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric());
        (ends(part.chars().next()) && ends(part.chars().next_back()) && part.chars().all(word))
            || first && !part.is_empty() && part.chars().all(host)
    };
    let parts: Vec<&str> = path.split('/').collect();
    let several = parts.len() > 1;
    parts.iter().enumerate().all(|(index, part)| component(part, several && index == 0))
        && tag.is_none_or(|tag| {
            !tag.is_empty()
                && tag.len() <= 128
                && tag.chars().all(|c| c.is_ascii_alphanumeric() || "_.-".contains(c))
        })
        && digest.is_none_or(|digest| {
            digest
                .split_once(':')
                .is_some_and(|(_, hex)| hex.len() >= 32 && hex.chars().all(|c| c.is_ascii_hexdigit()))
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn image_names() {
        for good in [
            "nginx",
            "nginx:1.27",
            "library/nginx",
            "host:5000/a/b:t",
            "a.b/c_d/e-f",
            "x@sha256:aabbccddeeff00112233445566778899",
            "localhost/app:V1",
        ] {
            assert!(is_image_name(good), "{good}");
        }
        for bad in ["", "Nginx", "a b", "nginx:", "nginx:a/b:", "a//b", "x@sha256:zz", "-a", "a/B"] {
            assert!(!is_image_name(bad), "{bad}");
        }
    }
}
