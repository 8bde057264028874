//! The configuration of an image: what to run, as whom, where.

use std::collections::BTreeMap;
use std::fmt;

use oci_spec::image as oci;

use crate::digest::DigestError;
use crate::{Digest, DocumentError, Platform, json};

/// The configuration of an image.
///
/// ```
/// use orlop_image::Config;
///
/// let config = Config::read(br#"{
///     "os": "linux", "architecture": "amd64", "rootfs": {"type": "layers", "diff_ids": []},
///     "config": {"Entrypoint": ["/server"], "Cmd": ["--help"], "ExposedPorts": {"80": {}, "53/udp": {}}}
/// }"#)?;
/// assert_eq!(config.command_line(&[], &["--port=80".into()]), ["/server", "--port=80"]);
/// assert_eq!(config.exposed_ports()[0].to_string(), "53/udp");
/// assert_eq!(config.working_dir(), "/");
/// # Ok::<(), orlop_image::ConfigError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    document: oci::ImageConfiguration,
    diff_ids: Vec<Digest>,
}

/// A configuration of an image that is none.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// It is no JSON, or of another form.
    #[error(transparent)]
    Document(#[from] DocumentError),
    /// Its file system is not made of layers.
    #[error("rootfs.type is {0:?}, which has to be \"layers\"")]
    RootFs(String),
    /// The digest of an unpacked layer is none.
    #[error("rootfs.diff_ids: {digest:?}: {error}")]
    DiffId {
        /// The text.
        digest: String,
        /// What is wrong with it.
        #[source]
        error: DigestError,
    },
    /// There are more or fewer digests of unpacked layers than layers.
    #[error("{diff_ids} rootfs.diff_ids for {layers} layers")]
    Layers {
        /// Digests in the configuration.
        diff_ids: usize,
        /// Layers in the manifest.
        layers: usize,
    },
}

/// A port that an image says it listens on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ExposedPort {
    /// The number, from 1 on.
    pub port: u16,
    /// The protocol.
    pub protocol: Protocol,
}

/// The protocol of a port.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Protocol {
    /// TCP, where nothing is said.
    Tcp,
    /// UDP.
    Udp,
    /// SCTP.
    Sctp,
}

impl Config {
    /// Reads a configuration. `null` is as good as absent; what is unknown is passed over.
    ///
    /// # Errors
    /// It is none.
    pub fn read(bytes: &[u8]) -> Result<Self, ConfigError> {
        let value = json::read(bytes).map_err(DocumentError::Json)?;
        let document: oci::ImageConfiguration = serde_json::from_value(value).map_err(DocumentError::Form)?;
        let rootfs = document.rootfs();
        if rootfs.typ() != "layers" {
            return Err(ConfigError::RootFs(rootfs.typ().clone()));
        }
        let diff_ids = rootfs
            .diff_ids()
            .iter()
            .map(|digest| {
                digest.parse().map_err(|error| ConfigError::DiffId { digest: digest.clone(), error })
            })
            .collect::<Result<_, _>>()?;
        Ok(Self { document, diff_ids })
    }

    /// All of it, by the names of the image specification.
    #[must_use]
    pub fn document(&self) -> &oci::ImageConfiguration {
        &self.document
    }

    /// For which machines it is.
    #[must_use]
    pub fn platform(&self) -> Platform {
        let document = &self.document;
        Platform::new(
            &document.os().to_string(),
            &document.architecture().to_string(),
            document.variant().as_deref().unwrap_or_default(),
        )
    }

    /// The digests of the layers when they are decompressed, the base first.
    #[must_use]
    pub fn diff_ids(&self) -> &[Digest] {
        &self.diff_ids
    }

    /// For each layer the name of it together with all below, the base first (image specification, `config.md`).
    #[must_use]
    pub fn chain_ids(&self) -> Vec<Digest> {
        let mut chain: Vec<Digest> = Vec::with_capacity(self.diff_ids.len());
        for diff_id in &self.diff_ids {
            chain.push(match chain.last() {
                None => diff_id.clone(),
                Some(below) => Digest::sha256(format!("{below} {diff_id}")),
            });
        }
        chain
    }

    fn list(&self, field: fn(&oci::Config) -> &Option<Vec<String>>) -> &[String] {
        self.document.config().as_ref().and_then(|config| field(config).as_deref()).unwrap_or_default()
    }

    fn text(&self, field: fn(&oci::Config) -> &Option<String>) -> &str {
        self.document.config().as_ref().and_then(|config| field(config).as_deref()).unwrap_or_default()
    }

    /// The environment, each `NAME=VALUE`.
    #[must_use]
    pub fn env(&self) -> &[String] {
        self.list(oci::Config::env)
    }

    /// The program with the arguments that come first.
    #[must_use]
    pub fn entrypoint(&self) -> &[String] {
        self.list(oci::Config::entrypoint)
    }

    /// The arguments that come after the entrypoint if no others are given.
    #[must_use]
    pub fn cmd(&self) -> &[String] {
        self.list(oci::Config::cmd)
    }

    /// What to run where a container asks for `command` and `args` (either may be empty): a command replaces entrypoint
    /// and arguments of the image, arguments replace its arguments (Kubernetes, `Container.command`).
    #[must_use]
    pub fn command_line(&self, command: &[String], args: &[String]) -> Vec<String> {
        match (command, args) {
            ([], []) => [self.entrypoint(), self.cmd()].concat(),
            ([], args) => [self.entrypoint(), args].concat(),
            (command, args) => [command, args].concat(),
        }
    }

    /// Who runs it, as [`User`](crate::User) reads it; empty for root.
    #[must_use]
    pub fn user(&self) -> &str {
        self.text(oci::Config::user)
    }

    /// Where it starts; `/` if nothing is said.
    #[must_use]
    pub fn working_dir(&self) -> &str {
        let directory = self.text(oci::Config::working_dir);
        if directory.is_empty() { "/" } else { directory }
    }

    /// The signal that ends it: `SIGTERM`, `15`, `SIGRTMIN+3`; nothing if the image doesn't say.
    #[must_use]
    pub fn stop_signal(&self) -> Option<&str> {
        Some(self.text(oci::Config::stop_signal)).filter(|signal| !signal.is_empty())
    }

    /// The ports it says it listens on, sorted. What is no port is passed over, since nothing depends on it.
    #[must_use]
    pub fn exposed_ports(&self) -> Vec<ExposedPort> {
        let mut ports: Vec<ExposedPort> =
            self.list(oci::Config::exposed_ports).iter().filter_map(|text| ExposedPort::read(text)).collect();
        ports.sort_unstable();
        ports
    }

    /// The directories that it writes to, sorted.
    #[must_use]
    pub fn volumes(&self) -> Vec<&str> {
        let mut volumes: Vec<&str> = self.list(oci::Config::volumes).iter().map(String::as_str).collect();
        volumes.sort_unstable();
        volumes
    }

    /// The labels.
    #[must_use]
    pub fn labels(&self) -> BTreeMap<&str, &str> {
        let labels = self.document.labels_of_config();
        labels.into_iter().flatten().map(|(name, value)| (name.as_str(), value.as_str())).collect()
    }
}

impl ExposedPort {
    fn read(text: &str) -> Option<Self> {
        let (port, protocol) = text.split_once('/').unwrap_or((text, "tcp"));
        let protocol = match protocol.to_ascii_lowercase().as_str() {
            "tcp" | "" => Protocol::Tcp,
            "udp" => Protocol::Udp,
            "sctp" => Protocol::Sctp,
            _ => return None,
        };
        let port = port.parse().ok().filter(|port| *port > 0)?;
        Some(Self { port, protocol })
    }
}

impl fmt::Display for ExposedPort {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let protocol = match self.protocol {
            Protocol::Tcp => "tcp",
            Protocol::Udp => "udp",
            Protocol::Sctp => "sctp",
        };
        write!(out, "{}/{protocol}", self.port)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn null_is_absent_and_the_rest_is_typed() {
        let config = Config::read(
            br#"{"os": "linux", "architecture": "arm64", "variant": "v8", "created": null, "extra": [1],
                 "rootfs": {"type": "layers", "diff_ids": null}, "history": null,
                 "config": {"Env": null, "Cmd": ["sh"], "User": "", "ExposedPorts": null, "Volumes": {"/b": {}, "/a": {}},
                            "StopSignal": "SIGQUIT", "Labels": {"a": "b"}, "Healthcheck": {"Test": ["x"]}}}"#,
        );
        // A list that has to be there is missing.
        assert!(matches!(config, Err(ConfigError::Document(_))));
        let config = Config::read(
            br#"{"os": "linux", "architecture": "arm64", "variant": "v8", "created": null, "extra": [1],
                 "rootfs": {"type": "layers", "diff_ids": []}, "history": null,
                 "config": {"Env": null, "Cmd": ["sh"], "User": "", "ExposedPorts": null, "Volumes": {"/b": {}, "/a": {}},
                            "StopSignal": "SIGQUIT", "Labels": {"a": "b"}, "Healthcheck": {"Test": ["x"]}}}"#,
        )
        .unwrap();
        assert_eq!(config.platform().to_string(), "linux/arm64");
        assert!(config.env().is_empty() && config.exposed_ports().is_empty());
        assert_eq!((config.working_dir(), config.stop_signal()), ("/", Some("SIGQUIT")));
        assert_eq!(config.volumes(), ["/a", "/b"]);
        assert_eq!(config.labels()["a"], "b");
        let text = |list: &[&str]| -> Vec<String> { list.iter().map(|text| (*text).to_owned()).collect() };
        assert_eq!(config.command_line(&[], &[]), ["sh"]);
        assert_eq!(config.command_line(&text(&["a"]), &[]), ["a"]);
        assert_eq!(config.command_line(&text(&["a"]), &text(&["b"])), ["a", "b"]);
    }

    #[test]
    fn what_is_no_configuration_is_refused() {
        for text in [
            "{}",
            r#"{"os": "linux", "architecture": "amd64", "rootfs": {"type": "image", "diff_ids": []}}"#,
            r#"{"os": "linux", "architecture": "amd64", "rootfs": {"type": "layers", "diff_ids": ["sha256:../.."]}}"#,
        ] {
            Config::read(text.as_bytes()).unwrap_err();
        }
    }

    #[test]
    fn chains_name_a_layer_with_all_below() {
        let (one, two) = (Digest::sha256("one"), Digest::sha256("two"));
        let text = format!(
            r#"{{"os": "linux", "architecture": "amd64", "rootfs": {{"type": "layers", "diff_ids": ["{one}", "{two}"]}}}}"#
        );
        let config = Config::read(text.as_bytes()).unwrap();
        assert_eq!(config.chain_ids(), [one.clone(), Digest::sha256(format!("{one} {two}"))]);
    }
}
