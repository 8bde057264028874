//! Pulling from registries.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use dashmap::DashMap;
use futures::{FutureExt, StreamExt};
use oci_client::client::{
    BlobResponse, Certificate, CertificateEncoding, ClientConfig, ClientProtocol, SizedStream,
};
use oci_client::errors::{DigestError as ClientDigestError, OciDistributionError, OciErrorCode};
use oci_client::{Client, RegistryOperation};
use tokio::sync::{Mutex, mpsc};

use crate::content::Ingest;
use crate::lease::Lease;
use crate::manifest::Document;
use crate::store::Resolved;
use crate::{Algorithm, Credential, Descriptor, Digest, Error, Image, Reference, Store, media};

/// Chunks of a blob between the network and the disk.
const CHUNKS: usize = 16;
/// The longest wait between two tries.
const LONGEST_WAIT: Duration = Duration::from_secs(10);
/// The longest text of a registry that is told further.
const LONGEST_TEXT: usize = 512;

/// How a [`Registry`] is spoken to.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct RegistryOptions {
    /// Registries, each with its port, that are spoken to without TLS.
    pub plain_http: Vec<String>,
    /// Certificates to trust besides the usual ones, in PEM.
    pub certificates: Vec<Vec<u8>>,
    /// How often something is tried again when the network or the registry fails.
    pub retries: u32,
    /// How long to wait before the first such try; twice as long before each further one, ten seconds at most.
    pub wait: Duration,
    /// How long connecting may take.
    pub connect_timeout: Duration,
    /// How long a registry may send nothing.
    pub idle_timeout: Duration,
    /// How many blobs of an image are pulled at once.
    pub parallel: usize,
}

impl Default for RegistryOptions {
    fn default() -> Self {
        Self {
            plain_http: Vec::new(),
            certificates: Vec::new(),
            retries: 4,
            wait: Duration::from_millis(250),
            connect_timeout: Duration::from_secs(15),
            idle_timeout: Duration::from_secs(60),
            parallel: 3,
        }
    }
}

/// Who asks a registry for something.
#[derive(Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum RegistryAuth {
    /// Nobody in particular.
    #[default]
    Anonymous,
    /// Somebody with name and password, which are exchanged for a token if the registry wants one.
    Basic {
        /// The name.
        username: String,
        /// The password.
        password: String,
    },
    /// Somebody who has a token for this registry already.
    Token(String),
}

/// Secrets are not shown.
impl fmt::Debug for RegistryAuth {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Anonymous => out.write_str("Anonymous"),
            Self::Basic { username, .. } => write!(out, "Basic({username:?})"),
            Self::Token(_) => out.write_str("Token"),
        }
    }
}

impl From<&Credential> for RegistryAuth {
    fn from(credential: &Credential) -> Self {
        let Credential { username, password, .. } = credential;
        if username.is_empty() && password.is_empty() {
            Self::Anonymous
        } else {
            Self::Basic { username: username.clone(), password: password.clone() }
        }
    }
}

/// What a registry does not do.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RegistryError {
    /// The name says none that could be reached.
    #[error("the name has no registry that could be reached")]
    NoRegistry,
    /// It cannot be reached, or fails; trying again later may help.
    #[error("the registry {registry} is unavailable: {reason}")]
    Unavailable {
        /// Its host.
        registry: String,
        /// What happened.
        reason: String,
    },
    /// It wants credentials, or others.
    #[error(
        "pull access denied by {registry}, repository does not exist or may require authorization: {reason}"
    )]
    Denied {
        /// Its host.
        registry: String,
        /// What it said.
        reason: String,
    },
    /// There is no such image.
    #[error("not found in {registry}: {reason}")]
    NotFound {
        /// Its host.
        registry: String,
        /// What it said.
        reason: String,
    },
    /// It was asked too often.
    #[error("too many requests to {registry}: {reason}")]
    TooManyRequests {
        /// Its host.
        registry: String,
        /// What it said.
        reason: String,
    },
    /// It answers something that no registry should.
    #[error("{registry}: {reason}")]
    Protocol {
        /// Its host.
        registry: String,
        /// What happened.
        reason: String,
    },
}

impl RegistryError {
    fn is_transient(&self) -> bool {
        matches!(self, Self::Unavailable { .. } | Self::TooManyRequests { .. })
    }

    fn of(registry: &str, error: OciDistributionError) -> Self {
        let registry = registry.to_owned();
        let reason = shortened(&error.to_string());
        match error {
            OciDistributionError::AuthenticationFailure(_)
            | OciDistributionError::UnauthorizedError { .. }
            | OciDistributionError::RegistryTokenDecodeError(_) => Self::Denied { registry, reason },
            OciDistributionError::RegistryError { envelope, .. } => {
                let has =
                    |codes: &[OciErrorCode]| envelope.errors.iter().any(|error| codes.contains(&error.code));
                if has(&[OciErrorCode::Unauthorized, OciErrorCode::Denied]) {
                    Self::Denied { registry, reason }
                } else if has(&[OciErrorCode::Toomanyrequests]) {
                    Self::TooManyRequests { registry, reason }
                } else if has(&[
                    OciErrorCode::ManifestUnknown,
                    OciErrorCode::NameUnknown,
                    OciErrorCode::BlobUnknown,
                    OciErrorCode::NotFound,
                ]) {
                    Self::NotFound { registry, reason }
                } else {
                    Self::Protocol { registry, reason }
                }
            }
            OciDistributionError::ServerError { code, .. } => match code {
                401 | 403 => Self::Denied { registry, reason },
                404 | 410 => Self::NotFound { registry, reason },
                429 => Self::TooManyRequests { registry, reason },
                408 | 500.. => Self::Unavailable { registry, reason },
                _ => Self::Protocol { registry, reason },
            },
            OciDistributionError::RequestError(_) | OciDistributionError::IoError(_) => {
                Self::Unavailable { registry, reason: with_sources(&error) }
            }
            _ => Self::Protocol { registry, reason },
        }
    }
}

/// Without the queries of addresses: those that registries redirect to are signed there, and whoever reads the signature
/// in an event gets what is behind it.
fn without_queries(text: &str) -> String {
    let mut told = String::with_capacity(text.len());
    for word in text.split_inclusive(char::is_whitespace) {
        let query = word.find("://").and_then(|at| Some(at + word[at..].find('?')?));
        let Some(query) = query else {
            told.push_str(word);
            continue;
        };
        // What the sentence has behind the address stays.
        let rest = word[query..].trim_end_matches(|end: char| end.is_whitespace() || "),:;.\"".contains(end));
        told.extend([&word[..=query], "…", &word[query + rest.len()..]]);
    }
    told
}

fn shortened(text: &str) -> String {
    let text = without_queries(text);
    let end = text.char_indices().nth(LONGEST_TEXT).map_or(text.len(), |(at, _)| at);
    text[..end].to_owned()
}

/// An error with what is behind it, which for connections is what matters.
fn with_sources(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(behind) = source {
        text = format!("{text}: {behind}");
        source = behind.source();
    }
    shortened(&text)
}

/// What is being downloaded, so that nothing is twice at once.
#[derive(Debug, Default)]
pub(crate) struct Downloads(DashMap<Digest, Arc<Mutex<()>>>);

/// A place in the queue for one blob.
struct Slot<'a> {
    downloads: &'a Downloads,
    digest: &'a Digest,
    mutex: Option<Arc<Mutex<()>>>,
}

impl Downloads {
    fn slot<'a>(&'a self, digest: &'a Digest) -> Slot<'a> {
        let mutex = Some(Arc::clone(&self.0.entry(digest.clone()).or_default()));
        Slot { downloads: self, digest, mutex }
    }
}

impl Drop for Slot<'_> {
    fn drop(&mut self) {
        self.mutex = None;
        self.downloads.0.remove_if(self.digest, |_, mutex| Arc::strong_count(mutex) == 1);
    }
}

/// Where images are pulled from.
///
/// Each pull has a connection of its own, so that the token that one pod's secret got is never used for another's.
/// Credentials only go to the registry of the name and to where it has tokens issued: not to where it redirects to, and
/// the addresses that layers may carry are not asked at all.
///
/// Layers and configurations are bounded while they come; what a registry sends as a token, as an error or as a manifest
/// is refused only when all of it is in memory.
#[derive(Clone, Debug, Default)]
pub struct Registry {
    options: RegistryOptions,
}

impl Registry {
    /// With these options.
    #[must_use]
    pub fn new(options: RegistryOptions) -> Self {
        Self { options }
    }

    /// Pulls an image, for the platform of the store, and names it. What the store has already is not pulled again, and
    /// what others are pulling is waited for.
    ///
    /// Dropping the future ends it; complete blobs stay, until they are collected.
    ///
    /// # Errors
    /// What the registry does not do; documents and layers that are not what they should be, as for
    /// [`Store::import_archive`]; the kernel refuses.
    #[tracing::instrument(level = "debug", skip_all, fields(image = %name))]
    pub async fn pull(&self, store: &Store, name: &Reference, auth: &RegistryAuth) -> Result<Image, Error> {
        let pull = Pull::new(self, store, name, auth)?;
        let mut lease = store.0.leases.lease();
        let target = pull.target(&mut lease).await?;
        loop {
            let (store_again, target_again, shown) = (store.clone(), target.clone(), name.to_string());
            let (resolved, back) = blocking(move || {
                let resolved = store_again.resolve(&shown, &target_again, &mut lease);
                (resolved, lease)
            })
            .await?;
            lease = back;
            match resolved? {
                Resolved::Missing(descriptor) => pull.document(&descriptor).await?,
                Resolved::Image(found) => {
                    let mut pulls = Vec::with_capacity(found.1.layers.len());
                    for layer in &found.1.layers {
                        lease.hold(&layer.digest);
                        pulls.push(pull.blob(layer).boxed());
                    }
                    let mut pulls =
                        futures::stream::iter(pulls).buffer_unordered(self.options.parallel.max(1));
                    while let Some(done) = pulls.next().await {
                        done?;
                    }
                    drop(pulls);
                    let (store, name) = (store.clone(), name.clone());
                    return blocking(move || store.adopt(Some(&name), target, lease)).await?;
                }
            }
        }
    }

    /// Pulls with one credential after the other until one is not denied; without any if there are none, as Kubernetes
    /// does.
    ///
    /// # Errors
    /// As [`pull`](Self::pull); the last denial if all are denied.
    pub async fn pull_with(
        &self,
        store: &Store,
        name: &Reference,
        credentials: &[&Credential],
    ) -> Result<Image, Error> {
        let mut denied = None;
        for credential in credentials {
            match self.pull(store, name, &RegistryAuth::from(*credential)).await {
                Err(error @ Error::Registry { error: RegistryError::Denied { .. }, .. }) => {
                    denied = Some(error)
                }
                other => return other,
            }
        }
        match denied {
            Some(error) => Err(error),
            None => self.pull(store, name, &RegistryAuth::Anonymous).await,
        }
    }
}

/// One pull.
struct Pull<'a> {
    options: &'a RegistryOptions,
    store: &'a Store,
    name: &'a Reference,
    client: Client,
    auth: oci_client::secrets::RegistryAuth,
}

impl<'a> Pull<'a> {
    fn new(
        registry: &'a Registry,
        store: &'a Store,
        name: &'a Reference,
        auth: &RegistryAuth,
    ) -> Result<Self, Error> {
        let options = &registry.options;
        let failed = |error| Error::Registry { image: name.to_string(), error };
        if name.registry().is_empty() {
            return Err(failed(RegistryError::NoRegistry));
        }
        let config = ClientConfig {
            protocol: ClientProtocol::HttpsExcept(options.plain_http.clone()),
            extra_root_certificates: options
                .certificates
                .iter()
                .map(|pem| Certificate { encoding: CertificateEncoding::Pem, data: pem.clone() })
                .collect(),
            connect_timeout: Some(options.connect_timeout),
            read_timeout: Some(options.idle_timeout),
            user_agent: concat!("orlop/", env!("CARGO_PKG_VERSION")),
            platform_resolver: None,
            ..ClientConfig::default()
        };
        let client =
            Client::try_from(config).map_err(|error| failed(RegistryError::of(name.registry(), error)))?;
        let auth = match auth {
            RegistryAuth::Anonymous => oci_client::secrets::RegistryAuth::Anonymous,
            RegistryAuth::Basic { username, password } => {
                oci_client::secrets::RegistryAuth::Basic(username.clone(), password.clone())
            }
            RegistryAuth::Token(token) => oci_client::secrets::RegistryAuth::Bearer(token.clone()),
        };
        Ok(Self { options, store, name, client, auth })
    }

    fn failed(&self, error: OciDistributionError) -> Error {
        let error = RegistryError::of(self.name.registry(), error);
        Error::Registry { image: self.name.to_string(), error }
    }

    fn reference(&self, digest: Option<&Digest>) -> oci_client::Reference {
        let (registry, path) = (self.name.registry().to_owned(), self.name.path().to_owned());
        match digest.or(self.name.digest()) {
            Some(digest) => oci_client::Reference::with_digest(registry, path, digest.to_string()),
            None => {
                let tag = self.name.tag().unwrap_or("latest").to_owned();
                oci_client::Reference::with_tag(registry, path, tag)
            }
        }
    }

    /// Waits before try number `tried` (from zero on), or answers the error if there have been enough or it would not
    /// help.
    async fn again(&self, tried: u32, error: Error) -> Result<(), Error> {
        let transient = matches!(&error, Error::Registry { error, .. } if error.is_transient());
        if !transient || tried >= self.options.retries {
            return Err(error);
        }
        let wait = self.options.wait.saturating_mul(1 << tried.min(16)).min(LONGEST_WAIT);
        tracing::debug!(image = %self.name, %error, ?wait, "trying again");
        tokio::time::sleep(wait).await;
        Ok(())
    }

    /// What the name leads to.
    async fn target(&self, lease: &mut Lease) -> Result<Descriptor, Error> {
        let bytes = self.manifest(None).await?;
        let algorithm = self.name.digest().map_or(Algorithm::Sha256, Digest::algorithm);
        let digest = Digest::of(algorithm, &bytes);
        if let Some(wanted) = self.name.digest()
            && *wanted != digest
        {
            return Err(Error::Digest { wanted: wanted.clone(), found: digest });
        }
        let size = bytes.len() as u64;
        // What it says it is; what is no document is refused here, before it is stored.
        let document = Document::read(&bytes, None).map_err(|error| Error::Document {
            image: self.name.to_string(),
            digest: digest.clone(),
            error,
        })?;
        let media_type = match document {
            Document::Index(_) => media::OCI_INDEX,
            Document::Manifest(_) => media::OCI_MANIFEST,
        };
        let said = serde_json::from_slice::<serde_json::Value>(&bytes)
            .ok()
            .and_then(|value| value["mediaType"].as_str().map(str::to_owned))
            .unwrap_or_else(|| media_type.to_owned());
        lease.hold(&digest);
        self.put(bytes, &digest).await?;
        Ok(Descriptor::of(&digest, &said, size))
    }

    /// A document that another refers to.
    async fn document(&self, descriptor: &Descriptor) -> Result<(), Error> {
        let limit = self.store.0.options.limits.document;
        if descriptor.size > limit {
            return Err(Error::Limit { object: descriptor.digest.to_string(), what: "bytes", limit });
        }
        if !media::is_index(&descriptor.media_type) && !media::is_manifest(&descriptor.media_type) {
            return self.blob(descriptor).await;
        }
        let bytes = self.manifest(Some(&descriptor.digest)).await?;
        let (wanted, found) = (descriptor.size, bytes.len() as u64);
        if found != wanted {
            return Err(Error::Size { digest: descriptor.digest.clone(), wanted, found });
        }
        self.put(bytes, &descriptor.digest).await
    }

    async fn put(&self, bytes: Vec<u8>, digest: &Digest) -> Result<(), Error> {
        let (content, digest) = (Arc::clone(&self.store.0.content), digest.clone());
        blocking(move || {
            let size = bytes.len() as u64;
            content.copy(&mut &bytes[..], &digest, Some(size), size)
        })
        .await?
    }

    async fn manifest(&self, digest: Option<&Digest>) -> Result<Vec<u8>, Error> {
        let reference = self.reference(digest);
        let limit = self.store.0.options.limits.document;
        let mut tried = 0;
        loop {
            let answer = match self.client.auth(&reference, &self.auth, RegistryOperation::Pull).await {
                Ok(_) => self.client.pull_manifest_raw(&reference, &self.auth, &media::ACCEPT).await,
                Err(error) => Err(error),
            };
            match answer {
                Ok((bytes, _)) if bytes.len() as u64 > limit => {
                    let object = digest.map_or_else(|| self.name.to_string(), ToString::to_string);
                    return Err(Error::Limit { object, what: "bytes", limit });
                }
                Ok((bytes, _)) => return Ok(bytes.to_vec()),
                Err(OciDistributionError::DigestError(error)) => return Err(self.mismatch(digest, &error)),
                Err(error) => self.again(tried, self.failed(error)).await?,
            }
            tried += 1;
        }
    }

    /// Content is not what its name says.
    fn mismatch(&self, digest: Option<&Digest>, error: &ClientDigestError) -> Error {
        if let ClientDigestError::VerificationError { expected, actual } = error
            && let (Ok(said), Ok(found)) = (Digest::parse(expected), Digest::parse(actual))
        {
            let wanted = digest.cloned().unwrap_or(said);
            return Error::Digest { wanted, found };
        }
        let (registry, reason) = (self.name.registry().to_owned(), error.to_string());
        Error::Registry { image: self.name.to_string(), error: RegistryError::Protocol { registry, reason } }
    }

    /// Any content, straight to disk. Once in the store at a time.
    async fn blob(&self, descriptor: &Descriptor) -> Result<(), Error> {
        let slot = self.store.0.downloads.slot(&descriptor.digest);
        let Some(mutex) = &slot.mutex else { return Ok(()) };
        let _turn = mutex.lock().await;
        let (content, digest) = (Arc::clone(&self.store.0.content), descriptor.digest.clone());
        if blocking(move || content.contains(&digest)).await?? {
            return Ok(());
        }
        let limit = self.store.0.options.limits.blob;
        if descriptor.size > limit {
            return Err(Error::Limit { object: descriptor.digest.to_string(), what: "bytes", limit });
        }
        let content = Arc::clone(&self.store.0.content);
        let algorithm = descriptor.digest.algorithm();
        let mut ingest = blocking(move || content.ingest(algorithm, limit)).await??;
        let mut tried = 0;
        loop {
            let before = ingest.bytes();
            let outcome;
            (ingest, outcome) = self.some_of(descriptor, ingest).await?;
            let Err(error) = outcome else { break };
            // A registry that gives a bit each time is worth another try.
            if ingest.bytes() > before {
                tried = 0;
            }
            self.again(tried, error).await?;
            tried += 1;
        }
        let descriptor = descriptor.clone();
        blocking(move || ingest.commit(Some(&descriptor.digest), Some(descriptor.size))).await??;
        Ok(())
    }

    /// Goes on with a blob; what came is in the answer, also if it broke off.
    async fn some_of(
        &self,
        descriptor: &Descriptor,
        ingest: Ingest,
    ) -> Result<(Ingest, Result<(), Error>), Error> {
        let reference = self.reference(None);
        let layer = oci_client::client::LayerDescriptor { digest: descriptor.digest.as_str(), urls: &None };
        let (ingest, stream) = if ingest.bytes() == 0 {
            (ingest, self.client.pull_blob_stream(&reference, &layer).await)
        } else {
            let offset = ingest.bytes();
            match self.client.pull_blob_stream_partial(&reference, &layer, offset, None).await {
                Ok(BlobResponse::Partial(stream)) => (ingest, Ok(stream)),
                // It cannot go on in the middle.
                Ok(BlobResponse::Full(stream)) => {
                    let content = Arc::clone(&self.store.0.content);
                    let (algorithm, limit) =
                        (descriptor.digest.algorithm(), self.store.0.options.limits.blob);
                    (blocking(move || content.ingest(algorithm, limit)).await??, Ok(stream))
                }
                Err(error) => (ingest, Err(error)),
            }
        };
        match stream {
            Ok(stream) => self.write(descriptor, ingest, stream).await,
            Err(error) => Ok((ingest, Err(self.failed(error)))),
        }
    }

    async fn write(
        &self,
        descriptor: &Descriptor,
        mut ingest: Ingest,
        mut stream: SizedStream,
    ) -> Result<(Ingest, Result<(), Error>), Error> {
        let (sender, mut chunks) = mpsc::channel::<Vec<u8>>(CHUNKS);
        let written = descriptor.clone();
        // If this future is dropped, the channel closes, and the ingest is dropped with the answer of the task.
        let writer = tokio::task::spawn_blocking(move || {
            while let Some(chunk) = chunks.blocking_recv() {
                ingest.write_of(&chunk, &written.digest, Some(written.size))?;
            }
            Ok::<_, Error>(ingest)
        });
        let mut broken = Ok(());
        while let Some(chunk) = stream.stream.next().await {
            match chunk {
                Ok(chunk) => {
                    if sender.send(chunk.to_vec()).await.is_err() {
                        // The writer says why.
                        break;
                    }
                }
                Err(error) => {
                    let digest_error =
                        error.get_ref().and_then(|inner| inner.downcast_ref::<ClientDigestError>());
                    broken = Err(match digest_error {
                        Some(error) => self.mismatch(Some(&descriptor.digest), error),
                        None => self.failed(OciDistributionError::IoError(error)),
                    });
                    break;
                }
            }
        }
        drop(sender);
        let ingest =
            writer.await.map_err(|error| Error::io("write", descriptor.digest.as_str())(error.into()))??;
        if broken.is_ok() && ingest.bytes() < descriptor.size {
            let (registry, found) = (self.name.registry().to_owned(), ingest.bytes());
            let reason = format!("{}: ended after {found} of {} bytes", descriptor.digest, descriptor.size);
            let error = RegistryError::Unavailable { registry, reason };
            broken = Err(Error::Registry { image: self.name.to_string(), error });
        }
        Ok((ingest, broken))
    }
}

/// Work on the disk, where it may block.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, Error> {
    tokio::task::spawn_blocking(work).await.map_err(|error| Error::io("run", "a task")(error.into()))
}
