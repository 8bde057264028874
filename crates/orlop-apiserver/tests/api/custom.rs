//! Custom kinds by their definitions.

use std::sync::Arc;

use orlop_apiserver::{LocalClient, Scheme};
use orlop_client::{Client, Draft, Subresource, WriteOptions};
use orlop_clock::{ManualClock, Random};
use orlop_model::apiextensions::v1::CustomResourceDefinition;
use orlop_model::{KindInfo, ObjectKey};
use orlop_store::MemoryStore;
use serde_json::{Value, json};

fn definition() -> CustomResourceDefinition {
    let spec = json!({
        "type": "object",
        "required": ["host"],
        "properties": {
            "host": {"type": "string", "pattern": "^[a-z.]+$"},
            "replicas": {"type": "integer", "minimum": 0, "default": 1},
        },
    });
    let schema = json!({"type": "object", "properties": {"spec": spec, "status": {
        "type": "object", "properties": {"replicas": {"type": "integer"}},
    }}});
    let version = json!({
        "name": "v1", "served": true, "storage": true,
        "schema": {"openAPIV3Schema": schema},
        "subresources": {"status": {}, "scale": {"specReplicasPath": ".spec.replicas", "statusReplicasPath": ".status.replicas"}},
        "additionalPrinterColumns": [{"name": "Host", "type": "string", "jsonPath": ".spec.host"}],
    });
    serde_json::from_value(json!({
        "metadata": {"name": "websites.example.dev"},
        "spec": {
            "group": "example.dev", "scope": "Namespaced",
            "names": {"kind": "Website", "plural": "websites", "shortNames": ["web"]},
            "versions": [version],
        },
    }))
    .expect("the definition can be read")
}

async fn client() -> (LocalClient, KindInfo) {
    let mut scheme = Scheme::builtin();
    scheme.register_custom(&definition()).expect("the definition can be used");
    let kind = scheme.kind("example.dev/v1", "Website").expect("the kind is served").clone();
    let builder =
        LocalClient::builder(Arc::new(MemoryStore::new()), Arc::new(ManualClock::default()), Random::new(1));
    (builder.scheme(scheme).build().await.expect("an empty store can be set up"), kind)
}

fn site(spec: Value) -> Draft {
    Draft::Json(json!({"metadata": {"name": "home"}, "spec": spec, "status": {"replicas": 9}}))
}

#[tokio::test]
async fn custom_kinds_are_what_their_definitions_say() {
    let (client, kind) = client().await;
    assert_eq!(
        (&*kind.singular, &*kind.plural, kind.status, kind.scale),
        ("website", "websites", true, true)
    );
    let write = WriteOptions::default();
    let refused = client.create(&kind, Some("default"), site(json!({"host": "A"})), &write).await;
    let error = refused.expect_err("the pattern does not match");
    assert!(error.is_invalid() && error.to_string().contains("should match '^[a-z.]+$'"), "{error}");

    let draft = site(json!({"host": "example.dev", "color": "red"}));
    let created = client.create(&kind, Some("default"), draft, &write).await.expect("the object is valid");
    let value = created.to_value().expect("JSON");
    assert_eq!(value["spec"], json!({"host": "example.dev", "replicas": 1}), "defaulted and pruned");
    assert_eq!(value["status"]["replicas"], Value::Null, "the status has a subresource of its own");
    assert_eq!(value["metadata"]["generation"], 1);

    let key = ObjectKey::namespaced("default", "home");
    let scale = Draft::Json(json!({"apiVersion": "autoscaling/v1", "kind": "Scale",
        "metadata": {"name": "home", "namespace": "default"}, "spec": {"replicas": 3}}));
    client.update(&kind, &key, Subresource::Scale, scale, &write).await.expect("the scale can be written");
    let wrong = Draft::Json(json!({"metadata": {"name": "home"}, "spec": {"host": "a", "replicas": -1}}));
    let error =
        client.update(&kind, &key, Subresource::Main, wrong, &write).await.expect_err("below the minimum");
    assert!(error.is_invalid(), "{error}");
    let stored = client.get(&kind, &key, &Default::default()).await.expect("the object is there");
    assert_eq!(stored.to_value().expect("JSON")["spec"]["replicas"], 3);
    assert_eq!(stored.meta().generation, 2);

    let printer = client.scheme().printer(&kind).expect("the kind is served");
    let row = printer
        .row(&**stored.object().expect("a typed form"), "2026-03-01T12:00:00Z".parse().expect("a time"));
    let cells: Vec<String> = row.cells.iter().map(ToString::to_string).collect();
    assert_eq!(cells, ["home", "example.dev"]);
}
