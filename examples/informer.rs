//! An informer: a cache of pods with an index by node, shared by many readers, and its changes as streams.
//!
//! `cargo run --example informer`

use std::sync::Arc;

use futures::StreamExt;
use orlop_apiserver::LocalClient;
use orlop_cache::{Delta, Informer, Subscription};
use orlop_client::{Api, Client, DeleteOptions, Result};
use orlop_clock::{Random, SystemClock};
use orlop_model::{Str, core::v1::Pod};
use orlop_store::MemoryStore;
use serde_json::json;
use tokio_util::sync::CancellationToken;

fn pod(name: &str, node: &str) -> Pod {
    let manifest = json!({
        "metadata": { "name": name, "namespace": "default", "labels": { "app": "web" } },
        "spec": { "nodeName": node, "containers": [{ "name": "main", "image": "nginx" }] },
    });
    serde_json::from_value(manifest).expect("a pod")
}

fn names(pods: Vec<Arc<Pod>>) -> Vec<Str> {
    pods.iter().map(|pod| pod.metadata.name.clone()).collect()
}

/// Tells the next `count` changes.
async fn tell(who: &str, changes: &mut Subscription<Pod>, count: usize) {
    for delta in changes.take(count).collect::<Vec<_>>().await {
        let name = delta.object().map_or(Str::EMPTY, |pod| pod.metadata.name.clone());
        match delta {
            Delta::Added { initial: true, .. } => println!("{who}: {name} is there"),
            Delta::Added { initial: false, .. } => println!("{who}: {name} has come"),
            Delta::Modified { new, .. } => println!("{who}: {name} is now {:?}", new.metadata.labels),
            Delta::Deleted { .. } => println!("{who}: {name} has gone"),
            Delta::Synced => println!("{who}: that was all there was"),
            Delta::Reset => println!("{who}: I lost track, and begin anew"),
        }
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let (store, clock) = (Arc::new(MemoryStore::new()), Arc::new(SystemClock));
    let server = LocalClient::builder(store, clock, Random::new(1));
    let client: Arc<dyn Client> = Arc::new(server.build().await?);
    let api = Api::<Pod>::namespaced(client.clone(), "default");
    for (name, node) in [("a", "node-1"), ("b", "node-2"), ("c", "node-1")] {
        api.create(pod(name, node)).await?;
    }

    // Over any client: this one, or one that speaks to a Kubernetes server.
    let informer = Informer::builder(Api::<Pod>::all(client)).build();
    let pods = informer.store().clone();
    let by_node = pods.index(|pod| pod.spec.node_name.clone());
    let mut all = pods.subscribe();
    let running = informer.spawn(CancellationToken::new());
    pods.synced().await;
    let web = "app=web".parse().expect("a selector");
    println!("web: {:?}", names(pods.select(Some("default"), &web)));
    println!("on node-1: {:?}", names(pods.by(&by_node, &"node-1".into())));
    tell("all", &mut all, 4).await;

    // A node's agent hears of its own pods alone; who comes late is told what there is.
    let mut of_node_2 = by_node.subscribe(&Str::from("node-2"));
    tell("node-2", &mut of_node_2, 2).await;

    let before = pods.snapshot();
    api.create(pod("d", "node-2")).await?;
    let relabel = |pod: &mut Pod| drop(pod.metadata.labels.insert("app", "db".into()));
    api.modify("a", relabel).await?;
    let gone = api.delete_with("b", &DeleteOptions::new().grace(0)).await?;

    // Reads one's own writes: waits until the cache has come as far as the last of them.
    pods.wait_for(&gone.record().resource_version()).await;
    println!("now: {:?}; before: {} pods", names(pods.list()), before.len());
    tell("all", &mut all, 3).await;
    tell("node-2", &mut of_node_2, 2).await;

    running.stop().await;
    assert!(all.next().await.is_none(), "the streams end with the informer");
    Ok(())
}
