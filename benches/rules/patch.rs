//! Patches of a Deployment with 50 containers, typed before and after.

use orlop_benches::Bench;
use orlop_model::apps::v1::Deployment;
use orlop_model::json;
use orlop_model::patch::{self, Limits};
use serde_json::{Value, json};

use crate::containers;

/// A Deployment whose template has 50 containers with environment, ports, probes and resources.
fn large() -> Deployment {
    let deployment = json!({
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "large", "labels": {"app": "large"}},
        "spec": {
            "replicas": 3, "selector": {"matchLabels": {"app": "large"}},
            "template": {
                "metadata": {"labels": {"app": "large"}},
                "spec": {"containers": containers(0..50), "volumes": [{"name": "data", "emptyDir": {}}]},
            },
        },
    });
    json::from_slice(deployment.to_string().as_bytes()).expect("the document is a Deployment")
}

pub(crate) fn run(bench: &mut Bench) {
    let large = large();
    let of_containers = |change: Value| json!({"spec": {"template": {"spec": change}}});
    let one = of_containers(json!({"containers": [{"name": "c25", "image": "other:2"}]}));
    bench.each("strategic merge of one field, 50-container Deployment", "µs", 1, &[], || {
        let mut patched = large.clone();
        patch::apply_strategic(&mut patched, &one).map(|()| patched)
    });
    let new = of_containers(json!({"containers": [{"name": "new", "image": "other:2"}]}));
    bench.each("strategic merge of a new container, 50-container Deployment", "µs", 1, &[], || {
        let mut patched = large.clone();
        patch::apply_strategic(&mut patched, &new).map(|()| patched)
    });
    let operations = json!([{"op": "replace", "path": "/spec/replicas", "value": 4}]);
    bench.each("JSON patch of one field, 50-container Deployment", "µs", 1, &[], || {
        patch::apply_operations(&large, &operations, Limits::default())
    });
    let mut scaled = large.clone();
    scaled.spec.replicas = Some(4);
    bench.each("difference in one field, 50-container Deployment", "µs", 1, &[], || {
        patch::between(&large, &scaled)
    });
}
