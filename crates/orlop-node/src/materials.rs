//! What a pod is made of besides its description: ConfigMaps, Secrets, tokens of its service account.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use orlop_client::{Api, Client};
use orlop_model::Str;
use orlop_model::core::v1::{ConfigMap, Pod, Secret};

use crate::volume::token_requests;

/// Why an object that a pod needs is not there: the API server's answer.
pub type Missing = orlop_client::Error;

/// A token that a pod's service account is to have.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct TokenRequest {
    /// Namespace of pod and service account.
    pub namespace: Str,
    /// The service account.
    pub service_account: Str,
    /// Whom it is meant for; empty: the API server.
    pub audience: Str,
    /// How long it is to be valid, in seconds.
    pub expiration_seconds: Option<i64>,
    /// Name of the pod that it is bound to.
    pub pod_name: Str,
    /// The pod's uid.
    pub pod_uid: Str,
}

/// Whoever issues tokens of service accounts.
#[async_trait]
pub trait TokenIssuer: Send + Sync + 'static {
    /// Issues a token.
    ///
    /// # Errors
    /// Why there is none, for people.
    async fn issue(&self, request: &TokenRequest) -> Result<Str, String>;
}

/// What was found of the objects that a pod names, each as the API server answered.
#[derive(Clone, Debug, Default)]
pub struct Materials {
    config_maps: BTreeMap<Str, Result<Arc<ConfigMap>, Missing>>,
    secrets: BTreeMap<Str, Result<Arc<Secret>, Missing>>,
    tokens: BTreeMap<TokenRequest, Result<Str, String>>,
    plural: bool,
}

impl Materials {
    /// Materials that hold nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a ConfigMap.
    #[must_use]
    pub fn with_config_map(mut self, map: ConfigMap) -> Self {
        self.config_maps.insert(map.metadata.name.clone(), Ok(Arc::new(map)));
        self
    }

    /// Adds a Secret.
    #[must_use]
    pub fn with_secret(mut self, secret: Secret) -> Self {
        self.secrets.insert(secret.metadata.name.clone(), Ok(Arc::new(secret)));
        self
    }

    /// Adds a token, or why there is none.
    #[must_use]
    pub fn with_token(mut self, request: TokenRequest, token: Result<Str, String>) -> Self {
        self.tokens.insert(request, token);
        self
    }

    /// Says what is missing in the words of the API server (`configmaps "x" not found`) instead of those that people
    /// know from kubelet (`configmap "x" not found`).
    #[must_use]
    pub fn in_server_words(mut self) -> Self {
        self.plural = true;
        self
    }

    /// Reads everything that the pod names. An object that cannot be had is noted, not an error yet: it may be optional.
    pub async fn read(client: &Arc<dyn Client>, tokens: Option<&dyn TokenIssuer>, pod: &Pod) -> Self {
        let mut names = Names::default();
        names.of_pod(pod);
        let mut materials = Self::default();
        let namespace = &pod.metadata.namespace;
        if !names.config_maps.is_empty() {
            let api = Api::<ConfigMap>::namespaced(Arc::clone(client), namespace.clone());
            for name in names.config_maps {
                let found = api.get(&name).await;
                materials.config_maps.insert(name, found);
            }
        }
        if !names.secrets.is_empty() {
            let api = Api::<Secret>::namespaced(Arc::clone(client), namespace.clone());
            for name in names.secrets {
                let found = api.get(&name).await;
                materials.secrets.insert(name, found);
            }
        }
        if let Some(issuer) = tokens {
            for volume in &pod.spec.volumes {
                for request in token_requests(&volume.source, pod) {
                    let token = issuer.issue(&request).await;
                    materials.tokens.insert(request, token);
                }
            }
        }
        materials
    }

    /// A ConfigMap of the pod's namespace; `None` if it does not exist and may be missing.
    ///
    /// # Errors
    /// Why there is none.
    pub fn config_map(&self, name: &str, optional: bool) -> Result<Option<&Arc<ConfigMap>>, String> {
        find(self.config_maps.get(name), if self.plural { "configmaps" } else { "configmap" }, name, optional)
    }

    /// A Secret of the pod's namespace; `None` if it does not exist and may be missing.
    ///
    /// # Errors
    /// Why there is none.
    pub fn secret(&self, name: &str, optional: bool) -> Result<Option<&Arc<Secret>>, String> {
        find(self.secrets.get(name), if self.plural { "secrets" } else { "secret" }, name, optional)
    }

    /// A token that was asked for.
    ///
    /// # Errors
    /// Why there is none.
    pub(crate) fn token(&self, request: &TokenRequest) -> Result<&Str, String> {
        match self.tokens.get(request) {
            Some(token) => token.as_ref().map_err(Clone::clone),
            None => Err("failed to fetch token: this node has no issuer of tokens".to_owned()),
        }
    }
}

fn find<'a, K>(
    found: Option<&'a Result<Arc<K>, Missing>>,
    kind: &str,
    name: &str,
    optional: bool,
) -> Result<Option<&'a Arc<K>>, String> {
    match found {
        Some(Ok(object)) => Ok(Some(object)),
        Some(Err(error)) if !error.is_not_found() => Err(error.to_string()),
        Some(Err(_)) | None if optional => Ok(None),
        Some(Err(_)) | None => Err(format!("{kind} \"{name}\" not found")),
    }
}

/// Names of the objects that a pod is made of, each once.
#[derive(Debug, Default)]
struct Names {
    config_maps: std::collections::BTreeSet<Str>,
    secrets: std::collections::BTreeSet<Str>,
}

impl Names {
    fn of_pod(&mut self, pod: &Pod) {
        let spec = &pod.spec;
        let ephemeral = spec.ephemeral_containers.iter().map(|ephemeral| &ephemeral.container);
        for container in spec.init_containers.iter().chain(&spec.containers).chain(ephemeral) {
            for from in &container.env_from {
                if let Some(map) = &from.config_map_ref {
                    self.config_maps.insert(map.name.clone());
                }
                if let Some(secret) = &from.secret_ref {
                    self.secrets.insert(secret.name.clone());
                }
            }
            for source in container.env.iter().filter_map(|variable| variable.value_from.as_deref()) {
                if let Some(map) = &source.config_map_key_ref {
                    self.config_maps.insert(map.name.clone());
                }
                if let Some(secret) = &source.secret_key_ref {
                    self.secrets.insert(secret.name.clone());
                }
            }
        }
        for volume in &spec.volumes {
            if let Some(map) = &volume.source.config_map {
                self.config_maps.insert(map.name.clone());
            }
            if let Some(secret) = &volume.source.secret {
                self.secrets.insert(secret.secret_name.clone());
            }
            for projection in volume.source.projected.iter().flat_map(|projected| &projected.sources) {
                if let Some(map) = &projection.config_map {
                    self.config_maps.insert(map.name.clone());
                }
                if let Some(secret) = &projection.secret {
                    self.secrets.insert(secret.name.clone());
                }
            }
        }
    }
}
