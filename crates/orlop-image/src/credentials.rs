//! Credentials for registries, as Docker's configuration files and pull secrets hold them.

use std::collections::BTreeMap;
use std::fmt;

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use serde_json::{Map, Value};

use crate::location::{Location, location_matches};

/// The key that Docker writes for its own registry.
const DEFAULT_REGISTRY_KEY: &str = "index.docker.io";

const CONFIG: GeneralPurposeConfig = GeneralPurposeConfig::new().with_decode_allow_trailing_bits(true);
const PADDED: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    CONFIG.with_decode_padding_mode(DecodePaddingMode::RequireCanonical),
);
const UNPADDED: GeneralPurpose =
    GeneralPurpose::new(&alphabet::STANDARD, CONFIG.with_decode_padding_mode(DecodePaddingMode::RequireNone));

/// Name and password for a registry.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Credential {
    /// The user; may be empty.
    pub username: String,
    /// The password; may be empty.
    pub password: String,
    /// The address that old configuration files also have.
    pub email: String,
    /// Where it comes from, as the caller named it.
    pub source: String,
}

/// The password is not shown.
impl fmt::Debug for Credential {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Credential")
            .field("username", &self.username)
            .field("source", &self.source)
            .finish_non_exhaustive()
    }
}

/// What is wrong with a configuration of credentials.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CredentialError {
    /// It is no JSON, or JSON of another form.
    #[error("{origin}: {problem}")]
    Json {
        /// Which configuration.
        origin: String,
        /// What is wrong with it, without what stands in it, which may be secret.
        problem: String,
    },
    /// A field `auth` is not base64.
    #[error("{key}: auth: {error}")]
    Base64 {
        /// The registry it is for.
        key: String,
        /// What is wrong with it.
        #[source]
        error: base64::DecodeError,
    },
    /// A field `auth` holds no colon.
    #[error("unable to parse auth field, must be formatted as base64(username:password)")]
    NoColon {
        /// The registry it is for.
        key: String,
    },
    /// The configuration of the node cannot be read.
    #[error("node config: error occurred while trying to unmarshal json")]
    NodeConfig(#[source] Box<Self>),
}

impl CredentialError {
    /// Errors about types quote the value; where a text breaks off they do not.
    fn json(origin: String, error: &serde_json::Error) -> Self {
        let problem = match error.classify() {
            serde_json::error::Category::Data => "a value of the wrong type".to_owned(),
            _ => error.to_string(),
        };
        Self::Json { origin, problem }
    }
}

/// Credentials, by where they are valid.
///
/// Keys are host names, in which each label may be a pattern, with a port and the beginning of a path. Longer keys are
/// tried first, that is, keys in reverse order of their text.
///
/// ```
/// use orlop_image::Keyring;
///
/// let mut keys = Keyring::new();
/// keys.add_auths(br#"{"*.example.com": {"username": "ci", "password": "x"}}"#, "node")?;
/// let found = keys.lookup("registry.example.com/team/app");
/// assert_eq!(found[0].username, "ci");
/// assert!(keys.lookup("docker.io/library/nginx").is_empty());
/// # Ok::<(), orlop_image::CredentialError>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Keyring(BTreeMap<String, Vec<Credential>>);

impl Keyring {
    /// No credentials.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds what a file `config.json` of Docker's has under `auths`.
    ///
    /// # Errors
    /// It is not of that form. Nothing is added then.
    pub fn add_config(&mut self, text: &[u8], source: &str) -> Result<(), CredentialError> {
        let json = |error| CredentialError::json(source.to_owned(), &error);
        let root: Option<Map<String, Value>> = serde_json::from_slice(text).map_err(json)?;
        let auths = root.and_then(|mut root| root.remove("auths")).unwrap_or(Value::Null);
        let auths: Option<Map<String, Value>> = serde_json::from_value(auths).map_err(json)?;
        self.add(auths.unwrap_or_default(), source)
    }

    /// Adds a map from registries to credentials: an old `.dockercfg`, or the inside of `auths`.
    ///
    /// # Errors
    /// It is not of that form. Nothing is added then.
    pub fn add_auths(&mut self, text: &[u8], source: &str) -> Result<(), CredentialError> {
        let json = |error| CredentialError::json(source.to_owned(), &error);
        let auths: Option<Map<String, Value>> = serde_json::from_slice(text).map_err(json)?;
        self.add(auths.unwrap_or_default(), source)
    }

    /// Adds the map of the node's own configuration, with `node` as the source.
    ///
    /// # Errors
    /// [`CredentialError::NodeConfig`].
    pub fn add_node_config(&mut self, text: &[u8]) -> Result<(), CredentialError> {
        self.add_auths(text, "node").map_err(|error| CredentialError::NodeConfig(Box::new(error)))
    }

    /// Adds a pull secret, with `secret/NAME` as the source: `kind` is its type, `data` its data.
    ///
    /// A secret of another type than `kubernetes.io/dockerconfigjson` or `kubernetes.io/dockercfg`, or without the key
    /// that belongs to its type, is passed over.
    ///
    /// # Errors
    /// Its data is not of the form that its type promises.
    pub fn add_secret(
        &mut self,
        name: &str,
        kind: &str,
        data: &BTreeMap<String, Vec<u8>>,
    ) -> Result<(), CredentialError> {
        let source = format!("secret/{name}");
        let held = |key: &str| data.get(key).filter(|text| !text.is_empty());
        match kind {
            "kubernetes.io/dockerconfigjson" => {
                held(".dockerconfigjson").map_or(Ok(()), |text| self.add_config(text, &source))
            }
            "kubernetes.io/dockercfg" => {
                held(".dockercfg").map_or(Ok(()), |text| self.add_auths(text, &source))
            }
            _ => Ok(()),
        }
    }

    fn add(&mut self, auths: Map<String, Value>, source: &str) -> Result<(), CredentialError> {
        let mut read = Vec::with_capacity(auths.len());
        for (key, entry) in auths {
            let credential = credential(&key, entry, source)?;
            // What is no location can match nothing.
            if let Ok(location) = Location::parse_key(&key) {
                read.push((location, credential));
            }
        }
        for (location, credential) in read {
            self.0.entry(location).or_default().push(credential);
        }
        Ok(())
    }

    /// The credentials for a repository (`docker.io/library/nginx`), in the order in which to try them.
    ///
    /// What was written for `index.docker.io` is for names without a host and for Docker Hub, and counts only where
    /// nothing else does.
    #[must_use]
    pub fn lookup(&self, repository: &str) -> Vec<&Credential> {
        let fits = |key: &str| location_matches(key, repository).unwrap_or(false);
        let found: Vec<&Credential> = self
            .0
            .iter()
            .rev()
            .filter(|(key, _)| fits(key))
            .flat_map(|(_, credentials)| credentials)
            .collect();
        if found.is_empty() && is_default_registry(repository) {
            return self.0.get(DEFAULT_REGISTRY_KEY).into_iter().flatten().collect();
        }
        found
    }
}

/// Whether a repository is Docker Hub's, by the first part of its name.
fn is_default_registry(repository: &str) -> bool {
    match repository.split_once('/') {
        None => !repository.is_empty(),
        Some(("docker.io" | DEFAULT_REGISTRY_KEY, _)) => true,
        Some((first, _)) => !first.is_empty() && !first.contains(['.', ':']),
    }
}

fn credential(key: &str, entry: Value, source: &str) -> Result<Credential, CredentialError> {
    #[derive(Default, serde::Deserialize)]
    struct Entry {
        username: Option<String>,
        password: Option<String>,
        email: Option<String>,
        auth: Option<String>,
    }
    let entry: Option<Entry> = serde_json::from_value(entry)
        .map_err(|error| CredentialError::json(format!("{source}: {key}"), &error))?;
    let entry = entry.unwrap_or_default();
    let mut credential = Credential {
        username: entry.username.unwrap_or_default(),
        password: entry.password.unwrap_or_default(),
        email: entry.email.unwrap_or_default(),
        source: source.to_owned(),
    };
    if let Some(auth) = entry.auth.filter(|auth| !auth.is_empty()) {
        let engine = if auth.trim().ends_with('=') { &PADDED } else { &UNPADDED };
        let encoded: String = auth.chars().filter(|character| !matches!(character, '\r' | '\n')).collect();
        let plain =
            engine.decode(encoded).map_err(|error| CredentialError::Base64 { key: key.to_owned(), error })?;
        let plain = String::from_utf8_lossy(&plain);
        let (username, password) =
            plain.split_once(':').ok_or_else(|| CredentialError::NoColon { key: key.to_owned() })?;
        credential.username = username.to_owned();
        credential.password = password.to_owned();
    }
    Ok(credential)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn longer_keys_come_first_and_the_default_last() {
        let mut keys = Keyring::new();
        let text = br#"{"auths": {
            "https://x.io/v1/": {"username": "host"},
            "x.io/team": {"username": "team"},
            "*.io": {"auth": "d2lsZDpwOnc="},
            "https://index.docker.io/v1/": {"username": "hub"},
            "a b": {"username": "nowhere"}}}"#;
        keys.add_config(text, "test").unwrap();
        let names = |repository: &str| -> Vec<String> {
            keys.lookup(repository).iter().map(|found| found.username.clone()).collect()
        };
        assert_eq!(names("x.io/team/app"), ["team", "host", "wild"]);
        assert_eq!(names("x.io/other"), ["host", "wild"]);
        assert_eq!(names("docker.io/library/nginx"), ["wild"]);
        assert_eq!(names("nginx"), ["hub"]);
        assert!(names("x.com/y").is_empty());
        assert_eq!(keys.lookup("y.io/x")[0].password, "p:w");
    }

    #[test]
    fn a_configuration_that_is_wrong_adds_nothing() {
        let mut keys = Keyring::new();
        for text in
            ["{bad", "[]", r#"{"x.io": {"auth": "!"}}"#, r#"{"x.io": {"auth": "YWI"}, "y.io": {}}"#, "5"]
        {
            keys.add_auths(text.as_bytes(), "test").unwrap_err();
        }
        keys.add_auths(br#"{"y.io": {"username": "u"}, "x.io": 5}"#, "test").unwrap_err();
        assert!(keys.lookup("y.io/a").is_empty());
        keys.add_auths(b"null", "test").unwrap();
    }

    #[test]
    fn a_password_is_not_shown() {
        let mut keys = Keyring::new();
        keys.add_auths(br#"{"x.io": {"username": "u", "password": "secret"}}"#, "test").unwrap();
        assert!(!format!("{keys:?}").contains("secret"));
        for text in [
            r#""secret""#,
            r#"{"auths": "secret"}"#,
            r#"{"auths": {"x.io": "secret"}}"#,
            r#"{"auths": {"x.io": {"username": {"secret": 1}}}}"#,
            r#"{"auths": {"x.io": {"password": 73656372}}}"#,
        ] {
            let error = keys.add_config(text.as_bytes(), "test").unwrap_err();
            let shown = format!("{error} {error:?}");
            assert!(!shown.contains("secret") && !shown.contains("73656372"), "{shown}");
        }
    }
}
