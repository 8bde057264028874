//! Vector families of the node agent.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::process::ExitCode;
use std::sync::Arc;

use base64::Engine as _;
use orlop_clock::Timestamp;
use orlop_model::Str;
use orlop_model::core::v1::{
    ConfigMap, ContainerUser, HostAlias, LinuxContainerUser, Node, Pod, PodCondition, PodStatus, PullPolicy,
    ResourceRequirements, Secret, Service, VolumeSource,
};
use orlop_model::vectors::{self, Case, Check, Family};
use orlop_node::{
    ActionsInput, Actuated, ContainerState, ContainerView, DnsSettings, DnsWarning, EnvFiles, Evict,
    Hostname, Materials, Network, ProbeOutcome, ProbeResults, PullCheckError, RuntimeView, SandboxState,
    SandboxView, Services, StartError, StatusInput, Surroundings, VolumeOwner, check_resolv_conf, command,
    definition, environment, host_ips, hosts_file, inspects, pod_actions, pod_dns, pod_status, pull_check,
    sub_path, token_requests, volume_files,
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

/// The objects of the pod's namespace.
fn materials(input: &Value, pod: &Pod) -> Result<Materials, String> {
    let mut materials = Materials::new().in_server_words();
    let own = |namespace: &Str| *namespace == pod.metadata.namespace;
    let maps: Option<Vec<ConfigMap>> = decode(&input["configMaps"])?;
    for map in maps.into_iter().flatten().filter(|map| own(&map.metadata.namespace)) {
        materials = materials.with_config_map(map);
    }
    let secrets: Option<Vec<Secret>> = decode(&input["secrets"])?;
    for secret in secrets.into_iter().flatten().filter(|secret| own(&secret.metadata.namespace)) {
        materials = materials.with_secret(secret);
    }
    Ok(materials)
}

/// One address of each family, the first family of the node first.
fn pod_ips(input: &Value) -> Vec<Str> {
    let ips: Vec<IpAddr> =
        items(&input["podIPs"]).iter().filter_map(Value::as_str).filter_map(|ip| ip.parse().ok()).collect();
    let node: Vec<IpAddr> =
        items(&input["nodeIPs"]).iter().filter_map(Value::as_str).filter_map(|ip| ip.parse().ok()).collect();
    orlop_node::sorted_ips(&ips, &node).into_iter().map(|ip| ip.to_string().into()).collect()
}

fn container_env(case: &Case) -> Result<(), String> {
    let input = &case.value["in"];
    let pod: Pod = decode(&input["pod"])?;
    let node: Node = decode(&input["node"])?;
    let services: Vec<Arc<Service>> = decode::<Option<_>>(&input["services"])?.unwrap_or_default();
    let mut files = EnvFiles::new();
    for (volume, contents) in input["volumeFiles"].as_object().into_iter().flatten() {
        files = files.with_volume(volume.as_str(), format!("<volume {volume}>"));
        for (path, contents) in contents.as_object().into_iter().flatten() {
            files = files.with_file(volume.as_str(), path, contents.as_str().unwrap_or_default().as_bytes());
        }
    }
    let materials = materials(input, &pod)?;
    let host_ips = host_ips(&node);
    let around = Surroundings {
        pod: &pod,
        materials: &materials,
        pod_ips: &pod_ips(input),
        host_ips: &host_ips,
        allocatable: &node.status.allocatable,
        services: if input["servicesSynced"] == true { Services::Known(&services) } else { Services::Unread },
        files: &files,
    };
    let mut containers = pod.spec.containers.iter().chain(&pod.spec.init_containers);
    let container = containers
        .find(|container| container.name == *text(&input["container"]))
        .ok_or("the container is missing")?;
    let mut check = Check::new();
    match environment(container, &around) {
        Err(error) => check.eq("error", &case.value["error"].as_str(), &Some(error.to_string().as_str())),
        Ok(env) => {
            let (command, args) = command(container, &env);
            let mut out = serde_json::Map::new();
            for (name, list) in [("command", command), ("args", args)] {
                if !list.is_empty() {
                    out.insert(name.to_owned(), json!(list));
                }
            }
            let expressions = container.volume_mounts.iter().filter(|mount| !mount.sub_path_expr.is_empty());
            let sub_paths: Vec<Value> = expressions
                .map(|mount| match sub_path(mount, &env) {
                    Ok(path) => json!({"subPath": path}),
                    Err(error) => json!({"error": error.to_string()}),
                })
                .collect();
            if !sub_paths.is_empty() {
                out.insert("subPaths".to_owned(), sub_paths.into());
            }
            let names = env.len();
            let env: serde_json::Map<String, Value> =
                env.into_iter().map(|(name, value)| (name.to_string(), json!(value))).collect();
            check.eq("different names", &env.len(), &names);
            out.insert("env".to_owned(), env.into());
            check.eq("error", &case.value["error"].as_str(), &None);
            check.json("out", &case.value["out"], &Value::Object(out));
        }
    }
    check.finish()
}

fn volume_payload(case: &Case) -> Result<(), String> {
    let input = &case.value["in"];
    let pod: Pod = decode(&input["pod"])?;
    let source: VolumeSource = decode(&input["volumeSource"])?;
    let mut materials = materials(input, &pod)?;
    let requests = token_requests(&source, &pod);
    for request in &requests {
        let token = match input["tokenError"].as_str() {
            Some(error) => Err(error.to_owned()),
            None => Ok(format!("TOKEN-{}", request.audience).into()),
        };
        materials = materials.with_token(request.clone(), token);
    }
    let asked: Vec<Value> = requests
        .iter()
        .map(|request| {
            let bound =
                json!({"apiVersion": "v1", "kind": "Pod", "name": request.pod_name, "uid": request.pod_uid});
            let mut spec = json!({"boundObjectRef": bound});
            if !request.audience.is_empty() {
                spec["audiences"] = json!([request.audience]);
            }
            if let Some(seconds) = request.expiration_seconds {
                spec["expirationSeconds"] = json!(seconds);
            }
            json!({"namespace": request.namespace, "serviceAccount": request.service_account, "spec": spec})
        })
        .collect();
    let around = Surroundings {
        pod: &pod,
        materials: &materials,
        pod_ips: &[],
        host_ips: &[],
        allocatable: &decode(&input["nodeAllocatable"])?,
        services: Services::Ignored,
        files: &EnvFiles::new(),
    };
    let owner = VolumeOwner { user: input["fsUser"].as_i64(), group: input["fsGroup"].as_i64() };
    let mut check = Check::new();
    check.json("tokenRequests", &Value::from(items(&case.value["tokenRequests"]).to_vec()), &asked.into());
    match volume_files(&source, owner, &around) {
        Err(error) => check.eq("error", &case.value["error"].as_str(), &Some(error.as_str())),
        Ok(files) => {
            let files: serde_json::Map<String, Value> = files
                .ok_or("a volume without files")?
                .into_iter()
                .map(|(path, file)| {
                    let mut value = json!({"mode": file.mode, "content": base64::engine::general_purpose::STANDARD.encode(&file.data)});
                    if let Some(user) = file.user {
                        value["fsUser"] = json!(user);
                    }
                    (path.to_string(), value)
                })
                .collect();
            check.eq("error", &case.value["error"].as_str(), &None);
            let wanted = &case.value["out"];
            let wanted = if wanted.is_null() { json!({}) } else { wanted.clone() };
            check.json("out", &wanted, &Value::Object(files));
        }
    }
    check.finish()
}

fn told(warnings: impl IntoIterator<Item = DnsWarning>) -> Vec<Value> {
    warnings
        .into_iter()
        .map(|warning| json!(format!("Warning {} {}", warning.reason, warning.message)))
        .collect()
}

fn dns(case: &Case) -> Result<(), String> {
    let input = &case.value["in"];
    let mut check = Check::new();
    let error = case.value["error"].as_str();
    match case.op.as_str() {
        "podDNS" => {
            let pod: Pod = decode(&input["pod"])?;
            let settings = DnsSettings {
                servers: decode::<Option<_>>(&input["clusterDNS"])?.unwrap_or_default(),
                domain: text(&input["clusterDomain"]).to_string(),
                host: input["hostResolvConf"].as_str().map(str::to_owned),
            };
            let node_ips: Vec<IpAddr> = decode(&input["nodeIPs"])?;
            let odd = check_resolv_conf("<resolv.conf>", &settings);
            check.json(
                "nodeCheckEvents",
                &Value::from(items(&case.value["nodeCheckEvents"]).to_vec()),
                &told(odd).into(),
            );
            match pod_dns(&pod, &settings, &node_ips) {
                Err(got) => check.eq("error", &error, &Some(got.to_string().as_str())),
                Ok((config, warnings)) => {
                    check.eq("error", &error, &None);
                    let mut options = config.options;
                    options.sort();
                    let got =
                        json!({"servers": config.servers, "searches": config.searches, "options": options});
                    check.json("out", &case.value["out"], &got);
                    check.json("events", &case.value["events"], &told(warnings).into());
                }
            }
        }
        "hostname" => {
            let pod: Pod = decode(&input["pod"])?;
            match Hostname::of(&pod, &text(&input["clusterDomain"])) {
                Err(got) => check.eq("error", &error, &Some(got.to_string().as_str())),
                Ok(name) => {
                    check.eq("error", &error, &None);
                    let mut got = json!({"hostname": name.name, "domain": name.domain});
                    match name.of_kernel(&pod) {
                        Ok(kernel) => got["kernelHostname"] = json!(kernel),
                        Err(error) => got["kernelHostnameError"] = json!(error.to_string()),
                    }
                    check.json("out", &case.value["out"], &got);
                }
            }
        }
        "hosts" => {
            let name = Hostname {
                name: text(&input["hostname"]).to_string(),
                domain: text(&input["domain"]).to_string(),
            };
            let ips: Vec<Str> = items(&input["podIPs"]).iter().map(text).collect();
            let aliases: Vec<HostAlias> = decode::<Option<_>>(&input["hostAliases"])?.unwrap_or_default();
            let of_node =
                (input["hostNetwork"] == true).then(|| input["nodeHostsFile"].as_str().unwrap_or_default());
            let got = hosts_file(&name, &ips, &aliases, of_node);
            check.eq("out", &case.value["out"].as_str(), &Some(got.as_str()));
        }
        other => check.miss(format!("no such function: {other}")),
    }
    check.finish()
}

/// What the node decides about images; their names and credentials are orlop-image's.
fn image_ref(case: &Case) -> Result<(), String> {
    if case.op != "precheck" {
        return Err(format!("unknown operation {}", case.op));
    }
    let input = &case.value["in"];
    let policy = PullPolicy::from(input["imagePullPolicy"].as_str().unwrap_or_default());
    let present = input["presentRef"].as_str().filter(|present| !present.is_empty());
    let found = match input["inspectError"].as_str() {
        Some(error) => Err(error.to_owned()),
        None => Ok(present.filter(|_| inspects(&policy))),
    };
    let mut got = json!({"imageRef": "", "message": "", "events": []});
    match pull_check(&text(&input["image"]), &policy, found) {
        Ok(found) => {
            got["imageRef"] = json!(found.unwrap_or_default());
            if policy != PullPolicy::Always {
                got["imageFound"] = json!(found.is_some());
            }
        }
        Err(error) => {
            got["error"] = json!(error.reason());
            got["message"] = json!(error.to_string());
            got["events"] = json!([format!("Warning {} {error}", error.event())]);
            if matches!(error, PullCheckError::NeverPull(_)) {
                got["imageFound"] = json!(false);
            }
        }
    }
    let mut check = Check::new();
    check.json("out", &case.value["out"], &got);
    check.finish()
}

fn main() -> ExitCode {
    vectors::run(
        concat!(env!("CARGO_MANIFEST_DIR"), "/tests/vectors"),
        &[
            Family::new("pod_actions", actions),
            Family::new("pod_status", status),
            Family::new("container_env", container_env),
            Family::new("volume_payload", volume_payload),
            Family::new("dns", dns),
            Family::new("image_ref", image_ref).without(&["parse", "urlMatch", "credentials"]),
        ],
    )
}
