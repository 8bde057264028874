//! Defaults of pods and pod templates.

use super::container::{container, resources};
use super::volume::volume;
use super::{SetDefaults, insert_missing, round_up_to_milli};
use crate::core::v1::{Container, DNSPolicy, Pod, PodSpec, PodTemplate, RestartPolicy, resource_name};
use crate::pod_resources::{self, Counting};
use crate::{Map, Quantity};

impl SetDefaults for Pod {
    fn set_defaults(&mut self) {
        for container in self.spec.init_containers.iter_mut().chain(&mut self.spec.containers) {
            requests_from_limits(container);
        }
        let counting = Counting { without_overhead: true, without_pod_level: true, ..Counting::default() };
        let containers = pod_resources::limits(self, &counting);
        pod_limits(&mut self.spec, &containers);
        let containers = pod_resources::container_requests(self, &counting);
        pod_requests(&mut self.spec, &containers);
        self.spec.enable_service_links.get_or_insert(true);
        if self.spec.host_network {
            for container in self.spec.init_containers.iter_mut().chain(&mut self.spec.containers) {
                host_ports(container);
            }
        }
        // After the sums above, which are made of what was written and then rounded.
        spec(&mut self.spec);
    }
}

impl SetDefaults for PodTemplate {
    fn set_defaults(&mut self) {
        spec(&mut self.template.spec);
    }
}

/// What holds for the spec of a pod and of a template alike.
pub(super) fn spec(spec: &mut PodSpec) {
    if spec.dns_policy.is_empty() {
        spec.dns_policy = DNSPolicy::ClusterFirst;
    }
    if spec.restart_policy.is_empty() {
        spec.restart_policy = RestartPolicy::Always;
    }
    spec.security_context.get_or_insert_default();
    spec.termination_grace_period_seconds.get_or_insert(30);
    if spec.scheduler_name.is_empty() {
        spec.scheduler_name = "default-scheduler".into();
    }
    round_up_to_milli(&mut spec.overhead);
    if let Some(pod_level) = &mut spec.resources {
        resources(pod_level);
    }
    spec.volumes.iter_mut().for_each(volume);
    spec.init_containers.iter_mut().chain(&mut spec.containers).for_each(container);
    spec.ephemeral_containers.iter_mut().for_each(|ephemeral| container(&mut ephemeral.container));
}

fn requests_from_limits(container: &mut Container) {
    let resources = &mut container.resources;
    insert_missing(&mut resources.requests, &resources.limits, |_| true);
}

/// Limits of huge pages for the whole pod are the sum of the containers', unless it requests some.
fn pod_limits(spec: &mut PodSpec, containers: &Map<Quantity>) {
    let Some(pod_level) = &mut spec.resources else {
        return;
    };
    if pod_level.limits.is_empty() && pod_level.requests.is_empty() {
        return;
    }
    let requests = &pod_level.requests;
    insert_missing(&mut pod_level.limits, containers, |name| {
        is_huge_page(name) && !requests.contains_key(name)
    });
}

/// Requests of a pod that has limits: the sum of the containers', else the pod's limits.
fn pod_requests(spec: &mut PodSpec, containers: &Map<Quantity>) {
    let Some(pod_level) = &mut spec.resources else {
        return;
    };
    if pod_level.limits.is_empty() {
        return;
    }
    let supported = |name: &str| matches!(name, resource_name::CPU | resource_name::MEMORY);
    insert_missing(&mut pod_level.requests, containers, supported);
    insert_missing(&mut pod_level.requests, &pod_level.limits, |name| supported(name) || is_huge_page(name));
}

fn is_huge_page(name: &str) -> bool {
    name.starts_with("hugepages-")
}

/// In the host's network a container's port is the host's port.
fn host_ports(container: &mut Container) {
    for port in &mut container.ports {
        if port.host_port == 0 {
            port.host_port = port.container_port;
        }
    }
}
