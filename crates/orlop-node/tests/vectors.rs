//! Vector families of the node agent.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::process::ExitCode;

use orlop_clock::Timestamp;
use orlop_model::Str;
use orlop_model::core::v1::{
    ContainerUser, LinuxContainerUser, Node, Pod, PodCondition, PodStatus, ResourceRequirements,
};
use orlop_model::vectors::{self, Case, Check, Family};
use orlop_node::{
    ActionsInput, Actuated, ContainerState, ContainerView, Evict, Network, ProbeOutcome, ProbeResults,
    RuntimeView, SandboxState, SandboxView, StartError, StatusInput, definition, host_ips, pod_actions,
    pod_status,
};
use serde_json::{Value, json};

fn decode<T: serde::de::DeserializeOwned>(value: &Value) -> Result<T, String> {
    serde_json::from_value(value.clone()).map_err(|error| format!("{error} in {value}"))
}

fn text(value: &Value) -> Str {
    value.as_str().unwrap_or_default().into()
}

fn time(value: &Value) -> Result<Timestamp, String> {
    let text = value.as_str().ok_or("a time is missing")?;
    text.parse().map_err(|error| format!("{error}"))
}

fn optional_time(value: &Value) -> Result<Option<Timestamp>, String> {
    if value.is_null() { Ok(None) } else { time(value).map(Some) }
}

fn items(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn runtime_view(pod: &Pod, value: &Value) -> Result<RuntimeView, String> {
    let mut view =
        RuntimeView { ips: items(&value["ips"]).iter().map(text).collect(), ..RuntimeView::default() };
    for sandbox in items(&value["sandboxes"]) {
        view.sandboxes.push(SandboxView {
            id: text(&sandbox["id"]),
            attempt: decode(&sandbox["attempt"])?,
            state: if sandbox["state"] == "Ready" { SandboxState::Ready } else { SandboxState::NotReady },
            network: if sandbox["network"] == "Node" { Network::Node } else { Network::Pod },
            ip: sandbox["ip"].as_str().map(Str::from),
            created_at: time(&sandbox["createdAt"])?,
        });
    }
    let spec = &pod.spec;
    for container in items(&value["containers"]) {
        let name = text(&container["name"]);
        let ephemeral = spec.ephemeral_containers.iter().map(|ephemeral| &ephemeral.container);
        let mut known = spec.containers.iter().chain(&spec.init_containers).chain(ephemeral);
        let same = known.find(|known| known.name == name).map_or(0, definition);
        let user = &container["user"];
        let user = (!user.is_null()).then(|| -> Result<_, String> {
            let linux = LinuxContainerUser {
                uid: decode(&user["uid"])?,
                gid: decode(&user["gid"])?,
                supplemental_groups: items(&user["supplementalGroups"])
                    .iter()
                    .filter_map(Value::as_i64)
                    .collect(),
                ..Default::default()
            };
            Ok(Box::new(ContainerUser { linux: Some(Box::new(linux)), ..Default::default() }))
        });
        view.containers.push(ContainerView {
            id: text(&container["id"]),
            name,
            sandbox_id: text(&container["sandboxID"]),
            active: container["active"] == true,
            state: match container["state"].as_str().unwrap_or_default() {
                "Created" => ContainerState::Created,
                "Running" => ContainerState::Running,
                "Exited" => ContainerState::Exited,
                _ => ContainerState::Unknown,
            },
            created_at: time(&container["createdAt"])?,
            started_at: optional_time(&container["startedAt"])?,
            finished_at: optional_time(&container["finishedAt"])?,
            exit_code: container["exitCode"].as_i64().unwrap_or_default() as i32,
            reason: text(&container["reason"]),
            message: text(&container["message"]),
            image: text(&container["image"]),
            image_ref: text(&container["imageRef"]),
            restart_count: decode(&container["restartCount"])?,
            definition: if container["specChanged"] == true { !same } else { same },
            resources: decode::<Option<ResourceRequirements>>(&container["resources"])?.map(Box::new),
            user: user.transpose()?,
        });
    }
    Ok(view)
}

fn results(value: &Value) -> ProbeResults {
    let outcome = |text: &Value| match text.as_str().unwrap_or_default() {
        "success" => ProbeOutcome::Success,
        "failure" => ProbeOutcome::Failure,
        _ => ProbeOutcome::Unknown,
    };
    value.as_object().into_iter().flatten().map(|(id, value)| (id.as_str(), outcome(value))).collect()
}

fn actions(case: &Case) -> Result<(), String> {
    let input = &case.value["in"];
    let pod: Pod = decode(&input["pod"])?;
    let seen = runtime_view(&pod, &input["runtime"])?;
    let actuated = match &input["actuatedResources"] {
        Value::Null => None,
        containers => Some(Actuated {
            containers: decode::<BTreeMap<String, ResourceRequirements>>(containers)?
                .into_iter()
                .map(|(name, resources)| (name.into(), resources))
                .collect(),
            pod: decode(&input["actuatedPodResources"])?,
        }),
    };
    let got = pod_actions(&ActionsInput {
        pod: &pod,
        seen: &seen,
        liveness: &results(&input["livenessResults"]),
        startup: &results(&input["startupResults"]),
        restart_all: input["restartAllContainers"] == true,
        actuated: actuated.as_ref(),
    });
    let name = |list: &[orlop_model::core::v1::Container], index: &usize| json!(list[*index].name.as_str());
    let mut kills = got.kill.clone();
    kills.sort_by(|one, other| one.id.cmp(&other.id));
    let resized = |list: &[orlop_node::Resize]| -> Vec<Value> {
        list.iter().map(|resize| json!({"id": resize.id.as_str(), "name": resize.name.as_str()})).collect()
    };
    let mut updates = serde_json::Map::new();
    for (resource, list) in [("cpu", &got.resize_cpu), ("memory", &got.resize_memory)] {
        if !list.is_empty() {
            updates.insert(resource.to_owned(), resized(list).into());
        }
    }
    let got = json!({
        "killPod": got.kill_pod,
        "createSandbox": got.create_sandbox,
        "sandboxID": got.sandbox_id.as_str(),
        "attempt": got.attempt,
        "initContainersToStart": got.start_init.iter().map(|index| name(&pod.spec.init_containers, index)).collect::<Vec<_>>(),
        "containersToStart": got.start.iter().map(|index| name(&pod.spec.containers, index)).collect::<Vec<_>>(),
        "ephemeralContainersToStart": got
            .start_ephemeral
            .iter()
            .map(|index| json!(pod.spec.ephemeral_containers[*index].container.name.as_str()))
            .collect::<Vec<_>>(),
        "containersToKill": kills
            .iter()
            .map(|kill| json!({"id": kill.id.as_str(), "name": kill.name.as_str(), "message": kill.message, "reason": kill.reason.as_str()}))
            .collect::<Vec<_>>(),
        "containersToReset": got
            .reset
            .iter()
            .map(|reset| json!({"id": reset.id.as_str(), "name": reset.name.as_str(), "kill": reset.kill}))
            .collect::<Vec<_>>(),
        "containersToUpdate": updates,
        "updatePodResources": got.update_pod_resources,
        "updatePodLevelResources": got.update_pod_level_resources,
    });
    let mut check = Check::new();
    check.json("out", &case.value["out"], &got);
    check.finish()
}

fn status(case: &Case) -> Result<(), String> {
    let input = &case.value["in"];
    let pod: Pod = decode(&input["pod"])?;
    let seen = runtime_view(&pod, &input["runtime"])?;
    let node: Node = decode(&input["node"])?;
    let node_ips: Vec<IpAddr> = decode(&input["nodeIPs"])?;
    let previous: Option<PodStatus> = decode(&input["statusManagerStatus"])?;
    let resize: Option<Vec<PodCondition>> = decode(&input["resizeConditions"])?;
    let evict = input["evict"]
        .as_object()
        .map(|evict| Evict { reason: text(&evict["reason"]), message: text(&evict["message"]) });
    let start_errors: BTreeMap<Str, StartError> = input["startErrors"]
        .as_object()
        .into_iter()
        .flatten()
        .map(|(name, error)| {
            (name.into(), StartError { reason: text(&error["reason"]), message: text(&error["message"]) })
        })
        .collect();
    let got = pod_status(&StatusInput {
        pod: &pod,
        previous: previous.as_ref(),
        seen: &seen,
        host_ips: &host_ips(&node),
        node_ips: &node_ips,
        readiness: &results(&input["readinessResults"]),
        startup: &results(&input["startupResults"]),
        probing: input["probesAdded"] == true,
        agent_started: time(&input["kubeletStartTime"])?,
        start_errors: &start_errors,
        resize: resize.as_deref().unwrap_or_default(),
        evict: evict.as_ref(),
        terminal: input["podIsTerminal"] == true,
    });
    let mut check = Check::new();
    check.object("out", &case.value["out"], &serde_json::to_value(&got).map_err(|error| error.to_string())?);
    check.finish()
}

fn main() -> ExitCode {
    vectors::run(
        concat!(env!("CARGO_MANIFEST_DIR"), "/tests/vectors"),
        &[Family::new("pod_actions", actions), Family::new("pod_status", status)],
    )
}
