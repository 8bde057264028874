//! Applying manifests.

use std::collections::BTreeSet;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use orlop_client::{Client, Error, Outcome, WriteOptions, apply as apply_document};
use orlop_model::manifest::{self, Document, Fields, ManifestErrors};
use orlop_model::scheme::Scheme;
use orlop_model::{AnyObject, ObjectKey, Str};

/// Who applies, unless told otherwise.
pub const MANAGER: &str = "orlop";

/// A text with manifests, and what to call it in errors.
#[derive(Clone, Debug)]
pub struct Source {
    /// Name of the file, or what stands for it.
    pub name: String,
    /// Its text.
    pub text: String,
}

/// How manifests are applied.
#[derive(Clone, Debug)]
pub struct Options {
    /// The namespace of objects that name none.
    pub namespace: Str,
    /// The field manager.
    pub manager: Str,
}

impl Default for Options {
    fn default() -> Self {
        Self { namespace: "default".into(), manager: MANAGER.into() }
    }
}

/// What became of one object; printed as `kubectl apply` does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Applied {
    /// Resource name with group, in the singular.
    pub resource: String,
    /// Namespace and name.
    pub key: ObjectKey,
    /// What was done.
    pub outcome: Outcome,
}

impl fmt::Display for Applied {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let done = match self.outcome {
            Outcome::Created => "created",
            Outcome::Configured => "configured",
            Outcome::Unchanged => "unchanged",
        };
        write!(formatter, "{}/{} {done}", self.resource, self.key.name)
    }
}

/// Why manifests were not applied.
#[derive(Debug, thiserror::Error)]
pub enum ApplyError {
    /// A file or folder cannot be read.
    #[error("{}: {source}", path.display())]
    Read {
        /// The file or folder.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A folder has no manifests.
    #[error("{}: no .yaml, .yml or .json file in this folder", .0.display())]
    NoFiles(PathBuf),
    /// What is written is wrong; nothing of the file was applied.
    #[error(transparent)]
    Manifest(#[from] ManifestErrors),
    /// The API refused an object. If it did so before anything was applied, nothing of the file was.
    #[error("{file}:{line}:{column}: document {document}: {error}")]
    Refused {
        /// The file.
        file: String,
        /// Which document of the file, from 1 on.
        document: usize,
        /// Where it begins.
        line: usize,
        /// Where it begins.
        column: usize,
        /// Why.
        error: Box<Error>,
    },
}

/// Reads a file, or all manifests of a folder in the order of their names.
///
/// # Errors
/// [`ApplyError::Read`], or [`ApplyError::NoFiles`].
pub fn read(path: &Path) -> Result<Vec<Source>, ApplyError> {
    let fail = |source| ApplyError::Read { path: path.to_owned(), source };
    if !path.is_dir() {
        let text = std::fs::read_to_string(path).map_err(fail)?;
        return Ok(vec![Source { name: path.display().to_string(), text }]);
    }
    let entries = std::fs::read_dir(path).map_err(fail)?;
    let mut files = Vec::new();
    for entry in entries {
        let file = entry.map_err(fail)?.path();
        let is_manifest =
            |extension: &std::ffi::OsStr| extension == "yaml" || extension == "yml" || extension == "json";
        if file.extension().is_some_and(is_manifest) && file.is_file() {
            files.push(file);
        }
    }
    if files.is_empty() {
        return Err(ApplyError::NoFiles(path.to_owned()));
    }
    files.sort();
    let texts = files.iter().map(|file| read(file));
    Ok(texts.collect::<Result<Vec<_>, _>>()?.into_iter().flatten().collect())
}

/// Applies all objects of a text in their order: creates what is missing, changes what differs.
///
/// A text in which anything is wrong, or of which the API would refuse an object as it is now, is not applied at all.
///
/// # Errors
/// [`ApplyError::Manifest`] with everything that is wrong, [`ApplyError::Refused`] with the first object refused.
pub async fn run(
    client: &Arc<dyn Client>,
    scheme: &Scheme,
    source: &Source,
    options: &Options,
) -> Result<Vec<Applied>, ApplyError> {
    let wanted = decode(scheme, source, options)?;
    let new_namespaces: BTreeSet<&Str> = wanted
        .iter()
        .filter(|item| item.object.kind().kind == "Namespace")
        .map(|item| &item.key.name)
        .collect();
    let write = WriteOptions::by(&*options.manager).force();
    let trial = write.clone().dry_run();
    for item in &wanted {
        let comes_with_it =
            item.key.namespace.as_ref().is_some_and(|namespace| new_namespaces.contains(namespace));
        match item.apply(client, &trial).await {
            Err(error) if error.is_not_found() && comes_with_it => {}
            Err(error) => return Err(item.refused(source, error)),
            Ok(_) => {}
        }
    }
    let mut applied = Vec::with_capacity(wanted.len());
    for item in &wanted {
        applied.push(item.apply(client, &write).await.map_err(|error| item.refused(source, error))?);
    }
    Ok(applied)
}

struct Wanted {
    document: Document,
    object: Arc<dyn AnyObject>,
    key: ObjectKey,
}

fn decode(scheme: &Scheme, source: &Source, options: &Options) -> Result<Vec<Wanted>, ApplyError> {
    let documents = manifest::documents(&source.name, &source.text)?;
    let (mut wanted, mut errors) = (Vec::with_capacity(documents.len()), Vec::new());
    for document in documents {
        match document.decode(scheme, Fields::Strict) {
            Ok(mut object) => {
                if object.kind().is_namespaced()
                    && object.meta().namespace.is_empty()
                    && let Some(object) = Arc::get_mut(&mut object)
                {
                    object.meta_mut().namespace = options.namespace.clone();
                }
                let meta = object.meta();
                let key =
                    ObjectKey { namespace: meta.namespace.non_empty().cloned(), name: meta.name.clone() };
                wanted.push(Wanted { document, object, key });
            }
            Err(found) => errors.extend(found.0),
        }
    }
    if errors.is_empty() { Ok(wanted) } else { Err(ManifestErrors(errors).into()) }
}

impl Wanted {
    async fn apply(&self, client: &Arc<dyn Client>, options: &WriteOptions) -> Result<Applied, Error> {
        let kind = self.object.kind();
        let mut document = self.object.to_value().map_err(|error| Error::internal(error.to_string()))?;
        // What was not written is no wish.
        if let Some(written) = self.document.to_value().get("spec").cloned() {
            document["spec"] = written;
        }
        let applied =
            apply_document(&**client, kind, &self.key, document, self.object.schema(), options).await?;
        let resource = match &*kind.group {
            "" => kind.singular.to_string(),
            group => format!("{}.{group}", kind.singular),
        };
        Ok(Applied { resource, key: self.key.clone(), outcome: applied.outcome })
    }

    fn refused(&self, source: &Source, error: Error) -> ApplyError {
        let position = self.document.position();
        ApplyError::Refused {
            file: source.name.clone(),
            document: self.document.number(),
            line: position.line,
            column: position.column,
            error: Box::new(error),
        }
    }
}
