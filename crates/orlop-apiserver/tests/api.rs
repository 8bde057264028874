//! The server against the suite of all clients, and what is its own.

#[path = "api/custom.rs"]
mod custom;
#[path = "api/kinds.rs"]
mod kinds;

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use futures::StreamExt;
use futures::future::{BoxFuture, join_all};
use orlop_apiserver::{Admission, LocalClient, Operation, Request, Strategy};
use orlop_client::conformance::{self, Subject};
use orlop_client::{
    AnyObject, Api, Client, DeleteOptions, Draft, Error, GetOptions, ListOptions, ObjectRef, Patch, Result,
    Subresource, WatchEvent, WatchOptions, WriteOptions,
};
use orlop_clock::{Random, TokioClock};
use orlop_model::apps::v1::Deployment;
use orlop_model::core::v1::{ConfigMap, Namespace, Pod, PodPhase, Secret, Service};
use orlop_model::{
    DynamicObject, FieldError, KindInfo, Message, Object, ObjectKey, ObjectMeta, StaticKind, Str, Time,
};
use orlop_store::{
    At, Committed, Format, Key, KeyRange, LeaseId, Listing, MemoryStore, Page, Revision, Store, Txn, Value,
};
use proptest::prelude::{Just, ProptestConfig, prop, prop_oneof, proptest};
use proptest::strategy::Strategy as _;
use serde_json::json;

fn builder(seed: u64) -> orlop_apiserver::Builder {
    over(Arc::new(MemoryStore::new()), seed)
}

fn over(store: Arc<dyn Store>, seed: u64) -> orlop_apiserver::Builder {
    let clock = TokioClock::new(Time::from_seconds(1_772_366_400).timestamp());
    LocalClient::builder(store, Arc::new(clock), Random::new(seed))
}

/// A store that lets others in before each operation, as one does that is not in memory.
#[derive(Debug)]
struct Yielding(MemoryStore);

#[async_trait]
impl Store for Yielding {
    async fn get(&self, key: &Key, at: At) -> orlop_store::Result<Option<Arc<orlop_store::Record>>> {
        tokio::task::yield_now().await;
        self.0.get(key, at).await
    }
    async fn list(&self, range: &KeyRange, at: At, page: Page) -> orlop_store::Result<Listing> {
        tokio::task::yield_now().await;
        self.0.list(range, at, page).await
    }
    async fn commit(&self, txn: Txn) -> orlop_store::Result<Committed> {
        tokio::task::yield_now().await;
        self.0.commit(txn).await
    }
    fn watch(&self, range: &KeyRange, from: Revision) -> orlop_store::Watch {
        self.0.watch(range, from)
    }
    async fn revision(&self) -> orlop_store::Result<Revision> {
        self.0.revision().await
    }
    async fn reached(&self, revision: Revision) -> orlop_store::Result<Revision> {
        self.0.reached(revision).await
    }
    async fn compact(&self, up_to: Revision) -> orlop_store::Result<()> {
        self.0.compact(up_to).await
    }
    async fn lease(&self, ttl: std::time::Duration) -> orlop_store::Result<LeaseId> {
        self.0.lease(ttl).await
    }
    async fn keep_alive(&self, lease: LeaseId) -> orlop_store::Result<()> {
        self.0.keep_alive(lease).await
    }
    async fn revoke(&self, lease: LeaseId) -> orlop_store::Result<Committed> {
        self.0.revoke(lease).await
    }
}

/// A server whose requests interleave.
async fn interleaving() -> Arc<LocalClient> {
    Arc::new(
        over(Arc::new(Yielding(MemoryStore::new())), 1).build().await.expect("an empty store can be set up"),
    )
}

async fn server() -> Arc<LocalClient> {
    Arc::new(builder(1).build().await.expect("an empty store can be set up"))
}

fn api<K: StaticKind>(client: &Arc<LocalClient>) -> Api<K> {
    Api::namespaced(Arc::clone(client) as Arc<dyn Client>, "default")
}

fn read<K: Object>(value: serde_json::Value) -> K {
    serde_json::from_value(value).expect("the document is a valid object")
}

fn pod(name: &str) -> Pod {
    read(
        json!({"metadata": {"name": name}, "spec": {"containers": [{"name": "main", "image": "example.org/main:1"}]}}),
    )
}

fn map(name: &str, value: &str) -> ConfigMap {
    read(json!({"metadata": {"name": name}, "data": {"value": value}}))
}

#[tokio::test(start_paused = true)]
async fn passes_the_suite_of_clients() {
    for interleaves in [false, true] {
        passes(interleaves).await;
    }
}

async fn passes(interleaves: bool) {
    let subject = async || {
        let client = if interleaves { interleaving().await } else { server().await };
        let store = Arc::clone(client.store());
        let compact = move || -> BoxFuture<'static, ()> {
            let store = Arc::clone(&store);
            Box::pin(async move {
                let revision = store.revision().await.expect("the store is open");
                store.compact(revision).await.expect("the present can be compacted to");
            })
        };
        Subject::new(client).with_compaction(compact).keeps_unknown_fields()
    };
    let report = conformance::run(subject).await;
    report.assert_passed();
    assert!(report.passed.len() > 70, "{report}");
}

// ── A user's own kinds ──────────────────────────────────────────────────────────────────────────

#[derive(Clone, Debug, Default, PartialEq, Object)]
#[object(group = "example.dev", version = "v1", status, scale)]
struct Website {
    metadata: ObjectMeta,
    spec: WebsiteSpec,
    status: WebsiteStatus,
    #[wire(extra)]
    extra: orlop_model::Extra,
}

#[derive(Clone, Debug, Default, PartialEq, Message)]
struct WebsiteSpec {
    host: Str,
    replicas: i32,
}

#[derive(Clone, Debug, Default, PartialEq, Message)]
struct WebsiteStatus {
    replicas: i32,
    selector: Str,
}

fn website(name: &str) -> Website {
    read(json!({"metadata": {"name": name}, "spec": {"host": "example.dev", "replicas": 1}}))
}

#[tokio::test(start_paused = true)]
async fn own_kinds_need_no_rules() {
    let client = Arc::new(builder(1).register::<Website>().build().await.unwrap());
    let sites = api::<Website>(&client);
    let mut home = website("home");
    home.status.replicas = 5;
    let created = sites.create(home).await.unwrap();
    assert_eq!(
        (created.metadata.generation, created.status.replicas, &*created.spec.host),
        (1, 0, "example.dev")
    );

    let mut both = Website::clone(&created);
    both.spec.host = "example.org".into();
    both.status.replicas = 9;
    let updated = sites.update(&both).await.unwrap();
    assert_eq!(
        (&*updated.spec.host, updated.status.replicas, updated.metadata.generation),
        ("example.org", 0, 2)
    );
    both.metadata.resource_version = "".into();
    both.spec.host = "ignored".into();
    let updated = sites.update_status(&both).await.unwrap();
    assert_eq!(
        (&*updated.spec.host, updated.status.replicas, updated.metadata.generation),
        ("example.org", 9, 2)
    );

    let scaled = sites.scale("home", 3).await.unwrap();
    assert_eq!((scaled.spec.replicas, scaled.status.replicas), (3, 9));
    assert_eq!(sites.get("home").await.unwrap().spec.replicas, 3);
    assert!(
        client
            .store()
            .get(&"/registry/example.dev/websites/default/home".into(), Default::default())
            .await
            .unwrap()
            .is_some()
    );

    // The same object without its type, and back.
    let dynamic = Api::dynamic(Arc::clone(&client) as Arc<dyn Client>, Website::KIND).within("default");
    let mut object = DynamicObject::clone(&*dynamic.get("home").await.unwrap());
    assert_eq!(object.kind.plural, "websites");
    object.body["spec"]["host"] = json!("example.net");
    object.body.insert("unknown".into(), json!(1));
    dynamic.update(object).await.unwrap();
    let site = sites.get("home").await.unwrap();
    assert_eq!((&*site.spec.host, site.extra.get("unknown")), ("example.net", Some(&json!(1))));
}

struct Hosts;

impl Strategy<Website> for Hosts {
    fn default(&self, site: &mut Website) {
        if site.spec.host.is_empty() {
            site.spec.host = format!("{}.example.dev", site.metadata.name).into();
        }
    }
    fn validate_create(&self, site: &Website) -> Vec<FieldError> {
        let mut errors = Vec::new();
        if site.spec.replicas < 0 {
            errors.push(FieldError::invalid("spec.replicas", site.spec.replicas, "must not be negative"));
        }
        errors
    }
    fn validate_update(&self, new: &Website, old: &Website) -> Vec<FieldError> {
        let moved = new.spec.host != old.spec.host;
        moved.then(|| FieldError::forbidden("spec.host", "a site does not move")).into_iter().collect()
    }
    fn fields(&self) -> &'static [&'static str] {
        &["spec.host"]
    }
    fn field<'a>(&self, site: &'a Website, _: &str) -> std::borrow::Cow<'a, str> {
        site.spec.host.as_str().into()
    }
}

#[tokio::test(start_paused = true)]
async fn own_kinds_may_have_rules() {
    let client = Arc::new(builder(1).register_with::<Website>(Hosts).build().await.unwrap());
    let sites = api::<Website>(&client);
    let mut site = website("blog");
    site.spec.host = "".into();
    assert_eq!(sites.create(site).await.unwrap().spec.host, "blog.example.dev");
    let mut wrong = website("Bad_Name");
    wrong.spec.replicas = -1;
    wrong.metadata.labels.insert("-", "x".into());
    let error = sites.create(wrong).await.unwrap_err();
    let Error::Invalid { causes, .. } = &error else { panic!("{error:?}") };
    let fields: Vec<&str> = causes.iter().map(|cause| &*cause.field).collect();
    assert_eq!(fields, ["metadata.name", "metadata.labels", "spec.replicas"]);
    assert!(
        error
            .to_string()
            .starts_with("Website.example.dev \"Bad_Name\" is invalid: [metadata.name: Invalid value"),
        "{error}"
    );
    let error = sites.modify("blog", |site| site.spec.host = "x".into()).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "Website.example.dev \"blog\" is invalid: spec.host: Forbidden: a site does not move"
    );
    let found = sites.list(&ListOptions::new().fields("spec.host=blog.example.dev")).await.unwrap();
    assert_eq!(found.items.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn kinds_may_be_known_at_run_time_only() {
    let mut kind = KindInfo::guess("example.dev/v1", "Gadget");
    kind.scope = orlop_model::Scope::Cluster;
    kind.status = true;
    let mut scheme = orlop_apiserver::Scheme::empty();
    scheme.register_dynamic(&kind);
    let client = Arc::new(builder(1).scheme(scheme).build().await.unwrap());
    assert!(
        api::<Pod>(&client).get("x").await.is_err_and(|error| matches!(error, Error::UnknownKind { .. }))
    );
    let gadgets = Api::dynamic(client as Arc<dyn Client>, &kind);
    let mut gadget = DynamicObject::new(Arc::new(kind.clone()));
    gadget.metadata.name = "one".into();
    gadget.body.insert("spec".into(), json!({"size": 1}));
    gadget.body.insert("status".into(), json!({"seen": true}));
    let created = gadgets.create(gadget).await.unwrap();
    assert_eq!((created.metadata.generation, created.body.get("status")), (1, None));
    gadgets.patch_status("one", json!({"spec": {"size": 9}, "status": {"seen": true}})).await.unwrap();
    let patched =
        gadgets.patch_merge("one", json!({"spec": {"size": 2}, "status": {"seen": false}})).await.unwrap();
    assert_eq!(
        (&patched.body["spec"], &patched.body["status"]),
        (&json!({"size": 2}), &json!({"seen": true}))
    );
    assert_eq!(patched.metadata.generation, 2);
}

// ── Patches ─────────────────────────────────────────────────────────────────────────────────────

#[tokio::test(start_paused = true)]
async fn patches_are_refused_as_kubernetes_does() {
    let client = server().await;
    let pods = api::<Pod>(&client);
    let old = pods.create(pod("a")).await.unwrap();
    let strict = WriteOptions { strict: true, ..WriteOptions::default() };
    let operation = |operation: serde_json::Value| Patch::Json(json!([operation]));
    let test = json!({"op": "test", "path": "/kind", "value": "Pod"});
    for (patch, options, code, reason, message) in [
        (Patch::Json(json!({})), None, 400, "BadRequest", "error decoding patch"),
        (Patch::Merge(json!("x")), None, 400, "BadRequest", "Invalid JSON Patch"),
        (Patch::Merge(json!([])), None, 422, "Invalid", " \"\" is invalid: patch: Invalid value: "),
        (
            Patch::Json(vec![test; 10_001].into()),
            None,
            413,
            "RequestEntityTooLarge",
            "in a JSON patch is 10000, got 10001",
        ),
        (
            operation(json!({"op": "remove", "path": "/metadata/labels"})),
            None,
            422,
            "Invalid",
            "the server rejected our request due to an error in our request",
        ),
        (
            operation(json!({"op": "test", "path": "/kind", "value": "Node"})),
            None,
            422,
            "Invalid",
            "the server rejected our request due to an error in our request",
        ),
        (
            operation(json!({"op": "add", "path": "/spec/nodeName", "value": 1})),
            None,
            422,
            "Invalid",
            "is invalid: patch:",
        ),
        (Patch::Merge(json!({"spec": {"nodeName": 1}})), None, 422, "Invalid", "spec.nodeName: "),
        (
            Patch::Strategic(json!({"spec": {"nodeName": 1}})),
            None,
            422,
            "Invalid",
            "Invalid value: \"map[spec:map[nodeName:1]]\"",
        ),
        (Patch::Strategic(json!([])), None, 400, "BadRequest", "invalid JSON document"),
        (
            Patch::Strategic(json!({"spec": {"$retainKeys": 1}})),
            None,
            400,
            "BadRequest",
            "invalid patch format of retainKeys",
        ),
        (
            Patch::Strategic(json!({"spec": {"containers": [{"image": "x"}]}})),
            None,
            500,
            "InternalError",
            "map: map[image:x] does not contain declared merge key: name",
        ),
        (
            Patch::Merge(json!({"spec": {"surprise": 1}})),
            Some(&strict),
            422,
            "Invalid",
            "strict decoding error: unknown field \"spec.surprise\"",
        ),
        (
            Patch::Strategic(json!({"metadata": {"surprise": 1}})),
            Some(&strict),
            422,
            "Invalid",
            "strict decoding error: unknown field",
        ),
        (
            Patch::Merge(json!({"metadata": {"name": "b"}})),
            None,
            400,
            "BadRequest",
            "does not match the name on the URL",
        ),
        (Patch::Merge(json!({"metadata": {"uid": "b"}})), None, 409, "Conflict", "UID in precondition"),
        (
            Patch::Merge(json!({"metadata": {"resourceVersion": "1"}})),
            None,
            409,
            "Conflict",
            "the object has been modified",
        ),
        (Patch::Merge(json!({"kind": "Node"})), None, 422, "Invalid", "kind: "),
    ] {
        let options = options.cloned().unwrap_or_default();
        let error = pods.patch("a", Subresource::Main, patch.clone(), &options).await.unwrap_err();
        assert_eq!((error.code(), error.reason()), (code, reason), "{patch:?}: {error}");
        let text = error.to_string();
        assert!(text.contains(message), "{text}");
    }
    assert_eq!(pods.get("a").await.unwrap(), old, "nothing of it was written");
}

#[tokio::test(start_paused = true)]
async fn patches_change_what_they_name() {
    let client = server().await;
    let pods = api::<Pod>(&client);
    let mut wanted = pod("a");
    let mut second = wanted.spec.containers[0].clone();
    second.name = "second".into();
    wanted.spec.containers.push(second);
    let old = pods.create(wanted).await.unwrap();
    let first = old.spec.containers[0].name.clone();
    let options = WriteOptions::default();

    let images = json!({"spec": {"containers": [{"name": "second", "image": "i:2"}]}});
    let new = pods.patch("a", Subresource::Main, Patch::Strategic(images), &options).await.unwrap();
    assert_eq!(new.spec.containers.len(), 2);
    assert_eq!((&new.spec.containers[0], &*new.spec.containers[1].image), (&old.spec.containers[0], "i:2"));

    let operations = json!([
        {"op": "test", "path": "/spec/containers/0/name", "value": first},
        {"op": "replace", "path": "/spec/containers/-2/image", "value": "i:3"},
        {"op": "add", "path": "/metadata/labels", "value": {"a": "1"}},
    ]);
    let new = pods.patch("a", Subresource::Main, Patch::Json(operations), &options).await.unwrap();
    assert_eq!((&*new.spec.containers[0].image, &*new.metadata.labels["a"]), ("i:3", "1"));

    // A patch may insist on the version that it is meant for.
    let label = |version: &str| json!({"metadata": {"resourceVersion": version, "labels": {"a": "2"}}});
    let stale = pods.patch_merge("a", label(&old.metadata.resource_version)).await.unwrap_err();
    assert!(stale.is_conflict(), "{stale}");
    let new = pods.patch_merge("a", label(&new.metadata.resource_version)).await.unwrap();
    assert_eq!(new.metadata.labels["a"], "2");

    // The status has a door of its own, and so have the replicas.
    let status = json!({"status": {"phase": "Running"}, "metadata": {"labels": {"b": "1"}}});
    let same = pods.patch(
        "a",
        Subresource::Main,
        Patch::Strategic(json!({"status": {"phase": "Running"}})),
        &options,
    );
    assert_eq!(same.await.unwrap().status.phase, PodPhase::Pending);
    let new = pods.patch("a", Subresource::Status, Patch::Strategic(status), &options).await.unwrap();
    assert_eq!(new.status.phase, PodPhase::Running);
}

#[tokio::test(start_paused = true)]
async fn patches_race_and_all_get_through() {
    let client = interleaving().await;
    let maps = api::<ConfigMap>(&client);
    maps.create(read::<ConfigMap>(json!({"metadata": {"name": "one"}}))).await.unwrap();
    let patches = (0..20).map(|number| {
        let maps = &maps;
        async move {
            let key = format!("k{number}");
            let patch = match number % 3 {
                0 => Patch::Merge(json!({"data": {key: "1"}})),
                1 => Patch::Strategic(json!({"data": {key: "1"}})),
                _ => Patch::Json(json!([{"op": "add", "path": format!("/metadata/{key}"), "value": 1},
                    {"op": "remove", "path": format!("/metadata/{key}")},
                    {"op": "add", "path": "/metadata/annotations", "value": {"last": key}}])),
            };
            maps.patch("one", Subresource::Main, patch, &WriteOptions::default()).await
        }
    });
    for patched in join_all(patches).await {
        patched.unwrap();
    }
    let map = maps.get("one").await.unwrap();
    assert_eq!(map.data.len(), (0..20).filter(|number| number % 3 != 2).count());
    assert!(map.metadata.annotations.contains_key("last"));
}

#[tokio::test(start_paused = true)]
async fn typed_changes_leave_alone_what_the_type_does_not_know() {
    let client = server().await;
    let maps = api::<ConfigMap>(&client);
    let future = json!({"metadata": {"name": "one"}, "data": {"a": "1"}, "fromTheFuture": {"x": [1]}});
    let stored = maps.create(read::<ConfigMap>(future)).await.unwrap();
    // A client of an older version has read it.
    let old: ConfigMap =
        read(json!({"metadata": {"name": "one", "namespace": "default"}, "data": {"a": "1"}}));
    let mut new = old.clone();
    new.data.insert("b", "2".into());
    let patched = maps.patch_between(&old, &new, Subresource::Main).await.unwrap();
    assert_eq!(patched.data.len(), 2);
    assert_eq!(Object::to_value(&*patched).unwrap()["fromTheFuture"], json!({"x": [1]}));
    assert_eq!(maps.patch_between(&new, &new, Subresource::Main).await.unwrap(), patched);
    // To insist on a version is to change it.
    new.metadata.resource_version = stored.metadata.resource_version.clone();
    new.data.insert("c", "3".into());
    assert!(maps.patch_between(&old, &new, Subresource::Main).await.unwrap_err().is_conflict());
}

#[tokio::test(start_paused = true)]
async fn custom_kinds_take_no_strategic_merge() {
    let kind = KindInfo::guess("example.dev/v1", "Gadget");
    let mut scheme = orlop_apiserver::Scheme::builtin();
    scheme.register_dynamic(&kind);
    let client = Arc::new(builder(1).scheme(scheme).build().await.unwrap());
    let gadgets = Api::dynamic(client as Arc<dyn Client>, &kind);
    let mut gadget = DynamicObject::new(Arc::new(kind.clone()));
    gadget.metadata.name = "one".into();
    gadget.metadata.namespace = "default".into();
    gadget.body.insert("spec".into(), json!({"sizes": [1, 2]}));
    gadgets.create(gadget).await.unwrap();
    let options = WriteOptions::default();
    let key = ObjectKey::namespaced("default", "one");
    let patch = |patch| gadgets.patch(key.clone(), Subresource::Main, patch, &options);
    let error = patch(Patch::Strategic(json!({"spec": {"sizes": [3]}}))).await.unwrap_err();
    assert_eq!((error.code(), error.reason()), (415, "UnsupportedMediaType"));
    assert_eq!(
        error.to_string(),
        "the body of the request was in an unknown format - accepted media types include: \
         application/json-patch+json, application/merge-patch+json"
    );
    let operations = json!([{"op": "add", "path": "/spec/sizes/-", "value": 18_446_744_073_709_551_615_u64}]);
    let new = patch(Patch::Json(operations)).await.unwrap();
    assert_eq!(new.body["spec"], json!({"sizes": [1, 2, 18_446_744_073_709_551_615_u64]}));
    let new = patch(Patch::Merge(json!({"spec": {"sizes": null, "colour": "red"}}))).await.unwrap();
    assert_eq!(new.body["spec"], json!({"colour": "red"}));
}

// ── Rules of the built-in kinds ─────────────────────────────────────────────────────────────────

#[tokio::test(start_paused = true)]
async fn pods_are_defaulted_and_validated() {
    let client = server().await;
    let created = api::<Pod>(&client).create(pod("a")).await.unwrap();
    assert_eq!(created.spec.restart_policy.as_str(), "Always");
    assert_eq!(created.spec.termination_grace_period_seconds, Some(30));
    assert_eq!((created.status.phase.as_str(), created.status.qos_class.as_str()), ("Pending", "BestEffort"));
    let tolerated: Vec<_> = created
        .spec
        .tolerations
        .iter()
        .map(|toleration| (&*toleration.key, toleration.toleration_seconds))
        .collect();
    assert_eq!(
        tolerated,
        [("node.kubernetes.io/not-ready", Some(300)), ("node.kubernetes.io/unreachable", Some(300))]
    );

    let mut empty = pod("b");
    empty.spec.containers.clear();
    let error = api::<Pod>(&client).create(empty).await.unwrap_err();
    assert_eq!(error.to_string(), "Pod \"b\" is invalid: spec.containers: Required value");
    assert_eq!(error.status()["details"]["causes"][0]["reason"], "FieldValueRequired");
    let error =
        api::<Pod>(&client).modify("a", |pod| pod.spec.restart_policy = "Never".into()).await.unwrap_err();
    assert!(
        error.is_invalid() && error.to_string().contains("pod updates may not change fields other than"),
        "{error}"
    );
}

#[tokio::test(start_paused = true)]
async fn secrets_take_plain_text() {
    let client = server().await;
    let secret: Secret =
        read(json!({"metadata": {"name": "a"}, "data": {"kept": "eA=="}, "stringData": {"key": "y"}}));
    let created = api::<Secret>(&client).create(secret).await.unwrap();
    assert_eq!(created.type_.as_str(), "Opaque");
    assert!(created.string_data.is_empty());
    let document = serde_json::to_value(&*created).unwrap();
    assert_eq!(document["data"], json!({"kept": "eA==", "key": "eQ=="}));
}

#[tokio::test(start_paused = true)]
async fn services_get_addresses_of_their_own() {
    let client = interleaving().await;
    let services = api::<Service>(&client);
    let service = |name: &str, type_: &str, spec: serde_json::Value| -> Service {
        let mut document = json!({"metadata": {"name": name}, "spec": {"type": type_, "selector": {"app": name}, "ports": [{"port": 80}]}});
        json_merge(&mut document["spec"], spec);
        read(document)
    };
    let created = join_all(
        (0..20).map(|number| services.create(service(&format!("web-{number}"), "NodePort", json!({})))),
    )
    .await;
    let created: Vec<_> = created.into_iter().map(|result| result.unwrap()).collect();
    let mut seen = std::collections::BTreeSet::new();
    for one in &created {
        assert!(
            one.spec.cluster_ip.starts_with("10.") && one.spec.cluster_ips[0] == one.spec.cluster_ip,
            "{:?}",
            one.spec
        );
        assert!((30_000..32_768).contains(&one.spec.ports[0].node_port));
        assert!(
            seen.insert(one.spec.cluster_ip.to_string())
                && seen.insert(one.spec.ports[0].node_port.to_string())
        );
    }

    let taken = json!({"clusterIP": &*created[0].spec.cluster_ip, "ports": [{"port": 80, "nodePort": created[1].spec.ports[0].node_port}]});
    let error = services.create(service("late", "NodePort", taken)).await.unwrap_err();
    assert!(
        error.to_string().contains("provided IP is already allocated")
            && error.to_string().contains("provided port is already allocated"),
        "{error}"
    );
    let error = services
        .create(service("low", "NodePort", json!({"ports": [{"port": 80, "nodePort": 80}]})))
        .await
        .unwrap_err();
    assert!(error.to_string().contains("The range of valid ports is 30000-32767"), "{error}");

    let headless =
        services.create(service("headless", "ClusterIP", json!({"clusterIP": "None"}))).await.unwrap();
    assert_eq!((&*headless.spec.cluster_ip, headless.spec.ports[0].node_port), ("None", 0));
    let inner = services.create(service("inner", "ClusterIP", json!({}))).await.unwrap();
    assert_eq!(inner.spec.ports[0].node_port, 0);
    let outer = services.patch_merge("inner", json!({"spec": {"type": "LoadBalancer"}})).await.unwrap();
    assert_eq!(outer.spec.cluster_ip, inner.spec.cluster_ip);
    assert!(outer.spec.ports[0].node_port >= 30_000);
    let again = services.apply(service("inner", "LoadBalancer", json!({})), "test").await.unwrap();
    assert_eq!(again.spec.ports[0].node_port, outer.spec.ports[0].node_port);
    let inner = services.patch_merge("inner", json!({"spec": {"type": "ClusterIP"}})).await.unwrap();
    assert_eq!(inner.spec.ports[0].node_port, 0);
}

fn json_merge(document: &mut serde_json::Value, other: serde_json::Value) {
    for (name, value) in other.as_object().into_iter().flatten() {
        document[name] = value.clone();
    }
}

// ── Admission ───────────────────────────────────────────────────────────────────────────────────

struct Guard;

#[async_trait]
impl Admission for Guard {
    async fn mutate(&self, request: &Request<'_>, object: &mut dyn AnyObject) -> Result<()> {
        if request.operation == Operation::Create {
            object.meta_mut().labels.insert("checked", "yes".into());
        }
        Ok(())
    }

    async fn validate(&self, request: &Request<'_>, object: &dyn AnyObject) -> Result<()> {
        if object.meta().labels.get("precious").is_none() {
            return Ok(());
        }
        match (request.operation, request.subresource) {
            (Operation::Delete, Subresource::Eviction) => Err(Error::TooManyRequests {
                object: Box::new(ObjectRef::new(request.kind, request.key)),
                message: "Cannot evict pod as it would violate the pod's disruption budget.".into(),
                retry_after: None,
            }),
            (Operation::Delete, _) => Err(Error::forbidden(request.kind, request.key, "it is precious")),
            _ => Ok(()),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn admission_changes_and_refuses() {
    let client = Arc::new(builder(1).admission(Guard).build().await.unwrap());
    let pods = api::<Pod>(&client);
    let mut precious = pod("a");
    precious.metadata.labels.insert("precious", "".into());
    let created = pods.create(precious).await.unwrap();
    assert_eq!(created.metadata.labels.get("checked").map(|label| &**label), Some("yes"));
    assert_eq!(created.spec.tolerations.len(), 2, "the chain begins with the default tolerations");
    let error = pods.evict("a").await.unwrap_err();
    assert_eq!((error.code(), error.is_transient()), (429, true));
    let error = pods.delete("a").await.unwrap_err();
    assert_eq!(error.to_string(), "pods \"a\" is forbidden: it is precious");
    assert_eq!(*pods.get("a").await.unwrap(), *created);
    pods.modify("a", |pod| drop(pod.metadata.labels.remove("precious"))).await.unwrap();
    pods.delete("a").await.unwrap();
}

// ── Namespaces ──────────────────────────────────────────────────────────────────────────────────

#[tokio::test(start_paused = true)]
async fn namespaces_wait_for_what_ends_slowly() {
    let client = server().await;
    let namespaces = Api::<Namespace>::all(Arc::clone(&client) as Arc<dyn Client>);
    namespaces.create(read::<Namespace>(json!({"metadata": {"name": "team"}}))).await.unwrap();
    let pods = api::<Pod>(&client).within("team");
    pods.create(pod("a")).await.unwrap();
    pods.bind("a", "node-1").await.unwrap();
    pods.modify_status("a", |pod| pod.status.phase = PodPhase::Running).await.unwrap();
    api::<ConfigMap>(&client).within("team").create(map("b", "1")).await.unwrap();

    let mut tasks = tokio::task::JoinSet::new();
    let controller = Arc::clone(&client);
    tasks.spawn(async move { controller.run_namespaces().await });
    assert!(!namespaces.delete("team").await.unwrap().is_gone());
    tokio::time::sleep(std::time::Duration::from_secs(1)).await;
    assert!(api::<ConfigMap>(&client).within("team").get_opt("b").await.unwrap().is_none());
    assert!(pods.get("a").await.unwrap().metadata.is_deleting());
    let mut watch = namespaces.watch(&WatchOptions::new().fields("metadata.name=team")).await.unwrap();
    assert!(matches!(watch.next().await, Some(Ok(WatchEvent::Added(_)))));
    pods.delete_with("a", &DeleteOptions::new().grace(0)).await.unwrap();
    while !matches!(watch.next().await, Some(Ok(WatchEvent::Deleted(_)))) {}
    let again = namespaces.create(read::<Namespace>(json!({"metadata": {"name": "team"}}))).await.unwrap();
    assert_eq!(again.metadata.labels.get("kubernetes.io/metadata.name").map(|label| &**label), Some("team"));
    pods.create(pod("a")).await.unwrap();
    assert!(tasks.try_join_next().is_none(), "the controller goes on");
}

// ── Sharing ─────────────────────────────────────────────────────────────────────────────────────

#[tokio::test(start_paused = true)]
async fn objects_are_shared_not_copied() {
    let client = server().await;
    let maps = api::<ConfigMap>(&client);
    let mut watch = maps.watch(&WatchOptions::new()).await.unwrap();
    let created = maps.create(map("a", "1")).await.unwrap();
    let read = maps.get("a").await.unwrap();
    let listed = maps.list(&ListOptions::new()).await.unwrap();
    let Some(Ok(WatchEvent::Added(seen))) = watch.next().await else { panic!("expected ADDED") };
    assert!(
        Arc::ptr_eq(&created, &read) && Arc::ptr_eq(&read, &listed.items[0]) && Arc::ptr_eq(&read, &seen)
    );
}

#[tokio::test(start_paused = true)]
async fn a_moved_object_is_stored_as_it_is() {
    let client = server().await;
    let maps = api::<ConfigMap>(&client);
    let object = Arc::new(map("a", "1"));
    let address = Arc::as_ptr(&object);
    let created = maps.create(object).await.unwrap();
    assert_eq!(Arc::as_ptr(&created), address);
    let mut changed = Arc::new(ConfigMap::clone(&created));
    Arc::make_mut(&mut changed).data.insert("value", "2".into());
    let address = Arc::as_ptr(&changed);
    assert_eq!(Arc::as_ptr(&maps.update(changed).await.unwrap()), address);
}

#[tokio::test(start_paused = true)]
async fn stored_bytes_are_decoded_once() {
    let client = server().await;
    let document = json!({"kind": "ConfigMap", "apiVersion": "v1", "metadata": {"name": "a", "namespace": "default", "uid": "u"}, "data": {"value": "1"}});
    let txn = Txn::create("/registry/configmaps/default/a", move |revision| {
        let mut document = document;
        document["metadata"]["resourceVersion"] = json!(revision.to_string());
        Value::bytes(Format::Json, document.to_string())
    });
    client.store().commit(txn).await.unwrap();
    let maps = api::<ConfigMap>(&client);
    let (one, two) = (maps.get("a").await.unwrap(), maps.get("a").await.unwrap());
    assert!(Arc::ptr_eq(&one, &two));
    let updated = maps.modify("a", |map| drop(map.data.insert("value", "2".into()))).await.unwrap();
    assert_eq!((&*updated.metadata.uid, updated.data.get("value").map(|value| &**value)), ("u", Some("2")));
    // And back: what is stored can be written down whole.
    let stored = client
        .store()
        .get(&"/registry/configmaps/default/a".into(), Default::default())
        .await
        .unwrap()
        .unwrap();
    let text = stored.value.encoded(Format::Json).unwrap();
    assert_eq!(serde_json::from_slice::<ConfigMap>(&text).unwrap(), *updated);
    let key = ObjectKey::namespaced("default", "a");
    let record = client.get(ConfigMap::KIND, &key, &GetOptions::default()).await.unwrap();
    assert_eq!(record.json().unwrap(), &text);
}

#[tokio::test(start_paused = true)]
async fn keys_cannot_be_led_astray() {
    let client = server().await;
    let maps = api::<ConfigMap>(&client);
    maps.create(map("a", "1")).await.unwrap();
    for name in ["../default/a", "a/../a", "x/y"] {
        assert!(maps.get(name).await.unwrap_err().is_not_found(), "{name}");
    }
    let all = Api::<ConfigMap>::all(client as Arc<dyn Client>);
    assert!(matches!(all.get("a").await.unwrap_err(), Error::BadRequest { .. }));
    assert!(all.get(&ObjectKey::namespaced("default/x", "a")).await.unwrap_err().is_not_found());
}

#[tokio::test(start_paused = true)]
async fn a_seed_gives_one_history() {
    let history = async |seed: u64| {
        let client = Arc::new(builder(seed).build().await.unwrap());
        let maps = api::<ConfigMap>(&client);
        for _ in 0..5 {
            let mut object = map("", "1");
            object.metadata.generate_name = "map-".into();
            maps.create(object).await.unwrap();
        }
        let service: Service =
            read(json!({"metadata": {"name": "web"}, "spec": {"type": "NodePort", "ports": [{"port": 80}]}}));
        api::<Service>(&client).create(service).await.unwrap();
        let listing = client
            .store()
            .list(&orlop_store::KeyRange::all(), Default::default(), Default::default())
            .await
            .unwrap();
        let texts = listing.records.iter().map(|record| record.value.encoded(Format::Json).unwrap());
        texts.collect::<Vec<_>>()
    };
    assert_eq!(history(7).await, history(7).await);
    assert_ne!(history(7).await, history(8).await);
}

// ── A model ─────────────────────────────────────────────────────────────────────────────────────

/// What one writer does.
#[derive(Clone, Debug)]
enum Op {
    Create(u8),
    Increment(u8),
    Patch(u8),
    Delete(u8),
    Pause,
}

fn op() -> impl proptest::strategy::Strategy<Value = Op> {
    let name = 0..3_u8;
    prop_oneof![
        2 => name.clone().prop_map(Op::Create),
        4 => name.clone().prop_map(Op::Increment),
        2 => name.clone().prop_map(Op::Patch),
        1 => name.prop_map(Op::Delete),
        2 => Just(Op::Pause),
    ]
}

/// Does the operations of one writer; answers how many increments each incarnation of an object got.
async fn write(client: Arc<LocalClient>, ops: Vec<Op>) -> BTreeMap<String, u32> {
    let maps = api::<ConfigMap>(&client);
    let mut counts = BTreeMap::new();
    for op in ops {
        let name = |number: u8| format!("map-{number}");
        match op {
            Op::Create(number) => drop(maps.create(map(&name(number), "0")).await),
            Op::Increment(number) => {
                // Read, yield to the others, write: the conflict must be told.
                loop {
                    let Ok(old) = maps.get(&*name(number)).await else {
                        break;
                    };
                    tokio::task::yield_now().await;
                    let mut new = ConfigMap::clone(&old);
                    let count: u32 = new.data.get("value").unwrap().parse().unwrap();
                    new.data.insert("value", (count + 1).to_string().into());
                    match maps.update(new).await {
                        Ok(new) => {
                            *counts.entry(new.metadata.uid.to_string()).or_default() += 1;
                            break;
                        }
                        Err(error) if error.is_conflict() => {}
                        Err(error) if error.is_not_found() => break,
                        Err(error) => panic!("{error}"),
                    }
                }
            }
            Op::Patch(number) => drop(
                maps.patch_merge(&*name(number), json!({"metadata": {"labels": {"patched": "yes"}}})).await,
            ),
            Op::Delete(number) => drop(maps.delete(&*name(number)).await),
            Op::Pause => tokio::task::yield_now().await,
        }
    }
    counts
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// However writers get in each other's way: no increment is lost, and a watch that replays the events comes to what
    /// a list shows.
    #[test]
    fn writers_and_watchers_agree(writers in prop::collection::vec(prop::collection::vec(op(), 0..25), 1..5)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        runtime.block_on(async {
            let client = interleaving().await;
            let maps = api::<ConfigMap>(&client);
            let mut watch = maps.watch(&WatchOptions::new()).await.unwrap();
            let mut patched = maps.watch(&WatchOptions::new().labels("patched")).await.unwrap();
            let counted = join_all(writers.into_iter().map(|ops| write(Arc::clone(&client), ops))).await;
            let mut counts: BTreeMap<String, u32> = BTreeMap::new();
            for (uid, count) in counted.into_iter().flatten() {
                *counts.entry(uid).or_default() += count;
            }
            let end: ConfigMap = read(json!({"metadata": {"name": "end", "labels": {"patched": "yes"}}}));
            maps.create(end).await.unwrap();

            let (mut seen, mut values, mut last) = (BTreeMap::new(), BTreeMap::new(), 0);
            replay(&mut watch, &mut seen, |object| {
                let revision: u64 = object.metadata.resource_version.parse().unwrap();
                assert!(revision > last, "{revision} after {last}");
                last = revision;
                let value: u32 = object.data.get("value").map_or(0, |value| value.parse().unwrap());
                values.insert(object.metadata.uid.to_string(), value);
            })
            .await;
            let listed = maps.list(&ListOptions::new()).await.unwrap();
            let listed: BTreeMap<String, Arc<ConfigMap>> = listed.items.into_iter().map(|map| (map.metadata.name.to_string(), map)).collect();
            assert_eq!(seen, listed);
            counts.retain(|_, count| *count > 0);
            values.retain(|_, value| *value > 0);
            assert_eq!(values, counts);

            let mut seen = BTreeMap::new();
            replay(&mut patched, &mut seen, |_| {}).await;
            let selected: BTreeMap<_, _> = listed.into_iter().filter(|(_, map)| map.metadata.labels.contains_key("patched")).collect();
            assert_eq!(seen, selected);
        });
    }
}

/// Follows a watch up to the object `end`.
async fn replay(
    watch: &mut orlop_client::WatchStream<ConfigMap>,
    seen: &mut BTreeMap<String, Arc<ConfigMap>>,
    mut look: impl FnMut(&ConfigMap),
) {
    loop {
        let event = watch.next().await.expect("the watch goes on").expect("the watch goes on");
        let object = Arc::clone(event.object().expect("no bookmark was asked for"));
        look(&object);
        let name = object.metadata.name.to_string();
        let is_end = name == "end";
        match event {
            WatchEvent::Added(_) => assert!(seen.insert(name, object).is_none(), "added twice"),
            WatchEvent::Modified(_) => {
                assert!(seen.insert(name, object).is_some(), "modified before it was added")
            }
            WatchEvent::Deleted(_) => assert!(seen.remove(&name).is_some(), "deleted before it was added"),
            WatchEvent::Bookmark { .. } => unreachable!("has no object"),
        }
        if is_end {
            return;
        }
    }
}

/// Creates that race with changes of their namespace, and with each other for one name.
#[tokio::test(start_paused = true)]
async fn creates_race_with_their_namespace() {
    let client = interleaving().await;
    let maps = api::<ConfigMap>(&client);
    let namespaces = Api::<Namespace>::all(Arc::clone(&client) as Arc<dyn Client>);
    let touch = async || {
        for round in 0..20 {
            let label = json!({"metadata": {"labels": {"round": round.to_string()}}});
            namespaces.patch_merge("default", label).await.unwrap();
        }
    };
    let create = async |number: u32| maps.create(map(&format!("map-{}", number / 2), "1")).await;
    let (_, created) = futures::join!(touch(), join_all((0..40).map(create)));
    let taken = created.iter().filter(|result| result.as_ref().is_err_and(Error::is_already_exists)).count();
    assert_eq!((created.iter().filter(|result| result.is_ok()).count(), taken), (20, 20));
    assert_eq!(maps.list(&ListOptions::new()).await.unwrap().items.len(), 20);
}

/// A rule that takes its time.
struct Slow;

#[async_trait]
impl Admission for Slow {
    async fn validate(&self, _: &Request<'_>, object: &dyn AnyObject) -> Result<()> {
        if object.as_any().is::<ConfigMap>() {
            tokio::time::sleep(std::time::Duration::from_secs(1)).await;
        }
        Ok(())
    }
}

#[tokio::test(start_paused = true)]
async fn nothing_is_left_in_an_ended_namespace() {
    for delay in 0..12 {
        let store = Arc::new(Yielding(MemoryStore::new()));
        let client = Arc::new(over(store, 1).admission(Slow).build().await.unwrap());
        let namespaces = Api::<Namespace>::all(Arc::clone(&client) as Arc<dyn Client>);
        namespaces.create(read::<Namespace>(json!({"metadata": {"name": "team"}}))).await.unwrap();
        let maps = api::<ConfigMap>(&client).within("team");
        let late = async {
            for _ in 0..delay {
                tokio::task::yield_now().await;
            }
            maps.create(map("late", "1")).await
        };
        let (deleted, created) = futures::join!(namespaces.delete("team"), late);
        if !deleted.unwrap().is_gone() {
            client.finish_namespace("team").await.unwrap();
        }
        assert!(namespaces.get_opt("team").await.unwrap().is_none());
        assert!(maps.list(&ListOptions::new()).await.unwrap().items.is_empty(), "after {delay}: {created:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn races_for_one_address_have_one_winner() {
    let client = interleaving().await;
    let services = api::<Service>(&client);
    for (number, spec) in [
        json!({"type": "NodePort", "ports": [{"port": 80, "nodePort": 30080}]}),
        json!({"type": "ClusterIP", "clusterIP": "10.96.9.9", "ports": [{"port": 80}]}),
    ]
    .into_iter()
    .enumerate()
    {
        let service = |index: u32| -> Service {
            read(json!({"metadata": {"name": format!("web-{number}-{index}")}, "spec": spec}))
        };
        let created = join_all((0..5).map(|index| services.create(service(index)))).await;
        assert_eq!(created.iter().filter(|result| result.is_ok()).count(), 1, "{created:?}");
        assert!(created.iter().flat_map(|result| result.as_ref().err()).all(Error::is_invalid));
    }
}

#[tokio::test(start_paused = true)]
async fn bindings_and_deletions_get_through() {
    let client = interleaving().await;
    let pods = api::<Pod>(&client);
    let touch = async || {
        for round in 0..30 {
            let label = json!({"metadata": {"labels": {"round": round.to_string()}}});
            if pods.patch_merge("a", label).await.is_err_and(|error| error.is_not_found()) {
                break;
            }
        }
    };
    pods.create(pod("a")).await.unwrap();
    let (_, one, two) = futures::join!(touch(), pods.bind("a", "node-1"), pods.bind("a", "node-2"));
    assert!(one.is_ok() != two.is_ok(), "{one:?} {two:?}");
    let bound = pods.get("a").await.unwrap();
    assert_eq!(bound.spec.node_name, if one.is_ok() { "node-1" } else { "node-2" });
    let at_once = DeleteOptions::new().grace(0);
    let (_, deleted) = futures::join!(touch(), pods.delete_with("a", &at_once));
    assert!(deleted.unwrap().is_gone());
    pods.create(pod("a")).await.unwrap();
    let (_, evicted) = futures::join!(touch(), pods.evict("a"));
    evicted.unwrap();
    assert!(pods.get_opt("a").await.unwrap().is_none());
}

#[tokio::test(start_paused = true)]
async fn drafts_of_other_types_are_converted() {
    let client = server().await;
    let kind = Arc::new(Pod::KIND.clone());
    let mut object = DynamicObject::new(kind);
    object.metadata.name = "a".into();
    object.body.insert("spec".into(), json!({"containers": [{"name": "main", "image": "x"}]}));
    let created =
        client.create(Pod::KIND, Some("default"), Draft::of(object), &WriteOptions::default()).await.unwrap();
    assert_eq!(created.get::<Pod>().unwrap().spec.restart_policy.as_str(), "Always");
}

/// Who owns what: manager, operation, subresource, fields.
fn owners(meta: &ObjectMeta) -> Vec<(String, serde_json::Value)> {
    let entries = meta.managed_fields.iter().map(|entry| {
        assert!(entry.time.is_some() && entry.fields_type == "FieldsV1");
        let fields = entry.fields_v1.as_ref().map_or("null", |fields| fields.as_json());
        let name = format!("{} {} {}", entry.manager, entry.operation.as_str(), entry.subresource);
        (name.trim_end().to_owned(), serde_json::from_str(fields).expect("fields are JSON"))
    });
    entries.collect()
}

fn names(meta: &ObjectMeta) -> Vec<String> {
    owners(meta).into_iter().map(|(name, _)| name).collect()
}

fn web(replicas: i32, image: &str) -> serde_json::Value {
    json!({
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"},
        "spec": {
            "replicas": replicas, "selector": {"matchLabels": {"app": "web"}},
            "template": {
                "metadata": {"labels": {"app": "web"}},
                "spec": {"containers": [{"name": "main", "image": image}]},
            },
        },
    })
}

async fn apply(
    deployments: &Api<Deployment>,
    config: serde_json::Value,
    options: &WriteOptions,
) -> Result<Arc<Deployment>> {
    deployments.patch("web", Subresource::Main, Patch::Apply(config), options).await
}

#[tokio::test(start_paused = true)]
async fn objects_are_applied_by_several() {
    let deployments: Api<Deployment> = api(&server().await);
    let (me, you) = (WriteOptions::by("me"), WriteOptions::by("you"));
    let dry = apply(&deployments, web(1, "i:1"), &me.clone().dry_run()).await.expect("it would be created");
    assert_eq!((dry.spec.replicas, names(&dry.metadata)), (Some(1), vec!["me Apply".to_owned()]));
    assert!(deployments.get_opt("web").await.unwrap().is_none());

    let created = apply(&deployments, web(1, "i:1"), &me).await.expect("it is created");
    assert_eq!(names(&created.metadata), ["me Apply"]);
    assert_eq!((created.metadata.generation, created.spec.revision_history_limit), (1, Some(10)));
    let again = apply(&deployments, web(1, "i:1"), &me).await.unwrap();
    assert_eq!(again.metadata.resource_version, created.metadata.resource_version, "nothing was written");

    // What both agree on they own together.
    let shared = apply(&deployments, web(1, "i:1"), &you).await.unwrap();
    assert_eq!(names(&shared.metadata), ["me Apply", "you Apply"]);
    let error = apply(&deployments, web(2, "i:2"), &you).await.expect_err("the other wants another value");
    let Error::ApplyConflict { causes, .. } = &error else { panic!("{error:?}") };
    let causes: Vec<_> = causes.iter().map(|cause| (&*cause.field, &*cause.message)).collect();
    assert_eq!(
        causes,
        [
            (".spec.replicas", "conflict with \"me\""),
            (".spec.template.spec.containers[name=\"main\"].image", "conflict with \"me\""),
        ]
    );
    assert_eq!(
        error.to_string(),
        "Apply failed with 2 conflicts: conflicts with \"me\":\n- .spec.replicas\n- .spec.template.spec.containers[name=\"main\"].image"
    );
    assert_eq!((error.code(), error.reason()), (409, "Conflict"));
    assert_eq!(error.status()["details"]["causes"][0]["reason"], "FieldManagerConflict");

    let forced = apply(&deployments, web(2, "i:2"), &you.clone().force()).await.unwrap();
    assert_eq!((forced.spec.replicas, forced.metadata.generation), (Some(2), 2));
    let (_, mine) = owners(&forced.metadata).remove(0);
    assert!(mine.pointer("/f:spec/f:replicas").is_none(), "{mine}");
}

#[tokio::test(start_paused = true)]
async fn who_applies_has_a_name_and_names_the_object() {
    let deployments: Api<Deployment> = api(&server().await);
    let nobody = apply(&deployments, web(1, "i"), &WriteOptions::default()).await.unwrap_err();
    assert!(nobody.is_invalid() && nobody.to_string().contains("is required for apply patch"), "{nobody}");
    let me = WriteOptions::by("me");
    for (change, message) in [
        (json!({"kind": "Pod"}), "invalid object type: apps/v1, Kind=Pod"),
        (json!({"metadata": {"name": "other"}}), "does not match the name on the URL"),
        (json!({"metadata": {"managedFields": []}}), "metadata.managedFields must be nil"),
        (json!({"spec": {"unknown": 1}}), ".spec.unknown: field not declared in schema"),
        (json!({"spec": {"replicas": "1"}}), ".spec.replicas: expected numeric (int or float)"),
    ] {
        let mut config = web(1, "i");
        for (name, value) in change.as_object().into_iter().flatten() {
            match value.as_object() {
                Some(fields) => fields.iter().for_each(|(field, value)| config[name][field] = value.clone()),
                None => config[name] = value.clone(),
            }
        }
        let error = apply(&deployments, config, &me).await.unwrap_err();
        assert!(error.to_string().contains(message), "{error}");
    }
    let stale = apply(
        &deployments,
        json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"resourceVersion": "1"}}),
        &me,
    )
    .await;
    assert!(stale.unwrap_err().is_conflict());
    let refused = apply(&deployments, web(-1, "i"), &me).await.unwrap_err();
    assert!(refused.is_invalid(), "{refused}");
    let forced = WriteOptions::by("me").force();
    let merge = Patch::Merge(json!({"spec": {"replicas": 1}}));
    assert!(deployments.patch("web", Subresource::Main, merge, &forced).await.unwrap_err().is_invalid());
}

#[tokio::test(start_paused = true)]
async fn parts_of_objects_are_applied_apart() {
    let client = server().await;
    let deployments: Api<Deployment> = api(&client);
    apply(&deployments, web(1, "i"), &WriteOptions::by("me")).await.unwrap();
    let mut config = web(9, "j");
    config["status"] = json!({"replicas": 3});
    let status = Patch::Apply(config);
    let written =
        deployments.patch("web", Subresource::Status, status, &WriteOptions::by("node")).await.unwrap();
    assert_eq!((written.spec.replicas, written.status.replicas), (Some(1), 3));
    assert_eq!(names(&written.metadata), ["me Apply", "node Apply status"]);
    assert_eq!(owners(&written.metadata)[1].1, json!({"f:status": {"f:replicas": {}}}));
    // The status of the object itself is nobody's.
    let mut config = web(1, "i");
    config["status"] = json!({"replicas": 7});
    let same = apply(&deployments, config, &WriteOptions::by("me")).await.unwrap();
    assert_eq!(same.metadata.resource_version, written.metadata.resource_version);

    let scale = |replicas: i32| {
        Patch::Apply(
            json!({"apiVersion": "autoscaling/v1", "kind": "Scale", "metadata": {"name": "web"}, "spec": {"replicas": replicas}}),
        )
    };
    let key = ObjectKey::namespaced("default", "web");
    let hpa = WriteOptions::by("hpa");
    let patch = async |options: &WriteOptions| {
        client.patch(Deployment::KIND, &key, Subresource::Scale, scale(5), options).await
    };
    let conflict = patch(&hpa).await.unwrap_err();
    assert!(
        conflict.is_apply_conflict()
            && conflict.to_string().ends_with("conflict with \"me\": .spec.replicas"),
        "{conflict}"
    );
    patch(&hpa.clone().force()).await.unwrap();
    let scaled = deployments.get("web").await.unwrap();
    assert_eq!(scaled.spec.replicas, Some(5));
    assert_eq!(
        owners(&scaled.metadata)[0],
        ("hpa Apply scale".to_owned(), json!({"f:spec": {"f:replicas": {}}}))
    );
}

#[tokio::test(start_paused = true)]
async fn writers_own_what_they_change() {
    let client = server().await;
    let maps: Api<ConfigMap> = api(&client);
    let by = WriteOptions::by;
    let created = maps.create_with(map("one", "1"), &by("maker")).await.unwrap();
    assert_eq!(
        owners(&created.metadata),
        [("maker Update".to_owned(), json!({"f:data": {".": {}, "f:value": {}}}))]
    );
    let mut changed = ConfigMap::clone(&created);
    changed.data.insert("more", "2".into());
    let changed = maps.update_with(changed, Subresource::Main, &by("changer")).await.unwrap();
    assert_eq!(names(&changed.metadata), ["changer Update", "maker Update"]);
    // Nothing changes if nothing is changed, whoever it is.
    let same = maps.update_with(ConfigMap::clone(&changed), Subresource::Main, &by("other")).await.unwrap();
    assert_eq!(same.metadata.resource_version, changed.metadata.resource_version);
    // Who does not know managed fields does not lose them.
    let mut ignorant = ConfigMap::clone(&changed);
    ignorant.metadata.managed_fields.clear();
    ignorant.data.insert("value", "3".into());
    let taken = maps.update_with(ignorant, Subresource::Main, &by("taker")).await.unwrap();
    let mut owned = owners(&taken.metadata);
    owned.sort_by(|left, right| left.0.cmp(&right.0));
    assert_eq!(owned[0], ("changer Update".to_owned(), json!({"f:data": {"f:more": {}}})));
    assert_eq!(owned[1], ("maker Update".to_owned(), json!({"f:data": {}})));
    assert_eq!(owned[2], ("taker Update".to_owned(), json!({"f:data": {"f:value": {}}})));
    // One empty entry resets them, and nobody is asked again before somebody applies.
    let reset = json!({"metadata": {"managedFields": [{}]}, "data": {"value": "4"}});
    let reset = maps.patch("one", Subresource::Main, Patch::Merge(reset), &by("patcher")).await.unwrap();
    assert!(reset.metadata.managed_fields.is_empty());
    let config =
        json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "one"}, "data": {"mine": "1"}});
    let applied = maps.patch("one", Subresource::Main, Patch::Apply(config), &by("me")).await.unwrap();
    assert_eq!(names(&applied.metadata), ["me Apply", "before-first-apply Update"]);
}

#[tokio::test(start_paused = true)]
async fn servers_need_not_know_who_owns_what() {
    let client = Arc::new(builder(1).without_managed_fields().build().await.unwrap());
    let maps: Api<ConfigMap> = api(&client);
    assert!(maps.create(map("one", "1")).await.unwrap().metadata.managed_fields.is_empty());
    let config = Patch::Apply(json!({"apiVersion": "v1", "kind": "ConfigMap"}));
    let error = maps.patch("one", Subresource::Main, config, &WriteOptions::by("me")).await.unwrap_err();
    assert!(matches!(error, Error::UnsupportedMediaType { .. }), "{error:?}");
    // The client applies by itself then.
    let applied = maps.apply(map("one", "2"), "me").await.unwrap();
    assert!(applied.metadata.annotations.contains_key(orlop_client::LAST_APPLIED));
}

#[tokio::test(start_paused = true)]
async fn applying_races_with_other_writers() {
    let client = interleaving().await;
    let maps: Api<ConfigMap> = api(&client);
    let apply = async |index: usize| {
        let key = format!("k{index}");
        let config =
            json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "one"}, "data": {key: "1"}});
        let options = WriteOptions::by(format!("m{index}"));
        maps.patch("one", Subresource::Main, Patch::Apply(config), &options)
            .await
            .expect("each applies its own")
    };
    join_all((0..8).map(apply)).await;
    let one = maps.get("one").await.unwrap();
    assert_eq!((one.data.len(), one.metadata.managed_fields.len()), (8, 8));
}
