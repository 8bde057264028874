//! Every built-in kind goes through its life: refused, created, defaulted, read, changed, printed, deleted.

use std::collections::BTreeSet;
use std::sync::Arc;

use orlop_apiserver::{LocalClient, Scheme};
use orlop_client::{Client, DeleteOptions, Draft, GetOptions, Subresource, WriteOptions};
use orlop_clock::{ManualClock, Random};
use orlop_model::{KindInfo, ObjectKey};
use orlop_store::MemoryStore;
use serde::Deserialize;
use serde_json::{Map, Value, json};

/// One line of the file for each kind.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Life {
    api_version: String,
    kind: String,
    /// A minimal object, without its name.
    object: Value,
    /// Values that it has by default, by their places.
    defaulted: Map<String, Value>,
    /// Values with each of which it is refused, by their places.
    refused: Map<String, Value>,
}

/// Puts a value at a place, making the objects on the way.
fn put(object: &mut Value, pointer: &str, value: Value) {
    let mut place = object;
    for part in pointer.split('/').skip(1) {
        place = match place {
            Value::Array(items) => &mut items[part.parse::<usize>().expect("an index")],
            place => &mut place[part],
        };
    }
    *place = value;
}

async fn walk(client: &LocalClient, kind: &KindInfo, life: &Life) -> Result<(), String> {
    let namespace = kind.is_namespaced().then_some("default");
    let write = WriteOptions::default();
    let name = match &*kind.kind {
        "IPAddress" => "10.96.0.7",
        "CustomResourceDefinition" => "walkers.example.dev",
        _ => "walker",
    };
    let mut document = life.object.clone();
    document["metadata"]["name"] = name.into();
    let text = |error: orlop_client::Error| error.to_string();

    for (place, value) in &life.refused {
        let mut wrong = document.clone();
        put(&mut wrong, place, value.clone());
        match client.create(kind, namespace, Draft::Json(wrong), &write).await {
            Ok(_) => return Err(format!("{place} = {value} is not refused")),
            Err(error) if error.is_invalid() => {}
            Err(error) => return Err(format!("{place} = {value} is refused with {error}")),
        }
    }

    client.create(kind, namespace, Draft::Json(document.clone()), &write).await.map_err(text)?;
    let key = ObjectKey { namespace: namespace.map(Into::into), name: name.into() };
    let created = client.get(kind, &key, &GetOptions::default()).await.map_err(text)?;
    let mut stored = created.to_value().map_err(text)?;
    for (place, value) in &life.defaulted {
        if stored.pointer(place) != Some(value) {
            return Err(format!("{place} is not {value} in {stored}"));
        }
    }

    stored["metadata"]["labels"]["changed"] = "yes".into();
    let update = client.update(kind, &key, Subresource::Main, Draft::Json(stored.clone()), &write);
    let updated = update.await.map_err(|error| format!("the update is refused: {error}"))?;
    let (old, new) = (created.meta(), updated.meta());
    if new.labels.get("changed").is_none() || new.generation != old.generation {
        return Err(format!("{new:?} after the update"));
    }
    put(&mut stored, "/metadata/resourceVersion", "".into());
    put(&mut stored, "/metadata/labels", json!({"a": "-"}));
    match client.update(kind, &key, Subresource::Main, Draft::Json(stored), &write).await {
        Err(error) if error.is_invalid() => {}
        other => return Err(format!("an update with a bad label: {other:?}")),
    }

    let printer = client.scheme().printer(kind).map_err(text)?;
    let object = updated.object().ok_or("no typed object")?;
    let row = printer.row(&**object, "2026-03-01T12:00:00Z".parse().expect("a time"));
    let named =
        printer.columns().iter().position(|column| column.name == "Name").ok_or("no column of names")?;
    if row.cells.len() != printer.columns().len() || row.cells[named].to_string() != name {
        return Err(format!("printed as {row:?}"));
    }

    client.delete(kind, &key, &DeleteOptions::default()).await.map_err(text)?;
    match client.get(kind, &key, &GetOptions::default()).await {
        Err(error) if error.is_not_found() => Ok(()),
        // Something has to empty it first.
        Ok(_) if kind.kind == "Namespace" => Ok(()),
        other => Err(format!("after the deletion: {other:?}")),
    }
}

#[tokio::test]
async fn every_kind_goes_through_its_life() {
    let client =
        LocalClient::builder(Arc::new(MemoryStore::new()), Arc::new(ManualClock::default()), Random::new(1));
    let client = client.build().await.expect("an empty store can be set up");
    let mut unwalked: BTreeSet<String> = Scheme::builtin().kinds().map(ToString::to_string).collect();
    let mut misses = Vec::new();
    for line in include_str!("kinds.jsonl").lines() {
        let life: Life = serde_json::from_str(line).expect("a line of the file is JSON");
        let Some(kind) = client.scheme().kind(&life.api_version, &life.kind).cloned() else {
            misses.push(format!("{} {} is not served", life.api_version, life.kind));
            continue;
        };
        unwalked.remove(&kind.to_string());
        if let Err(miss) = walk(&client, &kind, &life).await {
            misses.push(format!("{kind}: {miss}"));
        }
    }
    assert!(misses.is_empty(), "{}", misses.join("\n"));
    assert!(unwalked.is_empty(), "not walked: {unwalked:?}");
}
