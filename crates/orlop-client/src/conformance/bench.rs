//! What the cases work with.

use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use orlop_model::apps::v1::Deployment;
use orlop_model::core::v1::{ConfigMap, Namespace, Pod};
use orlop_model::{Object, Str};
use serde_json::{Value, json};

use super::Subject;
use crate::{Api, Client, DeleteOptions, Error, ListOptions, Result, WatchEvent, WatchStream};

/// Longer than anything takes that happens at all: bookmarks come about every minute.
const DEADLINE: Duration = Duration::from_secs(150);
/// Long enough for an event to come that should not.
const QUIET: Duration = Duration::from_millis(200);

/// A client and a namespace for one case.
#[derive(Clone)]
pub(super) struct Bench {
    pub(super) client: Arc<dyn Client>,
    pub(super) namespace: String,
    subject: Subject,
}

impl Bench {
    pub(super) async fn new(subject: Subject, namespace: String) -> Self {
        let bench = Self { client: Arc::clone(&subject.client), namespace, subject };
        bench.make_namespace(&bench.namespace).await;
        bench
    }

    pub(super) async fn make_namespace(&self, name: &str) {
        let mut namespace = Namespace::default();
        namespace.metadata.name = name.into();
        match self.namespaces().create(namespace).await {
            Ok(_) => {}
            Err(error) if error.is_already_exists() => {}
            Err(error) => panic!("making namespace {name}: {error}"),
        }
    }

    pub(super) async fn tidy_up(&self) {
        let at_once = DeleteOptions::new().grace(0);
        for kind in [self.pods().kind(), self.maps().kind(), self.deployments().kind()] {
            drop(
                self.client
                    .delete_collection(kind, Some(&self.namespace), &ListOptions::new(), &at_once)
                    .await,
            );
        }
        drop(self.namespaces().delete(&self.namespace).await);
    }

    pub(super) fn namespaces(&self) -> Api<Namespace> {
        Api::all(Arc::clone(&self.client))
    }

    pub(super) fn maps(&self) -> Api<ConfigMap> {
        Api::namespaced(Arc::clone(&self.client), &self.namespace)
    }

    pub(super) fn pods(&self) -> Api<Pod> {
        Api::namespaced(Arc::clone(&self.client), &self.namespace)
    }

    pub(super) fn deployments(&self) -> Api<Deployment> {
        Api::namespaced(Arc::clone(&self.client), &self.namespace)
    }

    /// Creates a ConfigMap with one value.
    pub(super) async fn map(&self, name: &str, value: &str) -> Arc<ConfigMap> {
        self.maps().create(map(name, value)).await.expect("a ConfigMap can be created")
    }

    pub(super) async fn pod(&self, name: &str) -> Arc<Pod> {
        self.pods().create(pod(name)).await.expect("a Pod can be created")
    }

    pub(super) async fn deployment(&self, name: &str) -> Arc<Deployment> {
        self.deployments().create(deployment(name)).await.expect("a Deployment can be created")
    }

    /// Whether the history could be compacted.
    pub(super) async fn compact(&self) -> bool {
        match &self.subject.compact {
            Some(compact) => {
                compact().await;
                true
            }
            None => false,
        }
    }

    pub(super) fn keeps_unknown_fields(&self) -> bool {
        self.subject.keeps_unknown_fields
    }

    /// The present revision, as a list tells it.
    pub(super) async fn revision(&self) -> Str {
        self.maps().list(&ListOptions::new()).await.expect("ConfigMaps can be listed").resource_version
    }
}

pub(super) fn map(name: &str, value: &str) -> ConfigMap {
    let mut map = ConfigMap::default();
    map.metadata.name = name.into();
    map.data.insert("value", value.into());
    map
}

pub(super) fn labelled(name: &str, label: &str) -> ConfigMap {
    let mut map = map(name, label);
    map.metadata.labels.insert("group", label.into());
    map
}

pub(super) fn pod(name: &str) -> Pod {
    read(
        json!({"metadata": {"name": name}, "spec": {"containers": [{"name": "main", "image": "example.org/main:1"}]}}),
    )
}

pub(super) fn deployment(name: &str) -> Deployment {
    read(json!({
        "metadata": {"name": name},
        "spec": {
            "replicas": 2,
            "selector": {"matchLabels": {"app": name}},
            "template": {
                "metadata": {"labels": {"app": name}},
                "spec": {"containers": [{"name": "main", "image": "example.org/main:1"}]},
            },
        },
    }))
}

fn read<K: Object>(value: Value) -> K {
    serde_json::from_value(value).expect("the document is a valid object")
}

/// The next item of a watch.
pub(super) async fn next<K>(watch: &mut WatchStream<K>) -> Result<WatchEvent<K>> {
    let item = tokio::time::timeout(DEADLINE, watch.next()).await.expect("an event comes in time");
    item.expect("the watch goes on")
}

/// The type, name and resourceVersion of the next event.
pub(super) async fn next_event<K: Object>(watch: &mut WatchStream<K>) -> (&'static str, String, Str) {
    let event = next(watch).await.expect("the watch goes on");
    let name = event.object().map(|object| object.meta().name.to_string()).unwrap_or_default();
    (event.type_(), name, event.resource_version())
}

/// Type and name of so many events.
pub(super) async fn next_events<K: Object>(watch: &mut WatchStream<K>, count: usize) -> Vec<String> {
    let mut events = Vec::with_capacity(count);
    for _ in 0..count {
        let (type_, name, _) = next_event(watch).await;
        events.push(format!("{type_} {name}"));
    }
    events
}

pub(super) async fn assert_quiet<K: Object>(watch: &mut WatchStream<K>) {
    if let Ok(item) = tokio::time::timeout(QUIET, watch.next()).await {
        panic!("expected no event, got {item:?}");
    }
}

/// Revisions can be compared as numbers.
pub(super) fn number(version: &str) -> u128 {
    version.parse().expect("a resourceVersion is a decimal number")
}

#[track_caller]
pub(super) fn assert_error<T: std::fmt::Debug>(result: Result<T>, is: fn(&Error) -> bool, message: &str) {
    let error = result.expect_err("the request is refused");
    assert!(is(&error), "not the expected kind of error: {error:?}");
    assert_eq!(error.to_string(), message);
}
