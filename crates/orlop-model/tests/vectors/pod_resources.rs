//! Family `pod_resources`: requests and limits, quality of service, OOM score, cgroup values.

use orlop_model::core::v1::Pod;
use orlop_model::pod_resources::{
    ContainerCgroup, Counting, HugepageLimits, PodCgroup, compute_qos_class, limits, pod_cpu_weight,
    qos_class, requests, runtime_cpu_weight,
};
use orlop_model::vectors::{Case, Check};
use orlop_model::{Map, Quantity};
use serde_json::{Map as Object, Value, json};

pub(crate) fn run(case: &Case) -> Result<(), String> {
    let pod: Pod = case.get("pod")?;
    let memory: i64 = case.get("nodeMemory")?;
    let period: i64 = case.get("cpuPeriod")?;
    let expect = &case.value["expect"];
    let mut check = Check::new();

    let plain = Counting::default();
    let without_overhead = Counting { without_overhead: true, ..plain };
    let without_pod_level = Counting { without_pod_level: true, ..plain };
    let missing =
        Map::from([("cpu", Quantity::from_millis(100)), ("memory", Quantity::from_units(200 << 20))]);
    let nonzero = Counting { missing_requests: Some(&missing), ..Counting::SCHEDULER };
    for (name, got) in [
        ("requests", requests(&pod, &plain)),
        ("requests_without_overhead", requests(&pod, &without_overhead)),
        ("requests_skip_pod_level", requests(&pod, &without_pod_level)),
        ("requests_scheduler", requests(&pod, &Counting::SCHEDULER)),
        ("requests_scheduler_nonzero", requests(&pod, &nonzero)),
        ("limits", limits(&pod, &plain)),
        ("limits_without_overhead", limits(&pod, &without_overhead)),
        ("limits_skip_pod_level", limits(&pod, &without_pod_level)),
    ] {
        if expect[name].is_null() && name.ends_with("skip_pod_level") {
            continue;
        }
        let want: Map<Quantity> =
            serde_json::from_value(expect[name].clone()).map_err(|error| error.to_string())?;
        check.eq(name, &want, &got);
    }
    check.json("qos", &expect["qos"], &json!(qos_class(&pod).as_str()));
    check.json("qos_computed", &expect["qos_computed"], &json!(compute_qos_class(&pod).as_str()));

    let mut containers = Object::new();
    for container in pod.spec.containers.iter().chain(&pod.spec.init_containers) {
        let cgroup = ContainerCgroup::new(&pod, container, memory, period);
        let mut got = json!({
            "oom_score_adj": cgroup.oom_score_adj,
            "cpu_shares": cgroup.cpu_shares,
            "cpu_weight": runtime_cpu_weight(cgroup.cpu_shares),
            "cpu_quota": cgroup.cpu_quota,
            "cpu_period": cgroup.cpu_period,
            "memory_limit": cgroup.memory_limit,
        });
        hugepages(&mut got, &cgroup.hugepage_limits, |size| match size {
            0x20_0000 => "2MB".to_owned(),
            0x4000_0000 => "1GB".to_owned(),
            other => other.to_string(),
        });
        containers.insert(container.name.to_string(), got);
    }
    check.json("containers", &expect["containers"], &Value::Object(containers));

    let cgroup = PodCgroup::new(&pod, period);
    let mut got = json!({
        "cpu_shares": cgroup.cpu_shares,
        "cpu_weight": pod_cpu_weight(cgroup.cpu_shares),
    });
    for (name, value) in [
        ("cpu_quota", cgroup.cpu_quota),
        ("cpu_period", cgroup.cpu_period),
        ("memory_limit", cgroup.memory_limit),
    ] {
        if let Some(value) = value {
            got[name] = json!(value);
        }
    }
    hugepages(&mut got, &cgroup.hugepage_limits, |size| size.to_string());
    check.json("pod_cgroup", &expect["pod_cgroup"], &got);
    check.finish()
}

fn hugepages(cgroup: &mut Value, limits: &HugepageLimits, name: impl Fn(i64) -> String) {
    if !limits.is_empty() {
        let limits: Object<String, Value> =
            limits.iter().map(|(size, limit)| (name(*size), json!(limit))).collect();
        cgroup["hugepage_limits"] = Value::Object(limits);
    }
}
