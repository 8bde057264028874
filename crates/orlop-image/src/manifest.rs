//! Indexes and manifests.

use std::collections::BTreeMap;

use oci_spec::image as oci;
use serde_json::Value;

use crate::digest::DigestError;
use crate::{Digest, Platform, json, media};

/// What a document points at: type, digest and size of some content.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Descriptor {
    /// The media type.
    pub media_type: String,
    /// The digest of the content.
    pub digest: Digest,
    /// Its size in bytes.
    pub size: u64,
    /// The platform that it is for, in an index.
    pub platform: Option<Platform>,
    /// Annotations.
    pub annotations: BTreeMap<String, String>,
    /// Features of the operating system without which the content is no use.
    pub(crate) os_features: Vec<String>,
}

/// What an image consists of: its configuration and its layers, the base first.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Manifest {
    /// The configuration.
    pub config: Descriptor,
    /// The layers, each on top of those before.
    pub layers: Vec<Descriptor>,
}

/// A document that a name or a digest leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Document {
    /// Manifests, or indexes again, for different platforms.
    Index(Vec<Descriptor>),
    /// One image.
    Manifest(Manifest),
}

/// A document that is none, or one that must not be trusted.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DocumentError {
    /// It is no JSON.
    #[error("not JSON: {0}")]
    Json(#[source] serde_json::Error),
    /// It is JSON of another form.
    #[error("not as the image specification has it: {0}")]
    Form(#[source] serde_json::Error),
    /// It has fields of an index and of a manifest, so that two readers may see two things in it (CVE-2021-41190).
    #[error("an index and a manifest at once")]
    Ambiguous,
    /// It says that it is of another type than it was given as (CVE-2021-41190).
    #[error("of media type {given} but says {said}")]
    MediaType {
        /// The type of the descriptor or of the response.
        given: String,
        /// The type in the document.
        said: String,
    },
    /// It is neither an index nor a manifest.
    #[error("neither an index nor a manifest")]
    Neither,
    /// It is of the form that was in use before 2016, or of a later one.
    #[error("schema version {0} is not supported, only 2")]
    Schema(String),
    /// A digest in it is none, or of an algorithm that cannot be verified.
    #[error("digest {digest:?}: {error}")]
    Digest {
        /// The text.
        digest: String,
        /// What is wrong with it.
        #[source]
        error: DigestError,
    },
}

impl Document {
    /// Reads a document that was given as `media_type`, if that is known.
    pub(crate) fn read(bytes: &[u8], media_type: Option<&str>) -> Result<Self, DocumentError> {
        let value = json::read(bytes).map_err(DocumentError::Json)?;
        if let Some(media_type) = media_type.filter(|media_type| media::is_schema_1(media_type)) {
            return Err(DocumentError::Schema(media_type.to_owned()));
        }
        match &value["schemaVersion"] {
            Value::Number(number) if number.as_u64() == Some(2) => {}
            other => return Err(DocumentError::Schema(other.to_string())),
        }
        let has = |name: &str| value.get(name).is_some();
        let is_index = has("manifests");
        if is_index && (has("layers") || has("config") || has("fsLayers")) {
            return Err(DocumentError::Ambiguous);
        }
        let said = value["mediaType"].as_str();
        if let (Some(said), Some(given)) = (said, media_type)
            && (media::is_index(given) || media::is_manifest(given))
            && said != given
        {
            return Err(DocumentError::MediaType { given: given.to_owned(), said: said.to_owned() });
        }
        for media_type in said.into_iter().chain(media_type) {
            if (media::is_index(media_type) && !is_index) || (media::is_manifest(media_type) && is_index) {
                let said = if is_index { "an index" } else { "a manifest" };
                return Err(DocumentError::MediaType { given: media_type.to_owned(), said: said.to_owned() });
            }
        }
        if is_index {
            let index: oci::ImageIndex = serde_json::from_value(value).map_err(DocumentError::Form)?;
            // An entry that cannot be verified is no reason to refuse those beside it.
            let entries = index.manifests().iter().filter_map(|entry| Descriptor::try_from(entry).ok());
            Ok(Self::Index(entries.collect()))
        } else if has("config") && has("layers") {
            let manifest: oci::ImageManifest = serde_json::from_value(value).map_err(DocumentError::Form)?;
            let layers = manifest.layers().iter().map(Descriptor::try_from);
            Ok(Self::Manifest(Manifest {
                config: manifest.config().try_into()?,
                layers: layers.collect::<Result<_, _>>()?,
            }))
        } else {
            Err(DocumentError::Neither)
        }
    }
}

impl Descriptor {
    #[cfg(target_os = "linux")]
    pub(crate) fn of(digest: &Digest, media_type: &str, size: u64) -> Self {
        Self {
            media_type: media_type.to_owned(),
            digest: digest.clone(),
            size,
            platform: None,
            annotations: BTreeMap::new(),
            os_features: Vec::new(),
        }
    }
}

impl TryFrom<&oci::Descriptor> for Descriptor {
    type Error = DocumentError;

    fn try_from(descriptor: &oci::Descriptor) -> Result<Self, DocumentError> {
        let digest = descriptor.digest().as_ref();
        let platform = descriptor.platform().as_ref();
        Ok(Self {
            media_type: descriptor.media_type().to_string(),
            digest: digest
                .parse()
                .map_err(|error| DocumentError::Digest { digest: digest.to_owned(), error })?,
            size: descriptor.size(),
            platform: platform.map(|platform| {
                Platform::new(
                    &platform.os().to_string(),
                    &platform.architecture().to_string(),
                    platform.variant().as_deref().unwrap_or_default(),
                )
            }),
            annotations: descriptor
                .annotations()
                .iter()
                .flatten()
                .map(|(k, v)| (k.clone(), v.clone()))
                .collect(),
            os_features: platform.and_then(|platform| platform.os_features().clone()).unwrap_or_default(),
        })
    }
}

/// Whether an entry of an index is a statement about an image, not an image.
pub(crate) fn is_attestation(descriptor: &Descriptor) -> bool {
    descriptor.annotations.contains_key("vnd.docker.reference.type")
        || descriptor.platform.as_ref().is_some_and(|platform| platform.os() == "unknown")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn digest(character: char) -> String {
        format!("sha256:{}", character.to_string().repeat(64))
    }

    fn manifest() -> Value {
        json!({
            "schemaVersion": 2,
            "mediaType": media::OCI_MANIFEST,
            "config": {"mediaType": media::OCI_CONFIG, "digest": digest('a'), "size": 2},
            "layers": [{"mediaType": media::OCI_LAYER, "digest": digest('b'), "size": 3, "annotations": null}],
            "unknown": {"x": 1},
        })
    }

    fn read(value: &Value, media_type: Option<&str>) -> Result<Document, DocumentError> {
        Document::read(value.to_string().as_bytes(), media_type)
    }

    #[test]
    fn manifests_and_indexes_are_read() {
        let Ok(Document::Manifest(read_back)) = read(&manifest(), Some(media::OCI_MANIFEST)) else {
            panic!()
        };
        assert_eq!((read_back.config.size, read_back.layers[0].digest.as_str()), (2, &*digest('b')));
        let index = json!({
            "schemaVersion": 2,
            "manifests": [
                {"mediaType": media::OCI_MANIFEST, "digest": digest('c'), "size": 4,
                 "platform": {"os": "linux", "architecture": "arm64", "variant": "v8"}},
                {"mediaType": media::OCI_MANIFEST, "digest": "md5:00", "size": 4},
            ],
        });
        let Ok(Document::Index(entries)) = read(&index, None) else { panic!() };
        assert_eq!(entries.len(), 1);
        assert_eq!(entries[0].platform.as_ref().unwrap().to_string(), "linux/arm64");
    }

    #[test]
    fn documents_that_can_be_read_in_two_ways_are_refused() {
        let mut both = manifest();
        both["manifests"] = json!([]);
        assert!(matches!(read(&both, None), Err(DocumentError::Ambiguous)));
        assert!(matches!(
            read(&manifest(), Some("application/vnd.docker.distribution.manifest.v2+json")),
            Err(DocumentError::MediaType { .. })
        ));
        assert!(matches!(read(&manifest(), Some(media::OCI_INDEX)), Err(DocumentError::MediaType { .. })));
        let twice = manifest().to_string().replacen('{', r#"{"config": {}, "#, 1);
        assert!(matches!(Document::read(twice.as_bytes(), None), Err(DocumentError::Json(_))));
    }

    #[test]
    fn other_documents_are_refused() {
        for (field, value) in [
            ("schemaVersion", json!(1)),
            ("schemaVersion", json!("2")),
            ("config", Value::Null),
            ("layers", json!({})),
            ("layers", json!([{"mediaType": media::OCI_LAYER, "digest": digest('b'), "size": -1}])),
            ("layers", json!([{"mediaType": media::OCI_LAYER, "digest": "sha256:../../x", "size": 1}])),
        ] {
            let mut other = manifest();
            other[field] = value.clone();
            assert!(read(&other, None).is_err(), "{field}: {value}");
        }
    }
}
