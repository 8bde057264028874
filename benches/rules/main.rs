//! The rules of the model: defaults and validation, patches, server-side apply.

mod apply;
mod patch;
mod validate;

use std::ops::Range;

use orlop_benches::Bench;
use serde_json::{Value, json};

const SAMPLE: &[u8] = include_bytes!("../data/pod-sample.json");

fn main() -> std::io::Result<()> {
    let mut bench = Bench::new("rules");
    validate::run(&mut bench);
    patch::run(&mut bench);
    apply::run(&mut bench);
    bench.finish()
}

/// Containers `c0`, `c1` … of a Deployment, with environment, ports, probes and resources.
fn containers(range: Range<usize>) -> Vec<Value> {
    let container = |index: usize| {
        json!({
            "name": format!("c{index}"), "image": format!("registry.example.com/shop/part-{index}:v1"),
            "args": ["--listen", "0.0.0.0:8080"], "imagePullPolicy": "IfNotPresent",
            "env": [
                {"name": "A", "value": "1"},
                {"name": "B", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}},
            ],
            "ports": [{"containerPort": 8000 + index, "name": format!("p{index}"), "protocol": "TCP"}],
            "resources": {"requests": {"cpu": "100m", "memory": "64Mi"}, "limits": {"memory": "128Mi"}},
            "readinessProbe": {"httpGet": {"path": "/healthz", "port": 8080}, "periodSeconds": 5},
            "volumeMounts": [{"name": "data", "mountPath": "/data"}],
        })
    };
    range.map(container).collect()
}
