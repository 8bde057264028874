//! Defaults of containers and probes.

use super::image::default_pull_policy;
use super::round_up_to_milli;
use crate::Str;
use crate::core::v1::{
    Container, HTTPGetAction, Lifecycle, Probe, Protocol, ResourceRequirements, TerminationMessagePolicy,
    URIScheme,
};

pub(super) fn container(container: &mut Container) {
    if container.image_pull_policy.is_empty() {
        container.image_pull_policy = default_pull_policy(&container.image);
    }
    if container.termination_message_path.is_empty() {
        container.termination_message_path = "/dev/termination-log".into();
    }
    if container.termination_message_policy.is_empty() {
        container.termination_message_policy = TerminationMessagePolicy::File;
    }
    for port in &mut container.ports {
        if port.protocol.is_empty() {
            port.protocol = Protocol::TCP;
        }
    }
    for source in container.env.iter_mut().filter_map(|variable| variable.value_from.as_mut()) {
        if let Some(field) = &mut source.field_ref {
            field_version(&mut field.api_version);
        }
        if let Some(file) = &mut source.file_key_ref {
            file.optional.get_or_insert(false);
        }
    }
    resources(&mut container.resources);
    let probes =
        [&mut container.liveness_probe, &mut container.readiness_probe, &mut container.startup_probe];
    probes.into_iter().flatten().for_each(|slot| probe(slot));
    if let Some(hooks) = &mut container.lifecycle {
        lifecycle(hooks);
    }
}

pub(super) fn resources(resources: &mut ResourceRequirements) {
    round_up_to_milli(&mut resources.limits);
    round_up_to_milli(&mut resources.requests);
}

pub(super) fn field_version(api_version: &mut Str) {
    if api_version.is_empty() {
        *api_version = "v1".into();
    }
}

fn probe(probe: &mut Probe) {
    for (field, default) in [
        (&mut probe.timeout_seconds, 1),
        (&mut probe.period_seconds, 10),
        (&mut probe.success_threshold, 1),
        (&mut probe.failure_threshold, 3),
    ] {
        if *field == 0 {
            *field = default;
        }
    }
    if let Some(action) = &mut probe.handler.http_get {
        http_get(action);
    }
    if let Some(action) = &mut probe.handler.grpc {
        action.service.get_or_insert_default();
    }
}

fn lifecycle(lifecycle: &mut Lifecycle) {
    for hook in [&mut lifecycle.post_start, &mut lifecycle.pre_stop].into_iter().flatten() {
        if let Some(action) = &mut hook.http_get {
            http_get(action);
        }
    }
}

fn http_get(action: &mut HTTPGetAction) {
    if action.path.is_empty() {
        action.path = "/".into();
    }
    if action.scheme.is_empty() {
        action.scheme = URIScheme::HTTP;
    }
}
