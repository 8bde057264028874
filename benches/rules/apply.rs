//! Server-side apply: one field of a Deployment with fifty containers whose other fields other managers own; what it
//! costs a server to know who owns the fields of a pod.

use std::sync::Arc;

use futures::executor::block_on;
use orlop_apiserver::LocalClient;
use orlop_benches::{Bench, CpuClock};
use orlop_client::Api;
use orlop_clock::{ManualClock, Random};
use orlop_model::apply::{self, Options};
use orlop_model::apps::v1::Deployment;
use orlop_model::core::v1::Pod;
use orlop_model::json;
use orlop_store::MemoryStore;
use serde_json::{Value, json};

use crate::{SAMPLE, containers};

fn config(spec: Value) -> Value {
    let meta = json!({"name": "shop", "namespace": "default", "labels": {"app": "shop"}});
    json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": meta, "spec": spec})
}

/// A Deployment whose containers two managers have applied, half of them each, and whose status a third has written.
fn deployment() -> Deployment {
    let template = |containers: Vec<Value>| {
        config(json!({
            "selector": {"matchLabels": {"app": "shop"}},
            "template": {"metadata": {"labels": {"app": "shop"}}, "spec": {"containers": containers}},
        }))
    };
    let mut object = Deployment::default();
    for (manager, range) in [("first half", 0..25), ("second half", 25..50)] {
        let config = template(containers(range));
        let applied = apply::apply(&object, &config, &Options::by(manager));
        object = applied.expect("nobody disagrees").expect("there is more than before");
    }
    let mut written = object.clone();
    written.status.replicas = 3;
    written.status.ready_replicas = 3;
    let options = Options { subresource: "status", ..Options::by("controller") };
    apply::update(&object, &mut written, &options).expect("typed objects fit");
    written
}

pub(crate) fn run(bench: &mut Bench) {
    let object = deployment();
    let scale = |replicas: i32| config(json!({"replicas": replicas}));
    let options = Options::by("scaler");
    let scaled = apply::apply(&object, &scale(3), &options).expect("nobody owns it").expect("a change");
    assert_eq!((scaled.spec.replicas, scaled.metadata.managed_fields.len()), (Some(3), 4));
    let other = scale(4);
    bench.each("A1 one field of 50 containers", "µs", 1, &[], || apply::apply(&scaled, &other, &options));
    let same = scale(3);
    assert_eq!(apply::apply(&scaled, &same, &options), Ok(None), "nothing changes");
    bench.each("A1 the same again", "µs", 1, &[], || apply::apply(&scaled, &same, &options));
    let image = config(json!({"template": {"spec": {"containers": [{"name": "c7", "image": "i:2"}]}}}));
    let forced = options.forced();
    bench.each("A2 one image, by force", "µs", 1, &[], || apply::apply(&scaled, &image, &forced));
    let taken = apply::apply(&scaled, &image, &forced).expect("by force").expect("a change");
    let image = config(json!({"template": {"spec": {"containers": [{"name": "c7", "image": "i:3"}]}}}));
    bench.each("A1 one image of 50 containers, one's own", "µs", 1, &[], || {
        apply::apply(&taken, &image, &options)
    });
    let less = config(json!({}));
    bench.each("A3 one field given up", "µs", 1, &[], || apply::apply(&scaled, &less, &options));

    let pod: Pod = json::from_slice(SAMPLE).expect("the sample is a Pod");
    let mut changed = pod.clone();
    changed.status.pod_ip = "10.0.0.77".into();
    let kubelet = Options { subresource: "status", ..Options::by("kubelet") };
    bench.each("A4 a status that changes, managed fields alone", "µs", 1, &[], || {
        changed.metadata.managed_fields.clone_from(&pod.metadata.managed_fields);
        apply::update(&pod, &mut changed, &kubelet)
    });
    for (workload, tracks) in [("A5 a pod updated by a server", true), ("A5 without managed fields", false)] {
        let count = bench.size(200, 5_000);
        let pods = block_on(pods(tracks));
        let mut pod = sample(&pod);
        pod = Pod::clone(&block_on(pods.create(pod)).expect("the pod is valid"));
        bench.whole(workload, "µs", &[], || {
            let start = CpuClock::now();
            for index in 0..count {
                pod.metadata.labels.insert("round", index.to_string().into());
                pod = Pod::clone(&block_on(pods.update(pod.clone())).expect("the pod is valid"));
            }
            start.elapsed().as_secs_f64() * 1e6 / count as f64
        });
    }
}

/// The sample as somebody would create it.
fn sample(pod: &Pod) -> Pod {
    let mut pod = pod.clone();
    let (name, labels) = (pod.metadata.name.clone(), pod.metadata.labels.clone());
    pod.metadata = Default::default();
    (pod.metadata.name, pod.metadata.labels) = (name, labels);
    pod.status = Default::default();
    pod
}

async fn pods(tracks: bool) -> Api<Pod> {
    let clock = Arc::new(ManualClock::default());
    let builder = LocalClient::builder(Arc::new(MemoryStore::new()), clock, Random::new(1));
    let builder = if tracks { builder } else { builder.without_managed_fields() };
    let client = builder.build().await.expect("an empty store can be set up");
    Api::namespaced(Arc::new(client), "default")
}
