//! ConfigMaps, Secrets and ServiceAccounts.

use super::Validate;
use super::go_json;
use super::rules::Rules;
use crate::core::v1::{ConfigMap, Secret, ServiceAccount};
use crate::{ByteString, FieldError, Map, names};

/// Most bytes of the values of a ConfigMap or Secret.
const MAX_DATA: usize = 1 << 20;

const IMMUTABLE_WHEN_SET: &str = "field is immutable when `immutable` is set";

impl Validate for ConfigMap {
    fn validate_create(&self) -> Vec<FieldError> {
        let mut rules = Rules::new("");
        rules.metadata(self, Self::NAME_RULE);
        let mut size = 0;
        for (key, value) in &self.data {
            keys(&mut rules, "data", key);
            if self.binary_data.contains_key(key) {
                rules.invalid(&format!("data[{key}]"), key, "duplicate of key present in binaryData");
            }
            size += value.len();
        }
        for (key, value) in &self.binary_data {
            keys(&mut rules, "binaryData", key);
            size += value.len();
        }
        if size > MAX_DATA {
            rules.push(FieldError::too_long("", MAX_DATA));
        }
        rules.finish()
    }

    fn validate_update(&self, old: &Self) -> Vec<FieldError> {
        let mut rules = Rules::new("");
        rules.metadata_update(self, old);
        if old.immutable == Some(true) {
            if self.immutable != Some(true) {
                rules.forbidden("immutable", IMMUTABLE_WHEN_SET);
            }
            if self.data != old.data {
                rules.forbidden("data", IMMUTABLE_WHEN_SET);
            }
            if self.binary_data != old.binary_data {
                rules.forbidden("binaryData", IMMUTABLE_WHEN_SET);
            }
        }
        rules.extend(self.validate_create());
        rules.finish()
    }
}

fn keys(rules: &mut Rules, field: &str, key: &str) {
    rules.complaints(&format!("{field}[{key}]"), key, names::configmap_key(key));
}

impl Validate for Secret {
    fn validate_create(&self) -> Vec<FieldError> {
        let mut rules = Rules::new("");
        rules.metadata(self, Self::NAME_RULE);
        let data = merged(self);
        let mut size = 0;
        for (key, value) in &data {
            keys(&mut rules, "data", key);
            size += value.len();
        }
        if size > MAX_DATA {
            rules.push(FieldError::too_long("data", MAX_DATA));
        }
        let present = |key: &str| data.get(key).is_some_and(|value| !value.is_empty());
        match self.type_.as_str() {
            "kubernetes.io/service-account-token" => {
                let account = self.metadata.annotations.get("kubernetes.io/service-account.name");
                if account.is_none_or(|name| name.is_empty()) {
                    rules.required("metadata.annotations[kubernetes.io/service-account.name]", "");
                }
            }
            "kubernetes.io/dockercfg" => docker(&mut rules, &data, ".dockercfg"),
            "kubernetes.io/dockerconfigjson" => docker(&mut rules, &data, ".dockerconfigjson"),
            "kubernetes.io/basic-auth"
                if !data.contains_key("username") && !data.contains_key("password") =>
            {
                rules.required("data[username]", "");
                rules.required("data[password]", "");
            }
            "kubernetes.io/ssh-auth" if !present("ssh-privatekey") => {
                rules.required("data[ssh-privatekey]", "");
            }
            "kubernetes.io/tls" => {
                for key in ["tls.crt", "tls.key"] {
                    if !data.contains_key(key) {
                        rules.required(&format!("data[{key}]"), "");
                    }
                }
            }
            _ => {}
        }
        rules.finish()
    }

    fn validate_update(&self, old: &Self) -> Vec<FieldError> {
        let mut rules = Rules::new("");
        rules.metadata_update(self, old);
        rules.immutable("type", &self.type_, &old.type_);
        if old.immutable == Some(true) {
            if self.immutable != Some(true) {
                rules.forbidden("immutable", IMMUTABLE_WHEN_SET);
            }
            if merged(self) != merged(old) {
                rules.forbidden("data", IMMUTABLE_WHEN_SET);
            }
        }
        rules.extend(self.validate_create());
        rules.finish()
    }
}

fn merged(secret: &Secret) -> Map<ByteString> {
    let mut secret =
        Secret { data: secret.data.clone(), string_data: secret.string_data.clone(), ..Secret::default() };
    secret.merge_string_data();
    secret.data
}

fn docker(rules: &mut Rules, data: &Map<ByteString>, key: &str) {
    let field = format!("data[{key}]");
    match data.get(key) {
        None => rules.required(&field, ""),
        Some(value) => {
            if let Err(error) = go_json::object(value, "map[string]interface {}") {
                rules.invalid(&field, "<secret contents redacted>", error);
            }
        }
    }
}

const MOUNTABLE: &str = "kubernetes.io/enforce-mountable-secrets";

impl Validate for ServiceAccount {
    fn validate_create(&self) -> Vec<FieldError> {
        let mut rules = Rules::new("");
        rules.metadata(self, Self::NAME_RULE);
        rules.finish()
    }

    fn validate_update(&self, old: &Self) -> Vec<FieldError> {
        let mut rules = Rules::new("");
        rules.metadata_update(self, old);
        rules.metadata(self, Self::NAME_RULE);
        rules.finish()
    }

    fn warnings_on_create(&self) -> Vec<String> {
        let is_used = self.metadata.annotations.contains_key(MOUNTABLE);
        let warning = format!(
            "metadata.annotations[{MOUNTABLE}]: deprecated in v1.32+; prefer separate namespaces to isolate access to mounted secrets"
        );
        is_used.then_some(warning).into_iter().collect()
    }

    fn warnings_on_update(&self, _old: &Self) -> Vec<String> {
        self.warnings_on_create()
    }
}
