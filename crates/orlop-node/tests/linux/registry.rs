//! Images from a registry on loopback, with secrets of the pod.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use base64::Engine as _;
use orlop_image::{Builder, Image, Reference, Store, StoreOptions};
use orlop_model::core::v1::{PodPhase, Secret};
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use super::{World, build_tools, container, possible, waiting};

const CREDENTIALS: &str = "me:pw";

/// Path of a request to answer.
type Pages = HashMap<String, Vec<u8>>;

/// Serves an image under a name; what is in its layers can be changed on the way.
fn offer(pages: &mut Pages, folder: &Path, image: &Image, name: &str, change: impl Fn(&mut Vec<u8>)) {
    let manifest = image.manifest_digest().to_string();
    for entry in std::fs::read_dir(folder.join("blobs/sha256")).unwrap() {
        let entry = entry.unwrap();
        let digest = format!("sha256:{}", entry.file_name().into_string().unwrap());
        let mut bytes = std::fs::read(entry.path()).unwrap();
        if digest == manifest {
            pages.insert(format!("/v2/{name}/manifests/1"), bytes.clone());
            pages.insert(format!("/v2/{name}/manifests/{digest}"), bytes);
            continue;
        }
        if !bytes.starts_with(b"{") {
            change(&mut bytes);
        }
        pages.insert(format!("/v2/{name}/blobs/{digest}"), bytes);
    }
}

/// Answers requests of those who are known.
async fn serve(listener: TcpListener, pages: Arc<Pages>) {
    let known = format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(CREDENTIALS));
    loop {
        let (mut stream, _) = listener.accept().await.unwrap();
        let (pages, known) = (Arc::clone(&pages), known.clone());
        tokio::spawn(async move {
            let mut head = Vec::new();
            while let Ok(byte) = stream.read_u8().await {
                head.push(byte);
                if !head.ends_with(b"\r\n\r\n") {
                    continue;
                }
                let text = String::from_utf8(std::mem::take(&mut head)).unwrap();
                let path = text.split(' ').nth(1).unwrap();
                let allowed = text.lines().any(|line| {
                    line.split_once(": ").is_some_and(|(name, value)| {
                        name.eq_ignore_ascii_case("authorization") && value == known
                    })
                });
                let (status, body): (_, &[u8]) = match (allowed, pages.get(path)) {
                    (false, _) => ("401 Unauthorized\r\nWWW-Authenticate: Basic realm=\"x\"", b"{}"),
                    (true, Some(page)) => ("200 OK", page),
                    (true, None) if path == "/v2/" => ("200 OK", b"{}"),
                    (true, None) => ("404 Not Found", b"{}"),
                };
                let head = format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\n\r\n", body.len());
                if stream.write_all(head.as_bytes()).await.is_err() || stream.write_all(body).await.is_err() {
                    return;
                }
            }
        });
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn images_come_from_a_registry() {
    if !possible() {
        return;
    }
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let host = listener.local_addr().unwrap().to_string();
    let world = World::with("registry", |config| {
        config.registry.plain_http = vec![host.clone()];
        config.registry.retries = 0;
    })
    .await;
    let mut pages = Pages::new();
    let elsewhere = world.folder.join("elsewhere");
    {
        let store = Store::open(elsewhere.join("good"), StoreOptions::default()).unwrap();
        build_tools(&store);
        let image = store.get(&Reference::parse("tools:1").unwrap()).unwrap().unwrap();
        offer(&mut pages, store.path(), &image, "team/good", |_| {});
        let store = Store::open(elsewhere.join("bad"), StoreOptions::default()).unwrap();
        let name = Reference::parse("bad:1").unwrap();
        let image = Builder::new().file("/x", "text", 0o644).cmd(["/x"]).build(&store, &name).unwrap();
        offer(&mut pages, store.path(), &image, "team/bad", |bytes| {
            if let Some(byte) = bytes.last_mut() {
                *byte ^= 1;
            }
        });
    }
    let server = tokio::spawn(serve(listener, Arc::new(pages)));
    for (name, password) in [("right", "pw"), ("wrong", "no")] {
        let auths = json!({"auths": {&host: {"username": "me", "password": password}}}).to_string();
        world
            .make::<Secret>(json!({
                "metadata": {"name": name}, "type": "kubernetes.io/dockerconfigjson",
                "stringData": {".dockerconfigjson": auths},
            }))
            .await;
    }
    let spec = |image: &str, secrets: &[&str]| {
        let secrets: Vec<_> = secrets.iter().map(|name| json!({"name": name})).collect();
        let image = format!("{host}/team/{image}");
        let container = json!({"name": "c", "image": image, "command": ["/bin/sh", "-c", "echo ran"]});
        json!({"restartPolicy": "Never", "imagePullSecrets": secrets, "containers": [container]})
    };
    // Without credentials that are right, there is no image, and it is said over and over.
    let refused = [
        ("nobody", spec("good:1", &[]), "enied"),
        ("wrong", spec("good:1", &["wrong"]), "enied"),
        ("absent", spec("none:1", &["right"]), "not found"),
        ("changed", spec("bad:1", &["right"]), "sha256:"),
        ("lost", spec("good:1", &["lost"]), "enied"),
    ];
    for (name, spec, _) in &refused {
        world.create(name, spec.clone()).await;
    }
    for (name, _, text) in &refused {
        for reason in ["ErrImagePull", "ImagePullBackOff"] {
            let pod = world
                .when(name, reason, |pod| {
                    !pod.status.container_statuses.is_empty() && waiting(pod, "c") == reason
                })
                .await;
            let message = container(&pod, "c").state.waiting.as_ref().unwrap().message.clone();
            assert!(message.contains(text), "{name}: {message}");
        }
        let events = world.events(name).await;
        for wanted in
            ["Failed Failed to pull image", "Failed Error: ErrImagePull", "BackOff Back-off pulling image"]
        {
            assert!(events.iter().any(|event| event.starts_with(wanted)), "{name}: {events:#?}");
        }
        let lost = events.iter().any(|event| event.starts_with("FailedToRetrieveImagePullSecret"));
        assert_eq!(lost, *name == "lost", "{name}: {events:#?}");
        world.delete(name).await;
    }
    assert_eq!(world.store.images().unwrap().len(), 1, "nothing of what failed is there");
    world.create("right", spec("good:1", &["wrong", "right"])).await;
    let pod = world.phase("right", PodPhase::Succeeded).await;
    assert_eq!(world.logs(&pod, "c").await, ["ran"]);
    assert!(container(&pod, "c").image_id.starts_with(&format!("{host}/team/good@sha256:")));
    let events = world.events("right").await;
    assert!(events.iter().any(|event| event.starts_with("Pulled Successfully pulled image")), "{events:#?}");
    world.delete("right").await;
    server.abort();
    world.end().await;
}
