use std::sync::Arc;
use std::time::Duration;

use orlop_image::{
    Builder, Credential, Digest, Error, Image, Keyring, Reference, Registry, RegistryAuth, RegistryError,
    Store,
};
use serde_json::json;

use crate::server::{Guard, Server};
use crate::support::Place;

const INDEX: &str = "application/vnd.oci.image.index.v1+json";
const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";

/// Serves an image made here, with a layer large enough to be cut.
fn offer(server: &Server, tag: &str) -> Image {
    let place = Place::new();
    let store = place.store();
    let content: Vec<u8> = (0..100_000_u32).flat_map(u32::to_le_bytes).collect();
    let made = Builder::new()
        .file("data", content, 0o644)
        .file("etc/motd", tag, 0o644)
        .cmd(["/data"])
        .build(&store, &"made:1".parse().unwrap())
        .unwrap();
    let blobs = place.path().join("store/blobs/sha256");
    for entry in std::fs::read_dir(blobs).unwrap() {
        server.add(std::fs::read(entry.unwrap().path()).unwrap());
    }
    server.tag(tag, made.manifest_digest());
    made
}

fn name(server: &Server, rest: &str) -> Reference {
    format!("{}/team/app{rest}", server.host).parse().unwrap()
}

fn basic(credentials: &str) -> RegistryAuth {
    let mut keys = Keyring::new();
    let (username, password) = credentials.split_once(':').unwrap();
    let text = json!({"x.io": {"username": username, "password": password}}).to_string();
    keys.add_auths(text.as_bytes(), "test").unwrap();
    RegistryAuth::from(keys.lookup("x.io/a")[0])
}

async fn pull(server: &Server, store: &Store, rest: &str, auth: &RegistryAuth) -> Result<Image, Error> {
    Registry::new(server.options()).pull(store, &name(server, rest), auth).await
}

fn refused(outcome: Result<Image, Error>) -> RegistryError {
    match outcome {
        Err(Error::Registry { error, .. }) => error,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn an_image_is_pulled_by_tag_and_by_digest() {
    let server = Server::start().await;
    let made = offer(&server, "1");
    let place = Place::new();
    let store = place.store();
    let pulled = pull(&server, &store, ":1", &RegistryAuth::Anonymous).await.unwrap();
    assert_eq!(pulled.id(), made.id());
    assert_eq!(pulled.repo_digest().unwrap(), format!("{}/team/app@{}", server.host, made.manifest_digest()));
    let layers = store.unpack(&pulled).unwrap();
    assert_eq!(std::fs::read_to_string(layers.lower()[0].join("etc/motd")).unwrap(), "1");
    // Again: only the manifest is asked for, since the tag may have moved.
    let blobs = server.count("/blobs/");
    pull(&server, &store, ":1", &RegistryAuth::Anonymous).await.unwrap();
    assert_eq!(server.count("/blobs/"), blobs);
    let by_digest = format!("@{}", made.manifest_digest());
    let pulled = pull(&server, &store, &by_digest, &RegistryAuth::Anonymous).await.unwrap();
    assert_eq!(pulled.id(), made.id());
    assert_eq!(store.get(&name(&server, &by_digest)).unwrap().unwrap().id(), made.id());
    place.assert_clean();
}

#[tokio::test]
async fn the_platform_is_chosen_from_an_index() {
    let server = Server::start().await;
    let made = offer(&server, "1");
    let size = server.with(|state| state.blobs[made.manifest_digest().as_str()].len());
    let other = Digest::sha256("other");
    let platform = orlop_image::Platform::current();
    let index = json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": [
        {"mediaType": MANIFEST, "digest": other, "size": 5, "platform": {"os": "plan9", "architecture": "mips"}},
        {"mediaType": MANIFEST, "digest": other, "size": 5, "platform": {"os": "unknown", "architecture": "unknown"}},
        {"mediaType": MANIFEST, "digest": made.manifest_digest(), "size": size,
         "platform": {"os": "linux", "architecture": platform.architecture()}},
    ]});
    let index = server.add(index.to_string());
    server.tag("multi", &index);
    let foreign = json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": [
        {"mediaType": MANIFEST, "digest": other, "size": 5, "platform": {"os": "plan9", "architecture": "mips"}}]});
    let foreign = server.add(foreign.to_string());
    server.tag("foreign", &foreign);
    let place = Place::new();
    let store = place.store();
    let pulled = pull(&server, &store, ":multi", &RegistryAuth::Anonymous).await.unwrap();
    assert_eq!((pulled.target(), pulled.manifest_digest()), (&index, made.manifest_digest()));
    match pull(&server, &store, ":foreign", &RegistryAuth::Anonymous).await {
        Err(Error::Platform { offered, .. }) => assert_eq!(offered, ["plan9/mips"]),
        other => panic!("{other:?}"),
    }
    assert!(store.get(&name(&server, ":foreign")).unwrap().is_none());
    drop(pulled);
    // The index is kept along with the image.
    store.gc().unwrap();
    assert_eq!(store.get(&name(&server, ":multi")).unwrap().unwrap().target(), &index);
}

#[tokio::test]
async fn who_is_not_known_is_denied() {
    for guard in [Guard::Basic("me:pw"), Guard::Bearer("me:pw")] {
        let server = Server::start().await;
        offer(&server, "1");
        server.with(|state| state.guard = guard.clone());
        let place = Place::new();
        let store = place.store();
        for auth in [RegistryAuth::Anonymous, basic("me:wrong"), RegistryAuth::Token("wrong".into())] {
            let error = refused(pull(&server, &store, ":1", &auth).await);
            assert!(matches!(error, RegistryError::Denied { .. }), "{guard:?} {auth:?}: {error}");
        }
        assert!(store.images().unwrap().is_empty());
        pull(&server, &store, ":1", &basic("me:pw")).await.unwrap();
        // One after the other until one is right.
        let credential = |password: &str| Credential {
            username: "me".into(),
            password: password.into(),
            email: String::new(),
            source: String::new(),
        };
        let registry = Registry::new(server.options());
        let (wrong, right) = (credential("no"), credential("pw"));
        registry.pull_with(&store, &name(&server, ":1"), &[&wrong, &right]).await.unwrap();
        registry.pull_with(&store, &name(&server, ":1"), &[&wrong]).await.unwrap_err();
    }
    let server = Server::start().await;
    offer(&server, "1");
    server.with(|state| state.guard = Guard::Token("secret"));
    let place = Place::new();
    pull(&server, &place.store(), ":1", &RegistryAuth::Token("secret".into())).await.unwrap();
}

#[tokio::test]
async fn credentials_stay_with_their_registry() {
    let (server, elsewhere) = (Server::start().await, Server::start().await);
    let made = offer(&server, "1");
    offer(&elsewhere, "1");
    server.with(|state| {
        state.guard = Guard::Basic("me:pw");
        // Another host than the registry's, though the same machine.
        state.redirect = Some(format!("http://{}", elsewhere.host.replace("127.0.0.1", "localhost")));
    });
    let place = Place::new();
    let pulled = pull(&server, &place.store(), ":1", &basic("me:pw")).await.unwrap();
    assert_eq!(pulled.id(), made.id());
    elsewhere.with(|state| {
        assert!(!state.log.is_empty());
        assert!(state.log.iter().all(|(_, authorization)| authorization.is_none()), "{:?}", state.log);
    });
    server.with(|state| assert!(state.log.iter().any(|(_, authorization)| authorization.is_some())));
}

#[tokio::test]
async fn signatures_of_addresses_are_not_told() {
    let (server, elsewhere) = (Server::start().await, Server::start().await);
    offer(&server, "1");
    let (host, place) = (elsewhere.host.clone(), Place::new());
    server.with(|state| state.redirect = Some(format!("http://{host}/part?signature=hidden&of=")));
    let refused = pull(&server, &place.store(), ":1", &RegistryAuth::Anonymous).await.unwrap_err();
    assert!(refused.to_string().contains(&format!("http://{host}/part?…")), "{refused}");
    // Nobody listens there any more.
    drop(elsewhere);
    let unreachable = pull(&server, &place.store(), ":1", &RegistryAuth::Anonymous).await.unwrap_err();
    for error in [refused, unreachable] {
        assert!(!format!("{error} {error:?}").contains("hidden"), "{error:?}");
    }
}

/// CVE-2020-15157: the host that a layer names would be given the credentials.
#[tokio::test]
async fn addresses_in_layers_are_not_asked() {
    let (server, elsewhere) = (Server::start().await, Server::start().await);
    let made = offer(&server, "1");
    let layer = &made.manifest().layers[0];
    elsewhere.with(|state| {
        let bytes = server.with(|server| server.blobs.remove(layer.digest.as_str()).unwrap());
        state.blobs.insert(layer.digest.to_string(), bytes);
    });
    let config = &made.manifest().config;
    let manifest = json!({"schemaVersion": 2, "mediaType": MANIFEST,
        "config": {"mediaType": config.media_type, "digest": config.digest, "size": config.size},
        "layers": [{"mediaType": "application/vnd.oci.image.layer.nondistributable.v1.tar", "digest": layer.digest,
                    "size": layer.size, "urls": [format!("http://{}/elsewhere/{}", elsewhere.host, layer.digest)]}]});
    let manifest = server.add(manifest.to_string());
    server.tag("foreign", &manifest);
    let place = Place::new();
    let error = refused(pull(&server, &place.store(), ":foreign", &RegistryAuth::Anonymous).await);
    assert!(matches!(error, RegistryError::NotFound { .. }), "{error}");
    elsewhere.with(|state| assert!(state.log.is_empty()));
}

#[tokio::test]
async fn what_fails_for_a_while_is_tried_again() {
    let server = Server::start().await;
    let made = offer(&server, "1");
    for ranges in [false, true] {
        server.with(|state| {
            state.unavailable = 2;
            state.cut = (100_000, 3);
            state.ranges = ranges;
            state.log.clear();
        });
        let place = Place::new();
        let pulled = pull(&server, &place.store(), ":1", &RegistryAuth::Anonymous).await.unwrap();
        assert_eq!(pulled.id(), made.id());
        let layer = made.manifest().layers[0].digest.to_string();
        assert_eq!(server.count(&layer), 4, "cut off three times");
        place.assert_clean();
    }
    server.with(|state| state.unavailable = 1000);
    let place = Place::new();
    let error = refused(pull(&server, &place.store(), ":1", &RegistryAuth::Anonymous).await);
    assert!(matches!(error, RegistryError::Unavailable { .. }), "{error}");
    place.assert_clean();
}

#[tokio::test]
async fn what_is_not_there_is_said() {
    let server = Server::start().await;
    offer(&server, "1");
    let place = Place::new();
    let store = place.store();
    let error = refused(pull(&server, &store, ":2", &RegistryAuth::Anonymous).await);
    assert!(matches!(error, RegistryError::NotFound { .. }), "{error}");
    assert_eq!(server.count("manifests/2"), 1, "that is not tried again");
    let mut nowhere = server.options();
    nowhere.plain_http = vec!["127.0.0.1:1".to_owned()];
    nowhere.retries = 0;
    let outcome = Registry::new(nowhere)
        .pull(&store, &"127.0.0.1:1/a/b".parse().unwrap(), &RegistryAuth::Anonymous)
        .await;
    let error = refused(outcome);
    assert!(matches!(error, RegistryError::Unavailable { .. }), "{error}");
    let outcome =
        Registry::default().pull(&store, &"my_host.io/a".parse().unwrap(), &RegistryAuth::Anonymous).await;
    assert!(matches!(refused(outcome), RegistryError::NoRegistry));
}

#[tokio::test]
async fn content_that_is_not_what_it_should_be_is_refused() {
    let server = Server::start().await;
    let made = offer(&server, "1");
    let (layer, config) = (made.manifest().layers[0].clone(), made.manifest().config.clone());
    let whole = server.with(|state| state.blobs.clone());
    let manifest = made.manifest_digest().to_string();
    type Change = fn(&mut Vec<u8>);
    let (flip, longer, shorter): (Change, Change, Change) = (
        |bytes| {
            let last = bytes.len() - 1;
            bytes[last] ^= 1;
        },
        |bytes| bytes.push(b' '),
        |bytes| bytes.truncate(bytes.len() - 1),
    );
    for change in [flip, longer, shorter] {
        for digest in [layer.digest.as_str(), config.digest.as_str(), &manifest] {
            server.with(|state| {
                state.blobs.clone_from(&whole);
                change(state.blobs.get_mut(digest).unwrap());
            });
            let place = Place::new();
            let store = place.store();
            let by_digest = format!("@{manifest}");
            let error = pull(&server, &store, &by_digest, &RegistryAuth::Anonymous).await.unwrap_err();
            assert!(
                matches!(error, Error::Digest { .. } | Error::Size { .. } | Error::Registry { .. }),
                "{digest}: {error}"
            );
            assert!(store.images().unwrap().is_empty());
            place.assert_clean();
            assert!(!place.names("blobs/sha256").iter().any(|name| digest.ends_with(name.as_str())));
            store.gc().unwrap();
            assert!(place.names("blobs/sha256").is_empty());
        }
    }
}

#[tokio::test]
async fn ambiguous_and_obsolete_documents_are_refused() {
    let server = Server::start().await;
    let made = offer(&server, "1");
    let mut both: serde_json::Value =
        server.with(|state| serde_json::from_slice(&state.blobs[made.manifest_digest().as_str()]).unwrap());
    both["manifests"] = json!([]);
    let both = server.add(both.to_string());
    server.tag("both", &both);
    let old = server.add(r#"{"schemaVersion": 1, "fsLayers": []}"#);
    server.tag("old", &old);
    let big = server.add(format!(r#"{{"schemaVersion": 2, "x": "{}"}}"#, " ".repeat(9 << 20)));
    server.tag("big", &big);
    let place = Place::new();
    let store = place.store();
    for tag in [":both", ":old"] {
        let outcome = pull(&server, &store, tag, &RegistryAuth::Anonymous).await;
        assert!(matches!(outcome, Err(Error::Document { .. })), "{outcome:?}");
    }
    let outcome = pull(&server, &store, ":big", &RegistryAuth::Anonymous).await;
    assert!(matches!(outcome, Err(Error::Limit { .. })), "{outcome:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn many_pulls_of_one_image_pull_each_blob_once() {
    let server = Server::start().await;
    let made = offer(&server, "1");
    let place = Place::new();
    let store = place.store();
    let hold = Arc::new(tokio::sync::Semaphore::new(0));
    server.with(|state| state.hold = Some(Arc::clone(&hold)));
    let registry = Registry::new(server.options());
    let mut pulls = tokio::task::JoinSet::new();
    for _ in 0..8 {
        let (registry, store, name) = (registry.clone(), store.clone(), name(&server, ":1"));
        pulls.spawn(async move { registry.pull(&store, &name, &RegistryAuth::Anonymous).await });
    }
    let deadline = tokio::time::Instant::now() + Duration::from_secs(20);
    while server.count("/manifests/") < 8 {
        assert!(tokio::time::Instant::now() < deadline, "eight ask for the manifest");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    hold.add_permits(1000);
    while let Some(pulled) = pulls.join_next().await {
        let pulled = pulled.unwrap().unwrap();
        assert_eq!(pulled.id(), made.id());
    }
    for blob in [made.id().as_str(), made.manifest().layers[0].digest.as_str()] {
        assert_eq!(server.count(blob), 1, "{blob}");
    }
    place.assert_clean();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pull_that_is_dropped_leaves_nothing_half_made() {
    let server = Server::start().await;
    offer(&server, "1");
    let hold = Arc::new(tokio::sync::Semaphore::new(1));
    server.with(|state| state.hold = Some(Arc::clone(&hold)));
    let place = Place::new();
    let store = place.store();
    let registry = Registry::new(server.options());
    let name = name(&server, ":1");
    hold.forget_permits(1);
    let outcome = tokio::time::timeout(
        Duration::from_millis(300),
        registry.pull(&store, &name, &RegistryAuth::Anonymous),
    )
    .await;
    assert!(outcome.is_err(), "it is held back");
    hold.add_permits(1000);
    let deadline = tokio::time::Instant::now() + Duration::from_secs(20);
    while !place.names("ingest").is_empty() {
        assert!(tokio::time::Instant::now() < deadline, "the file on its way in goes");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert!(store.images().unwrap().is_empty());
    registry.pull(&store, &name, &RegistryAuth::Anonymous).await.unwrap();
}
